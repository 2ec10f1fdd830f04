// SPDX-License-Identifier: MIT
// What every column must do, whatever the storage behind it.
#ifndef VICINAL_TESTS_CONTRACT_COLUMN_HPP
#define VICINAL_TESTS_CONTRACT_COLUMN_HPP

#include "catch.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/storage/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace contract {

/// The byte that row i holds at place j: different for neighbours.
inline std::byte pattern(std::uint64_t i, std::size_t j) {
    return static_cast<std::byte>(vicinal::detail::mix(i * 1000003 + j) & 0xff);
}
template <class C>
void fill(C& c, std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i < to; ++i)
        for (std::size_t j = 0; j < c.row_bytes(); ++j) c.edit(i)[j] = pattern(i, j);
}
template <class C>
bool holds(C const& c, std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i < to; ++i)
        for (std::size_t j = 0; j < c.row_bytes(); ++j)
            if (c.reader().row(i)[j] != pattern(i, j)) return false;
    return true;
}
template <class C>
bool zero(C const& c, std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i < to; ++i)
        for (std::size_t j = 0; j < c.row_bytes(); ++j)
            if (c.reader().row(i)[j] != std::byte{0}) return false;
    return true;
}

/// Runs on a column that may hold rows already, which must follow the pattern.
template <vicinal::storage::column C>
void check_column(C& c) {
    auto const before = c.rows();
    CAPTURE(before, c.row_bytes());
    REQUIRE(holds(c, 0, before));

    REQUIRE(vicinal::storage::grow(c, before + 7));
    REQUIRE(c.rows() == before + 7);
    REQUIRE(c.capacity() >= c.rows());
    REQUIRE(reinterpret_cast<std::uintptr_t>(c.reader().row(0)) % 64 == 0);
    REQUIRE(holds(c, 0, before));
    REQUIRE(zero(c, before, before + 7));
    fill(c, before, before + 7);

    // A thousand steps: inside the room, past it, and far past it.
    auto rows = before + 7;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(vicinal::storage::grow(c, rows + 13));
        REQUIRE(zero(c, rows, rows + 13));
        fill(c, rows, rows + 13);
        rows += 13;
    }
    REQUIRE(holds(c, 0, rows));

    // Room that was only prepared changes nothing that a reader sees.
    auto const* const seen = c.reader().row(0);
    auto const room = c.capacity();
    REQUIRE(c.prepare(room * 3 + 1));
    REQUIRE(c.reader().row(0) == seen);
    REQUIRE(c.rows() == rows);
    REQUIRE(c.capacity() == room);
    REQUIRE(holds(c, 0, rows));
    c.commit();
    REQUIRE(c.capacity() >= room * 3 + 1);
    REQUIRE(holds(c, 0, rows));

    // Rows that come back after a shrink are zero bytes, not what they were.
    c.resize(before / 2);
    REQUIRE(c.rows() == before / 2);
    c.resize(rows + 5);
    REQUIRE(holds(c, 0, before / 2));
    REQUIRE(zero(c, before / 2, rows + 5));
    fill(c, before / 2, rows);
    c.resize(rows);
    REQUIRE(holds(c, 0, rows));

    // More than any machine has: an error, and the column is as before.
    REQUIRE_FALSE(c.prepare(UINT64_MAX));
    REQUIRE(holds(c, 0, rows));
}

} // namespace contract

#endif
