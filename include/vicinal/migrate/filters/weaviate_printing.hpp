// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_WEAVIATE_PRINTING_HPP
#define VICINAL_MIGRATE_FILTERS_WEAVIATE_PRINTING_HPP

#include <vicinal/migrate/filters/printing.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Writes a filter for Weaviate, which does not tell a value from an array of it.
class weaviate_printing : foreign_printing {
public:
    weaviate_printing(payload::filter_tree const& tree,
                      backend::foreign_filter_options const& options) noexcept
        : foreign_printing(tree, options) {}

    [[nodiscard]] result<std::string> print() const {
        return whole([this](auto const& p) { return one(p); },
                     [](shape form, auto const& parts) {
                         return joined(form == shape::all ? "And" : "Or", parts);
                     });
    }

private:
    [[nodiscard]] static std::string joined(std::string_view op,
                                            std::vector<std::string> const& parts) {
        if (parts.size() == 1) return parts[0];
        return chain(parts, R"({"operator":")" + std::string(op) + R"(","operands":[)", "]}");
    }
    [[nodiscard]] static std::string opposite(std::string const& text) {
        return R"({"operator":"Not","operands":[)" + text + "]}";
    }

    [[nodiscard]] result<std::string> one(foreign_predicate const& p) const {
        auto const name = tree_.name_of(*p.node);
        if (!is_property(name)) return refused(p, "a property's name of letters, digits and _");
        if (p.test == test::empty_text) return is_null(p);
        if (p.test == test::missing || p.test == test::empty) {
            if (options_.no_empty_values) return is_null(p);
            return refused(p, "no question whether a property is there, as Weaviate takes empty "
                              "arrays and texts for missing ones (promise no_empty_values; x != 1 "
                              "asks it, (x = 1) is not true does not)");
        }
        if (!p.element && !options_.no_arrays)
            return refused(p, "any in front of the name, as Weaviate looks into arrays too (or "
                              "promise no_arrays)");
        for (auto const& v : values(p)) VICINAL_CHECK(check_value(p, v));
        switch (p.test) {
            case test::equal: return clause(p, p.negated ? "NotEqual" : "Equal", values(p)[0]);
            case test::in: return among(p);
            case test::less: return bound(p, "LessThan");
            case test::less_equal: return bound(p, "LessThanEqual");
            case test::greater: return bound(p, "GreaterThan");
            case test::greater_equal: return bound(p, "GreaterThanEqual");
            case test::between:
                if (p.element && !options_.no_arrays)
                    return refused(p, "no any with between, as Weaviate compares each bound with "
                                      "any element (or promise no_arrays)");
                return negatable(p, joined("And", {clause(p, "GreaterThanEqual", values(p)[0]),
                                                   clause(p, "LessThanEqual", values(p)[1])}));
            case test::contains:
                if (is_text(values(p)[0])) return like(p, "*");
                break;
            case test::starts_with: return like(p, "");
            default: break;
        }
        return refused(p, "a comparison that Weaviate has (=, in, <, <=, >, >=, between, contains, "
                          "starts_with, is null)");
    }

    [[nodiscard]] static bool is_property(std::string_view s) {
        return !s.empty() && s != "id" && s[0] != '_' && payload::detail::starts_name(s[0]) &&
               std::all_of(s.begin(), s.end(), [](char c) {
                   return static_cast<unsigned char>(c) < 0x80 &&
                          payload::detail::continues_name(c);
               });
    }

    [[nodiscard]] result<void> check_value(foreign_predicate const& p, literal const& v) const {
        if (!exact(v)) return refused(p, "numbers below 2^53");
        if (!is_text(v) || is_date(v)) return {};
        if (!options_.plain_text)
            return refused(p, "no texts, which Weaviate cuts into words (promise plain_text where "
                              "the property's tokenization is field)");
        if (has_blank_ends(tree_.text_of(v)))
            return refused(p, "texts without blanks at their ends, which Weaviate takes away");
        return {};
    }

    [[nodiscard]] std::string_view kind(literal const& v) const {
        switch (v.type) {
            case value::kind::boolean: return "valueBoolean";
            case value::kind::integer: return "valueInt";
            case value::kind::real: return "valueNumber";
            default: return is_date(v) ? "valueDate" : "valueText";
        }
    }
    [[nodiscard]] std::string clause(foreign_predicate const& p, std::string_view op,
                                     std::string_view member, std::string const& operand) const {
        return R"({"path":[)" + json(tree_.name_of(*p.node)) + R"(],"operator":")" +
               std::string(op) + R"(",")" + std::string(member) + "\":" + operand + "}";
    }
    [[nodiscard]] std::string clause(foreign_predicate const& p, std::string_view op,
                                     literal const& v) const {
        return clause(p, op, kind(v), json(v));
    }
    [[nodiscard]] std::string is_null(foreign_predicate const& p) const {
        return clause(p, "IsNull", "valueBoolean", p.negated ? "false" : "true");
    }
    [[nodiscard]] static std::string negatable(foreign_predicate const& p,
                                               std::string const& text) {
        return p.negated ? opposite(text) : text;
    }

    [[nodiscard]] std::string among(foreign_predicate const& p) const {
        std::vector<std::string> parts;
        for (auto const& same : by_kind(values(p))) {
            auto const real = std::find_if(same.begin(), same.end(), [](literal const& v) {
                return v.type == value::kind::real;
            });
            auto const member = std::string(kind(real != same.end() ? *real : same[0])) + "Array";
            parts.push_back(
                clause(p, p.negated ? "ContainsNone" : "ContainsAny", member, list(same)));
        }
        return joined(p.negated ? "And" : "Or", parts);
    }

    [[nodiscard]] result<std::string> bound(foreign_predicate const& p, std::string_view op) const {
        return negatable(p, clause(p, op, values(p)[0]));
    }

    [[nodiscard]] result<std::string> like(foreign_predicate const& p,
                                           std::string const& before) const {
        auto const text = tree_.text_of(values(p)[0]);
        if (text.find_first_of("*?") != std::string_view::npos)
            return refused(p, "texts without * and ?, which stand for others in Weaviate's Like");
        auto const pattern = json(before + std::string(text) + "*");
        return negatable(p, clause(p, "Like", "valueText", pattern));
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
