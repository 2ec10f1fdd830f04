// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_TUNING_HPP
#define VICINAL_INDEX_TUNING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/concept.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The recall that a beam of one width reached among the k nearest, for three k; 0 where the beam
/// is narrower than k.
struct measured_recall {
    std::uint32_t effort = 0;
    float at_1 = 0;
    float at_10 = 0;
    float at_100 = 0;
};

/// What tuning measured.
struct tuning {
    /// Rows that were covered then.
    std::uint32_t rows = 0;
    /// Rows that stood in for queries.
    std::uint32_t queries = 0;
    /// By growing effort; recall does not fall from one to the next.
    std::vector<measured_recall> table;
    /// How the distance of the n-th nearest grows: as n to this power. 0 where that was not
    /// measured, or the metric's distances are not above 0.
    float growth = 0;
};

/// One row of the column that keeps it: a line of the table, or first {rows, queries, growth}.
struct tuning_row {
    std::uint32_t effort;
    float recalls[3];
};

/// Rows on a line grow with 1, their squared distances with 2.
inline constexpr float most_growth = 4;
/// The recall beyond which no more is measured.
inline constexpr float enough = 0.9985F;

/// Adds a line, in which recall is no less than in the one before; whether it is worth measuring
/// more.
[[nodiscard]] inline bool add_line(tuning& t, std::uint32_t effort, float const (&recalls)[3]) {
    measured_recall m{effort, recalls[0], recalls[1], recalls[2]};
    if (!t.table.empty()) {
        auto const& before = t.table.back();
        m.at_1 = (std::max)(m.at_1, before.at_1);
        m.at_10 = (std::max)(m.at_10, before.at_10);
        m.at_100 = (std::max)(m.at_100, before.at_100);
    }
    t.table.push_back(m);
    return m.at_1 < enough || m.at_10 < enough || m.at_100 < enough;
}

/// Reads a table as its column keeps it; one that no tuning writes is taken for none.
template <class Reader>
[[nodiscard]] tuning read_tuning(Reader const& rows, std::uint64_t count) {
    tuning t;
    if (count < 2) return t;
    auto const head = *rows.template row_as<tuning_row>(0);
    for (std::uint64_t i = 1; i < count; ++i) {
        auto const r = *rows.template row_as<tuning_row>(i);
        auto const sound = [](float x) { return x >= 0 && x <= 1; };
        if (r.effort == 0 || !std::all_of(r.recalls, r.recalls + 3, sound)) return {};
        if (!t.table.empty() && t.table.back().effort >= r.effort) return {};
        t.table.push_back({r.effort, r.recalls[0], r.recalls[1], r.recalls[2]});
    }
    t.rows = head.effort;
    t.queries = static_cast<std::uint32_t>(head.recalls[0]);
    if (head.recalls[1] > 0 && head.recalls[1] <= most_growth) t.growth = head.recalls[1];
    return t;
}

/// Writes a table into its column, which has room for a row more than it has lines.
template <class Column>
void write_tuning(Column& column, tuning const& t) noexcept {
    column.resize(t.table.size() + 1);
    tuning_row const head{t.rows, {static_cast<float>(t.queries), t.growth, 0}};
    std::memcpy(column.edit(0), &head, sizeof head);
    for (std::size_t i = 0; i < t.table.size(); ++i) {
        auto const& m = t.table[i];
        tuning_row const r{m.effort, {m.at_1, m.at_10, m.at_100}};
        std::memcpy(column.edit(i + 1), &r, sizeof r);
    }
}

/// Puts what was measured into its column, and in the place of what was measured before. Errors:
/// out_of_memory.
template <class Column, class Section>
[[nodiscard]] result<void> keep_tuning(Column& column, tuning&& fresh, tuning& kept,
                                       Section const& section) {
    VICINAL_CHECK(storage::reserve(column, fresh.table.size() + 1, section));
    section([&] {
        write_tuning(column, fresh);
        kept = std::move(fresh);
    });
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif
