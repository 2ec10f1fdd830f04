// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_PLANNER_DATA_HPP
#define VICINAL_BENCH_PLANNER_DATA_HPP

#include "dataset.hpp"

#include <vicinal/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using filtered_store =
    vicinal::store<vicinal::metric::squared_l2, vicinal::index::hnsw<>, vicinal::storage::memory,
                   vicinal::payload::fields, std::uint64_t>;

/// Puts rows into an order in which neighbours in space are mostly near each other: halves by the
/// median along a line through two rows that lie far apart, and the halves again.
class spatial_order {
public:
    explicit spatial_order(matrix const& rows) : rows_(rows), order_(rows.rows), along_(rows.rows) {
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        split(0, rows.rows);
    }
    /// Which row stands where.
    [[nodiscard]] std::vector<std::uint32_t> const& rows() const { return order_; }
    /// Where each row stands.
    [[nodiscard]] std::vector<std::uint32_t> places() const {
        std::vector<std::uint32_t> places(order_.size());
        for (std::uint32_t i = 0; i < order_.size(); ++i) places[order_[i]] = i;
        return places;
    }

private:
    [[nodiscard]] double along(float const* a, std::vector<float> const& line) const {
        return std::inner_product(line.begin(), line.end(), a, 0.0);
    }
    void split(std::size_t first, std::size_t last) {
        if (last - first < 8) return;
        auto const* const origin = rows_.row(order_[first + (last - first) / 2]);
        std::vector<float> line(rows_.columns), best_line(rows_.columns);
        double best = -1;
        for (std::size_t i = 0; i < 32; ++i) {
            auto const* const end = rows_.row(order_[first + (last - first) * i / 32]);
            for (std::size_t j = 0; j < line.size(); ++j) line[j] = end[j] - origin[j];
            auto const length = along(line.data(), line);
            if (length > best) {
                best = length;
                best_line = line;
            }
        }
        for (auto i = first; i < last; ++i)
            along_[order_[i]] = along(rows_.row(order_[i]), best_line);
        auto const at = [&](std::size_t i) {
            return order_.begin() + static_cast<std::ptrdiff_t>(i);
        };
        auto const middle = first + (last - first) / 2;
        std::nth_element(at(first), at(middle), at(last), [&](std::uint32_t a, std::uint32_t b) {
            return along_[a] < along_[b] || (along_[a] == along_[b] && a < b);
        });
        split(first, middle);
        split(middle, last);
    }

    matrix const& rows_;
    std::vector<std::uint32_t> order_;
    std::vector<double> along_;
};

/// What a row's fields are made from. A row's price has nothing to do with its vector; its
/// timestamp and category have: news of one day are about one matter.
struct catalogue {
    explicit catalogue(matrix const& rows) : order(rows), place(order.places()), rank(rows.rows) {
        std::iota(rank.begin(), rank.end(), std::uint32_t{0});
        for (std::size_t i = rank.size(); i > 1; --i)
            std::swap(rank[i - 1], rank[vicinal::detail::mix(i) % i]);
    }

    static constexpr std::int64_t first_second = 1'600'000'000;

    [[nodiscard]] std::int64_t timestamp(std::uint32_t row) const {
        return first_second + std::int64_t{30} * place[row];
    }
    /// In cents; every row has another.
    [[nodiscard]] std::uint32_t price(std::uint32_t row) const { return rank[row]; }

    [[nodiscard]] vicinal::fields fields_of(std::uint32_t row) const {
        vicinal::value::array tags;
        auto const chance = vicinal::detail::mix(row + std::uint64_t{7919});
        if (chance % 2 == 0) tags.emplace_back("common");
        if (chance / 2 % 10 == 0) tags.emplace_back("tenth");
        if (chance / 20 % 100 == 0) tags.emplace_back("rare");
        if (chance / 2000 % 1000 == 0) tags.emplace_back("scarce");
        auto const group = std::size_t{place[row]} * 100 / place.size();
        return {{"category", "category-" + std::to_string(group)},
                {"price", static_cast<double>(price(row)) / 100},
                {"tags", std::move(tags)},
                {"timestamp", timestamp(row)}};
    }

    spatial_order order;
    std::vector<std::uint32_t> place;
    std::vector<std::uint32_t> rank;
};

/// The store of those rows; ids are rows.
inline filtered_store make_store(matrix const& rows, catalogue const& about) {
    filtered_store::options o;
    o.dim = rows.columns;
    o.index.threads = 2;
    filtered_store s{o};
    std::vector<filtered_store::record> records(rows.rows);
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
        records[i].id = i;
        records[i].vector.assign(rows.row(i), rows.row(i) + rows.columns);
        records[i].payload = about.fields_of(i);
    }
    s.upsert(records);
    return s;
}

} // namespace bench

#endif
