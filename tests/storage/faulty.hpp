// SPDX-License-Identifier: MIT
// An operating system that fails on request, and that knows what a power cut would leave.
#ifndef VICINAL_TESTS_STORAGE_FAULTY_HPP
#define VICINAL_TESTS_STORAGE_FAULTY_HPP

#include "storage/scratch.hpp"

#include <vicinal/storage/posix.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace scratch {

/// A file as the system shows it, and as the disk has it for certain.
struct faulty_file {
    bytes now;
    bytes synced;
};
/// The names in a directory, of files and of directories, and those that are on the disk.
struct faulty_directory {
    std::string path;
    std::map<std::string, std::size_t> files;
    std::map<std::string, std::size_t> directories;
    std::map<std::string, std::size_t> synced_files;
    std::map<std::string, std::size_t> synced_directories;
};
struct faulty_disk {
    std::vector<std::string> trace;
    long calls = 0;
    long fail_at = 0;
    bool for_good = false;
    int reason = EIO;
    /// Every write takes at most this many bytes.
    std::size_t most = SIZE_MAX;
    /// Every second call is interrupted first.
    bool interrupt = false;
    bool interrupted = false;
    std::vector<faulty_file> files;
    std::vector<faulty_directory> directories;
    std::map<int, std::size_t> open;
    std::map<int, std::size_t> open_directories;
    std::map<int, std::string> called;
};

/// Counts the calls that matter, fails the n-th of them (once, or that and all later ones), writes
/// a trace, and keeps for every file what has reached the disk for certain.
struct faulty : vicinal::storage::posix {
    using base = vicinal::storage::posix;

    static inline faulty_disk world;
    static void reset() { world = faulty_disk(); }

    /// Whether this call fails.
    static bool strikes(std::string const& what) {
        // Calls about memory are not interrupted.
        bool const waits =
            what != "reserve" && what != "map" && what != "allow" && what != "random";
        if (waits && world.interrupt && (world.interrupted = !world.interrupted)) {
            errno = EINTR;
            return true;
        }
        auto const n = ++world.calls;
        bool const fails =
            world.fail_at != 0 && (world.for_good ? n >= world.fail_at : n == world.fail_at);
        world.trace.push_back((fails ? "FAILED " : "") + what);
        if (fails) errno = world.reason;
        return fails;
    }
    /// The directory of that path, known from here on.
    static std::size_t directory_at(std::string const& path) {
        for (std::size_t i = 0; i < world.directories.size(); ++i)
            if (world.directories[i].path == path) return i;
        world.directories.push_back({path, {}, {}, {}, {}});
        return world.directories.size() - 1;
    }
    static faulty_directory& directory_of(int number) {
        return world.directories[world.open_directories.at(number)];
    }
    static std::size_t inside(int number, std::string const& name) {
        return directory_at(directory_of(number).path + "/" + name);
    }
    static int opened(int d, int number, char const* name, bool empty) {
        if (number < 0) return number;
        auto& names = directory_of(d).files;
        auto const known = names.find(name);
        if (known == names.end()) {
            names[name] = world.files.size();
            world.files.emplace_back();
        } else if (empty) {
            world.files[known->second].now.clear();
        }
        world.open[number] = names[name];
        world.called[number] = name;
        return number;
    }
    static std::string name_of(int number) {
        auto const at = world.called.find(number);
        return at == world.called.end() ? "directory" : at->second;
    }

