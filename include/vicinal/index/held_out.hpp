// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HELD_OUT_HPP
#define VICINAL_INDEX_HELD_OUT_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/index/nearest.hpp>
#include <vicinal/index/tuning.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/metric/concept.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

/// Rows of the index itself, as queries whose answers are known: what tuning measures with.
namespace vicinal::inline VICINAL_ABI::index {

/// The k that are measured.
inline constexpr std::size_t tuned_ks[] = {1, 10, 100};

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

/// Rows of a block that were decoded once for all queries.
template <class T>
class decoded_block {
public:
    template <class Reader>
    void read(Reader const& vectors, slot first, slot last, std::size_t dim) {
        first_ = first;
        dim_ = dim;
        rows_.clear();
        for (auto s = first; s < last; ++s) {
            auto const* const row = vectors.template row_as<T>(s);
            rows_.insert(rows_.end(), row, row + dim);
        }
    }
    template <class U>
    [[nodiscard]] T const* row_as(slot s) const noexcept {
        return rows_.data() + (s - first_) * dim_;
    }

private:
    std::vector<T> rows_;
    slot first_ = 0;
    std::size_t dim_ = 0;
};

/// Finds the nearest of each query among the rows below `covered` that live(slot) holds for, on so
/// many threads.
template <class Metric, class Reader, class Live>
[[nodiscard]] result<void> compare_with_all(held_out<Metric>& queries, Reader const& vectors,
                                            std::size_t dim, slot covered, Live const& live,
                                            std::size_t threads) {
    // A block of rows stays in the second cache while each query is compared with it.
    auto const block =
        static_cast<slot>(262144 / (dim * sizeof(typename held_out<Metric>::element)) + 1);
    queries.read(vectors, dim);
    VICINAL_CHECK(for_queries(queries.size(), threads, [&](std::size_t from, std::size_t to) {
        auto const mine = vectors; // a reader is one thread's
        decoded_block<typename held_out<Metric>::element> decoded;
        for (slot first = 0; first < covered; first += (std::min)(block, covered - first)) {
            auto const last = first + (std::min)(block, covered - first);
            auto const compare = [&](auto const& rows) {
                for (auto i = from; i < to; ++i) queries.compare(i, rows, first, last, live);
            };
            if constexpr (requires { Reader::decodes; }) {
                decoded.read(mine, first, last, dim);
                compare(decoded);
            } else {
                compare(mine);
            }
        }
    }));
    queries.finish(vectors);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif
