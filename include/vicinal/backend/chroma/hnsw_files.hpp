// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_HNSW_FILES_HPP
#define VICINAL_BACKEND_CHROMA_HNSW_FILES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/json/floats.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The sizes that `header.bin` gives, checked against each other.
struct hnsw_header {
    std::uint64_t rows = 0;          // elements that were written
    std::uint64_t row_bytes = 0;     // links, vector, label
    std::uint64_t vector_offset = 0; // within a row
    std::uint64_t label_offset = 0;
    std::size_t dim = 0;
};

/// Reads the 100 bytes of a header. Errors: corrupt_source with what contradicts.
inline result<hnsw_header> parse_hnsw_header(std::byte const* bytes, std::size_t size) {
    auto const wrong = [](char const* expected) {
        return error{errc::corrupt_source, expected, "another in header.bin"};
    };
    if (size < 100) return wrong("a header of 100 bytes");
    auto const u64 = [bytes](std::size_t at) { return load_le<std::uint64_t>(bytes + at); };
    if (load_le<std::uint32_t>(bytes) != 1) return wrong("version 1 of Chroma's index files");
    constexpr std::uint64_t most_links = 65'536;
    auto const links = u64(68);
    if (u64(4) != 0 || links == 0 || links > most_links) return wrong("a plausible row layout");
    hnsw_header h;
    h.rows = u64(20);
    h.row_bytes = u64(28);
    h.label_offset = u64(36);
    h.vector_offset = u64(44);
    if (h.vector_offset != 4 * links + 4 || h.label_offset <= h.vector_offset ||
        h.label_offset - h.vector_offset > 4 * source_dims ||
        (h.label_offset - h.vector_offset) % 4 != 0 || h.row_bytes != h.label_offset + 8)
        return wrong("links, vector and label one behind the other");
    if (h.rows > u64(12) || h.rows > 0xffffffffULL) return wrong("a plausible number of rows");
    h.dim = static_cast<std::size_t>((h.label_offset - h.vector_offset) / 4);
    return h;
}

/// The vectors of a persisted index, read row by row from `data_level0.bin`. The graph is ignored.
class hnsw_files {
public:
    /// Opens the files of one index and reads every label; `cosine`: its vectors are normalised,
    /// and `length.bin` has what they were divided by.
    ///
    /// Errors: corrupt_source, io_failure, not_found (naming the file).
    [[nodiscard]] static result<hnsw_files> open(std::string const& directory, bool cosine) {
        hnsw_files files;
        auto header_file = source_file::open(directory + "/header.bin");
        if (!header_file) return header_file.error();
        std::byte bytes[100];
        auto const got = header_file->read_at(0, bytes, sizeof bytes);
        if (!got) return got.error();
        auto const header = parse_hnsw_header(bytes, *got);
        if (!header) {
            auto const& e = header.error();
            return error{e.code(), e.expected(), directory + ": " + e.got()};
        }
        files.header_ = *header;
        auto rows = source_file::open(directory + "/data_level0.bin");
        if (!rows) return rows.error();
        files.rows_ = *std::move(rows);
        auto const size = files.rows_.size();
        if (!size) return size.error();
        if (*size / header->row_bytes < header->rows)
            return error{errc::corrupt_source, std::to_string(header->rows) + " rows",
                         files.rows_.path() + " ends after " +
                             std::to_string(*size / header->row_bytes)};
        VICINAL_CHECK(files.read_labels());
        if (cosine) VICINAL_CHECK(files.read_lengths(directory + "/length.bin"));
        return files;
    }

    [[nodiscard]] std::size_t dim() const noexcept { return header_.dim; }

    /// Whether the vectors of a cosine index can be given their lengths back.
    [[nodiscard]] bool has_lengths() const noexcept { return !lengths_.empty(); }

