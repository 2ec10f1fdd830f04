// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PCA_DIRECTIONS_HPP
#define VICINAL_CODEC_PCA_DIRECTIONS_HPP

#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

/// The directions in which vectors differ most: the space of the first eigenvectors of their
/// covariance, by subspace iteration from a start that is always the same.
///
/// Within that space any axes give the same distances. Those of the eigenvectors would have most
/// of a vector in a few elements, which codes of one scale a vector lose most of; so they are
/// turned among themselves until each holds about as much.
/// Source: Rutishauser, "Simultaneous iteration method for symmetric matrices", Numerische
/// Mathematik 1970; Halko, Martinsson & Tropp, "Finding structure with randomness", SIAM Review
/// 2011.
namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

/// out[j] = the product of x with row j of `rows`, each of n elements.
inline void pca_products(float const* x, float const* rows, std::size_t count, std::size_t n,
                         float* out) noexcept {
    auto const negated = metric::inner_product::bind(x, n);
    std::size_t j = 0;
    for (; j + 4 <= count; j += 4) {
        float const* const four[4] = {rows + j * n, rows + (j + 1) * n, rows + (j + 2) * n,
                                      rows + (j + 3) * n};
        negated.four(four, out + j);
    }
    for (; j < count; ++j) out[j] = negated(rows + j * n);
    for (j = 0; j < count; ++j) out[j] = -out[j];
}

/// Rows of `dim` elements that are orthogonal to each other and of norm 1.
class pca_basis {
public:
    /// A start that is neither parallel nor orthogonal to anything in particular.
    pca_basis(std::size_t count, std::size_t dim)
        : count_(count), dim_(dim), rows_(count * dim), next_(count * dim) {
        for (std::size_t i = 0; i < rows_.size(); ++i)
            rows_[i] = (vicinal::detail::mix(i + 1) >> 32 & 1) != 0 ? 1.0F : -1.0F;
        straighten();
    }

    /// Each row times a symmetric matrix of dim x dim elements.
    void multiply(std::vector<float> const& matrix) {
        for (std::size_t i = 0; i < count_; ++i)
            pca_products(row(i), matrix.data(), dim_, dim_, next_.data() + i * dim_);
        rows_.swap(next_);
    }
    /// Makes rows orthogonal again, the first ones changing least. One that is nearly made of those
    /// before it gives way to an axis that is not.
    void straighten() noexcept {
        std::size_t axis = 0;
        for (std::size_t i = 0; i < count_; ++i)
            while (!straighten(i)) {
                std::fill_n(row(i), dim_, 0.0F);
                row(i)[axis++] = 1;
            }
    }
    /// Rotates them among themselves.
    void turn() {
        sq8_rotation const rotation(count_);
        std::vector<float> column(count_);
        for (std::size_t j = 0; j < dim_; ++j) {
            for (std::size_t i = 0; i < count_; ++i) column[i] = rows_[i * dim_ + j];
            rotation(column.data());
            for (std::size_t i = 0; i < count_; ++i) rows_[i * dim_ + j] = column[i];
        }
    }
    [[nodiscard]] std::vector<float> take() noexcept { return std::move(rows_); }

private:
    [[nodiscard]] float* row(std::size_t i) noexcept { return rows_.data() + i * dim_; }

    /// False where next to nothing is left of row i. An axis that is half of one is taken: there is
    /// always one of which 1 / dim is left.
    [[nodiscard]] bool straighten(std::size_t i) noexcept {
        auto const dot = simd::exact_dot::get();
        double const before = dot(row(i), row(i), dim_);
        double left = before;
        // Once more, for what the first time lost to rounding.
        for (int round = 0; round < 2; ++round) {
            for (std::size_t j = 0; j < i; ++j) {
                auto const part = static_cast<float>(dot(row(i), row(j), dim_));
                float* const x = row(i);
                float const* const y = row(j);
                for (std::size_t n = 0; n < dim_; ++n) x[n] -= part * y[n];
            }
            left = dot(row(i), row(i), dim_);
        }
        if (!(left > before * 1e-8 && left > 0x1p-120)) return false;
        auto const inverse = static_cast<float>(1 / std::sqrt(left));
        for (std::size_t n = 0; n < dim_; ++n) row(i)[n] *= inverse;
        return true;
    }

    std::size_t count_;
    std::size_t dim_;
    std::vector<float> rows_;
    std::vector<float> next_;
};

} // namespace detail

/// `count` directions of `dim` elements, count <= dim, one behind the other: the main ones of
/// `seen` vectors, of which element j of vector i is columns[j seen + i]. Takes 4 dim^2 bytes of
/// memory, and about seen dim^2 / 2 + 6 count dim^2 multiply-adds.
[[nodiscard]] inline std::vector<float> pca_directions(std::size_t count, std::size_t dim,
                                                       std::size_t seen,
                                                       std::vector<float> const& columns) {
    std::vector<float> covariance(dim * dim);
    for (std::size_t j = 0; j < dim; ++j)
        detail::pca_products(columns.data() + j * seen, columns.data() + j * seen, dim - j, seen,
                             covariance.data() + j * dim + j);
    double trace = 0;
    for (std::size_t j = 0; j < dim; ++j) trace += covariance[j * dim + j];
    // So that nothing leaves float, whatever the elements' unit is.
    auto const scale = static_cast<float>(trace > 0 ? 1 / trace : 0.0);
    for (std::size_t j = 0; j < dim; ++j)
        for (std::size_t i = j; i < dim; ++i)
            covariance[i * dim + j] = covariance[j * dim + i] *= scale;
    detail::pca_basis basis(count, dim);
    for (int round = 0; round < 3; ++round) {
        basis.multiply(covariance);
        basis.multiply(covariance);
        basis.straighten();
    }
    basis.turn();
    return basis.take();
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
