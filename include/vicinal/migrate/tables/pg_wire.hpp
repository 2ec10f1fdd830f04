// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_PG_WIRE_HPP
#define VICINAL_MIGRATE_TABLES_PG_WIRE_HPP

#include <vicinal/core/half.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>
#include <vicinal/payload/utf8.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A number as PostgreSQL sends it: the highest byte first. The bytes have to be there.
template <std::unsigned_integral U>
[[nodiscard]] constexpr U load_big(std::string_view bytes, std::size_t at = 0) noexcept {
    U n = 0;
    for (std::size_t i = 0; i < sizeof(U); ++i)
        n = static_cast<U>(static_cast<std::uint64_t>(n) << 8 |
                           static_cast<unsigned char>(bytes[at + i]));
    return n;
}
[[nodiscard]] inline float load_big_float(std::string_view bytes, std::size_t at) noexcept {
    return std::bit_cast<float>(load_big<std::uint32_t>(bytes, at));
}

[[nodiscard]] inline error wrong_wire(std::string_view what, std::string_view bytes) {
    return error{errc::corrupt_source, std::string(what),
                 "another cell of " + std::to_string(bytes.size()) + " bytes"};
}

/// Whether all lengths inside are what the type says.
[[nodiscard]] inline bool is_wire_vector(std::string_view b, std::size_t element) noexcept {
    return b.size() > 4 && load_big<std::uint16_t>(b, 2) == 0 &&
           b.size() - 4 == load_big<std::uint16_t>(b) * element;
}
[[nodiscard]] inline bool is_wire_sparse(std::string_view b) noexcept {
    if (b.size() < 12 || load_big<std::uint32_t>(b, 8) != 0) return false;
    auto const dim = load_big<std::uint32_t>(b);
    auto const entries = load_big<std::uint32_t>(b, 4);
    return dim > 0 && entries <= dim && b.size() - 12 == std::uint64_t{entries} * 8;
}
[[nodiscard]] inline bool is_wire_bits(std::string_view b) noexcept {
    return b.size() > 4 && b.size() - 4 == (std::uint64_t{load_big<std::uint32_t>(b)} + 7) / 8;
}
[[nodiscard]] inline bool is_wire_array(std::string_view b) noexcept {
    if (b.size() < 12 || load_big<std::uint32_t>(b) > 1 || load_big<std::uint32_t>(b, 4) > 1)
        return false;
    return load_big<std::uint32_t>(b) == 0 ? b.size() == 12 : b.size() >= 20;
}

/// Replaces `out` by a cell of vector, halfvec, sparsevec or bit, as its type is called.
///
/// Errors: corrupt_source; not_finite.
inline result<void> read_wire_vector(std::string_view bytes, std::string_view type,
                                     std::vector<float>& out) {
    out.clear();
    if (type == "vector" || type == "halfvec") {
        std::size_t const element = type == "vector" ? 4 : 2;
        if (!is_wire_vector(bytes, element)) return wrong_wire(type, bytes);
        for (std::size_t at = 4; at < bytes.size(); at += element)
            out.push_back(element == 4 ? load_big_float(bytes, at)
                                       : half_to_float(load_big<std::uint16_t>(bytes, at)));
    } else if (type == "sparsevec") {
        if (!is_wire_sparse(bytes) || load_big<std::uint32_t>(bytes) > source_dims)
            return wrong_wire(type, bytes);
        out.resize(load_big<std::uint32_t>(bytes));
        auto const entries = load_big<std::uint32_t>(bytes, 4);
        for (std::size_t i = 0; i < entries; ++i) {
            auto const index = load_big<std::uint32_t>(bytes, 12 + i * 4);
            if (index >= out.size()) return wrong_wire(type, bytes);
            out[index] = load_big_float(bytes, 12 + std::size_t{entries} * 4 + i * 4);
        }
    } else if (type == "bit" || type == "varbit" || type == "bit varying") {
        if (!is_wire_bits(bytes) || load_big<std::uint32_t>(bytes) > source_dims)
            return wrong_wire("bit", bytes);
        for (std::size_t i = 0; i < load_big<std::uint32_t>(bytes); ++i)
            out.push_back(
                (static_cast<unsigned char>(bytes[4 + i / 8]) >> (7 - i % 8)) & 1U ? 1.0F : 0.0F);
    } else {
        return error{errc::unsupported, "a column of vector, halfvec, sparsevec, bit or real[]",
                     "one of " + std::string(type)};
    }
    for (float const f : out)
        if (!std::isfinite(f))
            return error{errc::not_finite, "finite numbers in a vector", "one that is not"};
    return {};
}

/// numeric: groups of four decimal digits. NaN and infinity are texts.
inline result<void> read_wire_numeric(std::string_view b, value& out) {
    if (b.size() < 8 || b.size() - 8 != load_big<std::uint16_t>(b) * std::size_t{2})
        return wrong_wire("numeric", b);
    auto const groups = load_big<std::uint16_t>(b);
    auto const weight = static_cast<std::int16_t>(load_big<std::uint16_t>(b, 2));
    auto const sign = load_big<std::uint16_t>(b, 4);
    if ((sign & 0xC000U) == 0xC000U) {
        out = sign == 0xC000U ? "NaN" : sign == 0xD000U ? "Infinity" : "-Infinity";
        return {};
    }
    std::string digits = sign == 0x4000U ? "-0" : "0";
    for (std::size_t i = 0; i < groups; ++i) {
        char four[8];
        std::snprintf(four, sizeof four, "%04u", load_big<std::uint16_t>(b, 8 + i * 2) % 10'000U);
        digits += four;
    }
    digits += "e" + std::to_string(4 * (weight - groups + 1));
    double d = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), d);
    out = groups == 0 ? 0.0 : d;
    return {};
}

/// Days since 2000-01-01 as PostgreSQL prints a date (Hinnant's algorithm for civil calendars).
[[nodiscard]] inline std::string wire_date(std::int64_t days) {
    auto const z = days + 730'425; // since 0000-03-01
    auto const era = (z >= 0 ? z : z - 146'096) / 146'097;
    auto const of_era = z - era * 146'097;
    auto const year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const m = (5 * of_year + 2) / 153;
    auto const month = m < 10 ? m + 3 : m - 9;
    char text[80];
    std::snprintf(text, sizeof text, "%04lld-%02lld-%02lld",
                  static_cast<long long>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
                  static_cast<long long>(month),
                  static_cast<long long>(of_year - (153 * m + 2) / 5 + 1));
    return text;
}
/// Microseconds since 2000-01-01 as PostgreSQL prints a timestamp, in UTC.
[[nodiscard]] inline std::string wire_timestamp(std::int64_t time, bool with_zone) {
    constexpr std::int64_t day = 86'400'000'000;
    auto const days = time / day - (time % day < 0 ? 1 : 0);
    auto const rest = time - days * day;
    char text[48];
    std::snprintf(text, sizeof text, " %02d:%02d:%02d", static_cast<int>(rest / 3'600'000'000),
                  static_cast<int>(rest / 60'000'000 % 60),
                  static_cast<int>(rest / 1'000'000 % 60));
    auto out = wire_date(days) + text;
    if (rest % 1'000'000 != 0) {
        std::snprintf(text, sizeof text, ".%06d", static_cast<int>(rest % 1'000'000));
        out += text;
        out.resize(out.find_last_not_of('0') + 1);
    }
    return with_zone ? out + "+00" : out;
}

inline result<void> read_wire_value(std::string_view b, std::string_view type,
                                    backend::cell_parser const& json, value& out);

/// An array of one dimension, by the object id of its elements' type.
inline result<void> read_wire_array(std::string_view b, value& out) {
    if (!is_wire_array(b)) return wrong_wire("an array of one dimension", b);
    value::array array;
    if (load_big<std::uint32_t>(b) == 0) {
        out = std::move(array);
        return {};
    }
    std::string_view type;
    switch (load_big<std::uint32_t>(b, 8)) {
        case 16: type = "bool"; break;
        case 20:
        case 21:
        case 23: type = "int8"; break;
        case 25:
        case 1042:
        case 1043: type = "text"; break;
        case 700:
        case 701: type = "float8"; break;
        case 1700: type = "numeric"; break;
        case 2950: type = "uuid"; break;
        default:
            return error{errc::unsupported, "an array of numbers, booleans or text",
                         "one of type " + std::to_string(load_big<std::uint32_t>(b, 8))};
    }
    auto const count = load_big<std::uint32_t>(b, 12);
    auto rest = b.substr(20);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (rest.size() < 4) return wrong_wire("an array", b);
        auto const size = load_big<std::uint32_t>(rest);
        rest.remove_prefix(4);
        array.emplace_back();
        if (size == 0xffffffffU) continue;
        if (size > rest.size()) return wrong_wire("an array", b);
        VICINAL_CHECK(read_wire_value(rest.substr(0, size), type, {}, array.back()));
        rest.remove_prefix(size);
    }
    out = std::move(array);
    return {};
}

/// Replaces `out` by a cell of a type, as PostgreSQL calls it; what is not known here is text.
///
/// Errors: corrupt_source (the bytes are of another type), unsupported (bytes that are no text).
inline result<void> read_wire_value(std::string_view b, std::string_view type,
                                    backend::cell_parser const& json, value& out) {
    auto const is = [type](auto... names) { return ((type == names) || ...); };
    bool const has = b.size() == 1 || b.size() == 2 || b.size() == 4 || b.size() == 8;
    if (is("smallint", "integer", "bigint", "int", "int2", "int4", "int8", "serial", "bigserial",
           "smallserial", "oid")) {
        if (!has) return wrong_wire("an integer", b);
        if (b.size() == 2) out = static_cast<std::int16_t>(load_big<std::uint16_t>(b));
        if (b.size() == 4) out = static_cast<std::int32_t>(load_big<std::uint32_t>(b));
        if (b.size() == 8) out = static_cast<std::int64_t>(load_big<std::uint64_t>(b));
        if (b.size() == 1) return wrong_wire("an integer", b);
    } else if (is("real", "double precision", "float", "float4", "float8")) {
        if (b.size() == 4)
            out = static_cast<double>(load_big_float(b, 0));
        else if (b.size() == 8)
            out = std::bit_cast<double>(load_big<std::uint64_t>(b));
        else
            return wrong_wire("a float", b);
    } else if (is("numeric", "decimal")) {
        return read_wire_numeric(b, out);
    } else if (is("boolean", "bool")) {
        if (b.size() != 1) return wrong_wire("a boolean", b);
        out = b[0] != 0;
    } else if (is("uuid")) {
        if (b.size() != 16) return wrong_wire("a uuid", b);
        std::string text;
        for (std::size_t i = 0; i < 16; ++i) {
            constexpr char hex[] = "0123456789abcdef";
            if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
            text += hex[static_cast<unsigned char>(b[i]) >> 4];
            text += hex[static_cast<unsigned char>(b[i]) & 15U];
        }
        out = std::move(text);
    } else if (type.starts_with("timestamp")) {
        if (b.size() != 8) return wrong_wire("a timestamp", b);
        bool const zone = type == "timestamptz" || type.ends_with("with time zone");
        out = wire_timestamp(static_cast<std::int64_t>(load_big<std::uint64_t>(b)), zone);
    } else if (is("date")) {
        if (b.size() != 4) return wrong_wire("a date", b);
        out = wire_date(static_cast<std::int32_t>(load_big<std::uint32_t>(b)));
    } else if (is("json", "jsonb")) {
        auto const text = type == "jsonb" ? b.substr(b.empty() ? 0 : 1) : b;
        if (json && json(text, out)) return {};
        out = text;
    } else if (is("bit", "varbit", "bit varying")) {
        std::vector<float> bits;
        VICINAL_CHECK(read_wire_vector(b, type, bits));
        std::string text;
        for (float const f : bits) text += f != 0 ? '1' : '0';
        out = std::move(text);
    } else {
        if (!payload::detail::is_utf8(b))
            return error{errc::unsupported, "a type that is known here",
                         std::string(type) + ": bytes that are no text"};
        out = b;
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
