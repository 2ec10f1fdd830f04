// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_TUNE_HPP
#define VICINAL_INDEX_HNSW_TUNE_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/index/candidates.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tuning.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

/// How wide a beam must be for a wanted recall: measured on the graph itself.
namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// One row of the column that keeps it: a line of the table, or first {rows, queries, growth}.
struct tuning_row {
    std::uint32_t effort;
    float recalls[3];
};

/// The efforts that are measured: each some 1.4 times the one before.
inline constexpr std::uint32_t tuned_efforts[] = {10,  14,  20,  28,  40,  56,  80,  112,
                                                  160, 224, 320, 448, 640, 896, 1280};
inline constexpr std::size_t tuned_ks[] = {1, 10, 100};
/// The recall beyond which no more is measured.
inline constexpr float enough = 0.9985F;
/// The recall of ten that walks which end by a ratio must come to, at some effort.
inline constexpr float enough_by_ratio = 0.99F;
/// Rows on a line grow with 1, their squared distances with 2.
inline constexpr float most_growth = 4;

/// Rows that stand in for queries, one behind the other, and the nearest of each among all others.
template <class Metric>
class held_out {
public:
    using element = metric::element_of<Metric>;

    /// Draws up to `count` of the rows below `covered` that `fit` holds for; which they are depends
    /// on the seed alone.
    template <class Fit>
    held_out(std::size_t count, slot covered, std::uint64_t seed, Fit const& fit) {
        for (std::size_t i = 0; i < 4 * count && slots_.size() < count; ++i) {
            auto const s = static_cast<slot>(vicinal::detail::mix(seed + i) % covered);
            if (fit(s) && std::find(slots_.begin(), slots_.end(), s) == slots_.end())
                slots_.push_back(s);
        }
        nearest_.assign(slots_.size(), nearest<>(tuned_ks[2]));
        for (auto const s : slots_) copies_.push_back({s});
    }
    /// Copies the queries' vectors, which must stay in place while rows come and go.
    template <class Reader>
    void read(Reader const& vectors, std::size_t dim) {
        dim_ = dim;
        vectors_.reserve(slots_.size() * dim);
        for (auto const s : slots_) {
            auto const* const v = row(vectors, s);
            vectors_.insert(vectors_.end(), v, v + dim);
        }
    }
    /// Query i.
    [[nodiscard]] element const* vector(std::size_t i) const noexcept {
        return vectors_.data() + i * dim_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
    [[nodiscard]] slot operator[](std::size_t i) const noexcept { return slots_[i]; }
    /// Query i and the rows that equal it.
    [[nodiscard]] std::vector<slot> const& copies(std::size_t i) const noexcept {
        return copies_[i];
    }

    /// Compares query i with the rows of a block, itself and its copies excepted: a query that is
    /// one of many equal rows is an easy one.
    template <class Reader, class Live>
    void compare(std::size_t i, Reader const& vectors, slot first, slot last, Live const& live) {
        auto const* const query = vector(i);
        auto const distance = metric::bind<Metric>(query, dim_);
        for (auto s = first; s < last; ++s) {
            if (s == slots_[i] || !live(s)) continue;
            auto const d = distance(row(vectors, s));
            if (!nearest_[i].could_enter(d)) continue;
            if (std::memcmp(row(vectors, s), query, dim_ * sizeof(element)) == 0)
                copies_[i].push_back(s);
            else
                nearest_[i].offer({d, s});
        }
    }
    /// Ends comparing: the exact distances of each query's nearest, nearest first.
    template <class Reader>
    void finish(Reader const& vectors) {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            auto& distances = truth_.emplace_back();
            for (auto const& one : nearest_[i].take())
                distances.push_back(metric::exact<Metric>(vector(i), row(vectors, one.row), dim_));
            std::sort(distances.begin(), distances.end());
        }
    }
    [[nodiscard]] std::vector<float> const& truth(std::size_t i) const noexcept {
        return truth_[i];
    }
    /// The power of n by which the distance of the n-th nearest grows from the 10th to the 100th,
    /// the mean over the queries; 0 where half of them have distances of no ratio.
    [[nodiscard]] float growth() const noexcept {
        double sum = 0;
        std::size_t count = 0;
        for (auto const& t : truth_) {
            if (t.size() < tuned_ks[2] || !(t[tuned_ks[1] - 1] > 0)) continue;
            sum += std::log10(double{t[tuned_ks[2] - 1]} / double{t[tuned_ks[1] - 1]});
            ++count;
        }
        return 2 * count > truth_.size() ? static_cast<float>(sum / static_cast<double>(count)) : 0;
    }

