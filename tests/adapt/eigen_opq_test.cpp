// SPDX-License-Identifier: MIT
#include "contract/index.hpp"
#include "support/dataset.hpp"
#include "support/learnt_codec.hpp"

#include <vicinal/adapt/eigen_opq.hpp>
#include <vicinal/codec/only.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/index/ivf.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace eigen_opq_test {

namespace {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;
using namespace vicinal_test;
using vicinal::storage::memory;

/// Twelve elements that three numbers stand behind, and a little noise.
rows entangled(std::size_t n, std::uint64_t seed) {
    generator r(seed);
    generator mixing(99);
    auto const mix = mixing.vector(12 * 3);
    rows out{12};
    for (std::size_t i = 0; i < n; ++i) {
        float const behind[3] = {3 * r.normal(), 2 * r.normal(), r.normal()};
        std::vector<float> x(12);
        for (std::size_t j = 0; j < 12; ++j) {
            x[j] = 5 + 0.02F * r.normal();
            for (std::size_t k = 0; k < 3; ++k) x[j] += mix[j * 3 + k] * behind[k];
        }
        out.add(x);
    }
    return out;
}

/// What codes lose, as a share of the variance.
template <class Codec>
double loss(Codec const& c, rows const& data) {
    double lost = 0, all = 0;
    std::vector<double> mean(data.dim);
    for (std::size_t i = 0; i < data.count(); ++i)
        for (std::size_t j = 0; j < data.dim; ++j)
            mean[j] += double{data.row(i)[j]} / static_cast<double>(data.count());
    std::vector<float> back(data.dim);
    for (std::size_t i = 0; i < data.count(); ++i) {
        c.decode_row(encode(c, data.row(i)).data(), back.data());
        for (std::size_t j = 0; j < data.dim; ++j) {
            double const x = data.row(i)[j];
            lost += (x - back[j]) * (x - back[j]);
            all += (x - mean[j]) * (x - mean[j]);
        }
    }
    return lost / all;
}

} // namespace

TEST_CASE("a rotation that was learnt loses less than parts of the elements do", "[adapt]") {
    auto const data = entangled(3000, 1);
    auto const plain = learnt<codec::pq<4, 4>::of<metric::squared_l2>>(data);
    auto const turned = learnt<codec::eigen_opq<4, 4>::of<metric::squared_l2>>(data);
    auto const more = entangled(500, 2);
    CHECK(loss(turned, more) < 0.6 * loss(plain, more));
}

TEST_CASE("what is learnt begins with a rotation, which changes no distance", "[adapt]") {
    auto const data = entangled(2000, 1);
    codec::eigen_opq<4, 4>::of<metric::squared_l2> const c(12);
    auto const model = c.fit(data.count(), [&](std::size_t i) { return data.row(i); }).value();
    REQUIRE(model.size() == 12 * 12 + 16 * 12);
    for (std::size_t i = 0; i < 12; ++i)
        for (std::size_t j = 0; j < 12; ++j) {
            double product = 0;
            for (std::size_t k = 0; k < 12; ++k)
                product += double{model[i * 12 + k]} * double{model[j * 12 + k]};
            REQUIRE(std::fabs(product - (i == j ? 1 : 0)) < 1e-5);
        }
}

TEST_CASE("distances of rotated codes are those of what they stand for", "[adapt]") {
    auto const check = [](auto metric_of) {
        using M = decltype(metric_of);
        auto const data = entangled(1500, 3);
        auto const c = learnt<typename codec::eigen_opq<5, 4>::template of<M>>(data);
        std::vector<float> back(12);
        for (std::size_t q = 0; q < 10; ++q) {
            auto const query = c.query(data.row(q));
            auto const own = encode(c, data.row(q));
            auto const between = c.between(own.data());
            std::vector<float> own_back(12);
            c.decode_row(own.data(), own_back.data());
            for (std::size_t i = 10; i < 30; ++i) {
                auto const row = encode(c, data.row(i));
                c.decode_row(row.data(), back.data());
                auto const near = [&](double a, double b) {
                    return std::fabs(a - b) < 1e-3 * (1 + std::fabs(b));
                };
                // Under cosine codes are of directions, and the query is one.
                std::vector<float> asked(data.row(q), data.row(q) + 12);
                double norm = 0;
                for (auto const x : asked) norm += double{x} * x;
                auto const textbook_of = [&](std::vector<float> const& x) {
                    double sum = 0;
                    bool const product = std::is_same_v<M, metric::inner_product>;
                    bool const angle = std::is_same_v<M, metric::cosine>;
                    for (std::size_t j = 0; j < 12; ++j) {
                        double const a = x[j], b = back[j];
                        sum += product ? -a * b : (a - b) * (a - b) * (angle ? 0.5 : 1);
                    }
                    return sum;
                };
                REQUIRE(near(between(row.data()), textbook_of(own_back)));
                if (std::is_same_v<M, metric::cosine>)
                    for (auto& x : asked) x = static_cast<float>(x / std::sqrt(norm));
                REQUIRE(near(query(row.data()), textbook_of(asked)));
            }
        }
    };
    check(metric::squared_l2{});
    check(metric::inner_product{});
    check(metric::cosine{});
}

