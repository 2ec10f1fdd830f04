// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/source_records.hpp"

#include <vicinal/migrate/jsonl.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace jsonl_test {

using namespace vicinal;
using vicinal_test::records_of;

static_assert(basic_source<backend::jsonl_source>);
static_assert(basic_sink<backend::jsonl_sink>);

namespace {

struct temporary {
    temporary() {
        char name[] = "/tmp/vicinal-jsonl-XXXXXX";
        directory = ::mkdtemp(name);
        path = directory + "/records.jsonl";
    }
    ~temporary() {
        std::remove(path.c_str());
        std::remove((path + ".tmp").c_str());
        ::rmdir(directory.c_str());
    }
    void write(std::string const& text) const { std::ofstream(path, std::ios::binary) << text; }
    [[nodiscard]] std::string text() const {
        std::ostringstream s;
        s << std::ifstream(path, std::ios::binary).rdbuf();
        return s.str();
    }
    std::string directory;
    std::string path;
};

result<std::vector<record>> read_text(temporary const& t, std::string const& text) {
    t.write(text);
    auto source = backend::jsonl_source::try_open(t.path);
    if (!source) return source.error();
    return records_of(*source, 3);
}

bool same(record const& a, record const& b) {
    if (a.id != b.id || a.vector.size() != b.vector.size() || a.payload != b.payload) return false;
    for (std::size_t i = 0; i < a.vector.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a.vector[i]) != std::bit_cast<std::uint32_t>(b.vector[i]))
            return false;
    return true;
}

} // namespace

