// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_INDEXES_HPP
#define VICINAL_STORE_FIELD_INDEXES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/payload/index/slot_bitmap.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What the indexes say of a filter without looking at slots: of those below covered(), live or
/// not.
struct filter_estimate {
    /// Whether select() has an answer.
    bool known = false;
    std::size_t at_least = 0;
    std::size_t at_most = 0;
    /// About what select() takes.
    double cost_ns = 0;
};

/// Slots below covered(), live or not: all for which a filter is true, and no others where it is
/// exact; else each is to be asked.
struct selection {
    slot_bitmap slots;
    bool exact = true;
};

/// The field indexes of a store: which slots have which values.
///
/// They know the payloads of the slots below covered() as they were taken in; slots behind, and
/// those of rows.changed(), are to be asked by their payload.
template <class Storage>
class field_indexes {
public:
    [[nodiscard]] slot covered() const noexcept { return 0; }
    /// Whether there is no index.
    [[nodiscard]] bool empty() const noexcept { return true; }

    [[nodiscard]] filter_estimate estimate(filter const&) const { return {}; }
    /// Nothing where no index helps.
    [[nodiscard]] std::optional<selection> select(filter const&) const { return {}; }
    /// Calls visit(slot) -> bool in the order of the field's values, slots of equal values in
    /// ascending order, until it gives false; slots without a value that has an order are left
    /// out. False where there is no ordered index on the field.
    template <class Visit>
    [[nodiscard]] bool in_order(std::string_view, bool, Visit const&) const {
        return false;
    }
    /// Calls visit(payload::value_view, std::size_t slots) for each distinct value of the field,
    /// those of an array each by itself, in their order; slots count live or not. False where no
    /// index knows them.
    template <class Visit>
    [[nodiscard]] bool values(std::string_view, Visit const&) const {
        return false;
    }
    /// The same with the slots: visit(payload::value_view, slot_bitmap const&).
    template <class Visit>
    [[nodiscard]] bool postings(std::string_view, Visit const&) const {
        return false;
    }
    [[nodiscard]] std::vector<field_index_stats> stats() const { return {}; }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
