// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_LOOK_AT_HPP
#define VICINAL_BACKEND_LOOK_AT_HPP

#include <vicinal/backend/recognise.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <dirent.h>
#include <sys/stat.h>

namespace vicinal::inline VICINAL_ABI::detail {

[[nodiscard]] inline result<void> list_entries(backend::glimpse& g) {
    constexpr std::size_t most = 10'000;
    std::unique_ptr<::DIR, int (*)(::DIR*)> const open(::opendir(g.path.c_str()), ::closedir);
    if (!open)
        return error{errc::io_failure, "a readable directory",
                     g.path + ": " + system_reason(errno)};
    while (auto const* entry = ::readdir(open.get())) {
        std::string_view const name = entry->d_name;
        if (name != "." && name != ".." && g.entries.size() < most) g.entries.emplace_back(name);
    }
    std::sort(g.entries.begin(), g.entries.end());
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Looks at a path. Errors: not_found, foreign_file (a device, a pipe), io_failure.
[[nodiscard]] inline result<glimpse> look_at(std::string const& path,
                                             input_opener open = open_file) {
    glimpse g;
    g.path = path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return error{errc::not_found, "a file or directory",
                     path + ": " + detail::system_reason(errno)};
    g.directory = S_ISDIR(status.st_mode);
    auto const end = path.find_last_not_of('/');
    auto const whole = std::string_view(path).substr(0, end == std::string::npos ? 0 : end + 1);
    g.name = whole.substr(whole.rfind('/') + 1);
    if (g.directory) {
        VICINAL_CHECK(detail::list_entries(g));
        return g;
    }
    g.bytes = static_cast<std::uint64_t>(status.st_size);
    for (std::string_view const packed : {".gz", ".zst"})
        if (g.named(packed)) g.name.erase(g.name.size() - packed.size());
    auto in = open(path);
    if (!in) return in.error();
    g.head.resize(std::size_t{64} << 10);
    auto const got = (*in)->read(g.head.data(), g.head.size());
    if (!got) return got.error();
    g.head.resize(*got);
    return g;
}

/// What lies at `path`, as the surest scheme has it; nothing where none knows it. Errors: those of
/// look_at.
[[nodiscard]] inline result<std::optional<guess>>
try_recognise(registry const& schemes, std::string const& path, input_opener open = open_file) {
    return detail::guarded([&]() -> result<std::optional<guess>> {
        auto const seen = look_at(path, open);
        if (!seen) return seen.error();
        return schemes.recognise(*seen);
    });
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
