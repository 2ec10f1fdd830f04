// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_BLOCK_CODES_HPP
#define VICINAL_INDEX_FLAT_BLOCK_CODES_HPP

#include <vicinal/codec/blocked.hpp>
#include <vicinal/index/flat/block_scan.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/row_codes.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::flat_scan {

/// What row_codes is to codes that lie by themselves, to those of which 32 lie in a block: the
/// column of blocks, and one of a single row, how many slots have codes. The last block may have
/// rows without.
template <class Codec, class Metric, class Storage>
class block_codes {
public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<block_codes> open(typename Storage::space& space,
                                                  column const& vectors, std::size_t dim,
                                                  code_columns const& names) {
        return vicinal::detail::guarded([&] { return open_columns(space, vectors, dim, names); });
    }

    [[nodiscard]] static constexpr bool ready(slot) noexcept { return true; }
    [[nodiscard]] Codec const& codec() const noexcept { return codec_; }
    [[nodiscard]] auto reader() const noexcept { return blocks_->reader(); }
    [[nodiscard]] std::uint64_t rows() const noexcept {
        return *covered_->reader().template row_as<std::uint32_t>(0);
    }
    /// A 32nd of a block.
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return blocks_->row_bytes() / block_rows;
    }
    /// Cache lines of a block that are asked for ahead.
    [[nodiscard]] std::size_t lines() const noexcept {
        return (std::min)((blocks_->row_bytes() + 63) / 64, std::size_t{20});
    }

    /// Encodes the slots from `first`, as many as have codes, up to `until` on so many threads;
    /// where these bring enough rows for a frame, in one that suits them, and those before anew.
    /// May take memory. They have codes once resize() says so.
    template <class Section>
    [[nodiscard]] result<void> make(slot first, slot until, std::size_t threads,
                                    Section const& section) {
        if (first < framed_from && until >= framed_from)
            VICINAL_CHECK(choose_frame(first, until, section));
        VICINAL_CHECK(storage::reserve(*blocks_, blocks_of(until), section));
        // Others read the block that has rows already.
        auto const shared = (std::min)(until, blocks_of(first) * block_rows);
        std::vector<std::byte> some((shared - first) * codec_.row_bytes());
        std::vector<float> scratch(codec_.scratch());
        encode(first, shared, some.data(), scratch.data());
        auto const part = [&](std::size_t from, std::size_t to) {
            return vicinal::detail::guarded([&]() -> result<void> {
                std::vector<std::byte> codes(block_rows * codec_.row_bytes());
                std::vector<float> own(codec_.scratch());
                for (auto b = shared / block_rows + from; b < shared / block_rows + to; ++b) {
                    auto const at = static_cast<slot>(b) * block_rows;
                    auto const end = (std::min)(until, at + block_rows);
                    encode(at, end, codes.data(), own.data());
                    put(at, end, codes.data());
                }
                return {};
            });
        };
        VICINAL_CHECK(run_parts(blocks_of(until) - blocks_of(shared), 4, threads, part));
        // What was misread is encoded again with the next try.
        if (storage::fault_scope::met())
            return error{errc::io_failure, "vectors that can be read, to encode them"};
        section([&] { put(first, shared, some.data()); });
        return {};
    }

    /// Leaves the codes of the first `rows` slots. Inside the caller's section.
    void resize(slot rows) noexcept {
        blocks_->resize(blocks_of(rows));
        std::memcpy(covered_->edit(0), &rows, sizeof rows);
    }
    /// Forgets what codes are made in. Inside the caller's section.
    void clear() noexcept { put_frame({}); }

    /// The codes of the slots of `kept`, which become slots 0, 1 and so on.
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        auto const count = blocks_of(static_cast<slot>(kept.size()));
        out.push_back(storage::joined_runs(
            names_->codes, codec_.block_bytes(), std::uint64_t{count} * codec_.block_bytes(), count,
            [this, kept, from = blocks_->reader()](std::size_t b) {
                std::vector<std::byte> block(codec_.block_bytes()), code(codec_.row_bytes());
                auto const slots = kept.subspan(b * block_rows);
                for (std::size_t i = 0; i < (std::min)(slots.size(), std::size_t{block_rows});
                     ++i) {
                    codec_.take(from.row(slots[i] / block_rows), slots[i] % block_rows,
                                code.data());
                    codec_.put(code.data(), i, block.data());
                }
                return block;
            }));
        out.push_back(storage::owned_rows(covered_name, sizeof(slot),
                                          std::vector<slot>{static_cast<slot>(kept.size())}));
    }

