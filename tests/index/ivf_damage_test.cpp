// SPDX-License-Identifier: MIT
// Lists from a file whose checksums fit but whose contents were made up.
#include "index/damaged_columns.hpp"

#include <vicinal/index/ivf.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace ivf_damage_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::storage::memory;
using bound = vicinal::index::ivf<>::of<metric::squared_l2, memory>;

namespace {

constexpr std::size_t dim = 4;

} // namespace

TEST_CASE("damaged lists never lead outside their columns", "[index]") {
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
        CAPTURE(seed);
        generator r(seed);
        vicinal::index::ivf_options o;
        o.flat_below = 0;
        o.num_partitions = 9;
        standing_index<vicinal::index::ivf<>, metric::squared_l2, memory> s(dim, o);
        s.add(clustered_rows(300, dim, 6, 4));
        for (std::string_view const name :
             {"ivf.lists", "ivf.next", "ivf.slots", "ivf.places", "ivf.state", "ivf.centroids",
              "ivf.codes", "ivf.tuning"})
            if (r.below(3) == 0) damage(*s.space(), name, r, 1 + r.below(20), 300);
        use<bound>(*s.space(), s.vectors(), dim, r);
    }
}

TEST_CASE("lists that contradict their columns are refused", "[index]") {
    // Words of the state: seed, covered, lists, blocks, free, partitions, flat_below, trained,
    // rows.
    for (std::size_t word = 2; word < 10; ++word) {
        CAPTURE(word);
        vicinal::index::ivf_options o;
        o.flat_below = 0;
        standing_index<vicinal::index::ivf<>, metric::squared_l2, memory> s(dim, o);
        s.add(uniform_rows(50, dim, 1));
        std::uint32_t const wrong = 0xfffffff0U;
        std::memcpy(s.space()->find("ivf.state")->edit(0) + 4 * word, &wrong, 4);
        auto const opened = bound::open(*s.space(), s.vectors(), dim, {});
        // A free block that is none, flat_below and trained: any number makes sense.
        bool const harmless = word == 5 || word == 7 || word == 8;
        CHECK(static_cast<bool>(opened) == harmless);
        if (!opened) CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
    }
}

TEST_CASE("distances from centres that no list can have are no drift", "[index]") {
    for (float const wrong : {-1.0F, 0.0F, std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        vicinal::index::ivf_options o;
        o.flat_below = 0;
        standing_index<vicinal::index::ivf<>, metric::squared_l2, memory> s(dim, o);
        s.add(uniform_rows(300, dim, 1));
        std::memcpy(s.space()->find("ivf.state")->edit(0) + 52, &wrong, 4);
        CHECK(bound::open(*s.space(), s.vectors(), dim, {})->drift() == 1);
    }
}

} // namespace ivf_damage_test