    template <class Reader>
    [[nodiscard]] static element const* row(Reader const& vectors, slot s) noexcept {
        return vectors.template row_as<element>(s);
    }

private:
    std::vector<slot> slots_;
    std::vector<element> vectors_;
    std::size_t dim_ = 0;
    std::vector<std::vector<slot>> copies_;
    std::vector<nearest<>> nearest_;
    std::vector<std::vector<float>> truth_;
};

/// Reads a table as its column keeps it; one that no tuning writes is taken for none.
template <class Reader>
[[nodiscard]] tuning read_tuning(Reader const& rows, std::uint64_t count) {
    tuning t;
    if (count < 2) return t;
    auto const head = *rows.template row_as<tuning_row>(0);
    for (std::uint64_t i = 1; i < count; ++i) {
        auto const r = *rows.template row_as<tuning_row>(i);
        auto const sound = [](float x) { return x >= 0 && x <= 1; };
        if (r.effort == 0 || !std::all_of(r.recalls, r.recalls + 3, sound)) return {};
        if (!t.table.empty() && t.table.back().effort >= r.effort) return {};
        t.table.push_back({r.effort, r.recalls[0], r.recalls[1], r.recalls[2]});
    }
    t.rows = head.effort;
    t.queries = static_cast<std::uint32_t>(head.recalls[0]);
    if (head.recalls[1] > 0 && head.recalls[1] <= most_growth) t.growth = head.recalls[1];
    return t;
}

/// Writes a table into its column, which has room for a row more than it has lines.
template <class Column>
void write_tuning(Column& column, tuning const& t) noexcept {
    column.resize(t.table.size() + 1);
    tuning_row const head{t.rows, {static_cast<float>(t.queries), t.growth, 0}};
    std::memcpy(column.edit(0), &head, sizeof head);
    for (std::size_t i = 0; i < t.table.size(); ++i) {
        auto const& m = t.table[i];
        tuning_row const r{m.effort, {m.at_1, m.at_10, m.at_100}};
        std::memcpy(column.edit(i + 1), &r, sizeof r);
    }
}

/// The share of a query's k nearest that a search found, for tuned_ks from `first` up to `last`:
/// compared(k) gives the k nearest of its candidates as a store compares them.
template <class Compared>
void count_found(std::vector<float> const& truth, std::size_t first, std::size_t last,
                 Compared const& compared, double (&found)[3]) {
    for (auto n = first; n < last; ++n) {
        auto const k = (std::min)(tuned_ks[n], truth.size());
        if (k == 0) continue;
        std::size_t hits = 0;
        for (auto const& one : compared(tuned_ks[n]))
            hits += one.distance <= truth[k - 1] ? 1U : 0U;
        found[n] += static_cast<double>((std::min)(hits, k)) / static_cast<double>(k);
    }
}

/// Runs body(from, to) for parts of the queries on so many threads.
template <class Body>
[[nodiscard]] result<void> for_queries(std::size_t count, std::size_t threads, Body const& body) {
    return run_parts(count, 1, threads, [&](std::size_t from, std::size_t to) {
        return vicinal::detail::guarded([&]() -> result<void> {
            body(from, to);
            return {};
        });
    });
}

/// Searches for each query at growing effort, until all recalls are next to 1; `search` as in
/// measure_recall. A walk for ten goes as far as one for the nearest, one for a hundred goes less
/// far.
template <class Metric, class Search>
[[nodiscard]] result<tuning> measure_with(float growth, held_out<Metric> const& queries,
                                          slot covered, std::size_t threads, Search const& search) {
    tuning t{covered, static_cast<std::uint32_t>(queries.size()), {}, growth};
    struct tally {
        double found[3] = {};
    };
    std::vector<tally> each(queries.size());
    for (auto const effort : tuned_efforts) {
        if (effort > covered || queries.size() == 0) break;
        VICINAL_CHECK(for_queries(queries.size(), threads, [&](std::size_t from, std::size_t to) {
            for (auto i = from; i < to; ++i) {
                each[i] = {};
                auto const look = [&](std::size_t first, std::size_t last) {
                    search(queries.vector(i), tuned_ks[last - 1], effort, growth,
                           std::span<slot const>(queries.copies(i)), [&](auto const& compared) {
                               count_found(queries.truth(i), first, last, compared, each[i].found);
                           });
                };
                look(0, 2);
                if (effort >= tuned_ks[2]) look(2, 3);
            }
        }));
        float recalls[3] = {};
        for (std::size_t n = 0; n < 3; ++n) {
            double sum = 0;
            for (auto const& e : each) sum += e.found[n];
            if (effort >= tuned_ks[n])
                recalls[n] = static_cast<float>(sum / static_cast<double>(queries.size()));
        }
        measured_recall m{effort, recalls[0], recalls[1], recalls[2]};
        if (!t.table.empty()) {
            auto const& before = t.table.back();
            m.at_1 = (std::max)(m.at_1, before.at_1);
            m.at_10 = (std::max)(m.at_10, before.at_10);
            m.at_100 = (std::max)(m.at_100, before.at_100);
        }
        t.table.push_back(m);
        if (m.at_1 >= enough && m.at_10 >= enough && m.at_100 >= enough) break;
    }
    return t;
}

