// SPDX-License-Identifier: MIT
// Lists from a file whose checksums fit but whose contents were made up: whatever the numbers,
// nothing is read or written outside the columns (the sanitizers tell), every search ends, and
// rows go on to come.
#include "contract/index.hpp"

#include <vicinal/index/ivf.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

namespace ivf_damage_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::storage::memory;
using bound = vicinal::index::ivf<>::of<metric::squared_l2, memory>;

namespace {

constexpr std::size_t dim = 4;

void damage(memory::space& space, std::string_view name, generator& r, std::size_t one_in,
            std::uint32_t plausible) {
    auto* c = space.find(name);
    for (std::uint64_t row = 0; row < c->rows(); ++row)
        for (std::size_t w = 0; w < c->row_bytes() / 4; ++w) {
            if (r.below(one_in) != 0) continue;
            auto const n = r.below(4) == 0 ? static_cast<std::uint32_t>(r.next())
                                           : static_cast<std::uint32_t>(r.below(plausible + 2));
            std::memcpy(c->edit(row) + 4 * w, &n, 4);
        }
}

/// Opens what the space holds, searches, compacts and inserts. Being refused is as good.
void use(memory::space& space, memory::column& vectors, generator& r) {
    auto opened = bound::open(space, vectors, dim, {});
    if (!opened) {
        CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
        return;
    }
    auto const data = uniform_rows(40, dim, r.next());
    for (std::size_t q = 0; q < 4; ++q) {
        auto const plain = opened->search(data.row(q), 10, 5, index::keep_all{});
        REQUIRE(plain);
        for (auto const& n : *plain) REQUIRE(n.row < vectors.rows());
        auto const some = opened->search(data.row(q), 300, 5, [](slot s) { return s % 2 == 0; });
        REQUIRE(some);
        for (auto const& n : *some) REQUIRE(n.row % 2 == 0);
    }
    static_cast<void>(opened->unreachable(index::keep_all{}));
    std::vector<slot> kept;
    for (slot s = 0; s < opened->covered(); ++s)
        if (r.below(3) != 0) kept.push_back(s);
    std::vector<vicinal::storage::replacement> compacted;
    REQUIRE(opened->compact(kept, compacted));
    // Whatever it was before: what is written is sound.
    compacted.push_back(vicinal::storage::chosen_rows("vectors", vectors, kept));
    space.stage(compacted).value();
    if (r.below(2) == 0 && opened->covered() > 0) {
        space.adopt();
        opened->compacted();
        CHECK(opened->unreachable(index::keep_all{}).empty());
    }
    space.discard();
    auto const before = vectors.rows();
    vicinal::storage::grow(vectors, before + data.count()).value();
    std::memcpy(vectors.edit(before), data.data.data(), data.data.size() * sizeof(float));
    opened->take_in(static_cast<slot>(vectors.rows()), index::keep_all{}, index::no_section{})
        .value();
    REQUIRE(opened->search(data.row(0), 10, 5, index::keep_all{}));
}

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
        use(*s.space(), s.vectors(), r);
    }
}

} // namespace ivf_damage_test
