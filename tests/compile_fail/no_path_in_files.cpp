// SPDX-License-Identifier: MIT
// expected: a durable store needs a path
#include <vicinal/metric/cosine.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine, vicinal::index::hnsw<>, vicinal::storage::mmap> docs{
    {.dim = 3}};
