// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_EXPLANATION_HPP
#define VICINAL_STORE_EXPLANATION_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// The ways to an answer.
enum class search_plan : std::uint8_t {
    nothing,      // no record, or none wanted
    scan,         // every row is compared
    scan_asking,  // every row; what is near enough is asked for its payload
    scan_matches, // the matches are known, and each is compared
    walk,         // over the graph, without a filter
    walk_matches, // over the graph, where the matches are known
    walk_asking,  // over the graph; of what it meets the nearest are asked for their payload
};

/// The plan in words.
[[nodiscard]] constexpr std::string_view name_of(search_plan p) noexcept {
    switch (p) {
        case search_plan::nothing: return "nothing to look for";
        case search_plan::scan: return "exact scan of all rows";
        case search_plan::scan_asking: return "exact scan that asks payloads";
        case search_plan::scan_matches: return "exact scan of the matches";
        case search_plan::walk: return "walk over the graph";
        case search_plan::walk_matches: return "walk among known matches";
        case search_plan::walk_asking: return "walk that asks payloads";
    }
    return "?";
}

/// What told how many records match, or which.
enum class match_source : std::uint8_t {
    none,     // nothing did, or had to
    cache,    // an earlier search with the same filter
    indexes,  // indexes on fields
    sample,   // the payloads of a few hundred records
    payloads, // the payloads of all records
};

/// The source in words.
[[nodiscard]] constexpr std::string_view name_of(match_source s) noexcept {
    switch (s) {
        case match_source::none: return "nothing";
        case match_source::cache: return "an earlier search";
        case match_source::indexes: return "field indexes";
        case match_source::sample: return "a sample";
        case match_source::payloads: return "all payloads";
    }
    return "?";
}

/// What a search did for its answer.
struct explanation {
    search_plan plan = search_plan::nothing;
    /// What was begun before it and given up, as the estimate had been wrong.
    std::optional<search_plan> given_up = {};
    /// Live records; of them, those that match, and how many were thought to.
    std::size_t records = 0;
    std::size_t matching = 0;
    std::size_t estimated = 0;
    match_source estimated_by = match_source::none;
    /// How the matches were found, where the plan has them all.
    match_source found_by = match_source::none;
    /// Distances that were computed, of codes and of vectors.
    std::size_t code_distances = 0;
    std::size_t vector_distances = 0;
    /// Rows whose payload was read, each time that it was; those of a sample are not counted.
    std::size_t payloads = 0;
    /// Bytes of these codes, vectors and payloads.
    std::uint64_t bytes = 0;
    /// What took how long, in order, and all of it: nanoseconds of the clock.
    struct phase {
        std::string_view name;
        std::uint64_t nanoseconds = 0;
    };
    std::vector<phase> phases = {};
    std::uint64_t nanoseconds = 0;
    /// What would make it quicker, in words.
    std::vector<std::string> hints = {};
};

namespace detail {

/// 48,000 for 48000.
[[nodiscard]] inline std::string with_commas(std::uint64_t n) {
    auto digits = std::to_string(n);
    for (auto at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

} // namespace detail

/// The explanation as a page of text, a line for each matter. Throws std::bad_alloc.
[[nodiscard]] inline std::string to_string(explanation const& e) {
    using detail::with_commas;
    std::string page = "plan: " + std::string(name_of(e.plan));
    if (e.given_up) page += ", after a " + std::string(name_of(*e.given_up)) + " was given up";
    page += "\nmatches: " + with_commas(e.matching) + " of " + with_commas(e.records) + " records";
    if (e.estimated_by != match_source::none)
        page += "; estimated " + with_commas(e.estimated) + " by " +
                std::string(name_of(e.estimated_by));
    if (e.found_by != match_source::none) page += "; found by " + std::string(name_of(e.found_by));
    page += "\nlooked at: " + with_commas(e.code_distances) + " codes, " +
            with_commas(e.vector_distances) + " vectors, " + with_commas(e.payloads) +
            " payloads: " + with_commas(e.bytes) + " bytes";
    page += "\ntime: " + with_commas(e.nanoseconds / 1000) + " us";
    char const* before = " (";
    for (auto const& p : e.phases) {
        page.append(before).append(p.name).append(" ").append(with_commas(p.nanoseconds / 1000));
        before = ", ";
    }
    if (!e.phases.empty()) page += ")";
    page += "\n";
    for (auto const& hint : e.hints) page += "hint: " + hint + "\n";
    return page;
}

} // namespace vicinal::inline VICINAL_ABI

#endif
