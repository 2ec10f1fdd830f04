// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_NEW_DIRECTORY_HPP
#define VICINAL_STORAGE_NEW_DIRECTORY_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/generation.hpp>
#include <vicinal/storage/lock.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory in the making: it is called PATH.partial, and has the name PATH when all of
/// it is on the disk. A run that broke off leaves PATH.partial, which the next run to PATH takes
/// over.
template <class Os>
class new_directory {
public:
    /// At `path` there may be nothing or an empty directory; where `replaces` also a store, damaged
    /// or not, whose lock is held from here on. Errors: invalid_argument (something is there),
    /// not_a_directory, foreign_file, locked (a writer, or another run to the same path),
    /// not_found (the directory around it), io_failure.
    [[nodiscard]] static result<new_directory> make(std::string_view path, bool replaces) {
        new_directory d;
        auto const parts = split(path);
        if (!parts) return parts.error();
        d.name_ = parts->second;
        auto const whole = parts->first + "/" + d.name_;
        auto parent = store_directory<Os>::open(parts->first);
        if (!parent) {
            if (parent.error().code() != errc::not_found) return parent.error();
            return error{errc::not_found,
                         "the directory that '" + std::string(path) + "' is to be made in"};
        }
        d.parent_ = *std::move(parent);
        VICINAL_CHECK(d.look_at(whole, replaces));
        VICINAL_CHECK(d.begin(whole + suffix));
        return d;
    }

    new_directory(new_directory&& other) noexcept
        : parent_(std::move(other.parent_)), files_(std::move(other.files_)),
          old_(std::move(other.old_)), lock_(std::move(other.lock_)), name_(std::move(other.name_)),
          pending_(std::exchange(other.pending_, false)) {}
    new_directory& operator=(new_directory&&) = delete;
    /// What was not published is removed.
    ~new_directory() {
        if (pending_) remove(files_, name_ + suffix);
    }

    /// Where the files are to be made.
    [[nodiscard]] store_directory<Os> const& files() const noexcept { return files_; }

    /// Gives the directory its name; its files must be on the disk. On failure what was at the path
    /// is there still, unless the message says that a sync failed: then either may be.
    [[nodiscard]] result<void> publish() {
        VICINAL_CHECK(files_.sync());
        auto const partial = name_ + suffix;
        if (!old_) {
            VICINAL_CHECK(parent_.rename(partial, name_));
            pending_ = false;
            return parent_.sync();
        }
        if (detail::uninterrupted([&] {
                return Os::exchange_names(parent_.number(), partial.c_str(), name_.c_str());
            }) != 0) {
            int const reason = errno;
            if (reason != EINVAL && reason != ENOSYS)
                return detail::system_failure(reason, "to put '" + partial + "' in the place of '" +
                                                          parent_.shown(name_) + "'");
            return replace_in_steps(partial);
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, partial);
        return {};
    }

private:
    static constexpr char const* suffix = ".partial";

    new_directory() = default;

    /// The directory around a path and the name in it. errc::invalid_argument where the name is
    /// none that a directory can be given.
    [[nodiscard]] static result<std::pair<std::string, std::string>> split(std::string_view path) {
        auto const end = path.find_last_not_of('/');
        auto const bare = path.substr(0, end == std::string_view::npos ? 0 : end + 1);
        auto const slash = bare.find_last_of('/');
        auto const name = slash == std::string_view::npos ? bare : bare.substr(slash + 1);
        if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos)
            return error{errc::invalid_argument, "a path that ends in a name",
                         "'" + std::string(path) + "'"};
        auto const parent = slash == std::string_view::npos ? std::string_view(".")
                            : slash == 0                    ? std::string_view("/")
                                                            : bare.substr(0, slash);
        return std::pair(std::string(parent), std::string(name));
    }

    /// What is at the path now.
    [[nodiscard]] result<void> look_at(std::string const& whole, bool replaces) {
        auto there = store_directory<Os>::open(whole);
        if (!there)
            return there.error().code() == errc::not_found ? result<void>()
                                                           : result<void>(there.error());
        auto const found = there->list();
        if (!found) return found.error();
        bool const empty = found->empty();
        if (!replaces && !empty)
            return error{errc::invalid_argument,
                         "a path at which nothing is, or an empty directory: '" + whole + "'",
                         "a directory with files in it"};
        if (!found->foreign.empty())
            return error{errc::foreign_file, "a store or an empty directory at '" + whole + "'",
                         "one that holds '" + found->foreign + "'"};
        if (empty) return {};
        auto lock = writer_lock<Os>::take(*there, 0);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        old_ = *std::move(there);
        return {};
    }

    /// Makes the directory under its passing name, or takes over and clears one that is left.
    [[nodiscard]] result<void> begin(std::string const& path) {
        if (detail::uninterrupted([&] { return Os::make_directory(path.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            return detail::system_failure(reason, "to make the directory '" + path + "'");
        }
        auto made = store_directory<Os>::open(path);
        if (!made) return made.error();
        // Another run may be at work there, or has just given it its final name.
        bool const mine = detail::uninterrupted([&] { return Os::try_lock(made->number()); }) == 0;
        auto const again = store_directory<Os>::open(path);
        if (!mine || !again || Os::same_file(made->number(), again->number()) != 1)
            return error{errc::locked, "", "another run is writing to '" + path + "'"};
        auto const found = made->list();
        if (!found) return found.error();
        if (!found->foreign.empty())
            return error{errc::foreign_file, "what an earlier run has left at '" + path + "'",
                         "a directory that holds '" + found->foreign + "'"};
        clear(*made, *found);
        files_ = *std::move(made);
        pending_ = true;
        return {};
    }

    /// Where names can't be exchanged: between two steps the old store has another name.
    [[nodiscard]] result<void> replace_in_steps(std::string const& partial) {
        auto const aside = name_ + ".replaced";
        VICINAL_CHECK(parent_.rename(name_, aside));
        if (auto const done = parent_.rename(partial, name_); !done) {
            static_cast<void>(parent_.rename(aside, name_));
            return done;
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, aside);
        return {};
    }

    static void clear(store_directory<Os> const& directory, detail::store_listing const& found) {
        for (auto const& name : found.temporary) directory.remove(name);
        for (auto const g : found.snapshots) directory.remove(detail::snapshot_name(g));
        for (auto const g : found.logs) directory.remove(detail::log_name(g));
        for (auto const g : found.closed_logs) directory.remove(detail::closed_log_name(g));
        directory.remove(detail::lock_name);
    }
    /// What can't be removed stays; it has no store's name.
    void remove(store_directory<Os> const& directory, std::string const& name) const noexcept {
        static_cast<void>(detail::guarded([&]() -> result<void> {
            auto const found = directory.list();
            VICINAL_CHECK(found);
            clear(directory, *found);
            static_cast<void>(Os::remove_directory(parent_.number(), name.c_str()));
            return {};
        }));
    }

    store_directory<Os> parent_;
    store_directory<Os> files_;
    /// The store that is replaced, and the right to.
    store_directory<Os> old_;
    writer_lock<Os> lock_;
    std::string name_;
    bool pending_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
