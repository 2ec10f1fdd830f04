// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_PAGES_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_PAGES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/footer.hpp>
#include <vicinal/migrate/columnar/parquet/levels.hpp>
#include <vicinal/migrate/columnar/parquet/thrift.hpp>
#include <vicinal/migrate/columnar/unpack.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// What stands in front of a page.
struct page_header {
    std::int32_t type = -1; // 0 data, 1 index, 2 dictionary, 3 data of version 2
    std::int32_t unpacked = -1;
    std::int32_t packed = -1;
    std::optional<std::int32_t> crc;
    std::int32_t values = -1;
    std::int32_t encoding = -1;
    std::int32_t definitions = 3; // encoding of version 1; bytes of version 2
    std::int32_t repetitions = 3;
    bool compressed = true; // version 2: whether the values are

    /// Takes its fields from the reader; false where they are wrong or not all there.
    [[nodiscard]] bool read(thrift_reader& in) {
        thrift_struct f(in);
        while (f.next()) {
            switch (f.id()) {
                case 1: type = f.i32(); break;
                case 2: unpacked = f.i32(); break;
                case 3: packed = f.i32(); break;
                case 4: crc = f.i32(); break;
                case 5:
                case 7:
                case 8:
                    if (f.structure()) about(in, f.id());
                    break;
                default: f.skip();
            }
        }
        bool const dated = type == 1 || (values >= 0 && encoding >= 0);
        return in.good() && type >= 0 && type <= 3 && unpacked >= 0 && packed >= 0 && dated;
    }

private:
    void about(thrift_reader& in, int kind) {
        thrift_struct f(in);
        bool const second = kind == 8;
        if (second) definitions = repetitions = 0;
        while (f.next()) {
            auto const id = f.id();
            if (id == 1)
                values = f.i32();
            else if (id == (second ? 4 : 2))
                encoding = f.i32();
            else if (kind != 7 && id == (second ? 5 : 3))
                definitions = f.i32();
            else if (kind != 7 && id == (second ? 6 : 4))
                repetitions = f.i32();
            else if (second && id == 7)
                compressed = f.boolean();
            else
                f.skip();
        }
    }
};

/// An unpacked page; the views are valid until the next one is read.
struct page {
    bool dictionary = false;
    std::uint32_t values = 0; // with nulls: a claim
    std::int32_t encoding = 0;
    std::string_view repetitions; // runs, without their length
    std::string_view definitions;
    std::string_view bytes;
};

/// The largest page that is read, unpacked: real ones have a megabyte, DuckDB's up to a hundred.
inline constexpr std::int32_t largest_page = std::int32_t{1} << 30;

/// Reads the pages of a chunk, one at a time: memory is that of the dictionary and of one page,
/// packed and unpacked.
class page_reader {
public:
    page_reader(source_file const& file, std::string column)
        : file_(&file), column_(std::move(column)) {}

    /// Starts on a chunk whose levels go up to these.
    [[nodiscard]] result<void> start(column_chunk const& c, unsigned most_repeated,
                                     unsigned most_defined) {
        static constexpr char const* names[] = {"none",   "Snappy", "gzip", "LZO",
                                                "Brotli", "LZ4",    "zstd", "LZ4 (raw)"};
        at_ = c.offset;
        end_ = c.offset + c.bytes;
        most_repeated_ = most_repeated;
        most_defined_ = most_defined;
        switch (c.codec) {
            case 0: packing_ = packing::none; return {};
            case 1: packing_ = packing::snappy; return {};
            case 2: packing_ = packing::gzip; return {};
            case 6: packing_ = packing::zstd; return {};
            case 7: packing_ = packing::lz4_block; return {};
            default: break;
        }
        bool const known = c.codec > 0 && c.codec < 8;
        return error{errc::unsupported,
                     "pages packed with Snappy, gzip, zstd, LZ4 (raw) or not at all",
                     place() + (known ? names[c.codec] : "codec " + std::to_string(c.codec))};
    }

    /// The next page that has values; false at the end of the chunk.
    [[nodiscard]] result<bool> next(page& out) {
        while (at_ < end_) {
            page_header h;
            VICINAL_CHECK(read_header(h));
            if (static_cast<std::uint64_t>(h.packed) > end_ - at_)
                return wrong("a page larger than its column");
            if (h.type == 1) {
                at_ += static_cast<std::uint64_t>(h.packed);
                continue;
            }
            if (h.unpacked > largest_page)
                return error{errc::limit_exceeded, "pages of at most 1 GiB",
                             place() + std::to_string(h.unpacked) + " bytes"};
            VICINAL_CHECK(read_body(h));
            out.values = static_cast<std::uint32_t>(h.values);
            out.encoding = h.encoding;
            out.dictionary = h.type == 2;
            if (h.type == 3) {
                VICINAL_CHECK(second_version(h, out));
            } else {
                auto& to = out.dictionary ? words_ : unpacked_;
                VICINAL_CHECK(unpack(packed_, static_cast<std::size_t>(h.unpacked), to));
                out.bytes = to;
                if (!out.dictionary) VICINAL_CHECK(first_version(h, out));
            }
            return true;
        }
        return false;
    }

