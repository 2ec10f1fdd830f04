// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PAYLOAD_UPDATE_HPP
#define VICINAL_STORE_PAYLOAD_UPDATE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/operations.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// New payloads for records whose vectors stay.
///
/// The bytes go behind the others in the heap, and in one exclusive section the slots are told of
/// them: neither vector nor graph is touched. Where a scan is open, which must still find the old
/// payloads in the slots that it knows, the records are written anew as by an upsert.
namespace vicinal::inline VICINAL_ABI::detail {

/// The payloads of one call, encoded.
template <class Id>
class payload_update {
public:
    using traits = id_traits<Id>;
    using id_view = typename traits::view;

    /// Asks make(slot, std::string& out) -> result<bool> for the payload of each of these that is
    /// there, to be appended; false leaves the record as it is. Errors: invalid_payload (too
    /// large), those of make, out_of_memory.
    template <class Rows, class Make>
    [[nodiscard]] result<void> collect(Rows const& rows, std::span<id_view const> ids,
                                       Make const& make) {
        return guarded([&]() -> result<void> {
            for (auto const& id : ids) {
                auto const s = rows.find(id);
                if (s == no_slot) continue;
                auto const begin = bytes_.size();
                auto const made = make(s, bytes_);
                VICINAL_CHECK(made);
                if (!*made) continue;
                auto const size = bytes_.size() - begin;
                if (size > largest_run)
                    return error{errc::invalid_payload,
                                 "at most " + std::to_string(largest_run) + " bytes of payload",
                                 std::to_string(size) + " for '" + traits::text(id) + "'"};
                entries_.push_back({id, id_traits<Id>::hash(id), nullptr, {}});
                sizes_.push_back(size);
            }
            auto rest = std::as_bytes(std::span(bytes_.data(), bytes_.size()));
            for (std::size_t i = 0; i < entries_.size(); ++i) {
                entries_[i].payload = rest.first(sizes_[i]);
                rest = rest.subspan(sizes_[i]);
            }
            return {};
        });
    }
    [[nodiscard]] std::span<prepared<Id> const> entries() const noexcept { return entries_; }

private:
    std::vector<prepared<Id>> entries_;
    std::vector<std::size_t> sizes_;
    std::string bytes_;
};

/// Replaces payloads in the rows, in two steps: what may fail, and what can't.
template <class Rows, class Id>
class payload_replacement {
public:
    /// Errors: limit_exceeded, out_of_memory. `batch` must outlive it.
    template <class Section>
    [[nodiscard]] result<void> make_room(Rows& rows, std::span<prepared<Id> const> batch,
                                         Section const& section) {
        batch_ = batch;
        VICINAL_CHECK(rows.make_room(batch, section));
        VICINAL_CHECK(rows.make_room_for_changes(batch.size(), section));
        return guarded([&]() -> result<void> {
            fresh_.reserve(batch.size());
            return {};
        });
    }

    /// Does it. Whether the records have new slots, for the index to take in.
    template <class Section, class Pins>
    bool apply(Rows& rows, Section const& section, Pins const& pins) noexcept {
        rows.put_payloads(batch_, fresh_);
        bool pinned = false;
        section([&] {
            if (pinned = pins != 0; !pinned) rows.replace_payloads(fresh_);
        });
        if (!pinned) return false;
        rows.put_again(fresh_);
        section([&] { rows.publish_again(fresh_.size()); });
        return true;
    }

private:
    std::span<prepared<Id> const> batch_;
    std::vector<typename Rows::new_payload> fresh_;
};

/// Where many payloads were replaced, begins anew with what is kept about them: indexes on fields
/// take the changed slots in, and the list of changes is empty again. Without memory for that it
/// stays as it is.
template <class Rows, class Section>
void forget_changes(Rows& rows, Section const& section) {
    if (!rows.much_changed()) return;
    static_cast<void>(guarded([&]() -> result<void> {
        if constexpr (Rows::fields_type::possible) {
            auto next = succeed_fields(rows);
            if (storage::fault_scope::met()) return {};
            section([&] {
                rows.edit_fields().exchange(next.list);
                rows.begin_epoch();
            });
        } else {
            section([&] { rows.begin_epoch(); });
        }
        return {};
    }));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
