// SPDX-License-Identifier: MIT
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/index/hnsw.hpp>
#include <vicinal/storage/memory.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

namespace hnsw_tune_test {

using namespace vicinal_test;
namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using vicinal::index::hnsw_options;
using vicinal::index::tuning;
using vicinal::storage::memory;

namespace {

template <class Metric>
using standing = standing_index<vicinal::index::hnsw<>, Metric, memory>;

/// The recall of a standing index when it is asked for `recall`.
template <class Metric>
double reached(standing<Metric>& s, rows const& data, rows const& queries, std::size_t k,
               double recall) {
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth = true_distances<Metric>(data, queries.row(q), k);
        vicinal::index::nearest<> best(k);
        REQUIRE(
            s.get()
                .search_into(queries.row(q), s.get().effort_for(k, recall), index::keep_all{}, best)
                .value());
        auto const limit = truth.back() + std::abs(truth.back()) * 1e-6 + 1e-9;
        for (auto const& n : best.take()) found += n.distance <= limit ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(k * queries.count());
}

/// `.recall` within 0.01, or what `queries` of them can tell at k = 1.
template <class Metric>
void check_recalls(rows const& data, rows const& queries, double slack_at_1) {
    standing<Metric> s(data.dim);
    s.add(data);
    REQUIRE_FALSE(s.get().tuned().table.empty());
    for (double const recall : {0.9, 0.95, 0.99})
        for (std::size_t const k : {1U, 10U, 100U}) {
            CAPTURE(recall, k, s.get().effort_for(k, recall));
            CHECK(reached<Metric>(s, data, queries, k, recall) >=
                  recall - (k == 1 ? slack_at_1 : 0.01));
        }
}

tuning some_table() {
    return {1000, 50, {{10, 0.80F, 0.70F, 0}, {20, 0.90F, 0.85F, 0}, {160, 0.99F, 0.98F, 0.9F}}};
}

} // namespace

TEST_CASE("a wanted recall is met on queries that were held out", "[index]") {
    auto const photographs = load_rows("sift.base.u8bin", 20000);
    auto const of_photographs = load_rows("sift.query.u8bin", 300);
    if (photographs && of_photographs)
        check_recalls<metric::squared_l2>(*photographs, *of_photographs, 0.02);
    auto const sentences = load_rows("minilm.base.fbin", 5841);
    auto const of_sentences = load_rows("minilm.query.fbin", 300);
    if (sentences && of_sentences) check_recalls<metric::cosine>(*sentences, *of_sentences, 0.02);
}

TEST_CASE("a wanted recall is met where each row comes many times", "[index]") {
    for (std::size_t const distinct : {600U, 120U}) {
        auto const data = repeated_rows(6000, 12, distinct, 45);
        standing<metric::squared_l2> s(12);
        s.add(data);
        CAPTURE(distinct, s.get().effort_for(10, 0.95));
        // Queries anywhere are a little farther from the rows than rows are from each other.
        CHECK(reached<metric::squared_l2>(s, data, uniform_rows(100, 12, 46), 10, 0.95) >= 0.92);
    }
}

TEST_CASE("a wanted recall is met where rows differ by less than a step of their codes",
          "[index]") {
    // Half of the rows lie around two points, at distances that are a tenth of a step; the others
    // anywhere. Queries are of both kinds.
    constexpr std::size_t dim = 16;
    auto const middles = uniform_rows(2, dim, 50);
    auto const mixed = [&](std::size_t count, std::uint64_t seed) {
        generator r(seed);
        auto out = uniform_rows(count, dim, seed + 1);
        for (std::size_t i = 0; i < count; i += 2) {
            auto const* const middle = middles.row(r.below(2));
            for (std::size_t j = 0; j < dim; ++j)
                out.data[i * dim + j] = middle[j] + 0.001F * r.normal();
        }
        return out;
    };
    auto const data = mixed(4000, 51);
    standing<metric::squared_l2> s(dim);
    s.add(data);
    for (double const recall : {0.95, 0.99}) {
        CAPTURE(recall, s.get().effort_for(10, recall), s.get().tuned().growth);
        CHECK(reached<metric::squared_l2>(s, data, mixed(200, 53), 10, recall) >= recall - 0.02);
    }
}

TEST_CASE("tuning measures less effort for less recall, and waits for a thousand rows", "[index]") {
    hnsw_options o;
    o.flat_below = 0;
    standing<metric::squared_l2> s(16, o);
    s.add(clustered_rows(999, 16, 20, 1));
    CHECK(s.get().tuned().table.empty());
    CHECK(s.get().effort_for(10, 0.95) == 64);
    s.add(clustered_rows(3000, 16, 20, 2));
    auto const& t = s.get().tuned();
    REQUIRE(t.table.size() >= 3);
    CHECK(t.rows == 3999);
    CHECK(t.queries >= 30);
    CHECK(std::is_sorted(t.table.begin(), t.table.end(),
                         [](auto const& a, auto const& b) { return a.at_10 < b.at_10; }));
    CHECK(s.get().effort_for(10, 0.8) <= s.get().effort_for(10, 0.99));
    CHECK(s.get().effort_for(10, 0.99) <= s.get().effort_for(10, 1));
    CHECK(s.get().effort_for(10, 0.9) <= s.get().effort_for(50, 0.9));
    CHECK(s.get().effort_for(100, 0.9) <= s.get().effort_for(1000, 0.9));
    CHECK(s.get().effort_for(1000, 0.5) >= 1000);
}

TEST_CASE("no tuning happens where it is not wanted; asked for, it does", "[index]") {
    hnsw_options o;
    o.flat_below = 0;
    o.tune = false;
    standing<metric::squared_l2> s(8, o);
    s.add(uniform_rows(2000, 8, 3));
    CHECK(s.get().tuned().table.empty());
    s.get().tune(index::keep_all{}, index::no_section{}).value();
    CHECK(s.get().tuned().rows == 2000);
    s.get().clear();
    CHECK(s.get().tuned().table.empty());
    CHECK(s.get().tuned().rows == 0);
    s.vectors().resize(0);
    s.get().tune(index::keep_all{}, index::no_section{}).value();
    CHECK(s.get().search(std::vector<float>(8).data(), 5, 10, index::keep_all{}).value().empty());
}

TEST_CASE("how distances grow is measured, where they have a ratio", "[index]") {
    hnsw_options o;
    o.flat_below = 0;
    // In four dimensions n rows fill a ball of radius n^(1/4), whose square grows as n^(1/2).
    standing<metric::squared_l2> s(4, o);
    s.add(uniform_rows(4000, 4, 5));
    CHECK(s.get().tuned().growth > 0.45F);
    CHECK(s.get().tuned().growth < 0.6F);
    standing<metric::inner_product> products(4, o);
    products.add(uniform_rows(4000, 4, 5));
    CHECK(products.get().tuned().growth == 0);
}

TEST_CASE("a walk that knows how distances grow ends at a ratio of them", "[index]") {
    using vicinal::index::hnsw_graph::reach_for;
    auto const r = reach_for(0.5F, 10, 160, 100000);
    CHECK(r.effort == 160);
    CHECK(r.width == 320);
    CHECK(r.decisive == 10);
    CHECK(r.factor == Approx(std::pow(16.0, 0.425)));
    CHECK(r.end(2) == 2 * r.factor);
    CHECK(r.end(-1e-9F) == 0);
    // The k best alone, few rows, and what was never measured.
    CHECK(reach_for(0.5F, 100, 100, 100000).factor == 1);
    CHECK(reach_for(0.5F, 1, 5, 100000).factor == 1);
    CHECK(reach_for(0.5F, 10, 160, 40).width == 40);
    CHECK(reach_for(0, 10, 160, 100000).width == 160);
    CHECK(reach_for(0, 10, 160, 100000).decisive > 160);
}

TEST_CASE("at equal effort a tuned graph finds no less, also for queries unlike the rows",
          "[index]") {
    hnsw_options o;
    o.flat_below = 0;
    auto const data = clustered_rows(6000, 16, 50, 6);
    standing<metric::squared_l2> tuned(16, o);
    tuned.add(data);
    REQUIRE(tuned.get().tuned().growth > 0);
    o.tune = false;
    standing<metric::squared_l2> plain(16, o);
    plain.add(data);
    REQUIRE(plain.get().tuned().growth == 0);
    auto const found_at = [&](auto const& s, rows const& queries, std::size_t effort) {
        std::size_t found = 0;
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const truth = true_distances<metric::squared_l2>(data, queries.row(q), 10);
            vicinal::index::nearest<> best(10);
            REQUIRE(s.search_into(queries.row(q), effort, index::keep_all{}, best).value());
            for (auto const& n : best.take())
                found += n.distance <= truth.back() * (1 + 1e-6) ? 1U : 0U;
        }
        return static_cast<double>(found) / static_cast<double>(10 * queries.count());
    };
    for (auto const seed : {7U, 8U}) {
        auto const queries =
            seed == 7 ? clustered_rows(200, 16, 50, seed) : uniform_rows(200, 16, seed);
        for (std::size_t const effort : {16U, 64U, 256U}) {
            CAPTURE(seed, effort);
            CHECK(found_at(tuned.get(), queries, effort) >=
                  found_at(plain.get(), queries, effort) - 0.01);
        }
    }
}

