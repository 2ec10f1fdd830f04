// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/index/hnsw.hpp>
#include <vicinal/index/row_order.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/memory.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/opening.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace row_order_test {

using namespace vicinal_test;
using vicinal::slot;
using vicinal::index::hnsw;
using vicinal::index::row_order;
namespace metric = vicinal::metric;
namespace storage = vicinal::storage;

namespace {

template <class Metric = metric::squared_l2, class T>
std::vector<slot> order_of(std::vector<T> const& data, std::size_t dim, std::size_t threads = 1) {
    auto const row = [&](std::size_t i) { return data.data() + i * dim; };
    return row_order<Metric, decltype(row)>(dim, row)(data.size() / dim, threads).value();
}

bool is_permutation(std::vector<slot> order, std::size_t count) {
    std::sort(order.begin(), order.end());
    std::vector<slot> all(count);
    std::iota(all.begin(), all.end(), slot{0});
    return order == all;
}

template <class Storage>
using engine_over = vicinal::detail::engine<metric::squared_l2, hnsw<>, Storage,
                                            vicinal::payload::none, std::uint64_t>;

/// Entries 0, 1 and so on.
std::vector<vicinal::detail::prepared<std::uint64_t>> entries_of(rows const& data) {
    std::vector<vicinal::detail::prepared<std::uint64_t>> list;
    for (std::size_t i = 0; i < data.count(); ++i)
        list.push_back({i,
                        vicinal::detail::id_traits<std::uint64_t>::hash(i),
                        reinterpret_cast<std::byte const*>(data.row(i)),
                        {}});
    return list;
}

/// The id of each slot.
template <class Engine>
std::vector<slot> ids_by_slot(Engine& e) {
    return e.read([](auto const& held, auto const&) {
        std::vector<slot> ids;
        for (slot s = 0; s < held.count(); ++s) ids.push_back(static_cast<slot>(held.id(s)));
        return ids;
    });
}

std::unique_ptr<engine_over<storage::mmap>> open_at(std::string const& path) {
    vicinal::store_options<hnsw<>> o;
    o.dim = 8;
    return vicinal::detail::open_engine<engine_over<storage::mmap>, metric::squared_l2, hnsw<>,
                                        vicinal::payload::none, std::uint64_t>(path, o)
        .value();
}

} // namespace

TEST_CASE("rows are put in an order in which near ones are side by side", "[index]") {
    // Fifty clusters, dealt in turn.
    auto const data = clustered_rows(6000, 16, 50, 3);
    auto const order = order_of(data.data, 16);
    REQUIRE(is_permutation(order, 6000));
    auto const apart = [&](auto const& at) {
        double sum = 0;
        for (std::size_t i = 0; i + 1 < 6000; ++i)
            sum +=
                double{metric::exact<metric::squared_l2>(data.row(at(i)), data.row(at(i + 1)), 16)};
        return sum;
    };
    CHECK(apart([&](std::size_t i) { return order[i]; }) <
          apart([](std::size_t i) { return i; }) / 10);
}

TEST_CASE("the order of rows is the same on any number of threads", "[index]") {
    auto const data = uniform_rows(5000, 9, 4);
    auto const one = order_of(data.data, 9);
    CHECK(one == order_of(data.data, 9, 2));
    CHECK(one == order_of(data.data, 9, 7));
}

TEST_CASE("rows that can't be split are ordered in time", "[index]") {
    CHECK(order_of(std::vector<float>{}, 3).empty());
    CHECK(is_permutation(order_of(std::vector<float>(3), 3), 1));
    // All equal; and each ten times as far as the one before, so that one at a time splits off.
    CHECK(is_permutation(order_of(std::vector<float>(20000, 1.0F), 2), 10000));
    std::vector<float> line;
    for (int i = 0; i < 20000; ++i) line.push_back(std::pow(10.0F, static_cast<float>(i % 37)));
    CHECK(is_permutation(order_of(line, 1), 20000));
}

TEST_CASE("bits have an order too", "[index]") {
    generator r(5);
    std::vector<std::uint8_t> bits;
    for (int i = 0; i < 8 * 3000; ++i) bits.push_back(static_cast<std::uint8_t>(r.below(256)));
    CHECK(is_permutation(order_of<metric::hamming>(bits, 8), 3000));
}

TEST_CASE("a large load gets its slots in the index's order, a small one in the caller's",
          "[index]") {
    auto const data = clustered_rows(5000, 8, 40, 6);
    auto const list = entries_of(data);
    auto const large = engine_over<storage::memory>::open({}, 8, {}).value();
    large->upsert(list).value();
    CHECK(ids_by_slot(*large) == order_of(data.data, 8));
    large->read([&](auto const& held, auto const&) {
        auto const vectors = held.vectors().reader();
        for (slot s = 0; s < held.count(); ++s)
            if (std::memcmp(vectors.row(s), data.row(held.id(s)), 8 * sizeof(float)) != 0)
                FAIL("slot " << s << " holds another vector");
        return 0;
    });
    auto const small = engine_over<storage::memory>::open({}, 8, {}).value();
    small->upsert(std::span(list).first(4000)).value();
    auto const ids = ids_by_slot(*small);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
}

TEST_CASE("a log gives rows the slots that the load gave them", "[index]") {
    temporary_directory const dir;
    auto const data = clustered_rows(5000, 8, 40, 7);
    std::vector<slot> before;
    {
        auto const loaded = open_at(dir.path("store"));
        loaded->upsert(entries_of(data)).value();
        before = ids_by_slot(*loaded);
        std::filesystem::copy(dir.path("store"), dir.path("crashed"));
    }
    CHECK_FALSE(std::is_sorted(before.begin(), before.end()));
    auto const replayed = open_at(dir.path("crashed"));
    CHECK(replayed->read([](auto const&, auto const& graph) { return graph.covered(); }) == 0);
    CHECK(ids_by_slot(*replayed) == before);
}

} // namespace row_order_test
