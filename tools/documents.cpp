// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include <vicinal/backend/json_scheme.hpp>
#include <vicinal/backend/jsonl_scheme.hpp>
#include <vicinal/backend/tables_scheme.hpp>
#include <vicinal/migrate/files/compressed.hpp>
#include <vicinal/migrate/json_cells.hpp>

namespace tool {

void add_documents(vicinal::backend::registry& r) {
    using namespace vicinal::backend;
    add_jsonl(r, open_compressed);
    add_json(r, open_compressed);
    add_tables(r, open_compressed, json_cells());
}

} // namespace tool
