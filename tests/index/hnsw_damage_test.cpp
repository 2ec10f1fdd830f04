// SPDX-License-Identifier: MIT
// A graph from a file whose checksums fit but whose contents were made up.
#include "index/damaged_columns.hpp"

#include <vicinal/index/hnsw.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace hnsw_damage_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using hnsw = vicinal::index::hnsw<>;
using vicinal::index::hnsw_options;
using vicinal::storage::memory;
using bound = hnsw::of<metric::squared_l2, memory>;

namespace {

constexpr std::size_t dim = 4;

} // namespace

TEST_CASE("a damaged graph never leads outside its columns", "[index]") {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        generator r(seed);
        memory::space space;
        auto* vectors = space.column("vectors", dim * sizeof(float)).value();
        auto const data = uniform_rows(120, dim, seed);
        vicinal::storage::grow(*vectors, data.count()).value();
        std::memcpy(vectors->edit(0), data.data.data(), data.data.size() * sizeof(float));
        hnsw_options o;
        o.neighbours = 2 + r.below(4);
        o.build_width = 12;
        o.flat_below = 0;
        bound::open(space, *vectors, dim, o)
            .value()
            .take_in(120, index::keep_all{}, index::no_section{})
            .value();

        auto const one_in = std::size_t{1} + r.below(3) * 4;
        auto const kinds = r.next();
        if (kinds & 1) damage(space, "hnsw.links", r, one_in, 120);
        if (kinds & 2) damage(space, "hnsw.upper", r, one_in, 120);
        if (kinds & 4) damage(space, "hnsw.parents", r, one_in, 120);
        if (kinds & 8) damage(space, "hnsw.state", r, 6, 120, 2);
        if (kinds & 16) {
            auto const nan = std::numeric_limits<float>::quiet_NaN();
            for (std::uint64_t i = 0; i < 120; i += 3) std::memcpy(vectors->edit(i), &nan, 4);
        }
        if (kinds & 32) {
            // Every node says that it is a child of the same one, whose list is full of them.
            auto* parents = space.column("hnsw.parents", 4).value();
            slot const one = static_cast<slot>(r.below(120));
            for (std::uint64_t i = 0; i < 120; ++i) std::memcpy(parents->edit(i), &one, 4);
        }
        use<bound>(space, *vectors, dim, r);
    }
}

TEST_CASE("a state that contradicts the columns is refused", "[index]") {
    for (std::size_t word = 2; word < 9; ++word) {
        CAPTURE(word);
        memory::space space;
        auto* vectors = space.column("vectors", dim * sizeof(float)).value();
        vicinal::storage::grow(*vectors, 50).value();
        hnsw_options o;
        o.flat_below = 0;
        bound::open(space, *vectors, dim, o)
            .value()
            .take_in(50, index::keep_all{}, index::no_section{})
            .value();
        std::uint32_t const wrong = 0xfffffff0U;
        std::memcpy(space.column("hnsw.state", 40).value()->edit(0) + 4 * word, &wrong, 4);
        auto const opened = bound::open(space, *vectors, dim, {});
        // Word 8 is flat_below, of which every number makes sense.
        CHECK(static_cast<bool>(opened) == (word == 8));
        if (!opened) CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
    }
}

} // namespace hnsw_damage_test
