// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_FLOATS_HPP
#define VICINAL_MIGRATE_JSON_FLOATS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/json/number.hpp>
#include <vicinal/migrate/json/token.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// Replaces `out` by an array of numbers, each the float nearest to its decimal.
///
/// `text` and `member` find the digits again where the parser's double does not settle the float:
/// the array is the value of the `member`-th name of the object that `text` holds.
/// Errors, naming the element: invalid_json (not a number, over 65,536 of them), not_finite (beyond
/// the largest float).
inline result<void> read_floats(simdjson::dom::array array, std::string_view text,
                                std::size_t member, std::vector<float>& out) {
    using simdjson::dom::element_type;
    auto const element_name = [&out] { return "element " + std::to_string(out.size()); };
    out.clear();
    std::vector<std::size_t> uncertain; // stays empty, so without memory, nearly always
    for (auto const e : array) {
        if (out.size() == source_dims)
            return error{errc::invalid_json, "at most 65536 numbers in a vector", "more"};
        float f = 0;
        switch (e.type()) {
            case element_type::DOUBLE: {
                double const d = e.get_double().value_unsafe();
                if (float_uncertain(d)) uncertain.push_back(out.size());
                f = static_cast<float>(d);
                break;
            }
            case element_type::INT64: {
                auto const i = e.get_int64().value_unsafe();
                if (i == 0) uncertain.push_back(out.size()); // may have been "-0"
                f = static_cast<float>(i);
                break;
            }
            case element_type::UINT64: f = static_cast<float>(e.get_uint64().value_unsafe()); break;
            default: return error{errc::invalid_json, "numbers only", element_name() + " is none"};
        }
        out.push_back(f);
    }
    if (!uncertain.empty()) {
        json_walk walk(text);
        walk.to_member(member);
        walk.enter();
        std::size_t at = 0;
        for (auto const wanted : uncertain) {
            for (; at < wanted; ++at) walk.skip_value();
            out[wanted] = nearest_float(walk.scalar(), static_cast<double>(out[wanted]));
            ++at;
        }
    }
    for (std::size_t i = 0; i < out.size(); ++i)
        if (!std::isfinite(out[i]))
            return error{errc::not_finite, "numbers within the range of float",
                         "element " + std::to_string(i) + " beyond it"};
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
