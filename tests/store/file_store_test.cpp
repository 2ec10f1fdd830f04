// SPDX-License-Identifier: MIT
#include "contract/store.hpp"
#include "support/damaged_section.hpp"

#include <vicinal/storage/file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace file_store_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

index::hnsw_options small_graph() {
    index::hnsw_options o;
    o.flat_below = 100;
    return o;
}

using docs = store<metric::cosine, index::hnsw<>, storage::file>;

} // namespace

TEST_CASE("an hnsw store of paged files keeps the contract of stores", "[store]") {
    check_store_contract<docs>({.index = small_graph()});
}

TEST_CASE("a flat store of paged files with integer ids keeps the contract of stores", "[store]") {
    check_store_contract<
        store<metric::squared_l2, index::flat<>, storage::file, payload::fields, std::uint32_t>>(
        {});
}

TEST_CASE("a two-phase store of paged files keeps the contract of stores", "[store]") {
    check_store_contract<store<metric::squared_l2, index::flat<codec::sq8>, storage::file>>({});
}

namespace {

/// Vectors of 3 MB, so that pages of 8 KiB are what is read.
constexpr std::size_t wide = 256;
constexpr std::size_t many = 3000;

using paged = store<metric::squared_l2, index::hnsw<>, storage::file, payload::fields>;
using mapped = store<metric::squared_l2, index::hnsw<>, storage::mmap, payload::fields>;
using paged_flat = store<metric::squared_l2, index::flat<>, storage::file>;
using mapped_flat = store<metric::squared_l2, index::flat<>, storage::mmap>;

template <class Store>
void make(std::string const& path, std::size_t rows) {
    Store s{path, {.dim = wide, .durability = durability::off}};
    s.upsert(records<Store>(rows, wide, 7));
    s.checkpoint();
}

template <class Store>
auto answers(Store const& s, search_options const& o) {
    std::vector<std::pair<std::string, float>> all;
    auto const queries = clustered_rows(20, wide, 5, 8);
    for (std::size_t i = 0; i < 20; ++i)
        for (auto const& h : s.search(vector_view<float>(queries.row(i), wide), o))
            all.emplace_back(h.id, h.distance);
    return all;
}

} // namespace

TEST_CASE("what mapped files hold is found in paged ones, and the other way round", "[store]") {
    temporary_directory const dir;
    search_options const filtered{.k = 10, .where = "even = true"};
    make<mapped>(dir.path("m"), many);
    std::vector<std::pair<std::string, float>> plain;
    std::vector<std::pair<std::string, float>> even;
    {
        mapped const s{dir.path("m")};
        plain = answers(s, {.k = 10});
        even = answers(s, filtered);
    }
    {
        paged s{dir.path("m"), {.cache_bytes = 3000000}};
        CHECK(answers(s, {.k = 10}) == plain);
        CHECK(answers(s, filtered) == even);
        CHECK(s.verify().ok());
        s.upsert("new", std::vector<float>(wide, 1.5F), numbered(1));
        s.checkpoint();
        s.erase("new");
        s.compact();
    }
    mapped const s{dir.path("m")};
    CHECK(s.verify().ok());
    CHECK(answers(s, {.k = 10, .exact = true}).size() == 200);
    CHECK(s.size() == many);
}

TEST_CASE("a paged store stays within its budget and answers as a mapped one", "[store]") {
    temporary_directory const dir;
    make<mapped_flat>(dir.path("s"), many);
    std::vector<std::pair<std::string, float>> expected;
    {
        mapped_flat const s{dir.path("s")};
        expected = answers(s, {.k = 5});
    }
    paged_flat const s{dir.path("s"), {.read_only = true, .cache_bytes = 1000000}};
    CHECK(answers(s, {.k = 5}) == expected);
    auto const held = s.paging();
    CHECK(held.resident + held.pages <= 1000000);
    CHECK(held.reads >= 20 * many / 8); // eight rows a page, twenty scans
}

TEST_CASE("a query of a graph over codes reads about as many pages as it has candidates",
          "[store]") {
    temporary_directory const dir;
    make<mapped>(dir.path("s"), many);
    paged const s{dir.path("s"), {.read_only = true, .cache_bytes = 2500000}};
    auto const before = s.paging().reads;
    static_cast<void>(answers(s, {.k = 10}));
    auto const reads = s.paging().reads - before;
    CHECK(reads <= 20 * 20);
    CHECK(reads > 0);
}

