// SPDX-License-Identifier: MIT
#include "contract/store.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/storage/mmap.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace store_test {

using namespace vicinal_test;
using namespace vicinal_test::names;
using vicinal::errc;

namespace {

/// A graph from the hundredth row on, so that a contract of 150 rows meets both sides.
vicinal::index::hnsw_options small_graph() {
    vicinal::index::hnsw_options o;
    o.flat_below = 100;
    o.neighbours = 6;
    o.build_width = 40;
    return o;
}

struct largest_difference {
    static float distance(float const* a, float const* b, std::size_t dim) {
        float most = 0;
        for (std::size_t i = 0; i < dim; ++i) most = std::fmax(most, std::abs(a[i] - b[i]));
        return most;
    }
};

} // namespace

TEST_CASE("a flat store in memory keeps the contract of stores", "[store]") {
    check_store_contract<store<metric::squared_l2, flat>>({});
}

TEST_CASE("an hnsw store in memory under cosine keeps the contract of stores", "[store]") {
    check_store_contract<store<metric::cosine, hnsw>>({.index = small_graph()});
}

TEST_CASE("a store with 64-bit ids keeps the contract of stores", "[store]") {
    check_store_contract<
        store<metric::inner_product, hnsw, storage::memory, payload::fields, std::uint64_t>>(
        {.index = small_graph()});
}

TEST_CASE("a store with a metric of the user's keeps the contract of stores", "[store]") {
    check_store_contract<
        store<largest_difference, hnsw, storage::memory, payload::fields, std::uint8_t>>(
        {.index = small_graph()});
}

TEST_CASE("room for records that come changes nothing that is seen", "[store]") {
    auto const reserves = [](auto& s) {
        s.upsert("a", {1, 2});
        s.reserve(0);
        s.reserve(1);
        s.reserve(5000);
        CHECK(s.size() == 1);
        CHECK(s.get("a")->vector == std::vector<float>{1, 2});
        for (int i = 0; i < 6000; ++i) s.upsert(std::to_string(i), {static_cast<float>(i), 0.5F});
        CHECK(s.size() == 6001);
        CHECK(s.search({1, 2}, {.k = 1}).at(0).id == "a");
        CHECK(s.get("5999")->vector == std::vector<float>{5999, 0.5F});
        CHECK(s.verify().ok());
        CHECK(s.try_reserve(std::size_t{1} << 33).error().code() == errc::limit_exceeded);
        CHECK(s.size() == 6001);
    };
    store<metric::squared_l2, flat> s{{.dim = 2}};
    reserves(s);
    temporary_directory const dir;
    using durable = store<metric::squared_l2, flat, storage::mmap>;
    {
        durable d{dir.path("d"), {.dim = 2, .durability = vicinal::durability::off}};
        reserves(d);
    }
    durable reader{dir.path("d"), {.read_only = true}};
    CHECK(reader.size() == 6001);
    CHECK(reader.try_reserve(7000).error().code() == errc::read_only);
}

TEST_CASE("ids are bytes: of any kind, 1 to 65,535 of them", "[store]") {
    store<metric::squared_l2, flat> s{{.dim = 2}};
    using namespace std::string_literals;
    std::string const longest(65535, 'x');
    for (auto const& id : {"a\0b"s, "a"s, "\0"s, "\xff\xfe\x80"s, longest, " "s, "a\0c"s}) {
        s.upsert(id, {1, 2}, {{"bytes", id.size()}});
        REQUIRE(s.get(id));
        CHECK(s.get(id)->id == id);
    }
    CHECK(s.size() == 7);
    CHECK(s.erase("a\0b"s));
    CHECK(s.contains("a\0c"s));
    CHECK(s.contains("a"));
    CHECK(refused(s.try_upsert("", {1, 2})).code() == errc::empty_id);
    CHECK(refused(s.try_upsert(longest + "y", {1, 2})).code() == errc::invalid_id);
    std::vector<decltype(s)::record> batch{{"fine", {1, 2}, {}}, {"", {1, 2}, {}}};
    CHECK(refused(s.try_upsert(batch)).code() == errc::empty_id);
    CHECK_FALSE(s.contains("fine"));
    CHECK(s.size() == 6);
    // What is no id can't be found; asking is no error.
    CHECK_FALSE(s.get(""));
    CHECK_FALSE(s.erase(""));
    CHECK_FALSE(s.contains(longest + "y"));
}

