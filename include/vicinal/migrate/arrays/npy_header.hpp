// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_NPY_HEADER_HPP
#define VICINAL_MIGRATE_ARRAYS_NPY_HEADER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/arrays/piece_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// What the header of an .npy file says.
struct npy_header {
    /// NumPy's letter: b, i, u, f; U and S text; O Python objects; V raw bytes.
    char letter = 'f';
    /// Bytes of an item.
    std::uint64_t item = 0;
    bool big_endian = false;
    /// Columns lie behind each other, not rows.
    bool fortran = false;
    std::vector<std::uint64_t> shape;

    /// Nothing where the items are no numbers that are read.
    [[nodiscard]] std::optional<number_format> number() const noexcept {
        auto const is = [this](char l, std::uint64_t bytes) {
            return letter == l && item == bytes;
        };
        number_format f{number_kind::f32, big_endian};
        if (is('b', 1))
            f.kind = number_kind::boolean;
        else if (is('i', 1))
            f.kind = number_kind::i8;
        else if (is('u', 1))
            f.kind = number_kind::u8;
        else if (is('i', 2))
            f.kind = number_kind::i16;
        else if (is('u', 2))
            f.kind = number_kind::u16;
        else if (is('i', 4))
            f.kind = number_kind::i32;
        else if (is('u', 4))
            f.kind = number_kind::u32;
        else if (is('i', 8))
            f.kind = number_kind::i64;
        else if (is('u', 8))
            f.kind = number_kind::u64;
        else if (is('f', 2))
            f.kind = number_kind::f16;
        else if (is('f', 8))
            f.kind = number_kind::f64;
        else if (!is('f', 4))
            return std::nullopt;
        return f;
    }
    /// "float32", "Python objects": for messages.
    [[nodiscard]] std::string type_name() const {
        auto const bits = std::to_string(8 * item);
        switch (letter) {
            case 'b': return "bool";
            case 'i': return "int" + bits;
            case 'u': return "uint" + bits;
            case 'f': return "float" + bits;
            case 'c': return "complex" + bits;
            case 'U':
            case 'S': return "text";
            case 'O': return "Python objects";
            default: return std::string("dtype ") + letter + std::to_string(item);
        }
    }
};

/// Reads the text of the header, a Python dict of three names.
class npy_header_text {
public:
    explicit npy_header_text(std::string_view text) noexcept : text_(text) {}

    /// Errors: corrupt_source; unsupported (arrays of records, more than 32 dimensions).
    [[nodiscard]] result<npy_header> parse() {
        npy_header h;
        unsigned seen = 0;
        if (!eat('{')) return wrong("'{'");
        while (!eat('}')) {
            auto const name = quoted();
            if (!name) return wrong("a name in quotes");
            if (!eat(':')) return wrong("':'");
            if (*name == "descr") {
                VICINAL_CHECK(descr(h));
                seen |= 1U;
            } else if (*name == "fortran_order") {
                if (!word("True") && !word("False")) return wrong("True or False");
                h.fortran = text_[at_ - 2] == 'u';
                seen |= 2U;
            } else if (*name == "shape") {
                VICINAL_CHECK(shape(h));
                seen |= 4U;
            } else {
                return wrong("'descr', 'fortran_order' and 'shape' only");
            }
            if (!eat(',') && !next_is('}')) return wrong("',' or '}'");
        }
        if (seen != 7) return wrong("'descr', 'fortran_order' and 'shape'");
        return h;
    }

private:
    [[nodiscard]] error wrong(std::string_view expected) const {
        return error{errc::corrupt_source, std::string(expected) + " in the header of an .npy file",
                     "something else at its byte " + std::to_string(at_)};
    }

