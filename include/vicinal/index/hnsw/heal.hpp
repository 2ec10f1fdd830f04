// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_HEAL_HPP
#define VICINAL_INDEX_HNSW_HEAL_HPP

#include <vicinal/index/hnsw/select.hpp>
#include <vicinal/index/hnsw/walk.hpp>
#include <vicinal/index/workers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// How lists are chosen again when nodes leave a level of the graph.
///
/// A node that loses neighbours chooses among those that stay and those that the lost ones led to,
/// so that what was joined through them stays joined. Source: the consolidation of deletes in Singh
/// et al., "FreshDiskANN", 2021. Differs: where lost nodes lead to lost ones only, the search goes
/// on through them, and a chosen node is offered a link back.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Nodes of a level around one that stay when others go, for one thread at a time.
template <class Level, class Codec, class Codes>
class survivors {
public:
    /// Lost nodes that are walked through at most, where they lead to nothing that stays.
    static constexpr std::size_t most_lost = 4096;

    survivors(Level const& level, std::span<std::uint32_t const> new_of, Codec const& codec,
              Codes codes, std::size_t lines, std::size_t rows)
        : level_(level), new_of_(new_of), codec_(codec), codes_(codes), lines_(lines), rows_(rows) {
    }

    [[nodiscard]] bool stays(std::uint32_t node) const noexcept {
        return node < level_.nodes && new_of_[node] != no_slot;
    }

    /// Those of `node`'s list and of the lists of its lost neighbours; through more lost ones until
    /// there are `wanted`. The nearest first; of those that its list does not have, at most `most`.
    neighbours const& around(std::uint32_t node, std::size_t wanted, std::size_t most) {
        visited_.reset(level_.nodes);
        static_cast<void>(visited_.mark(node));
        own_.clear();
        other_.clear();
        lost_.clear();
        collect(node, own_);
        auto const direct = lost_.size();
        for (std::size_t i = 0; i < lost_.size() && i < most_lost; ++i) {
            if (i >= direct && own_.size() + other_.size() >= wanted) break;
            collect(lost_[i], other_);
        }
        auto const score = codec_.between(codes_.row(level_.row(node)));
        target<Codes, decltype(score)> const to{codes_, score, rows_, lines_};
        auto const meet = [&](float d, std::uint32_t n) { found_.push_back({d, n}); };
        found_.clear();
        score_nodes(level_, other_.data(), other_.size(), to, meet);
        std::sort(found_.begin(), found_.end());
        if (found_.size() > most) found_.resize(most);
        score_nodes(level_, own_.data(), own_.size(), to, meet);
        std::sort(found_.begin(), found_.end());
        return found_;
    }

private:
    void collect(std::uint32_t node, std::vector<std::uint32_t>& out) {
        auto const* list = level_.list(node);
        for (std::size_t i = 0; i < level_.width && list[i] != no_slot; ++i) {
            if (list[i] >= level_.nodes || !visited_.mark(list[i])) continue;
            (stays(list[i]) ? out : lost_).push_back(list[i]);
        }
    }

    Level const& level_;
    std::span<std::uint32_t const> new_of_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    std::size_t rows_;
    visited_set visited_;
    std::vector<std::uint32_t> own_;
    std::vector<std::uint32_t> other_;
    std::vector<std::uint32_t> lost_;
    neighbours found_;
};

/// The lists of the nodes of a level that stay, behind each other in their new order, each `stride`
/// numbers with `first` numbers before it that are the caller's. Reads the level and changes
/// nothing of it; the same on any number of threads.
template <class Level, class Codec, class Codes>
class healed_lists {
public:
    using numbers = std::vector<std::uint32_t>;

    /// kept[i] is the node that becomes i, new_of[n] what becomes of n: no_slot where it goes. Both
    /// stay in place, as do codec and level.
    healed_lists(Level const& level, std::span<std::uint32_t const> kept,
                 std::span<std::uint32_t const> new_of, Codec const& codec, Codes codes,
                 std::size_t lines, std::size_t rows, float relaxed, std::size_t threads)
        : level_(level), kept_(kept), new_of_(new_of), codec_(codec), codes_(codes), lines_(lines),
          rows_(rows), relaxed_(relaxed), threads_(threads) {}

    /// Fills `out`, where there is room for all. tree(i, list) adds the nodes to which the one that
    /// becomes i must be linked; `width` candidates are looked at beside its neighbours.
    template <class Tree>
    [[nodiscard]] result<void> make(numbers& out, std::size_t first, std::size_t width,
                                    Tree const& tree) {
        if (kept_.empty()) return {};
        lists_ = out.data() + first;
        stride_ = first + level_.width;
        VICINAL_CHECK(run_parts(kept_.size(), 64, threads_, [&](std::size_t from, std::size_t to) {
            return vicinal::detail::guarded([&]() -> result<void> {
                hands h(*this);
                for (auto i = from; i < to; ++i) choose(h, i, width, tree);
                return {};
            });
        }));
        VICINAL_CHECK(vicinal::detail::guarded([&]() -> result<void> {
            collect_new_links();
            return {};
        }));
        auto const linked =
            run_parts(firsts_.size() - 1, 16, threads_, [&](std::size_t from, std::size_t to) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    hands h(*this);
                    for (auto i = from; i < to; ++i) link_back(h, firsts_[i], firsts_[i + 1], tree);
                    return {};
                });
            });
        VICINAL_CHECK(linked);
        for (std::size_t i = 0; i < kept_.size(); ++i)
            for (std::size_t j = 0; j < level_.width && list(i)[j] != no_slot; ++j)
                list(i)[j] = new_of_[list(i)[j]];
        return {};
    }

