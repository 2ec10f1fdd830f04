// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_MIGRATE_HPP
#define VICINAL_MIGRATE_MIGRATE_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/options.hpp>
#include <vicinal/migrate/report.hpp>
#include <vicinal/migrate/store_sides.hpp>
#include <vicinal/migrate/verify.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What `migrate` reads: a source, or any store of floats.
template <class S>
concept record_source = basic_source<S> || float_store<S>;

/// What `migrate` writes: a sink, or any store of floats.
template <class S>
concept record_sink = basic_sink<S> || float_store<S>;

namespace detail {

/// The steps of one migration.
template <basic_source Source, basic_sink Sink>
class migration {
public:
    migration(Source& from, Sink& to, migrate_options const& options) noexcept
        : from_(from), to_(to), options_(options) {}

    [[nodiscard]] result<migration_report> run() {
        if (options_.batch_size == 0)
            return error{errc::invalid_argument, "a batch of at least one record", "0"};
        auto const incoming = from_.describe();
        VICINAL_CHECK(incoming);
        total_ = incoming->records;
        report_.losses = incoming->losses;
        if constexpr (requires { to_.losses(*incoming); })
            for (auto& loss : to_.losses(*incoming)) report_.losses.push_back(std::move(loss));
        if (options_.dry_run)
            VICINAL_CHECK(check(*incoming));
        else
            VICINAL_CHECK(begin(*incoming));
        VICINAL_CHECK(copy());
        count_duplicates();
        if (report_.duplicates > 0)
            report_.losses.push_back(
                std::to_string(report_.duplicates) +
                " records had an id that came again; the last of each was kept");
        if (options_.dry_run) return report_;
        VICINAL_CHECK(to_.finish());
        report_.seconds = elapsed();
        if (options_.verify != verify::nothing) VICINAL_CHECK(compare());
        return report_;
    }

private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] result<void> begin(schema const& incoming) {
        if constexpr (requires { to_.count(); }) {
            auto const before = to_.count();
            VICINAL_CHECK(before);
            sink_was_empty_ = *before == 0;
        }
        if (!options_.resume) return to_.begin(incoming);
        if constexpr (requires(record const& r) {
                          to_.resume(incoming);
                          to_.holds(r);
                      })
            return to_.resume(incoming);
        else
            return error{errc::unsupported, "a sink that can be resumed", "another"};
    }

    /// For a dry run: what the sink would say. One that can't tell is not asked.
    template <class What>
    [[nodiscard]] result<void> check(What const& what) {
        if constexpr (requires { to_.check(what); })
            return to_.check(what);
        else
            return {};
    }

    [[nodiscard]] result<void> copy() {
        start_ = clock::now();
        VICINAL_CHECK(from_.rewind());
        std::vector<record> batch;
        for (;;) {
            VICINAL_CHECK(from_.read(batch, options_.batch_size));
            if (batch.empty()) break;
            report_.records += batch.size();
            for (auto const& r : batch) {
                report_.vector_bytes += r.vector.size() * sizeof(float);
                ids_.push_back(hash_bytes(r.id));
            }
            keep_last(batch);
            if (options_.dry_run) {
                VICINAL_CHECK(check(std::span<record const>(batch)));
            } else {
                VICINAL_CHECK(leave_out_held(batch));
                if (!batch.empty()) VICINAL_CHECK(to_.write(batch));
                report_.written += batch.size();
            }
            tell(progress::stage::copying, report_.records, total_);
        }
        report_.seconds = elapsed();
        return {};
    }

    /// Of records with the same id in one batch the last one stays: a sink refuses such a batch.
    /// Over batches the sink replaces by itself.
    static void keep_last(std::vector<record>& batch) {
        std::unordered_map<std::string_view, std::size_t> last;
        last.reserve(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) last[batch[i].id] = i;
        if (last.size() == batch.size()) return;
        std::vector<record> kept;
        kept.reserve(last.size());
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (last.at(batch[i].id) == i) kept.push_back(batch[i]);
        batch = std::move(kept);
    }

