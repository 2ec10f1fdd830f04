// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/index/flat/scan_exactly.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/column.hpp>
#include <vicinal/store/live_slots.hpp>
#include <vicinal/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace live_slots_test {

using vicinal::slot;
namespace metric = vicinal::metric;
namespace index_family = vicinal::index;

namespace {

using reader = vicinal::storage::contiguous_reader;

} // namespace

TEST_CASE("flags shown as words are the flags, and nothing is live behind the last", "[store]") {
    vicinal_test::generator r(1);
    for (slot count = 1; count < 300; ++count) {
        std::vector<std::byte> flags(count);
        for (auto& f : flags) f = std::byte{r.below(3) != 0};
        vicinal::detail::live_slots const live(reader(flags.data(), 1), count);
        for (slot s = 0; s < (count + 63) / 64 * 64; ++s) {
            CAPTURE(count, s);
            bool const want = s < count && flags[s] != std::byte{0};
            REQUIRE((live.word(s / 64 * 64) >> s % 64 & 1) == (want ? 1U : 0U));
            if (s < count) REQUIRE(live(s) == want);
        }
    }
}

TEST_CASE("a scan takes a predicate's words as it takes its answers, wherever it begins and ends",
          "[store][index]") {
    vicinal_test::generator r(2);
    slot const count = 200;
    auto const rows = r.vector(count * 3, -1, 1);
    auto const query = r.vector(3, -1, 1);
    std::vector<std::byte> flags(count);
    for (auto& f : flags) f = std::byte{r.below(2) != 0};
    vicinal::detail::live_slots const live(reader(flags.data(), 1), count);
    reader const vectors(reinterpret_cast<std::byte const*>(rows.data()), 3 * sizeof(float));
    for (slot first = 0; first <= count; ++first)
        for (slot last = first; last <= count; ++last) {
            index_family::nearest by_words(count);
            index_family::nearest by_answers(count);
            index_family::scan_exactly<metric::squared_l2>(vectors, first, last, query.data(), 3,
                                                           live, by_words);
            index_family::scan_exactly<metric::squared_l2>(
                vectors, first, last, query.data(), 3, [&](slot s) { return live(s); }, by_answers);
            CAPTURE(first, last);
            REQUIRE(by_words.take() == by_answers.take());
        }
}

TEST_CASE("a store of codes finds the living among many dead, one query and many", "[store]") {
    vicinal_test::generator r(3);
    using coded = vicinal::store<metric::squared_l2, vicinal::index::flat<vicinal::codec::sq8>,
                                 vicinal::storage::memory, vicinal::payload::none, std::uint64_t>;
    using plain = vicinal::store<metric::squared_l2, vicinal::index::flat<>,
                                 vicinal::storage::memory, vicinal::payload::none, std::uint64_t>;
    coded with_codes({.dim = 16});
    plain without({.dim = 16});
    std::uint64_t const count = 3000;
    for (std::uint64_t id = 0; id < count; ++id) {
        auto const v = r.vector(16, -1, 1);
        with_codes.upsert(id, v);
        without.upsert(id, v);
    }
    auto const compare = [&] {
        auto const queries = r.vector(16 * 8, -1, 1);
        auto const together =
            with_codes.search(vicinal::matrix_view<float>{queries, 16}, {.k = 12});
        for (std::size_t q = 0; q < 8; ++q) {
            std::vector<float> const one(queries.begin() + static_cast<std::ptrdiff_t>(q * 16),
                                         queries.begin() +
                                             static_cast<std::ptrdiff_t>(q * 16 + 16));
            auto const want = without.search(one, {.k = 12});
            auto const got = with_codes.search(one, {.k = 12});
            REQUIRE(got.size() == want.size());
            REQUIRE(together[q].size() == want.size());
            for (std::size_t i = 0; i < want.size(); ++i) {
                REQUIRE(got[i].id == want[i].id);
                REQUIRE(together[q][i].id == want[i].id);
                REQUIRE(got[i].distance == want[i].distance);
            }
        }
    };
    compare();
    // A few dead, then all but a few, in blocks and scattered.
    for (std::uint64_t id = 0; id < count; ++id)
        if (id % 50 == 0) with_codes.erase(id), without.erase(id);
    compare();
    for (std::uint64_t id = 0; id < count; ++id)
        if (id % 50 != 7 || id / 500 == 3) with_codes.erase(id), without.erase(id);
    compare();
}

} // namespace live_slots_test
