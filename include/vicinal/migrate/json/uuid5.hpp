// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_UUID5_HPP
#define VICINAL_MIGRATE_JSON_UUID5_HPP

#include <vicinal/core/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// SHA-1 (RFC 3174). For names alone: it is no protection against anybody.
[[nodiscard]] inline std::array<std::uint8_t, 20> sha1(std::string text) {
    auto const bits = std::uint64_t{text.size()} * 8;
    text.push_back('\x80');
    while (text.size() % 64 != 56) text.push_back('\0');
    for (int shift = 56; shift >= 0; shift -= 8) text.push_back(static_cast<char>(bits >> shift));
    std::array<std::uint32_t, 5> h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (std::size_t block = 0; block < text.size(); block += 64) {
        std::array<std::uint32_t, 80> w{};
        for (std::size_t i = 0; i < 64; ++i)
            w[i / 4] = w[i / 4] << 8 | static_cast<unsigned char>(text[block + i]);
        for (std::size_t i = 16; i < 80; ++i)
            w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        auto [a, b, c, d, e] = h;
        for (std::size_t i = 0; i < 80; ++i) {
            auto const f = i < 20   ? (b & c) | (~b & d)
                           : i < 40 ? b ^ c ^ d
                           : i < 60 ? (b & c) | (b & d) | (c & d)
                                    : b ^ c ^ d;
            auto const k = i < 20   ? 0x5a827999U
                           : i < 40 ? 0x6ed9eba1U
                           : i < 60 ? 0x8f1bbcdcU
                                    : 0xca62c1d6U;
            auto const next = std::rotl(a, 5) + f + e + k + w[i];
            e = d;
            d = c;
            c = std::rotl(b, 30);
            b = a;
            a = next;
        }
        h = {h[0] + a, h[1] + b, h[2] + c, h[3] + d, h[4] + e};
    }
    std::array<std::uint8_t, 20> out{};
    for (std::size_t i = 0; i < 20; ++i)
        out[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

/// The UUID of version 5 (RFC 9562) of a name in the namespace of OIDs, as Python's
/// uuid.uuid5(uuid.NAMESPACE_OID, name) gives it.
[[nodiscard]] inline std::string uuid5(std::string_view name) {
    std::string text("\x6b\xa7\xb8\x12\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8", 16);
    auto digest = sha1(text.append(name));
    digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0fU) | 0x50U);
    digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3fU) | 0x80U);
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
        out.push_back(hex[digest[i] >> 4]);
        out.push_back(hex[digest[i] & 15]);
    }
    return out;
}

/// Whether an id is a UUID as systems give it back: hyphenated, lower case.
[[nodiscard]] constexpr bool is_uuid(std::string_view id) noexcept {
    if (id.size() != 36) return false;
    for (std::size_t i = 0; i < 36; ++i) {
        bool const hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        bool const digit = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
        if (hyphen ? id[i] != '-' : !digit) return false;
    }
    return true;
}

/// Whether an id is an integer of 64 bits without sign, written as numbers are.
[[nodiscard]] constexpr bool is_u64(std::string_view id) noexcept {
    if (id.empty() || id.size() > 20 || (id.size() > 1 && id.front() == '0')) return false;
    for (char const c : id)
        if (c < '0' || c > '9') return false;
    return id.size() < 20 || id <= "18446744073709551615";
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
