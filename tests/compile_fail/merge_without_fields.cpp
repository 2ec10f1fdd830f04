// SPDX-License-Identifier: MIT
// expected: it needs a store whose payload is payload::fields or payload::record<T>
#include <vicinal/index/flat.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/store/store.hpp>

void merge(vicinal::store<vicinal::metric::cosine, vicinal::index::flat<>, vicinal::storage::memory,
                          vicinal::payload::none>& docs) {
    docs.merge_payload("a", {{"year", 2024}});
}
