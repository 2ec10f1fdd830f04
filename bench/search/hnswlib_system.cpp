// SPDX-License-Identifier: MIT
// hnswlib as its users run it: compiled with -O3 -march=native, which its kernels need.
#include "memory_use.hpp"
#include "system.hpp"

#if VICINAL_BENCH_HNSWLIB
#    include <hnswlib/hnswlib.h>

#    include <atomic>
#    include <thread>
#    include <unordered_map>

namespace bench {

namespace {

class hnswlib_system final : public system {
public:
    explicit hnswlib_system(build_options const& options) : options_(options) {}

    [[nodiscard]] std::string name() const override { return "hnswlib"; }
    [[nodiscard]] bool wants_unit_length() const override { return true; }

    void build(matrix const& rows) override {
        if (options_.metric == metric_name::squared_l2)
            space_ = std::make_unique<hnswlib::L2Space>(rows.columns);
        else
            space_ = std::make_unique<hnswlib::InnerProductSpace>(rows.columns);
        graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(
            space_.get(), rows.rows, options_.neighbours, options_.build_width);
        std::atomic<std::size_t> next{0};
        auto const work = [&] {
            for (std::size_t i = next++; i < rows.rows; i = next++)
                graph_->addPoint(rows.row(i), i);
        };
        std::vector<std::thread> others;
        for (std::size_t t = 1; t < options_.threads; ++t) others.emplace_back(work);
        work();
        for (auto& t : others) t.join();
    }
    /// A label beside each row, and the map from labels to rows, measured on one of its type.
    [[nodiscard]] std::size_t identity_bytes(std::size_t rows) const override {
        auto const before = bytes_in_use();
        std::unordered_map<hnswlib::labeltype, hnswlib::tableint> map;
        for (std::size_t i = 0; i < rows; ++i) map[i] = static_cast<hnswlib::tableint>(i);
        return bytes_in_use() - before + rows * sizeof(hnswlib::labeltype);
    }

    /// This version takes no predicate with the query. Marking the others deleted is the walk that
    /// later versions make for one: all rows are passed through, those that match are collected.
    void keep(double share) override {
        auto const rows = graph_->cur_element_count;
        if (share_ < 1)
            for (std::size_t r = 0; r < rows; ++r)
                if (!kept(r, share_)) graph_->unmarkDelete(r);
        share_ = share;
        for (std::size_t r = 0; r < rows; ++r)
            if (!kept(r, share_)) graph_->markDelete(r);
    }

    void ask(std::size_t k, std::size_t effort) override {
        k_ = k;
        graph_->setEf(effort);
    }
    std::size_t search(float const* query, std::uint32_t* rows) const override {
        auto found = graph_->searchKnn(query, k_);
        auto const count = found.size();
        for (auto i = count; i-- > 0; found.pop())
            rows[i] = static_cast<std::uint32_t>(found.top().second);
        return count;
    }

private:
    build_options options_;
    std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
    std::size_t k_ = 0;
    double share_ = 1;
};

} // namespace

system_pointer make_hnswlib(build_options const& options) {
    return std::make_unique<hnswlib_system>(options);
}

} // namespace bench

#else

bench::system_pointer bench::make_hnswlib(build_options const&) { return nullptr; }

#endif
