// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_PQ_SCORE_HPP
#define VICINAL_CODEC_PQ_SCORE_HPP

#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::codec {

/// Where the parts of a vector lie, and the numbers of their centres in a row.
template <std::size_t SubVectors, unsigned Bits>
struct pq_parts {
    static constexpr std::size_t centres = std::size_t{1} << Bits;
    static constexpr std::size_t bytes = (SubVectors * Bits + 7) / 8;

    std::size_t dim;

    /// The first element of part p; that of part SubVectors is dim.
    [[nodiscard]] std::size_t first(std::size_t p) const noexcept { return p * dim / SubVectors; }
    [[nodiscard]] std::size_t width(std::size_t p) const noexcept {
        return first(p + 1) - first(p);
    }
    /// Centre c of part p, among all: those of a part lie one behind the other.
    [[nodiscard]] float const* centre(float const* all, std::size_t p,
                                      std::size_t c) const noexcept {
        return all + centres * first(p) + c * width(p);
    }

    /// Of 4 bits, part 2 i is in the low half of byte i.
    [[nodiscard]] static std::size_t get(std::byte const* row, std::size_t p) noexcept {
        if constexpr (Bits == 8) return std::to_integer<std::size_t>(row[p]);
        return std::to_integer<std::size_t>(row[p / 2] >> (p % 2 * 4)) & 15;
    }
    static void put(std::byte* row, std::size_t p, std::uint32_t number) noexcept {
        if constexpr (Bits == 8)
            row[p] = static_cast<std::byte>(number);
        else
            row[p / 2] |= static_cast<std::byte>(number << (p % 2 * 4));
    }
};

/// How many candidates of a walk are compared by their vectors for k neighbours.
template <unsigned Bits>
[[nodiscard]] constexpr std::size_t pq_compared(std::size_t k, std::size_t candidates) noexcept {
    return Bits == 8 ? (std::min)(3 * k + 10, candidates) : candidates;
}

/// Distances of a query from what codes stand for, by a table of those to all centres.
template <std::size_t SubVectors, unsigned Bits>
class pq_table {
    using parts = pq_parts<SubVectors, Bits>;

public:
    /// turned: the centres of each part, element by element, so that those of one element lie side
    /// by side. add(x, y): what two elements add to a distance. Takes memory.
    template <class Add>
    pq_table(parts const& split, float const* turned, float const* query, Add const& add)
        : table_(SubVectors * parts::centres) {
        for (std::size_t p = 0; p < SubVectors; ++p) {
            auto* const sums = table_.data() + p * parts::centres;
            for (auto i = split.first(p); i < split.first(p + 1); ++i) {
                float const x = query[i];
                float const* const y = turned + i * parts::centres;
                for (std::size_t c = 0; c < parts::centres; ++c) sums[c] += add(x, y[c]);
            }
        }
    }

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        // Two sums, as in four(), so that both round alike.
        float even = 0;
        float odd = 0;
        auto const* t = table_.data();
        for (std::size_t p = 0; p + 1 < SubVectors; p += 2, t += 2 * parts::centres) {
            even += t[parts::get(row, p)];
            odd += t[parts::centres + parts::get(row, p + 1)];
        }
        if constexpr (SubVectors % 2 == 1) even += t[parts::get(row, SubVectors - 1)];
        return metric::ordered(even + odd);
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        float even[4] = {};
        float odd[4] = {};
        auto const* t = table_.data();
        for (std::size_t p = 0; p + 1 < SubVectors; p += 2, t += 2 * parts::centres)
            for (std::size_t i = 0; i < 4; ++i) {
                even[i] += t[parts::get(rows[i], p)];
                odd[i] += t[parts::centres + parts::get(rows[i], p + 1)];
            }
        if constexpr (SubVectors % 2 == 1)
            for (std::size_t i = 0; i < 4; ++i) even[i] += t[parts::get(rows[i], SubVectors - 1)];
        for (std::size_t i = 0; i < 4; ++i) out[i] = metric::ordered(even[i] + odd[i]);
    }
    [[nodiscard]] static constexpr std::size_t compared(std::size_t k,
                                                        std::size_t candidates) noexcept {
        return pq_compared<Bits>(k, candidates);
    }

private:
    std::vector<float> table_;
};

/// Distances from a decoded row, part by part: a table would cost more than a graph asks of it.
template <std::size_t SubVectors, unsigned Bits, class Add>
class pq_decoded {
    using parts = pq_parts<SubVectors, Bits>;

public:
    pq_decoded(parts const& split, float const* centres, std::vector<float> own) noexcept
        : split_(split), centres_(centres), own_(std::move(own)) {}

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        float sum = 0;
        for (std::size_t p = 0; p < SubVectors; ++p) {
            auto const* const y = split_.centre(centres_, p, parts::get(row, p));
            auto const from = split_.first(p);
            for (std::size_t i = 0; i < split_.width(p); ++i) sum += Add{}(own_[from + i], y[i]);
        }
        return metric::ordered(sum);
    }

private:
    parts split_;
    float const* centres_;
    std::vector<float> own_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
