// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_SINK_HPP
#define VICINAL_MIGRATE_JSON_SINK_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/sink_file.hpp>
#include <vicinal/migrate/json/target.hpp>
#include <vicinal/migrate/json_source.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// For whom a json_sink writes.
struct json_sink_options {
    /// pinecone, qdrant, weaviate or chroma.
    json_shape shape = json_shape::qdrant;
    /// Records in a page at most: what the systems take in one request. A page ends at 1 MiB too.
    std::size_t page = 100;
    /// Each record on a line of its own, in no page. Not for Chroma, which takes columns.
    bool rows = false;
    /// Weaviate's class ("Record" where none is given) or Pinecone's namespace.
    std::string collection = {};
};

/// Writes what other systems take on import: a file whose lines are requests of at most a page of
/// records each: Pinecone's and Qdrant's upsert, Weaviate's batch, Chroma's columns.
///
/// What the system can't hold is changed as `losses` says, and then payloads are not compared when
/// the file is verified. Ids that Qdrant or Weaviate don't take are kept in a field, from which
/// json_source restores them. A record that is written again stands in the file twice; the systems
/// keep the last. The file is written as path + ".tmp" (mode 0600) and takes the place of `path`
/// in `finish`. Memory: a page and a batch.
class json_sink {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit json_sink(std::string path, json_sink_options options = {})
        : json_sink(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: invalid_argument (no path, a shape that is not written, a page of nothing). Nothing
    /// is written before `begin`.
    [[nodiscard]] static result<json_sink> try_open(std::string path,
                                                    json_sink_options options = {}) {
        using enum json_shape;
        auto const s = options.shape;
        if (path.empty()) return error{errc::invalid_argument, "the path of a file", "''"};
        if (s != pinecone && s != qdrant && s != weaviate && s != chroma)
            return error{errc::invalid_argument, "the shape pinecone, qdrant, weaviate or chroma",
                         "'" + std::string(name(s)) + "'"};
        if (options.page == 0 || (options.rows && s == chroma))
            return error{errc::invalid_argument, "pages of at least one record", "none"};
        return json_sink(std::move(path), std::move(options), unopened{});
    }

    /// What the system will not hold as it is, as sentences.
    [[nodiscard]] std::vector<std::string> losses(schema const&) const {
        return detail::json_page::losses(options_.shape);
    }
    /// Payloads are kept until one was changed.
    [[nodiscard]] sink_traits traits() const {
        sink_traits t;
        t.keeps_payloads = !page_.changed();
        return t;
    }

    /// Starts an empty file. Errors: not_found (no such directory), locked, io_failure.
    result<void> begin(schema const&) {
        return detail::guarded([&]() -> result<void> {
            file_ = {};
            page_ = empty_page();
            auto file = detail::sink_file::create(path_);
            if (!file) return file.error();
            file_ = *std::move(file);
            return {};
        });
    }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            auto page = empty_page();
            std::string out;
            for (auto const& r : batch) {
                VICINAL_CHECK(page.add(r));
                out.clear();
                page.flush(out);
            }
            return {};
        });
    }

    /// All of the batch or nothing. Errors, naming the record: empty_id, invalid_id, not_finite,
    /// invalid_payload, unsupported (NaN in the payload; no vector, for Pinecone and Chroma); also
    /// io_failure.
    result<void> write(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before write()", "none"};
            auto page = page_;
            std::string out;
            for (auto const& r : batch) {
                VICINAL_CHECK(page.add(r));
                if (page.records() >= options_.page || page.bytes() >= most_bytes) page.flush(out);
            }
            VICINAL_CHECK(file_.append(out));
            page_ = std::move(page);
            return {};
        });
    }

    /// Everything written is on disk under the path when it returns.
    result<void> finish() {
        return detail::guarded([&]() -> result<void> {
            if (!file_.is_open())
                return error{errc::invalid_argument, "begin() before finish()", "none"};
            std::string out;
            page_.flush(out);
            VICINAL_CHECK(file_.append(out));
            return file_.publish();
        });
    }

    /// Reads what `finish` has published.
    [[nodiscard]] result<json_source> reopen() const {
        json_options options;
        options.shape = options_.shape;
        return json_source::try_open(path_, std::move(options));
    }

private:
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    struct unopened {};
    json_sink(std::string path, json_sink_options options, unopened)
        : path_(std::move(path)), options_(std::move(options)), page_(empty_page()) {}

    [[nodiscard]] detail::json_page empty_page() const {
        return {options_.shape, options_.collection, options_.rows};
    }

    std::string path_;
    json_sink_options options_;
    detail::sink_file file_;
    detail::json_page page_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
