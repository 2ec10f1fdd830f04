// SPDX-License-Identifier: MIT
// expected: a metric of a durable store needs a name for its files
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

struct mine {
    static float distance(float const* a, float const* b, std::size_t) { return a[0] - b[0]; }
};

vicinal::store<mine, vicinal::index::hnsw<>, vicinal::storage::mmap> docs{"docs", {.dim = 3}};
