// SPDX-License-Identifier: MIT
// Filters the slow way: a tree of nodes over decoded fields. Written apart from the library's
// evaluation, so that the two can be compared.
#ifndef VICINAL_TESTS_PAYLOAD_NAIVE_FILTER_HPP
#define VICINAL_TESTS_PAYLOAD_NAIVE_FILTER_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter/tree.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace naive {

using vicinal::value;
using vicinal::payload::filter_op;

static_assert(std::numeric_limits<long double>::digits >= 64,
              "long double must hold every int64 and every double");

struct expression {
    filter_op op = filter_op::all_of;
    std::vector<expression> children = {};
    std::vector<std::string> path = {};
    std::vector<value> values = {};
};

/// The library's nodes as an expression, starting at node i.
inline expression from_tree(vicinal::payload::filter_tree const& tree, std::size_t i) {
    auto const& n = tree.nodes[i];
    expression e{.op = n.op};
    if (n.op < filter_op::equal) {
        for (auto child = i + 1; child < i + n.nodes; child += tree.nodes[child].nodes)
            e.children.push_back(from_tree(tree, child));
        return e;
    }
    std::string const name(tree.name_of(n));
    std::size_t begin = 0;
    for (auto const start : tree.starts_of(n)) {
        e.path.push_back(name.substr(begin, start - 1 - begin));
        begin = start;
    }
    e.path.push_back(name.substr(begin));
    for (auto const& v : tree.values_of(n)) {
        if (v.type == value::kind::boolean) e.values.emplace_back(v.bits != 0);
        if (v.type == value::kind::integer)
            e.values.emplace_back(static_cast<std::int64_t>(v.bits));
        if (v.type == value::kind::real) e.values.emplace_back(std::bit_cast<double>(v.bits));
        if (v.type == value::kind::string) e.values.emplace_back(std::string(tree.text_of(v)));
    }
    return e;
}

inline value const* look_up(vicinal::fields const& all, std::vector<std::string> const& path,
                            std::size_t from) {
    std::string joined;
    for (auto i = from; i < path.size(); ++i) joined += (i > from ? "." : "") + path[i];
    if (auto const* v = all.find(joined)) return v;
    if (from + 1 >= path.size()) return nullptr;
    auto const* head = all.find(path[from]);
    auto const* inner = head ? head->get_if<vicinal::fields>() : nullptr;
    return inner ? look_up(*inner, path, from + 1) : nullptr;
}

inline std::optional<long double> as_number(value const& v) {
    if (auto const* i = v.get_if<std::int64_t>()) return static_cast<long double>(*i);
    if (auto const* d = v.get_if<double>()) return static_cast<long double>(*d);
    return {};
}

inline bool equal(value const& a, value const& b) {
    auto const x = as_number(a);
    auto const y = as_number(b);
    if (x && y) return *x == *y;
    if (a.type() == value::kind::array || a.type() == value::kind::nested) return false;
    return !a.is_null() && a == b;
}

/// -1, 0, 1, or nothing where there is no order.
inline std::optional<int> order(value const& a, value const& b) {
    auto const sign = [](auto const& x, auto const& y) { return x < y ? -1 : (y < x ? 1 : 0); };
    auto const x = as_number(a);
    auto const y = as_number(b);
    if (x && y) {
        if (std::isnan(*x) || std::isnan(*y)) return {};
        return sign(*x, *y);
    }
    if (a.type() != b.type()) return {};
    if (auto const* s = a.get_if<std::string>()) return sign(*s, *b.get_if<std::string>());
    if (auto const* p = a.get_if<bool>()) return sign(*p, *b.get_if<bool>());
    return {};
}

using verdict = std::optional<bool>;

inline verdict both(verdict a, verdict b) {
    if ((a && !*a) || (b && !*b)) return false;
    if (a && b) return true;
    return {};
}

inline verdict opposite(verdict a) {
    if (!a) return {};
    return !*a;
}

inline verdict compare(value const& v, filter_op op, value const& literal) {
    if (op == filter_op::equal) return equal(v, literal);
    if (op == filter_op::not_equal) return !equal(v, literal);
    auto const o = order(v, literal);
    if (!o) return {};
    if (op == filter_op::less) return *o < 0;
    if (op == filter_op::less_equal) return *o <= 0;
    if (op == filter_op::greater) return *o > 0;
    return *o >= 0;
}

/// A comparison of one value, which may be missing.
inline verdict compare_field(expression const& e, value const* v) {
    bool const missing = v == nullptr || v->is_null();
    if (e.op == filter_op::is_null) return missing;
    if (e.op == filter_op::is_not_null) return !missing;
    if (missing) return {};
    auto const* text = v->get_if<std::string>();
    switch (e.op) {
        case filter_op::between:
            return both(compare(*v, filter_op::greater_equal, e.values[0]),
                        compare(*v, filter_op::less_equal, e.values[1]));
        case filter_op::in:
        case filter_op::not_in: {
            bool found = false;
            for (auto const& literal : e.values) found = found || equal(*v, literal);
            return found == (e.op == filter_op::in);
        }
        case filter_op::contains: {
            if (auto const* a = v->get_if<value::array>()) {
                for (auto const& element : *a)
                    if (equal(element, e.values[0])) return true;
                return false;
            }
            auto const* part = e.values[0].get_if<std::string>();
            if (!text || !part) return {};
            return text->find(*part) != std::string::npos;
        }
        case filter_op::starts_with:
            if (!text) return {};
            return text->rfind(*e.values[0].get_if<std::string>(), 0) == 0;
        default: return compare(*v, e.op, e.values[0]);
    }
}

inline verdict evaluate(expression const& e, vicinal::fields const& all) {
    if (e.op == filter_op::negated) return opposite(evaluate(e.children[0], all));
    if (e.op == filter_op::all_of) {
        verdict result = true;
        for (auto const& c : e.children) result = both(result, evaluate(c, all));
        return result;
    }
    if (e.op == filter_op::any_of) {
        // De Morgan, so that `or` shares nothing with the library's.
        verdict result = true;
        for (auto const& c : e.children) result = both(result, opposite(evaluate(c, all)));
        return opposite(result);
    }
    if (e.op == filter_op::not_true) return !evaluate(e.children[0], all).value_or(false);
    if (e.op == filter_op::any_element) {
        auto const& c = e.children[0];
        auto const* v = look_up(all, c.path, 0);
        auto const* a = v ? v->get_if<value::array>() : nullptr;
        if (!a) return compare_field(c, v);
        bool unknown = false;
        for (auto const& element : *a) {
            if (c.op == filter_op::contains && element.get_if<value::array>()) {
                unknown = true;
                continue;
            }
            auto const one = compare_field(c, &element);
            if (one && *one) return true;
            unknown = unknown || !one;
        }
        if (unknown) return {};
        return false;
    }
    return compare_field(e, look_up(all, e.path, 0));
}

} // namespace naive

#endif
