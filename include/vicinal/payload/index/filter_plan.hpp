// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_FILTER_PLAN_HPP
#define VICINAL_PAYLOAD_INDEX_FILTER_PLAN_HPP

#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/index/field_path.hpp>
#include <vicinal/payload/index/question.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What the indexes say of a filter without looking at slots: of those below covered(), live or
/// not.
struct filter_estimate {
    /// Whether select() has an answer.
    bool known = false;
    std::size_t at_least = 0;
    std::size_t at_most = 0;
    /// About what select() takes.
    double cost_ns = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::payload::detail {

using vicinal::detail::filter_estimate;

/// An index on a field as one query reads it.
template <class View>
struct open_index {
    field_path const* path = nullptr;
    field_index kind = field_index::hash;
    std::vector<View> views = {};
};

/// Which index answers which comparison of a filter, how much that gives and what it costs; no slot
/// is looked at. Negations go down to the comparisons, where each has an opposite: `not` of an
/// `and` is an `or` of the opposites, with unknown in place.
template <class View>
class filter_plan {
public:
    enum class plan_kind : std::uint8_t { leaf, all, any, rest };
    struct node_plan {
        plan_kind how = plan_kind::leaf;
        filter_estimate told = {};
        bool exact = false;
        std::size_t index = 0;
        question asked = {};
    };

    /// All must outlive it.
    filter_plan(filter_tree const& tree, std::span<open_index<View> const> indexes, slot covered)
        : tree_(tree), indexes_(indexes), covered_(covered), plans_(tree.nodes.size()) {
        if (!plans_.empty()) plan(0, false);
    }

    [[nodiscard]] bool empty() const noexcept { return plans_.empty(); }
    [[nodiscard]] node_plan const& operator[](std::size_t i) const noexcept { return plans_[i]; }
    [[nodiscard]] auto begin() const noexcept { return plans_.begin(); }
    [[nodiscard]] auto end() const noexcept { return plans_.end(); }

    /// Calls f(number) for each child of node i.
    template <class F>
    void each_child(std::size_t i, F const& f) const {
        for (auto c = i + 1; c != i + tree_.nodes[i].nodes; c += tree_.nodes[c].nodes) f(c);
    }

    /// The parts of an `and` that are worth their cost: the smallest, and what takes less than
    /// asking those that are left.
    [[nodiscard]] std::vector<std::size_t> in_turn(std::size_t i, bool every) const {
        std::vector<std::size_t> parts;
        each_child(i, [&](std::size_t c) {
            if (plans_[c].told.known) parts.push_back(c);
        });
        std::sort(parts.begin(), parts.end(), [this](std::size_t a, std::size_t b) {
            return plans_[a].told.at_most < plans_[b].told.at_most;
        });
        if (parts.empty() || every) return parts;
        auto const most = static_cast<double>(plans_[parts[0]].told.at_most) * ask_ns;
        parts.erase(std::remove_if(parts.begin() + 1, parts.end(),
                                   [&](std::size_t c) { return plans_[c].told.cost_ns > most; }),
                    parts.end());
        return parts;
    }

private:
    /// What asking one record by its payload costs, about.
    static constexpr double ask_ns = 150;

    void plan(std::size_t i, bool negated) {
        auto const& n = tree_.nodes[i];
        if (n.op == filter_op::negated) {
            plan(i + 1, !negated);
            plans_[i] = plans_[i + 1];
            plans_[i].how = plan_kind::any; // of one
        } else if (n.op == filter_op::not_true) {
            plan(i + 1, false);
            plan_not_true(i, negated);
        } else if (n.op == filter_op::any_element) {
            if (!negated)
                plan_leaf(i + 1, [&](auto const& ask, auto const& leaf) {
                    return ask.ask_any(leaf.op, tree_.values_of(leaf), tree_);
                });
            plans_[i] = plans_[i + 1];
            plans_[i].how = plan_kind::any; // of one
        } else if (n.op == filter_op::all_of || n.op == filter_op::any_of) {
            for (auto c = i + 1; c != i + n.nodes; c += tree_.nodes[c].nodes) plan(c, negated);
            if ((n.op == filter_op::all_of) != negated)
                plan_all(i);
            else
                plan_any(i);
        } else {
            plan_leaf(i, [&](auto const& ask, auto const& leaf) {
                return ask_for(ask, leaf.op, tree_.values_of(leaf), negated);
            });
        }
    }

    void plan_all(std::size_t i) {
        node_plan all{.how = plan_kind::all, .exact = true};
        std::size_t missing = 0;
        all.told.at_most = covered_;
        each_child(i, [&](std::size_t c) {
            auto const& p = plans_[c];
            all.exact = all.exact && p.told.known && p.exact;
            if (!p.told.known) return;
            all.told.known = true;
            all.told.at_most = (std::min)(all.told.at_most, p.told.at_most);
            missing += covered_ - (std::min)(p.told.at_least, std::size_t{covered_});
        });
        if (all.exact) all.told.at_least = covered_ - (std::min)(missing, std::size_t{covered_});
        for (auto const c : in_turn(i, false)) all.told.cost_ns += plans_[c].told.cost_ns;
        plans_[i] = std::move(all);
    }
    void plan_any(std::size_t i) {
        node_plan any{.how = plan_kind::any, .exact = true};
        any.told.known = true;
        each_child(i, [&](std::size_t c) {
            auto const& p = plans_[c];
            any.told.known = any.told.known && p.told.known;
            any.exact = any.exact && p.exact;
            any.told.at_most = (std::min)(any.told.at_most + p.told.at_most, std::size_t{covered_});
            any.told.at_least = (std::max)(any.told.at_least, p.told.at_least);
            any.told.cost_ns += p.told.cost_ns;
        });
        if (!any.told.known) any.told = {};
        plans_[i] = std::move(any);
    }
    /// The others of what its child is true for, which must be known exactly; negated, the child.
    void plan_not_true(std::size_t i, bool negated) {
        plans_[i] = plans_[i + 1];
        auto& p = plans_[i];
        p.how = plan_kind::any; // of one
        if (negated || !p.told.known) return;
        if (!p.exact) {
            p = {};
            return;
        }
        p.how = plan_kind::rest;
        p.told.at_least = covered_ - (std::min)(plans_[i + 1].told.at_most, std::size_t{covered_});
        p.told.at_most = covered_ - plans_[i + 1].told.at_least;
        p.told.cost_ns += dense_ns();
    }
    /// What it takes to make a set of about all slots.
    [[nodiscard]] double dense_ns() const noexcept { return static_cast<double>(covered_) / 50; }

    template <class Ask>
    void plan_leaf(std::size_t i, Ask const& ask_of) {
        auto const& n = tree_.nodes[i];
        node_plan best;
        for (std::size_t x = 0; x < indexes_.size(); ++x) {
            auto const& index = indexes_[x];
            if (!index.path->is_of(tree_, n)) continue;
            questioner<View> const ask(index.kind, index.views);
            auto q = ask_of(ask, n);
            if (!q) continue;
            auto const told = estimate_of(*q, index);
            if (best.told.known && best.told.cost_ns <= told.cost_ns) continue;
            best.told = told;
            best.exact = q->exact;
            best.index = x;
            best.asked = std::move(*q);
        }
        plans_[i] = std::move(best);
    }
    [[nodiscard]] std::optional<question> ask_for(questioner<View> const& ask, filter_op op,
                                                  std::span<filter_value const> literals,
                                                  bool negated) const {
        if (!negated) return ask.ask(op, literals, tree_);
        if (op == filter_op::between) {
            // Outside: below the one or above the other, which only numbers of one kind can be.
            auto below = ask.ask(filter_op::less, literals.first(1), tree_);
            auto const above = ask.ask(filter_op::greater, literals.subspan(1), tree_);
            if (!below || !above) return {};
            below->runs.insert(below->runs.end(), above->runs.begin(), above->runs.end());
            below->repeats = true;
            return below;
        }
        auto const other = opposite(op);
        return other ? ask.ask(*other, literals, tree_) : std::nullopt;
    }

    [[nodiscard]] filter_estimate estimate_of(question const& q,
                                              open_index<View> const& index) const noexcept {
        std::uint64_t present = 0;
        for (auto const& v : index.views) present += v.layout().present;
        std::uint64_t these = 0;
        std::uint64_t most_in_one = 0;
        double cost = 500 + 100 * static_cast<double>(index.views.size() + q.runs.size());
        for (auto const& r : q.runs) {
            auto const n = index.views[r.segment].count(r.from, r.to);
            these += n;
            // Of several values one slot may have more than one, where they are an array's.
            if (index.kind != field_index::inverted || r.to - r.from == 1)
                most_in_one = (std::max)(most_in_one, n);
            cost +=
                static_cast<double>(n) * (index.kind == field_index::ordered ? 2.0 : 0.5) +
                50 * static_cast<double>(index.kind == field_index::ordered ? 1 : r.to - r.from);
        }
        auto const all = std::uint64_t{covered_};
        these = (std::min)(these, all);
        present = (std::min)(present, all);
        filter_estimate e{.known = true, .at_least = 0, .at_most = 0, .cost_ns = cost};
        switch (q.what) {
            case question::form::these:
                e.at_most = static_cast<std::size_t>(these);
                e.at_least =
                    !q.exact ? 0 : static_cast<std::size_t>(q.repeats ? most_in_one : these);
                break;
            case question::form::others:
                e.at_most = static_cast<std::size_t>(present - (std::min)(these, present));
                e.at_least = e.at_most;
                e.cost_ns += dense_ns();
                break;
            case question::form::present:
                e.at_most = e.at_least = static_cast<std::size_t>(present);
                e.cost_ns += dense_ns();
                break;
            case question::form::absent:
                e.at_most = e.at_least = static_cast<std::size_t>(all - present);
                e.cost_ns += dense_ns();
                break;
        }
        return e;
    }

    filter_tree const& tree_;
    std::span<open_index<View> const> indexes_;
    slot covered_;
    std::vector<node_plan> plans_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
