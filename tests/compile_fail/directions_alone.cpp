// SPDX-License-Identifier: MIT
// expected: keeps nothing but codes, and this codec has none that can be decoded
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::only<codec::pca<16>>>> docs{{.dim = 32}};
