// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_FAISS_INDEX_HPP
#define VICINAL_MIGRATE_GRAPHS_FAISS_INDEX_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/graphs/faiss/codec.hpp>
#include <vicinal/migrate/graphs/faiss/transform.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Codes that lie one behind the other.
struct faiss_block {
    std::uint64_t codes = 0; // offset
    std::uint64_t count = 0;
    /// Offset of their ids, 8 bytes each; 0: they are numbered from 0.
    std::uint64_t ids = 0;
    /// The cell of an inverted file, whose centre is to be added.
    std::uint64_t cell = 0;
};

/// What an index file holds of its vectors: where codes and ids lie, and the way back to floats.
struct faiss_content {
    std::size_t dim = 0; // of the codes
    std::uint64_t rows = 0;
    std::int32_t metric = 1;
    faiss_codec codec;
    std::vector<faiss_block> blocks;
    /// Where the codes are differences to the centre of their cell: the centres.
    std::optional<file_range> centres;
    /// From the innermost index outwards: what its ids are replaced by.
    std::vector<file_range> id_maps;
    /// In the order in which they are undone.
    std::vector<faiss_transform> transforms;

    /// Of the vectors that were added.
    [[nodiscard]] std::size_t added_dim() const noexcept {
        return transforms.empty() ? dim : transforms.back().from();
    }
};

/// Reads what write_index of faiss writes, except its vectors.
///
/// Source: the format of faiss 1.7 to 1.15 (Douze et al. 2024). Every length is compared with the
/// file before anything is allocated; indexes lie at most 8 deep in each other.
class faiss_parser {
public:
    explicit faiss_parser(file_bytes& bytes) : in_(bytes) {}

    /// Errors: foreign_file, corrupt_source, unsupported, limit_exceeded, io_failure.
    [[nodiscard]] result<faiss_content> parse() {
        faiss_content c;
        VICINAL_CHECK(index(c, 0));
        if (in_.offset() != in_.bytes().size())
            return wrong(errc::corrupt_source, "the end of the file behind the index",
                         std::to_string(in_.bytes().size() - in_.offset()) + " bytes more");
        return c;
    }

private:
    static constexpr int deepest = 8;

    [[nodiscard]] error wrong(errc code, std::string expected, std::string const& got) const {
        return in_.bytes().wrong(code, std::move(expected), got);
    }
    [[nodiscard]] error contradiction(std::string expected) const {
        return wrong(errc::corrupt_source, std::move(expected),
                     "another in front of offset " + std::to_string(in_.offset()));
    }

    result<std::string> letters() {
        std::string four;
        for (int i = 0; i < 4; ++i) {
            char c = 0;
            VICINAL_CHECK(in_.read(c));
            four.push_back(c);
        }
        return four;
    }

    result<file_range> items(std::uint64_t width) {
        std::uint64_t count = 0;
        VICINAL_CHECK(in_.read(count));
        return in_.range(count, width);
    }

    result<void> header(faiss_content& c) {
        std::int32_t dim = 0;
        std::int64_t rows = 0;
        std::int64_t unused = 0;
        std::uint8_t trained = 0;
        VICINAL_CHECK(in_.read(dim, rows, unused, unused, trained, c.metric));
        float argument = 0;
        if (c.metric > 1) VICINAL_CHECK(in_.read(argument));
        if (dim < 0 || rows < 0 || c.metric < 0) return contradiction("a header of an index");
        if (dim > static_cast<std::int32_t>(source_dims))
            return wrong(errc::limit_exceeded, "vectors of at most 65536 elements",
                         std::to_string(dim));
        c.dim = static_cast<std::size_t>(dim);
        c.rows = static_cast<std::uint64_t>(rows);
        return {};
    }

    result<void> index(faiss_content& c, int depth) {
        auto const kind = letters();
        if (!kind) return kind.error();
        auto const is = [&kind](auto... names) { return ((*kind == names) || ...); };
        if (is("IxF2", "IxFI", "IxFl")) return flat(c);
        if (depth == deepest)
            return wrong(errc::limit_exceeded, "indexes at most 8 deep in each other", "more");
        if (is("IxMp", "IxM2")) return id_map(c, depth);
        if (is("IHNf", "IHNp", "IHNs", "IH00")) return graph(c, depth);
        if (is("IxSQ")) return scalar(c);
        if (is("IxPq")) return product(c);
        if (is("IwFl", "IwSq", "IwPQ")) return inverted(c, *kind, depth);
        if (is("IxPT")) return transformed(c, depth);
        if (is("IxRF")) return refined(c, depth);
        if (is("null"))
            return wrong(errc::unsupported, "an index with its vectors",
                         "one that was written without them");
        if (is("IxHe"))
            return wrong(errc::unsupported, "an index that keeps vectors",
                         "IndexLSH, which keeps signs only: embed the records again");
        if (is("IBxF", "IBwF", "IBFf", "IBHf", "IBM2", "IBMp", "IBHh", "IBHm"))
            return wrong(errc::unsupported, "an index of floats", "one of bits (" + *kind + ")");
        if (depth == 0 && (kind->front() != 'I' || !plausible(*kind)))
            return wrong(errc::foreign_file, "an index of faiss", "other letters at its start");
        return wrong(errc::unsupported,
                     "a faiss index of the kinds Flat, HNSW, IVF, SQ, PQ, IDMap, PreTransform, "
                     "RefineFlat",
                     "the kind " + *kind);
    }

