// SPDX-License-Identifier: MIT
#include "printable.hpp"

#include <vicinal/payload/utf8.hpp>

#include <cstdio>

namespace tool {

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    auto const escape = [&out](char const* form, unsigned number) {
        char buffer[8];
        std::snprintf(buffer, sizeof buffer, form, number);
        out += buffer;
    };
    while (!text.empty()) {
        auto const bytes = vicinal::payload::detail::utf8_character(text);
        auto const first = static_cast<unsigned char>(text[0]);
        auto const second = bytes == 2 ? static_cast<unsigned char>(text[1]) : 0U;
        if (bytes == 0)
            escape("\\x%02x", first);
        else if (first < 0x20 || first == 0x7f)
            escape("\\u%04x", first);
        // U+0080 to U+009F: U+009B alone begins a command, as Escape and [ do.
        else if (first == 0xc2 && second < 0xa0)
            escape("\\u%04x", second);
        else
            out += text.substr(0, bytes);
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    return out;
}

} // namespace tool
