// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_MIGRATION_HPP
#define VICINAL_MIGRATE_MIGRATION_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/mapping.hpp>
#include <vicinal/migrate/options.hpp>
#include <vicinal/migrate/probe.hpp>
#include <vicinal/migrate/read_ahead.hpp>
#include <vicinal/migrate/report.hpp>
#include <vicinal/migrate/token.hpp>
#include <vicinal/migrate/verify.hpp>
#include <vicinal/store/repeats.hpp>

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

namespace vicinal::inline VICINAL_ABI::detail {

/// What `strict` says of losses. Errors: unsupported, with all of them.
[[nodiscard]] inline result<void> lose_nothing(std::vector<std::string> const& losses) {
    if (losses.empty()) return {};
    std::string all;
    for (auto const& loss : losses) all.append(all.empty() ? "" : "; ").append(loss);
    return error{errc::unsupported, "a migration that loses nothing, as strict asks for", all};
}

/// The steps of one migration.
template <basic_source Source, basic_sink Sink>
class migration {
public:
    migration(mapped_source<Source>& from, Sink& to, migrate_options const& options)
        : from_(from), to_(to), options_(options), token_(token_path(to)) {
        look_at_sink();
        batch_size_ = (std::min)(options.batch_size, traits_.largest_batch);
    }

