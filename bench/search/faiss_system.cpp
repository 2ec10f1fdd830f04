// SPDX-License-Identifier: MIT
// faiss as Debian compiles it, for every x86-64: its kernels are SSE's whatever flags this file
// gets.
#include "system.hpp"

#if VICINAL_BENCH_FAISS
#    include "faiss_index.hpp"

#    include <faiss/IndexHNSW.h>
#    include <faiss/impl/IDSelector.h>

#    include <optional>

namespace bench {

namespace {

class faiss_system final : public faiss_index {
public:
    using faiss_index::faiss_index;

    [[nodiscard]] std::string name() const override { return "faiss hnsw"; }

    void build(matrix const& rows) override {
        graph_ = std::make_unique<faiss::IndexHNSWFlat>(
            static_cast<int>(rows.columns), static_cast<int>(options().neighbours), metric());
        graph_->hnsw.efConstruction = static_cast<int>(options().build_width);
        on_all_threads(false,
                       [&] { graph_->add(static_cast<row_number>(rows.rows), rows.data.data()); });
    }

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
        faiss::SearchParametersHNSW asked;
        asked.efSearch = graph_->hnsw.efSearch;
        asked.sel = selector_ ? &*selector_ : nullptr;
        return rows_of(k_, rows, [&](float* distances, row_number* labels) {
            graph_->search(1, query, static_cast<row_number>(k_), distances, labels,
                           selector_ ? &asked : nullptr);
        });
    }

private:
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
