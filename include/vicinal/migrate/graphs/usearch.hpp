// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_USEARCH_HPP
#define VICINAL_MIGRATE_GRAPHS_USEARCH_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>
#include <vicinal/migrate/graphs/index_source.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct usearch_options {
    /// What `describe` gives as the metric in place of the index's own.
    std::string metric = {};
};

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// What a file of usearch says in front of its graph, and where its parts lie.
struct usearch_head {
    static constexpr std::string_view magic = "usearch";
    static constexpr std::size_t size = 64;

    std::uint64_t rows = 0;
    std::uint64_t row_bytes = 0;
    std::uint64_t vectors = 0; // offset of the first
    std::uint64_t levels = 0;  // offset of the first node's level
    std::uint64_t nodes = 0;   // offset of the first node
    std::uint64_t base_bytes = 0;
    std::uint64_t level_bytes = 0;
    std::uint64_t deleted = 0;
    std::size_t dim = 0;
    std::size_t key_bytes = 8;
    bool signed_keys = false;
    bool multi = false;
    char metric = 0;
    /// Nothing for bits.
    std::optional<number_format> number;

    /// Errors: foreign_file, corrupt_source, unsupported, limit_exceeded, io_failure.
    [[nodiscard]] static result<usearch_head> parse(file_bytes& bytes) {
        usearch_head h;
        std::uint64_t at = 0;
        auto const signature = bytes.at(0, bytes.size() < magic.size() ? 0 : magic.size());
        if (!signature) return signature.error();
        if (bytes.size() >= magic.size() && is_magic(*signature))
            return bytes.wrong(errc::unsupported, "an index with its vectors",
                               "one that usearch wrote without them");
        auto const found = h.find(bytes);
        if (!found) return found.error();
        at = *found;
        VICINAL_CHECK(h.parse_types(bytes, at));
        byte_cursor in(bytes, at + size);
        std::uint64_t nodes = 0;
        std::uint64_t links = 0;
        std::uint64_t base_links = 0;
        std::uint64_t unused = 0;
        VICINAL_CHECK(in.read(nodes, links, base_links, unused, unused));
        constexpr std::uint64_t most_links = 65'536;
        if (nodes != h.rows || links > most_links || base_links > most_links)
            return bytes.wrong(errc::corrupt_source, "a graph of as many nodes as vectors",
                               std::to_string(nodes) + " for " + std::to_string(h.rows));
        h.base_bytes = h.key_bytes + 2 + 4 + base_links * h.slot_bytes;
        h.level_bytes = 4 + links * h.slot_bytes;
        auto const levels = in.range(nodes, 2);
        if (!levels) return levels.error();
        h.levels = levels->offset;
        h.nodes = in.offset();
        return h;
    }

    /// Whether the seven letters stand at `p`.
    [[nodiscard]] static bool is_magic(std::byte const* p) noexcept {
        return std::memcmp(p, magic.data(), magic.size()) == 0;
    }

private:
    std::uint64_t slot_bytes = 4;

    // Rows and bytes of a row stand in front of the vectors as 32 or as 64 bits: the head behind
    // the vectors tells which.
    [[nodiscard]] result<std::uint64_t> find(file_bytes& bytes) {
        for (std::size_t const width : {std::size_t{4}, std::size_t{8}}) {
            if (bytes.size() < 2 * width + size) continue;
            auto const p = bytes.at(0, 2 * width);
            if (!p) return p.error();
            rows = width == 4 ? load_le<std::uint32_t>(*p) : load_le<std::uint64_t>(*p);
            row_bytes =
                width == 4 ? load_le<std::uint32_t>(*p + 4) : load_le<std::uint64_t>(*p + 8);
            vectors = 2 * width;
            std::uint64_t head = 0;
            if (!checked_multiply(rows, row_bytes, head) || !checked_add(head, vectors, head) ||
                !bytes.holds(head, 1, size))
                continue;
            auto const there = bytes.at(head, magic.size());
            if (!there) return there.error();
            if (is_magic(*there)) return head;
        }
        return bytes.wrong(errc::foreign_file, "an index of usearch, version 2",
                           "no such signature behind its vectors");
    }

