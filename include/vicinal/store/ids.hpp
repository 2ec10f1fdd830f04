// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_IDS_HPP
#define VICINAL_STORE_IDS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/store/heap.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// A type that can be a store's id.
template <class Id>
concept id_like = std::same_as<Id, std::string> ||
    (std::unsigned_integral<Id> && !std::same_as<Id, bool>);

namespace detail {

/// How ids of one type are passed, named, hashed and written.
template <class Id>
struct id_traits {
    using view = Id;
    using parameter = Id;
    static constexpr std::string_view name = sizeof(Id) == 1   ? "u8"
                                             : sizeof(Id) == 2 ? "u16"
                                             : sizeof(Id) == 4 ? "u32"
                                                               : "u64";

    [[nodiscard]] static std::uint64_t hash(Id id) noexcept { return mix(id); }
    [[nodiscard]] static std::size_t bytes_of(Id) noexcept { return sizeof(std::uint64_t); }
    [[nodiscard]] static result<void> check(Id) { return {}; }
    [[nodiscard]] static std::string text(Id id) { return std::to_string(id); }
    /// The id that a text spells; errc::invalid_id where it spells none of this type, or one in
    /// another way than text() does: "07" would come back as "7".
    [[nodiscard]] static result<Id> from_text(std::string_view text) {
        Id id = 0;
        auto const end = text.data() + text.size();
        auto const [at, problem] = std::from_chars(text.data(), end, id);
        if (problem != std::errc{} || at != end || (text.size() > 1 && text[0] == '0'))
            return error{errc::invalid_id,
                         "an unsigned integer of " + std::to_string(sizeof(Id) * 8) + " bits",
                         "'" + std::string(text) + "'"};
        return id;
    }
};

template <>
struct id_traits<std::string> {
    using view = std::string_view;
    using parameter = text_id;
    static constexpr std::string_view name = "string";
    static constexpr std::size_t longest = 65535;

    [[nodiscard]] static std::uint64_t hash(std::string_view id) noexcept { return hash_bytes(id); }
    [[nodiscard]] static std::size_t bytes_of(std::string_view id) noexcept { return id.size(); }
    [[nodiscard]] static result<void> check(std::string_view id) {
        if (id.empty()) return error{errc::empty_id, "an id of at least one byte", "an empty id"};
        if (id.size() > longest)
            return error{errc::invalid_id, "an id of at most 65535 bytes",
                         std::to_string(id.size()) + " bytes"};
        return {};
    }
    [[nodiscard]] static std::string text(std::string_view id) { return std::string(id); }
    [[nodiscard]] static result<std::string> from_text(std::string_view text) {
        return std::string(text);
    }
};

/// The ids of all slots, as columns.
template <class Id, class Storage>
class id_rows {
public:
    [[nodiscard]] static result<id_rows> open(typename Storage::space& space) {
        auto c = space.column("ids", 8, storage::heat::hot);
        VICINAL_CHECK(c);
        return id_rows(*c);
    }
    [[nodiscard]] Id operator[](slot s) const noexcept {
        return static_cast<Id>(*column_->reader().template row_as<std::uint64_t>(s));
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t,
                                         Section const& section) {
        if (slots > column_->capacity()) {
            VICINAL_CHECK(column_->prepare(slots));
            section([&] { column_->commit(); });
        }
        return {};
    }
    void put(slot s, Id id) noexcept {
        if (s >= column_->rows()) column_->resize(s + std::uint64_t{1});
        std::uint64_t const wide = id;
        std::memcpy(column_->edit(s), &wide, sizeof wide);
    }
    void publish() noexcept {}
    void bind() noexcept {}
    void clear() noexcept { column_->resize(0); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        out.push_back(storage::chosen_rows("ids", *column_, kept));
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return column_->rows(); }
    /// Bytes of the first `slots` ids, with those that say where they lie.
    [[nodiscard]] std::uint64_t bytes(slot slots) const noexcept {
        return std::uint64_t{slots} * 8;
    }
    void look_ahead() const noexcept { storage::read_last(*column_); }
    [[nodiscard]] bool may_fault() const noexcept { return storage::may_fault(column_->reader()); }

private:
    explicit id_rows(typename Storage::column* c) noexcept : column_(c) {}

    typename Storage::column* column_;
};

template <class Storage>
class id_rows<std::string, Storage> {
public:
    [[nodiscard]] static result<id_rows> open(typename Storage::space& space) {
        auto h = heap<Storage>::open(space, "ids", storage::heat::hot);
        VICINAL_CHECK(h);
        return id_rows(*h);
    }
    [[nodiscard]] std::string_view operator[](slot s) const noexcept {
        auto const run = heap_[s];
        return {reinterpret_cast<char const*>(run.data()), run.size()};
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t more,
                                         Section const& section) {
        return heap_.make_room(slots, more, section);
    }
    void put(slot s, std::string_view id) noexcept {
        heap_.put(s, std::as_bytes(std::span(id.data(), id.size())));
    }
    void publish() noexcept { heap_.publish(); }
    void bind() noexcept { heap_.bind(); }
    void clear() noexcept { heap_.clear(); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        heap_.compact("ids", kept, out);
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return heap_.slots(); }
    [[nodiscard]] std::uint64_t bytes(slot slots) const noexcept {
        return heap_.bytes() + std::uint64_t{slots} * 8;
    }
    void look_ahead() const noexcept { heap_.look_ahead(); }
    [[nodiscard]] bool may_fault() const noexcept { return heap_.may_fault(); }

private:
    explicit id_rows(heap<Storage> h) noexcept : heap_(h) {}

    heap<Storage> heap_;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
