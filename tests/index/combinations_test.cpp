// SPDX-License-Identifier: MIT
// Which codecs go with which index. What does not is in tests/compile_fail, each with its sentence.
#include "contract/index.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace combinations_test {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::index::decoded_vectors;
using vicinal::index::flat;
using vicinal::index::hnsw;
using vicinal::index::ivf;

namespace {

template <class... Index>
constexpr bool fit = (vicinal::index::model<Index> && ...);
template <class... Codec>
constexpr bool stand_alone =
    (codec::decodable<typename codec::only<Codec>::template of<metric::cosine>> && ...);

// Exact by the vectors, or by codes and their bound; exact but for few by what codes say is likely.
static_assert(
    fit<flat<codec::f32>, flat<codec::f16>, flat<codec::bf16>, flat<codec::sq8>, flat<codec::sq4>,
        flat<codec::rabitq<1>>, flat<codec::rabitq<4>>, flat<codec::pca<16>>>);
// Every codec under a graph.
static_assert(
    fit<hnsw<codec::f32>, hnsw<codec::f16>, hnsw<codec::bf16>, hnsw<codec::sq8>, hnsw<codec::sq4>,
        hnsw<codec::rabitq<1>>, hnsw<codec::rabitq<8>>, hnsw<codec::pq<8, 8>>,
        hnsw<codec::pq<8, 4>>, hnsw<codec::binary>, hnsw<codec::i8>, hnsw<codec::pca<16>>,
        hnsw<codec::pca<16, codec::rabitq<4>>>, hnsw<codec::rabitq_about<5>>>);
// One bit an element in the records of a graph; lists.
static_assert(fit<hnsw<codec::rabitq<1>, vicinal::layout::fused>, ivf<codec::f32>, ivf<codec::sq8>,
                  ivf<codec::rabitq<4>>, ivf<codec::pq<8, 8>>, vicinal::index::ivf_pq<8, 4>,
                  ivf<codec::i8>, ivf<codec::pca<16>>, ivf<codec::rabitq_about<5>>>);
// All that can be decoded may stand alone; a graph is linked by those of four bits and more.
static_assert(stand_alone<codec::f16, codec::bf16, codec::sq8, codec::i8, codec::sq4,
                          codec::rabitq<1>, codec::rabitq<8>, codec::rabitq_about<5>,
                          codec::pq<8, 8>, codec::pq<8, 4>, codec::binary>);
static_assert(
    fit<hnsw<codec::only<codec::i8>>, hnsw<codec::only<codec::f16>>, hnsw<codec::only<codec::sq8>>,
        hnsw<codec::only<codec::sq4>>, hnsw<codec::only<codec::rabitq<4>>>,
        hnsw<codec::only<codec::rabitq_about<5>>>, hnsw<codec::only<codec::pq<8, 8>>>>);
// Lists need no links, so that few bits will do; codes in blocks (rabitq<1>, pq of 4 bits) are
// scored one by one there.
static_assert(
    fit<ivf<codec::only<codec::f16>>, ivf<codec::only<codec::bf16>>, ivf<codec::only<codec::sq8>>,
        ivf<codec::only<codec::i8>>, ivf<codec::only<codec::sq4>>,
        ivf<codec::only<codec::rabitq<1>>>, ivf<codec::only<codec::rabitq<5>>>,
        ivf<codec::only<codec::rabitq_about<5>>>, ivf<codec::only<codec::pq<8, 8>>>,
        ivf<codec::only<codec::pq<8, 4>>>, ivf<codec::only<codec::binary>>>);

/// The rows of a store of codes alone, and an index over them.
template <class Index, class Metric>
class codes_alone {
    using coded = typename Index::codec_type::template of<Metric>;
    using bound = typename Index::template of<Metric, storage::memory>;

public:
    codes_alone(rows const& data, typename Index::options const& o)
        : vectors_(decoded_vectors<coded, storage::memory>::open(*space_, data.dim).value()),
          index_(bound::open(*space_, *vectors_, data.dim, o).value()) {
        auto const n = data.count();
        vectors_
            ->learn(
                0, n, [&](std::size_t i) { return data.row(i); }, index::no_section{})
            .value();
        vectors_->reserve(n, index::no_section{}).value();
        vectors_->resize(n);
        for (std::size_t i = 0; i < n; ++i) vectors_->put(i, data.row(i));
        index_.take_in(static_cast<slot>(n), index::keep_all{}, index::no_section{}).value();
    }

