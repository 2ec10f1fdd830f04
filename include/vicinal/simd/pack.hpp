// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_PACK_HPP
#define VICINAL_SIMD_PACK_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstring>

namespace vicinal::inline VICINAL_ABI::simd {

/// Width lanes of T. No instruction set is named here: the function that a kernel body is inlined
/// into decides which registers hold them (see simd/dispatch.hpp).
///
/// The vector type is a member of a class template because GCC drops a dependent vector_size in a
/// function template; packs go by reference because by value their ABI differs between sets.
template <class T, std::size_t Width>
struct pack {
    static constexpr std::size_t width = Width;
    typedef T lanes_type __attribute__((vector_size(Width * sizeof(T))));

    lanes_type lanes;

    VICINAL_ALWAYS_INLINE void zero() noexcept { lanes = lanes_type{}; }
    VICINAL_ALWAYS_INLINE void load(T const* p) noexcept { std::memcpy(&lanes, p, sizeof lanes); }
    VICINAL_ALWAYS_INLINE void add(pack const& b) noexcept { lanes += b.lanes; }
    VICINAL_ALWAYS_INLINE void subtract(pack const& b) noexcept { lanes -= b.lanes; }
    VICINAL_ALWAYS_INLINE void add_product(pack const& a, pack const& b) noexcept {
        lanes += a.lanes * b.lanes;
    }
    /// The lanes' sum, by halves: the upper half is added to the lower until one lane is left.
    [[nodiscard]] VICINAL_ALWAYS_INLINE T sum() const noexcept {
        if constexpr (Width == 1) {
            return lanes[0];
        } else {
            pack<T, Width / 2> low, high;
            std::memcpy(&low.lanes, &lanes, sizeof low.lanes);
            std::memcpy(&high.lanes, reinterpret_cast<char const*>(&lanes) + sizeof low.lanes,
                        sizeof high.lanes);
            low.add(high);
            return low.sum();
        }
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