private:
    /// A node, by its new number, that has chosen another, by its old one.
    struct link {
        std::uint32_t to;
        std::uint32_t from;
        friend bool operator<(link const& a, link const& b) noexcept {
            return a.to < b.to || (a.to == b.to && a.from < b.from);
        }
    };

    /// One thread's scratch memory.
    struct hands {
        explicit hands(healed_lists const& h)
            : near(h.level_, h.new_of_, h.codec_, h.codes_, h.lines_, h.rows_) {}
        survivors<Level, Codec, Codes> near;
        selector select;
        neighbours candidates;
        numbers bound;
        numbers chosen;
    };

    [[nodiscard]] std::uint32_t* list(std::size_t i) const noexcept { return lists_ + i * stride_; }

    template <class Tree>
    void choose(hands& h, std::size_t i, std::size_t width, Tree const& tree) const {
        auto const node = kept_[i];
        auto const* now = level_.list(node);
        auto const* end = std::find(now, now + level_.width, no_slot);
        h.bound.clear();
        tree(i, h.bound);
        bool const whole = std::all_of(now, end, [&](auto n) { return h.near.stays(n); }) &&
                           std::all_of(h.bound.begin(), h.bound.end(),
                                       [&](auto n) { return std::find(now, end, n) != end; });
        if (whole) return write(i, {now, end});
        h.candidates = h.near.around(node, level_.width / 2, width);
        for (auto const b : h.bound)
            if (std::none_of(h.candidates.begin(), h.candidates.end(),
                             [b](neighbour const& c) { return c.row == b; }))
                h.candidates.push_back({codec_.between(code(node))(code(b)), b});
        select(h, i);
    }

    template <class Tree>
    void link_back(hands& h, std::size_t first, std::size_t last, Tree const& tree) const {
        auto const i = links_[first].to;
        auto* const now = list(i);
        auto* const end = std::find(now, now + level_.width, no_slot);
        auto const size = static_cast<std::size_t>(end - now);
        h.chosen.assign(now, end);
        for (auto j = first; j < last; ++j)
            if (std::find(now, end, links_[j].from) == end) h.chosen.push_back(links_[j].from);
        if (h.chosen.size() == size) return;
        if (h.chosen.size() <= level_.width) return write(i, h.chosen);
        h.bound.clear();
        tree(i, h.bound);
        h.candidates.clear();
        auto const score = codec_.between(code(kept_[i]));
        for (auto const n : h.chosen) h.candidates.push_back({score(code(n)), n});
        select(h, i);
    }

    void select(hands& h, std::size_t i) const {
        std::sort(h.candidates.begin(), h.candidates.end());
        h.select(
            h.candidates, level_.width, relaxed_, [&](std::uint32_t n) { return code(n); },
            [&](std::byte const* code) { return codec_.between(code); },
            [&](std::uint32_t n) {
                return std::find(h.bound.begin(), h.bound.end(), n) != h.bound.end();
            },
            h.chosen);
        write(i, h.chosen);
    }

    void write(std::size_t i, std::span<std::uint32_t const> chosen) const noexcept {
        auto const size = (std::min)(chosen.size(), level_.width);
        std::copy_n(chosen.begin(), size, list(i));
        std::fill(list(i) + size, list(i) + level_.width, no_slot);
    }

    [[nodiscard]] std::byte const* code(std::uint32_t node) const noexcept {
        return codes_.row(level_.row(node));
    }

    /// The links that no list had before, sorted by the node to which they lead.
    void collect_new_links() {
        links_.clear();
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            auto const* before = level_.list(kept_[i]);
            auto const* end = std::find(before, before + level_.width, no_slot);
            for (std::size_t j = 0; j < level_.width && list(i)[j] != no_slot; ++j)
                if (std::find(before, end, list(i)[j]) == end)
                    links_.push_back({new_of_[list(i)[j]], kept_[i]});
        }
        std::sort(links_.begin(), links_.end());
        firsts_.clear();
        for (std::size_t i = 0; i < links_.size(); ++i)
            if (i == 0 || links_[i].to != links_[i - 1].to) firsts_.push_back(i);
        firsts_.push_back(links_.size());
    }

    Level const& level_;
    std::span<std::uint32_t const> kept_;
    std::span<std::uint32_t const> new_of_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    std::size_t rows_;
    float relaxed_;
    std::size_t threads_;
    std::uint32_t* lists_ = nullptr;
    std::size_t stride_ = 0;
    std::vector<link> links_;
    std::vector<std::size_t> firsts_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
