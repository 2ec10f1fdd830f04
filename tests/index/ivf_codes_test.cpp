// SPDX-License-Identifier: MIT
// Lists over codes that learn from rows, or that have few bits.
#include "contract/index.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/ivf_pq.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace ivf_codes_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::ivf;
using vicinal::index::ivf_pq;
using vicinal::storage::memory;

namespace {

/// Searches as a store does: the best by their codes, compared by their vectors.
template <class Metric, class Index>
double recall_at(Index const& built, rows const& data, rows const& queries, double wanted) {
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth = true_distances<Metric>(data, queries.row(q), 10);
        index::nearest best(10);
        CHECK(
            built.search_into(queries.row(q), built.effort_for(10, wanted), index::keep_all{}, best)
                .value());
        auto const farthest = truth.back() + std::abs(truth.back()) * 1e-5 + 1e-9;
        for (auto const& n : best.take()) found += double{n.distance} <= farthest ? 1U : 0U;
    }
    return static_cast<double>(found) / (10.0 * static_cast<double>(queries.count()));
}

} // namespace

TEMPLATE_TEST_CASE("lists over small codes reach the recall that they are asked for", "[index]",
                   (ivf_pq<8, 8>), (ivf_pq<16, 4>), ivf<codec::rabitq<1>>, ivf<codec::rabitq<5>>) {
    constexpr std::size_t dim = 64;
    auto const data = clustered_rows(4500, dim, 300, 3);
    auto const queries = clustered_rows(20, dim, 300, 3);
    standing_index<TestType, metric::squared_l2, memory> s(dim);
    s.add(data);
    REQUIRE(s.get().covered() == 4500);
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    CHECK(recall_at<metric::squared_l2>(s.get(), data, queries, 0.95) > 0.9);
    CHECK(s.get().code_bytes() <= dim / 2 + 64);
    // Cleared, what was learnt is forgotten as well, and learnt anew.
    s.get().clear();
    CHECK(s.get().search(queries.row(0), 5, 5, index::keep_all{}).value().empty());
    s.vectors().resize(0);
    s.add(data);
    CHECK(recall_at<metric::squared_l2>(s.get(), data, queries, 0.95) > 0.9);
}

TEST_CASE("lists wait for the rows that a codec learns from", "[index]") {
    vicinal::index::ivf_options o;
    o.flat_below = 0;
    standing_index<ivf_pq<2, 4>, metric::cosine, memory> s(8, o);
    auto const data = uniform_rows(1100, 8, 3);
    s.add({8, {data.data.begin(), data.data.begin() + 999 * 8}});
    CHECK(s.get().covered() == 0);
    s.add({8, {data.data.begin() + 999 * 8, data.data.end()}});
    CHECK(s.get().covered() == 1100);
}

} // namespace ivf_codes_test
