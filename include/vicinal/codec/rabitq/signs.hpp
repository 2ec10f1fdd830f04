// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_SIGNS_HPP
#define VICINAL_CODEC_RABITQ_SIGNS_HPP

#include <vicinal/simd/dispatch.hpp>
#include <vicinal/simd/pack.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::codec {

/// What one bit an element says of r = v - c, and what an estimate wants beside it.
struct rabitq_signs {
    /// |r|^2, of all elements.
    float square = 0;
    /// Of those that have a bit: the sum of |r|, twice the product of r and its code.
    float absolute = 0;
    /// Of those, twice the product of c and the code.
    float centre = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

struct rabitq_signs_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* v, float const* c, std::size_t coded,
                                          std::size_t padded, std::byte* codes,
                                          rabitq_signs* out) noexcept {
        using floats = simd::pack<float, 8>;
        using words = simd::pack<std::uint32_t, 8>;
        words const bits = {{1, 2, 4, 8, 16, 32, 64, 128}};
        floats square, absolute, centre;
        square.zero();
        absolute.zero();
        centre.zero();
        for (std::size_t i = 0; i < padded; i += 8) {
            floats r, at;
            r.load(v + i);
            at.load(c + i);
            r.lanes -= at.lanes;
            square.add_product(r, r);
            if (i >= coded) continue;
            words positive, kept;
            positive.set_bits(r.lanes >= 0);
            kept.lanes = positive.lanes & bits.lanes;
            codes[i / 8] = static_cast<std::byte>(kept.sum());
            centre.lanes += r.lanes >= 0 ? at.lanes : -at.lanes;
            r.absolute();
            absolute.add(r);
        }
        *out = {square.sum(), absolute.sum(), centre.sum()};
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(v, c, coded, padded, codes, &out)`: the signs of v - c, `padded` elements of which the
/// first `coded` have a bit, 1 for 0 and more, as rabitq_encode<1> has them. Both are multiples of
/// eight.
using rabitq_signs_of = simd::kernel<detail::rabitq_signs_body, void, float const*, float const*,
                                     std::size_t, std::size_t, std::byte*, rabitq_signs*>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
