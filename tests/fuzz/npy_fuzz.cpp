// SPDX-License-Identifier: MIT
// Any bytes as a file of arrays, the first byte choosing the format: rows or an error. A column of
// ids and a folder's field are read of the same bytes.
#include "fuzz/memory_file.hpp"

#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/arrays/column.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace vicinal;
    if (size == 0) return 0;
    vicinal_fuzz::memory_file const file(data + 1, size - 1);
    auto const format = static_cast<backend::array_format>(data[0] % 8);
    auto source = backend::array_source::try_open(file.path(), format);
    if (source) vicinal_fuzz::read_to_end(*std::move(source), size);
    for (bool const ids : {false, true}) {
        auto column = detail::npy_column::open(file.path(), backend::open_file);
        // Texts of no characters may be any number, and take no bytes.
        for (std::size_t i = 0; column && i < size; ++i) {
            if (ids) {
                auto const id = column->next_id();
                if (!id || !*id) break;
            } else {
                auto const v = column->next();
                if (!v || !*v) break;
            }
        }
    }
    return 0;
}
