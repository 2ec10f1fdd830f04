// SPDX-License-Identifier: MIT
// expected: a graph over so few bits an element is linked by the vectors
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::only<codec::binary>>> docs{{.dim = 32}};
