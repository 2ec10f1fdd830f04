// SPDX-License-Identifier: MIT
// The ways of writing that the design promises, with the C headers in front that own names such as
// index, mmap and open. What compiles here compiles for a user.
#include <fcntl.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spelling_test {

using namespace vicinal;

namespace {

std::vector<float> embed(char const* text) {
    std::vector<float> v(384, 1.0F);
    v[0] = static_cast<float>(std::string_view(text).size());
    return v;
}

} // namespace

TEST_CASE("the first program of the design compiles and answers", "[store]") {
    vicinal_test::temporary_directory const dir;
    store<metric::cosine, index::hnsw<>, storage::mmap> docs{dir.path("docs.vicinal"),
                                                             {.dim = 384}};
    docs.upsert("readme", embed("how to install"), {{"category", "guide"}, {"year", 2024}});
    docs.upsert("one", embed(""), {{"category", "guide"}});
    docs.upsert("bare", embed(""));
    docs.upsert("nest", embed(""),
                {{"author", {{"name", "x"}, {"born", 1990}}},
                 {"tags", {"a", "b"}},
                 {"one", {"a"}},
                 {"ok", true},
                 {"pi", 3.14},
                 {"none", nullptr}});
    std::string found;
    for (auto const& hit : docs.search(embed("installation"),
                                       {.k = 10, .where = "category = 'guide' and year >= 2023"}))
        found += hit.id;
    CHECK(found == "readme");
    std::size_t const index = 3; // a user's variable of that name
    CHECK(docs.search(embed("x"), {.k = index, .recall = 0.99F}).size() == 3);
    CHECK(docs.search(embed("x"), {.k = 3, .recall = 0.99}).size() == 3);
    CHECK(docs.get("nest")->payload["tags"] == value(value::array{"a", "b"}));
}

TEST_CASE("vectors, ids and records are written in every promised way", "[store]") {
    store<metric::cosine> toy{{.dim = 3}};
    toy.upsert("a", {0, 1, 0});
    toy.upsert(std::string("b"), {0.5F, 1.5F, -2});
    toy.upsert(std::string_view("c"), std::array<float, 3>{1, 2, 3}, {{"x", 1}});
    float const plain[] = {1, 1, 1};
    toy.upsert("d", plain);
    std::vector<float> const v{1, 0, 1};
    toy.upsert("e", std::span(v));
    toy.upsert("f", {1, 2, 3}, {{"x", 1}});
    CHECK(toy.search({0, 1, 0}, {.k = 5}).size() == 5);
    CHECK(toy.search({0, 1, 0}).front().id == "a");
    CHECK(toy.search(plain).size() == 6);
    CHECK(toy.search(std::span(v), {.k = 1}).size() == 1);
    std::string ids;
    for (auto const& h : toy.try_search({0, 1, 0}).value()) ids += h.id;
    CHECK(ids.size() == 6);

    std::vector<decltype(toy)::record> rows{{"g", v, {{"x", 1}}}, {"h", {1, 2, 3}}};
    toy.upsert(rows);
    toy.upsert(std::span<decltype(toy)::record const>(rows));
    CHECK(toy.size() == 8);
    std::vector<float> m(3 * 2, 1.0F);
    CHECK(toy.search({m, 3}, {.k = 2}).size() == 2);

    store<metric::squared_l2, index::flat<>, storage::memory, payload::fields, std::uint64_t>
        numbers{{.dim = 1}};
    numbers.upsert(7, {1});
    numbers.upsert(0, {2}, {{"x", 1}});
    CHECK(numbers.get(0));
    CHECK(numbers.erase(7));
    CHECK(numbers.search({2}).front().id == 0);
}

namespace {

using toy_store = store<metric::cosine>;

template <class Id>
concept takes_id = requires(toy_store& t, Id id) {
    t.get(id);
    t.erase(id);
};
template <class Vector>
concept takes_vector = requires(toy_store& t, Vector v) {
    t.upsert("a", v);
    t.search(v);
};
template <class Batch>
concept takes_batch = requires(toy_store& t, Batch b) {
    t.upsert(b);
};
template <class Store>
concept has_checkpoint = requires(Store& s) {
    s.checkpoint();
};

/// Makes its records on the way: a batch that points into them would dangle.
struct made_on_the_way {
    struct iterator {
        using value_type = toy_store::record;
        using difference_type = std::ptrdiff_t;
        int at = 0;
        value_type operator*() const { return {std::to_string(at), {1, 2, 3}, {}}; }
        iterator& operator++() {
            ++at;
            return *this;
        }
        iterator operator++(int) { return {at++}; }
        bool operator==(iterator const&) const = default;
    };
    iterator begin() const { return {0}; }
    iterator end() const { return {3}; }
};

} // namespace

TEST_CASE("what must not be an id, a vector or a batch is none", "[store]") {
    STATIC_REQUIRE(takes_id<char const*>);
    STATIC_REQUIRE_FALSE(takes_id<int>);
    STATIC_REQUIRE_FALSE(takes_id<std::nullptr_t>);
    STATIC_REQUIRE(takes_vector<std::vector<float>>);
    STATIC_REQUIRE_FALSE(takes_vector<std::vector<double>>);
    STATIC_REQUIRE(takes_batch<std::vector<toy_store::record>>);
    STATIC_REQUIRE_FALSE(takes_batch<std::vector<toy_store::record const*>>);
    STATIC_REQUIRE_FALSE(takes_batch<made_on_the_way>);
    STATIC_REQUIRE_FALSE(has_checkpoint<toy_store>);
    STATIC_REQUIRE(has_checkpoint<store<metric::cosine, index::hnsw<>, storage::mmap>>);
}

} // namespace spelling_test
