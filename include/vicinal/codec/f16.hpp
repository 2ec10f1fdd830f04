// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_F16_HPP
#define VICINAL_CODEC_F16_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/codec/half_codes.hpp>

#include <string_view>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI::codec {

/// Two bytes an element, with 11 bits of precision: a graph walks as over the vectors and reads
/// half of the bytes. Rounding follows the size of an element, so that data whose spread is small
/// beside its distance from 0 is told apart by sq8, which moves it there, and not by halves.
///
/// For float elements under squared_l2, inner_product and cosine; under any other metric it is f32
/// and reads the vectors. Under cosine the direction is encoded. Elements beyond 65,504 count as
/// that, which the bound knows of; bf16 has float's range. Memory: 2 dim + 8 bytes a row, beside
/// the vectors. Nothing is trained.
struct f16 {
    static constexpr std::string_view name = "f16";

    template <class Metric>
    using of = typename std::conditional_t<has_half_codes<Metric>,
                                           std::type_identity<half_codes<Metric, vicinal::f16>>,
                                           std::type_identity<f32::of<Metric>>>::type;
};

/// The same with 8 bits of precision and float's range.
struct bf16 {
    static constexpr std::string_view name = "bf16";

    template <class Metric>
    using of = typename std::conditional_t<has_half_codes<Metric>,
                                           std::type_identity<half_codes<Metric, vicinal::bf16>>,
                                           std::type_identity<f32::of<Metric>>>::type;
};

static_assert(model<f16>);
static_assert(model<bf16>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
