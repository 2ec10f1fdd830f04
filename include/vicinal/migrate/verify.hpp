// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_VERIFY_HPP
#define VICINAL_MIGRATE_VERIFY_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/direction.hpp>
#include <vicinal/migrate/fingerprint.hpp>
#include <vicinal/migrate/options.hpp>
#include <vicinal/migrate/probe.hpp>
#include <vicinal/migrate/report.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What is compared, and how.
struct comparison_rules {
    /// One record in `every` takes part, chosen by its id.
    std::uint64_t every = 1;
    std::size_t batch_size = 1000;
    /// Whether payloads count, and vectors.
    bool payloads = true;
    bool vectors = true;
    /// Whether vectors are equal where their directions are, as of a side that normalises them.
    bool by_direction = false;
    /// Whether records that only the right side has are no differences.
    bool extras_allowed = false;
    /// Whether an id may come several times on a side: then everything is sorted, as which of them
    /// came last is not in a sum.
    bool repeated_ids = false;
    /// Elements of a vector; only for what is held in memory at a time.
    std::size_t dim = 0;
};

/// Compares two sources record by record, whatever their order and size.
///
/// Each side is read once, and the fingerprints of its records are added up in 65,536 buckets by
/// their ids: sides that are equal are known to be so after that. Buckets that differ are read
/// again, as many at a time as have 64 MiB of fingerprints, and sorted; a third time for the ids to
/// report. Memory: 2 MiB, and 64 MiB where something differs.
class comparison {
public:
    explicit comparison(comparison_rules const& rules) : rules_(rules) {
        if (rules_.every == 0) rules_.every = 1;
    }

    template <basic_source Left, basic_source Right, class OnBatch>
    [[nodiscard]] result<void> run(Left& left, Right& right, probe& asked, OnBatch const& on_batch,
                                   migration_report& report) {
        std::vector<bucket> a(buckets);
        std::vector<bucket> b(buckets);
        VICINAL_CHECK(add_up(left, a, on_batch, asked.on_left()));
        VICINAL_CHECK(add_up(right, b, on_batch, asked.on_right(right)));
        for (auto const& one : a) report.verified += one.count;
        VICINAL_CHECK(look_closely(left, right, a, b, report));
        report.differing = differing_;
        if (found_.empty()) return {};
        std::sort(found_.begin(), found_.end());
        VICINAL_CHECK(name_ids(left, report));
        return name_ids(right, report);
    }

private:
    struct bucket {
        std::uint64_t sum = 0;
        std::uint64_t count = 0;
        friend bool operator==(bucket const&, bucket const&) = default;
    };
    struct items {
        std::vector<fingerprint> list;
        direction_pool directions; // where these are compared: fingerprint::vector is a place in it
    };
    using finding = std::pair<std::uint64_t, difference::kind>;
    static constexpr std::size_t buckets = std::size_t{1} << 16;
    static constexpr std::size_t most_bytes = std::size_t{64} << 20;
    static constexpr std::size_t most_named = 100;
    // Of more differences than this the first by their hashes are candidates for a name.
    static constexpr std::size_t most_found = 10'000;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t id) noexcept { return id >> 48U; }
    // Another mixture than the bucket's, so that a sample is spread over all buckets.
    [[nodiscard]] bool takes_part(std::uint64_t id) const noexcept {
        return id % rules_.every == 0;
    }

    template <class Source, class Each>
    [[nodiscard]] result<void> each_batch(Source& source, Each const& each) const {
        std::vector<record> batch;
        VICINAL_CHECK(source.rewind());
        for (;;) {
            VICINAL_CHECK(source.read(batch, rules_.batch_size));
            if (batch.empty()) return {};
            if (!each(batch)) return {};
        }
    }

    template <class Source, class OnBatch, class Also>
    [[nodiscard]] result<void> add_up(Source& source, std::vector<bucket>& sums,
                                      OnBatch const& on_batch, Also const& also) {
        return each_batch(source, [&](std::vector<record> const& batch) {
            for (auto const& r : batch) {
                also(r);
                auto const id = hash_bytes(r.id);
                if (!takes_part(id)) continue;
                auto const f = fingerprint_of(r);
                auto& to = sums[bucket_of(id)];
                to.sum += mix(f.id ^ mix(vector_part(f) ^ mix(payload_part(f))));
                ++to.count;
            }
            on_batch(batch.size());
            return true;
        });
    }
    [[nodiscard]] std::uint64_t vector_part(fingerprint const& f) const noexcept {
        return rules_.by_direction || !rules_.vectors ? 0 : f.vector;
    }
    [[nodiscard]] std::uint64_t payload_part(fingerprint const& f) const noexcept {
        return rules_.payloads ? f.payload : 0;
    }

