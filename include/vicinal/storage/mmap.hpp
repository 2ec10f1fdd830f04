// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MMAP_HPP
#define VICINAL_STORAGE_MMAP_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/storage/concept.hpp>
#    include <vicinal/storage/durable_space.hpp>
#    include <vicinal/storage/mapped_columns.hpp>
#    include <vicinal/storage/posix.hpp>

#    include <string_view>

namespace vicinal::inline VICINAL_ABI::storage {

/// Columns in a durable directory whose snapshot is mapped: opening rebuilds nothing and reads
/// nothing but what is checked, and processes share the pages. Every call to the operating system
/// goes through `Os`.
///
/// A walk touches a page of its own with each row, which few file systems keep as huge ones. With
/// `.copied_bytes` codes, links and ids (for an `index::hnsw<>` dim + 190 bytes a record and its
/// id) are read at opening, compared with their checksums unless the store is trusted, and kept in
/// huge pages of this process.
template <class Os = posix>
struct basic_mmap {
    static constexpr bool durable = true;
    static constexpr std::string_view name = "mmap";
    using column = mapped_column<Os>;
    using space = durable_space<Os, mapped_columns<Os>>;
};

using mmap = basic_mmap<>;

static_assert(model<mmap>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
