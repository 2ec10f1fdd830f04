// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_ARCHIVED_HPP
#define VICINAL_PAYLOAD_RECORD_ARCHIVED_HPP

#include <vicinal/core/config.hpp>

#include <string_view>

namespace vicinal::inline VICINAL_ABI {

namespace payload::detail {

/// The field that holds an archive. It sorts before every identifier.
inline constexpr std::string_view archive_name = "$archive";

/// Stands for a Boost archive where a struct is asked whether it can be archived.
struct archive_probe {
    template <class V>
    archive_probe& operator&(V&&) noexcept;
};

template <class T>
concept serialised_by_itself = requires(T& v, archive_probe& a) {
    v.serialize(a, 0U);
};
template <class T>
concept serialised_beside = requires(T& v, archive_probe& a) {
    serialize(a, v, 0U);
};

/// Writes and reads the archive of a struct; <vicinal/adapt/boost_serialization.hpp> has it.
template <class T>
struct record_archive;
template <class T>
concept has_archive = requires {
    sizeof(record_archive<T>);
};

} // namespace payload::detail

/// Whether payload::record<T> keeps a Boost archive of the whole struct: where it has a public
/// `serialize(archive, version)`, or a free one in its own namespace. Specialise it for a struct
/// whose serialize is private (true), or whose listed members are all of it (false).
template <class T>
inline constexpr bool archived =
    payload::detail::serialised_by_itself<T> || payload::detail::serialised_beside<T>;

} // namespace vicinal::inline VICINAL_ABI

#endif
