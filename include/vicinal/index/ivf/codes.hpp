// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_CODES_HPP
#define VICINAL_INDEX_IVF_CODES_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/ivf/lists.hpp>
#include <vicinal/index/model_column.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// The codes of the rows in the order of their places, so that those of a list lie one behind the
/// other; or by slot, where the codec reads the vectors and where a store keeps codes alone.
template <class Codec, class Metric, class Storage>
class codes {
public:
    using column = typename Storage::column;
    using vectors_type = vectors_of<Codec, Storage>;
    static constexpr bool by_slot = Codec::reads_rows || codec::alone<Codec>;
    using reader = decltype(std::declval<column const&>().reader());

    /// Codes as a search finds them, by slot or by place.
    struct view {
        static constexpr bool scattered = by_slot;
        reader rows;
        reader places;
        /// Places there are.
        std::uint32_t end;

        /// The code of a slot; that of any other where a damaged file names no place.
        [[nodiscard]] std::byte const* row(slot s) const noexcept { return rows.row(row_of(s)); }
        void prefetch(slot s, std::size_t lines) const noexcept { rows.prefetch(row_of(s), lines); }
        [[nodiscard]] std::byte const* at(std::uint32_t place, slot s) const noexcept {
            return rows.row(by_slot ? s : place);
        }

    private:
        [[nodiscard]] std::uint32_t row_of(slot s) const noexcept {
            if constexpr (by_slot) return s;
            auto const place = *places.template row_as<std::uint32_t>(s);
            return place < end ? place : 0;
        }
    };

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<codes> open(typename Storage::space& space,
                                            vectors_type const& vectors, std::size_t dim,
                                            state const& s) {
        return vicinal::detail::guarded([&] { return open_columns(space, vectors, dim, s); });
    }

    /// Whether there can be codes of `until` rows: a codec that learns wants enough of them.
    [[nodiscard]] bool ready(slot until) const noexcept {
        if constexpr (codec::alone<Codec>)
            return vectors_->coded();
        else if constexpr (codec::needs_model<Codec>)
            return codec_.has_model() || until >= Codec::trains_from;
        static_cast<void>(until);
        return true;
    }
    [[nodiscard]] Codec const& codec() const noexcept {
        if constexpr (codec::alone<Codec>)
            return vectors_->codec();
        else
            return codec_;
    }
    [[nodiscard]] view look(columns<Storage> const& lists, state const& s) const noexcept {
        return {all().reader(), lists.places().reader(), s.blocks * block_rows};
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return all().row_bytes(); }
    /// Cache lines of a code that are asked for ahead.
    [[nodiscard]] std::size_t lines() const noexcept {
        return (std::min)((row_bytes() + 48 + 63) / 64, std::size_t{12});
    }

