// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_NUMBER_HPP
#define VICINAL_MIGRATE_ARRAYS_NUMBER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/half.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI::detail {

/// The numbers that files of arrays are made of.
enum class number_kind : std::uint8_t {
    boolean,
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    f16,
    bf16,
    f32,
    f64,
};

/// A number as it lies in a file.
struct number_format {
    number_kind kind = number_kind::f32;
    bool big_endian = false;

    [[nodiscard]] constexpr std::size_t bytes() const noexcept {
        switch (kind) {
            case number_kind::boolean:
            case number_kind::i8:
            case number_kind::u8: return 1;
            case number_kind::i16:
            case number_kind::u16:
            case number_kind::f16:
            case number_kind::bf16: return 2;
            case number_kind::i32:
            case number_kind::u32:
            case number_kind::f32: return 4;
            default: return 8;
        }
    }
    /// Whether it may have more digits than a float holds.
    [[nodiscard]] constexpr bool wider_than_float() const noexcept {
        return kind == number_kind::f64 || kind == number_kind::i32 || kind == number_kind::u32 ||
               kind == number_kind::i64 || kind == number_kind::u64;
    }
};

template <std::unsigned_integral U>
[[nodiscard]] inline U load_ordered(std::byte const* p, bool big_endian) noexcept {
    U const v = load_le<U>(p);
    if constexpr (sizeof(U) == 1) return v;
    if (!big_endian) return v;
    U swapped = 0;
    for (std::size_t i = 0; i < sizeof(U); ++i)
        swapped = static_cast<U>(
            swapped | static_cast<U>(((v >> (8 * i)) & 0xffU) << (8 * (sizeof(U) - 1 - i))));
    return swapped;
}

/// Calls `f` with the number at `p`: bool, a 64-bit integer, float or double. Each is exact.
template <class F>
inline auto with_number(number_format format, std::byte const* p, F&& f) {
    bool const big = format.big_endian;
    switch (format.kind) {
        case number_kind::boolean: return f(*p != std::byte{0});
        case number_kind::i8: return f(std::int64_t{static_cast<std::int8_t>(*p)});
        case number_kind::u8: return f(std::int64_t{static_cast<std::uint8_t>(*p)});
        case number_kind::i16:
            return f(std::int64_t{static_cast<std::int16_t>(load_ordered<std::uint16_t>(p, big))});
        case number_kind::u16: return f(std::int64_t{load_ordered<std::uint16_t>(p, big)});
        case number_kind::i32:
            return f(std::int64_t{static_cast<std::int32_t>(load_ordered<std::uint32_t>(p, big))});
        case number_kind::u32: return f(std::int64_t{load_ordered<std::uint32_t>(p, big)});
        case number_kind::i64:
            return f(static_cast<std::int64_t>(load_ordered<std::uint64_t>(p, big)));
        case number_kind::u64: return f(load_ordered<std::uint64_t>(p, big));
        case number_kind::f16: return f(half_to_float(load_ordered<std::uint16_t>(p, big)));
        case number_kind::bf16:
            return f(
                std::bit_cast<float>(std::uint32_t{load_ordered<std::uint16_t>(p, big)} << 16));
        case number_kind::f32: return f(std::bit_cast<float>(load_ordered<std::uint32_t>(p, big)));
        default: return f(std::bit_cast<double>(load_ordered<std::uint64_t>(p, big)));
    }
}

/// The float nearest to a number; beyond the largest float, infinity.
template <class T>
[[nodiscard]] inline float nearest_float(T v) noexcept {
    if constexpr (std::same_as<T, double>) {
        // A conversion beyond the range is not defined; half a step above the largest rounds up.
        constexpr double beyond = 0x1.ffffffp127;
        if (v >= beyond) return std::numeric_limits<float>::infinity();
        if (v <= -beyond) return -std::numeric_limits<float>::infinity();
    }
    return static_cast<float>(v);
}

/// Whether the float is the number itself. NaN counts as itself.
template <class T>
[[nodiscard]] inline bool float_holds(T v, float f) noexcept {
    if constexpr (std::same_as<T, double>) {
        return static_cast<double>(f) == v || std::isnan(v);
    } else if constexpr (std::integral<T> && sizeof(T) == 8) {
        // A float has 24 bits: those between the highest and the lowest set one must fit.
        auto const size = std::is_signed_v<T> && v < T{0}
                              ? std::uint64_t{0} - static_cast<std::uint64_t>(v)
                              : static_cast<std::uint64_t>(v);
        return size == 0 || static_cast<int>(std::bit_width(size)) - std::countr_zero(size) <= 24;
    } else {
        return true;
    }
}

/// Turns `n` numbers, `stride` bytes from one to the next, into floats; gives how many of them had
/// more digits than a float holds and were rounded to the nearest.
inline std::uint64_t to_floats(number_format format, std::byte const* p, std::size_t n,
                               std::size_t stride, float* out) noexcept {
    if (format.kind == number_kind::f32 && !format.big_endian && stride == 4) {
        for (std::size_t i = 0; i < n; ++i)
            out[i] = std::bit_cast<float>(load_le<std::uint32_t>(p + 4 * i));
        return 0;
    }
    std::uint64_t rounded = 0;
    for (std::size_t i = 0; i < n; ++i)
        out[i] = with_number(format, p + stride * i, [&rounded](auto v) {
            float const f = nearest_float(v);
            if (!float_holds(v, f)) ++rounded;
            return f;
        });
    return rounded;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
