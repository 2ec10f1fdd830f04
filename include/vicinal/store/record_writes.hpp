// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_RECORD_WRITES_HPP
#define VICINAL_STORE_RECORD_WRITES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/log_format.hpp>
#include <vicinal/store/field_writes.hpp>
#include <vicinal/store/load_order.hpp>
#include <vicinal/store/payload_update.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The writes of records.
///
/// A write goes: check, make room, log, fill rows that no query sees yet, publish in one exclusive
/// section, let the index take in. Up to the log nothing is changed, and after it nothing can fail:
/// rows that the index could not take in (for want of memory) are scanned exactly until it can.
template <class Metric, class Index, class Storage, class Payload, class Id>
class record_writes : protected field_writes<Metric, Index, Storage, Payload, Id> {
    using base = field_writes<Metric, Index, Storage, Payload, Id>;

protected:
    using base::append;
    using base::base;
    using base::begin_write;
    using base::clear_rows;
    using base::index_;
    using base::pins_;
    using base::rows_;
    using base::section;
    using base::settle;
    using base::space_;
    using base::vector_bytes;
    using base::writer_;
    using typename base::entry;
    using typename base::id_view;
    using typename base::rows_type;
    ~record_writes() = default;

    /// Inserts or replaces a batch whose entries are checked: all of it or nothing.
    [[nodiscard]] result<void> upsert(std::span<entry const> batch) {
        return upsert(batch, [](rows_type const&) { return result<void>(); });
    }
    /// The same if allowed(rows) -> result<void> has nothing against it.
    template <class Allowed>
    [[nodiscard]] result<void> upsert(std::span<entry const> records, Allowed const& allowed) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        std::vector<entry> ordered;
        auto const in_order = in_load_order<metric::element_of<Metric>>(*index_, records, ordered);
        VICINAL_CHECK(in_order);
        auto const batch = *in_order;
        VICINAL_CHECK(rows_->admit(batch, section()));
        VICINAL_CHECK(rows_->make_room(batch, section()));
        VICINAL_CHECK(storage::unless_faulty([&] {
            rows_->look_ahead(batch);
            return allowed(*rows_);
        }));
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(write_upsert<Id>(batch, vector_bytes()).bytes()));
        settle([&] {
            append(batch);
            fold_some(*rows_, *index_, batch.size(), section());
            fold_fields_some(*rows_, batch.size(), section());
            this->tidy_if_due();
        });
        return {};
    }

    /// Makes room for that many records in all, those that are there among them.
    [[nodiscard]] result<void> reserve(std::uint64_t records) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const there = rows_->live_count();
        return records > there ? rows_->reserve(records - there, section()) : result<void>();
    }

    /// Replaces the payloads of those of these records that are there, all or none, by what
    /// encode(rows, slot, out) appends; see payload_update::collect. How many that was.
    template <class Encode>
    [[nodiscard]] result<std::size_t> update(std::span<id_view const> ids, Encode const& encode) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        payload_update<Id> todo;
        auto const collected = storage::unless_faulty([&] {
            rows_->look_ahead({});
            return todo.collect(*rows_, ids, [&](slot s, std::string& out) {
                if (pins_ != 0) rows_->look_at_vector(s);
                return encode(*rows_, s, out);
            });
        });
        VICINAL_CHECK(collected);
        auto const batch = todo.entries();
        if (batch.empty()) return std::size_t{0};
        payload_replacement<rows_type, Id> replacement;
        VICINAL_CHECK(replacement.make_room(*rows_, batch, section()));
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(write_update<Id>(batch).bytes(), log_kind::later_batch));
        settle([&] {
            auto const written = replacement.apply(*rows_, section(), pins_) ? batch.size() : 0;
            forget_changes(*rows_, section());
            fold_some(*rows_, *index_, written, section());
            fold_fields_some(*rows_, written, section());
            this->tidy_if_due();
        });
        return batch.size();
    }

    /// Removes the live records that choose(rows, slots) -> result<void> lists, all or none; how
    /// many.
    template <class Choose>
    [[nodiscard]] result<std::size_t> erase(Choose const& choose) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        std::vector<slot> chosen;
        VICINAL_CHECK(storage::unless_faulty([&] { return choose(*rows_, chosen); }));
        if (chosen.empty()) return std::size_t{0};
        if constexpr (Storage::durable) {
            auto const record = write_erase<Id>(*rows_, chosen);
            VICINAL_CHECK(record);
            VICINAL_CHECK(space_.log(record->bytes()));
        }
        section()([&] {
            for (auto const s : chosen) rows_->end(s);
        });
        settle([&] {
            fold_some(*rows_, *index_, 0, section());
            this->tidy_if_due();
        });
        return chosen.size();
    }

    [[nodiscard]] result<void> clear() {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(operation_writer(operation::clear, 0, 0).bytes()));
        settle([&] { clear_rows(); });
        return {};
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
