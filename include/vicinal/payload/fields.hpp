// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FIELDS_HPP
#define VICINAL_PAYLOAD_FIELDS_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/payload/encoding.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload {

/// The default payload: a map of names to values, which filters read in its encoded form.
struct fields {
    using value_type = vicinal::fields;
    static constexpr std::string_view name = "fields";
    static constexpr bool filterable = true;

    /// Appends the encoding; no fields are no bytes. Errors: invalid_payload (text that is not
    /// UTF-8, more than 64 levels, more than 16 MiB encoded), out_of_memory.
    [[nodiscard]] static result<void> encode(value_type const& value, std::string& out) {
        return vicinal::detail::guarded([&] { return detail::encode(value, out); });
    }

    /// The fields back, bit for bit. Errors: invalid_payload with the offset, out_of_memory.
    [[nodiscard]] static result<value_type> decode(std::span<std::byte const> bytes) {
        return vicinal::detail::guarded([&] { return detail::decode(bytes); });
    }
};

static_assert(model<fields>);

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
