// SPDX-License-Identifier: MIT
// expected: the fourth argument must be a payload
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine, vicinal::index::hnsw<>, vicinal::storage::memory, int> docs{
    {.dim = 3}};
