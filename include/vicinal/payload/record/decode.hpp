// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_DECODE_HPP
#define VICINAL_PAYLOAD_RECORD_DECODE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter/text.hpp>
#include <vicinal/payload/record/form.hpp>
#include <vicinal/payload/record/members.hpp>
#include <vicinal/payload/utf8.hpp>
#include <vicinal/payload/view.hpp>
#include <vicinal/payload/wire_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// A value in a message about it.
[[nodiscard]] inline std::string in_words(value_view const& v) {
    std::string s;
    switch (v.type()) {
        case value::kind::null: return "null";
        case value::kind::boolean: append_literal(s, v.boolean()); break;
        case value::kind::integer: append_literal(s, v.integer()); break;
        case value::kind::real: append_literal(s, v.real()); break;
        case value::kind::string: return "a text";
        case value::kind::array: return "an array";
        case value::kind::nested: return "nested fields";
    }
    return s;
}

/// Reads a struct's members from encoded fields. Trusts nothing: every member has its field, every
/// field its member, and each value fits, or it is an error that names which.
class record_decoder {
public:
    explicit record_decoder(std::span<std::byte const> bytes) noexcept : start_(bytes.data()) {}

    /// `passed` is the one name that may be there without a member.
    template <class T>
    [[nodiscard]] result<void> members(fields_view rest, T& out, place const* outer, unsigned depth,
                                       std::string_view passed = {}) const {
        std::string_view name;
        value_view v;
        auto const* at = rest.position();
        bool there = false;
        auto const advance = [&] {
            at = rest.position();
            there = rest.next(name, v);
            if (there && !passed.empty() && name == passed) {
                passed = {};
                at = rest.position();
                there = rest.next(name, v);
            }
        };
        advance();
        result<void> done;
        member_table<T>::each([&](auto m) {
            place const here{m.name, outer};
            if (!there || name > m.name) {
                done = missing(out.*m.pointer, here);
            } else if (name == m.name) {
                done = read(v, out.*m.pointer, here, depth);
                advance();
            } else {
                done = stranger(name, outer);
            }
            return static_cast<bool>(done);
        });
        VICINAL_CHECK(done);
        if (there) return stranger(name, outer);
        if (!rest.at_end())
            return error{errc::invalid_payload, "a name and a value",
                         "something else at byte " + std::to_string(at - start_) +
                             " of the payload"};
        return {};
    }

private:
    template <class M>
    [[nodiscard]] static result<void> missing(M& out, place const& at) {
        if constexpr (part<M>::optional) {
            out.reset();
            return {};
        } else {
            return error{errc::invalid_payload, "a field for member '" + path_of(at) + "'", "none"};
        }
    }

    [[nodiscard]] static result<void> stranger(std::string_view name, place const* outer) {
        return error{errc::invalid_payload, "fields that are members, in the order of their names",
                     is_utf8(name) ? "field '" + path_of({name, outer}) + "'"
                                   : std::string("a name that is not UTF-8")};
    }

    [[nodiscard]] static error misfit(char const* expected, value_view const& v, place const& at) {
        return error{errc::invalid_payload,
                     std::string(expected) + " for member '" + path_of(at) + "'", in_words(v)};
    }

    template <class M>
    [[nodiscard]] result<void> read(value_view const& v, M& out, place const& at,
                                    unsigned depth) const {
        constexpr auto form = form_of<M>();
        if constexpr (part<M>::optional) {
            if (v.is_null()) {
                out.reset();
                return {};
            }
            return read(v, out.emplace(), at, depth);
        } else if constexpr (form == value::kind::boolean) {
            if (v.type() != form) return misfit("true or false", v, at);
            out = v.boolean();
            return {};
        } else if constexpr (form == value::kind::integer) {
            return whole(v, out, at);
        } else if constexpr (form == value::kind::real) {
            return number(v, out, at);
        } else if constexpr (form == value::kind::string) {
            if (v.type() != form) return misfit("text", v, at);
            if (!is_utf8(v.text())) return misfit("text in UTF-8", v, at);
            out.assign(v.text());
            return {};
        } else if constexpr (form == value::kind::array) {
            if (v.type() != form) return misfit("an array", v, at);
            return elements(v, out, at, depth + 1);
        } else {
            if (v.type() != form) return misfit("nested fields", v, at);
            if (depth >= max_depth)
                return misfit("arrays and nested fields at most 64 deep", v, at);
            return members(v.nested(), out, &at, depth + 1);
        }
    }

    template <class M>
    [[nodiscard]] static result<void> whole(value_view const& v, M& out, place const& at) {
        using limits = std::numeric_limits<whole_type<M>>;
        if (v.type() == value::kind::integer && std::in_range<whole_type<M>>(v.integer())) {
            out = static_cast<M>(v.integer());
            return {};
        }
        auto const range = "an integer from " + std::to_string((limits::min)()) + " to " +
                           std::to_string((limits::max)());
        return misfit(range.c_str(), v, at);
    }

    /// An integer is taken where the floating-point type holds it: JSON writes 5.0 as 5.
    template <class M>
    [[nodiscard]] static result<void> number(value_view const& v, M& out, place const& at) {
        if (v.type() == value::kind::integer) {
            constexpr std::int64_t beyond = std::int64_t{1} << std::numeric_limits<M>::digits;
            if (v.integer() < -beyond || v.integer() > beyond)
                return misfit("a number that fits", v, at);
            out = static_cast<M>(v.integer());
            return {};
        }
        if (v.type() != value::kind::real) return misfit("a number", v, at);
        if constexpr (std::same_as<M, float>) {
            if (!narrowed(v.real(), out)) return misfit("a number that a float holds", v, at);
        } else {
            out = v.real();
        }
        return {};
    }

    template <class M>
    [[nodiscard]] result<void> elements(value_view const& v, M& out, place const& at,
                                        unsigned depth) const {
        if (depth > max_depth) return misfit("arrays and nested fields at most 64 deep", v, at);
        std::size_t count = 0;
        value_view e;
        auto ahead = v.array();
        while (ahead.next(e)) ++count;
        if (!ahead.at_end())
            return error{errc::invalid_payload, "a value for member '" + path_of(at) + "'",
                         "something else at byte " + std::to_string(ahead.position() - start_) +
                             " of the payload"};
        out.clear();
        // Counted, but an element of a struct takes more memory than its bytes: grown as they are
        // read.
        if constexpr (form_of<typename part<M>::type>() != value::kind::nested) out.reserve(count);
        auto rest = v.array();
        while (rest.next(e)) {
            typename part<M>::type element{};
            VICINAL_CHECK(read(e, element, at, depth));
            out.push_back(std::move(element));
        }
        return {};
    }

    std::byte const* start_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
