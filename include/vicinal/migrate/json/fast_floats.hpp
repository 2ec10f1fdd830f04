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

/// The float nearest to digits * 10^exponent, where plain arithmetic settles it. At most 18 digits.
///
/// The double computed here is at most 3 units off: the digits, the power and their product are
/// rounded once each. So the float is certain unless the double lies within a few units of half-way
/// between two. A product, because a division takes three times as long.
[[nodiscard]] inline bool settled_float(std::uint64_t digits, int exponent, float& f) noexcept {
    static constexpr double powers[] = {
        1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11,
        1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,
        1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,
        1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22};
    if (exponent < -22 || exponent > 22) return false;
    auto const d = static_cast<double>(static_cast<std::int64_t>(digits)) * powers[exponent + 22];
    f = static_cast<float>(d);
    constexpr double lowest = 2.0 * static_cast<double>(std::numeric_limits<float>::min());
    constexpr auto highest = static_cast<double>(std::numeric_limits<float>::max());
    auto const tail = std::bit_cast<std::uint64_t>(d) & 0x1fffffffULL;
    bool const half_way = tail - (0x10000000ULL - 8) <= 16;
    return (!half_way && d >= lowest && d <= highest) || digits == 0;
}

/// Appends the digits that start at `p`, eight at most, to `digits`; returns how many they were.
/// Reads 8 bytes.
[[nodiscard]] inline std::size_t eight_digits(char const* p, std::uint64_t& digits) noexcept {
    static constexpr std::uint64_t powers[] = {1,      10,      100,       1'000,
                                               10'000, 100'000, 1'000'000, 10'000'000};
    auto eight = load_le<std::uint64_t>(reinterpret_cast<std::byte const*>(p));
    // The lowest byte marked is the first that is no digit: carries only reach bytes above one.
    auto const marks =
        ((eight + 0x4646464646464646ULL) | (eight - 0x3030303030303030ULL)) & 0x8080808080808080ULL;
    eight -= 0x3030303030303030ULL;
    auto const n = static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    // What is no digit goes out at the top and zeros come in before the digits; then pairs, fours
    // and all eight are joined by multiplication (Lemire 2018).
    if (n < 8) {
        if (n == 0) return 0;
        eight <<= 64 - 8 * n;
    }
    eight = eight * 10 + (eight >> 8);
    constexpr std::uint64_t mask = 0x000000ff000000ffULL;
    eight =
        ((eight & mask) * 0x000f424000000064ULL + ((eight >> 16) & mask) * 0x0000271000000001ULL) >>
        32;
    digits = digits * (n < 8 ? powers[n] : 100'000'000) + (eight & 0xffffffffULL);
    return n;
}

/// Appends the digits behind a point; returns where they end.
///
/// The shortest text of a float has 8 or 9 of them mostly. Whether there are 8 is foreseen by the
/// processor, which then goes on to the next number meanwhile; the ninth is as good as random and
/// taken without a jump.
[[nodiscard]] inline char const* fraction_digits(char const* p, std::uint64_t& digits) noexcept {
    auto n = eight_digits(p, digits);
    p += n;
    if (n < 8) return p;
    auto const ninth = static_cast<std::uint64_t>(static_cast<unsigned char>(*p)) - '0';
    bool const there = ninth < 10;
    digits = there ? digits * 10 + ninth : digits;
    p += there ? 1 : 0;
    while (*p >= '0' && *p <= '9') p += eight_digits(p, digits);
    return p;
}

/// Whether a number that is no float's neighbour is too small for one, not too large: its first
/// digit that counts stands behind the point, once the exponent has moved it.
[[nodiscard]] inline bool below_floats(std::string_view number, int exponent) noexcept {
    auto const point = (std::min)(number.find_first_of(".eE"), number.size());
    auto const first = (std::min)(number.find_first_of("123456789"), number.size());
    auto const places = static_cast<std::ptrdiff_t>(point) - static_cast<std::ptrdiff_t>(first);
    return places + exponent < 0;
}

/// The number from `from` to `to` by the standard library, correctly rounded; `to`, or nullptr
/// where it is beyond the floats. `exponent` is what was written behind its 'e'.
[[nodiscard]] VICINAL_COLD inline char const* exact_float(char const* from, char const* to,
                                                          int exponent, float& f) noexcept {
    auto const exact = std::from_chars(from, to, f);
    if (exact.ec == std::errc::result_out_of_range &&
        below_floats({from, static_cast<std::size_t>(to - from)}, exponent)) {
        f = *from == '-' ? -0.0F : 0.0F;
        return to;
    }
    return exact.ec == std::errc{} && exact.ptr == to && std::isfinite(f) ? to : nullptr;
}

/// Reads a JSON number; returns where it ends, or nullptr where it is none that is read here.
/// The text must end with something that is no part of a number, as a line's padding does.
[[nodiscard]] inline char const* fast_float(char const* p, float& f) noexcept {
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    char const* const from = p;
    bool const negative = *p == '-';
    p += negative ? 1 : 0;
    char const* const whole = p;
    std::uint64_t digits = 0;
    for (; digit(*p); ++p) digits = digits * 10 + static_cast<std::uint64_t>(*p - '0');
    auto count = p - whole;
    if (count == 0 || (*whole == '0' && count > 1)) return nullptr;
    count -= *whole == '0' ? 1 : 0;
    int exponent = 0;
    int written = 0;
    if (*p == '.') {
        char const* const fraction = ++p;
        p = fraction_digits(p, digits);
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
    // 18 digits always fit 63 bits; of more, the leading ones may have been zeros, which is rare
    // enough to be left to the exact way.
    if (count > 18 || !settled_float(digits, exponent, f)) [[unlikely]]
        return exact_float(from, p, written, f);
    auto const sign = negative ? 0x80000000U : 0U; // a jump would be as good as random
    f = std::bit_cast<float>(std::bit_cast<std::uint32_t>(f) | sign);
    return p;
}

/// Reads a whole array of numbers from its '[' on; returns where it ends, or nullptr where the
/// general way has to look at it. No more than `most` elements. 64 bytes behind the text may be
/// read.
[[nodiscard]] inline char const* fast_floats(char const* p, std::size_t most,
                                             std::vector<float>& out) {
    auto const skip_space = [&p] {
        if (static_cast<unsigned char>(*p) > ' ') return;
        while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') ++p;
    };
    // What is there from an earlier vector is written over: it mostly has the same length.
    std::size_t n = 0;
    ++p;
    skip_space();
    while (*p != ']' || n > 0) {
        if (n == out.size()) out.resize((std::max)(std::size_t{16}, n * 2));
        p = fast_float(p, out[n]);
        if (p == nullptr || n == most) return nullptr;
        ++n;
        skip_space();
        if (*p != ',') break;
        ++p;
        skip_space();
    }
    out.resize(n);
    return *p == ']' ? p + 1 : nullptr;
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