    static int open_directory(char const* path) noexcept {
        if (strikes("open directory")) return -1;
        auto const n = base::open_directory(path);
        if (n < 0) return n;
        world.called.erase(n);
        world.open.erase(n);
        world.open_directories[n] = directory_at(path);
        return n;
    }
    static int make_directory(char const* path) noexcept {
        if (strikes("make directory") || base::make_directory(path) != 0) return -1;
        std::string const text(path);
        auto const slash = text.find_last_of('/');
        auto const made = directory_at(text);
        auto const parent = directory_at(text.substr(0, slash));
        world.directories[made] = {text, {}, {}, {}, {}};
        world.directories[parent].directories[text.substr(slash + 1)] = made;
        return 0;
    }
    static int open_read(int d, char const* name) noexcept {
        return strikes(std::string("open ") + name)
                   ? -1
                   : opened(d, base::open_read(d, name), name, false);
    }
    static int open_write(int d, char const* name) noexcept {
        return strikes(std::string("open ") + name)
                   ? -1
                   : opened(d, base::open_write(d, name), name, false);
    }
    static int open_or_make(int d, char const* name) noexcept {
        return strikes(std::string("open ") + name)
                   ? -1
                   : opened(d, base::open_or_make(d, name), name, false);
    }
    static int open_empty(int d, char const* name) noexcept {
        return strikes(std::string("make ") + name)
                   ? -1
                   : opened(d, base::open_empty(d, name), name, true);
    }
    static std::ptrdiff_t read_at(int f, void* into, std::size_t n, std::uint64_t at) noexcept {
        if (strikes("read " + name_of(f))) return -1;
        return base::read_at(f, into, (std::min)(n, world.most), at);
    }
    static std::ptrdiff_t write_at(int f, void const* from, std::size_t n,
                                   std::uint64_t at) noexcept {
        bool const fails = strikes("write " + name_of(f));
        if (fails && errno == EINTR) return -1;
        // A write that fails has written half of its bytes.
        auto const count = fails ? n / 2 : (std::min)(n, world.most);
        if (count > 0) {
            int const reason = errno;
            static_cast<void>(base::write_at(f, from, count, at));
            auto& content = world.files[world.open[f]].now;
            if (content.size() < at + count) content.resize(static_cast<std::size_t>(at) + count);
            std::memcpy(content.data() + at, from, count);
            errno = reason;
        }
        return fails ? -1 : static_cast<std::ptrdiff_t>(count);
    }
    static int truncate_file(int f, std::uint64_t n) noexcept {
        if (strikes("truncate " + name_of(f))) return -1;
        world.files[world.open[f]].now.resize(static_cast<std::size_t>(n));
        return base::truncate_file(f, n);
    }
    static int sync_data(int f) noexcept { return sync("sync ", f); }
    static int sync_all(int f) noexcept { return sync("sync ", f); }
    static int sync(char const* how, int f) noexcept {
        if (strikes(how + name_of(f))) return -1;
        if (world.open.count(f) == 0) {
            auto& d = directory_of(f);
            d.synced_files = d.files;
            d.synced_directories = d.directories;
        } else {
            auto& x = world.files[world.open[f]];
            x.synced = x.now;
        }
        return 0;
    }
    static int rename_file(int d, char const* from, char const* to) noexcept {
        if (strikes(std::string("rename ") + from + " to " + to)) return -1;
        if (base::rename_file(d, from, to) != 0) return -1;
        auto& names = directory_of(d);
        if (auto const sub = names.directories.find(from); sub != names.directories.end()) {
            auto const moved = sub->second;
            names.directories.erase(sub);
            if (auto const over = names.directories.find(to); over != names.directories.end())
                world.directories[over->second].path.clear();
            names.directories[to] = moved;
            world.directories[moved].path = names.path + "/" + to;
            return 0;
        }
        names.files[to] = names.files[from];
        names.files.erase(from);
        for (auto& [number, name] : world.called)
            if (name == from) name = to;
        return 0;
    }
    /// The reason with which names can't be exchanged; 0 where they can.
    static inline int no_exchange = 0;
    static int exchange_names(int d, char const* a, char const* b) noexcept {
        if (strikes(std::string("exchange ") + a + " and " + b)) return -1;
        if (no_exchange != 0) {
            errno = no_exchange;
            return -1;
        }
        if (base::exchange_names(d, a, b) != 0) return -1;
        auto const of_a = inside(d, a);
        auto const of_b = inside(d, b);
        auto& names = directory_of(d).directories;
        names[a] = of_b;
        names[b] = of_a;
        std::swap(world.directories[of_a].path, world.directories[of_b].path);
        return 0;
    }
    static int remove_file(int d, char const* name) noexcept {
        if (strikes(std::string("remove ") + name)) return -1;
        directory_of(d).files.erase(name);
        return base::remove_file(d, name);
    }
    static int remove_directory(int d, char const* name) noexcept {
        if (strikes(std::string("remove ") + name)) return -1;
        if (base::remove_directory(d, name) != 0) return -1;
        world.directories[inside(d, name)].path.clear();
        directory_of(d).directories.erase(name);
        return 0;
    }
    static int duplicate(int f) noexcept {
        if (strikes("duplicate " + name_of(f))) return -1;
        auto const n = base::duplicate(f);
        if (n < 0) return n;
        world.open[n] = world.open.at(f);
        world.called[n] = world.called.at(f);
        return n;
    }
    static int same_file(int a, int b) noexcept {
        return strikes("compare") ? -1 : base::same_file(a, b);
    }
    static int list(int d, std::vector<std::string>& names) {
        return strikes("list") ? -1 : base::list(d, names);
    }
    static void* reserve(std::size_t n) noexcept {
        return strikes("reserve") ? nullptr : base::reserve(n);
    }
    static int map_file(void* at, std::size_t n, int f, std::uint64_t offset) noexcept {
        return strikes("map") ? -1 : base::map_file(at, n, f, offset);
    }
    static int allow(void* at, std::size_t n) noexcept {
        return strikes("allow") ? -1 : base::allow(at, n);
    }
    static int random_bytes(void* into, std::size_t n) noexcept {
        return strikes("random") ? -1 : base::random_bytes(into, n);
    }
};

