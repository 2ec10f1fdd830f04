// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_CONCEPT_HPP
#define VICINAL_PAYLOAD_CONCEPT_HPP

#include <vicinal/core/result.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload {

/// A payload policy: what travels with a vector, and its bytes in a heap or file.
///
/// * `value_type`: what the user gives and gets; made without arguments it is "no payload".
/// * `name`: kept in files, so that a store is not opened with another payload.
/// * `encode(value, out)`: appends the bytes; on an error `out` is as it was.
/// * `decode(bytes)`: the value back, exactly. The bytes may be anything: errors are
///   invalid_payload, and memory is reserved only for what is there.
/// * `filterable`: whether `filter::matches` may read the bytes, that is, whether they are encoded
///   as payload/encoding.hpp has it.
template <class P>
concept model = requires(typename P::value_type const& value, std::string& out,
                         std::span<std::byte const> bytes) {
    requires std::default_initializable<typename P::value_type>;
    requires std::movable<typename P::value_type>;
    { P::name } -> std::convertible_to<std::string_view>;
    { P::filterable } -> std::convertible_to<bool>;
    { P::encode(value, out) } -> std::same_as<result<void>>;
    { P::decode(bytes) } -> std::same_as<result<typename P::value_type>>;
};

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
