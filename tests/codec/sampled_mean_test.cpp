// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sampled_mean.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace sampled_mean_test {

using namespace vicinal_test;
namespace codec = vicinal::codec;
namespace metric = vicinal::metric;

namespace {

constexpr std::size_t dim = 20;
constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> mean_of(rows const& data, double multiplier = 1) {
    return codec::sampled_mean(
        data.dim, data.count(), [&](std::size_t i) { return data.row(i); },
        [=](float const*) { return multiplier; });
}

/// Rows about a point that is not 0.
rows sound_rows(std::size_t count) {
    auto data = uniform_rows(count, dim, 3);
    for (auto& x : data.data) x += 2;
    return data;
}

/// That of the rows for which keep(i) holds.
template <class Keep>
std::vector<float> want(rows const& data, Keep const& keep) {
    std::vector<double> sums(dim);
    std::size_t count = 0;
    for (std::size_t i = 0; i < data.count(); ++i) {
        if (!keep(i)) continue;
        ++count;
        for (std::size_t j = 0; j < dim; ++j) sums[j] += double{data.row(i)[j]};
    }
    std::vector<float> mean(dim);
    for (std::size_t j = 0; j < dim; ++j)
        mean[j] = static_cast<float>(sums[j] / static_cast<double>(count));
    return mean;
}

bool all(std::size_t) { return true; }

} // namespace

TEST_CASE("the mean of rows of one kind is that of all", "[codec]") {
    auto const data = sound_rows(1000);
    CHECK(mean_of(data) == want(data, all));
    auto doubled = mean_of(data, 2);
    for (auto& x : doubled) x /= 2;
    CHECK(doubled == want(data, all));
    // Rows ten times as long as others are not of another kind.
    auto uneven = data;
    for (std::size_t i = 0; i < 100 * dim; ++i) uneven.data[i] *= 10;
    CHECK(mean_of(uneven) == want(uneven, all));
    CHECK(mean_of(rows{dim}).empty());
    CHECK(mean_of({dim, std::vector<float>(7 * dim)}) == std::vector<float>(dim));
}

TEST_CASE("a row that is not finite, or far longer than others, does not move the mean",
          "[codec]") {
    for (float const odd :
         {3e38F, -3e38F, 1e9F, infinity, -infinity, std::numeric_limits<float>::quiet_NaN()})
        for (std::size_t const at : {0U, 500U, 999U}) {
            CAPTURE(odd, at);
            auto data = sound_rows(1000);
            data.data[at * dim + 7] = odd;
            auto const rest = [&](std::size_t i) { return i != at; };
            CHECK(mean_of(data) == want(data, rest));
            // Nor do many, as long as half of the rows are sound.
            for (std::size_t i = 1; i < 1000; i += 3)
                if (i != at) data.data[i * dim + i % dim] = odd;
            auto const sound = [&](std::size_t i) { return i != at && i % 3 != 1; };
            CHECK(mean_of(data) == want(data, sound));
        }
    CHECK(mean_of({dim, std::vector<float>(3 * dim, infinity)}).empty());
}

TEST_CASE("rows of no length have their share of the mean, whatever their number", "[codec]") {
    auto data = sound_rows(1000);
    for (std::size_t i = 0; i < 900 * dim; ++i) data.data[i] = 0;
    CHECK(mean_of(data) == want(data, all));
    data.data[5] = 3e38F;
    CHECK(mean_of(data) == want(data, [](std::size_t i) { return i != 0; }));
}

TEST_CASE("a frame with one odd row among its rows leaves codes as near as they were", "[codec]") {
    auto data = sound_rows(1200);
    auto const lost = [&](rows const& seen) {
        codec::rabitq<4>::of<metric::squared_l2> c(dim);
        c.put(c.fitting_frame(seen.count(), [&](std::size_t i) { return seen.row(i); }));
        std::vector<std::byte> row(c.row_bytes());
        std::vector<float> scratch(c.scratch()), back(c.scratch());
        double sum = 0;
        for (std::size_t i = 0; i < 100; ++i) {
            c.encode_row(data.row(i), row.data(), scratch.data());
            c.decode_row(row.data(), back.data());
            for (std::size_t j = 0; j < dim; ++j)
                sum += std::pow(double{data.row(i)[j]} - double{back[j]}, 2);
        }
        return sum;
    };
    auto odd = data;
    odd.data[1100 * dim] = 3e38F;
    CHECK(lost(odd) <= 1.01 * lost(data));
    odd.data[1100 * dim] = std::numeric_limits<float>::quiet_NaN();
    CHECK(lost(odd) <= 1.01 * lost(data));
}

} // namespace sampled_mean_test
