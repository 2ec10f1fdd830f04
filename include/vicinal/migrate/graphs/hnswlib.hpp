// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_HNSWLIB_HPP
#define VICINAL_MIGRATE_GRAPHS_HNSWLIB_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>
#include <vicinal/migrate/graphs/index_source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

struct hnswlib_options {
    /// What `describe` gives as the metric: "cosine", "squared_l2" or "inner_product", which the
    /// file does not say.
    std::string metric = {};
    /// Elements of a vector, which the file must agree with; 0: whatever it has.
    std::size_t dim = 0;
};

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// Where rows, vectors and labels lie in a file of hnswlib.
struct hnswlib_layout {
    bool brute_force = false;
    std::uint64_t rows = 0;
    std::uint64_t row_bytes = 0;
    std::uint64_t first = 0;         // offset of the first row
    std::uint64_t vector_offset = 0; // within a row
    std::uint64_t label_offset = 0;
    std::size_t dim = 0;

    /// Reads the 96 bytes in front of a graph, or the 24 in front of rows alone: which of the two
    /// the fields decide, because neither has a signature. Nothing where it is neither.
    [[nodiscard]] static std::optional<hnswlib_layout> of(std::byte const* head, std::size_t size,
                                                          std::uint64_t file_size) noexcept {
        auto const u64 = [head](std::size_t at) { return load_le<std::uint64_t>(head + at); };
        hnswlib_layout l;
        if (size >= 96 && l.graph(head, file_size)) return l;
        if (size < 24) return std::nullopt;
        l = {};
        l.brute_force = true;
        l.row_bytes = u64(8);
        l.rows = u64(16);
        l.first = 24;
        std::uint64_t rows_bytes = 0;
        // The file has room for the most there may be.
        if (l.row_bytes < 12 || !l.set_dim(l.row_bytes - 8) || l.rows > u64(0) ||
            !checked_multiply(u64(0), l.row_bytes, rows_bytes) || rows_bytes != file_size - 24)
            return std::nullopt;
        l.label_offset = l.row_bytes - 8;
        return l;
    }

private:
    [[nodiscard]] bool graph(std::byte const* head, std::uint64_t file_size) noexcept {
        auto const u64 = [head](std::size_t at) { return load_le<std::uint64_t>(head + at); };
        constexpr std::uint64_t most_links = 65'536;
        auto const links = u64(64); // at level 0
        rows = u64(16);
        row_bytes = u64(24);
        label_offset = u64(32);
        vector_offset = u64(40);
        first = 96;
        return u64(0) == 0 && links > 0 && links <= most_links && rows <= u64(8) &&
               rows <= 0xffffffffULL && vector_offset == 4 * links + 4 &&
               label_offset > vector_offset && set_dim(label_offset - vector_offset) &&
               row_bytes == label_offset + 8 && rows <= (file_size - 96) / row_bytes;
    }
    [[nodiscard]] bool set_dim(std::uint64_t vector_bytes) noexcept {
        if (vector_bytes == 0 || vector_bytes % 4 != 0 || vector_bytes > 4 * source_dims)
            return false;
        dim = static_cast<std::size_t>(vector_bytes / 4);
        return true;
    }
};

/// The rows of a file of hnswlib that are not marked as deleted, in the order of the file.
class hnswlib_reader {
public:
    [[nodiscard]] static result<hnswlib_reader> open(std::string const& path,
                                                     backend::hnswlib_options const& options) {
        auto bytes = file_bytes::open(path);
        if (!bytes) return bytes.error();
        hnswlib_reader r(*std::move(bytes), options);
        auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(r.bytes_.size(), 96));
        auto const head = r.bytes_.at(0, size);
        if (!head) return head.error();
        auto const layout = hnswlib_layout::of(*head, size, r.bytes_.size());
        if (!layout)
            return r.bytes_.wrong(errc::foreign_file, "an index of hnswlib, of floats",
                                  "its first bytes don't fit together as one");
        r.layout_ = *layout;
        if (options.dim != 0 && options.dim != r.layout_.dim)
            return r.bytes_.wrong(errc::dimension_mismatch,
                                  std::to_string(options.dim) + " elements",
                                  "room for " + std::to_string(r.layout_.dim) + " floats");
        VICINAL_CHECK(r.check_links());
        VICINAL_CHECK(r.count_deleted());
        return r;
    }

    [[nodiscard]] schema describe() const {
        schema s{.dim = layout_.dim,
                 .metric = options_.metric,
                 .records = layout_.rows - deleted_,
                 .description = "hnswlib:" + bytes_.path()};
        if (options_.metric == "cosine")
            s.losses.push_back("hnswlib keeps cosine vectors at length 1, not at the length they "
                               "had");
        return s;
    }

    [[nodiscard]] result<bool> next(record& out) {
        for (; at_ < layout_.rows; ++at_) {
            auto const row = row_at(at_);
            if (!row) return row.error();
            if (dead(*row)) continue;
            out.id = std::to_string(load_le<std::uint64_t>(*row + layout_.label_offset));
            out.vector.resize(layout_.dim);
            to_floats({number_kind::f32}, *row + layout_.vector_offset, layout_.dim, 4,
                      out.vector.data());
            out.payload.clear();
            ++at_;
            return true;
        }
        return false;
    }

private:
    hnswlib_reader(file_bytes bytes, backend::hnswlib_options options)
        : bytes_(std::move(bytes)), options_(std::move(options)) {}

    [[nodiscard]] result<std::byte const*> row_at(std::uint64_t row) {
        return bytes_.at(layout_.first + row * layout_.row_bytes,
                         static_cast<std::size_t>(layout_.row_bytes));
    }
    [[nodiscard]] bool dead(std::byte const* row) const noexcept {
        return !layout_.brute_force && (row[2] & std::byte{1}) != std::byte{0};
    }

    // Behind the rows of a graph stand the links of the upper levels: that they end where the file
    // does tells a whole file from one that was cut off, and from other formats.
    result<void> check_links() {
        if (layout_.brute_force) return {};
        byte_cursor cursor(bytes_, layout_.first + layout_.rows * layout_.row_bytes);
        for (std::uint64_t i = 0; i < layout_.rows; ++i) {
            std::uint32_t length = 0;
            VICINAL_CHECK(cursor.read(length));
            VICINAL_CHECK(cursor.range(length, 1));
        }
        if (cursor.offset() != bytes_.size())
            return bytes_.wrong(errc::corrupt_source, "the end of the file behind the links",
                                std::to_string(bytes_.size() - cursor.offset()) + " bytes more");
        return {};
    }

    result<void> count_deleted() {
        for (std::uint64_t i = 0; !layout_.brute_force && i < layout_.rows; ++i) {
            auto const row = row_at(i);
            if (!row) return row.error();
            if (dead(*row)) ++deleted_;
        }
        return {};
    }

    file_bytes bytes_;
    backend::hnswlib_options options_;
    hnswlib_layout layout_;
    std::uint64_t deleted_ = 0;
    std::uint64_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads what hnswlib's saveIndex writes, of HierarchicalNSW or BruteforceSearch over floats.
///
/// Labels become ids; rows that are marked as deleted are passed over. The file has neither
/// signature nor metric nor element type: it is taken for one if every length in it fits together
/// up to its last byte. Chroma's own index files are read by chroma_directory. Memory: one batch
/// and 1 MiB; the file is read once for its marks and once for its rows. Source: the format of
/// hnswlib 0.6 to 0.8 (Malkov & Yashunin 2018).
using hnswlib_source = index_source<detail::hnswlib_reader, hnswlib_options>;

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
