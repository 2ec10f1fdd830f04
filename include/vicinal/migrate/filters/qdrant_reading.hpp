// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_QDRANT_READING_HPP
#define VICINAL_MIGRATE_FILTERS_QDRANT_READING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/filters/options.hpp>
#include <vicinal/migrate/filters/qdrant_fields.hpp>
#include <vicinal/migrate/filters/reading.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Qdrant's filters: how clauses and conditions combine, with the answers of Qdrant's
/// lib/segment/src/payload_storage/query_checker.rs.
class qdrant_reading : foreign_reading {
public:
    explicit qdrant_reading(backend::foreign_filter_options const& options) : fields_(options) {}

    [[nodiscard]] result<expression> read(value const& v) const {
        if (v.is_null()) return expression::always();
        return clauses(v, {});
    }

private:
    [[nodiscard]] result<expression> clauses(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        std::vector<expression> parts;
        for (auto const& [name, operand] : **o) {
            auto const here = at.member(name);
            if (operand.is_null()) continue;
            auto part = clause(name, operand, here);
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return expression::all(parts);
    }

    [[nodiscard]] result<expression> clause(std::string_view name, value const& operand,
                                            place const& at) const {
        if (name == "min_should") return min_should(operand, at);
        if (name != "must" && name != "must_not" && name != "should")
            return wrong(at, "must, must_not, should or min_should", shorter(name));
        auto const parts = conditions(operand, at);
        if (!parts) return parts.error();
        if (name == "must") return expression::all(*parts);
        // Qdrant passes over a list without conditions, whatever its name.
        if (parts->empty()) return expression::always();
        auto const some = expression::any(*parts);
        return name == "should" ? some : some.opposite();
    }

    /// One condition, or a list of them.
    [[nodiscard]] result<std::vector<expression>> conditions(value const& v,
                                                             place const& at) const {
        std::vector<expression> parts;
        auto const* list = v.get_if<value::array>();
        auto const count = list ? list->size() : 1;
        for (std::size_t i = 0; i < count; ++i) {
            auto part = list ? condition((*list)[i], at.at(i)) : condition(v, at);
            if (!part) return part.error();
            parts.push_back(*std::move(part));
        }
        return parts;
    }

    [[nodiscard]] result<expression> condition(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        auto const& all = **o;
        if (all.contains("key")) return fields_.read(all, at);
        if (all.size() == 1) {
            auto const& [name, operand] = *all.begin();
            auto const here = at.member(name);
            if (name == "is_empty") return fields_.is_empty(operand, here);
            if (name == "is_null")
                return refused(here, "no is_null: a filter can't tell null from a missing field",
                               "is_null");
            if (name == "has_id")
                return refused(here, "conditions on payloads only: ids are none", "has_id");
            if (name == "nested")
                return refused(here, "no nested: fields inside an array have no names in a filter",
                               "nested");
            if (name == "has_vector" || name == "slice")
                return refused(here, "conditions on payloads only", name);
        }
        return clauses(v, at);
    }

    [[nodiscard]] result<expression> min_should(value const& v, place const& at) const {
        auto const o = object(v, at);
        if (!o) return o.error();
        for (auto const& [name, operand] : **o)
            if (name != "conditions" && name != "min_count")
                return wrong(at.member(name), "conditions or min_count", shorter(name));
        auto const* count = (**o)["min_count"].get_if<std::int64_t>();
        if (!count || *count < 1)
            return wrong(at.member("min_count"), "a whole number from 1 on",
                         count ? std::to_string(*count) : named((**o)["min_count"]));
        auto const list = array((**o)["conditions"], at.member("conditions"));
        if (!list) return list.error();
        auto const parts = conditions((**o)["conditions"], at.member("conditions"));
        if (!parts) return parts.error();
        if (static_cast<std::uint64_t>(*count) > parts->size()) return expression::never();
        return at_least(*parts, static_cast<std::size_t>(*count), at);
    }

    /// Any of the selections of so many parts.
    [[nodiscard]] static result<expression> at_least(std::vector<expression> const& parts,
                                                     std::size_t count, place const& at) {
        std::vector<expression> selections;
        std::vector<std::size_t> chosen(count);
        for (std::size_t i = 0; i < count; ++i) chosen[i] = i;
        std::size_t size = 0;
        for (;;) {
            std::vector<expression> selection;
            for (auto const i : chosen) selection.push_back(parts[i]);
            selections.push_back(expression::all(selection));
            size += selections.back().size() + count;
            if (size > payload::detail::max_filter_bytes)
                return refused(at, "so few selections of conditions that a filter holds them",
                               "more than 64 KiB of them");
            auto last = count;
            while (last > 0 && chosen[last - 1] == parts.size() - count + last - 1) --last;
            if (last == 0) return expression::any(selections);
            ++chosen[last - 1];
            for (; last < count; ++last) chosen[last] = chosen[last - 1] + 1;
        }
    }

    qdrant_fields fields_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
