// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_RECOGNISE_HPP
#define VICINAL_BACKEND_RECOGNISE_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// What can be seen of a path without knowing what it is.
struct glimpse {
    std::string path;
    /// The last part of the path, without ".gz" or ".zst".
    std::string name;
    bool directory = false;
    /// Of the file as it lies; 0 for a directory.
    std::uint64_t bytes = 0;
    /// The first 64 KiB of a file, unpacked; empty for a directory.
    std::string head;
    /// What is in a directory, the first 10,000 by their names, without "." and "..".
    std::vector<std::string> entries;

    /// Whether the name ends so, in whatever case.
    [[nodiscard]] bool named(std::string_view ending) const noexcept {
        if (name.size() < ending.size()) return false;
        auto const tail = std::string_view(name).substr(name.size() - ending.size());
        for (std::size_t i = 0; i < ending.size(); ++i) {
            auto const c = tail[i];
            if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != ending[i])
                return false;
        }
        return true;
    }
    /// Whether a directory has an entry of that name.
    [[nodiscard]] bool has(std::string_view entry) const noexcept {
        return std::find(entries.begin(), entries.end(), entry) != entries.end();
    }
};

/// What a path is taken for.
struct guess {
    /// What opens it, as in "chroma:./db"; empty for what is known but can't be read.
    std::string uri;
    /// What it is, in words, as in "a Chroma directory with 3 collections".
    std::string what;
    /// 100: a signature says so; 50: shape and name agree; 10: the name alone.
    int certainty = 0;
    /// For what can't be read: the one command that makes something readable of it.
    std::string advice = {};
};

/// A path in the form in which it stands behind a scheme: % and ? written as bytes.
[[nodiscard]] inline std::string escaped_path(std::string_view path) {
    std::string out;
    for (char const c : path) {
        if (c == '%')
            out.append("%25");
        else if (c == '?')
            out.append("%3F");
        else
            out.push_back(c);
    }
    return out;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
