// SPDX-License-Identifier: MIT
// Stores whose payload is the user's own struct.
#include "catch.hpp"
#include "payload/note.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/any_store.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/migrate/migrate.hpp>
#include <vicinal/payload/record.hpp>
#include <vicinal/payload/where.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <string>
#include <vector>

namespace record_store_test {

using namespace vicinal;
using testing::note;

namespace {

using notes = store<metric::cosine, index::flat<>, storage::mmap, payload::record<note>>;
using loose = store<metric::cosine, index::flat<>, storage::mmap>;

note note_of(int i) {
    testing::dice d(static_cast<std::uint64_t>(i));
    auto n = testing::random_note(d);
    n.year = 2000 + i % 30;
    n.tags = {i % 3 == 0 ? "ml" : "c++"};
    n.title = "note " + std::to_string(i);
    n.by = {"Ada", i};
    return n;
}

std::vector<float> vector_of(int i) { return {1.0F, static_cast<float>(i)}; }

template <class Store>
void fill(Store& s, int count) {
    for (int i = 0; i < count; ++i) s.upsert("n" + std::to_string(i), vector_of(i), note_of(i));
}

} // namespace

TEST_CASE("a durable store of structs gives them back and filters on their members", "[store]") {
    vicinal_test::temporary_directory const where_kept;
    auto const path = where_kept.path("notes");
    auto const wanted = where<&note::year>() >= 2020 && where<&note::tags>().contains("ml");
    std::size_t matching = 0;
    for (int i = 0; i < 90; ++i) matching += note_of(i).year >= 2020 && i % 3 == 0 ? 1U : 0U;
    {
        notes s{path, {.dim = 2}};
        fill(s, 90);
        s.create_index("year", field_index::ordered);
        CHECK(s.search(vector_of(1), {.k = 100, .where = wanted}).size() == matching);
    }
    notes s{path, {.dim = 2}};
    for (int i = 0; i < 90; ++i) REQUIRE(s.get("n" + std::to_string(i))->payload == note_of(i));
    CHECK(s.search(vector_of(1), {.k = 100, .where = wanted}).size() == matching);
    CHECK(s.search(vector_of(1), {.k = 100, .where = where_of<note, "by.name = 'Ada'">}).size() ==
          90);
    CHECK(s.count(wanted) == matching);
    CHECK(s.update_payload("n0", note_of(7)));
    CHECK(s.get("n0")->payload == note_of(7));
    CHECK(s.verify().ok());

    note wrong;
    wrong.title = "\xff";
    auto const refused = s.try_upsert("n1", vector_of(1), wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find("'title' for 'n1'") != std::string::npos);
    CHECK(s.get("n1")->payload == note_of(1));
}

TEST_CASE("fields that are merged into a struct are its members", "[store]") {
    using plain = store<metric::cosine, index::flat<>, storage::memory, payload::record<note>>;
    plain s{{.dim = 2}};
    fill(s, 3);
    auto expected = note_of(1);
    expected.year = 1815;
    expected.score = std::nullopt;
    expected.by.name = "Lovelace";
    expected.by.born = std::nullopt;
    CHECK(s.merge_payload(
        "n1", {{"year", 1815}, {"score", nullptr}, {"by", fields{{"name", "Lovelace"}}}}));
    CHECK(s.get("n1")->payload == expected);
    CHECK(s.count("year = 1815") == 1);
    CHECK_FALSE(s.merge_payload("nobody", {{"year", 1}}));

    std::vector<std::string> const some{"n0", "nobody", "n2", "n0"};
    CHECK(s.merge_payload(some, {{"title", "the same"}}) == 2);
    CHECK(s.count("title = 'the same'") == 2);

    // What is no member, or no value of one, changes nothing.
    for (auto const& wrong :
         {fields{{"yaer", 1}}, fields{{"year", "1815"}}, fields{{"title", nullptr}},
          fields{{"small", 1000}}, fields{{"by", fields{{"born", 1815}}}}}) {
        auto const refused = s.try_merge_payload("n1", wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::invalid_payload);
    }
    CHECK(s.get("n1")->payload == expected);
}

TEST_CASE("a store of structs is a store of fields, and back where they fit", "[store]") {
    vicinal_test::temporary_directory const where_kept;
    auto const path = where_kept.path("notes");
    {
        notes s{path, {.dim = 2}};
        fill(s, 5);
    }
    {
        loose s{path, {.dim = 2}};
        CHECK(s.get("n3")->payload["year"] == value(2003));
        auto changed = s.get("n3")->payload;
        changed.set("year", 1999);
        s.upsert("n3", vector_of(3), changed);
        changed.set("year", "long ago");
        s.upsert("n4", vector_of(4), changed);
    }
    notes s{path, {.dim = 2}};
    CHECK(s.get("n3")->payload.year == 1999);
    auto const misfit = s.try_get("n4");
    REQUIRE_FALSE(misfit);
    CHECK(misfit.error().message().find("for member 'year', got a text") != std::string::npos);
}

TEST_CASE("structs migrate to fields and fields to structs", "[store]") {
    store<metric::cosine, index::flat<>, storage::memory, payload::record<note>> from{{.dim = 2}};
    store<metric::cosine, index::flat<>> between{{.dim = 2}};
    store<metric::cosine, index::flat<>, storage::memory, payload::record<note>> to{{.dim = 2}};
    fill(from, 60);
    auto const out = migrate(from, between, {.verify = verify::every_record});
    CHECK(out.losses.empty());
    CHECK(between.get("n7")->payload["title"] == value("note 7"));
    CHECK(between.search(vector_of(0), {.k = 99, .where = where<"tags contains 'ml'">}).size() ==
          20);
    migrate(between, to, {.verify = verify::every_record});
    for (int i = 0; i < 60; ++i) REQUIRE(to.get("n" + std::to_string(i))->payload == note_of(i));

    between.upsert("n7", vector_of(7), {{"year", 5}});
    auto const refused = try_migrate(between, to, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find("'a table', got none for 'n7'") != std::string::npos);

    any_store any(std::move(from));
    CHECK(any.get("n8")->payload["by"] == value({{"name", "Ada"}, {"born", 8}}));
}

} // namespace record_store_test
