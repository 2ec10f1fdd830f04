// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_PACK_HPP
#define VICINAL_SIMD_PACK_HPP

#include <vicinal/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

// VICINAL_USE_XSIMD puts xsimd under the arithmetic, for builds with fixed flags (-march=native):
// there is no choice at run time then. Registers that xsimd lacks stay vector extensions.
#if defined(VICINAL_USE_XSIMD)
#    include <xsimd/xsimd.hpp>
#endif

namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// An integer of that many bytes.
template <std::size_t Bytes>
struct integer_of;
template <>
struct integer_of<1> {
    using type = std::int8_t;
};
template <>
struct integer_of<2> {
    using type = std::int16_t;
};
template <>
struct integer_of<4> {
    using type = std::int32_t;
};
template <>
struct integer_of<8> {
    using type = std::int64_t;
};

/// Zeroes `bytes` at `to`, then copies the first `n` of them, in pieces of fixed sizes: a memcpy of
/// n bytes would be a call.
template <std::size_t Bytes>
VICINAL_ALWAYS_INLINE void copy_part(unsigned char (&to)[Bytes], unsigned char const* from,
                                     std::size_t n) noexcept {
    std::memset(to, 0, Bytes);
    std::size_t i = 0;
    if constexpr (Bytes > 32)
        if ((n & 32) != 0) std::memcpy(to, from, 32), i = 32;
    if constexpr (Bytes > 16)
        if ((n & 16) != 0) std::memcpy(to + i, from + i, 16), i += 16;
    if ((n & 8) != 0) std::memcpy(to + i, from + i, 8), i += 8;
    if ((n & 4) != 0) std::memcpy(to + i, from + i, 4), i += 4;
    if ((n & 2) != 0) std::memcpy(to + i, from + i, 2), i += 2;
    if ((n & 1) != 0) to[i] = from[i];
}

#if defined(VICINAL_USE_XSIMD)
/// xsimd's register of Width lanes of T; void where it has none.
template <class T, std::size_t Width>
struct batch_of {
    using type = void;
};
template <std::floating_point T, std::size_t Width>
struct batch_of<T, Width> {
    using type = xsimd::make_sized_batch_t<T, Width>;
};
template <class T, std::size_t Width>
inline constexpr bool in_xsimd = !std::is_void_v<typename batch_of<T, Width>::type>;

template <class Batch, class Lanes>
[[nodiscard]] VICINAL_ALWAYS_INLINE Batch to_batch(Lanes const& lanes) noexcept {
    static_assert(sizeof(Batch) == sizeof(Lanes) && std::is_trivially_copyable_v<Batch>);
    return __builtin_bit_cast(Batch, lanes);
}
#endif

} // namespace detail

/// Width lanes of T. No instruction set is named here: the function that a kernel body is inlined
/// into decides which registers hold them (see simd/dispatch.hpp).
///
/// The vector type is a member of a class template because GCC drops a dependent vector_size in a
/// function template; packs go by reference because by value their ABI differs between sets.
template <class T, std::size_t Width>
struct pack {
    static constexpr std::size_t width = Width;
    static constexpr std::size_t bytes = Width * sizeof(T);
    typedef T lanes_type __attribute__((vector_size(bytes)));

    lanes_type lanes;

    VICINAL_ALWAYS_INLINE void zero() noexcept { lanes = lanes_type{}; }
    VICINAL_ALWAYS_INLINE void fill(T value) noexcept { lanes = lanes_type{} + value; }
    /// A constant: as an argument of `fill` GCC makes it of single lanes, at run time.
    template <int Value>
    VICINAL_ALWAYS_INLINE void fill_with() noexcept {
        lanes = lanes_type{} + static_cast<T>(Value);
    }
    VICINAL_ALWAYS_INLINE void load(T const* p) noexcept { std::memcpy(&lanes, p, sizeof lanes); }
    VICINAL_ALWAYS_INLINE void store(T* p) const noexcept { std::memcpy(p, &lanes, sizeof lanes); }
    VICINAL_ALWAYS_INLINE void add(pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>) return set_bits(batch(lanes) + batch(b.lanes));
#endif
        lanes += b.lanes;
    }
    VICINAL_ALWAYS_INLINE void subtract(pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>) return set_bits(batch(lanes) - batch(b.lanes));
#endif
        lanes -= b.lanes;
    }
    VICINAL_ALWAYS_INLINE void add_product(pack const& a, pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>)
            return set_bits(xsimd::fma(batch(a.lanes), batch(b.lanes), batch(lanes)));
#endif
        lanes += a.lanes * b.lanes;
    }
    /// The bits of another vector of the same size.
    template <class Lanes>
    VICINAL_ALWAYS_INLINE void set_bits(Lanes const& other) noexcept {
        static_assert(sizeof other == bytes);
        std::memcpy(&lanes, &other, bytes);
    }
    /// |a - b| without a sign to overflow into.
    VICINAL_ALWAYS_INLINE void set_absolute_difference(pack const& a, pack const& b) noexcept {
        lanes = (a.lanes > b.lanes ? a.lanes : b.lanes) - (a.lanes > b.lanes ? b.lanes : a.lanes);
    }
    /// Every lane's sign becomes plus.
    VICINAL_ALWAYS_INLINE void absolute() noexcept {
        using integer = typename detail::integer_of<sizeof(T)>::type;
        pack<integer, Width> raw;
        raw.set_bits(lanes);
        raw.lanes &= (std::numeric_limits<integer>::max)();
        set_bits(raw.lanes);
    }
    /// The first half of the lanes and the second.
    VICINAL_ALWAYS_INLINE void halves(pack<T, Width / 2>& low,
                                      pack<T, Width / 2>& high) const noexcept {
        take_apart(low, high, std::make_index_sequence<Width / 2>{});
    }
    /// The lanes' sum, by halves.
    [[nodiscard]] VICINAL_ALWAYS_INLINE T sum() const noexcept {
        if constexpr (Width > 2) {
            pack<T, Width / 2> low, high;
            halves(low, high);
            low.add(high);
            return low.sum();
        } else {
            return lanes[0] + lanes[1];
        }
    }

private:
    // As a shuffle: through memory GCC stores and loads again.
    template <std::size_t... I>
    VICINAL_ALWAYS_INLINE void take_apart(pack<T, Width / 2>& low, pack<T, Width / 2>& high,
                                          std::index_sequence<I...>) const noexcept {
        low.lanes = __builtin_shufflevector(lanes, lanes, static_cast<int>(I)...);
        high.lanes = __builtin_shufflevector(lanes, lanes, static_cast<int>(I + Width / 2)...);
    }

#if defined(VICINAL_USE_XSIMD)
    [[nodiscard]] VICINAL_ALWAYS_INLINE static auto batch(lanes_type const& from) noexcept {
        return detail::to_batch<typename detail::batch_of<T, Width>::type>(from);
    }
#endif
};

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
