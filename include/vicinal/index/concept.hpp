// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_CONCEPT_HPP
#define VICINAL_INDEX_CONCEPT_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/index/neighbour.hpp>
#include <vicinal/storage/memory.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

/// Which rows are looked at.
namespace vicinal::inline VICINAL_ABI::index {

/// The short exclusive section in which an index puts links in place, for an index that stands
/// alone and whose caller keeps searches and inserts apart himself.
struct no_section {
    template <class Body>
    void operator()(Body&& body) const {
        std::forward<Body>(body)();
    }
};

/// An index over the rows of one column. It owns which slot is next to which, and sees neither ids
/// nor payloads nor files.
///
/// * `open(space, vectors, dim, options)`: binds the index to its columns in the space, making them
///   where there are none.
/// * `covered()`: how many slots, from 0, the index has taken in. Later ones are the caller's to
/// scan.
/// * `take_in(until, live, section)`: takes in the slots from covered() to `until`. Computes first,
///   then changes columns only inside `section(...)`, which excludes searches. An index may decline
///   for now and cover fewer, as one that wants enough rows to train on.
/// * `order(count, row)`, where it matters to the index: in which order the rows of a write, of
///   which row(i) is one, are best given slots; empty for the caller's.
/// * `search(query, wanted, effort, keep)`: the best found among covered rows for which keep(slot)
///   holds, nearest first: at least `wanted` of them if it can, and told by the size if not.
///   Distances are the codec's.
/// * `search_into(query, effort, keep, nearest)`, of an index that is not exact: the same with
/// exact
///   distances, offered to `nearest`; `search_among` for rows that are known as bits.
/// * `effort_for(wanted, recall)`: the effort that search takes for a wanted recall.
/// * `clear()`: forgets every row; inside the caller's section.
/// * `exact`: whether it always finds the true neighbours.
/// * `looks_at_all`, where it is true: whether an index that is not exact looks at every row, as
///   one that is does: it has `scan`, `scan_batch` and `scan_listed`, and nothing to tune.
/// * `takes_codes_alone`, of the policy: whether `vectors` may be index::decoded_vectors.
template <class B>
concept bound = requires(B& b, B const& k, slot s, float const* q, std::size_t n, keep_all keep) {
    { k.covered() } -> std::same_as<slot>;
    { b.take_in(s, keep, no_section{}) } -> std::same_as<result<void>>;
    { k.search(q, n, n, keep) } -> std::same_as<result<neighbours>>;
    { k.effort_for(n, 0.5) } -> std::same_as<std::size_t>;
    { b.clear() }
    noexcept;
    { B::exact } -> std::convertible_to<bool>;
};

/// Whether an index looks at every row.
template <class B>
inline constexpr bool looks_at_all = B::exact || requires {
    requires B::looks_at_all;
};

/// An index policy: a name, which files carry, its options, `check(options)`, which refuses those
/// that make no index, and `of<Metric, Storage>`.
template <class I>
concept model = requires(typename I::options const& o) {
    typename I::options;
    typename I::codec_type;
    requires codec::model<typename I::codec_type>;
    { I::name } -> std::convertible_to<std::string_view>;
    { I::check(o) } -> std::same_as<result<void>>;
    requires bound<typename I::template of<metric::squared_l2, storage::memory>>;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
