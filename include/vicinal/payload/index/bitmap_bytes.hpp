// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_BITMAP_BYTES_HPP
#define VICINAL_PAYLOAD_INDEX_BITMAP_BYTES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/payload/index/container.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

/// Sets of slots as bytes: the portable form of Roaring bitmaps (their public format
/// specification), so that what one library writes the other reads.
namespace vicinal::inline VICINAL_ABI::payload::detail {

inline constexpr std::uint32_t roaring_plain = 12346;
inline constexpr std::uint32_t roaring_with_runs = 12347;
/// From so many containers on, offsets stand in front of them also where there are runs.
inline constexpr std::size_t roaring_offsets_from = 4;

/// Writes numbers little-endian behind what a vector holds.
class byte_appender {
public:
    explicit byte_appender(std::vector<std::byte>& out) noexcept : out_(out) {}

    template <std::unsigned_integral U>
    void number(U n) {
        out_.resize(out_.size() + sizeof(U));
        vicinal::detail::store_le(out_.data() + out_.size() - sizeof(U), n);
    }
    template <std::unsigned_integral U>
    void at(std::size_t offset, U n) noexcept {
        vicinal::detail::store_le(out_.data() + offset, n);
    }
    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }

private:
    std::vector<std::byte>& out_;
};

/// The slots of one container in a span of ascending slots, and the form that is smallest for them.
struct slots_of_container {
    std::span<slot const> slots;
    container::form form = container::form::list;
    std::uint32_t runs = 1;
};

[[nodiscard]] inline slots_of_container next_container(std::span<slot const> slots) noexcept {
    auto const high = slots[0] >> 16;
    std::size_t n = 1;
    std::uint32_t runs = 1;
    for (; n < slots.size() && slots[n] >> 16 == high; ++n)
        runs += slots[n] != slots[n - 1] + 1 ? 1U : 0U;
    bool const few = n <= container::longest_list;
    auto const form = 2 + 4 * runs < (few ? 2 * n : 8 * container::words_of_bits)
                          ? container::form::runs
                      : few ? container::form::list
                            : container::form::bits;
    return {slots.first(n), form, runs};
}

inline void append_container(byte_appender& to, slots_of_container const& c) {
    auto const low = [](slot s) { return static_cast<std::uint16_t>(s); };
    if (c.form == container::form::list) {
        for (auto const s : c.slots) to.number(low(s));
    } else if (c.form == container::form::bits) {
        std::vector<std::uint64_t> words(container::words_of_bits, 0);
        for (auto const s : c.slots) words[low(s) / 64] |= std::uint64_t{1} << (s % 64);
        for (auto const word : words) to.number(word);
    } else {
        to.number(static_cast<std::uint16_t>(c.runs));
        for (std::size_t i = 0; i < c.slots.size();) {
            auto end = i + 1;
            while (end < c.slots.size() && c.slots[end] == c.slots[end - 1] + 1) ++end;
            to.number(low(c.slots[i]));
            to.number(static_cast<std::uint16_t>(end - i - 1));
            i = end;
        }
    }
}

/// Appends the bytes of a set, given as ascending slots, each once.
inline void append_bitmap(std::vector<std::byte>& out, std::span<slot const> slots) {
    std::vector<slots_of_container> parts;
    bool any_runs = false;
    for (auto rest = slots; !rest.empty(); rest = rest.subspan(parts.back().slots.size())) {
        parts.push_back(next_container(rest));
        any_runs = any_runs || parts.back().form == container::form::runs;
    }
    byte_appender to(out);
    auto const begin = to.size();
    auto const n = static_cast<std::uint32_t>(parts.size());
    if (any_runs) {
        to.number(roaring_with_runs | (n - 1) << 16);
        for (std::size_t i = 0; i < n; i += 8) {
            unsigned flags = 0;
            for (std::size_t j = i; j < (std::min)(i + 8, parts.size()); ++j)
                flags |= (parts[j].form == container::form::runs ? 1U : 0U) << (j - i);
            to.number(static_cast<std::uint8_t>(flags));
        }
    } else {
        to.number(roaring_plain);
        to.number(n);
    }
    for (auto const& c : parts) {
        to.number(static_cast<std::uint16_t>(c.slots[0] >> 16));
        to.number(static_cast<std::uint16_t>(c.slots.size() - 1));
    }
    auto const offsets = to.size();
    bool const with_offsets = !any_runs || n >= roaring_offsets_from;
    if (with_offsets)
        for (std::size_t i = 0; i < n; ++i) to.number(std::uint32_t{0});
    for (std::size_t i = 0; i < n; ++i) {
        if (with_offsets) to.at(offsets + 4 * i, static_cast<std::uint32_t>(to.size() - begin));
        append_container(to, parts[i]);
    }
}

