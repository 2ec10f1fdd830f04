// SPDX-License-Identifier: MIT
#include <catch.hpp>

#include <vicinal/core/bits.hpp>
#include <vicinal/payload/index/slot_bitmap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace index_bitmap_test {

using namespace vicinal;
using bitmap = detail::slot_bitmap;

namespace {

using model = std::set<slot>;

struct draws {
    std::uint64_t state;
    std::uint64_t next() { return detail::mix(++state); }
    slot below(std::uint64_t n) { return static_cast<slot>(next() % n); }
};

bitmap of(model const& all) {
    bitmap b;
    for (auto const s : all) b.add(s);
    return b;
}

std::vector<slot> list(bitmap const& b) {
    std::vector<slot> out;
    b.each([&](slot s) { out.push_back(s); });
    return out;
}

std::vector<slot> list(model const& m) { return {m.begin(), m.end()}; }

std::vector<std::byte> bytes_of(model const& m) {
    std::vector<std::byte> out;
    auto const slots = list(m);
    payload::detail::append_bitmap(out, slots);
    return out;
}

/// Sparse, dense, and in runs, over some containers.
model random_set(draws& d) {
    model m;
    auto const reach = slot{200000};
    for (int part = 0; part < 3; ++part) {
        auto const from = d.below(reach);
        switch (d.below(4)) {
            case 0:
                for (int i = 0; i < 50; ++i) m.insert(d.below(reach));
                break;
            case 1:
                for (int i = 0; i < 9000; ++i) m.insert(65536 + d.below(65536));
                break;
            case 2:
                for (slot s = from; s < from + 3000; ++s) m.insert(s);
                break;
            default:
                for (slot s = from; s < from + 12000; s += 2) m.insert(s);
                break;
        }
    }
    return m;
}

void check_same(bitmap const& b, model const& m) {
    REQUIRE(b.count() == m.size());
    REQUIRE(b.empty() == m.empty());
    REQUIRE(list(b) == list(m));
    if (!m.empty()) REQUIRE(b.last() == *m.rbegin());
}

} // namespace

TEST_CASE("a set of slots holds what was added, in whatever order") {
    draws d{1};
    for (int round = 0; round < 10; ++round) {
        auto const m = random_set(d);
        check_same(of(m), m);
        std::vector<slot> order = list(m);
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[d.below(i)]);
        bitmap b;
        for (auto const s : order) b.add(s);
        check_same(b, m);
        for (auto const s : order) b.add(s);
        check_same(b, m);
        for (int i = 0; i < 1000; ++i) {
            auto const s = d.below(300000);
            REQUIRE(b.contains(s) == (m.count(s) != 0));
        }
        b.shrink();
        check_same(b, m);
        for (slot w = 0; w < 300000; w += 64) {
            std::uint64_t word = 0;
            for (auto at = m.lower_bound(w); at != m.end() && *at < w + 64; ++at)
                word |= std::uint64_t{1} << (*at - w);
            REQUIRE(b.word(w) == word);
        }
        b.add(7);
        b.add(250001);
        REQUIRE(b.contains(7));
        REQUIRE(b.contains(250001));
    }
}

TEST_CASE("sets of slots combine like sets") {
    draws d{2};
    for (int round = 0; round < 30; ++round) {
        auto const a = random_set(d);
        auto const b = random_set(d);
        for (int shrunk = 0; shrunk < 4; ++shrunk) {
            auto x = of(a);
            auto y = of(b);
            if ((shrunk & 1) != 0) x.shrink();
            if ((shrunk & 2) != 0) y.shrink();
            model both, either, rest;
            std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                                  std::inserter(both, both.end()));
            std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                           std::inserter(either, either.end()));
            std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                                std::inserter(rest, rest.end()));
            auto z = x;
            z &= y;
            check_same(z, both);
            z = x;
            z |= y;
            check_same(z, either);
            z = x;
            z -= y;
            check_same(z, rest);
        }
    }
}

TEST_CASE("a range of slots has its ends, up to the last slot") {
    for (auto const& [first, end] : {std::pair<slot, slot>{0, 0},
                                     {5, 5},
                                     {0, 1},
                                     {10, 70000},
                                     {65536, 131072},
                                     {65535, 65537},
                                     {no_slot - 3, no_slot}}) {
        auto const b = bitmap::range(first, end);
        REQUIRE(b.count() == end - first);
        if (first == end) continue;
        REQUIRE(b.contains(first));
        REQUIRE(b.last() == end - 1);
        REQUIRE(!b.contains(end));
        REQUIRE((first == 0 || !b.contains(first - 1)));
    }
}

TEST_CASE("a set of slots is made from words, and gives them back") {
    draws d{3};
    std::vector<std::uint64_t> words(3000, 0);
    for (std::size_t w = 0; w < words.size(); ++w)
        words[w] = w < 1000 ? d.next() & d.next() : w < 1500 ? ~std::uint64_t{0} : 0;
    words[2999] = 1;
    auto const b = bitmap::of_words(words, 131072);
    std::vector<std::uint64_t> back(2048 + 3000);
    detail::fill_words(b, back);
    REQUIRE(std::vector<std::uint64_t>(back.begin() + 2048, back.end()) == words);
    REQUIRE(back[2047] == 0);
}

TEST_CASE("gathered slots are a set whether they are few or many") {
    draws d{4};
    for (auto const n : {1U, 30U, 3000U, 100000U}) {
        detail::slot_gatherer g(70001, 900000, n);
        model m;
        for (unsigned i = 0; i < n; ++i) {
            auto const s = 70001 + d.below(900000 - 70001);
            m.insert(s);
            g.add(s);
        }
        check_same(g.take(), m);
    }
}

TEST_CASE("a set of slots is read from the bytes it was written to, and from nothing else") {
    draws d{5};
    for (int round = 0; round < 20; ++round) {
        auto const m = random_set(d);
        auto const bytes = bytes_of(m);
        auto const back = bitmap::read(bytes);
        REQUIRE(back);
        check_same(*back, m);
        for (int i = 0; i < 30; ++i)
            REQUIRE(!bitmap::read(std::span(bytes).first(d.below(bytes.size()))));
        auto longer = bytes;
        longer.push_back(std::byte{0});
        REQUIRE(!bitmap::read(longer));
        for (int i = 0; i < 300; ++i) {
            auto damaged = bytes;
            auto const head = (std::min)(bytes.size(), std::size_t{64});
            auto const at = i % 2 == 0 ? d.below(head) : d.below(bytes.size());
            damaged[at] ^= static_cast<std::byte>(1U << d.below(8));
            // Another set or none, but one that is whole.
            if (auto const other = bitmap::read(damaged)) {
                auto const slots = list(*other);
                REQUIRE(slots.size() == other->count());
                REQUIRE(std::is_sorted(slots.begin(), slots.end()));
            }
        }
    }
    REQUIRE(!bitmap::read({}));
}

TEST_CASE("many runs, few runs: the smallest form is written") {
    model run;
    for (slot s = 100; s < 60000; ++s) run.insert(s);
    CHECK(bytes_of(run).size() < 20);
    model scattered;
    for (slot s = 0; s < 65536; s += 20) scattered.insert(s);
    CHECK(bytes_of(scattered).size() <= 16 + 2 * scattered.size());
    model half;
    for (slot s = 0; s < 65536; s += 2) half.insert(s);
    CHECK(bytes_of(half).size() <= 16 + 8192);
}

} // namespace index_bitmap_test
