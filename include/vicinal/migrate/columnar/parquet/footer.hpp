// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_FOOTER_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_FOOTER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/thrift.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// How a leaf's values lie in the file.
enum class physical : std::int8_t {
    boolean = 0,
    int32 = 1,
    int64 = 2,
    int96 = 3,
    float32 = 4,
    float64 = 5,
    bytes = 6,
    fixed_bytes = 7,
};

/// What a leaf's values mean, or what a group is; from the logical type or, in older files, from
/// the converted type.
enum class meaning : std::uint8_t {
    none,
    text,
    json,
    map,
    list,
    decimal,
    date,
    time,
    timestamp,
    unsigned_integer,
    uuid,
    float16,
};

/// One line of the schema: a leaf, or a group with `children` elements behind it.
struct schema_element {
    std::string name;
    std::int32_t type = -1; // of a leaf: a `physical`
    std::int32_t width = 0; // bytes of fixed_bytes
    std::int32_t repetition = 0;
    std::int32_t children = 0;
    std::int32_t scale = 0; // of a decimal: digits behind the point
    meaning what = meaning::none;
    std::int8_t unit = 3; // of time and timestamp: 10^-unit seconds
    bool utc = false;
};

/// The part of a column that a row group holds.
struct column_chunk {
    std::uint64_t offset = 0; // of its first page, which may be a dictionary
    std::uint64_t bytes = 0;  // of all its pages, packed
    std::int64_t values = 0;  // with nulls and empty lists
    std::int32_t type = -1;
    std::int32_t codec = 0;
};

/// What the end of a Parquet file says of the rest of it.
struct footer {
    std::vector<schema_element> schema;
    /// Row group by row group, a chunk for each leaf.
    std::vector<column_chunk> chunks;
    std::size_t row_groups = 0;
    std::uint64_t rows = 0;
    std::vector<std::pair<std::string, std::string>> notes; // key and value
};

class footer_parser {
public:
    explicit footer_parser(std::string_view bytes) noexcept : in_(bytes) {}

    /// False where the bytes are no footer.
    [[nodiscard]] bool parse(footer& out) {
        thrift_struct f(in_);
        while (f.next()) {
            switch (f.id()) {
                case 2:
                    for (auto n = f.list(thrift_kind::structure); n > 0 && in_.good(); --n)
                        element(out.schema.emplace_back());
                    break;
                case 3: {
                    auto const rows = f.i64();
                    if (rows < 0) in_.fail();
                    out.rows = static_cast<std::uint64_t>(rows);
                    break;
                }
                case 4:
                    for (auto n = f.list(thrift_kind::structure); n > 0 && in_.good(); --n)
                        row_group(out);
                    break;
                case 5:
                    for (auto n = f.list(thrift_kind::structure); n > 0 && in_.good(); --n)
                        note(out);
                    break;
                default: f.skip();
            }
        }
        return in_.good() && !out.schema.empty() && out.schema.size() <= 100'000;
    }

private:
    void element(schema_element& e) {
        thrift_struct f(in_);
        while (f.next()) {
            switch (f.id()) {
                case 1: e.type = f.i32(); break;
                case 2: e.width = f.i32(); break;
                case 3: e.repetition = f.i32(); break;
                case 4: e.name = f.binary(); break;
                case 5: e.children = f.i32(); break;
                case 6: converted(e, f.i32()); break;
                case 7: e.scale = f.i32(); break;
                case 10:
                    if (f.structure()) logical(e);
                    break;
                default: f.skip();
            }
        }
        // A group may have no children: the root of a table without columns.
        if (e.type < -1 || e.type > 7 || e.repetition < 0 || e.repetition > 2 || e.children < 0 ||
            (e.type >= 0 && e.children > 0))
            in_.fail();
    }

    static void converted(schema_element& e, std::int32_t type) {
        if (e.what != meaning::none) return; // the logical type says more
        switch (type) {
            case 0:
            case 4: e.what = meaning::text; break;
            case 1:
            case 2: e.what = meaning::map; break;
            case 3: e.what = meaning::list; break;
            case 5: e.what = meaning::decimal; break;
            case 6: e.what = meaning::date; break;
            case 7:
            case 8:
                e.what = meaning::time;
                e.unit = type == 7 ? 3 : 6;
                break;
            case 9:
            case 10:
                e.what = meaning::timestamp;
                e.unit = type == 9 ? 3 : 6;
                e.utc = true;
                break;
            case 11:
            case 12:
            case 13:
            case 14: e.what = meaning::unsigned_integer; break;
            case 19: e.what = meaning::json; break;
            default: break;
        }
    }

