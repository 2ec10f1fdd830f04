// SPDX-License-Identifier: MIT
// expected: which it can promise of vectors and of the codes of codec::sq8
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::flat<codec::pq<8>>> docs{{.dim = 32}};
