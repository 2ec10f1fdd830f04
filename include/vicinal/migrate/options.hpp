// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_OPTIONS_HPP
#define VICINAL_MIGRATE_OPTIONS_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace vicinal::inline VICINAL_ABI {

/// What is compared after the last record was written.
enum class verify : std::uint8_t {
    /// Nothing.
    nothing,
    /// About a thousand records, chosen by their ids.
    sample,
    /// Every record: the set of ids, each vector's bits, each payload.
    every_record,
};

/// Where a migration stands.
struct progress {
    enum class stage : std::uint8_t { copying, verifying };

    /// Records so far, in this stage.
    std::uint64_t done = 0;
    /// Records in all, where the source knows.
    std::optional<std::uint64_t> total = {};
    stage at = stage::copying;
    /// Since this stage began.
    double seconds = 0;
};

/// How a migration runs.
struct migrate_options {
    /// Records read and written at a time; memory stays bounded by it. At least 1.
    std::size_t batch_size = 1000;
    vicinal::verify verify = verify::sample;
    /// Called after every batch, on the calling thread. What it throws ends the migration and
    /// passes through; the sink keeps whole batches.
    std::function<void(progress const&)> on_progress = {};
    /// Goes on where an earlier run into the same sink was cut off: records that the sink holds
    /// already are not written again, and nothing is lost or doubled.
    bool resume = false;
    /// Writes only what is new or has changed since an earlier run that ended well. Nothing is
    /// removed from the sink.
    bool incremental = false;
    /// Reads everything, asks the sink whether it would take it, and writes nothing.
    bool dry_run = false;
    /// Refuses to begin where something would be lost, and to finish where reading showed that
    /// something was.
    bool strict = false;
    /// 2 or more: the source is read and decoded on a thread of its own while the calling one
    /// writes.
    std::size_t threads = 1;
    /// What is changed about records on their way.
    record_mapping mapping = {};
    /// Where it is set, a record that can't be read or that the sink refuses is told to it and
    /// passed over; otherwise it ends the migration. Called by one thread at a time, which may be
    /// the one that reads.
    bad_record_handler on_bad_record = {};
    /// Vectors of the source by which both sides are searched once they are compared: see
    /// migration_report::top_k_agreement. 0: none.
    std::size_t probes = 16;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
