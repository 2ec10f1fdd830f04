// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_CONVERT_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_CONVERT_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/half.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/columnar/moments.hpp>
#include <vicinal/migrate/columnar/parquet/footer.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

template <std::unsigned_integral U>
[[nodiscard]] U little(std::string_view raw) noexcept {
    return load_le<U>(reinterpret_cast<std::byte const*>(raw.data()));
}

[[nodiscard]] inline bool is_real(schema_element const& e) noexcept {
    auto const type = static_cast<physical>(e.type);
    return type == physical::float32 || type == physical::float64 || e.what == meaning::float16;
}

[[nodiscard]] inline bool is_integer(schema_element const& e) noexcept {
    auto const type = static_cast<physical>(e.type);
    return (type == physical::int32 || type == physical::int64) &&
           (e.what == meaning::none || e.what == meaning::unsigned_integer);
}

/// Whether a leaf says things that don't go together, as text in integers or floats of 16 bits in
/// three bytes.
[[nodiscard]] inline bool contradictory(schema_element const& e) noexcept {
    auto const type = static_cast<physical>(e.type);
    bool const number = type == physical::int32 || type == physical::int64;
    bool const fixed = type == physical::fixed_bytes;
    if (fixed && (e.width <= 0 || e.width > (1 << 20))) return true;
    switch (e.what) {
        case meaning::text:
        case meaning::json: return type != physical::bytes;
        case meaning::uuid: return !fixed || e.width != 16;
        case meaning::float16: return !fixed || e.width != 2;
        case meaning::date: return type != physical::int32;
        case meaning::timestamp: return type != physical::int64;
        case meaning::time:
        case meaning::unsigned_integer: return !number;
        case meaning::decimal: return !number && !fixed && type != physical::bytes;
        case meaning::none:
        case meaning::map:
        case meaning::list: break;
    }
    return false;
}

/// The value of a leaf of integers or reals, of as many bytes as its type has, as a double.
[[nodiscard]] inline double number_of(schema_element const& e, std::string_view raw) noexcept {
    switch (static_cast<physical>(e.type)) {
        case physical::float32: return double{std::bit_cast<float>(little<std::uint32_t>(raw))};
        case physical::float64: return std::bit_cast<double>(little<std::uint64_t>(raw));
        case physical::int32: {
            auto const v = little<std::uint32_t>(raw);
            return e.what == meaning::unsigned_integer
                       ? static_cast<double>(v)
                       : static_cast<double>(static_cast<std::int32_t>(v));
        }
        case physical::int64: {
            auto const v = little<std::uint64_t>(raw);
            return e.what == meaning::unsigned_integer
                       ? static_cast<double>(v)
                       : static_cast<double>(static_cast<std::int64_t>(v));
        }
        default: return double{half_to_float(little<std::uint16_t>(raw))};
    }
}

/// Appends floats that lie one behind the other, four bytes each.
inline void append_plain_floats(std::string_view raw, std::vector<float>& out) {
    auto const before = out.size();
    out.resize(before + raw.size() / 4);
    if constexpr (std::endian::native == std::endian::little) {
        if (!raw.empty()) std::memcpy(out.data() + before, raw.data(), raw.size());
    } else {
        for (std::size_t i = 0; i < raw.size() / 4; ++i)
            out[before + i] = std::bit_cast<float>(little<std::uint32_t>(raw.substr(4 * i)));
    }
}

/// Replaces `out` by what the bytes of a leaf's value mean; `digits` as table::keep_digits. False
/// where they mean nothing: a decimal of over 32 bytes.
[[nodiscard]] inline bool to_value(schema_element const& e, std::string_view raw, bool digits,
                                   value& out) {
    auto const type = static_cast<physical>(e.type);
    auto const integer = [&]() -> std::int64_t {
        return type == physical::int32
                   ? std::int64_t{static_cast<std::int32_t>(little<std::uint32_t>(raw))}
                   : static_cast<std::int64_t>(little<std::uint64_t>(raw));
    };
    std::string text;
    switch (e.what) {
        case meaning::decimal: {
            std::string bytes(raw);
            if (type == physical::int32 || type == physical::int64)
                std::reverse(bytes.begin(), bytes.end());
            if (!append_decimal(bytes, e.scale, text)) return false;
            out = std::move(text);
            return true;
        }
        case meaning::date:
            append_date(integer(), text);
            out = std::move(text);
            return true;
        case meaning::time:
            append_time(static_cast<std::uint64_t>(integer()), e.unit, text);
            out = std::move(text);
            return true;
        case meaning::timestamp:
            append_moment(integer(), e.unit, e.utc, text);
            out = std::move(text);
            return true;
        case meaning::uuid:
            append_uuid(raw, text);
            out = std::move(text);
            return true;
        case meaning::float16: out = number_of(e, raw); return true;
        case meaning::unsigned_integer:
            if (type == physical::int32)
                out = little<std::uint32_t>(raw);
            else
                out = unsigned_value(little<std::uint64_t>(raw), digits);
            return true;
        case meaning::none:
        case meaning::text:
        case meaning::json:
        case meaning::map:
        case meaning::list: break;
    }
    switch (type) {
        case physical::boolean: out = raw.front() != 0; return true;
        case physical::int32:
        case physical::int64: out = integer(); return true;
        case physical::float32:
        case physical::float64: out = number_of(e, raw); return true;
        case physical::int96: {
            // Spark's and Impala's old moments: nanoseconds of the day, and the Julian day.
            auto const days = std::int64_t{little<std::uint32_t>(raw.substr(8))} - 2'440'588;
            append_date(days, text);
            text.push_back('T');
            append_time(little<std::uint64_t>(raw), 9, text);
            out = std::move(text);
            return true;
        }
        case physical::bytes:
        case physical::fixed_bytes: break;
    }
    out = std::string(raw);
    return true;
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