    /// The share of the 10 nearest of what codes stand for that a search finds.
    [[nodiscard]] double recall(rows const& queries) const {
        auto const dim = queries.dim;
        REQUIRE(index_.covered() == vectors_->rows());
        std::size_t found = 0;
        auto const reader = vectors_->reader();
        for (std::size_t q = 0; q < queries.count(); ++q) {
            auto const* const query = queries.row(q);
            auto const distance = [&](slot s) {
                return metric::exact<Metric>(query, reader.template row_as<float>(s), dim);
            };
            index::nearest<> best(10);
            for (slot s = 0; s < index_.covered(); ++s) best.offer({distance(s), s});
            auto const farthest = best.take().back().distance;
            auto const hits =
                index_.search(query, 10, index_.effort_for(10, 0.95), index::keep_all{}).value();
            std::size_t of_ten = 0;
            for (auto const& h : hits) of_ten += distance(h.row) <= farthest ? 1U : 0U;
            found += (std::min)(of_ten, std::size_t{10});
        }
        return static_cast<double>(found) / static_cast<double>(10 * queries.count());
    }

private:
    opened_space<storage::memory> space_;
    std::unique_ptr<decoded_vectors<coded, storage::memory>> vectors_;
    bound index_;
};

template <class Metric, class... Codec>
void check_scans(rows const& data, rows const& queries) {
    CHECK(((codes_alone<flat<codec::only<Codec>>, Metric>(data, {}).recall(queries) == 1) && ...));
}

} // namespace

TEST_CASE("a scan of codes alone is exact in what they stand for", "[index]") {
    auto const data = clustered_rows(1100, 32, 20, 5);
    auto const queries = clustered_rows(10, 32, 20, 6);
    check_scans<metric::squared_l2, codec::f16, codec::sq8, codec::sq4, codec::rabitq<1>,
                codec::rabitq<4>, codec::rabitq_about<5, 4>, codec::pq<8, 4>, codec::binary,
                codec::i8>(data, queries);
    check_scans<metric::cosine, codec::sq8, codec::binary, codec::rabitq<2>>(data, queries);
    check_scans<metric::inner_product, codec::sq8, codec::pq<16, 4>, codec::rabitq<3>>(data,
                                                                                       queries);
}

TEST_CASE("a graph over codes alone finds most of the nearest in what they stand for", "[index]") {
    auto const data = clustered_rows(4500, 64, 60, 5);
    auto const queries = clustered_rows(40, 64, 60, 5);
    vicinal::index::hnsw_options o;
    o.flat_below = 0;
    CHECK(codes_alone<hnsw<codec::only<codec::rabitq<4>>>, metric::cosine>(data, o).recall(
              queries) >= 0.85);
    CHECK(codes_alone<hnsw<codec::only<codec::pq<32, 8>>>, metric::squared_l2>(data, o).recall(
              queries) >= 0.85);
    CHECK(codes_alone<hnsw<codec::only<codec::rabitq_about<5, 16>>>, metric::squared_l2>(data, o)
              .recall(queries) >= 0.85);
}

TEST_CASE("lists over codes alone find most of the nearest in what they stand for", "[index]") {
    auto const data = clustered_rows(4500, 64, 60, 5);
    auto const queries = clustered_rows(40, 64, 60, 5);
    CHECK(codes_alone<ivf<codec::only<codec::f16>>, metric::cosine>(data, {}).recall(queries) >=
          0.9);
    CHECK(codes_alone<ivf<codec::only<codec::rabitq<5>>>, metric::inner_product>(data, {}).recall(
              queries) >= 0.9);
    CHECK(
        codes_alone<ivf<codec::only<codec::rabitq_about<5, 16>>>, metric::cosine>(data, {}).recall(
            queries) >= 0.9);
    CHECK(codes_alone<ivf<codec::only<codec::rabitq<1>>>, metric::squared_l2>(data, {}).recall(
              queries) >= 0.85);
    CHECK(codes_alone<ivf<codec::only<codec::pq<16, 4>>>, metric::squared_l2>(data, {}).recall(
              queries) >= 0.85);
}

} // namespace combinations_test