TEMPLATE_TEST_CASE("integer ids of every width hold their smallest and largest", "[store]",
                   std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t) {
    store<metric::squared_l2, flat, storage::memory, payload::none, TestType> s{{.dim = 1}};
    auto const most = std::numeric_limits<TestType>::max();
    s.upsert(0, {1});
    s.upsert(most, {2});
    s.upsert(static_cast<TestType>(most - 1), {2});
    CHECK(s.size() == 3);
    CHECK(s.get(most)->id == most);
    CHECK(s.get(0)->vector == std::vector<float>{1});
    auto const hits = s.search({2}, {.k = 3});
    CHECK(hits[0].id == most - 1);
    CHECK(hits[1].id == most);
    CHECK(hits[2].id == 0);
    CHECK(s.erase(0));
    CHECK(s.size() == 2);
}

TEST_CASE("a store without payload refuses filters and keeps nothing for them", "[store]") {
    store<metric::squared_l2, hnsw, storage::memory, payload::none> s{{.dim = 2}};
    s.upsert("a", {1, 2});
    CHECK(s.search({1, 2}).size() == 1);
    std::vector<float> const q{1, 2};
    CHECK(refused(s.try_search(q, {.where = "x = 1"})).code() == errc::unsupported);
    CHECK(refused(s.try_search(q, {.where = "x = "})).code() == errc::invalid_filter);
}

TEST_CASE("a dimension that is none is refused", "[store]") {
    using tiny = store<metric::squared_l2>;
    CHECK(refused(tiny::try_open({})).code() == errc::invalid_argument);
    CHECK(refused(tiny::try_open({.dim = 65537})).code() == errc::invalid_argument);
    CHECK(tiny::try_open({.dim = 65536}));
    CHECK_THROWS_AS(tiny({.dim = 0}), vicinal::error);
    CHECK(refused(tiny::try_open({.dim = 3, .index = {.neighbours = 1}})).code() ==
          errc::invalid_argument);
}

TEST_CASE("a payload as long as a heap takes is kept, one byte more is refused", "[store]") {
    store<metric::squared_l2, flat> s{{.dim = 1}};
    s.upsert("small", {1}, {{"x", 1}});
    constexpr std::size_t longest = vicinal::detail::largest_run;
    std::string text(longest - 100, 'x');
    std::string encoded;
    payload::fields::encode({{"t", text}}, encoded).value();
    text.append(longest - encoded.size(), 'x');
    s.upsert("large", {2}, {{"t", text}});
    s.upsert("behind", {3}, {{"x", 2}});
    CHECK(*s.get("large")->payload["t"].get_if<std::string>() == text);
    CHECK(s.get("behind")->payload == vicinal::fields{{"x", 2}});
    text.push_back('x');
    CHECK(refused(s.try_upsert("large", {4}, {{"t", text}})).code() == errc::invalid_payload);
    CHECK(s.get("large")->vector == std::vector<float>{2});
    CHECK(s.get("small")->payload == vicinal::fields{{"x", 1}});
}

TEST_CASE("an id that is written again and again costs no more each time", "[store]") {
    store<metric::squared_l2, flat, storage::memory, payload::none> s{{.dim = 1}};
    s.upsert("other", {5});
    for (int i = 0; i < 60000; ++i) {
        s.upsert("counter", {static_cast<float>(i)});
        if (i % 3 == 0) s.erase("counter");
    }
    CHECK(s.size() == 2);
    CHECK(s.get("counter")->vector == std::vector<float>{59999});
}

TEST_CASE("results on temporaries do not dangle", "[store]") {
    store<metric::cosine> s{{.dim = 2}};
    s.upsert("a", {1, 2});
    std::size_t n = 0;
    for (auto const& h : s.try_search({1, 2}).value()) n += h.id.size();
    for (auto const& h : *s.try_search({1, 2})) n += h.id.size();
    for (auto const& r : s.scan()) n += r.id.size();
    CHECK(n == 3);
}

} // namespace store_test