    void logical(schema_element& e) {
        thrift_struct f(in_);
        while (f.next()) {
            if (!f.structure()) return;
            thrift_struct inner(in_);
            switch (f.id()) {
                case 1:
                case 4: e.what = meaning::text; break;
                case 2: e.what = meaning::map; break;
                case 3: e.what = meaning::list; break;
                case 5: e.what = meaning::decimal; break;
                case 6: e.what = meaning::date; break;
                case 7: e.what = meaning::time; break;
                case 8: e.what = meaning::timestamp; break;
                case 12: e.what = meaning::json; break;
                case 14: e.what = meaning::uuid; break;
                case 15: e.what = meaning::float16; break;
                default: break;
            }
            while (inner.next()) {
                bool const moment = f.id() == 7 || f.id() == 8;
                if (f.id() == 5 && inner.id() == 1)
                    e.scale = inner.i32();
                else if (f.id() == 10 && inner.id() == 2)
                    e.what = inner.boolean() ? meaning::none : meaning::unsigned_integer;
                else if (moment && inner.id() == 1)
                    e.utc = inner.boolean();
                else if (moment && inner.id() == 2 && inner.structure())
                    time_unit(e);
                else
                    inner.skip();
            }
        }
    }

    void time_unit(schema_element& e) {
        thrift_struct unit(in_);
        while (unit.next()) {
            if (unit.id() >= 1 && unit.id() <= 3) e.unit = static_cast<std::int8_t>(3 * unit.id());
            unit.skip();
        }
    }

    void row_group(footer& out) {
        thrift_struct f(in_);
        while (f.next()) {
            if (f.id() != 1) {
                f.skip();
                continue;
            }
            for (auto n = f.list(thrift_kind::structure); n > 0 && in_.good(); --n)
                chunk(out.chunks.emplace_back());
        }
        ++out.row_groups;
    }

    void chunk(column_chunk& c) {
        bool described = false;
        thrift_struct f(in_);
        while (f.next()) {
            if (f.id() == 3 && f.structure()) {
                about(c);
                described = true;
            } else if (f.id() == 1 || f.id() == 8) {
                in_.fail(); // in another file, or encrypted
            } else {
                f.skip();
            }
        }
        if (!described) in_.fail();
    }

    void about(column_chunk& c) {
        std::int64_t data = -1;
        std::int64_t dictionary = -1;
        std::int64_t bytes = -1;
        thrift_struct f(in_);
        while (f.next()) {
            switch (f.id()) {
                case 1: c.type = f.i32(); break;
                case 4: c.codec = f.i32(); break;
                case 5: c.values = f.i64(); break;
                case 7: bytes = f.i64(); break;
                case 9: data = f.i64(); break;
                case 11: dictionary = f.i64(); break;
                default: f.skip();
            }
        }
        // Some writers give a dictionary at 0 where there is none.
        auto const from = dictionary > 0 && dictionary < data ? dictionary : data;
        if (from < 0 || bytes < 0 || c.values < 0) return in_.fail();
        c.offset = static_cast<std::uint64_t>(from);
        c.bytes = static_cast<std::uint64_t>(bytes);
    }

    void note(footer& out) {
        auto& [key, value] = out.notes.emplace_back();
        thrift_struct f(in_);
        while (f.next()) {
            if (f.id() == 1)
                key = f.binary();
            else if (f.id() == 2)
                value = f.binary();
            else
                f.skip();
        }
    }

    thrift_reader in_;
};

/// Reads the footer of a Parquet file (Apache Parquet, parquet.thrift).
///
/// Errors: foreign_file, corrupt_source (also where columns lie in
/// other files or are encrypted), unsupported (an encrypted footer), limit_exceeded (a footer of
/// over 256 MiB), io_failure.
[[nodiscard]] inline result<footer> read_footer(source_file const& file) {
    auto const wrong = [&file](std::string what) {
        return error{errc::corrupt_source, "a whole Parquet file", file.path() + ": " + what};
    };
    auto const size = file.size();
    if (!size) return size.error();
    char start[4] = {};
    auto const got = file.read_at(0, start, sizeof start);
    if (!got) return got.error();
    std::string_view const first(start, *got);
    if (first == "PARE")
        return error{errc::unsupported, "a Parquet file that is not encrypted", file.path()};
    if (first != "PAR1")
        return error{errc::foreign_file, "a Parquet file", file.path() + " does not begin as one"};
    if (*size < 12) return wrong("cut off after " + std::to_string(*size) + " bytes");
    std::byte end[8];
    auto const tail = file.read_at(*size - 8, end, sizeof end);
    if (!tail) return tail.error();
    if (*tail != 8 || std::string_view(reinterpret_cast<char const*>(end) + 4, 4) != "PAR1")
        return wrong("no footer at its end: cut off, or still being written");
    std::uint64_t const length = load_le<std::uint32_t>(end);
    if (length > *size - 12) return wrong("a footer larger than the file");
    if (length > std::uint64_t{256} << 20)
        return error{errc::limit_exceeded, "a footer of at most 256 MiB", file.path()};
    std::string bytes(static_cast<std::size_t>(length), '\0');
    auto const read = file.read_at(*size - 8 - length, bytes.data(), bytes.size());
    if (!read) return read.error();
    footer f;
    if (*read != bytes.size() || !footer_parser(bytes).parse(f)) return wrong("a damaged footer");
    for (auto const& c : f.chunks)
        if (c.offset > *size || c.bytes > *size - c.offset)
            return wrong("a column beyond the end of the file");
    return f;
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
