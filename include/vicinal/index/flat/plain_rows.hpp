// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_PLAIN_ROWS_HPP
#define VICINAL_INDEX_FLAT_PLAIN_ROWS_HPP

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/flat/answers.hpp>
#include <vicinal/index/flat/coded_columns.hpp>
#include <vicinal/index/flat/scan_exactly.hpp>
#include <vicinal/index/flat/two_phase.hpp>
#include <vicinal/index/flat/two_phase_batch.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/replacement.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// The exact scan: of the vectors alone, or of codes of a byte an element first.
namespace vicinal::inline VICINAL_ABI::index::flat_scan {

/// Whether a codec has codes of a metric's vectors that lie beside them.
template <class Bound>
inline constexpr bool coded_beside = !codec::alone<Bound> && requires {
    requires Bound::bounded;
};

/// The index for one metric over the rows of one storage. Not safe to search while a caller grows
/// the rows, but inside take_in's section.
template <class Codec, class Metric, class Storage>
class plain_rows
    : public flat_answers<plain_rows<Codec, Metric, Storage>, metric::element_of<Metric>> {
    using coded = typename Codec::template of<Metric>;
    using of = plain_rows;
    /// Whether it has codes beside the vectors, and the linear form of their bound.
    static constexpr bool two_phase = coded_beside<coded>;
    struct no_columns {
        template <class Vectors>
        no_columns(Vectors const&, std::size_t) noexcept {}
    };
    using columns = std::conditional_t<two_phase, coded_columns<Metric, Storage>, no_columns>;

public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    using vectors_type = vectors_of<coded, Storage>;
    static constexpr bool exact = true;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space,
                                         vectors_type const& vectors, std::size_t dim,
                                         flat_options const&) {
        of index(vectors, dim);
        if constexpr (two_phase) {
            VICINAL_CHECK(index.codes_.open(space));
            if (index.codes_.there()) index.covered_ = index.codes_.rows();
        }
        static_cast<void>(space);
        return index;
    }

    [[nodiscard]] slot covered() const noexcept { return covered_; }

    /// Encodes the slots up to `until`, dead ones too. Errors: out_of_memory; nothing is taken in
    /// then.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const&, Section const& section) {
        if (until <= covered_) return {};
        if constexpr (two_phase)
            if (codes_.there())
                VICINAL_CHECK(vicinal::detail::guarded(
                    [&] { return codes_.encode(covered_, until, section); }));
        section([&] { covered_ = until; });
        return {};
    }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        covered_ = 0;
        if constexpr (two_phase)
            if (codes_.there()) codes_.clear();
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept` become slots 0, 1 and so
    /// on; they stay in place until that is written.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        if constexpr (two_phase)
            if (codes_.there()) codes_.compact(kept, out);
        return {};
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {
        covered_ = static_cast<slot>(vectors_->rows());
        if constexpr (two_phase)
            if (codes_.there()) covered_ = codes_.rows();
    }

    /// Offers what of a list of covered slots, each once, `keep` holds for.
    template <class Keep, class Before, class Tally = no_tally>
    void scan_listed(element const* query, std::span<slot const> slots, Keep const& keep,
                     nearest<Before>& best, Tally const& tally = {}) const {
        if constexpr (two_phase) {
            if (codes_.there()) {
                auto const rows = codes_.look(covered_);
                two_phase_scan<Metric, reader, Keep, Before, Tally> s(rows, query, keep, best,
                                                                      tally);
                s.among(slots);
                return;
            }
        }
        scan_list<Metric>(vectors_->reader(), slots, query, dim_, keep, best, tally);
    }

    /// Offers what of the covered rows may be among the nearest, with exact distances, in an order
    /// of slots at equal distance that is the caller's.
    template <class Keep, class Before, class Tally = no_tally>
    void scan(element const* query, Keep const& keep, nearest<Before>& best,
              Tally const& tally = {}) const {
        if constexpr (two_phase) {
            if (codes_.there()) {
                auto const rows = codes_.look(covered_);
                two_phase_scan<Metric, reader, Keep, Before, Tally> s(rows, query, keep, best,
                                                                      tally);
                s.all();
                return;
            }
        }
        scan_exactly<Metric>(vectors_->reader(), 0, covered_, query, dim_, keep, best, tally);
    }

    /// The same for many queries.
    template <class Keep, class Before>
    [[nodiscard]] result<void> scan_batch(element const* queries, std::span<nearest<Before>> best,
                                          Keep const& keep, std::size_t threads) const {
        constexpr std::size_t grain = 32;
        return run_parts(best.size(), grain, threads, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                auto const part = best.subspan(first, last - first);
                auto const* from = queries + first * dim_;
                if constexpr (two_phase)
                    // Few queries leave most of a panel empty.
                    if (codes_.there() && part.size() >= least_batch) {
                        auto const rows = codes_.look(covered_);
                        two_phase_batch<Metric, reader, Keep, Before> b(rows, from, keep, part);
                        b.all();
                        return {};
                    }
                for (std::size_t i = 0; i < part.size(); ++i) scan(from + i * dim_, keep, part[i]);
                return {};
            });
        });
    }

    /// The covered slots for which live(slot) holds and whose codes are not their vectors': a scan
    /// could miss them. O(rows). For checks.
    template <class Live>
    [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
        std::vector<slot> lost;
        if constexpr (two_phase) {
            if (!codes_.there()) return lost;
            auto const rows = codes_.look(covered_);
            for (slot s = 0; s < covered_; ++s)
                if (live(s) &&
                    !codes_.codec().holds(rows.vector(s), rows.code(s),
                                          *rows.factors.template row_as<codec::sq8_factors>(s)))
                    lost.push_back(s);
        }
        static_cast<void>(live);
        return lost;
    }

    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept {
        if constexpr (two_phase)
            if (codes_.there()) return codes_.row_bytes();
        return 0;
    }

private:
    static constexpr std::size_t least_batch = 4;
    using reader = decltype(std::declval<column const&>().reader());

    plain_rows(vectors_type const& vectors, std::size_t dim) noexcept
        : vectors_(&vectors), codes_(vectors, dim), dim_(dim),
          covered_(static_cast<slot>(vectors.rows())) {}

    vectors_type const* vectors_;
    [[no_unique_address]] columns codes_;
    std::size_t dim_;
    slot covered_;
};

} // namespace vicinal::inline VICINAL_ABI::index::flat_scan

#endif
