// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_CONDITIONS_HPP
#define VICINAL_STORE_CALLS_CONDITIONS_HPP

#include <vicinal/store/calls/searches.hpp>
#include <vicinal/store/faceting.hpp>
#include <vicinal/store/matches.hpp>
#include <vicinal/store/selecting.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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
    using typename Types::record;
    /// Records of a selection, and where the next page begins.
    using page = selected_page<record>;

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

    /// A page of the records that match, in the order of a field or of their ids.
    ///
    /// Cost: as try_count(); a comparison with the worst of the page for each match, which reads
    /// the field where there is an order_by; the page's records. Through an ordered index on the
    /// field about the rows that a page passes over instead, where these are at most an eighth of
    /// all.
    /// Errors: as try_count(); invalid_argument (a limit of 0, an `after` of another order),
    /// corrupt_snapshot.
    [[nodiscard]] result<page> try_select(select_options const& o = {}) const {
        return guarded([&]() -> result<page> {
            using id = typename Types::id_type;
            using policy = typename Types::payload_policy;
            auto const condition = read_condition<policy>(o.where);
            VICINAL_CHECK(condition);
            VICINAL_CHECK(check_field<policy>(o.order_by));
            if (o.limit == 0) return error{errc::invalid_argument, "a limit of at least 1", "0"};
            std::optional<page_cursor<id>> after;
            if (!o.after.empty()) {
                auto cursor = page_cursor<id>::parse(o.after, o.order_by, o.descending);
                VICINAL_CHECK(cursor);
                after.emplace(std::move(*cursor));
            }
            return engine_->read([&](auto const& rows, auto const&) {
                return select_page<record, policy, id>(rows, engine_->dim(), *condition, o, after,
                                                       engine_->filters());
            });
        });
    }

    /// How many of the records that match have which value of a field (a dotted name): the most
    /// frequent values first, equally frequent ones in the order of select_options. An array counts
    /// once for each of its distinct elements.
    ///
    /// Cost: as try_count() and a look into each match; where there is a hash or inverted index on
    /// the field, no filter, and no payload that was changed since, one step for each value and a
    /// look into each dead row. Errors: as try_count().
    [[nodiscard]] result<std::vector<facet>> try_facets(std::string_view field,
                                                        facet_options const& o = {}) const {
        return guarded([&]() -> result<std::vector<facet>> {
            using policy = typename Types::payload_policy;
            auto const condition = read_condition<policy>(o.where);
            VICINAL_CHECK(condition);
            VICINAL_CHECK(check_field<policy>(field));
            return engine_->read([&](auto const& rows, auto const&) -> result<std::vector<facet>> {
                return count_facets(rows, field, *condition, o, engine_->filters());
            });
        });
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
