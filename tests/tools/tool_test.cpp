// SPDX-License-Identifier: MIT
#include "tools/tool.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <sstream>

using namespace vicinal_test;

namespace {

std::string words() {
    auto const here = std::string("examples/data/chroma-words");
    if (std::filesystem::exists(here)) return here;
    WARN("SKIPPED: no " << here << " in the working directory");
    return {};
}

/// The lines of a text in order, without blank ones.
std::vector<std::string> sorted_lines(std::string const& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (line.find_first_not_of(' ') != std::string::npos) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::string largest_snapshot(std::string const& store) {
    std::string found;
    for (auto const& e : std::filesystem::directory_iterator(store))
        if (e.path().extension() == ".vic") found = e.path().string();
    return found;
}

void flip(std::string const& path, std::uint64_t at) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    auto const byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x10));
    REQUIRE(file);
}

} // namespace

TEST_CASE("a store of inverted lists is made, told of and searched", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = "jsonl:" + vicinal.file("a.jsonl", lines_of(2500, 8));
    for (std::string const codec : {"sq8", "rabitq1"}) {
        CAPTURE(codec);
        auto const store = vicinal.path(codec);
        auto r = vicinal({"import", lines,
                          store + "?index=ivf&metric=cosine&num_partitions=20&codec=" + codec,
                          "--verify"});
        CHECK(r.status == 0);
        CHECK(r.says("verified 2,500 records"));
        r = vicinal({"info", store});
        CHECK(r.says("index        ivf"));
        CHECK(r.says("codec        " + codec));
        // Twenty, and a few that were large enough to be split.
        CHECK(r.says("lists        2"));
        CHECK(r.says(", drift 1.0"));
        r = vicinal({"search", store, "--like", "r17", "-k", "1", "--nprobe", "20"});
        CHECK(r.status == 0);
        CHECK(r.says("\tr"));
        CHECK(vicinal({"check", store}).status == 0);
    }
    auto const r = vicinal({"import", lines, vicinal.path("n") + "?metric=cosine&codec=pq8x8"});
    CHECK(r.complains("one of the store types of this program"));
}

TEST_CASE("the words go from Chroma to a store, to JSON Lines and back", "[tools]") {
    auto const program = tool_path();
    auto const from = words();
    if (program.empty() || from.empty()) return;
    tool const vicinal(program);
    auto const store = vicinal.path("words.vicinal");
    auto r = vicinal({"migrate", "chroma:" + from, "vicinal:" + store, "--verify"});
    CHECK(r.status == 0);
    CHECK(r.says("5,999 records in "));
    CHECK(r.says("verified 5,999 records in "));
    CHECK(r.says("all equal"));
    // No terminal: whole lines, no carriage return and no escape.
    CHECK(r.err.starts_with("copying   "));
    CHECK(r.err.ends_with("\n"));
    CHECK(r.complains("copying   5,999 of 5,999, 100 %"));
    CHECK(r.complains("verifying "));
    CHECK(r.err.find_first_of("\r\033") == std::string::npos);
    CHECK(r.out.find_first_of("\r\033") == std::string::npos);

    r = vicinal({"info", store});
    CHECK(r.status == 0);
    CHECK(r.says("metric       cosine"));
    CHECK(r.says("index        hnsw"));
    CHECK(r.says("dim          100"));
    CHECK(r.says("records      5,999"));
    CHECK(r.says("5,999 indexed"));
    r = vicinal({"info", "chroma:" + from});
    CHECK(r.status == 0);
    CHECK(r.says("5,999 records"));

    // Distance, id, payload; the word itself is nearest to itself.
    r = vicinal({"search", store, "--like", "mountain", "-k", "5"});
    CHECK(r.status == 0);
    CHECK(sorted_lines(r.out).size() == 5);
    CHECK(r.out.find("\tmountain\t{") < r.out.find('\n'));
    auto const exact = vicinal({"search", store, "--like", "mountain", "-k", "5", "--exact"});
    CHECK(exact.status == 0);
    CHECK(sorted_lines(exact.out).size() == 5);
    auto const few = vicinal(
        {"search", store, "--like", "mountain", "-k", "3", "--where", "length = 4", "--exact"});
    CHECK(few.status == 0);
    CHECK(sorted_lines(few.out).size() == 3);
    for (auto const& line : sorted_lines(few.out))
        CHECK(line.find("\"length\":4") != std::string::npos);

    auto const count = vicinal({"count", store, "--where", "length = 4"});
    CHECK(count.status == 0);
    CHECK(vicinal({"count", store}).out == "5999\n");
    r = vicinal({"select", store, "--where", "length = 4", "--order-by", "length", "--limit", "7"});
    CHECK(r.status == 0);
    auto const selected = sorted_lines(r.out);
    CHECK(selected.size() == 7);
    CHECK(r.complains("more: --after a."));
    auto const next = r.err.substr(r.err.find("a."), r.err.find('\n') - r.err.find("a."));
    r = vicinal({"select", store, "--where", "length = 4", "--order-by", "length", "--limit",
                 "100000", "--after", next});
    CHECK(r.status == 0);
    CHECK(std::to_string(sorted_lines(r.out).size() + 7) + "\n" == count.out);
    r = vicinal({"facets", store, "length", "--where", "length = 4"});
    CHECK(r.out == count.out.substr(0, count.out.size() - 1) + "\t{\"length\":4}\n");

    r = vicinal({"check", store});
    CHECK(r.status == 0);
    CHECK(r.says("sound: 5,999 records in 5,999 rows, 5,999 of them indexed"));

    auto const lines = vicinal.path("words.jsonl");
    r = vicinal({"migrate", store, "jsonl:" + lines, "--verify=every", "--batch-size", "777"});
    CHECK(r.status == 0);
    auto const again = vicinal.path("again.vicinal");
    r = vicinal({"migrate", "--verify", lines, "vicinal:" + again + "?metric=cosine&index=flat"});
    CHECK(r.status == 0);
    CHECK(r.says("all equal"));
    auto const lines_again = vicinal.path("again.jsonl");
    r = vicinal({"migrate", again, lines_again});
    CHECK(r.status == 0);
    CHECK(sorted_lines(bytes_of(lines)) == sorted_lines(bytes_of(lines_again)));
    CHECK(vicinal({"search", again, "--like", "mountain", "-k", "5"}).out == exact.out);
}

