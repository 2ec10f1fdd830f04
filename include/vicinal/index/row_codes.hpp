// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_ROW_CODES_HPP
#define VICINAL_INDEX_ROW_CODES_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/index/code_lines.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/index/learnt_codec.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The names of an index's columns of codes, of the frame that they are in and of what the codec
/// has learnt. Outlives the index.
struct code_columns {
    std::string_view codes;
    std::string_view frame;
    std::string_view model;
};

/// What a graph walks over, and a scan by estimates reads: the codec, and a code for each slot, in
/// a column of their own or, where the codec reads the vectors, in that of the vectors.
template <class Codec, class Metric, class Storage>
class row_codes {
public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    /// Whether the index has a column of codes.
    static constexpr bool has_column = !Codec::reads_rows;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<row_codes> open(typename Storage::space& space,
                                                column const& vectors, std::size_t dim,
                                                code_columns const& names) {
        return vicinal::detail::guarded([&] { return open_columns(space, vectors, dim, names); });
    }

    /// Whether there can be codes of `until` rows: a codec that learns wants enough of them.
    [[nodiscard]] bool ready(slot until) const noexcept { return codec_.ready(until); }
    [[nodiscard]] Codec const& codec() const noexcept { return *codec_; }
    [[nodiscard]] auto reader() const noexcept { return all().reader(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return all().rows(); }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return all().row_bytes(); }
    [[nodiscard]] std::size_t lines() const noexcept { return code_lines(row_bytes()); }

    /// Encodes the slots from `first` up to `until` on so many threads; where these bring enough
    /// rows for a frame, in one that suits them, and those before anew. May take memory.
    template <class Section>
    [[nodiscard]] result<void> make(slot first, slot until, std::size_t threads,
                                    Section const& section) {
        if constexpr (framed<Codec>)
            if (first < framed_from && until >= framed_from)
                VICINAL_CHECK(choose_frame(first, until, section));
        if constexpr (codec::needs_model<Codec>)
            if (!codec_->has_model()) VICINAL_CHECK(learn(until, section));
        if constexpr (!Codec::reads_rows) {
            VICINAL_CHECK(storage::reserve(*own_, until, section));
            auto const part = [&](std::size_t from, std::size_t to) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    std::vector<float> scratch(scratch_floats());
                    auto const vectors = vectors_->reader();
                    for (auto s = first + from; s < first + to; ++s)
                        encode(vectors, static_cast<slot>(s), scratch.data());
                    return {};
                });
            };
            VICINAL_CHECK(run_parts(until - first, 64, threads, part));
            // What was misread is encoded again with the next try.
            if (storage::fault_scope::met())
                return error{errc::io_failure, "vectors that can be read, to encode them"};
        }
        return {};
    }

    /// Leaves the codes of the first `rows` rows.
    void resize(std::uint64_t rows) noexcept {
        if constexpr (has_column) own_->resize(rows);
    }
    /// Forgets what codes are made in. Inside the caller's section.
    void clear() noexcept { codec_.clear(); }

    /// The codes of the slots of `kept`, which become slots 0, 1 and so on.
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        if constexpr (!Codec::reads_rows)
            out.push_back(storage::chosen_rows(names_->codes, *own_, kept));
    }

private:
    row_codes(column const& vectors, std::size_t dim, code_columns const& names)
        : vectors_(&vectors), names_(&names), codec_(dim), dim_(dim) {}

    [[nodiscard]] static result<row_codes> open_columns(typename Storage::space& space,
                                                        column const& vectors, std::size_t dim,
                                                        code_columns const& names) {
        row_codes c(vectors, dim, names);
        if constexpr (!Codec::reads_rows) {
            auto own = space.column(names.codes, c.codec_->row_bytes(), storage::heat::warm);
            VICINAL_CHECK(own);
            c.own_ = *own;
        }
        VICINAL_CHECK(c.codec_.bind(space, names.frame, names.model,
                                    c.own_ != nullptr && c.own_->rows() != 0));
        return c;
    }

    /// Before there is any code: no search reads the codec yet.
    template <class Section>
    [[nodiscard]] result<void> learn(slot until, Section const& section) {
        auto const vectors = vectors_->reader();
        auto const numbers =
            codec_->fit(until, [&](std::size_t i) { return vectors.template row_as<element>(i); });
        VICINAL_CHECK(numbers);
        if (storage::fault_scope::met())
            return error{errc::io_failure, "vectors that can be read, to learn from them"};
        return codec_.learn(*numbers, section);
    }
    template <class Section>
    [[nodiscard]] result<void> choose_frame(slot before, slot until, Section const& section) {
        auto const vectors = vectors_->reader();
        auto frame = codec_->fitting_frame(
            until, [&](std::size_t i) { return vectors.template row_as<element>(i); });
        VICINAL_CHECK(codec_.reserve(frame, section));
        std::vector<float> scratch((std::max)(dim_, scratch_floats()));
        section([&] {
            codec_.put(std::move(frame));
            for (slot s = 0; s < before; ++s) encode(vectors, s, scratch.data());
        });
        return {};
    }
    [[nodiscard]] std::size_t scratch_floats() const noexcept {
        if constexpr (requires { codec_->scratch(); })
            return codec_->scratch();
        else
            return 0;
    }
    template <class Reader>
    void encode(Reader const& vectors, slot s, float* scratch) noexcept {
        auto const* const vector = vectors.template row_as<element>(s);
        if constexpr (requires { codec_->scratch(); })
            codec_->encode_row(vector, own_->edit(s), scratch);
        else
            codec_->encode_row(vector, own_->edit(s));
        static_cast<void>(scratch);
    }

    [[nodiscard]] column const& all() const noexcept {
        if constexpr (Codec::reads_rows)
            return *vectors_;
        else
            return *own_;
    }

    column const* vectors_;
    code_columns const* names_;
    /// Null where the codec reads the vectors.
    column* own_ = nullptr;
    learnt_codec<Codec, column> codec_;
    std::size_t dim_;
};

/// The codes of a store that keeps nothing else: they are read where they lie.
template <codec::alone Codec, class Metric, class Storage>
class row_codes<Codec, Metric, Storage> {
    using vectors_type = vectors_of<Codec, Storage>;

public:
    static constexpr bool has_column = false;

    [[nodiscard]] static result<row_codes>
    open(typename Storage::space&, vectors_type const& vectors, std::size_t, code_columns const&) {
        return row_codes(vectors);
    }

    [[nodiscard]] bool ready(slot) const noexcept { return vectors_->coded(); }
    [[nodiscard]] Codec const& codec() const noexcept { return vectors_->codec(); }
    [[nodiscard]] auto reader() const noexcept { return vectors_->codes().reader(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return vectors_->codes().rows(); }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return vectors_->codes().row_bytes(); }
    [[nodiscard]] std::size_t lines() const noexcept { return code_lines(row_bytes()); }

    template <class Section>
    [[nodiscard]] static result<void> make(slot, slot, std::size_t, Section const&) {
        return {};
    }
    void clear() noexcept {}
    void compact(std::span<slot const>, std::vector<storage::replacement>&) const {}

private:
    explicit row_codes(vectors_type const& vectors) noexcept : vectors_(&vectors) {}

    vectors_type const* vectors_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
