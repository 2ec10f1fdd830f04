// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_NO_HEAP_HPP
#define VICINAL_STORE_NO_HEAP_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/replacement.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The heap of runs that are all empty, as those of payload::none: no column, no byte a slot. What
/// a heap does, see there.
///
/// A snapshot in which they had columns opens all the same; nobody reads these.
template <class Storage>
class no_heap {
public:
    using packed_place = std::uint64_t;

    [[nodiscard]] static result<no_heap> open(typename Storage::space&, std::string const&,
                                              storage::heat) {
        return no_heap();
    }
    [[nodiscard]] std::span<std::byte const> operator[](slot) const noexcept { return {}; }
    void announce(slot) const noexcept {}
    void fetch(slot) const noexcept {}

    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t, std::uint64_t, Section const&) noexcept {
        return {};
    }
    [[nodiscard]] packed_place append(std::span<std::byte const>) noexcept { return 0; }
    void assign(slot, packed_place) noexcept {}
    void put(slot, std::span<std::byte const>) noexcept {}
    void publish() noexcept {}
    void replace(slot, packed_place) noexcept {}
    [[nodiscard]] std::uint64_t left() const noexcept { return 0; }
    [[nodiscard]] std::uint64_t unused() const noexcept { return 0; }
    void compact(std::string const&, std::span<slot const>,
                 std::vector<storage::replacement>&) const noexcept {}

    void look_ahead() const noexcept {}
    void bind() noexcept {}
    void clear() noexcept {}
    [[nodiscard]] bool has_slots(std::uint64_t) const noexcept { return true; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return 0; }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
