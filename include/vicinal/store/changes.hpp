// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CHANGES_HPP
#define VICINAL_STORE_CHANGES_HPP

#include <vicinal/storage/faults.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/folding.hpp>
#include <vicinal/store/payload_update.hpp>
#include <vicinal/store/upkeep.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// The writes of an engine.
///
/// A write goes: check, make room, log, fill rows that no query sees yet, publish in one exclusive
/// section, let the index take in. Up to the log nothing is changed, and after it nothing can fail:
/// rows that the index could not take in (for want of memory) are scanned exactly until it can.
template <class Metric, class Index, class Storage, class Payload, class Id>
class changes : protected upkeep<Metric, Index, Storage, Payload, Id> {
    using base = upkeep<Metric, Index, Storage, Payload, Id>;

protected:
    using base::base;
    using base::dead_before_;
    using base::dim_;
    using base::gate_;
    using base::index_;
    using base::pins_;
    using base::rows_;
    using base::section;
    using base::space_;
    using typename base::rows_type;
    using id_view = typename id_traits<Id>::view;
    using entry = prepared<Id>;
    ~changes() = default;

    /// Inserts or replaces a batch whose entries are checked: all of it or nothing.
    [[nodiscard]] result<void> upsert(std::span<entry const> batch) {
        return upsert(batch, [](rows_type const&) { return result<void>(); });
    }
    /// The same if allowed(rows) -> result<void> has nothing against it.
    template <class Allowed>
    [[nodiscard]] result<void> upsert(std::span<entry const> batch, Allowed const& allowed) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
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

    /// Replaces the payloads of those of these records that are there, all or none, by what
    /// make(rows, slot, out) appends; see payload_update::collect. How many that was.
    template <class Make>
    [[nodiscard]] result<std::size_t> update(std::span<id_view const> ids, Make const& make) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        payload_update<Id> todo;
        auto const collected = storage::unless_faulty([&] {
            rows_->look_ahead({});
            return todo.collect(*rows_, ids, [&](slot s, std::string& out) {
                if (pins_ != 0) rows_->look_at_vector(s);
                return make(*rows_, s, out);
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

    /// Makes an index on a field and fills it; without effect where there is one of that kind.
    [[nodiscard]] result<void> create_index(payload::detail::field_path const& path,
                                            field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const& list = rows_->fields().list();
        if (rows_->fields().place(path.shown(), kind) < list.size()) return {};
        if (list.size() == most_field_indexes)
            return error{errc::limit_exceeded,
                         "at most " + std::to_string(most_field_indexes) + " indexes on fields"};
        VICINAL_CHECK(log_index(operation::create_index, path, kind));
        settle([&] { static_cast<void>(add_field_index(*rows_, path, kind, true, section())); });
        return {};
    }
    /// False where there is none.
    [[nodiscard]] result<bool> drop_index(payload::detail::field_path const& path,
                                          field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const& fields = rows_->fields();
        if (fields.place(path.shown(), kind) == fields.list().size()) return false;
        VICINAL_CHECK(log_index(operation::drop_index, path, kind));
        return drop_field_index(*rows_, path, kind, section());
    }
    /// Fills an index anew from the payloads; false where there is none.
    [[nodiscard]] result<bool> rebuild_index(payload::detail::field_path const& path,
                                             field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        return storage::unless_faulty(
            [&] { return rebuild_field_index(*rows_, path, kind, section()); });
    }

    [[nodiscard]] VICINAL_COLD result<void> make() {
        return base::make([&]() -> result<void> {
            if constexpr (Storage::durable) VICINAL_CHECK(space_.replay(applier()));
            return {};
        });
    }

    /// What every write begins with.
    [[nodiscard]] result<void> begin_write() {
        if constexpr (Storage::durable)
            if (space_.read_only()) return error{errc::read_only, "a store opened for writing"};
        if (!gate_.admits()) VICINAL_CHECK(make());
        return damage_;
    }

    /// Runs what nothing can fail in any more. Where it met damage, this write is in the log and no
    /// other one is taken: the index may have been changed by what it misread.
    template <class Body>
    void settle(Body const& body) {
        storage::fault_scope const faults;
        body();
        if (damage_) damage_ = faults.check();
    }

    [[nodiscard]] result<void> log_index(operation what, payload::detail::field_path const& path,
                                         field_index kind) {
        if constexpr (Storage::durable)
            return space_.log(write_field_index(what, path.shown(), kind).bytes(),
                              log_kind::later_batch);
        return {};
    }

    /// Lets the index take in all that it lags behind.
    void take_in() {
        fold_until(*rows_, *index_, rows_->count(), section());
        fold_all_fields();
    }
    void fold_all_fields() {
        if constexpr (rows_type::fields_type::possible)
            if (!rows_->fields().empty())
                fold_fields(*rows_, rows_->count(), rows_->count(), section());
    }

    [[nodiscard]] std::size_t vector_bytes() const noexcept {
        return dim_ * sizeof(metric::element_of<Metric>);
    }

    void append(std::span<entry const> batch) noexcept {
        rows_->put(batch);
        section()([&] { rows_->publish(batch); });
    }

    void clear_rows() noexcept {
        section()([&] {
            if (pins_ == 0) {
                rows_->reset();
                index_->clear();
                dead_before_ = 0;
            } else {
                for (slot s = 0; s < rows_->count(); ++s)
                    if (rows_->live(s)) rows_->end(s);
            }
        });
    }

    /// Repeats what a log record says. Rows are appended, nothing is built.
    struct logged {
        changes& e;
        [[nodiscard]] result<void> upsert(std::span<entry const> batch) const {
            VICINAL_CHECK(e.rows_->make_room(batch, e.section()));
            e.append(batch);
            return {};
        }
        [[nodiscard]] result<void> update(std::span<entry const> batch) const {
            payload_replacement<rows_type, Id> replacement;
            VICINAL_CHECK(replacement.make_room(*e.rows_, batch, e.section()));
            replacement.apply(*e.rows_, e.section(), e.pins_);
            forget_changes(*e.rows_, e.section());
            return {};
        }
        [[nodiscard]] result<void> erase(id_view id) const {
            if (auto const s = e.rows_->find(id); s != no_slot)
                e.section()([&] { e.rows_->end(s); });
            return {};
        }
        [[nodiscard]] result<void> clear() const {
            e.clear_rows();
            return {};
        }
        [[nodiscard]] result<void> index_on(bool made, std::string_view field,
                                            field_index kind) const {
            if constexpr (rows_type::fields_type::possible) {
                auto const path = payload::detail::field_path::parse(field);
                if (!path) return error{errc::corrupt_log, "a name of a field", std::string(field)};
                if (made)
                    VICINAL_CHECK(add_field_index(*e.rows_, *path, kind, false, e.section()));
                else
                    VICINAL_CHECK(drop_field_index(*e.rows_, *path, kind, e.section()));
            }
            return {};
        }
    };
    [[nodiscard]] auto applier() noexcept {
        return [this](std::span<std::byte const> record) {
            return read_operation<Id>(record, vector_bytes(), logged{*this});
        };
    }

    writer_mutex writer_;
    result<void> damage_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
