// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_WEAVIATE_READING_HPP
#define VICINAL_MIGRATE_FILTERS_WEAVIATE_READING_HPP

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

/// Weaviate's `where`, in the form of REST and GraphQL and in that of newer clients, with the
/// answers of Weaviate's adapters/repos/db/inverted/searcher.go: an inverted index of every value,
/// of arrays every element; NotEqual, ContainsNone and Not are complements.
class weaviate_reading : foreign_reading {
public:
    explicit weaviate_reading(backend::foreign_filter_options const& options) : options_(options) {}

    [[nodiscard]] result<expression> read(value const& v) const {
        auto const* o = v.get_if<fields>();
        if (v.is_null() || (o && o->empty())) return expression::always();
        return clause(v, {});
    }

private:
    [[nodiscard]] result<expression> clause(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        auto const* written = (**o)["operator"].get_if<std::string>();
        if (!written)
            return wrong(at.member("operator"), "an operator's name", named((**o)["operator"]));
        auto const op = plain(*written);
        if (op == "and" || op == "or" || op == "not") return joined(op, **o, at);
        auto const name = property(**o, at);
        if (!name) return name.error();
        auto const operand = operand_of(**o, at);
        if (!operand) return operand.error();
        return comparison(*name, op, *written, *operand->second, at.member(operand->first),
                          operand->first);
    }

    /// "OPERATOR_CONTAINS_ANY" and "ContainsAny" are one.
    [[nodiscard]] static std::string plain(std::string_view written) {
        std::string out;
        if (written.starts_with("OPERATOR_")) written.remove_prefix(9);
        for (auto const c : written)
            if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        return out;
    }

