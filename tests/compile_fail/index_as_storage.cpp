// SPDX-License-Identifier: MIT
// expected: the third argument must be a storage
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine, vicinal::index::hnsw<>, vicinal::index::hnsw<>> docs{
    {.dim = 3}};