TEST_CASE("damage in a page is the error of the call that reads it", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped>(path, many);
    paged s{path, {.cache_bytes = 3000000}};
    REQUIRE(s.try_get("r1"));
    damage_section(path, "vectors");
    auto const queries = clustered_rows(20, wide, 5, 8);
    std::size_t failed = 0;
    for (std::size_t i = 0; i < 20; ++i) {
        auto const found = s.try_search(vector_view<float>(queries.row(i), wide));
        if (found) continue;
        ++failed;
        CHECK(found.error().code() == errc::corrupt_snapshot);
    }
    CHECK(failed > 10);
    CHECK(refused(s.try_search(vector_view<float>(queries.row(0), wide), {.exact = true})).code() ==
          errc::corrupt_snapshot);
    CHECK(refused(s.try_get("r2000")).code() == errc::corrupt_snapshot);
    // What was damaged is not written anew with a right checksum.
    auto const generation = storage::file::space::inspect(path).value().generation;
    CHECK(refused(s.try_checkpoint()).code() == errc::corrupt_snapshot);
    CHECK(storage::file::space::inspect(path).value().generation == generation);
    CHECK_FALSE(s.verify().ok());
}

TEST_CASE("a filter over damaged payloads fails each time, and is not remembered", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped_flat>(path, many);
    paged_flat const s{path, {.read_only = true, .cache_bytes = 1000000}};
    damage_section(path, "payloads.heap");
    auto const query = clustered_rows(1, wide, 5, 8);
    for (int i = 0; i < 3; ++i)
        CHECK(
            refused(s.try_search(vector_view<float>(query.row(0), wide), {.where = "even = true"}))
                .code() == errc::corrupt_snapshot);
}

TEST_CASE("rows beyond the budget are made pages of by a checkpoint", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    auto const all = records<paged_flat>(many, wide, 7);
    {
        paged_flat s{path, {.dim = wide, .durability = durability::off, .cache_bytes = 1500000}};
        for (std::size_t i = 0; i < many; i += 50) {
            s.upsert(std::vector(all.begin() + static_cast<std::ptrdiff_t>(i),
                                 all.begin() + static_cast<std::ptrdiff_t>(i + 50)));
            REQUIRE(s.paging().resident <= 1500000);
        }
        for (std::size_t i = 0; i < many; i += 100)
            CHECK(s.get(all[i].id)->vector == all[i].vector);
    }
    CHECK(storage::file::space::inspect(path).value().generation > 3);
    mapped_flat const s{path};
    CHECK(s.size() == many);
    CHECK(s.verify().ok());
}

TEST_CASE("pages of rows that were cleared are not taken for those that came after", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped_flat>(path, many);
    paged_flat s{path};
    static_cast<void>(answers(s, {.k = 5})); // every page is in memory now
    s.clear();
    auto const other = records<paged_flat>(many, wide, 8);
    s.upsert(other);
    s.checkpoint();
    for (std::size_t i = 0; i < many; i += 50) CHECK(s.get(other[i].id)->vector == other[i].vector);
    CHECK(s.verify().ok());
}

TEST_CASE("a store whose codes and links do not fit is paged whole, and answers the same",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped>(path, many);
    std::vector<std::pair<std::string, float>> expected;
    {
        mapped const s{path};
        expected = answers(s, {.k = 10});
    }
    {
        paged const s{path, {.read_only = true, .cache_bytes = 3000000}};
        CHECK(s.paging().paged_steps == 0);
    }
    {
        paged const s{path, {.read_only = true, .cache_bytes = 700000}};
        CHECK(s.paging().paged_steps > 0);
        CHECK(answers(s, {.k = 10}) == expected);
        CHECK(s.paging().resident + s.paging().pages <= 700000);
        CHECK(s.verify().ok());
    }
    // A writer keeps what it changes in memory, and says so.
    paged s{path, {.cache_bytes = 100000}};
    CHECK(answers(s, {.k = 10}) == expected);
    CHECK(s.paging().resident > s.paging().budget);
    s.upsert("new", std::vector<float>(wide, 1.5F), numbered(1));
    s.checkpoint();
    CHECK(s.get("new").has_value());
}

