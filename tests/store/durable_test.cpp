// SPDX-License-Identifier: MIT
#include "contract/store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace durable_test {

using namespace vicinal_test;
using namespace vicinal_test::names;

namespace {

vicinal::index::hnsw_options small_graph() {
    vicinal::index::hnsw_options o;
    o.flat_below = 100;
    o.neighbours = 6;
    o.build_width = 40;
    return o;
}

using docs = store<metric::cosine, hnsw, storage::mmap>;

std::vector<std::string> names_in(std::string const& path) {
    std::vector<std::string> names;
    for (auto const& e : std::filesystem::directory_iterator(path))
        names.push_back(e.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("a mapped hnsw store keeps the contract of stores", "[store]") {
    check_store_contract<docs>({.index = small_graph()});
}

TEST_CASE("a mapped flat store with integer ids keeps the contract of stores", "[store]") {
    check_store_contract<
        store<metric::squared_l2, flat, storage::mmap, payload::fields, std::uint32_t>>({});
}

TEST_CASE("a checkpoint keeps everything, and the graph is not built again", "[store]") {
    test_store<docs> held({.dim = 6, .index = small_graph()});
    auto list = records<docs>(300, 6, 91);
    held->upsert(list);
    held->checkpoint();
    CHECK(held->stats().indexed_rows == 300);
    check_same(*held, list);
    auto const before = held->search(list[7].vector, {.k = 20});
    held.reopen();
    CHECK(held->stats().indexed_rows == 300);
    check_same(*held, list);
    auto const after = held->search(list[7].vector, {.k = 20});
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        CHECK(after[i].id == before[i].id);
        CHECK(after[i].distance == before[i].distance);
    }
    // Updates of frozen records, erases, and new ones, across more checkpoints.
    for (std::size_t round = 0; round < 4; ++round) {
        for (std::size_t i = round; i < list.size(); i += 5) {
            list[i].vector[0] += 1;
            held->upsert(list[i].id, list[i].vector, list[i].payload);
        }
        held->erase(list.back().id);
        list.pop_back();
        if (round % 2 == 0) held->checkpoint();
        check_same(*held, list);
        held.reopen();
        check_same(*held, list);
    }
}

TEST_CASE("a store opens without a dimension where it is there already", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    auto const none = docs::try_open(path);
    CHECK(refused(none).code() == errc::invalid_argument);
    CHECK_FALSE(std::filesystem::exists(path));
    { docs{path, {.dim = 3}}.upsert("a", {1, 2, 3}); }
    docs again{path};
    CHECK(again.dim() == 3);
    CHECK(again.contains("a"));
}

TEST_CASE("what a store is made of is in its files, and another type is told so", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    { docs{path, {.dim = 3}}.upsert("a", {1, 2, 3}, {{"x", 1}}); }
    auto const before = names_in(path);
    auto const check = [&](auto const& opened, errc code, std::string const& expected,
                           std::string const& got) {
        auto const e = refused(opened);
        CHECK(e.code() == code);
        CHECK(e.expected().find(expected) != std::string::npos);
        CHECK(e.got().find(got) != std::string::npos);
        CHECK(names_in(path) == before);
    };
    check(store<metric::squared_l2, hnsw, storage::mmap>::try_open(path, {.dim = 3}),
          errc::metric_mismatch, "squared_l2", "cosine");
    check(docs::try_open(path, {.dim = 4}), errc::dimension_mismatch, "4", "3");
    check(store<metric::cosine, flat, storage::mmap>::try_open(path, {.dim = 3}),
          errc::index_mismatch, "flat", "hnsw");
    check(store<metric::cosine, hnsw, storage::mmap, payload::none>::try_open(path, {.dim = 3}),
          errc::payload_mismatch, "none", "fields");
    check(store<metric::cosine, hnsw, storage::mmap, payload::fields, std::uint64_t>::try_open(
              path, {.dim = 3}),
          errc::id_mismatch, "u64", "string");
    docs again{path};
    CHECK(again.get("a")->payload == vicinal::fields{{"x", 1}});
}

TEST_CASE("a path that is a file or a foreign directory is refused and left alone", "[store]") {
    temporary_directory const dir;
    auto const file = dir.file("file", "not a store");
    CHECK(refused(docs::try_open(file, {.dim = 3})).code() == errc::not_a_directory);
    CHECK(std::filesystem::file_size(file) == 11);
    std::filesystem::create_directory(dir.path("foreign"));
    static_cast<void>(dir.file("foreign/notes.txt", "mine"));
    CHECK(refused(docs::try_open(dir.path("foreign"), {.dim = 3})).code() == errc::foreign_file);
    CHECK(names_in(dir.path("foreign")) == std::vector<std::string>{"notes.txt"});
}

TEST_CASE("a refused option leaves no directory behind", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    CHECK(refused(docs::try_open(path, {.dim = 70000})).code() == errc::invalid_argument);
    CHECK(refused(docs::try_open(path, {.dim = 3, .index = {.neighbours = 1}})).code() ==
          errc::invalid_argument);
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a second writer is refused; a reader sees the store and changes nothing", "[store]") {
    temporary_directory const dir;
    auto const path = dir.path("docs");
    docs writer{path, {.dim = 3}};
    writer.upsert("a", {1, 2, 3});
    CHECK(docs::try_open(path, {.dim = 3}).error().code() == errc::locked);
    docs reader{path, {.read_only = true}};
    CHECK(reader.contains("a"));
    std::vector<float> const v{1, 2, 3};
    CHECK(reader.try_upsert("b", v).error().code() == errc::read_only);
    CHECK(reader.try_erase("a").error().code() == errc::read_only);
    CHECK(reader.try_clear().error().code() == errc::read_only);
    CHECK(reader.try_checkpoint().error().code() == errc::read_only);
    CHECK(reader.size() == 1);
    writer.upsert("b", {3, 2, 1});
    CHECK(writer.size() == 2);
}

} // namespace durable_test
