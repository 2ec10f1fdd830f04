// SPDX-License-Identifier: MIT
// Columns of an index whose checksums fit but whose contents were made up, and what is done with
// them: whatever the numbers, nothing is read or written outside (the sanitizers tell), every
// search ends, and rows go on to come.
#ifndef VICINAL_TESTS_INDEX_DAMAGED_COLUMNS_HPP
#define VICINAL_TESTS_INDEX_DAMAGED_COLUMNS_HPP

#include "contract/index.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace vicinal_test {

/// A number as damage has it: any, or a plausible one.
inline std::uint32_t made_up(generator& r, std::uint32_t plausible) {
    switch (r.below(4)) {
        case 0: return static_cast<std::uint32_t>(r.next());
        case 1: return vicinal::no_slot;
        default: return static_cast<std::uint32_t>(r.below(plausible + 2));
    }
}

/// Makes one in so many words of a column up, those before `first_word` of a row left out.
inline void damage(storage::memory::space& space, std::string_view name, generator& r,
                   std::size_t one_in, std::uint32_t plausible, std::size_t first_word = 0) {
    auto* c = space.find(name);
    auto const words = c->row_bytes() / 4;
    for (std::uint64_t row = 0; row < c->rows(); ++row)
        for (std::size_t w = first_word; w < words; ++w) {
            if (r.below(one_in) != 0) continue;
            auto const n = made_up(r, plausible);
            std::memcpy(c->edit(row) + 4 * w, &n, 4);
        }
}

/// Opens what the space holds, searches, compacts and inserts. Being refused is as good.
template <class Bound>
void use(storage::memory::space& space, storage::memory::column& vectors, std::size_t dim,
         generator& r) {
    auto opened = Bound::open(space, vectors, dim, {});
    if (!opened) {
        CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
        return;
    }
    auto const data = uniform_rows(20, dim, r.next());
    for (std::size_t q = 0; q < 4; ++q) {
        auto const plain = opened->search(data.row(q), 10, 40, index::keep_all{});
        REQUIRE(plain);
        for (auto const& n : *plain) REQUIRE(n.row < vectors.rows());
        for (std::size_t const wanted : {10U, 300U}) {
            auto const some =
                opened->search(data.row(q), wanted, 5, [](slot s) { return s % 2 == 0; });
            REQUIRE(some);
            for (auto const& n : *some) REQUIRE(n.row % 2 == 0);
        }
    }
    if constexpr (requires { opened->reachable(); }) CHECK(opened->reachable() <= vectors.rows());
    if constexpr (requires { opened->drift(); }) CHECK(opened->drift() > 0);
    static_cast<void>(opened->unreachable(index::keep_all{}));
    std::vector<slot> kept;
    for (slot s = 0; s < opened->covered(); ++s)
        if (r.below(3) != 0) kept.push_back(s);
    std::vector<storage::replacement> compacted;
    REQUIRE(opened->compact(kept, compacted));
    // Whatever it was before: what is written is sound.
    compacted.push_back(storage::chosen_rows("vectors", vectors, kept));
    space.stage(compacted).value();
    if (r.below(2) == 0 && opened->covered() > 0) {
        space.adopt();
        opened->compacted();
        CHECK(opened->unreachable(index::keep_all{}).empty());
    }
    space.discard();
    auto const before = vectors.rows();
    storage::grow(vectors, before + data.count()).value();
    std::memcpy(vectors.edit(before), data.data.data(), data.data.size() * sizeof(float));
    opened->take_in(static_cast<slot>(vectors.rows()), index::keep_all{}, index::no_section{})
        .value();
    if constexpr (requires { opened->drift(); })
        opened->renew(index::keep_all{}, index::no_section{}).value();
    REQUIRE(opened->search(data.row(0), 10, 40, index::keep_all{}));
}

} // namespace vicinal_test

#endif
