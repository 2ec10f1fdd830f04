// SPDX-License-Identifier: MIT
// The two-phase scan against the one brute-force routine: the same rows, the same bits, ties and
// all.
#include "contract/index.hpp"
#include "support/dataset.hpp"

#include <vicinal/index/flat.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

namespace flat_two_phase_test {

namespace metric = vicinal::metric;
namespace codec = vicinal::codec;
using vicinal::slot;
using vicinal_test::generator;
using vicinal_test::rows;
using vicinal_test::standing_index;
using coded = vicinal::index::flat<codec::sq8>;

namespace {

/// Slots of equal distance in an order that has nothing to do with theirs.
struct mixed {
    bool operator()(slot a, slot b) const noexcept {
        return vicinal::detail::mix(a) < vicinal::detail::mix(b);
    }
};

template <class Metric, class Keep, class Before = vicinal::index::by_slot>
vicinal::index::neighbours brute_force(rows const& data, float const* query, std::size_t k,
                                       Keep const& keep, Before before = {}) {
    vicinal::index::nearest best(k, before);
    vicinal::storage::contiguous_reader const reader(
        reinterpret_cast<std::byte const*>(data.data.data()), data.dim * sizeof(float));
    vicinal::index::scan_exactly<Metric>(reader, 0, static_cast<slot>(data.count()), query,
                                         data.dim, keep, best);
    return best.take();
}

/// All ways to search, for some k and filters, beside brute force.
template <class Metric>
void check_identity(std::string const& name, rows const& data, rows const& queries,
                    std::vector<std::size_t> const& ks = {1, 10, 100}) {
    standing_index<coded, Metric, vicinal::storage::memory> s(data.dim);
    s.add(data);
    REQUIRE(s.get().covered() == data.count());
    auto const every = vicinal::index::keep_all{};
    auto const third = [](slot n) { return vicinal::detail::mix(n) % 3 == 0; };
    std::vector<std::uint64_t> words(data.count() / 64 + 1);
    std::vector<slot> listed;
    for (slot n = 0; n < data.count(); ++n)
        // Blocks with many, with few and with none.
        if (n / 500 % 3 != 0 && vicinal::detail::mix(n) % (n / 500 % 3 == 1 ? 2 : 40) == 0) {
            words[n / 64] |= std::uint64_t{1} << n % 64;
            listed.push_back(n);
        }
    vicinal::index::slot_bitmap const bits(words);

    for (auto const k : ks) {
        auto const together =
            s.get().search(queries.data.data(), queries.count(), k, every, 1).value();
        auto const threaded =
            s.get().search(queries.data.data(), queries.count(), k, third, 3).value();
        for (std::size_t q = 0; q < queries.count(); ++q) {
            CAPTURE(name, metric::name_of<Metric>(), k, q);
            auto const* query = queries.row(q);
            auto const want = brute_force<Metric>(data, query, k, every);
            REQUIRE(s.search(query, k) == want);
            REQUIRE(together[q] == want);
            auto const want_third = brute_force<Metric>(data, query, k, third);
            REQUIRE(s.search(query, k, third) == want_third);
            REQUIRE(threaded[q] == want_third);
            auto const want_listed =
                brute_force<Metric>(data, query, k, [&](slot n) { return bits(n); });
            REQUIRE(brute_force<Metric>(data, query, k, bits) == want_listed);
            REQUIRE(s.search(query, k, bits) == want_listed);
            REQUIRE(s.get().search_among(query, k, listed).value() == want_listed);
            vicinal::index::nearest best(k, mixed{});
            s.get().scan(query, every, best);
            REQUIRE(best.take() == brute_force<Metric>(data, query, k, every, mixed{}));
        }
    }
}

void check_every_metric(std::string const& name, rows const& data, rows const& queries,
                        std::vector<std::size_t> const& ks = {1, 10, 100}) {
    check_identity<metric::squared_l2>(name, data, queries, ks);
    check_identity<metric::inner_product>(name, data, queries, ks);
    check_identity<metric::cosine>(name, data, queries, ks);
}

rows made(std::size_t n, std::size_t dim, std::function<float(std::size_t, std::size_t)> of) {
    rows r{dim};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < dim; ++j) r.data.push_back(of(i, j));
    return r;
}

} // namespace

