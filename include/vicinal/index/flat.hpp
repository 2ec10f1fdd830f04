// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_HPP
#define VICINAL_INDEX_FLAT_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/nearest.hpp>

#include <cstddef>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::index {

/// Scans rows [first, last) for those that `keep` holds for and offers each with its exact
/// distance. The one brute-force routine: the flat index, the fresh tail and the check of an answer
/// run it. (last - first) distances.
template <class Metric, class Reader, class Keep, class Before>
void scan_exactly(Reader const& rows, slot first, slot last,
                  metric::element_of<Metric> const* query, std::size_t dim, Keep const& keep,
                  nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    for (slot s = first; s < last; ++s) {
        if (!keep(s)) continue;
        float const d =
            metric::exact<Metric>(query, reinterpret_cast<element const*>(rows.row(s)), dim);
        if (best.could_enter(d)) best.offer({d, s});
    }
}

/// Nothing to tune.
struct flat_options {};

/// Looks at every row: exact, no build, no memory beside the vectors.
template <codec::model Codec = codec::f32>
struct flat {
    using options = flat_options;
    using codec_type = Codec;
    static constexpr std::string_view name = "flat";

    [[nodiscard]] static result<void> check(flat_options const&) { return {}; }

    /// The index for one metric over the rows of one storage. Not safe to search while a caller
    /// grows the rows.
    template <metric::model Metric, storage::model Storage>
    class of {
    public:
        using element = metric::element_of<Metric>;
        using column = typename Storage::column;
        static constexpr bool exact = true;

        [[nodiscard]] static result<of> open(typename Storage::space&, column const& vectors,
                                             std::size_t dim, flat_options const&) {
            return of(vectors, dim);
        }

        [[nodiscard]] slot covered() const noexcept { return covered_; }

        template <class Live, class Section>
        [[nodiscard]] result<void> take_in(slot until, Live const&, Section const& section) {
            section([&] { covered_ = until; });
            return {};
        }

        /// Forgets every row. Inside the caller's section.
        void clear() noexcept { covered_ = 0; }

        template <class Keep>
        [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                                std::size_t, Keep const& keep) const {
            nearest best(wanted);
            scan_exactly<Metric>(vectors_->reader(), 0, covered(), query, dim_, keep, best);
            return best.take();
        }

        /// Every row is looked at, whatever is wanted.
        [[nodiscard]] std::size_t effort_for(std::size_t wanted, double) const noexcept {
            return wanted;
        }

    private:
        of(column const& vectors, std::size_t dim) noexcept
            : vectors_(&vectors), dim_(dim), covered_(static_cast<slot>(vectors.rows())) {}

        column const* vectors_;
        std::size_t dim_;
        slot covered_;
    };
};

static_assert(model<flat<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif
