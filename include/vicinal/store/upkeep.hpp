// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_UPKEEP_HPP
#define VICINAL_STORE_UPKEEP_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/compaction.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/identity.hpp>
#include <vicinal/store/parts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// How the parts of an engine are kept in shape: checkpoints that make the log short, compactions
/// that give back dead slots. The writer calls it; readers go on meanwhile.
template <class Metric, class Index, class Storage, class Payload, class Id>
class upkeep : protected parts<Metric, Index, Storage, Payload, Id> {
    using base = parts<Metric, Index, Storage, Payload, Id>;

protected:
    using base::base;
    using base::dim_;
    using base::gate_;
    using base::index_;
    using base::rows_;
    using base::section;
    using base::space_;
    using typename base::index_type;
    using typename base::rows_type;
    using typename base::space;
    ~upkeep() = default;

    /// Checkpoints and compacts where it is time to; rows that the index lags behind go into the
    /// snapshot as they are. What fails (a full disk, no memory) loses nothing: the log has it all,
    /// and dead slots may stay. The next try comes when log or dead slots have doubled.
    void tidy_if_due() {
        auto const dead = rows_->count() - rows_->live_count();
        bool const compacts =
            pins_ == 0 && ((dead >= (std::max)(least_dead, dead_before_) &&
                            sparse(rows_->count(), rows_->live_count())) ||
                           (rows_->payload_bytes_left() >= (std::max)(least_left, left_before_) &&
                            loose(rows_->payload_bytes(), rows_->payload_bytes_left())));
        if constexpr (Storage::durable) {
            constexpr std::uint64_t least = std::uint64_t{64} << 20;
            auto const due = (std::max)({least, space_.snapshot_bytes() / 10, not_before_});
            bool const full = space_.log_bytes() > not_before_ && space_.wants_checkpoint();
            if ((compacts || full || space_.log_bytes() > due) && !checkpoint_locked(compacts))
                not_before_ = 2 * space_.log_bytes();
        } else if (compacts) {
            static_cast<void>(compact_locked());
        }
        if (compacts && rows_->live_count() != rows_->count()) dead_before_ = 2 * dead;
        if (compacts) left_before_ = 2 * rows_->payload_bytes_left();
    }

    [[nodiscard]] result<void> checkpoint_locked(bool compacts = false) requires(Storage::durable) {
        return guarded([&]() -> result<void> {
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
            auto types = describe_types<Metric, Index, Payload, Id>(dim_);
            auto fields = next_fields(compacts ? &kept : nullptr);
            VICINAL_CHECK(fields);
            add_fields(*fields, fresh, types);
            VICINAL_CHECK(space_.checkpoint(fresh, types));
            fields->settle();
            put_in_place(compacts, *fields);
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
                auto fields = next_fields(&kept);
                VICINAL_CHECK(fields);
                if constexpr (rows_type::fields_type::possible)
                    fresh.push_back({.name = std::string(fields_name)});
                VICINAL_CHECK(space_.stage(fresh));
                put_in_place(true, *fields);
            }
            return {};
        });
    }

    /// The indexes on fields as the next snapshot shall have them, where the slots of `kept` become
    /// 0, 1 and so on or, where that is null, keep their numbers. Errors: corrupt_snapshot (a
    /// payload that can't be read right), out_of_memory.
    [[nodiscard]] result<fields_successor> next_fields(std::vector<slot> const* kept) const {
        if constexpr (rows_type::fields_type::possible)
            return guarded([&] {
                return storage::unless_faulty([&]() -> result<fields_successor> {
                    return kept ? succeed_fields(*rows_, *kept) : succeed_fields(*rows_);
                });
            });
        return fields_successor();
    }
    /// Adds these to what the snapshot is made of.
    void add_fields(fields_successor const& next, std::vector<storage::replacement>& fresh,
                    storage::properties& types) const {
        if constexpr (rows_type::fields_type::possible) {
            fresh.push_back(field_rows(next, rows_->fields().parts()));
            if (!next.list.empty()) types.set(fields_name, next.definitions);
        }
    }

    /// Whether the index wants to be made anew when it is compacted.
    [[nodiscard]] bool index_drifted() const noexcept {
        if constexpr (requires { index_->drifted(); }) return index_->drifted();
        return false;
    }

    /// Scans that are open: while there are any, slots are not given to other records.
#if VICINAL_HAS_THREADS
    std::atomic<std::size_t> pins_{0};
#else
    std::size_t pins_ = 0;
#endif
    /// How many dead slots there were when they could not be given back.
    std::size_t dead_before_ = 0;

private:
    /// Works out the columns without dead slots. False where that is not possible now: a scan is
    /// open, the index lags behind for want of memory, or there is none for this.
    [[nodiscard]] result<bool> compact_into(std::vector<slot>& kept,
                                            std::vector<storage::replacement>& fresh) {
        if constexpr (compactable<space, index_type>) {
            auto const covered = index_->covered();
            if (pins_ != 0 || (covered != 0 && covered != rows_->count())) return false;
            return guarded([&]() -> result<bool> {
                if constexpr (requires { index_->drifted(); }) {
                    auto const live = [this](slot s) { return rows_->live(s); };
                    if (index_drifted()) VICINAL_CHECK(index_->renew(live, section()));
                }
                kept = rows_->list_live();
                VICINAL_CHECK(detail::compact(*rows_, *index_, kept, fresh));
                return true;
            });
        }
        return false;
    }

    /// Lets readers see the columns that were staged. Compacted ones are given up where a scan has
    /// begun meanwhile: it knows slots by their old numbers.
    void put_in_place(bool compacted, fields_successor& fields) noexcept {
        section()([&] {
            if (compacted && pins_ != 0) return;
            space_.adopt();
            if constexpr (rows_type::fields_type::possible)
                rows_->edit_fields().exchange(fields.list);
            if (!compacted) return rows_->freeze_map();
            rows_->compacted();
            dead_before_ = 0;
            if constexpr (compactable<space, index_type>) index_->compacted();
        });
        if constexpr (compactable<space, index_type>) space_.discard();
    }

    /// The same of payload bytes that replaced payloads have left.
    std::uint64_t left_before_ = 0;
    /// The log's length before which a checkpoint that failed is not tried again.
    std::uint64_t not_before_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
