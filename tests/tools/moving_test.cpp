// SPDX-License-Identifier: MIT
// import, export, diff, inspect, rescue, and what a migration can be told.
#include "tools/tool.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <time.h>

using namespace vicinal_test;

TEST_CASE("import, export and diff go there and back", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = vicinal.file("a.jsonl", lines_of(200, 8));
    auto const store = vicinal.path("s");
    auto r = vicinal({"import", "jsonl:" + lines, store + "?metric=cosine", "--verify"});
    CHECK(r.status == 0);
    CHECK(r.says("verified 200 records"));
    CHECK(r.says("of the source's nearest are the sink's"));
    auto const back = vicinal.path("b.jsonl");
    CHECK(vicinal({"export", store, back}).status == 0);
    r = vicinal({"diff", "jsonl:" + lines, "jsonl:" + back});
    CHECK(r.status == 0);
    CHECK(r.says("all equal"));
    CHECK(vicinal({"diff", store, "jsonl:" + back, "--json"}).says("\"ok\":true"));

    auto text = bytes_of(back);
    auto const at = text.find("\"n\":17}");
    REQUIRE(at != std::string::npos);
    text.replace(at, 6, "\"n\":18");
    text.erase(text.rfind("{\"id\""));
    auto const changed = "jsonl:" + vicinal.file("c.jsonl", text);
    r = vicinal({"diff", store, changed});
    CHECK(r.status == 2);
    CHECK(r.says("2 differ"));
    CHECK(r.says("r17: payload differs"));
    CHECK(r.says(": missing"));
    CHECK(vicinal({"diff", store, changed, "--json"}).says("\"differing\":2"));
    r = vicinal({"diff", store, changed, "--no-payloads"});
    CHECK(r.says("1 differ"));
}

TEST_CASE("records are mapped on their way, and a later run writes what is new", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = "jsonl:" + vicinal.file("a.jsonl", lines_of(100, 4));
    auto const out = vicinal.path("b.jsonl");
    auto r = vicinal({"migrate", lines, out, "--where", "n < 10", "--rename", "n=number",
                      "--id-prefix", "x/", "--verify"});
    CHECK(r.status == 0);
    CHECK(r.says("left out: 90"));
    CHECK(r.says("verified 10 records"));
    auto const text = bytes_of(out);
    CHECK(text.find("{\"id\":\"x/r3\"") != std::string::npos);
    CHECK(text.find("{\"number\":3}") != std::string::npos);
    CHECK(vicinal({"migrate", lines, out, "--rename", "n"}).complains("OLD=NEW"));
    CHECK(vicinal({"migrate", lines, out, "--where", "n <"}).complains("invalid_filter"));

    auto const bare = "jsonl:" + vicinal.file("bare.jsonl", "{\"id\":\"a\",\"vector\":[]}\n");
    auto const placed = vicinal.path("placed") + "?metric=cosine&dim=5";
    CHECK(vicinal({"migrate", bare, placed}).complains("--without-vector"));
    CHECK(vicinal({"migrate", bare, placed, "--without-vector", "placeholder"}).status == 0);
    auto const euclidean = vicinal.path("euclidean");
    r = vicinal({"migrate", "vicinal:" + vicinal.path("placed"), euclidean + "?metric=squared_l2",
                 "--strict"});
    CHECK(r.complains("distances and order will differ"));
    CHECK_FALSE(std::filesystem::exists(euclidean));

    auto const store = vicinal.path("s") + "?metric=cosine";
    REQUIRE(vicinal({"migrate", lines, store}).status == 0);
    auto const more = "jsonl:" + vicinal.file("more.jsonl", lines_of(120, 4));
    r = vicinal({"migrate", more, store, "--incremental", "--json"});
    CHECK(r.status == 0);
    CHECK(r.says("\"already_there\":100"));
    CHECK(r.says("\"written\":20"));
}

TEST_CASE("records that are refused are passed over and listed where that is wanted", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines =
        "jsonl:" + vicinal.file("a.jsonl", lines_of(20, 4) +
                                               "{\"id\":\"five\",\"vector\":[1,2,3,4,"
                                               "5]}\n" +
                                               "{\"id\":\"last\",\"vector\":[1,2,3,5]}\n");
    auto const store = vicinal.path("s") + "?metric=cosine";
    CHECK(vicinal({"migrate", lines, store}).complains("'five'"));
    auto const list = vicinal.path("errors.jsonl");
    auto const r = vicinal(
        {"migrate", lines, vicinal.path("t") + "?metric=cosine", "--errors", list, "--verify"});
    CHECK(r.status == 0);
    CHECK(r.says("passed over:"));
    CHECK(r.says("'five'"));
    CHECK(r.says("verified 21 records"));
    auto const text = bytes_of(list);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    CHECK(text.find("\"id\":\"five\"") != std::string::npos);
    CHECK(text.find("\"reason\":\"dimension_mismatch") != std::string::npos);
}

