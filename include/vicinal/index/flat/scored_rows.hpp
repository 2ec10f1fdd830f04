// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_SCORED_ROWS_HPP
#define VICINAL_INDEX_FLAT_SCORED_ROWS_HPP

#include <vicinal/index/flat/answers.hpp>
#include <vicinal/index/flat/block_codes.hpp>
#include <vicinal/index/flat/block_scan.hpp>
#include <vicinal/index/flat/scan_exactly.hpp>
#include <vicinal/index/row_codes.hpp>
#include <vicinal/index/scan_codes.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// The scan by codes of any codec that says what the distance of the vectors is at least.
namespace vicinal::inline VICINAL_ABI::index::flat_scan {

/// A scorer that says it for certain.
template <class Scorer>
concept certain = requires(Scorer const& score, std::byte const* row) {
    score.rules_out(row, 0.0F, 0.0F);
};
/// One that says what is so but for few rows: at_least, or of a codec whose walks would stop too
/// late by it, likely_at_least.
template <class Scorer>
concept likely = requires(Scorer const& score, std::byte const* row) {
    score.likely_at_least(row, 0.0F);
}
|| requires(Scorer const& score, std::byte const* row) { score.at_least(row, 0.0F); };

/// Rules rows out by what is likely.
template <likely Scorer>
class by_estimate {
public:
    explicit by_estimate(Scorer score) noexcept : score_(std::move(score)) {}

    void four(std::byte const* const* rows, float* out) const noexcept { score_.four(rows, out); }
    [[nodiscard]] float reach(float farthest) const noexcept {
        if constexpr (requires { score_.likely_reach(farthest); })
            return score_.likely_reach(farthest);
        return farthest;
    }
    [[nodiscard]] bool rules_out(std::byte const* row, float distance, float reach) const noexcept {
        if constexpr (requires { score_.likely_beyond(row, distance, reach); })
            return score_.likely_beyond(row, distance, reach);
        else
            return at_least(row, distance) > reach;
    }
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        if constexpr (requires { score_.likely_at_least(row, distance); })
            return score_.likely_at_least(row, distance);
        else
            return score_.at_least(row, distance);
    }

private:
    Scorer score_;
};

inline constexpr code_columns columns_of_codes{"flat.codes", "flat.frame", "flat.model"};

