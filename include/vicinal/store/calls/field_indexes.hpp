// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_FIELD_INDEXES_HPP
#define VICINAL_STORE_CALLS_FIELD_INDEXES_HPP

#include <vicinal/payload/index/field_path.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/store/calls/upkeep.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Indexes on fields of the payload, which filters, facets and orders are answered from. They never
/// change an answer. A durable store keeps them.
template <class Types>
class field_index_calls : public upkeep_calls<Types> {
protected:
    using upkeep_calls<Types>::upkeep_calls;
    using upkeep_calls<Types>::engine_;
    /// Whether filters read payloads of this kind.
    static constexpr bool indexable = Types::payload_policy::filterable;

public:
    /// Makes an index on a field, named as in filters, and fills it with all records; without
    /// effect where there is one of that kind. A field may have one of each kind. Searches go on
    /// and writers wait; cost: about 0.3 us a record for each value. Errors: invalid_filter (not
    /// the name of a field), limit_exceeded (64), read_only, io_failure, writer_poisoned,
    /// out_of_memory.
    result<void> try_create_index(std::string_view field, field_index kind) requires(indexable) {
        return on_field(field, [&](auto const& path) { return engine_->create_index(path, kind); });
    }
    /// Drops it; false where there is none. Errors: as try_create_index().
    result<bool> try_drop_index(std::string_view field, field_index kind) requires(indexable) {
        return on_field(field, [&](auto const& path) { return engine_->drop_index(path, kind); });
    }
    /// Fills it anew from the records; false where there is none. It answers as before meanwhile.
    /// Cost and errors: as try_create_index().
    result<bool> try_rebuild_index(std::string_view field, field_index kind) requires(indexable) {
        return on_field(field,
                        [&](auto const& path) { return engine_->rebuild_index(path, kind); });
    }
    /// The indexes there are, in the order in which they were made. Cost: a look at each distinct
    /// value. Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] result<std::vector<field_index_stats>> try_indexes() const {
        return guarded([&] {
            return engine_->read(
                [](auto const& rows, auto const&) -> result<std::vector<field_index_stats>> {
                    return rows.fields().stats();
                });
        });
    }

#if VICINAL_EXCEPTIONS
    void create_index(std::string_view field, field_index kind) requires(indexable) {
        try_create_index(field, kind).value();
    }
    bool drop_index(std::string_view field, field_index kind) requires(indexable) {
        return try_drop_index(field, kind).value();
    }
    bool rebuild_index(std::string_view field, field_index kind) requires(indexable) {
        return try_rebuild_index(field, kind).value();
    }
    [[nodiscard]] std::vector<field_index_stats> indexes() const { return try_indexes().value(); }
#endif

private:
    template <class Body>
    auto on_field(std::string_view field, Body const& body)
        -> decltype(body(std::declval<payload::detail::field_path const&>())) {
        return guarded([&]() -> decltype(body(std::declval<payload::detail::field_path const&>())) {
            auto const path = payload::detail::field_path::parse(field);
            VICINAL_CHECK(path);
            return body(*path);
        });
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
