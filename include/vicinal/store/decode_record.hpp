// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_DECODE_RECORD_HPP
#define VICINAL_STORE_DECODE_RECORD_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <cstddef>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The payload of a slot. Errors: corrupt_snapshot, where it does not decode; out_of_memory.
template <class Payload, class Rows>
[[nodiscard]] result<typename Payload::value_type> decode_payload(Rows const& rows, slot s) {
    auto payload = Payload::decode(rows.payload(s));
    if (payload || payload.error().code() == errc::out_of_memory) return payload;
    return error{errc::corrupt_snapshot, "a payload that decodes", payload.error().message()};
}

/// The record of a slot, bit for bit. Errors: as decode_payload.
template <class Record, class Payload, class Id, class Rows>
[[nodiscard]] result<Record> decode_record(Rows const& rows, slot s, std::size_t dim) {
    auto payload = decode_payload<Payload>(rows, s);
    VICINAL_CHECK(payload);
    auto const vectors = rows.vectors().reader();
    auto const* vector = vectors.template row_as<typename Rows::element>(s);
    return Record{Id(rows.id(s)), {vector, vector + dim}, std::move(*payload)};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
