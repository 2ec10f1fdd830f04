// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_OPTIONS_HPP
#define VICINAL_BACKEND_CHROMA_OPTIONS_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace vicinal::inline VICINAL_ABI {

/// Where in a Chroma directory to look for the collection; empty means everywhere.
struct chroma_options {
    std::string tenant = {};
    std::string database = {};
};

/// One collection of a Chroma directory, as its catalogue has it.
struct chroma_collection {
    std::string tenant = {};
    std::string database = {};
    std::string name = {};
    /// 0 as long as no vector was ever put in.
    std::size_t dimension = 0;
    /// Chroma's word for the distance: "l2" (squared), "ip" or "cosine".
    std::string space = {};
    /// Rows in its table of records.
    std::uint64_t records = 0;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
