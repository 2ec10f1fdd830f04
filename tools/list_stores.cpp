// SPDX-License-Identifier: MIT
#include "stores.hpp"

#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/ivf.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

namespace tool {

/// The first of a metric is what is made where no codec is named.
std::vector<vicinal::backend::store_kind> list_stores() {
    using namespace vicinal;
    using backend::store_kind_of;
    using storage::mmap;
    return {
        store_kind_of<store<metric::cosine, index::ivf<>, mmap>>(),
        store_kind_of<store<metric::squared_l2, index::ivf<>, mmap>>(),
        store_kind_of<store<metric::inner_product, index::ivf<>, mmap>>(),
        store_kind_of<store<metric::cosine, index::ivf<codec::rabitq<1>>, mmap>>(),
        store_kind_of<store<metric::squared_l2, index::ivf<codec::rabitq<1>>, mmap>>(),
        store_kind_of<store<metric::inner_product, index::ivf<codec::rabitq<1>>, mmap>>(),
    };
}

} // namespace tool
