// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_DECODED_VECTORS_HPP
#define VICINAL_INDEX_DECODED_VECTORS_HPP

#include <vicinal/codec/only.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/model_column.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// The vectors of a store that keeps codes alone, as an index and a query read them.
namespace vicinal::inline VICINAL_ABI::index {

/// Codes as one query sees them, decoded when they are asked for. A row stays in place while the
/// reader lives and until 16 others were asked for; a copy of a reader begins with nothing. One
/// thread uses a reader. Where there is no memory for 16 vectors, rows are zeros and the
/// fault_scope knows.
template <class Codec, class Reader>
class decoding_reader {
public:
    static constexpr bool pages = Reader::pages;
    /// A row costs more than its reading: whoever compares it with many keeps a copy.
    static constexpr bool decodes = true;

    /// `codec` is null where the rows are vectors, and not codes yet. zeros: as many as a vector
    /// takes to be decoded, dim at least.
    decoding_reader(Reader rows, Codec const* codec, std::span<float const> zeros) noexcept
        : rows_(std::move(rows)), codec_(codec), zeros_(zeros) {}
    decoding_reader(decoding_reader const& other) noexcept
        : decoding_reader(other.rows_, other.codec_, other.zeros_) {}
    decoding_reader(decoding_reader&&) noexcept = default;
    decoding_reader& operator=(decoding_reader other) noexcept {
        rows_ = std::move(other.rows_);
        codec_ = other.codec_;
        zeros_ = other.zeros_;
        held_ = std::move(other.held_);
        next_ = other.next_;
        return *this;
    }
    ~decoding_reader() = default;

    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        static_assert(std::is_same_v<T, float>, "codes stand for floats");
        if (codec_ == nullptr) return rows_.template row_as<float>(i);
        auto const width = zeros_.size();
        if (!held_) {
            held_.reset(new (std::nothrow) float[kept * width]);
            if (!held_) {
                storage::fault_scope::note([] { return error{errc::out_of_memory}; });
                return zeros_.data();
            }
        }
        auto* const out = held_.get() + next_++ % kept * width;
        codec_->decode_row(rows_.row(i), out);
        return out;
    }
    [[nodiscard]] std::byte const* row(std::uint64_t i) const noexcept {
        return reinterpret_cast<std::byte const*>(row_as<float>(i));
    }
    void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        auto const most =
            codec_ == nullptr ? lines : (codec_->row_bytes() + 48 + 63) / std::size_t{64};
        rows_.prefetch(i, (std::min)(lines, most));
    }

private:
    static constexpr std::size_t kept = 16;

    Reader rows_;
    Codec const* codec_;
    std::span<float const> zeros_;
    mutable std::unique_ptr<float[]> held_;
    mutable std::size_t next_ = 0;
};

/// The columns of a codec that stands alone: `codes`; and of one that learns from rows, `model`,
/// its numbers, and `vectors`, where the first rows are kept until there are enough of them.
///
/// It reads as a column of vectors does: rows(), row_bytes(), reader(). Its address is that of the
/// index's life.
template <class Codec, class Storage>
class decoded_vectors {
public:
    using column = typename Storage::column;
    using reader_type = decoding_reader<Codec, decltype(std::declval<column const&>().reader())>;
    static constexpr bool learns = codec::trained<Codec>;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<std::unique_ptr<decoded_vectors>>
    open(typename Storage::space& space, std::size_t dim) {
        return vicinal::detail::guarded([&]() -> result<std::unique_ptr<decoded_vectors>> {
            std::unique_ptr<decoded_vectors> d(new decoded_vectors(dim));
            auto codes = space.column("codes", d->codec_.row_bytes(), storage::heat::warm);
            VICINAL_CHECK(codes);
            d->codes_ = *codes;
            if constexpr (learns) {
                auto raw = space.column("vectors", dim * sizeof(float), storage::heat::cold);
                VICINAL_CHECK(raw);
                d->raw_ = *raw;
                auto model = model_column<column>::open(space, "model", d->codec_);
                VICINAL_CHECK(model);
                d->model_ = *model;
            }
            VICINAL_CHECK(d->bind());
            return d;
        });
    }

    /// Whether rows are codes by now.
    [[nodiscard]] bool coded() const noexcept { return coded_; }
    [[nodiscard]] Codec const& codec() const noexcept { return codec_; }
    [[nodiscard]] column const& codes() const noexcept { return *codes_; }

