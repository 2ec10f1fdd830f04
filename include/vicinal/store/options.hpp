// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_OPTIONS_HPP
#define VICINAL_STORE_OPTIONS_HPP

#include <vicinal/payload/index/kind.hpp>
#include <vicinal/storage/check_level.hpp>
#include <vicinal/storage/durability.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// How a store is made or opened.
template <class Index>
struct store_options {
    /// Elements of a vector, 1 to 65,536. May be left out where the directory of a durable store is
    /// there already.
    std::size_t dim = 0;
    /// What "written" means; see there. Without effect on stores in memory.
    vicinal::durability durability = durability::full;
    /// Opens a durable store beside its writer, as of this moment, and changes nothing.
    bool read_only = false;
    /// A directory keeps the values that it was made with.
    typename Index::options index = {};
    /// Threads that a durable store may use beside its callers'. With 1 or more, records that only
    /// the log had at opening join the index beside everything else, linked on so many threads; the
    /// store then has one thread of its own until that is done. With 0 there is none: each write
    /// takes some of them in, and until then they are scanned. storage::file reads pages on so many
    /// where the system lets it have no io_uring; they live until the store is closed.
    std::size_t threads = 0;
    /// How long opening waits for another writer to leave, in milliseconds; then errc::locked.
    std::uint32_t lock_timeout_ms = 0;
    /// How much of a durable store's snapshot is compared with its checksums when it is opened.
    check_level check = check_level::lazy;
    /// The largest snapshot, in bytes, that check::lazy compares whole.
    std::uint64_t checked_at_open = std::uint64_t{64} << 20;
    /// What storage::file may hold in memory, in bytes: see storage/file.hpp. Without effect on the
    /// others.
    std::uint64_t cache_bytes = std::uint64_t{256} << 20;
    /// Of what every step of a search reads (codes, links, live flags), storage::mmap copies into
    /// memory of its own at opening what fits into so many bytes, for searches about as fast as in
    /// memory: see storage/mmap.hpp. Without effect on the others.
    std::uint64_t copied_bytes = 0;
};

/// What a search asks for.
struct search_options {
    /// How many hits; fewer come only where fewer records match.
    std::size_t k = 10;
    /// A filter such as "year >= 2023 and tags contains 'ml'" (docs/filters.md); empty keeps all.
    std::string where = {};
    /// The wanted share of true neighbours among the hits, 0 to 1: the library finds the effort.
    double recall = 0.95;
    /// The effort by hand instead; 0 leaves it to `recall`. In a graph it is the width of the beam
    /// that finds about as much; one that is tuned ends its walks by distances
    /// (index/hnsw/reach.hpp).
    std::size_t effort = 0;
    /// Looks at every matching record: the true neighbours, ties by id.
    bool exact = false;
    /// Keeps hits up to this distance, inclusive.
    double max_distance = std::numeric_limits<double>::infinity();
    /// Threads that the search of a matrix may use, the caller's one of them; the others live for
    /// that call. Changes no answer. Without effect on one query, on indexes that walk, and in
    /// builds without threads.
    std::size_t threads = 1;
};

/// What is kept of recent filters.
struct filter_cache_stats {
    /// Filters whose matches are known, and the bytes that these take.
    std::size_t filters = 0;
    std::size_t bytes = 0;
    /// Searches with a filter whose matches were known, and others.
    std::size_t hits = 0;
    std::size_t misses = 0;
};

/// Counts of a store at one moment.
struct store_stats {
    /// Live records.
    std::size_t records = 0;
    /// Rows that the index covers; the rest of `rows` is scanned exactly.
    std::size_t indexed_rows = 0;
    /// Rows in use: live records, and those that an update or erase has left.
    std::size_t rows = 0;
    /// Of these, rows that no record has any more; compact() gives back what they hold.
    std::size_t dead = 0;
    /// Lists of an inverted index; 0 of others.
    std::size_t partitions = 0;
    /// How much farther rows lie from the centres of their lists than when these were found: the
    /// ratio of the mean squared distances. From 1.3 on compact() finds new ones.
    double drift = 1;
    /// Bytes of the rows in use, by what they are for; memory beyond them that is held to grow
    /// into, and maps from ids to rows, are not counted.
    struct parts {
        std::uint64_t vectors = 0;
        /// What an index reads instead of vectors.
        std::uint64_t codes = 0;
        std::uint64_t links = 0;
        std::uint64_t ids = 0;
        std::uint64_t payloads = 0;
        std::uint64_t field_indexes = 0;
        [[nodiscard]] std::uint64_t all() const noexcept {
            return vectors + codes + links + ids + payloads + field_indexes;
        }
    };
    parts bytes = {};
    /// Bytes of an id and of a payload, on average over the rows.
    double mean_id = 0;
    double mean_payload = 0;
    /// What there is for filters: indexes on fields, with how often each was used, and what recent
    /// filters match.
    std::vector<field_index_stats> field_indexes = {};
    filter_cache_stats filters = {};
};

} // namespace vicinal::inline VICINAL_ABI

#endif
