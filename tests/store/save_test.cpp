// SPDX-License-Identifier: MIT
// A store in memory that is saved to one file, and what opens such a file.
#include "catch.hpp"
#include "storage/faulty.hpp"
#include "support/records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace save_test {

using namespace vicinal_test;
using vicinal::errc;
using vicinal::store;
namespace storage = vicinal::storage;

namespace {

using graph = vicinal::index::hnsw<>;
using docs = store<vicinal::metric::cosine, graph>;
using mapped = store<vicinal::metric::cosine, graph, storage::mmap>;
constexpr std::size_t dim = 8;

template <class Store = docs>
typename Store::options options() {
    typename Store::options o;
    o.dim = dim;
    o.index.flat_below = 50;
    return o;
}

/// 400 records, a part of which was replaced and erased.
docs filled() {
    docs s{options()};
    s.upsert(make_records(400, dim));
    s.upsert(make_records(30, dim, 2));
    s.erase("00100");
    return s;
}

template <class A, class B>
void require_same(A const& a, B const& b) {
    REQUIRE(a.size() == b.size());
    auto left = a.scan();
    auto right = b.scan();
    for (auto const& one : left) {
        auto const other = right.try_next().value();
        REQUIRE(other);
        REQUIRE(same(one, *other));
    }
    for (auto const& r : make_records(20, dim, 3))
        for (bool const exact : {true, false}) {
            auto const x = a.search(r.vector, {.k = 5, .where = "n > 9", .exact = exact});
            auto const y = b.search(r.vector, {.k = 5, .where = "n > 9", .exact = exact});
            REQUIRE(x.size() == y.size());
            for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(x[i].id == y[i].id);
        }
}

/// An allocator that counts for all its copies.
struct tally {
    std::size_t now = 0;
    std::size_t most = 0;
    std::size_t refuse_above = SIZE_MAX;
};
template <class T>
struct counting {
    using value_type = T;
    tally* count;

    explicit counting(tally* t) : count(t) {}
    template <class U>
    counting(counting<U> const& other) noexcept : count(other.count) {}
    T* allocate(std::size_t n) {
        if (count->now + n * sizeof(T) > count->refuse_above) throw std::bad_alloc();
        count->now += n * sizeof(T);
        count->most = std::max(count->most, count->now);
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        count->now -= n * sizeof(T);
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    bool operator==(counting<U> const& other) const noexcept {
        return count == other.count;
    }
};
using counted = store<vicinal::metric::cosine, graph, storage::basic_memory<counting<std::byte>>>;

} // namespace

TEST_CASE("a saved store is loaded, mapped and opened read-only as it was", "[store]") {
    temporary_directory const d;
    auto const path = d.path("docs.vic");
    auto const s = filled();
    s.save(path);
    require_same(s, docs::load(path));
    mapped::options o;
    o.read_only = true;
    for (auto const how : {vicinal::check::full, vicinal::check::lazy, vicinal::check::trusted}) {
        o.check = how;
        o.checked_at_open = 0;
        mapped const m{path, o};
        require_same(s, m);
        REQUIRE(m.verify().ok());
    }
    auto const seen = storage::mmap::space::inspect(path);
    REQUIRE(seen);
    REQUIRE(*seen->properties.find("metric") == "cosine");

    // It is no directory, and nobody may write it.
    auto const writer = mapped::try_open(path, options<mapped>());
    REQUIRE_FALSE(writer);
    REQUIRE(writer.error().code() == errc::not_a_directory);
    mapped reader{path, o};
    auto const refused = reader.try_upsert("x", std::vector<float>(dim, 1));
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code() == errc::read_only);

    // The same file in a directory is a durable store.
    std::filesystem::create_directory(d.path("store"));
    std::filesystem::copy_file(path, d.path("store/snap-00000001.vic"));
    mapped durable{d.path("store"), options<mapped>()};
    require_same(s, durable);
    durable.upsert("new", std::vector<float>(dim, 1));
    REQUIRE(durable.contains("new"));
}

TEST_CASE("a snapshot alone is checked like a directory", "[store]") {
    temporary_directory const d;
    auto const path = d.path("docs.vic");
    filled().save(path);
    auto const good = vicinal::check(path);
    CHECK(good.ok());
    CHECK(good.blocks > 1);
    auto bytes = scratch::read(path);
    bytes[bytes.size() - 65536] ^= std::byte{1}; // the first byte of the last block
    scratch::write(path, bytes);
    auto const bad = vicinal::check(path);
    CHECK(bad.problem_count == 1);
    CHECK(bad.damaged_blocks == 1);
    CHECK_FALSE(vicinal::check(d.file("text.vic", "hello")).ok());
}

TEST_CASE("a loaded store goes on, and is saved over the file that it came from", "[store]") {
    temporary_directory const d;
    auto const path = d.path("docs.vic");
    filled().save(path);
    auto s = docs::load(path, options());
    auto twin = filled();
    for (auto const& r : make_records(500, dim, 5)) {
        s.upsert(r.id, r.vector, r.payload);
        twin.upsert(r.id, r.vector, r.payload);
    }
    s.compact();
    s.save(path);
    auto const again = docs::load(path);
    REQUIRE(again.size() == twin.size());
    REQUIRE(again.verify().ok());
    for (auto const& r : make_records(500, dim, 5)) REQUIRE(same(*again.get(r.id), r));
    docs const empty{options()};
    empty.save(path);
    REQUIRE(docs::load(path).empty());
}

