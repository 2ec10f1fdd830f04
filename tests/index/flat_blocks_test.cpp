// SPDX-License-Identifier: MIT
// A scan by codes of which 32 slots lie in a block: how blocks fill, move and are read again.
#include "contract/index.hpp"
#include "index/damaged_columns.hpp"

#include <vicinal/codec/blocked.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/storage/file.hpp>
#include <vicinal/storage/mmap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace flat_blocks_test {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::errc;
using vicinal::storage::memory;

namespace {

using flat = index::flat<codec::rabitq<1>>;
using standing = standing_index<flat, metric::squared_l2, memory>;
using bound = standing::bound;

constexpr std::size_t dim = 70;
/// A block: 32 times 12 bytes of factors and 128 bits.
constexpr std::size_t block_bytes = 32 * (12 + 16);

std::vector<std::byte> bytes_of(standing& s, std::string const& column) {
    auto const* c = s.space()->find(column);
    auto const* first = c->reader().row(0);
    return {first, first + c->rows() * c->row_bytes()};
}
bool same_columns(standing& a, standing& b) {
    auto const same = [&](char const* name) {
        return std::ranges::equal(bytes_of(a, name), bytes_of(b, name));
    };
    return same("flat.codes") && same("flat.covered") && same("flat.frame");
}

rows part(rows const& data, std::size_t first, std::size_t count) {
    return {data.dim, {data.row(first), data.row(first) + count * data.dim}};
}

/// What is found of what is there: of k neighbours one in 500 may be missing.
template <class Index>
void check_found(Index const& index, rows const& data) {
    REQUIRE(index.covered() == data.count());
    std::size_t missed = 0;
    for (std::size_t q = 0; q < 20; ++q) {
        auto const* const query = data.row(q * data.count() / 20);
        auto const want = true_distances<metric::squared_l2>(data, query, 10);
        auto const got = index.search(query, 10, 0, index::keep_all{}).value();
        REQUIRE(got.size() == 10);
        missed += static_cast<double>(got.back().distance) > want.back() * (1 + 1e-6) ? 1U : 0U;
    }
    CHECK(missed <= 1);
}

} // namespace

TEST_CASE("flat over blocks keeps the contract of indexes in every storage and metric", "[index]") {
    SECTION("memory") {
        check_index_contract<flat, metric::inner_product, memory>();
        check_index_contract<flat, metric::cosine, memory>();
    }
    SECTION("mmap") { check_index_contract<flat, metric::squared_l2, storage::mmap>(); }
    SECTION("file") { check_index_contract<flat, metric::squared_l2, storage::file>(); }
}

TEST_CASE("rows that come in any parts give the same blocks", "[index]") {
    auto const data = clustered_rows(999, dim, 10, 1);
    standing whole(dim);
    whole.add(data);
    CHECK(bytes_of(whole, "flat.codes").size() == 32 * block_bytes);
    for (std::size_t const step : {1U, 7U, 32U, 33U, 500U}) {
        CAPTURE(step);
        standing s(dim);
        for (std::size_t at = 0; at < data.count(); at += step)
            s.add(part(data, at, std::min(step, data.count() - at)));
        CHECK(same_columns(s, whole));
    }
}

TEST_CASE("the rows before a frame are encoded in it, in the block that they share with others",
          "[index]") {
    auto const data = clustered_rows(1500, dim, 10, 2);
    standing s(dim);
    for (std::size_t at = 0; at < data.count(); at += 300) s.add(part(data, at, 300));
    CHECK(s.space()->find("flat.frame")->rows() == dim + 1);
    check_found(s.get(), data);
    // As if they had come together when the frame was chosen.
    standing together(dim);
    together.add(part(data, 0, 1200));
    together.add(part(data, 1200, 300));
    CHECK(same_columns(s, together));
}

