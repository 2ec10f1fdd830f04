// SPDX-License-Identifier: MIT
// The stores that the program makes and opens. Each function is in a file of its own, as a store
// takes long to compile.
#ifndef VICINAL_TOOLS_STORES_HPP
#define VICINAL_TOOLS_STORES_HPP

#include <vicinal/backend/store_kind.hpp>

#include <vector>

namespace tool {

[[nodiscard]] std::vector<vicinal::backend::store_kind> graph_stores();
[[nodiscard]] std::vector<vicinal::backend::store_kind> flat_stores();
[[nodiscard]] std::vector<vicinal::backend::store_kind> list_stores();

} // namespace tool

#endif
