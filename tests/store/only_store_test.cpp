// SPDX-License-Identifier: MIT
#include "contract/store.hpp"

#include <vicinal/codec/only.hpp>
#include <vicinal/codec/sq4.hpp>
#include <vicinal/migrate/migrate.hpp>
#include <vicinal/storage/check.hpp>
#include <vicinal/store/salvage.hpp>

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace only_store_test {

namespace {

using namespace vicinal;
using namespace vicinal_test;

constexpr std::size_t dim = 24;
using halves = store<metric::squared_l2, index::hnsw<codec::only<codec::sq4>>, storage::mmap>;
using bytes = store<metric::cosine, index::flat<codec::only<codec::sq8>>, storage::file>;
using plain = store<metric::squared_l2, index::flat<>, storage::memory>;

halves::options small_graph() {
    halves::options o;
    o.dim = dim;
    o.durability = durability::off;
    o.index.flat_below = 100;
    return o;
}

/// Every hit says that it is estimated, and its distance is that to what reconstruct() gives.
template <class Store>
void check_hits(Store const& s, float const* query, search_options const& o, bool estimated) {
    vector_view<float> const q(query, dim);
    auto const hits = s.search(q, o);
    REQUIRE(hits.size() == (std::min)(o.k, s.size()));
    for (auto const& h : hits) {
        REQUIRE(h.estimated == estimated);
        auto const v = s.reconstruct(h.id);
        REQUIRE(v);
        REQUIRE(h.distance == metric::exact<typename Store::metric_type>(query, v->data(), dim));
    }
}

/// The vectors by id, decoded.
template <class Store>
std::vector<std::vector<float>> decoded(Store const& s) {
    std::vector<std::vector<float>> all;
    for (auto const& r : s.scan_reconstructed()) all.push_back(r.vector);
    return all;
}

bool has_rows(std::string const& path, std::string_view name) {
    for (auto const& s : storage::mmap::space::inspect(path).value().sections)
        if (s.name == name) return s.rows > 0;
    return false;
}

} // namespace

TEST_CASE("a store of codes alone has no vector to give, and says so", "[store]") {
    temporary_directory const dir;
    auto const all = records<halves>(1500, dim, 7);
    halves s{dir.path("s"), small_graph()};
    s.upsert(all);
    CHECK(refused(s.try_get("r7")).code() == errc::vector_not_kept);
    CHECK_FALSE(s.try_get("none").value());
    CHECK(refused(s.scan().try_next()).code() == errc::vector_not_kept);
    CHECK(refused(s.try_select({.with_vectors = true})).code() == errc::vector_not_kept);
    CHECK(s.select({.limit = 3}).records.size() == 3);
    CHECK_FALSE(s.reconstruct("none"));
    auto const v = s.reconstruct("r7");
    REQUIRE(v);
    // Codes of a fifteenth of the elements' span are off by half of that at most.
    float low = 0, high = 0;
    for (auto const x : all[7].vector) low = (std::min)(low, x), high = (std::max)(high, x);
    for (std::size_t i = 0; i < dim; ++i)
        CHECK(std::fabs((*v)[i] - all[7].vector[i]) <= (high - low) / 15 * 1.01F);
    auto const bytes = s.stats().bytes;
    CHECK(bytes.vectors == 0);
    CHECK(bytes.codes == 1500 * (16 + dim / 2));
    auto const queries = clustered_rows(20, dim, 5, 8);
    for (std::size_t i = 0; i < 20; ++i) {
        check_hits(s, queries.row(i), {}, true);
        check_hits(s, queries.row(i), {.exact = true}, true);
        check_hits(s, queries.row(i), {.where = "even = true"}, true);
    }
    CHECK(s.verify().ok());
}

TEST_CASE("a store of codes alone is the same after its log, its snapshot and a compaction",
          "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    auto all = records<halves>(1200, dim, 7);
    std::vector<std::vector<float>> want;
    {
        halves s{path, small_graph()};
        s.upsert(all);
        s.update_payload("r3", numbered(77));
        s.erase("r0");
        want = decoded(s);
    }
    {
        halves s{path, small_graph()}; // from the log, where vectors are
        CHECK(decoded(s) == want);
        s.checkpoint();
        CHECK_FALSE(has_rows(path, "vectors"));
        CHECK(has_rows(path, "codes"));
        CHECK_FALSE(has_rows(path, "hnsw.codes"));
    }
    {
        halves s{path, small_graph()}; // from the snapshot, where codes are
        CHECK(decoded(s) == want);
        for (std::size_t i = 1; i < 600; ++i) s.erase("r" + std::to_string(i));
        s.compact();
        want.erase(want.begin(), want.end());
        want = decoded(s);
        REQUIRE(want.size() == 600);
        CHECK(s.stats().dead == 0);
        CHECK(s.reconstruct("r700"));
        check_hits(s, all[5].vector.data(), {}, true);
        CHECK(s.verify().ok());
    }
    halves s{path, small_graph()};
    CHECK(decoded(s) == want);
    CHECK(check(path).ok());
    s.clear();
    CHECK(s.empty());
    s.upsert(all);
    CHECK(s.size() == 1200);
    CHECK(refused(try_salvage(path, dir.path("to"))).code() == errc::vector_not_kept);
}

TEST_CASE("what no code stands for is refused, and nothing has changed", "[store]") {
    temporary_directory const dir;
    halves s{dir.path("s"), small_graph()};
    std::vector<float> v(dim, 1.0F);
    s.upsert("a", v);
    v[3] = 1e25F;
    auto const e = refused(s.try_upsert("b", v));
    CHECK(e.code() == errc::invalid_argument);
    CHECK(e.got().find("'b'") != std::string::npos);
    CHECK(s.size() == 1);
}

TEST_CASE("a codec that learns keeps vectors until it has enough of them", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    auto all = records<bytes>(1300, dim, 7);
    for (auto& r : all)
        for (auto& x : r.vector) x = 0.01F * x + 5; // far from 0: a frame is worth it
    bytes::options o;
    o.dim = dim;
    o.durability = durability::off;
    auto const part = [&](std::size_t from, std::size_t to) {
        return std::vector(all.begin() + static_cast<std::ptrdiff_t>(from),
                           all.begin() + static_cast<std::ptrdiff_t>(to));
    };
    std::vector<std::vector<float>> want;
    {
        bytes s{path, o};
        s.upsert(part(0, 990));
        CHECK(*s.reconstruct("r5") == all[5].vector);
        CHECK(refused(s.try_get("r5")).code() == errc::vector_not_kept);
        check_hits(s, all[3].vector.data(), {}, false);
        CHECK(s.stats().bytes.vectors == 990 * dim * sizeof(float));
        s.checkpoint();
        CHECK(has_rows(path, "vectors"));
    }
    {
        bytes s{path, o};
        CHECK(*s.reconstruct("r5") == all[5].vector);
        s.upsert(part(990, 1300));
        CHECK(s.stats().bytes.vectors == 0);
        check_hits(s, all[3].vector.data(), {}, true);
        // Without the frame a step is 1/50 of an element, with it 1/10,000.
        auto const v = s.reconstruct("r1234");
        double norm = 0;
        for (auto const x : all[1234].vector) norm += double{x} * x;
        for (std::size_t i = 0; i < dim; ++i)
            CHECK(std::fabs((*v)[i] - all[1234].vector[i] / std::sqrt(norm)) < 1e-4);
        want = decoded(s);
    }
    {
        bytes s{path, o}; // learns again from what the log brings
        CHECK(decoded(s) == want);
        s.checkpoint();
        CHECK_FALSE(has_rows(path, "vectors"));
        CHECK(has_rows(path, "model"));
    }
    bytes s{path, o};
    CHECK(decoded(s) == want);
    CHECK(s.verify().ok());
    check_hits(s, all[3].vector.data(), {.k = 30}, true);
    s.clear();
    s.upsert(part(0, 10));
    CHECK(*s.reconstruct("r5") == all[5].vector);
}

TEST_CASE("a migration names what codes alone lose, on either side", "[store][migrate]") {
    temporary_directory const dir;
    plain from{{.dim = dim}};
    from.upsert(records<plain>(300, dim, 7));
    halves to{dir.path("s"), small_graph()};
    auto const there = migrate(from, to);
    CHECK(there.ok());
    CHECK(there.records == 300);
    REQUIRE(there.losses.size() == 1);
    CHECK(there.losses[0].find("only<sq4>") != std::string::npos);
    CHECK(to.size() == 300);
    migrate_options strict;
    strict.strict = true;
    halves other{dir.path("other"), small_graph()};
    CHECK(refused(try_migrate(from, other, strict)).code() == errc::unsupported);
    plain back{{.dim = dim}};
    auto const again = migrate(to, back);
    CHECK(again.ok());
    REQUIRE(again.losses.size() == 1);
    CHECK(again.losses[0].find("decoded") != std::string::npos);
    CHECK(back.get("r5")->vector == *to.reconstruct("r5"));
}

TEST_CASE("a damaged code is refused when it is touched", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("s");
    auto o = small_graph();
    auto const all = records<halves>(3000, dim, 7);
    {
        halves s{path, o};
        s.upsert(all);
        s.checkpoint();
    }
    o.checked_at_open = 0;
    auto const about = storage::mmap::space::inspect(path).value();
    for (auto const& section : about.sections)
        if (section.name == "codes") {
            std::fstream f(path + "/" + vicinal::detail::snapshot_name(about.generation),
                           std::ios::in | std::ios::out | std::ios::binary);
            auto const at = static_cast<std::streamoff>(section.offset + 2000 * section.row_bytes);
            f.seekg(at);
            auto const c = static_cast<char>(f.get() ^ 4);
            f.seekp(at);
            f.put(c);
            REQUIRE(f.good());
        }
    halves const s{path, o};
    CHECK(s.reconstruct("r2"));
    CHECK(refused(s.try_search(all[0].vector, {.exact = true})).code() == errc::corrupt_snapshot);
    CHECK_FALSE(check(path).ok());
}

} // namespace only_store_test
