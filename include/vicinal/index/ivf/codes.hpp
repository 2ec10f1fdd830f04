// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_CODES_HPP
#define VICINAL_INDEX_IVF_CODES_HPP

#include <vicinal/codec/blocked.hpp>
#include <vicinal/codec/concept.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/ivf/geometry.hpp>
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

/// Codes of rows that go to another list when lists are compacted: `number` says for each row which
/// of those that lie in `bytes` is its own, or none where it keeps the one that it has.
struct recoded {
    std::vector<std::byte> bytes;
    std::vector<std::uint32_t> number;
};

template <class Codec, bool Blocks>
struct codec_in_lists {
    using type = Codec;
};
template <class Codec>
struct codec_in_lists<Codec, true> {
    using type = typename Codec::blocks;
};

/// The codes of the rows in the order of their places, so that those of a list lie one behind the
/// other, or 32 of them in a block where the codec has blocks (codec::block_codes); or by slot,
/// where the codec reads the vectors and where a store keeps codes alone.
template <class Codec, class Metric, class Storage>
class codes {
public:
    using column = typename Storage::column;
    using vectors_type = vectors_of<Codec, Storage>;
    static constexpr bool by_slot = Codec::reads_rows || codec::alone<Codec>;
    static constexpr bool in_blocks = !by_slot && codec::blocked<Codec>;
    using codec_type = typename codec_in_lists<Codec, in_blocks>::type;
    using reader = decltype(std::declval<column const&>().reader());

    /// Codes as a search finds them, by slot or by place.
    struct view {
        static constexpr bool scattered = by_slot;
        static constexpr bool in_blocks = codes::in_blocks;
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
        [[nodiscard]] std::byte const* block(std::uint32_t b) const noexcept { return rows.row(b); }
        void prefetch_block(std::uint32_t b, std::size_t lines) const noexcept {
            rows.prefetch(b, lines);
        }

        /// Where a slot lies, or any other where a damaged file names no place.
        [[nodiscard]] std::uint32_t place_of(slot s) const noexcept {
            auto const place = *places.template row_as<std::uint32_t>(s);
            return place < end ? place : 0;
        }

    private:
        [[nodiscard]] std::uint32_t row_of(slot s) const noexcept {
            if constexpr (by_slot) return s;
            return in_blocks ? place_of(s) / block_rows : place_of(s);
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
        else if constexpr (codec::needs_model<codec_type>)
            return codec_.has_model() || until >= codec_type::trains_from;
        static_cast<void>(until);
        return true;
    }
    [[nodiscard]] codec_type const& codec() const noexcept {
        if constexpr (codec::alone<Codec>)
            return vectors_->codec();
        else
            return codec_;
    }
    [[nodiscard]] view look(columns<Storage> const& lists, state const& s) const noexcept {
        return {all().reader(), lists.places().reader(), s.blocks * block_rows};
    }
    /// Of a block a 32nd.
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return all().row_bytes() / (in_blocks ? block_rows : 1);
    }
    /// Cache lines of a code, or of a block, that are asked for ahead.
    [[nodiscard]] std::size_t lines() const noexcept {
        return (std::min)((all().row_bytes() + 48 + 63) / 64, std::size_t{in_blocks ? 20 : 12});
    }

    /// Chooses what all codes are made in, of `rows` vectors of which row(i) is one, and of the
    /// centres of the lists, one behind the other; there are no codes yet.
    template <class Row, class Section>
    [[nodiscard]] result<void> train(std::size_t rows, Row const& row,
                                     std::span<float const> centres, Section const& section) {
        if constexpr (has_frame) {
            if (rows < framed_from) return {};
            auto frame = codec_.fitting_frame(rows, row);
            VICINAL_CHECK(frames_.reserve(frame, section));
            section([&] { put_frame(std::move(frame)); });
        }
        if constexpr (learns) {
            auto const numbers = fit(rows, row, centres);
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
        if constexpr (!by_slot)
            return storage::reserve(*own_, blocks * (in_blocks ? 1 : block_rows), section);
        return {};
    }
    /// Bytes that encode() writes for a vector.
    [[nodiscard]] std::size_t encoded_bytes() const noexcept {
        if constexpr (by_slot)
            return 0;
        else
            return codec_.row_bytes();
    }
    [[nodiscard]] std::size_t scratch_floats() const noexcept {
        auto const own = in_blocks ? dim_ : std::size_t{0};
        if constexpr (requires { codec_.scratch(); }) return own + codec_.scratch();
        return own;
    }
    /// centre: that of the list that the vector goes to.
    void encode(float const* vector, float const* centre, std::byte* out,
                float* scratch) const noexcept {
        if constexpr (in_blocks) {
            geometry<Metric>::bring(vector, dim_, scratch);
            for (std::size_t i = 0; i < dim_; ++i) scratch[i] -= centre[i];
            codec_.encode_row(scratch, centre, out, scratch + dim_);
        } else if constexpr (!by_slot) {
            if constexpr (requires { codec_.scratch(); })
                codec_.encode_row(vector, out, scratch);
            else
                codec_.encode_row(vector, out);
        }
        static_cast<void>(centre);
        static_cast<void>(scratch);
    }
    /// Inside the section.
    void put(std::uint32_t place, std::byte const* code) noexcept {
        if constexpr (in_blocks)
            codec_.put(code, place % block_rows, own_->edit(place / block_rows));
        else if constexpr (!by_slot)
            std::memcpy(own_->edit(place), code, row_bytes());
    }
    /// Adds to `out` the codes of those slots, one behind the other; none for a place that no slot
    /// takes. In blocks a place whose number in `other` is not none gets the code of that number.
    void compact(columns<Storage> const& lists, std::vector<std::uint32_t> slots, recoded other,
                 std::vector<storage::replacement>& out) const {
        if constexpr (in_blocks) {
            auto const blocks = slots.size() / block_rows;
            out.push_back(storage::joined_runs(
                "ivf.codes", codec_.block_bytes(), blocks * codec_.block_bytes(), blocks,
                [this, now = look(lists, lists.get()), of = std::move(slots),
                 other = std::move(other)](std::size_t b) {
                    return block_of(now, std::span(of).subspan(b * block_rows, block_rows),
                                    std::span(other.number).subspan(b * block_rows, block_rows),
                                    other.bytes);
                }));
        } else if constexpr (!by_slot) {
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
    /// Bytes of the codes of those blocks.
    [[nodiscard]] std::uint64_t bytes(state const& s) const noexcept {
        if constexpr (by_slot) return 0;
        return std::uint64_t{s.blocks} * block_rows * row_bytes();
    }

private:
    static constexpr bool has_frame = framed<codec_type> && !by_slot;
    static constexpr bool learns = codec::needs_model<codec_type> && !by_slot;

    codes(vectors_type const& vectors, std::size_t dim)
        : vectors_(&vectors), dim_(dim), codec_(dim) {}

    /// What a row of the column takes.
    [[nodiscard]] std::size_t width() const noexcept {
        if constexpr (in_blocks)
            return codec_.block_bytes();
        else
            return codec_.row_bytes();
    }

    /// What a codec learns, which of one in blocks are the vectors beyond their centres.
    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row,
                                                 std::span<float const> centres) const {
        if constexpr (in_blocks) {
            auto const count = centres.size() / dim_;
            std::vector<float> beyond(dim_), distances(count), middle(dim_);
            // Medians, as one centre that is far away would move the mean of all.
            for (std::size_t i = 0; i < dim_; ++i) {
                for (std::size_t c = 0; c < count; ++c) distances[c] = centres[c * dim_ + i];
                auto const half = distances.begin() + static_cast<std::ptrdiff_t>(count / 2);
                std::nth_element(distances.begin(), half, distances.end());
                middle[i] = *half;
            }
            auto const residual = [&](std::size_t i) {
                geometry<Metric>::bring(row(i), dim_, beyond.data());
                geometry<metric::squared_l2>::distances(beyond.data(), centres.data(), count, dim_,
                                                        distances.data());
                auto const nearest = static_cast<std::size_t>(
                    std::min_element(distances.begin(), distances.end()) - distances.begin());
                for (std::size_t j = 0; j < dim_; ++j) beyond[j] -= centres[nearest * dim_ + j];
                return beyond.data();
            };
            return codec_.fit(rows, residual, middle);
        } else {
            static_cast<void>(centres);
            return codec_.fit(rows, row);
        }
    }

    /// A block of the codes of 32 slots, of which `other` says which have another by now.
    [[nodiscard]] std::vector<std::byte> block_of(view const& now,
                                                  std::span<std::uint32_t const> slots,
                                                  std::span<std::uint32_t const> other,
                                                  std::span<std::byte const> others) const {
        std::vector<std::byte> block(codec_.block_bytes()), code(codec_.row_bytes());
        for (std::size_t i = 0; i < block_rows; ++i) {
            if (slots[i] == none) continue;
            if (other[i] != none) {
                codec_.put(others.data() + other[i] * codec_.row_bytes(), i, block.data());
                continue;
            }
            auto const place = now.place_of(slots[i]);
            codec_.take(now.block(place / block_rows), place % block_rows, code.data());
            codec_.put(code.data(), i, block.data());
        }
        return block;
    }

    [[nodiscard]] static result<codes> open_columns(typename Storage::space& space,
                                                    vectors_type const& vectors, std::size_t dim,
                                                    state const& s) {
        codes c(vectors, dim);
        if constexpr (!by_slot) {
            auto own = space.column("ivf.codes", c.width(), storage::heat::warm);
            VICINAL_CHECK(own);
            c.own_ = *own;
            if (c.own_->rows() < std::uint64_t{s.blocks} * (in_blocks ? 1 : block_rows))
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
    std::size_t dim_;
    codec_type codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