    [[nodiscard]] result<expression> joined(std::string_view op, fields const& o,
                                            place const& at) const {
        std::string_view const name = o.contains("filters") ? "filters" : "operands";
        for (auto const& f : o)
            if (f.name != "operator" && f.name != name)
                return wrong(at.member(f.name), "operands alone", shorter(f.name));
        auto const here = at.member(name);
        auto const list = array(o[name], here);
        if (!list) return list.error();
        if ((*list)->empty() || (op == "not" && (*list)->size() != 1))
            return wrong(here, op == "not" ? "one operand" : "at least one operand",
                         std::to_string((*list)->size()));
        std::vector<expression> parts;
        for (std::size_t i = 0; i < (*list)->size(); ++i) {
            auto part = clause((**list)[i], here.at(i));
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        if (op == "not") return parts[0].opposite();
        return op == "and" ? expression::all(parts) : expression::any(parts);
    }

    [[nodiscard]] static result<std::string> property(fields const& o, place const& at) {
        value const* v = &o["path"];
        auto here = at.member("path");
        auto const target_place = at.member("target");
        if (auto const* target = o["target"].get_if<fields>()) {
            v = &(*target)["property"];
            here = target_place.member("property");
        }
        if (auto const* list = v->get_if<value::array>()) {
            if (list->size() > 1)
                return refused(here, "a property of the object itself", "one behind a reference");
            if (!list->empty()) v = &(*list)[0];
        }
        auto const* name = v->get_if<std::string>();
        if (!name) return wrong(here, "a property's name", named(*v));
        if (name->starts_with("len(") || name->find('.') != std::string::npos || *name == "id" ||
            name->starts_with('_'))
            return refused(here, "a property", "'" + shorter(*name) + "', which is none");
        return foreign_name(*name);
    }

    /// The one member that holds a value, with its name.
    [[nodiscard]] static result<std::pair<std::string_view, value const*>>
    operand_of(fields const& o, place const& at) {
        value const* found = nullptr;
        std::string_view name;
        for (auto const& [member, v] : o) {
            if (member == "operator" || member == "path" || member == "target") continue;
            if (!member.starts_with("value"))
                return wrong(at.member(member), "operator, path and a value", shorter(member));
            if (v.is_null()) continue;
            if (found) return wrong(at, "one value", "several");
            found = &v;
            name = member;
        }
        if (!found) return wrong(at, "a value such as valueText", "none");
        return std::pair{name, found};
    }

    [[nodiscard]] result<expression> comparison(std::string const& name, std::string_view op,
                                                std::string_view written, value const& v,
                                                place const& at, std::string_view kind) const {
        auto const any = "any " + name;
        if (op == "isnull") {
            auto const* wanted = v.get_if<bool>();
            if (!wanted) return wrong(at, "true or false", named(v));
            auto const none = expression::any({test(name, "=", value("")), empty_or_missing(name)});
            return *wanted ? none : none.opposite();
        }
        if (op == "withingeorange" || kind == "valueGeoRange")
            return refused(at, "no places on the earth, which filters don't have",
                           shorter(written));
        if (op.starts_with("contains")) return contains(name, op, written, v, at, kind);
        VICINAL_CHECK(check_value(v, at, kind));
        if (op == "equal") return test(any, "=", v);
        if (op == "notequal") return test(any, "=", v).opposite();
        if (op == "like") return like(any, v, at);
        for (auto const& [foreign, own] :
             {std::pair{"greaterthan", ">"}, std::pair{"greaterthanequal", ">="},
              std::pair{"lessthan", "<"}, std::pair{"lessthanequal", "<="}})
            if (op == foreign) return test(any, own, v);
        return unknown(written, at);
    }

    [[nodiscard]] static error unknown(std::string_view written, place const& at) {
        return wrong(at,
                     "Equal, NotEqual, GreaterThan, GreaterThanEqual, LessThan, LessThanEqual, "
                     "Like, IsNull, ContainsAny, ContainsAll, ContainsNone, And, Or or Not",
                     shorter(written));
    }

    [[nodiscard]] result<expression> contains(std::string const& name, std::string_view op,
                                              std::string_view written, value const& v,
                                              place const& at, std::string_view kind) const {
        if (op != "containsany" && op != "containsall" && op != "containsnone")
            return unknown(written, at);
        // Newer clients write {"values": [...]}.
        auto const* wrapped = v.get_if<fields>();
        auto const list = array(wrapped ? (*wrapped)["values"] : v, at);
        if (!list) return list.error();
        if ((*list)->empty()) return wrong(at, "at least one value", "none");
        std::vector<expression> each;
        for (std::size_t i = 0; i < (*list)->size(); ++i) {
            VICINAL_CHECK(check_value((**list)[i], at.at(i), kind));
            each.push_back(test("any " + name, "=", (**list)[i]));
        }
        if (op == "containsall") return expression::all(each);
        auto const some = test("any " + name, "in", foreign_list(**list));
        return op == "containsany" ? some : some.opposite();
    }

    /// Whether the value is of the kind that its member's name says, and comparable here.
    [[nodiscard]] result<void> check_value(value const& v, place const& at,
                                           std::string_view kind) const {
        if (kind.ends_with("Array")) kind.remove_suffix(5);
        auto const type = v.type();
        if (kind == "valueBoolean") {
            if (type != value::kind::boolean) return wrong(at, "true or false", named(v));
            return {};
        }
        if (kind == "valueInt" || kind == "valueNumber") {
            if (!is_number(v) || (kind == "valueInt" && type != value::kind::integer))
                return wrong(at, kind == "valueInt" ? "a whole number" : "a number", named(v));
            return check_exact(v, at);
        }
        if (kind != "valueText" && kind != "valueString" && kind != "valueDate")
            return wrong(at, "valueText, valueInt, valueNumber, valueBoolean or valueDate",
                         shorter(kind));
        if (!is_text(v)) return wrong(at, "a text", named(v));
        auto const& text = *v.get_if<std::string>();
        if (kind == "valueDate") {
            if (options_.utc_dates && is_utc_date(text)) return {};
            return refused(at,
                           options_.utc_dates
                               ? "a date written as 2024-01-31T12:00:00Z"
                               : "no dates, which are texts here (promise utc_dates where all "
                                 "are written as 2024-01-31T12:00:00Z)",
                           shorter(text));
        }
        if (!options_.plain_text)
            return refused(at,
                           "no texts, which Weaviate cuts into words (promise plain_text where "
                           "the property's tokenization is field)",
                           "a text");
        if (has_blank_ends(text))
            return refused(at, "a text without blanks at its ends, which Weaviate takes away",
                           text.empty() ? "an empty one" : "blanks");
        return {};
    }

    /// `*` stands for any characters, `?` for one: of those that filters have, a prefix and a part.
    [[nodiscard]] static result<expression> like(std::string const& any, value const& v,
                                                 place const& at) {
        if (!is_text(v)) return wrong(at, "a text", named(v));
        std::string_view text = *v.get_if<std::string>();
        bool const before = text.starts_with('*');
        if (before) text.remove_prefix(1);
        bool const after = text.ends_with('*');
        if (after) text.remove_suffix(1);
        if (text.empty() || text.find_first_of("*?") != std::string_view::npos ||
            (before && !after))
            return refused(at, "a pattern of a text with * behind it, on both sides, or without",
                           shorter(*v.get_if<std::string>()));
        return test(any, before ? "contains" : (after ? "starts_with" : "="),
                    value(std::string(text)));
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