private:
    static constexpr std::string_view covered_name = "flat.covered";

    block_codes(column const& vectors, std::size_t dim, code_columns const& names)
        : vectors_(&vectors), names_(&names), codec_(dim) {}

    [[nodiscard]] static constexpr slot blocks_of(slot rows) noexcept {
        return rows / block_rows + (rows % block_rows == 0 ? 0 : 1);
    }

    [[nodiscard]] static result<block_codes> open_columns(typename Storage::space& space,
                                                          column const& vectors, std::size_t dim,
                                                          code_columns const& names) {
        block_codes c(vectors, dim, names);
        auto blocks = space.column(names.codes, c.codec_.block_bytes(), storage::heat::warm);
        VICINAL_CHECK(blocks);
        c.blocks_ = *blocks;
        auto covered = space.column(covered_name, sizeof(slot), storage::heat::hot);
        VICINAL_CHECK(covered);
        c.covered_ = *covered;
        if (c.covered_->rows() == 0) {
            VICINAL_CHECK(storage::grow(*c.covered_, 1));
            slot const none = 0;
            std::memcpy(c.covered_->edit(0), &none, sizeof none);
        }
        if (c.covered_->rows() != 1 || c.blocks_->rows() != blocks_of(static_cast<slot>(c.rows())))
            return error{errc::corrupt_snapshot,
                         std::string(names.codes) + " of as many rows as flat.covered says",
                         std::to_string(c.blocks_->rows()) + " blocks for " +
                             std::to_string(c.rows())};
        auto frames = frame_column<column>::open(space, names.frame);
        VICINAL_CHECK(frames);
        auto frame = frames->get(dim);
        VICINAL_CHECK(frame);
        c.frames_ = *frames;
        c.codec_.put(std::move(*frame));
        return c;
    }

    template <class Section>
    [[nodiscard]] result<void> choose_frame(slot before, slot until, Section const& section) {
        auto const vectors = vectors_->reader();
        auto frame = codec_.fitting_frame(
            until, [&](std::size_t i) { return vectors.template row_as<element>(i); });
        VICINAL_CHECK(frames_.reserve(frame, section));
        std::vector<std::byte> codes(before * codec_.row_bytes());
        std::vector<float> scratch(codec_.scratch());
        section([&] {
            put_frame(std::move(frame));
            encode(0, before, codes.data(), scratch.data());
            put(0, before, codes.data());
        });
        return {};
    }
    void put_frame(codec::sq8_frame frame) noexcept {
        frames_.put(frame);
        codec_.put(std::move(frame));
    }

    /// The codes of some slots, one behind the other.
    void encode(slot first, slot last, std::byte* out, float* scratch) const noexcept {
        auto const vectors = vectors_->reader();
        for (auto s = first; s < last; ++s, out += codec_.row_bytes())
            codec_.encode_row(vectors.template row_as<element>(s), out, scratch);
    }
    /// Puts them into their blocks.
    void put(slot first, slot last, std::byte const* codes) noexcept {
        for (auto s = first; s < last; ++s, codes += codec_.row_bytes())
            codec_.put(codes, s % block_rows, blocks_->edit(s / block_rows));
    }

    column const* vectors_;
    code_columns const* names_;
    column* blocks_ = nullptr;
    column* covered_ = nullptr;
    frame_column<column> frames_;
    Codec codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::flat_scan

#endif
