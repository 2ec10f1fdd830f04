// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILL_BATCH_HPP
#define VICINAL_MIGRATE_FILL_BATCH_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <cstddef>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Replaces `batch` by at most `most` records, each from `next(record&) -> result<bool>`, which is
/// false at the end. Records of the batch before are filled anew: their vectors keep their memory,
/// so `next` has to set every part of one.
template <class Next>
[[nodiscard]] result<void> fill_batch(std::vector<record>& batch, std::size_t most, Next&& next) {
    std::size_t n = 0;
    for (; n < most; ++n) {
        if (n == batch.size()) batch.emplace_back();
        auto const more = next(batch[n]);
        if (!more) return more.error();
        if (!*more) break;
    }
    batch.resize(n);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