    /// Ids that came again, in one batch or another, by their hashes.
    void count_duplicates() {
        std::sort(ids_.begin(), ids_.end());
        auto const once = std::unique(ids_.begin(), ids_.end());
        report_.duplicates = static_cast<std::uint64_t>(ids_.end() - once);
        ids_ = {};
    }

    /// When resumed: what the sink holds already needs no writing.
    [[nodiscard]] result<void> leave_out_held(std::vector<record>& batch) {
        if constexpr (requires(record const& r) { to_.holds(r); }) {
            if (!options_.resume) return {};
            std::size_t kept = 0;
            for (auto& r : batch) {
                auto const held = to_.holds(r);
                VICINAL_CHECK(held);
                if (*held)
                    ++report_.already_there;
                else if (&r != &batch[kept++])
                    batch[kept - 1] = std::move(r);
            }
            batch.resize(kept);
        }
        return {};
    }

    [[nodiscard]] result<void> compare() {
        start_ = clock::now();
        auto written = to_.reopen();
        VICINAL_CHECK(written);
        auto const every = options_.verify == verify::sample
                               ? (std::max)(report_.records / 1000, std::uint64_t{1})
                               : std::uint64_t{1};
        std::uint64_t done = 0;
        bool payloads = true;
        if constexpr (requires { to_.keeps_payloads(); }) payloads = to_.keeps_payloads();
        comparison both(every, options_.batch_size, payloads);
        // Each record is read on either side.
        VICINAL_CHECK(both.run(
            from_, *written, !sink_was_empty_ || options_.resume,
            [&](std::size_t n) {
                done += n;
                tell(progress::stage::verifying, done, 2 * report_.records);
            },
            report_));
        report_.verify_seconds = elapsed();
        return {};
    }

    void tell(progress::stage at, std::uint64_t done, std::optional<std::uint64_t> total) const {
        if (options_.on_progress) options_.on_progress({done, total, at, elapsed()});
    }
    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(clock::now() - start_).count();
    }

    Source& from_;
    Sink& to_;
    migrate_options const& options_;
    migration_report report_;
    std::vector<std::uint64_t> ids_; // hashes of all that came
    std::optional<std::uint64_t> total_;
    clock::time_point start_ = {};
    bool sink_was_empty_ = true;
};

template <class S>
[[nodiscard]] decltype(auto) as_source(S& s) {
    if constexpr (basic_source<S>)
        return (s);
    else
        return store_source<std::remove_const_t<S>>(s);
}
template <class S>
[[nodiscard]] decltype(auto) as_sink(S& s) {
    if constexpr (basic_sink<S>)
        return (s);
    else
        return store_sink<S>(s);
}

} // namespace detail

/// Moves every record of `from` into `to`, then reads both anew and compares them as options.verify
/// says; the sink is verified from where it is kept, not from memory. A record that `to` has
/// already is replaced.
///
/// Stops at the first record that the sink refuses, with its id; whole batches written before it
/// stay. Differences are in the report, not an error: see ok(). Memory: one batch, 8 bytes a
/// record, and 48 bytes a record for verifying. Errors: those of the two sides; invalid_argument,
/// unsupported.
template <class From, class To>
[[nodiscard]] result<migration_report> try_migrate(From&& from, To&& to,
                                                   migrate_options const& options = {}) {
    static_assert(record_source<std::remove_cvref_t<From>>,
                  "vicinal: migrate(source, sink): the source cannot be read; see "
                  "vicinal/migrate/concept.hpp");
    static_assert(record_sink<std::remove_cvref_t<To>>,
                  "vicinal: migrate(source, sink): the sink cannot be written; see "
                  "vicinal/migrate/concept.hpp");
    return detail::guarded([&]() -> result<migration_report> {
        decltype(auto) source = detail::as_source(from);
        decltype(auto) sink = detail::as_sink(to);
        return detail::migration(source, sink, options).run();
    });
}

#if VICINAL_EXCEPTIONS
/// As `try_migrate`, but throws its error.
template <class From, class To>
migration_report migrate(From&& from, To&& to, migrate_options const& options = {}) {
    return try_migrate(from, to, options).value();
}
#endif

} // namespace vicinal::inline VICINAL_ABI

#endif
