// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include <vicinal/backend/chroma_scheme.hpp>
#include <vicinal/backend/sqlite_scheme.hpp>

namespace tool {

void add_databases(vicinal::backend::registry& r) {
    r.add("chroma", vicinal::backend::chroma_scheme());
    vicinal::backend::add_sqlite(r);
}

} // namespace tool
