// SPDX-License-Identifier: MIT
// expected: the first argument must be a metric
#include <vicinal/store/store.hpp>

vicinal::store<int> docs{{.dim = 3}};
