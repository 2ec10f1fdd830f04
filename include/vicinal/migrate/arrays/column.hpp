// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_COLUMN_HPP
#define VICINAL_MIGRATE_ARRAYS_COLUMN_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/arrays/npy_header.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/arrays/piece_reader.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/payload/utf8.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Appends a code point as UTF-8; false where it is none.
[[nodiscard]] inline bool append_utf8(std::uint32_t c, std::string& out) {
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return false;
    auto const put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | (c >> 6));
        put(0x80 | (c & 63));
    } else if (c < 0x10000) {
        put(0xe0 | (c >> 12));
        put(0x80 | ((c >> 6) & 63));
        put(0x80 | (c & 63));
    } else {
        put(0xf0 | (c >> 18));
        put(0x80 | ((c >> 12) & 63));
        put(0x80 | ((c >> 6) & 63));
        put(0x80 | (c & 63));
    }
    return true;
}

/// An .npy array of one dimension: numbers or text, one a row.
class npy_column {
public:
    /// The longest text in bytes.
    static constexpr std::uint64_t longest_item = std::uint64_t{16} << 20;

    /// Errors, naming the file: not_found, foreign_file, corrupt_source, unsupported (Python
    /// objects, complex numbers, more dimensions), limit_exceeded, io_failure.
    [[nodiscard]] static result<npy_column> open(std::string const& path,
                                                 backend::input_opener opener) {
        auto in = opener(path);
        if (!in) return in.error();
        npy_column c(piece_reader(*std::move(in)));
        auto header = read_npy_header(c.in_);
        if (!header) return header.error();
        c.header_ = *std::move(header);
        auto const& h = c.header_;
        c.number_ = h.number();
        bool const text = h.letter == 'U' || h.letter == 'S';
        if (!c.number_ && !text)
            return c.named(errc::unsupported, "numbers or text", "an array of " + h.type_name());
        if (h.shape.size() != 1)
            return c.named(errc::unsupported, "an array of one dimension",
                           "one of " + std::to_string(h.shape.size()));
        if (h.item > longest_item)
            return c.named(errc::limit_exceeded, "texts of at most 16 MiB", "longer ones");
        return c;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return header_.shape[0]; }
    [[nodiscard]] bool integers() const noexcept {
        return header_.letter == 'i' || header_.letter == 'u';
    }
    [[nodiscard]] bool texts() const noexcept { return !number_; }

    /// The next value; nothing behind the last.
    ///
    /// Integers beyond 2^63 - 1 become doubles. Errors: corrupt_source, naming file and row;
    /// io_failure.
    [[nodiscard]] result<std::optional<value>> next() {
        VICINAL_CHECK(step());
        if (item_.data() == nullptr) return std::optional<value>();
        if (number_)
            return std::optional<value>(with_number(*number_, item_.data(), [](auto v) -> value {
                if constexpr (std::same_as<decltype(v), bool>)
                    return value(v);
                else if constexpr (std::floating_point<decltype(v)>)
                    return value(static_cast<double>(v));
                else if constexpr (std::same_as<decltype(v), std::uint64_t>)
                    return v > static_cast<std::uint64_t>(
                                   (std::numeric_limits<std::int64_t>::max)())
                               ? value(static_cast<double>(v))
                               : value(static_cast<std::int64_t>(v));
                else
                    return value(v);
            }));
        auto text = item_text();
        if (!text) return text.error();
        return std::optional<value>(value(*std::move(text)));
    }

    /// The next value as an id: an integer as its decimals, a text as it is; nothing behind the
    /// last. Errors: as `next`; invalid_id where the column has other numbers.
    [[nodiscard]] result<std::optional<std::string>> next_id() {
        if (!integers() && !texts())
            return named(errc::invalid_id, "integers or texts as ids",
                         "an array of " + header_.type_name());
        VICINAL_CHECK(step());
        if (item_.data() == nullptr) return std::optional<std::string>();
        if (number_)
            return std::optional<std::string>(
                with_number(*number_, item_.data(), [](auto v) { return std::to_string(v); }));
        auto text = item_text();
        if (!text) return text.error();
        return std::optional<std::string>(*std::move(text));
    }

private:
    explicit npy_column(piece_reader in) : in_(std::move(in)) {}

    [[nodiscard]] error named(errc code, std::string expected, std::string const& got) const {
        return error{code, std::move(expected), in_.path() + ": " + got};
    }
    [[nodiscard]] std::string row() const { return "row " + std::to_string(at_ - 1); }

    result<void> step() {
        static constexpr std::byte empty[1] = {};
        item_ = {};
        if (at_ == size()) return {};
        ++at_;
        auto const bytes = in_.take(static_cast<std::size_t>(header_.item));
        if (!bytes) return bytes.error();
        if (bytes->size() < header_.item)
            return named(errc::corrupt_source, "a whole " + row(), "the end of the file");
        // Texts of no characters have no bytes, but are there.
        item_ = header_.item == 0 ? std::span<std::byte const>(empty, 0) : *bytes;
        return {};
    }

    // Without the zeros that fill the item up.
    [[nodiscard]] result<std::string> item_text() const {
        std::string out;
        bool valid = true;
        if (header_.letter == 'S') {
            out.assign(reinterpret_cast<char const*>(item_.data()), item_.size());
            out.resize(out.find_last_not_of('\0') + 1);
            valid = payload::detail::is_utf8(out);
        } else {
            auto n = item_.size() / 4;
            auto const code = [this](std::size_t i) {
                return load_ordered<std::uint32_t>(item_.data() + 4 * i, header_.big_endian);
            };
            while (n > 0 && code(n - 1) == 0) --n;
            for (std::size_t i = 0; i < n && valid; ++i) valid = append_utf8(code(i), out);
        }
        if (!valid) return named(errc::corrupt_source, "Unicode text", "other bytes in " + row());
        return out;
    }

    piece_reader in_;
    npy_header header_;
    std::optional<number_format> number_;
    std::span<std::byte const> item_;
    std::uint64_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
