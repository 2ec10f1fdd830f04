// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_VECTOR_CHECK_HPP
#define VICINAL_STORE_VECTOR_CHECK_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/metric/concept.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// Refuses a vector that a store of this metric and dimension can't hold or answer: another length,
/// NaN or infinity, no direction. whose() ends the message, as in "for 'readme'". dim steps.
template <metric::model Metric, std::invocable Whose>
[[nodiscard]] result<void> check_vector(vector_view<metric::element_of<Metric>> v, std::size_t dim,
                                        Whose const& whose) {
    auto const of = [&whose](std::string got) { return got.append(" for ").append(whose()); };
    if (v.size() != dim)
        return error{errc::dimension_mismatch, std::to_string(dim) + " elements",
                     of(std::to_string(v.size()))};
    if constexpr (std::floating_point<metric::element_of<Metric>>) {
        using limits = std::numeric_limits<metric::element_of<Metric>>;
        bool finite = true;
        for (auto const x : v) finite &= x >= limits::lowest() && x <= (limits::max)();
        if (!finite) {
            std::size_t at = 0;
            while (v.data()[at] >= limits::lowest() && v.data()[at] <= (limits::max)()) ++at;
            return error{
                errc::not_finite, "finite elements",
                of((v.data()[at] != v.data()[at] ? "NaN at element " : "infinity at element ") +
                   std::to_string(at))};
        }
    }
    if constexpr (metric::needs_direction<Metric>) {
        bool some = false;
        for (auto const x : v) some |= x != 0;
        if (!some) return error{errc::zero_vector, "a vector with a direction", of("zeros")};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
