// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_CONTRACT_INDEX_HPP
#define VICINAL_TESTS_CONTRACT_INDEX_HPP

#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"
#include "support/spaces.hpp"

#include <vicinal/index/concept.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <set>
#include <vector>

namespace vicinal_test {

namespace index = vicinal::index;
namespace storage = vicinal::storage;
using vicinal::slot;

/// An index over rows of its own, as a building block without a store.
template <class Index, class Metric, class Storage>
class standing_index {
public:
    using metric_type = Metric;
    using bound = typename Index::template of<Metric, Storage>;

    explicit standing_index(std::size_t dim, typename Index::options const& options = {})
        : dim_(dim),
          rows_(space_->column("vectors", dim * sizeof(float), storage::heat::cold).value()),
          index_(bound::open(*space_, *rows_, dim, options).value()) {}

    template <class Live = index::keep_all>
    void add(rows const& more, Live const& live = {}) {
        auto const before = rows_->rows();
        storage::grow(*rows_, before + more.count()).value();
        if (more.count() > 0)
            std::memcpy(rows_->edit(before), more.data.data(), more.data.size() * sizeof(float));
        index_.take_in(static_cast<slot>(rows_->rows()), live, index::no_section{}).value();
    }

    /// As a store does it: the index's candidates in the order of their exact distances.
    template <class Keep = index::keep_all>
    [[nodiscard]] index::neighbours search(float const* query, std::size_t k,
                                           Keep const& keep = {}) const {
        auto found = index_.search(query, k, index_.effort_for(k, 0.95), keep).value();
        auto const vectors = rows_->reader();
        for (auto& n : found)
            n.distance =
                vicinal::metric::exact<Metric>(query, vectors.template row_as<float>(n.row), dim_);
        std::sort(found.begin(), found.end());
        return found;
    }

    /// Leaves the rows of those slots, in their order, as slots 0, 1 and so on.
    void compact(std::vector<slot> const& kept) {
        std::vector<storage::replacement> fresh;
        index_.compact(kept, fresh).value();
        fresh.push_back(storage::chosen_rows("vectors", *rows_, kept));
        space_->stage(fresh).value();
        space_->adopt();
        index_.compacted();
        space_->discard();
    }

    [[nodiscard]] bound& get() noexcept { return index_; }
    [[nodiscard]] opened_space<Storage>& space() noexcept { return space_; }
    [[nodiscard]] auto& vectors() noexcept { return *rows_; }

private:
    std::size_t dim_;
    opened_space<Storage> space_;
    typename Storage::column* rows_;
    bound index_;
};

/// The true neighbours among the rows that `keep` holds for, by the textbook.
template <class Metric, class Keep = index::keep_all>
[[nodiscard]] std::vector<double> true_distances(rows const& data, float const* query,
                                                 std::size_t k, Keep const& keep = {}) {
    std::vector<double> all;
    for (std::size_t i = 0; i < data.count(); ++i)
        if (keep(static_cast<slot>(i)))
            all.push_back(textbook<Metric>(query, data.row(i), data.dim));
    std::sort(all.begin(), all.end());
    all.resize(std::min(k, all.size()));
    return all;
}

/// The share of the k nearest that were found; ties count as found.
template <class Metric, class Built, class Keep = index::keep_all>
[[nodiscard]] double recall_of(Built const& built, rows const& data, rows const& queries,
                               std::size_t k, Keep const& keep = {}) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth = true_distances<Metric>(data, queries.row(q), k, keep);
        auto const got = built.search(queries.row(q), k, keep);
        wanted += truth.size();
        auto const farthest = truth.back() + std::abs(truth.back()) * 1e-6 + 1e-9;
        for (std::size_t i = 0; i < std::min(k, got.size()); ++i)
            found += textbook<Metric>(queries.row(q), data.row(got[i].row), data.dim) <= farthest
                         ? 1U
                         : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
}

/// The share of the ten nearest that a search of that effort finds, compared as a store does it;
/// ties count as found.
template <class Standing>
[[nodiscard]] double recall_by_effort(Standing& s, rows const& data, rows const& queries,
                                      std::size_t effort) {
    using metric = typename Standing::metric_type;
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth = true_distances<metric>(data, queries.row(q), 10);
        index::nearest<> best(10);
        REQUIRE(s.get().search_into(queries.row(q), effort, index::keep_all{}, best).value());
        auto const farthest = truth.back() + std::abs(truth.back()) * 1e-6 + 1e-9;
        for (auto const& n : best.take()) found += n.distance <= farthest ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(10 * queries.count());
}

