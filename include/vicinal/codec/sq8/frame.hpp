// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_SQ8_FRAME_HPP
#define VICINAL_CODEC_SQ8_FRAME_HPP

#include <vicinal/codec/sq8/encoding.hpp>
#include <vicinal/codec/sq8/rotation.hpp>
#include <vicinal/simd/exact_sums.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// The place and the axes from which vectors are encoded: x becomes R (x - mean).
///
/// Codes have one scale a vector. Where all vectors lie far from 0, or a few elements are much
/// larger than the others, nearly all of the scale is spent on what the vectors have in common or
/// on those few. Neither moving nor rotating changes a distance, and codes of what comes out of
/// them lose less. An empty frame, which suits most data, leaves vectors as they are.
/// Source: the mean as in Aguerrebere et al., "Similarity search in the blink of an eye with
/// compressed indices", VLDB 2023; the rotation as in Gao & Long, "RaBitQ", SIGMOD 2024.
class sq8_frame {
public:
    sq8_frame() = default;
    /// mean: dim elements, all finite.
    sq8_frame(std::vector<float> mean, bool rotated) : mean_(std::move(mean)), rotated_(rotated) {
        if (rotated_) rotation_ = sq8_rotation(mean_.size());
        mean_square_ = simd::exact_dot::get()(mean_.data(), mean_.data(), mean_.size());
    }

    [[nodiscard]] bool empty() const noexcept { return mean_.empty(); }
    [[nodiscard]] std::span<float const> mean() const noexcept { return mean_; }
    [[nodiscard]] bool rotated() const noexcept { return rotated_; }
    [[nodiscard]] double mean_square() const noexcept { return mean_square_; }
    [[nodiscard]] double product_with_mean(float const* x) const noexcept {
        return simd::exact_dot::get()(x, mean_.data(), mean_.size());
    }

    /// R (x multiplier - mean), of a frame that is not empty; without the mean for the query of an
    /// inner product.
    void apply(float const* x, double multiplier, bool centred, float* out) const noexcept {
        for (std::size_t i = 0; i < mean_.size(); ++i)
            out[i] = static_cast<float>(x[i] * multiplier - (centred ? double{mean_[i]} : 0.0));
        if (rotated_) rotation_(out);
    }
    /// What apply() with the mean has made of x, back to x, in its place.
    void restore(float* x) const noexcept {
        if (rotated_) rotation_.undo(x);
        for (std::size_t i = 0; i < mean_.size(); ++i) x[i] += mean_[i];
    }
    /// Adds to the error of encoded vectors what apply() has lost before. A multiplier that is not
    /// exact is that of a direction, whose norm is 1.
    void widen(sq8_factors& f, bool direction) const noexcept {
        if (!f.usable()) return;
        double const norm = double{f.scale} * std::sqrt(double{1} * f.square_sum) + f.error;
        double const lost = norm * (rotated_ ? 0x1p-17 : 0x1p-23) + (direction ? 0x1p-39 : 0);
        f.error = static_cast<float>((f.error + lost) * (1 + 0x1p-20));
    }

private:
    std::vector<float> mean_;
    bool rotated_ = false;
    double mean_square_ = 0;
    sq8_rotation rotation_;
};

/// What the product of a query with the mean is: rows' codes leave it out of an inner product.
struct sq8_shift {
    double value = 0;
    /// At least what rounding adds to or takes from it, and from the exact product.
    double slack = 0;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