TEST_CASE("records written as JSON Lines come back bit for bit", "[migrate]") {
    temporary const t;
    std::vector<record> records;
    std::uint64_t seed = 3;
    for (int i = 0; i < 2'500; ++i) {
        record r;
        r.id = i == 0 ? "é \"quoted\"\n" : "id-" + std::to_string(i);
        for (int k = 0; k < i % 70; ++k) {
            seed = detail::mix(seed);
            auto const f = std::bit_cast<float>(static_cast<std::uint32_t>(seed));
            r.vector.push_back(std::isfinite(f) ? f : -0.0F);
        }
        if (i % 3 != 0)
            r.payload = {{"n", i}, {"x", 1.0 * i}, {"t", "text\t日本"}, {"null", nullptr}};
        records.push_back(r);
    }
    backend::jsonl_sink sink(t.path);
    REQUIRE(sink.begin({}));
    REQUIRE(sink.write(std::span(records).first(1'000)));
    REQUIRE(sink.write(std::span(records).subspan(1'000)));
    CHECK(::access(t.path.c_str(), F_OK) != 0);
    REQUIRE(sink.finish());
    CHECK(::access((t.path + ".tmp").c_str(), F_OK) != 0);
    struct stat status {};
    REQUIRE(::stat(t.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);

    auto source = sink.reopen().value();
    CHECK(source.describe()->dim == 0);
    for (int round = 0; round < 2; ++round) {
        auto const back = records_of(source, round == 0 ? 1'000 : 7).value();
        REQUIRE(back.size() == records.size());
        for (std::size_t i = 0; i < back.size(); ++i) {
            CAPTURE(i);
            REQUIRE(same(back[i], records[i]));
        }
        REQUIRE(source.rewind());
    }
}

TEST_CASE("a record that is written again replaces the first one", "[migrate]") {
    temporary const t;
    backend::jsonl_sink sink(t.path);
    REQUIRE(sink.begin({}));
    record const a{"a", std::vector<float>(20'000, 0.25F), {}};
    record const b{"b", {2}, {}};
    record const again{"a", {3}, {{"again", true}}};
    REQUIRE(sink.write(std::vector{a, b}));
    REQUIRE(sink.write(std::vector{again}));
    REQUIRE(sink.finish());
    auto source = sink.reopen().value();
    auto const back = records_of(source, 10).value();
    REQUIRE(back.size() == 2);
    CHECK(same(back[0], b));
    CHECK(same(back[1], again));
}

TEST_CASE("a batch that cannot be written leaves nothing of itself", "[migrate]") {
    temporary const t;
    backend::jsonl_sink sink(t.path);
    record const good{"good", {1}, {}};
    CHECK(sink.write(std::vector{good}).error().code() == errc::invalid_argument);
    REQUIRE(sink.begin({}));
    REQUIRE(sink.write(std::vector{good}));
    auto const refused = [&](record const& r) {
        return sink.write(std::vector{record{"before", {1}, {}}, r}).error().code();
    };
    CHECK(refused({"", {1}, {}}) == errc::empty_id);
    CHECK(refused({"\xff", {1}, {}}) == errc::invalid_id);
    CHECK(refused({"x", {std::numeric_limits<float>::infinity()}, {}}) == errc::not_finite);
    CHECK(refused({"x", {1}, {{"f", HUGE_VAL}}}) == errc::unsupported);
    CHECK(refused({"x", {1}, {{"f", "\x80"}}}) == errc::invalid_payload);
    REQUIRE(sink.finish());
    CHECK(t.text() == "{\"id\":\"good\",\"vector\":[1],\"payload\":{}}\n");
}

TEST_CASE("a sink that does not finish leaves the old file as it was", "[migrate]") {
    temporary const t;
    t.write("old");
    {
        backend::jsonl_sink sink(t.path);
        REQUIRE(sink.begin({}));
        REQUIRE(sink.write(std::vector{record{"a", {1}, {}}}));
        backend::jsonl_sink second(t.path);
        CHECK(second.begin({}).error().code() == errc::locked);
    }
    CHECK(t.text() == "old");
    CHECK(::access((t.path + ".tmp").c_str(), F_OK) != 0);
    CHECK(backend::jsonl_sink(t.directory + "/none/x").begin({}).error().code() == errc::not_found);
}

TEST_CASE("JSON Lines are read in every shape that people write them", "[migrate]") {
    temporary const t;
    auto const records = read_text(t, "\xef\xbb\xbf{\"id\":\"a\",\"vector\":[1,2.5]}\r\n"
                                      "\n  \t\r\n"
                                      " {\"payload\" : {\"vector\":[1]} , \"vector\" : [ 3 , 4 ] , "
                                      "\"id\" : 18446744073709551615 } \n"
                                      "{\"vec\\u0074or\":[-0,1],\"id\":-7,\"payload\":null}")
                             .value();
    REQUIRE(records.size() == 3);
    CHECK(same(records[0], {"a", {1, 2.5F}, {}}));
    CHECK(same(records[1], {"18446744073709551615", {3, 4}, {{"vector", value{1}}}}));
    CHECK(same(records[2], {"-7", {-0.0F, 1}, {}}));
    CHECK(backend::jsonl_source(t.path).describe()->dim == 2);
    CHECK(read_text(t, "").value().empty());
    CHECK(read_text(t, "\n\n \n").value().empty());
}

TEST_CASE("an error in JSON Lines names file, line and reason", "[migrate]") {
    temporary const t;
    std::string const good = "{\"id\":\"a\",\"vector\":[1]}\n";
    struct wrong {
        char const* line;
        errc code;
        char const* reason;
    };
    for (auto const& [line, code, reason] :
         {wrong{R"({"id":"b","vector":[1],"embedding":[2]})", errc::invalid_json, "'embedding'"},
          wrong{R"({"id":"b","vector":[1],"vector":[2]})", errc::invalid_json, "'vector' twice"},
          wrong{R"({"id":"b"})", errc::invalid_json, "a 'vector'"},
          wrong{R"({"vector":[1]})", errc::invalid_json, "an 'id'"},
          wrong{R"({"id":"","vector":[1]})", errc::empty_id, "\"\""},
          wrong{R"({"id":1.5,"vector":[1]})", errc::invalid_json, "integer"},
          wrong{R"({"id":"b","vector":[1,null]})", errc::invalid_json, "element 1"},
          wrong{R"({"id":"b","vector":[1e39]})", errc::not_finite, "element 0"},
          wrong{R"({"id":"b","vector":null})", errc::invalid_json, "array"},
          wrong{R"({"id":"b","vector":[1],"payload":[]})", errc::invalid_json, "object"},
          wrong{R"({"id":"b","vector":[1],"payload":{"x":1,"x":2}})", errc::invalid_json,
                "'x' twice"},
          wrong{R"({"id":"b","vector":[1]} x)", errc::invalid_json, "well-formed"},
          wrong{R"({"id":"b" "vector":[1]})", errc::invalid_json, "well-formed"},
          wrong{R"([1])", errc::invalid_json, "object"}, wrong{"{", errc::invalid_json, "JSON"}}) {
        CAPTURE(line);
        auto const e = read_text(t, good + "\n" + line + "\n" + good).error();
        CHECK(e.code() == code);
        CHECK(e.got().find(t.path + ":3: ") == 0);
        CHECK(e.message().find(reason) != std::string::npos);
    }
    CHECK(backend::jsonl_source::try_open(t.path + "x").error().code() == errc::not_found);
    CHECK(backend::jsonl_source::try_open(t.directory).error().code() == errc::foreign_file);
    CHECK_THROWS_AS(backend::jsonl_source(t.path + "x"), error);
}

TEST_CASE("lines longer than the buffer are read, lines over 64 MiB refused", "[migrate]") {
    temporary const t;
    std::string const text(std::size_t{5} << 20, 'x');
    auto const line = R"({"id":"a","vector":[1],"payload":{"t":")" + text + "\"}}\n";
    auto const records = read_text(t, line + line + line).value();
    REQUIRE(records.size() == 3);
    CHECK(*records[2].payload["t"].get_if<std::string>() == text);
    {
        std::ofstream out(t.path, std::ios::binary);
        for (int i = 0; i < 13; ++i) out << text;
    }
    backend::jsonl_source source(t.path);
    CHECK(records_of(source, 1).error().code() == errc::limit_exceeded);
}

TEST_CASE("a line that is no record is told and passed over where that is asked for") {
    temporary const t;
    t.write("{\"id\":\"a\",\"vector\":[1]}\n{\"id\":\"b\",\"vector\":[1e99]}\nno JSON\n"
            "{\"id\":\"c\",\"vector\":[2]}\n");
    auto source = backend::jsonl_source::try_open(t.path);
    REQUIRE(source);
    CHECK(!records_of(*source, 10));
    REQUIRE(source->rewind());
    std::vector<bad_record> bad;
    source->pass_over([&](bad_record const& b) { bad.push_back(b); });
    auto const all = records_of(*source, 1);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK((*all)[1].id == "c");
    REQUIRE(bad.size() == 2);
    CHECK(bad[0].place == t.path + ":2");
    CHECK(bad[0].id == "b");
    CHECK(bad[0].reason.code() == errc::not_finite);
    CHECK(bad[1].place == t.path + ":3");
}

} // namespace jsonl_test