    /// The row of that label.
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t label) const noexcept {
        auto const at = std::lower_bound(
            labels_.begin(), labels_.end(), label,
            [](auto const& entry, std::uint64_t wanted) { return entry.first < wanted; });
        if (at == labels_.end() || at->first != label) return std::nullopt;
        return at->second;
    }

    /// Replaces `out` by the vector of a row that `find` gave.
    [[nodiscard]] result<void> read(std::uint32_t row, std::vector<float>& out) const {
        out.resize(header_.dim);
        auto const bytes = header_.dim * sizeof(float);
        auto const got =
            rows_.read_at(row * header_.row_bytes + header_.vector_offset, out.data(), bytes);
        if (!got) return got.error();
        if (*got != bytes)
            return error{errc::corrupt_source, "row " + std::to_string(row),
                         rows_.path() + " has become shorter"};
        if constexpr (std::endian::native == std::endian::big)
            for (auto& f : out)
                f = std::bit_cast<float>(
                    load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(&f)));
        if (row < lengths_.size())
            for (auto& f : out) f *= lengths_[row];
        return {};
    }

private:
    // In pieces of whole rows, about 1 MiB each.
    [[nodiscard]] result<void> read_labels() {
        auto const at_once =
            std::max<std::uint64_t>(1, (std::uint64_t{1} << 20) / header_.row_bytes);
        auto const piece = static_cast<std::size_t>(at_once * header_.row_bytes);
        auto bytes = std::unique_ptr<std::byte[]>(new std::byte[piece]);
        std::vector<std::pair<std::uint64_t, std::uint32_t>> deleted;
        for (std::uint64_t row = 0; row < header_.rows;) {
            auto const n = (std::min)(at_once, header_.rows - row);
            auto const wanted = static_cast<std::size_t>(n * header_.row_bytes);
            auto const got = rows_.read_at(row * header_.row_bytes, bytes.get(), wanted);
            if (!got) return got.error();
            if (*got != wanted)
                return error{errc::corrupt_source, "whole rows", rows_.path() + " became shorter"};
            for (std::uint64_t i = 0; i < n; ++i, ++row) {
                auto const* const p = bytes.get() + i * header_.row_bytes;
                auto const label = load_le<std::uint64_t>(p + header_.label_offset);
                bool const dead = (p[2] & std::byte{1}) != std::byte{0};
                (dead ? deleted : labels_).emplace_back(label, static_cast<std::uint32_t>(row));
            }
        }
        auto const same = [](auto const& a, auto const& b) { return a.first == b.first; };
        std::sort(labels_.begin(), labels_.end());
        auto const twice = std::adjacent_find(labels_.begin(), labels_.end(), same);
        if (twice != labels_.end())
            return error{errc::corrupt_source, "each label once",
                         rows_.path() + " has " + std::to_string(twice->first) + " twice"};
        // A row marked as deleted counts only where the map of ids, which decides, still names it
        // and no live row has its label.
        labels_.insert(labels_.end(), deleted.begin(), deleted.end());
        std::stable_sort(labels_.begin(), labels_.end(),
                         [](auto const& a, auto const& b) { return a.first < b.first; });
        return {};
    }

    [[nodiscard]] result<void> read_lengths(std::string const& path) {
        if (!path_exists(path)) return {};
        auto file = source_file::open(path);
        if (!file) return file.error();
        auto const rows = static_cast<std::size_t>(header_.rows);
        std::vector<float> lengths(rows);
        auto const got = file->read_at(0, lengths.data(), rows * sizeof(float));
        if (!got) return got.error();
        if (*got != rows * sizeof(float))
            return error{errc::corrupt_source, std::to_string(rows) + " lengths",
                         path + " ends after " + std::to_string(*got / sizeof(float))};
        if constexpr (std::endian::native == std::endian::big)
            for (auto& f : lengths)
                f = std::bit_cast<float>(
                    load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(&f)));
        lengths_ = std::move(lengths);
        return {};
    }

    hnsw_header header_;
    source_file rows_;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> labels_; // label, row; sorted by label
    std::vector<float> lengths_;                                  // a row; only under cosine
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
