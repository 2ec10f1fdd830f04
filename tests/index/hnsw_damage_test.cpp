// SPDX-License-Identifier: MIT
// A graph from a file whose checksums fit but whose contents were made up: whatever the numbers,
// nothing is read or written outside the columns (the sanitizers tell), every walk ends, and
// inserting goes on.
#include "contract/index.hpp"

#include <vicinal/index/hnsw.hpp>

#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

namespace hnsw_damage_test {

namespace metric = vicinal::metric;
using namespace vicinal_test;
using hnsw = vicinal::index::hnsw<>;
using vicinal::index::hnsw_options;
using vicinal::storage::memory;
using bound = hnsw::of<metric::squared_l2, memory>;

namespace {

constexpr std::size_t dim = 4;

/// A number as damage has it: any, or a plausible one.
std::uint32_t made_up(generator& r, std::uint32_t plausible) {
    switch (r.below(4)) {
        case 0: return static_cast<std::uint32_t>(r.next());
        case 1: return vicinal::no_slot;
        default: return static_cast<std::uint32_t>(r.below(plausible + 2));
    }
}

void damage(memory::space& space, std::string_view name, generator& r, std::size_t one_in,
            std::uint32_t plausible, std::size_t first_word = 0) {
    auto* c = space.find(name);
    auto const words = c->row_bytes() / 4;
    for (std::uint64_t row = 0; row < c->rows(); ++row)
        for (std::size_t w = first_word; w < words; ++w) {
            if (r.below(one_in) != 0) continue;
            auto const n = made_up(r, plausible);
            std::memcpy(c->edit(row) + 4 * w, &n, 4);
        }
}

/// Opens what the space holds, searches and inserts. Being refused is as good.
void use(memory::space& space, memory::column& vectors, generator& r) {
    auto opened = bound::open(space, vectors, dim, {});
    if (!opened) {
        CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
        return;
    }
    auto const data = uniform_rows(8, dim, r.next());
    for (std::size_t q = 0; q < 4; ++q) {
        auto const plain = opened->search(data.row(q), 10, 40, index::keep_all{});
        REQUIRE(plain);
        for (auto const& n : *plain) REQUIRE(n.row < vectors.rows());
        auto const some = opened->search(data.row(q), 10, 40, [](slot s) { return s % 2 == 0; });
        REQUIRE(some);
        for (auto const& n : *some) REQUIRE(n.row % 2 == 0);
    }
    CHECK(opened->reachable() <= vectors.rows());
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
    REQUIRE(opened->search(data.row(0), 10, 40, index::keep_all{}));
}

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
        use(space, *vectors, r);
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
