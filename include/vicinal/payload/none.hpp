// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_NONE_HPP
#define VICINAL_PAYLOAD_NONE_HPP

#include <vicinal/payload/concept.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload {

/// Nothing travels with the vector, and a record takes no payload bytes at all.
struct none {
    struct value_type {
        friend bool operator==(value_type const&, value_type const&) = default;
    };
    static constexpr std::string_view name = "none";
    static constexpr bool filterable = false;

    [[nodiscard]] static result<void> encode(value_type const&, std::string&) { return {}; }

    /// Errors: invalid_payload where there are bytes.
    [[nodiscard]] static result<value_type> decode(std::span<std::byte const> bytes) {
        if (!bytes.empty())
            return error{errc::invalid_payload, "no payload",
                         std::to_string(bytes.size()) + " bytes"};
        return value_type{};
    }
};

static_assert(model<none>);

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