TEST_CASE("an effort between two that were measured is between them", "[index]") {
    auto const t = some_table();
    using vicinal::index::hnsw_graph::effort_from;
    CHECK(effort_from(t, 1, 0.5) == 10);
    CHECK(effort_from(t, 1, 0.80) == 10);
    CHECK(effort_from(t, 1, 0.90) == 20);
    CHECK(effort_from(t, 1, 0.85) == 15); // half way from 10 to 20, by logarithm 14.1
    CHECK(effort_from(t, 10, 0.85) == 20);
    CHECK(effort_from(t, 100, 0.9) == 160);
    CHECK(effort_from(t, 10, 0.995) > 160);
    CHECK(effort_from(t, 10, 1) <= 8 * 160);
    auto const between = effort_from(t, 5, 0.9);
    CHECK(between >= effort_from(t, 1, 0.9));
    CHECK(between <= effort_from(t, 10, 0.9));
}

TEST_CASE("a table that comes back from its column is the one that went in", "[index]") {
    namespace graph = vicinal::index::hnsw_graph;
    memory::space space;
    auto* column = space.column("hnsw.tuning", 16).value();
    storage::grow(*column, 4).value();
    auto t = some_table();
    t.growth = 0.125F;
    vicinal::index::write_tuning(*column, t);
    auto const back = vicinal::index::read_tuning(column->reader(), column->rows());
    CHECK(back.rows == t.rows);
    CHECK(back.queries == t.queries);
    CHECK(back.growth == 0.125F);
    REQUIRE(back.table.size() == 3);
    CHECK(back.table[2].effort == 160);
    CHECK(back.table[2].at_100 == 0.9F);

    SECTION("one with a recall above 1 is none") {
        float const wrong = 1.5F;
        std::memcpy(column->edit(2) + 4, &wrong, 4);
        CHECK(vicinal::index::read_tuning(column->reader(), column->rows()).table.empty());
    }
    SECTION("one whose efforts fall is none") {
        std::uint32_t const wrong = 10;
        std::memcpy(column->edit(3), &wrong, 4);
        CHECK(vicinal::index::read_tuning(column->reader(), column->rows()).table.empty());
    }
    SECTION("a growth that no rows have is none") {
        for (float const wrong : {-1.0F, 5.0F, std::numeric_limits<float>::quiet_NaN()}) {
            std::memcpy(column->edit(0) + 8, &wrong, 4);
            CHECK(vicinal::index::read_tuning(column->reader(), column->rows()).growth == 0);
        }
    }
    SECTION("one that was cut off after its head is none") {
        CHECK(vicinal::index::read_tuning(column->reader(), 1).table.empty());
    }
}

} // namespace hnsw_tune_test