    result<void> parse_types(file_bytes& bytes, std::uint64_t at) {
        byte_cursor in(bytes, at + magic.size());
        std::uint16_t major = 0;
        std::uint16_t minor = 0;
        std::uint16_t patch = 0;
        std::uint8_t scalar = 0;
        std::uint8_t key = 0;
        std::uint8_t slot = 0;
        std::uint64_t present = 0;
        std::uint64_t elements = 0;
        std::uint8_t several = 0;
        VICINAL_CHECK(in.read(major, minor, patch, metric, scalar, key, slot, present, deleted,
                              elements, several));
        if (major != 2)
            return bytes.wrong(errc::unsupported, "a file of usearch 2",
                               "version " + std::to_string(major));
        if (minor < 10)
            for (auto* const kind : {&scalar, &key, &slot}) *kind = renumbered(*kind);
        multi = several != 0;
        if (elements == 0 && rows == 0) return {};
        if (elements > source_dims)
            return bytes.wrong(errc::limit_exceeded, "vectors of at most 65536 elements",
                               std::to_string(elements));
        dim = static_cast<std::size_t>(elements);
        VICINAL_CHECK(set_number(bytes, scalar));
        auto const wanted = number ? dim * number->bytes() : (dim + 7) / 8;
        if (dim == 0 || (rows != 0 && row_bytes != wanted))
            return bytes.wrong(errc::corrupt_source, std::to_string(wanted) + " bytes a vector",
                               std::to_string(row_bytes));
        switch (key) {
            case 14: break;
            case 15: key_bytes = 4; break;
            case 20: signed_keys = true; break;
            default:
                return bytes.wrong(errc::unsupported, "keys that are integers of 32 or 64 bits",
                                   "type " + std::to_string(key));
        }
        if (slot == 2) slot_bytes = 5;
        if (slot != 2 && slot != 15)
            return bytes.wrong(errc::unsupported, "links of 32 or 40 bits",
                               "type " + std::to_string(slot));
        return {};
    }

    result<void> set_number(file_bytes const& bytes, std::uint8_t scalar) {
        switch (scalar) {
            case 1: return {};
            case 4: number = number_format{number_kind::bf16}; return {};
            case 10: number = number_format{number_kind::f64}; return {};
            case 11: number = number_format{number_kind::f32}; return {};
            case 12: number = number_format{number_kind::f16}; return {};
            case 23: number = number_format{number_kind::i8}; return {};
            default:
                return bytes.wrong(errc::unsupported, "vectors of f64, f32, f16, bf16, i8 or bits",
                                   "type " + std::to_string(scalar));
        }
    }

    // Versions before 2.10 counted the types without gaps.
    [[nodiscard]] static std::uint8_t renumbered(std::uint8_t kind) noexcept {
        constexpr std::uint8_t now[] = {0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 17, 20, 21, 22, 23};
        return kind < sizeof now ? now[kind] : kind;
    }
};

/// The vectors of a file of usearch that were not removed, in the order of the file.
class usearch_reader {
public:
    [[nodiscard]] static result<usearch_reader> open(std::string const& path,
                                                     backend::usearch_options const& options) {
        // Vectors, levels and nodes are read side by side, each through a window of its own.
        auto vectors = file_bytes::open(path);
        if (!vectors) return vectors.error();
        auto levels = file_bytes::open(path);
        if (!levels) return levels.error();
        auto nodes = file_bytes::open(path);
        if (!nodes) return nodes.error();
        auto head = usearch_head::parse(*vectors);
        if (!head) return head.error();
        usearch_reader r(*std::move(vectors), *std::move(levels), *std::move(nodes), *head,
                         options);
        VICINAL_CHECK(r.check_nodes());
        return r;
    }

    [[nodiscard]] schema describe() const {
        schema s{.dim = head_.dim,
                 .metric = metric(),
                 .records = head_.rows - removed_,
                 .description = "usearch:" + vectors_.path()};
        if (head_.number && head_.number->kind == number_kind::i8)
            s.losses.emplace_back("the index keeps 8 bits an element, to which usearch had rounded "
                                  "the vectors: numbers of 1/127");
        if (head_.number && head_.number->bytes() == 2)
            s.losses.emplace_back("the index keeps 16 bits an element, to which usearch had "
                                  "rounded the vectors");
        if (!head_.number && head_.dim != 0)
            s.losses.emplace_back("the index keeps 1 bit an element: the vectors are made of 0 "
                                  "and 1");
        if (rounded_ > 0) s.losses.push_back(rounded_loss(rounded_));
        if (repeated_ > 0)
            s.losses.push_back(std::to_string(repeated_) +
                               " vectors shared a key with an earlier one: their ids are KEY#1, "
                               "KEY#2 and so on");
        return s;
    }

