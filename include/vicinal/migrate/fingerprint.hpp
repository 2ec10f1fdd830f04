// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FINGERPRINT_HPP
#define VICINAL_MIGRATE_FINGERPRINT_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// A record in 24 bytes: 64-bit hashes of its id, the bits of its vector, and its payload. Two
/// sides of any size and order are compared by sorting these. Two different vectors agree by chance
/// once in 10^19 pairs.
struct fingerprint {
    std::uint64_t id = 0;
    std::uint64_t vector = 0;
    std::uint64_t payload = 0;
};

[[nodiscard]] std::uint64_t hash_fields(fields const& f, std::uint64_t seed);

[[nodiscard]] inline std::uint64_t hash_value(value const& v, std::uint64_t seed) {
    auto const h = mix(seed ^ static_cast<std::uint64_t>(v.type()));
    switch (v.type()) {
        case value::kind::null: return h;
        case value::kind::boolean: return mix(h ^ (*v.get_if<bool>() ? 1U : 0U));
        case value::kind::integer:
            return mix(h ^ static_cast<std::uint64_t>(*v.get_if<std::int64_t>()));
        case value::kind::real: return mix(h ^ std::bit_cast<std::uint64_t>(*v.get_if<double>()));
        case value::kind::string: return mix(h ^ hash_bytes(*v.get_if<std::string>()));
        case value::kind::array: {
            auto const& items = *v.get_if<value::array>();
            auto sum = mix(h ^ items.size());
            for (auto const& item : items) sum = hash_value(item, sum);
            return sum;
        }
        case value::kind::nested: return hash_fields(*v.get_if<fields>(), h);
    }
    return h;
}

/// Depends on what `==` of fields depends on, and on nothing else.
[[nodiscard]] inline std::uint64_t hash_fields(fields const& f, std::uint64_t seed) {
    auto sum = mix(seed ^ f.size());
    for (auto const& [name, v] : f) sum = hash_value(v, mix(sum ^ hash_bytes(name)));
    return sum;
}

[[nodiscard]] inline fingerprint fingerprint_of(record const& r) {
    auto const* bytes = reinterpret_cast<char const*>(r.vector.data());
    return {hash_bytes(r.id), hash_bytes({bytes, r.vector.size() * sizeof(float)}),
            hash_fields(r.payload, 0)};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
