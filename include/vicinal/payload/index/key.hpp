// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_KEY_HPP
#define VICINAL_PAYLOAD_INDEX_KEY_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/view.hpp>
#include <vicinal/payload/wire.hpp>

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Kinds of values that filters compare with each other, in the order in which an index has them.
/// A word is a piece of a text, which stands for no value of its own.
enum class key_kind : std::uint8_t { boolean, number, text, word };

/// A value as indexes order it. Keys are equal where filters take the values for equal: 2 and 2.0
/// are one number, -0.0 and 0.0 as well.
struct index_key {
    key_kind kind = key_kind::boolean;
    /// What a number has beyond the double below or at it: only integers beyond 2^53 have any.
    std::uint16_t rest = 0;
    /// Orders as the value does, but for what `rest` and `text` say: a number's double with its
    /// bits turned so that they order as integers, a text's first 8 bytes, 0 or 1.
    std::uint64_t bits = 0;
    std::string_view text = {};

    [[nodiscard]] friend std::strong_ordering operator<=>(index_key const& a,
                                                          index_key const& b) noexcept {
        if (a.kind != b.kind) return a.kind <=> b.kind;
        if (a.bits != b.bits) return a.bits <=> b.bits;
        if (a.kind < key_kind::text) return a.rest <=> b.rest;
        return a.text.compare(b.text) <=> 0;
    }
    [[nodiscard]] friend bool operator==(index_key const& a, index_key const& b) noexcept {
        return (a <=> b) == 0;
    }
};

/// Bits of a double that order as it does; 0.0 for -0.0.
[[nodiscard]] inline std::uint64_t ordered_bits(double x) noexcept {
    auto const bits = std::bit_cast<std::uint64_t>(x + 0.0);
    return bits ^ ((bits >> 63) != 0 ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
}
[[nodiscard]] inline double double_of(std::uint64_t ordered) noexcept {
    return std::bit_cast<double>(
        ordered ^ ((ordered >> 63) != 0 ? std::uint64_t{1} << 63 : ~std::uint64_t{0}));
}

/// Nothing for NaN, which compares with nothing.
[[nodiscard]] inline std::optional<index_key> key_of(double x) noexcept {
    if (x != x) return {};
    return index_key{.kind = key_kind::number, .rest = 0, .bits = ordered_bits(x), .text = {}};
}
[[nodiscard]] inline index_key key_of(std::int64_t i) noexcept {
    auto below = static_cast<double>(i);
    // Up to 2^63 itself, which no integer reaches.
    if (below >= 9223372036854775808.0 || static_cast<std::int64_t>(below) > i)
        below = double_of(ordered_bits(below) - 1);
    return {.kind = key_kind::number,
            .rest = static_cast<std::uint16_t>(i - static_cast<std::int64_t>(below)),
            .bits = ordered_bits(below),
            .text = {}};
}
[[nodiscard]] inline index_key key_of(std::string_view text, key_kind kind) noexcept {
    std::uint64_t head = 0;
    for (std::size_t i = 0; i < 8; ++i)
        head = head << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
    return {.kind = kind, .rest = 0, .bits = head, .text = text};
}
[[nodiscard]] inline index_key key_of(bool b) noexcept {
    return {.kind = key_kind::boolean, .rest = 0, .bits = b ? 1U : 0U, .text = {}};
}

/// Nothing for null, NaN, arrays and nested fields. The text is the value's.
[[nodiscard]] inline std::optional<index_key> key_of(value_view const& v) noexcept {
    switch (v.type()) {
        case value::kind::boolean: return key_of(v.boolean());
        case value::kind::integer: return key_of(v.integer());
        case value::kind::real: return key_of(v.real());
        case value::kind::string: return key_of(v.text(), key_kind::text);
        case value::kind::null:
        case value::kind::array:
        case value::kind::nested: break;
    }
    return {};
}

/// The same of a filter's literal.
[[nodiscard]] inline std::optional<index_key> key_of(filter_value const& v,
                                                     filter_tree const& tree) noexcept {
    switch (v.type) {
        case value::kind::boolean: return key_of(v.bits != 0);
        case value::kind::integer: return key_of(static_cast<std::int64_t>(v.bits));
        case value::kind::real: return key_of(std::bit_cast<double>(v.bits));
        case value::kind::string: return key_of(tree.text_of(v), key_kind::text);
        case value::kind::null:
        case value::kind::array:
        case value::kind::nested: break;
    }
    return {};
}

/// Appends the value of a key as payloads have it: a number without fraction as an integer.
inline void append_value(index_key const& key, std::string& out) {
    constexpr double beyond = 9223372036854775808.0;
    if (key.kind == key_kind::boolean) {
        put_head(out, key.bits != 0 ? wire_kind::yes : wire_kind::no, 0);
    } else if (key.kind != key_kind::number) {
        put_head(out, wire_kind::text, key.text.size());
        out.append(key.text);
    } else {
        auto const x = double_of(key.bits);
        bool const whole =
            x >= -beyond && x < beyond && static_cast<double>(static_cast<std::int64_t>(x)) == x;
        if (whole)
            put_head(out, wire_kind::integer,
                     zigzag(static_cast<std::int64_t>(x) + std::int64_t{key.rest}));
        else
            put_real(out, x);
    }
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
