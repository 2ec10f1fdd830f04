// SPDX-License-Identifier: MIT
// Any bytes as a Parquet file: rows, or an error. The first byte says what is done with the rows.
#include "fuzz/columnar_fuzz.hpp"

#include <vicinal/migrate/columnar/parquet/table.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static int const memory = ::memfd_create("parquet", 0);
    static std::string const path = "/proc/self/fd/" + std::to_string(memory);
    if (size == 0) return 0;
    if (::ftruncate(memory, 0) != 0 ||
        ::pwrite(memory, data + 1, size - 1, 0) != static_cast<ssize_t>(size - 1))
        std::abort();
    auto file = vicinal::detail::source_file::open(path);
    if (!file) std::abort();
    auto const t = columnar_fuzz::columnar::parquet::parquet_table::open(*std::move(file));
    if (t) columnar_fuzz::use(**t, data[0]);
    return 0;
}
