// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_SEARCHES_HPP
#define VICINAL_INDEX_HNSW_SEARCHES_HPP

#include <vicinal/index/candidates.hpp>
#include <vicinal/index/hnsw/codes.hpp>
#include <vicinal/index/hnsw/filtered_walk.hpp>
#include <vicinal/index/hnsw/fusion.hpp>
#include <vicinal/index/hnsw/tune.hpp>
#include <vicinal/index/scan_codes.hpp>
#include <vicinal/index/scratch.hpp>
#include <vicinal/index/tally.hpp>
#include <vicinal/index/way_among.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// A graph as searches see it. Any number of threads may search; a tally counts the distances that
/// one computes.
template <class Codec, class Metric, class Storage, class Layout = layout::plain>
class searches {
public:
    using element = metric::element_of<Metric>;
    using vectors_type = vectors_of<Codec, Storage>;

    [[nodiscard]] slot covered() const noexcept { return graph_.get().covered; }

    /// effort: the width of a beam ("ef"), at least `wanted`, that finds about as much; where
    /// tuning has measured how distances grow, it looks less far (index/hnsw/reach.hpp). Cost:
    /// about effort x neighbours distances of codes.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                            std::size_t effort, Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            neighbours found;
            find(query, wanted, effort, tuned_.growth, keep, {},
                 [&](auto const&, filtered&& all) { found = std::move(all.found); });
            return found;
        });
    }

    /// The same, compared by their vectors: offers the best of the covered rows. false, and nothing
    /// offered, where it would have to meet more than `most_met` nodes for them.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool>
    search_into(element const* query, std::size_t effort, Keep const& keep, nearest<Before>& best,
                std::size_t most_met = any_number, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            bool finished = true;
            find(
                query, best.wanted(), effort, tuned_.growth, keep, {},
                [&](auto const& to, filtered&& all) {
                    finished = all.finished;
                    if (finished) compare(all.found, query, to, best);
                },
                most_met, tally);
            return finished;
        });
    }

    /// The exact nearest of the covered rows that `keep` shows the bits of: their codes are looked
    /// at, and the vectors of those that the codes don't rule out.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<void> scan_into(element const* query, Keep const& keep,
                                         nearest<Before>& best, Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            if (best.wanted() == 0) return {};
            auto const score = codes_.codec().query(query);
            auto const codes_now = codes_.reader();
            auto const vectors = vectors_->reader();
            code_scan<Metric, decltype(score), decltype(codes_now), decltype(vectors), Tally> scan(
                query, dim_, score, codes_now, codes_.lines(), vectors, tally);
            scan(covered(), keep, best);
            return {};
        });
    }

    /// The best of the covered rows that `keep` shows the bits of, about `matching` of them: by a
    /// walk where the share that matches around the query promises one to be the shorter way, else
    /// by a scan of the matches, which is exact. A walk that turns out longer than the scan ends in
    /// it, so that both together cost at most twice the scan.
    ///
    /// effort: how many matches a walk finds; 0 for as many as `recall` needs, which are fewer than
    /// among all rows: the k nearest matches are the k / share nearest rows. Gives which way it
    /// went.
    template <class Keep, class Before, class Tally = no_tally>
    [[nodiscard]] result<way_among>
    search_among(element const* query, std::size_t effort, double recall, Keep const& keep,
                 std::size_t matching, nearest<Before>& best, Tally const& tally = {}) const {
        auto way = way_among::scan;
        if (!may_walk(matching)) {
            VICINAL_CHECK(scan_into(query, keep, best, tally));
            return way;
        }
        bool found = false;
        VICINAL_CHECK(vicinal::detail::guarded([&]() -> result<void> {
            visit(query, best.wanted(), tally, [&](auto const& ground, auto start, auto const& to) {
                auto s = scratch_->take();
                auto all = walk_if_shorter(
                    ground, start, best.wanted(), effort, matching, to, keep, *s, tuned_.growth,
                    [&](std::size_t rows) { return effort_for(rows, recall); });
                found = all.finished;
                if (all.began) way = found ? way_among::walk : way_among::walk_then_scan;
                if (found) compare(all.found, query, to, best);
            });
            return {};
        }));
        if (!found) VICINAL_CHECK(scan_into(query, keep, best, tally));
        return way;
    }

    /// The best of the covered rows that `ask` holds for, where asking a row costs a read of its
    /// payload, which ask.announce(slot) and then ask.fetch(slot) prepare. false, and nothing
    /// offered, where it would have to ask more than `most_asked` rows.
    ///
    /// share: of the rows that match, about, which is corrected on the way. effort as for
    /// search_among.
    template <class Ask, class Before, class Tally = no_tally>
    [[nodiscard]] result<bool> search_asking(element const* query, std::size_t effort,
                                             double recall, double share, Ask const& ask,
                                             std::size_t most_asked, nearest<Before>& best,
                                             Tally const& tally = {}) const {
        return vicinal::detail::guarded([&]() -> result<bool> {
            bool finished = false;
            visit(query, best.wanted(), tally, [&](auto const& ground, auto start, auto const& to) {
                auto s = scratch_->take();
                auto all =
                    walk_asking(ground, start, share, most_asked, to, ask, *s, [&](double now) {
                        auto const width = width_for(best.wanted(), effort, recall, now);
                        return reach_for(tuned_.growth, best.wanted(), width, to.rows);
                    });
                finished = all.finished;
                if (finished) compare(all.found, query, to, best);
            });
            return finished;
        });
    }

    /// How many rows such a walk asks for k, about.
    [[nodiscard]] std::size_t asked_for(std::size_t k, std::size_t effort, double recall,
                                        double share) const noexcept {
        auto const width = width_for(k, effort, recall, share);
        return static_cast<std::size_t>(
            (std::min)(rows_to_ask(width, share), static_cast<double>(covered())));
    }
    /// Bytes that a distance of codes reads.
    [[nodiscard]] std::size_t code_bytes() const noexcept { return codes_.row_bytes(); }
    /// Bytes of the graph, and of its codes where it has any of its own.
    [[nodiscard]] std::uint64_t link_bytes() const noexcept { return graph_.bytes(); }
    [[nodiscard]] std::uint64_t all_code_bytes() const noexcept {
        return codes<Codec, Metric, Storage>::has_column
                   ? std::uint64_t{graph_.get().linked} * code_bytes()
                   : 0;
    }

    /// The beam's width for a wanted recall, as tuning measured it on this graph; before that by a
    /// rule of thumb.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
        return effort_from(tuned_, wanted, recall);
    }

