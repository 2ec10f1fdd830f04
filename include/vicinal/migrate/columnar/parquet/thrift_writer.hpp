// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_THRIFT_WRITER_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_THRIFT_WRITER_HPP

#include <vicinal/migrate/columnar/parquet/thrift.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

inline void append_varint(std::uint64_t v, std::string& out) {
    for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80U));
    out.push_back(static_cast<char>(v));
}

/// Writes Thrift's compact protocol: fields in the order of their ids, structs by begin and end.
class thrift_writer {
public:
    void i32(int id, std::int64_t v) { integer(id, thrift_kind::i32, v); }
    void i64(int id, std::int64_t v) { integer(id, thrift_kind::i64, v); }
    void text(int id, std::string_view s) {
        field(id, thrift_kind::binary);
        element(s);
    }
    void begin(int id) {
        field(id, thrift_kind::structure);
        begin();
    }
    /// The fields of an element of a list, or of the outermost struct.
    void begin() { last_.push_back(0); }
    void end() {
        last_.pop_back();
        bytes_.push_back('\0');
    }
    /// A struct without fields, as logical types are.
    void empty(int id) {
        begin(id);
        end();
    }

    void list(int id, thrift_kind kind, std::size_t n) {
        field(id, thrift_kind::list);
        bool const small = n < 15;
        bytes_.push_back(static_cast<char>((small ? n << 4 : 0xf0U) | static_cast<unsigned>(kind)));
        if (!small) append_varint(n, bytes_);
    }
    void element(std::string_view s) {
        append_varint(s.size(), bytes_);
        bytes_.append(s);
    }
    void element(std::int64_t v) { append_varint(zigzag(v), bytes_); }

    [[nodiscard]] std::string const& bytes() const noexcept { return bytes_; }

private:
    [[nodiscard]] static std::uint64_t zigzag(std::int64_t v) noexcept {
        return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
    }
    void integer(int id, thrift_kind kind, std::int64_t v) {
        field(id, kind);
        element(v);
    }
    /// All ids of Parquet are within 15 of the one before.
    void field(int id, thrift_kind kind) {
        auto const step = static_cast<unsigned>(id - last_.back());
        bytes_.push_back(static_cast<char>(step << 4 | static_cast<unsigned>(kind)));
        last_.back() = id;
    }

    std::string bytes_;
    std::vector<int> last_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
