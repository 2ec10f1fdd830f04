// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_SCAN_CODES_HPP
#define VICINAL_INDEX_SCAN_CODES_HPP

#include <vicinal/index/nearest.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::index {

/// Offers the nearest of the rows below `end` that `keep` shows the bits of, exactly: four codes at
/// a time, then the vectors of those that their codes can't rule out. Where the codec says nothing
/// of what its codes lose, every vector is compared. lines: cache lines of a code to ask for ahead.
template <class Metric, class Scorer, class Codes, class Vectors, class Keep, class Before>
void scan_codes(metric::element_of<Metric> const* query, std::size_t dim, Scorer const& score,
                Codes const& codes, std::size_t lines, Vectors const& vectors, slot end,
                Keep const& keep, nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    constexpr bool bounded = requires { score.at_least(codes.row(0), 0.0F); };
    // Sixteen rows and more are asked for before the first of them is read.
    slot block[64 + 15];
    std::size_t held = 0;
    auto const exact = metric::bind_exact<Metric>(query, dim);
    auto const compare = [&](slot s) {
        best.offer({exact(vectors.template row_as<element>(s)), s});
    };
    auto const judge = [&](std::size_t count) {
        std::byte const* rows[4] = {};
        float distances[4] = {};
        for (std::size_t i = 0; i < count; i += 4) {
            auto const n = (std::min)(std::size_t{4}, count - i);
            if constexpr (!bounded) {
                for (std::size_t j = 0; j < n; ++j) compare(block[i + j]);
                continue;
            }
            for (std::size_t j = 0; j < n; ++j) rows[j] = codes.row(block[i + j]);
            if constexpr (requires { score.four(rows, distances); }) {
                if (n == 4) score.four(rows, distances);
            }
            for (std::size_t j = 0; j < n; ++j) {
                if constexpr (bounded) {
                    auto const d = n == 4 ? distances[j] : score(rows[j]);
                    if (best.full() && score.at_least(rows[j], d) > best.farthest()) continue;
                }
                compare(block[i + j]);
            }
        }
    };
    for (slot at = 0; at < end; at += (std::min)(slot{64}, end - at)) {
        for (auto bits = keep.word(at); bits != 0; bits &= bits - 1) {
            auto const s = at + static_cast<slot>(std::countr_zero(bits));
            if (s >= end) break;
            codes.prefetch(s, lines);
            block[held++] = s;
        }
        auto const whole = held & ~std::size_t{3};
        if (held >= 16) {
            judge(whole);
            std::copy(block + whole, block + held, block);
            held -= whole;
        }
    }
    judge(held);
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif
