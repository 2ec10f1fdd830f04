// SPDX-License-Identifier: MIT
#include "contract/store.hpp"

#include <vicinal/storage/file.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace file_reads_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

constexpr std::size_t wide = 256;
constexpr std::size_t many = 2000;

/// A disk of which one read fails.
struct failing_once : storage::posix {
    static inline std::atomic<int> until_fault = 0;
    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        if (--until_fault != 0) return posix::read_at(file, into, n, offset);
        errno = EIO;
        return -1;
    }
};

using paged = store<metric::squared_l2, index::hnsw<>, storage::basic_file<failing_once>>;
using mapped = store<metric::squared_l2, index::hnsw<>, storage::mmap>;

template <class Hits>
std::vector<std::pair<std::string, float>> pairs(Hits const& found) {
    std::vector<std::pair<std::string, float>> all;
    for (auto const& h : found) all.emplace_back(h.id, h.distance);
    return all;
}

} // namespace

TEST_CASE("a search in which a read fails tells of it or finds all, and the next one finds all",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    auto const query = clustered_rows(1, wide, 5, 8);
    std::vector<std::pair<std::string, float>> expected;
    {
        mapped s{path, {.dim = wide, .durability = durability::off}};
        s.upsert(records<mapped>(many, wide, 7));
        s.checkpoint();
        expected = pairs(s.search(vector_view<float>(query.row(0), wide)));
    }
    for (std::size_t const threads : {std::size_t{0}, std::size_t{3}}) {
        int failed = 0;
        int healed = 0; // a page that was not wanted yet is read again when it is
        for (int nth = 1;; ++nth) {
            paged const s{path,
                          {.read_only = true,
                           .threads = threads,
                           .checked_at_open = 0,
                           .cache_bytes = 1500000}};
            auto const search = [&] {
                return s.try_search(vector_view<float>(query.row(0), wide));
            };
            failing_once::until_fault = nth;
            auto const first = search();
            if (first)
                CHECK(pairs(*first) == expected);
            else
                CHECK(first.error().code() == errc::io_failure);
            if (failing_once::until_fault.exchange(0) > 0) break; // there are no more reads
            ++(first ? healed : failed);
            auto const second = search();
            REQUIRE(second);
            CHECK(pairs(*second) == expected);
        }
        CHECK(failed > 0);
        CHECK(healed > 5);
    }
}

} // namespace file_reads_test
