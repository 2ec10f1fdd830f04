// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_PLAIN_BITMAP_HPP
#define VICINAL_PAYLOAD_INDEX_PLAIN_BITMAP_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/bitmap_bytes.hpp>
#include <vicinal/payload/index/container.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// A compressed set of slots: 65,536 of them a container, which is a list, bits or runs. What
/// slot_bitmap.hpp says of every set of slots holds for it.
class plain_bitmap {
public:
    plain_bitmap() = default;

    /// All from `first` to `end`, without `end`.
    [[nodiscard]] static plain_bitmap range(slot first, slot end) {
        plain_bitmap b;
        while (first < end) {
            auto const last = (std::min)(first | 0xffffU, end - 1);
            b.parts_.push_back(
                {.key = high(first),
                 .kind = container::form::runs,
                 .count = last - first + 1,
                 .list = {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)},
                 .bits = {}});
            if (last == no_slot) break;
            first = last + 1;
        }
        return b;
    }
    /// The bits of `words`, of which the first is that of slot `first`, a multiple of 65,536.
    [[nodiscard]] static plain_bitmap of_words(std::span<std::uint64_t const> words, slot first) {
        plain_bitmap b;
        for (std::size_t at = 0; at < words.size(); at += container::words_of_bits) {
            auto const some =
                words.subspan(at, (std::min)(container::words_of_bits, words.size() - at));
            container c;
            c.key = static_cast<std::uint16_t>(high(first) + at / container::words_of_bits);
            c.kind = container::form::bits;
            c.bits.assign(some.begin(), some.end());
            c.bits.resize(container::words_of_bits, 0);
            c.settle();
            if (c.count > 0) b.parts_.push_back(std::move(c));
        }
        return b;
    }

    /// Adds a slot: quick in ascending order, else O(containers + 4,096).
    void add(slot s) {
        if (parts_.empty() || parts_.back().key != high(s)) {
            auto at = place(high(s));
            if (at == parts_.end() || at->key != high(s)) at = parts_.insert(at, {.key = high(s)});
            at->spread();
            at->add(static_cast<std::uint16_t>(s));
            return;
        }
        parts_.back().spread();
        parts_.back().add(static_cast<std::uint16_t>(s));
    }

    [[nodiscard]] bool contains(slot s) const noexcept {
        auto const at = place(high(s));
        return at != parts_.end() && at->key == high(s) &&
               at->contains(static_cast<std::uint16_t>(s));
    }
    [[nodiscard]] std::uint64_t count() const noexcept {
        std::uint64_t n = 0;
        for (auto const& c : parts_) n += c.count;
        return n;
    }
    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
    /// The greatest; there is one.
    [[nodiscard]] slot last() const noexcept {
        auto const& c = parts_.back();
        if (c.kind != container::form::bits) return slot{c.key} << 16 | c.list.back();
        auto w = container::words_of_bits - 1;
        while (w > 0 && c.bits[w] == 0) --w;
        return (slot{c.key} << 16) +
               static_cast<slot>(64 * w + static_cast<std::size_t>(std::bit_width(c.bits[w])) - 1);
    }
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        auto const at = place(high(first));
        return at == parts_.end() || at->key != high(first)
                   ? 0
                   : at->word(static_cast<std::uint16_t>(first));
    }
    template <class F>
    void each(F const& f) const {
        for (auto const& c : parts_) c.each(f);
    }

    plain_bitmap& operator&=(plain_bitmap const& other) {
        std::vector<container> common;
        for (auto& c : parts_)
            if (auto const at = other.place(c.key); at != other.parts_.end() && at->key == c.key) {
                combine(c, *at, keep_common);
                if (c.count > 0) common.push_back(std::move(c));
            }
        parts_.swap(common);
        return *this;
    }
    plain_bitmap& operator|=(plain_bitmap const& other) {
        std::vector<container> all;
        all.reserve((std::max)(parts_.size(), other.parts_.size()));
        auto mine = parts_.begin();
        for (auto const& c : other.parts_) {
            while (mine != parts_.end() && mine->key < c.key) all.push_back(std::move(*mine++));
            if (mine == parts_.end() || mine->key != c.key) {
                all.push_back(c);
            } else {
                combine(*mine, c, add_all);
                all.push_back(std::move(*mine++));
            }
        }
        for (; mine != parts_.end(); ++mine) all.push_back(std::move(*mine));
        parts_.swap(all);
        return *this;
    }
    plain_bitmap& operator-=(plain_bitmap const& other) {
        for (auto& c : parts_)
            if (auto const at = other.place(c.key); at != other.parts_.end() && at->key == c.key)
                combine(c, *at, take_away);
        std::erase_if(parts_, [](container const& c) { return c.count == 0; });
        return *this;
    }

    /// Takes runs where they are smaller.
    void shrink() {
        for (auto& c : parts_) c.shrink();
        parts_.shrink_to_fit();
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t n = sizeof *this;
        for (auto const& c : parts_) n += c.bytes();
        return n;
    }

    [[nodiscard]] static std::optional<plain_bitmap> read(std::span<std::byte const> bytes) {
        auto parts = read_containers(bytes);
        if (!parts) return {};
        plain_bitmap b;
        b.parts_ = std::move(*parts);
        return b;
    }

private:
    [[nodiscard]] static std::uint16_t high(slot s) noexcept {
        return static_cast<std::uint16_t>(s >> 16);
    }
    template <class Parts>
    [[nodiscard]] static auto place_in(Parts& parts, std::uint16_t key) noexcept {
        return std::lower_bound(parts.begin(), parts.end(), key,
                                [](container const& c, std::uint16_t k) { return c.key < k; });
    }
    [[nodiscard]] std::vector<container>::const_iterator place(std::uint16_t key) const noexcept {
        return place_in(parts_, key);
    }
    [[nodiscard]] std::vector<container>::iterator place(std::uint16_t key) noexcept {
        return place_in(parts_, key);
    }
    template <class Combine>
    static void combine(container& a, container const& b, Combine const& with) {
        a.spread();
        if (b.kind != container::form::runs) return with(a, b);
        auto other = b;
        other.spread();
        with(a, other);
    }

    std::vector<container> parts_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
