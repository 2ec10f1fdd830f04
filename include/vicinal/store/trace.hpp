// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_TRACE_HPP
#define VICINAL_STORE_TRACE_HPP

#include <vicinal/index/tally.hpp>
#include <vicinal/store/explanation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where a search tells what it does and nobody listens: costs nothing.
struct no_trace {
    [[nodiscard]] constexpr index::no_tally tally() const noexcept { return {}; }
    constexpr void phase(std::string_view) const noexcept {}
    constexpr void plan(search_plan) const noexcept {}
    constexpr void given_up(search_plan) const noexcept {}
    constexpr void estimated(double, match_source) const noexcept {}
    constexpr void found(match_source) const noexcept {}
    constexpr void asked(std::size_t) const noexcept {}
};

/// The trace of searches that nobody asks about.
inline constexpr no_trace untold = {};

/// Writes it into an explanation. A type of its own, so that a search which nobody asks about is
/// compiled without.
class trace {
public:
    explicit trace(explanation& to) noexcept : to_(&to), began_(now()) {}

    [[nodiscard]] index::tally tally() const noexcept { return index::tally(counts_); }
    /// What was under way has ended, and something else begins; an empty name for nothing.
    void phase(std::string_view name) {
        auto const at = now();
        if (!running_.empty()) to_->phases.push_back({running_, at - began_});
        running_ = name;
        began_ = at;
    }
    void plan(search_plan p) noexcept { to_->plan = p; }
    void given_up(search_plan p) noexcept { to_->given_up = p; }
    void estimated(double matching, match_source source) noexcept {
        to_->estimated = static_cast<std::size_t>(matching + 0.5);
        to_->estimated_by = source;
    }
    void found(match_source source) noexcept { to_->found_by = source; }
    /// A payload of so many bytes was read.
    void asked(std::size_t bytes) noexcept {
        ++to_->payloads;
        to_->bytes += bytes;
    }
    /// Takes the counts over, with the bytes of a code and of a vector.
    void finish(std::size_t code_bytes, std::size_t vector_bytes) {
        phase({});
        to_->code_distances = counts_.codes;
        to_->vector_distances = counts_.vectors;
        to_->bytes += std::uint64_t{counts_.codes} * code_bytes +
                      std::uint64_t{counts_.vectors} * vector_bytes;
        for (auto const& p : to_->phases) to_->nanoseconds += p.nanoseconds;
    }

private:
    [[nodiscard]] static std::uint64_t now() noexcept {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::steady_clock::now().time_since_epoch())
                                              .count());
    }

    explanation* to_;
    mutable index::distance_counts counts_;
    std::string_view running_;
    std::uint64_t began_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