/// Reads from bytes, each number checked against what is left.
class byte_taker {
public:
    explicit byte_taker(std::span<std::byte const> bytes) noexcept : left_(bytes) {}

    template <std::unsigned_integral U>
    [[nodiscard]] bool number(U& n) noexcept {
        if (left_.size() < sizeof(U)) return false;
        n = vicinal::detail::load_le<U>(left_.data());
        left_ = left_.subspan(sizeof(U));
        return true;
    }
    [[nodiscard]] bool bytes(std::size_t n, std::span<std::byte const>& out) noexcept {
        if (left_.size() < n) return false;
        out = left_.first(n);
        left_ = left_.subspan(n);
        return true;
    }
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

private:
    std::span<std::byte const> left_;
};

/// Reads what stands of one container; false where it is not what its card says.
[[nodiscard]] inline bool take_container(byte_taker& from, bool runs, container& c) {
    using vicinal::detail::load_le;
    std::span<std::byte const> bytes;
    if (runs) {
        std::uint16_t n = 0;
        if (!from.number(n) || n == 0 || !from.bytes(4U * n, bytes)) return false;
        std::uint32_t count = 0;
        for (std::size_t i = 0; i < n; ++i) {
            std::uint32_t const first = load_le<std::uint16_t>(bytes.data() + 4 * i);
            auto const last = first + load_le<std::uint16_t>(bytes.data() + 4 * i + 2);
            if (last > 0xffff || (i > 0 && first <= c.list.back() + 1U)) return false;
            c.list.push_back(static_cast<std::uint16_t>(first));
            c.list.push_back(static_cast<std::uint16_t>(last));
            count += last - first + 1;
        }
        c.kind = container::form::runs;
        return count == c.count;
    }
    if (c.count <= container::longest_list) {
        if (!from.bytes(2U * c.count, bytes)) return false;
        c.list.resize(c.count);
        for (std::size_t i = 0; i < c.count; ++i) {
            c.list[i] = load_le<std::uint16_t>(bytes.data() + 2 * i);
            if (i > 0 && c.list[i] <= c.list[i - 1]) return false;
        }
        c.kind = container::form::list;
        return true;
    }
    if (!from.bytes(8 * container::words_of_bits, bytes)) return false;
    c.bits.resize(container::words_of_bits);
    std::uint32_t count = 0;
    for (std::size_t w = 0; w < container::words_of_bits; ++w) {
        c.bits[w] = load_le<std::uint64_t>(bytes.data() + 8 * w);
        count += static_cast<std::uint32_t>(std::popcount(c.bits[w]));
    }
    c.kind = container::form::bits;
    return count == c.count;
}

/// The containers of a set in that form; nothing where the bytes are not one, exactly. No more
/// memory is taken than twice the bytes.
[[nodiscard]] inline std::optional<std::vector<container>>
read_containers(std::span<std::byte const> bytes) {
    byte_taker from(bytes);
    std::uint32_t cookie = 0;
    if (!from.number(cookie)) return {};
    std::uint32_t n = 0;
    std::span<std::byte const> flags;
    bool const any_runs = (cookie & 0xffffU) == roaring_with_runs;
    if (any_runs) {
        n = (cookie >> 16) + 1;
        if (!from.bytes((n + 7) / 8, flags)) return {};
    } else if (cookie != roaring_plain || !from.number(n)) {
        return {};
    }
    if (n > 65536 || from.left() < 4 * std::size_t{n}) return {};
    std::vector<container> parts(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::uint16_t less = 0;
        if (!from.number(parts[i].key) || !from.number(less)) return {};
        parts[i].count = less + 1U;
        if (i > 0 && parts[i].key <= parts[i - 1].key) return {};
    }
    std::span<std::byte const> offsets;
    if ((!any_runs || n >= roaring_offsets_from) && !from.bytes(4 * std::size_t{n}, offsets))
        return {};
    for (std::size_t i = 0; i < n; ++i) {
        if (!offsets.empty() && vicinal::detail::load_le<std::uint32_t>(offsets.data() + 4 * i) !=
                                    bytes.size() - from.left())
            return {};
        bool const runs =
            any_runs && (std::to_integer<unsigned>(flags[i / 8]) >> (i % 8) & 1U) != 0;
        if (!take_container(from, runs, parts[i])) return {};
    }
    if (from.left() != 0) return {};
    return parts;
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
