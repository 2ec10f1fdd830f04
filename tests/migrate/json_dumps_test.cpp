// SPDX-License-Identifier: MIT
// What servers and clients of other stores really gave, read and compared with what was put in.
#include "json_fixture.hpp"

#include <cstring>
#include <unordered_map>

#include <zlib.h>

namespace json_dumps_test {

using namespace vicinal;
using json_fixture::read_all;
using json_fixture::shared_fixture;

namespace {

std::string gunzip(std::string const& path) {
    std::string text;
    gzFile const file = gzopen(path.c_str(), "rb");
    REQUIRE(file != nullptr);
    std::vector<char> piece(1 << 20);
    for (int n = 0; (n = gzread(file, piece.data(), static_cast<unsigned>(piece.size()))) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(n));
    gzclose(file);
    return text;
}

// The collections that were sent to Chroma, as columns that get() would give: one line each.
struct sent {
    std::string name;
    std::string tenant;
    std::vector<record> records;
};

value converted(simdjson::dom::element e) {
    value v;
    REQUIRE(detail::read_value(e, v));
    return v;
}

std::vector<sent> inserted(std::string const& text) {
    simdjson::dom::parser parser;
    simdjson::dom::array collections;
    REQUIRE(parser.parse(text).get(collections) == simdjson::SUCCESS);
    std::vector<sent> all;
    for (auto const c : collections) {
        sent one;
        one.name = std::string(c["name"].get_string().value());
        one.tenant = std::string(c["T"].get_string().value()).substr(9);
        one.tenant.resize(one.tenant.find('/'));
        simdjson::dom::array const recs = c["recs"].get_array().value();
        for (auto const r : recs) {
            record out;
            out.id = std::string(r.at(0).get_string().value());
            simdjson::dom::element const body = r.at(1);
            simdjson::dom::array const floats = body["embedding"].get_array().value();
            for (auto const f : floats) out.vector.push_back(static_cast<float>(double(f)));
            if (!body["metadata"].is_null())
                out.payload = *converted(body["metadata"]).get_if<fields>();
            for (char const* name : {"document", "uri"})
                if (!body[name].is_null()) out.payload.set(name, converted(body[name]));
            one.records.push_back(std::move(out));
        }
        all.push_back(std::move(one));
    }
    return all;
}

} // namespace

TEST_CASE("rows that a Chroma server returned give what was sent to each collection") {
    auto const dir = shared_fixture("chroma");
    if (dir.empty()) return;
    json_fixture::temporary_directory const there;
    auto const file = there.file("get.jsonl", gunzip(dir + "/store-b.server-get.jsonl.gz"));
    auto const undecided = read_all(file);
    REQUIRE(!undecided);
    CHECK(undecided.error().code() == errc::invalid_argument);
    std::size_t compared = 0;
    for (auto const& c : inserted(gunzip(dir + "/store-b.inserted.json.gz"))) {
        // Under cosine the server gives normalised vectors times their lengths.
        bool const exact = c.name != "cosine_1500" && c.name != "only_vectors";
        auto const got = read_all(file, {.collection = c.name, .tenant = c.tenant});
        CAPTURE(c.name);
        if (!got) FAIL(got.error().message());
        std::unordered_map<std::string, record const*> by_id;
        for (auto const& r : *got) by_id.emplace(r.id, &r);
        REQUIRE(by_id.size() == got->size());
        REQUIRE(got->size() == c.records.size());
        for (auto const& want : c.records) {
            REQUIRE(by_id.contains(want.id));
            auto const& have = *by_id.at(want.id);
            if (exact)
                CHECK(json_fixture::same_bits(have.vector, want.vector));
            else
                CHECK(have.vector.size() == want.vector.size());
            REQUIRE(have.payload.size() == want.payload.size());
            for (auto const& [name, v] : want.payload) {
                CAPTURE(want.id, name);
                // Chroma changes doubles by a unit in the last place, and whole ones to integers.
                if (v.type() != value::kind::real)
                    CHECK((have.payload[name] == v));
                else
                    CHECK(have.payload.contains(name));
            }
            ++compared;
        }
    }
    CHECK(compared == 16'145);
}

TEST_CASE("rows that PostgreSQL wrote as JSON have their vectors in text") {
    auto const dir = shared_fixture("pgvector");
    if (dir.empty()) return;
    auto const all = read_all(dir + "/documents.rows.jsonl");
    if (!all) FAIL(all.error().message());
    REQUIRE(all->size() == 1200);
    std::size_t without = 0;
    for (auto const& r : *all) {
        CHECK((r.vector.size() == 8 || r.vector.empty()));
        without += r.vector.empty() ? 1U : 0U;
        CHECK(r.payload.size() == 4);
    }
    CHECK(without == 24);
    record const second = {"2",
                           {-0.013721562F, -0.91653526F, -0.0948958F, -0.82926536F, -0.20438185F,
                            -0.6217408F, -0.588267F, 0.5348987F},
                           {{"ext_id", "doc-1"},
                            {"content", "content 1 ünï 日本 🦀 tab\tnl\nquote\"\\"},
                            {"metadata", fields{{"f", 0.14285714285714285714},
                                                {"i", 1},
                                                {"even", false},
                                                {"tags", {"a", "1"}},
                                                {"nested", fields{{"k", nullptr}}}}},
                            {"created_at", "2024-01-02T03:04:05.678+00:00"}}};
    CHECK((*all)[1].vector == second.vector);
    CHECK((*all)[1].payload == second.payload);
    CHECK((*all)[1].id == second.id);
}

TEST_CASE("rows of LanceDB are read, floats written as doubles bit for bit") {
    auto const dir = shared_fixture("lancedb");
    if (dir.empty()) return;
    auto const all = read_all(dir + "/items.jsonl");
    if (!all) FAIL(all.error().message());
    REQUIRE(all->size() == 2970);
    for (auto const& r : *all) {
        CHECK(r.vector.size() == 32);
        CHECK(r.payload.size() == 4);
    }
    auto const& second = (*all)[1];
    CHECK(second.id == "row-1");
    CHECK(second.vector[0] == -0.024520166218280792F);
    CHECK(second.payload == fields{{"n", 1},
                                   {"ok", false},
                                   {"f", 0.3333333333333333},
                                   {"text", "text 1 ünï 日本 🦀"}});
}

} // namespace json_dumps_test