TEST_CASE("two-phase flat keeps the contract of indexes in memory", "[index]") {
    vicinal_test::check_index_contract<coded, metric::squared_l2, vicinal::storage::memory>();
}
TEST_CASE("two-phase flat keeps the contract of indexes over mapped files", "[index]") {
    vicinal_test::check_index_contract<coded, metric::cosine, vicinal::storage::mmap>();
}
TEST_CASE("two-phase flat keeps the contract under inner product", "[index]") {
    vicinal_test::check_index_contract<coded, metric::inner_product, vicinal::storage::memory>();
}

TEST_CASE("the two-phase answer is brute force's on real data", "[index]") {
    struct set {
        char const* name;
        char const* base;
        char const* query;
        std::size_t most;
    };
    for (auto const& d : {set{"sift", "sift.base.u8bin", "sift.query.u8bin", 20000},
                          set{"mnist", "mnist.base.u8bin", "mnist.query.u8bin", 4000},
                          set{"words", "words.base.fbin", "words.query.fbin", 20000},
                          set{"minilm", "minilm.base.fbin", "minilm.query.fbin", 5841}}) {
        auto const base = vicinal_test::load_rows(d.base, d.most);
        auto const queries = vicinal_test::load_rows(d.query, 40);
        if (base && queries) check_every_metric(d.name, *base, *queries, {1, 10});
    }
}

TEST_CASE("the two-phase answer is brute force's on adversarial data", "[index]") {
    constexpr std::size_t n = 1500;
    generator r(71);
    for (std::size_t const dim : {1U, 7U, 100U}) {
        auto const normal = made(n, dim, [&](auto, auto) { return r.normal(); });
        auto const queries = made(9, dim, [&](auto, auto) { return r.normal(); });
        check_every_metric("normal", normal, queries);
        check_every_metric(
            "all rows equal",
            made(n, dim, [](auto, std::size_t j) { return 0.1F + static_cast<float>(j); }),
            queries);
        check_every_metric("five distinct rows", vicinal_test::repeated_rows(n, dim, 5, 4),
                           queries);
        check_every_metric(
            "queries are rows", normal,
            {dim,
             {normal.data.begin(), normal.data.begin() + static_cast<std::ptrdiff_t>(9 * dim)}});
        check_every_metric("huge norms",
                           made(n, dim, [&](auto, auto) { return 1e7F * r.normal(); }),
                           made(9, dim, [&](auto, auto) { return 1e7F * r.normal(); }));
        check_every_metric("norms that overflow",
                           made(n, dim, [&](auto, auto) { return 1e37F * r.normal(); }),
                           made(9, dim, [&](auto, auto) { return 1e37F * r.normal(); }));
        check_every_metric("denormals",
                           made(n, dim, [&](auto, auto) { return 1e-40F * r.normal(); }),
                           made(9, dim, [&](auto, auto) { return 1e-40F * r.normal(); }));
        check_every_metric("denormals beside ordinary queries",
                           made(n, dim, [&](auto, auto) { return 1e-40F * r.normal(); }), queries);
        check_every_metric("squares that underflow",
                           made(n, dim, [&](auto, auto) { return 1e-25F * r.normal(); }),
                           made(9, dim, [&](auto, auto) { return 1e-25F * r.normal(); }));
        check_every_metric("one outlier dimension",
                           made(n, dim,
                                [&](auto, std::size_t j) {
                                    return j == dim / 2 ? 1e6F + r.normal() : r.normal();
                                }),
                           queries);
        check_every_metric("a far offset",
                           made(n, dim, [&](auto, auto) { return 1000 + 0.01F * r.normal(); }),
                           made(9, dim, [&](auto, auto) { return 1000 + 0.01F * r.normal(); }));
        check_every_metric("mixed scales",
                           made(n, dim,
                                [&](std::size_t i, auto) {
                                    constexpr float size[] = {1e-30F, 1e-5F, 1, 100, 1e6F, 1e9F};
                                    return size[i % 6] * r.normal();
                                }),
                           queries);
        check_every_metric(
            "zeros between",
            made(n, dim, [&](std::size_t i, auto) { return i % 2 == 0 ? 0.0F : r.normal(); }),
            queries);
        check_every_metric("a zero query", normal, {dim, std::vector<float>(dim, 0.0F)});
        check_every_metric("nearer and nearer",
                           made(n, dim,
                                [&](std::size_t i, std::size_t j) {
                                    return queries.row(0)[j] *
                                           (1 + static_cast<float>(n - i) / static_cast<float>(n));
                                }),
                           queries);
        check_every_metric("a last bit apart",
                           made(n, dim,
                                [&](std::size_t i, std::size_t j) {
                                    auto x = queries.row(i % 9)[j];
                                    for (std::size_t step = 0; step < i % 4; ++step)
                                        x = std::nextafter(x, 10.0F);
                                    return x;
                                }),
                           queries);
        check_every_metric(
            "integers and halves",
            made(n, dim,
                 [&](std::size_t i, auto) {
                     return static_cast<float>(r.below(256)) - (i % 2 == 0 ? 0 : 0.5F);
                 }),
            made(9, dim, [&](auto, auto) { return static_cast<float>(r.below(256)); }));
    }
}

