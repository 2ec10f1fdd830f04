// SPDX-License-Identifier: MIT
// expected: leaves out by their codes what can't be among the nearest
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::flat<codec::pq<8>>> docs{{.dim = 32}};
