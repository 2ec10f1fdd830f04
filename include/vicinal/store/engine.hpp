// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_ENGINE_HPP
#define VICINAL_STORE_ENGINE_HPP

#include <vicinal/index/tuning.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/compaction.hpp>
#include <vicinal/store/gate.hpp>
#include <vicinal/store/identity.hpp>
#include <vicinal/store/query.hpp>
#include <vicinal/store/rows.hpp>
#include <vicinal/store/verification.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// What stands behind a store, at one address for its life: the opened storage, the rows, the
/// index, and what keeps the writer and the readers apart.
///
/// A write goes: check, make room, log, fill rows that no query sees yet, publish in one exclusive
/// section, let the index take in. Up to the log nothing is changed, and after it nothing can fail:
/// rows that the index could not take in (for want of memory) are scanned exactly until it can.
template <class Metric, class Index, class Storage, class Payload, class Id>
class engine {
public:
    using element = metric::element_of<Metric>;
    using space = typename Storage::space;
    using rows_type = rows<Metric, Storage, Payload, Id>;
    using index_type = typename Index::template of<Metric, Storage>;
    using id_view = typename id_traits<Id>::view;
    using entry = prepared<Id>;

    /// Opens the columns of a space. For a durable one, replays its log: appending rows, no graph.
    [[nodiscard]] static result<std::unique_ptr<engine>>
    open(space opened, std::size_t dim, typename Index::options const& options) {
        std::unique_ptr<engine> e(new engine(std::move(opened), dim));
        VICINAL_CHECK(storage::unless_faulty([&] { return e->open_columns(options); }));
        e->opened_ = true;
        return e;
    }

    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    /// Writes a checkpoint where the log has grown past a tenth of the snapshot, so that the next
    /// open is quick. What fails here is in the log and not lost.
    ~engine() {
        if constexpr (Storage::durable)
            if (opened_ && !space_.read_only() && space_.log_bytes() * 10 > space_.snapshot_bytes())
                static_cast<void>(checkpoint_locked());
    }

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] space const& storage() const noexcept { return space_; }
    /// What recent filters match; safe to use as a reader.
    [[nodiscard]] filter_cache& filters() const noexcept { return filters_; }

    /// Inserts or replaces a batch whose entries are checked: all of it or nothing.
    [[nodiscard]] result<void> upsert(std::span<entry const> batch) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(rows_->make_room(batch, section()));
        VICINAL_CHECK(storage::unless_faulty([&]() -> result<void> {
            rows_->look_ahead(batch);
            return {};
        }));
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(write_upsert<Id>(batch, vector_bytes()).bytes()));
        settle([&] {
            append(batch);
            take_in();
            tidy_if_due();
        });
        return {};
    }

    /// Removes a record; false where there is none of that id.
    [[nodiscard]] result<bool> erase(id_view id) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        auto const found =
            storage::unless_faulty([&]() -> result<slot> { return rows_->find(id); });
        VICINAL_CHECK(found);
        auto const s = *found;
        if (s == no_slot) return false;
        if constexpr (Storage::durable) {
            operation_writer w(operation::erase, 1, id_traits<Id>::bytes_of(id) + 4);
            w.id(id);
            VICINAL_CHECK(space_.log(w.bytes()));
        }
        section()([&] { rows_->end(s); });
        settle([&] { tidy_if_due(); });
        return true;
    }

    [[nodiscard]] result<void> clear() {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(operation_writer(operation::clear, 0, 0).bytes()));
        settle([&] { clear_rows(); });
        return {};
    }

    /// Folds the fresh tail into the index and writes the next generation. Readers go on meanwhile.
    [[nodiscard]] result<void> checkpoint() requires(Storage::durable) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        return storage::unless_faulty([&] { return checkpoint_locked(); });
    }

    /// Folds the fresh tail into the index and hands everything to
    /// write(storage, properties, replacements) -> result<void>. Readers go on meanwhile.
    template <class Write>
    [[nodiscard]] result<void> save(Write const& write) requires(!Storage::durable) {
        writer_lock const held(writer_);
        return guarded([&]() -> result<void> {
            take_in();
            storage::replacement const map[] = {
                storage::owned_rows("ids.map", sizeof(id_table::entry), rows_->frozen_map())};
            return write(space_, describe_types<Metric, Index, Payload, Id>(dim_), std::span(map));
        });
    }

    /// Gives back what dead slots hold, in a durable store by a checkpoint; while a scan is open,
    /// or with an index or storage that can't, nothing. Readers go on meanwhile.
    [[nodiscard]] result<void> compact() {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        if (pins_ != 0 || rows_->live_count() == rows_->count()) return {};
        return storage::unless_faulty([&] {
            if constexpr (Storage::durable)
                return checkpoint_locked(true);
            else
                return compact_locked();
        });
    }

    /// Runs `body(rows, index)` as a reader: what it sees stays in place until it returns. Where it
    /// gives a result and met rows that can't be read right, that is the result. Must not be
    /// nested: a writer that closes the gate between the two waits for the first forever.
    template <class Body>
    auto read(Body&& body) const {
        typename gate::reader const inside(gate_);
        if constexpr (requires { body(*rows_, *index_).error(); })
            return storage::unless_faulty([&] { return body(*rows_, *index_); });
        else
            return std::forward<Body>(body)(*rows_, *index_);
    }

    /// The record of a slot, bit for bit. Errors: corrupt_snapshot, where a payload does not
    /// decode.
    template <class Record>
    [[nodiscard]] result<Record> copy_record(slot s) const {
        return read(
            [&](rows_type const& rows, index_type const&) { return record_of<Record>(rows, s); });
    }
    /// The same inside of `read`.
    template <class Record>
    [[nodiscard]] result<Record> record_of(rows_type const& rows, slot s) const {
        auto payload = Payload::decode(rows.payload(s));
        if (!payload) {
            if (payload.error().code() == errc::out_of_memory) return payload.error();
            return error{errc::corrupt_snapshot, "a payload that decodes",
                         payload.error().message()};
        }
        auto const* vector = rows.vector(s);
        return Record{Id(rows.id(s)), {vector, vector + dim_}, std::move(*payload)};
    }

    /// Reads all there is, on the disk first; writers wait. Damage goes into the report; an error
    /// is what kept it from being looked for.
    [[nodiscard]] result<verify_report> verify() {
        writer_lock const held(writer_);
        verify_report report;
        if constexpr (Storage::durable)
            if (auto const files = space_.verify(); !files) {
                auto const code = files.error().code();
                if (code != errc::corrupt_snapshot && code != errc::corrupt_log)
                    return files.error();
                report.add(files.error().message());
            }
        auto const rows_read =
            read([&](rows_type const& rows, index_type const& index) -> result<void> {
                verify_rows<Metric, Payload, Id>(rows, index, dim_, report);
                return {};
            });
        if (!rows_read && report.ok()) report.add(rows_read.error().message());
        return report;
    }

    /// Measures the index's recall by effort; see store::try_tune.
    [[nodiscard]] result<index::tuning> tune() requires(!index_type::exact) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(storage::unless_faulty(
            [&] { return index_->tune([this](slot s) { return rows_->live(s); }, section()); }));
        return index_->tuned();
    }

    /// While there are pins, slots are not given to other records.
    void pin() noexcept { ++pins_; }
    void unpin() noexcept { --pins_; }

