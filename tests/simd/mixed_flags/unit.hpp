// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SIMD_MIXED_FLAGS_UNIT_HPP
#define VICINAL_TESTS_SIMD_MIXED_FLAGS_UNIT_HPP

#include <vicinal/metric/squared_l2.hpp>

#include <cstddef>

/// What one translation unit sees of the kernels.
struct unit {
    float (*baseline)(float const*, float const*, std::size_t) noexcept;
    float (*chosen)(float const*, float const*, std::size_t) noexcept;
    float (*metric)(float const*, float const*, std::size_t);
};

unit plain_unit();
unit wide_unit();

namespace {

[[maybe_unused]] float distance(float const* a, float const* b, std::size_t n) {
    return vicinal::metric::bind<vicinal::metric::squared_l2>(a, n)(b);
}

[[maybe_unused]] unit this_unit() {
    using kernel = vicinal::simd::squared_difference<float>::one;
    return {&kernel::baseline, kernel::get(), &distance};
}

} // namespace

#endif
