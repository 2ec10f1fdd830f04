// SPDX-License-Identifier: MIT
// expected: for an index that reads codes in the place of vectors: index::flat, index::hnsw or
#include <vicinal/vicinal.hpp>

using namespace vicinal;
/// A user's own, which wants vectors.
struct own : index::ivf<codec::only<codec::sq8>> {
    static constexpr bool takes_codes_alone = false;
};
store<metric::cosine, own> docs{{.dim = 32}};
