// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_SEARCHES_HPP
#define VICINAL_INDEX_IVF_SEARCHES_HPP

#include <vicinal/index/ivf/batch.hpp>
#include <vicinal/index/ivf/filter_costs.hpp>
#include <vicinal/index/ivf/probe.hpp>
#include <vicinal/index/ivf/tune.hpp>
#include <vicinal/index/reservoir.hpp>
#include <vicinal/index/scan_codes.hpp>
#include <vicinal/index/way_among.hpp>
#include <vicinal/index/workers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Inverted lists as searches see them. Any number of threads may search; a tally counts the
/// distances that one computes, those from centres left out.
template <class Codec, class Metric, class Storage>
class searches {
public:
    using element = metric::element_of<Metric>;
    using vectors_type = vectors_of<Codec, Storage>;
    using codes_type = codes<Codec, Metric, Storage>;
    static constexpr std::size_t at_once = batch<Metric, Storage, codes_type>::most;
    static constexpr std::size_t any_number = (std::numeric_limits<std::size_t>::max)();

    [[nodiscard]] slot covered() const noexcept { return lists_.get().covered; }
    /// Lists there are.
    [[nodiscard]] std::size_t partitions() const noexcept { return lists_.get().lists; }

    /// The best by their codes of the rows in the `effort` lists ("nprobe") that are nearest to the
    /// query, and of more lists where they have fewer than `wanted` rows that `keep` holds for.
    /// Cost: a distance for each list, and a code for each row that is kept.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                            std::size_t effort, Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            neighbours found;
            find(query, wanted, keep, no_tally{}, up_to{effort},
                 [&](auto const&, auto const&, neighbours all) { found = std::move(all); });
            return found;
        });
    }

    /// The same, compared by their vectors: offers the best of the covered rows. Always true: a
    /// probe is never given up.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool>
    search_into(element const* query, std::size_t effort, Keep const& keep, nearest<Before>& best,
                std::size_t = any_number, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            find(query, best.wanted(), keep, tally, up_to{effort}, comparing(query, best, tally));
            return true;
        });
    }

    /// The same for best.size() queries, one behind the other: a list is read once for all that
    /// look at it, and distances from centres are a tiled product. On up to `threads` threads.
    /// Errors: out_of_memory.
    template <class Keep, class Before>
    [[nodiscard]] result<void> search_batch(element const* queries, std::size_t effort,
                                            Keep const& keep, std::span<nearest<Before>> best,
                                            std::size_t threads = 1) const {
        auto const some = [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                for (; first < last; first += (std::min)(at_once, last - first))
                    search_group(queries + first * dim_, effort, keep,
                                 best.subspan(first, (std::min)(at_once, last - first)));
                return {};
            });
        };
        if (lists_.get().lists == 0 || best.empty()) return {};
        return run_parts(best.size(), 32, threads, some);
    }

    /// The exact nearest of the covered rows that `keep` shows the bits of: their codes are looked
    /// at, and the vectors of those that the codes don't rule out.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<void> scan_into(element const* query, Keep const& keep,
                                         nearest<Before>& best, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            if (best.wanted() == 0) return {};
            auto const s = lists_.get();
            auto const score = codes_.codec().query(query);
            auto const codes_now = codes_.look(lists_, s);
            auto const vectors = vectors_->reader();
            code_scan<Metric, decltype(score), decltype(codes_now), decltype(vectors), Tally> scan(
                query, dim_, score, codes_now, codes_.lines(), vectors, tally);
            scan(s.covered, keep, best);
            return {};
        });
    }

    /// The best of the covered rows that `keep` shows the bits of, about `matching` of them: of the
    /// nearest lists, or where that is the shorter way by a scan of the matches, which is exact.
    ///
    /// effort: how many lists; 0 for as many as `recall` needs for the k / share nearest rows,
    /// where `share` is that of matches among the rows which the search has met.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<way_among>
    search_among(element const* query, std::size_t effort, double recall, Keep const& keep,
                 std::size_t matching, nearest<Before>& best, Tally const& tally = {}) const {
        auto const s = lists_.get();
        auto const share = static_cast<double>((std::max)(matching, std::size_t{1})) /
                           static_cast<double>((std::max)(s.covered, slot{1}));
        auto const lists = lists_among(best.wanted(), effort, recall, share);
        if (scan_is_shorter(matching, s, lists)) {
            VICINAL_CHECK(scan_into(query, keep, best, tally));
            return way_among::scan;
        }
        VICINAL_CHECK(vicinal::detail::guarded([&]() -> result<void> {
            find(query, best.wanted(), keep, tally, among(best.wanted(), effort, recall, share),
                 comparing(query, best, tally));
            return {};
        }));
        return way_among::walk;
    }

    /// The best of the covered rows that `ask` holds for, where asking a row costs a read of its
    /// payload, which ask.announce(slot) and then ask.fetch(slot) prepare: those are asked that are
    /// near enough to matter. false, and nothing offered, where it would have to ask more than
    /// `most_asked` rows. effort as for search_among.
    template <class Ask, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool> search_asking(element const* query, std::size_t effort,
                                             double recall, double share, Ask const& ask,
                                             std::size_t most_asked, nearest<Before>& best,
                                             Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            asked_rows<Ask> asked(ask, kept(best.wanted()), most_asked);
            auto enough = among(best.wanted(), effort, recall, share);
            begin(query, best.wanted(), tally, [&](auto& lists, auto const& score, auto const& in) {
                probed met;
                while (lists.has_next() && !asked.gave_up() &&
                       !(asked.kept() >= best.wanted() && enough(met))) {
                    lists.next(keep_all{}, asked, met);
                    asked.finish();
                    met.rows = asked.asked();
                    met.matches = asked.kept();
                }
                if (!asked.gave_up()) comparing(query, best, tally)(score, in, asked.take());
            });
            return !asked.gave_up();
        });
    }

    /// How many rows such a search asks for k, about.
    [[nodiscard]] std::size_t asked_for(std::size_t k, std::size_t effort, double recall,
                                        double share) const noexcept {
        auto const s = lists_.get();
        if (s.lists == 0) return 0;
        auto const part = static_cast<double>(lists_among(k, effort, recall, share)) / s.lists;
        return rows_to_ask(kept(k), share, (std::min)(part, 1.0) * s.rows);
    }
    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept { return codes_.row_bytes(); }
    /// Bytes of the lists, and of the codes in them where they have any of their own.
    [[nodiscard]] std::uint64_t link_bytes() const noexcept { return lists_.bytes(); }
    [[nodiscard]] std::uint64_t all_code_bytes() const noexcept {
        return codes_.bytes(lists_.get());
    }

    /// The number of lists for a wanted recall, as tuning measured it on these lists; before that
    /// by a rule of thumb.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
        return lists_from(tuned_, wanted, recall, partitions());
    }

