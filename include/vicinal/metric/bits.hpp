// SPDX-License-Identifier: MIT
#ifndef VICINAL_METRIC_BITS_HPP
#define VICINAL_METRIC_BITS_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/simd/bit_sums.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::metric::detail {

/// A query of packed bits and its distance to rows: what hamming and jaccard are made of. Bit i is
/// in byte i / 8 from the lowest on; `dim` counts bits, and those behind the last are not looked
/// at.
///
/// Kernels count something of two rows of bytes; a Total takes counts in by `add` and makes a
/// `distance()` of them.
template <class Kernels, class Total>
class bit_scorer {
public:
    bit_scorer(std::uint8_t const* query, std::size_t dim) noexcept
        : one_(Kernels::one::get()), four_(Kernels::four::get()), query_(query), whole_(dim / 8),
          mask_(static_cast<std::uint8_t>((1U << (dim % 8)) - 1U)) {}

    [[nodiscard]] float operator()(std::uint8_t const* row) const noexcept {
        Total total;
        std::size_t at = 0;
        for (; whole_ - at > part; at += part) total.add(one_(query_ + at, row + at, part));
        total.add(one_(query_ + at, row + at, whole_ - at));
        add_last(total, row);
        return total.distance();
    }
    /// The distances of four rows, wherever they lie.
    void four(std::uint8_t const* const* rows, float* out) const noexcept {
        if (whole_ > part) {
            for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
            return;
        }
        typename Kernels::result counts[4];
        four_(query_, rows, whole_, counts);
        for (std::size_t i = 0; i < 4; ++i) {
            Total total;
            total.add(counts[i]);
            add_last(total, rows[i]);
            out[i] = total.distance();
        }
    }

private:
    /// The byte that is in use up to some bit of it.
    void add_last(Total& total, std::uint8_t const* row) const noexcept {
        if (mask_ == 0) return;
        auto const a = static_cast<std::uint8_t>(query_[whole_] & mask_);
        auto const b = static_cast<std::uint8_t>(row[whole_] & mask_);
        total.add(one_(&a, &b, 1));
    }

    /// Bytes that a kernel takes at once.
    static constexpr std::size_t part = 65536;

    typename Kernels::one::function one_;
    typename Kernels::four::function four_;
    std::uint8_t const* query_;
    /// Bytes that are in use to the last bit, and the bits in use of the one behind them.
    std::size_t whole_;
    std::uint8_t mask_;
};

} // namespace vicinal::inline VICINAL_ABI::metric::detail

#endif
