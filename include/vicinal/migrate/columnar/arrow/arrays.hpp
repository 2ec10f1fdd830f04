// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_ARRAYS_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_ARRAYS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/flatbuffer.hpp>
#include <vicinal/migrate/columnar/arrow/schema.hpp>
#include <vicinal/migrate/columnar/unpack.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// The values of a field in one batch. Buffers are as long as `length` needs; what offsets and
/// views say is checked when they are used.
struct array {
    field_type const* type = nullptr;
    std::uint64_t length = 0;
    std::string_view valid;               // a bit a value; empty: all of them are there
    std::string_view data;                // values, offsets, or views
    std::string_view bytes;               // what offsets point into
    std::vector<std::string_view> pieces; // what views point into
    std::vector<array> parts;

    [[nodiscard]] bool present(std::uint64_t i) const noexcept {
        return valid.empty() || bit(valid, i);
    }
    [[nodiscard]] static bool bit(std::string_view bits, std::uint64_t i) noexcept {
        auto const byte = static_cast<unsigned char>(bits[static_cast<std::size_t>(i / 8)]);
        return (byte >> (i % 8) & 1U) != 0;
    }

    /// The bytes of the value at `i`, where all are of one width.
    [[nodiscard]] std::string_view at(std::uint64_t i, std::size_t width) const noexcept {
        return data.substr(static_cast<std::size_t>(i) * width, width);
    }

    /// Where the list or text at `i` begins and ends; false where it ends behind `most`.
    [[nodiscard]] bool range(std::uint64_t i, std::uint64_t most, std::uint64_t& from,
                             std::uint64_t& to) const noexcept {
        auto const* const p = reinterpret_cast<std::byte const*>(data.data());
        auto const k = static_cast<std::size_t>(i);
        if (type->width == 4) {
            from = load_le<std::uint32_t>(p + 4 * k);
            to = load_le<std::uint32_t>(p + 4 * k + 4);
        } else {
            from = load_le<std::uint64_t>(p + 8 * k);
            to = load_le<std::uint64_t>(p + 8 * k + 8);
        }
        return from <= to && to <= most;
    }

    /// The text or byte string at `i`; false where it lies outside of its buffer.
    [[nodiscard]] bool text(std::uint64_t i, std::string_view& out) const noexcept {
        if (type->views) return view(i, out);
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        if (!range(i, bytes.size(), from, to)) return false;
        out = bytes.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
        return true;
    }

private:
    /// A length, then up to 12 bytes themselves, or 4 of them and which piece holds all, and where.
    [[nodiscard]] bool view(std::uint64_t i, std::string_view& out) const noexcept {
        auto const v = at(i, 16);
        auto const word = [&v](std::size_t k) {
            return load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(v.data()) + k);
        };
        std::size_t const size = word(0);
        if (size <= 12) {
            out = v.substr(4, size);
            return true;
        }
        if (word(8) >= pieces.size()) return false;
        auto const& piece = pieces[word(8)];
        if (word(12) > piece.size() || size > piece.size() - word(12)) return false;
        out = piece.substr(word(12), size);
        return true;
    }
};

/// A record batch in memory: its body, what was unpacked of it, and the arrays that lie in these.
struct batch {
    std::uint64_t length = 0;
    std::string body;
    std::deque<std::string> unpacked;
    std::vector<array> columns;
};

/// Takes arrays out of a record batch (Apache Arrow, Columnar.rst, "IPC"), its buffers in the order
/// of the fields.
class array_loader {
public:
    array_loader(flat_table const& header, batch& to)
        : header_(header), bytes_(header.bytes()), to_(to), nodes_(header.vector(1, 16)),
          buffers_(header.vector(2, 16)), variadic_(header.vector(4, 8)) {}

    /// Errors: corrupt_source, unsupported (an unknown compression), limit_exceeded (a batch that
    /// unpacks to over a gigabyte and over 64 times its size), without a place.
    [[nodiscard]] result<void> load(std::vector<field_type> const& fields) {
        auto const rows = header_.number<std::uint64_t>(0);
        if (auto const packed = header_.table(3); packed.there()) {
            auto const codec = packed.number<std::uint8_t>(0);
            if (codec > 1)
                return error{errc::unsupported, "buffers packed with LZ4 or zstd", "another codec"};
            packing_ = codec == 0 ? packing::lz4_frames : packing::zstd;
        }
        // Rows are counted with signs of 32 bits in much that reads them; nulls take no bytes.
        if (!bytes_.good() || rows > 0x7fffffffU) return wrong("a damaged header");
        to_.length = rows;
        for (auto const& field : fields) {
            VICINAL_CHECK(one(field, to_.columns.emplace_back()));
            if (to_.columns.back().length != rows) return wrong("a column of another length");
        }
        return {};
    }

private:
    [[nodiscard]] static error wrong(std::string_view what) {
        return error{errc::corrupt_source, "a whole record batch", std::string(what)};
    }

