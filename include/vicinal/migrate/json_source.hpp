// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_SOURCE_HPP
#define VICINAL_MIGRATE_JSON_SOURCE_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fill_batch.hpp>
#include <vicinal/migrate/json/reader.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads the JSON that vector stores and their clients write: pages of answers, exports, bulk
/// files, JSON Lines of rows, whatever their size and layout.
///
/// Recognised by shape: Pinecone (fetch, query, upsert), Qdrant (scroll, upsert, query, search),
/// Weaviate (objects, GraphQL Get, batch, the Python client's), Milvus (rows, columns, query),
/// Chroma (`get()`, `query()`, rows), LlamaIndex (vector store, docstore), OpenAI embeddings, and
/// flat rows {id, vector, anything else}, among them those of LanceDB, PostgreSQL and SpecMem.
/// A file may hold several documents; a directory is read as one source, file by file.
///
/// A record's payload is the metadata, payload or properties; in flat rows, everything that is
/// neither id nor vector. Chroma's document and uri become fields, as chroma_directory has them.
/// Sparse vectors, multivectors, further named vectors, scores and the like are counted in
/// `describe().losses`. A record without a vector has an empty one.
/// Memory: the batch and about 20 times the longest record, which may have 64 MiB; of LlamaIndex,
/// the metadata. Needs simdjson. Sources: the systems' interface descriptions of 2026.
class json_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit json_source(std::string path, json_options options = {})
        : json_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// A file, or a directory of them.
    ///
    /// Errors: not_found, foreign_file (no regular file), io_failure.
    [[nodiscard]] static result<json_source> try_open(std::string path, json_options options = {}) {
        return detail::guarded([&]() -> result<json_source> {
            auto files = detail::json_files(path, options.files);
            if (!files) return files.error();
            return opened(std::move(path), *std::move(files), std::move(options));
        });
    }

    /// Several files as one source, in this order. Errors: as above; invalid_argument for none.
    [[nodiscard]] static result<json_source> try_open(std::vector<std::string> files,
                                                      json_options options = {}) {
        return detail::guarded([&]() -> result<json_source> {
            if (files.empty()) return error{errc::invalid_argument, "at least one file", "none"};
            auto path = files.front();
            return opened(std::move(path), std::move(files), std::move(options));
        });
    }

    /// The dimension is that of the first vector among the first 100 records; how many records
    /// there are only reading tells, and `losses` are those met since the last rewind.
    ///
    /// Errors: as for `read`, but records that can't be read are passed over.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            detail::json_reader scout(*options_, files_);
            detail::bad_records bad;
            bad.pass_over([](bad_record const&) {});
            schema s;
            record r;
            for (int i = 0; i < 100 && s.dim == 0; ++i) {
                auto const more = scout.next(r, bad);
                if (!more) return more.error();
                if (!*more) break;
                s.dim = r.vector.size();
            }
            auto const shape =
                scout.shape() == json_shape::automatic ? json_shape::rows : scout.shape();
            s.losses = reader_->losses().sentences();
            s.description = "json:" + path_ + " (" + std::string(name(shape)) + ")";
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            reader_ = std::make_unique<detail::json_reader>(*options_, files_);
            return {};
        });
    }

    /// Errors: invalid_json, empty_id and not_finite name the record and are passed over where
    /// that was asked for; invalid_argument (an option has to choose between vectors, collections
    /// or namespaces, which are listed), unsupported (a list of ids), foreign_file (a document
    /// without records), corrupt_source (columns of different lengths), limit_exceeded, io_failure.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            return detail::fill_batch(batch, most,
                                      [&](record& r) { return reader_->next(r, bad_); });
        });
    }

    void pass_over(bad_record_handler tell) { bad_.pass_over(std::move(tell)); }

private:
    struct unopened {};
    json_source(std::string path, std::vector<std::string> files, json_options options, unopened)
        : path_(std::move(path)), files_(std::move(files)),
          options_(std::make_unique<json_options>(std::move(options))) {}

    static result<json_source> opened(std::string path, std::vector<std::string> files,
                                      json_options options) {
        for (auto const& file : files) {
            auto const there = options.open(file);
            if (!there) return there.error();
        }
        json_source source(std::move(path), std::move(files), std::move(options), unopened{});
        VICINAL_CHECK(source.rewind());
        return source;
    }

    std::string path_;
    std::vector<std::string> files_;
    std::unique_ptr<json_options> options_; // the reader refers to them
    std::unique_ptr<detail::json_reader> reader_;
    detail::bad_records bad_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
