// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_FILES_HPP
#define VICINAL_MIGRATE_JSON_FILES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether a name fits a pattern in which `*` stands for any characters. O(name * pattern).
[[nodiscard]] inline bool fits(std::string_view name, std::string_view pattern) noexcept {
    std::size_t n = 0;
    std::size_t p = 0;
    auto star = std::string_view::npos;
    std::size_t from = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// Whether a file is called as JSON or JSON Lines are, compressed or not.
[[nodiscard]] inline bool named_as_json(std::string_view name) noexcept {
    for (std::string_view const packed : {".gz", ".zst"})
        if (name.ends_with(packed)) name.remove_suffix(packed.size());
    return name.ends_with(".json") || name.ends_with(".jsonl") || name.ends_with(".ndjson");
}

/// The files that a path means: itself, or of a directory those that fit the pattern (without
/// one: those called as JSON), in the order of their names, shorter ones first, so that page10
/// comes behind page9.
///
/// Errors: not_found (naming the pattern where nothing fits), io_failure.
inline result<std::vector<std::string>> json_files(std::string const& path,
                                                   std::string const& pattern) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return error{errno == ENOENT || errno == ENOTDIR ? errc::not_found : errc::io_failure,
                     "a file or directory", path + ": " + system_reason(errno)};
    if (!S_ISDIR(status.st_mode)) return std::vector<std::string>{path};
    struct close {
        void operator()(DIR* d) const noexcept { ::closedir(d); }
    };
    std::unique_ptr<DIR, close> const directory(::opendir(path.c_str()));
    if (!directory)
        return error{errc::io_failure, "a directory that can be listed",
                     path + ": " + system_reason(errno)};
    std::vector<std::string> names;
    while (auto const* const entry = ::readdir(directory.get())) {
        std::string const name = entry->d_name;
        if (name.starts_with('.')) continue;
        if (pattern.empty() ? named_as_json(name) : fits(name, pattern)) names.push_back(name);
    }
    if (names.empty())
        return error{errc::not_found, "files called " + (pattern.empty() ? "*.json" : pattern),
                     path + ": none"};
    std::sort(names.begin(), names.end(), [](auto const& a, auto const& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    for (auto& name : names) name = path + (path.ends_with('/') ? "" : "/") + name;
    return names;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