/// Compares the queries with all rows, then measures: search(vector, k, effort, growth, without,
/// use) walks for k and calls use(compared), with compared as in count_found.
///
/// Where rows differ by less than their codes tell, the ratios of codes' distances are noise, and
/// walks that end by them find too little at any effort: then beams are measured, and growth is 0.
template <class Metric, class Reader, class Live, class Search>
[[nodiscard]] result<tuning> measure_recall(held_out<Metric>& queries, Reader const& vectors,
                                            std::size_t dim, slot covered, Live const& live,
                                            std::size_t threads, Search const& search) {
    // A block of rows stays in the second cache while each query is compared with it.
    auto const block =
        static_cast<slot>(262144 / (dim * sizeof(typename held_out<Metric>::element)) + 1);
    queries.read(vectors, dim);
    VICINAL_CHECK(for_queries(queries.size(), threads, [&](std::size_t from, std::size_t to) {
        auto const mine = vectors; // a reader is one thread's
        for (slot first = 0; first < covered; first += (std::min)(block, covered - first))
            for (auto i = from; i < to; ++i)
                queries.compare(i, mine, first, first + (std::min)(block, covered - first), live);
    }));
    queries.finish(vectors);
    auto const growth = (std::clamp)(queries.growth(), 0.0F, most_growth);
    auto by_ratio = measure_with(growth, queries, covered, threads, search);
    if (!by_ratio || growth == 0 || by_ratio->table.empty() ||
        by_ratio->table.back().at_10 >= enough_by_ratio)
        return by_ratio;
    auto beams = measure_with(0.0F, queries, covered, threads, search);
    if (!beams || beams->table.back().at_10 > by_ratio->table.back().at_10) return beams;
    return by_ratio;
}

/// The effort for `wanted` neighbours at `recall`, from a table: between two k, and between two
/// efforts, on a logarithmic scale. Beyond the table the last effort is doubled for each halving of
/// what is missed. Without a table a rule of thumb: 64 for ten neighbours at 0.95, 125 at 0.99.
[[nodiscard]] inline std::size_t effort_from(tuning const& t, std::size_t wanted,
                                             double recall) noexcept {
    if (t.table.empty())
        return static_cast<std::size_t>(static_cast<double>(wanted) * 1.5 +
                                        11 / std::sqrt((std::max)(1 - recall, 0.001)));
    auto const at = [&](float measured_recall::*column, double k) {
        double const target = (std::min)(recall, 0.9999);
        measured_recall const* before = nullptr;
        for (auto const& m : t.table) {
            if (static_cast<double>(m.effort) < k) continue;
            if (m.*column >= target) {
                if (!before || m.*column <= before->*column) return static_cast<double>(m.effort);
                double const part =
                    (target - before->*column) / (static_cast<double>(m.*column) - before->*column);
                return before->effort *
                       std::pow(static_cast<double>(m.effort) / before->effort, part);
            }
            before = &m;
        }
        if (!before) return k * 2;
        double const missed = (std::max)(1.0 - before->*column, 1e-6) / (1 - target);
        return before->effort * (std::min)((std::max)(missed, 1.0), 8.0);
    };
    double const k = static_cast<double>((std::max)(wanted, std::size_t{1}));
    double effort = 0;
    if (k <= 10) {
        auto const a = at(&measured_recall::at_1, 1);
        auto const b = at(&measured_recall::at_10, 10);
        effort = a * std::pow(b / a, std::log10(k));
    } else {
        auto const a = at(&measured_recall::at_10, 10);
        auto const b = at(&measured_recall::at_100, 100);
        effort = a * std::pow(b / a, std::log10(k / 10));
    }
    return static_cast<std::size_t>((std::max)(effort, k) + 0.999);
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif
