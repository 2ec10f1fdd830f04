// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_STORE_DIRECTORY_HPP
#define VICINAL_STORAGE_STORE_DIRECTORY_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr char const* lock_name = "LOCK";

[[nodiscard]] inline std::string generation_name(std::string_view before, std::uint64_t generation,
                                                 std::string_view after) {
    auto const digits = std::to_string(generation);
    std::string name(before);
    if (digits.size() < 8) name.append(8 - digits.size(), '0');
    return name.append(digits).append(after);
}
[[nodiscard]] inline std::string snapshot_name(std::uint64_t generation) {
    return generation_name("snap-", generation, ".vic");
}
/// The log as it is written to.
[[nodiscard]] inline std::string log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".vlog");
}
/// The log after a close in order. The name is the promise that every byte of it is valid: no
/// ending of such a file can be taken for a write that was cut off.
[[nodiscard]] inline std::string closed_log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".closed.vlog");
}
inline constexpr std::string_view temporary_suffix = ".tmp";

/// The directory that a path's last name is in, and that name; slashes behind it don't count.
struct path_parts {
    std::string directory;
    std::string name;
};
[[nodiscard]] inline path_parts split_path(std::string_view path) {
    path = path.substr(0, path.find_last_not_of('/') + 1);
    auto const slash = path.find_last_of('/');
    if (slash == std::string_view::npos) return {".", std::string(path)};
    return {std::string(path.substr(0, slash == 0 ? 1 : slash)),
            std::string(path.substr(slash + 1))};
}

/// What a store's directory holds, by the names alone.
struct store_listing {
    std::vector<std::uint64_t> snapshots;
    std::vector<std::uint64_t> logs;
    std::vector<std::uint64_t> closed_logs;
    std::vector<std::string> temporary;
    /// A name that no store has; empty where there is none.
    std::string foreign;

    /// Nothing but LOCK, if that.
    [[nodiscard]] bool empty() const noexcept {
        return snapshots.empty() && logs.empty() && closed_logs.empty() && temporary.empty() &&
               foreign.empty();
    }
    /// 0 where there is no snapshot.
    [[nodiscard]] std::uint64_t newest() const noexcept {
        return snapshots.empty() ? 0 : *std::max_element(snapshots.begin(), snapshots.end());
    }
    [[nodiscard]] static bool has(std::vector<std::uint64_t> const& list,
                                  std::uint64_t g) noexcept {
        return std::find(list.begin(), list.end(), g) != list.end();
    }
};

/// The generation in a name of that form, or 0: the name must be the one that is written for it.
template <class Name>
[[nodiscard]] std::uint64_t generation_in(std::string_view name, std::string_view before,
                                          Name&& written) {
    if (name.substr(0, before.size()) != before) return 0;
    std::uint64_t g = 0;
    for (char const c : name.substr(before.size())) {
        if (c < '0' || c > '9') break;
        if (g > (UINT64_MAX - 9) / 10) return 0;
        g = g * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return g != 0 && written(g) == name ? g : 0;
}

/// Sorts one name of a directory into the listing.
inline void classify(std::string const& name, store_listing& into) {
    if (name == lock_name) return;
    if (auto const g = generation_in(name, "snap-", snapshot_name); g != 0)
        return into.snapshots.push_back(g);
    if (auto const g = generation_in(name, "log-", log_name); g != 0) return into.logs.push_back(g);
    if (auto const g = generation_in(name, "log-", closed_log_name); g != 0)
        return into.closed_logs.push_back(g);
    if (name.size() > temporary_suffix.size() && name.ends_with(temporary_suffix)) {
        auto const whole = name.substr(0, name.size() - temporary_suffix.size());
        if (generation_in(whole, "snap-", snapshot_name) != 0 ||
            generation_in(whole, "log-", log_name) != 0)
            return into.temporary.push_back(name);
    }
    into.foreign = name;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory, held open: files are named relative to it, so that it may be renamed.
template <class Os>
class store_directory {
public:
    store_directory() = default;

    /// errc::not_found, not_a_directory, io_failure.
    [[nodiscard]] static result<store_directory> open(std::string_view path) {
        store_directory d;
        d.path_ = path;
        if (path.empty() || path.find('\0') != std::string_view::npos)
            return error{errc::invalid_argument, "the path of a store",
                         path.empty() ? "an empty one" : "one with a zero byte in it"};
        d.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_directory(d.path_.c_str()); }));
        if (d.file_) return d;
        int const reason = errno;
        if (reason == ENOENT) return error{errc::not_found, "a store at '" + d.path_ + "'"};
        if (reason == ENOTDIR)
            return error{errc::not_a_directory, "a directory at '" + d.path_ + "'", "a file"};
        return detail::system_failure(reason, "to open the directory '" + d.path_ + "'");
    }

    /// Makes the directory and has its own name reach the disk, if asked.
    [[nodiscard]] static result<void> make(std::string_view path, bool sync) {
        std::string const text(path);
        if (detail::uninterrupted([&] { return Os::make_directory(text.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            if (reason == ENOENT)
                return error{errc::not_found, "the directory that '" + text + "' is to be made in"};
            return detail::system_failure(reason, "to make the directory '" + text + "'");
        }
        if (!sync) return {};
        auto const parent = open(detail::split_path(path).directory);
        if (!parent) return parent.error();
        return parent->sync();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    /// A file of the store as errors name it.
    [[nodiscard]] std::string shown(std::string const& name) const { return path_ + "/" + name; }

    [[nodiscard]] result<detail::store_listing> list() const {
        std::vector<std::string> names;
        if (detail::uninterrupted([&] { return Os::list(file_.get(), names); }) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to list the directory '" + path_ + "'");
        }
        detail::store_listing found;
        for (auto const& name : names) detail::classify(name, found);
        return found;
    }

    /// Names made, renamed and removed so far reach the disk. errc::writer_poisoned where that
    /// fails: what the disk holds is then not known.
    [[nodiscard]] result<void> sync() const {
        if (detail::uninterrupted([&] { return Os::sync_all(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync the directory '" + path_ + "'",
                     std::generic_category().message(reason)};
    }

    [[nodiscard]] result<void> rename(std::string const& from, std::string const& to) const {
        if (detail::uninterrupted(
                [&] { return Os::rename_file(file_.get(), from.c_str(), to.c_str()); }) == 0)
            return {};
        int const reason = errno;
        return detail::system_failure(reason, "to rename " + shown(from) + " to " + to);
    }

    /// Whether there is certainly no such file.
    [[nodiscard]] bool lacks(std::string const& name) const noexcept {
        descriptor<Os> const file(
            detail::uninterrupted([&] { return Os::open_read(file_.get(), name.c_str()); }));
        return !file && errno == ENOENT;
    }

    /// Where it fails the file stays; the next writer tries again.
    void remove(std::string const& name) const noexcept {
        static_cast<void>(Os::remove_file(file_.get(), name.c_str()));
    }

private:
    descriptor<Os> file_;
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
