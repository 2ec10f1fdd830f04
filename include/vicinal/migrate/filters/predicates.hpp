// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PREDICATES_HPP
#define VICINAL_MIGRATE_FILTERS_PREDICATES_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/predicate.hpp>
#include <vicinal/payload/filter.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Takes a filter apart. From the three truth values come four questions about each node: is it
/// true, is it false, and the negations of both; a connective hands them on to its children.
class foreign_predicates {
public:
    explicit foreign_predicates(payload::filter_tree const& tree) noexcept : tree_(tree) {}

    /// `all` of nothing where everything matches.
    [[nodiscard]] foreign_predicate matches() const {
        return tree_.nodes.empty() ? foreign_predicate{} : of(0, true, false);
    }

private:
    using op = payload::filter_op;
    using shape = foreign_predicate::shape;

    /// Whether node i is `wanted`; `negated`: whether it is not.
    [[nodiscard]] foreign_predicate of(std::size_t i, bool wanted, bool negated) const {
        auto const& n = tree_.nodes[i];
        switch (n.op) {
            case op::all_of:
            case op::any_of: return chain(i, wanted, negated);
            case op::negated: return of(i + 1, !wanted, negated);
            case op::not_true: return of(i + 1, true, negated != wanted);
            case op::any_element: return element(tree_.nodes[i + 1], wanted, negated);
            default: return leaf(n, wanted, negated);
        }
    }

    [[nodiscard]] foreign_predicate chain(std::size_t i, bool wanted, bool negated) const {
        bool const all = (tree_.nodes[i].op == op::all_of) == wanted;
        std::vector<foreign_predicate> parts;
        // Pairs that say together what they can't alone; only what is wanted true is such a pair.
        std::vector<std::size_t> children;
        auto const end = i + tree_.nodes[i].nodes;
        for (auto child = i + 1; child != end; child += tree_.nodes[child].nodes)
            children.push_back(child);
        std::vector<bool> taken(children.size());
        for (std::size_t a = 0; a < children.size(); ++a) {
            if (taken[a]) continue;
            std::optional<foreign_predicate> pair;
            for (auto b = a + 1; wanted && !pair && b < children.size(); ++b) {
                if (taken[b]) continue;
                pair = paired(tree_.nodes[i].op, children[a], children[b]);
                if (!pair) pair = paired(tree_.nodes[i].op, children[b], children[a]);
                taken[b] = pair.has_value();
            }
            if (pair) pair->negated = pair->negated != negated;
            parts.push_back(pair ? *std::move(pair) : of(children[a], wanted, negated));
        }
        if (!all) merge_empty_text(parts, negated);
        return joined(all != negated ? shape::all : shape::any, std::move(parts));
    }

