// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_ROTATION_HPP
#define VICINAL_CODEC_SQ8_ROTATION_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/simd/dispatch.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

/// A fast rotation: it spreads what a few elements hold over all of them, and keeps distances and
/// products.
///
/// Four rounds of three steps: signs change; a Walsh-Hadamard transform takes as many elements as
/// the greatest power of two in dim, the first ones in rounds 0 and 2, the last ones in 1 and 3;
/// elements i and i + dim / 2 become their sum and their difference over the root of 2. Source:
/// Ailon & Chazelle, "Approximate nearest neighbors and the fast Johnson-Lindenstrauss transform",
/// STOC 2006; the third step is a round of Kac's walk and mixes where dim is no power of two.
namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {
inline namespace VICINAL_BASELINE {

inline constexpr std::size_t sq8_rounds = 4;

/// The way there, or the way back: each step of a round is its own inverse.
template <bool Back>
struct sq8_rotate_body {
    /// factors: dim of each round, the signs, over the root of their number for those that the
    /// transform takes.
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float* x, std::size_t dim,
                                          float const* factors) noexcept {
        std::size_t const taken = std::bit_floor(dim);
        std::size_t const half = dim / 2;
        auto const mix = [&] {
            pairwise<Set>(x, x + half, half, [](auto& a, auto& b) {
                auto const sum = (a + b) * root_of_half;
                b = (a - b) * root_of_half;
                a = sum;
            });
        };
        for (std::size_t i = 0; i < sq8_rounds; ++i) {
            auto const round = Back ? sq8_rounds - 1 - i : i;
            auto* const first = x + (round % 2 == 0 ? 0 : dim - taken);
            auto const turn = [&] {
                pairwise<Set>(x, factors + round * dim, dim, [](auto& a, auto& b) { a *= b; });
            };
            if constexpr (Back) {
                mix();
                transform<Set>(first, taken);
                turn();
            } else {
                turn();
                transform<Set>(first, taken);
                mix();
            }
        }
    }

private:
    static constexpr float root_of_half = 0.70710678F;

    /// step(a[i], b[i]) for each i, in registers; writes what it changes.
    template <class Set, class A, class B, class Step>
    VICINAL_ALWAYS_INLINE static void pairwise(A* a, B* b, std::size_t n,
                                               Step const& step) noexcept {
        using floats = typename Set::template of<float>;
        std::size_t i = 0;
        for (; i + floats::width <= n; i += floats::width) {
            floats u, v;
            u.load(a + i);
            v.load(b + i);
            step(u.lanes, v.lanes);
            u.store(a + i);
            if constexpr (!std::is_const_v<B>) v.store(b + i);
        }
        for (; i < n; ++i) {
            float u = a[i];
            float v = b[i];
            step(u, v);
            a[i] = u;
            if constexpr (!std::is_const_v<B>) b[i] = v;
        }
    }

    template <class Set>
    VICINAL_ALWAYS_INLINE static void transform(float* x, std::size_t n) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = floats::width;
        std::size_t apart = 1;
        if (n >= w) {
            for (std::size_t i = 0; i < n; i += w) {
                floats v;
                v.load(x + i);
                within<1, w>(v.lanes);
                v.store(x + i);
            }
            apart = w;
        }
        for (; apart < n; apart *= 2)
            for (std::size_t i = 0; i < n; i += 2 * apart)
                pairwise<Set>(x + i, x + i + apart, apart, [](auto& a, auto& b) {
                    auto const sum = a + b;
                    b = a - b;
                    a = sum;
                });
    }

    /// The steps between lanes of one register.
    template <std::size_t Apart, std::size_t Width, class Lanes>
    VICINAL_ALWAYS_INLINE static void within(Lanes& v) noexcept {
        if constexpr (Apart < Width) {
            cross<Apart>(v, std::make_index_sequence<Width>{});
            within<2 * Apart, Width>(v);
        }
    }
    template <std::size_t Apart, class Lanes, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void cross(Lanes& v, std::index_sequence<I...>) noexcept {
        Lanes const other = __builtin_shufflevector(v, v, static_cast<int>(I ^ Apart)...);
        Lanes const sign = {((I & Apart) == 0 ? 1.0F : -1.0F)...};
        v = other + v * sign;
    }
};

template <bool Back>
using sq8_rotate = simd::kernel<sq8_rotate_body<Back>, void, float*, std::size_t, float const*>;

} // namespace VICINAL_BASELINE
} // namespace detail

/// The rotation of vectors of `dim` elements: always the same one. Memory: 16 dim bytes.
class sq8_rotation {
public:
    sq8_rotation() = default;
    explicit sq8_rotation(std::size_t dim) : dim_(dim), factors_(detail::sq8_rounds * dim) {
        std::size_t const taken = std::bit_floor(dim);
        float const size = 1 / std::sqrt(static_cast<float>(taken));
        for (std::size_t i = 0; i < dim; ++i) {
            auto const bits = vicinal::detail::mix(i);
            for (std::size_t round = 0; round < detail::sq8_rounds; ++round) {
                bool const in = round % 2 == 0 ? i < taken : i >= dim - taken;
                float const factor = in ? size : 1.0F;
                factors_[round * dim + i] = (bits >> round & 1) != 0 ? -factor : factor;
            }
        }
    }

    /// Rotates the vector in its place. What float loses of it is below 2^-17 of its norm: up to 19
    /// roundings a round, each 2^-24 of it.
    void operator()(float* x) const noexcept {
        detail::sq8_rotate<false>::get()(x, dim_, factors_.data());
    }
    /// Rotates it back.
    void undo(float* x) const noexcept {
        detail::sq8_rotate<true>::get()(x, dim_, factors_.data());
    }

private:
    std::size_t dim_ = 0;
    std::vector<float> factors_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
