// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_RANDOM_HPP
#define VICINAL_TESTS_SUPPORT_RANDOM_HPP

#include <vicinal/core/bits.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vicinal_test {

/// Numbers from a fixed seed, the same with every standard library.
class generator {
public:
    explicit generator(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept { return vicinal::detail::mix(state_++); }
    /// From 0 to n - 1.
    std::size_t below(std::size_t n) noexcept { return static_cast<std::size_t>(next() % n); }
    /// In [low, high).
    float real(float low, float high) noexcept {
        auto const unit = static_cast<float>(next() >> 40) / 16777216.0F;
        return low + (high - low) * unit;
    }
    /// Mean 0, deviation 1: the sum of twelve, less six.
    float normal() noexcept {
        float sum = -6;
        for (int i = 0; i < 12; ++i) sum += real(0, 1);
        return sum;
    }
    std::vector<float> vector(std::size_t dim, float low = -1, float high = 1) {
        std::vector<float> v(dim);
        for (auto& x : v) x = real(low, high);
        return v;
    }

private:
    std::uint64_t state_;
};

/// Elements of a normal distribution about `shift`.
[[nodiscard]] inline std::vector<float> normal_vector(std::size_t dim, std::uint64_t seed,
                                                      float shift = 0) {
    generator random(seed * 0x9e3779b97f4a7c15U);
    std::vector<float> v(dim);
    for (auto& x : v) x = shift + random.normal();
    return v;
}

/// Rows one behind the other.
struct rows {
    std::size_t dim = 0;
    std::vector<float> data = {};

    [[nodiscard]] std::size_t count() const noexcept { return dim == 0 ? 0 : data.size() / dim; }
    [[nodiscard]] float const* row(std::size_t i) const noexcept { return data.data() + i * dim; }
    void add(std::vector<float> const& v) { data.insert(data.end(), v.begin(), v.end()); }
};

/// Evenly in a cube.
[[nodiscard]] inline rows uniform_rows(std::size_t n, std::size_t dim, std::uint64_t seed) {
    generator r(seed);
    return {dim, r.vector(n * dim)};
}

/// Around `centres` points that are far apart compared with the width of a cluster.
[[nodiscard]] inline rows clustered_rows(std::size_t n, std::size_t dim, std::size_t centres,
                                         std::uint64_t seed) {
    generator r(seed);
    auto const middle = r.vector(centres * dim, -10, 10);
    rows out{dim};
    out.data.reserve(n * dim);
    for (std::size_t i = 0; i < n; ++i) {
        auto const c = r.below(centres);
        for (std::size_t j = 0; j < dim; ++j)
            out.data.push_back(middle[c * dim + j] + 0.5F * r.normal());
    }
    return out;
}

/// `distinct` vectors, each many times, in mixed order.
[[nodiscard]] inline rows repeated_rows(std::size_t n, std::size_t dim, std::size_t distinct,
                                        std::uint64_t seed) {
    generator r(seed);
    auto const few = uniform_rows(distinct, dim, seed + 1);
    rows out{dim};
    for (std::size_t i = 0; i < n; ++i) {
        auto const* v = few.row(r.below(distinct));
        out.data.insert(out.data.end(), v, v + dim);
    }
    return out;
}

/// Points in order along a curve that winds through all dimensions.
[[nodiscard]] inline rows curve_rows(std::size_t n, std::size_t dim) {
    rows out{dim};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < dim; ++j)
            out.data.push_back(static_cast<float>(
                std::sin(0.01 * static_cast<double>(i) * (1 + 0.1 * static_cast<double>(j)) +
                         static_cast<double>(j))));
    return out;
}

} // namespace vicinal_test

#endif
