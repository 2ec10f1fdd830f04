// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_COSINE_HPP
#define VICINAL_METRIC_COSINE_HPP

#include <vicinal/metric/element.hpp>

#include <cmath>
#include <limits>

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

/// 1 less the cosine, from sums in double.
[[nodiscard]] inline float cosine_distance(double dot, double square, double other) noexcept {
    double const distance = 1 - dot / std::sqrt(square * other);
    return static_cast<float>(distance < 0 ? 0 : distance);
}

/// A query and its angle with each row, in float; in double where float does not reach.
template <class T>
class angle_scorer {
public:
    using kernels = simd::dot_and_row_square<T>;

    angle_scorer(T const* query, std::size_t dim) noexcept
        : one_(kernels::one::get()), four_(kernels::four::get()), query_(query), dim_(dim) {
        // A query outside that range has all its distances in double: its products with
        // ordinary rows leave float as well. NaN sends each of them there.
        float const square = simd::dot_product<T>::one::get()(query, query, dim);
        inverse_ =
            in_range(square) ? 1 / std::sqrt(square) : std::numeric_limits<float>::quiet_NaN();
    }

    [[nodiscard]] float operator()(T const* row) const noexcept {
        return distance(one_(query_, row, dim_), row);
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        simd::dot_and_square sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i) out[i] = distance(sums[i], rows[i]);
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        auto const dot = simd::exact_dot_of<T>::get();
        return cosine_distance(dot(a, b, dim), dot(a, a, dim), dot(b, b, dim));
    }

private:
    [[nodiscard]] float distance(simd::dot_and_square const& s, T const* row) const noexcept {
        float const angle = 1 - s.dot * inverse_ / std::sqrt(s.square);
        // Norms outside the range of float, and sums that overflowed or cancelled: in double.
        if (!in_range(s.square) || !(angle >= -1 && angle <= 3)) [[unlikely]]
            return exact(query_, row, dim_);
        return angle;
    }
    /// Neither overflowed nor so small that bits were lost; false for NaN.
    [[nodiscard]] static bool in_range(float square) noexcept {
        return square >= (std::numeric_limits<float>::min)() * 1e6F &&
               square <= (std::numeric_limits<float>::max)();
    }

    typename kernels::one::function one_;
    typename kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
    float inverse_;
};

/// A query and its exact distance from each row: the same bits as `exact`, the query's own square
/// taken once.
template <class T>
class exact_angle_scorer {
public:
    exact_angle_scorer(T const* query, std::size_t dim) noexcept
        : sums_(simd::exact_dot_and_row_square_of<T>::get()), query_(query), dim_(dim),
          square_(simd::exact_dot_of<T>::get()(query, query, dim)) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        auto const s = sums_(query_, row, dim_);
        return cosine_distance(s.dot, square_, s.square);
    }

private:
    typename simd::exact_dot_and_row_square_of<T>::function sums_;
    T const* query_;
    std::size_t dim_;
    double square_;
};
/// The same over bytes: the sums are exact integers, and so are all forms of the distance.
template <byte_element T>
class angle_scorer<T> {
public:
    using kernels = simd::integer_product_and_square<T>;

    angle_scorer(T const* query, std::size_t dim) noexcept
        : one_(kernels::one::get()), four_(kernels::four::get()), query_(query), dim_(dim),
          square_(static_cast<double>(simd::in_parts(one_, query, query, dim).square)) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        auto const s = simd::in_parts(one_, query_, row, dim_);
        return cosine_distance(static_cast<double>(s.dot), square_, static_cast<double>(s.square));
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        if (dim_ > simd::integer_part) {
            for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
            return;
        }
        simd::integer_dot_and_square sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i)
            out[i] = cosine_distance(static_cast<double>(sums[i].dot), square_,
                                     static_cast<double>(sums[i].square));
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        return angle_scorer(a, dim)(b);
    }

private:
    typename kernels::one::function one_;
    typename kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
    double square_;
};

/// Over bytes the fast sums are exact.
template <byte_element T>
class exact_angle_scorer<T> : public angle_scorer<T> {
    using angle_scorer<T>::angle_scorer;
};

} // namespace detail

/// Cosine distance: 1 - a.b / (|a| |b|), from 0 (same direction) to 2 (opposite).
///
/// Vectors are kept as they came, not normalised, so that `get` gives back every bit; the row's
/// norm comes out of the same pass as the product, which memory dominates. Zero vectors have no
/// direction and are refused by the store. Cost: 2 dim multiply-adds.
template <element_type T>
struct basic_cosine {
    using value_type = T;
    static constexpr std::string_view name = "cosine";
    static constexpr bool needs_direction = true;

    using scorer = detail::angle_scorer<T>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        return scorer::exact(a, b, dim);
    }
    [[nodiscard]] static auto bind_exact(T const* query, std::size_t dim) noexcept {
        return detail::exact_angle_scorer<T>(query, dim);
    }
    /// The cosine itself, from 1 to -1.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 - distance; }
};

using cosine = basic_cosine<float>;

static_assert(model<cosine>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
