// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_HPP
#define VICINAL_STORAGE_FILE_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/storage/concept.hpp>
#    include <vicinal/storage/durable_space.hpp>
#    include <vicinal/storage/file/file_columns.hpp>
#    include <vicinal/storage/posix.hpp>

#    include <string_view>

namespace vicinal::inline VICINAL_ABI::storage {

/// Columns in the same durable directory as storage::mmap, by positioned reads and a page cache of
/// a fixed budget, `cache_bytes`: for systems without mmap and for stores larger than memory.
///
/// What every step of a search reads (codes, links) and what leads from ids to rows is in memory:
/// for an `index::hnsw<>` about dim + 190 bytes a record and its id, for codec::sq4 dim / 2 + 190.
/// Vectors and payloads are read when they are wanted: those of a query's candidates all at once,
/// in reads of at most 8 KiB (a longer row: of a row), whose pages of 4 KiB are compared with
/// their checksums unless the store is trusted. A page that can't be read or trusted is the error
/// of the call that wanted it.
///
/// Codes and links that do not fit are paged too where the store is opened `read_only`: it works,
/// with many more reads a query (`paging().paged_steps`). mnist, 60,000 x 784, k = 10 at recall
/// 0.97 with a cache of a fifth of the snapshot: 85 with codes of a byte, which are a fifth by
/// themselves, 16 over codec::sq4; with a tenth 188 over sq4. A writer has them in
/// memory above the budget (`paging().resident`). Rows since the last checkpoint are in memory; one
/// comes when they take half of what is left for pages and an eighth of the snapshot, so that a
/// load of n bytes writes about 9 n and may pass the budget by an eighth of the store.
///
/// Every call to the operating system goes through `Os`; io_uring is used where `Os` is
/// storage::posix and the system lets this process have it (many containers don't); else the
/// store's `.threads` read.
template <class Os = posix>
struct basic_file {
    static constexpr bool durable = true;
    static constexpr bool pages = true;
    static constexpr std::string_view name = "file";
    using column = file_column<Os>;
    using space = durable_space<Os, file_columns<Os>>;
};

using file = basic_file<>;

static_assert(model<file>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
