// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_DIRECTORY_HPP
#define VICINAL_BACKEND_CHROMA_DIRECTORY_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/collection.hpp>
#include <vicinal/backend/chroma/options.hpp>
#include <vicinal/migrate/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads a collection from the directory of a local Chroma 0.4 to 1.x, without Chroma or Python.
///
/// Records come in the order of their ids (bytewise). Metadata, document and uri become fields
/// ("document", "uri"; "chroma:document" where the metadata have that name themselves). Vectors are
/// those inserted, bit for bit, except what `describe().losses` says. Nothing in the directory is
/// changed; a Chroma that still writes there waits while this reads, so stop it first.
/// Memory: about 200 bytes a record, one batch, and 32 MiB of pages. Needs SQLite and simdjson.
class chroma_directory {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit chroma_directory(std::string path, std::string collection = {},
                              chroma_options options = {})
        : chroma_directory(
              try_open(std::move(path), std::move(collection), std::move(options)).value()) {}
#endif

    /// `collection` may be empty where the directory has only one.
    ///
    /// Errors: not_found (no such directory or collection: the message lists them),
    /// invalid_argument (several of that name: the message lists them), foreign_file, unsupported
    /// (Chroma 0.3), corrupt_source, limit_exceeded, locked, io_failure.
    [[nodiscard]] static result<chroma_directory>
    try_open(std::string path, std::string collection = {}, chroma_options options = {}) {
        return detail::guarded([&]() -> result<chroma_directory> {
            chroma_directory source(std::move(path), std::move(collection), std::move(options),
                                    unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// The collections of a directory, by tenant, database and name.
    [[nodiscard]] static result<std::vector<chroma_collection>> list(std::string const& path) {
        return detail::guarded([&]() -> result<std::vector<chroma_collection>> {
            auto const db = detail::open_chroma(path);
            if (!db) return db.error();
            auto entries = detail::chroma_catalogue(*db).read();
            if (!entries) return entries.error();
            std::vector<chroma_collection> collections;
            for (auto& e : *entries) collections.push_back(std::move(e.about));
            return collections;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            return schema{.dim = view_->dim(),
                          .metric =
                              std::string(detail::metric_of_space(view_->entry().about.space)),
                          .records = view_->size(),
                          .losses = view_->losses(),
                          .description = view_->description()};
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto db = detail::open_chroma(path_);
            if (!db) return db.error();
            auto const entries = detail::chroma_catalogue(*db).read();
            if (!entries) return entries.error();
            auto entry = detail::choose_collection(*entries, collection_, options_);
            if (!entry) return entry.error();
            auto view = detail::chroma_view::open(path_, *std::move(db), *std::move(entry));
            if (!view) return view.error();
            view_ = *std::move(view);
            next_ = 0;
            return {};
        });
    }

    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            // Records of the batch before are filled anew: their vectors keep their memory.
            auto const n = (std::min)(most, view_->size() - next_);
            batch.resize(n);
            VICINAL_CHECK(view_->read(next_, batch));
            next_ += n;
            return {};
        });
    }

private:
    struct unopened {};
    chroma_directory(std::string path, std::string collection, chroma_options options, unopened)
        : path_(std::move(path)), collection_(std::move(collection)), options_(std::move(options)) {
    }

    std::string path_;
    std::string collection_;
    chroma_options options_;
    std::unique_ptr<detail::chroma_view> view_;
    std::size_t next_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