protected:
    searches(columns<Storage> lists, codes<Codec, Metric, Storage> own, vectors_type const& vectors,
             std::size_t dim)
        : lists_(lists), codes_(std::move(own)), vectors_(&vectors), dim_(dim) {}

    /// Enough of so many lists.
    struct up_to {
        std::size_t lists;
        [[nodiscard]] bool operator()(probed const& p) const noexcept { return p.lists >= lists; }
    };

    /// Calls body(probe, bound query, codes) if there are lists and something is wanted.
    template <class Tally, class Body>
    void begin(element const* query, std::size_t wanted, Tally const& tally,
               Body const& body) const {
        auto const s = lists_.get();
        if (s.lists == 0 || wanted == 0) return;
        auto const score = codes_.codec().query(query);
        auto const codes_now = codes_.look(lists_, s);
        probe<Metric, Storage, decltype(score), decltype(codes_now), Tally> lists(
            lists_, s, query, dim_, score, codes_now, codes_.lines(), tally);
        body(lists, score, codes_now);
    }

    /// Looks at lists until it has `wanted` rows and enough(probed) holds, then calls
    /// done(bound query, codes, the best by their codes, nearest first).
    template <class Keep, class Tally, class Enough, class Done>
    void find(element const* query, std::size_t wanted, Keep const& keep, Tally const& tally,
              Enough enough, Done const& done) const {
        begin(query, wanted, tally, [&](auto& lists, auto const& score, auto const& codes_now) {
            reservoir best(kept(wanted));
            probed met;
            while (lists.has_next() && !(met.matches >= wanted && enough(met)))
                lists.next(keep, best, met);
            done(score, codes_now, best.take());
        });
    }

    /// What offers the exact distances of a probe's rows.
    template <class Before, class Tally>
    [[nodiscard]] auto comparing(element const* query, nearest<Before>& best,
                                 Tally const& tally) const {
        return [this, query, &best, tally](auto const& score, auto const& codes_now,
                                           neighbours const& found) {
            if constexpr (codes_type::in_blocks)
                compare_likely<Metric>(found, query, dim_, vectors_->reader(), covered(), best,
                                       tally);
            else
                compare_candidates<Metric>(found, query, dim_, score, codes_now, vectors_->reader(),
                                           covered(), best, tally);
        };
    }

    [[nodiscard]] std::size_t kept(std::size_t k) const noexcept {
        if constexpr (codes_type::in_blocks) return candidates_for(k) * codes_.codec().kept_each();
        return kept_for(k, codes_.row_bytes(), dim_);
    }
    template <class Keep, class Before>
    void search_group(element const* queries, std::size_t effort, Keep const& keep,
                      std::span<nearest<Before>> best) const {
        auto const wanted = best.front().wanted();
        if (wanted == 0) return;
        batch<Metric, Storage, codes_type> all(lists_, codes_, dim_);
        auto const vectors = vectors_->reader();
        all.run(
            queries, best.size(), effort, kept(wanted), keep,
            [&](neighbours const& next) {
                if constexpr (codes_type::in_blocks)
                    announce_likely<element>(next, dim_, vectors, covered());
            },
            [&](std::size_t i, auto const& score, auto const& codes_now, neighbours const& found,
                probed const& met) {
                auto const* const query = queries + i * dim_;
                auto const compare = comparing(query, best[i], no_tally{});
                if (met.matches >= wanted) return compare(score, codes_now, found);
                find(query, wanted, keep, no_tally{}, up_to{effort}, compare);
            });
    }
    /// How many lists for k matches where that share of rows matches: the k nearest matches are the
    /// k / share nearest rows.
    [[nodiscard]] std::size_t lists_among(std::size_t k, std::size_t effort, double recall,
                                          double share) const noexcept {
        if (effort != 0) return effort;
        auto const rows = static_cast<double>(k) / (std::max)(share, 1e-9);
        auto const most = static_cast<double>((std::max)(covered(), slot{1}));
        return effort_for(static_cast<std::size_t>((std::min)(rows, most)), recall);
    }
    [[nodiscard]] auto among(std::size_t k, std::size_t effort, double recall, double share) const {
        return enough_lists(share, [this, k, effort, recall](double now) {
            return lists_among(k, effort, recall, now);
        });
    }

    columns<Storage> lists_;
    codes<Codec, Metric, Storage> codes_;
    vectors_type const* vectors_;
    std::size_t dim_;
    tuning tuned_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
