// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/sqlite_sink.hpp>

#include <limits>
#include <string>
#include <vector>

namespace sqlite_sink_test {

using namespace vicinal;

static_assert(basic_sink<backend::sqlite_sink>);

namespace {

std::vector<record> all_of(backend::sqlite_source source) {
    std::vector<record> all;
    std::vector<record> batch;
    do {
        REQUIRE(source.read(batch, 2));
        all.insert(all.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    return all;
}

std::vector<record> const some = {
    {"a", {1e30F, -0.0F, 1e-45F}, {{"n", 1}, {"x", 0.1}, {"payload", "p"}, {"id", "other"}}},
    {"it's \"b\"", {}, {{"nothing", nullptr}, {"list", value::array{1, "two"}}}},
    {"7", {3e-30F, 5, 6}, {}},
};

} // namespace

TEST_CASE("What is written into a SQLite file reads back equal, bit for bit") {
    vicinal_test::temporary_directory const d;
    auto sink = backend::sqlite_sink::try_open(d.path("r.db"));
    REQUIRE(sink);
    CHECK(sink->count().value() == 0);
    REQUIRE(sink->begin({.dim = 3}));
    REQUIRE(sink->write(some));
    CHECK(sink->holds(some[1]).value());
    auto changed = some[0];
    changed.payload.set("n", 2);
    CHECK_FALSE(sink->holds(changed).value());
    changed.payload = some[0].payload;
    changed.vector[1] = 0.0F;
    CHECK_FALSE(sink->holds(changed).value());
    REQUIRE(sink->finish());
    CHECK(sink->count().value() == 3);
    auto const back = all_of(sink->reopen().value());
    REQUIRE(back.size() == some.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
        CHECK(back[i].id == some[i].id);
        CHECK(back[i].vector == some[i].vector);
        CHECK(back[i].payload == some[i].payload);
    }
    CHECK(std::signbit(back[0].vector[1]));
}

TEST_CASE("A SQLite file is gone on with: records are replaced and added") {
    vicinal_test::temporary_directory const d;
    auto const path = d.path("r.db");
    {
        auto sink = backend::sqlite_sink::try_open(path);
        REQUIRE(sink->begin({.dim = 3}));
        REQUIRE(sink->write(std::span(some).first(2))); // and no finish
    }
    auto sink = backend::sqlite_sink::try_open(path);
    CHECK(sink->count().value() == 2);
    REQUIRE(sink->resume({.dim = 3}));
    CHECK(sink->holds(some[0]).value());
    CHECK_FALSE(sink->holds(some[2]).value());
    auto newer = some;
    newer[0].vector = {1, 2, 3};
    REQUIRE(sink->write(newer));
    REQUIRE(sink->finish());
    auto const back = all_of(sink->reopen().value());
    REQUIRE(back.size() == 3);
    CHECK(back[0].vector == newer[0].vector);

    auto other = backend::sqlite_sink::try_open(path);
    CHECK(other->begin({.dim = 4}).error().code() == errc::dimension_mismatch);
}

TEST_CASE("A SQLite sink writes all of a batch or nothing, and says what it refuses") {
    vicinal_test::temporary_directory const d;
    auto sink = backend::sqlite_sink::try_open(d.path("r.db"));
    CHECK(sink->write(some).error().code() == errc::invalid_argument);
    REQUIRE(sink->begin({}));
    auto const refused = [&](record bad) {
        auto batch = some;
        batch.push_back(std::move(bad));
        auto const code = sink->write(batch).error().code();
        CHECK(sink->check(batch).error().code() == code);
        return code;
    };
    CHECK(refused({"", {1, 2, 3}}) == errc::empty_id);
    CHECK(refused({"\xff", {1, 2, 3}}) == errc::invalid_id);
    CHECK(refused({"x", {1, 2}}) == errc::dimension_mismatch);
    CHECK(refused({"x", {1, 2, std::numeric_limits<float>::infinity()}}) == errc::not_finite);
    CHECK(refused({"x", {}, {{"n", std::numeric_limits<double>::quiet_NaN()}}}) ==
          errc::unsupported);
    CHECK(refused({"x", {}, {{"t", "\xff"}}}) == errc::invalid_payload);
    REQUIRE(sink->finish());
    CHECK(sink->count().value() == 0);
    CHECK(backend::sqlite_sink::try_open(d.file("text", std::string(100, 'x')))
              ->begin({})
              .error()
              .code() == errc::foreign_file);
    CHECK(backend::sqlite_sink::try_open(d.path("no/r.db"))->begin({}).error().code() ==
          errc::not_found);
    CHECK(sink->losses({.metric = "cosine"}).size() == 1);
}

} // namespace sqlite_sink_test