/// The directory as a power cut may leave it.
enum class image {
    nothing_unsynced, ///< only what was synced, under the names that were synced
    all,              ///< as if the system had written everything
    new_names,        ///< the newest names, but only contents that were synced
    old_names,        ///< the names that were synced, with the newest contents
    half,             ///< the newest names; of each file's unsynced end the first half
    second_half,      ///< the newest names; of each file's unsynced end only the second half
};
inline constexpr image images[] = {image::nothing_unsynced, image::all,  image::new_names,
                                   image::old_names,        image::half, image::second_half};

/// The directory of that path as a power cut leaves it, at `into`: its files, and directories in
/// it.
inline void restore(image kind, std::string const& into, std::size_t directory) {
    std::filesystem::create_directory(into);
    auto const& w = faulty::world;
    auto const& d = w.directories[directory];
    bool const old = kind == image::nothing_unsynced || kind == image::old_names;
    for (auto const& [name, at] : old ? d.synced_directories : d.directories)
        restore(kind, into + "/" + name, at);
    for (auto const& [name, at] : old ? d.synced_files : d.files) {
        auto const& f = w.files[at];
        auto content = kind == image::all || kind == image::old_names ? f.now : f.synced;
        if (kind == image::half && f.now.size() > f.synced.size()) {
            auto const end = f.synced.size() + (f.now.size() - f.synced.size()) / 2;
            content.assign(f.now.begin(), f.now.begin() + static_cast<std::ptrdiff_t>(end));
        }
        if (kind == image::second_half && f.now.size() > f.synced.size()) {
            content = f.now;
            auto const end = f.synced.size() + (f.now.size() - f.synced.size()) / 2;
            std::fill(content.begin() + static_cast<std::ptrdiff_t>(f.synced.size()),
                      content.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
        }
        write(into + "/" + name, content);
    }
}
inline void restore(image kind, std::string const& into, std::string const& path) {
    restore(kind, into, faulty::directory_at(path));
}

} // namespace scratch

#endif