private:
    engine(space opened, std::size_t dim) : space_(std::move(opened)), dim_(dim) {}

    [[nodiscard]] result<void> open_columns(typename Index::options const& options) {
        auto table = rows_type::open(space_, dim_);
        VICINAL_CHECK(table);
        rows_.emplace(std::move(*table));
        auto index = index_type::open(space_, rows_->vectors(), dim_, options);
        VICINAL_CHECK(index);
        index_.emplace(std::move(*index));
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.replay(
                [&](std::span<std::byte const> record) { return apply_logged(record); }));
        return {};
    }

    [[nodiscard]] std::size_t vector_bytes() const noexcept { return dim_ * sizeof(element); }

    [[nodiscard]] auto section() noexcept {
        return [this](auto&& body) { gate_.exclude(body); };
    }

    [[nodiscard]] result<void> check_writable() const {
        if constexpr (Storage::durable)
            if (space_.read_only()) return error{errc::read_only, "a store opened for writing"};
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

    void append(std::span<entry const> batch) noexcept {
        rows_->put(batch);
        section()([&] { rows_->publish(batch); });
    }

    void take_in() {
        static_cast<void>(index_->take_in(
            rows_->count(), [this](slot s) { return rows_->live(s); }, section()));
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

    [[nodiscard]] result<void> apply_logged(std::span<std::byte const> record) {
        auto const malformed = [] {
            return error{errc::corrupt_log, "an operation that vicinal writes",
                         "a record of another form"};
        };
        operation_reader r(record);
        std::span<std::byte const> kind;
        std::uint32_t count = 0;
        if (!r.raw(4, kind) || !r.number(count)) return malformed();
        switch (static_cast<operation>(kind[0])) {
            case operation::upsert: {
                std::vector<entry> batch;
                if (!read_upsert(r, count, vector_bytes(), batch)) return malformed();
                VICINAL_CHECK(rows_->make_room(batch, section()));
                append(batch);
                return {};
            }
            case operation::erase: {
                id_view id{};
                for (; count > 0; --count) {
                    if (!r.id(id)) return malformed();
                    if (auto const s = rows_->find(id); s != no_slot) rows_->end(s);
                }
                return {};
            }
            case operation::clear: clear_rows(); return {};
        }
        return malformed();
    }

    /// Checkpoints and compacts where it is time to. What fails (a full disk, no memory) loses
    /// nothing: the log has it all, and dead slots may stay. The next try comes when log or dead
    /// slots have doubled.
    void tidy_if_due() {
        auto const dead = rows_->count() - rows_->live_count();
        bool const compacts = pins_ == 0 && dead >= (std::max)(least_dead, dead_before_) &&
                              sparse(rows_->count(), rows_->live_count());
        if constexpr (Storage::durable) {
            constexpr std::uint64_t least = std::uint64_t{64} << 20;
            auto const due = (std::max)({least, space_.snapshot_bytes() / 10, not_before_});
            if ((compacts || space_.log_bytes() > due) && !checkpoint_locked())
                not_before_ = 2 * space_.log_bytes();
        } else if (compacts) {
            static_cast<void>(compact_locked());
        }
        if (compacts && rows_->live_count() != rows_->count()) dead_before_ = 2 * dead;
    }

    [[nodiscard]] result<void> checkpoint_locked(bool compacts = false) requires(Storage::durable) {
        return guarded([&]() -> result<void> {
            take_in();
            std::vector<slot> kept;
            std::vector<storage::replacement> fresh;
            if (compacts || sparse(rows_->count(), rows_->live_count())) {
                auto const made = compact_into(kept, fresh);
                compacts = made && *made; // without memory for it, dead slots are written too
            }
            if (!compacts) {
                fresh.clear();
                fresh.push_back(
                    storage::owned_rows("ids.map", sizeof(id_table::entry), rows_->frozen_map()));
            }
            auto const types = describe_types<Metric, Index, Payload, Id>(dim_);
            VICINAL_CHECK(space_.checkpoint(fresh, types));
            put_in_place(compacts);
            not_before_ = 0;
            return {};
        });
    }

    [[nodiscard]] result<void> compact_locked() requires(!Storage::durable) {
        return guarded([&]() -> result<void> {
            if constexpr (compactable<space, index_type>) {
                std::vector<slot> kept;
                std::vector<storage::replacement> fresh;
                auto const made = compact_into(kept, fresh);
                VICINAL_CHECK(made);
                if (!*made) return {};
                VICINAL_CHECK(space_.stage(fresh));
                put_in_place(true);
            }
            return {};
        });
    }

    /// Works out the columns without dead slots. False where that is not possible now: a scan is
    /// open, the index lags behind for want of memory, or there is none for this.
    [[nodiscard]] result<bool> compact_into(std::vector<slot>& kept,
                                            std::vector<storage::replacement>& fresh) {
        if constexpr (compactable<space, index_type>) {
            auto const covered = index_->covered();
            if (pins_ != 0 || (covered != 0 && covered != rows_->count())) return false;
            return guarded([&]() -> result<bool> {
                kept = rows_->list_live();
                VICINAL_CHECK(detail::compact(*rows_, *index_, kept, fresh));
                return true;
            });
        }
        return false;
    }

    /// Lets readers see the columns that were staged. Compacted ones are given up where a scan has
    /// begun meanwhile: it knows slots by their old numbers.
    void put_in_place(bool compacted) noexcept {
        section()([&] {
            if (compacted && pins_ != 0) return;
            space_.adopt();
            if (!compacted) return rows_->freeze_map();
            rows_->compacted();
            dead_before_ = 0;
            if constexpr (compactable<space, index_type>) index_->compacted();
        });
        if constexpr (compactable<space, index_type>) space_.discard();
    }

    space space_;
    std::size_t dim_;
    std::optional<rows_type> rows_;
    std::optional<index_type> index_;
    writer_mutex writer_;
    gate gate_;
    mutable filter_cache filters_;
#if VICINAL_HAS_THREADS
    std::atomic<std::size_t> pins_{0};
#else
    std::size_t pins_ = 0;
#endif
    result<void> damage_;
    std::uint64_t not_before_ = 0;
    std::size_t dead_before_ = 0;
    bool opened_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
