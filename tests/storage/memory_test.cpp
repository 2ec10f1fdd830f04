// SPDX-License-Identifier: MIT
#include "contract/column.hpp"

#include <vicinal/storage/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace memory_test {

TEST_CASE("a column on the heap keeps the contract of columns", "[storage]") {
    for (std::size_t const row_bytes : {1U, 7U, 64U, 1540U}) {
        vicinal::storage::memory_column c(row_bytes);
        contract::check_column(c);
    }
}

TEST_CASE("a large column on the heap grows where it lies, and then keeps the contract",
          "[storage]") {
    constexpr std::uint64_t row_bytes = 4096;
    vicinal::storage::memory_column c(row_bytes);
    // From 4 MiB on a block is pages, with address space for sixteen times as many.
    vicinal::storage::grow(c, 1024).value();
    contract::fill(c, 0, 1024);
    auto const* const first = c.reader().row(0);
    for (std::uint64_t rows = 1024; rows < 4096; rows += 256) {
        vicinal::storage::grow(c, rows + 256).value();
        REQUIRE(contract::zero(c, rows, rows + 256));
        contract::fill(c, rows, rows + 256);
    }
#if defined(__linux__)
    CHECK(c.reader().row(0) == first);
#else
    static_cast<void>(first);
#endif
    contract::check_column(c);
}

TEST_CASE("room that is prepared and not filled takes no memory", "[storage]") {
    auto const resident = [] {
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages >> pages;
        return pages * 4096;
    };
    if (resident() == 0) return; // no such file here
    auto const before = resident();
    vicinal::storage::memory_column c(1024);
    REQUIRE(c.prepare(std::uint64_t{1} << 18));
    c.commit();
    c.resize(1000);
    std::memset(c.edit(0), 1, 1000 * 1024);
    CHECK(resident() < before + (std::uint64_t{16} << 20));
}

TEST_CASE("a space on the heap gives one column for one name", "[storage]") {
    vicinal::storage::memory::space s;
    auto const a = s.column("a", 4);
    auto const b = s.column("b", 8);
    REQUIRE(a);
    REQUIRE(b);
    REQUIRE(*a != *b);
    REQUIRE(*s.column("a", 4) == *a);
}

TEST_CASE("columns on the heap get other rows all at once", "[storage]") {
    vicinal::storage::memory::space s;
    auto& a = *s.column("a", 4).value();
    auto& b = *s.column("b", 1).value();
    vicinal::storage::grow(a, 10).value();
    vicinal::storage::grow(b, 3).value();
    for (std::uint32_t i = 0; i < 10; ++i) std::memcpy(a.edit(i), &i, 4);
    std::vector<std::uint32_t> const chosen{7, 2, 9};
    auto const fresh = [&] {
        return std::vector{vicinal::storage::chosen_rows("a", a, chosen),
                           vicinal::storage::owned_rows("b", 1, std::vector<std::byte>(5))};
    };
    auto const number = [&](std::uint64_t i) { return *a.reader().row_as<std::uint32_t>(i); };

    s.stage(fresh()).value();
    CHECK(a.rows() == 10);
    CHECK(b.rows() == 3);
    s.discard();
    s.adopt();
    CHECK(a.rows() == 10);
    CHECK(number(9) == 9);

    s.stage(fresh()).value();
    s.adopt();
    s.discard();
    REQUIRE(a.rows() == 3);
    CHECK(number(0) == 7);
    CHECK(number(1) == 2);
    CHECK(number(2) == 9);
    CHECK(b.rows() == 5);
    CHECK(s.column("a", 4).value() == &a);
    vicinal::storage::grow(a, 100).value();
    CHECK(number(2) == 9);
}

TEST_CASE("runs of any length are joined, whatever the pieces that are asked for", "[storage]") {
    std::vector<std::string> const runs{"", "ab", "", "", "cdefgh", "i", ""};
    for (std::size_t const piece : {1U, 2U, 3U, 5U, 9U}) {
        auto const r = vicinal::storage::joined_runs("x", 1, 9, runs.size(), [&](std::size_t i) {
            return std::as_bytes(std::span(runs[i].data(), runs[i].size()));
        });
        REQUIRE(r.bytes() == 9);
        std::string all(9, '?');
        for (std::size_t at = 0; at < 9; at += piece)
            r.next(at, std::as_writable_bytes(std::span(all)).subspan(at, std::min(piece, 9 - at)));
        CHECK(all == "abcdefghi");
    }
}

} // namespace memory_test
