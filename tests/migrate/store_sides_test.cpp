// SPDX-License-Identifier: MIT
#include "contract/sink.hpp"
#include "support/shared_fixture.hpp"
#include "support/stores.hpp"

#include <vicinal/backend/any_sink.hpp>
#include <vicinal/migrate/jsonl.hpp>
#include <vicinal/migrate/store_sides.hpp>

#include <filesystem>
#include <fstream>

namespace store_sides_test {

using namespace vicinal;
using namespace vicinal_test;

namespace {

using in_memory = store<metric::squared_l2, index::flat<>>;
using durable = store<metric::squared_l2, index::flat<>, storage::mmap>;

} // namespace

TEST_CASE("a list keeps the contract of sources", "[migrate]") {
    auto const list = make_records(40, 3);
    list_source source(list);
    check_source_contract(source, list);
    list_source none({});
    check_source_contract(none, {});
}

TEST_CASE("a store in memory keeps the contracts of both sides", "[migrate]") {
    test_store<in_memory> held({.dim = 5});
    store_sink sink(*held);
    check_sink_contract(sink);
}

TEST_CASE("what a source says it has is no promise to a store", "[migrate]") {
    auto const list = make_records(40, 5);
    for (auto const said : {std::uint64_t{0}, std::uint64_t{3}, ~std::uint64_t{0}}) {
        test_store<in_memory> held({.dim = 5});
        store_sink sink(*held);
        schema incoming;
        incoming.dim = 5;
        incoming.records = said;
        REQUIRE(sink.begin(incoming));
        REQUIRE(sink.write(list));
        CHECK(held->size() == 40);
        store_source back(*held);
        CHECK(same(read_all(back), list));
    }
}

TEST_CASE("a mapped store keeps the contracts of both sides", "[migrate]") {
    test_store<durable> held({.dim = 5});
    store_sink sink(*held);
    check_sink_contract(sink);
    held.reopen();
    CHECK(held->size() == 51);
    store_source source(*held);
    CHECK(source.describe()->description == "vicinal:" + held.path());
    CHECK(source.describe()->metric == "squared_l2");
}

TEST_CASE("JSON Lines keep the contracts of both sides", "[migrate]") {
    temporary_directory const dir;
    backend::jsonl_sink sink(dir.path("lines.jsonl"));
    check_sink_contract(sink);
    CHECK_FALSE(std::filesystem::exists(dir.path("lines.jsonl.tmp")));
}

TEST_CASE("a side keeps its contract when its type is forgotten", "[migrate]") {
    temporary_directory const dir;
    any_sink lines(backend::jsonl_sink(dir.path("lines.jsonl")));
    check_sink_contract(lines);
    test_store<durable> held({.dim = 5});
    any_sink to{store_sink<durable>(*held)};
    check_sink_contract(to);
    any_sink plain{damaging_sink([](auto&) {})};
    CHECK(plain.resume({}).error().code() == errc::unsupported);
    CHECK(plain.traits().keeps_payloads);
    CHECK(plain.count().value() == 0);
}

TEST_CASE("a durable sink is read back from its files", "[migrate]") {
    test_store<durable> held({.dim = 3});
    store_sink sink(*held);
    auto const list = make_records(10, 3);
    REQUIRE(sink.begin({}));
    REQUIRE(sink.write(list));
    REQUIRE(sink.finish());
    auto before = sink.reopen().value();
    // Another process's view: what is written later is not in it.
    REQUIRE(sink.write(make_records(12, 3, 9)));
    CHECK(same(read_all(before), list));
    // Without its files there is nothing to read, whatever the open store remembers.
    std::filesystem::rename(held.path(), held.path() + "-gone");
    CHECK(sink.reopen().error().code() == errc::not_found);
    std::filesystem::rename(held.path() + "-gone", held.path());
}

TEST_CASE("JSON Lines are resumed from what a killed run has left", "[migrate]") {
    temporary_directory const dir;
    auto const path = dir.path("lines.jsonl");
    auto const list = make_records(30, 3);
    {
        backend::jsonl_sink sink(path);
        REQUIRE(sink.begin({}));
        REQUIRE(sink.write(list));
        REQUIRE(sink.finish());
    }
    auto const whole = bytes_of(path);
    std::filesystem::remove(path);
    std::size_t lines = 0;
    for (std::size_t cut = 0; cut <= whole.size(); cut += cut < 300 ? 1 : 37) {
        CAPTURE(cut);
        std::ofstream(path + ".tmp", std::ios::binary) << whole.substr(0, cut);
        backend::jsonl_sink sink(path);
        REQUIRE(sink.resume({}));
        lines = static_cast<std::size_t>(
            std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
        std::vector<record> rest;
        for (std::size_t i = 0; i < list.size(); ++i) {
            REQUIRE(sink.holds(list[i]).value() == (i < lines));
            if (i >= lines) rest.push_back(list[i]);
        }
        REQUIRE(sink.write(rest));
        REQUIRE(sink.finish());
        REQUIRE(bytes_of(path) == whole);
        std::filesystem::remove(path);
    }
    CHECK(lines > 20);
}

TEST_CASE("what an unfinished file of JSON Lines holds is kept, blanked or cut off", "[migrate]") {
    temporary_directory const dir;
    auto const path = dir.path("lines.jsonl");
    std::string const a = "{\"id\":\"a\",\"vector\":[1],\"payload\":{}}\n";
    std::string const b = "{\"id\":\"b\",\"vector\":[2],\"payload\":{}}\n";
    std::string const newer = "{\"id\":\"a\",\"vector\":[3],\"payload\":{}}\n";
    auto const resumed = [&](std::string const& text) {
        std::ofstream(path + ".tmp", std::ios::binary) << text;
        {
            backend::jsonl_sink sink(path);
            REQUIRE(sink.resume({}));
            REQUIRE(sink.finish());
        }
        auto const out = bytes_of(path);
        std::filesystem::remove(path);
        return out;
    };
    auto const blank = std::string(a.size() - 1, ' ') + "\n";
    CHECK(resumed("").empty());
    CHECK(resumed(a + b) == a + b);
    // Killed between writing a record again and blanking the first.
    CHECK(resumed(a + b + newer) == blank + b + newer);
    // Killed in the middle of the blanking.
    auto half = a;
    half.replace(0, 12, 12, ' ');
    CHECK(resumed(half + b + newer) == blank + b + newer);
    CHECK(resumed(blank + b + newer) == blank + b + newer);
    // Zeros that a power cut has left, and rubbish.
    CHECK(resumed(a + std::string(500, '\0') + "\n" + b) == a);
    CHECK(resumed(a + "rubbish\n" + b) == a);
    CHECK(resumed(a + "{\"id\":\"b\"}\n" + b) == a);

    // One that is resumed and fails again is still there for the next.
    std::ofstream(path + ".tmp", std::ios::binary) << a;
    {
        backend::jsonl_sink sink(path);
        REQUIRE(sink.resume({}));
        backend::jsonl_sink second(path);
        CHECK(second.resume({}).error().code() == errc::locked);
    }
    CHECK(bytes_of(path + ".tmp") == a);
}

TEST_CASE("without an unfinished file, the finished one is gone on with", "[migrate]") {
    temporary_directory const dir;
    auto const path = dir.path("lines.jsonl");
    // In another form than ours: it is brought into ours, so that ids are found.
    std::ofstream(path) << "\n{ \"vector\" : [1, 2], \"id\": 7 }\n{\"id\":\"x\",\"vector\":[3,4]}";
    record const seven{"7", {1, 2}, {}};
    {
        backend::jsonl_sink sink(path);
        REQUIRE(sink.resume({}));
        CHECK(sink.holds(seven).value());
        CHECK_FALSE(sink.holds({"7", {1, 3}, {}}).value());
        REQUIRE(sink.write(std::vector<record>{{"7", {1, 3}, {}}, {"new", {5, 6}, {}}}));
        // Until it is finished the old one stands.
        backend::jsonl_source old(path);
        CHECK(read_all(old).size() == 2);
        REQUIRE(sink.finish());
    }
    backend::jsonl_source now(path);
    CHECK(same(by_id(read_all(now)), {{"7", {1, 3}, {}}, {"new", {5, 6}, {}}, {"x", {3, 4}, {}}}));

    std::ofstream(path) << "rubbish";
    backend::jsonl_sink sink(path);
    CHECK(sink.resume({}).error().code() == errc::invalid_json);
    CHECK(bytes_of(path) == "rubbish");
    CHECK_FALSE(std::filesystem::exists(path + ".tmp"));
    CHECK_FALSE(std::filesystem::exists(path + ".tmp.tmp"));

    // Where there is nothing, it is a beginning.
    backend::jsonl_sink fresh(dir.path("fresh"));
    REQUIRE(fresh.resume({}));
    REQUIRE(fresh.write(std::vector{seven}));
    REQUIRE(fresh.finish());
}

} // namespace store_sides_test
