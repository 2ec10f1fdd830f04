// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_PAYLOAD_COMPACT_JSON_HPP
#define VICINAL_TESTS_PAYLOAD_COMPACT_JSON_HPP

#include <vicinal/core/value.hpp>

#include <charconv>
#include <cstdint>
#include <string>

namespace testing {

/// Compact JSON of a payload without escapes: what its size is compared with.
inline std::string compact_json(vicinal::value const& v);
inline std::string compact_json(vicinal::fields const& f) {
    std::string s = "{";
    for (auto const& e : f) s += (s.size() > 1 ? ",\"" : "\"") + e.name + "\":" + compact_json(e.v);
    return s + "}";
}
inline std::string compact_json(vicinal::value const& v) {
    char digits[32];
    if (auto const* b = v.get_if<bool>()) return *b ? "true" : "false";
    if (auto const* i = v.get_if<std::int64_t>()) return std::to_string(*i);
    if (auto const* d = v.get_if<double>())
        return {digits, std::to_chars(digits, digits + 32, *d).ptr};
    if (auto const* s = v.get_if<std::string>()) return "\"" + *s + "\"";
    if (auto const* f = v.get_if<vicinal::fields>()) return compact_json(*f);
    if (auto const* a = v.get_if<vicinal::value::array>()) {
        std::string s = "[";
        for (auto const& e : *a) s += (s.size() > 1 ? "," : "") + compact_json(e);
        return s + "]";
    }
    return "null";
}

} // namespace testing

#endif
