// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_CHECK_FILTER_HPP
#define VICINAL_PAYLOAD_RECORD_CHECK_FILTER_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter/literal.hpp>
#include <vicinal/payload/filter/operand.hpp>
#include <vicinal/payload/filter/parser.hpp>
#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/record/form.hpp>
#include <vicinal/payload/record/members.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Whether a part of a name as a filter has it, perhaps in quotes, is that name.
[[nodiscard]] constexpr bool part_is(std::string_view raw, std::string_view name) noexcept {
    if (raw.empty() || raw[0] != '"') return raw == name;
    std::size_t at = 0;
    for (std::size_t i = 1; i + 1 < raw.size(); ++i, ++at) {
        if (at == name.size() || name[at] != raw[i]) return false;
        if (raw[i] == '"') ++i;
    }
    return at == name.size();
}

/// What a name in a filter is in a struct.
struct found_member {
    bool known = false;
    bool nullable = false;
    value::kind form = value::kind::null;
    /// Of a vector's elements.
    value::kind elements = value::kind::null;
};

template <class T>
[[nodiscard]] constexpr found_member find_member(std::string_view raw) {
    found_member found;
    auto const head = raw.substr(0, part_size(raw));
    // A flat name with dots of its own comes first, as in evaluation.
    auto const look = [&](bool flat) {
        return !member_table<T>::each([&](auto m) {
            using type = typename decltype(m)::type;
            using bare = without_optional<type>;
            if (flat ? raw != m.name : !part_is(head, m.name)) return true;
            if (flat || head.size() == raw.size()) {
                found = {true, part<type>::optional, form_of<type>(), value::kind::null};
                if constexpr (part<bare>::vector)
                    found.elements = form_of<typename part<bare>::type>();
            } else if constexpr (described<bare>) {
                found = find_member<bare>(raw.substr(head.size() + 1));
                found.nullable = found.nullable || part<type>::optional;
            }
            return false;
        });
    };
    if (!look(true)) static_cast<void>(look(false));
    return found;
}

/// Follows the parser through a filter and compares each condition with the members of T.
template <class T>
class filter_type_check : public filter_onlooker {
public:
    enum class verdict : std::uint8_t { fits, unknown_name, never_matches };

    constexpr void begin(filter_token const& name) {
        at_ = name.offset;
        member_ = find_member<T>(name.raw);
        texts_ = booleans_ = numbers_ = false;
        if (!member_.known) tell(verdict::unknown_name);
    }
    [[nodiscard]] constexpr bool literal(filter_token const& token) noexcept {
        if (token.kind == token_kind::text)
            texts_ = true;
        else if (token.kind == token_kind::integer || token.kind == token_kind::real)
            numbers_ = true;
        else
            booleans_ = true;
        return filter_onlooker::literal(token);
    }
    constexpr void end(filter_op op) noexcept {
        if (member_.known && !may_match(op)) tell(verdict::never_matches);
    }

    [[nodiscard]] constexpr verdict says() const noexcept { return says_; }
    /// The byte at which the condition in question begins.
    [[nodiscard]] constexpr std::size_t offset() const noexcept { return told_at_; }

private:
    [[nodiscard]] constexpr bool may_match(filter_op op) const noexcept {
        auto const form = member_.form;
        switch (op) {
            case filter_op::is_null: return member_.nullable;
            case filter_op::is_not_null: return true;
            case filter_op::starts_with: return form == value::kind::string;
            case filter_op::contains:
                return form == value::kind::array ? literals_are(member_.elements)
                                                  : form == value::kind::string && texts_;
            default: return literals_are(form);
        }
    }
    [[nodiscard]] constexpr bool literals_are(value::kind form) const noexcept {
        bool const number = form == value::kind::integer || form == value::kind::real;
        return (!texts_ || form == value::kind::string) &&
               (!booleans_ || form == value::kind::boolean) && (!numbers_ || number);
    }
    constexpr void tell(verdict v) noexcept {
        if (says_ != verdict::fits) return;
        says_ = v;
        told_at_ = at_;
    }

    found_member member_ = {};
    std::size_t at_ = 0;
    std::size_t told_at_ = 0;
    verdict says_ = verdict::fits;
    bool texts_ = false;
    bool booleans_ = false;
    bool numbers_ = false;
};

/// What the members of T make of a filter that parses.
template <class T>
[[nodiscard]] constexpr filter_type_check<T> checked_against(std::string_view filter) {
    filter_type_check<T> check;
    filter_parser parser(filter, check);
    static_cast<void>(parser.parse());
    return check;
}

/// Its instantiation is the error; the column of the condition stands in the compiler's message.
template <class T, std::size_t Column>
struct filter_names_no_member {
    static_assert(Column == 0, "vicinal: the filter in where_of<T, ...> asks for a field that is "
                               "no member of T");
};
template <class T, std::size_t Column>
struct filter_never_matches {
    static_assert(Column == 0, "vicinal: the filter in where_of<T, ...> has a condition that can "
                               "never match: the member is of another type, or never null");
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
