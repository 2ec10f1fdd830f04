// SPDX-License-Identifier: MIT
// expected: for an index that reads codes in the place of vectors: index::flat or index::hnsw
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::ivf<codec::only<codec::sq8>>> docs{{.dim = 32}};
