// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_AS_FIELDS_HPP
#define VICINAL_PAYLOAD_AS_FIELDS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/payload/fields.hpp>

#include <concepts>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload {

/// A payload whose bytes are those of fields, so that each can be made of the other.
template <class P>
concept made_of_fields = model<P> && P::filterable;

/// The payload as fields. Errors: those of encoding it, out_of_memory.
template <made_of_fields P>
[[nodiscard]] result<vicinal::fields> as_fields(typename P::value_type v) {
    if constexpr (std::same_as<P, fields>) {
        return v;
    } else {
        std::string bytes;
        VICINAL_CHECK(P::encode(v, bytes));
        return fields::decode(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
}

/// The payload that these fields are. Errors: invalid_payload where they don't fit, out_of_memory.
template <made_of_fields P>
[[nodiscard]] result<typename P::value_type> from_fields(vicinal::fields const& all) {
    if constexpr (std::same_as<P, fields>) {
        return all;
    } else {
        std::string bytes;
        VICINAL_CHECK(fields::encode(all, bytes));
        return P::decode(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
}

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