TEST_CASE("a progress bar is drawn over itself in a terminal", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const from = vicinal.file("a.jsonl", lines_of(3'000, 16));
    auto const store = vicinal.path("s");
    auto r = vicinal.in_terminal({"migrate", from, store + "?metric=cosine", "--verify"}, 120);
    CHECK(r.status == 0);
    CHECK(r.says("\rcopying   "));
    CHECK(r.says("\033[K"));
    CHECK(r.says("3,000 records"));
    r = vicinal.in_terminal({"migrate", store, vicinal.path("b.jsonl"), "--verify"}, 120);
    CHECK(r.status == 0);
    CHECK(r.says("\rcopying   [##############################] 3,000 of 3,000, 100 %"));
    CHECK(r.says("\rverifying [##############################] 6,000 of 6,000, 100 %"));
    CHECK(r.says("a second\033[K\r\n"));
    // Narrow ones: a line that does not fit could not be drawn over.
    for (unsigned short const width : std::initializer_list<unsigned short>{1, 20, 60}) {
        CAPTURE(width);
        r = vicinal.in_terminal({"migrate", store, vicinal.path("b.jsonl"), "--verify"}, width);
        CHECK(r.status == 0);
        CHECK(r.says("#") == (width == 60));
        for (std::size_t at = 0; (at = r.out.find("\r", at)) != std::string::npos; ++at) {
            auto const end = r.out.find("\033[K", at);
            if (r.out[at + 1] != '\n' && end != std::string::npos) CHECK(end - at <= width);
        }
    }
    // An error has a line of its own behind the bar.
    auto const bad = vicinal.file("bad.jsonl", lines_of(2'000, 16) + "rubbish\n");
    r = vicinal.in_terminal({"migrate", bad, vicinal.path("t") + "?metric=cosine"}, 120);
    CHECK(r.status == 1);
    CHECK(r.says("\nvicinal: invalid_json"));
    CHECK(r.says("bad.jsonl:2001: "));
}

TEST_CASE("what can't be done is told on standard error, with a status of its own", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = vicinal.file("a.jsonl", lines_of(20, 4));
    auto const store = vicinal.path("s");
    auto const fails = [&](tool::arguments const& a, int status, std::string const& text) {
        auto const r = vicinal(a);
        CAPTURE(a, r.out, r.err);
        CHECK(r.status == status);
        CHECK(r.complains(text));
    };
    // The command line.
    fails({}, 106, "subcommand");
    CHECK(vicinal({"fly"}).status >= 100);
    CHECK(vicinal({"migrate", lines}).status >= 100);
    CHECK(vicinal({"migrate", lines, store, "--batch-size", "0"}).status >= 100);
    CHECK(vicinal({"migrate", lines, store, "--verify=most"}).status >= 100);
    CHECK(vicinal({"search", store}).status >= 100);
    CHECK(vicinal({"search", store, "--like", "a", "--vector", "1"}).status >= 100);
    CHECK(vicinal({"search", store, "--like", "a", "-k", "-1"}).status >= 100);
    auto const help = vicinal({"--help"});
    CHECK(help.status == 0);
    for (auto const* word : {"migrate", "info", "search", "check", "Exit status"})
        CHECK(help.says(word));
    CHECK(vicinal({"--version"}).status == 0);

    // Sources and sinks.
    fails({"migrate", "jsonl:" + vicinal.path("none"), store}, 1, "not_found");
    fails({"migrate", "chroma:" + vicinal.path("none"), store}, 1, "not_found");
    fails({"migrate", "teleport:x", store}, 1, "a scheme of arrow, ");
    fails({"migrate", lines, store}, 1, "metric=squared_l2, inner_product or cosine");
    fails({"migrate", lines, store + "?metric=angle"}, 1, "cosine hnsw");
    fails({"migrate", lines, store + "?metrik=cosine"}, 1, "'metrik'");
    fails({"migrate", lines, "jsonl:" + vicinal.path("no/such/dir")}, 1, "not_found");
    CHECK_FALSE(std::filesystem::exists(store));
    fails({"info", store}, 1, "not_found");
    fails({"search", store, "--like", "a"}, 1, "not_found");
    fails({"check", store}, 1, "not_found");
    fails({"check", vicinal.file("file", "x")}, 1, "foreign_file");
    std::filesystem::create_directory(vicinal.path("foreign"));
    static_cast<void>(vicinal.file("foreign/x", "x"));
    fails({"info", vicinal.path("foreign")}, 1, "foreign_file");

    REQUIRE(vicinal({"migrate", lines, store + "?metric=cosine"}).status == 0);
    fails({"migrate", lines, store + "?metric=squared_l2"}, 1, "metric_mismatch");
    fails({"migrate", lines, store + "?index=flat"}, 1, "index_mismatch");
    fails({"migrate", lines, store + "?dim=5"}, 1, "dimension_mismatch");
    fails({"migrate", vicinal.file("b.jsonl", lines_of(2, 5)), store}, 1, "dimension_mismatch");
    fails({"search", store, "--like", "nobody"}, 1, "'nobody'");
    fails({"search", store, "--vector", "[1, 2]"}, 1, "dimension_mismatch");
    fails({"search", store, "--vector", "[1, two, 3, 4]"}, 1, "'two");
    fails({"search", store, "--vector", "1 2 3 1e99"}, 1, "not_finite");
    fails({"search", store, "--like", "r1", "--where", "n >"}, 1, "invalid_filter");
    CHECK(vicinal({"search", store, "--vector", "[1, 2, 3, 4]", "-k", "0"}).out.empty());
    CHECK(sorted_lines(vicinal({"search", store, "--vector", "1 2,3\t4", "-k", "99"}).out).size() ==
          20);
}

TEST_CASE("--dry-run makes nothing and finds what would be refused", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = vicinal.file("a.jsonl", lines_of(20, 4));
    auto const store = vicinal.path("s");
    auto r = vicinal({"migrate", lines, store + "?metric=cosine", "--dry-run"});
    CHECK(r.status == 0);
    CHECK(r.says("20 records"));
    CHECK(r.says("nothing was written: --dry-run"));
    CHECK_FALSE(std::filesystem::exists(store));
    r = vicinal({"migrate", lines, vicinal.path("out.jsonl"), "--dry-run"});
    CHECK(r.status == 0);
    CHECK_FALSE(std::filesystem::exists(vicinal.path("out.jsonl")));
    CHECK_FALSE(std::filesystem::exists(vicinal.path("out.jsonl.tmp")));
    auto const zero = vicinal.file("z.jsonl", "{\"id\":\"z\",\"vector\":[0,0,0,0]}\n");
    r = vicinal({"migrate", zero, store + "?metric=cosine", "--dry-run"});
    CHECK(r.status == 1);
    CHECK(r.complains("zero_vector"));
    CHECK(r.complains("'z'"));
    CHECK_FALSE(std::filesystem::exists(store));
}

TEST_CASE("check names the place of damage", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = vicinal.file("a.jsonl", lines_of(500, 8));
    auto const store = vicinal.path("s");
    REQUIRE(vicinal({"migrate", lines, store + "?metric=cosine"}).status == 0);
    REQUIRE(vicinal({"check", store}).status == 0);
    auto const snapshot = largest_snapshot(store);
    auto const bytes = std::filesystem::file_size(snapshot);
    // One byte of each part of the file, and back.
    for (std::uint64_t at = 40; at < bytes; at += bytes / 9) {
        CAPTURE(at, bytes);
        flip(snapshot, at);
        auto const r = vicinal({"check", store});
        CHECK(r.status == 2);
        CHECK(r.says("damaged: corrupt_snapshot"));
        CHECK(r.says(snapshot));
        CHECK(r.err.empty());
        flip(snapshot, at);
    }
    CHECK(vicinal({"check", store}).status == 0);
    std::string log;
    for (auto const& e : std::filesystem::directory_iterator(store))
        if (e.path().extension() == ".vlog") log = e.path().string();
    REQUIRE_FALSE(log.empty());
    flip(log, std::filesystem::file_size(log) - 20);
    auto const r = vicinal({"check", store});
    CHECK(r.status == 2);
    CHECK(r.says("damaged: corrupt_log"));
    CHECK(r.says(log));
}

TEST_CASE("what stands in records cannot command the terminal", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    // Escape, carriage return, DEL and the one-byte CSI, as ids, names and texts.
    auto const lines =
        vicinal.file("a.jsonl", "{\"id\":\"\\u001b[2Jx\\r\\ny\",\"vector\":[1,2],\"payload\":"
                                "{\"\\u009b2J\":\"\\u001b]0;t\\u0007\\u007f\\u009b\"}}\n"
                                "{\"id\":\"plain \xc3\xa9 \\\\\",\"vector\":[1,3]}\n");
    auto const store = vicinal.path("s");
    REQUIRE(vicinal({"migrate", lines, store + "?metric=cosine"}).status == 0);
    auto const clean = [](std::string const& text) {
        for (auto const c : text)
            if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
                return false;
        return text.find("\xc2\x9b") == std::string::npos;
    };
    auto r = vicinal({"search", store, "--vector", "1 2"});
    CHECK(r.status == 0);
    CHECK(clean(r.out));
    CHECK(sorted_lines(r.out).size() == 2);
    CHECK(r.says("\t\\u001b[2Jx\\u000d\\u000ay\t"));
    CHECK(r.says("{\"\\u009b2J\":\"\\u001b]0;t\\u0007\\u007f\\u009b\"}"));
    CHECK(r.says("\tplain \xc3\xa9 \\\t"));
    auto const bad = vicinal.file("b.jsonl", "{\"id\":\"\\u001b[2J\\u009b\",\"vector\":[0,0]}\n");
    r = vicinal({"migrate", bad, store});
    CHECK(r.status == 1);
    CHECK(clean(r.err));
    CHECK(r.complains("\\u001b[2J\\u009b"));
    r = vicinal({"search", store, "--like", "\033[2J\x9b"});
    CHECK(r.status == 1);
    CHECK(clean(r.err));
    CHECK(r.complains("\\u001b[2J\\x9b"));
}

TEST_CASE("a budget of memory is answered with a store's type", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto r = vicinal({"tune", "--rows", "1000000", "--dim", "384", "--memory", "4G"});
    CHECK(r.status == 0);
    CHECK(r.out.find("store<..., index::hnsw<codec::sq8>, storage::memory>") == 0);
    r = vicinal({"tune", "--rows", "1000000", "--dim", "384", "--memory", "400M", "--recall", "0.9",
                 "--codes-alone"});
    CHECK(r.out.find("store<..., index::hnsw<codec::sq4>, storage::mmap>") == 0);
    r = vicinal({"tune", "--rows", "1000000", "--dim", "384", "--memory", "1M"});
    CHECK(r.status == 1);
    CHECK(r.complains("limit_exceeded"));
}

TEST_CASE("a filter of one system is printed as another writes it", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto r = vicinal({"filter", "--from", "chroma", "--to", "pinecone",
                      R"({"$and":[{"year":{"$gte":2023}},{"draft":{"$ne":true}}]})"});
    CHECK(r.status == 0);
    CHECK(r.out == R"({"$and":[{"year":{"$gte":2023}},{"draft":{"$ne":true}}]})"
                   "\n");
    r = vicinal({"filter", "--from", "qdrant",
                 R"({"must_not":[{"key":"city","match":{"value":"London"}}]})"});
    CHECK(r.out == "(any city = 'London') is not true\n");
    r = vicinal({"filter", "--to", "chroma", "year = 2023 and document contains 'tea'"});
    CHECK(r.out == R"({"year":{"$eq":2023}})"
                   "\n"
                   R"({"$contains":"tea"})"
                   "\n");
    r = vicinal({"filter", "--to", "chroma", "year is null"});
    CHECK(r.status == 1);
    CHECK(r.out.empty());
    CHECK(r.complains("got year is null"));
    CHECK(vicinal({"filter", "--from", "milvus", "x"}).status >= 100);
}
