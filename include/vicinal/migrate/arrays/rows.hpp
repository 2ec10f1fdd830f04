// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_ROWS_HPP
#define VICINAL_MIGRATE_ARRAYS_ROWS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/arrays/npy_header.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/arrays/piece_reader.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// The files of arrays that are read: one vector a row.
enum class array_format : std::uint8_t {
    /// NumPy.
    npy,
    /// The number of elements in front of every row (TEXMEX).
    fvecs,
    bvecs,
    ivecs,
    /// Rows and columns in front of all (Big-ANN benchmarks).
    fbin,
    u8bin,
    i8bin,
    ibin,
};

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// How the rows lie in a file.
struct row_layout {
    number_format number;
    std::size_t dim = 0;
    /// Of the first row.
    std::uint64_t offset = 0;
    /// Bytes in front of each row.
    std::size_t prefix = 0;
    /// Nothing where only reading tells.
    std::optional<std::uint64_t> rows;
    bool fortran = false;

    [[nodiscard]] std::size_t row_bytes() const noexcept { return prefix + dim * number.bytes(); }
};

[[nodiscard]] inline number_format number_of(backend::array_format format) noexcept {
    using backend::array_format;
    switch (format) {
        case array_format::bvecs:
        case array_format::u8bin: return {number_kind::u8};
        case array_format::i8bin: return {number_kind::i8};
        case array_format::ivecs:
        case array_format::ibin: return {number_kind::i32};
        default: return {number_kind::f32};
    }
}

/// The layout that an .npy header describes. Errors: unsupported, limit_exceeded.
[[nodiscard]] inline result<row_layout> npy_layout(npy_header const& h) {
    auto const number = h.number();
    if (!number)
        return error{
            errc::unsupported, "an array of numbers",
            "one of " + h.type_name() +
                (h.letter == 'O' ? ", which only Python unpacks: save numpy.stack of it" : "")};
    if (h.shape.size() != 2)
        return error{errc::unsupported, "an array of two dimensions, one vector a row",
                     "one of " + std::to_string(h.shape.size())};
    if (h.shape[1] > source_dims)
        return error{errc::limit_exceeded, "rows of at most 65536 elements",
                     std::to_string(h.shape[1])};
    // Such a file could claim any number of rows.
    if (h.shape[1] == 0 && h.shape[0] != 0)
        return error{errc::corrupt_source, "rows of at least one element", "none in a row"};
    row_layout l;
    l.number = *number;
    l.dim = static_cast<std::size_t>(h.shape[1]);
    l.rows = h.shape[0];
    // One row or one column is the same either way.
    l.fortran = h.fortran && h.shape[0] > 1 && h.shape[1] > 1;
    return l;
}

/// The rows of a file, from first to last.
class array_rows {
public:
    /// Errors, naming the file: not_found, foreign_file, corrupt_source (the size is not what the
    /// header says), unsupported, limit_exceeded, io_failure.
    [[nodiscard]] static result<array_rows>
    open(std::string const& path, backend::array_format format, backend::input_opener opener) {
        auto in = opener(path);
        if (!in) return in.error();
        array_rows rows(piece_reader(*std::move(in)));
        auto const beginning = rows.in_.peek(16);
        if (!beginning) return beginning.error();
        auto const size = unpacked_size(path, *beginning);
        if (!size) return size.error();
        VICINAL_CHECK(rows.read_head(format));
        if (*size) VICINAL_CHECK(rows.check_size(**size));
        if (rows.layout_.fortran) {
            if (!*size)
                return rows.named(errc::unsupported, "an array in C order, or a file not packed",
                                  "a packed one in Fortran order");
            auto file = source_file::open(path);
            if (!file) return file.error();
            rows.columns_ = *std::move(file);
        }
        return rows;
    }

    [[nodiscard]] row_layout const& layout() const noexcept { return layout_; }
    /// Rows handed out.
    [[nodiscard]] std::uint64_t at() const noexcept { return at_; }
    /// Numbers handed out that had more digits than a float holds.
    [[nodiscard]] std::uint64_t rounded() const noexcept { return rounded_; }

    /// Replaces `out` by the next row; false behind the last.
    ///
    /// Errors: corrupt_source, naming file and row; io_failure.
    [[nodiscard]] result<bool> next(std::vector<float>& out) {
        if (layout_.rows && at_ == *layout_.rows) return false;
        if (layout_.fortran) return next_of_columns(out);
        auto const bytes = in_.take(layout_.row_bytes());
        if (!bytes) return bytes.error();
        if (bytes->empty() && !layout_.rows) return false;
        if (bytes->size() < layout_.row_bytes())
            return named(errc::corrupt_source, "a whole row " + std::to_string(at_),
                         "the end of the file");
        if (layout_.prefix != 0 && load_le<std::uint32_t>(bytes->data()) != layout_.dim)
            return named(errc::corrupt_source,
                         std::to_string(layout_.dim) + " elements as in the first row",
                         std::to_string(load_le<std::uint32_t>(bytes->data())) + " in row " +
                             std::to_string(at_));
        out.resize(layout_.dim);
        rounded_ += to_floats(layout_.number, bytes->data() + layout_.prefix, layout_.dim,
                              layout_.number.bytes(), out.data());
        ++at_;
        return true;
    }

private:
    explicit array_rows(piece_reader in) : in_(std::move(in)) {}

    [[nodiscard]] error named(errc code, std::string expected, std::string const& got) const {
        return error{code, std::move(expected), in_.path() + ": " + got};
    }

    result<void> read_head(backend::array_format format) {
        using backend::array_format;
        if (format == array_format::npy) {
            auto const header = read_npy_header(in_);
            if (!header) return header.error();
            auto const layout = npy_layout(*header);
            if (!layout) {
                auto const& e = layout.error();
                return named(e.code(), e.expected(), e.got());
            }
            layout_ = *layout;
            layout_.offset = in_.offset();
            return {};
        }
        layout_.number = number_of(format);
        bool const texmex = format == array_format::fvecs || format == array_format::bvecs ||
                            format == array_format::ivecs;
        std::size_t const head = texmex ? 4 : 8;
        auto const bytes = texmex ? in_.peek(head) : in_.take(head);
        if (!bytes) return bytes.error();
        if (bytes->empty() && texmex) {
            layout_.rows = 0;
            return {};
        }
        if (bytes->size() < head)
            return named(errc::foreign_file, std::to_string(head) + " bytes of header", "fewer");
        std::uint64_t const dim = load_le<std::uint32_t>(bytes->data() + head - 4);
        bool const none = !texmex && dim == 0 && load_le<std::uint32_t>(bytes->data()) == 0;
        if ((dim == 0 && !none) || dim > source_dims)
            return named(errc::foreign_file, "rows of 1 to 65536 elements",
                         std::to_string(dim) + " in the header");
        layout_.dim = static_cast<std::size_t>(dim);
        layout_.prefix = texmex ? 4 : 0;
        layout_.offset = in_.offset();
        if (!texmex) layout_.rows = load_le<std::uint32_t>(bytes->data());
        return {};
    }

    result<void> check_size(std::uint64_t size) {
        auto const there = size - (std::min)(size, layout_.offset);
        std::uint64_t const row = layout_.row_bytes();
        if (!layout_.rows) {
            if (there % row != 0)
                return named(errc::corrupt_source,
                             "whole rows of " + std::to_string(row) + " bytes",
                             std::to_string(there % row) + " bytes behind row " +
                                 std::to_string(there / row));
            layout_.rows = there / row;
            return {};
        }
        std::uint64_t wanted = 0;
        if (!checked_multiply(*layout_.rows, row, wanted) || wanted != there)
            return named(errc::corrupt_source,
                         std::to_string(*layout_.rows) + " rows of " + std::to_string(row) +
                             " bytes",
                         std::to_string(there) + " bytes behind the header");
        return {};
    }

    // A block of as many rows as fit in about 4 MiB: one read a column and block.
    result<bool> next_of_columns(std::vector<float>& out) {
        auto const rows = *layout_.rows;
        if (block_at_ == block_rows_) {
            auto const fitting =
                std::max<std::size_t>(1, (std::size_t{1} << 20) / (layout_.dim * sizeof(float)));
            block_rows_ =
                static_cast<std::size_t>(std::min<std::uint64_t>(4 * fitting, rows - at_));
            block_at_ = 0;
            VICINAL_CHECK(read_block());
        }
        auto const* const row = block_.data() + block_at_++ * layout_.dim;
        out.assign(row, row + layout_.dim);
        ++at_;
        return true;
    }

    result<void> read_block() {
        auto const width = layout_.number.bytes();
        block_.resize(block_rows_ * layout_.dim);
        column_.resize(block_rows_ * width);
        values_.resize(block_rows_);
        for (std::size_t c = 0; c < layout_.dim; ++c) {
            auto const offset = layout_.offset + (c * *layout_.rows + at_) * width;
            auto const got = columns_.read_at(offset, column_.data(), column_.size());
            if (!got) return got.error();
            if (*got != column_.size())
                return named(errc::corrupt_source, "whole columns", "it became shorter");
            rounded_ +=
                to_floats(layout_.number, column_.data(), block_rows_, width, values_.data());
            for (std::size_t r = 0; r < block_rows_; ++r) block_[r * layout_.dim + c] = values_[r];
        }
        return {};
    }

    piece_reader in_;
    row_layout layout_;
    std::uint64_t at_ = 0;
    std::uint64_t rounded_ = 0;
    source_file columns_; // only in Fortran order, as what follows
    std::vector<std::byte> column_;
    std::vector<float> values_;
    std::vector<float> block_;
    std::size_t block_rows_ = 0;
    std::size_t block_at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
