// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/records.hpp"
#include "support/stores.hpp"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>

namespace verification_test {

using namespace vicinal_test;
using vicinal::store;
namespace storage = vicinal::storage;

namespace {

using docs = store<vicinal::metric::cosine, vicinal::index::hnsw<>, storage::mmap>;
using column = storage::mmap::column;

docs::options options() {
    docs::options o;
    o.dim = 4;
    o.durability = vicinal::durability::off;
    o.index.flat_below = 50;
    return o;
}

/// A store of 300 records and 20 dead rows.
struct fixture {
    fixture() {
        docs s{path, options()};
        s.upsert(make_records(300, 4));
        s.upsert(make_records(20, 4, 2));
        s.checkpoint();
    }

    /// Changes a column and writes a snapshot whose checksums are right.
    void change(std::string const& name, std::size_t row_bytes,
                std::function<void(column&)> const& how) const {
        storage::open_options o;
        o.durability = vicinal::durability::off;
        auto space = storage::mmap::space::open(path, {}, o).value();
        auto* c = space.column(name, row_bytes).value();
        REQUIRE(space.replay([](std::span<std::byte const>) { return vicinal::result<void>(); }));
        how(*c);
        auto const properties = space.properties();
        space.checkpoint({}, properties).value();
        space.adopt();
    }
    [[nodiscard]] vicinal::verify_report verified() const {
        auto o = options();
        o.read_only = true;
        return docs{path, o}.verify();
    }

    temporary_directory directory = {};
    std::string path = directory.path("s");
};

bool says(vicinal::verify_report const& r, std::string const& text) {
    for (auto const& p : r.problems)
        if (p.find(text) != std::string::npos) return true;
    return false;
}

} // namespace

TEST_CASE("a sound store says so, on disk and in memory, dead rows and all", "[store]") {
    fixture const f;
    auto const r = f.verified();
    CHECK(r.ok());
    CHECK(r.problems.empty());
    CHECK(r.records == 300);
    CHECK(r.rows == 320);
    CHECK(r.indexed_rows == 320);

    // While it is written: rows of the log and of the fresh tail.
    docs s{f.path, options()};
    s.upsert("more", {1, 2, 3, 4});
    s.erase("00007");
    CHECK(s.verify().ok());
    CHECK(s.verify().records == 300);

    store<vicinal::metric::squared_l2, vicinal::index::flat<>> m{{.dim = 3}};
    CHECK(m.verify().ok());
    m.upsert(make_records(10, 3));
    CHECK(m.verify().ok());
    CHECK(m.verify().records == 10);
}

TEST_CASE("verifying finds what checksums can't see, and names the record", "[store]") {
    fixture const f;
    SECTION("a vector that is not finite") {
        f.change("vectors", 16, [](column& c) {
            float const nan = std::numeric_limits<float>::quiet_NaN();
            std::memcpy(c.edit(42) + 8, &nan, 4);
        });
        auto const r = f.verified();
        CHECK(r.problem_count == 1);
        CHECK(says(r, "record '00042' (row 42): not_finite"));
        CHECK(says(r, "NaN at element 2"));
    }
    SECTION("a dead row may hold anything") {
        f.change("vectors", 16, [](column& c) { std::memset(c.edit(3), 0xff, 16); });
        CHECK(f.verified().ok());
    }
    SECTION("a payload that does not decode") {
        // A byte shorter: the length is the lower half of a place.
        f.change("payloads.places", 8, [](column& c) {
            std::uint64_t place = 0;
            std::memcpy(&place, c.edit(42), 8);
            --place;
            std::memcpy(c.edit(42), &place, 8);
        });
        auto const r = f.verified();
        CHECK(r.problem_count == 1);
        CHECK(says(r, "record '00042' (row 42): invalid_payload"));
    }
    SECTION("an id that is another's") {
        f.change("ids.places", 8, [](column& c) { std::memcpy(c.edit(50), c.edit(60), 8); });
        auto const r = f.verified();
        CHECK(r.problem_count == 1);
        CHECK(says(r, "record '00060' (row 50): its id leads to row 60"));
    }
    SECTION("an id that leads nowhere") {
        f.change("ids.map", 8, [](column& c) {
            for (std::uint64_t i = 0; i < c.rows(); ++i) {
                std::uint64_t entry = 0;
                std::memcpy(&entry, c.edit(i), 8);
                if ((entry & 0xffffffffU) == 77 + 1) std::memset(c.edit(i), 0, 8);
            }
        });
        CHECK(says(f.verified(), "record '00077' (row 77): its id leads to no row"));
    }
    SECTION("a record that no walk comes to") {
        // Nobody links to row 99 any more.
        f.change("hnsw.links", 128, [](column& c) {
            std::uint32_t const wanted = 99;
            for (std::uint64_t i = 0; i < c.rows(); ++i)
                for (std::size_t j = 0; j < 32; ++j) {
                    std::uint32_t link = 0;
                    std::memcpy(&link, c.edit(i) + 4 * j, 4);
                    auto const self = static_cast<std::uint32_t>(i);
                    if (link == wanted) std::memcpy(c.edit(i) + 4 * j, &self, 4);
                }
        });
        auto const r = f.verified();
        CHECK(r.problem_count >= 1);
        CHECK(says(r, "record '00099' (row 99): no walk of the index comes to it"));
    }
    SECTION("everything at once: a hundred are named, all are counted") {
        f.change("vectors", 16, [](column& c) {
            for (std::uint64_t i = 0; i < c.rows(); ++i) std::memset(c.edit(i), 0, 16);
        });
        auto const r = f.verified();
        CHECK(r.problem_count == 300);
        CHECK(r.problems.size() == 100);
        CHECK(says(r, "zero_vector"));
    }
}

TEST_CASE("verifying reads the files again, so that damage since the opening is seen", "[store]") {
    fixture const f;
    docs s{f.path, options()};
    s.upsert("more", {1, 2, 3, 4});
    std::string snapshot;
    std::string log;
    for (auto const& e : std::filesystem::directory_iterator(f.path)) {
        if (e.path().extension() == ".vic") snapshot = e.path().string();
        if (e.path().extension() == ".vlog") log = e.path().string();
    }
    auto const flip = [](std::string const& path, std::uint64_t from_the_end) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        auto const at =
            static_cast<std::streamoff>(std::filesystem::file_size(path) - from_the_end);
        file.seekg(at);
        auto const byte = file.get();
        file.seekp(at);
        file.put(static_cast<char>(byte ^ 1));
        REQUIRE(file);
    };
    flip(log, 10);
    auto r = s.verify();
    CHECK(r.problem_count == 1);
    CHECK(says(r, "corrupt_log"));
    CHECK(says(r, log));
    flip(log, 10);
    CHECK(s.verify().ok());
    flip(snapshot, 10);
    r = s.verify();
    CHECK(says(r, "corrupt_snapshot"));
    CHECK(says(r, snapshot));
    flip(snapshot, 10);
    CHECK(s.verify().ok());
}

} // namespace verification_test
