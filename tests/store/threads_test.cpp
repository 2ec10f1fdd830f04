// SPDX-License-Identifier: MIT
// One writer and three readers on one store. Every vector ends with the sum of what is before it,
// and the payload repeats it: a record that is seen in part gives itself away.
#include "catch.hpp"
#include "support/random.hpp"
#include "support/stores.hpp"

#include <vicinal/codec/rabitq.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace threads_test {

using namespace vicinal_test;
using vicinal::store;
namespace metric = vicinal::metric;
namespace storage = vicinal::storage;

namespace {

constexpr std::size_t dim = 8;
constexpr std::size_t names = 120;

std::vector<float> summed(generator& r) {
    std::vector<float> v(dim);
    float sum = 0;
    for (std::size_t i = 0; i + 1 < dim; ++i) sum += v[i] = static_cast<float>(1 + r.below(100));
    v[dim - 1] = sum;
    return v;
}

vicinal::fields of_sum(std::string const& id, float sum) {
    return {{"id", id}, {"sum", static_cast<double>(sum)}, {"text", std::string(40, id.back())}};
}

template <class Record>
bool whole(Record const& r) {
    float sum = 0;
    for (std::size_t i = 0; i + 1 < dim; ++i) sum += r.vector[i];
    return r.vector.size() == dim && r.vector[dim - 1] == sum && r.payload == of_sum(r.id, sum);
}

template <class Store>
void write(Store& s, std::size_t rounds) {
    generator r(101);
    for (std::size_t i = 0; i < rounds; ++i) {
        auto const id = "r" + std::to_string(r.below(names));
        auto const what = r.below(100);
        if (what < 70) {
            auto const v = summed(r);
            s.upsert(id, v, of_sum(id, v.back()));
        } else if (what < 80) {
            std::vector<typename Store::record> batch;
            for (std::size_t n = 0; n < 20; ++n) {
                auto const name = "b" + std::to_string(n);
                auto const v = summed(r);
                batch.push_back({name, v, of_sum(name, v.back())});
            }
            s.upsert(batch);
        } else if (what < 98) {
            s.erase(id);
        } else if (what < 99) {
            if (r.below(4) == 0) s.clear();
            s.compact();
        } else if constexpr (Store::storage_policy::durable) {
            s.checkpoint();
        }
    }
}

/// Reads until told to stop; gives what was wrong.
template <class Store>
std::string read(Store const& s, std::atomic<bool> const& stop, std::uint64_t seed) {
    generator r(seed);
    while (!stop) {
        auto const query = summed(r);
        bool const filtered = r.below(2) == 0;
        auto const hits = s.search(
            query, {.k = 5, .where = filtered ? "sum > 300" : "", .exact = r.below(4) == 0});
        for (std::size_t i = 1; i < hits.size(); ++i)
            if (hits[i].distance < hits[i - 1].distance) return "hits out of order";
        auto const one = s.get("r" + std::to_string(r.below(names)));
        if (one && !whole(*one)) return "get saw a part of '" + one->id + "'";
        if (r.below(8) != 0) continue;
        std::string before;
        std::size_t of_batch = 0;
        for (auto const& record : s.scan()) {
            if (!whole(record)) return "scan saw a part of '" + record.id + "'";
            if (record.id <= before) return "scan out of order";
            before = record.id;
            of_batch += record.id[0] == 'b' ? 1U : 0U;
        }
        if (of_batch != 0 && of_batch != 20) return "scan saw a part of a batch";
        static_cast<void>(s.stats());
    }
    return {};
}

template <class Store>
void check_readers_beside_writer(typename Store::options options, std::size_t rounds) {
    options.dim = dim;
    test_store<Store> held(options);
    std::atomic<bool> stop{false};
    std::string wrong[3];
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < 3; ++i)
        readers.emplace_back([&, i] { wrong[i] = read(*held, stop, 200 + i); });
    write(*held, rounds);
    stop = true;
    for (auto& t : readers) t.join();
    for (auto const& w : wrong) CHECK(w == "");
}

