// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_ENCODING_HPP
#define VICINAL_PAYLOAD_ENCODING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/payload/utf8.hpp>
#include <vicinal/payload/view.hpp>
#include <vicinal/payload/wire.hpp>
#include <vicinal/payload/wire_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Writes one payload of fields behind what the string already holds.
class encoder {
public:
    explicit encoder(std::string& out) noexcept : to_(out) {}

    [[nodiscard]] result<void> entries(vicinal::fields const& all, unsigned depth) {
        for (auto const& f : all) {
            VICINAL_CHECK(to_.name(f.name));
            VICINAL_CHECK(value_of({f.name}, f.v, depth));
        }
        return {};
    }

private:
    [[nodiscard]] result<void> value_of(place const& at, value const& v, unsigned depth) {
        switch (v.type()) {
            case value::kind::null: return to_.null();
            case value::kind::boolean: return to_.boolean(*v.get_if<bool>());
            case value::kind::integer: return to_.integer(*v.get_if<std::int64_t>());
            case value::kind::real: return to_.real(*v.get_if<double>());
            case value::kind::string: return to_.text(*v.get_if<std::string>(), at);
            case value::kind::nested:
                return to_.container(wire_kind::nested, depth, at, [&] {
                    return entries(*v.get_if<vicinal::fields>(), depth + 1);
                });
            case value::kind::array: break;
        }
        return to_.container(wire_kind::array, depth, at, [&]() -> result<void> {
            for (auto const& element : *v.get_if<value::array>())
                VICINAL_CHECK(value_of(at, element, depth + 1));
            return {};
        });
    }

    wire_writer to_;
};

/// Appends the encoding of `all` to `out`; on an error `out` is as it was.
///
/// Errors: invalid_payload (text that is not UTF-8, more than 64 levels, more than 16 MiB).
[[nodiscard]] inline result<void> encode(vicinal::fields const& all, std::string& out) {
    auto const start = out.size();
    auto done = encoder(out).entries(all, 0);
    if (!done) out.resize(start);
    return done;
}

/// Reads one payload back, trusting nothing.
class decoder {
public:
    explicit decoder(std::span<std::byte const> bytes) noexcept : start_(bytes.data()) {}

    [[nodiscard]] result<vicinal::fields> entries(fields_view rest, unsigned depth) const {
        vicinal::fields all;
        std::string_view name;
        std::string_view last;
        value_view v;
        bool first = true;
        for (auto at = rest.position(); rest.next(name, v); at = rest.position()) {
            if (!is_utf8(name)) return bad("a name in UTF-8", at);
            if (!first && name <= last) return bad("names in ascending order", at);
            auto decoded = value_of(v, at, depth);
            if (!decoded) return decoded.error();
            all.set(std::string(name), std::move(*decoded));
            last = name;
            first = false;
        }
        if (!rest.at_end()) return bad("a name and a value", rest.position());
        return all;
    }

private:
    // value(x) rather than value{x}, which would be an array of x.
    [[nodiscard]] result<value> value_of(value_view const& v, std::byte const* at,
                                         unsigned depth) const {
        switch (v.type()) {
            case value::kind::null: return value();
            case value::kind::boolean: return value(v.boolean());
            case value::kind::integer: return value(v.integer());
            case value::kind::real: return value(v.real());
            case value::kind::string:
                if (!is_utf8(v.text())) return bad("text in UTF-8", at);
                return value(std::string(v.text()));
            case value::kind::array:
            case value::kind::nested: break;
        }
        if (depth == max_depth) return bad("arrays and nested fields at most 64 deep", at);
        if (v.type() == value::kind::array) return elements(v.array(), depth + 1);
        auto inner = entries(v.nested(), depth + 1);
        if (!inner) return inner.error();
        return value(std::move(*inner));
    }

    [[nodiscard]] result<value> elements(array_view rest, unsigned depth) const {
        std::size_t count = 0;
        value_view v;
        auto ahead = rest;
        while (ahead.next(v)) ++count;
        if (!ahead.at_end()) return bad("a value", ahead.position());
        value::array all;
        all.reserve(count);
        for (auto at = rest.position(); rest.next(v); at = rest.position()) {
            auto decoded = value_of(v, at, depth);
            if (!decoded) return decoded.error();
            all.push_back(std::move(*decoded));
        }
        return value(std::move(all));
    }

    [[nodiscard]] error bad(char const* expected, std::byte const* at) const {
        return error{errc::invalid_payload, expected,
                     "something else at byte " + std::to_string(at - start_) + " of the payload"};
    }

    std::byte const* start_;
};

/// The fields that these bytes encode. Takes any bytes; memory is reserved only for what is there.
///
/// Errors: invalid_payload, with the offset.
[[nodiscard]] inline result<vicinal::fields> decode(std::span<std::byte const> bytes) {
    if (bytes.size() > max_encoded_bytes)
        return error{errc::invalid_payload, "at most 16 MiB encoded",
                     std::to_string(bytes.size()) + " bytes"};
    return decoder(bytes).entries(fields_view(bytes), 0);
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
