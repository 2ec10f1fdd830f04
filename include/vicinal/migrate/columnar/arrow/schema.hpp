// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_SCHEMA_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_SCHEMA_HPP

#include <vicinal/migrate/columnar/arrow/flatbuffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// What the values of a field are, as far as reading them differs.
enum class family : std::uint8_t {
    null,
    boolean,
    integer,
    real,
    text,
    bytes,
    fixed_bytes,
    decimal,
    date,
    time,
    timestamp,
    uuid,
    list,
    fixed_list,
    structure,
    unreadable, // unions, intervals, list views and run ends: their buffers are only counted
};

/// A column, or a part of one.
struct field_type {
    std::string name;
    family what = family::unreadable;
    unsigned width = 0; // bytes of a value of one width; of a list's or text's offsets: 4 or 8
    bool is_signed = true;
    bool utc = false;
    bool json = false;
    bool map = false;
    bool views = false; // text and bytes as views of 16 bytes
    int unit = 0;       // of moments: 10^-unit seconds
    std::int32_t scale = 0;
    std::uint64_t fixed = 0; // elements of a fixed_list
    unsigned buffers = 2;    // how many lie in a batch
    bool coded = false;      // values are in the dictionary of this id
    std::int64_t dictionary = 0;
    unsigned index_width = 4;
    bool index_signed = true;
    std::vector<field_type> parts;
};

/// What the first message says (Apache Arrow, Schema.fbs).
struct schema_message {
    std::vector<field_type> columns;
    std::vector<std::pair<std::string, std::string>> notes;
    bool big_endian = false;
};