    /// `x = '' or` what an empty field is: one test.
    void merge_empty_text(std::vector<foreign_predicate>& parts, bool negated) const {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!is(parts[i], foreign_test::empty, negated)) continue;
            auto const* const node = parts[i].node;
            auto const text = std::find_if(parts.begin(), parts.end(), [&](auto const& p) {
                return is(p, foreign_test::equal, negated) && same_name(*p.node, *node) &&
                       is_empty_text(*p.node);
            });
            if (text == parts.end()) continue;
            parts[i].test = foreign_test::empty_text;
            if (text < parts.begin() + static_cast<std::ptrdiff_t>(i)) --i;
            parts.erase(text);
        }
    }
    [[nodiscard]] static bool is(foreign_predicate const& p, foreign_test t, bool negated) {
        return p.form == shape::test && p.test == t && p.negated == negated && !p.element;
    }

    [[nodiscard]] bool is_empty_text(payload::filter_node const& n) const {
        auto const& v = tree_.values_of(n)[0];
        return v.type == value::kind::string && v.size == 0;
    }

    [[nodiscard]] std::optional<foreign_predicate> paired(op chain, std::size_t a,
                                                          std::size_t b) const {
        auto const& x = tree_.nodes[a];
        auto const& y = tree_.nodes[b];
        if (chain == op::all_of && x.op == op::is_null && y.op == op::is_not_null &&
            same_name(x, y))
            return test(foreign_test::never, x, false, false);
        // any x = v and x != v
        if (chain == op::all_of && x.op == op::any_element && y.op == op::not_equal) {
            auto const& inner = tree_.nodes[a + 1];
            if (inner.op != op::equal || !same_name(inner, y) || !same_value(inner, y)) return {};
            return test(foreign_test::member, y, false, false);
        }
        if (chain != op::any_of || y.op != op::is_null) return {};
        // x != v or x is null, x not in (...) or x is null
        if ((x.op == op::not_equal || x.op == op::not_in) && same_name(x, y))
            return test(x.op == op::not_in ? foreign_test::in : foreign_test::equal, x, true,
                        false);
        // x is null or (any x is null or any x is not null) is not true
        if (x.op != op::not_true || x.nodes != 6 || tree_.nodes[a + 1].op != op::any_of) return {};
        auto const* const n = &tree_.nodes[a + 2];
        if (n[0].op != op::any_element || n[1].op != op::is_null || n[2].op != op::any_element ||
            n[3].op != op::is_not_null || !same_name(n[1], y) || !same_name(n[3], y))
            return {};
        return test(foreign_test::empty, y, false, false);
    }

    [[nodiscard]] bool same_name(payload::filter_node const& a,
                                 payload::filter_node const& b) const {
        auto const x = tree_.starts_of(a);
        auto const y = tree_.starts_of(b);
        return tree_.name_of(a) == tree_.name_of(b) &&
               std::equal(x.begin(), x.end(), y.begin(), y.end());
    }
    [[nodiscard]] bool same_value(payload::filter_node const& a,
                                  payload::filter_node const& b) const {
        auto const& x = tree_.values_of(a)[0];
        auto const& y = tree_.values_of(b)[0];
        return x.type == y.type && x.bits == y.bits && tree_.text_of(x) == tree_.text_of(y);
    }

    [[nodiscard]] static foreign_predicate test(foreign_test t, payload::filter_node const& n,
                                                bool negated, bool element) {
        return {.form = shape::test, .test = t, .negated = negated, .element = element, .node = &n};
    }
    [[nodiscard]] static foreign_predicate joined(shape form,
                                                  std::vector<foreign_predicate> parts) {
        if (parts.size() == 1) return std::move(parts[0]);
        foreign_predicate p{.form = form};
        for (auto& part : parts) {
            if (part.form != form) {
                p.parts.push_back(std::move(part));
                continue;
            }
            for (auto& inner : part.parts) p.parts.push_back(std::move(inner));
        }
        return p;
    }
    /// All of the tests, or the negation of that.
    [[nodiscard]] static foreign_predicate both(std::vector<foreign_predicate> parts,
                                                bool negated) {
        if (negated)
            for (auto& p : parts) p.negated = !p.negated;
        return joined(negated ? shape::any : shape::all, std::move(parts));
    }

    [[nodiscard]] static foreign_test named(op o) noexcept {
        switch (o) {
            case op::equal: return foreign_test::equal;
            case op::not_equal: return foreign_test::not_equal;
            case op::less: return foreign_test::less;
            case op::less_equal: return foreign_test::less_equal;
            case op::greater: return foreign_test::greater;
            case op::greater_equal: return foreign_test::greater_equal;
            case op::between: return foreign_test::between;
            case op::in: return foreign_test::in;
            case op::not_in: return foreign_test::not_in;
            case op::contains: return foreign_test::contains;
            case op::starts_with: return foreign_test::starts_with;
            case op::is_null: return foreign_test::missing;
            case op::is_not_null: return foreign_test::not_missing;
            default: return foreign_test::unsayable;
        }
    }

    [[nodiscard]] static foreign_predicate leaf(payload::filter_node const& n, bool wanted,
                                                bool negated) {
        using t = foreign_test;
        switch (n.op) {
            case op::equal:
            case op::in:
            case op::not_equal:
            case op::not_in: {
                bool const positive = (n.op == op::equal || n.op == op::in) == wanted;
                auto const same = n.op == op::equal || n.op == op::not_equal ? t::equal : t::in;
                if (positive) return test(same, n, negated, false);
                return both({test(same, n, true, false), test(t::missing, n, true, false)},
                            negated);
            }
            case op::less: return test(wanted ? t::less : t::greater_equal, n, negated, false);
            case op::less_equal:
                return test(wanted ? t::less_equal : t::greater, n, negated, false);
            case op::greater: return test(wanted ? t::greater : t::less_equal, n, negated, false);
            case op::greater_equal:
                return test(wanted ? t::greater_equal : t::less, n, negated, false);
            case op::is_null: return test(t::missing, n, negated == wanted, false);
            case op::is_not_null: return test(t::missing, n, negated != wanted, false);
            case op::between: {
                if (wanted) return test(t::between, n, negated, false);
                auto above = test(t::greater, n, negated, false);
                above.first_value = 1;
                return joined(negated ? shape::all : shape::any,
                              {test(t::less, n, negated, false), above});
            }
            default: return test(wanted ? named(n.op) : t::unsayable, n, negated, false);
        }
    }

    [[nodiscard]] static foreign_predicate element(payload::filter_node const& n, bool wanted,
                                                   bool negated) {
        using t = foreign_test;
        if (wanted) return test(named(n.op), n, negated, true);
        // Never unknown.
        if (n.op == op::is_null || n.op == op::is_not_null)
            return test(named(n.op), n, !negated, true);
        // No element is equal, and none is null.
        if (n.op == op::equal || n.op == op::in)
            return both({test(named(n.op), n, true, true), test(t::missing, n, true, false),
                         test(t::missing, n, true, true)},
                        negated);
        return test(t::unsayable, n, negated, true);
    }

    payload::filter_tree const& tree_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
