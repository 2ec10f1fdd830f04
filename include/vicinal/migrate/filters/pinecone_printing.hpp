// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PINECONE_PRINTING_HPP
#define VICINAL_MIGRATE_FILTERS_PINECONE_PRINTING_HPP

#include <vicinal/migrate/filters/printing.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Writes a filter for Pinecone, which has no `not` but $ne and $nin, and whose lists are of texts.
class pinecone_printing : foreign_printing {
public:
    pinecone_printing(payload::filter_tree const& tree,
                      backend::foreign_filter_options const& options) noexcept
        : foreign_printing(tree, options) {}

    [[nodiscard]] result<std::string> print() const {
        return whole([this](auto const& p) { return one(p); },
                     [](shape form, auto const& parts) {
                         return chain(parts, form == shape::all ? R"({"$and":[)" : R"({"$or":[)",
                                      "]}");
                     });
    }

private:
    [[nodiscard]] result<std::string> one(foreign_predicate const& p) const {
        if (tree_.name_of(*p.node).starts_with('$'))
            return refused(p, "names without $ in front, which are Pinecone's operators");
        if (!all_of(values(p), exact))
            return refused(p, "numbers below 2^53, beyond which Pinecone rounds");
        switch (p.test) {
            case test::equal:
            case test::in: return same(p);
            case test::less: return bound(p, "$lt");
            case test::less_equal: return bound(p, "$lte");
            case test::greater: return bound(p, "$gt");
            case test::greater_equal: return bound(p, "$gte");
            case test::between: return bound(p, "$gte");
            case test::missing: return exists(p, p.negated);
            case test::never:
                return chain({exists(p, true), exists(p, false)},
                             p.negated ? R"({"$or":[)" : R"({"$and":[)", "]}");
            case test::empty:
                if (options_.no_empty_values) return exists(p, p.negated);
                return refused(p, "no question whether a list is empty (promise no_empty_values)");
            default:
                return refused(p, "a comparison that Pinecone has (=, in, <, <=, >, >=, between, "
                                  "is null)");
        }
    }

    [[nodiscard]] std::string field(foreign_predicate const& p, std::string const& tests) const {
        return "{" + json(tree_.name_of(*p.node)) + ":{" + tests + "}}";
    }
    [[nodiscard]] std::string exists(foreign_predicate const& p, bool wanted) const {
        return field(p, wanted ? R"("$exists":true)" : R"("$exists":false)");
    }

    [[nodiscard]] result<std::string> same(foreign_predicate const& p) const {
        bool const texts = !all_of(values(p), [](literal const& v) { return !is_text(v); });
        if (texts && !p.element && !options_.no_arrays)
            return refused(p, "any in front of the name, as Pinecone's $eq and $in look into lists "
                              "too (or promise no_arrays)");
        bool const single = p.test == test::equal;
        auto const operand = single ? json(values(p)[0]) : list(values(p));
        if (!p.negated) return field(p, (single ? R"("$eq":)" : R"("$in":)") + operand);
        auto const other = field(p, (single ? R"("$ne":)" : R"("$nin":)") + operand);
        if (options_.ne_matches_missing) return other;
        return chain({other, exists(p, false)}, R"({"$or":[)", "]}");
    }

    [[nodiscard]] result<std::string> bound(foreign_predicate const& p,
                                            std::string const& op) const {
        if (p.negated) return refused(p, "no negation of <, <=, > and >=, which Pinecone has not");
        if (!all_of(values(p), is_number)) return refused(p, "numbers behind <, <=, > and >=");
        auto tests = "\"" + op + "\":" + json(values(p)[0]);
        if (p.test == test::between) tests += ",\"$lte\":" + json(values(p)[1]);
        return field(p, tests);
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
