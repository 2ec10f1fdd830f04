// SPDX-License-Identifier: MIT
// expected: and this codec does not say what its codes lose
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::squared_l2, index::flat<codec::i8>> docs{{.dim = 32}};
