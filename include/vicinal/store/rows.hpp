// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_ROWS_HPP
#define VICINAL_STORE_ROWS_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/field_indexes.hpp>
#include <vicinal/store/heap.hpp>
#include <vicinal/store/id_map.hpp>
#include <vicinal/store/ids.hpp>
#include <vicinal/store/kept_vectors.hpp>
#include <vicinal/store/live_slots.hpp>
#include <vicinal/store/no_field_indexes.hpp>
#include <vicinal/store/no_heap.hpp>
#include <vicinal/store/operations.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The records of a store, slot by slot: vector, id, payload, and whether the slot is live; and the
/// map from ids to slots.
///
/// Slots from 0 to count() are published: queries see them. The writer fills slots behind them,
/// then publishes all of a batch in one section, in which it also ends the life of what they
/// replace.
template <class Metric, class Codec, class Storage, class Payload, class Id>
class rows {
public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    using vector_rows = kept_vectors<Metric, Codec, Storage>;
    using traits = id_traits<Id>;
    using id_view = typename traits::view;
    using fields_type =
        std::conditional_t<Payload::filterable, field_indexes<Storage>, no_field_indexes>;

    using payload_heap =
        std::conditional_t<std::is_same_v<Payload, payload::none>, no_heap<Storage>, heap<Storage>>;

    [[nodiscard]] static result<rows> open(typename Storage::space& space, std::size_t dim) {
        auto vectors = vector_rows::open(space, dim);
        VICINAL_CHECK(vectors);
        auto live = space.column("live", 1, storage::heat::hot);
        VICINAL_CHECK(live);
        auto map = space.column("ids.map", sizeof(id_table::entry), storage::heat::hot);
        VICINAL_CHECK(map);
        auto ids = id_rows<Id, Storage>::open(space);
        VICINAL_CHECK(ids);
        auto payloads = payload_heap::open(space, "payloads", storage::heat::cold);
        VICINAL_CHECK(payloads);
        rows r(std::move(*vectors), **live, **map, *ids, *payloads);
        VICINAL_CHECK(r.bind());
        if constexpr (fields_type::possible) {
            auto fields = fields_type::open(space);
            VICINAL_CHECK(fields);
            VICINAL_CHECK(fields->bind(space.properties(), r.count_));
            r.fields_ = std::move(*fields);
        }
        return r;
    }

    /// Takes what the columns hold as the published state.
    [[nodiscard]] result<void> bind() {
        auto const n = live_->rows();
        ids_.bind();
        payloads_.bind();
        if (n >= no_slot || vectors().rows() != n || ids_.slots() != n || !payloads_.has_slots(n) ||
            (map_->rows() & (map_->rows() - 1)) != 0)
            return error{errc::corrupt_snapshot, "columns of equal length",
                         std::to_string(n) + " live flags, " + std::to_string(vectors().rows()) +
                             " vectors"};
        count_ = static_cast<slot>(n);
        begin_epoch();
        live_count_ = 0;
        auto const all = live_slots();
        for (slot s = 0; s < count_; s += (std::min)(slot{64}, count_ - s))
            live_count_ += static_cast<std::size_t>(std::popcount(all.word(s)));
        freeze_map();
        return {};
    }
    /// Takes the map's column as the frozen part, with nothing behind it. Inside the section.
    void freeze_map() noexcept { map_of_.freeze(map_->reader(), map_->rows()); }

