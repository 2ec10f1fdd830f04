// SPDX-License-Identifier: MIT
#include "contract/index.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/index/hnsw.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hnsw_filtered_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::index::nearest;
using standing = standing_index<vicinal::index::hnsw<>, metric::squared_l2, storage::memory>;

namespace {

constexpr std::size_t dim = 16;

vicinal::index::hnsw_options few_links() {
    vicinal::index::hnsw_options o;
    o.neighbours = 8;
    o.build_width = 24;
    o.tune = false;
    return o;
}

/// Matches as a store shows them, which count how often they are asked.
class counted {
public:
    template <class Holds>
    counted(std::size_t rows, bool listed, Holds const& holds) : words_((rows + 63) / 64) {
        for (std::size_t i = 0; i < rows; ++i)
            if (holds(i)) {
                words_[i / 64] |= std::uint64_t{1} << i % 64;
                all_.push_back(static_cast<slot>(i));
            }
        if (listed) few_ = all_;
    }
    [[nodiscard]] bool operator()(slot s) const {
        ++asked;
        if (looks) (*looks)[s] = true;
        return has(s);
    }
    [[nodiscard]] std::uint64_t word(slot first) const noexcept { return words_[first / 64]; }
    [[nodiscard]] std::span<slot const> few() const noexcept { return few_; }
    [[nodiscard]] bool live(slot) const noexcept { return true; }

    [[nodiscard]] bool has(slot s) const { return (words_[s / 64] >> s % 64 & 1) != 0; }
    [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }

    mutable std::size_t asked = 0;
    mutable std::vector<bool>* looks = nullptr;

private:
    std::vector<std::uint64_t> words_;
    std::vector<slot> all_;
    std::vector<slot> few_;
};

/// The share of the true neighbours among those that were found; all must match.
double recall_among(rows const& data, float const* query, counted const& keep, std::size_t k,
                    nearest<> best) {
    auto const truth =
        true_distances<metric::squared_l2>(data, query, k, [&](slot s) { return keep.has(s); });
    auto const found = best.take();
    REQUIRE(found.size() == truth.size());
    std::size_t near = 0;
    for (auto const& n : found) {
        REQUIRE(keep.has(n.row));
        near += n.distance <= truth.back() * (1 + 1e-6) ? 1U : 0U;
    }
    return truth.empty() ? 1 : static_cast<double>(near) / static_cast<double>(truth.size());
}

/// The rows in the order of their distance from the query.
std::vector<std::size_t> ranks(rows const& data, float const* query) {
    std::vector<std::pair<float, std::size_t>> all;
    for (std::size_t i = 0; i < data.count(); ++i)
        all.emplace_back(metric::squared_l2::exact(query, data.row(i), dim), i);
    std::sort(all.begin(), all.end());
    std::vector<std::size_t> rank(data.count());
    for (std::size_t i = 0; i < all.size(); ++i) rank[all[i].second] = i;
    return rank;
}

} // namespace

TEST_CASE("hnsw finds the nearest matches whatever share matches", "[index]") {
    auto const data = clustered_rows(12000, dim, 60, 71);
    auto const queries = clustered_rows(30, dim, 60, 71);
    standing s(dim);
    s.add(data);
    for (unsigned const per_mille : {900U, 500U, 250U, 100U, 30U, 10U, 1U, 0U})
        for (bool const listed : {false, true}) {
            counted const keep(data.count(), listed, [&](std::size_t i) {
                return vicinal::detail::mix(i) % 1000 < per_mille;
            });
            double sum = 0;
            for (std::size_t q = 0; q < queries.count(); ++q) {
                nearest<> best(std::min(std::size_t{10}, keep.count()));
                static_cast<void>(
                    s.get()
                        .search_among(queries.row(q), 0, 0.95, keep, keep.count(), best)
                        .value());
                sum += recall_among(data, queries.row(q), keep, 10, best);
            }
            CAPTURE(per_mille, listed);
            CHECK(sum / static_cast<double>(queries.count()) >= 0.95);
        }
}

