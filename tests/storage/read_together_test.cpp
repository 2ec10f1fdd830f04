// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "storage/scratch.hpp"

#include <vicinal/storage/file/read_together.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/seccomp.h>)
#    include <linux/filter.h>
#    include <linux/seccomp.h>
#    include <sys/prctl.h>
#    include <sys/syscall.h>
#endif

namespace {

using vicinal::storage::read_request;
using vicinal::storage::read_together;

constexpr std::size_t piece = 4096;
constexpr std::size_t pieces = 100;

/// What lies at an offset of the file that is read.
std::byte value_at(std::uint64_t offset) { return static_cast<std::byte>(offset * 31 >> 8); }

/// A file of 100 pieces and half a one, open.
class open_file {
public:
    open_file() {
        auto const path = directory_ / "bytes";
        {
            std::ofstream out(path, std::ios::binary);
            for (std::uint64_t i = 0; i < pieces * piece + piece / 2; ++i)
                out.put(static_cast<char>(value_at(i)));
        }
        number_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        REQUIRE(number_ >= 0);
    }
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
    ~open_file() { ::close(number_); }

    /// Every third piece, from the first one on, and the half.
    [[nodiscard]] std::vector<read_request> requests(std::vector<std::byte>& into) const {
        std::vector<read_request> all;
        into.assign((pieces / 3 + 2) * piece, std::byte{0});
        for (std::size_t i = 0; i < pieces; i += 3)
            all.push_back({number_, i * piece, into.data() + i / 3 * piece, piece, -1});
        all.push_back({number_, pieces * piece, into.data() + all.size() * piece, piece, -1});
        return all;
    }

private:
    scratch::directory directory_;
    int number_ = -1;
};

bool is_right(read_request const& r) {
    auto const half = r.offset == pieces * piece;
    if (r.done != static_cast<std::ptrdiff_t>(half ? piece / 2 : piece)) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(r.done); ++i)
        if (r.into[i] != value_at(r.offset + i)) return false;
    return true;
}

template <class Os>
bool all_right(read_together<Os>& read, open_file const& file) {
    std::vector<std::byte> into;
    auto all = file.requests(into);
    read(all);
    for (auto const& r : all)
        if (!is_right(r)) return false;
    return true;
}

/// A disk that says who reads, and of which one read fails.
struct watched : vicinal::storage::posix {
    static inline std::mutex mutex;
    static inline std::set<std::thread::id> readers;
    static inline std::atomic<int> until_fault = 0;
    /// A read waits until so many are under way, but not for ever.
    static inline std::atomic<int> together = 0;
    static inline std::atomic<int> inside = 0;
    static inline std::atomic<int> most = 0;

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        {
            std::lock_guard const held(mutex);
            readers.insert(std::this_thread::get_id());
        }
        auto const now = ++inside;
        for (auto m = most.load(); m < now && !most.compare_exchange_weak(m, now);) {
        }
        for (int i = 0; i < 1000 && most < together; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        --inside;
        if (--until_fault == 0) {
            errno = EIO;
            return -1;
        }
        return posix::read_at(file, into, n, offset);
    }
};

/// Runs `body` in a child of its own; whether it gave true there.
template <class Body>
bool in_child(Body const& body) {
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(body() ? 0 : 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("pieces are read on the threads that are given and on the caller's", "[storage]") {
    open_file const file;
    for (int const threads : {0, 1, 3}) {
        watched::readers.clear();
        watched::most = 0;
        watched::together = threads + 1;
        read_together<watched> read(static_cast<std::size_t>(threads));
        CHECK(all_right(read, file));
        CHECK(watched::most == threads + 1);
        CHECK(watched::readers.size() == static_cast<std::size_t>(threads) + 1);
        CHECK(watched::readers.count(std::this_thread::get_id()) == 1);
        CHECK(read.reads() == pieces / 3 + 2);
    }
    watched::together = 0;
}

TEST_CASE("a piece alone is read by who wants it", "[storage]") {
    open_file const file;
    watched::readers.clear();
    read_together<watched> read(3);
    std::vector<std::byte> into;
    auto all = file.requests(into);
    read(std::span(all).first(1));
    CHECK(is_right(all[0]));
    CHECK(watched::readers.size() == 1);
}

TEST_CASE("a read that fails is the failure of its piece, on whatever thread", "[storage]") {
    open_file const file;
    for (std::size_t const threads : {std::size_t{0}, std::size_t{3}}) {
        read_together<watched> read(threads);
        std::vector<std::byte> into;
        auto const count = static_cast<int>(file.requests(into).size());
        for (int nth = 1; nth <= count; ++nth) {
            auto all = file.requests(into);
            watched::until_fault = nth;
            read(all);
            int failed = 0;
            for (auto const& r : all)
                if (r.done == -EIO)
                    ++failed;
                else
                    CHECK(is_right(r));
            CHECK(failed == 1);
        }
    }
}

TEST_CASE("many callers share the threads that read", "[storage]") {
    open_file const file;
    read_together<watched> read(2);
    std::atomic<int> right = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 6; ++i)
        callers.emplace_back([&] {
            for (int round = 0; round < 20; ++round) right += all_right(read, file) ? 1 : 0;
        });
    for (auto& c : callers) c.join();
    CHECK(right == 120);
}

TEST_CASE("a child of a fork reads what its parent reads at the same time", "[storage]") {
    open_file const file;
    auto const check = [&](auto& read) {
        CHECK(all_right(read, file));
        auto const child = ::fork();
        REQUIRE(child >= 0);
        bool right = true;
        for (int round = 0; round < 200; ++round) right = all_right(read, file) && right;
        if (child == 0) ::_exit(right ? 0 : 1);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(right);
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    };
    read_together<vicinal::storage::posix> by_the_system(2);
    check(by_the_system);
#if !defined(__SANITIZE_THREAD__) // which refuses threads in a child of a process with threads
    read_together<watched> by_threads(2);
    check(by_threads);
#endif
}

#if defined(SECCOMP_RET_ERRNO) && defined(__NR_io_uring_setup)
TEST_CASE("threads read where the system refuses io_uring", "[storage]") {
    auto const threads = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
    };
    open_file const file;
    CHECK(in_child([&] {
        ::sock_filter program[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        ::sock_fprog const filter{4, program};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
        // A system without filters has nothing to refuse by.
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) return true;
        auto const before = threads();
        {
            read_together<vicinal::storage::posix> none(0);
            if (!all_right(none, file) || threads() != before) return false;
        }
        {
            read_together<vicinal::storage::posix> three(3);
            if (!all_right(three, file) || threads() != before + 3) return false;
        }
        return threads() == before;
    }));
}
#endif
