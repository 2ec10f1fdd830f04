// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_HPP
#define VICINAL_INDEX_FLAT_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/flat/answers.hpp>
#include <vicinal/index/flat/scored_rows.hpp>
#include <vicinal/index/flat/two_phase.hpp>
#include <vicinal/index/flat/two_phase_batch.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

namespace flat_scan {

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
        if constexpr (two_phase) VICINAL_CHECK(index.open_codes(space));
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
            if (codes_)
                VICINAL_CHECK(vicinal::detail::guarded([&] { return encode(until, section); }));
        section([&] { covered_ = until; });
        return {};
    }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        covered_ = 0;
        if (codes_) {
            codes_->resize(0);
            factors_->resize(0);
            if constexpr (two_phase) put({});
        }
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept` become slots 0, 1 and so
    /// on; they stay in place until that is written.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        if (codes_) {
            out.push_back(storage::chosen_rows("flat.codes", *codes_, kept));
            out.push_back(storage::chosen_rows("flat.factors", *factors_, kept));
        }
        return {};
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {
        covered_ = static_cast<slot>(codes_ ? codes_->rows() : vectors_->rows());
    }

    /// Offers what of a list of covered slots, each once, `keep` holds for.
    template <class Keep, class Before, class Tally = no_tally>
    void scan_listed(element const* query, std::span<slot const> slots, Keep const& keep,
                     nearest<Before>& best, Tally const& tally = {}) const {
        if constexpr (two_phase) {
            if (codes_) {
                auto const rows = coded_view();
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
            if (codes_) {
                auto const rows = coded_view();
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
                    if (codes_ && part.size() >= least_batch) {
                        auto const rows = coded_view();
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
            if (!codes_) return lost;
            auto const rows = coded_view();
            for (slot s = 0; s < covered_; ++s)
                if (live(s) && !codec_.holds(rows.vector(s), rows.code(s),
                                             *rows.factors.template row_as<codec::sq8_factors>(s)))
                    lost.push_back(s);
        }
        static_cast<void>(live);
        return lost;
    }

    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept {
        return codes_ ? dim_ + sizeof(codec::sq8_factors) : 0;
    }

private:
    static constexpr std::size_t least_batch = 4;
    using reader = decltype(std::declval<column const&>().reader());

    plain_rows(vectors_type const& vectors, std::size_t dim) noexcept
        : vectors_(&vectors), codec_(dim), dim_(dim), covered_(static_cast<slot>(vectors.rows())) {}

    [[nodiscard]] result<void> open_codes(typename Storage::space& space) {
        if (dim_ > coded::most_elements) return {};
        auto codes = space.column("flat.codes", dim_, storage::heat::warm);
        VICINAL_CHECK(codes);
        auto factors =
            space.column("flat.factors", sizeof(codec::sq8_factors), storage::heat::warm);
        VICINAL_CHECK(factors);
        auto const n = (*codes)->rows();
        if ((*factors)->rows() != n || vectors_->rows() < n)
            return error{errc::corrupt_snapshot,
                         "flat.codes and flat.factors of one length, no more than the vectors",
                         std::to_string(n) + " and " + std::to_string((*factors)->rows())};
        auto frames = frame_column<column>::open(space, "flat.frame");
        VICINAL_CHECK(frames);
        auto frame = frames->get(dim_);
        VICINAL_CHECK(frame);
        codec_.put(std::move(*frame));
        frames_ = *frames;
        codes_ = *codes;
        factors_ = *factors;
        covered_ = static_cast<slot>(n);
        return {};
    }

    template <class Section>
    [[nodiscard]] result<void> encode(slot until, Section const& section) {
        for (auto* c : {codes_, factors_})
            if (until > c->capacity()) {
                VICINAL_CHECK(c->prepare(until));
                section([&] { c->commit(); });
            }
        std::vector<float> scratch(dim_);
        if (covered_ < framed_from && until >= framed_from) {
            auto const vectors = vectors_->reader();
            auto frame = codec_.fitting_frame(
                until, [&](std::size_t i) { return vectors.template row_as<float>(i); });
            VICINAL_CHECK(frames_.reserve(frame, section));
            section([&] {
                put(std::move(frame));
                encode_rows(0, covered_, scratch.data());
            });
        }
        codes_->resize(until);
        factors_->resize(until);
        encode_rows(covered_, until, scratch.data());
        // Both columns have as many rows as are encoded, and none that was misread.
        if (storage::fault_scope::met()) {
            codes_->resize(covered_);
            factors_->resize(covered_);
            return error{errc::io_failure, "vectors that can be read, to encode them"};
        }
        return {};
    }
    void encode_rows(slot first, slot last, float* scratch) noexcept {
        auto const vectors = vectors_->reader();
        for (auto s = first; s < last; ++s) {
            auto const factors =
                codec_.encode(vectors.template row_as<float>(s),
                              reinterpret_cast<std::uint8_t*>(codes_->edit(s)), scratch);
            std::memcpy(factors_->edit(s), &factors, sizeof factors);
        }
    }
    /// The frame of codes that are made from now on.
    void put(codec::sq8_frame frame) noexcept {
        frames_.put(frame);
        codec_.put(std::move(frame));
    }

    [[nodiscard]] auto coded_view() const noexcept {
        return coded_rows<Metric, reader>{
            &codec_, codes_->reader(), factors_->reader(), vectors_->reader(), covered_, dim_};
    }

    vectors_type const* vectors_;
    /// Null where there is one phase only.
    column* codes_ = nullptr;
    column* factors_ = nullptr;
    frame_column<column> frames_;
    coded codec_;
    std::size_t dim_;
    slot covered_;
};

} // namespace flat_scan

/// Looks at every row: exact, no build.
///
/// With codec::sq8 (two-phase) it reads dim + 16 bytes of codes a row and the vectors only of rows
/// that the codes can't rule out, with the same answer to the last bit: a quarter of the bytes, and
/// many queries at once share what is read. Costs those bytes of memory beside the vectors. With
/// codec::sq4 it does so with half the bytes, exactly too, where rows differ by more than the steps
/// of their codes. With codec::f32, and where the codec has no bound (another metric, other
/// elements, more than 32,768 dimensions), it compares every vector. With codec::only it decodes
/// every row's codes.
///
/// With codec::rabitq, and with codec::pca, it reads fewer bytes still and is exact but for a few:
/// what codes say of a distance is likely, not certain. Of rabitq's one neighbour in some 2,000 may
/// be ruled out (codec::rabitq_certainty); `.exact` of a search compares every vector. Codes of
/// rabitq<1> are scored 32 rows at a time: where one neighbour in 2,000 may be missing it is the
/// fastest scan from some 100 elements on.
template <codec::model Codec = codec::f32>
struct flat {
    using options = flat_options;
    using codec_type = Codec;
    static constexpr bool takes_codes_alone = true;
    static constexpr std::string_view name = "flat";

    /// Nothing to choose, so nothing to refuse.
    [[nodiscard]] static result<void> check(flat_options const&) { return {}; }

    template <metric::model Metric, storage::model Storage>
    using of = std::conditional_t<
        flat_scan::coded_beside<typename Codec::template of<Metric>> &&
            !std::same_as<Codec, codec::sq8>,
        flat_scan::scored_rows<typename Codec::template of<Metric>, Metric, Storage>,
        flat_scan::plain_rows<Codec, Metric, Storage>>;
};

static_assert(model<flat<>>);
static_assert(model<flat<codec::sq8>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif
