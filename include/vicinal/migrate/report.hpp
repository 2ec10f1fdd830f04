// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_REPORT_HPP
#define VICINAL_MIGRATE_REPORT_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/migrate/bad_record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// A record that is not the same on both sides.
struct difference {
    enum class kind : std::uint8_t {
        /// The source has it and the sink has not.
        missing,
        /// The sink has it, the source has not, and the sink was empty before.
        unexpected,
        vector,
        payload,
    };

    std::string id;
    kind what = kind::missing;

    friend bool operator==(difference const&, difference const&) = default;
};

/// The kind in a word.
[[nodiscard]] constexpr char const* name(difference::kind k) noexcept {
    switch (k) {
        case difference::kind::missing: return "missing";
        case difference::kind::unexpected: return "unexpected";
        case difference::kind::vector: return "vector differs";
        case difference::kind::payload: return "payload differs";
    }
    return "unknown";
}

/// What a migration did.
struct migration_report {
    /// Records read from the source.
    std::uint64_t records = 0;
    /// Of these, how many the sink took in this run; of equal ids in one batch only the last.
    std::uint64_t written = 0;
    /// Records that the mapping left out; they are not in `records`.
    std::uint64_t left_out = 0;
    /// Records that were passed over because they could not be read or the sink refused them, and
    /// the first hundred of them.
    std::uint64_t passed_over = 0;
    std::vector<bad_record> bad_records = {};
    /// Of `records`, how many the sink held already, when a run is resumed or incremental.
    std::uint64_t already_there = 0;
    /// Records whose id came again later; the last record of each id was kept. Of more than eight
    /// million records only what the sink's count tells.
    std::uint64_t duplicates = 0;
    /// Bytes of vectors read.
    std::uint64_t vector_bytes = 0;
    /// Seconds of reading and writing, and of verifying.
    double seconds = 0;
    double verify_seconds = 0;
    /// Records that were compared after both sides were read anew.
    std::uint64_t verified = 0;
    /// How many of them differ; the first hundred by name.
    std::uint64_t differing = 0;
    std::vector<difference> differences = {};
    /// How many vectors of the source both sides were searched by, and which share of the source's
    /// exact ten nearest the sink answered: below 1 where its index is not exact, or its metric is
    /// another.
    std::uint64_t probes = 0;
    double top_k_agreement = 1;
    /// What could not be kept, or was not kept by the source itself: a sentence each.
    std::vector<std::string> losses = {};

    [[nodiscard]] bool ok() const noexcept { return differing == 0; }
    [[nodiscard]] double records_per_second() const noexcept {
        return seconds > 0 ? static_cast<double>(records) / seconds : 0;
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif
