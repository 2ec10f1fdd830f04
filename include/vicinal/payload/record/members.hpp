// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_MEMBERS_HPP
#define VICINAL_PAYLOAD_RECORD_MEMBERS_HPP

#include <vicinal/payload/fixed_text.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace vicinal::inline VICINAL_ABI {

/// The members of a struct that travel as a payload and that filters see, in any order:
///
///     struct note {
///         int year = 0;
///         std::string title;
///         using members = vicinal::members<&note::year, &note::title>;
///     };
///
/// Each goes by its own name, or by the one that `named<"name", &note::year>` gives it. For a
/// struct that can't be changed, specialise members_of.
template <auto... Members>
struct members {};

template <fixed_text Name, auto Pointer>
struct named_member {
    static constexpr auto pointer = Pointer;
    static constexpr std::string_view name = Name.view();
};

/// A member by another name than its own.
template <fixed_text Name, auto Pointer>
inline constexpr named_member<Name, Pointer> named{};

/// The list of a struct's members; `type` is its own `members` unless specialised:
/// `template <> struct vicinal::members_of<note> { using type = vicinal::members<...>; };`
template <class T>
struct members_of {};
template <class T>
    requires requires { typename T::members; }
struct members_of<T> {
    using type = typename T::members;
};

namespace payload::detail {

template <class T>
concept described = std::is_class_v<T> && requires {
    typename members_of<T>::type;
};

/// What follows the last colon of "...::year]" or "...::year;": compilers write a member's pointer
/// as source text has it (GCC: [with auto Pointer = &ns::note::year; ...], Clang: [Pointer = ...]).
[[nodiscard]] consteval std::string_view last_name(std::string_view function) noexcept {
    auto const begin = function.find("Pointer = &");
    if (begin == std::string_view::npos) return {};
    auto text = function.substr(begin);
    text = text.substr(0, text.find_first_of(";]"));
    return text.substr(text.rfind(':') + 1);
}
template <auto Pointer>
[[nodiscard]] consteval std::string_view name_of_pointer() noexcept {
#if defined(__GNUC__) || defined(__clang__)
    return last_name(__PRETTY_FUNCTION__);
#else
    return {};
#endif
}
static_assert(last_name("auto f() [with auto Pointer = &a::b<int>::year; x = std::y]") == "year");
static_assert(last_name("auto f() [Pointer = &a::year]") == "year");

/// An entry of a list of members as an empty type: its pointer, its name, the type of its value.
template <class T, auto Entry>
struct member {
    static constexpr auto pointer = [] {
        if constexpr (std::is_member_pointer_v<decltype(Entry)>)
            return Entry;
        else
            return Entry.pointer;
    }();
    static constexpr std::string_view name = [] {
        if constexpr (std::is_member_pointer_v<decltype(Entry)>)
            return name_of_pointer<Entry>();
        else
            return Entry.name;
    }();
    static_assert(std::is_member_object_pointer_v<decltype(pointer)>,
                  "vicinal: members<> takes pointers to data members, as in &note::year");
    static_assert(!std::is_member_pointer_v<decltype(Entry)> || !name.empty(),
                  "vicinal: this compiler does not tell a member's name: give it with "
                  "named<\"year\", &note::year>");
    using type = std::remove_reference_t<decltype(std::declval<T&>().*pointer)>;
};

template <class T>
struct list_of {
    using type = vicinal::members<>;
};
template <described T>
struct list_of<T> {
    using type = typename members_of<T>::type;
};

/// The members of T in ascending bytewise order of their names, as encoded fields are; none where
/// it lists none.
template <class T, class List = typename list_of<T>::type>
struct member_table;
template <class T, auto... Entries>
struct member_table<T, vicinal::members<Entries...>> {
    static constexpr std::size_t size = sizeof...(Entries);

    /// Calls `f` with each member until it gives false; whether it never did.
    template <class F>
    static constexpr bool each(F&& f) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return (f(std::tuple_element_t<order[I], listed>{}) && ...);
        }
        (std::make_index_sequence<size>{});
    }

private:
    using listed = std::tuple<member<T, Entries>...>;

    static constexpr std::array<std::size_t, size> order = [] {
        std::array<std::string_view, size> const names{member<T, Entries>::name...};
        std::array<std::size_t, size> by_name{};
        for (std::size_t i = 0; i < size; ++i) {
            auto at = i;
            for (; at > 0 && names[i] < names[by_name[at - 1]]; --at) by_name[at] = by_name[at - 1];
            by_name[at] = i;
        }
        return by_name;
    }();

public:
    static constexpr bool names_differ = [] {
        std::string_view last;
        bool first = true;
        return each([&](auto m) {
            bool const differs = first || m.name != last;
            last = m.name;
            first = false;
            return differs;
        });
    }();
    static_assert(names_differ, "vicinal: two members of a struct have the same name");
};

} // namespace payload::detail

} // namespace vicinal::inline VICINAL_ABI

#endif
