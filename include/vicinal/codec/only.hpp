// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_ONLY_HPP
#define VICINAL_CODEC_ONLY_HPP

#include <vicinal/codec/concept.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// What `only` wants of a codec for a metric: codes of floats that can be decoded.
///
/// * `decode_row(code, out)`: the vector that a code stands for, dim floats.
/// * `encodes(vector)`: whether the vector has a code that says anything.
/// * Of a codec that learns from rows: `trains_from`, how many it wants; `fit(rows, row)`, a model
///   of as many vectors, of which row(i) is one until the next is asked for; `put_model(numbers)`,
///   false where they are no model; an empty one is that of a codec that has learnt nothing.
template <class B>
concept decodable = bound<B> && !B::reads_rows && std::same_as<typename B::element, float> &&
                    requires(B const& b, float const* v, std::byte const* code, float* out) {
    { b.row_bytes() } -> std::same_as<std::size_t>;
    { b.decode_row(code, out) }
    noexcept;
    { b.encodes(v) }
    noexcept->std::same_as<bool>;
};

/// Whether a codec learns from rows before there are codes of them.
template <class B>
concept trained = requires(B& b, std::span<float const> numbers) {
    { B::trains_from } -> std::convertible_to<std::size_t>;
    { b.put_model(numbers) } -> std::same_as<bool>;
};

/// Whether rows are codes alone, with no vectors beside them.
template <class B>
concept alone = requires {
    requires B::stands_alone;
};

namespace detail {

/// "only<" + name + ">"
template <class Codec>
inline constexpr auto only_name = [] {
    constexpr std::string_view front = "only<";
    std::array<char, front.size() + Codec::name.size() + 1> text{};
    auto* at = std::copy(front.begin(), front.end(), text.begin());
    at = std::copy(Codec::name.begin(), Codec::name.end(), at);
    *at = '>';
    return text;
}();

} // namespace detail

/// A codec whose codes are all that a store keeps of its vectors: the small store.
///
/// Every distance is then that of the query to what the codes stand for, and says so
/// (`hit.estimated`); `get` fails with vector_not_kept, and `reconstruct` gives the decoded vector,
/// under cosine its direction. A codec that learns from rows keeps the vectors until there are
/// enough of them, which are encoded then. Memory: the codes of Codec, and nothing beside them.
template <model Codec>
struct only {
    static constexpr std::string_view name{detail::only_name<Codec>.data(),
                                           detail::only_name<Codec>.size()};

    template <class Metric>
    class of : public Codec::template of<Metric> {
        using base = typename Codec::template of<Metric>;

    public:
        using base::base;
        static constexpr bool stands_alone = true;
    };
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
