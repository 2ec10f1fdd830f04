// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_CONTRACT_CODEC_HPP
#define VICINAL_TESTS_CONTRACT_CODEC_HPP

#include "catch.hpp"
#include "support/brute_force.hpp"
#include "support/random.hpp"

#include <vicinal/codec/concept.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

namespace vicinal_test {

/// Rows in the form that a codec reads.
template <class Bound>
class encoded_rows {
public:
    encoded_rows(Bound const& codec, rows const& data) : data_(data) {
        if constexpr (!Bound::reads_rows) {
            width_ = codec.row_bytes();
            bytes_.resize(width_ * data.count());
            for (std::size_t i = 0; i < data.count(); ++i)
                codec.encode_row(data.row(i), bytes_.data() + i * width_);
        }
    }
    [[nodiscard]] std::byte const* row(std::size_t i) const {
        if constexpr (Bound::reads_rows)
            return reinterpret_cast<std::byte const*>(data_.row(i));
        else
            return bytes_.data() + i * width_;
    }

private:
    rows const& data_;
    std::size_t width_ = 0;
    std::vector<std::byte> bytes_;
};

/// What every codec promises: distances within `tolerance` of the textbook's, relative to the
/// distance and the dimension, the query and a row's code in its place being the same thing.
template <class Codec, class Metric>
void check_codec_contract(double tolerance) {
    STATIC_REQUIRE(vicinal::codec::model<Codec>);
    using bound = typename Codec::template of<Metric>;
    CHECK_FALSE(std::string_view(Codec::name).empty());
    for (std::size_t const dim : {1U, 2U, 15U, 16U, 100U, 384U}) {
        bound const codec(dim);
        auto const data = uniform_rows(20, dim, dim);
        encoded_rows<bound> const codes(codec, data);
        for (std::size_t i = 0; i < 20; ++i) {
            auto const query = codec.query(data.row(i));
            auto const between = codec.between(codes.row(i));
            for (std::size_t j = 0; j < 20; ++j) {
                CAPTURE(dim, i, j);
                auto const* code = codes.row(j);
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
