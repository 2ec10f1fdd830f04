// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_CONDITIONS_HPP
#define VICINAL_STORE_CALLS_CONDITIONS_HPP

#include <vicinal/store/calls/searches.hpp>
#include <vicinal/store/matches.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Records by what their payloads say, without a vector. Each of these looks at every row that the
/// filter was not asked of yet, and remembers the matches of the last few filters.
template <class Types>
class condition_calls : public search_calls<Types> {
protected:
    using search_calls<Types>::search_calls;
    using search_calls<Types>::engine_;

public:
    /// How many records match; all of them where the filter is empty. Errors: invalid_filter,
    /// unsupported (a filter on a payload that has no fields), out_of_memory.
    [[nodiscard]] result<std::size_t> try_count(std::string const& where = {}) const {
        return guarded([&]() -> result<std::size_t> {
            auto const condition = read_condition<typename Types::payload_policy>(where);
            VICINAL_CHECK(condition);
            return engine_->read([&](auto const& rows, auto const&) -> result<std::size_t> {
                if (condition->empty()) return rows.live_count();
                std::size_t n = 0;
                each_match(rows, *condition, where, engine_->filters(), [&](slot) { ++n; });
                return n;
            });
        });
    }

    /// Removes every record that matches, or none: one log record, one sync. How many that was. The
    /// empty filter matches every record; clear() is quicker. Errors: as try_count() and
    /// try_erase(); limit_exceeded, where their ids have more than a gibibyte.
    result<std::size_t> try_erase_where(std::string const& where) {
        return guarded([&]() -> result<std::size_t> {
            auto const condition = read_condition<typename Types::payload_policy>(where);
            VICINAL_CHECK(condition);
            return engine_->erase([&](auto const& rows, std::vector<slot>& out) -> result<void> {
                each_match(rows, *condition, where, engine_->filters(),
                           [&](slot s) { out.push_back(s); });
                return {};
            });
        });
    }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] std::size_t count(std::string const& where = {}) const {
        return try_count(where).value();
    }
    std::size_t erase_where(std::string const& where) { return try_erase_where(where).value(); }
#endif
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
