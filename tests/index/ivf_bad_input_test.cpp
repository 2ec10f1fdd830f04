// SPDX-License-Identifier: MIT
// Lists of what nobody should give them: the right answer, or an error.
#include "contract/index.hpp"
#include "index/always_lists.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/ivf_pq.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace ivf_bad_input_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::ivf;
using vicinal::index::ivf_pq;
using vicinal::storage::memory;

namespace {

/// The first `count` slots, as a search among matches sees them.
struct first_slots {
    slot count;
    bool operator()(slot s) const noexcept { return s < count; }
    [[nodiscard]] std::span<slot const> few() const noexcept { return {}; }
    [[nodiscard]] bool live(slot) const noexcept { return true; }
    [[nodiscard]] std::uint64_t word(slot at) const noexcept {
        std::uint64_t bits = 0;
        for (slot i = 0; i < 64; ++i) bits |= std::uint64_t{(*this)(at + i)} << i;
        return bits;
    }
};

/// Asks nothing of a payload.
struct ask_for {
    bool answer;
    bool operator()(slot) const noexcept { return answer; }
    void announce(slot) const noexcept {}
    void fetch(slot) const noexcept {}
};

} // namespace

TEMPLATE_TEST_CASE("a filter that leaves no row ends with none, and one row is found", "[index]",
                   ivf<>, ivf<codec::rabitq<1>>) {
    standing_index<TestType, metric::squared_l2, memory> s(8, always(30));
    auto const data = uniform_rows(2000, 8, 1);
    s.add(data);
    auto const query = uniform_rows(1, 8, 2);
    for (slot const matching : {0U, 1U, 3U}) {
        CAPTURE(matching);
        first_slots const keep{matching};
        for (std::size_t const effort : {0U, 1U, 30U, 1000000U}) {
            index::nearest probed(5), among(5);
            REQUIRE(s.get().search_into(query.row(0), effort, keep, probed).value());
            REQUIRE(s.get().search_among(query.row(0), effort, 0.95, keep, matching, among));
            CHECK(probed.take().size() == matching);
            CHECK(among.take().size() == matching);
        }
    }
    index::nearest none(5);
    CHECK(s.get().search_asking(query.row(0), 0, 0.95, 0.5, ask_for{false}, 100000, none).value());
    CHECK(none.take().empty());
    // Nothing is offered where it would have to ask more than it may.
    CHECK_FALSE(
        s.get().search_asking(query.row(0), 0, 0.95, 0.5, ask_for{false}, 10, none).value());
    index::nearest some(5);
    CHECK(s.get().search_asking(query.row(0), 1, 0.95, 1, ask_for{true}, 100000, some).value());
    CHECK(some.take().size() == 5);
}

TEMPLATE_TEST_CASE("codes are learnt from the rows that are finite", "[index]", (ivf_pq<4, 4>),
                   ivf<>) {
    auto data = clustered_rows(2000, 8, 12, 2);
    for (std::size_t i = 0; i < 2000; i += 8)
        data.data[i * 8 + i / 8 % 8] = i % 16 == 0   ? std::numeric_limits<float>::quiet_NaN()
                                       : i % 24 == 0 ? std::numeric_limits<float>::infinity()
                                                     : 3e38F;
    standing_index<TestType, metric::squared_l2, memory> s(8, always(12));
    s.add(data);
    REQUIRE(s.get().covered() == 2000);
    CHECK(s.get().unreachable(index::keep_all{}).empty());
    CHECK(s.get().drift() == 1);
    auto const sound = [](slot n) { return n % 8 != 0; };
    rows queries{8};
    for (std::size_t i = 1; i < 400; i += 16) queries.add({data.row(i), data.row(i) + 8});
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        // The nearest of ten: of one the codes of a few bits keep too few candidates.
        index::nearest best(10);
        REQUIRE(s.get().search_into(queries.row(q), 12, sound, best).value());
        found += best.take().at(0).distance == 0 ? 1U : 0U;
    }
    CHECK(found + 1 >= queries.count());
    // A query that is not finite is refused above; here it ends.
    std::vector<float> const nan(8, std::numeric_limits<float>::quiet_NaN());
    CHECK(s.get().search(nan.data(), 3, 2, index::keep_all{}));
}

TEST_CASE("a cluster that holds all but a few rows is found into, and so are these", "[index]") {
    standing_index<ivf<>, metric::squared_l2, memory> s(6, always(50));
    rows all{6};
    generator r(4);
    for (std::size_t i = 0; i < 4000; ++i) {
        auto x = r.vector(6, -0.001F, 0.001F);
        if (i % 1000 == 500) x[i / 1000] = 1e6F;
        all.add(x);
    }
    s.add(all);
    CHECK(s.get().partitions() > 10);
    for (std::size_t i = 500; i < 4000; i += 1000) {
        index::nearest best(1);
        REQUIRE(s.get().search_into(all.row(i), 1, index::keep_all{}, best).value());
        CHECK(best.take().at(0).row == i);
    }
    CHECK(recall_of<metric::squared_l2>(s, all, {6, {all.row(0), all.row(0) + std::size_t{60} * 6}},
                                        10) > 0.85);
}

TEST_CASE("codes of equal rows, and of a few others, tell them apart", "[index]") {
    standing_index<ivf_pq<2, 4>, metric::squared_l2, memory> s(4, always(8));
    auto data = repeated_rows(1500, 4, 1, 3);
    for (std::size_t i = 0; i < 3; ++i) data.data[i * 400 * 4] += 5;
    s.add(data);
    REQUIRE(s.get().covered() == 1500);
    index::nearest best(4);
    REQUIRE(s.get().search_into(data.row(400), 8, index::keep_all{}, best).value());
    auto const found = best.take();
    REQUIRE(found.size() == 4);
    CHECK(found[0].distance == 0);
    CHECK(found[2].distance == 0);
    CHECK(found[3].distance == 25);
}

} // namespace ivf_bad_input_test
