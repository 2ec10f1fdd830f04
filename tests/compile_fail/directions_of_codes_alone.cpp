// SPDX-License-Identifier: MIT
// expected: take the codec without codec::only
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::pca<16, codec::only<codec::sq8>>>> docs{{.dim = 32}};
