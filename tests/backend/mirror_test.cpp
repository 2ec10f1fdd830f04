// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/records.hpp"
#include "support/shared_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/mirror.hpp>
#include <vicinal/migrate/diff.hpp>

#include <fstream>
#include <thread>

namespace mirror_test {

using namespace vicinal;
using namespace vicinal_test;

namespace {

using lenient = store<metric::squared_l2, index::flat<>>;
using strict = store<metric::cosine, index::flat<>>; // refuses zero vectors

struct two_sides {
    any_store old_store{lenient({.dim = 3})};
    any_store new_store{strict({.dim = 3})};

    [[nodiscard]] bool equal() {
        auto a = old_store.source();
        auto b = new_store.source();
        return diff(a, b).ok();
    }
};

} // namespace

TEST_CASE("a mirror writes to both sides and reads from the one that leads", "[mirror]") {
    temporary_directory const dir;
    two_sides s;
    mirror m(s.old_store, s.new_store, {.journal = dir.path("journal")});
    m.upsert(make_records(20, 3));
    CHECK(m.erase("00007"));
    CHECK_FALSE(m.erase("none"));
    CHECK(m.pending() == 0);
    CHECK(s.old_store.size() == 19);
    CHECK(s.equal());
    CHECK(m.get("00003")->id == "00003");
    CHECK(m.search(std::vector<float>{1, 0, 0}, {.k = 3}).size() == 3);
}

TEST_CASE("what one side refuses is pending, survives, and is made good", "[mirror]") {
    temporary_directory const dir;
    two_sides s;
    std::vector<record> const good = make_records(5, 3);
    std::vector<record> const zero{{"zero", {0, 0, 0}, {}}};
    {
        mirror m(s.old_store, s.new_store, {.journal = dir.path("journal")});
        m.upsert(good);
        m.upsert(zero); // the leading side has it: that is what counts
        CHECK(m.pending() == 1);
        CHECK_FALSE(s.equal());
        CHECK(m.try_cut_over().error().code() == errc::invalid_argument);
        CHECK_FALSE(m.try_catch_up());
        CHECK(mirror::try_open(s.old_store, s.new_store, {.journal = dir.path("journal")})
                  .error()
                  .code() == errc::locked);
    }
    mirror m(s.old_store, s.new_store, {.journal = dir.path("journal")});
    CHECK(m.pending() == 1);
    m.upsert(std::vector<record>{{"zero", {0, 1, 0}, {}}});
    CHECK(m.pending() == 0);
    CHECK(s.equal());
    CHECK(m.catch_up() == 0);
}

TEST_CASE("a crash between the two sides is made good from the journal", "[mirror]") {
    temporary_directory const dir;
    auto const path = dir.path("journal");
    two_sides s;
    auto const list = make_records(6, 3);
    REQUIRE(s.old_store.try_upsert(list));
    REQUIRE(s.new_store.try_upsert(list));
    {
        // As a mirror does before it writes; then the process ends.
        auto journal = detail::mirror_journal::open(path).value();
        std::string_view const ids[]{"00001", "00002", "never"};
        REQUIRE(journal.announce(ids));
    }
    REQUIRE(s.old_store.try_upsert(std::vector<record>{{"00001", {9, 9, 9}, {}}}));
    REQUIRE(s.old_store.try_erase("00002"));
    mirror m(s.old_store, s.new_store, {.journal = path});
    CHECK(m.pending() == 3);
    CHECK(m.catch_up() == 3);
    CHECK(m.pending() == 0);
    CHECK(s.equal());
    CHECK_FALSE(s.new_store.try_get("00002").value());
}

TEST_CASE("a running system is backfilled, cut over, and can go back", "[mirror]") {
    temporary_directory const dir;
    auto const path = dir.path("journal");
    two_sides s;
    REQUIRE(s.old_store.try_upsert(make_records(2'000, 3)));
    {
        mirror m(s.old_store, s.new_store, {.journal = path});
        std::thread writer([&] {
            for (int i = 0; i < 300; ++i) {
                auto const id = "0" + std::to_string(1'000 + i * 3);
                if (i % 3 == 0)
                    m.erase(id);
                else
                    m.upsert(std::vector<record>{{id, {1, static_cast<float>(i), 2}, {{"i", i}}}});
            }
        });
        CHECK(m.backfill(50) > 0);
        writer.join();
        CHECK(m.pending() == 0);
        CHECK(s.equal());
        CHECK(m.backfill() == 0); // nothing more to do
        m.cut_over();
        CHECK(m.new_side_leads());
        m.upsert(std::vector<record>{{"after", {1, 2, 3}, {}}});
    }
    // Which side leads is remembered.
    mirror m(s.old_store, s.new_store, {.journal = path});
    CHECK(m.new_side_leads());
    CHECK(s.equal());
    // Now the old side, which follows, may lag; it takes everything here.
    m.erase("after");
    m.go_back();
    CHECK_FALSE(m.new_side_leads());
    CHECK(s.equal());
}

TEST_CASE("shadow reads ask both sides and tell how well they agree", "[mirror]") {
    temporary_directory const dir;
    two_sides s;
    std::size_t told = 0;
    mirror m(
        s.old_store, s.new_store,
        {.journal = dir.path("journal"), .shadow_every = 2, .on_shadow = [&](shadow_read const& r) {
             ++told;
             CHECK(r.leading.size() == 5);
         }});
    m.upsert(make_records(50, 3));
    for (int i = 0; i < 10; ++i)
        CHECK(m.search(std::vector<float>{1, static_cast<float>(i), 0}, {.k = 5}).size() == 5);
    CHECK(told == 5);
    CHECK(m.shadow_reads().reads == 5);
    CHECK(m.shadow_reads().agreement > 0);
    CHECK(m.shadow_reads().agreement <= 1);
    // A side that has lost its records agrees with nothing.
    for (auto const& r : make_records(50, 3)) REQUIRE(s.new_store.try_erase(r.id));
    static_cast<void>(m.search(std::vector<float>{1, 0, 0}, {.k = 5}));
    CHECK(m.shadow_reads().agreement < 0.9);
}

TEST_CASE("a journal that was cut anywhere is read up to there, damage is refused", "[mirror]") {
    temporary_directory const dir;
    auto const path = dir.path("journal");
    {
        auto journal = detail::mirror_journal::open(path).value();
        std::string_view const a[]{"a", "bb"};
        REQUIRE(journal.announce(a));
        REQUIRE(journal.lead(1));
        REQUIRE(journal.settle(std::span(a, 1)));
    }
    auto const bytes = bytes_of(path);
    auto const first = std::size_t{12 + 1 + 5 + 6};
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
        CAPTURE(n);
        auto const cut = dir.file("cut", bytes.substr(0, n));
        auto const journal = detail::mirror_journal::open(cut).value();
        std::size_t const known = n < first ? 0 : n < bytes.size() ? 2 : 1;
        CHECK(journal.differing().size() == known);
        CHECK(journal.leading() == (n < first + 14 ? 0U : 1U));
    }
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            auto const journal = detail::mirror_journal::open(dir.file("damaged", damaged));
            // Damage in the last record can't be told from one that was cut off: the ids that it
            // settled differ a while longer.
            CAPTURE(at);
            if (at < first + 14)
                CHECK(journal.error().code() == errc::corrupt_source);
            else
                CHECK(journal.value().differing().size() == 2);
        }
}

TEST_CASE("a journal without differences begins anew when it is long", "[mirror]") {
    temporary_directory const dir;
    auto const path = dir.path("journal");
    auto journal = detail::mirror_journal::open(path).value();
    REQUIRE(journal.lead(1));
    std::string const id(10'000, 'x');
    std::string_view const name = id;
    for (int i = 0; i < 60; ++i) {
        REQUIRE(journal.announce(std::span(&name, 1)));
        REQUIRE(journal.settle(std::span(&name, 1)));
    }
    CHECK(bytes_of(path).size() < (std::size_t{1} << 20));
    CHECK(journal.leading() == 1);
    // Still locked under its own name.
    CHECK(detail::mirror_journal::open(path).error().code() == errc::locked);
}

} // namespace mirror_test