TEST_CASE("two phases over paged codes find what they find in memory", "[store]") {
    using in_memory = store<metric::squared_l2, index::flat<codec::sq8>, storage::mmap>;
    using in_pages = store<metric::squared_l2, index::flat<codec::sq8>, storage::file>;
    temporary_directory const dir;
    make<in_memory>(dir.path("s"), many);
    std::vector<std::pair<std::string, float>> expected;
    {
        in_memory const s{dir.path("s")};
        expected = answers(s, {.k = 10});
    }
    in_pages const s{dir.path("s"), {.read_only = true, .cache_bytes = 400000}};
    CHECK(s.paging().paged_steps > 0);
    CHECK(answers(s, {.k = 10}) == expected);
    CHECK(s.verify().ok());
}

TEST_CASE("how much of a paged store is checked, and when, is what was asked for", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped>(path, many);
    damage_section(path, "vectors");
    paged::options lazily{.read_only = true, .checked_at_open = 0};
    {
        auto const s = paged::try_open(path, lazily);
        REQUIRE(s);
        CHECK(refused(s->try_get("r1")).code() == errc::corrupt_snapshot);
    }
    CHECK(refused(paged::try_open(path, {.read_only = true})).code() == errc::corrupt_snapshot);
    lazily.check = check_level::full;
    CHECK(refused(paged::try_open(path, lazily)).code() == errc::corrupt_snapshot);
    lazily.check = check_level::trusted;
    {
        auto s = paged::try_open(path, {.check = check_level::trusted});
        REQUIRE(s);
        CHECK(s->try_get("r1"));
        // But no copy gets right checksums for it.
        CHECK(refused(s->try_checkpoint()).code() == errc::corrupt_snapshot);
    }
    damage_section(path, "vectors"); // the same bits again: all is well
    damage_section(path, "hnsw.codes");
    lazily.check = check_level::lazy;
    CHECK(refused(paged::try_open(path, lazily)).code() == errc::corrupt_snapshot);
    lazily.cache_bytes = 700000; // paged: only who reads them is told
    auto const s = paged::try_open(path, lazily);
    REQUIRE(s);
    CHECK(s->try_get("r1"));
    auto const query = clustered_rows(1, wide, 5, 8);
    CHECK(refused(s->try_search(vector_view<float>(query.row(0), wide))).code() ==
          errc::corrupt_snapshot);
}

namespace {

/// A disk whose reads fail while `failing` says so.
struct flaky : storage::posix {
    static inline bool failing = false;
    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        if (!failing) return posix::read_at(file, into, n, offset);
        errno = EIO;
        return -1;
    }
};

} // namespace

TEST_CASE("a read that fails is the error of its call, and of no other", "[store]") {
    using on_flaky_disk = store<metric::squared_l2, index::hnsw<>, storage::basic_file<flaky>>;
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped>(path, many);
    on_flaky_disk s{path, {.cache_bytes = 1500000}};
    auto const query = clustered_rows(1, wide, 5, 8);
    auto const search = [&] { return s.try_search(vector_view<float>(query.row(0), wide)); };
    flaky::failing = true;
    CHECK(refused(search()).code() == errc::io_failure);
    CHECK(refused(s.try_get("r2000")).code() == errc::io_failure);
    CHECK(refused(s.try_checkpoint()).code() == errc::io_failure);
    CHECK(refused(s.try_tune()).code() == errc::io_failure);
    flaky::failing = false;
    CHECK(search());
    CHECK(s.try_get("r2000"));
    s.upsert("new", std::vector<float>(wide, 1.5F), numbered(1));
    CHECK(s.try_checkpoint());
    CHECK(s.verify().ok());
}

TEST_CASE("a paged reader moves to its writer's newest state, and a paged store is copied",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    make<mapped>(path, many);
    paged writer{path, {.cache_bytes = 3000000}};
    paged reader{path, {.read_only = true, .cache_bytes = 700000}};
    static_cast<void>(answers(reader, {.k = 5}));
    writer.upsert("new", std::vector<float>(wide, 1.5F), numbered(1));
    CHECK(reader.refresh());
    CHECK(reader.get("new").has_value());
    writer.erase("r1");
    writer.checkpoint();
    CHECK(reader.refresh());
    CHECK_FALSE(reader.get("r1").has_value());
    CHECK(answers(reader, {.k = 5, .exact = true}) == answers(writer, {.k = 5, .exact = true}));
    CHECK(reader.verify().ok());
    writer.backup(dir.path("copy"));
    paged const copy{dir.path("copy"), {.cache_bytes = 3000000}};
    CHECK(copy.size() == writer.size());
    CHECK(copy.verify().ok());
}

} // namespace file_store_test