/// The rows of one storage with their codes. Slots that are not covered, and all of them before a
/// codec has rows enough to learn from, are the caller's to compare.
template <class Codec, class Metric, class Storage>
class scored_rows
    : public flat_answers<scored_rows<Codec, Metric, Storage>, metric::element_of<Metric>> {
    /// Whether codes lie in blocks of 32.
    static constexpr bool in_blocks = codec::scan_blocks<Codec>;
    using own_codes = std::conditional_t<in_blocks, block_codes<Codec, Metric, Storage>,
                                         row_codes<Codec, Metric, Storage>>;
    using query_scorer = decltype(std::declval<Codec const&>().query(nullptr));

public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    static constexpr bool exact = certain<query_scorer>;
    static constexpr bool looks_at_all = true;
    static_assert(certain<query_scorer> || likely<query_scorer>,
                  "vicinal: index::flat leaves out by their codes what can't be among the nearest, "
                  "and this codec does not say what its codes lose: with it take index::hnsw or "
                  "index::ivf, or codes alone (index::flat<codec::only<...>>)");

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<scored_rows> open(typename Storage::space& space,
                                                  column const& vectors, std::size_t dim,
                                                  flat_options const&) {
        auto codes = own_codes::open(space, vectors, dim, columns_of_codes);
        VICINAL_CHECK(codes);
        if (vectors.rows() < codes->rows())
            return error{errc::corrupt_snapshot, "flat.codes of no more rows than the vectors",
                         std::to_string(codes->rows())};
        return scored_rows(std::move(*codes), vectors, dim);
    }

    [[nodiscard]] slot covered() const noexcept { return covered_; }

    /// Encodes the slots up to `until`, dead ones too. Declines where a codec has too few rows to
    /// learn from, and where vectors have more elements than the codec's sums hold. Errors:
    /// out_of_memory, io_failure; nothing is taken in then.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const&, Section const& section) {
        if (until <= covered_ || !codes_.ready(until)) return {};
        if constexpr (requires { Codec::most_elements; })
            if (dim_ > Codec::most_elements) return {};
        auto made =
            vicinal::detail::guarded([&] { return codes_.make(covered_, until, 1, section); });
        if (!made) {
            codes_.resize(covered_);
            return made;
        }
        section([&] {
            codes_.resize(until);
            covered_ = until;
        });
        return {};
    }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        covered_ = 0;
        codes_.resize(0);
        codes_.clear();
    }
    /// Adds to `out` what the columns are to hold when the slots of `kept` become slots 0, 1 and so
    /// on; they stay in place until that is written.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        auto const end = std::lower_bound(kept.begin(), kept.end(), covered_);
        codes_.compact(kept.first(static_cast<std::size_t>(end - kept.begin())), out);
        return {};
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept { covered_ = static_cast<slot>(codes_.rows()); }

    /// Offers the nearest of a list of covered slots, each once, that `keep` holds for.
    template <class Keep, class Before, class Tally = no_tally>
    void scan_listed(element const* query, std::span<slot const> slots, Keep const& keep,
                     nearest<Before>& best, Tally const& tally = {}) const {
        with_scan(query, best, tally, [&](auto& s) { s.among(slots, keep, best); });
    }
    /// Offers the nearest of the covered rows, with exact distances.
    template <class Keep, class Before, class Tally = no_tally>
    void scan(element const* query, Keep const& keep, nearest<Before>& best,
              Tally const& tally = {}) const {
        with_scan(query, best, tally, [&](auto& s) { s.all(covered_, keep, best); });
    }
    /// The same for many queries, one after the other.
    template <class Keep, class Before>
    [[nodiscard]] result<void> scan_batch(element const* queries, std::span<nearest<Before>> best,
                                          Keep const& keep, std::size_t threads) const {
        return run_parts(best.size(), 1, threads, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                for (auto i = first; i < last; ++i) scan(queries + i * dim_, keep, best[i]);
                return {};
            });
        });
    }

    /// No row is out of a scan's reach. For checks.
    template <class Live>
    [[nodiscard]] static std::vector<slot> unreachable(Live const&) {
        return {};
    }
    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept { return codes_.row_bytes(); }

private:
    scored_rows(own_codes codes, column const& vectors, std::size_t dim) noexcept
        : codes_(std::move(codes)), vectors_(&vectors), dim_(dim),
          covered_(static_cast<slot>(codes_.rows())) {}

    template <class Before, class Tally, class Use>
    void with_scan(element const* query, nearest<Before> const& best, Tally const& tally,
                   Use const& use) const {
        if (best.wanted() == 0 || covered_ == 0) return;
        auto const codes = codes_.reader();
        auto const vectors = vectors_->reader();
        if constexpr (in_blocks) {
            auto const score = codes_.codec().block_query(query);
            block_scan<Metric, decltype(score), decltype(codes), decltype(vectors), Tally> s(
                query, dim_, score, codes, codes_.lines(), vectors, tally);
            use(s);
        } else {
            using scorer =
                std::conditional_t<certain<query_scorer>, query_scorer, by_estimate<query_scorer>>;
            scorer const score(codes_.codec().query(query));
            code_scan<Metric, scorer, decltype(codes), decltype(vectors), Tally> s(
                query, dim_, score, codes, codes_.lines(), vectors, tally);
            use(s);
        }
    }

    own_codes codes_;
    column const* vectors_;
    std::size_t dim_;
    slot covered_;
};

} // namespace vicinal::inline VICINAL_ABI::index::flat_scan

#endif
