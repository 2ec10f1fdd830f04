// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_VICINAL_SYSTEM_HPP
#define VICINAL_BENCH_SEARCH_VICINAL_SYSTEM_HPP

#include "memory_use.hpp"
#include "system.hpp"

#include <vicinal/vicinal.hpp>

#include <numeric>
#include <optional>
#include <utility>

namespace bench {

/// A store in memory, used as its users do: one batch in, one query at a time. What the store adds
/// to its index (checks, ids, exact distances) is in every figure.
template <class Metric, class Index, class Payload>
class vicinal_system final : public system {
    template <class I>
    using store_of = vicinal::store<Metric, I, vicinal::storage::memory, Payload, std::uint64_t>;
    using store = store_of<Index>;

public:
    vicinal_system(std::string name, build_options const& options)
        : name_(std::move(name)), options_(options) {}

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] bool sweeps() const override {
        return !vicinal::index::looks_at_all<
            typename Index::template of<Metric, vicinal::storage::memory>>;
    }

    void build(matrix const& rows) override {
        typename store::options how{.dim = rows.columns};
        // Its build width stays the library's own: each of the two passes has one.
        if constexpr (requires { how.index.neighbours; })
            how.index.neighbours = options_.neighbours;
        if constexpr (requires { how.index.tune; }) how.index.tune = false;
        if constexpr (requires { how.index.threads; }) how.index.threads = options_.threads;
        docs_.emplace(how);
        rows_ = rows.rows;
        std::vector<std::uint64_t> ids(rows.rows);
        std::iota(ids.begin(), ids.end(), std::uint64_t{0});
        insert(ids, rows);
    }
    void insert(std::span<std::uint64_t const> ids, matrix const& rows) override {
        std::vector<typename store::record> records;
        records.reserve(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i)
            records.push_back(
                {ids[i], {rows.row(i), rows.row(i) + rows.columns}, payload_of(ids[i])});
        docs_->upsert(records);
    }
    void erase(std::span<std::uint64_t const> ids) override {
        for (auto const id : ids) docs_->erase(id);
    }
    void keep(double share) override {
        asked_.where = "draw < " + std::to_string(draw_limit(share));
    }
    void tune() override {
        if constexpr (requires { docs_->tune(); }) docs_->tune();
    }
    /// Measured on a store of the same ids over vectors of one element.
    [[nodiscard]] std::size_t identity_bytes(std::size_t rows) const override {
        using ids_alone = store_of<vicinal::index::flat<vicinal::codec::f32>>;
        auto const before = bytes_in_use();
        ids_alone docs{{.dim = 1}};
        {
            std::vector<typename ids_alone::record> records;
            for (std::size_t i = 0; i < rows; ++i) records.push_back({i, {1}, payload_of(i)});
            docs.upsert(records);
        }
        return bytes_in_use() - before - rows * sizeof(float);
    }

    void ask(std::size_t k, std::size_t effort) override {
        asked_.k = k;
        asked_.effort = effort;
    }
    std::size_t search(float const* query, std::uint32_t* rows) const override {
        auto const hits = docs_->search({query, docs_->dim()}, asked_);
        for (auto const& hit : hits) *rows++ = static_cast<std::uint32_t>(hit.id % rows_);
        return hits.size();
    }

private:
    [[nodiscard]] static typename Payload::value_type payload_of(std::uint64_t id) {
        if constexpr (Payload::filterable)
            return {{"draw", static_cast<std::int64_t>(draw_of(id))}};
        else
            return {};
    }

    std::string name_;
    std::size_t rows_ = 0;
    build_options options_;
    std::optional<store> docs_;
    vicinal::search_options asked_;
};

template <class Index, class Payload>
[[nodiscard]] system_pointer make_vicinal(entry const& e, build_options const& options) {
    using namespace vicinal::metric;
    switch (options.metric) {
        case metric_name::squared_l2:
            return std::make_unique<vicinal_system<squared_l2, Index, Payload>>(e.name(), options);
        case metric_name::inner_product:
            return std::make_unique<vicinal_system<inner_product, Index, Payload>>(e.name(),
                                                                                   options);
        case metric_name::cosine:
            return std::make_unique<vicinal_system<cosine, Index, Payload>>(e.name(), options);
    }
    return nullptr;
}

} // namespace bench

#endif
