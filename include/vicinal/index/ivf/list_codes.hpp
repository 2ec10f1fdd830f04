// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_LIST_CODES_HPP
#define VICINAL_INDEX_IVF_LIST_CODES_HPP

#include <vicinal/codec/blocked.hpp>
#include <vicinal/index/code_lines.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/ivf/code_view.hpp>
#include <vicinal/index/ivf/geometry.hpp>
#include <vicinal/index/ivf/lists.hpp>
#include <vicinal/index/ivf/residuals.hpp>
#include <vicinal/index/learnt_codec.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
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

/// Whether an index has no codes of its own: the codec reads the vectors, or a store keeps codes
/// alone.
template <class Codec>
concept codes_by_slot = Codec::reads_rows || codec::alone<Codec>;

/// The codes of the rows in the order of their places, so that those of a list lie one behind the
/// other, or 32 of them in a block where the codec has blocks (codec::block_codes). Those that lie
/// by slot: index/ivf/slot_codes.hpp.
template <class Codec, class Metric, class Storage>
class codes {
public:
    using column = typename Storage::column;
    using vectors_type = vectors_of<Codec, Storage>;
    static constexpr bool by_slot = false;
    static constexpr bool in_blocks = codec::blocked<Codec>;
    using codec_type = typename codec_in_lists<Codec, in_blocks>::type;
    using view = code_view<decltype(std::declval<column const&>().reader()),
                           in_blocks ? code_order::in_blocks : code_order::by_place>;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<codes> open(typename Storage::space& space, vectors_type const&,
                                            std::size_t dim, state const& s) {
        return vicinal::detail::guarded([&] { return open_columns(space, dim, s); });
    }

