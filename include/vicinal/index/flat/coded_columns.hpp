// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_CODED_COLUMNS_HPP
#define VICINAL_INDEX_FLAT_CODED_COLUMNS_HPP

#include <vicinal/codec/sq8.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/flat/coded_rows.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::flat_scan {

/// The codes of codec::sq8 beside the vectors of a scan: a column of them, and one of what each row
/// says of its own. There are none of vectors with more elements than the codec's sums hold.
template <class Metric, class Storage>
class coded_columns {
    using codec_type = codec::sq8::of<Metric>;

public:
    using column = typename Storage::column;
    using reader = decltype(std::declval<column const&>().reader());

    coded_columns(column const& vectors, std::size_t dim) noexcept
        : vectors_(&vectors), codec_(dim), dim_(dim) {}

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] result<void> open(typename Storage::space& space) {
        if (dim_ > codec_type::most_elements) return {};
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
        return {};
    }

    [[nodiscard]] bool there() const noexcept { return codes_ != nullptr; }
    [[nodiscard]] slot rows() const noexcept { return static_cast<slot>(codes_->rows()); }
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return dim_ + sizeof(codec::sq8_factors);
    }
    [[nodiscard]] codec_type const& codec() const noexcept { return codec_; }
    /// The first `count` rows as a query sees them.
    [[nodiscard]] coded_rows<Metric, reader> look(slot count) const noexcept {
        return {&codec_, codes_->reader(), factors_->reader(), vectors_->reader(), count, dim_};
    }

    /// Encodes the slots from `first`, as many as have codes, up to `until`; where these bring
    /// enough rows for a frame, in one that suits them, and those before anew. May take memory.
    template <class Section>
    [[nodiscard]] result<void> encode(slot first, slot until, Section const& section) {
        for (auto* c : {codes_, factors_})
            if (until > c->capacity()) {
                VICINAL_CHECK(c->prepare(until));
                section([&] { c->commit(); });
            }
        std::vector<float> scratch(dim_);
        if (first < framed_from && until >= framed_from) {
            auto const vectors = vectors_->reader();
            auto frame = codec_.fitting_frame(
                until, [&](std::size_t i) { return vectors.template row_as<float>(i); });
            VICINAL_CHECK(frames_.reserve(frame, section));
            section([&] {
                put(std::move(frame));
                encode_rows(0, first, scratch.data());
            });
        }
        codes_->resize(until);
        factors_->resize(until);
        encode_rows(first, until, scratch.data());
        // Both columns have as many rows as are encoded, and none that was misread.
        if (storage::fault_scope::met()) {
            codes_->resize(first);
            factors_->resize(first);
            return error{errc::io_failure, "vectors that can be read, to encode them"};
        }
        return {};
    }
    /// Forgets every row, and the frame. Inside the caller's section.
    void clear() noexcept {
        codes_->resize(0);
        factors_->resize(0);
        put({});
    }
    /// The codes of the slots of `kept`, which become slots 0, 1 and so on.
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        out.push_back(storage::chosen_rows("flat.codes", *codes_, kept));
        out.push_back(storage::chosen_rows("flat.factors", *factors_, kept));
    }

private:
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

    column const* vectors_;
    /// Null where there are no codes.
    column* codes_ = nullptr;
    column* factors_ = nullptr;
    frame_column<column> frames_;
    codec_type codec_;
    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::index::flat_scan

#endif
