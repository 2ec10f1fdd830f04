// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_FAST_FLOATS_HPP
#define VICINAL_MIGRATE_JSON_FAST_FLOATS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/json/floats.hpp>
#include <vicinal/migrate/json/token.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The float nearest to digits * 10^exponent, where plain arithmetic settles it.
///
/// The double computed here is at most 2 units off: one rounding for the digits, one for the power.
/// So the float is certain unless the double lies within a few units of half-way between two.
[[nodiscard]] inline bool settled_float(std::uint64_t digits, int exponent, float& f) noexcept {
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (exponent < -22 || exponent > 22) return false;
    auto d = static_cast<double>(digits);
    d = exponent < 0 ? d / powers[-exponent] : d * powers[exponent];
    f = static_cast<float>(d);
    if (digits == 0) return true;
    constexpr double lowest = 2.0 * static_cast<double>(std::numeric_limits<float>::min());
    auto const tail = std::bit_cast<std::uint64_t>(d) & 0x1fffffffULL;
    bool const half_way = tail - (0x10000000ULL - 8) <= 16;
    return !half_way && d >= lowest && std::isfinite(f);
}

/// Appends the digits that start at `p`, eight at most, to `digits`; returns how many they were.
/// Reads 8 bytes. Without a branch on the count, which is as good as random in real vectors.
[[nodiscard]] inline std::size_t fast_digits(char const* p, std::uint64_t& digits) noexcept {
    static constexpr std::uint64_t powers[] = {1,       10,        100,        1'000,      10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000};
    auto eight = load_le<std::uint64_t>(reinterpret_cast<std::byte const*>(p));
    // The lowest byte marked is the first that is no digit: carries only reach bytes above one.
    auto const marks =
        ((eight + 0x4646464646464646ULL) | (eight - 0x3030303030303030ULL)) & 0x8080808080808080ULL;
    auto const n = static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    if (n == 0) return 0;
    // What is no digit goes out at the top and zeros come in before the digits; then pairs, fours
    // and all eight are joined by multiplication (Lemire 2018).
    eight = (eight - 0x3030303030303030ULL) << (64 - 8 * n);
    eight = eight * 10 + (eight >> 8);
    constexpr std::uint64_t mask = 0x000000ff000000ffULL;
    eight =
        ((eight & mask) * 0x000f424000000064ULL + ((eight >> 16) & mask) * 0x0000271000000001ULL) >>
        32;
    digits = digits * powers[n] + (eight & 0xffffffffULL);
    return n;
}

/// Whether a number that is no float's neighbour is too small for one, not too large: its first
/// digit that counts stands behind the point, once the exponent has moved it.
[[nodiscard]] inline bool below_floats(std::string_view number, int exponent) noexcept {
    auto const point = (std::min)(number.find_first_of(".eE"), number.size());
    auto const first = (std::min)(number.find_first_of("123456789"), number.size());
    auto const places = static_cast<std::ptrdiff_t>(point) - static_cast<std::ptrdiff_t>(first);
    return places + exponent < 0;
}

/// Reads a JSON number; returns where it ends, or nullptr where it is none that is read here.
/// The text must end with something that is no part of a number, as a line's padding does.
[[nodiscard]] inline char const* fast_float(char const* p, float& f) noexcept {
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    char const* const from = p;
    bool const negative = *p == '-';
    if (negative) ++p;
    char const* const whole = p;
    std::uint64_t digits = 0;
    for (; digit(*p); ++p) digits = digits * 10 + static_cast<std::uint64_t>(*p - '0');
    auto count = p - whole;
    if (count == 0 || (*whole == '0' && count > 1)) return nullptr;
    int exponent = 0;
    int written = 0;
    if (*p == '.') {
        char const* const fraction = ++p;
        for (std::size_t n = 8; n == 8; p += n) n = fast_digits(p, digits);
        if (p == fraction) return nullptr;
        count += p - fraction;
        exponent = -static_cast<int>((std::min)(p - fraction, std::ptrdiff_t{1000}));
    }
    if (*p == 'e' || *p == 'E') {
        ++p;
        bool const below = *p == '-';
        if (*p == '-' || *p == '+') ++p;
        char const* const power = p;
        int e = 0;
        for (; digit(*p); ++p) e = e < 10'000 ? e * 10 + (*p - '0') : e;
        if (p == power) return nullptr;
        written = below ? -e : e;
        exponent += written;
    }
    // 19 digits always fit 64 bits; of more, the leading ones may have been zeros, which is rare
    // enough to be left to the exact way.
    if (count <= 19 && settled_float(digits, exponent, f)) {
        if (negative) f = -f;
        return p;
    }
    auto const exact = std::from_chars(from, p, f);
    if (exact.ec == std::errc::result_out_of_range &&
        below_floats({from, static_cast<std::size_t>(p - from)}, written)) {
        f = negative ? -0.0F : 0.0F;
        return p;
    }
    return exact.ec == std::errc{} && exact.ptr == p && std::isfinite(f) ? p : nullptr;
}

/// Reads a whole array of numbers from its '[' on; returns where it ends, or nullptr where the
/// general way has to look at it. No more than `most` elements.
[[nodiscard]] inline char const* fast_floats(char const* p, std::size_t most,
                                             std::vector<float>& out) {
    auto const skip_space = [&p] {
        while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') ++p;
    };
    out.clear();
    ++p;
    skip_space();
    if (*p == ']') return p + 1;
    for (;;) {
        float f = 0;
        p = fast_float(p, f);
        if (p == nullptr || out.size() == most) return nullptr;
        out.push_back(f);
        skip_space();
        if (*p == ']') return p + 1;
        if (*p != ',') return nullptr;
        ++p;
        skip_space();
    }
}

/// Finds the array that is the value of `"vector"` in the object that `line` holds and reads it,
/// three times as fast as by way of the parser's tree. Returns its text, empty where the general
/// way has to be taken. The rest of the line is not judged: that is the parser's task, and putting
/// `[]` in place of a well-formed array makes no line right or wrong.
///
/// `line` must be followed by 64 bytes that may be read.
[[nodiscard]] inline std::string_view cut_vector(std::string_view line, std::vector<float>& out) {
    json_walk walk(line);
    walk.enter();
    for (std::size_t member = 0; member < 3; ++member) {
        auto const name = walk.scalar();
        auto const at = walk.position();
        if (name == "\"vector\"" && at < line.size() && line[at] == '[') {
            auto const* const from = line.data() + at;
            auto const* const end = fast_floats(from, source_dims, out);
            if (end == nullptr || end > line.data() + line.size()) return {};
            return {from, static_cast<std::size_t>(end - from)};
        }
        walk.skip_value();
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
