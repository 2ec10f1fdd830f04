// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_PQ_HPP
#define VICINAL_INDEX_IVF_PQ_HPP

#include <vicinal/codec/pq.hpp>
#include <vicinal/index/ivf.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Inverted lists over product codes: what others call IVF-PQ, with num_sub_vectors = SubVectors.
/// Codes are of the vectors, not of what is left of them beyond the centre of the list, so that one
/// table serves all lists of a query; the store compares the best by their vectors.
template <std::size_t SubVectors, unsigned Bits = 8>
using ivf_pq = ivf<codec::pq<SubVectors, Bits>>;

} // namespace vicinal::inline VICINAL_ABI::index

#endif