TEST_CASE("a scan of the matches is exact", "[index]") {
    auto const data = uniform_rows(5000, dim, 72);
    auto const queries = uniform_rows(4, dim, 73);
    standing s(dim);
    s.add(data);
    for (unsigned const one_in : {1U, 3U, 40U, 600U})
        for (std::size_t const k : {std::size_t{1}, std::size_t{10}, std::size_t{700}}) {
            counted const keep(data.count(), one_in >= 40,
                               [&](std::size_t i) { return i % one_in == 0; });
            for (std::size_t q = 0; q < queries.count(); ++q) {
                nearest<> best(k);
                s.get().scan_into(queries.row(q), keep, best).value();
                CAPTURE(one_in, k, q);
                REQUIRE(recall_among(data, queries.row(q), keep, k, best) == 1);
            }
        }
}

TEST_CASE("a walk that the filter leads astray goes over to the scan", "[index]") {
    auto const data = uniform_rows(12000, dim, 74);
    // A query that the way down brings to its nearest: of others it ends among rows that match.
    auto const query = uniform_rows(1, dim, 275);
    standing s(dim, few_links());
    s.add(data);
    auto const rank = ranks(data, query.row(0));
    auto const check = [&](counted const& keep, std::size_t effort, std::size_t most_asked) {
        nearest<> best(10);
        auto const way =
            s.get().search_among(query.row(0), effort, 0.95, keep, keep.count(), best).value();
        CHECK(way != vicinal::index::way_among::walk);
        CHECK(keep.asked <= most_asked);
        CHECK(recall_among(data, query.row(0), keep, 10, best) == 1);
    };
    // Nine lists are looked at before anything is decided, and two are met at a time.
    constexpr std::size_t lists = 11 * 16;
    SECTION("before it begins, where nothing matches around the query") {
        check(counted(12000, false, [&](std::size_t i) { return rank[i] >= 7000; }), 0, lists);
    }
    SECTION("on its way, where few of those around the query are all that match far and wide") {
        // Rows that are looked at before the walk begins, some 50 of them, and none that is near.
        std::vector<bool> looked_at(12000);
        auto const far = [&](std::size_t i) { return rank[i] >= 4000; };
        counted const before(12000, false, far);
        before.looks = &looked_at;
        check(before, 0, lists);
        std::size_t left = 50;
        counted const keep(12000, false, [&](std::size_t i) {
            return far(i) || (looked_at[i] && left > 0 && left-- > 0);
        });
        check(keep, 60, lists + keep.count() / 3);
        CHECK(keep.asked > 2 * lists);
    }
}

TEST_CASE("a walk with a filter gives up when it has met as many nodes as it may", "[index]") {
    auto const data = uniform_rows(12000, dim, 76);
    auto const query = uniform_rows(1, dim, 77);
    standing s(dim, few_links());
    s.add(data);
    auto const rank = ranks(data, query.row(0));
    auto const walk = [&](std::size_t least, std::size_t most_met, nearest<>& best) {
        std::size_t asked = 0;
        auto const keep = [&](slot n) {
            ++asked;
            return rank[n] >= least;
        };
        auto const finished = s.get().search_into(query.row(0), 40, keep, best, most_met).value();
        CHECK(finished == (best.size() == 10));
        return asked;
    };
    nearest<> best(10);
    SECTION("or sees that it will") { CHECK(walk(6000, 1500, best) < 400); }
    SECTION("having begun well") {
        // It soon holds a few of the first ranks, and then has a long way to go.
        std::size_t asked = 0;
        auto const keep = [&](slot n) {
            ++asked;
            return rank[n] < 39;
        };
        CHECK_FALSE(s.get().search_into(query.row(0), 40, keep, best, 1500).value());
        CHECK(asked <= 1500);
        CHECK(best.size() == 0);
    }
    SECTION("and not before") {
        walk(20, 1500, best);
        CHECK(best.size() == 10);
    }
}

} // namespace hnsw_filtered_test
