// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_CODES_HPP
#define VICINAL_INDEX_HNSW_CODES_HPP

#include <vicinal/index/row_codes.hpp>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// What a graph walks over.
template <class Codec, class Metric, class Storage>
using codes = row_codes<Codec, Metric, Storage>;

inline constexpr code_columns columns_of_codes{"hnsw.codes", "hnsw.frame", "hnsw.model"};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
