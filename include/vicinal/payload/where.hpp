// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_WHERE_HPP
#define VICINAL_PAYLOAD_WHERE_HPP

#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/any_element.hpp>
#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/payload/filter/fault.hpp>
#include <vicinal/payload/filter/literal.hpp>
#include <vicinal/payload/fixed_text.hpp>
#include <vicinal/payload/record/check_filter.hpp>
#include <vicinal/payload/record/conditions.hpp>
#include <vicinal/payload/record/members.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI {

namespace payload::detail {

/// What `where<...>` takes: the text of a filter, or a pointer to a member.
template <class A>
struct where_argument;
template <std::size_t N>
struct where_argument<fixed_text<N>> {
    consteval where_argument(char const (&literal)[N]) noexcept : text(literal) {}
    fixed_text<N> text;
};
template <class M, class T>
struct where_argument<M T::*> {
    consteval where_argument(M T::*p) noexcept : pointer(p) {}
    M T::*pointer;
};
template <std::size_t N>
where_argument(char const (&)[N]) -> where_argument<fixed_text<N>>;
template <class M, class T>
where_argument(M T::*) -> where_argument<M T::*>;

template <fixed_text Text>
[[nodiscard]] consteval literal_filter<Text> checked_literal() {
    if constexpr (constexpr auto fault = fault_of(Text.view()); fault.expected != nullptr)
        static_cast<void>(sizeof(filter_does_not_parse<words_expected<Text>::text,
                                                       column_of(Text.view(), fault.offset)>));
    return {};
}

template <class T, fixed_text Text>
[[nodiscard]] consteval literal_filter<Text> checked_literal_of() {
    static_assert(described<T>, "vicinal: where_of<T, ...> needs to know the members of T: "
                                "vicinal::members has how");
    using verdict = typename filter_type_check<T>::verdict;
    if constexpr (fault_of(Text.view()).expected == nullptr) {
        constexpr auto check = checked_against<T>(Text.view());
        constexpr auto column = column_of(Text.view(), check.offset());
        if constexpr (check.says() == verdict::unknown_name)
            static_cast<void>(sizeof(filter_names_no_member<T, column>));
        if constexpr (check.says() == verdict::never_matches)
            static_cast<void>(sizeof(filter_never_matches<T, column>));
    }
    return checked_literal<Text>();
}

/// Follows pointers from a struct to the members of its members.
template <class From, bool Nullable, class Path, auto... Rest>
struct member_path;
template <auto... Path>
struct pointers {};
template <class From, bool Nullable, auto... Path>
struct member_path<From, Nullable, pointers<Path...>> {
    using type = member_condition<From, Nullable, field, Path...>;
};
template <class From, bool Nullable, auto... Path, auto Next, auto... Rest>
struct member_path<From, Nullable, pointers<Path...>, Next, Rest...> {
    using step = pointer_parts<decltype(Next)>;
    static_assert(sizeof...(Path) == 0 ||
                      std::same_as<without_optional<From>, typename step::owner>,
                  "vicinal: each pointer in where<...> must point into the member before it");
    static_assert(described<typename step::owner> && !listed_name<Next>().empty(),
                  "vicinal: where<&T::member> needs a member that T lists: vicinal::members has "
                  "how");
    using type =
        typename member_path<typename step::type, Nullable || part<typename step::type>::optional,
                             pointers<Path..., Next>, Rest...>::type;
};

template <where_argument First, where_argument... Rest>
[[nodiscard]] consteval auto make_where() {
    if constexpr (requires { First.text; }) {
        static_assert(sizeof...(Rest) == 0, "vicinal: where<...> takes one text");
        return checked_literal<First.text>();
    } else {
        return
            typename member_path<void, false, pointers<>, First.pointer, Rest.pointer...>::type{};
    }
}

} // namespace payload::detail

/// A filter that is checked while compiling.
///
/// `where<"year >= 2023 and tags contains 'ml'">` is the filter of that text; wrong text does not
/// compile. It is parsed once a program, and goes where a filter or its text goes.
///
/// `where<&note::year>() >= 2023` is a condition on a member that the struct lists (see members);
/// one that no value of its type can fulfil does not compile. The operators and calls are those of
/// `field("year")`; `where<&note::by, &author::name>` is a member of a nested struct.
///
/// Numbers in the text go from 1e-307 to 1e308.
template <payload::detail::where_argument... Argument>
inline constexpr auto where = payload::detail::make_where<Argument...>();

/// The filter of that text, compared with the members of T while compiling: a name that is no
/// member, and a condition that can never match for its type, do not compile.
template <class T, fixed_text Text>
inline constexpr literal_filter<Text> where_of = payload::detail::checked_literal_of<T, Text>();

} // namespace vicinal::inline VICINAL_ABI

#endif
