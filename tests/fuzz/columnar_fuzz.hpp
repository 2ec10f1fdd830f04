// SPDX-License-Identifier: MIT
// What the fuzz targets of tables do with one that opens.
#ifndef VICINAL_TESTS_FUZZ_COLUMNAR_FUZZ_HPP
#define VICINAL_TESTS_FUZZ_COLUMNAR_FUZZ_HPP

#include <vicinal/migrate/columnar/row_plan.hpp>
#include <vicinal/migrate/columnar/row_reader.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace columnar_fuzz {

namespace columnar = vicinal::detail::columnar;

/// Reads its first rows twice over: every column as a value, or as records of whatever layout.
inline void use(columnar::table& t, unsigned how) {
    // A few bytes may claim billions of rows of nulls.
    constexpr int most = 2'000;
    if (how % 2 == 0) {
        vicinal::value v;
        std::vector<float> floats;
        for (int row = 0; row < most; ++row) {
            auto const more = t.next();
            if (!more || !*more) return;
            for (std::size_t i = 0; i < t.columns().size(); ++i) {
                auto const kind = t.columns()[i].kind;
                bool const numbers =
                    kind == columnar::column_kind::reals || kind == columnar::column_kind::integers;
                if (numbers && how % 4 == 0) {
                    auto const done = t.read(i, floats);
                    if (!done) return;
                    if (floats.size() > vicinal::detail::source_dims) std::abort();
                } else if (!t.read(i, v)) {
                    return;
                }
            }
        }
        return;
    }
    columnar::row_wishes wishes;
    wishes.layout = static_cast<columnar::table_layout>(how / 2 % 6);
    auto plan = columnar::row_planner(t, wishes, "table").plan();
    if (!plan) return;
    columnar::row_reader reader(*plan, wishes);
    columnar::row_losses losses;
    vicinal::record r;
    for (int row = 0; row < most; ++row) {
        auto const more = t.next();
        if (!more || !*more) return;
        auto const made = reader.read(t, static_cast<std::uint64_t>(row), r, losses);
        if (!made) return;
        if (!made->bad && made->taken && r.id.empty()) std::abort();
    }
}

} // namespace columnar_fuzz

#endif
