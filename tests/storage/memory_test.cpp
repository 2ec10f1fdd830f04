// SPDX-License-Identifier: MIT
#include "contract/column.hpp"

#include <vicinal/storage/memory.hpp>

#include <cstddef>

TEST_CASE("a column on the heap keeps the contract of columns", "[storage]") {
    for (std::size_t const row_bytes : {1U, 7U, 64U, 1540U}) {
        vicinal::storage::memory_column c(row_bytes);
        contract::check_column(c);
    }
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