class schema_parser {
public:
    /// False where the table contradicts itself, lies over 32 fields deep, has over 100,000 of
    /// them or over 64 MiB of names and notes.
    [[nodiscard]] bool parse(flat_table const& schema, schema_message& out) {
        out.big_endian = schema.number<std::uint16_t>(0) != 0;
        auto const columns = schema.vector(1, 4);
        for (std::size_t i = 0; i < columns.count; ++i)
            if (!field(schema.element(columns, i), 0, out.columns.emplace_back())) return false;
        auto const notes = schema.vector(2, 4);
        for (std::size_t i = 0; i < notes.count; ++i) {
            auto const note = schema.element(notes, i);
            if (!spend(note.text(0)) || !spend(note.text(1))) return false;
            out.notes.emplace_back(note.text(0), note.text(1));
        }
        return schema.bytes().good();
    }

private:
    [[nodiscard]] bool field(flat_table const& in, int depth, field_type& out) {
        if (!in.there() || depth > 32 || ++fields_ > 100'000) return false;
        if (!spend(in.text(0))) return false;
        out.name = in.text(0);
        if (!type(in.number<std::uint8_t>(2), in.table(3), out)) return false;
        extension(in, out);
        if (auto const coded = in.table(4); coded.there()) {
            out.coded = true;
            out.dictionary = static_cast<std::int64_t>(coded.number<std::uint64_t>(0));
            auto const index = coded.table(1);
            auto const bits = index.there() ? index.number<std::uint32_t>(0) : 32U;
            out.index_signed = !index.there() || index.number<std::uint8_t>(1) != 0;
            if (bits != 8 && bits != 16 && bits != 32 && bits != 64) return false;
            out.index_width = bits / 8;
        }
        auto const parts = in.vector(5, 4);
        for (std::size_t i = 0; i < parts.count; ++i)
            if (!field(in.element(parts, i), depth + 1, out.parts.emplace_back())) return false;
        bool const list = out.what == family::list || out.what == family::fixed_list;
        return in.bytes().good() && (!list || out.parts.size() == 1);
    }

    /// Texts may be shared by any number of fields, and each of these keeps a copy.
    [[nodiscard]] bool spend(std::string_view text) noexcept {
        spent_ += text.size();
        return spent_ <= (std::size_t{64} << 20);
    }

    static void extension(flat_table const& in, field_type& out) {
        auto const notes = in.vector(6, 4);
        for (std::size_t i = 0; i < notes.count; ++i) {
            auto const note = in.element(notes, i);
            if (note.text(0) != "ARROW:extension:name") continue;
            if (note.text(1) == "arrow.json" && out.what == family::text) out.json = true;
            if (note.text(1) == "arrow.uuid" && out.what == family::fixed_bytes && out.width == 16)
                out.what = family::uuid;
        }
    }

    [[nodiscard]] static bool type(unsigned kind, flat_table const& in, field_type& out) {
        static constexpr std::array<int, 4> units = {0, 3, 6, 9};
        auto const unit = [&](std::uint16_t otherwise) {
            auto const u = in.number<std::uint16_t>(0, otherwise);
            return u < units.size() ? units[u] : -1;
        };
        auto const fixed = [&out](family f, unsigned width) {
            out.what = f;
            out.width = width;
            return true;
        };
        switch (kind) {
            case 1: // Null
                out.buffers = 0;
                return fixed(family::null, 0);
            case 2: { // Int
                auto const bits = in.number<std::uint32_t>(0);
                out.is_signed = in.number<std::uint8_t>(1) != 0;
                return (bits == 8 || bits == 16 || bits == 32 || bits == 64) &&
                       fixed(family::integer, bits / 8);
            }
            case 3: { // FloatingPoint
                auto const precision = in.number<std::uint16_t>(0);
                return precision < 3 && fixed(family::real, 2U << precision);
            }
            case 4:    // Binary
            case 5:    // Utf8
            case 19:   // LargeBinary
            case 20: { // LargeUtf8
                out.buffers = 3;
                return fixed(kind == 5 || kind == 20 ? family::text : family::bytes,
                             kind < 19 ? 4 : 8);
            }
            case 6: return fixed(family::boolean, 0); // Bool
            case 7: {                                 // Decimal
                auto const bits = in.number<std::uint32_t>(2, 128);
                out.scale = static_cast<std::int32_t>(in.number<std::uint32_t>(1));
                return bits % 8 == 0 && bits > 0 && bits <= 256 && fixed(family::decimal, bits / 8);
            }
            case 8: // Date
                return fixed(family::date, in.number<std::uint16_t>(0, 1) == 0 ? 4 : 8);
            case 9: { // Time
                auto const bits = in.number<std::uint32_t>(1, 32);
                out.unit = unit(1);
                return (bits == 32 || bits == 64) && out.unit >= 0 && fixed(family::time, bits / 8);
            }
            case 10: // Timestamp
                out.unit = unit(0);
                out.utc = !in.text(1).empty(); // of whatever zone: what is stored is universal
                return out.unit >= 0 && fixed(family::timestamp, 8);
            case 12: // List
            case 17: // Map
            case 21: // LargeList
                out.map = kind == 17;
                return fixed(family::list, kind == 21 ? 8 : 4);
            case 13: // Struct_
                out.buffers = 1;
                return fixed(family::structure, 0);
            case 14: // Union: sparse ones have types, dense ones offsets too
                out.buffers = in.number<std::uint16_t>(0) == 0 ? 1 : 2;
                return true;
            case 15: { // FixedSizeBinary
                auto const bytes = in.number<std::uint32_t>(0);
                return bytes <= (1U << 20) && fixed(family::fixed_bytes, bytes);
            }
            case 16: { // FixedSizeList
                auto const count = static_cast<std::int32_t>(in.number<std::uint32_t>(0));
                out.buffers = 1;
                out.fixed = static_cast<std::uint64_t>(count);
                return count >= 0 && fixed(family::fixed_list, 0);
            }
            case 18: return fixed(family::integer, 8); // Duration, in its own unit
            case 22: out.buffers = 0; return true;     // RunEndEncoded
            case 23:                                   // BinaryView
            case 24:                                   // Utf8View
                out.views = true;
                return fixed(kind == 24 ? family::text : family::bytes, 16);
            case 25: // ListView
            case 26: // LargeListView
                out.buffers = 3;
                return true;
            default: return true; // Interval; or of a later version: two buffers, as most have
        }
    }

    std::size_t fields_ = 0;
    std::size_t spent_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
