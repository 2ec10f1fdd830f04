// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_PRINTING_HPP
#define VICINAL_MIGRATE_FILTERS_PRINTING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/literals.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/predicate.hpp>
#include <vicinal/migrate/filters/predicates.hpp>
#include <vicinal/migrate/json/write.hpp>
#include <vicinal/payload/filter.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What the printers of foreign filters share: names and values as JSON, and errors that quote the
/// comparison which the other system has not.
class foreign_printing {
protected:
    using test = foreign_test;
    using shape = foreign_predicate::shape;
    using literal = payload::filter_value;

    foreign_printing(payload::filter_tree const& tree,
                     backend::foreign_filter_options const& options) noexcept
        : tree_(tree), options_(options) {}

    [[nodiscard]] error refused(foreign_predicate const& p, std::string expected) const {
        if (p.test == test::unsayable)
            expected =
                "(...) is not true in the place of not, which also asks whether the field is "
                "there and of a kind for the comparison";
        auto one = tree_;
        one.nodes.assign(1, *p.node);
        auto text = (p.element ? "any " : "") + payload::detail::filter_printer(one).print();
        if (p.test == test::empty || p.test == test::empty_text)
            text = "whether " + text.substr(0, text.rfind(" is ")) + " has elements";
        return error{errc::unsupported, std::move(expected),
                     (p.negated != (p.test == test::unsayable) ? "not: " : "") +
                         payload::detail::excerpt(text)};
    }

    [[nodiscard]] std::span<literal const> values(foreign_predicate const& p) const {
        return tree_.values_of(*p.node).subspan(p.first_value);
    }
    [[nodiscard]] static bool is_text(literal const& v) { return v.type == value::kind::string; }
    [[nodiscard]] static bool is_number(literal const& v) {
        return v.type == value::kind::integer || v.type == value::kind::real;
    }
    template <class Holds>
    [[nodiscard]] static bool all_of(std::span<literal const> all, Holds holds) {
        return std::all_of(all.begin(), all.end(), holds);
    }
    [[nodiscard]] static bool range(test t) noexcept {
        return t == test::less || t == test::less_equal || t == test::greater ||
               t == test::greater_equal;
    }

    /// Anything but a number from 2^53 on.
    [[nodiscard]] static bool exact(literal const& v) {
        auto const x = v.type == value::kind::integer
                           ? static_cast<double>(static_cast<std::int64_t>(v.bits))
                           : std::bit_cast<double>(v.bits);
        return !is_number(v) || exact_in_double(x);
    }
    /// A filter's dates are text; only those of the one form mean the same elsewhere.
    [[nodiscard]] bool is_date(literal const& v) const {
        return options_.utc_dates && is_text(v) && is_utc_date(tree_.text_of(v));
    }

    [[nodiscard]] std::string json(literal const& v, bool as_double = false) const {
        std::string out;
        switch (v.type) {
            case value::kind::boolean: return v.bits != 0 ? "true" : "false";
            case value::kind::integer:
                if (!as_double) return std::to_string(static_cast<std::int64_t>(v.bits));
                return std::to_string(static_cast<std::int64_t>(v.bits)) + ".0";
            case value::kind::real:
                // Literals are finite: nothing can be wrong with it.
                static_cast<void>(append_json_double(std::bit_cast<double>(v.bits), out));
                return out;
            default: return json(tree_.text_of(v));
        }
    }
    /// Filters are UTF-8, so that nothing can be wrong with a text of theirs.
    [[nodiscard]] static std::string json(std::string_view s) {
        std::string out;
        static_cast<void>(append_json_string(s, out));
        return out;
    }
    /// Doubles throughout where there is one, for systems that want one kind in a list.
    [[nodiscard]] std::string list(std::span<literal const> all) const {
        auto const whole = [](literal const& v) { return v.type == value::kind::integer; };
        bool const as_double = all_of(all, is_number) && !all_of(all, whole);
        std::string out = "[";
        for (auto const& v : all) out += (out.size() == 1 ? "" : ",") + json(v, as_double);
        return out + "]";
    }
    /// The same values, one list for each kind that a system keeps apart.
    [[nodiscard]] std::vector<std::vector<literal>> by_kind(std::span<literal const> all) const {
        std::vector<std::vector<literal>> kinds;
        for (auto const& v : all) {
            bool placed = false;
            for (auto& k : kinds) {
                if (k[0].type != v.type && !(is_number(k[0]) && is_number(v))) continue;
                k.push_back(v);
                placed = true;
                break;
            }
            if (!placed) kinds.push_back({v});
        }
        return kinds;
    }

    /// The whole filter: `one(test)` is the text of a test, `join(form, texts)` that of several, of
    /// which each is such a text. "{}" where everything matches.
    template <class One, class Join>
    [[nodiscard]] result<std::string> whole(One const& one, Join const& join) const {
        auto const p = foreign_predicates(tree_).matches();
        if (everything(p)) return std::string("{}");
        return written(p, one, join);
    }
    [[nodiscard]] static bool everything(foreign_predicate const& p) noexcept {
        return p.form == shape::all && p.parts.empty();
    }
    template <class One, class Join>
    [[nodiscard]] static result<std::string> written(foreign_predicate const& p, One const& one,
                                                     Join const& join) {
        if (p.form == shape::test) return one(p);
        std::vector<std::string> parts;
        for (auto const& part : p.parts) {
            auto text = written(part, one, join);
            VICINAL_CHECK(text);
            parts.push_back(*std::move(text));
        }
        return join(p.form, parts);
    }

    /// Each part once.
    [[nodiscard]] static std::string chain(std::vector<std::string> const& parts,
                                           std::string_view before, std::string_view behind) {
        std::string out(before);
        for (auto p = parts.begin(); p != parts.end(); ++p)
            if (std::find(parts.begin(), p, *p) == p) out += (p == parts.begin() ? "" : ",") + *p;
        return out.append(behind);
    }

    payload::filter_tree const& tree_;
    backend::foreign_filter_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
