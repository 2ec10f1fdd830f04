// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_DIFF_HPP
#define VICINAL_MIGRATE_DIFF_HPP

#include <vicinal/migrate/migrate.hpp>
#include <vicinal/migrate/probe.hpp>
#include <vicinal/migrate/verify.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace vicinal::inline VICINAL_ABI {

/// How two sides are compared.
struct diff_options {
    std::size_t batch_size = 1000;
    /// Whether vectors are equal where their directions are.
    bool by_direction = false;
    /// Whether payloads count.
    bool payloads = true;
    /// Seen on the left side only.
    record_mapping mapping = {};
    /// Records read so far on both sides, after every batch, on the calling thread.
    std::function<void(progress const&)> on_progress = {};
};

/// Compares every record of two sources or stores of floats: which are missing on the right side,
/// unexpected there, or differ in vector or payload. Nothing is written.
///
/// Memory: at most 66 MiB. Errors: those of the two sides; invalid_argument, invalid_filter.
template <class Left, class Right>
[[nodiscard]] result<migration_report> try_diff(Left&& left, Right&& right,
                                                diff_options const& options = {}) {
    return detail::guarded([&]() -> result<migration_report> {
        if (options.batch_size == 0)
            return error{errc::invalid_argument, "a batch of at least one record", "0"};
        decltype(auto) a = detail::as_source(left);
        decltype(auto) b = detail::as_source(right);
        using left_type = std::remove_cvref_t<decltype(a)>;
        auto mapped = detail::mapped_source<left_type>::make(a, options.mapping);
        VICINAL_CHECK(mapped);
        auto const about = mapped->describe();
        VICINAL_CHECK(about);
        auto const other = b.describe();
        VICINAL_CHECK(other);
        detail::comparison_rules rules;
        rules.batch_size = options.batch_size;
        rules.payloads = options.payloads;
        rules.by_direction = options.by_direction;
        rules.repeated_ids = true; // nothing is known of them
        rules.dim = about->dim;
        detail::probe none(0, {});
        std::optional<std::uint64_t> total;
        if (about->records && other->records) total = *about->records + *other->records;
        auto const start = std::chrono::steady_clock::now();
        auto const elapsed = [start] {
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        migration_report report;
        std::uint64_t done = 0;
        VICINAL_CHECK(detail::comparison(rules).run(
            *mapped, b, none,
            [&](std::size_t n) {
                done += n;
                if (options.on_progress)
                    options.on_progress({done, total, progress::stage::verifying, elapsed()});
            },
            report));
        report.records = report.verified;
        report.left_out = mapped->left_out();
        report.verify_seconds = elapsed();
        return report;
    });
}

#if VICINAL_EXCEPTIONS
/// As `try_diff`, but throws its error.
template <class Left, class Right>
migration_report diff(Left&& left, Right&& right, diff_options const& options = {}) {
    return try_diff(left, right, options).value();
}
#endif

} // namespace vicinal::inline VICINAL_ABI

#endif
