// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_OPEN_TABLE_HPP
#define VICINAL_MIGRATE_COLUMNAR_OPEN_TABLE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/table.hpp>
#include <vicinal/migrate/columnar/parquet/table.hpp>
#include <vicinal/migrate/columnar/table.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Opens a Parquet file, an Arrow file or an Arrow stream, whichever it begins as. `open` is asked
/// for the others: streams, and what is compressed as a whole.
///
/// Errors: not_found, foreign_file, corrupt_source, unsupported, limit_exceeded, io_failure.
[[nodiscard]] inline result<std::unique_ptr<table>>
open_table(std::string const& path, backend::input_opener open = backend::open_file) {
    auto file = source_file::open(path);
    if (!file) return file.error();
    char start[4] = {};
    auto const got = file->read_at(0, start, sizeof start);
    if (!got) return got.error();
    std::string_view const signature(start, *got);
    if (signature == "PAR1" || signature == "PARE")
        return parquet::parquet_table::open(*std::move(file));
    if (signature == "ARRO") return arrow::arrow_table::open(*std::move(file));
    auto in = open(path);
    if (!in) return in.error();
    return arrow::arrow_table::open(*std::move(in));
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
