// SPDX-License-Identifier: MIT
#ifndef VICINAL_ADAPT_BOOST_SERIALIZATION_HPP
#define VICINAL_ADAPT_BOOST_SERIALIZATION_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_EXCEPTIONS

#    include <vicinal/adapt/boost_serialization/record_archive.hpp>
#    include <vicinal/store/store.hpp>

#    include <boost/serialization/binary_object.hpp>
#    include <boost/serialization/level.hpp>
#    include <boost/serialization/nvp.hpp>
#    include <boost/serialization/split_free.hpp>
#    include <boost/serialization/tracking.hpp>

#    include <algorithm>
#    include <cstddef>
#    include <cstdint>
#    include <cstring>
#    include <span>
#    include <string>
#    include <utility>
#    include <vector>

/// Boost archives of stores in memory: `archive << docs` and `archive >> docs`, in an XML archive
/// with make_nvp. Component boost_serialization; needs exceptions, which Boost throws.
///
/// The archive holds one opaque block, the snapshot that save() writes, so that what is loaded was
/// compared with its checksums and a store is never half loaded: it is replaced when all is there
/// and right, and else stays as it was. Cost: the snapshot once more in memory. Errors:
/// corrupt_snapshot, newer_format, metric_mismatch and its like, invalid_argument, out_of_memory,
/// thrown as vicinal::error, and what Boost throws of the archive itself.
///
/// It also archives structs whose payload policy is payload::record<T> and that have a `serialize`
/// of their own: each record's archive is a field of its payload.
///
/// An archive is for data that you trust. Boost reads its own part of it without checking it, and
/// does not promise that a binary archive is read by another version, compiler or processor: what
/// is kept or came from elsewhere belongs in a file of save(), which costs no more.
namespace vicinal::inline VICINAL_ABI::adapt {

/// No archive makes the reader take more than this beyond the bytes that it really has.
inline constexpr std::size_t archive_piece = std::size_t{1} << 20;

/// The form of the block, before it.
inline constexpr std::uint32_t archive_form = 1;

template <class Archive, class Store>
void save_archive(Archive& archive, Store const& from) {
    std::vector<std::byte> bytes;
    from.try_save_to([&](std::uint64_t at, std::span<std::byte const> piece) {
            return detail::guarded([&]() -> result<void> {
                auto const end = static_cast<std::size_t>(at) + piece.size();
                if (bytes.size() < end) bytes.resize(end);
                std::memcpy(bytes.data() + at, piece.data(), piece.size());
                return {};
            });
        })
        .value();
    auto const form = archive_form;
    auto const size = std::uint64_t{bytes.size()};
    archive << boost::serialization::make_nvp("form", form)
            << boost::serialization::make_nvp("bytes", size);
    for (std::size_t at = 0; at < bytes.size(); at += archive_piece) {
        auto const piece = boost::serialization::make_binary_object(
            bytes.data() + at, (std::min)(archive_piece, bytes.size() - at));
        archive << boost::serialization::make_nvp("piece", piece);
    }
}

template <class Archive, class Store>
void load_archive(Archive& archive, Store& into) {
    std::uint32_t form = 0;
    std::uint64_t size = 0;
    archive >> boost::serialization::make_nvp("form", form);
    if (form != archive_form)
        detail::raise(error{errc::newer_format,
                            "an archived store of form " + std::to_string(archive_form),
                            std::to_string(form)});
    archive >> boost::serialization::make_nvp("bytes", size);
    std::vector<std::byte> bytes;
    while (bytes.size() < size) {
        auto const at = bytes.size();
        auto const n =
            static_cast<std::size_t>((std::min<std::uint64_t>)(archive_piece, size - bytes.size()));
        bytes.resize(at + n);
        auto piece = boost::serialization::make_binary_object(bytes.data() + at, n);
        archive >> boost::serialization::make_nvp("piece", piece);
    }
    auto const read = [&](std::uint64_t at, std::span<std::byte> part) -> result<void> {
        if (at > bytes.size() || part.size() > bytes.size() - at)
            return error{errc::corrupt_snapshot,
                         std::to_string(part.size()) + " bytes at offset " + std::to_string(at) +
                             " of the archive",
                         std::to_string(bytes.size()) + " bytes in all"};
        std::memcpy(part.data(), bytes.data() + at, part.size());
        return {};
    };
    into = Store::try_load_from(bytes.size(), "the archive", read).value();
}

} // namespace vicinal::inline VICINAL_ABI::adapt

namespace boost::serialization {

template <class Archive, class Metric, class Index, class Storage, class Payload, class Id>
void save(Archive& archive, vicinal::store<Metric, Index, Storage, Payload, Id> const& from,
          unsigned) {
    vicinal::adapt::save_archive(archive, from);
}
template <class Archive, class Metric, class Index, class Storage, class Payload, class Id>
void load(Archive& archive, vicinal::store<Metric, Index, Storage, Payload, Id>& into, unsigned) {
    vicinal::adapt::load_archive(archive, into);
}
template <class Archive, class Metric, class Index, class Storage, class Payload, class Id>
void serialize(Archive& archive, vicinal::store<Metric, Index, Storage, Payload, Id>& s,
               unsigned version) {
    static_assert(!Storage::durable,
                  "vicinal: archives hold stores in memory; copy a durable one with backup()");
    split_free(archive, s, version);
}

// A store is a value: no addresses and no class versions in the archive, whose form is our own.
template <class Metric, class Index, class Storage, class Payload, class Id>
struct implementation_level_impl<vicinal::store<Metric, Index, Storage, Payload, Id> const>
    : mpl::int_<object_serializable> {};
template <class Metric, class Index, class Storage, class Payload, class Id>
struct tracking_level<vicinal::store<Metric, Index, Storage, Payload, Id>>
    : mpl::int_<track_never> {};

} // namespace boost::serialization

#endif

#endif
