// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_CHROMA_PRINTING_HPP
#define VICINAL_MIGRATE_FILTERS_CHROMA_PRINTING_HPP

#include <vicinal/migrate/filters/printing.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Writes a filter for Chroma, which has no `not` but $ne, $nin and $not_contains, and can't ask
/// whether a field is there.
class chroma_printing : foreign_printing {
public:
    chroma_printing(payload::filter_tree const& tree,
                    backend::foreign_filter_options const& options) noexcept
        : foreign_printing(tree, options) {}

    [[nodiscard]] result<void> print(std::string& where, std::string& where_document) const {
        auto const whole = foreign_predicates(tree_).matches();
        // The two are joined by `and`: what stands between `and`s goes to one or the other.
        std::vector<std::string> metadata;
        std::vector<std::string> document;
        bool const chained = whole.form == shape::all;
        for (std::size_t i = 0; i < (chained ? whole.parts.size() : 1); ++i) {
            auto const& part = chained ? whole.parts[i] : whole;
            auto const kinds = kinds_of(part);
            if (kinds == (has_document | has_metadata))
                return error{errc::unsupported,
                             "conditions on the document joined to others by and, as Chroma has "
                             "them apart",
                             "both in one or"};
            auto text = of(part, kinds == has_document);
            if (!text) return text.error();
            (kinds == has_document ? document : metadata).push_back(*std::move(text));
        }
        where = joined(metadata, "$and");
        where_document = joined(document, "$and");
        return {};
    }

private:
    static constexpr unsigned has_document = 1;
    static constexpr unsigned has_metadata = 2;

    [[nodiscard]] bool on_document(foreign_predicate const& p) const {
        return tree_.name_of(*p.node) == options_.document;
    }
    [[nodiscard]] unsigned kinds_of(foreign_predicate const& p) const {
        if (p.form == shape::test) return on_document(p) ? has_document : has_metadata;
        unsigned kinds = 0;
        for (auto const& part : p.parts) kinds |= kinds_of(part);
        return kinds;
    }

    [[nodiscard]] static std::string joined(std::vector<std::string> const& parts,
                                            std::string_view how) {
        if (parts.size() <= 1) return parts.empty() ? "" : parts[0];
        return chain(parts, "{\"" + std::string(how) + "\":[", "]}");
    }

    [[nodiscard]] result<std::string> of(foreign_predicate const& p, bool document) const {
        return written(
            p, [&](auto const& t) { return document ? document_test(t) : metadata_test(t); },
            [](shape form, auto const& parts) {
                return joined(parts, form == shape::all ? "$and" : "$or");
            });
    }

    [[nodiscard]] result<std::string> document_test(foreign_predicate const& p) const {
        if (p.test != test::contains || !is_text(values(p)[0]))
            return refused(p, "contains with a text, all that Chroma asks of a document");
        return std::string("{\"") + (p.negated ? "$not_contains" : "$contains") +
               "\":" + json(values(p)[0]) + "}";
    }

    [[nodiscard]] result<std::string> metadata_test(foreign_predicate const& p) const {
        auto const name = tree_.name_of(*p.node);
        if (name.starts_with('$') || name == "#document")
            return refused(p, "names but #document and those with $ in front, which mean others");
        switch (p.test) {
            case test::equal:
                if (!p.element || options_.no_arrays)
                    return one(p, p.negated ? "$ne" : "$eq", values(p)[0]);
                return element(p, values(p));
            case test::in:
                if (!p.element || options_.no_arrays) return among(p, values(p));
                return element(p, values(p));
            case test::member: return one(p, contains(p), values(p)[0]);
            case test::contains:
                if (p.element || is_text(values(p)[0]))
                    return refused(p, "no part of a text, which Chroma finds in documents only");
                return one(p, contains(p), values(p)[0]);
            case test::less:
            case test::less_equal:
            case test::greater:
            case test::greater_equal: return bound(p, p.test, values(p)[0]);
            case test::between: {
                auto const low = bound(p, test::greater_equal, values(p)[0]);
                if (!low) return low.error();
                auto const high = bound(p, test::less_equal, values(p)[1]);
                if (!high) return high.error();
                return joined({*low, *high}, "$and");
            }
            case test::missing:
            case test::not_missing:
            case test::empty:
            case test::empty_text:
                return refused(p, "no question whether a field is there, which Chroma can't "
                                  "answer (x != 1 asks it; (x = 1) is not true does not)");
            default:
                return refused(p, "a comparison that Chroma has (=, in, <, <=, >, >=, between, "
                                  "contains)");
        }
    }

    [[nodiscard]] static std::string_view contains(foreign_predicate const& p) {
        return p.negated ? "$not_contains" : "$contains";
    }
    [[nodiscard]] std::string field(foreign_predicate const& p, std::string_view op,
                                    std::string const& operand) const {
        return "{" + json(tree_.name_of(*p.node)) + ":{\"" + std::string(op) + "\":" + operand +
               "}}";
    }
    [[nodiscard]] std::string one(foreign_predicate const& p, std::string_view op,
                                  literal const& v) const {
        return field(p, op, json(v));
    }

    /// Chroma's lists hold one kind.
    [[nodiscard]] std::string among(foreign_predicate const& p,
                                    std::span<literal const> all) const {
        std::vector<std::string> parts;
        for (auto const& kind : by_kind(all))
            parts.push_back(field(p, p.negated ? "$nin" : "$in", list(kind)));
        return joined(parts, p.negated ? "$and" : "$or");
    }

    /// $eq and $in look at fields that are no arrays, $contains at arrays.
    [[nodiscard]] std::string element(foreign_predicate const& p,
                                      std::span<literal const> all) const {
        std::vector<std::string> parts;
        if (p.test == test::in)
            parts.push_back(among(p, all));
        else
            parts.push_back(one(p, p.negated ? "$ne" : "$eq", all[0]));
        for (auto const& v : all) parts.push_back(one(p, contains(p), v));
        return joined(parts, p.negated ? "$and" : "$or");
    }

    [[nodiscard]] result<std::string> bound(foreign_predicate const& p, test t,
                                            literal const& v) const {
        if (p.negated) return refused(p, "no negation of <, <=, > and >=, which Chroma has not");
        if (p.element) return refused(p, "<, <=, > and >= of a field that is no array");
        if (!is_number(v)) return refused(p, "numbers behind <, <=, > and >=");
        return one(p,
                   t == test::less         ? "$lt"
                   : t == test::less_equal ? "$lte"
                   : t == test::greater    ? "$gt"
                                           : "$gte",
                   v);
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
