// SPDX-License-Identifier: MIT
#include "contract/codec.hpp"

#include <vicinal/codec/f32.hpp>

#include <limits>

namespace f32_test {

namespace metric = vicinal::metric;

TEST_CASE("f32 keeps the contract of codecs, without loss, for every metric", "[codec]") {
    vicinal_test::check_codec_contract<vicinal::codec::f32, metric::squared_l2>(1e-6);
    vicinal_test::check_codec_contract<vicinal::codec::f32, metric::inner_product>(1e-6);
    vicinal_test::check_codec_contract<vicinal::codec::f32, metric::cosine>(1e-6);
}

TEST_CASE("f32 puts a row of NaN, as only a damaged file has, behind all others", "[codec]") {
    vicinal::codec::f32::of<metric::squared_l2> const codec(2);
    float const query[] = {1, 2};
    float const row[] = {std::numeric_limits<float>::quiet_NaN(), 0};
    CHECK(codec.query(query)(reinterpret_cast<std::byte const*>(row)) ==
          std::numeric_limits<float>::infinity());
}

} // namespace f32_test