TEST_CASE("rows that are not finite, as only damage makes them, hide no other", "[index]") {
    auto data = vicinal_test::uniform_rows(1000, 20, 6);
    for (std::size_t i = 0; i < 1000; i += 7)
        data.data[i * 20 + i % 20] = i % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                                : std::numeric_limits<float>::infinity();
    check_every_metric("not finite", data, vicinal_test::uniform_rows(5, 20, 7), {10, 900});
}

TEST_CASE("two-phase flat asks a filter only about rows that could enter", "[index]") {
    auto const data = vicinal_test::uniform_rows(20000, 64, 61);
    auto const query = vicinal_test::uniform_rows(1, 64, 62);
    standing_index<coded, metric::squared_l2, vicinal::storage::memory> s(64);
    s.add(data);
    std::size_t asked = 0;
    static_cast<void>(s.search(query.row(0), 10, [&](slot) { return ++asked != 0; }));
    CHECK(asked >= 10);
    CHECK(asked < 1000);
}

TEST_CASE("many queries on more threads than there are give the same answers", "[index]") {
    auto const data = vicinal_test::clustered_rows(5000, 24, 9, 81);
    auto const queries = vicinal_test::clustered_rows(333, 24, 9, 82);
    standing_index<coded, metric::cosine, vicinal::storage::memory> s(24);
    s.add(data);
    auto const one =
        s.get().search(queries.data.data(), 333, 7, vicinal::index::keep_all{}, 1).value();
    for (std::size_t const threads : {0U, 2U, 5U, 64U}) {
        CAPTURE(threads);
        REQUIRE(s.get()
                    .search(queries.data.data(), 333, 7, vicinal::index::keep_all{}, threads)
                    .value() == one);
    }
    CHECK(s.get().search(queries.data.data(), 0, 7, vicinal::index::keep_all{}, 2).value().empty());
    auto const none =
        s.get().search(queries.data.data(), 333, 0, vicinal::index::keep_all{}, 2).value();
    for (auto const& n : none) REQUIRE(n.empty());
}

TEST_CASE("a filter that throws on a thread is heard by the caller", "[index]") {
    auto const data = vicinal_test::uniform_rows(2000, 8, 1);
    standing_index<coded, metric::squared_l2, vicinal::storage::memory> s(8);
    s.add(data);
    auto const keep = [](slot n) -> bool {
        if (n > 500) throw std::runtime_error("no");
        return true;
    };
    CHECK_THROWS_AS(s.get().search(data.data.data(), 128, 5, keep, 2), std::runtime_error);
}

TEST_CASE("codes that a damaged file would give are found by looking", "[index]") {
    auto const data = vicinal_test::uniform_rows(300, 16, 2);
    standing_index<coded, metric::squared_l2, vicinal::storage::memory> s(16);
    s.add(data);
    CHECK(s.get().unreachable(vicinal::index::keep_all{}).empty());
    auto* codes = s.space()->column("flat.codes", 16).value();
    codes->edit(123)[4] ^= std::byte{0x40};
    CHECK(s.get().unreachable(vicinal::index::keep_all{}) == std::vector<slot>{123});
}

TEST_CASE("codes without their factors do not open", "[index]") {
    vicinal::storage::memory::space space;
    auto* vectors = space.column("vectors", 16).value();
    auto* codes = space.column("flat.codes", 4).value();
    REQUIRE(vicinal::storage::grow(*vectors, 10));
    REQUIRE(vicinal::storage::grow(*codes, 10));
    using bound = coded::of<metric::squared_l2, vicinal::storage::memory>;
    auto const opened = bound::open(space, *vectors, 4, {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == vicinal::errc::corrupt_snapshot);
}

} // namespace flat_two_phase_test
