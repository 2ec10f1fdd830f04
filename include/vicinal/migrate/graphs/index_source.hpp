// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_INDEX_SOURCE_HPP
#define VICINAL_MIGRATE_GRAPHS_INDEX_SOURCE_HPP

#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fill_batch.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// A source over the file of an index; `Reader` knows the format. See hnswlib_source, faiss_source
/// and usearch_source.
template <class Reader, class Options>
class index_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit index_source(std::string path, Options options = {})
        : index_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found, foreign_file (another format), corrupt_source (damaged), unsupported (the
    /// vectors are not in the file, or in a way that is not read), limit_exceeded, invalid_argument
    /// (an option), io_failure.
    [[nodiscard]] static result<index_source> try_open(std::string path, Options options = {}) {
        return detail::guarded([&]() -> result<index_source> {
            index_source source(std::move(path), std::move(options), unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> { return reader_->describe(); });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto reader = Reader::open(path_, options_);
            if (!reader) return reader.error();
            reader_ = std::make_unique<Reader>(*std::move(reader));
            return {};
        });
    }

    /// Errors: corrupt_source, naming file and place; io_failure.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            return detail::fill_batch(batch, most, [&](record& r) { return reader_->next(r); });
        });
    }

private:
    struct unopened {};
    index_source(std::string path, Options options, unopened)
        : path_(std::move(path)), options_(std::move(options)) {}

    std::string path_;
    Options options_;
    std::unique_ptr<Reader> reader_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
