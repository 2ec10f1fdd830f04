// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_WIRE_WRITER_HPP
#define VICINAL_PAYLOAD_WIRE_WRITER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/utf8.hpp>
#include <vicinal/payload/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Which value is meant, for messages: a name and, for nested ones, those around it.
struct place {
    std::string_view name = {};
    place const* outer = nullptr;
};

/// As in "author.name".
[[nodiscard]] inline std::string path_of(place const& at) {
    return at.outer ? path_of(*at.outer) + "." + std::string(at.name) : std::string(at.name);
}

/// Writes one payload behind what the string already holds, value by value, and keeps its limits.
///
/// Errors, all of them invalid_payload: text that is not UTF-8, more than 64 levels, more than
/// 16 MiB.
class wire_writer {
public:
    explicit wire_writer(std::string& out) noexcept : out_(out), start_(out.size()) {}

    /// The name of the value that follows.
    [[nodiscard]] result<void> name(std::string_view s) {
        VICINAL_CHECK(utf8("a name", s, {s}));
        put_varint(out_, s.size());
        out_.append(s);
        return {};
    }
    [[nodiscard]] result<void> null() {
        put_head(out_, wire_kind::null, 0);
        return room(0);
    }
    [[nodiscard]] result<void> boolean(bool b) {
        put_head(out_, b ? wire_kind::yes : wire_kind::no, 0);
        return room(0);
    }
    [[nodiscard]] result<void> integer(std::int64_t i) {
        put_head(out_, wire_kind::integer, zigzag(i));
        return room(0);
    }
    [[nodiscard]] result<void> real(double x) {
        put_real(out_, x);
        return room(0);
    }
    [[nodiscard]] result<void> text(std::string_view s, place const& at) {
        VICINAL_CHECK(utf8("text", s, at));
        put_head(out_, wire_kind::text, s.size());
        out_.append(s);
        return room(0);
    }
    /// An array or nested fields inside `depth` others; `body` writes what is in it.
    template <class Body>
    [[nodiscard]] result<void> container(wire_kind kind, unsigned depth, place const& at,
                                         Body const& body) {
        if (depth >= max_depth)
            return error{errc::invalid_payload, "arrays and nested fields at most 64 deep",
                         "more in field '" + path_of(at) + "'"};
        auto const head = out_.size();
        out_.push_back('\0');
        VICINAL_CHECK(body());
        // The length stands in front of the body but is known behind it: a long body moves by the
        // one to four bytes that its length takes.
        std::string front;
        put_head(front, kind, out_.size() - head - 1);
        out_[head] = front[0];
        out_.insert(head + 1, front, 1);
        return room(0);
    }

private:
    [[nodiscard]] result<void> utf8(char const* what, std::string_view s, place const& at) {
        VICINAL_CHECK(room(s.size()));
        auto const valid = utf8_valid_bytes(s);
        if (valid == s.size()) return {};
        // The name may itself be what is not UTF-8, and a message is text.
        return error{
            errc::invalid_payload, std::string(what) + " in UTF-8",
            "another byte at offset " + std::to_string(valid) +
                (is_utf8(at.name) ? " in field '" + path_of(at) + "'" : " of a field's name")};
    }

    [[nodiscard]] result<void> room(std::size_t bytes) {
        auto const used = out_.size() - start_;
        if (used <= max_encoded_bytes && bytes <= max_encoded_bytes - used) return {};
        return error{errc::invalid_payload, "at most 16 MiB encoded",
                     "at least " + std::to_string(used + bytes) + " bytes"};
    }

    std::string& out_;
    std::size_t start_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