TEST_CASE("compacted blocks have the codes of the slots that are left", "[index]") {
    auto const data = clustered_rows(1300, dim, 10, 3);
    for (std::size_t const of : {2U, 3U, 40U}) {
        CAPTURE(of);
        standing s(dim);
        s.add(data);
        std::vector<slot> kept;
        rows left{dim};
        for (slot n = 0; n < data.count(); ++n)
            if (n % of != 1) {
                kept.push_back(n);
                left.add({data.row(n), data.row(n) + dim});
            }
        s.compact(kept);
        CHECK(s.space()->find("flat.codes")->rows() == (kept.size() + 31) / 32);
        check_found(s.get(), left);
        auto const more = clustered_rows(50, dim, 10, 4);
        s.add(more);
        left.add(more.data);
        check_found(s.get(), left);
    }
    // Of no slots nothing is left.
    standing s(dim);
    s.add(data);
    s.compact({});
    CHECK(s.get().covered() == 0);
    CHECK(s.space()->find("flat.codes")->rows() == 0);
    s.add(data);
    CHECK(s.get().covered() == data.count());
}

TEST_CASE("blocks are opened with as many rows as they have codes of", "[index]") {
    auto const data = clustered_rows(1111, dim, 10, 5);
    standing s(dim);
    s.add(data);
    auto again = bound::open(*s.space(), s.vectors(), dim, {}).value();
    check_found(again, data);
    CHECK(again.all_code_bytes() == 1111 * (12 + 16));
    // Rows of the last block that are not covered are nobody's: slots that come later take them.
    auto all = data;
    auto const more = clustered_rows(40, dim, 10, 6);
    all.add(more.data);
    storage::grow(s.vectors(), all.count()).value();
    std::memcpy(s.vectors().edit(data.count()), more.data.data(), more.data.size() * sizeof(float));
    again.take_in(static_cast<slot>(all.count()), index::keep_all{}, index::no_section{}).value();
    check_found(again, all);
}

TEST_CASE("the scan of listed slots looks at their blocks once", "[index]") {
    auto const data = clustered_rows(2000, dim, 10, 7);
    standing s(dim);
    s.add(data);
    std::vector<slot> listed;
    for (slot n = 5; n < 2000; n += 3) listed.push_back(n);
    // In no order either.
    std::vector<slot> mixed = listed;
    std::ranges::sort(mixed, {}, [](slot n) { return vicinal::detail::mix(n); });
    for (auto const& slots : {listed, mixed}) {
        index::distance_counts counts;
        index::nearest best(10);
        auto const odd = [](slot n) { return n % 2 == 1; };
        s.get().scan_listed(data.row(8), slots, odd, best, index::tally(counts));
        CHECK(counts.codes == listed.size());
        CHECK(counts.vectors < 200);
        for (auto const& n : best.take()) CHECK((n.row % 3 == 2 && odd(n.row)));
    }
}

TEST_CASE("blocks that are not as many as slots say are refused", "[index]") {
    auto const refused = [](auto const& damage) {
        standing s(dim);
        s.add(clustered_rows(200, dim, 10, 8));
        damage(*s.space());
        auto const opened = bound::open(*s.space(), s.vectors(), dim, {});
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code() == errc::corrupt_snapshot);
    };
    auto const cover = [](memory::space& space, slot rows) {
        std::memcpy(space.find("flat.covered")->edit(0), &rows, sizeof rows);
    };
    refused([](memory::space& space) { space.find("flat.codes")->resize(6); });
    refused([](memory::space& space) { space.find("flat.covered")->resize(0); });
    refused([&](memory::space& space) { cover(space, 100); });
    refused([&](memory::space& space) { cover(space, 0xffffffffU); });
    // As many blocks, but more slots than there are vectors.
    refused([&](memory::space& space) { cover(space, 201); });
}

TEST_CASE("whatever blocks hold, a search ends and finds rows that there are", "[index]") {
    generator r(3);
    auto const data = clustered_rows(1100, dim, 10, 9);
    for (std::size_t i = 0; i < 30; ++i) {
        standing s(dim);
        s.add(data);
        damage(*s.space(), "flat.codes", r, 1 + i % 5, 0x7f800000U);
        for (std::size_t const k : {1U, 10U, 600U}) {
            auto const got = s.get().search(data.row(i), k, 0, index::keep_all{}).value();
            REQUIRE(got.size() == k);
            for (auto const& n : got) REQUIRE(n.row < data.count());
        }
    }
}

} // namespace flat_blocks_test