TEST_CASE("a file of another kind is refused by what it is", "[store]") {
    temporary_directory const d;
    auto const path = d.path("docs.vic");
    filled().save(path);
    auto const refusal = [&](auto const& loaded) {
        REQUIRE_FALSE(loaded);
        return loaded.error().code();
    };
    using other = store<vicinal::metric::squared_l2, graph>;
    using flat = store<vicinal::metric::cosine, vicinal::index::flat<>>;
    CHECK(refusal(other::try_load(path)) == errc::metric_mismatch);
    CHECK(refusal(flat::try_load(path)) == errc::index_mismatch);
    docs::options wide;
    wide.dim = dim + 1;
    CHECK(refusal(docs::try_load(path, wide)) == errc::dimension_mismatch);
    CHECK(refusal(docs::try_load(d.path("none.vic"))) == errc::not_found);
    CHECK(refusal(docs::try_load(d.file("text.vic", "hello"))) == errc::foreign_file);
    CHECK(filled().try_save(d.path("no/such/docs.vic")).error().code() == errc::not_found);
}

TEST_CASE("a damaged file is refused, and takes no more memory than it has bytes", "[store]") {
    temporary_directory const d;
    auto const path = d.path("docs.vic");
    filled().save(path);
    auto const good = scratch::read(path);
    auto const load = [&](scratch::bytes const& bytes) {
        scratch::write(path, bytes);
        tally count;
        count.refuse_above = good.size();
        auto const loaded = counted::try_load(
            path, {}, counted::storage_policy::space(counting<std::byte>(&count)));
        if (!loaded) REQUIRE(loaded.error().code() != errc::out_of_memory);
        return static_cast<bool>(loaded);
    };
    REQUIRE(load(good));
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < good.size(); i += i < 8192 ? 37 : 1009) {
        auto bytes = good;
        bytes[i] ^= std::byte{1} << (i % 8);
        accepted += load(bytes) ? 1U : 0U;
    }
    for (std::size_t n = 0; n < good.size(); n += 9973)
        accepted += load({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}) ? 1U : 0U;
    CHECK(accepted == 0);
    // Counts as an attacker writes them, under right checksums.
    for (std::size_t entry = 0; entry < 6; ++entry)
        for (auto const field : {64U, 72U, 80U, 88U})
            for (auto const value : {std::uint64_t{1} << 40, UINT64_MAX / 2, UINT64_MAX}) {
                auto bytes = good;
                vicinal::detail::store_le(bytes.data() + 4096 + entry * 128 + field, value);
                auto const all = std::span<std::byte const>(bytes);
                auto const table = vicinal::detail::load_le<std::uint64_t>(bytes.data() + 96);
                vicinal::detail::store_le(
                    bytes.data() + 120,
                    storage::crc32c(all.subspan(4096, static_cast<std::size_t>(table))));
                vicinal::detail::store_le(bytes.data() + 4092, storage::crc32c(all.first(4092)));
                REQUIRE_FALSE(load(bytes));
            }
}

TEST_CASE("a save that fails at any call leaves the old file, or the new one", "[store]") {
    using scratch::faulty;
    temporary_directory const d;
    auto const path = d.path("file.vic");
    auto const save = [&](std::byte fill) {
        scratch::bytes const rows(100000, fill);
        storage::replacement const one[] = {{"rows", 10, rows}};
        storage::snapshot_layout layout;
        layout.generation = 1;
        return storage::lay_out(layout, one) && storage::save_snapshot<faulty>(path, layout, one);
    };
    faulty::reset();
    REQUIRE(save(std::byte{1}));
    auto const calls = faulty::world.calls;
    auto const old = scratch::read(path);
    std::size_t kept = 0;
    for (long i = 1; i <= calls; ++i)
        for (bool const for_good : {false, true}) {
            faulty::reset();
            scratch::write(path, old);
            faulty::world.fail_at = i;
            faulty::world.for_good = for_good;
            CAPTURE(i, for_good, faulty::world.trace);
            REQUIRE_FALSE(save(std::byte{2}));
            auto const now = storage::open_snapshot<storage::posix>(path);
            REQUIRE(now);
            REQUIRE(now->check_all());
            bool const same = scratch::read(path) == old;
            kept += same ? 1U : 0U;
            // Only behind the rename may it be the new one.
            REQUIRE((same || i == calls));
            // And nothing else is left, unless its removal was refused.
            std::size_t files = 0;
            for ([[maybe_unused]] auto const& e : std::filesystem::directory_iterator(d.path(".")))
                ++files;
            if (!for_good) REQUIRE(files == 1);
            for (auto const& e : std::filesystem::directory_iterator(d.path(".")))
                if (e.path().filename() != "file.vic") std::filesystem::remove(e.path());
        }
    CHECK(kept == static_cast<std::size_t>(calls - 1) * 2);
}

TEST_CASE("the memory of a store's rows comes from the allocator that it is given", "[store]") {
    tally count;
    {
        counted s{options<counted>(), counted::storage_policy::space(counting<std::byte>(&count))};
        s.upsert(make_records(300, dim));
        REQUIRE(count.now > 300 * dim * sizeof(float));
        s.upsert(make_records(300, dim, 2));
        s.compact();
        require_same(s, [&] {
            docs twin{options()};
            twin.upsert(make_records(300, dim, 2));
            return twin;
        }());
        count.refuse_above = count.now;
        auto const many = make_records(5000, dim, 4);
        auto const refused = s.try_upsert(many);
        REQUIRE_FALSE(refused);
        REQUIRE(refused.error().code() == errc::out_of_memory);
        REQUIRE(s.size() == 300);
    }
    REQUIRE(count.now == 0);
}

} // namespace save_test
