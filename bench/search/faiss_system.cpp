// SPDX-License-Identifier: MIT
// faiss as Debian compiles it, for every x86-64: its kernels are SSE's whatever flags this file
// gets.
#include "system.hpp"

#if VICINAL_BENCH_FAISS
#    include <faiss/IndexHNSW.h>
#    include <faiss/impl/IDSelector.h>

#    include <omp.h>

#    include <optional>

extern "C" void openblas_set_num_threads(int);

namespace bench {

namespace {

class faiss_system final : public system {
public:
    explicit faiss_system(build_options const& options) : options_(options) {}

    [[nodiscard]] std::string name() const override { return "faiss hnsw"; }
    [[nodiscard]] bool wants_unit_length() const override { return true; }

    void build(matrix const& rows) override {
        graph_ = std::make_unique<faiss::IndexHNSWFlat>(
            static_cast<int>(rows.columns), static_cast<int>(options_.neighbours),
            options_.metric == metric_name::squared_l2 ? faiss::METRIC_L2
                                                       : faiss::METRIC_INNER_PRODUCT);
        graph_->hnsw.efConstruction = static_cast<int>(options_.build_width);
        openblas_set_num_threads(1);
        omp_set_num_threads(static_cast<int>(options_.threads));
        graph_->add(static_cast<faiss::Index::idx_t>(rows.rows), rows.data.data());
        omp_set_num_threads(1);
    }
    /// It keeps none: a row is known by its place.
    [[nodiscard]] std::size_t identity_bytes(std::size_t) const override { return 0; }

    void keep(double share) override {
        auto const rows = static_cast<std::size_t>(graph_->ntotal);
        bits_.assign(rows / 8 + 1, 0);
        for (std::size_t r = 0; r < rows; ++r)
            if (kept(r, share))
                bits_[r / 8] = static_cast<std::uint8_t>(bits_[r / 8] | 1U << r % 8);
        selector_.emplace(bits_.size(), bits_.data());
    }

    void ask(std::size_t k, std::size_t effort) override {
        k_ = k;
        graph_->hnsw.efSearch = static_cast<int>(effort);
    }
    std::size_t search(float const* query, std::uint32_t* rows) const override {
        thread_local std::vector<float> distances;
        thread_local std::vector<faiss::Index::idx_t> labels;
        distances.resize(k_);
        labels.resize(k_);
        // A thread that OpenMP did not make has a setting of its own.
        omp_set_num_threads(1);
        faiss::SearchParametersHNSW asked;
        asked.efSearch = graph_->hnsw.efSearch;
        asked.sel = selector_ ? &*selector_ : nullptr;
        graph_->search(1, query, static_cast<faiss::Index::idx_t>(k_), distances.data(),
                       labels.data(), selector_ ? &asked : nullptr);
        std::size_t count = 0;
        for (auto const label : labels)
            if (label >= 0) rows[count++] = static_cast<std::uint32_t>(label);
        return count;
    }

private:
    build_options options_;
    std::unique_ptr<faiss::IndexHNSWFlat> graph_;
    std::size_t k_ = 0;
    std::vector<std::uint8_t> bits_;
    mutable std::optional<faiss::IDSelectorBitmap> selector_;
};

} // namespace

system_pointer make_faiss(build_options const& options) {
    return std::make_unique<faiss_system>(options);
}

} // namespace bench

#else

bench::system_pointer bench::make_faiss(build_options const&) { return nullptr; }

#endif
