// SPDX-License-Identifier: MIT
#include "stores.hpp"

#include <vicinal/index/hnsw.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

namespace tool {

std::vector<vicinal::backend::store_kind> graph_stores() {
    using namespace vicinal;
    using backend::store_kind_of;
    using storage::mmap;
    return {
        store_kind_of<store<metric::cosine, index::hnsw<>, mmap>>(),
        store_kind_of<store<metric::squared_l2, index::hnsw<>, mmap>>(),
        store_kind_of<store<metric::inner_product, index::hnsw<>, mmap>>(),
    };
}

} // namespace tool
