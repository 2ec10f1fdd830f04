// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_LIKENESS_HPP
#define VICINAL_STORE_LIKENESS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/store/ids.hpp>
#include <vicinal/store/vector_check.hpp>
#include <vicinal/store/widening.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// How examples make a query, as in the recommendation API of Qdrant
/// (https://qdrant.tech/documentation/search/explore/).
enum class like_strategy : std::uint8_t {
    /// A search for one vector: twice the mean of the positive examples less the mean of the
    /// negative ones; the mean of the positive ones where there are no others. Under cosine of
    /// their directions. Vectors of floating point only.
    average,
    /// Each record by its nearest example: where that is a positive one, the nearer it is the
    /// better; where it is a negative one it comes behind all of those, and the nearer the worse.
    best_score
};

/// An example of what is looked for: a record of the store by its id, or a vector.
template <class Id, class T>
class basic_example {
public:
    template <class S>
        requires std::convertible_to<S const&, typename detail::id_traits<Id>::parameter>
        basic_example(S const& id)
            : what_(Id(typename detail::id_traits<Id>::view(
                  typename detail::id_traits<Id>::parameter(id)))) {}
        basic_example(std::vector<T> vector) : what_(std::move(vector)) {}

        [[nodiscard]] Id const* id() const noexcept { return std::get_if<Id>(&what_); }
        [[nodiscard]] std::vector<T> const* vector() const noexcept {
            return std::get_if<std::vector<T>>(&what_);
        }

    private:
        std::variant<Id, std::vector<T>> what_;
};

/// What hits are to be like, and what not.
template <class Id, class T>
struct basic_examples {
    /// At least one.
    std::vector<basic_example<Id, T>> positive;
    std::vector<basic_example<Id, T>> negative = {};
    like_strategy strategy = like_strategy::average;
};

namespace detail {

/// Examples as vectors, and the slots of those that were given by id.
template <class T>
struct example_vectors {
    std::vector<std::vector<T>> positive;
    std::vector<std::vector<T>> negative;
    /// Ascending.
    std::vector<slot> rows;
};

/// Errors: invalid_argument (no positive example), not_found (an id), those of a query's vector.
template <class Metric, class Id, class T, class Rows>
[[nodiscard]] result<example_vectors<T>> read_examples(Rows const& rows, std::size_t dim,
                                                       basic_examples<Id, T> const& from) {
    example_vectors<T> to;
    if (from.positive.empty())
        return error{errc::invalid_argument, "at least one positive example", "none"};
    auto const vectors = rows.vectors().reader();
    for (auto const& [examples, out] :
         {std::pair(&from.positive, &to.positive), std::pair(&from.negative, &to.negative)})
        for (auto const& e : *examples) {
            if (auto const* v = e.vector()) {
                VICINAL_CHECK(
                    check_vector<Metric>(vector_view<T>(*v), dim, [] { return "an example"; }));
                out->push_back(*v);
                continue;
            }
            auto const s = rows.find(*e.id());
            if (s == no_slot)
                return error{errc::not_found, "the record '" + id_traits<Id>::text(*e.id()) + "'",
                             "no such id in the store"};
            auto const* v = vectors.template row_as<T>(s);
            out->emplace_back(v, v + dim);
            to.rows.push_back(s);
        }
    std::sort(to.rows.begin(), to.rows.end());
    to.rows.erase(std::unique(to.rows.begin(), to.rows.end()), to.rows.end());
    return to;
}

/// The query of like_strategy::average. Errors: zero_vector, not_finite (examples that cancel each
/// other out, or exceed the type), unsupported.
template <class Metric, class T>
[[nodiscard]] result<std::vector<T>> average_of(example_vectors<T> const& from, std::size_t dim) {
    if constexpr (std::floating_point<T>) {
        std::vector<double> sum(dim, 0.0);
        auto const add = [&](std::vector<std::vector<T>> const& list, double weight) {
            for (auto const& v : list) {
                double norm = 1;
                if constexpr (metric::needs_direction<Metric>) {
                    norm = 0;
                    for (auto const x : v) norm += static_cast<double>(x) * static_cast<double>(x);
                    norm = std::sqrt(norm);
                }
                auto const share = weight / (norm * static_cast<double>(list.size()));
                for (std::size_t i = 0; i < dim; ++i) sum[i] += share * static_cast<double>(v[i]);
            }
        };
        add(from.positive, from.negative.empty() ? 1 : 2);
        add(from.negative, -1);
        std::vector<T> query(dim);
        for (std::size_t i = 0; i < dim; ++i) query[i] = static_cast<T>(sum[i]);
        VICINAL_CHECK(check_vector<Metric>(vector_view<T>(query), dim,
                                           [] { return "the average of the examples"; }));
        return query;
    } else {
        return error{errc::unsupported, "vectors of floating point for an average",
                     "another element type; like_strategy::best_score takes it"};
    }
}

/// A candidate by its nearest examples.
struct scored_slot {
    bool negative;
    float near;
    float far;
    slot row;
};

/// The k best by like_strategy::best_score: candidates are the nearest of each positive example,
/// then all are compared with every example.
template <class Metric, class Rows, class Index, class T>
[[nodiscard]] result<index::neighbours>
best_scores(widening<Metric, Rows, Index> const& search, Rows const& rows, std::size_t dim,
            example_vectors<T> const& examples, std::size_t k, search_options const& o) {
    index::neighbours candidates;
    if (o.exact || k >= rows.live_count() / 8)
        candidates = search.all(examples.positive.front().data());
    else
        for (auto const& v : examples.positive) {
            auto const found = search.nearest(v.data(), (std::max)(4 * k, std::size_t{64}));
            VICINAL_CHECK(found);
            candidates.insert(candidates.end(), found->begin(), found->end());
        }
    std::sort(candidates.begin(), candidates.end(),
              [](auto const& a, auto const& b) { return a.row < b.row; });
    candidates.erase(std::unique(candidates.begin(), candidates.end(),
                                 [](auto const& a, auto const& b) { return a.row == b.row; }),
                     candidates.end());
    auto const vectors = rows.vectors().reader();
    auto const nearest_of = [&](std::vector<std::vector<T>> const& list, slot s) {
        float least = std::numeric_limits<float>::infinity();
        for (auto const& v : list)
            least = (std::min)(least,
                               metric::exact<Metric>(v.data(), vectors.template row_as<T>(s), dim));
        return least;
    };
    std::vector<scored_slot> scored;
    scored.reserve(candidates.size());
    for (auto const& c : candidates) {
        auto const near = nearest_of(examples.positive, c.row);
        auto const far = nearest_of(examples.negative, c.row);
        if (static_cast<double>(near) <= o.max_distance)
            scored.push_back({far <= near && !examples.negative.empty(), near, far, c.row});
    }
    std::sort(scored.begin(), scored.end(), [&](scored_slot const& a, scored_slot const& b) {
        if (a.negative != b.negative) return b.negative;
        if (a.negative && a.far != b.far) return a.far > b.far;
        if (!a.negative && a.near != b.near) return a.near < b.near;
        return earlier_id<Rows>{&rows}(a.row, b.row);
    });
    index::neighbours best;
    for (auto const& c : scored) best.push_back({c.near, c.row});
    return best;
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