    [[nodiscard]] slot count() const noexcept { return count_; }
    /// Another number whenever slots begin to mean other records, or too many payloads were
    /// replaced to list them.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    /// Slots whose payload was replaced in this epoch, in the order of the changes; a slot may be
    /// there more than once.
    [[nodiscard]] std::span<slot const> changed() const noexcept { return changed_; }
    /// Bytes of payloads, and how many of them are known to be left by replaced ones.
    [[nodiscard]] std::uint64_t payload_bytes() const noexcept { return payloads_.bytes(); }
    [[nodiscard]] std::uint64_t payload_bytes_left() const noexcept { return payloads_.left(); }
    /// Whether compact() would free anything. Reads every place of a payload where no row is dead.
    [[nodiscard]] bool wasteful() const noexcept {
        return live_count_ != count_ || payloads_.unused() != 0;
    }
    /// Takes the place of rows whose numbers went up to `before`.
    void begin_behind(std::uint64_t before) noexcept { epoch_ += before; }
    [[nodiscard]] std::size_t live_count() const noexcept { return live_count_; }
    [[nodiscard]] bool live(slot s) const noexcept {
        return *live_->reader().row(s) != std::byte{0};
    }
    [[nodiscard]] id_view id(slot s) const noexcept { return ids_[s]; }
    /// Bytes, and what keeps them in place.
    [[nodiscard]] auto payload(slot s) const noexcept { return payloads_[s]; }
    /// Has what payload(s) reads come into the cache: first where it lies, then the bytes.
    void announce_payload(slot s) const noexcept { payloads_.announce(s); }
    void fetch_payload(slot s) const noexcept { payloads_.fetch(s); }
    /// The vectors, or what codes stand for where a store keeps nothing else: the same to a reader.
    [[nodiscard]] auto const& vectors() const noexcept { return vectors_.view(); }
    /// Whether vectors are there as they came, and if not, whether distances are estimates by now.
    static constexpr bool keeps_vectors = vector_rows::exact;
    static constexpr std::string_view codec_name = Codec::name;
    [[nodiscard]] bool estimates() const noexcept { return vectors_.estimates(); }
    /// Bytes of a row's vector, and of its codes where these are kept instead.
    [[nodiscard]] std::uint64_t vector_bytes() const noexcept { return vectors_.vector_bytes(); }
    [[nodiscard]] std::uint64_t code_bytes() const noexcept { return vectors_.code_bytes(); }
    /// Bytes of the published ids, and those of one that say where it lies.
    [[nodiscard]] std::uint64_t id_bytes() const noexcept { return ids_.bytes(count_); }
    [[nodiscard]] static constexpr unsigned id_overhead() noexcept {
        return std::is_same_v<Id, std::string> ? 8 : 0;
    }
    /// The same of payloads: where there are none, they lie nowhere.
    [[nodiscard]] static constexpr unsigned payload_overhead() noexcept {
        return std::is_same_v<Payload, payload::none> ? 0 : 8;
    }
    /// What is known of payloads without reading them.
    [[nodiscard]] fields_type const& fields() const noexcept { return fields_; }
    /// The same for the writer, inside the section.
    [[nodiscard]] fields_type& edit_fields() noexcept { return fields_; }
    /// The same as a predicate that outlives no section.
    [[nodiscard]] auto live_slots() const noexcept {
        return detail::live_slots(live_->reader(), count_);
    }

    /// The live slot of an id, or no_slot.
    [[nodiscard]] slot find(id_view id) const noexcept { return find(id, traits::hash(id)); }
    [[nodiscard]] slot find(id_view id, std::uint64_t hash) const noexcept {
        return map_of_.find(hash, [&](slot s) { return s < count_ && live(s) && ids_[s] == id; });
    }

    /// Reads what put() and publish() of a batch will read, so that damage is met while nothing is
    /// changed yet. Without effect where nothing is left to check.
    void look_ahead(std::span<prepared<Id> const> batch) const noexcept {
        vectors_.look_ahead();
        storage::read_last(*live_);
        ids_.look_ahead();
        payloads_.look_ahead();
        if (storage::may_fault(map_->reader()) || storage::may_fault(live_->reader()) ||
            ids_.may_fault())
            for (auto const& p : batch) static_cast<void>(find(p.id, p.hash));
    }

    /// Reads the vector of a slot, for the same reason.
    void look_at_vector(slot s) const noexcept { vectors_.look_at(s); }

    /// What may fail of taking these vectors, before they are logged: see kept_vectors::admit.
    template <class Section>
    [[nodiscard]] result<void> admit(std::span<prepared<Id> const> batch, Section const& section) {
        return vectors_.admit(count_, batch, section);
    }

    /// Makes room for a batch, copying beside the searches and swapping inside `section`.
    template <class Section>
    [[nodiscard]] result<void> make_room(std::span<prepared<Id> const> batch,
                                         Section const& section) {
        std::uint64_t id_bytes = 0;
        std::uint64_t payload_bytes = 0;
        for (auto const& p : batch) {
            id_bytes += traits::bytes_of(p.id);
            payload_bytes += p.payload.size();
        }
        VICINAL_CHECK(make_room(batch.size(), id_bytes, payload_bytes, section));
        map_of_.prepare(batch.size());
        if (map_of_.prepared()) section([&] { map_of_.commit(); });
        return {};
    }

    /// Makes room for `more` records, but for what is as long as each wants it: ids that are text,
    /// and payloads. Batches that fit move nothing but that.
    template <class Section>
    [[nodiscard]] result<void> reserve(std::uint64_t more, Section const& section) {
        if (more >= no_slot) return too_many();
        VICINAL_CHECK(make_room(more, 0, 0, section));
        map_of_.reserve(more);
        if (map_of_.prepared()) section([&] { map_of_.commit(); });
        return {};
    }

    /// Writes a batch into the slots behind the published ones, dead for now. There is room.
    void put(std::span<prepared<Id> const> batch) noexcept {
        auto const slots = count_ + batch.size();
        vectors_.resize(slots);
        live_->resize(slots);
        slot s = count_;
        for (auto const& p : batch) {
            vectors_.put(s, p.vector);
            ids_.put(s, p.id);
            payloads_.put(s, p.payload);
            ++s;
        }
    }

    /// Makes the batch that was put live, and what it replaces dead. Inside the section.
    void publish(std::span<prepared<Id> const> batch) noexcept {
        ids_.publish();
        payloads_.publish();
        for (auto const& p : batch) publish_next(p.id, p.hash);
    }

    /// A slot and the payload that it is to have.
    struct new_payload {
        slot row;
        std::uint64_t place;
    };

    /// Makes room for the slots of so many changes.
    template <class Section>
    [[nodiscard]] result<void> make_room_for_changes(std::size_t n, Section const& section) {
        if (changed_.size() + n <= changed_.capacity()) return {};
        return guarded([&]() -> result<void> {
            std::vector<slot> larger;
            larger.reserve((std::max)(changed_.size() + n, 2 * changed_.capacity()));
            larger = changed_;
            section([&] { changed_.swap(larger); });
            return {};
        });
    }
    /// Whether the changes are so many that whoever keeps something about payloads does better to
    /// begin anew.
    [[nodiscard]] bool much_changed() const noexcept {
        return changed_.size() > (std::max)(std::size_t{1024}, std::size_t{count_} / 4);
    }
    /// Forgets them. Inside the section.
    void begin_epoch() noexcept {
        ++epoch_;
        changed_.clear();
    }
    /// Writes the payloads of a batch behind the others, for the records that are there. There is
    /// room, in `fresh` too; no query sees them yet.
    void put_payloads(std::span<prepared<Id> const> batch,
                      std::vector<new_payload>& fresh) noexcept {
        for (auto const& p : batch)
            if (auto const s = find(p.id, p.hash); s != no_slot)
                fresh.push_back({s, payloads_.append(p.payload)});
    }
    /// Gives the slots their new payloads. Inside the section.
    void replace_payloads(std::span<new_payload const> fresh) noexcept {
        payloads_.publish();
        for (auto const& n : fresh) {
            payloads_.replace(n.row, n.place);
            changed_.push_back(n.row);
        }
    }
    /// Writes copies of the records with the new payloads behind the published slots, dead for now.
    /// There is room.
    void put_again(std::span<new_payload const> fresh) noexcept {
        auto const slots = count_ + fresh.size();
        vectors_.resize(slots);
        live_->resize(slots);
        slot s = count_;
        for (auto const& n : fresh) {
            vectors_.copy(n.row, s);
            ids_.put(s, ids_[n.row]);
            payloads_.assign(s, n.place);
            ++s;
        }
    }
    /// Makes these live, and what they are copies of dead. Inside the section.
    void publish_again(std::size_t n) noexcept {
        ids_.publish();
        payloads_.publish();
        for (; n > 0; --n) publish_next(ids_[count_], traits::hash(ids_[count_]));
    }

    /// Ends the life of a live slot. Inside the section.
    void end(slot s) noexcept {
        *live_->edit(s) = std::byte{0};
        --live_count_;
    }

    /// Forgets every record, so that slots begin at 0 again. Inside the section, with no scan
    /// pending.
    void reset() noexcept {
        vectors_.clear();
        live_->resize(0);
        map_->resize(0);
        ids_.clear();
        payloads_.clear();
        map_of_.clear();
        fields_.clear();
        count_ = 0;
        live_count_ = 0;
        begin_epoch();
    }

    /// The id map as the next snapshot shall have it: every live record, nothing else.
    [[nodiscard]] std::vector<id_table::entry> frozen_map() const {
        std::vector<id_table::entry> table(
            static_cast<std::size_t>(id_table::size_for(live_count_)), 0);
        for (slot s = 0; s < count_; ++s)
            if (live(s))
                id_table::put(table.data(), table.size(), id_table::make(traits::hash(ids_[s]), s));
        return table;
    }

    [[nodiscard]] std::vector<slot> list_live() const {
        std::vector<slot> slots;
        slots.reserve(live_count_);
        for (slot s = 0; s < count_; ++s)
            if (live(s)) slots.push_back(s);
        return slots;
    }
    /// Adds to `out` what the columns are to hold when the slots of `kept`, all that are live,
    /// become slots 0, 1 and so on; the slots stay in place until that is written.
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        std::vector<id_table::entry> map(static_cast<std::size_t>(id_table::size_for(kept.size())),
                                         0);
        for (std::size_t i = 0; i < kept.size(); ++i)
            id_table::put(map.data(), map.size(),
                          id_table::make(traits::hash(ids_[kept[i]]), static_cast<slot>(i)));
        out.push_back(storage::owned_rows("ids.map", sizeof(id_table::entry), std::move(map)));
        vectors_.compact(kept, out);
        out.push_back(
            storage::owned_rows("live", 1, std::vector<std::byte>(kept.size(), std::byte{1})));
        ids_.compact(kept, out);
        payloads_.compact("payloads", kept, out);
    }
    /// Takes the columns as compact() wrote them. Inside the section.
    void compacted() noexcept {
        ids_.bind();
        payloads_.bind();
        freeze_map();
        count_ = static_cast<slot>(live_->rows());
        live_count_ = count_;
        begin_epoch();
    }

private:
    /// Makes the slot behind the published ones live, and what it replaces dead.
    void publish_next(id_view id, std::uint64_t hash) noexcept {
        if (auto const old = find(id, hash); old != no_slot) end(old);
        map_of_.put(hash, count_, [this](slot other) { return !live(other); });
        *live_->edit(count_) = std::byte{1};
        ++live_count_;
        ++count_;
    }

    rows(vector_rows vectors, column& live, column& map, id_rows<Id, Storage> ids,
         payload_heap payloads) noexcept
        : vectors_(std::move(vectors)), live_(&live), map_(&map), ids_(ids), payloads_(payloads) {}

    [[nodiscard]] static error too_many() {
        return error{errc::limit_exceeded, "at most 4,294,967,294 rows in a store"};
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t more, std::uint64_t id_bytes,
                                         std::uint64_t payload_bytes, Section const& section) {
        auto const slots = count_ + more;
        if (slots >= no_slot) return too_many();
        VICINAL_CHECK(vectors_.make_room(slots, section));
        if (slots > live_->capacity()) {
            VICINAL_CHECK(live_->prepare(slots));
            section([&] { live_->commit(); });
        }
        VICINAL_CHECK(ids_.make_room(slots, id_bytes, section));
        return payloads_.make_room(slots, payload_bytes, section);
    }

    vector_rows vectors_;
    column* live_;
    column* map_;
    id_rows<Id, Storage> ids_;
    payload_heap payloads_;
    id_map<decltype(std::declval<column const&>().reader())> map_of_;
    [[no_unique_address]] fields_type fields_;
    slot count_ = 0;
    std::size_t live_count_ = 0;
    std::uint64_t epoch_ = 0;
    std::vector<slot> changed_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
