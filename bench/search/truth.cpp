// SPDX-License-Identifier: MIT
#include "truth.hpp"

#include <vicinal/vicinal.hpp>

namespace bench {

namespace {

template <class Metric>
truth scan_all(matrix const& base, matrix const& queries, std::size_t k) {
    using docs = vicinal::store<Metric, vicinal::index::flat<vicinal::codec::sq8>,
                                vicinal::storage::memory, vicinal::payload::none, std::uint32_t>;
    std::vector<typename docs::record> records;
    records.reserve(base.rows);
    for (std::size_t i = 0; i < base.rows; ++i)
        records.push_back(
            {static_cast<std::uint32_t>(i), {base.row(i), base.row(i) + base.columns}, {}});
    docs d{{.dim = base.columns}};
    d.upsert(records);
    truth all;
    for (auto const& hits :
         d.search(vicinal::matrix_view<float>(queries.data, queries.columns), {.k = k})) {
        auto& rows = all.emplace_back();
        for (auto const& hit : hits) rows.push_back(hit.id);
    }
    return all;
}

} // namespace

truth brute_force(metric_name metric, matrix const& base, matrix const& queries, std::size_t k) {
    using namespace vicinal::metric;
    switch (metric) {
        case metric_name::squared_l2: return scan_all<squared_l2>(base, queries, k);
        case metric_name::inner_product: return scan_all<inner_product>(base, queries, k);
        case metric_name::cosine: return scan_all<cosine>(base, queries, k);
    }
    return {};
}

} // namespace bench
