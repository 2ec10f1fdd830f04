// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_CONCEPT_HPP
#define VICINAL_METRIC_CONCEPT_HPP

#include <vicinal/core/config.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>
#include <type_traits>

/// What "near" means. Smaller is nearer, always.
namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

template <class F>
struct first_argument;
template <class R, class T>
struct first_argument<R (*)(T const*, T const*, std::size_t)> {
    using type = T;
};
template <class R, class T>
struct first_argument<R (*)(T const*, T const*, std::size_t) noexcept> {
    using type = T;
};

template <class M>
struct element {};
template <class M>
    requires requires { typename M::value_type; }
struct element<M> {
    using type = typename M::value_type;
};
template <class M>
    requires(
        !requires { typename M::value_type; } && requires { &M::distance; })
struct element<M> : first_argument<decltype(&M::distance)> {};

} // namespace detail

/// The element type of a metric's vectors.
template <class M>
using element_of = typename detail::element<M>::type;

/// A user's own metric: a struct with one function,
///
///     static float distance(float const* a, float const* b, std::size_t dim);
///
/// smaller is nearer, symmetric, never NaN, safe to call from several threads. Stores that live in
/// files also want a name that tells it from others: `static constexpr std::string_view name`.
template <class M>
concept custom = requires(element_of<M> const* p, std::size_t n) {
    { M::distance(p, p, n) } -> std::convertible_to<float>;
};

/// A metric of the library's: binds a query once, so that the kernel for this CPU is chosen once.
///
/// * `bind(query, dim)(row)`: float, at full speed; last bits depend on the instruction set.
/// * `bind(query, dim).four(rows, out)`, where it has one: the distances of four rows at once.
/// * `bind(query, dim).block(rows, count, out)`, where it has one: those of rows that lie one
/// behind
///   the other.
/// * `exact(query, row, dim)`: float, the same bits everywhere: what the user sees.
/// * `bind_exact(query, dim)(row)`, where a part of it belongs to the query alone: the same.
template <class M>
concept built_in = requires(element_of<M> const* p, std::size_t n) {
    { M::bind(p, n)(p) }
    noexcept->std::same_as<float>;
    { M::exact(p, p, n) }
    noexcept->std::same_as<float>;
    { M::similarity(0.0F) } -> std::same_as<float>;
    { M::name } -> std::convertible_to<std::string_view>;
};

/// A metric policy.
template <class M>
concept model = built_in<M> || custom<M>;

/// The name written into files; empty for a metric that has none.
template <model M>
[[nodiscard]] constexpr std::string_view name_of() noexcept {
    if constexpr (requires { M::name; })
        return M::name;
    else
        return {};
}

/// Whether a vector must have a direction, as under cosine: zero vectors are then refused.
template <model M>
inline constexpr bool needs_direction = requires {
    requires M::needs_direction;
};

/// A distance that has a place in an order: NaN, which only a damaged row or a metric that breaks
/// its promise gives, becomes infinity. Sorting NaN would be undefined behaviour.
[[nodiscard]] VICINAL_ALWAYS_INLINE float ordered(float distance) noexcept {
    return distance == distance ? distance : std::numeric_limits<float>::infinity();
}

namespace detail {

/// A metric's own scorer, whose NaN become infinity.
template <class Scorer, class T>
struct ordered_scorer {
    Scorer distance;

    [[nodiscard]] float operator()(T const* row) const noexcept { return ordered(distance(row)); }
    void four(T const* const* rows, float* out) const noexcept requires requires(Scorer const& s) {
        s.four(rows, out);
    }
    {
        distance.four(rows, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = ordered(out[i]);
    }
    void block(T const* rows, std::size_t count, float* out) const noexcept requires
        requires(Scorer const& s) {
        s.block(rows, count, out);
    }
    {
        distance.block(rows, count, out);
        for (std::size_t i = 0; i < count; ++i) out[i] = ordered(out[i]);
    }
};

} // namespace detail

/// A query bound to a metric: `scorer(row)` is the distance at full speed, never NaN;
/// `scorer.four(rows, out)`, where the metric has it, the distances of four rows, and
/// `scorer.block(rows, count, out)` those of rows one behind the other. The query must outlive it.
template <model M>
[[nodiscard]] auto bind(element_of<M> const* query, std::size_t dim) noexcept {
    if constexpr (built_in<M>) {
        return detail::ordered_scorer<decltype(M::bind(query, dim)), element_of<M>>{
            M::bind(query, dim)};
    } else {
        struct scorer {
            element_of<M> const* query;
            std::size_t dim;
            float operator()(element_of<M> const* row) const {
                return ordered(static_cast<float>(M::distance(query, row, dim)));
            }
        };
        return scorer{query, dim};
    }
}

/// The distance that users see: the same bits on every instruction set, never NaN.
template <model M>
[[nodiscard]] float exact(element_of<M> const* query, element_of<M> const* row, std::size_t dim) {
    if constexpr (built_in<M>)
        return ordered(M::exact(query, row, dim));
    else
        return ordered(static_cast<float>(M::distance(query, row, dim)));
}

/// The same for one query and many rows: `scorer(row)`. The query must outlive it.
template <model M>
[[nodiscard]] auto bind_exact(element_of<M> const* query, std::size_t dim) {
    if constexpr (requires { M::bind_exact(query, dim); }) {
        return detail::ordered_scorer<decltype(M::bind_exact(query, dim)), element_of<M>>{
            M::bind_exact(query, dim)};
    } else {
        return [query, dim](element_of<M> const* row) { return exact<M>(query, row, dim); };
    }
}

/// The usual similarity for a distance; the negated distance where the metric names none.
template <model M>
[[nodiscard]] float similarity(float distance) {
    if constexpr (requires { M::similarity(distance); })
        return static_cast<float>(M::similarity(distance));
    else
        return -distance;
}

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
