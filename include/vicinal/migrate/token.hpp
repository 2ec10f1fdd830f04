// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TOKEN_HPP
#define VICINAL_MIGRATE_TOKEN_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fingerprint.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#if VICINAL_HAS_FILES
#    include <vicinal/migrate/files/sink_file.hpp>
#    include <vicinal/migrate/files/source_file.hpp>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// What a migration leaves beside a sink while it has not finished: by which source it was begun.
/// A run that goes on compares it, so that it does not mix two sources in one sink.
///
/// A line of text: the format, elements of a vector, and a fingerprint of the first record. The
/// place of the source is not in it: files may be moved between two runs, and may have grown.
class migration_token {
public:
    /// `path` may be empty, for sinks that have no place: then nothing is kept and nothing refused.
    explicit migration_token(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] static std::string text_of(schema const& from, record const& first) {
        auto const f = fingerprint_of(first);
        char text[96];
        std::snprintf(text, sizeof text, "vicinal-migration 1 %zu %016llx\n", from.dim,
                      static_cast<unsigned long long>(mix(f.id ^ mix(f.vector ^ mix(f.payload)))));
        return text;
    }

#if VICINAL_HAS_FILES
    /// Errors: locked, not_found (no such directory), io_failure.
    [[nodiscard]] result<void> keep(std::string const& text) const {
        if (path_.empty()) return {};
        auto file = sink_file::create(path_);
        if (!file) return file.error();
        VICINAL_CHECK(file->append(text));
        return file->publish();
    }
    /// Refuses a source that is not the one of the run before; a sink without a token takes any.
    ///
    /// Errors: foreign_file, io_failure.
    [[nodiscard]] result<void> compare(std::string const& text) const {
        if (path_.empty() || !path_exists(path_)) return {};
        auto file = source_file::open(path_);
        if (!file) return file.error();
        std::string kept(text.size() + 1, '\0');
        auto const got = file->read_at(0, kept.data(), kept.size());
        if (!got) return got.error();
        kept.resize(*got);
        if (kept == text) return {};
        return error{errc::foreign_file,
                     "the source that " + path_ +
                         " was begun with; remove that file to write another into the same sink",
                     "another first record or dimension"};
    }
    void remove() const noexcept {
        if (!path_.empty()) std::remove(path_.c_str());
    }
#else
    [[nodiscard]] result<void> keep(std::string const&) const { return {}; }
    [[nodiscard]] result<void> compare(std::string const&) const { return {}; }
    void remove() const noexcept {}
#endif

private:
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