    [[nodiscard]] std::uint64_t rows() const noexcept { return now().rows(); }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return now().row_bytes(); }
    [[nodiscard]] reader_type reader() const noexcept {
        return {now().reader(), coded_ ? &codec_ : nullptr, std::span(zeros_)};
    }

    /// Makes room for so many rows: for vectors no more than are kept as such.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::uint64_t rows, Section const& section) {
        if constexpr (learns)
            if (!coded_)
                VICINAL_CHECK(
                    room(*raw_, (std::min)(rows, std::uint64_t{Codec::trains_from}), section));
        return room(*codes_, rows, section);
    }

    /// Before `more` rows are put behind the first `before`, of which row(i) is the i-th: where
    /// they bring enough for the codec to learn from, it does, and all rows become codes. Searches
    /// go on meanwhile. Errors: out_of_memory, io_failure and others (rows that can't be read).
    template <class Row, class Section>
    [[nodiscard]] result<void> learn(std::size_t before, std::size_t more, Row const& row,
                                     Section const& section) {
        if constexpr (learns)
            if (!coded_ && before + more >= Codec::trains_from)
                return vicinal::detail::guarded([&] {
                    return storage::unless_faulty(
                        [&] { return encode_all(before, more, row, section); });
                });
        return {};
    }

    void resize(std::uint64_t rows) noexcept { now().resize(rows); }
    /// Writes a row; there is room. `vector` need not be aligned.
    void put(std::uint64_t row, void const* vector) noexcept {
        if (!coded_) {
            std::memcpy(raw_->edit(row), vector, raw_->row_bytes());
            return;
        }
        std::memcpy(scratch_.data(), vector, dim_ * sizeof(float));
        encode(scratch_.data(), codes_->edit(row));
    }
    void copy(std::uint64_t from, std::uint64_t to) noexcept {
        auto const rows = now().reader();
        std::memcpy(now().edit(to), rows.row(from), now().row_bytes());
    }

    void look_ahead() const noexcept { storage::read_last(now()); }
    void look_at(std::uint64_t row) const noexcept { static_cast<void>(now().reader().row(row)); }

    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        out.push_back(storage::chosen_rows(coded_ ? "codes" : "vectors", now(), kept));
    }
    /// Forgets every row and what was learnt from them. Inside the caller's section.
    void clear() noexcept {
        codes_->resize(0);
        if constexpr (learns) {
            raw_->resize(0);
            model_.put({});
            static_cast<void>(codec_.put_model({}));
            coded_ = false;
        }
    }

private:
    explicit decoded_vectors(std::size_t dim)
        : codec_(dim), dim_(dim), zeros_(width()), scratch_(dim + width()) {}

    /// Floats that a vector takes while it is encoded or decoded.
    [[nodiscard]] std::size_t width() const noexcept {
        if constexpr (requires { codec_.scratch(); }) return (std::max)(dim_, codec_.scratch());
        return dim_;
    }

    template <class Section>
    [[nodiscard]] static result<void> room(column& c, std::uint64_t rows, Section const& section) {
        if (rows <= c.capacity()) return {};
        VICINAL_CHECK(c.prepare(rows));
        section([&] { c.commit(); });
        return {};
    }

    [[nodiscard]] result<void> bind() {
        coded_ = true;
        if constexpr (learns) {
            coded_ = codes_->rows() != 0 || !model_.empty();
            if constexpr (codec::needs_model<Codec>)
                if (coded_ && model_.empty())
                    return error{errc::corrupt_snapshot, "codes with what they were learnt from",
                                 "no model"};
            if (coded_ && raw_->rows() != 0)
                return error{errc::corrupt_snapshot, "vectors or codes of them, not both",
                             std::to_string(raw_->rows()) + " vectors beside " +
                                 std::to_string(codes_->rows()) + " codes"};
        }
        return {};
    }

    [[nodiscard]] column& now() const noexcept { return coded_ ? *codes_ : *raw_; }

    void encode(float const* vector, std::byte* code) noexcept {
        if constexpr (requires { codec_.scratch(); })
            codec_.encode_row(vector, code, scratch_.data() + dim_);
        else
            codec_.encode_row(vector, code);
    }

    template <class Row, class Section>
    [[nodiscard]] result<void> encode_all(std::size_t before, std::size_t more, Row const& row,
                                          Section const& section) {
        auto const raw = raw_->reader();
        auto const numbers = codec_.fit(before + more, [&](std::size_t i) {
            return i < before ? raw.template row_as<float>(i) : row(i - before);
        });
        VICINAL_CHECK(numbers);
        if (!codec_.put_model(*numbers))
            return error{errc::not_finite, "vectors that a codec can learn from",
                         "elements beyond its range"};
        VICINAL_CHECK(model_.reserve(numbers->size(), section));
        VICINAL_CHECK(room(*codes_, before + more, section));
        codes_->resize(before);
        for (std::size_t i = 0; i < before; ++i)
            encode(raw.template row_as<float>(i), codes_->edit(i));
        if (storage::fault_scope::met()) {
            codes_->resize(0);
            static_cast<void>(codec_.put_model({}));
            return {}; // the scope has the error
        }
        section([&] {
            model_.put(*numbers);
            raw_->resize(0);
            coded_ = true;
        });
        return {};
    }

    Codec codec_;
    std::size_t dim_;
    bool coded_ = true;
    /// Null where the codec learns nothing.
    column* raw_ = nullptr;
    column* codes_ = nullptr;
    model_column<column> model_;
    std::vector<float> zeros_;
    /// A vector that is put, and what encoding it takes.
    std::vector<float> scratch_;
};

/// What an index with this codec, bound to a metric, reads vectors from: their column, or the codes
/// that are kept instead.
template <class Codec, class Storage>
using vectors_of = std::conditional_t<codec::alone<Codec>, decoded_vectors<Codec, Storage>,
                                      typename Storage::column>;

} // namespace vicinal::inline VICINAL_ABI::index

#endif
