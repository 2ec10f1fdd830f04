// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_JSON_COLUMNS_HPP
#define VICINAL_MIGRATE_COLUMNAR_JSON_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/json/floats.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// The bytes in base64 (RFC 4648, section 4).
[[nodiscard]] inline std::string base64(std::string_view bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const n = bytes.size() - i < 3 ? bytes.size() - i : 3;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            out.push_back(j <= n ? digits[(group >> (18 - 6 * j)) & 63U] : '=');
    }
    return out;
}

/// Whether all texts in the value are UTF-8.
[[nodiscard]] inline bool all_text(value const& v) {
    if (auto const* const s = v.get_if<std::string>()) return utf8_valid_prefix(*s) == s->size();
    if (auto const* const a = v.get_if<value::array>()) {
        for (auto const& element : *a)
            if (!all_text(element)) return false;
    }
    if (auto const* const f = v.get_if<fields>()) {
        for (auto const& [name, member] : *f)
            if (utf8_valid_prefix(name) != name.size() || !all_text(member)) return false;
    }
    return true;
}

/// The value with every byte string in it that is no text in base64. Values of columns are at most
/// 32 levels deep.
[[nodiscard]] inline value with_base64(value const& v) {
    auto const text = [](std::string const& s) {
        return utf8_valid_prefix(s) == s.size() ? s : base64(s);
    };
    if (auto const* const s = v.get_if<std::string>()) return text(*s);
    if (auto const* const a = v.get_if<value::array>()) {
        value::array out;
        for (auto const& element : *a) out.push_back(with_base64(element));
        return out;
    }
    if (auto const* const f = v.get_if<fields>()) {
        fields out;
        for (auto const& [name, member] : *f) out.set(text(name), with_base64(member));
        return out;
    }
    return v;
}

/// Reads the JSON texts that stand in columns.
class json_column_reader {
public:
    /// Errors: invalid_json.
    [[nodiscard]] result<void> read(std::string_view text, value& out) {
        auto const root = parser_.parse(text);
        if (!root) return root.error();
        return read_value(*root, out);
    }

    /// The vectors of `{"name": [...], ...}`: the one called `wanted` into `out`, the names of all
    /// into `names`. `out` stays as it is where there is none of that name.
    ///
    /// Errors: invalid_json, not_finite.
    [[nodiscard]] result<void> named_vectors(std::string_view text, std::string_view wanted,
                                             std::vector<std::string>& names,
                                             std::vector<float>& out) {
        auto const root = parser_.parse(text);
        if (!root) return root.error();
        simdjson::dom::object object;
        if (root->get_object().get(object) != simdjson::SUCCESS) {
            if (root->is_null()) return {};
            return error{errc::invalid_json, "an object of vectors", "something else"};
        }
        std::size_t member = 0;
        for (auto const [name, element] : object) {
            names.emplace_back(name);
            simdjson::dom::array numbers;
            if (name == wanted && element.get_array().get(numbers) == simdjson::SUCCESS)
                VICINAL_CHECK(read_floats(numbers, parser_.text(), member, out));
            ++member;
        }
        return {};
    }

private:
    json_parser parser_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
