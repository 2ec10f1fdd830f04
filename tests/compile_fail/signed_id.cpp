// SPDX-License-Identifier: MIT
// expected: the id must be std::string or an unsigned integer
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine, vicinal::index::hnsw<>, vicinal::storage::memory,
               vicinal::payload::fields, int>
    docs{{.dim = 3}};
