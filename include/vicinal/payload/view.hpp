// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_VIEW_HPP
#define VICINAL_PAYLOAD_VIEW_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/wire.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload {

class fields_view;
class array_view;

/// One encoded value, read where it lies: nothing is copied or allocated.
///
/// Valid as long as the bytes are. Safe on any bytes: what is damaged reads as if it ended there.
class value_view {
public:
    value_view() = default;

    [[nodiscard]] value::kind type() const noexcept {
        using enum detail::wire_kind;
        switch (kind_) {
            case null: return value::kind::null;
            case no:
            case yes: return value::kind::boolean;
            case integer: return value::kind::integer;
            case real:
            case decimal: return value::kind::real;
            case text: return value::kind::string;
            case array: return value::kind::array;
            case nested: return value::kind::nested;
        }
        return value::kind::null;
    }
    [[nodiscard]] bool is_null() const noexcept { return kind_ == detail::wire_kind::null; }

    // Each of these only where type() says so.
    [[nodiscard]] bool boolean() const noexcept { return kind_ == detail::wire_kind::yes; }
    [[nodiscard]] std::int64_t integer() const noexcept { return detail::unzigzag(argument_); }
    [[nodiscard]] double real() const noexcept {
        if (kind_ == detail::wire_kind::decimal)
            return detail::decimal_value(detail::unzigzag(argument_), scale_);
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < argument_; ++i)
            bits = bits >> 8 | std::to_integer<std::uint64_t>(data_[i]) << 56;
        return std::bit_cast<double>(bits);
    }
    /// The same within 2^-50 of its size, without the division that a decimal takes: what decides
    /// most comparisons.
    [[nodiscard]] double about() const noexcept {
        constexpr double parts[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
        static_assert(std::size(parts) == detail::max_scale + 1);
        if (kind_ != detail::wire_kind::decimal) return real();
        return static_cast<double>(detail::unzigzag(argument_)) * parts[scale_];
    }
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<char const*>(data_), static_cast<std::size_t>(argument_)};
    }
    [[nodiscard]] array_view array() const noexcept;
    [[nodiscard]] fields_view nested() const noexcept;

    /// The bytes of a text, an array's values, or nested entries.
    [[nodiscard]] std::span<std::byte const> body() const noexcept {
        return {data_, static_cast<std::size_t>(argument_)};
    }

    /// Reads the value at `at` and moves behind it; false where the bytes make no value: then `v`
    /// is as it was and `at` is somewhere inside the bytes.
    [[nodiscard]] static bool read(std::byte const*& at, std::byte const* end,
                                   value_view& v) noexcept {
        using enum detail::wire_kind;
        if (at == end) return false;
        auto const head = std::to_integer<unsigned>(*at++);
        if ((head & 15U) > static_cast<unsigned>(nested)) return false;
        value_view r;
        r.kind_ = static_cast<detail::wire_kind>(head & 15U);
        r.argument_ = head >> 4;
        if (r.kind_ <= yes) {
            if (r.argument_ != 0) return false;
        } else if (r.kind_ == decimal) {
            r.scale_ = static_cast<std::uint8_t>(head >> 4);
            if (r.scale_ > detail::max_scale || !detail::get_varint(at, end, r.argument_) ||
                (r.argument_ >> 1) >= detail::mantissa_limit)
                return false;
        } else {
            if (r.kind_ == real && r.argument_ > 8) return false;
            if (r.argument_ == detail::inline_arguments) {
                std::uint64_t more = 0;
                if (!detail::get_varint(at, end, more) ||
                    !vicinal::detail::checked_add(r.argument_, more, r.argument_))
                    return false;
            }
            if (r.kind_ != integer) {
                if (r.argument_ > static_cast<std::uint64_t>(end - at)) return false;
                r.data_ = at;
                at += r.argument_;
            }
        }
        v = r;
        return true;
    }

    /// Moves behind the value at `at` without looking at what it is; false where it does not fit.
    [[nodiscard]] static bool skip(std::byte const*& at, std::byte const* end) noexcept {
        using enum detail::wire_kind;
        if (at == end) return false;
        auto const head = std::to_integer<unsigned>(*at++);
        auto const kind = static_cast<detail::wire_kind>(head & 15U);
        std::uint64_t argument = head >> 4;
        if (kind <= yes || (kind == integer && argument < detail::inline_arguments)) return true;
        if (argument == detail::inline_arguments || kind == decimal) {
            std::uint64_t more = 0;
            if (!detail::get_varint(at, end, more)) return false;
            if (kind <= decimal && kind != real) return true;
            if (more > static_cast<std::uint64_t>(end - at)) return false;
            argument += more;
        }
        if (argument > static_cast<std::uint64_t>(end - at)) return false;
        at += argument;
        return true;
    }

