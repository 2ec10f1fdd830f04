// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_LEARNT_CODEC_HPP
#define VICINAL_TESTS_SUPPORT_LEARNT_CODEC_HPP

#include "catch.hpp"
#include "support/random.hpp"

#include <cstddef>
#include <vector>

namespace vicinal_test {

/// A codec that has learnt from rows.
template <class Codec>
[[nodiscard]] Codec learnt(rows const& data) {
    Codec c(data.dim);
    auto const model = c.fit(data.count(), [&](std::size_t i) { return data.row(i); });
    REQUIRE(model);
    REQUIRE(c.put_model(*model));
    return c;
}

/// The code of a vector.
template <class Codec>
[[nodiscard]] std::vector<std::byte> encode(Codec const& c, float const* x) {
    std::vector<std::byte> row(c.row_bytes());
    if constexpr (requires { c.scratch(); }) {
        std::vector<float> scratch(c.scratch());
        c.encode_row(x, row.data(), scratch.data());
    } else {
        c.encode_row(x, row.data());
    }
    return row;
}

template <class Codec>
[[nodiscard]] std::vector<std::byte> encode(Codec const& c, std::vector<float> const& x) {
    return encode(c, x.data());
}

} // namespace vicinal_test

#endif