    [[nodiscard]] static bool plausible(std::string_view kind) noexcept {
        for (char const c : kind)
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
                return false;
        return true;
    }

    // Codes one behind the other, numbered from 0. `width`: bytes of the items that were counted.
    result<void> codes(faiss_content& c, std::uint64_t width) {
        auto const range = items(width);
        if (!range) return range.error();
        std::uint64_t wanted = 0;
        if (!checked_multiply<std::uint64_t>(c.rows, c.codec.code_bytes(), wanted) ||
            wanted != range->count * width || (c.dim == 0 && c.rows != 0))
            return contradiction(std::to_string(c.rows) + " vectors");
        c.blocks.push_back({range->offset, c.rows});
        return {};
    }

    result<void> flat(faiss_content& c) {
        VICINAL_CHECK(header(c));
        c.codec = faiss_codec::of_floats(c.dim);
        return codes(c, 4);
    }

    result<void> scalar(faiss_content& c) {
        VICINAL_CHECK(header(c));
        auto codec = faiss_codec::scalar(in_, c.dim);
        if (!codec) return codec.error();
        c.codec = *std::move(codec);
        return codes(c, 1);
    }

    result<void> product(faiss_content& c) {
        VICINAL_CHECK(header(c));
        auto codec = faiss_codec::product(in_, c.dim);
        if (!codec) return codec.error();
        c.codec = *std::move(codec);
        VICINAL_CHECK(codes(c, 1));
        std::int32_t search = 0;
        std::uint8_t signs = 0;
        VICINAL_CHECK(in_.read(search, signs, search));
        if (signs != 0)
            return wrong(errc::unsupported, "codes of centroids", "codes of signs in IndexPQ");
        return {};
    }

    // An index around another: dimension and number of vectors agree.
    result<void> inner(faiss_content& c, int depth) {
        faiss_content outer;
        VICINAL_CHECK(header(outer));
        VICINAL_CHECK(index(c, depth + 1));
        if (outer.dim != c.added_dim() || outer.rows != c.rows)
            return contradiction("an inner index of as many vectors");
        c.metric = outer.metric;
        return {};
    }

    result<void> id_map(faiss_content& c, int depth) {
        VICINAL_CHECK(inner(c, depth));
        auto const map = items(8);
        if (!map) return map.error();
        if (map->count != c.rows) return contradiction("an id for each vector");
        c.id_maps.push_back(*map);
        return {};
    }

    // The graph is not needed: it is built anew.
    result<void> graph(faiss_content& c, int depth) {
        faiss_content outer;
        VICINAL_CHECK(header(outer));
        for (unsigned const width : {8U, 4U, 4U, 8U, 4U}) VICINAL_CHECK(items(width));
        VICINAL_CHECK(in_.range(5, 4));
        VICINAL_CHECK(index(c, depth + 1));
        if (outer.dim != c.added_dim() || outer.rows != c.rows)
            return contradiction("as many vectors as the graph has");
        c.metric = outer.metric;
        return {};
    }

    result<void> refined(faiss_content& c, int depth) {
        faiss_content outer;
        faiss_content coarse;
        VICINAL_CHECK(header(outer));
        VICINAL_CHECK(index(coarse, depth + 1));
        VICINAL_CHECK(index(c, depth + 1));
        VICINAL_CHECK(in_.range(1, 4));
        if (outer.dim != c.added_dim() || outer.rows != c.rows)
            return contradiction("as many refined vectors");
        c.metric = outer.metric;
        return {};
    }

