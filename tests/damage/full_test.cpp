// SPDX-License-Identifier: MIT
// A disk without room: a small file system in memory that a child of the test mounts where nobody
// else sees it, and a limit on the size of files, which needs no rights.
#include "catch.hpp"
#include "damage/sample.hpp"
#include "support/figures.hpp"

#include <vicinal/storage/check.hpp>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#    include <sched.h>
#    include <sys/mount.h>
#endif

using namespace damage;
using vicinal::errc;
using vicinal_test::thorough;

namespace {

/// Runs `body` in a child and gives what it says: nothing where all is well.
std::string in_child(std::function<std::string()> const& body) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::string said;
        try {
            said = body();
        } catch (std::exception const& e) {
            said = std::string("thrown: ") + e.what();
        }
        static_cast<void>(::write(ends[1], said.data(), said.size()));
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char piece[512];
    for (::ssize_t n = 0; (n = ::read(ends[0], piece, sizeof piece)) > 0;)
        said.append(piece, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status))
        said += " the child was ended by signal " + std::to_string(WTERMSIG(status));
    return said;
}

/// Mounts a file system of so many bytes at `path`, for this process alone.
bool mount_small(std::string const& path, std::size_t bytes) {
#if defined(__linux__)
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    auto const size = "size=" + std::to_string(bytes);
    return ::mount("vicinal-test", path.c_str(), "tmpfs", 0, size.c_str()) == 0;
#else
    static_cast<void>(path);
    static_cast<void>(bytes);
    return false;
#endif
}

using tested = store_of<hnsw>;

tested::options options_of(vicinal::durability how) {
    tested::options o;
    o.dim = dim;
    o.durability = how;
    o.index = small_index<hnsw>();
    return o;
}

/// Whether the store holds the records 0 to n - 1 and no other, and answers.
std::string holds(tested const& s, std::size_t n) {
    if (s.size() != n)
        return std::to_string(n) + " records wanted, found " + std::to_string(s.size());
    for (std::size_t i = 0; i < n; ++i)
        if (!s.contains(name_of(i))) return "record " + std::to_string(i) + " is missing";
    if (n > 0 &&
        s.search(std::vector<float>(dim, 0.5F), {.k = 3}).size() != (std::min)(n, std::size_t{3}))
        return "a search finds too little";
    return s.verify().ok() ? "" : "verify: " + s.verify().problems.front();
}

/// Puts records until the disk is full, closes, opens and, behind `make_room()`, goes on.
std::string fill(std::string const& path, vicinal::durability how,
                 std::function<void()> const& make_room) {
    std::size_t n = 0;
    {
        auto opened = tested::try_open(path, options_of(how));
        // No room for an empty store: it is made when there is some.
        if (!opened && opened.error().code() != errc::io_failure) return opened.error().message();
        if (opened) {
            auto& s = *opened;
            std::string const text(3000, 't');
            for (;; ++n) {
                auto const done =
                    s.try_upsert(name_of(n), std::vector<float>(dim, 1.0F + static_cast<float>(n)),
                                 {{"text", text}});
                if (!done && done.error().code() != errc::io_failure) return done.error().message();
                if (!done) break;
                if (n % 31 == 30) {
                    auto const folded = s.try_checkpoint();
                    if (!folded && folded.error().code() != errc::io_failure)
                        return folded.error().message();
                }
                if (n > 100'000) return "the disk is never full";
            }
            if (auto wrong = holds(s, n); !wrong.empty()) return "full: " + wrong;
            // A reader of the full disk sees the same.
            auto const reader = tested::try_open(path, {.read_only = true});
            if (!reader) return reader.error().message();
            if (auto wrong = holds(*reader, n); !wrong.empty()) return "reader: " + wrong;
        }
    }
    // Closed and opened on a full disk, where it gets no room for its lock's text or a new log.
    if (auto const again = tested::try_open(path, options_of(how)); again) {
        if (auto wrong = holds(*again, n); !wrong.empty()) return "opened full: " + wrong;
    } else if (again.error().code() != errc::io_failure) {
        return again.error().message();
    }
    make_room();
    {
        tested s{path, options_of(how)};
        if (auto wrong = holds(s, n); !wrong.empty()) return "with room: " + wrong;
        for (int i = 0; i < 5; ++i, ++n) put(s, n, 1);
        s.checkpoint();
        if (auto wrong = holds(s, n); !wrong.empty()) return "went on: " + wrong;
    }
    if (auto const files = vicinal::check(path); !files.ok()) return files.problems.front();
    return holds(tested{path}, n);
}

} // namespace

TEST_CASE("a full disk costs no record, and the store goes on when there is room",
          "[damage][breaking]") {
    vicinal_test::temporary_directory const directory;
    auto const disk = directory.path("disk");
    std::filesystem::create_directory(disk);
    if (auto const may = in_child([&] { return mount_small(disk, 1 << 20) ? "" : "no"; });
        !may.empty()) {
        WARN("SKIPPED: no right to mount a small file system");
        return;
    }
    std::size_t runs = 0;
    for (auto const how : {vicinal::durability::full, vicinal::durability::normal})
        for (std::size_t kib = 4; kib <= 3600; kib += thorough() ? 16U : 446U) {
            CAPTURE(static_cast<int>(how), kib);
            CHECK(in_child([&] {
                      if (!mount_small(disk, kib << 10)) return std::string("not mounted");
                      return fill(disk + "/store", how, [&] {
                          if (::mount("vicinal-test", disk.c_str(), "tmpfs", MS_REMOUNT,
                                      "size=64m") != 0)
                              throw std::runtime_error("not remounted");
                      });
                  }) == "");
            ++runs;
        }
    vicinal_test::figure("full disks", runs);
}

TEST_CASE("a full disk refuses one write, and takes it when there is room, in the same store",
          "[damage][breaking]") {
    vicinal_test::temporary_directory const directory;
    auto const path = directory.path("store");
    std::size_t runs = 0;
    for (::rlim_t most = 0; most <= 2000; most += thorough() ? 8U : 136U) {
        CAPTURE(most);
        std::filesystem::remove_all(path);
        CHECK(in_child([&]() -> std::string {
                  // A write beyond the limit fails, instead of ending the process.
                  ::signal(SIGXFSZ, SIG_IGN);
                  tested s{path, options_of(vicinal::durability::full)};
                  for (std::size_t n = 0; n < 3; ++n) put(s, n, 1);
                  auto const size = std::filesystem::file_size(path + "/log-00000001.vlog");
                  ::rlimit limit{};
                  ::getrlimit(RLIMIT_FSIZE, &limit);
                  limit.rlim_cur = size + most;
                  ::setrlimit(RLIMIT_FSIZE, &limit);
                  std::size_t n = 3;
                  for (;; ++n) {
                      auto const done = s.try_upsert(name_of(n), std::vector<float>(dim, 1.0F));
                      if (!done && done.error().code() != errc::io_failure)
                          return done.error().message();
                      if (!done) break;
                      if (n > 100) return "no limit";
                  }
                  if (s.try_checkpoint()) return "a snapshot was written beyond the limit";
                  if (auto wrong = holds(s, n); !wrong.empty()) return "at the limit: " + wrong;
                  limit.rlim_cur = limit.rlim_max;
                  ::setrlimit(RLIMIT_FSIZE, &limit);
                  for (int i = 0; i < 3; ++i, ++n) put(s, n, 1);
                  s.checkpoint();
                  return holds(s, n);
              }) == "");
        ++runs;
    }
    vicinal_test::figure("full disks", runs);
}
