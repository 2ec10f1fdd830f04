// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_OPQ_ROTATION_HPP
#define VICINAL_CODEC_OPQ_ROTATION_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Writes the rotated vector: element i is the product of row i of the rotation with it. Where
/// there is no rotation yet, the vector itself.
inline void rotate(std::span<float const> rotation, float const* vector, std::size_t dim,
                   float* out) noexcept {
    if (rotation.empty()) {
        std::copy_n(vector, dim, out);
        return;
    }
    auto const dot = simd::exact_dot::get();
    for (std::size_t i = 0; i < dim; ++i)
        out[i] = static_cast<float>(dot(rotation.data() + i * dim, vector, dim));
}

/// Finds the rotation in which a product codec loses least, and that codec's centres.
///
/// Begins with the principal directions, shared out among the parts so that the products of their
/// variances are alike; then turns about: centres for the rotated rows, and the rotation that
/// brings rows nearest to what their codes stand for.
///
/// Decompositions works on dim x dim doubles, row by row:
///
/// * `cross(a, b, rows, dim, matrix)` makes it A^T B of two times so many rows of floats.
/// * `principal(matrix, dim, values) -> bool` puts the eigenvectors of a symmetric matrix into its
///   rows and their values, the largest first, into `values`.
/// * `nearest_rotation(matrix, dim) -> bool` replaces a matrix U S V^T by U V^T.
///
/// The last two are false where the numbers admit of none.
template <class Decompositions, class Coded>
class rotation_fit {
public:
    rotation_fit(std::size_t dim, std::size_t parts) : dim_(dim), parts_(parts) {}

    /// The rotation, row by row, and the codec's model behind it. Errors: not_finite, and those of
    /// the codec.
    template <class Row>
    [[nodiscard]] result<std::vector<float>> operator()(std::size_t rows, Row const& row) {
        auto const seen =
            (std::min)({rows, std::size_t{16384},
                        (std::max)((std::size_t{1} << 22) / dim_, Coded::trains_from)});
        // Of those whose squares add up.
        std::size_t usable = 0;
        sample_.resize(seen * dim_);
        for (std::size_t i = 0; i < seen; ++i) {
            float const* const x = row(i * rows / seen);
            if (!(simd::exact_dot::get()(x, x, dim_) < 1e30)) continue;
            std::copy_n(x, dim_, sample_.data() + usable++ * dim_);
        }
        sample_.resize(usable * dim_);
        auto const unsound = error{errc::not_finite, "vectors that a rotation can be learnt from",
                                   "elements beyond its range"};
        if (usable == 0 || !begin()) return unsound;
        Coded codec(dim_);
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < usable; ++i)
                rotate(rotation_, sample_.data() + i * dim_, dim_, turned_.data() + i * dim_);
            auto const centres =
                codec.fit(usable, [&](std::size_t i) { return turned_.data() + i * dim_; });
            VICINAL_CHECK(centres);
            if (!codec.put_model(*centres) || !improve(codec)) return unsound;
        }
        auto const centres = codec.fit(rows, [&](std::size_t i) {
            rotate(rotation_, row(i), dim_, turned_.data());
            return turned_.data();
        });
        VICINAL_CHECK(centres);
        rotation_.insert(rotation_.end(), centres->begin(), centres->end());
        return std::move(rotation_);
    }

private:
    static constexpr std::size_t rounds = 8;

    /// The principal directions, each for the part that has room and the least product so far.
    [[nodiscard]] bool begin() {
        std::vector<double> mean(dim_), spread(dim_ * dim_), values(dim_);
        for (std::size_t i = 0; i < sample_.size(); ++i) mean[i % dim_] += double{sample_[i]};
        auto const n = static_cast<double>(sample_.size() / dim_);
        turned_.resize(sample_.size());
        for (std::size_t i = 0; i < sample_.size(); ++i)
            turned_[i] = static_cast<float>(double{sample_[i]} - mean[i % dim_] / n);
        Decompositions::cross(turned_.data(), turned_.data(), sample_.size() / dim_, dim_,
                              spread.data());
        for (auto const s : spread)
            if (!std::isfinite(s)) return false;
        if (!Decompositions::principal(spread.data(), dim_, values)) return false;
        auto const first = [&](std::size_t p) { return p * dim_ / parts_; };
        std::vector<double> logs(parts_);
        std::vector<std::size_t> taken(parts_);
        rotation_.resize(dim_ * dim_);
        for (std::size_t d = 0; d < dim_; ++d) {
            auto best = parts_;
            for (std::size_t p = 0; p < parts_; ++p)
                if (taken[p] < first(p + 1) - first(p) && (best == parts_ || logs[p] < logs[best]))
                    best = p;
            auto* const to = rotation_.data() + (first(best) + taken[best]++) * dim_;
            for (std::size_t j = 0; j < dim_; ++j) to[j] = static_cast<float>(spread[d * dim_ + j]);
            logs[best] += std::log((std::max)(values[d], values[0] * 1e-12) + 1e-300);
        }
        return true;
    }

    /// The rotation R for which the sum of |R x - c(x)|^2 is least, where c(x) is what x's code
    /// stands for: of M = sum of c(x) x^T, U V^T.
    [[nodiscard]] bool improve(Coded const& codec) {
        std::vector<double> m(dim_ * dim_);
        std::vector<std::byte> code(Coded::row_bytes());
        std::vector<float> scratch(codec.scratch());
        for (std::size_t i = 0; i < sample_.size(); i += dim_) {
            codec.encode_row(turned_.data() + i, code.data(), scratch.data());
            codec.decode_row(code.data(), turned_.data() + i);
        }
        Decompositions::cross(turned_.data(), sample_.data(), sample_.size() / dim_, dim_,
                              m.data());
        for (auto const x : m)
            if (!std::isfinite(x)) return false;
        if (!Decompositions::nearest_rotation(m.data(), dim_)) return false;
        for (std::size_t i = 0; i < m.size(); ++i) rotation_[i] = static_cast<float>(m[i]);
        return true;
    }

    std::size_t dim_;
    std::size_t parts_;
    std::vector<float> sample_;
    /// The same rotated, or what their codes stand for.
    std::vector<float> turned_;
    std::vector<float> rotation_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
