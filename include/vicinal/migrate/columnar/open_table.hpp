// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_OPEN_TABLE_HPP
#define VICINAL_MIGRATE_COLUMNAR_OPEN_TABLE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/table.hpp>
#include <vicinal/migrate/columnar/table.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <memory>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Opens a Parquet file.
///
/// Errors: not_found, foreign_file, corrupt_source, unsupported, limit_exceeded, io_failure.
[[nodiscard]] inline result<std::unique_ptr<table>>
open_table(std::string const& path, backend::input_opener open = backend::open_file) {
    static_cast<void>(open);
    return parquet::parquet_table::open(path);
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
