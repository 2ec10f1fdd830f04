// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_CONCEPT_HPP
#define VICINAL_MIGRATE_CONCEPT_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/bad_record.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What one side of a migration says of its records before any is read.
struct schema {
    /// Elements of a vector; 0 where the side does not know yet.
    std::size_t dim = 0;
    /// The name of the metric, as in "cosine"; empty where the side has none.
    std::string metric = {};
    /// How many records there are, where that is known without reading them.
    std::optional<std::uint64_t> records = {};
    /// What this side cannot keep or has not kept, each a sentence for the report: as in "cosine
    /// vectors that Chroma had persisted are its rounded ones, not the ones inserted".
    /// A source may learn of more while it reads: `describe()` after the last record says all.
    std::vector<std::string> losses = {};
    /// Names the side for people, as in "chroma:./db (collection docs)".
    std::string description = {};
};

/// What a sink can take, where it is not everything.
struct sink_traits {
    /// Records of one `write`.
    std::size_t largest_batch = SIZE_MAX;
    /// Whether payloads come back as they were written; otherwise they are not compared. A sink may
    /// find out while it is written.
    bool keeps_payloads = true;
    /// The same of vectors.
    bool keeps_vectors = true;
    /// Whether it takes records without a vector.
    bool takes_no_vector = true;
    /// Whether it keeps directions alone: vectors are then compared by theirs.
    bool normalises = false;
    /// Elements of a vector, where that is settled.
    std::size_t dim = 0;
    /// The name of the metric by which it is searched; empty where it is not.
    std::string metric = {};
};

/// A source of records: can be read from the start, as often as asked.
///
/// * `describe()` gives the schema.
/// * `rewind()` goes (back) to the first record and reads the underlying data anew.
/// * `read(batch, most)` replaces `batch` by the next records, at most `most`; an empty batch is
///   the end. The order is the same after every rewind as long as the data does not change. A
///   record that never had a vector has an empty one.
///
/// A source may have more, which is used where it is there:
///
/// * `pass_over(bad_record_handler)`: from now on a record that cannot be read is told to the
///   handler and passed over, where otherwise its error ends the reading.
/// * `nearest(vector, k)`: the k nearest records as pairs of id and distance, or nothing where it
///   has no index: `result<std::optional<std::vector<std::pair<std::string, float>>>>`.
template <class S>
concept basic_source = requires(S& s, std::vector<record>& batch, std::size_t most) {
    { s.describe() } -> std::same_as<result<schema>>;
    { s.rewind() } -> std::same_as<result<void>>;
    { s.read(batch, most) } -> std::same_as<result<void>>;
};

/// A sink of records.
///
/// * `begin(schema)`: what is about to come; refuses what it cannot take.
/// * `write(batch)`: all of the batch or nothing. Writing a record again replaces it.
/// * `finish()`: everything written is as durable as the sink promises when it returns.
/// * `reopen()`: a source that reads back what the sink now holds, from where it is kept, not from
///   the memory of this object: what verification reads.
///
/// A sink may have more, which is used where it is there:
///
/// * `count()`: how many records it holds before `begin`; without it, none.
/// * `losses(schema)`: what it will not keep, a sentence each. `traits()`: a sink_traits.
/// * `resume(schema)` instead of `begin`, to go on where an earlier run was cut off; then
///   `holds(record)` says whether a record is there already, the same in all its parts.
/// * `check(schema)`, `check(batch)`: refuse what `begin` and `write` would refuse, and write
///   nothing. For a dry run, before which `begin` is not called.
/// * `token_path()`: a file beside the sink that a migration may keep while it has not finished;
///   it tells a run that goes on whether it reads the same source.
template <class S>
concept basic_sink = requires(S& s, schema const& incoming, std::span<record const> batch) {
    { s.begin(incoming) } -> std::same_as<result<void>>;
    { s.write(batch) } -> std::same_as<result<void>>;
    { s.finish() } -> std::same_as<result<void>>;
    {s.reopen()};
    requires basic_source<typename decltype(s.reopen())::value_type>;
};

namespace detail {

/// What is said of a sink without `resume` where a run shall go on.
[[nodiscard]] inline error cannot_go_on() {
    return error{errc::unsupported,
                 "a sink that a run can go on with (resume, incremental): a vicinal store, JSON "
                 "Lines or SQLite",
                 "one that is only written anew, as a whole"};
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