    void skip_blanks() noexcept {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }
    [[nodiscard]] bool next_is(char c) noexcept {
        skip_blanks();
        return at_ < text_.size() && text_[at_] == c;
    }
    [[nodiscard]] bool eat(char c) noexcept {
        bool const is = next_is(c);
        if (is) ++at_;
        return is;
    }
    [[nodiscard]] bool word(std::string_view w) noexcept {
        skip_blanks();
        bool const is = text_.substr(at_).starts_with(w);
        if (is) at_ += w.size();
        return is;
    }
    [[nodiscard]] std::optional<std::string_view> quoted() noexcept {
        skip_blanks();
        if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
        auto const end = text_.find(text_[at_], at_ + 1);
        if (end == std::string_view::npos) return std::nullopt;
        auto const inside = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return inside;
    }
    [[nodiscard]] std::optional<std::uint64_t> integer() noexcept {
        skip_blanks();
        auto const from = at_;
        std::uint64_t n = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
            if (!checked_multiply<std::uint64_t>(n, 10, n) ||
                !checked_add<std::uint64_t>(n, static_cast<std::uint64_t>(text_[at_] - '0'), n))
                return std::nullopt;
        if (at_ == from) return std::nullopt;
        // Python 2 wrote 3L.
        if (at_ < text_.size() && text_[at_] == 'L') ++at_;
        return n;
    }

    result<void> descr(npy_header& h) {
        if (next_is('['))
            return error{errc::unsupported, "an array of numbers or text",
                         "one of records: write each of its fields as an array of its own"};
        auto const text = quoted();
        if (!text) return wrong("a type as 'descr'");
        auto const order = text->empty() ? '\0' : text->front();
        bool const marked = order == '<' || order == '>' || order == '|' || order == '=';
        std::size_t const letter_at = marked ? 1 : 0;
        if (text->size() <= letter_at) return wrong("a type as 'descr'");
        npy_header_text size(text->substr(letter_at + 1));
        h.letter = (*text)[letter_at];
        h.big_endian = order == '>';
        h.item = size.integer().value_or(0);
        if (h.item == 0 && h.letter != 'O' && h.letter != 'U' && h.letter != 'S')
            return wrong("the size of an item");
        // NumPy counts characters, 4 bytes each.
        if (h.letter == 'U' && !checked_multiply<std::uint64_t>(h.item, 4, h.item))
            return wrong("a plausible size of an item");
        return {};
    }

    result<void> shape(npy_header& h) {
        if (!eat('(')) return wrong("'('");
        h.shape.clear();
        while (!eat(')')) {
            auto const n = integer();
            if (!n) return wrong("a length");
            if (h.shape.size() == 32)
                return error{errc::unsupported, "an array of at most 32 dimensions", "more"};
            h.shape.push_back(*n);
            if (!eat(',') && !next_is(')')) return wrong("',' or ')'");
        }
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Reads the header; the items follow where the reader then stands.
///
/// Source: NumPy Enhancement Proposal 1, versions 1 to 3. Errors, naming the file: foreign_file,
/// corrupt_source, unsupported (a newer version), limit_exceeded (a header over 1 MiB), io_failure.
[[nodiscard]] inline result<npy_header> read_npy_header(piece_reader& in) {
    auto const named = [&in](error const& e) {
        return error{e.code(), e.expected(), in.path() + ": " + e.got()};
    };
    auto const start = in.take(8);
    if (!start) return start.error();
    auto const text_of = [](std::span<std::byte const> bytes) {
        return std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    };
    if (!text_of(*start).starts_with(npy_magic))
        return named(error{errc::foreign_file, "an .npy file", "no such signature"});
    auto const cut = [&named] {
        return named(error{errc::corrupt_source, "a whole .npy header", "the end of the file"});
    };
    if (start->size() < 8) return cut();
    auto const version = static_cast<unsigned>((*start)[6]);
    if (version < 1 || version > 3)
        return named(error{errc::unsupported, "version 1, 2 or 3 of .npy",
                           "version " + std::to_string(version)});
    std::size_t const width = version == 1 ? 2 : 4;
    auto const length = in.take(width);
    if (!length) return length.error();
    if (length->size() < width) return cut();
    std::size_t const bytes = version == 1 ? load_le<std::uint16_t>(length->data())
                                           : load_le<std::uint32_t>(length->data());
    if (bytes > (std::size_t{1} << 20))
        return named(
            error{errc::limit_exceeded, "an .npy header of at most 1 MiB", "a longer one"});
    auto const text = in.take(bytes);
    if (!text) return text.error();
    if (text->size() < bytes) return cut();
    auto header = npy_header_text(text_of(*text)).parse();
    if (!header) return named(header.error());
    return header;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
