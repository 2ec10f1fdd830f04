// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace planner_test {

#if VICINAL_HAS_THREADS
#    include <thread>
#endif

namespace {

using namespace vicinal;
template <class Index>
using docs = store<metric::squared_l2, Index, storage::memory, payload::fields, std::uint64_t>;
constexpr std::size_t dim = 12;

/// A store and, beside it, what is in it. `n` says nothing of the vector, `x` is its first
/// coordinate, `tag` is one of ten.
template <class Index>
class world {
public:
    using store_type = docs<Index>;

    explicit world(std::uint64_t count) : store_(options()) { put(0, count, 1); }

    void put(std::uint64_t first, std::uint64_t count, std::uint64_t seed) {
        auto const rows = vicinal_test::uniform_rows(count, dim, seed);
        std::vector<typename store_type::record> records;
        for (std::uint64_t i = 0; i < count; ++i) {
            auto const chance = detail::mix(seed * 1000003 + i);
            std::vector<float> const v(rows.row(i), rows.row(i) + dim);
            held const h{v, static_cast<std::int64_t>(chance % 10000),
                         static_cast<std::int64_t>(v[0] * 1000),
                         "t" + std::to_string(chance / 10000 % 10)};
            records.push_back({first + i, v, {{"n", h.n}, {"tag", h.tag}, {"x", h.x}}});
            held_[first + i] = h;
        }
        store_.upsert(records);
    }
    void erase(std::uint64_t id) {
        CHECK(store_.erase(id));
        held_.erase(id);
    }
    void set_n(std::uint64_t id, std::int64_t n) {
        auto& h = held_.at(id);
        h.n = n;
        CHECK(store_.update_payload(id, {{"n", n}, {"tag", h.tag}, {"x", h.x}}));
    }

    /// The explained search for a condition that is given twice, as text and as code. Checks the
    /// number of hits, that all of them match, and the counts; `recall` of the true ones.
    template <class Holds>
    explanation ask(std::string const& where, Holds const& holds, double recall = 1,
                    std::size_t k = 10, std::uint64_t seed = 77) {
        auto const query = vicinal_test::uniform_rows(1, dim, seed).data;
        std::vector<float> truth;
        for (auto const& [id, h] : held_)
            if (holds(h))
                truth.push_back(metric::squared_l2::exact(query.data(), h.vector.data(), dim));
        auto const matching = truth.size();
        std::sort(truth.begin(), truth.end());
        truth.resize((std::min)(k, truth.size()));
        auto const e =
            store_.explain(query, {.k = k, .where = where, .recall = recall < 1 ? 0.99 : 0.999});
        CAPTURE(to_string(e));
        CHECK(e.records == held_.size());
        CHECK(e.matching == matching);
        REQUIRE(e.hits.size() == truth.size());
        std::size_t found = 0;
        for (auto const& h : e.hits) {
            CHECK(holds(held_.at(h.id)));
            found += h.distance <= truth.back() ? 1U : 0U;
        }
        CHECK(static_cast<double>(found) >= recall * static_cast<double>(truth.size()));
        return e;
    }

    struct held {
        std::vector<float> vector;
        std::int64_t n;
        std::int64_t x;
        std::string tag;
    };
    [[nodiscard]] store_type& get() noexcept { return store_; }

private:
    static typename store_type::options options() {
        typename store_type::options o;
        o.dim = dim;
        if constexpr (std::is_same_v<Index, index::hnsw<>>) o.index.flat_below = 500;
        return o;
    }
    store_type store_;
    std::map<std::uint64_t, held> held_;
};

using graph_world = world<index::hnsw<>>;
auto below(std::int64_t n) {
    return [n](auto const& h) { return h.n < n; };
}

} // namespace

TEST_CASE("each plan of a graph is taken where it is the shorter one, and gives what matches",
          "[store]") {
    graph_world w(10000);
    SECTION("no filter") {
        auto const e = w.ask(
            "", [](auto const&) { return true; }, 0.8);
        CHECK(e.plan == search_plan::walk);
        CHECK(e.payloads == 0);
        CHECK(e.hints.empty());
    }
    SECTION("most match: the nearest are asked") {
        auto const e = w.ask("n < 6000", below(6000), 0.8);
        CHECK(e.plan == search_plan::walk_asking);
        CHECK(e.estimated_by == match_source::sample);
        CHECK(e.payloads < 2000);
        CHECK(e.estimated > 4000);
        CHECK(e.estimated < 8000);
    }
    SECTION("few match: all are asked, and the matches scanned; the next time they are known") {
        auto const e = w.ask("n < 3", below(3));
        CHECK(e.plan == search_plan::scan_matches);
        CHECK(e.found_by == match_source::payloads);
        CHECK(e.payloads >= 10000);
        auto const again = w.ask("n < 3", below(3));
        CHECK(again.plan == search_plan::scan_matches);
        CHECK(again.found_by == match_source::cache);
        CHECK(again.estimated == again.matching);
        CHECK(again.payloads == 0);
    }
    SECTION("none match") { CHECK(w.ask("n < 0", below(0)).plan == search_plan::scan_matches); }
    SECTION("what walks have cost pays for finding the matches") {
        search_plan last{};
        for (int i = 0; i < 60 && last != search_plan::walk_matches; ++i)
            last = w.ask("n < 8000", below(8000), 0.8).plan;
        CHECK(last == search_plan::walk_matches);
    }
    SECTION("an index on the field: the matches are found through it") {
        w.get().create_index("n", field_index::ordered);
        auto const e = w.ask("n < 30", below(30));
        CHECK(e.plan == search_plan::scan_matches);
        CHECK(e.estimated_by == match_source::indexes);
        CHECK(e.found_by == match_source::indexes);
        CHECK(e.estimated == e.matching);
        CHECK(e.payloads == 0);
        CHECK(e.hints.empty());
    }
    SECTION("exact") {
        auto const query = vicinal_test::uniform_rows(1, dim, 5).data;
        auto const e = w.get().explain(query, {.where = "n < 5000", .exact = true});
        CHECK(e.plan == search_plan::scan_matches);
        CHECK(w.get().explain(query, {.exact = true}).plan == search_plan::scan);
        CHECK(w.get().explain(query, {.k = 0}).plan == search_plan::nothing);
    }
}

