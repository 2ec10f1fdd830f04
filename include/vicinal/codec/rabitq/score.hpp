// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_RABITQ_SCORE_HPP
#define VICINAL_CODEC_RABITQ_SCORE_HPP

#include <vicinal/codec/rabitq/certainty.hpp>
#include <vicinal/codec/rabitq/encoding.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/packed_sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

/// Estimates of a query's distances from rows of codes, any row or any four.
namespace vicinal::inline VICINAL_ABI::codec {

/// What an estimate needs of the query.
struct rabitq_side {
    /// The query in signed bytes s, in the order of each part of a row's numbers.
    std::int8_t const* parts[3] = {};
    /// (2^Bits - 1) times the sum of s.
    std::uint32_t whole = 0;
    /// What a row's rescale times the sum of 2 u s is multiplied by, and what is added then.
    float scale = 0;
    float add = 0;
    std::size_t padded = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

/// The kernel loops for a part of so many bits.
template <unsigned PartBits>
using rabitq_step =
    std::conditional_t<PartBits == 8, simd::byte_dot_step, simd::packed_dot_step<PartBits % 8>>;

template <unsigned Bits, class Metric>
struct rabitq_score_body {
    static constexpr simd::instruction_set gains_from = simd::instruction_set::avx512_vnni;
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr float of_square = std::same_as<Metric, metric::cosine> ? 0.5F : 1.0F;

