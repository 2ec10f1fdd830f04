// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_RESCUE_INDEX_HPP
#define VICINAL_BACKEND_CHROMA_RESCUE_INDEX_HPP

#include <vicinal/backend/chroma/hnsw_files.hpp>
#include <vicinal/backend/chroma/pickle.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The rows of a damaged index that can be trusted, each checked by itself.
///
/// A row counts where its label is in the map of ids and no other row has it, its links lead to
/// rows, its numbers are of a size that embeddings have, it holds no page of zeros, and under
/// cosine its length is 1 to five digits. What a page that was lost or written over leaves behind
/// fails these; a few flipped bits in a vector of another metric do not show.
class rescued_index {
public:
    /// `labels`: those that the map of ids has. `dim` of the collection, 0 where it is not known.
    ///
    /// Errors: those of the operating system; corrupt_source, not_found (nothing can be read).
    [[nodiscard]] static result<rescued_index>
    open(std::string const& directory, bool cosine, std::size_t dim,
         std::unordered_set<std::uint64_t> const& labels) {
        rescued_index index;
        index.cosine_ = cosine;
        auto rows = source_file::open(directory + "/data_level0.bin");
        if (!rows) return rows.error();
        index.file_ = *std::move(rows);
        auto const size = index.file_.size();
        if (!size) return size.error();
        VICINAL_CHECK(index.find_layout(directory, dim, *size, labels.size()));
        VICINAL_CHECK(index.read_rows(labels));
        if (cosine) VICINAL_CHECK(index.read_lengths(directory + "/length.bin"));
        return index;
    }

    [[nodiscard]] std::size_t dim() const noexcept { return header_.dim; }
    /// The row of a label; nothing where it can't be trusted.
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t label) const {
        auto const at = rows_.find(label);
        if (at == rows_.end()) return {};
        return at->second;
    }
    /// Whether a vector comes with the length that it had.
    [[nodiscard]] bool has_length(std::uint32_t row) const noexcept {
        return !cosine_ || (row < lengths_.size() && lengths_[row] > 0);
    }

    [[nodiscard]] result<void> read(std::uint32_t row, std::vector<float>& out) const {
        std::vector<std::byte> bytes(header_.dim * sizeof(float));
        auto const got = file_.read_at(row * header_.row_bytes + header_.vector_offset,
                                       bytes.data(), bytes.size());
        if (!got) return got.error();
        if (*got != bytes.size())
            return error{errc::corrupt_source, "row " + std::to_string(row),
                         file_.path() + " has become shorter"};
        out.resize(header_.dim);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = std::bit_cast<float>(load_le<std::uint32_t>(bytes.data() + i * 4));
            if (cosine_ && has_length(row)) out[i] *= lengths_[row];
        }
        return {};
    }