    /// Chooses what all codes are made in, of `rows` vectors of which row(i) is one; there are no
    /// codes yet.
    template <class Row, class Section>
    [[nodiscard]] result<void> train(std::size_t rows, Row const& row, Section const& section) {
        if constexpr (has_frame) {
            if (rows < framed_from) return {};
            auto frame = codec_.fitting_frame(rows, row);
            VICINAL_CHECK(frames_.reserve(frame, section));
            section([&] { put_frame(std::move(frame)); });
        }
        if constexpr (learns) {
            auto const numbers = codec_.fit(rows, row);
            VICINAL_CHECK(numbers);
            VICINAL_CHECK(model_.reserve(numbers->size(), section));
            // No list has a row yet: no search reads the codec.
            if (!codec_.put_model(*numbers))
                return error{errc::not_finite, "vectors that a codec can learn from",
                             "elements beyond its range"};
            section([&] { model_.put(*numbers); });
        }
        return {};
    }
    /// Room for the codes of so many blocks.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::uint64_t blocks, Section const& section) {
        if constexpr (!by_slot) return storage::reserve(*own_, blocks * block_rows, section);
        return {};
    }
    /// Bytes that encode() writes for a vector.
    [[nodiscard]] std::size_t encoded_bytes() const noexcept {
        if constexpr (by_slot) return 0;
        return row_bytes();
    }
    [[nodiscard]] std::size_t scratch_floats() const noexcept {
        if constexpr (requires { codec_.scratch(); }) return codec_.scratch();
        return 0;
    }
    void encode(float const* vector, std::byte* out, float* scratch) const noexcept {
        if constexpr (!by_slot) {
            if constexpr (requires { codec_.scratch(); })
                codec_.encode_row(vector, out, scratch);
            else
                codec_.encode_row(vector, out);
        }
        static_cast<void>(scratch);
    }
    /// Inside the section.
    void put(std::uint32_t place, std::byte const* code) noexcept {
        if constexpr (!by_slot) std::memcpy(own_->edit(place), code, row_bytes());
    }
    /// Adds to `out` the codes of those slots, one behind the other; none for a place that no slot
    /// takes.
    void compact(columns<Storage> const& lists, std::vector<std::uint32_t> slots,
                 std::vector<storage::replacement>& out) const {
        if constexpr (!by_slot) {
            auto const count = slots.size();
            out.push_back(storage::joined_runs(
                "ivf.codes", row_bytes(), std::uint64_t{count} * row_bytes(), count,
                [now = look(lists, lists.get()), of = std::move(slots),
                 width = row_bytes()](std::size_t i) {
                    return std::span<std::byte const>(now.row(of[i] == none ? 0 : of[i]), width);
                }));
        }
    }
    void clear() noexcept {
        if constexpr (has_frame) put_frame({});
        if constexpr (learns) {
            model_.put({});
            static_cast<void>(codec_.put_model({}));
        }
        if constexpr (!by_slot) own_->resize(0);
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        if constexpr (by_slot) return 0;
        return own_->rows() * own_->row_bytes();
    }

private:
    static constexpr bool has_frame = framed<Codec> && !by_slot;
    static constexpr bool learns = codec::needs_model<Codec> && !by_slot;

    codes(vectors_type const& vectors, std::size_t dim) : vectors_(&vectors), codec_(dim) {}

    [[nodiscard]] static result<codes> open_columns(typename Storage::space& space,
                                                    vectors_type const& vectors, std::size_t dim,
                                                    state const& s) {
        codes c(vectors, dim);
        if constexpr (!by_slot) {
            auto own = space.column("ivf.codes", c.codec_.row_bytes(), storage::heat::warm);
            VICINAL_CHECK(own);
            c.own_ = *own;
            if (c.own_->rows() < std::uint64_t{s.blocks} * block_rows)
                return error{errc::corrupt_snapshot,
                             "ivf.codes of " + std::to_string(s.blocks) + " blocks",
                             std::to_string(c.own_->rows()) + " rows"};
        }
        if constexpr (has_frame) {
            auto frames = frame_column<column>::open(space, "ivf.frame");
            VICINAL_CHECK(frames);
            auto frame = frames->get(dim);
            VICINAL_CHECK(frame);
            c.frames_ = *frames;
            c.codec_.put(std::move(*frame));
        }
        if constexpr (learns) {
            auto model = model_column<column>::open(space, "ivf.model", c.codec_);
            VICINAL_CHECK(model);
            c.model_ = *model;
            if (s.covered > 0 && c.model_.empty())
                return error{errc::corrupt_snapshot, "codes with what they were learnt from",
                             "no ivf.model"};
        }
        return c;
    }

    void put_frame(codec::sq8_frame frame) noexcept {
        frames_.put(frame);
        codec_.put(std::move(frame));
    }
    [[nodiscard]] column const& all() const noexcept {
        if constexpr (codec::alone<Codec>)
            return vectors_->codes();
        else if constexpr (by_slot)
            return *vectors_;
        else
            return *own_;
    }

    vectors_type const* vectors_;
    /// Null where codes lie by slot.
    column* own_ = nullptr;
    frame_column<column> frames_;
    model_column<column> model_;
    Codec codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