    [[nodiscard]] result<std::string_view> buffer() {
        if (next_buffer_ == buffers_.count) return wrong("fewer buffers than its fields need");
        auto const at = buffers_.at + 16 * next_buffer_++;
        auto const from = bytes_.load<std::uint64_t>(at);
        auto const size = bytes_.load<std::uint64_t>(at + 8);
        if (from > to_.body.size() || size > to_.body.size() - from)
            return wrong("a buffer beyond its end");
        auto piece = std::string_view(to_.body).substr(static_cast<std::size_t>(from),
                                                       static_cast<std::size_t>(size));
        if (packing_ == packing::none || piece.empty()) return piece;
        if (piece.size() < 8) return wrong("a packed buffer without its size");
        auto const claimed =
            load_le<std::uint64_t>(reinterpret_cast<std::byte const*>(piece.data()));
        piece.remove_prefix(8);
        if (claimed == ~std::uint64_t{0}) return piece; // it would not have become shorter
        auto const most = (std::max)(std::uint64_t{1} << 30, std::uint64_t{64} * to_.body.size());
        if (claimed > most - (std::min)(most, unpacked_))
            return error{errc::limit_exceeded, "record batches of at most a gigabyte, unpacked",
                         "a larger one"};
        unpacked_ += claimed;
        auto& out = to_.unpacked.emplace_back();
        VICINAL_CHECK(unpacker_.unpack(packing_, piece, static_cast<std::size_t>(claimed), out));
        return std::string_view(out);
    }

    /// A buffer that must have `count` values of `width` bytes.
    [[nodiscard]] result<void> values(std::uint64_t count, std::uint64_t width,
                                      std::string_view& out) {
        auto const b = buffer();
        if (!b) return b.error();
        out = *b;
        if (width != 0 && count > out.size() / width) return wrong("a buffer that is too short");
        return {};
    }

    [[nodiscard]] result<void> one(field_type const& type, array& out) {
        if (next_node_ == nodes_.count) return wrong("fewer nodes than fields");
        auto const at = nodes_.at + 16 * next_node_++;
        out.type = &type;
        out.length = bytes_.load<std::uint64_t>(at);
        auto const nulls = bytes_.load<std::uint64_t>(at + 8);
        // A list's child may be longer than the batch; nothing may be longer than this.
        if (!bytes_.good() || out.length > (std::uint64_t{1} << 48))
            return wrong("a damaged length");
        auto left = type.coded ? 2U : type.buffers;
        if (left > 0 && type.what != family::unreadable) {
            auto const b = buffer();
            if (!b) return b.error();
            --left;
            if (nulls != 0) out.valid = *b;
            if (!out.valid.empty() && (out.length + 7) / 8 > out.valid.size())
                return wrong("a bitmap that is too short");
        }
        if (type.coded) return values(out.length, type.index_width, out.data);
        switch (type.what) {
            case family::null:
            case family::structure:
            case family::fixed_list: break;
            case family::unreadable:
                for (; left > 0; --left) VICINAL_CHECK(buffer());
                break;
            case family::boolean: VICINAL_CHECK(values((out.length + 7) / 8, 1, out.data)); break;
            case family::text:
            case family::bytes:
                if (type.views) {
                    VICINAL_CHECK(values(out.length, 16, out.data));
                    VICINAL_CHECK(pieces(out));
                    break;
                }
                // No values may go without offsets.
                VICINAL_CHECK(values(out.length + (out.length > 0 ? 1 : 0), type.width, out.data));
                VICINAL_CHECK(values(0, 0, out.bytes));
                break;
            case family::list:
                VICINAL_CHECK(values(out.length + (out.length > 0 ? 1 : 0), type.width, out.data));
                break;
            default: VICINAL_CHECK(values(out.length, type.width, out.data));
        }
        for (auto const& part : type.parts) {
            VICINAL_CHECK(one(part, out.parts.emplace_back()));
            auto const n = out.parts.back().length;
            std::uint64_t needed = type.what == family::structure ? out.length : 0;
            if (type.what == family::fixed_list &&
                !checked_multiply(out.length, type.fixed, needed))
                return wrong("a damaged length");
            if (n < needed) return wrong("fewer values than its lists or structs need");
        }
        return {};
    }

    [[nodiscard]] result<void> pieces(array& out) {
        if (next_variadic_ == variadic_.count) return wrong("no count of a view's buffers");
        auto n = bytes_.load<std::uint64_t>(variadic_.at + 8 * next_variadic_++);
        for (; n > 0; --n) {
            auto const b = buffer();
            if (!b) return b.error();
            out.pieces.push_back(*b);
        }
        return {};
    }

    flat_table const& header_;
    flat_bytes& bytes_;
    batch& to_;
    flat_vector nodes_;
    flat_vector buffers_;
    flat_vector variadic_;
    std::size_t next_node_ = 0;
    std::size_t next_buffer_ = 0;
    std::size_t next_variadic_ = 0;
    std::uint64_t unpacked_ = 0;
    packing packing_ = packing::none;
    unpacker unpacker_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