/// What every index promises, exact or not, over any storage; `recall` is what one with these
/// options reaches.
template <class Index, class Metric, class Storage>
void check_index_contract(typename Index::options const& options = {}, double recall = 0.99) {
    STATIC_REQUIRE(index::model<Index>);
    using standing = standing_index<Index, Metric, Storage>;
    constexpr std::size_t dim = 12;
    auto const data = clustered_rows(700, dim, 7, 21);
    auto const queries = clustered_rows(20, dim, 7, 22);

    SECTION("an empty index has no neighbours") {
        standing const s(dim, options);
        CHECK(s.search(queries.row(0), 5).empty());
    }
    SECTION("wanting none gives an answer, not a crash") {
        standing s(dim, options);
        s.add(data);
        CHECK_NOTHROW(s.search(queries.row(0), 0));
    }
    SECTION("at least min(k, rows) come, each once, nearest first, ties by slot") {
        standing s(dim, options);
        s.add(data);
        REQUIRE(s.get().covered() == 700);
        for (std::size_t const k : {1U, 10U, 699U, 700U, 5000U})
            for (std::size_t q = 0; q < queries.count(); ++q) {
                CAPTURE(k, q);
                auto const got = s.search(queries.row(q), k);
                REQUIRE(got.size() >= std::min<std::size_t>(k, 700));
                REQUIRE(std::is_sorted(got.begin(), got.end()));
                std::set<slot> seen;
                std::size_t wrong = 0;
                for (auto const& n : got) {
                    if (n.row >= 700) FAIL("slot " << n.row);
                    auto const want = textbook<Metric>(queries.row(q), data.row(n.row), dim);
                    auto const off = std::abs(static_cast<double>(n.distance) - want);
                    wrong += off > 1e-5 * (std::abs(want) + 10) ? 1U : 0U;
                    wrong += seen.insert(n.row).second ? 0U : 1U;
                }
                REQUIRE(wrong == 0);
            }
    }
    SECTION("a predicate is never violated and costs no match") {
        standing s(dim, options);
        s.add(data);
        for (slot const every : {1U, 2U, 7U, 100U, 699U}) {
            auto const keep = [every](slot n) { return n % every == every - 1; };
            for (std::size_t q = 0; q < queries.count(); ++q) {
                CAPTURE(every, q);
                auto const got = s.search(queries.row(q), 10, keep);
                REQUIRE(got.size() >= std::min<std::size_t>(10, 700 / every));
                REQUIRE(std::all_of(got.begin(), got.end(),
                                    [&](auto const& n) { return keep(n.row); }));
            }
        }
        CHECK(s.search(queries.row(0), 10, [](slot) { return false; }).empty());
    }
    SECTION("slots that are dead when they come are covered and cost nobody his place") {
        standing s(dim, options);
        auto const live = [](slot n) { return n % 3 != 0; };
        s.add(data, live);
        CHECK(s.get().covered() == 700);
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const got = s.search(queries.row(q), 700, live);
            REQUIRE(got.size() == 466);
        }
    }
    SECTION("rows may come one at a time, with searches between") {
        standing s(dim, options);
        rows so_far{dim};
        for (std::size_t i = 0; i < 200; ++i) {
            rows const one{dim, {data.row(i), data.row(i) + dim}};
            s.add(one);
            so_far.add(one.data);
            REQUIRE(s.search(data.row(i), 1).size() >= 1);
            REQUIRE(s.search(data.row(i), i + 5).size() == i + 1);
        }
        CHECK(recall_of<Metric>(s, so_far, queries, 10) >= recall);
    }
    SECTION("cleared, it begins anew") {
        standing s(dim, options);
        s.add(data);
        s.get().clear();
        s.vectors().resize(0);
        CHECK(s.get().covered() == 0);
        CHECK(s.search(queries.row(0), 5).empty());
        s.add(data);
        CHECK(s.search(queries.row(0), 700).size() == 700);
    }
    SECTION("all rows equal: all found, in the order of slots") {
        standing s(dim, options);
        s.add(repeated_rows(300, dim, 1, 5));
        auto const q = uniform_rows(1, dim, 77);
        auto const got = s.search(q.row(0), 300);
        REQUIRE(got.size() == 300);
        for (std::size_t i = 0; i < 300; ++i) REQUIRE(got[i].row == i);
    }
}

} // namespace vicinal_test

#endif
