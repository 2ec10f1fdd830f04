// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_BUILDER_HPP
#define VICINAL_PAYLOAD_FILTER_BUILDER_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/text.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// Conditions in C++: `field("year") >= 2023 && field("tags").contains("ml")` is the filter that
/// filter::parse("year >= 2023 and tags contains 'ml'") gives, and goes where text goes:
/// `.where = field("year") >= 2023`. Each condition costs what parsing its text costs.
///
/// The name is a dotted one, as in the text of a filter; a part that is no identifier needs no
/// quotes, but `field("\"a.b\"")` is the flat field alone. A literal that no text can express gives
/// a filter that is wrong: see filter::check().
namespace vicinal::inline VICINAL_ABI {

namespace payload::detail {

template <vicinal::detail::literal_like V>
void append_any_literal(std::string& out, V const& v) {
    if constexpr (std::same_as<V, bool>) {
        append_literal(out, v);
    } else if constexpr (std::integral<V>) {
        // As in a value: beyond 64 bits it is a double.
        if (std::in_range<std::int64_t>(v))
            append_literal(out, static_cast<std::int64_t>(v));
        else
            append_literal(out, static_cast<double>(v));
    } else if constexpr (std::floating_point<V>) {
        append_literal(out, static_cast<double>(v));
    } else {
        append_literal(out, std::string_view(v));
    }
}

template <class R>
concept range_of_literals = !vicinal::detail::literal_like<R> && requires(R const& r) {
    requires vicinal::detail::literal_like<std::remove_cvref_t<decltype(*std::begin(r))>>;
    std::end(r);
};

template <class... Literals>
concept list_of_literals = (vicinal::detail::literal_like<Literals> && ...) ||
                           (sizeof...(Literals) == 1 && (range_of_literals<Literals> && ...));

/// The text of one condition, written from left to right.
class condition {
public:
    condition(std::string_view name, char const* word) {
        append_name(text_, name);
        text_ += word;
    }
    template <class V>
    condition&& literal(V const& v) && {
        append_any_literal(text_, v);
        return std::move(*this);
    }
    condition&& word(char const* word) && {
        text_ += word;
        return std::move(*this);
    }
    template <class... Literals>
    condition&& list(Literals const&... literals) && {
        if constexpr ((vicinal::detail::literal_like<Literals> && ...))
            (element(literals), ...);
        else
            (elements(literals), ...);
        text_ += ')';
        return std::move(*this);
    }
    [[nodiscard]] filter made() && { return filter::of(std::move(text_)); }

private:
    template <class V>
    void element(V const& v) {
        if (text_.back() != '(') text_ += ", ";
        append_any_literal(text_, v);
    }
    template <class R>
    void elements(R const& r) {
        // A reference into vector<bool> is no bool.
        using element_type = std::remove_cvref_t<decltype(*std::begin(r))>;
        for (element_type const& v : r) element(v);
    }

    std::string text_ = {};
};

} // namespace payload::detail

template <detail::literal_like V>
[[nodiscard]] filter operator==(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " = ").literal(literal).made();
}
template <detail::literal_like V>
[[nodiscard]] filter operator!=(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " != ").literal(literal).made();
}
template <detail::literal_like V>
[[nodiscard]] filter operator<(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " < ").literal(literal).made();
}
template <detail::literal_like V>
[[nodiscard]] filter operator<=(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " <= ").literal(literal).made();
}
template <detail::literal_like V>
[[nodiscard]] filter operator>(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " > ").literal(literal).made();
}
template <detail::literal_like V>
[[nodiscard]] filter operator>=(field const& f, V const& literal) {
    return payload::detail::condition(f.name, " >= ").literal(literal).made();
}

template <detail::literal_like V>
filter field::contains(V const& literal) const {
    return payload::detail::condition(name, " contains ").literal(literal).made();
}
inline filter field::starts_with(std::string_view start) const {
    return payload::detail::condition(name, " starts_with ").literal(start).made();
}
template <detail::literal_like A, detail::literal_like B>
filter field::between(A const& least, B const& most) const {
    return payload::detail::condition(name, " between ")
        .literal(least)
        .word(" and ")
        .literal(most)
        .made();
}
template <class... Literals>
filter field::in(Literals const&... literals) const {
    static_assert(payload::detail::list_of_literals<Literals...>,
                  "vicinal: in() takes booleans, numbers or texts, or one range of them");
    return payload::detail::condition(name, " in (").list(literals...).made();
}
template <class... Literals>
filter field::not_in(Literals const&... literals) const {
    static_assert(payload::detail::list_of_literals<Literals...>,
                  "vicinal: not_in() takes booleans, numbers or texts, or one range of them");
    return payload::detail::condition(name, " not in (").list(literals...).made();
}
inline filter field::is_null() const { return payload::detail::condition(name, " is null").made(); }
inline filter field::is_not_null() const {
    return payload::detail::condition(name, " is not null").made();
}

} // namespace vicinal::inline VICINAL_ABI

#endif