    template <class Set>
    VICINAL_ALWAYS_INLINE static float run(rabitq_side const* q, std::byte const* row) noexcept {
        auto const* const codes =
            reinterpret_cast<std::uint8_t const*>(row) + sizeof(rabitq_factors);
        std::uint32_t sum = 0;
        add_parts<Set, Bits, 0>(*q, codes, sum);
        return finish(*q, row, sum);
    }

protected:
    [[nodiscard]] VICINAL_ALWAYS_INLINE static float
    finish(rabitq_side const& q, std::byte const* row, std::uint32_t sum) noexcept {
        auto const f = rabitq_factors::of(row);
        auto const doubled = static_cast<std::int32_t>(2 * sum - q.whole);
        float const own = product ? 0 : of_square * f.square;
        return own + (q.add + q.scale * (f.rescale * static_cast<float>(doubled)));
    }
    /// Bits of the part that comes first where `left` are to come.
    [[nodiscard]] static constexpr unsigned first_of(unsigned left) noexcept {
        return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    }

private:
    template <class Set, unsigned Left, unsigned Part>
    VICINAL_ALWAYS_INLINE static void add_parts(rabitq_side const& q, std::uint8_t const* codes,
                                                std::uint32_t& sum) noexcept {
        constexpr unsigned bits = first_of(Left);
        auto const bytes = q.padded / 8 * bits;
        auto const part =
            simd::one_row<rabitq_step<bits>>::template run<Set>(q.parts[Part], codes, bytes);
        sum += static_cast<std::uint32_t>(part) << (Left - bits);
        if constexpr (Left > bits) add_parts<Set, Left - bits, Part + 1>(q, codes + bytes, sum);
    }
};

template <unsigned Bits, class Metric>
struct rabitq_score_four_body : rabitq_score_body<Bits, Metric> {
    using base = rabitq_score_body<Bits, Metric>;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(rabitq_side const* q, std::byte const* const* rows,
                                          float* out) noexcept {
        std::uint8_t const* codes[4];
        for (std::size_t i = 0; i < 4; ++i)
            codes[i] = reinterpret_cast<std::uint8_t const*>(rows[i]) + sizeof(rabitq_factors);
        std::uint32_t sums[4] = {};
        add_parts<Set, Bits, 0>(*q, codes, sums);
        for (std::size_t i = 0; i < 4; ++i) out[i] = base::finish(*q, rows[i], sums[i]);
    }

private:
    template <class Set, unsigned Left, unsigned Part>
    VICINAL_ALWAYS_INLINE static void add_parts(rabitq_side const& q, std::uint8_t const** codes,
                                                std::uint32_t* sums) noexcept {
        constexpr unsigned bits = base::first_of(Left);
        auto const bytes = q.padded / 8 * bits;
        std::int32_t parts[4];
        simd::four_rows<rabitq_step<bits>>::template run<Set>(q.parts[Part], codes, bytes, parts);
        for (std::size_t i = 0; i < 4; ++i) {
            sums[i] += static_cast<std::uint32_t>(parts[i]) << (Left - bits);
            codes[i] += bytes;
        }
        if constexpr (Left > bits) add_parts<Set, Left - bits, Part + 1>(q, codes, sums);
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(side, row)`: the estimate; a row without codes counts as the frame's mean.
template <unsigned Bits, class Metric>
using rabitq_score = simd::kernel<detail::rabitq_score_body<Bits, Metric>, float,
                                  rabitq_side const*, std::byte const*>;
/// `get()(side, rows, out)`: four of them.
template <unsigned Bits, class Metric>
using rabitq_score_four = simd::kernel<detail::rabitq_score_four_body<Bits, Metric>, void,
                                       rabitq_side const*, std::byte const* const*, float*>;

/// A query in signed bytes, which is moved, not copied.
///
/// Bytes lose of a query what is about a 300th of its norm: less than codes of up to seven bits.
template <unsigned Bits, class Metric>
class rabitq_scorer {
public:
    /// rotated: `padded` elements of the query. add: what every distance has added. lost: what
    /// `rotated` has lost of the query already, as rabitq_factors::error. Takes memory.
    rabitq_scorer(float const* rotated, std::size_t padded, double add, double lost = 0)
        : one_(rabitq_score<Bits, Metric>::get()), four_(rabitq_score_four<Bits, Metric>::get()) {
        float most = 0;
        bool sound = std::isfinite(add);
        double square = 0;
        for (std::size_t i = 0; i < padded; ++i) {
            most = (std::max)(most, std::fabs(rotated[i]));
            square += double{rotated[i]} * rotated[i];
        }
        sound = sound && square <= 0x1p110;
        float const step = sound && most > 0x1p-110F ? most / 127 : 0;
        double const places = step > 0 ? 1 / double{step} : 0;
        std::vector<std::int8_t> bytes(padded);
        std::int32_t sum = 0;
        double missed = 0;
        for (std::size_t i = 0; i < padded && step > 0; ++i) {
            bytes[i] = static_cast<std::int8_t>(std::floor(rotated[i] * places + 0.5));
            sum += bytes[i];
            double const left = rotated[i] - double{step} * bytes[i];
            missed += left * left;
        }
        lay_out(bytes, padded);
        put_side(sum, step, sound ? add : 0, padded);
        put_rule(sound, std::sqrt(square), std::sqrt(missed / static_cast<double>(padded)), lost);
    }
    /// A row in the place of the query: `padded` numbers of its code, which are taken as they are,
    /// twice their distance from the middle, and `step`, what 1 of that is. Takes memory.
    rabitq_scorer(std::uint8_t const* numbers, std::size_t padded, double step, double add,
                  double lost)
        : one_(rabitq_score<Bits, Metric>::get()), four_(rabitq_score_four<Bits, Metric>::get()) {
        static_assert(Bits < 8, "twice the distance from the middle fits a signed byte");
        constexpr int most = (1 << Bits) - 1;
        bool const sound = std::isfinite(add) && std::fabs(step) <= 0x1p50;
        std::vector<std::int8_t> bytes(padded);
        std::int32_t sum = 0;
        std::int32_t square = 0;
        for (std::size_t i = 0; i < padded && sound; ++i) {
            int const u = 2 * numbers[i] - most;
            bytes[i] = static_cast<std::int8_t>(u);
            sum += u;
            square += u * u;
        }
        lay_out(bytes, padded);
        put_side(sum, sound ? static_cast<float>(step) : 0, sound ? add : 0, padded);
        put_rule(sound, std::fabs(step) * std::sqrt(double{1} * square), 0, lost);
    }
    rabitq_scorer(rabitq_scorer&&) noexcept = default;

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return metric::ordered(one_(&side_, row));
    }
    /// The estimates of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        four_(&side_, rows, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = metric::ordered(out[i]);
    }

    /// What the distance of the vectors is at least, where its estimate is `distance`: but for one
    /// direction in some 2,000 (rabitq_certainty). -infinity where one of the two has no codes.
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        return rule_.at_least(rabitq_factors::of(row), distance);
    }
    /// Whether the distance is likely beyond the one that `reach` was made of, by likely_reach():
    /// what at_least() tells, without its roots, as a scan asks it of every row.
    [[nodiscard]] float likely_reach(float farthest) const noexcept { return rule_.at(farthest); }
    [[nodiscard]] bool likely_beyond(std::byte const* row, float distance,
                                     float reach) const noexcept {
        return rule_.beyond(rabitq_factors::of(row), distance, reach);
    }

    /// How many of `found` candidates for k are compared by their vectors: of few bits, whose order
    /// says little, all that at_least does not rule out.
    [[nodiscard]] static constexpr std::size_t compared(std::size_t k, std::size_t found) noexcept {
        return Bits < 4 ? found : k + k / 2 + 5;
    }

private:
    void put_side(std::int32_t sum, float step, double add, std::size_t padded) noexcept {
        side_.whole = static_cast<std::uint32_t>(sum) * ((1U << Bits) - 1);
        side_.scale = std::same_as<Metric, metric::squared_l2> ? -step : -step / 2;
        side_.add = static_cast<float>(add);
        side_.padded = padded;
    }
    /// missed: what the bytes have lost of the query, as rabitq_factors::error; `lost` that of the
    /// row that stands in its place.
    void put_rule(bool sound, double norm, double missed, double lost) noexcept {
        rule_ = {side_.add, sound ? static_cast<float>(norm) : 0,
                 sound ? static_cast<float>(missed + lost) : std::numeric_limits<float>::infinity(),
                 lost > 0};
    }
    void lay_out(std::vector<std::int8_t> const& bytes, std::size_t padded) {
        std::size_t sizes[3] = {};
        std::size_t count = 0;
        rabitq_parts<Bits>::each(padded, [&](unsigned bits, unsigned, std::size_t) {
            auto const size = (padded / 8 * bits + 63) / 64 * 64 * (8 / bits);
            sizes[count++] = size;
        });
        ordered_.resize(sizes[0] + sizes[1] + sizes[2]);
        auto* to = ordered_.data();
        count = 0;
        rabitq_parts<Bits>::each(padded, [&](unsigned bits, unsigned, std::size_t) {
            side_.parts[count] = to;
            if (bits == 8) std::copy(bytes.begin(), bytes.end(), to);
            if (bits == 4) simd::order_packed_query<4>(bytes.data(), padded, to);
            if (bits == 2) simd::order_packed_query<2>(bytes.data(), padded, to);
            if (bits == 1) simd::order_packed_query<1>(bytes.data(), padded, to);
            to += sizes[count++];
        });
    }

    typename rabitq_score<Bits, Metric>::function one_;
    typename rabitq_score_four<Bits, Metric>::function four_;
    std::vector<std::int8_t> ordered_;
    rabitq_side side_;
    rabitq_rule<Metric> rule_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
