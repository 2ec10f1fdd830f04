// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_FORM_HPP
#define VICINAL_PAYLOAD_RECORD_FORM_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/record/members.hpp>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

template <class M>
struct part {
    using type = M;
    static constexpr bool optional = false;
    static constexpr bool vector = false;
};
template <class M>
struct part<std::optional<M>> {
    using type = M;
    static constexpr bool optional = true;
    static constexpr bool vector = false;
};
template <class M, class A>
struct part<std::vector<M, A>> {
    using type = M;
    static constexpr bool optional = false;
    static constexpr bool vector = true;
};

/// What a member is inside a std::optional, or itself.
template <class M>
using without_optional = std::conditional_t<part<M>::optional, typename part<M>::type, M>;

/// The form in which a member of that type is encoded; null where there is none.
template <class M>
[[nodiscard]] consteval value::kind form_of() noexcept {
    if constexpr (part<M>::optional) {
        // An empty optional inside another could not be told from it.
        return part<typename part<M>::type>::optional ? value::kind::null
                                                      : form_of<typename part<M>::type>();
    } else if constexpr (part<M>::vector) {
        return form_of<typename part<M>::type>() == value::kind::null ? value::kind::null
                                                                      : value::kind::array;
    } else if constexpr (std::same_as<M, bool>) {
        return value::kind::boolean;
    } else if constexpr ((std::is_enum_v<M> ||
                          vicinal::detail::integer_like<M>)&&!std::is_const_v<M>) {
        return value::kind::integer;
    } else if constexpr (std::same_as<M, float> || std::same_as<M, double>) {
        return value::kind::real;
    } else if constexpr (std::same_as<M, std::string>) {
        return value::kind::string;
    } else {
        return described<M> ? value::kind::nested : value::kind::null;
    }
}

template <class M>
struct whole_number {
    using type = M;
};
template <class M>
    requires std::is_enum_v<M>
struct whole_number<M> {
    using type = std::underlying_type_t<M>;
};
/// The integer type of an integer or enum.
template <class M>
using whole_type = typename whole_number<M>::type;

/// The double that a float is encoded as: the one with the same shortest text, so that a filter
/// finds a float 9.99 as 9.99 and not as 9.98999977. A NaN keeps its bits.
[[nodiscard]] inline double widened(float x) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(x);
    if (x != x) // A conversion would make a quiet NaN of a signalling one.
        return std::bit_cast<double>(std::uint64_t{bits >> 31} << 63 | std::uint64_t{0x7ff} << 52 |
                                     std::uint64_t{bits & 0x7fffffU} << 29);
    if (!std::isfinite(x)) return static_cast<double>(x);
    std::array<char, 24> digits{};
    auto* const first = digits.data();
    auto const* const last = std::to_chars(first, first + digits.size(), x).ptr;
    double same = 0;
    std::from_chars(first, last, same);
    // Rounded twice, the text may come to the neighbour; the sign of zero stays.
    return std::bit_cast<std::uint32_t>(static_cast<float>(same)) == bits ? same
                                                                          : static_cast<double>(x);
}

/// The float that is encoded as that double; false where none is.
[[nodiscard]] inline bool narrowed(double x, float& out) noexcept {
    if (x != x) {
        auto const bits = std::bit_cast<std::uint64_t>(x);
        if ((bits & 0x1fffffffU) != 0) return false;
        out = std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 63) << 31 | 0x7f800000U |
                                   static_cast<std::uint32_t>(bits >> 29 & 0x7fffffU));
        return (bits & 0xfffffffffffffU) >> 29 != 0;
    }
    constexpr double beyond = 3.5e38; // a conversion of what is outside of float is undefined
    if (std::isfinite(x) && !(x > -beyond && x < beyond)) return false;
    auto const nearest = static_cast<float>(x);
    if (std::isfinite(nearest) != std::isfinite(x)) return false;
    out = nearest;
    return static_cast<double>(nearest) == x || widened(nearest) == x;
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
