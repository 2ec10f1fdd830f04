// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_ENGINE_HPP
#define VICINAL_STORE_ENGINE_HPP

#include <vicinal/index/concept.hpp>
#include <vicinal/index/tuning.hpp>
#include <vicinal/storage/copy_files.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/background.hpp>
#include <vicinal/store/decode_record.hpp>
#include <vicinal/store/filter_cache.hpp>
#include <vicinal/store/folding.hpp>
#include <vicinal/store/identity.hpp>
#include <vicinal/store/record_writes.hpp>
#include <vicinal/store/rows.hpp>
#include <vicinal/store/verification.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// What stands behind a store, at one address for its life: the opened storage, the rows, the
/// index, and what keeps the writer and the readers apart.
template <class Metric, class Index, class Storage, class Payload, class Id>
class engine : record_writes<Metric, Index, Storage, Payload, Id> {
    using base = record_writes<Metric, Index, Storage, Payload, Id>;
    using base::applier;
    using base::begin_write;
    using base::damage_;
    using base::dim_;
    using base::fold_all_fields;
    using base::gate_;
    using base::index_;
    using base::make;
    using base::pins_;
    using base::rows_;
    using base::section;
    using base::settle;
    using base::space_;
    using base::take_in;
    using base::writer_;

public:
    using element = metric::element_of<Metric>;
    using space = typename Storage::space;
    using rows_type = rows<Metric, typename Index::codec_type, Storage, Payload, Id>;
    using index_type = typename Index::template of<Metric, Storage>;
    using id_view = typename id_traits<Id>::view;
    using entry = prepared<Id>;

    /// Opens the columns of a space, if it has any yet or is durable. Replays the log of one that
    /// is: appending rows, no graph.
    [[nodiscard]] static result<std::unique_ptr<engine>>
    open(space opened, std::size_t dim, typename Index::options const& options) {
        std::unique_ptr<engine> e(new engine(std::move(opened), dim, options));
        if (!e->may_wait()) VICINAL_CHECK(e->make());
        return e;
    }

    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    /// Writes a checkpoint where the log has grown past a tenth of the snapshot, so that the next
    /// open is quick. What fails here is in the log and not lost.
    ~engine() {
        if constexpr (Storage::durable) {
            if (!space_.own_process()) {
                background_.forget();
                return;
            }
            background_.stop();
            if (gate_.admits() && !space_.read_only() &&
                space_.log_bytes() * 10 > space_.snapshot_bytes())
                static_cast<void>(this->checkpoint_locked());
        }
    }

    /// Has the index take in what a replay has left to it, on a thread of its own.
    void fold_beside() {
        background_.start([this] {
            writer_.let_others();
            writer_lock const held(writer_);
            auto const before = index_->covered();
            bool more = false;
            settle([&] {
                fold_some(*rows_, *index_, background_fold, section());
                more = fold_fields_some(*rows_, background_fold, section());
            });
            more = more || (index_->covered() != before && index_->covered() < rows_->count());
            return damage_ && more;
        });
    }