vicinal::index::hnsw_options small_graph() {
    vicinal::index::hnsw_options o;
    o.flat_below = 50;
    o.neighbours = 4;
    o.build_width = 20;
    return o;
}

} // namespace

TEST_CASE("readers beside a writer see each record whole or not at all: flat", "[store][threads]") {
    check_readers_beside_writer<store<metric::squared_l2, vicinal::index::flat<>>>({}, 3000);
}

TEST_CASE("readers beside a writer see each record whole or not at all: blocks of codes",
          "[store][threads]") {
    using vicinal::codec::rabitq;
    check_readers_beside_writer<store<metric::squared_l2, vicinal::index::flat<rabitq<1>>>>({},
                                                                                            3000);
    check_readers_beside_writer<
        store<metric::squared_l2, vicinal::index::flat<rabitq<1>>, storage::file>>({}, 700);
}

TEST_CASE("readers beside a writer see each record whole or not at all: hnsw", "[store][threads]") {
    check_readers_beside_writer<store<metric::cosine, vicinal::index::hnsw<>>>(
        {.index = small_graph()}, 3000);
}

TEST_CASE("readers beside a writer see each record whole or not at all: mapped",
          "[store][threads]") {
    check_readers_beside_writer<store<metric::squared_l2, vicinal::index::hnsw<>, storage::mmap>>(
        {.index = small_graph()}, 1500);
}

TEST_CASE("readers beside a writer see each record whole or not at all: paged",
          "[store][threads]") {
    // A budget that leaves pages next to nothing, so that they come and go.
    check_readers_beside_writer<store<metric::squared_l2, vicinal::index::hnsw<>, storage::file>>(
        {.index = small_graph(), .cache_bytes = 1500000}, 1500);
}

TEST_CASE("several writers wait for each other", "[store][threads]") {
    store<metric::squared_l2, vicinal::index::hnsw<>> s{{.dim = dim, .index = small_graph()}};
    std::vector<std::thread> writers;
    for (std::size_t w = 0; w < 3; ++w)
        writers.emplace_back([&s, w] {
            generator r(300 + w);
            for (std::size_t i = 0; i < 100; ++i)
                s.upsert("w" + std::to_string(w) + "-" + std::to_string(i), summed(r));
        });
    for (auto& t : writers) t.join();
    CHECK(s.size() == 300);
}

TEST_CASE("get and a writer never wait for each other in a circle", "[store][threads]") {
    // A reader that enters the gate a second time, while a writer between the two waits for it to
    // leave, stands for good: the window is a hash lookup, hence the many rounds.
    store<metric::squared_l2, vicinal::index::flat<>> s{{.dim = 1}};
    s.upsert("there", {1});
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!stop)
                if (!s.get("there")) stop = true;
        });
    for (int i = 0; i < 400000 && !stop; ++i) s.upsert("other", {static_cast<float>(i)});
    CHECK_FALSE(stop);
    stop = true;
    for (auto& t : readers) t.join();
}

TEST_CASE("threads that meet at a store's first use find one store", "[store][threads]") {
    std::vector<float> const v(dim, 1);
    for (int round = 0; round < 200; ++round) {
        store<metric::squared_l2> s{{.dim = dim}};
        std::atomic<int> ready{0};
        std::atomic<std::size_t> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                ++ready;
                while (ready < 4) {
                }
                auto const id = "t" + std::to_string(t);
                if (t < 2) {
                    s.upsert(id, v);
                    if (s.search(v).empty() || !s.contains(id)) ++wrong;
                } else if (s.search(v).size() > 2 || s.stats().records > 2 || s.contains(id)) {
                    ++wrong;
                }
            });
        for (auto& t : threads) t.join();
        CHECK(wrong == 0);
        CHECK(s.size() == 2);
    }
}

} // namespace threads_test
