// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_ENCODE_HPP
#define VICINAL_PAYLOAD_RECORD_ENCODE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/record/archived.hpp>
#include <vicinal/payload/record/form.hpp>
#include <vicinal/payload/record/members.hpp>
#include <vicinal/payload/wire_writer.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Writes a struct's members as the fields that they are; `Archived` says that an archive has what
/// the lists leave out.
template <bool Archived>
class record_encoder {
public:
    explicit record_encoder(std::string& out) noexcept : to_(out) {}

    template <class T>
    [[nodiscard]] result<void> members(T const& v, unsigned depth, place const* outer) {
        result<void> done;
        member_table<T>::each([&](auto m) {
            done = entry(v.*m.pointer, {m.name, outer}, depth);
            return static_cast<bool>(done);
        });
        return done;
    }
    [[nodiscard]] result<void> text(std::string_view name, std::string_view s) {
        VICINAL_CHECK(to_.name(name));
        return to_.text(s, {name});
    }

private:
    /// An empty optional is a field that is not there.
    template <class M>
    [[nodiscard]] result<void> entry(M const& v, place const& at, unsigned depth) {
        if constexpr (part<M>::optional)
            if (!v) return {};
        VICINAL_CHECK(to_.name(at.name));
        return value_of(v, at, depth);
    }

    template <class M>
    [[nodiscard]] result<void> value_of(M const& v, place const& at, unsigned depth) {
        constexpr auto form = form_of<M>();
        static_assert(form != value::kind::null, "vicinal: a member of a nested struct has no form "
                                                 "that filters read");
        static_assert(Archived || !described<M> || !archived<M>,
                      "vicinal: a nested struct has a serialize() and the one around it has none, "
                      "so that what its list leaves out would be lost");
        if constexpr (part<M>::optional) {
            return v ? value_of(*v, at, depth) : to_.null();
        } else if constexpr (form == value::kind::boolean) {
            return to_.boolean(v);
        } else if constexpr (form == value::kind::integer) {
            auto const whole = static_cast<whole_type<M>>(v);
            if (!std::in_range<std::int64_t>(whole))
                return error{errc::invalid_payload, "integers up to 9223372036854775807",
                             std::to_string(whole) + " in field '" + path_of(at) + "'"};
            return to_.integer(static_cast<std::int64_t>(whole));
        } else if constexpr (std::same_as<M, float>) {
            return to_.real(widened(v));
        } else if constexpr (form == value::kind::real) {
            return to_.real(v);
        } else if constexpr (form == value::kind::string) {
            return to_.text(v, at);
        } else if constexpr (form == value::kind::array) {
            return to_.container(wire_kind::array, depth, at, [&]() -> result<void> {
                // A reference into vector<bool> is no bool.
                using element = typename part<M>::type;
                for (element const& e : v) VICINAL_CHECK(value_of(e, at, depth + 1));
                return {};
            });
        } else {
            return to_.container(wire_kind::nested, depth, at,
                                 [&] { return members(v, depth + 1, &at); });
        }
    }

    wire_writer to_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
