// SPDX-License-Identifier: MIT
// What every payload model must do, whoever wrote it.
#ifndef VICINAL_TESTS_CONTRACT_PAYLOAD_HPP
#define VICINAL_TESTS_CONTRACT_PAYLOAD_HPP

#include "catch.hpp"

#include <vicinal/payload/concept.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace contract {

/// `samples` are values of the model with operator==, the first of them not the empty one where
/// the model has others.
template <vicinal::payload::model P>
void check_payload_values(std::vector<typename P::value_type> const& samples) {
    auto const bytes_of = [](std::string const& s) {
        return std::as_bytes(std::span<char const>(s.data(), s.size()));
    };
    CHECK_FALSE(std::string_view(P::name).empty());

    for (auto const& sample : samples) {
        std::string encoded;
        REQUIRE(P::encode(sample, encoded));

        // The value comes back, the same value gives the same bytes, and encoding appends.
        auto back = P::decode(bytes_of(encoded));
        REQUIRE(back);
        CHECK(*back == sample);
        std::string again = "before";
        REQUIRE(P::encode(*back, again));
        CHECK(again == "before" + encoded);

        // Cut or changed anywhere it is an error or some value, and nothing is read outside: each
        // attempt gets a block of exactly its size, so that a sanitizer sees the first byte beyond.
        auto const try_bytes = [](std::string const& s) {
            auto const block = std::make_unique<std::byte[]>(s.size());
            for (std::size_t i = 0; i < s.size(); ++i) block[i] = static_cast<std::byte>(s[i]);
            auto const decoded = P::decode({block.get(), s.size()});
            if (decoded) {
                std::string out;
                CHECK(P::encode(*decoded, out));
            } else {
                CHECK(decoded.error().code() == vicinal::errc::invalid_payload);
            }
        };
        for (std::size_t n = 0; n < encoded.size(); ++n) try_bytes(encoded.substr(0, n));
        try_bytes(encoded + '\xff');
        for (std::size_t i = 0; i < encoded.size(); ++i) {
            auto changed = encoded;
            for (int v = 0; v < 256; ++v) {
                changed[i] = static_cast<char>(static_cast<unsigned char>(v));
                try_bytes(changed);
            }
        }
    }
}

/// The same for a model whose empty value is "no payload": no bytes, so that a store of vectors
/// alone costs nothing for it. A struct of members that are always there has no such value.
template <vicinal::payload::model P>
void check_payload(std::vector<typename P::value_type> const& samples) {
    check_payload_values<P>(samples);
    std::string nothing;
    REQUIRE(P::encode(typename P::value_type{}, nothing));
    CHECK(nothing.empty());
    auto const none = P::decode({});
    REQUIRE(none);
    CHECK(*none == typename P::value_type{});
}

} // namespace contract

#endif
