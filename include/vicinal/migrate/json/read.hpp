// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_READ_HPP
#define VICINAL_MIGRATE_JSON_READ_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/json/token.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// How many members one JSON object may have.
inline constexpr std::size_t json_members = 10'000;

inline result<void> read_fields(simdjson::dom::object object, fields& out, int depth = 0);

/// Replaces `out` by the element. Integers up to 64 bits stay exact (from 2^63 on they become
/// doubles), everything else with a point, an exponent or more digits is a double.
///
/// Errors: invalid_json (more than 64 levels; a name twice in one object, or over 10,000 names).
inline result<void> read_value(simdjson::dom::element element, value& out, int depth = 0) {
    using simdjson::dom::element_type;
    switch (element.type()) {
        case element_type::NULL_VALUE: out = nullptr; return {};
        case element_type::BOOL: out = element.get_bool().value_unsafe(); return {};
        case element_type::INT64: out = element.get_int64().value_unsafe(); return {};
        case element_type::UINT64: out = element.get_uint64().value_unsafe(); return {};
        case element_type::DOUBLE: out = element.get_double().value_unsafe(); return {};
        case element_type::STRING:
            out = std::string(element.get_string().value_unsafe());
            return {};
        case element_type::OBJECT: {
            fields nested;
            VICINAL_CHECK(read_fields(element.get_object().value_unsafe(), nested, depth));
            out = std::move(nested);
            return {};
        }
        case element_type::ARRAY: break;
    }
    if (depth >= json_depth)
        return error{errc::invalid_json, "at most 64 levels of nesting", "more"};
    simdjson::dom::array const elements = element.get_array().value_unsafe();
    value::array array;
    for (auto const e : elements) {
        array.emplace_back();
        VICINAL_CHECK(read_value(e, array.back(), depth + 1));
    }
    out = std::move(array);
    return {};
}

/// Replaces `out` by the members of the object; errors as for `read_value`.
inline result<void> read_fields(simdjson::dom::object object, fields& out, int depth) {
    if (depth >= json_depth)
        return error{errc::invalid_json, "at most 64 levels of nesting", "more"};
    std::vector<std::pair<std::string_view, simdjson::dom::element>> members;
    for (auto const member : object) {
        if (members.size() == json_members)
            return error{errc::invalid_json, "at most 10000 names in one object", "more"};
        members.emplace_back(member.key, member.value);
    }
    // Sorted first: setting in order appends, and a name given twice stands beside itself.
    auto const by_name = [](auto const& a, auto const& b) { return a.first < b.first; };
    std::sort(members.begin(), members.end(), by_name);
    out.clear();
    out.reserve(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        auto const& [name, element] = members[i];
        if (i > 0 && members[i - 1].first == name)
            return error{errc::invalid_json, "each name once in an object",
                         "'" + std::string(name) + "' twice"};
        value v;
        VICINAL_CHECK(read_value(element, v, depth + 1));
        out.set(std::string(name), std::move(v));
    }
    return {};
}

/// Parses JSON text; reuses its memory from text to text (about 14 bytes a byte of the longest).
class json_parser {
public:
    /// The root of the text, valid until the next call. `padded`: simdjson::SIMDJSON_PADDING bytes
    /// behind the text may be read (whatever they hold), which saves a copy of it.
    ///
    /// Errors: invalid_json with simdjson's reason.
    [[nodiscard]] result<simdjson::dom::element> parse(std::string_view text, bool padded = false) {
        text_ = text;
        auto parsed = parser_.parse(text.data(), text.size(), !padded);
        if (parsed.error() != simdjson::SUCCESS && parsed.error() != simdjson::MEMALLOC) {
            widened_ = widen_integers(text);
            if (widened_.size() != text.size()) {
                text_ = widened_;
                parsed = parser_.parse(widened_.data(), widened_.size(), true);
            }
        }
        if (parsed.error() == simdjson::MEMALLOC) return error{errc::out_of_memory};
        if (parsed.error() != simdjson::SUCCESS)
            return error{errc::invalid_json, "well-formed JSON",
                         simdjson::error_message(parsed.error())};
        return parsed.value_unsafe();
    }

    /// The text that was really parsed last: the one given, or with its long integers widened.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

private:
    simdjson::dom::parser parser_;
    std::string widened_;
    std::string_view text_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
