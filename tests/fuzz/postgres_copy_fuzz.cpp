// SPDX-License-Identifier: MIT
// Any bytes as rows of PostgreSQL's COPY, BINARY (with its header put in front) or text, with types
// and without.
#include "memory_input.hpp"

#include <vicinal/migrate/json_cells.hpp>
#include <vicinal/migrate/tables/postgres_copy.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace vicinal;
    if (size == 0) return 0;
    std::string bytes;
    if ((data[0] & 1U) != 0) bytes.append(detail::copy_signature).append(8, '\0');
    bytes.append(reinterpret_cast<char const*>(data) + 1, size - 1);
    vicinal_fuzz::bytes() = bytes;
    backend::copy_options options;
    options.open = vicinal_fuzz::open;
    options.json = backend::json_cells();
    if ((data[0] & 2U) != 0) {
        options.columns = "id int, v vector, h halfvec, s sparsevec, b bit, a real[], n numeric, "
                          "t timestamptz, d date, u uuid, j jsonb, l text[]";
        constexpr char const* columns[] = {"v", "h", "s", "b", "a"};
        options.vector = columns[data[0] / 4 % 5];
    }
    vicinal_fuzz::read_all(backend::postgres_copy::try_open("fuzz", options));
    return 0;
}
