// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_COMPACTION_HPP
#define VICINAL_STORE_COMPACTION_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/replacement.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Erased and replaced records leave dead slots. Compaction numbers the live ones densely and
/// writes every column anew, beside the searches: in memory into new blocks, in a durable store
/// into the next snapshot. One short section then puts them in place; where a scan has begun
/// meanwhile, which knows slots by their old numbers, they are given up instead.
namespace vicinal::inline VICINAL_ABI::detail {

/// Whether so many slots are dead that numbering anew pays: a quarter. Nearly every list of a graph
/// names a dead node from a tenth on, so that healing it later costs no more; and until then a
/// search looks at no more than a third beyond what it would.
[[nodiscard]] constexpr bool sparse(std::size_t slots, std::size_t live) noexcept {
    return slots > live && (slots - live) * 4 >= slots;
}

/// Dead slots that no write tidies up by itself, whatever their share: some milliseconds' work.
inline constexpr std::size_t least_dead = 1000;

/// The same of the heap of payloads, in bytes, of which replaced payloads have left some.
[[nodiscard]] constexpr bool loose(std::uint64_t bytes, std::uint64_t left) noexcept {
    return left >= (bytes + 3) / 4;
}
inline constexpr std::uint64_t least_left = std::uint64_t{4} << 20;

/// Whether these rows, index and storage can be compacted.
template <class Space, class Index>
concept compactable = requires(Space& space, Index const& index, std::span<slot const> kept,
                               std::vector<storage::replacement>& out) {
    space.discard();
    { index.compact(kept, out) } -> std::same_as<result<void>>;
};

/// What every column is to hold when the slots of `kept`, the live ones, become slots 0, 1 and so
/// on; it reads rows, index and `kept` until it is written. Errors: out_of_memory.
template <class Rows, class Index>
[[nodiscard]] result<void> compact(Rows const& rows, Index const& index, std::span<slot const> kept,
                                   std::vector<storage::replacement>& out) {
    return guarded([&]() -> result<void> {
        rows.compact(kept, out);
        return index.compact(kept, out);
    });
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
