// SPDX-License-Identifier: MIT
// Random filters from a seed, and their text with the freedom that the grammar leaves.
#ifndef VICINAL_TESTS_PAYLOAD_RANDOM_FILTERS_HPP
#define VICINAL_TESTS_PAYLOAD_RANDOM_FILTERS_HPP

#include "payload/naive_filter.hpp"
#include "payload/random_fields.hpp"

#include <vicinal/core/value.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace testing {

using vicinal::value;
using vicinal::payload::filter_op;

/// An expression as text, with the freedom that the grammar leaves: case, blanks, parentheses.
class filter_writer {
public:
    explicit filter_writer(dice& d) : d_(d) {}

    std::string text(naive::expression const& e) {
        switch (e.op) {
            case filter_op::negated: return word("not") + blank() + operand(e.children[0], 3);
            case filter_op::not_true:
                return "(" + text(e.children[0]) + ")" + blank() + word("is") + " " + word("not") +
                       blank() + word("true");
            case filter_op::any_element: return word("any") + blank() + text(e.children[0]);
            case filter_op::all_of:
            case filter_op::any_of: {
                bool const all = e.op == filter_op::all_of;
                std::string s;
                for (auto const& c : e.children)
                    s += (s.empty() ? "" : " " + word(all ? "and" : "or") + " ") +
                         operand(c, all ? 2 : 1);
                return s;
            }
            default: break;
        }
        std::string s;
        for (auto const& p : e.path) s += (s.empty() ? "" : ".") + part(p);
        static char const* const words[] = {
            "=",      "!=",      "<",        "<=",          ">",       ">=",         "in",
            "not in", "between", "contains", "starts_with", "is null", "is not null"};
        s += blank() + word(words[static_cast<int>(e.op) - static_cast<int>(filter_op::equal)]);
        bool const list = e.op == filter_op::in || e.op == filter_op::not_in;
        std::string values;
        for (auto const& v : e.values)
            values += (values.empty() ? "" : (list ? "," + blank() : " and ")) + literal(v);
        return s + blank() + (list ? "(" + values + ")" : values);
    }

private:
    std::string blank() { return d_.one_in(4) ? "\n\t " : " "; }
    std::string word(std::string s) {
        for (auto& c : s)
            if (c >= 'a' && c <= 'z' && d_.one_in(3)) c = static_cast<char>(c - 32);
        return s;
    }
    std::string operand(naive::expression const& e, int binding) {
        int const own = e.op == filter_op::any_of ? 1 : (e.op == filter_op::all_of ? 2 : 4);
        return own <= binding || d_.one_in(5) ? "(" + text(e) + ")" : text(e);
    }
    static std::string doubled(std::string const& s, char quote) {
        std::string out(1, quote);
        for (auto const c : s) out += std::string(c == quote ? 2 : 1, c);
        return out + quote;
    }
    std::string part(std::string const& s) {
        bool const plain = s == "a" || s == "b" || s == "c" || s == "year" || s == "_x9";
        return plain && !d_.one_in(3) ? s : doubled(s, '"');
    }
    static std::string literal(value const& v) {
        char digits[64];
        if (auto const* b = v.get_if<bool>()) return *b ? "TRUE" : "False";
        if (auto const* i = v.get_if<std::int64_t>()) return std::to_string(*i);
        if (auto const* x = v.get_if<double>()) {
            std::snprintf(digits, sizeof digits, "%.17e", *x);
            return digits;
        }
        return doubled(*v.get_if<std::string>(), '\'');
    }

    dice& d_;
};

inline value random_literal(dice& d) {
    switch (d.below(4)) {
        case 0: return d.one_in(2);
        case 1: return random_integer(d);
        case 2: {
            auto const x = random_real(d);
            // Literals have no infinity, and the smallest are refused.
            return std::isfinite(x) && (x == 0 || std::fabs(x) > 1e-300) ? x : 0.25;
        }
        default: return random_text(d);
    }
}

inline naive::expression random_expression(dice& d, unsigned depth) {
    naive::expression e;
    if (depth > 0 && d.one_in(2)) {
        e.op = static_cast<filter_op>(d.below(4));
        auto const children = e.op >= filter_op::negated ? 1 : 2 + d.below(3);
        for (std::uint64_t i = 0; i < children; ++i)
            e.children.push_back(random_expression(d, depth - 1));
        return e;
    }
    if (depth > 0 && d.one_in(3)) {
        e.op = filter_op::any_element;
        e.children.push_back(random_expression(d, 0));
        return e;
    }
    e.op = static_cast<filter_op>(static_cast<unsigned>(filter_op::equal) + d.below(13));
    e.path.push_back(random_name(d));
    while (d.one_in(4)) e.path.push_back(random_name(d));
    if (e.op < filter_op::is_null) e.values.push_back(random_literal(d));
    if (e.op == filter_op::starts_with) e.values = {random_text(d)};
    if (e.op == filter_op::in || e.op == filter_op::not_in)
        while (!d.one_in(3)) e.values.push_back(random_literal(d));
    if (e.op == filter_op::between) {
        auto const rank = [](value const& v) {
            return v.type() == value::kind::integer ? value::kind::real : v.type();
        };
        value upper = random_literal(d);
        while (rank(upper) != rank(e.values[0])) upper = random_literal(d);
        e.values.push_back(upper);
    }
    return e;
}

} // namespace testing

#endif
