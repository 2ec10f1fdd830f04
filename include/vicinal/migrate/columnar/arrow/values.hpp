// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_VALUES_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_VALUES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/half.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/columnar/arrow/arrays.hpp>
#include <vicinal/migrate/columnar/moments.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// Little-endian bytes as an integer, with their sign or without.
[[nodiscard]] inline std::uint64_t integer_bits(std::string_view raw, bool is_signed) noexcept {
    std::uint64_t v = 0;
    for (std::size_t i = raw.size(); i-- > 0;) v = v << 8 | static_cast<unsigned char>(raw[i]);
    if (!is_signed || raw.size() == 8) return v;
    auto const sign = std::uint64_t{1} << (8 * raw.size() - 1);
    return (v ^ sign) - sign;
}

/// An integer or a real as a double.
[[nodiscard]] inline double number_of(field_type const& type, std::string_view raw) noexcept {
    auto const bits = integer_bits(raw, type.is_signed && type.what == family::integer);
    if (type.what == family::real) {
        if (raw.size() == 8) return std::bit_cast<double>(bits);
        if (raw.size() == 2) return double{half_to_float(static_cast<std::uint16_t>(bits))};
        return double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))};
    }
    return type.is_signed ? static_cast<double>(static_cast<std::int64_t>(bits))
                          : static_cast<double>(bits);
}

/// Makes values of what stands in arrays, and of what their dictionaries say.
class array_values {
public:
    /// Batches of one column each: later ones add to the first.
    using dictionaries = std::map<std::int64_t, std::vector<std::unique_ptr<batch>>>;

    array_values(dictionaries const& words, row_budget& budget, std::string const& place)
        : words_(words), budget_(budget), place_(place) {}

    /// Replaces `out` by the value at `i`; unsigned integers as table::keep_digits has it.
    ///
    /// Errors: corrupt_source, unsupported, limit_exceeded.
    [[nodiscard]] result<void> read(array const& a, std::uint64_t i, bool digits, value& out,
                                    int depth = 0) {
        out = nullptr;
        // A dictionary may hold indices into itself.
        if (depth > 64) return wrong(a, "values over 64 levels deep");
        if (!budget_.spend(a.type->name.size())) return row_budget::exceeded(place_);
        if (a.type->what == family::unreadable)
            return error{errc::unsupported,
                         "columns that are no union, interval, list view or run of ends",
                         place_ + "'" + a.type->name + "' is one"};
        if (!a.present(i)) return {};
        if (a.type->coded) return word(a, i, digits, out, depth);
        switch (a.type->what) {
            case family::text:
            case family::bytes: {
                std::string_view text;
                if (!a.text(i, text)) return wrong(a, "text beyond its buffer");
                if (!budget_.spend(text.size())) return row_budget::exceeded(place_);
                out = std::string(text);
                return {};
            }
            case family::list:
            case family::fixed_list: return list(a, i, out, depth);
            case family::structure: {
                fields members;
                for (auto const& part : a.parts) {
                    value member;
                    VICINAL_CHECK(read(part, i, false, member, depth + 1));
                    if (!member.is_null()) members.set(part.type->name, std::move(member));
                }
                out = std::move(members);
                return {};
            }
            default: scalar(a, i, digits, out); return {};
        }
    }

    /// The list of numbers at `i` as floats, at most `most` of them.
    [[nodiscard]] result<float_row> read(array const& a, std::uint64_t i, std::size_t most,
                                         std::vector<float>& out) {
        out.clear();
        float_row row;
        row.present = a.present(i);
        if (!row.present) return row;
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        VICINAL_CHECK(elements(a, i, from, to));
        auto const& part = a.parts.front();
        if (to - from > most) {
            row.wrong = float_row::fault::too_many;
            return row;
        }
        auto const width = part.type->width;
        bool const plain = part.type->what == family::real && width == 4 && part.valid.empty();
        if (plain && std::endian::native == std::endian::little) {
            out.resize(static_cast<std::size_t>(to - from));
            if (!out.empty()) std::memcpy(out.data(), part.at(from, 4).data(), 4 * out.size());
            return row;
        }
        for (auto k = from; k < to; ++k) {
            if (!part.present(k)) row.wrong = float_row::fault::null_element;
            row.add(number_of(*part.type, part.at(k, width)), out);
        }
        return row;
    }

private:
    [[nodiscard]] error wrong(array const& a, std::string_view what) const {
        return error{errc::corrupt_source, "a whole record batch",
                     place_ + "column '" + a.type->name + "': " + std::string(what)};
    }

    /// Where the elements of the list at `i` lie.
    [[nodiscard]] result<void> elements(array const& a, std::uint64_t i, std::uint64_t& from,
                                        std::uint64_t& to) const {
        if (a.type->what == family::fixed_list) {
            from = i * a.type->fixed;
            to = from + a.type->fixed;
        } else if (!a.range(i, a.parts.front().length, from, to)) {
            return wrong(a, "a list beyond its elements");
        }
        return {};
    }

    [[nodiscard]] result<void> list(array const& a, std::uint64_t i, value& out, int depth) {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        VICINAL_CHECK(elements(a, i, from, to));
        value::array all;
        for (auto k = from; k < to; ++k)
            VICINAL_CHECK(read(a.parts.front(), k, false, all.emplace_back(), depth + 1));
        out = a.type->map ? map_to_fields(std::move(all)) : value(std::move(all));
        return {};
    }

    [[nodiscard]] result<void> word(array const& a, std::uint64_t i, bool digits, value& out,
                                    int depth) {
        auto index = integer_bits(a.at(i, a.type->index_width), a.type->index_signed);
        auto const at = words_.find(a.type->dictionary);
        if (at == words_.end())
            return error{errc::unsupported, "dictionaries that stand in front of their batches",
                         place_ + "column '" + a.type->name + "' has none"};
        for (auto const& part : at->second) {
            auto const& words = part->columns.front();
            if (index < words.length) return read(words, index, digits, out, depth + 1);
            index -= words.length;
        }
        return wrong(a, "an index beyond its dictionary");
    }

    static void scalar(array const& a, std::uint64_t i, bool digits, value& out) {
        auto const& type = *a.type;
        if (type.what == family::boolean) {
            out = array::bit(a.data, i);
            return;
        }
        if (type.what == family::null) return;
        auto const raw = a.at(i, type.width);
        auto const whole = [&raw] { return static_cast<std::int64_t>(integer_bits(raw, true)); };
        std::string text;
        switch (type.what) {
            case family::integer:
                if (type.is_signed)
                    out = whole();
                else
                    out = unsigned_value(integer_bits(raw, false), digits);
                return;
            case family::real: out = number_of(type, raw); return;
            case family::decimal: {
                std::string highest_first(raw.rbegin(), raw.rend());
                if (append_decimal(highest_first, type.scale, text)) break;
                out = std::move(highest_first);
                return;
            }
            case family::date: {
                auto const count = whole();
                // In days, or in milliseconds.
                append_date(type.width == 4 ? count
                                            : std::int64_t{count / 86'400'000} -
                                                  (count % 86'400'000 < 0 ? 1 : 0),
                            text);
                break;
            }
            case family::time:
                append_time(static_cast<std::uint64_t>(whole()), type.unit, text);
                break;
            case family::timestamp: append_moment(whole(), type.unit, type.utc, text); break;
            case family::uuid: append_uuid(raw, text); break;
            default: text = raw;
        }
        out = std::move(text);
    }

    dictionaries const& words_;
    row_budget& budget_;
    std::string const& place_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