    /// Whether there can be codes of `until` rows: a codec that learns wants enough of them.
    [[nodiscard]] bool ready(slot until) const noexcept { return codec_.ready(until); }
    [[nodiscard]] codec_type const& codec() const noexcept { return *codec_; }
    [[nodiscard]] view look(columns<Storage> const& lists, state const& s) const noexcept {
        return {own_->reader(), lists.places().reader(), s.blocks * block_rows};
    }
    /// Of a block a 32nd.
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return own_->row_bytes() / (in_blocks ? block_rows : 1);
    }
    /// Cache lines of a code, or of a block, that are asked for ahead.
    [[nodiscard]] std::size_t lines() const noexcept {
        return code_lines(own_->row_bytes(), in_blocks ? 20 : 12);
    }

    /// Chooses what all codes are made in, of `rows` vectors of which row(i) is one, and of the
    /// centres of the lists, one behind the other; there are no codes yet.
    template <class Row, class Section>
    [[nodiscard]] result<void> train(std::size_t rows, Row const& row,
                                     std::span<float const> centres, Section const& section) {
        if constexpr (learnt::has_frame) {
            if (rows < framed_from) return {};
            auto frame = codec_->fitting_frame(rows, row);
            VICINAL_CHECK(codec_.reserve(frame, section));
            section([&] { codec_.put(std::move(frame)); });
        }
        if constexpr (learnt::learns) {
            auto const numbers = fit(rows, row, centres);
            VICINAL_CHECK(numbers);
            return codec_.learn(*numbers, section);
        }
        return {};
    }
    /// Room for the codes of so many blocks.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::uint64_t blocks, Section const& section) {
        return storage::reserve(*own_, blocks * (in_blocks ? 1 : block_rows), section);
    }
    /// Bytes that encode() writes for a vector.
    [[nodiscard]] std::size_t encoded_bytes() const noexcept { return codec_->row_bytes(); }
    [[nodiscard]] std::size_t scratch_floats() const noexcept {
        auto const own = in_blocks ? dim_ : std::size_t{0};
        if constexpr (requires { codec_->scratch(); }) return own + codec_->scratch();
        return own;
    }
    /// centre: that of the list that the vector goes to.
    void encode(float const* vector, float const* centre, std::byte* out,
                float* scratch) const noexcept {
        if constexpr (in_blocks) {
            geometry<Metric>::bring(vector, dim_, scratch);
            for (std::size_t i = 0; i < dim_; ++i) scratch[i] -= centre[i];
            codec_->encode_row(scratch, centre, out, scratch + dim_);
        } else if constexpr (requires { codec_->scratch(); }) {
            codec_->encode_row(vector, out, scratch);
        } else {
            codec_->encode_row(vector, out);
        }
        static_cast<void>(centre);
        static_cast<void>(scratch);
    }
    /// Inside the section.
    void put(std::uint32_t place, std::byte const* code) noexcept {
        if constexpr (in_blocks)
            codec_->put(code, place % block_rows, own_->edit(place / block_rows));
        else
            std::memcpy(own_->edit(place), code, row_bytes());
    }
    /// Adds to `out` the codes of those slots, one behind the other; none for a place that no slot
    /// takes. In blocks a place whose number in `other` is not none gets the code of that number.
    void compact(columns<Storage> const& lists, std::vector<std::uint32_t> slots, recoded other,
                 std::vector<storage::replacement>& out) const {
        if constexpr (in_blocks) {
            auto const blocks = slots.size() / block_rows;
            out.push_back(storage::joined_runs(
                "ivf.codes", codec_->block_bytes(), blocks * codec_->block_bytes(), blocks,
                [this, now = look(lists, lists.get()), of = std::move(slots),
                 other = std::move(other)](std::size_t b) {
                    return block_of(now, std::span(of).subspan(b * block_rows, block_rows),
                                    std::span(other.number).subspan(b * block_rows, block_rows),
                                    other.bytes);
                }));
        } else {
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
        codec_.clear();
        own_->resize(0);
    }
    /// Bytes of the codes of those blocks.
    [[nodiscard]] std::uint64_t bytes(state const& s) const noexcept {
        return std::uint64_t{s.blocks} * block_rows * row_bytes();
    }

private:
    using learnt = learnt_codec<codec_type, column>;

    explicit codes(std::size_t dim) : dim_(dim), codec_(dim) {}

    /// What a row of the column takes.
    [[nodiscard]] std::size_t width() const noexcept {
        if constexpr (in_blocks)
            return codec_->block_bytes();
        else
            return codec_->row_bytes();
    }

    template <class Row>
    [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row,
                                                 std::span<float const> centres) const {
        static_cast<void>(centres);
        if constexpr (in_blocks)
            return fit_residuals<Metric>(*codec_, rows, row, centres, dim_);
        else
            return codec_->fit(rows, row);
    }

    /// A block of the codes of 32 slots, of which `other` says which have another by now.
    [[nodiscard]] std::vector<std::byte> block_of(view const& now,
                                                  std::span<std::uint32_t const> slots,
                                                  std::span<std::uint32_t const> other,
                                                  std::span<std::byte const> others) const {
        std::vector<std::byte> block(codec_->block_bytes()), code(codec_->row_bytes());
        for (std::size_t i = 0; i < block_rows; ++i) {
            if (slots[i] == none) continue;
            if (other[i] != none) {
                codec_->put(others.data() + other[i] * codec_->row_bytes(), i, block.data());
                continue;
            }
            auto const place = now.place_of(slots[i]);
            codec_->take(now.block(place / block_rows), place % block_rows, code.data());
            codec_->put(code.data(), i, block.data());
        }
        return block;
    }

    [[nodiscard]] static result<codes> open_columns(typename Storage::space& space, std::size_t dim,
                                                    state const& s) {
        codes c(dim);
        auto own = space.column("ivf.codes", c.width(), storage::heat::warm);
        VICINAL_CHECK(own);
        c.own_ = *own;
        if (c.own_->rows() < std::uint64_t{s.blocks} * (in_blocks ? 1 : block_rows))
            return error{errc::corrupt_snapshot,
                         "ivf.codes of " + std::to_string(s.blocks) + " blocks",
                         std::to_string(c.own_->rows()) + " rows"};
        VICINAL_CHECK(c.codec_.bind(space, "ivf.frame", "ivf.model", s.covered > 0));
        return c;
    }

    column* own_ = nullptr;
    std::size_t dim_;
    learnt codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
