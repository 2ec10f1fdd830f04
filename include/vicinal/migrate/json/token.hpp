// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_TOKEN_HPP
#define VICINAL_MIGRATE_JSON_TOKEN_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace vicinal::inline VICINAL_ABI::detail {

/// Walks over the tokens of JSON text without interpreting it: for the few numbers whose digits
/// matter after the parser has made doubles of them. Never reads beyond the text; on text that is
/// not well formed it stops somewhere.
class json_walk {
public:
    explicit json_walk(std::string_view text) noexcept : text_(text) {}

    /// From the start of an object to the value of its `ordinal`-th member.
    void to_member(std::size_t ordinal) noexcept {
        enter();
        for (std::size_t i = 0; i < ordinal && !done(); ++i) {
            skip_value(); // the name
            skip_value();
        }
        skip_value();
    }

    /// Into the array or object that stands here.
    void enter() noexcept {
        skip_separators();
        if (!done()) ++at_;
    }

    /// Over the bracket that closes here.
    void leave() noexcept {
        skip_separators();
        if (!done() && (text_[at_] == '}' || text_[at_] == ']')) ++at_;
    }

    /// On at that place of the text.
    void go_to(std::size_t at) noexcept { at_ = (std::min)(at, text_.size()); }

    /// The number, literal or string that stands here; steps over it.
    [[nodiscard]] std::string_view scalar() noexcept {
        skip_separators();
        auto const from = at_;
        skip_scalar();
        return text_.substr(from, at_ - from);
    }

    /// Where the next token starts; the size of the text at its end.
    [[nodiscard]] std::size_t position() noexcept {
        skip_separators();
        return at_;
    }

    /// Behind what was stepped over last.
    [[nodiscard]] std::size_t here() const noexcept { return at_; }

    /// Over the value that stands here, whatever is in it.
    void skip_value() noexcept {
        std::size_t open = 0;
        do {
            skip_separators();
            if (done()) return;
            char const c = text_[at_];
            if (c == '{' || c == '[') {
                ++open;
                ++at_;
            } else if (c == '}' || c == ']') {
                if (open == 0) return;
                --open;
                ++at_;
            } else {
                skip_scalar();
            }
        } while (open > 0);
    }

private:
    [[nodiscard]] bool done() const noexcept { return at_ >= text_.size(); }

    void skip_separators() noexcept {
        at_ = (std::min)(text_.find_first_not_of(" \t\r\n,:", at_), text_.size());
    }

    void skip_scalar() noexcept {
        if (done()) return;
        if (text_[at_] != '"') {
            at_ = (std::min)(text_.find_first_of(" \t\r\n,:]}", at_), text_.size());
            return;
        }
        for (++at_; !done() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\') ++at_;
        at_ = (std::min)(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// The text with ".0" behind every integer beyond 64 bits, which simdjson refuses but JSON allows
/// and JavaScript writes (1e20 as 100000000000000000000): they are then read as doubles.
[[nodiscard]] inline std::string widen_integers(std::string_view text) {
    auto const too_long = [](std::string_view digits) {
        std::uint64_t magnitude = 0;
        std::int64_t negative = 0;
        auto const* end = digits.data() + digits.size();
        return digits.front() == '-'
                   ? std::from_chars(digits.data(), end, negative).ec != std::errc{}
                   : std::from_chars(digits.data(), end, magnitude).ec != std::errc{};
    };
    std::string out;
    out.reserve(text.size() + 64);
    bool quoted = false;
    for (std::size_t i = 0; i < text.size();) {
        char const c = text[i];
        auto next = i + 1;
        if (quoted && c == '\\')
            next = (std::min)(i + 2, text.size());
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '-' || (c >= '0' && c <= '9')))
            next = (std::min)(text.find_first_not_of("0123456789+-.eE", i + 1), text.size());
        auto const piece = text.substr(i, next - i);
        out.append(piece);
        if (!quoted && piece.size() > 18 &&
            piece.find_first_not_of("0123456789", piece.front() == '-') == std::string_view::npos &&
            too_long(piece))
            out.append(".0");
        i = next;
    }
    return out;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
