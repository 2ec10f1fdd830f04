// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_FILTER_ANSWERS_HPP
#define VICINAL_PAYLOAD_INDEX_FILTER_ANSWERS_HPP

#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/index/filter_plan.hpp>
#include <vicinal/payload/index/question.hpp>
#include <vicinal/payload/index/slot_bitmap.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vicinal::inline VICINAL_ABI::detail {

/// Slots below covered(), live or not: all for which a filter is true, and no others where it is
/// exact; else each is to be asked.
struct selection {
    slot_bitmap slots;
    bool exact = true;
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::payload::detail {

using vicinal::detail::selection;

/// Answers a filter from the indexes there are.
template <class View>
class filter_answers {
public:
    /// All must outlive it. Asks the indexes how much there is to do, and does nothing yet.
    filter_answers(filter_tree const& tree, std::span<open_index<View> const> indexes, slot covered)
        : indexes_(indexes), covered_(covered), plan_(tree, indexes, covered) {}

    [[nodiscard]] filter_estimate estimate() const noexcept {
        return plan_.empty() ? filter_estimate{} : plan_[0].told;
    }
    [[nodiscard]] std::optional<selection> select() const {
        if (!estimate().known) return {};
        return answer(0, false);
    }
    /// Calls f(number of the index) for each comparison that select() uses one for.
    template <class F>
    void each_used(F const& f) const {
        for (auto const& p : plan_)
            if (p.told.known && p.how == plan_kind::leaf) f(p.index);
    }

private:
    using plan_kind = typename filter_plan<View>::plan_kind;

    /// Leaves out no part of an `and` where it must be `exact`.
    [[nodiscard]] selection answer(std::size_t i, bool exact) const {
        auto const& p = plan_[i];
        if (p.how == plan_kind::leaf) return {slots_of(p.asked, indexes_[p.index]), p.exact};
        selection s;
        if (p.how == plan_kind::any) {
            plan_.each_child(i, [&](std::size_t c) {
                auto const part = answer(c, exact);
                s.slots |= part.slots;
                s.exact = s.exact && part.exact;
            });
            return s;
        }
        if (p.how == plan_kind::rest) {
            s.slots = slot_bitmap::range(0, covered_);
            s.slots -= answer(i + 1, true).slots;
            return s;
        }
        auto const parts = plan_.in_turn(i, exact);
        s = answer(parts[0], exact);
        for (std::size_t c = 1; c < parts.size() && !s.slots.empty(); ++c) {
            auto const part = answer(parts[c], exact);
            s.slots &= part.slots;
            s.exact = s.exact && part.exact;
        }
        std::size_t children = 0;
        plan_.each_child(i, [&](std::size_t) { ++children; });
        s.exact = s.slots.empty() || (s.exact && children == parts.size());
        return s;
    }

    [[nodiscard]] slot_bitmap slots_of(question const& q, open_index<View> const& index) const {
        slot_bitmap these;
        for (std::size_t i = 0; i < index.views.size(); ++i)
            these |= slots_of(q.runs, i, index.views[i]);
        if (q.what == question::form::these) return these;
        slot_bitmap present;
        for (auto const& v : index.views) present |= v.present();
        if (q.what == question::form::others) present -= these;
        if (q.what != question::form::absent) return present;
        auto absent = slot_bitmap::range(0, covered_);
        absent -= present;
        return absent;
    }

    /// Those of one segment.
    [[nodiscard]] static slot_bitmap slots_of(std::span<value_run const> runs, std::size_t segment,
                                              View const& view) {
        std::size_t n = 0;
        std::uint64_t expected = 0;
        value_run only;
        for (auto const& r : runs)
            if (r.segment == segment) {
                ++n;
                expected += view.count(r.from, r.to);
                only = r;
            }
        if (n <= 1) return view.slots(only.from, only.to);
        slot_gatherer all(view.layout().first, view.layout().end,
                          static_cast<std::size_t>(expected));
        for (auto const& r : runs)
            if (r.segment == segment) view.each(r.from, r.to, [&all](slot s) { all.add(s); });
        return all.take();
    }

    std::span<open_index<View> const> indexes_;
    slot covered_;
    filter_plan<View> plan_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
