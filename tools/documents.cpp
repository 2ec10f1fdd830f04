// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include <vicinal/backend/json_scheme.hpp>
#include <vicinal/backend/jsonl_scheme.hpp>
#include <vicinal/migrate/files/compressed.hpp>

namespace tool {

void add_documents(vicinal::backend::registry& r) {
    using namespace vicinal::backend;
    add_jsonl(r, open_compressed);
    add_json(r, open_compressed);
}

} // namespace tool