TEST_CASE("vectors of fewer dimensions than elements can be rotated, infinite ones can't",
          "[adapt]") {
    // Elements that are always 0, and rows that are all equal.
    auto flat = entangled(1200, 4);
    for (std::size_t i = 0; i < flat.count(); ++i)
        for (std::size_t j = 6; j < 12; ++j) flat.data[i * 12 + j] = 0;
    auto const c = learnt<codec::eigen_opq<4, 4>::of<metric::squared_l2>>(flat);
    CHECK(loss(c, flat) < 0.2);
    auto const same = repeated_rows(1200, 12, 1, 5);
    auto const one = learnt<codec::eigen_opq<4, 4>::of<metric::squared_l2>>(same);
    std::vector<float> back(12);
    one.decode_row(encode(one, same.row(0)).data(), back.data());
    for (std::size_t j = 0; j < 12; ++j) CHECK(std::fabs(back[j] - same.row(0)[j]) < 1e-4F);
    auto const nan = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < flat.count(); i += 7) flat.data[i * 12] = i % 14 == 0 ? nan : 3e38F;
    static_cast<void>(learnt<codec::eigen_opq<4, 4>::of<metric::squared_l2>>(flat));
    for (auto& x : flat.data) x = nan;
    codec::eigen_opq<4, 4>::of<metric::squared_l2> const none(12);
    auto const refused = none.fit(flat.count(), [&](std::size_t i) { return flat.row(i); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == vicinal::errc::not_finite);
}

TEST_CASE("a model that is none is refused", "[adapt]") {
    codec::opq<4, 4>::of<metric::squared_l2> c(12);
    std::vector<float> numbers(12 * 12 + 16 * 12);
    CHECK(c.put_model(numbers));
    CHECK(c.has_model());
    CHECK(c.put_model({}));
    CHECK_FALSE(c.has_model());
    numbers.pop_back();
    CHECK_FALSE(c.put_model(numbers));
    numbers.resize(12 * 12);
    CHECK_FALSE(c.put_model(numbers));
    numbers.resize(7);
    CHECK_FALSE(c.put_model(numbers));
    numbers.resize(12 * 12 + 16 * 12);
    numbers[3] = std::numeric_limits<float>::infinity();
    CHECK_FALSE(c.put_model(numbers));
}

TEST_CASE("lists learn a rotation, and a program without one reads and fills them", "[adapt]") {
    using learning = vicinal::index::ivf<codec::eigen_opq<4, 4>>;
    using reading = vicinal::index::ivf<codec::opq<4, 4>>;
    STATIC_REQUIRE(learning::codec_type::name == "opq4x4");
    STATIC_REQUIRE(reading::codec_type::name == "opq4x4");
    vicinal::index::ivf_options o;
    o.flat_below = 0;
    o.num_partitions = 20;
    o.tune = false;
    auto const data = entangled(3000, 1);
    auto const queries = entangled(20, 2);
    standing_index<learning, metric::squared_l2, memory> s(12, o);
    s.add(data);
    REQUIRE(s.get().covered() == 3000);
    CHECK(recall_of<metric::squared_l2>(s, data, queries, 10) > 0.8);

    auto other = reading::of<metric::squared_l2, memory>::open(*s.space(), s.vectors(), 12, o);
    REQUIRE(other);
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const a = s.get().search(queries.row(q), 10, 5, index::keep_all{}).value();
        auto const b = other->search(queries.row(q), 10, 5, index::keep_all{}).value();
        REQUIRE(a == b);
    }
    // It has none of its own to begin with, and compares vectors.
    standing_index<reading, metric::squared_l2, memory> untaught(12, o);
    untaught.add(data);
    CHECK(untaught.get().covered() == 0);
}

TEMPLATE_TEST_CASE("lists of rotated codes in blocks tell the distances of rows", "[adapt]",
                   metric::squared_l2, metric::inner_product, metric::cosine) {
    using index_type = vicinal::index::ivf<codec::eigen_opq<6, 4>>;
    vicinal::index::ivf_options o;
    o.flat_below = 0;
    o.num_partitions = 20;
    o.tune = false;
    auto data = entangled(2500, 1);
    auto const queries = entangled(4, 2);
    standing_index<index_type, TestType, memory> s(12, o);
    s.add(data);
    // Rows that come later have codes by what was learnt.
    auto const more = entangled(300, 3);
    s.add(more);
    data.add(more.data);
    double off = 0, mean = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const found =
            s.get().search(queries.row(q), data.count(), s.get().partitions(), index::keep_all{});
        REQUIRE(found.value().size() == data.count());
        for (auto const& n : *found) {
            auto const exact = textbook<TestType>(queries.row(q), data.row(n.row), 12);
            off += (n.distance - exact) * (n.distance - exact);
            mean += std::fabs(exact);
        }
    }
    auto const all = static_cast<double>(queries.count() * data.count());
    CHECK(std::sqrt(off / all) < 0.1 * (mean / all));
}

} // namespace eigen_opq_test
