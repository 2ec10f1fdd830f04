// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_FITTING_HPP
#define VICINAL_CODEC_FITTING_HPP

#include <vicinal/codec/f32.hpp>

#include <type_traits>

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

template <class Bound>
struct has_codes : std::true_type {};
template <class Bound>
    requires requires { Bound::bounded; }
struct has_codes<Bound> : std::bool_constant<Bound::bounded> {};

} // namespace detail

/// The codec itself where it has codes for the metric; f32, which reads the vectors, where it says
/// that it has none (codec::sq8 over bytes, bits, or a metric of the user's).
template <class Codec, class Metric>
using fitting =
    std::conditional_t<detail::has_codes<typename Codec::template of<Metric>>::value, Codec, f32>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
