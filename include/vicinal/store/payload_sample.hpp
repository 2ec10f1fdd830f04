// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PAYLOAD_SAMPLE_HPP
#define VICINAL_STORE_PAYLOAD_SAMPLE_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The payloads of a few records, copied together: what share of all a filter holds for is told in
/// 2 to 6 us, where reading as many from their places takes 30.
///
/// It grows old: what was written since is not in it. It only ever decides which way is taken,
/// never what is found.
class payload_sample {
public:
    template <class Rows>
    explicit payload_sample(Rows const& rows) : epoch_(rows.epoch()), rows_(rows.count()) {
        for (std::uint64_t i = 0; i < most && rows_ > 0; ++i) {
            // One row of each of `most` parts, or every row where there are no more.
            auto const from = i * rows_ / most, to = (i + 1) * rows_ / most;
            if (from == to) continue;
            auto const s = static_cast<slot>(from + mix(i) % (to - from));
            if (!rows.live(s)) continue;
            auto const payload = rows.payload(s);
            std::span<std::byte const> const run = payload;
            bytes_.insert(bytes_.end(), run.begin(), run.end());
            ends_.push_back(bytes_.size());
        }
    }

    /// Whether it still stands for those rows: they are the same and not twice as many.
    template <class Rows>
    [[nodiscard]] bool stands_for(Rows const& rows) const noexcept {
        return epoch_ == rows.epoch() && rows.count() / 2 <= rows_;
    }

    /// About what share of records a filter holds for; never 0. Sixteen matches are enough to know.
    [[nodiscard]] double share_of(filter const& where) const noexcept {
        std::size_t looked_at = 0, matched = 0, begin = 0;
        for (auto const end : ends_) {
            ++looked_at;
            matched += where.matches(std::span(bytes_).subspan(begin, end - begin)) ? 1U : 0U;
            if (matched == 16) break;
            begin = end;
        }
        return (static_cast<double>(matched) + 0.5) / (static_cast<double>(looked_at) + 0.5);
    }

private:
    static constexpr std::uint64_t most = 256;

    std::uint64_t epoch_;
    slot rows_;
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> ends_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
