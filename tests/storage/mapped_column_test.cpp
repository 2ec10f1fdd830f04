// SPDX-License-Identifier: MIT
#include "contract/column.hpp"
#include "storage/scratch.hpp"

#include <vicinal/storage/mmap.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace mapped_column_test {

namespace storage = vicinal::storage;

namespace {

vicinal::result<void> nothing(std::span<std::byte const>) { return {}; }

/// Address space that is given out grudgingly: what was asked for in reserve is refused above a
/// limit, as under ulimit -v.
struct narrow : storage::posix {
    static inline std::size_t most = SIZE_MAX;
    static void* reserve(std::size_t n) noexcept { return n > most ? nullptr : posix::reserve(n); }
};

} // namespace

TEST_CASE("a mapped column without a file keeps the contract of columns", "[storage]") {
    for (std::size_t const row_bytes : {1U, 7U, 64U, 1540U}) {
        storage::mapped_column<storage::posix> c(row_bytes);
        REQUIRE(c.reader().row(0) == nullptr);
        contract::check_column(c);
        auto const rows = c.rows();
        for (auto const bits : {48, 58, 62, 63}) {
            auto const refused = c.prepare((std::uint64_t{1} << bits) / row_bytes);
            REQUIRE(scratch::code_of(refused) == vicinal::errc::out_of_memory);
        }
        REQUIRE(contract::holds(c, 0, rows));
    }
}

TEST_CASE("a mapped column over a snapshot keeps the contract of columns", "[storage]") {
    // Less than a page, whole pages, whole blocks, and rows that straddle both.
    for (std::uint64_t const rows : {1U, 4096U, 65536U, 70001U})
        for (std::size_t const row_bytes : {1U, 7U, 40U}) {
            CAPTURE(rows, row_bytes);
            scratch::directory d;
            for (int round = 0; round < 2; ++round) {
                auto s = storage::mmap::space::open(d / "s", {}, {});
                REQUIRE(s);
                auto c = s->column("c", row_bytes, storage::heat::cold);
                REQUIRE(c);
                REQUIRE(s->replay(nothing));
                if (round == 0) {
                    REQUIRE(storage::grow(**c, rows));
                    contract::fill(**c, 0, rows);
                    REQUIRE(s->checkpoint({}, {}));
                } else {
                    REQUIRE((*c)->rows() == rows);
                    contract::check_column(**c);
                }
            }
        }
}

TEST_CASE("a column grows also where address space is scarce", "[storage]") {
    narrow::most = std::size_t{1} << 21;
    storage::mapped_column<narrow> c(16);
    std::uint64_t rows = 0;
    while (storage::grow(c, rows + 1000)) {
        contract::fill(c, rows, rows + 1000);
        rows += 1000;
    }
    REQUIRE(rows * 16 > narrow::most / 2);
    REQUIRE(contract::holds(c, 0, rows));
    REQUIRE(c.rows() == rows);
    narrow::most = SIZE_MAX;
    REQUIRE(storage::grow(c, rows + 1000));
    REQUIRE(contract::holds(c, 0, rows));
}

TEST_CASE("editing a mapped row leaves the file as it is", "[storage]") {
    scratch::directory d;
    {
        auto n = scratch::numbers<>::open(d / "s");
        REQUIRE(n);
        for (auto const i : scratch::range(1, 100)) REQUIRE(n->put(i));
        REQUIRE(n->checkpoint());
    }
    auto const before = scratch::read(d / "s/snap-00000002.vic");
    {
        auto n = scratch::numbers<>::open(d / "s");
        REQUIRE(n);
        vicinal::detail::store_le<std::uint64_t>(n->rows->edit(5), 77);
        REQUIRE(n->all()[5] == 77);
        REQUIRE(n->put(101));
    }
    REQUIRE(scratch::read(d / "s/snap-00000002.vic") == before);
    auto n = scratch::numbers<>::open(d / "s");
    REQUIRE(n);
    REQUIRE(n->all() == scratch::range(1, 100));
}

} // namespace mapped_column_test
