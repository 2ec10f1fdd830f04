// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_PQ_HPP
#define VICINAL_INDEX_IVF_PQ_HPP

#include <vicinal/codec/pq.hpp>
#include <vicinal/index/ivf.hpp>

#include <cstddef>

namespace vicinal::inline VICINAL_ABI::index {

/// Inverted lists over product codes: what others call IVF-PQ, with num_sub_vectors = SubVectors.
/// Of 4 bits codes are of what is left of the vectors beyond the centre of their list, and are
/// scanned 32 at a time: take these, with half as many sub-vectors as elements, for speed. Of 8
/// bits they are of the vectors. One table serves all lists of a query either way; the store
/// compares the best by their vectors.
template <std::size_t SubVectors, unsigned Bits = 8>
using ivf_pq = ivf<codec::pq<SubVectors, Bits>>;

} // namespace vicinal::inline VICINAL_ABI::index

#endif
