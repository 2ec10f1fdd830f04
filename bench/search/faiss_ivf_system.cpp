// SPDX-License-Identifier: MIT
// faiss's inverted lists as Debian compiles them: product codes of 4 bits in packed blocks, of half
// a byte for each two elements, and the vectors beside them to compare the best.
#include "system.hpp"

#if VICINAL_BENCH_FAISS
#    include <faiss/IndexFlat.h>
#    include <faiss/IndexIVFPQFastScan.h>
#    include <faiss/IndexRefine.h>

#    include <omp.h>

#    include <algorithm>
#    include <cmath>

extern "C" void openblas_set_num_threads(int);

namespace bench {

namespace {

class faiss_ivf_system final : public system {
public:
    explicit faiss_ivf_system(build_options const& options) : options_(options) {}

    [[nodiscard]] std::string name() const override { return "faiss ivf pq4 refined"; }
    [[nodiscard]] bool wants_unit_length() const override { return true; }

    void build(matrix const& rows) override {
        auto const lists = std::max<std::size_t>(
            1, static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(rows.rows))));
        auto const parts = std::max<std::size_t>(1, rows.columns / 2);
        auto const metric = options_.metric == metric_name::squared_l2
                                ? faiss::METRIC_L2
                                : faiss::METRIC_INNER_PRODUCT;
        coarse_ = std::make_unique<faiss::IndexFlat>(static_cast<int>(rows.columns), metric);
        lists_ = std::make_unique<faiss::IndexIVFPQFastScan>(coarse_.get(), rows.columns, lists,
                                                             parts, 4, metric);
        index_ = std::make_unique<faiss::IndexRefineFlat>(lists_.get());
        index_->k_factor = 4;
        openblas_set_num_threads(static_cast<int>(options_.threads));
        omp_set_num_threads(static_cast<int>(options_.threads));
        auto const n = static_cast<faiss::Index::idx_t>(rows.rows);
        index_->train(n, rows.data.data());
        index_->add(n, rows.data.data());
        openblas_set_num_threads(1);
        omp_set_num_threads(1);
    }
    /// It keeps none: a row is known by its place.
    [[nodiscard]] std::size_t identity_bytes(std::size_t) const override { return 0; }

    void ask(std::size_t k, std::size_t effort) override {
        k_ = k;
        lists_->nprobe = effort;
    }
    std::size_t search(float const* query, std::uint32_t* rows) const override {
        thread_local std::vector<float> distances;
        thread_local std::vector<faiss::Index::idx_t> labels;
        distances.resize(k_);
        labels.resize(k_);
        // A thread that OpenMP did not make has a setting of its own.
        omp_set_num_threads(1);
        index_->search(1, query, static_cast<faiss::Index::idx_t>(k_), distances.data(),
                       labels.data());
        std::size_t count = 0;
        for (auto const label : labels)
            if (label >= 0) rows[count++] = static_cast<std::uint32_t>(label);
        return count;
    }

private:
    build_options options_;
    std::unique_ptr<faiss::IndexFlat> coarse_;
    std::unique_ptr<faiss::IndexIVFPQFastScan> lists_;
    std::unique_ptr<faiss::IndexRefineFlat> index_;
    std::size_t k_ = 0;
};

} // namespace

system_pointer make_faiss_ivf(build_options const& options) {
    return std::make_unique<faiss_ivf_system>(options);
}

} // namespace bench

#else

bench::system_pointer bench::make_faiss_ivf(build_options const&) { return nullptr; }

#endif