    /// An error that names file and column.
    [[nodiscard]] error wrong(std::string_view what) const {
        return error{errc::corrupt_source, "a whole Parquet file", place() + std::string(what)};
    }
    [[nodiscard]] std::string place() const {
        return file_->path() + ", column '" + column_ + "': ";
    }

private:
    [[nodiscard]] result<void> read_header(page_header& h) {
        // Nearly always under 100 bytes, but statistics may hold a long text.
        for (std::size_t most = 512;; most *= 8) {
            auto const there =
                static_cast<std::size_t>((std::min)(std::uint64_t{most}, end_ - at_));
            head_.resize(there);
            auto const got = file_->read_at(at_, head_.data(), there);
            if (!got) return got.error();
            if (*got < there) return wrong("cut off");
            thrift_reader in(head_);
            h = {};
            if (h.read(in)) {
                at_ += in.position();
                return {};
            }
            bool const more = in.cut_off() && there == most && most < (std::size_t{1} << 24);
            if (!more) return wrong("no page at byte " + std::to_string(at_));
        }
    }

    [[nodiscard]] result<void> read_body(page_header const& h) {
        packed_.resize(static_cast<std::size_t>(h.packed));
        auto const got = file_->read_at(at_, packed_.data(), packed_.size());
        if (!got) return got.error();
        if (*got < packed_.size()) return wrong("cut off");
        if (h.crc && static_cast<std::uint32_t>(*h.crc) !=
                         ::crc32(0, reinterpret_cast<Bytef const*>(packed_.data()),
                                 static_cast<uInt>(packed_.size())))
            return wrong("a wrong checksum of the page at byte " + std::to_string(at_));
        at_ += packed_.size();
        return {};
    }

    [[nodiscard]] result<void> unpack(std::string_view packed, std::size_t claimed,
                                      std::string& to) {
        if (packing_ == packing::none && packed.size() == packed_.size()) {
            if (claimed != packed.size()) return wrong("a page of another size than it claims");
            std::swap(to, packed_); // without a copy
            return {};
        }
        if (auto done = unpacker_.unpack(packing_, packed, claimed, to); !done)
            return error{done.error().code(), done.error().expected(),
                         place() + done.error().got()};
        return {};
    }

    /// Levels lie packed in front of the values, each behind its length.
    [[nodiscard]] result<void> first_version(page_header const& h, page& out) {
        auto const take = [&](unsigned most, std::int32_t how, std::string_view& levels) {
            levels = {};
            if (most == 0) return true;
            if (how != 3 || out.bytes.size() < 4) return false;
            auto const n =
                load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(out.bytes.data()));
            if (n > out.bytes.size() - 4) return false;
            levels = out.bytes.substr(4, n);
            out.bytes.remove_prefix(std::size_t{4} + n);
            return true;
        };
        if (!take(most_repeated_, h.repetitions, out.repetitions) ||
            !take(most_defined_, h.definitions, out.definitions))
            return wrong("levels that are not runs, or longer than their page");
        return {};
    }

    /// Levels lie unpacked in front of the values.
    [[nodiscard]] result<void> second_version(page_header const& h, page& out) {
        auto const levels = std::int64_t{h.repetitions} + h.definitions;
        if (h.repetitions < 0 || h.definitions < 0 || levels > h.packed || levels > h.unpacked)
            return wrong("levels longer than their page");
        auto const in_front = static_cast<std::size_t>(levels);
        auto const repeated = static_cast<std::size_t>(h.repetitions);
        levels_.assign(packed_, 0, in_front);
        out.repetitions = std::string_view(levels_).substr(0, repeated);
        out.definitions = std::string_view(levels_).substr(repeated);
        auto const rest = std::string_view(packed_).substr(in_front);
        if (!h.compressed || packing_ == packing::none) {
            out.bytes = rest;
            return {};
        }
        VICINAL_CHECK(unpack(rest, static_cast<std::size_t>(h.unpacked) - in_front, unpacked_));
        out.bytes = unpacked_;
        return {};
    }

    source_file const* file_;
    std::string column_;
    packing packing_ = packing::none;
    unsigned most_repeated_ = 0;
    unsigned most_defined_ = 0;
    std::uint64_t at_ = 0;
    std::uint64_t end_ = 0;
    unpacker unpacker_;
    std::string head_;
    std::string packed_;
    std::string unpacked_;
    std::string levels_;
    std::string words_; // the dictionary, which values of later pages point into
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
