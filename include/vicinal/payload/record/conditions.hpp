// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_RECORD_CONDITIONS_HPP
#define VICINAL_PAYLOAD_RECORD_CONDITIONS_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/any_element.hpp>
#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/payload/filter/text.hpp>
#include <vicinal/payload/record/form.hpp>
#include <vicinal/payload/record/members.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

template <class P>
struct pointer_parts;
template <class M, class T>
struct pointer_parts<M T::*> {
    using owner = T;
    using type = M;
};

/// The name that T's list gives the member; empty where it is not listed.
template <auto Pointer>
[[nodiscard]] consteval std::string_view listed_name() noexcept {
    using owner = typename pointer_parts<decltype(Pointer)>::owner;
    std::string_view name;
    member_table<owner>::each([&](auto m) {
        if constexpr (std::same_as<decltype(m.pointer), decltype(Pointer) const>)
            if (m.pointer == Pointer) name = m.name;
        return true;
    });
    return name;
}

/// Whether a member of type M may be equal to a V.
template <class M, class V>
inline constexpr bool may_equal = [] {
    using bare = without_optional<M>;
    if constexpr (std::is_enum_v<V>) return std::same_as<bare, V>;
    constexpr auto form = form_of<bare>();
    if constexpr (std::same_as<V, bool>) return form == value::kind::boolean;
    if constexpr (vicinal::detail::text_like<V>) return form == value::kind::string;
    return vicinal::detail::literal_like<V> && !std::same_as<V, bool> &&
           (form == value::kind::integer || form == value::kind::real);
}();

/// A literal as the encoded member has it: an enum as its number, a float as the double that a
/// float member becomes.
template <class M, class V>
[[nodiscard]] auto as_encoded(V const& v) {
    if constexpr (std::is_enum_v<V>) {
        if constexpr (std::is_signed_v<whole_type<V>>)
            return static_cast<std::int64_t>(v);
        else
            return static_cast<std::uint64_t>(v);
    } else if constexpr (std::same_as<without_optional<M>, float> && std::same_as<V, float>) {
        return widened(v);
    } else if constexpr (vicinal::detail::text_like<V>) {
        return std::string_view(v);
    } else {
        return v;
    }
}

/// The static assertion stands before anything else that the compiler says of the operands.
template <class M, class V, class Asked = field>
struct comparable_field {
    static_assert(may_equal<M, V>,
                  "vicinal: this condition can never match: the member is of another type");
    using type = Asked;
};

/// `where<&note::year>`: conditions on a member, checked against its type. `Path` is more than one
/// pointer for a member of a nested struct; `Asked` is field or, for the elements of a vector of M,
/// any_element.
template <class M, bool Nullable, class Asked, auto... Path>
class member_condition {
public:
    [[nodiscard]] constexpr member_condition operator()() const noexcept { return {}; }

    template <class V>
    [[nodiscard]] friend filter operator==(member_condition, V const& v) {
        return named_field<V>() == as_encoded<M>(v);
    }
    template <class V>
    [[nodiscard]] friend filter operator!=(member_condition, V const& v) {
        return named_field<V>() != as_encoded<M>(v);
    }
    template <class V>
    [[nodiscard]] friend filter operator<(member_condition, V const& v) {
        return named_field<V>() < as_encoded<M>(v);
    }
    template <class V>
    [[nodiscard]] friend filter operator<=(member_condition, V const& v) {
        return named_field<V>() <= as_encoded<M>(v);
    }
    template <class V>
    [[nodiscard]] friend filter operator>(member_condition, V const& v) {
        return named_field<V>() > as_encoded<M>(v);
    }
    template <class V>
    [[nodiscard]] friend filter operator>=(member_condition, V const& v) {
        return named_field<V>() >= as_encoded<M>(v);
    }
    template <class A, class B>
    [[nodiscard]] filter between(A const& least, B const& most) const {
        static_cast<void>(named_field<B>());
        return named_field<A>().between(as_encoded<M>(least), as_encoded<M>(most));
    }

    /// Equal to one of the literals; a range of them in place of several.
    template <class... V>
    [[nodiscard]] filter in(V const&... v) const {
        return among([](Asked const& f, auto const&... all) { return f.in(all...); }, v...);
    }
    template <class... V>
    [[nodiscard]] filter not_in(V const&... v) const {
        return among([](Asked const& f, auto const&... all) { return f.not_in(all...); }, v...);
    }

    /// A std::vector has that element, or a std::string that part.
    template <class V>
    [[nodiscard]] filter contains(V const& v) const {
        using bare = without_optional<M>;
        if constexpr (part<bare>::vector) {
            using element = typename part<bare>::type;
            static_assert(may_equal<element, V>,
                          "vicinal: this condition can never match: the vector's elements are of "
                          "another type");
            return name().contains(as_encoded<element>(v));
        } else {
            static_assert(form_of<bare>() == value::kind::string && vicinal::detail::text_like<V>,
                          "vicinal: this condition can never match: contains() asks a vector for "
                          "an element or a text for a part of it");
            return name().contains(as_encoded<M>(v));
        }
    }
    [[nodiscard]] filter starts_with(std::string_view start) const {
        static_assert(form_of<without_optional<M>>() == value::kind::string,
                      "vicinal: this condition can never match: starts_with() asks texts");
        return name().starts_with(start);
    }
    [[nodiscard]] filter is_null() const {
        static_assert(Nullable, "vicinal: this condition can never match: the member is no "
                                "std::optional");
        return name().is_null();
    }
    [[nodiscard]] filter is_not_null() const { return name().is_not_null(); }
    /// Conditions on any element of a std::vector.
    [[nodiscard]] constexpr auto any() const noexcept {
        using bare = without_optional<M>;
        static_assert(part<bare>::vector, "vicinal: any() asks the elements of a std::vector");
        using element = typename part<bare>::type;
        return member_condition < element, Nullable || part<element>::optional, any_element,
               Path... > {};
    }

private:
    [[nodiscard]] static Asked name() {
        std::string text;
        ((text += text.empty() ? "" : ".", append_part(text, listed_name<Path>())), ...);
        return Asked(field(std::move(text)));
    }
    /// What is asked, where a V can be equal to it.
    template <class V>
    [[nodiscard]] static typename comparable_field<M, V, Asked>::type named_field() {
        return name();
    }

    template <class Make, class... V>
    [[nodiscard]] static filter among(Make make, V const&... v) {
        if constexpr (sizeof...(V) == 1 && (requires { std::begin(v); } && ...) &&
                      (!vicinal::detail::text_like<V> && ...)) {
            return make(name(), encoded_range(v)...);
        } else {
            static_cast<void>((sizeof(comparable_field<M, V>) + ...));
            return make(name(), as_encoded<M>(v)...);
        }
    }
    template <class R>
    [[nodiscard]] static auto encoded_range(R const& range) {
        using element = std::remove_cvref_t<decltype(*std::begin(range))>;
        using given = std::conditional_t<std::is_same_v<R, std::vector<bool>>, bool, element>;
        static_cast<void>(sizeof(comparable_field<M, given>));
        std::vector<decltype(as_encoded<M>(std::declval<given const&>()))> all;
        for (given const& v : range) all.push_back(as_encoded<M>(v));
        return all;
    }
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
