// SPDX-License-Identifier: MIT
// Any bytes as CSV: records or an error.
#include "memory_input.hpp"

#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/csv.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace vicinal;
    vicinal_fuzz::bytes() = {reinterpret_cast<char const*>(data), size};
    backend::csv_options options;
    options.open = vicinal_fuzz::open;
    options.json = backend::json_cells();
    vicinal_fuzz::read_all(backend::csv_source::try_open("fuzz", options));
    return 0;
}
