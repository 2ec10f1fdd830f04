// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_RECORDS_HPP
#define VICINAL_STORE_CALLS_RECORDS_HPP

#include <vicinal/store/batch.hpp>
#include <vicinal/store/calls/base.hpp>
#include <vicinal/store/scan.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Records one by one and in batches: put in, read, removed, walked through.
template <class Types>
class record_calls : public store_base<Types> {
protected:
    using store_base<Types>::store_base;
    using store_base<Types>::engine_;
    using typename Types::engine_type;
    using typename Types::id_view;
    using batch = detail::batch<typename Types::metric_type, typename Types::payload_policy,
                                typename Types::id_type>;

public:
    using typename Types::braces;
    using typename Types::id_parameter;
    using typename Types::payload_type;
    using typename Types::record;
    using typename Types::scalar_type;
    using typename Types::vector_parameter;

    /// Inserts the record or replaces the one of that id. On a durable store it returns when the
    /// record is as safe as the durability promises; if it fails, nothing has changed.
    ///
    /// Errors: dimension_mismatch, not_finite, zero_vector, empty_id, invalid_id, invalid_payload,
    /// read_only, io_failure, writer_poisoned, limit_exceeded, out_of_memory.
    result<void> try_upsert(id_parameter id, vector_parameter vector,
                            payload_type const& payload = {}) {
        return guarded([&]() -> result<void> {
            batch b(engine_->dim());
            VICINAL_CHECK(b.add(id, vector, payload));
            return engine_->upsert(b.entries());
        });
    }
    result<void> try_upsert(id_parameter id, braces vector, payload_type const& payload = {}) {
        return try_upsert(id, vector_parameter(vector.begin(), vector.size()), payload);
    }

    /// Inserts or replaces all records of a range, or none: one log record, one sync. Errors also:
    /// duplicate_id, and the id is named in each message.
    template <class Range>
        requires range_of<Range, record> result<void> try_upsert(Range const& records) {
            return guarded([&]() -> result<void> {
                batch b(engine_->dim());
                for (auto const& r : records) VICINAL_CHECK(b.add(r.id, r.vector, r.payload));
                VICINAL_CHECK(b.check_ids());
                return b.entries().empty() ? result<void>() : engine_->upsert(b.entries());
            });
        }

    /// The record of that id, its vector bit for bit as it was put in. Errors: vector_not_kept, of
    /// a store of codec::only, where there is such a record; corrupt_snapshot, out_of_memory.
    [[nodiscard]] result<std::optional<record>> try_get(id_parameter id) const {
        return guarded([&]() -> result<std::optional<record>> {
            return engine_->read(
                [&](auto const& rows, auto const&) -> result<std::optional<record>> {
                    auto const s = rows.find(id);
                    if (s == no_slot) return std::optional<record>();
                    auto r = engine_->template record_of<record>(rows, s);
                    VICINAL_CHECK(r);
                    return std::optional<record>(std::move(*r));
                });
        });
    }
    /// The vector of that id as searches compare it: what its codes stand for in a store of
    /// codec::only, else the vector. Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] result<std::optional<std::vector<scalar_type>>>
    try_reconstruct(id_parameter id) const {
        using found = std::optional<std::vector<scalar_type>>;
        return guarded([&] {
            return engine_->read([&](auto const& rows, auto const&) -> result<found> {
                auto const s = rows.find(id);
                if (s == no_slot) return found();
                return found(decode_vector(rows, s, engine_->dim()));
            });
        });
    }
    /// Whether there is a record of that id. Errors: corrupt_snapshot.
    [[nodiscard]] result<bool> try_contains(id_parameter id) const {
        return engine_->read([&](auto const& rows, auto const&) -> result<bool> {
            return rows.find(id) != no_slot;
        });
    }

    /// Removes the record; false where there is none of that id.
    result<bool> try_erase(id_parameter id) {
        return erase_if(id, [](auto const&, slot) -> result<bool> { return true; });
    }
    /// Removes every record.
    result<void> try_clear() {
        return guarded([&] { return engine_->clear(); });
    }

    using scan_type = record_scan<engine_type, record>;

    /// Every record in the order of ids, as of now, whatever a writer does meanwhile. A store of
    /// codec::only has no record to give: try_next() fails with vector_not_kept.
    [[nodiscard]] result<scan_type> try_scan() const { return scan_behind(std::nullopt); }
    /// The same with vectors as try_reconstruct() gives them.
    [[nodiscard]] result<scan_type> try_scan_reconstructed() const {
        return scan_behind(std::nullopt, true);
    }
    /// Every record whose id comes behind `after`, there or not.
    [[nodiscard]] result<scan_type> try_scan(id_parameter after) const {
        return scan_behind(id_view(after));
    }
#if VICINAL_EXCEPTIONS
    [[nodiscard]] std::optional<std::vector<scalar_type>> reconstruct(id_parameter id) const {
        return try_reconstruct(id).value();
    }
    [[nodiscard]] scan_type scan() const { return try_scan().value(); }
    [[nodiscard]] scan_type scan_reconstructed() const { return try_scan_reconstructed().value(); }
    [[nodiscard]] scan_type scan(id_parameter after) const { return try_scan(after).value(); }
#endif

protected:
    /// Removes the record if allowed(rows, slot) -> result<bool> has it so.
    template <class Allowed>
    result<bool> erase_if(id_view id, Allowed const& allowed) {
        return guarded([&]() -> result<bool> {
            auto const n =
                engine_->erase([&](auto const& rows, std::vector<slot>& out) -> result<void> {
                    auto const s = rows.find(id);
                    if (s == no_slot) return {};
                    auto const may = allowed(rows, s);
                    VICINAL_CHECK(may);
                    if (*may) out.push_back(s);
                    return {};
                });
            VICINAL_CHECK(n);
            return *n != 0;
        });
    }

private:
    [[nodiscard]] result<scan_type> scan_behind(std::optional<id_view> after,
                                                bool decoded = false) const {
        return guarded([&]() -> result<scan_type> {
            return engine_->read([&](auto const& rows, auto const&) -> result<scan_type> {
                return scan_type(*engine_, slots_by_id(rows, after), decoded);
            });
        });
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
