// SPDX-License-Identifier: MIT
#include "contract/store.hpp"

#include <vicinal/storage/file.hpp>

namespace {

using namespace vicinal;
using namespace vicinal_test;

index::hnsw_options small_graph() {
    index::hnsw_options o;
    o.flat_below = 100;
    return o;
}

using docs = store<metric::cosine, index::hnsw<>, storage::file>;

} // namespace

TEST_CASE("an hnsw store of paged files keeps the contract of stores", "[store]") {
    check_store_contract<docs>({.index = small_graph()});
}

TEST_CASE("a flat store of paged files with integer ids keeps the contract of stores", "[store]") {
    check_store_contract<store<metric::squared_l2, index::flat<>, storage::file, payload::fields,
                               std::uint32_t>>({});
}

TEST_CASE("a two-phase store of paged files keeps the contract of stores", "[store]") {
    check_store_contract<store<metric::squared_l2, index::flat<codec::sq8>, storage::file>>({});
}
