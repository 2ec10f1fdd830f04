// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_ROW_ORDER_HPP
#define VICINAL_INDEX_ROW_ORDER_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// An order of rows in which near ones are mostly side by side, so that what one walk looks at is
/// on few pages, and much of it in the cache from the walk before: rows are split among up to 32
/// centres, each part among centres of its own, down to parts of a few rows. The centres of a part
/// are passed as on a tour that goes to the nearest one left.
///
/// The 100 nearest rows of a query are in 65 blocks of 16 rows (sift, 200,000 rows) or 47 (words,
/// 100,000); in any other order in 98 or more.
///
/// row(i) is the element const* of row i. The order depends on the rows, the order in which they
/// come and the instruction set, not on threads. Cost: about 100 distances a row.
template <metric::model Metric, class Row>
class row_order {
public:
    row_order(std::size_t dim, Row const& row) : dim_(dim), row_(row) {}

    /// The rows below `count` in their new order. Errors: out_of_memory.
    [[nodiscard]] result<std::vector<slot>> operator()(std::size_t count, std::size_t threads) {
        return vicinal::detail::guarded([&]() -> result<std::vector<slot>> {
            order_.resize(count);
            std::iota(order_.begin(), order_.end(), slot{0});
            moved_.resize(count);
            part_.resize(count);
            VICINAL_CHECK(split({0, count}, nullptr, 0, threads));
            return std::move(order_);
        });
    }

private:
    using element = metric::element_of<Metric>;
    static constexpr std::size_t most_centres = 32;
    static constexpr std::size_t rows_a_centre = 8;
    /// A second round of averaging costs half as much again as all the rest, for 2 blocks in 100.
    static constexpr std::size_t rows_a_mean = 16;
    /// Rows that may split off one by one, as outliers do, must not make this quadratic.
    static constexpr std::size_t most_depth = 8;

    struct range {
        std::size_t first;
        std::size_t last;
        [[nodiscard]] std::size_t size() const noexcept { return last - first; }
    };

    /// Vectors one behind the other.
    struct centres {
        std::vector<element> values;
        std::size_t count;
        std::size_t dim;
        [[nodiscard]] element const* operator[](std::size_t i) const noexcept {
            return values.data() + i * dim;
        }
    };

    /// Orders the rows of a range; `from` is what comes before them, or null.
    [[nodiscard]] result<void> split(range r, element const* from, std::size_t depth,
                                     std::size_t threads) {
        if (r.size() <= rows_a_centre || depth == most_depth) return {};
        auto const all = choose(r, from);
        VICINAL_CHECK(run_parts(r.size(), 64, threads, [&](std::size_t a, std::size_t b) {
            for (auto i = r.first + a; i < r.first + b; ++i)
                part_[i] = static_cast<std::uint8_t>(nearest_centre(all, row_(order_[i])));
            return result<void>{};
        }));
        std::size_t ends[most_centres + 1] = {};
        for (auto i = r.first; i < r.last; ++i) ++ends[part_[i] + 1U];
        ends[0] = r.first;
        for (std::size_t j = 0; j < all.count; ++j) ends[j + 1] += ends[j];
        std::size_t at[most_centres];
        std::copy_n(ends, all.count, at);
        for (auto i = r.first; i < r.last; ++i) moved_[at[part_[i]]++] = order_[i];
        std::copy_n(moved_.data() + r.first, r.size(), order_.data() + r.first);
        return run_parts(all.count, 1, threads, [&](std::size_t a, std::size_t b) -> result<void> {
            return vicinal::detail::guarded([&]() -> result<void> {
                for (auto j = a; j < b; ++j)
                    if (range const part{ends[j], ends[j + 1]}; part.size() < r.size())
                        VICINAL_CHECK(split(part, j > 0 ? all[j - 1] : from, depth + 1, 1));
                return {};
            });
        });
    }

    /// Rows from all over the range, or of floats the means of what is nearest to each, in the
    /// order of the tour.
    [[nodiscard]] centres choose(range r, element const* from) const {
        auto const count = (std::clamp)((r.size() + rows_a_centre - 1) / rows_a_centre,
                                        std::size_t{2}, most_centres);
        centres all{{}, count, dim_};
        all.values.reserve(count * dim_);
        for (std::size_t j = 0; j < count; ++j) {
            auto const* const x = row_(order_[r.first + r.size() * (2 * j + 1) / (2 * count)]);
            all.values.insert(all.values.end(), x, x + dim_);
        }
        if constexpr (std::same_as<element, float>) improve(all, r);
        return tour(all, from);
    }

    void improve(centres& all, range r) const {
        auto const seen = (std::min)(r.size(), rows_a_mean * all.count);
        std::vector<double> sums(all.values.size());
        std::size_t counts[most_centres] = {};
        for (std::size_t i = 0; i < seen; ++i) {
            auto const* const x = row_(order_[r.first + r.size() * i / seen]);
            auto const j = nearest_centre(all, x);
            ++counts[j];
            for (std::size_t d = 0; d < dim_; ++d) sums[j * dim_ + d] += double{x[d]};
        }
        for (std::size_t j = 0; j < all.count; ++j)
            for (std::size_t d = 0; counts[j] > 0 && d < dim_; ++d)
                all.values[j * dim_ + d] =
                    static_cast<float>(sums[j * dim_ + d] / static_cast<double>(counts[j]));
    }

    [[nodiscard]] centres tour(centres const& all, element const* at) const {
        centres out{{}, all.count, dim_};
        out.values.reserve(all.values.size());
        bool used[most_centres] = {};
        for (std::size_t n = 0; n < all.count; ++n) {
            auto const distance = metric::bind<Metric>(at ? at : all[0], dim_);
            std::size_t best = most_centres;
            float least = 0;
            for (std::size_t j = 0; j < all.count; ++j) {
                if (used[j]) continue;
                auto const d = distance(all[j]);
                if (best != most_centres && !(d < least)) continue;
                best = j;
                least = d;
            }
            used[best] = true;
            at = all[best];
            out.values.insert(out.values.end(), at, at + dim_);
        }
        return out;
    }

    [[nodiscard]] std::size_t nearest_centre(centres const& all, element const* x) const {
        auto const distance = metric::bind<Metric>(x, dim_);
        std::size_t best = 0;
        float least = (std::numeric_limits<float>::infinity)();
        auto const meet = [&](std::size_t j, float d) {
            if (!(d < least)) return;
            best = j;
            least = d;
        };
        std::size_t j = 0;
        if constexpr (requires(element const* const* four, float* out) {
                          distance.four(four, out);
                      })
            for (; j + 4 <= all.count; j += 4) {
                element const* const four[] = {all[j], all[j + 1], all[j + 2], all[j + 3]};
                float d[4];
                distance.four(four, d);
                for (std::size_t i = 0; i < 4; ++i) meet(j + i, d[i]);
            }
        for (; j < all.count; ++j) meet(j, distance(all[j]));
        return best;
    }

    std::size_t dim_;
    Row const& row_;
    std::vector<slot> order_;
    std::vector<slot> moved_;
    /// Which centre of its range a row is nearest to.
    std::vector<std::uint8_t> part_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
