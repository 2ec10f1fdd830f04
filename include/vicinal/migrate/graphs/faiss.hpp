// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_FAISS_HPP
#define VICINAL_MIGRATE_GRAPHS_FAISS_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/graphs/faiss/codec.hpp>
#include <vicinal/migrate/graphs/faiss/index.hpp>
#include <vicinal/migrate/graphs/faiss/transform.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>
#include <vicinal/migrate/graphs/index_source.hpp>
#include <vicinal/migrate/graphs/langchain_docstore.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

struct faiss_options {
    /// What `describe` gives as the metric in place of the index's own: "cosine" for vectors that
    /// were normalised before they were added to an index of inner products.
    std::string metric = {};
    /// Vectors of which only codes are there are computed from these, as near as they allow.
    bool decode = false;
};

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// The vectors of a faiss index, in the order of the file.
class faiss_reader {
public:
    [[nodiscard]] static result<faiss_reader> open(std::string const& path,
                                                   backend::faiss_options const& options) {
        auto const folder = path_exists(path + "/index.faiss");
        std::string const file = folder ? path + "/index.faiss" : path;
        auto bytes = file_bytes::open(file);
        if (!bytes) return bytes.error();
        auto content = faiss_parser(*bytes).parse();
        if (!content) return content.error();
        faiss_reader r(*std::move(bytes), *std::move(content), options);
        VICINAL_CHECK(r.check_readable());
        if (folder) VICINAL_CHECK(r.open_docstore(path + "/index.pkl"));
        // Codes, ids and centres are read side by side, each through a window of its own.
        for (auto* const other : {&r.ids_, &r.centres_}) {
            auto again = file_bytes::open(file);
            if (!again) return again.error();
            *other = *std::move(again);
        }
        for (std::size_t i = 0; i < r.content_.id_maps.size(); ++i) {
            auto again = file_bytes::open(file);
            if (!again) return again.error();
            r.maps_.push_back(*std::move(again));
        }
        return r;
    }

    [[nodiscard]] schema describe() const {
        schema s{.dim = content_.added_dim(),
                 .metric = metric(),
                 .records = content_.rows,
                 .losses = losses_,
                 .description = "faiss:" + codes_.path()};
        if (docstore_ && docstore_->dropped() > 0)
            s.losses.push_back(std::to_string(docstore_->dropped()) +
                               " values of LangChain's metadata are no text, number, list or dict, "
                               "and were dropped");
        if (docstore_ && docstore_->unknown() > 0)
            s.losses.push_back(std::to_string(docstore_->unknown()) +
                               " vectors have no document in LangChain's docstore");
        return s;
    }

    [[nodiscard]] result<bool> next(record& out) {
        while (block_ < content_.blocks.size() && row_ == content_.blocks[block_].count) {
            ++block_;
            row_ = 0;
        }
        if (block_ == content_.blocks.size()) return false;
        auto const& block = content_.blocks[block_];
        if (content_.centres && row_ == 0) VICINAL_CHECK(load_centre(block.cell));
        auto const bytes = content_.codec.code_bytes();
        auto const code = codes_.at(block.codes + row_ * bytes, bytes);
        if (!code) return code.error();
        out.vector.resize(content_.dim);
        content_.codec.decode(*code, out.vector.data());
        for (std::size_t i = 0; i < centre_.size(); ++i) out.vector[i] += centre_[i];
        for (auto const& t : content_.transforms) t.back(out.vector);
        auto const id = id_of(block);
        if (!id) return id.error();
        out.id = std::to_string(*id);
        out.payload.clear();
        if (docstore_) docstore_->fill(*id, out);
        ++row_;
        return true;
    }

private:
    faiss_reader(file_bytes bytes, faiss_content content, backend::faiss_options options)
        : codes_(std::move(bytes)), content_(std::move(content)), options_(std::move(options)) {}

    [[nodiscard]] bool normalised() const noexcept {
        return content_.transforms.size() == 1 &&
               content_.transforms[0].what() == faiss_transform::kind::normal;
    }

    [[nodiscard]] std::string metric() const {
        if (!options_.metric.empty()) return options_.metric;
        switch (content_.metric) {
            case 0: return normalised() ? "cosine" : "inner_product";
            // Between vectors of length 1 both give the same order.
            case 1: return normalised() ? "cosine" : "squared_l2";
            case 2: return "l1";
            default: return "";
        }
    }

    // A docstore that can't be read is a loss, not an error: the vectors are there.
    result<void> open_docstore(std::string const& path) {
        if (!path_exists(path)) return {};
        auto docstore = langchain_docstore::open(path);
        if (docstore) {
            docstore_.emplace(*std::move(docstore));
            return {};
        }
        auto const& e = docstore.error();
        if (e.code() == errc::io_failure || e.code() == errc::out_of_memory) return e;
        losses_.push_back("texts, metadata and ids of LangChain's docstore (index.pkl) were not "
                          "read: " +
                          e.message());
        return {};
    }

    // Names what is lost, and refuses what would lose more than was agreed to.
    result<void> check_readable() {
        using kind = faiss_codec::kind;
        auto const& codec = content_.codec;
        std::string lossy;
        if (codec.what() == kind::steps || codec.what() == kind::product)
            lossy = "codes of " + codec.in_words();
        if (codec.what() == kind::numbers)
            losses_.push_back("the index keeps " + codec.in_words() +
                              ", to which faiss had rounded the vectors");
        bool linear = false;
        for (auto const& t : content_.transforms) {
            if (t.what() == faiss_transform::kind::normal)
                losses_.emplace_back("the index keeps vectors at length 1, not at the length they "
                                     "had");
            if (t.what() != faiss_transform::kind::linear) continue;
            linear = true;
            lossy.append(lossy.empty() ? "" : ", and ")
                .append("vectors of " + std::to_string(t.to()) +
                        " elements that a matrix made of " + std::to_string(t.from()));
        }
        if (lossy.empty()) return {};
        if (!options_.decode)
            return codes_.wrong(errc::unsupported,
                                "an index with its vectors, or decode=1 for the nearest there are",
                                lossy);
        for (auto const& t : content_.transforms)
            if (linear && !t.has_way_back())
                return codes_.wrong(errc::unsupported, "a rotation or PCA without whitening",
                                    "a matrix that has no simple way back");
        losses_.push_back("the vectors were computed from " + lossy +
                          ": they are near those that were added, not the same");
        return {};
    }

    result<void> load_centre(std::uint64_t cell) {
        auto centre = load_floats(
            centres_, {content_.centres->offset + cell * 4 * content_.dim, content_.dim});
        if (!centre) return centre.error();
        centre_ = *std::move(centre);
        return {};
    }

    [[nodiscard]] result<std::int64_t> id_of(faiss_block const& block) {
        auto id = static_cast<std::int64_t>(row_);
        if (block.ids != 0) {
            auto const p = ids_.at(block.ids + 8 * row_, 8);
            if (!p) return p.error();
            id = static_cast<std::int64_t>(load_le<std::uint64_t>(*p));
        }
        for (std::size_t i = 0; i < maps_.size(); ++i) {
            auto const& map = content_.id_maps[i];
            auto const at = static_cast<std::uint64_t>(id);
            if (at >= map.count)
                return codes_.wrong(errc::corrupt_source,
                                    "an id of the inner index below " + std::to_string(map.count),
                                    std::to_string(id));
            auto const p = maps_[i].at(map.offset + 8 * at, 8);
            if (!p) return p.error();
            id = static_cast<std::int64_t>(load_le<std::uint64_t>(*p));
        }
        return id;
    }

    file_bytes codes_;
    file_bytes ids_;
    file_bytes centres_;
    std::vector<file_bytes> maps_;
    faiss_content content_;
    backend::faiss_options options_;
    std::optional<langchain_docstore> docstore_;
    std::vector<std::string> losses_;
    std::vector<float> centre_; // of the cell of the block; empty where codes are no differences
    std::size_t block_ = 0;
    std::uint64_t row_ = 0; // within the block
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads what faiss's write_index writes: Flat, HNSW, IVF, SQ and PQ indexes, IDMap, PreTransform
/// and RefineFlat around them.
///
/// Ids are those of the index, or positions; vectors of float indexes come bit for bit. Numbers of
/// 8 or 16 bits that stand for themselves (SQfp16, SQ8bit_direct) are read as they are. Scalar and
/// product quantizers (Jegou et al. 2011) and PCA keep codes: they are refused, or decoded where
/// the option says so; both are named in `describe().losses`. LSH keeps nothing that could be read.
///
/// A folder that LangChain saved gives ids, metadata and texts (field "document", or
/// "langchain:document" where the metadata have that name) from its index.pkl, which is read as
/// data: no class in it is looked up, nothing in it runs. One that can't be read is a named loss,
/// and ids are positions.
///
/// Memory: one batch, 256 KiB for each of codes, ids and centres, the tables of the quantizer, and
/// about five times an index.pkl (149 MB for one of 33 MB with 100,000 documents).
using faiss_source = index_source<detail::faiss_reader, faiss_options>;

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
