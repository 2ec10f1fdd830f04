// SPDX-License-Identifier: MIT
// The schemes of foreign systems, by what they are compiled with.
#ifndef VICINAL_TOOLS_FOREIGN_HPP
#define VICINAL_TOOLS_FOREIGN_HPP

#include <vicinal/backend/registry.hpp>

namespace tool {

/// Chroma and SQLite.
void add_databases(vicinal::backend::registry& r);
/// JSON and delimited text.
void add_documents(vicinal::backend::registry& r);
/// Arrays, index files, Parquet and Arrow, HDF5.
void add_binaries(vicinal::backend::registry& r);

} // namespace tool

#endif
