// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_QDRANT_FIELDS_HPP
#define VICINAL_MIGRATE_FILTERS_QDRANT_FIELDS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/qdrant_bounds.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Qdrant's conditions on one field, with the answers of Qdrant's
/// lib/segment/src/payload_storage/condition_checker.rs. A field that is an array matches where one
/// of its elements does.
class qdrant_fields : foreign_reading {
public:
    explicit qdrant_fields(backend::foreign_filter_options const& options) : options_(options) {}

    /// {"key": ..., "match": ...} and its like.
    [[nodiscard]] result<foreign_expression> read(fields const& all, place const& at) const {
        auto const key = path(all["key"], at.member("key"));
        if (!key) return key.error();
        value const* condition = nullptr;
        std::string_view kind;
        for (auto const& [name, operand] : all) {
            if (name == "key" || operand.is_null()) continue;
            if (condition) return wrong(at, "one condition for each key", "several");
            condition = &operand;
            kind = name;
        }
        if (!condition) return wrong(at, "match, range, values_count or is_empty", "none of them");
        auto const here = at.member(kind);
        if (kind == "match") return match(*key, *condition, here);
        if (kind == "range") return qdrant_bounds(options_).range(*key, *condition, here);
        if (kind == "values_count") return qdrant_bounds(options_).count(*key, *condition, here);
        if (kind == "is_empty") {
            auto const* wanted = condition->get_if<bool>();
            if (!wanted) return wrong(here, "true or false", named(*condition));
            return *wanted ? empty_or_missing(*key) : empty_or_missing(*key).opposite();
        }
        if (kind == "is_null")
            return refused(here, "no is_null: a filter can't tell null from a missing field",
                           "is_null");
        if (kind.starts_with("geo_"))
            return refused(here, "no places on the earth, which filters don't have", shorter(kind));
        return wrong(here, "match, range, values_count or is_empty", shorter(kind));
    }

    /// {"is_empty": {"key": ...}}
    [[nodiscard]] result<foreign_expression> is_empty(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        if ((*o)->size() != 1 || !(*o)->contains("key")) return wrong(at, "a key alone", "more");
        auto const key = path((**o)["key"], at.member("key"));
        if (!key) return key.error();
        return empty_or_missing(*key);
    }

private:
    /// A key such as a.b."first name" as a name of ours.
    [[nodiscard]] static result<std::string> path(value const& v, place const& at) {
        auto const* key = v.get_if<std::string>();
        if (!key) return wrong(at, "a text", named(v));
        std::string out;
        std::string_view rest = *key;
        for (;;) {
            std::size_t size = 0;
            if (rest.starts_with('"')) {
                size = rest.find_first_of("\"\\", 1);
                if (size == std::string_view::npos || rest[size] == '\\')
                    return wrong(at, "a closing quote and no backslash", shorter(*key));
                out += foreign_name(rest.substr(1, size - 1));
                ++size;
            } else {
                while (size < rest.size() &&
                       (payload::detail::continues_name(rest[size]) || rest[size] == '-'))
                    ++size;
                if (size == 0) return wrong(at, "a name", shorter(*key));
                out += foreign_name(rest.substr(0, size));
            }
            rest.remove_prefix(size);
            if (rest.empty()) return out;
            if (rest[0] == '[')
                return refused(at, "no place inside an array, which has no name in a filter",
                               shorter(*key));
            if (rest[0] != '.') return wrong(at, "a dot or the end of the key", shorter(*key));
            rest.remove_prefix(1);
            out += '.';
        }
    }

    [[nodiscard]] result<foreign_expression> match(std::string const& key, value const& v,
                                                   place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        if ((*o)->size() != 1) return wrong(at, "one way of matching", "several or none");
        auto const& [how, operand] = *(*o)->begin();
        auto const here = at.member(how);
        auto const any = "any " + key;
        if (how == "value") {
            if (auto const one = scalar(operand, here); !one) return one.error();
            if (operand.type() == value::kind::real)
                return wrong(here, "a whole number, a text, true or false", "another number");
            return test(any, "=", operand);
        }
        if (how == "any" || how == "except") {
            auto const list = scalars(operand, here);
            if (!list) return list.error();
            if ((*list)->empty())
                return how == "any" ? expression::never() : test(any, "is not null");
            auto const type = (**list)[0].type();
            for (auto const& one : **list)
                if (one.type() != type || (!is_text(one) && type != value::kind::integer))
                    return wrong(here, "texts or whole numbers alone", "other values");
            return test(any, how == "any" ? "in" : "not in", foreign_list(**list));
        }
        if (!is_text(operand)) return wrong(here, "a text", named(operand));
        if (how == "prefix") return test(any, "starts_with", operand);
        if (how != "text" && how != "phrase" && how != "text_any")
            return wrong(here, "value, any, except, text, text_any, phrase or prefix",
                         shorter(how));
        if (!options_.plain_text)
            return refused(here,
                           "no words, which Qdrant finds by a full-text index (without one "
                           "it finds a part of a text: promise plain_text)",
                           how);
        if (how != "text_any") return test(any, "contains", operand);
        return any_word(any, *operand.get_if<std::string>(), here);
    }

    /// The words of a text, each a part of the field's.
    [[nodiscard]] static result<foreign_expression>
    any_word(std::string const& any, std::string_view words, place const& at) {
        if (std::any_of(words.begin(), words.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
            return refused(at, "words of ASCII, whose blanks are known here", "others");
        constexpr std::string_view blanks = " \t\n\v\f\r";
        std::vector<expression> parts;
        for (;;) {
            auto const first = words.find_first_not_of(blanks);
            if (first == std::string_view::npos) return expression::any(parts);
            words.remove_prefix(first);
            auto const size = (std::min)(words.find_first_of(blanks), words.size());
            parts.push_back(test(any, "contains", value(std::string(words.substr(0, size)))));
            words.remove_prefix(size);
        }
    }

    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
