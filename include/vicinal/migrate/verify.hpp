// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_VERIFY_HPP
#define VICINAL_MIGRATE_VERIFY_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fingerprint.hpp>
#include <vicinal/migrate/options.hpp>
#include <vicinal/migrate/report.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Compares two sources record by record, whatever their order.
///
/// Both are read from their beginning: the first time for a fingerprint of each record, 24 bytes a
/// record and side; a second time only where something differs, for the ids to report.
class comparison {
public:
    /// One record in `every` takes part, chosen by its id. `payloads`: whether they count.
    comparison(std::uint64_t every, std::size_t batch_size, bool payloads = true) noexcept
        : every_(every == 0 ? 1 : every), batch_size_(batch_size), payloads_(payloads) {}

    /// extras_allowed: records that only `right` has are not differences.
    template <basic_source Left, basic_source Right, class OnBatch>
    [[nodiscard]] result<void> run(Left& left, Right& right, bool extras_allowed,
                                   OnBatch const& on_batch, migration_report& report) {
        auto a = collect(left, on_batch);
        VICINAL_CHECK(a);
        auto b = collect(right, on_batch);
        VICINAL_CHECK(b);
        report.verified = a->size();
        merge(*a, *b, extras_allowed);
        report.differing = found_.size();
        if (found_.empty()) return {};
        std::sort(found_.begin(), found_.end());
        VICINAL_CHECK(name_ids(left, report));
        return name_ids(right, report);
    }

private:
    using fingerprints = std::vector<fingerprint>;
    using finding = std::pair<std::uint64_t, difference::kind>;
    static constexpr std::size_t most_named = 100;

    [[nodiscard]] bool takes_part(std::uint64_t id) const noexcept { return id % every_ == 0; }

    /// Sorted by id, each id once: the last record of an id is the one that counts.
    template <class Source, class OnBatch>
    [[nodiscard]] result<fingerprints> collect(Source& source, OnBatch const& on_batch) const {
        fingerprints all;
        std::vector<record> batch;
        VICINAL_CHECK(source.rewind());
        for (;;) {
            VICINAL_CHECK(source.read(batch, batch_size_));
            if (batch.empty()) break;
            for (auto const& r : batch)
                if (auto const f = fingerprint_of(r); takes_part(f.id)) all.push_back(f);
            on_batch(batch.size());
        }
        auto const same_id = [](fingerprint const& x, fingerprint const& y) {
            return x.id == y.id;
        };
        std::stable_sort(all.begin(), all.end(),
                         [](fingerprint const& x, fingerprint const& y) { return x.id < y.id; });
        // unique keeps the first of equal ones, so it runs from the back.
        auto const kept = std::unique(all.rbegin(), all.rend(), same_id);
        all.erase(all.begin(), kept.base());
        return all;
    }

    void merge(fingerprints const& left, fingerprints const& right, bool extras_allowed) {
        auto a = left.begin();
        auto b = right.begin();
        while (a != left.end() || b != right.end()) {
            if (b == right.end() || (a != left.end() && a->id < b->id)) {
                found_.emplace_back(a++->id, difference::kind::missing);
            } else if (a == left.end() || b->id < a->id) {
                if (!extras_allowed) found_.emplace_back(b->id, difference::kind::unexpected);
                ++b;
            } else {
                if (a->vector != b->vector)
                    found_.emplace_back(a->id, difference::kind::vector);
                else if (payloads_ && a->payload != b->payload)
                    found_.emplace_back(a->id, difference::kind::payload);
                ++a;
                ++b;
            }
        }
    }

    /// Reads a side again for the ids behind the hashes; what has a name leaves the list.
    template <class Source>
    [[nodiscard]] result<void> name_ids(Source& source, migration_report& report) {
        std::vector<record> batch;
        VICINAL_CHECK(source.rewind());
        while (report.differences.size() < most_named && !found_.empty()) {
            VICINAL_CHECK(source.read(batch, batch_size_));
            if (batch.empty()) break;
            for (auto const& r : batch) {
                auto const id = hash_bytes(r.id);
                auto const at = std::lower_bound(
                    found_.begin(), found_.end(), id,
                    [](finding const& f, std::uint64_t wanted) { return f.first < wanted; });
                if (at == found_.end() || at->first != id) continue;
                if (report.differences.size() < most_named)
                    report.differences.push_back({r.id, at->second});
                found_.erase(at);
            }
        }
        return {};
    }

    std::uint64_t every_;
    std::size_t batch_size_;
    bool payloads_;
    std::vector<finding> found_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
