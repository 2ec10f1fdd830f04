// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_VECTORS_HPP
#define VICINAL_INDEX_IVF_VECTORS_HPP

#include <vicinal/cluster/kmeans.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/ivf/ranking.hpp>
#include <vicinal/index/workers.hpp>
#include <vicinal/storage/faults.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Whether what was read so far is what was written.
[[nodiscard]] inline result<void> check_vectors() {
    if (!storage::fault_scope::met()) return {};
    return error{errc::io_failure, "vectors that can be read, to put them into lists"};
}

/// The vectors of slots, as lists see them; Vectors is the column of them, or what decodes them.
template <class Metric, class Vectors>
class listed_vectors {
    using space = geometry<Metric>;

public:
    listed_vectors(Vectors const& vectors, std::size_t dim, std::size_t threads) noexcept
        : vectors_(vectors), dim_(dim), threads_(threads) {}

    [[nodiscard]] auto reader() const noexcept { return vectors_.reader(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return vectors_.rows(); }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t threads() const noexcept { return threads_; }

    /// Up to k centres of those slots; none where no vector is finite.
    [[nodiscard]] result<std::vector<float>> centres(std::span<slot const> rows, std::size_t k,
                                                     cluster::kmeans_options const& o) const {
        return cluster::kmeans(
            rows.size(), dim_, k,
            [&, vectors = vectors_.reader()](std::size_t i, float* out) {
                auto const mine = vectors; // a reader is one thread's
                space::bring(mine.template row_as<float>(rows[i]), dim_, out);
            },
            o,
            [this](std::size_t count, std::size_t grain, auto const& body) {
                return run_parts(count, grain, threads_, body);
            });
    }

    /// Those centres in groups.
    [[nodiscard]] result<centre_groups> groups(float const* centres, std::size_t count,
                                               std::uint64_t seed) const {
        return centre_groups::of(centres, count, dim_, seed,
                                 [this](std::size_t n, std::size_t grain, auto const& body) {
                                     return run_parts(n, grain, threads_, body);
                                 });
    }

    /// The centre of some that each of those slots is nearest to.
    [[nodiscard]] result<void> nearest(std::span<slot const> rows, float const* centres,
                                       std::size_t count, std::uint32_t* out) const {
        // Turning the centres takes as long as some rows' distances from them.
        if (rows.size() < 16) return nearest_one_by_one(rows, centres, count, out);
        cluster::centre_panels const panels(centres, count, dim_);
        return run_parts(rows.size(), block, threads_, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                auto const vectors = vectors_.reader();
                std::vector<float> brought(block * dim_);
                for (; first < last; first += (std::min)(block, last - first)) {
                    auto const n = (std::min)(block, last - first);
                    for (std::size_t i = 0; i < n; ++i)
                        space::bring(vectors.template row_as<float>(rows[first + i]), dim_,
                                     brought.data() + i * dim_);
                    panels.nearest(brought.data(), n, out + first);
                }
                return {};
            });
        });
    }

    /// The same of centres in groups, and all but always: the nearest in the nearest groups. Cost:
    /// some thousand distances a row.
    [[nodiscard]] result<void> nearest(std::span<slot const> rows, float const* centres,
                                       std::size_t count, centre_groups const& groups,
                                       std::uint32_t* out) const {
        if (groups.empty()) return nearest(rows, centres, count, out);
        return run_parts(rows.size(), block, threads_, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                auto const vectors = vectors_.reader();
                for (; first < last; ++first) {
                    std::vector<float> brought(dim_);
                    space::bring(vectors.template row_as<float>(rows[first]), dim_, brought.data());
                    ranked_lists<metric::squared_l2> ranked(std::move(brought), centres, count,
                                                            dim_, groups);
                    out[first] = ranked.next().row;
                }
                return {};
            });
        });
    }

    /// How far a vector is from a centre, at least; `scratch` holds dim floats.
    [[nodiscard]] float reach(float const* vector, float const* centre,
                              float* scratch) const noexcept {
        space::bring(vector, dim_, scratch);
        return std::sqrt(metric::squared_l2::exact(scratch, centre, dim_)) * (1 + 0x1p-20F);
    }

private:
    /// Rows that stand against a panel of centres at once.
    static constexpr std::size_t block = 48;

    [[nodiscard]] result<void> nearest_one_by_one(std::span<slot const> rows, float const* centres,
                                                  std::size_t count, std::uint32_t* out) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const vectors = vectors_.reader();
            std::vector<float> brought(dim_), distances(count);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                space::bring(vectors.template row_as<float>(rows[i]), dim_, brought.data());
                geometry<metric::squared_l2>::distances(brought.data(), centres, count, dim_,
                                                        distances.data());
                out[i] = static_cast<std::uint32_t>(
                    std::min_element(distances.begin(), distances.end()) - distances.begin());
            }
            return {};
        });
    }

    Vectors const& vectors_;
    std::size_t dim_;
    std::size_t threads_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
