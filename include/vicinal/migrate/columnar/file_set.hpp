// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_FILE_SET_HPP
#define VICINAL_MIGRATE_COLUMNAR_FILE_SET_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

[[nodiscard]] inline bool is_directory(std::string const& path) noexcept {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Orders names as people number them: "2.parquet" before "10.parquet".
[[nodiscard]] inline bool numbered_before(std::string_view a, std::string_view b) noexcept {
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (digit(a[i]) && digit(b[j])) {
            auto const number = [&digit](std::string_view s, std::size_t& at) {
                while (at + 1 < s.size() && s[at] == '0' && digit(s[at + 1])) ++at;
                auto const from = at;
                while (at < s.size() && digit(s[at])) ++at;
                return s.substr(from, at - from);
            };
            auto const x = number(a, i);
            auto const y = number(b, j);
            if (x.size() != y.size()) return x.size() < y.size();
            if (x != y) return x < y;
        } else {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i;
            ++j;
        }
    }
    return a.size() - i != b.size() - j ? a.size() - i < b.size() - j : a < b;
}

/// The names in a directory that end so, without those that begin with a dot; of directories where
/// `ending` is "/". In the order of `numbered_before`.
///
/// Errors: not_found, limit_exceeded (over a million), io_failure.
[[nodiscard]] inline result<std::vector<std::string>> list_names(std::string const& directory,
                                                                 std::string_view ending) {
    std::unique_ptr<DIR, int (*)(DIR*)> const open(::opendir(directory.c_str()), &::closedir);
    if (!open) {
        int const number = errno;
        return error{number == ENOENT || number == ENOTDIR ? errc::not_found : errc::io_failure,
                     "a directory", directory + ": " + system_reason(number)};
    }
    std::vector<std::string> names;
    while (auto const* const entry = ::readdir(open.get())) {
        std::string name = entry->d_name;
        if (name.front() == '.') continue;
        bool const fits = ending == "/" ? is_directory(directory + "/" + name)
                                        : std::string_view(name).ends_with(ending);
        if (!fits) continue;
        if (names.size() == 1'000'000)
            return error{errc::limit_exceeded, "at most a million files", directory};
        names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end(), numbered_before);
    return names;
}

/// The names for a message: "a, b, c".
[[nodiscard]] inline std::string joined(std::vector<std::string> const& names) {
    std::string list;
    for (auto const& n : names) list.append(list.empty() ? "" : ", ").append(n);
    return list.empty() ? "none" : list;
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
