// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_THRIFT_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_THRIFT_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// Kinds of values in Thrift's compact protocol.
enum class thrift_kind : std::uint8_t {
    stop = 0,
    yes = 1,
    no = 2,
    byte = 3,
    i16 = 4,
    i32 = 5,
    i64 = 6,
    real = 7,
    binary = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12,
    uuid = 13,
};

/// Reads Thrift's compact protocol (Apache Thrift, thrift-compact-protocol.md) from bytes that may
/// be anything. What is wrong sticks: from then on every value is 0 and every struct at its end, so
/// that `good` needs to be asked once, at the end. Nothing is allocated.
class thrift_reader {
public:
    explicit thrift_reader(std::string_view bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] bool good() const noexcept { return good_; }
    /// The bytes ended in the middle of a value: with more of them it might have been right.
    [[nodiscard]] bool cut_off() const noexcept { return cut_off_; }
    /// How many bytes were read.
    [[nodiscard]] std::size_t position() const noexcept { return at_; }
    [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

    void fail() noexcept { good_ = false; }

    [[nodiscard]] std::uint8_t byte() noexcept {
        if (!good_ || left() == 0) {
            cut_off_ = cut_off_ || good_;
            good_ = false;
            return 0;
        }
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }

    [[nodiscard]] std::uint64_t varint() noexcept {
        std::uint64_t v = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            auto const b = byte();
            v |= std::uint64_t{b & 0x7fU} << shift;
            if ((b & 0x80U) == 0) return good_ ? v : 0;
        }
        good_ = false;
        return 0;
    }

    [[nodiscard]] std::int64_t integer() noexcept {
        auto const v = varint();
        return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
    }

    [[nodiscard]] std::string_view binary() noexcept {
        auto const n = varint();
        if (!good_ || n > left()) {
            cut_off_ = cut_off_ || good_;
            good_ = false;
            return {};
        }
        auto const piece = bytes_.substr(at_, static_cast<std::size_t>(n));
        at_ += piece.size();
        return piece;
    }

    /// Steps into a list: how many elements follow, each of `kind`. Never more than there are
    /// bytes, as each takes one at least.
    [[nodiscard]] std::size_t list(thrift_kind& kind) noexcept {
        auto const head = byte();
        kind = static_cast<thrift_kind>(head & 15U);
        auto const n = (head >> 4) == 15 ? varint() : std::uint64_t{head} >> 4;
        if (!good_ || n > left()) {
            cut_off_ = cut_off_ || good_;
            good_ = false;
            return 0;
        }
        return static_cast<std::size_t>(n);
    }

    /// Over a value of that kind, whatever is in it; at most 32 levels deep.
    void skip(thrift_kind kind, int depth = 0) noexcept;

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
    bool cut_off_ = false;
};

/// The fields of one struct: `while (f.next()) switch (f.id()) { ... default: f.skip(); }`.
class thrift_struct {
public:
    explicit thrift_struct(thrift_reader& in) noexcept : in_(in) {}

    /// Steps to the next field; false at the end of the struct, or where the bytes are wrong.
    [[nodiscard]] bool next() noexcept {
        auto const head = in_.byte();
        kind_ = static_cast<thrift_kind>(head & 15U);
        if (!in_.good() || kind_ == thrift_kind::stop) return false;
        auto const step = head >> 4;
        auto const id = step != 0 ? id_ + step : in_.integer();
        if (id < 0 || id > std::numeric_limits<std::int16_t>::max()) in_.fail();
        id_ = id;
        return in_.good();
    }

    [[nodiscard]] int id() const noexcept { return static_cast<int>(id_); }
    void skip(int depth = 0) noexcept { in_.skip(kind_, depth); }

    /// The value of the field; one of another kind makes the bytes wrong.
    [[nodiscard]] std::int64_t i64() noexcept {
        if (kind_ == thrift_kind::byte) return static_cast<std::int8_t>(in_.byte());
        bool const integer =
            kind_ == thrift_kind::i16 || kind_ == thrift_kind::i32 || kind_ == thrift_kind::i64;
        return expect(integer) ? in_.integer() : 0;
    }
    [[nodiscard]] std::int32_t i32() noexcept {
        auto const v = i64();
        if (v < std::numeric_limits<std::int32_t>::min() ||
            v > std::numeric_limits<std::int32_t>::max()) {
            in_.fail();
            return 0;
        }
        return static_cast<std::int32_t>(v);
    }
    [[nodiscard]] bool boolean() noexcept {
        return expect(kind_ == thrift_kind::yes || kind_ == thrift_kind::no) &&
               kind_ == thrift_kind::yes;
    }
    [[nodiscard]] std::string_view binary() noexcept {
        return expect(kind_ == thrift_kind::binary) ? in_.binary() : std::string_view();
    }
    /// Steps into a list of structs or of values of that kind.
    [[nodiscard]] std::size_t list(thrift_kind element) noexcept {
        thrift_kind kind{};
        auto const n = expect(kind_ == thrift_kind::list) ? in_.list(kind) : 0;
        return n > 0 && !expect(kind == element) ? 0 : n;
    }
    /// Whether the field is a struct, whose fields are then read by another thrift_struct.
    [[nodiscard]] bool structure() noexcept { return expect(kind_ == thrift_kind::structure); }

private:
    [[nodiscard]] bool expect(bool right) noexcept {
        if (!right) in_.fail();
        return right;
    }

    thrift_reader& in_;
    std::int64_t id_ = 0;
    thrift_kind kind_ = thrift_kind::stop;
};

inline void thrift_reader::skip(thrift_kind kind, int depth) noexcept {
    if (depth > 32) return fail();
    switch (kind) {
        case thrift_kind::yes:
        case thrift_kind::no: return;
        case thrift_kind::byte: static_cast<void>(byte()); return;
        case thrift_kind::i16:
        case thrift_kind::i32:
        case thrift_kind::i64: static_cast<void>(varint()); return;
        case thrift_kind::real:
        case thrift_kind::uuid:
            for (int i = kind == thrift_kind::uuid ? 16 : 8; i > 0; --i) static_cast<void>(byte());
            return;
        case thrift_kind::binary: static_cast<void>(binary()); return;
        case thrift_kind::list:
        case thrift_kind::set: {
            thrift_kind element{};
            for (auto n = list(element); n > 0 && good_; --n) {
                // Booleans take a byte in a list, and none as a field.
                if (element == thrift_kind::yes || element == thrift_kind::no)
                    static_cast<void>(byte());
                else
                    skip(element, depth + 1);
            }
            return;
        }
        case thrift_kind::structure: {
            thrift_struct fields(*this);
            while (fields.next()) fields.skip(depth + 1);
            return;
        }
        case thrift_kind::map:
        case thrift_kind::stop: break;
    }
    fail(); // Parquet has no maps
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
