// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_CONCEPT_HPP
#define VICINAL_CODEC_CONCEPT_HPP

#include <vicinal/metric/squared_l2.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>

/// The form in which an index reads a vector while it walks.
namespace vicinal::inline VICINAL_ABI::codec {

/// What a codec makes of one metric.
///
/// * `query(vector)`: the query in the codec's form; `query(code)` of it is a distance. Valid while
///   the vector and the codec live. Encoding may take memory; scoring takes none and can't fail.
/// * `between(code)`: the same for a stored row's code in the place of the query; a graph is built
///   with it. It takes no memory, and the code must stay in place.
/// * `query(vector).four(codes, out)`, where it has it: the distances of four codes at once.
/// * `query(vector).at_least(code, distance)`, where it has it: what the distance of the vectors is
///   at least, given that of the codes.
///
/// Codes are bytes: row i of the column that the codec reads. A codec whose `reads_rows` is true
/// has no column of its own: its codes are the vectors themselves. Another has `row_bytes()`, the
/// size of a code, and `encode_row(vector, code)`.
template <class B>
concept bound = requires(B const& b, float const* v, std::byte const* code,
                         decltype(b.query(v)) const& query,
                         decltype(b.between(code)) const& between) {
    { B::reads_rows } -> std::convertible_to<bool>;
    { query(code) }
    noexcept->std::same_as<float>;
    { between(code) }
    noexcept->std::same_as<float>;
};

/// A codec policy: a name, which files carry, and `of<Metric>`, the codec for that metric.
template <class C>
concept model = requires {
    { C::name } -> std::convertible_to<std::string_view>;
    requires bound<typename C::template of<metric::squared_l2>>;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