    template <class Left, class Right>
    [[nodiscard]] result<void> look_closely(Left& left, Right& right, std::vector<bucket> const& a,
                                            std::vector<bucket> const& b,
                                            migration_report& report) {
        auto const item_bytes =
            sizeof(fingerprint) + (rules_.by_direction ? rules_.dim * sizeof(float) : 0);
        std::vector<bool> suspect(buckets, false);
        for (std::size_t i = 0; i < buckets; ++i)
            suspect[i] = rules_.by_direction || rules_.repeated_ids || a[i] != b[i];
        for (std::size_t first = 0; first < buckets;) {
            std::size_t bytes = 0;
            auto last = first;
            for (; last < buckets && (bytes < most_bytes || last == first); ++last)
                if (suspect[last])
                    bytes += static_cast<std::size_t>(a[last].count + b[last].count) * item_bytes;
            if (bytes > 0) {
                items x;
                items y;
                VICINAL_CHECK(collect(left, suspect, first, last, x, report.verified));
                std::uint64_t not_counted = 0;
                VICINAL_CHECK(collect(right, suspect, first, last, y, not_counted));
                merge(x, y);
            }
            first = last;
        }
        return {};
    }

    /// Sorted by id, each id once: the last record of an id is the one that counts. What goes is
    /// taken from `counted`.
    template <class Source>
    [[nodiscard]] result<void> collect(Source& source, std::vector<bool> const& suspect,
                                       std::size_t first, std::size_t last, items& out,
                                       std::uint64_t& counted) {
        VICINAL_CHECK(each_batch(source, [&](std::vector<record> const& batch) {
            for (auto const& r : batch) {
                auto const id = hash_bytes(r.id);
                auto const at = bucket_of(id);
                if (at < first || at >= last || !suspect[at] || !takes_part(id)) continue;
                auto f = fingerprint_of(r);
                if (rules_.by_direction) f.vector = out.directions.add(r.vector);
                out.list.push_back(f);
            }
            return true;
        }));
        std::stable_sort(out.list.begin(), out.list.end(),
                         [](fingerprint const& x, fingerprint const& y) { return x.id < y.id; });
        // unique keeps the first of equal ones, so it runs from the back.
        auto const kept =
            std::unique(out.list.rbegin(), out.list.rend(),
                        [](fingerprint const& x, fingerprint const& y) { return x.id == y.id; });
        auto const gone = out.list.rend() - kept;
        counted -= (std::min)(counted, static_cast<std::uint64_t>(gone));
        out.list.erase(out.list.begin(), kept.base());
        return {};
    }

    void merge(items const& left, items const& right) {
        auto a = left.list.begin();
        auto b = right.list.begin();
        while (a != left.list.end() || b != right.list.end()) {
            if (b == right.list.end() || (a != left.list.end() && a->id < b->id)) {
                find(a++->id, difference::kind::missing);
            } else if (a == left.list.end() || b->id < a->id) {
                if (!rules_.extras_allowed) find(b->id, difference::kind::unexpected);
                ++b;
            } else {
                if (rules_.vectors && !same_vector(left, *a, right, *b))
                    find(a->id, difference::kind::vector);
                else if (payload_part(*a) != payload_part(*b))
                    find(a->id, difference::kind::payload);
                ++a;
                ++b;
            }
        }
    }
    [[nodiscard]] bool same_vector(items const& left, fingerprint const& a, items const& right,
                                   fingerprint const& b) const {
        return rules_.by_direction ? left.directions.same(a.vector, right.directions, b.vector)
                                   : a.vector == b.vector;
    }
    void find(std::uint64_t id, difference::kind what) {
        ++differing_;
        if (found_.size() < most_found) found_.emplace_back(id, what);
    }

    /// Reads a side again for the ids behind the hashes; what has a name leaves the list.
    template <class Source>
    [[nodiscard]] result<void> name_ids(Source& source, migration_report& report) {
        return each_batch(source, [&](std::vector<record> const& batch) {
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
            return report.differences.size() < most_named && !found_.empty();
        });
    }

    comparison_rules rules_;
    std::uint64_t differing_ = 0;
    std::vector<finding> found_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