private:
    static constexpr std::size_t page = 4096;

    // The header, or what it says in nearly all directories: 16 links, and rows to the file's end.
    result<void> find_layout(std::string const& directory, std::size_t dim, std::uint64_t size,
                             std::size_t expected) {
        std::byte bytes[100] = {};
        std::size_t have = 0;
        auto file = source_file::open(directory + "/header.bin");
        if (file) {
            auto const got = file->read_at(0, bytes, sizeof bytes);
            if (!got) return got.error();
            have = *got;
        }
        auto const header = parse_hnsw_header(bytes, have);
        if (header && (dim == 0 || header->dim == dim)) {
            header_ = *header;
            // Fewer rows than the map has ids is damage: the file says how many there may be.
            linked_ = (std::max)(header_.rows, std::uint64_t{expected});
            header_.rows = (std::min)(linked_, size / header_.row_bytes);
            return {};
        }
        if (dim == 0)
            return error{errc::corrupt_source, "a header, or the dimension of the collection",
                         directory + ": neither"};
        header_.dim = dim;
        header_.vector_offset = 4 * 32 + 4;
        header_.label_offset = header_.vector_offset + 4 * dim;
        header_.row_bytes = header_.label_offset + 8;
        header_.rows = (std::min)(size / header_.row_bytes, std::uint64_t{0xffffffff});
        linked_ = (std::max)(header_.rows, std::uint64_t{expected});
        return {};
    }

    result<void> read_rows(std::unordered_set<std::uint64_t> const& labels) {
        std::unordered_set<std::uint64_t> twice;
        std::vector<std::byte> row(static_cast<std::size_t>(header_.row_bytes));
        for (std::uint64_t i = 0; i < header_.rows; ++i) {
            auto const got = file_.read_at(i * header_.row_bytes, row.data(), row.size());
            if (!got) return got.error();
            if (*got != row.size()) break;
            auto const label = load_le<std::uint64_t>(row.data() + header_.label_offset);
            if (labels.count(label) == 0) continue;
            // A label that is there twice is told by its dead row, else neither is trusted.
            bool const dead = (row[2] & std::byte{1}) != std::byte{0};
            if (dead && rows_.count(label) != 0) continue;
            if (!trusted(row, i)) continue;
            if (!rows_.emplace(label, static_cast<std::uint32_t>(i)).second) twice.insert(label);
        }
        for (auto const label : twice) rows_.erase(label);
        return {};
    }

    [[nodiscard]] bool trusted(std::vector<std::byte> const& row, std::uint64_t number) const {
        auto const most = (header_.vector_offset - 4) / 4;
        auto const links = load_le<std::uint16_t>(row.data());
        if (links > most) return false;
        for (std::size_t i = 0; i < links; ++i)
            if (load_le<std::uint32_t>(row.data() + 4 + i * 4) >= linked_) return false;
        // Pages lie in the file, not in the row.
        auto const start = number * header_.row_bytes;
        for (auto at = (page - start % page) % page; at + page <= row.size(); at += page)
            if (std::all_of(row.begin() + static_cast<std::ptrdiff_t>(at),
                            row.begin() + static_cast<std::ptrdiff_t>(at + page),
                            [](std::byte b) { return b == std::byte{0}; }))
                return false;
        double sum = 0;
        for (std::size_t i = 0; i < header_.dim; ++i) {
            auto const f = static_cast<double>(std::bit_cast<float>(
                load_le<std::uint32_t>(row.data() + header_.vector_offset + i * 4)));
            if (!(std::abs(f) < 1e10) || (f != 0 && std::abs(f) < 1e-20)) return false;
            sum += f * f;
        }
        return cosine_ ? std::abs(std::sqrt(sum) - 1) < 1e-5 : sum > 0;
    }

    // A page of lengths counts as a whole: random bytes can look like a length.
    result<void> read_lengths(std::string const& path) {
        if (!path_exists(path)) return {};
        auto file = source_file::open(path);
        if (!file) return file.error();
        std::vector<float> lengths(static_cast<std::size_t>(header_.rows));
        auto const got = file->read_at(0, lengths.data(), lengths.size() * sizeof(float));
        if (!got) return got.error();
        lengths.resize(*got / sizeof(float));
        if constexpr (std::endian::native == std::endian::big)
            for (auto& f : lengths)
                f = std::bit_cast<float>(
                    load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(&f)));
        auto sorted = lengths;
        auto const odd = [](float f) { return !(f > 0) || !std::isfinite(f); };
        sorted.erase(std::remove_if(sorted.begin(), sorted.end(), odd), sorted.end());
        if (sorted.empty()) return {};
        auto const middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        float const usual = *middle;
        constexpr std::size_t per_page = page / sizeof(float);
        for (std::size_t from = 0; from < lengths.size(); from += per_page) {
            auto const end = (std::min)(from + per_page, lengths.size());
            for (auto i = from; i < end; ++i) {
                if (!odd(lengths[i]) && lengths[i] > usual / 64 && lengths[i] < usual * 64)
                    continue;
                std::fill(lengths.begin() + static_cast<std::ptrdiff_t>(from),
                          lengths.begin() + static_cast<std::ptrdiff_t>(end), 0.0F);
                break;
            }
        }
        lengths_ = std::move(lengths);
        return {};
    }

    hnsw_header header_;
    std::uint64_t linked_ = 0; // rows that there were, to which links may lead
    source_file file_;
    bool cosine_ = false;
    std::unordered_map<std::uint64_t, std::uint32_t> rows_;
    std::vector<float> lengths_; // 0 where it can't be trusted
};

/// The labels of ids of which both directions of the map say the same.
///
/// Errors: corrupt_source (the pickle can't be read), not_found, io_failure, limit_exceeded.
[[nodiscard]] inline result<std::vector<std::pair<std::string, std::uint64_t>>>
rescue_labels(std::string const& path, std::int64_t& last_sequence) {
    auto file = source_file::open(path);
    if (!file) return file.error();
    auto const size = file->size();
    if (!size) return size.error();
    if (*size > (std::uint64_t{1} << 30))
        return error{errc::limit_exceeded, "a pickle of at most 1 GiB", path};
    std::string bytes(static_cast<std::size_t>(*size), '\0');
    auto const got = file->read_at(0, bytes.data(), bytes.size());
    if (!got) return got.error();
    using kind = pickle_value::kind;
    pickle_reader reader(std::string_view(bytes).substr(0, *got));
    auto const attributes = reader.read();
    if (!attributes) return attributes.error();
    std::vector<std::pair<std::string, std::uint64_t>> labels;
    std::unordered_map<std::uint64_t, std::string_view> back;
    for (auto const& [key, v] : **attributes) {
        if (key.text == "max_seq_id" && v.type == kind::integer) last_sequence = v.number;
        if (v.type != kind::dict) continue;
        if (key.text == "id_to_label") {
            for (auto const& [id, label] : reader.entries(v))
                if (id.type == kind::text && label.type == kind::integer && label.number >= 0)
                    labels.emplace_back(id.text, static_cast<std::uint64_t>(label.number));
        }
        if (key.text == "label_to_id") {
            for (auto const& [label, id] : reader.entries(v))
                if (id.type == kind::text && label.type == kind::integer && label.number >= 0)
                    back[static_cast<std::uint64_t>(label.number)] = id.text;
        }
    }
    labels.erase(std::remove_if(labels.begin(), labels.end(),
                                [&](auto const& entry) {
                                    auto const at = back.find(entry.second);
                                    return at == back.end() || at->second != entry.first;
                                }),
                 labels.end());
    return labels;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
