// SPDX-License-Identifier: MIT
// expected: the records of layout::fused hold one bit an element
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::sq8, layout::fused>> docs{{.dim = 32}};
