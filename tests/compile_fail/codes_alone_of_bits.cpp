// SPDX-License-Identifier: MIT
// expected: this codec has none that can be decoded for this metric
#include <vicinal/codec/only.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/store/store.hpp>

using namespace vicinal;
store<metric::hamming, index::flat<codec::only<codec::sq8>>> docs{{.dim = 3}};
