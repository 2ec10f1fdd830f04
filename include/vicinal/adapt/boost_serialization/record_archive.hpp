// SPDX-License-Identifier: MIT
#ifndef VICINAL_ADAPT_BOOST_SERIALIZATION_RECORD_ARCHIVE_HPP
#define VICINAL_ADAPT_BOOST_SERIALIZATION_RECORD_ARCHIVE_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_EXCEPTIONS

#    include <vicinal/adapt/boost_serialization/base64.hpp>
#    include <vicinal/core/result.hpp>
#    include <vicinal/payload/record/archived.hpp>

#    include <boost/archive/archive_exception.hpp>
#    include <boost/archive/binary_iarchive.hpp>
#    include <boost/archive/binary_oarchive.hpp>

#    include <ios>
#    include <sstream>
#    include <string>
#    include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// The whole of a struct by its own Boost `serialize`, as text: a binary archive in base 64, since
/// a field holds no other bytes.
///
/// Boost keeps some 60 bytes of its own in each archive. It refuses one that was written on a
/// machine with other integers, but reads the rest without checks: see adapt/boost_serialization.
template <class T>
struct record_archive {
    /// Errors: invalid_payload, with what Boost says. What else `serialize` throws passes through.
    [[nodiscard]] static result<std::string> save(T const& v) {
        std::stringbuf bytes(std::ios::out | std::ios::binary);
        try {
            boost::archive::binary_oarchive to(bytes, boost::archive::no_codecvt);
            to << v;
        } catch (boost::archive::archive_exception const& e) {
            return error{errc::invalid_payload, "a struct that Boost archives", e.what()};
        }
        return adapt::to_base64(bytes.str());
    }

    [[nodiscard]] static result<void> load(std::string_view text, T& into) {
        std::string archive;
        if (!adapt::from_base64(text, archive))
            return error{errc::invalid_payload, "base 64 in field '$archive'", "other text"};
        std::stringbuf bytes(archive, std::ios::in | std::ios::binary);
        try {
            boost::archive::binary_iarchive from(bytes, boost::archive::no_codecvt);
            from >> into;
        } catch (boost::archive::archive_exception const& e) {
            return error{errc::invalid_payload, "an archive that Boost reads", e.what()};
        }
        if (bytes.in_avail() > 0)
            return error{errc::invalid_payload, "the end of the archive in field '$archive'",
                         "more bytes"};
        return {};
    }
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

#endif
