// SPDX-License-Identifier: MIT
#include "contract/index.hpp"

#include <vicinal/index/flat.hpp>

namespace flat_test {

namespace metric = vicinal::metric;
using vicinal_test::standing_index;

TEST_CASE("flat keeps the contract of indexes in memory", "[index]") {
    vicinal_test::check_index_contract<vicinal::index::flat<>, metric::squared_l2,
                                       vicinal::storage::memory>();
}

TEST_CASE("flat keeps the contract of indexes over mapped files", "[index]") {
    vicinal_test::check_index_contract<vicinal::index::flat<>, metric::cosine,
                                       vicinal::storage::mmap>();
}

TEST_CASE("flat finds exactly the true neighbours", "[index]") {
    auto const data = vicinal_test::clustered_rows(500, 9, 5, 31);
    auto const queries = vicinal_test::uniform_rows(30, 9, 32);
    standing_index<vicinal::index::flat<>, metric::inner_product, vicinal::storage::memory> s(9);
    s.add(data);
    for (std::size_t q = 0; q < queries.count(); ++q) {
        auto const truth =
            vicinal_test::true_distances<metric::inner_product>(data, queries.row(q), 10);
        auto const got = s.search(queries.row(q), 10);
        REQUIRE(got.size() == 10);
        for (std::size_t i = 0; i < 10; ++i)
            REQUIRE(static_cast<double>(got[i].distance) == Approx(truth[i]).margin(1e-5));
    }
}

} // namespace flat_test
