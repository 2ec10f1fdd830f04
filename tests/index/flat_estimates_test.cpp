// SPDX-License-Identifier: MIT
// Scans by codes that say what a distance is at least: for certain (sq4), or likely (rabitq, pca).
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/codec/pca.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/sq4.hpp>
#include <vicinal/index/flat.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace flat_estimates_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using namespace vicinal_test;
using vicinal::index::flat;

namespace {

static_assert(flat<codec::sq4>::of<metric::squared_l2, storage::memory>::exact);
static_assert(!flat<codec::rabitq<1>>::of<metric::squared_l2, storage::memory>::exact);
static_assert(index::looks_at_all<flat<codec::rabitq<1>>::of<metric::cosine, storage::memory>>);
static_assert(!flat<codec::pca<16>>::of<metric::cosine, storage::memory>::exact);

template <class Metric, class Keep>
index::neighbours brute_force(rows const& data, float const* query, std::size_t k,
                              Keep const& keep) {
    index::nearest best(k);
    storage::contiguous_reader const reader(reinterpret_cast<std::byte const*>(data.data.data()),
                                            data.dim * sizeof(float));
    index::scan_exactly<Metric>(reader, 0, static_cast<slot>(data.count()), query, data.dim, keep,
                                best);
    return best.take();
}

/// How many of the neighbours of brute force are missed, over every way to search; whatever is
/// found has its exact distance.
template <class Codec, class Metric>
std::size_t missed(rows const& data, rows const& queries) {
    CAPTURE(Codec::name, Metric::name);
    standing_index<flat<Codec>, Metric, storage::memory> s(data.dim);
    s.add(data);
    REQUIRE(s.get().covered() == data.count());
    auto const third = [](slot n) { return vicinal::detail::mix(n) % 3 == 0; };
    std::vector<std::uint64_t> words(data.count() / 64 + 1);
    std::vector<slot> listed;
    for (slot n = 0; n < data.count(); ++n)
        if (vicinal::detail::mix(n) % 5 == 0) {
            words[n / 64] |= std::uint64_t{1} << n % 64;
            listed.push_back(n);
        }
    index::slot_bitmap const bits(words);
    std::size_t lost = 0;
    for (std::size_t const k : {1U, 10U, 100U}) {
        auto const together =
            s.get().search(queries.data.data(), queries.count(), k, index::keep_all{}, 2).value();
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const* const query = queries.row(q);
            auto const compare = [&](index::neighbours const& got, auto const& keep) {
                auto const want = brute_force<Metric>(data, query, k, keep);
                REQUIRE(got.size() == want.size());
                for (std::size_t i = 0; i < got.size(); ++i) {
                    REQUIRE(keep(got[i].row));
                    REQUIRE(got[i].distance ==
                            metric::exact<Metric>(query, data.row(got[i].row), data.dim));
                    lost += got[i] == want[i] ? 0U : 1U;
                }
            };
            compare(s.get().search(query, k, 0, index::keep_all{}).value(), index::keep_all{});
            compare(together[q], index::keep_all{});
            compare(s.get().search(query, k, 0, third).value(), third);
            compare(s.get().search(query, k, 0, bits).value(), bits);
            compare(s.get().search_among(query, k, listed).value(), bits);
        }
    }
    return lost;
}

/// Of the neighbours that missed() looks at one in 500 at most.
std::size_t few(rows const& queries) { return queries.count() * 5 * 111 / 500; }

template <class Codec>
void check_misses(rows const& data, rows const& queries) {
    CHECK(missed<Codec, metric::squared_l2>(data, queries) <= few(queries));
    CHECK(missed<Codec, metric::cosine>(data, queries) <= few(queries));
    CHECK(missed<Codec, metric::inner_product>(data, queries) <= few(queries));
}

} // namespace

TEST_CASE("flat over one bit an element keeps the contract of indexes", "[index]") {
    check_index_contract<flat<codec::rabitq<1>>, metric::squared_l2, storage::memory>();
    check_index_contract<flat<codec::rabitq<4>>, metric::cosine, storage::mmap>();
}

