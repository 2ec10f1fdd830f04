// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/storage/crc32c.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace crc32c_test {

namespace storage = vicinal::storage;

TEST_CASE("CRC-32C of 123456789 is the check value of the standard", "[storage]") {
    std::string_view const digits = "123456789";
    REQUIRE(storage::crc32c(std::as_bytes(std::span(digits))) == 0xe3069283U);
    REQUIRE(storage::crc32c({}) == 0);
    // RFC 3720, B.4: 32 bytes of zeros and of ones.
    REQUIRE(storage::crc32c(std::vector<std::byte>(32, std::byte{0})) == 0x8a9136aaU);
    REQUIRE(storage::crc32c(std::vector<std::byte>(32, std::byte{0xff})) == 0x62a8ab43U);
}

TEST_CASE("the processor's CRC and the tables agree at every length and alignment", "[storage]") {
    std::vector<std::byte> data(300);
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(vicinal::detail::mix(i) & 0xff);
    for (std::size_t from = 0; from < 9; ++from)
        for (std::size_t n = 0; n + from <= data.size(); ++n) {
            CAPTURE(from, n);
            auto const s = std::span<std::byte const>(data).subspan(from, n);
            REQUIRE(~vicinal::detail::crc32c_portable(~0U, s.data(), n) == storage::crc32c(s));
            REQUIRE(storage::crc32c(s.subspan(n / 3), storage::crc32c(s.first(n / 3))) ==
                    storage::crc32c(s));
        }
}

} // namespace crc32c_test
