// SPDX-License-Identifier: MIT
// expected: codec::pca<Dims, Codec> has codes of fewer elements
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::pca<16, codec::f32>>> docs{{.dim = 32}};
