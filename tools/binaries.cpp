// SPDX-License-Identifier: MIT
#include "foreign.hpp"

#include <vicinal/backend/columnar_scheme.hpp>
#include <vicinal/backend/graphs_scheme.hpp>
#include <vicinal/backend/hdf5_scheme.hpp>
#include <vicinal/backend/json_arrays_scheme.hpp>
#include <vicinal/migrate/files/compressed.hpp>

namespace tool {

void add_binaries(vicinal::backend::registry& r) {
    using namespace vicinal::backend;
    add_json_arrays(r, open_compressed);
    add_hdf5(r, open_compressed);
    add_graphs(r);
    add_columnar(r, open_compressed);
}

} // namespace tool
