// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_DECODE_RECORD_HPP
#define VICINAL_STORE_DECODE_RECORD_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Slots as the records that users see.
namespace vicinal::inline VICINAL_ABI::detail {

/// The payload of a slot. Errors: corrupt_snapshot, where it does not decode; out_of_memory.
template <class Payload, class Rows>
[[nodiscard]] result<typename Payload::value_type> decode_payload(Rows const& rows, slot s) {
    auto payload = Payload::decode(rows.payload(s));
    if (payload || payload.error().code() == errc::out_of_memory) return payload;
    return error{errc::corrupt_snapshot, "a payload that decodes", payload.error().message()};
}

/// The vector of a slot, or what its codes stand for where the store keeps no vectors.
template <class Rows>
[[nodiscard]] std::vector<typename Rows::element> decode_vector(Rows const& rows, slot s,
                                                                std::size_t dim) {
    auto const vectors = rows.vectors().reader();
    auto const* vector = vectors.template row_as<typename Rows::element>(s);
    return {vector, vector + dim};
}

/// The record of a slot with such a vector. Errors: as decode_payload.
template <class Record, class Payload, class Id, class Rows>
[[nodiscard]] result<Record> reconstruct_record(Rows const& rows, slot s, std::size_t dim) {
    auto payload = decode_payload<Payload>(rows, s);
    VICINAL_CHECK(payload);
    return Record{Id(rows.id(s)), decode_vector(rows, s, dim), std::move(*payload)};
}

/// What a store of codes says to a call that gives vectors as they came.
[[nodiscard]] inline error vector_not_kept(std::string_view codec) {
    return error{errc::vector_not_kept, "a store that keeps its vectors",
                 "one of " + std::string(codec) + ": reconstruct() gives the decoded vector"};
}

/// The record of a slot, bit for bit. Errors: as decode_payload; vector_not_kept.
template <class Record, class Payload, class Id, class Rows>
[[nodiscard]] result<Record> decode_record(Rows const& rows, slot s, std::size_t dim) {
    if constexpr (Rows::keeps_vectors)
        return reconstruct_record<Record, Payload, Id>(rows, s, dim);
    else
        return vector_not_kept(Rows::codec_name);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
