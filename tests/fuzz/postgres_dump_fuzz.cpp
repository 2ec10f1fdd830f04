// SPDX-License-Identifier: MIT
// Any bytes as a dump of PostgreSQL in SQL: records or an error.
#include "memory_input.hpp"

#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/postgres_dump.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace vicinal;
    vicinal_fuzz::bytes() = {reinterpret_cast<char const*>(data), size};
    backend::postgres_options options;
    options.open = vicinal_fuzz::open;
    options.json = backend::json_cells();
    options.collection = "*";
    vicinal_fuzz::read_all(backend::postgres_dump::try_open("fuzz", options));
    return 0;
}
