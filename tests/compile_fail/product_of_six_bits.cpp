// SPDX-License-Identifier: MIT
// expected: codec::pq takes 8 or 4 bits
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::pq<8, 6>>> docs{{.dim = 32}};
