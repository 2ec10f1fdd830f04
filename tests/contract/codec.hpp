// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_CONTRACT_CODEC_HPP
#define VICINAL_TESTS_CONTRACT_CODEC_HPP

#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/codec/concept.hpp>

#include <cmath>
#include <cstddef>

namespace vicinal_test {

/// What every codec promises whose codes are the rows themselves: distances within `tolerance` of
/// the textbook's, the query and a row's code in its place being the same thing.
template <class Codec, class Metric>
void check_codec_contract(double tolerance) {
    STATIC_REQUIRE(vicinal::codec::model<Codec>);
    using bound = typename Codec::template of<Metric>;
    STATIC_REQUIRE(bound::reads_rows);
    CHECK_FALSE(std::string_view(Codec::name).empty());
    for (std::size_t const dim : {1U, 2U, 15U, 16U, 100U, 384U}) {
        bound const codec(dim);
        auto const data = uniform_rows(20, dim, dim);
        for (std::size_t i = 0; i < 20; ++i) {
            auto const query = codec.query(data.row(i));
            auto const* as_code = reinterpret_cast<std::byte const*>(data.row(i));
            auto const between = codec.between(as_code);
            for (std::size_t j = 0; j < 20; ++j) {
                CAPTURE(dim, i, j);
                auto const* code = reinterpret_cast<std::byte const*>(data.row(j));
                auto const want = textbook<Metric>(data.row(i), data.row(j), dim);
                REQUIRE(std::abs(static_cast<double>(query(code)) - want) <=
                        tolerance * (std::abs(want) + static_cast<double>(dim)));
                REQUIRE(between(code) == query(code));
            }
        }
    }
}

} // namespace vicinal_test

#endif