private:
    detail::wire_kind kind_ = detail::wire_kind::null;
    std::uint8_t scale_ = 0;
    std::uint64_t argument_ = 0;
    std::byte const* data_ = nullptr;
};

/// The values of an encoded array, in order.
class array_view {
public:
    explicit array_view(std::span<std::byte const> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    /// Reads the next value; false at the end and where the bytes are damaged.
    [[nodiscard]] bool next(value_view& v) noexcept {
        auto const* at = at_;
        if (at == end_ || !value_view::read(at, end_, v)) return false;
        at_ = at;
        return true;
    }
    /// False after `next` gave false because of damage: it stays where the damaged value begins.
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    /// Where `next` reads: what an error message counts its offset from.
    [[nodiscard]] std::byte const* position() const noexcept { return at_; }

private:
    std::byte const* at_;
    std::byte const* end_;
};

/// Encoded fields: walked in order of their names, or asked for one of them.
class fields_view {
public:
    explicit fields_view(std::span<std::byte const> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    /// Reads the next name and value; false at the end and where the bytes are damaged.
    [[nodiscard]] bool next(std::string_view& name, value_view& v) noexcept {
        auto const* at = at_;
        if (at == end_ || !read_name(at, end_, name) || !value_view::read(at, end_, v))
            return false;
        at_ = at;
        return true;
    }
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    [[nodiscard]] std::byte const* position() const noexcept { return at_; }

    /// The value of that name; nothing where there is none. O(fields up to that name).
    [[nodiscard]] std::optional<value_view> find(std::string_view name) const noexcept {
        value_view v;
        if (scan(name, std::string_view::npos, v) != match::all) return {};
        return v;
    }

    /// The value of a dotted name: `author.name` is the field of that very name, or else what is
    /// `name` in the nested fields `author`; the same again below.
    [[nodiscard]] std::optional<value_view> find_dotted(std::string_view name) const noexcept {
        return descend(name, [](std::string_view rest) { return rest.find('.'); });
    }

    /// The same where the parts are known: `starts` are the offsets in `name` of all parts but the
    /// first. A part may hold dots of its own then.
    [[nodiscard]] std::optional<value_view>
    find_parts(std::string_view name, std::span<std::uint32_t const> starts) const noexcept {
        std::size_t part = 0;
        std::size_t begin = 0;
        return descend(name, [&](std::string_view) {
            if (part == starts.size()) return std::string_view::npos;
            auto const length = starts[part] - 1 - begin;
            begin = starts[part++];
            return length;
        });
    }

private:
    enum class match : std::uint8_t { nothing, head, all };

    [[nodiscard]] static bool read_name(std::byte const*& at, std::byte const* end,
                                        std::string_view& name) noexcept {
        std::uint64_t length = std::to_integer<std::uint64_t>(*at);
        if (length < 0x80)
            ++at;
        else if (!detail::get_varint(at, end, length))
            return false;
        if (length > static_cast<std::uint64_t>(end - at)) return false;
        name = {reinterpret_cast<char const*>(at), static_cast<std::size_t>(length)};
        at += length;
        return true;
    }

    /// Looks for `name`, and on the way for its first `head` bytes, which sort before it.
    [[nodiscard]] match scan(std::string_view name, std::size_t head,
                             value_view& v) const noexcept {
        auto found = match::nothing;
        std::string_view candidate;
        for (auto const* at = at_; at != end_;) {
            if (!read_name(at, end_, candidate)) break;
            // The first byte decides most comparisons without a call of memcmp.
            if (!candidate.empty() && !name.empty() && candidate[0] != name[0]) {
                if (static_cast<unsigned char>(candidate[0]) > static_cast<unsigned char>(name[0]))
                    break;
                if (!value_view::skip(at, end_)) break;
                continue;
            }
            auto const order = candidate.compare(name);
            if (order > 0) break;
            if (order == 0) return value_view::read(at, end_, v) ? match::all : match::nothing;
            if (candidate.size() == head && name.substr(0, head) == candidate) {
                if (!value_view::read(at, end_, v)) break;
                found = match::head;
            } else if (!value_view::skip(at, end_)) {
                break;
            }
        }
        return found;
    }

    /// `head_of(rest)` gives the length of the first part of what is left, npos for all of it.
    template <class HeadOf>
    [[nodiscard]] std::optional<value_view> descend(std::string_view name,
                                                    HeadOf head_of) const noexcept {
        auto level = *this;
        for (;;) {
            auto const head = head_of(name);
            value_view v;
            auto const found = level.scan(name, head, v);
            if (found == match::all) return v;
            if (found == match::nothing || v.type() != value::kind::nested) return {};
            name.remove_prefix(head + 1);
            level = v.nested();
        }
    }

    std::byte const* at_;
    std::byte const* end_;
};

inline array_view value_view::array() const noexcept { return array_view(body()); }
inline fields_view value_view::nested() const noexcept { return fields_view(body()); }

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
