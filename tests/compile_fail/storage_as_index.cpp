// SPDX-License-Identifier: MIT
// expected: the second argument must be an index
#include <vicinal/metric/cosine.hpp>
#include <vicinal/store/store.hpp>

vicinal::store<vicinal::metric::cosine, vicinal::storage::memory> docs{{.dim = 3}};
