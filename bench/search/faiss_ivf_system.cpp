// SPDX-License-Identifier: MIT
// faiss's inverted lists as Debian compiles them: product codes of 4 bits in packed blocks, of half
// a byte for each two elements, and the vectors beside them to compare the best.
#include "system.hpp"

#if VICINAL_BENCH_FAISS
#    include "faiss_index.hpp"

#    include <faiss/IndexFlat.h>
#    include <faiss/IndexIVFPQFastScan.h>
#    include <faiss/IndexRefine.h>

#    include <algorithm>
#    include <cmath>

namespace bench {

namespace {

class faiss_ivf_system final : public faiss_index {
public:
    using faiss_index::faiss_index;

    [[nodiscard]] std::string name() const override { return "faiss ivf pq4 refined"; }

    void build(matrix const& rows) override {
        auto const lists = std::max<std::size_t>(
            1, static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(rows.rows))));
        auto const parts = std::max<std::size_t>(1, rows.columns / 2);
        coarse_ = std::make_unique<faiss::IndexFlat>(static_cast<int>(rows.columns), metric());
        lists_ = std::make_unique<faiss::IndexIVFPQFastScan>(coarse_.get(), rows.columns, lists,
                                                             parts, 4, metric());
        index_ = std::make_unique<faiss::IndexRefineFlat>(lists_.get());
        index_->k_factor = 4;
        on_all_threads(true, [&] {
            auto const n = static_cast<row_number>(rows.rows);
            index_->train(n, rows.data.data());
            index_->add(n, rows.data.data());
        });
    }

    void ask(std::size_t k, std::size_t effort) override {
        k_ = k;
        lists_->nprobe = effort;
    }
    std::size_t search(float const* query, std::uint32_t* rows) const override {
        return rows_of(k_, rows, [&](float* distances, row_number* labels) {
            index_->search(1, query, static_cast<row_number>(k_), distances, labels);
        });
    }

private:
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
