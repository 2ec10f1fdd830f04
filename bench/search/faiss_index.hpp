// SPDX-License-Identifier: MIT
// What all of faiss's indexes are to the measuring loop.
#ifndef VICINAL_BENCH_SEARCH_FAISS_INDEX_HPP
#define VICINAL_BENCH_SEARCH_FAISS_INDEX_HPP

#include "system.hpp"

#include <faiss/Index.h>

#include <omp.h>

#include <vector>

extern "C" void openblas_set_num_threads(int);

namespace bench {

class faiss_index : public system {
public:
    explicit faiss_index(build_options const& options) : options_(options) {}

    [[nodiscard]] bool wants_unit_length() const override { return true; }
    /// It keeps none: a row is known by its place.
    [[nodiscard]] std::size_t identity_bytes(std::size_t) const override { return 0; }

protected:
    using row_number = faiss::Index::idx_t;

    [[nodiscard]] build_options const& options() const { return options_; }
    [[nodiscard]] faiss::MetricType metric() const {
        return options_.metric == metric_name::squared_l2 ? faiss::METRIC_L2
                                                          : faiss::METRIC_INNER_PRODUCT;
    }

    /// Runs `body` on the threads that the build may have, those of OpenBLAS only where it asks.
    template <class Body>
    void on_all_threads(bool in_openblas, Body const& body) const {
        auto const threads = static_cast<int>(options_.threads);
        openblas_set_num_threads(in_openblas ? threads : 1);
        omp_set_num_threads(threads);
        body();
        openblas_set_num_threads(1);
        omp_set_num_threads(1);
    }

    /// Has find(distances, labels) fill k of each, and writes the rows that were found.
    template <class Find>
    static std::size_t rows_of(std::size_t k, std::uint32_t* rows, Find const& find) {
        thread_local std::vector<float> distances;
        thread_local std::vector<row_number> labels;
        distances.resize(k);
        labels.resize(k);
        // A thread that OpenMP did not make has a setting of its own.
        omp_set_num_threads(1);
        find(distances.data(), labels.data());
        std::size_t count = 0;
        for (auto const label : labels)
            if (label >= 0) rows[count++] = static_cast<std::uint32_t>(label);
        return count;
    }

private:
    build_options options_;
};

} // namespace bench

#endif
