// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_VECTOR_TEXT_HPP
#define VICINAL_MIGRATE_TABLES_VECTOR_TEXT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The text without white space at its ends.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view s) noexcept {
    constexpr std::string_view white = " \t\r\n\f\v";
    auto const from = s.find_first_not_of(white);
    if (from == std::string_view::npos) return {};
    return s.substr(from, s.find_last_not_of(white) - from + 1);
}

/// The float nearest to the decimal that starts at `p`; returns its end, `p` where none starts
/// there. What is too small for a float is a zero of its sign, what is too large infinity.
[[nodiscard]] inline char const* read_float(char const* p, char const* end, float& f) noexcept {
    if (p != end && *p == '+') ++p;
    auto const parsed = std::from_chars(p, end, f);
    if (parsed.ec == std::errc{} || parsed.ec == std::errc::invalid_argument) return parsed.ptr;
    // Out of range, and from_chars does not say at which end: the double does, unless it is out of
    // range as well; then the sign of the exponent does.
    double d = 0;
    if (std::from_chars(p, parsed.ptr, d).ec == std::errc{}) {
        f = static_cast<float>(d);
        return parsed.ptr;
    }
    std::string_view const digits(p, static_cast<std::size_t>(parsed.ptr - p));
    auto const e = digits.find_first_of("eE");
    bool const small =
        e == std::string_view::npos ? digits.find('.') < 30 : digits.substr(e + 1).starts_with('-');
    f = std::copysign(small ? 0.0F : HUGE_VALF, digits.starts_with('-') ? -1.0F : 1.0F);
    return parsed.ptr;
}

/// What stands between the brackets of a vector as text, or all of it where there are none;
/// NumPy's "array(...)" is looked into.
[[nodiscard]] inline std::string_view inside_brackets(std::string_view text, bool& closed) {
    text = trimmed(text);
    for (std::string_view const call : {"np.array(", "array("}) {
        if (!text.starts_with(call) || !text.ends_with(')')) continue;
        text = text.substr(call.size(), text.size() - call.size() - 1);
        if (auto const type = text.find("dtype="); type != std::string_view::npos)
            text = text.substr(0, text.find_last_of(']', type) + 1);
        text = trimmed(text);
        break;
    }
    closed = true;
    for (std::string_view const pair : {"[]", "{}", "()"}) {
        if (!text.starts_with(pair[0])) continue;
        closed = text.size() > 1 && text.ends_with(pair[1]);
        return text.substr(1, text.size() - (closed ? 2 : 1));
    }
    return text;
}

/// Replaces `out` by a vector that was written as text: JSON "[1, 2]", PostgreSQL "{1,2}", what
/// NumPy prints "[1. 2.\n 3.]", or numbers between commas, semicolons or white space. Each element
/// is the float nearest to its decimal.
///
/// Errors, naming the element: corrupt_source (not a number, over 65,536 of them), not_finite,
/// unsupported (NumPy has left out elements: "...").
inline result<void> read_vector_text(std::string_view text, std::vector<float>& out) {
    out.clear();
    bool closed = false;
    auto const inner = inside_brackets(text, closed);
    auto const* p = inner.data();
    auto const* const end = p + inner.size();
    bool comma = false; // the element before it may not be missing
    for (;;) {
        while (p != end && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) ++p;
        if (p == end) break;
        if (*p == ',' || *p == ';') {
            if (comma || out.empty())
                return error{errc::corrupt_source, "a number in front of each comma",
                             "none in front of element " + std::to_string(out.size())};
            comma = true;
            ++p;
            continue;
        }
        if (*p == '.' && std::string_view(p, static_cast<std::size_t>(end - p)).starts_with("..."))
            return error{errc::unsupported, "all elements of a vector",
                         "'...': NumPy has left elements out when it printed the vector; write the "
                         "file anew with vector.tolist(), or after "
                         "numpy.set_printoptions(threshold=sys.maxsize)"};
        float f = 0;
        auto const* const next = read_float(p, end, f);
        bool const ended = next != p && (next == end || *next == ',' || *next == ';' ||
                                         *next == ' ' || (*next >= '\t' && *next <= '\r'));
        if (!ended)
            return error{errc::corrupt_source, "numbers only",
                         "element " + std::to_string(out.size()) + " is none"};
        if (!std::isfinite(f))
            return error{errc::not_finite, "numbers within the range of float",
                         "element " + std::to_string(out.size()) + " beyond it"};
        if (out.size() == source_dims)
            return error{errc::corrupt_source, "at most 65536 numbers in a vector", "more"};
        out.push_back(f);
        comma = false;
        p = next;
    }
    if (!closed || comma)
        return error{errc::corrupt_source, "a vector with its end",
                     "one that breaks off behind element " + std::to_string(out.size())};
    return {};
}

/// Replaces `out` by a sparse vector of pgvector, "{1:1.5,10:-2}/10", with all its zeros.
///
/// Errors: corrupt_source (another form, over 65,536 elements), not_finite.
inline result<void> read_sparse_text(std::string_view text, std::vector<float>& out) {
    auto const wrong = [] {
        return error{errc::corrupt_source, "a sparse vector such as {1:1.5,10:-2}/10",
                     "something else"};
    };
    out.clear();
    text = trimmed(text);
    auto const close = text.rfind("}/");
    std::size_t dim = 0;
    if (!text.starts_with('{') || close == std::string_view::npos) return wrong();
    auto const* const end = text.data() + text.size();
    auto const size = std::from_chars(text.data() + close + 2, end, dim);
    if (size.ec != std::errc{} || size.ptr != end || dim == 0 || dim > source_dims) return wrong();
    out.resize(dim);
    auto const* p = text.data() + 1;
    auto const* const last = text.data() + close;
    while (p != last) {
        std::size_t index = 0;
        float f = 0;
        while (p != last && (*p == ' ' || *p == ',')) ++p;
        auto const place = std::from_chars(p, last, index);
        if (place.ec != std::errc{} || place.ptr == last || *place.ptr != ':' || index == 0 ||
            index > dim)
            return wrong();
        p = read_float(place.ptr + 1, last, f);
        if (p == place.ptr + 1 || (p != last && *p != ',' && *p != ' ')) return wrong();
        if (!std::isfinite(f))
            return error{errc::not_finite, "numbers within the range of float",
                         "element " + std::to_string(index) + " beyond it"};
        out[index - 1] = f;
    }
    return {};
}

/// Replaces `out` by a string of bits, "1010", as ones and zeros.
inline result<void> read_bits_text(std::string_view text, std::vector<float>& out) {
    text = trimmed(text);
    out.clear();
    if (text.size() > source_dims || text.find_first_not_of("01") != std::string_view::npos)
        return error{errc::corrupt_source, "at most 65536 digits 0 and 1", "something else"};
    out.reserve(text.size());
    for (char const c : text) out.push_back(c == '1' ? 1.0F : 0.0F);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
