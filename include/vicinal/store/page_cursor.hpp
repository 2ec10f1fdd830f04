// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PAGE_CURSOR_HPP
#define VICINAL_STORE_PAGE_CURSOR_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/store/field_keys.hpp>
#include <vicinal/store/ids.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

inline void append_hex(std::string& out, std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    for (char const c : bytes) {
        auto const b = static_cast<unsigned char>(c);
        out.push_back(digits[b >> 4]);
        out.push_back(digits[b & 15]);
    }
}

/// False where the text is none.
[[nodiscard]] inline bool read_hex(std::string_view text, std::string& out) {
    auto const digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    if (text.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        auto const high = digit(text[i]);
        auto const low = digit(text[i + 1]);
        if (high < 0 || low < 0) return false;
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return true;
}

/// The place behind the last record of a page: its value of the field that the records are ordered
/// by, if any, and its id. As text it has letters, digits and dots: the direction, then in hex the
/// field's name, the value as payloads have it, and the id.
template <class Id>
struct page_cursor {
    std::optional<owned_key> key;
    Id id;

    [[nodiscard]] std::string print(std::string_view order_by, bool descending) const {
        std::string out(1, descending ? 'd' : 'a');
        std::string encoded;
        if (key) payload::detail::append_value(key->view(), encoded);
        for (std::string_view const part :
             {order_by, std::string_view(encoded), std::string_view(id_traits<Id>::text(id))}) {
            out.push_back('.');
            append_hex(out, part);
        }
        return out;
    }

    /// errc::invalid_argument where the text is no cursor of this order.
    [[nodiscard]] static result<page_cursor> parse(std::string_view text, std::string_view order_by,
                                                   bool descending) {
        auto const wrong = [text] {
            return error{errc::invalid_argument, "as .after the .next of a page in the same order",
                         "'" + std::string(text.substr(0, 80)) + "'"};
        };
        std::array<std::string, 3> parts;
        auto rest = text;
        if (!rest.starts_with(descending ? "d." : "a.")) return wrong();
        rest.remove_prefix(2);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            auto const end = i + 1 < parts.size() ? rest.find('.') : rest.size();
            if (end == std::string_view::npos || !read_hex(rest.substr(0, end), parts[i]))
                return wrong();
            rest.remove_prefix(i + 1 < parts.size() ? end + 1 : end);
        }
        if (parts[0] != order_by) return wrong();
        auto id = id_traits<Id>::from_text(parts[2]);
        if (!id) return wrong();
        page_cursor c{std::nullopt, std::move(*id)};
        if (parts[1].empty()) return c;
        auto const bytes = std::as_bytes(std::span(parts[1].data(), parts[1].size()));
        auto const* at = bytes.data();
        payload::value_view v;
        if (!payload::value_view::read(at, bytes.data() + bytes.size(), v)) return wrong();
        auto const key = payload::detail::key_of(v);
        if (!key) return wrong();
        c.key.emplace(*key);
        return c;
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
