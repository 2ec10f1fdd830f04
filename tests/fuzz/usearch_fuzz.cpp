// SPDX-License-Identifier: MIT
// Any bytes as an index file of usearch: its records or an error.
#include "fuzz/memory_file.hpp"

#include <vicinal/migrate/graphs/usearch.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    vicinal_fuzz::memory_file const file(data, size);
    auto source = vicinal::backend::usearch_source::try_open(file.path());
    if (source) vicinal_fuzz::read_to_end(*std::move(source), size);
    return 0;
}