    [[nodiscard]] result<bool> next(record& out) {
        while (row_ < head_.rows) {
            auto const key = next_key();
            if (!key) return key.error();
            auto const row = row_++;
            if (free(*key)) continue;
            auto const p = vectors_.at(head_.vectors + row * head_.row_bytes,
                                       static_cast<std::size_t>(head_.row_bytes));
            if (!p) return p.error();
            vector(*p, out.vector);
            set_id(*key, out.id);
            out.payload.clear();
            return true;
        }
        return false;
    }

private:
    usearch_reader(file_bytes vectors, file_bytes levels, file_bytes nodes, usearch_head head,
                   backend::usearch_options options)
        : vectors_(std::move(vectors)), levels_(std::move(levels)), nodes_(std::move(nodes)),
          head_(head), options_(std::move(options)), node_(head.nodes) {}

    [[nodiscard]] std::string metric() const {
        if (!options_.metric.empty()) return options_.metric;
        switch (head_.metric) {
            case 'i': return "inner_product";
            case 'c': return "cosine";
            case 'e': return "squared_l2";
            case 'b': return "hamming";
            case 't': return "jaccard";
            default: return "";
        }
    }

    // The keys of removed vectors have this one instead.
    [[nodiscard]] bool free(std::uint64_t key) const noexcept {
        if (head_.key_bytes == 4) return key == (std::numeric_limits<std::uint32_t>::max)();
        return head_.signed_keys ? key == std::uint64_t{(std::numeric_limits<std::int64_t>::max)()}
                                 : key == (std::numeric_limits<std::uint64_t>::max)();
    }

    // The key of the node that `node_` points to, which is then the next.
    [[nodiscard]] result<std::uint64_t> next_key() {
        auto const level_at = levels_.at(head_.levels + 2 * row_, 2);
        if (!level_at) return level_at.error();
        std::uint64_t const level = load_le<std::uint16_t>(*level_at);
        auto const length = head_.base_bytes + level * head_.level_bytes;
        if (!nodes_.holds(node_, 1, length))
            return nodes_.wrong(errc::corrupt_source, "node " + std::to_string(row_),
                                "it ends before");
        auto const p = nodes_.at(node_, head_.key_bytes);
        if (!p) return p.error();
        node_ += length;
        return head_.key_bytes == 4 ? load_le<std::uint32_t>(*p) : load_le<std::uint64_t>(*p);
    }

    // That the nodes end where the file does tells a whole file from a damaged one.
    result<void> check_nodes() {
        for (; row_ < head_.rows; ++row_) {
            auto const key = next_key();
            if (!key) return key.error();
            if (free(*key)) ++removed_;
        }
        if (node_ != nodes_.size())
            return nodes_.wrong(errc::corrupt_source, "the end of the file behind the last node",
                                std::to_string(nodes_.size() - node_) + " bytes more");
        row_ = 0;
        node_ = head_.nodes;
        return {};
    }

    void vector(std::byte const* p, std::vector<float>& out) {
        out.resize(head_.dim);
        if (!head_.number) {
            for (std::size_t i = 0; i < head_.dim; ++i)
                out[i] = (static_cast<unsigned>(p[i / 8]) >> (7 - i % 8) & 1U) != 0 ? 1.0F : 0.0F;
            return;
        }
        rounded_ += to_floats(*head_.number, p, head_.dim, head_.number->bytes(), out.data());
        if (head_.number->kind == number_kind::i8)
            for (auto& f : out) f /= 127.0F;
    }

    void set_id(std::uint64_t key, std::string& out) {
        out = head_.signed_keys ? std::to_string(static_cast<std::int64_t>(key))
                                : std::to_string(key);
        if (!head_.multi) return;
        auto const earlier = seen_[key]++;
        if (earlier == 0) return;
        ++repeated_;
        out.append("#").append(std::to_string(earlier));
    }

    file_bytes vectors_;
    file_bytes levels_;
    file_bytes nodes_;
    usearch_head head_;
    backend::usearch_options options_;
    std::unordered_map<std::uint64_t, std::uint32_t> seen_; // keys, where several may share one
    std::uint64_t repeated_ = 0;
    std::uint64_t rounded_ = 0;
    std::uint64_t removed_ = 0;
    std::uint64_t row_ = 0;
    std::uint64_t node_ = 0; // offset of the node of that row
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads what usearch 2 saves of an index of dense vectors (index_dense, with its vectors).
///
/// Keys become ids; where several vectors share a key, the later ones are KEY#1, KEY#2 and so on.
/// Removed vectors are passed over. Elements are f64, f32, f16, bf16, i8 (in units of 1/127, as
/// usearch has them) or bits (0 and 1, the highest of a byte first). Memory: one batch and 1 MiB;
/// where keys are shared, 40 bytes a key. Source: the format that usearch 2 documents by its code.
using usearch_source = index_source<detail::usearch_reader, usearch_options>;

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
