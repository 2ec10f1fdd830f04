// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_QDRANT_PRINTING_HPP
#define VICINAL_MIGRATE_FILTERS_QDRANT_PRINTING_HPP

#include <vicinal/migrate/filters/printing.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Writes a filter for Qdrant. A condition there holds for a field and for any element of an array:
/// what is asked of a field alone is that condition and not the same for "key[]", which are the
/// elements only.
class qdrant_printing : foreign_printing {
public:
    qdrant_printing(payload::filter_tree const& tree,
                    backend::foreign_filter_options const& options) noexcept
        : foreign_printing(tree, options) {}

    [[nodiscard]] result<std::string> print() const {
        auto const p = foreign_predicates(tree_).matches();
        if (everything(p)) return std::string("{}");
        auto text = of(p);
        if (!text || p.form != shape::test || text->starts_with(R"({"must)")) return text;
        return R"({"must":[)" + *text + "]}";
    }

private:
    [[nodiscard]] result<std::string> of(foreign_predicate const& p) const {
        if (p.form == shape::test) {
            auto text = one(p);
            if (!text || !p.negated) return text;
            return R"({"must_not":[)" + *text + "]}";
        }
        std::vector<std::string> parts;
        std::vector<std::string> negated;
        for (auto const& part : p.parts) {
            bool const aside = p.form == shape::all && part.form == shape::test && part.negated;
            auto text = aside ? one(part) : of(part);
            if (!text) return text;
            (aside ? negated : parts).push_back(*std::move(text));
        }
        if (p.form == shape::any) return chain(parts, R"({"should":[)", "]}");
        std::string out = parts.empty() ? "{" : chain(parts, R"({"must":[)", "]");
        if (!negated.empty())
            out += (parts.empty() ? "" : ",") + chain(negated, R"("must_not":[)", "]");
        return out + "}";
    }

    /// The test as if it were not negated.
    [[nodiscard]] result<std::string> one(foreign_predicate const& p) const {
        auto const key = path(p);
        if (!key) return key.error();
        switch (p.test) {
            case test::missing:
                if (options_.no_empty_values && !p.element) return is_empty(*key);
                return refused(p, p.element
                                      ? "no question whether an element is null"
                                      : "no question whether a field is there, as Qdrant takes an "
                                        "empty array for a missing field (promise no_empty_values; "
                                        "x != 1 asks it, (x = 1) is not true does not)");
            case test::empty: return is_empty(*key);
            case test::never: return match(*key, "any", "[]");
            case test::member:
                return refused(p, "any x = 'a' without x != 'a', as Qdrant does not tell a text "
                                  "from an array of it");
            default: break;
        }
        auto const wide = condition(p, *key);
        if (!wide || p.element || options_.no_arrays) return wide;
        auto const elements = condition(p, *key + "[]");
        return R"({"must":[)" + *wide + R"(],"must_not":[)" + *elements + "]}";
    }

    [[nodiscard]] static std::string is_empty(std::string const& key) {
        return R"({"is_empty":{"key":)" + json(key) + "}}";
    }

    [[nodiscard]] result<std::string> condition(foreign_predicate const& p,
                                                std::string const& key) const {
        auto const all = values(p);
        switch (p.test) {
            case test::equal: return equal(key, all[0], p);
            case test::in: return among(key, p);
            case test::not_equal:
            case test::not_in:
                if (!one_list(all)) return refused(p, "texts alone or whole numbers alone");
                return match(key, "except", list(all));
            case test::contains:
                if ((!p.element && !options_.no_arrays) || !is_text(all[0]))
                    return refused(p, "any in front of the name and a text behind contains, as "
                                      "Qdrant looks into arrays by another condition");
                if (!options_.plain_text)
                    return refused(p, "no part of a text, for which Qdrant may have a full-text "
                                      "index of words (promise plain_text where it has none)");
                return match(key, "text", json(all[0]));
            case test::starts_with: return match(key, "prefix", json(all[0]));
            case test::less: return range(key, p, "lt");
            case test::less_equal: return range(key, p, "lte");
            case test::greater: return range(key, p, "gt");
            case test::greater_equal: return range(key, p, "gte");
            case test::between: return range(key, p, "gte");
            default:
                return refused(p, "a comparison that Qdrant has (=, in, <, <=, >, >=, between, "
                                  "starts_with)");
        }
    }

    [[nodiscard]] static std::string match(std::string const& key, std::string_view how,
                                           std::string const& operand) {
        return R"({"key":)" + json(key) + R"(,"match":{")" + std::string(how) + "\":" + operand +
               "}}";
    }

    [[nodiscard]] result<std::string> equal(std::string const& key, literal const& v,
                                            foreign_predicate const& p) const {
        if (v.type != value::kind::real) return match(key, "value", json(v));
        if (!exact(v)) return too_large(p);
        return R"({"key":)" + json(key) + R"(,"range":{"gte":)" + json(v) + R"(,"lte":)" + json(v) +
               "}}";
    }

    /// `any` and `except` take texts or whole numbers.
    [[nodiscard]] static bool one_list(std::span<literal const> all) {
        return all_of(all, is_text) ||
               all_of(all, [](literal const& v) { return v.type == value::kind::integer; });
    }

    [[nodiscard]] result<std::string> among(std::string const& key,
                                            foreign_predicate const& p) const {
        if (one_list(values(p))) return match(key, "any", list(values(p)));
        std::vector<std::string> parts;
        for (auto const& v : values(p)) {
            auto text = equal(key, v, p);
            if (!text) return text;
            parts.push_back(*std::move(text));
        }
        return chain(parts, R"({"should":[)", "]}");
    }

    [[nodiscard]] error too_large(foreign_predicate const& p) const {
        return refused(p, "numbers below 2^53, beyond which Qdrant rounds");
    }

    [[nodiscard]] result<std::string> range(std::string const& key, foreign_predicate const& p,
                                            std::string const& bound) const {
        auto const all = values(p);
        for (auto const& v : all) {
            if (!is_number(v) && !is_date(v))
                return refused(p, "numbers behind <, <=, >, >= and between (dates with the promise "
                                  "utc_dates)");
            if (!exact(v)) return too_large(p);
        }
        auto bounds = "\"" + bound + "\":" + json(all[0]);
        if (p.test == test::between) bounds += ",\"lte\":" + json(all[1]);
        return R"({"key":)" + json(key) + R"(,"range":{)" + bounds + "}}";
    }

    [[nodiscard]] result<std::string> path(foreign_predicate const& p) const {
        auto const name = tree_.name_of(*p.node);
        if (name.find_first_of("\"\\") != std::string_view::npos)
            return refused(p, "names without quotes and backslashes");
        std::string out;
        std::size_t begin = 0;
        auto const add = [&](std::string_view part) {
            bool const plain = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x80 &&
                       (payload::detail::continues_name(c) || c == '-');
            });
            if (!out.empty() || begin > 0) out += '.';
            out += plain ? std::string(part) : "\"" + std::string(part) + "\"";
        };
        for (auto const start : tree_.starts_of(*p.node)) {
            add(name.substr(begin, start - 1 - begin));
            begin = start;
        }
        add(name.substr(begin));
        return out;
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
