// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_HPP
#define VICINAL_PAYLOAD_RECORD_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/payload/record/archived.hpp>
#include <vicinal/payload/record/decode.hpp>
#include <vicinal/payload/record/encode.hpp>
#include <vicinal/payload/record/form.hpp>
#include <vicinal/payload/record/members.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload {

namespace detail {

/// Whether every member that T lists has a form in which filters read it.
template <class T>
[[nodiscard]] consteval bool members_have_forms() noexcept {
    return member_table<T>::each(
        [](auto m) { return form_of<typename decltype(m)::type>() != value::kind::null; });
}

/// Whether every name sorts behind that of the archive, which is written first.
template <class T>
[[nodiscard]] consteval bool archive_comes_first() noexcept {
    return member_table<T>::each([](auto m) { return m.name > archive_name; });
}

} // namespace detail

/// The user's own struct as payload: docs/payload.md shows one.
///
/// Its listed members (vicinal::members) are encoded as `fields` of their names are, byte for byte:
/// filters, field indexes and migrations treat them alike, and a store of records may be opened as
/// one of fields and back. A member is bool, an integer, an enum (its number), float, double,
/// std::string, a struct with members, or std::optional or std::vector of these. An empty optional
/// is a field that is not there.
///
/// A struct that is `archived` (it has a Boost `serialize`) is archived by it whole, beside the
/// listed members, in a field named $archive; that needs <vicinal/adapt/boost_serialization.hpp>.
template <class T>
struct record {
    static_assert(detail::described<T> || vicinal::archived<T>,
                  "vicinal: payload::record needs to know the members: give the struct `using "
                  "members = vicinal::members<&note::year, ...>`, specialise vicinal::members_of, "
                  "or give it a Boost serialize()");
    static_assert(detail::members_have_forms<T>(),
                  "vicinal: a listed member has no form that filters read: bool, numbers, enums, "
                  "std::string, structs with members, std::optional and std::vector of these; "
                  "others travel by a Boost serialize()");
    static_assert(!vicinal::archived<T> || detail::has_archive<T>,
                  "vicinal: this struct has a serialize(): include "
                  "<vicinal/adapt/boost_serialization.hpp>, or specialise vicinal::archived to "
                  "false where the listed members are all of it");
    static_assert(!vicinal::archived<T> || detail::archive_comes_first<T>(),
                  "vicinal: the names of an archived struct's members must sort behind $archive");
    static_assert(std::default_initializable<T> && std::movable<T>,
                  "vicinal: payload::record needs a struct that is made without arguments and can "
                  "be moved");

    using value_type = T;
    static constexpr std::string_view name = "fields";
    static constexpr bool filterable = true;

    /// Appends the encoding. Errors: invalid_payload with the member's name (text that is not
    /// UTF-8, an unsigned integer over 2^63 - 1, more than 64 levels, more than 16 MiB encoded),
    /// out_of_memory.
    [[nodiscard]] static result<void> encode(T const& v, std::string& out) {
        return vicinal::detail::guarded([&] {
            auto const start = out.size();
            auto done = append(v, out);
            if (!done) out.resize(start);
            return done;
        });
    }

    /// The struct back, bit for bit. Strict: every member but an optional one has a field, every
    /// field is a member, every value fits its type. Errors: invalid_payload with the member's
    /// name, out_of_memory.
    [[nodiscard]] static result<T> decode(std::span<std::byte const> bytes) {
        return vicinal::detail::guarded([&] { return read(bytes); });
    }

private:
    [[nodiscard]] static result<void> append(T const& v, std::string& out) {
        detail::record_encoder<vicinal::archived<T>> to(out);
        if constexpr (vicinal::archived<T>) {
            auto const archive = detail::record_archive<T>::save(v);
            VICINAL_CHECK(archive);
            VICINAL_CHECK(to.text(detail::archive_name, *archive));
        }
        return to.members(v, 0, nullptr);
    }

    [[nodiscard]] static result<T> read(std::span<std::byte const> bytes) {
        if (bytes.size() > detail::max_encoded_bytes)
            return error{errc::invalid_payload, "at most 16 MiB encoded",
                         std::to_string(bytes.size()) + " bytes"};
        T out{};
        fields_view const all(bytes);
        std::string_view passed;
        if constexpr (vicinal::archived<T>) {
            auto const archive = all.find(detail::archive_name);
            if (!archive || archive->type() != value::kind::string)
                return error{errc::invalid_payload, "the text of an archive in field '$archive'",
                             archive ? detail::in_words(*archive) : std::string("none")};
            VICINAL_CHECK(detail::record_archive<T>::load(archive->text(), out));
            passed = detail::archive_name;
        }
        // The members come last: a field that was changed by itself counts.
        VICINAL_CHECK(detail::record_decoder(bytes).members(all, out, nullptr, 0, passed));
        return out;
    }
};

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
