// SPDX-License-Identifier: MIT
// expected: this codec has none that can be decoded for this metric
#include <vicinal/codec/only.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

using namespace vicinal;
store<metric::cosine, index::hnsw<codec::only<codec::f32>>> docs{{.dim = 3}};