    [[nodiscard]] result<migration_report> run() {
        if (batch_size_ == 0)
            return error{errc::invalid_argument, "a batch of at least one record", "0"};
        if (traits_.dim != 0) from_.placeholders(traits_.dim);
        auto const incoming = from_.describe();
        VICINAL_CHECK(incoming);
        total_ = incoming->records;
        report_.losses = incoming->losses;
        if constexpr (requires { to_.losses(*incoming); })
            for (auto& loss : to_.losses(*incoming)) report_.losses.push_back(std::move(loss));
        VICINAL_CHECK(refuse_losses());
        VICINAL_CHECK(options_.dry_run ? check(*incoming) : begin(*incoming));
        probe_ = probe(options_.verify == verify::nothing || options_.dry_run ? 0 : options_.probes,
                       incoming->metric.empty() ? traits_.metric : incoming->metric);
        VICINAL_CHECK(copy(*incoming));
        VICINAL_CHECK(tell_losses());
        VICINAL_CHECK(refuse_losses());
        if (options_.dry_run) return std::move(report_);
        VICINAL_CHECK(to_.finish());
        token_.remove();
        report_.seconds = elapsed();
        if (options_.verify != verify::nothing) VICINAL_CHECK(compare(incoming->dim));
        return std::move(report_);
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t most_hashes = 8'000'000;
    static constexpr std::size_t most_listed = 100;

    [[nodiscard]] static std::string token_path(Sink& to) {
        if constexpr (requires { to.token_path(); })
            return to.token_path();
        else
            return {};
    }
    void look_at_sink() {
        if constexpr (requires { to_.traits(); }) traits_ = to_.traits();
    }
    [[nodiscard]] bool goes_on() const noexcept { return options_.resume || options_.incremental; }

    [[nodiscard]] result<void> refuse_losses() const {
        return options_.strict ? lose_nothing(report_.losses) : result<void>();
    }

    [[nodiscard]] result<void> begin(schema const& incoming) {
        VICINAL_CHECK(count(before_));
        if (!goes_on()) return to_.begin(incoming);
        if constexpr (requires(record const& r) {
                          to_.resume(incoming);
                          to_.holds(r);
                      })
            return to_.resume(incoming);
        else
            return cannot_go_on();
    }
    [[nodiscard]] result<void> count(std::uint64_t& records) {
        if constexpr (requires { to_.count(); }) {
            auto const n = to_.count();
            VICINAL_CHECK(n);
            records = *n;
        }
        return {};
    }

    /// For a dry run: what the sink would say. One that can't tell is not asked.
    template <class What>
    [[nodiscard]] result<void> check(What const& what) {
        if constexpr (requires { to_.check(what); })
            return to_.check(what);
        else
            return {};
    }

    [[nodiscard]] result<void> copy(schema const& incoming) {
        start_ = clock::now();
        if (options_.on_bad_record)
            from_.pass_over([this](bad_record const& bad) { pass_over(bad); });
        VICINAL_CHECK(from_.rewind());
        {
            read_ahead reader(from_, batch_size_, options_.threads);
            std::vector<record> batch;
            for (;;) {
                VICINAL_CHECK(reader.next(batch));
                if (batch.empty()) break;
                VICINAL_CHECK(mark(incoming, batch.front()));
                hashes_.clear();
                for (auto const& r : batch) take_note(r);
                keep_last(batch);
                VICINAL_CHECK(write(batch));
                tell(progress::stage::copying, report_.records, total_);
            }
        }
        report_.left_out = from_.left_out();
        if (options_.on_bad_record) from_.pass_over([](bad_record const&) {});
        from_.leave_out(std::move(refused_));
        report_.seconds = elapsed();
        return count_duplicates();
    }

    /// The token says by which record a source began, before the sink holds any of it.
    [[nodiscard]] result<void> mark(schema const& incoming, record const& first) {
        if (report_.records > 0 || options_.dry_run) return {};
        auto const text = migration_token::text_of(incoming, first);
        if (options_.resume) VICINAL_CHECK(token_.compare(text));
        return token_.keep(text);
    }

    void take_note(record const& r) {
        ++report_.records;
        report_.vector_bytes += r.vector.size() * sizeof(float);
        probe_.offer(r);
        hashes_.push_back(hash_bytes(r.id));
        if (report_.records <= most_hashes) ids_.push_back(hashes_.back());
    }

    /// Of records with the same id in one batch the last one stays: a sink refuses such a batch.
    /// Over batches the sink replaces by itself.
    void keep_last(std::vector<record>& batch) const {
        auto const twice = first_repeat(
            batch.size(), [this](std::size_t i) { return hashes_[i]; },
            [&batch](std::size_t i, std::size_t j) { return batch[i].id == batch[j].id; });
        if (twice == batch.size()) return;
        std::unordered_map<std::string_view, std::size_t> last;
        for (std::size_t i = 0; i < batch.size(); ++i) last[batch[i].id] = i;
        std::vector<record> kept;
        kept.reserve(last.size());
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (last.at(batch[i].id) == i) kept.push_back(batch[i]);
        batch = std::move(kept);
    }

    [[nodiscard]] result<void> write(std::vector<record>& batch) {
        VICINAL_CHECK(leave_out_held(batch));
        if (batch.empty()) return {};
        auto const all = std::span<record const>(batch);
        auto const done = write_or_check(all);
        if (done) {
            report_.written += options_.dry_run ? 0 : batch.size();
            return {};
        }
        if (!options_.on_bad_record || !about_record(done.error().code())) return done;
        // One of them is to blame: one by one.
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const one = write_or_check(all.subspan(i, 1));
            if (!one && !about_record(one.error().code())) return one;
            if (!one)
                refuse(all[i].id, one.error());
            else
                report_.written += options_.dry_run ? 0 : 1;
        }
        return {};
    }
    [[nodiscard]] result<void> write_or_check(std::span<record const> batch) {
        if (!traits_.takes_no_vector)
            for (auto const& r : batch)
                if (r.vector.empty())
                    return error{errc::dimension_mismatch,
                                 "a vector for each record, or what becomes of those without one "
                                 "(record_mapping::without_vector, --without-vector of the tool)",
                                 "none in record '" + r.id + "'"};
        return options_.dry_run ? check(batch) : to_.write(batch);
    }
    /// Whether an error is about one record rather than the sink.
    [[nodiscard]] static bool about_record(errc code) noexcept {
        return code == errc::dimension_mismatch || code == errc::not_finite ||
               code == errc::zero_vector || code == errc::empty_id || code == errc::invalid_id ||
               code == errc::invalid_payload || code == errc::unsupported ||
               code == errc::limit_exceeded;
    }

    /// What the sink refused is not looked for in it later.
    void refuse(std::string const& id, error const& reason) {
        pass_over({{}, id, reason});
        refused_.push_back(hash_bytes(id));
    }
    /// On the reading thread for what can't be read, on the calling one for what is refused.
    void pass_over(bad_record const& bad) {
        mutex_lock const lock(bad_mutex_);
        ++report_.passed_over;
        if (report_.bad_records.size() < most_listed) report_.bad_records.push_back(bad);
        options_.on_bad_record(bad);
    }

    /// Ids that came again, in one batch or another, by their hashes or by what the sink counts.
    [[nodiscard]] result<void> count_duplicates() {
        if (report_.records <= most_hashes) {
            std::sort(ids_.begin(), ids_.end());
            auto const once = std::unique(ids_.begin(), ids_.end());
            report_.duplicates = static_cast<std::uint64_t>(ids_.end() - once);
        } else if (before_ == 0 && !options_.dry_run) {
            std::uint64_t after = 0;
            VICINAL_CHECK(count(after));
            auto const taken = report_.records - report_.passed_over;
            report_.duplicates = after > 0 && after < taken ? taken - after : 0;
        }
        ids_ = {};
        if (report_.duplicates > 0)
            report_.losses.push_back(
                std::to_string(report_.duplicates) +
                " records had an id that came again; the last of each was kept");
        return {};
    }

    /// What the source has found out while it was read.
    [[nodiscard]] result<void> tell_losses() {
        auto const known = from_.describe();
        VICINAL_CHECK(known);
        for (auto const& loss : known->losses)
            if (std::find(report_.losses.begin(), report_.losses.end(), loss) ==
                report_.losses.end())
                report_.losses.push_back(loss);
        return {};
    }

    /// When a run goes on: what the sink holds already needs no writing.
    [[nodiscard]] result<void> leave_out_held(std::vector<record>& batch) {
        if constexpr (requires(record const& r) { to_.holds(r); }) {
            if (!goes_on()) return {};
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

    [[nodiscard]] result<void> compare(std::size_t dim) {
        start_ = clock::now();
        look_at_sink();
        auto written = to_.reopen();
        VICINAL_CHECK(written);
        comparison_rules rules;
        if (options_.verify == verify::sample)
            rules.every = (std::max)(report_.records / 1000, std::uint64_t{1});
        rules.batch_size = options_.batch_size;
        rules.payloads = traits_.keeps_payloads;
        rules.vectors = traits_.keeps_vectors;
        rules.by_direction = traits_.normalises;
        rules.extras_allowed = before_ > 0 || goes_on();
        rules.repeated_ids = report_.duplicates > 0;
        rules.dim = dim;
        // Other records of the sink's, or older ones of an id, may be nearer.
        if (rules.extras_allowed || report_.duplicates > 0) probe_.forget();
        std::uint64_t done = 0;
        // Each record is read on either side.
        VICINAL_CHECK(comparison(rules).run(
            from_, *written, probe_,
            [&](std::size_t n) {
                done += n;
                tell(progress::stage::verifying, done, 2 * report_.records);
            },
            report_));
        probe_.tell(report_);
        report_.verify_seconds = elapsed();
        return {};
    }

    void tell(progress::stage at, std::uint64_t done, std::optional<std::uint64_t> total) const {
        if (options_.on_progress) options_.on_progress({done, total, at, elapsed()});
    }
    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(clock::now() - start_).count();
    }

    mapped_source<Source>& from_;
    Sink& to_;
    migrate_options const& options_;
    migration_token token_;
    sink_traits traits_;
    std::size_t batch_size_ = 0;
    migration_report report_;
    mutex bad_mutex_;
    probe probe_{0, {}};
    std::vector<std::uint64_t> refused_; // hashes of ids
    std::vector<std::uint64_t> ids_;     // hashes of those that came, up to most_hashes
    std::vector<std::uint64_t> hashes_;  // those of the batch
    std::optional<std::uint64_t> total_;
    clock::time_point start_ = {};
    std::uint64_t before_ = 0; // records of the sink's
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