protected:
    using fusion_type = fusion<Layout, Metric, Storage>;

    searches(columns<Storage> graph, codes<Codec, Metric, Storage> own, fusion_type fused,
             vectors_type const& vectors, std::size_t dim)
        : graph_(graph), codes_(std::move(own)), fusion_(std::move(fused)), vectors_(&vectors),
          dim_(dim), scratch_(std::make_unique<scratch_pool>()) {}

    /// Calls body(ground level, where a walk begins, target), if there is a graph and something is
    /// wanted.
    template <class Tally, class Body>
    void visit(element const* query, std::size_t wanted, Tally const& tally,
               Body const& body) const {
        auto const g = graph_.get();
        if (g.root == no_slot || wanted == 0) return;
        auto const score = codes_.codec().query(query);
        auto const codes_now = codes_.reader();
        target<decltype(codes_now), decltype(score), Tally> const to{codes_now, score, g.linked,
                                                                     codes_.lines(), tally};
        body(graph_.ground_level(g), find_start(graph_.upper_levels(g), g, to), to);
    }

    /// Walks for the query and calls done(target, found) with what was found of the rows that
    /// `keep` holds for, nearest first, as if the nodes of `without` were not there.
    template <class Keep, class Done, class Tally = no_tally>
    void find(element const* query, std::size_t wanted, std::size_t effort, float growth,
              Keep const& keep, std::span<slot const> without, Done const& done,
              std::size_t most_met = any_number, Tally const& tally = {}) const {
        visit(query, wanted, tally, [&](auto const& ground, auto start, auto const& to) {
            auto const r = reach_for(growth, wanted, effort, to.rows);
            auto s = scratch_->take();
            if constexpr (std::same_as<Keep, keep_all>) {
                if constexpr (fusion_type::exists)
                    beam_search(ground, start, r, to, *s, without, fusion_.links(query));
                else
                    beam_search(ground, start, r, to, *s, without);
                done(to, filtered{in_order(s->beam, r.effort), true});
            } else {
                done(to, walk_through(ground, start, r, most_met, to, keep, *s));
            }
        });
    }

    template <class Target, class Before>
    void compare(neighbours const& candidates, element const* query, Target const& to,
                 nearest<Before>& best) const {
        compare_candidates<Metric>(candidates, query, dim_, to.score, to.codes, vectors_->reader(),
                                   covered(), best, to.tally);
    }

    /// How many matches a walk finds for k of them where that share of rows matches: the k nearest
    /// matches are the k / share nearest rows.
    [[nodiscard]] std::size_t width_for(std::size_t k, std::size_t effort, double recall,
                                        double share) const noexcept {
        return width_among(k, effort, share, covered(),
                           [&](std::size_t rows) { return effort_for(rows, recall); });
    }

    columns<Storage> graph_;
    codes<Codec, Metric, Storage> codes_;
    fusion_type fusion_;
    vectors_type const* vectors_;
    std::size_t dim_;
    tuning tuned_;
    std::unique_ptr<scratch_pool> scratch_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