TEST_CASE("inspect says what lies at a path and how to move it", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = vicinal.file("a.jsonl", lines_of(30, 4));
    auto const store = vicinal.path("s");
    REQUIRE(vicinal({"import", "jsonl:" + lines, store + "?metric=cosine"}).status == 0);
    auto r = vicinal({"inspect", store});
    CHECK(r.status == 0);
    CHECK(r.says("a vicinal store"));
    CHECK(r.says("records      30"));
    r = vicinal({"inspect", store, "--json"});
    CHECK(r.says("\"records\":30"));
    CHECK(r.says("\"readable\":true"));
    r = vicinal({"inspect", "jsonl:" + lines});
    CHECK(r.says("vicinal import --verify"));
    r = vicinal({"inspect", vicinal.path("none")});
    CHECK(r.status == 1);
    CHECK(r.complains("not_found"));
    r = vicinal({"inspect", vicinal.file("noise", std::string(200, '\x02'))});
    CHECK(r.status == 1);
    CHECK(r.complains("foreign_file"));
}

TEST_CASE("Ctrl-C ends a migration between batches, and it is gone on with", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines = "jsonl:" + vicinal.file("a.jsonl", lines_of(4'000, 16));
    auto const store = vicinal.path("s") + "?metric=cosine";
    tool::arguments command{"migrate", lines, store, "--batch-size", "10"};
    int stopped = 0;
    for (long milliseconds = 5; milliseconds < 2'000 && stopped == 0; milliseconds *= 2) {
        std::filesystem::remove_all(vicinal.path("s"));
        auto const child = vicinal.start(command);
        ::timespec const delay{milliseconds / 1'000, milliseconds % 1'000 * 1'000'000};
        ::nanosleep(&delay, nullptr);
        ::kill(child, SIGINT);
        auto const r = vicinal.wait(child);
        // Before its handler stands it dies of the signal; a fast machine may have ended.
        if (r.status == 130) {
            ++stopped;
            CHECK(r.complains("--resume"));
        }
    }
    if (stopped == 0) return; // too fast to be stopped
    // What was begun with one source is not gone on with by another.
    auto const wrong = "jsonl:" + vicinal.file("c.jsonl", "{\"id\":\"else\",\"vector\":[1,2,3,4,5,6"
                                                          ",7,8,9,10,11,12,13,14,15,16]}\n");
    auto r = vicinal({"migrate", wrong, store, "--resume"});
    CHECK(r.status == 1);
    CHECK(r.complains("foreign_file"));
    command.push_back("--resume");
    command.push_back("--verify");
    r = vicinal(command);
    CHECK(r.status == 0);
    CHECK(r.says("verified 4,000 records"));
    CHECK_FALSE(std::filesystem::exists(vicinal.path("s.migration")));
}

TEST_CASE("rescue salvages a vicinal directory and reads around what is bad", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const lines =
        "jsonl:" +
        vicinal.file("a.jsonl", lines_of(20, 4) + "{\"id\":\"zero\",\"vector\":[0,0,0,0]}\n");
    auto const store = vicinal.path("s");
    auto r = vicinal({"rescue", lines, store + "?metric=cosine"});
    CHECK(r.status == 0);
    CHECK(r.says("'zero'"));
    r = vicinal({"rescue", store, vicinal.path("t")});
    CHECK(r.status == 0);
    CHECK(r.says("20 records"));
    CHECK(vicinal({"diff", store, vicinal.path("t")}).status == 0);
}

TEST_CASE("shells can complete every command, and the manual names every one", "[tools]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    auto const manual = vicinal({"manual"});
    CHECK(manual.status == 0);
    CHECK(manual.out.starts_with(".TH VICINAL 1"));
    for (std::string const shell : {"bash", "zsh", "fish"}) {
        auto const r = vicinal({"completion", shell});
        CHECK(r.status == 0);
        for (auto const* name : {"migrate", "import", "export", "inspect", "diff", "rescue",
                                 "search", "check", "backup"}) {
            CHECK(r.says(name));
            CHECK(manual.says(name));
        }
        CHECK(r.says("incremental"));
        // A shell that is not installed is not asked.
        auto const script = vicinal.file("script." + shell, r.out);
        if (std::system(("command -v " + shell + " > /dev/null").c_str()) == 0)
            CHECK(std::system((shell + " -n " + script).c_str()) == 0);
    }
    CHECK(vicinal({"completion", "dos"}).status >= 100);
}