TEST_CASE("flat over half a byte an element is exact, in any metric", "[index]") {
    for (auto const& data : {clustered_rows(2500, 24, 30, 1), uniform_rows(2500, 65, 2),
                             repeated_rows(2000, 12, 40, 3)}) {
        auto const queries = uniform_rows(10, data.dim, 4);
        CHECK(missed<codec::sq4, metric::squared_l2>(data, queries) == 0);
        CHECK(missed<codec::sq4, metric::cosine>(data, queries) == 0);
        CHECK(missed<codec::sq4, metric::inner_product>(data, queries) == 0);
    }
}

TEST_CASE("flat by estimates misses few, and what it finds has its exact distance", "[index]") {
    for (auto const& data : {clustered_rows(2500, 64, 30, 1), uniform_rows(2500, 100, 2)}) {
        auto const queries = uniform_rows(10, data.dim, 4);
        check_misses<codec::rabitq<1>>(data, queries);
        check_misses<codec::rabitq<4>>(data, queries);
        CHECK(missed<codec::pca<20>, metric::squared_l2>(data, queries) == 0);
        CHECK(missed<codec::pca<20>, metric::cosine>(data, queries) == 0);
        CHECK(missed<codec::pca<20, codec::rabitq<4>>, metric::squared_l2>(data, queries) <=
              few(queries));
    }
}

TEST_CASE("flat by estimates finds the nearest of real vectors", "[index]") {
    auto const sift = load_rows("sift.base.u8bin", 3000);
    auto const sift_queries = load_rows("sift.query.u8bin", 20);
    if (!sift || !sift_queries) return;
    CHECK(missed<codec::rabitq<1>, metric::squared_l2>(*sift, *sift_queries) <= few(*sift_queries));
    CHECK(missed<codec::sq4, metric::squared_l2>(*sift, *sift_queries) == 0);
}

TEST_CASE("a scan by estimates leaves most vectors unread", "[index]") {
    auto const data = clustered_rows(4000, 128, 40, 8);
    standing_index<flat<codec::rabitq<1>>, metric::squared_l2, storage::memory> s(128);
    s.add(data);
    index::distance_counts counts;
    index::nearest best(10);
    s.get().scan(data.row(17), index::keep_all{}, best, index::tally(counts));
    CHECK(counts.codes == 4000);
    CHECK(counts.vectors <= 400);
    CHECK(best.take().front() == index::neighbour{0, 17});
}

TEST_CASE("vectors without codes are compared by a scan of estimates", "[index]") {
    auto data = clustered_rows(1500, 64, 10, 8);
    // Beyond what one bit has a code for.
    data.data[700 * 64] = 1e12F;
    data.data[800 * 64 + 3] = std::numeric_limits<float>::max();
    standing_index<flat<codec::rabitq<1>>, metric::inner_product, storage::memory> s(64);
    s.add(data);
    std::vector<float> query(64, 0.0F);
    query[0] = 1;
    CHECK(s.search(query.data(), 1).front().row == 700);
    query[3] = 1;
    CHECK(s.search(query.data(), 1).front().row == 800);
}

TEST_CASE("a scan by a codec that learns waits for its rows", "[index]") {
    auto const data = clustered_rows(2200, 32, 20, 5);
    rows const first{32, {data.data.begin(), data.data.begin() + 1999 * 32}};
    rows const rest{32, {data.data.begin() + 1999 * 32, data.data.end()}};
    standing_index<flat<codec::pca<8>>, metric::squared_l2, storage::memory> s(32);
    s.add(first);
    CHECK(s.get().covered() == 0);
    s.add(rest);
    CHECK(s.get().covered() == 2200);
    s.get().clear();
    s.vectors().resize(0);
    CHECK(s.get().covered() == 0);
    s.add(data);
    CHECK(s.search(data.row(5), 1).front() == index::neighbour{0, 5});
}

} // namespace flat_estimates_test
