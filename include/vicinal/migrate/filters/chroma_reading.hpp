// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_CHROMA_READING_HPP
#define VICINAL_MIGRATE_FILTERS_CHROMA_READING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Chroma's `where` and `where_document`, with the grammar of rust/types/src/where_parsing.rs and
/// the answers of rust/segment/src/sqlite_metadata.rs of Chroma 1.x.
class chroma_reading : foreign_reading {
public:
    explicit chroma_reading(backend::foreign_filter_options const& options) : options_(options) {}

    [[nodiscard]] result<expression> read(value const& where, value const& where_document) const {
        auto const metadata = top(where, {nullptr, "where"}, false);
        if (!metadata) return metadata.error();
        auto const document = top(where_document, {nullptr, "where_document"}, true);
        if (!document) return document.error();
        return expression::all({*metadata, *document});
    }

private:
    [[nodiscard]] result<expression> top(value const& v, place const& at, bool document) const {
        auto const* o = v.get_if<fields>();
        if (v.is_null() || (o && o->empty())) return expression::always();
        return clause(v, at, document);
    }

    [[nodiscard]] result<expression> clause(value const& v, place const& at, bool document) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        if ((*o)->size() != 1)
            return wrong(at, "one condition in an object ($and joins several)",
                         std::to_string((*o)->size()));
        auto const& [name, operand] = *(*o)->begin();
        auto const here = at.member(name);
        if (name == "$and" || name == "$or") return joined(operand, here, document, name == "$and");
        if (document) return document_test(name, operand, here);
        if (name.starts_with('$')) return wrong(here, "a field's name, $and or $or", shorter(name));
        bool const of_document = name == "#document";
        if (is_scalar(operand) && !of_document) return comparison(name, "$eq", operand, here);
        auto const test = object(operand, here);
        if (!test) return test.error();
        if ((*test)->size() != 1)
            return wrong(here, "one operator in an object", std::to_string((*test)->size()));
        auto const& [op, literal] = *(*test)->begin();
        if (of_document) return document_test(op, literal, here.member(op));
        return comparison(name, op, literal, here.member(op));
    }

    [[nodiscard]] result<expression> joined(value const& operand, place const& at, bool document,
                                            bool all) const {
        auto const list = array(operand, at);
        if (!list) return list.error();
        if ((*list)->empty()) return wrong(at, "at least one condition", "none");
        std::vector<expression> parts;
        for (std::size_t i = 0; i < (*list)->size(); ++i) {
            auto part = clause((**list)[i], at.at(i), document);
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return all ? expression::all(parts) : expression::any(parts);
    }

    [[nodiscard]] result<expression> comparison(std::string_view field, std::string_view op,
                                                value const& v, place const& at) const {
        auto const name = foreign_name(field);
        bool const negative = op == "$ne" || op == "$nin" || op == "$not_contains";
        if (op == "$eq" || op == "$ne" || op == "$contains" || op == "$not_contains") {
            if (auto const one = scalar(v, at); !one) return one.error();
            if (op == "$eq") return test(name, "=", v);
            // Also where the field is missing, since Chroma 0.5.12.
            if (op == "$ne") return expression::any({test(name, "!=", v), test(name, "is null")});
            auto const found = element(name, v);
            return negative ? found.opposite() : found;
        }
        if (op == "$in" || op == "$nin") {
            auto const list = scalars(v, at);
            if (!list) return list.error();
            if ((*list)->empty()) return wrong(at, "at least one value", "none");
            if (!alike(**list)) return wrong(at, "values of one kind", "several kinds");
            auto const values = foreign_list(**list);
            if (op == "$in") return test(name, "in", values);
            return expression::any({test(name, "not in", values), test(name, "is null")});
        }
        for (auto const& [foreign, own] : {std::pair{"$gt", ">"}, std::pair{"$gte", ">="},
                                           std::pair{"$lt", "<"}, std::pair{"$lte", "<="}}) {
            if (op != foreign) continue;
            if (auto const one = number(v, at); !one) return one.error();
            return test(name, own, v);
        }
        if (op == "$regex" || op == "$not_regex")
            return wrong(at, "regular expressions on documents only", "one on a field");
        return wrong(at, "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains or $not_contains",
                     shorter(op));
    }

    /// An array with that element: a text of its own is none, nor is it a part of one.
    [[nodiscard]] static expression element(std::string const& name, value const& v) {
        if (!is_text(v)) return test(name, "contains", v);
        return expression::all({test("any " + name, "=", v), test(name, "!=", v)});
    }

    [[nodiscard]] result<expression> document_test(std::string_view op, value const& v,
                                                   place const& at) const {
        if (op == "$regex" || op == "$not_regex")
            return refused(at, "no regular expression, which filters don't have", std::string(op));
        if (op != "$contains" && op != "$not_contains")
            return wrong(at, "$contains, $not_contains, $and or $or", shorter(op));
        if (!is_text(v)) return wrong(at, "a text", named(v));
        auto const found = test(foreign_name(options_.document), "contains", v);
        return op == "$contains" ? found : found.opposite();
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