    result<void> transformed(faiss_content& c, int depth) {
        faiss_content outer;
        VICINAL_CHECK(header(outer));
        std::int32_t count = 0;
        VICINAL_CHECK(in_.read(count));
        if (count < 0 || count > deepest) return contradiction("a chain of at most 8 transforms");
        std::vector<faiss_transform> chain;
        auto dim = outer.dim;
        for (std::int32_t i = 0; i < count; ++i) {
            auto t = faiss_transform::parse(in_);
            if (!t) return t.error();
            if (t->from() != dim) return contradiction("a chain of transforms");
            dim = t->to();
            chain.push_back(*std::move(t));
        }
        VICINAL_CHECK(index(c, depth + 1));
        if (c.added_dim() != dim || outer.rows != c.rows)
            return contradiction("an index of transformed vectors");
        while (!chain.empty()) {
            c.transforms.push_back(std::move(chain.back()));
            chain.pop_back();
        }
        c.metric = outer.metric;
        return {};
    }

    result<void> inverted(faiss_content& c, std::string const& kind, int depth) {
        VICINAL_CHECK(header(c));
        std::uint64_t cells = 0;
        std::uint64_t probes = 0;
        VICINAL_CHECK(in_.read(cells, probes));
        faiss_content quantizer;
        VICINAL_CHECK(index(quantizer, depth + 1));
        std::uint8_t direct = 0;
        VICINAL_CHECK(in_.read(direct));
        VICINAL_CHECK(items(8));
        if (direct == 2) VICINAL_CHECK(items(16));
        std::uint8_t residual = 0;
        std::uint64_t code_bytes = 4 * c.dim;
        if (kind == "IwFl") {
            c.codec = faiss_codec::of_floats(c.dim);
        } else if (kind == "IwSq") {
            auto codec = faiss_codec::scalar(in_, c.dim);
            if (!codec) return codec.error();
            c.codec = *std::move(codec);
            VICINAL_CHECK(in_.read(code_bytes, residual));
        } else {
            VICINAL_CHECK(in_.read(residual, code_bytes));
            auto codec = faiss_codec::product(in_, c.dim);
            if (!codec) return codec.error();
            c.codec = *std::move(codec);
        }
        if (code_bytes != c.codec.code_bytes()) return contradiction("codes of the usual length");
        if (residual != 0) {
            bool const plain = quantizer.codec.what() == faiss_codec::kind::floats &&
                               quantizer.blocks.size() == 1 && quantizer.blocks[0].ids == 0 &&
                               quantizer.transforms.empty() && quantizer.id_maps.empty();
            if (!plain)
                return wrong(errc::unsupported, "centres of cells that are kept as floats",
                             "another quantizer");
            if (quantizer.dim != c.dim || quantizer.rows != cells)
                return contradiction("a centre for each cell");
            c.centres = file_range{quantizer.blocks[0].codes, cells};
        }
        return lists(c, cells);
    }

    result<void> lists(faiss_content& c, std::uint64_t cells) {
        auto const kind = letters();
        if (!kind) return kind.error();
        if (*kind == "il00" && c.rows == 0) return {};
        if (*kind != "ilar")
            return wrong(errc::unsupported, "inverted lists within the file",
                         *kind == "ilod" ? "lists on disk: load and write the index with faiss"
                                         : "lists of the kind " + *kind);
        std::uint64_t count = 0;
        std::uint64_t code_bytes = 0;
        VICINAL_CHECK(in_.read(count, code_bytes));
        auto const form = letters();
        if (!form) return form.error();
        bool const sparse = *form == "sprs";
        if (count != cells || code_bytes != c.codec.code_bytes() || (!sparse && *form != "full"))
            return contradiction("a list for each cell");
        auto const sizes = items(8);
        if (!sizes) return sizes.error();
        if (sparse ? sizes->count % 2 != 0 || sizes->count / 2 > cells : sizes->count != cells)
            return contradiction("a size for each list");
        byte_cursor size_of(in_.bytes(), sizes->offset);
        std::uint64_t rows = 0;
        for (std::uint64_t i = 0; i < sizes->count; i += sparse ? 2 : 1) {
            faiss_block block;
            block.cell = i;
            if (sparse) VICINAL_CHECK(size_of.read(block.cell));
            VICINAL_CHECK(size_of.read(block.count));
            if (block.count == 0) continue;
            if (block.cell >= cells || block.count > c.rows - rows)
                return contradiction("lists of " + std::to_string(c.rows) + " vectors");
            rows += block.count;
            auto const codes = in_.range(block.count, code_bytes);
            if (!codes) return codes.error();
            auto const ids = in_.range(block.count, 8);
            if (!ids) return ids.error();
            block.codes = codes->offset;
            block.ids = ids->offset;
            c.blocks.push_back(block);
        }
        if (rows != c.rows) return contradiction(std::to_string(c.rows) + " vectors in the lists");
        return {};
    }

    byte_cursor in_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