TEST_CASE("a walk that meets fewer matches than were thought goes over to finding them all",
          "[store]") {
    // Half of all rows match, and none of them near a query on the other side.
    graph_world w(10000);
    std::vector<float> query(dim, 0.5F);
    query[0] = -4;
    auto const e = w.get().explain(query, {.where = "x > 600"});
    CAPTURE(to_string(e));
    CHECK(e.given_up == search_plan::walk_asking);
    CHECK(e.found_by == match_source::payloads);
    CHECK(e.hits.size() == 10);
    auto const exact = w.get().search(query, {.where = "x > 600", .exact = true});
    std::size_t same = 0;
    for (std::size_t i = 0; i < 10; ++i) same += e.hits[i].distance <= exact[9].distance ? 1U : 0U;
    CHECK(same >= 9);
}

TEST_CASE("plans see rows that were erased, replaced, changed and not linked yet", "[store]") {
    graph_world w(4000);
    if (GENERATE(false, true)) w.get().create_index("n", field_index::ordered);
    auto const check = [&] {
        for (std::int64_t const limit : {3, 900, 5000}) {
            CAPTURE(limit);
            static_cast<void>(w.ask("n < " + std::to_string(limit), below(limit), 0.7));
            static_cast<void>(w.ask("n < " + std::to_string(limit), below(limit), 0.7));
        }
    };
    check();
    for (std::uint64_t id = 0; id < 900; id += 3) w.erase(id);
    check();
    w.put(1000, 300, 9);
    check();
    for (std::uint64_t id = 2000; id < 2200; ++id) w.set_n(id, id % 2 == 0 ? 1 : 9000);
    check();
    w.put(7000, 400, 10);
    check();
}

TEST_CASE("an exact index asks what is near enough, and scans the matches where they are known",
          "[store]") {
    auto const run = [](auto& w) {
        auto const first = w.ask("n < 5000", below(5000));
        CHECK(first.plan == search_plan::scan_asking);
        explanation last = first;
        for (int i = 0; i < 400 && last.plan == search_plan::scan_asking; ++i)
            last = w.ask("n < 5000", below(5000));
        CHECK(last.plan == search_plan::scan_matches);
        CHECK(w.ask("n < 5000", below(5000)).found_by == match_source::cache);
        w.get().create_index("tag", field_index::hash);
        auto const e = w.ask("tag = 't3' and n < 200",
                             [](auto const& h) { return h.tag == "t3" && h.n < 200; });
        CHECK(e.payloads < 2000);
        for (std::uint64_t id = 0; id < 50; ++id) w.erase(id);
        static_cast<void>(w.ask("n < 5000", below(5000)));
        static_cast<void>(w.ask("n < 20", below(20)));
        static_cast<void>(w.ask("n < 20", below(20)));
    };
    SECTION("of vectors") {
        world<index::flat<>> w(4000);
        run(w);
    }
    SECTION("of codes") {
        world<index::flat<codec::sq8>> w(4000);
        run(w);
    }
}

TEST_CASE("a matrix of queries with a filter is answered as each of its rows", "[store]") {
    world<index::flat<codec::sq8>> w(4000);
    auto const queries = vicinal_test::uniform_rows(9, dim, 40);
    for (auto const* where : {"n < 20", "n < 500", "n < 9000", "n < 0"})
        for (int time = 0; time < 2; ++time) {
            auto const all =
                w.get().search(matrix_view<float>(queries.data, dim), {.where = where});
            for (std::size_t q = 0; q < 9; ++q) {
                auto const one =
                    w.get().search({queries.row(q), dim}, {.where = where, .exact = true});
                REQUIRE(all[q].size() == one.size());
                for (std::size_t i = 0; i < one.size(); ++i) CHECK(all[q][i].id == one[i].id);
            }
        }
}

#if VICINAL_HAS_THREADS
TEST_CASE("searches with filters run beside a writer", "[store][threads]") {
    graph_world w(3000);
    w.get().create_index("n", field_index::ordered);
    auto& s = w.get();
    std::thread writer([&] {
        auto const rows = vicinal_test::uniform_rows(600, dim, 3);
        for (std::uint64_t i = 0; i < 600; ++i) {
            s.upsert(i % 400, {rows.row(i), dim},
                     {{"n", static_cast<std::int64_t>(i % 100)}, {"tag", "t1"}, {"x", 1}});
            if (i % 7 == 0) s.erase(i % 400);
            if (i % 5 == 0)
                s.update_payload(1000 + i, {{"n", std::int64_t{7}}, {"tag", "t2"}, {"x", 2}});
        }
    });
    auto const queries = vicinal_test::uniform_rows(200, dim, 4);
    for (std::size_t q = 0; q < 200; ++q) {
        auto const hits = s.search({queries.row(q), dim},
                                   {.where = q % 3 == 0 ? "n < 400" : "n < 6000 and tag != 't9'"});
        CHECK(hits.size() == 10);
        if (q % 20 == 0) CHECK(s.stats().records >= 2000);
    }
    writer.join();
}
#endif

} // namespace planner_test
