// SPDX-License-Identifier: MIT
// expected: is linked by the vectors, which storage::file does not keep
#include <vicinal/vicinal.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::pq<8, 4>>, storage::file> docs{"docs", {.dim = 32}};
