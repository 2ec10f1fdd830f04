// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_WRITE_HPP
#define VICINAL_MIGRATE_JSON_WRITE_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/json/utf8.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// How deep arrays and nested fields may lie in each other, read or written.
inline constexpr int json_depth = 64;

/// Appends `s` as a JSON string: UTF-8 passes through, control characters are escaped.
///
/// Errors: invalid_payload where `s` is not UTF-8, with the position of the first wrong byte.
inline result<void> append_json_string(std::string_view s, std::string& out) {
    if (auto const good = utf8_valid_prefix(s); good != s.size())
        return error{errc::invalid_payload, "UTF-8 text",
                     "a byte that does not belong to it at offset " + std::to_string(good)};
    static constexpr char hex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        auto const c = static_cast<unsigned char>(s[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(s, plain, i - plain);
        plain = i + 1;
        switch (c) {
            case '"': out.append("\\\""); break;
            case '\\': out.append("\\\\"); break;
            case '\n': out.append("\\n"); break;
            case '\r': out.append("\\r"); break;
            case '\t': out.append("\\t"); break;
            case '\b': out.append("\\b"); break;
            case '\f': out.append("\\f"); break;
            default:
                out.append("\\u00");
                out.push_back(hex[c >> 4]);
                out.push_back(hex[c & 15]);
        }
    }
    out.append(s, plain, s.size() - plain);
    out.push_back('"');
    return {};
}

/// Appends the shortest text that reads back to the same double and can't be taken for an integer.
///
/// Errors: unsupported for NaN and infinity, which JSON does not have.
inline result<void> append_json_double(double d, std::string& out) {
    if (!std::isfinite(d))
        return error{errc::unsupported, "a finite number, as JSON has no other",
                     std::isnan(d) ? "NaN" : "infinity"};
    char text[32];
    auto const end = std::to_chars(text, text + sizeof text, d).ptr;
    std::string_view const written(text, static_cast<std::size_t>(end - text));
    out.append(written);
    if (written.find_first_of(".e") == std::string_view::npos) out.append(".0");
    return {};
}

/// Appends the elements between '[' and ']', each the shortest text that reads back to the same
/// bits of a finite float.
///
/// Whole numbers look like integers ("3"); only negative zero keeps its point, because many
/// readers make the integer 0 of "-0".
inline void append_json_floats(vector_view<float> vector, std::string& out) {
    constexpr std::size_t longest = 16; // "-1.17549435e-38" and a comma
    auto const before = out.size();
    out.resize(before + 2 + longest * vector.size());
    char* p = out.data() + before;
    *p++ = '[';
    for (float const f : vector) {
        p = std::to_chars(p, p + longest, f).ptr;
        if (f == 0.0F && std::signbit(f)) {
            *p++ = '.';
            *p++ = '0';
        }
        *p++ = ',';
    }
    if (vector.size() > 0) --p;
    *p++ = ']';
    out.resize(static_cast<std::size_t>(p - out.data()));
}

inline result<void> append_json(fields const& f, std::string& out, int depth);

inline result<void> append_json(value const& v, std::string& out, int depth) {
    switch (v.type()) {
        case value::kind::null: out.append("null"); return {};
        case value::kind::boolean: out.append(*v.get_if<bool>() ? "true" : "false"); return {};
        case value::kind::integer: {
            char text[24];
            auto const end = std::to_chars(text, text + sizeof text, *v.get_if<std::int64_t>()).ptr;
            out.append(text, end);
            return {};
        }
        case value::kind::real: return append_json_double(*v.get_if<double>(), out);
        case value::kind::string: return append_json_string(*v.get_if<std::string>(), out);
        case value::kind::nested: return append_json(*v.get_if<fields>(), out, depth);
        case value::kind::array: break;
    }
    if (depth >= json_depth)
        return error{errc::invalid_payload, "at most 64 levels of nesting", "more"};
    out.push_back('[');
    bool first = true;
    for (auto const& element : *v.get_if<value::array>()) {
        if (!first) out.push_back(',');
        first = false;
        VICINAL_CHECK(append_json(element, out, depth + 1));
    }
    out.push_back(']');
    return {};
}

inline result<void> append_json(fields const& f, std::string& out, int depth) {
    if (depth >= json_depth)
        return error{errc::invalid_payload, "at most 64 levels of nesting", "more"};
    out.push_back('{');
    bool first = true;
    for (auto const& [name, v] : f) {
        if (!first) out.push_back(',');
        first = false;
        VICINAL_CHECK(append_json_string(name, out));
        out.push_back(':');
        if (auto written = append_json(v, out, depth + 1); !written) {
            auto const& e = written.error();
            return error{e.code(), e.expected(), e.got() + " in field '" + name + "'"};
        }
    }
    out.push_back('}');
    return {};
}

/// Appends the value as compact JSON that `read_value` turns back into an equal value.
///
/// Errors: unsupported (NaN, infinity); invalid_payload (text that is not UTF-8, more than 64
/// levels). `out` then ends in the middle of the value.
inline result<void> to_json(value const& v, std::string& out) { return append_json(v, out, 0); }
inline result<void> to_json(fields const& f, std::string& out) { return append_json(f, out, 0); }

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
