// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_DEFINITIONS_HPP
#define VICINAL_STORE_FIELD_DEFINITIONS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/payload/index/bitmap_bytes.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/storage/properties.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The field indexes of a store as its snapshot has them: the property `fields` says which there
/// are, and how many bytes of the column `fields` belong to each. A vicinal that knows neither
/// writes snapshots without the property, so that what is in the column then counts for nothing.
namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::string_view fields_name = "fields";
inline constexpr std::size_t most_field_indexes = 64;

struct field_definition {
    field_index kind = field_index::hash;
    std::string name;
    /// Of its segments.
    std::uint64_t bytes = 0;
};

/// u32 count; for each: u32 kind, u64 bytes of its segments, u32 bytes of the name, name.
[[nodiscard]] inline std::string encode_definitions(std::span<field_definition const> all) {
    std::vector<std::byte> out;
    payload::detail::byte_appender to(out);
    to.number(static_cast<std::uint32_t>(all.size()));
    for (auto const& d : all) {
        to.number(static_cast<std::uint32_t>(d.kind));
        to.number(d.bytes);
        to.number(static_cast<std::uint32_t>(d.name.size()));
        auto const name = std::as_bytes(std::span(d.name));
        out.insert(out.end(), name.begin(), name.end());
    }
    return {reinterpret_cast<char const*>(out.data()), out.size()};
}

/// None where the properties have none. errc::corrupt_snapshot where they are not what vicinal
/// writes.
[[nodiscard]] inline result<std::vector<field_definition>>
decode_definitions(storage::properties const& properties) {
    std::vector<field_definition> all;
    auto const* const property = properties.find(fields_name);
    if (property == nullptr) return all;
    payload::detail::byte_taker from(std::as_bytes(std::span(*property)));
    std::uint32_t count = 0;
    bool good = from.number(count) && count <= most_field_indexes;
    for (std::uint32_t i = 0; good && i < count; ++i) {
        std::uint32_t kind = 0;
        std::uint32_t size = 0;
        std::span<std::byte const> name;
        field_definition d;
        good = from.number(kind) && from.number(d.bytes) && from.number(size) &&
               from.bytes(size, name) && kind <= static_cast<std::uint32_t>(field_index::inverted);
        if (!good) break;
        d.kind = static_cast<field_index>(kind);
        d.name.assign(reinterpret_cast<char const*>(name.data()), name.size());
        all.push_back(std::move(d));
    }
    if (good && from.left() == 0) return all;
    return error{errc::corrupt_snapshot, "definitions of indexes in the property 'fields'",
                 std::to_string(property->size()) + " bytes of another form"};
}

/// Takes what the indexes hold out of the properties; which there are stays, where it can be read.
inline void forget_field_contents(storage::properties& properties) {
    if (properties.find(fields_name) == nullptr) return;
    auto all = decode_definitions(properties);
    if (!all) all = std::vector<field_definition>();
    for (auto& d : *all) d.bytes = 0;
    properties.set(fields_name, encode_definitions(*all));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
