// SPDX-License-Identifier: MIT
// expected: a store in memory has no path
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine> docs{"docs.vicinal", {.dim = 3}};
