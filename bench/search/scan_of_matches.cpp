// SPDX-License-Identifier: MIT
#include "system.hpp"

#include <vicinal/vicinal.hpp>

namespace bench {

namespace {

/// The distances of listed rows, four at a time, some rows asked for ahead.
template <class Metric>
class scan_of_matches final : public system {
public:
    [[nodiscard]] std::string name() const override { return "scan of the matches"; }
    [[nodiscard]] bool sweeps() const override { return false; }

    void build(matrix const& rows) override { rows_ = rows; }
    [[nodiscard]] std::size_t identity_bytes(std::size_t) const override { return 0; }

    void keep(double share) override {
        matches_.clear();
        for (std::size_t r = 0; r < rows_.rows; ++r)
            if (kept(r, share)) matches_.push_back(static_cast<std::uint32_t>(r));
    }
    void ask(std::size_t k, std::size_t) override { k_ = k; }

    std::size_t search(float const* query, std::uint32_t* rows) const override {
        constexpr std::size_t ahead = 8, line = 16;
        auto const score = vicinal::metric::bind<Metric>(query, rows_.columns);
        vicinal::index::nearest<> best(k_);
        auto const offer = [&](float distance, std::uint32_t row) {
            if (best.could_enter(distance)) best.offer({distance, row});
        };
        std::size_t i = 0;
        for (; i + 4 <= matches_.size(); i += 4) {
            for (auto j = i + ahead; j < std::min(i + ahead + 4, matches_.size()); ++j)
                for (std::size_t e = 0; e < rows_.columns; e += line)
                    __builtin_prefetch(rows_.row(matches_[j]) + e);
            float const* four[4];
            float distances[4];
            for (std::size_t j = 0; j < 4; ++j) four[j] = rows_.row(matches_[i + j]);
            score.four(four, distances);
            for (std::size_t j = 0; j < 4; ++j) offer(distances[j], matches_[i + j]);
        }
        for (; i < matches_.size(); ++i) offer(score(rows_.row(matches_[i])), matches_[i]);
        auto const found = best.take();
        for (auto const& n : found) *rows++ = n.row;
        return found.size();
    }

private:
    matrix rows_;
    std::vector<std::uint32_t> matches_;
    std::size_t k_ = 0;
};

} // namespace

system_pointer make_scan_of_matches(build_options const& options) {
    using namespace vicinal::metric;
    switch (options.metric) {
        case metric_name::squared_l2: return std::make_unique<scan_of_matches<squared_l2>>();
        case metric_name::inner_product: return std::make_unique<scan_of_matches<inner_product>>();
        case metric_name::cosine: return std::make_unique<scan_of_matches<cosine>>();
    }
    return nullptr;
}

} // namespace bench