    using base::clear;
    using base::create_index;
    using base::drop_index;
    using base::erase;
    using base::rebuild_index;
    using base::reserve;
    using base::update;
    using base::upsert;

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] space const& storage() const noexcept { return space_; }
    /// What recent filters match; safe to use as a reader.
    [[nodiscard]] filter_cache& filters() noexcept { return filters_; }

    /// Folds the fresh tail into the index and writes the next generation. Readers go on meanwhile.
    [[nodiscard]] result<void> checkpoint() requires(Storage::durable) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        return storage::unless_faulty([&] {
            take_in();
            return this->checkpoint_locked();
        });
    }

    /// Folds the fresh tail into the index and hands everything to
    /// write(storage, properties, replacements) -> result<void>. Readers go on meanwhile.
    template <class Write>
    [[nodiscard]] result<void> save(Write const& write) requires(!Storage::durable) {
        writer_lock const held(writer_);
        return guarded([&]() -> result<void> {
            VICINAL_CHECK(make());
            take_in();
            std::vector<storage::replacement> fresh;
            fresh.push_back(
                storage::owned_rows("ids.map", sizeof(id_table::entry), rows_->frozen_map()));
            auto types = describe_types<Metric, Index, Payload, Id>(dim_);
            auto const fields = this->next_fields(nullptr);
            VICINAL_CHECK(fields);
            this->add_fields(*fields, fresh, types);
            return write(space_, types, std::span<storage::replacement const>(fresh));
        });
    }

    /// A copy of the store as it is now. Only its beginning waits for a writer.
    [[nodiscard]] result<storage::copy_report>
    backup(std::string_view to) requires(Storage::durable) {
        auto const files = [this] {
            writer_lock const held(writer_);
            return space_.hold();
        }();
        VICINAL_CHECK(files);
        return storage::copy_to(*files, to, false);
    }

    /// Moves a reader to the newest state; whether there was any other. Where the store has a new
    /// generation, reopen() gives an engine of it, which takes this one's place; not while a scan
    /// is open, which knows slots by their present numbers.
    template <class Reopen>
    [[nodiscard]] result<bool> refresh(Reopen const& reopen) requires(Storage::durable) {
        writer_lock const held(writer_);
        if (!space_.read_only()) return false;
        auto const more = storage::unless_faulty([&] { return space_.catch_up(applier()); });
        VICINAL_CHECK(more);
        if (*more) {
            if (**more != 0) settle([&] { fold_all_fields(); });
            return **more != 0;
        }
        if (pins_ != 0) return false;
        auto fresh = reopen();
        VICINAL_CHECK(fresh);
        bool moved = false;
        section()([&, &other = **fresh] {
            if (moved = pins_ == 0; !moved) return;
            other.rows_->begin_behind(rows_->epoch());
            std::swap(space_, other.space_);
            std::swap(rows_, other.rows_);
            std::swap(index_, other.index_);
        });
        return moved;
    }

    /// Gives back what dead slots hold, in a durable store by a checkpoint; while a scan is open,
    /// or with an index or storage that can't, nothing. Readers go on meanwhile.
    [[nodiscard]] result<void> compact() {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        if (pins_ != 0 || !(rows_->wasteful() || this->index_drifted())) return {};
        return storage::unless_faulty([&] {
            take_in();
            if constexpr (Storage::durable)
                return this->checkpoint_locked(true);
            else
                return this->compact_locked();
        });
    }

    /// Runs `body(rows, index)` as a reader: what it sees stays in place until it returns. Where it
    /// gives a result and met rows that can't be read right, that is the result; where it gives
    /// counts of a store that was never used, they are 0. Must not be nested: a writer that closes
    /// the gate between the two waits for the first forever.
    template <class Body>
    auto read(Body&& body)
        -> decltype(body(std::declval<rows_type const&>(), std::declval<index_type const&>())) {
        constexpr bool may_fail = requires { body(*rows_, *index_).error(); };
        if constexpr (!Storage::durable)
            if (!gate_.admits()) [[unlikely]] {
                if constexpr (!may_fail)
                    return {};
                else
                    VICINAL_CHECK(make());
            }
        typename gate::reader const inside(gate_);
        auto const& rows = *rows_;
        auto const& index = *index_;
        if constexpr (may_fail)
            return storage::unless_faulty([&] { return body(rows, index); });
        else
            return std::forward<Body>(body)(rows, index);
    }

    /// The record of a slot, bit for bit. Errors: corrupt_snapshot, where a payload does not
    /// decode; vector_not_kept.
    template <class Record>
    [[nodiscard]] result<Record> copy_record(slot s) {
        return read([&](auto const& rows, auto const&) { return record_of<Record>(rows, s); });
    }
    /// The same, but with the decoded vector where no other is kept.
    template <class Record>
    [[nodiscard]] result<Record> reconstruct(slot s) {
        return read([&](auto const& rows, auto const&) {
            return reconstruct_record<Record, Payload, Id>(rows, s, dim_);
        });
    }
    /// As copy_record, inside of `read`.
    template <class Record>
    [[nodiscard]] result<Record> record_of(rows_type const& rows, slot s) const {
        return decode_record<Record, Payload, Id>(rows, s, dim_);
    }

    /// Reads all there is, on the disk first; writers wait. Damage goes into the report; an error
    /// is what kept it from being looked for.
    [[nodiscard]] result<verify_report> verify() {
        writer_lock const held(writer_);
        verify_report report;
        VICINAL_CHECK(make());
        if constexpr (Storage::durable) VICINAL_CHECK(verify_files(space_, report));
        auto const rows_read =
            read([&](rows_type const& rows, index_type const& index) -> result<void> {
                verify_rows<Metric, Payload, Id>(rows, index, dim_, report);
                return {};
            });
        if (!rows_read && report.ok()) report.add(rows_read.error().message());
        return report;
    }

    /// Measures the index's recall by effort; see store::try_tune.
    [[nodiscard]] result<index::tuning> tune() requires(!index::looks_at_all<index_type>) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        VICINAL_CHECK(storage::unless_faulty(
            [&] { return index_->tune([this](slot s) { return rows_->live(s); }, section()); }));
        return index_->tuned();
    }

    /// While there are pins, slots are not given to other records.
    void pin() noexcept { ++pins_; }
    void unpin() noexcept { --pins_; }

private:
    engine(space opened, std::size_t dim, typename Index::options const& options)
        : base(std::move(opened), dim, options) {}

    filter_cache filters_;
    background background_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
