// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_ONLY_HPP
#define VICINAL_CODEC_ONLY_HPP

#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/sq8/frame.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
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

/// Whether there is no code before it has.
template <class B>
concept needs_model = trained<B> && requires {
    requires B::needs_model;
};

/// Whether rows are codes alone, with no vectors beside them.
template <class B>
concept alone = requires {
    requires B::stands_alone;
};

namespace detail {

template <class B>
concept has_frame = requires(B const& b) {
    { b.frame() } -> std::same_as<sq8_frame const&>;
};

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
    template <class Metric>
        requires detail::has_frame<typename Codec::template of<Metric>>
    class of<Metric> : public Codec::template of<Metric> {
        using base = typename Codec::template of<Metric>;

    public:
        using base::base;
        static constexpr bool stands_alone = true;

        /// What is learnt is the frame. Its numbers: none of an empty one; else 1, or 2 for a
        /// rotated one, as the bits of a u32, and the mean.
        static constexpr std::size_t trains_from = 1000;
        template <class Row>
        [[nodiscard]] result<std::vector<float>> fit(std::size_t rows, Row const& row) const {
            auto const frame = this->fitting_frame(rows, row);
            std::vector<float> numbers;
            if (frame.empty()) return numbers;
            numbers.push_back(std::bit_cast<float>(std::uint32_t{frame.rotated() ? 2U : 1U}));
            numbers.insert(numbers.end(), frame.mean().begin(), frame.mean().end());
            return numbers;
        }
        [[nodiscard]] bool put_model(std::span<float const> numbers) {
            if (numbers.empty()) {
                this->put({});
                return true;
            }
            auto const kind = std::bit_cast<std::uint32_t>(numbers[0]);
            auto const mean = numbers.subspan(1);
            if (mean.size() != this->dim() || (kind != 1 && kind != 2)) return false;
            for (auto const m : mean)
                if (!std::isfinite(m)) return false;
            this->put({{mean.begin(), mean.end()}, kind == 2});
            return true;
        }
    };
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
