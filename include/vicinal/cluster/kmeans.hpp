// SPDX-License-Identifier: MIT
#ifndef VICINAL_CLUSTER_KMEANS_HPP
#define VICINAL_CLUSTER_KMEANS_HPP

#include <vicinal/cluster/lloyd.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::cluster {

/// How centres are looked for.
struct kmeans_options {
    /// Rows are looked at up to so many for each centre.
    std::size_t rows_a_centre = 64;
    /// Rounds of assigning and averaging, at most.
    std::size_t rounds = 10;
    /// Centres beyond which the search is in two levels.
    std::size_t most_at_once = 256;
    /// Rounds, at most, that all centres of two levels are then made better in together: each costs
    /// rows x k x dim multiply-adds.
    std::size_t rounds_together = 0;
    std::uint64_t seed = 0x76696369;
};

namespace detail {

/// The rows that are looked at: up to `wanted` of `count`, spread over all of them, without those
/// that have an element that is not finite or whose square is beyond the range of float.
template <class Read, class Run>
[[nodiscard]] result<matrix> draw_sample(std::size_t count, std::size_t dim, std::size_t wanted,
                                         Read const& read, std::uint64_t seed, Run const& run) {
    auto const n = (std::min)(count, wanted);
    matrix drawn(n, dim);
    std::vector<char> usable(n);
    VICINAL_CHECK(run(n, std::size_t{256}, [&](std::size_t first, std::size_t last) {
        for (auto i = first; i < last; ++i) {
            auto const from = i * count / n;
            auto const until = (i + 1) * count / n;
            read(from + static_cast<std::size_t>(vicinal::detail::mix(seed + i) % (until - from)),
                 drawn.row(i));
            float square = 0;
            for (std::size_t j = 0; j < dim; ++j) square += drawn.row(i)[j] * drawn.row(i)[j];
            usable[i] = std::isfinite(square) ? 1 : 0;
        }
        return result<void>{};
    }));
    std::size_t left = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (usable[i] == 0) continue;
        if (left != i) std::copy_n(drawn.row(i), dim, drawn.row(left));
        ++left;
    }
    drawn.shrink(left);
    return drawn;
}

/// Shares `k` centres out among parts in proportion to their rows, one at least to each that has
/// any, and no more than a part has rows.
[[nodiscard]] inline std::vector<std::size_t> share_out(std::size_t k,
                                                        std::vector<std::size_t> const& sizes) {
    std::size_t rows = 0;
    for (auto const n : sizes) rows += n;
    std::vector<std::size_t> shares(sizes.size());
    std::size_t before = 0;
    std::size_t given = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        before += sizes[i];
        // What all parts up to here are to have, less what they have.
        auto const until = static_cast<std::size_t>(std::llround(
            static_cast<double>(k) * static_cast<double>(before) / static_cast<double>(rows)));
        auto const fair = until > given ? until - given : 0;
        shares[i] = (std::min)((std::max)(fair, std::size_t{1}), sizes[i]);
        given += shares[i];
    }
    return shares;
}

/// Two levels: about sqrt(k) parts, and centres in each.
template <class Run>
[[nodiscard]] result<std::vector<float>> find_in_parts(matrix const& rows, std::size_t k,
                                                       kmeans_options const& o, Run const& run) {
    auto const dim = rows.columns();
    auto const top = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(k))));
    auto upper = lloyd(rows.every(o.rows_a_centre * top), top, o.rounds, o.seed, run);
    VICINAL_CHECK(upper);
    std::vector<std::uint32_t> part(rows.rows());
    VICINAL_CHECK(assign(rows, *upper, part.data(), run));
    auto const parts = upper->size() / dim;
    grouped const by_part(part, parts);
    std::vector<std::size_t> sizes(parts);
    for (std::size_t p = 0; p < parts; ++p) sizes[p] = by_part.size(p);
    auto const shares = share_out(k, sizes);
    std::vector<std::vector<float>> found(parts);
    auto const divided = run(parts, std::size_t{1}, [&](std::size_t first, std::size_t last) {
        return vicinal::detail::guarded([&]() -> result<void> {
            for (auto p = first; p < last; ++p) {
                if (shares[p] == 0) continue;
                auto one = lloyd(rows.chosen(by_part.of(p)), shares[p], o.rounds, o.seed + p + 1,
                                 on_this_thread{});
                VICINAL_CHECK(one);
                found[p] = std::move(*one);
            }
            return {};
        });
    });
    VICINAL_CHECK(divided);
    std::vector<float> all;
    for (auto const& f : found) all.insert(all.end(), f.begin(), f.end());
    return settle(rows, std::move(all), o.rounds_together, run);
}

} // namespace detail

/// Up to `k` centres of `count` rows of `dim` floats, one behind the other: k-means in squared
/// Euclidean distance. Fewer than k where fewer rows differ, and none where no row is finite.
///
/// read(i, out) writes row i; from several threads at once. run(count, grain, body) calls
/// body(first, last) -> result<void> for parts of [0, count) in any order, on threads or not
/// (cluster::on_this_thread; index::run_parts): the centres are the same. They depend on the rows,
/// the seed and the instruction set.
///
/// Looks at rows_a_centre rows for each centre. Begins with rows drawn by the square of their
/// distance; a centre without rows takes half of the largest cluster. Beyond 256 centres the rows
/// are split into sqrt(k) clusters first and each of these anew, which costs rows x sqrt(k) x dim
/// multiply-adds a round and not rows x k x dim; rounds_together are of the latter. Memory: the
/// rows that are looked at, twice.
/// Errors: out_of_memory, those of run.
///
/// Sources: Lloyd, "Least squares quantization in PCM", 1982; Arthur & Vassilvitskii, "k-means++:
/// the advantages of careful seeding", SODA 2007; the split of large clusters as in Johnson, Douze
/// & Jegou, "Billion-scale similarity search with GPUs", 2017.
template <class Read, class Run = on_this_thread>
[[nodiscard]] result<std::vector<float>> kmeans(std::size_t count, std::size_t dim, std::size_t k,
                                                Read const& read, kmeans_options const& o = {},
                                                Run const& run = {}) {
    return vicinal::detail::guarded([&]() -> result<std::vector<float>> {
        if (count == 0 || k == 0 || dim == 0) return std::vector<float>{};
        auto const rows = detail::draw_sample(count, dim, k * o.rows_a_centre, read, o.seed, run);
        VICINAL_CHECK(rows);
        if (rows->rows() == 0) return std::vector<float>{};
        if (k <= o.most_at_once) return detail::lloyd(*rows, k, o.rounds, o.seed, run);
        return detail::find_in_parts(*rows, (std::min)(k, rows->rows()), o, run);
    });
}

} // namespace vicinal::inline VICINAL_ABI::cluster

#endif
