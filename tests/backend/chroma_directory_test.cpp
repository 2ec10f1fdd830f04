// SPDX-License-Identifier: MIT
#include "chroma_fixture.hpp"

#include <vicinal/backend/chroma_directory.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace chroma_directory_test {

using namespace vicinal;
using namespace chroma_fixture;
using backend::chroma_directory;

static_assert(basic_source<chroma_directory>);

namespace {

struct counted {
    char const* tenant;
    char const* database;
    char const* name;
    std::size_t dim;
    char const* metric;
    std::size_t records;
};

constexpr counted store_b[] = {
    {"default_tenant", "default_database", "small_l2", 8, "squared_l2", 24},
    {"default_tenant", "default_database", "cosine_1500", 16, "cosine", 1493},
    {"default_tenant", "default_database", "ip_12345", 24, "inner_product", 12'407},
    {"default_tenant", "default_database", "l2_custom", 12, "squared_l2", 1234},
    {"default_tenant", "default_database", "empty", 0, "cosine", 0},
    {"default_tenant", "default_database", "all_deleted", 6, "squared_l2", 0},
    {"default_tenant", "default_database", "legacy_meta_space", 4, "inner_product", 30},
    {"default_tenant", "default_database", "defaults", 3, "squared_l2", 20},
    {"default_tenant", "default_database", "special_meta", 3, "squared_l2", 12},
    {"default_tenant", "default_database", "restart_me", 10, "squared_l2", 797},
    {"default_tenant", "second_db", "only_vectors", 7, "cosine", 130},
    {"tenant_two", "db_zwei", "small_l2", 5, "squared_l2", 10}};

std::vector<record> collection(std::string const& path, counted const& c) {
    chroma_directory source(path, c.name, {.tenant = c.tenant, .database = c.database});
    return records_of(source).value();
}

bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
    return true;
}

// Chroma's answers pass a JSON parser that is one unit off for some doubles.
bool nearly(value const& a, value const& b) {
    auto const* x = a.get_if<double>();
    auto const* y = b.get_if<double>();
    if (x == nullptr || y == nullptr) return a == b;
    return std::abs(*x - *y) <= 5e-16 * std::abs(*x);
}

bool nearly(fields const& a, fields const& b) {
    if (a.size() != b.size()) return false;
    for (auto const& [name, v] : a)
        if (!b.contains(name) || !nearly(v, b[name])) return false;
    return true;
}

// What the server said of a record, as a record of ours.
record expected(std::string id, simdjson::dom::element element) {
    record r;
    r.id = std::move(id);
    value all;
    detail::read_value(element, all).value();
    auto const& f = *all.get_if<fields>();
    for (auto const& x : *f["embedding"].get_if<value::array>()) {
        auto const* d = x.get_if<double>();
        r.vector.push_back(
            static_cast<float>(d != nullptr ? *d : static_cast<double>(*x.get_if<std::int64_t>())));
    }
    if (auto const* metadata = f["metadata"].get_if<fields>()) r.payload = *metadata;
    for (char const* name : {"document", "uri"})
        if (!f[name].is_null()) r.payload.set(name, f[name]);
    return r;
}

using collections = std::map<std::string, std::map<std::string, record>>;

#if VICINAL_TESTS_ZLIB
collections server_answers(std::string const& path) {
    collections all;
    std::map<std::string, record>* current = nullptr;
    auto const text = gunzip(path);
    detail::json_parser parser;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = text.find('\n', at);
        auto const root = parser.parse(std::string_view(text).substr(at, end - at)).value();
        at = end + 1;
        simdjson::dom::element part;
        auto const word = [&](char const* name) {
            return std::string(root[name].get_string().value_unsafe());
        };
        if (root["collection"]["name"].get(part) == simdjson::SUCCESS)
            current = &all[word("tenant") + "/" + word("database") + "/" +
                           std::string(part.get_string().value_unsafe())];
        else
            current->emplace(word("id"), expected(word("id"), root));
    }
    return all;
}

collections inserted_records(std::string const& path) {
    collections all;
    auto const text = gunzip(path);
    detail::json_parser parser;
    simdjson::dom::array const list = parser.parse(text)->get_array().value_unsafe();
    for (auto const c : list) {
        // "/tenants/T/databases/D"
        auto const where = std::string(c["T"].get_string().value_unsafe());
        auto const middle = where.find("/databases/");
        auto& records = all[where.substr(9, middle - 9) + "/" + where.substr(middle + 11) + "/" +
                            std::string(c["name"].get_string().value_unsafe())];
        simdjson::dom::array const rows = c["recs"].get_array().value_unsafe();
        for (auto const row : rows) {
            std::string const id(row.at(0).get_string().value_unsafe());
            records.emplace(id, expected(id, row.at(1).value_unsafe()));
        }
    }
    return all;
}
#endif

} // namespace

TEST_CASE("every collection of a Chroma directory is found with its records", "[backend]") {
    for (char const* name : {"chroma/store-b", "chroma/store-b-pypickle"}) {
        auto const path = shared_fixture(name);
        if (path.empty()) return;
        CAPTURE(name);
        CHECK(chroma_directory::list(path)->size() == 12);
        std::size_t total = 0;
        for (auto const& c : store_b) {
            CAPTURE(c.tenant, c.database, c.name);
            chroma_directory source(path, c.name, {.tenant = c.tenant, .database = c.database});
            auto const described = source.describe().value();
            CHECK(described.dim == c.dim);
            CHECK(described.metric == c.metric);
            CHECK(described.records == c.records);
            auto const all = records_of(source).value();
            REQUIRE(all.size() == c.records);
            total += all.size();
            for (std::size_t i = 0; i < all.size(); ++i) {
                REQUIRE(all[i].vector.size() == c.dim);
                if (i > 0) REQUIRE(all[i - 1].id < all[i].id);
            }
        }
        CHECK(total == 16'157);
    }
}

#if VICINAL_TESTS_ZLIB
TEST_CASE("records equal what the Chroma server answers, vectors what was inserted", "[backend]") {
    auto const answers = shared_fixture("chroma/store-b.server-get.jsonl.gz");
    auto const inserts = shared_fixture("chroma/store-b.inserted.json.gz");
    if (answers.empty() || inserts.empty()) return;
    auto const server = server_answers(answers);
    auto const inserted = inserted_records(inserts);
    CHECK(server.size() == 12);
    for (char const* name : {"chroma/store-b", "chroma/store-b-pypickle"}) {
        auto const path = shared_fixture(name);
        if (path.empty()) return;
        for (auto const& c : store_b) {
            auto const key = std::string(c.tenant) + "/" + c.database + "/" + c.name;
            CAPTURE(name, key);
            auto const mine = collection(path, c);
            auto const& theirs = server.at(key);
            REQUIRE(mine.size() == theirs.size());
            bool const cosine = c.metric == std::string("cosine");
            std::size_t scaled = 0;
            for (auto const& r : mine) {
                CAPTURE(r.id);
                auto const& s = theirs.at(r.id);
                if (c.name != std::string("special_meta")) REQUIRE(nearly(r.payload, s.payload));
                // By value: of -0.0 the server's answer keeps no sign.
                if (!cosine) REQUIRE(r.vector == s.vector);
                if (inserted.count(key) == 0) continue;
                auto const& i = inserted.at(key).at(r.id);
                if (c.name != std::string("special_meta")) REQUIRE(nearly(r.payload, i.payload));
                if (same_bits(r.vector, i.vector)) continue;
                // Only what was persisted under cosine may differ, and then as the server has it.
                REQUIRE(cosine);
                REQUIRE(same_bits(r.vector, s.vector));
                ++scaled;
            }
            if (c.name == std::string("cosine_1500")) {
                CHECK(scaled > 0);
                CHECK(scaled <= 995);
            }
            if (c.name == std::string("only_vectors")) CHECK(scaled == 0);
        }
    }
}
#endif

TEST_CASE("metadata of every type that Chroma has become fields", "[backend]") {
    auto const path = shared_fixture("chroma/store-b");
    if (path.empty()) return;
    std::map<std::string, fields> got;
    for (auto& r : read_all(path, "special_meta").value()) got[r.id] = r.payload;
    CHECK(got.at("arr_s") == fields{{"tags", value{"a", "b", "ü"}}});
    CHECK(got.at("arr_i") == fields{{"nums", value{1, 2, 3}}});
    CHECK(got.at("arr_f") == fields{{"fs", value{1.5, 2.5}}});
    CHECK(got.at("arr_b") == fields{{"bs", value{true, false}}});
    CHECK(got.at("arr_empty").empty());
    CHECK(got.at("float_int") == fields{{"w", 1e300}, {"v", 2.0}, {"u", 0.0}});
    CHECK(got.at("i64") == fields{{"min", INT64_MIN}, {"max", INT64_MAX}});
    CHECK(got.at("u64") == fields{{"over", 9.223372036854776e18}});
    CHECK(got.at("reserved") == fields{{"document", "x"}});
    auto const edge = read_all(path, "special_meta").value();
    for (auto const& r : edge)
        if (r.id == "f32edge") CHECK(same_bits(r.vector, {1e-45F, 3.4028235e+38F, -0.0F}));
}

TEST_CASE("only what Chroma itself had rounded is a loss, and said with its number", "[backend]") {
    auto const path = shared_fixture("chroma/store-b");
    if (path.empty()) return;
    auto const losses = [&](char const* name) {
        return chroma_directory(path, name, {.tenant = "default_tenant"}).describe()->losses;
    };
    CHECK(losses("ip_12345").empty());
    CHECK(losses("small_l2").empty());
    CHECK(losses("only_vectors").empty());
    CHECK(
        losses("cosine_1500") ==
        std::vector<std::string>{"995 vectors that Chroma had persisted under cosine are Chroma's "
                                 "own (normalised and scaled back), not bit for bit the ones "
                                 "inserted"});
}

TEST_CASE("directories of every Chroma since 0.4 are read", "[backend]") {
    struct wild {
        char const* name;
        char const* collection;
        std::size_t records;
        std::size_t dim;
    };
    for (auto const& w :
         {wild{"chroma-wild/01-schema-1-1-3", "", 35, 384},
          wild{"chroma-wild/02-schema-1-3-4", "", 5, 384},
          wild{"chroma-wild/03-schema-1-3-5", "", 20, 384},
          wild{"chroma-wild/04-schema-1-3-6", "", 165, 1536},
          wild{"chroma-wild/05-schema-2-4-9", "", 20, 384},
          wild{"chroma-wild/06-schema-2-5-9", "embeddings", 8, 384},
          wild{"chroma-wild/06-schema-2-5-9", "dishes", 1, 384},
          wild{"chroma-wild/07-schema-2-5-10", "", 55, 384},
          wild{"chroma-wild/08-schema-2-6-10", "", 97, 384},
          wild{"chroma-wild/09-schema-1-3-3-empty", "", 0, 0},
          wild{"chroma/store-killed", "", 59, 3}, wild{"chroma-words", "words", 5999, 100}}) {
        CAPTURE(w.name);
        auto const path = shared_fixture(w.name);
        if (path.empty()) return;
        chroma_directory source(path, w.collection);
        CHECK(source.describe()->dim == w.dim);
        auto const all = records_of(source).value();
        CHECK(all.size() == w.records);
        for (auto const& r : all) {
            CHECK(r.vector.size() == w.dim);
            CHECK_FALSE(r.payload.contains("chroma:document"));
        }
        // Again, in batches of another size: the same in the same order.
        REQUIRE(source.rewind());
        auto const again = records_of(source, 7).value();
        REQUIRE(again.size() == all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(again[i].id == all[i].id);
            CHECK(same_bits(again[i].vector, all[i].vector));
            CHECK(again[i].payload == all[i].payload);
        }
    }
}

TEST_CASE("the words of the example come with vector and payload", "[backend]") {
    auto const path = shared_fixture("chroma-words");
    if (path.empty()) return;
    chroma_directory source(path);
    CHECK(source.describe()->metric == "cosine");
    for (auto const& r : records_of(source).value()) {
        CAPTURE(r.id);
        REQUIRE(r.payload["rank"].get_if<std::int64_t>() != nullptr);
        REQUIRE(r.payload["common"].get_if<bool>() != nullptr);
    }
}

TEST_CASE("what is no readable Chroma directory is refused in words", "[backend]") {
    auto const refused = [](std::string const& path, std::string const& name = {}) {
        auto source = chroma_directory::try_open(path, name);
        REQUIRE_FALSE(source);
        return source.error();
    };
    CHECK(refused("/nowhere/at/all").code() == errc::not_found);
    copy const empty{std::string{}};
    CHECK(refused(empty.path()).code() == errc::foreign_file);
    spill(empty.path() + "/chroma.sqlite3", "not a database, but long enough to be looked at");
    CHECK(refused(empty.path()).code() == errc::foreign_file);
    spill(empty.path() + "/chroma.sqlite3", "");
    CHECK(refused(empty.path()).code() == errc::foreign_file);
    fs::remove(empty.path() + "/chroma.sqlite3");
    empty.sql("create table t(x)");
    CHECK(refused(empty.path()).code() == errc::foreign_file);

    auto const path = shared_fixture("chroma/store-b");
    if (path.empty()) return;
    auto const missing = refused(path, "nothing");
    CHECK(missing.code() == errc::not_found);
    CHECK(missing.message().find("tenant_two/db_zwei/small_l2") != std::string::npos);
    auto const ambiguous = refused(path, "small_l2");
    CHECK(ambiguous.code() == errc::invalid_argument);
    CHECK(ambiguous.expected().find("default_tenant/default_database/small_l2, "
                                    "tenant_two/db_zwei/small_l2") != std::string::npos);
    CHECK(refused(path).code() == errc::invalid_argument);
    CHECK_THROWS_AS(chroma_directory(path, "nothing"), error);
    CHECK(chroma_directory(path, "", {.tenant = "tenant_two"}).describe()->records == 10U);

    auto const old = shared_fixture("chroma-wild/chroma-0.3-duckdb");
    if (old.empty()) return;
    CHECK(refused(old).code() == errc::unsupported);
    CHECK(refused(old).message().find("chroma-migrate") != std::string::npos);
}

TEST_CASE("records and vectors that lack each other are left out and counted", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    auto const ids = read_all(path).value();
    c.sql("delete from embeddings where embedding_id in ('" + ids[0].id + "','" + ids[1].id + "')");
    c.sql("delete from embeddings_queue where id = '" + ids[5].id + "'");
    chroma_directory source(c.path());
    CHECK(records_of(source)->size() == 56);
    CHECK(source.describe()->records == 56U);
    CHECK(source.describe()->losses ==
          std::vector<std::string>{"1 record has no vector in the directory and cannot be read",
                                   "2 vectors have no record in the directory and cannot be read"});
}

TEST_CASE("a metadata field called document keeps its name", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    c.sql("insert or replace into embedding_metadata(id, key, string_value) "
          "select id, 'chroma:document', 'Chroma''s' from embeddings limit 2;"
          "insert into embedding_metadata(id, key, int_value) "
          "select id, 'document', 7 from embeddings limit 1");
    chroma_directory source(c.path());
    auto const losses = source.describe()->losses;
    REQUIRE(losses.size() == 1);
    CHECK(losses[0] ==
          "1 record has a metadata field named 'document': Chroma's own document is in "
          "the field 'chroma:document' there");
    int both = 0;
    for (auto const& r : records_of(source).value())
        if (r.payload.contains("chroma:document")) {
            ++both;
            CHECK(r.payload["document"] == value(7));
            CHECK(r.payload["chroma:document"] == value("Chroma's"));
        }
    CHECK(both == 1);
}

TEST_CASE("operations that only the log has are applied to records too", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    auto const before = read_all(path).value();
    // The table of records falls back behind the log, as when Chroma is killed between the two.
    c.sql("insert into embeddings_queue(operation, topic, id, vector, encoding, metadata) "
          "select 0, topic, 'new', x'0000803f0000004000004040', 'FLOAT32', "
          "'{\"chroma:document\":\"text\",\"n\":1,\"gone\":2}' from embeddings_queue limit 1;"
          "insert into embeddings_queue(operation, topic, id, metadata) "
          "select 1, topic, 'new', '{\"gone\":null,\"n\":2.5}' from embeddings_queue limit 1;"
          "insert into embeddings_queue(operation, topic, id, vector, encoding) "
          "select 0, topic, 'new', x'000000000000000000000000', 'FLOAT32' from embeddings_queue "
          "limit 1;"
          "insert into embeddings_queue(operation, topic, id, vector, encoding) "
          "select 1, topic, 'never', x'000000000000000000000000', 'FLOAT32' from embeddings_queue "
          "limit 1;"
          "insert into embeddings_queue(operation, topic, id) "
          "select 3, topic, '" +
          before[0].id + "' from embeddings_queue limit 1");
    auto const after = read_all(c.path()).value();
    REQUIRE(after.size() == before.size());
    bool found = false;
    for (auto const& r : after) {
        CHECK(r.id != before[0].id);
        CHECK(r.id != "never");
        if (r.id != "new") continue;
        found = true;
        CHECK(r.vector == std::vector<float>{1, 2, 3});
        CHECK(r.payload == fields{{"document", "text"}, {"n", 2.5}});
    }
    CHECK(found);
}

TEST_CASE("a damaged index is an error unless the log still has every vector", "[backend]") {
    auto const path = shared_fixture("chroma-words");
    if (path.empty()) return;
    auto const segment = [](std::string const& directory) {
        for (auto const& e : fs::directory_iterator(directory))
            if (e.is_directory()) return e.path().string();
        return std::string{};
    };
    for (char const* file :
         {"index_metadata.pickle", "header.bin", "data_level0.bin", "length.bin"}) {
        CAPTURE(file);
        copy const c(path);
        auto const name = segment(c.path()) + "/" + file;
        auto const bytes = bytes_of(name);
        spill(name, bytes.substr(0, bytes.size() - 1 - bytes.size() / 3));
        auto const cut = read_all(c.path());
        // data_level0.bin has room for rows to come behind those that count.
        if (cut) {
            CHECK(cut->size() == 5999);
        } else {
            CHECK(cut.error().code() == errc::corrupt_source);
        }
        spill(name, std::string(bytes.size(), '\x5a'));
        auto const garbage = read_all(c.path());
        if (!garbage) CHECK(garbage.error().code() == errc::corrupt_source);
    }
    copy const c(path);
    fs::remove(segment(c.path()) + "/data_level0.bin");
    chroma_directory source(c.path());
    auto const losses = source.describe()->losses;
    REQUIRE_FALSE(losses.empty());
    CHECK(losses[0].find("data_level0.bin") != std::string::npos);

    auto const killed = shared_fixture("chroma/store-killed");
    if (killed.empty()) return;
    copy const k(killed);
    spill(segment(k.path()) + "/index_metadata.pickle", "cut off");
    chroma_directory from_log(k.path());
    CHECK(records_of(from_log)->size() == 59);
    CHECK(from_log.describe()->losses.size() == 1);
}

TEST_CASE("a segment id that leads out of the directory is refused", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    c.sql("update segments set id = '../../etc' where scope = 'VECTOR'");
    CHECK(read_all(c.path()).error().code() == errc::corrupt_source);
}

TEST_CASE("a view in place of a table is not read", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    c.sql("alter table embeddings rename to real; create view embeddings as select * from real");
    CHECK(read_all(c.path()).error().code() == errc::foreign_file);
}

TEST_CASE("a database in WAL mode is read and left as it is", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    c.sql("pragma journal_mode = wal");
    auto const bytes = bytes_of(c.path() + "/chroma.sqlite3");
    CHECK(read_all(c.path())->size() == 59);
    CHECK_FALSE(fs::exists(c.path() + "/chroma.sqlite3-wal"));
    CHECK_FALSE(fs::exists(c.path() + "/chroma.sqlite3-shm"));
    CHECK(bytes_of(c.path() + "/chroma.sqlite3") == bytes);

    // With a log that has not been brought in: what is in it counts.
    sqlite3* writer = nullptr;
    REQUIRE(sqlite3_open((c.path() + "/chroma.sqlite3").c_str(), &writer) == SQLITE_OK);
    REQUIRE(sqlite3_exec(writer,
                         "delete from embeddings where id = (select min(id) from embeddings)",
                         nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(read_all(c.path())->size() == 58);
    sqlite3_close(writer);
}

TEST_CASE("reading changes nothing in the directory", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    std::map<std::string, std::string> before;
    for (auto const& e : fs::recursive_directory_iterator(c.path()))
        if (e.is_regular_file()) before[e.path().string()] = bytes_of(e.path().string());
    REQUIRE(read_all(c.path()));
    std::map<std::string, std::string> after;
    for (auto const& e : fs::recursive_directory_iterator(c.path()))
        if (e.is_regular_file()) after[e.path().string()] = bytes_of(e.path().string());
    CHECK(after == before);
}

TEST_CASE("a database with wrong bytes gives records or an error, never a crash", "[backend]") {
    auto const path = shared_fixture("chroma/store-killed");
    if (path.empty()) return;
    copy const c(path);
    auto const file = c.path() + "/chroma.sqlite3";
    auto const bytes = bytes_of(file);
    std::uint64_t seed = 5;
    int refused = 0;
    for (int round = 0; round < 200; ++round) {
        auto damaged = bytes;
        for (int i = 0; i < 20; ++i) {
            seed = detail::mix(seed);
            damaged[seed % damaged.size()] = static_cast<char>(seed >> 56);
        }
        if (round % 10 == 0) damaged.resize(seed % damaged.size());
        spill(file, damaged);
        CAPTURE(round, seed);
        if (!read_all(c.path())) ++refused;
        REQUIRE((chroma_directory::list(c.path()) || true));
    }
    CHECK(refused > 0);
}

} // namespace chroma_directory_test
