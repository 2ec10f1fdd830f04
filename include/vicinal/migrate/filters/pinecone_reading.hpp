// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PINECONE_READING_HPP
#define VICINAL_MIGRATE_FILTERS_PINECONE_READING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Pinecone's metadata filters (docs.pinecone.io/guides/search/filter-by-metadata). Metadata are
/// texts, doubles, booleans and lists of texts; a list matches where one of its texts does.
class pinecone_reading : foreign_reading {
public:
    explicit pinecone_reading(backend::foreign_filter_options const& options) : options_(options) {}

    [[nodiscard]] result<expression> read(value const& v) const {
        if (v.is_null()) return expression::always();
        return clause(v, {});
    }

private:
    [[nodiscard]] result<expression> clause(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        std::vector<expression> parts;
        for (auto const& [name, operand] : **o) {
            auto part = name == "$and" || name == "$or"
                            ? joined(operand, at.member(name), name == "$and")
                            : field(name, operand, at.member(name));
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return expression::all(parts);
    }

    [[nodiscard]] result<expression> joined(value const& operand, place const& at, bool all) const {
        auto const list = array(operand, at);
        if (!list) return list.error();
        if ((*list)->empty()) return wrong(at, "at least one condition", "none");
        std::vector<expression> parts;
        for (std::size_t i = 0; i < (*list)->size(); ++i) {
            auto part = clause((**list)[i], at.at(i));
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return all ? expression::all(parts) : expression::any(parts);
    }

    [[nodiscard]] result<expression> field(std::string_view name, value const& operand,
                                           place const& at) const {
        if (name.starts_with('$')) return wrong(at, "a field's name, $and or $or", shorter(name));
        if (is_scalar(operand)) return comparison(name, "$eq", operand, at);
        auto const tests = object(operand, at);
        if (!tests) return tests.error();
        if ((*tests)->empty()) return wrong(at, "an operator", "none");
        std::vector<expression> parts;
        for (auto const& [op, literal] : **tests) {
            auto part = comparison(name, op, literal, at.member(op));
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return expression::all(parts);
    }

    [[nodiscard]] result<expression> comparison(std::string_view field, std::string_view op,
                                                value const& v, place const& at) const {
        auto const name = foreign_name(field);
        if (op == "$eq" || op == "$ne") {
            if (auto const one = scalar(v, at); !one) return one.error();
            VICINAL_CHECK(check_exact(v, at));
            auto const same = is_text(v) ? test("any " + name, "=", v) : test(name, "=", v);
            if (op == "$eq") return same;
            return otherwise(name, is_text(v) ? same.opposite() : test(name, "!=", v), is_text(v));
        }
        if (op == "$in" || op == "$nin") {
            auto const list = scalars(v, at);
            if (!list) return list.error();
            bool texts = false;
            for (auto const& one : **list) {
                VICINAL_CHECK(check_exact(one, at));
                texts = texts || is_text(one);
            }
            bool const in = op == "$in";
            if ((*list)->empty()) return wrong(at, "at least one value", "none");
            auto const values = foreign_list(**list);
            auto const found = texts ? test("any " + name, "in", values) : test(name, "in", values);
            if (in) return found;
            return otherwise(name, texts ? found.opposite() : test(name, "not in", values), texts);
        }
        for (auto const& [foreign, own] : {std::pair{"$gt", ">"}, std::pair{"$gte", ">="},
                                           std::pair{"$lt", "<"}, std::pair{"$lte", "<="}}) {
            if (op != foreign) continue;
            if (auto const one = number(v, at); !one) return one.error();
            VICINAL_CHECK(check_exact(v, at));
            return test(name, own, v);
        }
        if (op == "$exists") {
            auto const* wanted = v.get_if<bool>();
            if (!wanted) return wrong(at, "true or false", named(v));
            return test(name, *wanted ? "is not null" : "is null");
        }
        return wrong(at, "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin or $exists", shorter(op));
    }

    /// `other`, with or without the records that lack the field, which are `among` it or not.
    [[nodiscard]] expression otherwise(std::string const& name, expression const& other,
                                       bool among) const {
        if (options_.ne_matches_missing == among) return other;
        if (among) return expression::all({other, test(name, "is not null")});
        return expression::any({other, test(name, "is null")});
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
