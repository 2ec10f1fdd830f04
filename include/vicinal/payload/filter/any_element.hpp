// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_ANY_ELEMENT_HPP
#define VICINAL_PAYLOAD_FILTER_ANY_ELEMENT_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/builder.hpp>

#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI {

/// The elements of a field that is an array, where one of them is enough:
/// `field("tags").any() == "ml"` is the filter of "any tags = 'ml'". The operators and calls are
/// those of a field.
class any_element {
public:
    explicit any_element(field of) noexcept : of_(std::move(of)) {}

    template <detail::literal_like V>
    [[nodiscard]] friend filter operator==(any_element const& e, V const& literal) {
        return asked(e.of_ == literal);
    }
    template <detail::literal_like V>
    [[nodiscard]] friend filter operator!=(any_element const& e, V const& literal) {
        return asked(e.of_ != literal);
    }
    template <detail::literal_like V>
    [[nodiscard]] friend filter operator<(any_element const& e, V const& literal) {
        return asked(e.of_ < literal);
    }
    template <detail::literal_like V>
    [[nodiscard]] friend filter operator<=(any_element const& e, V const& literal) {
        return asked(e.of_ <= literal);
    }
    template <detail::literal_like V>
    [[nodiscard]] friend filter operator>(any_element const& e, V const& literal) {
        return asked(e.of_ > literal);
    }
    template <detail::literal_like V>
    [[nodiscard]] friend filter operator>=(any_element const& e, V const& literal) {
        return asked(e.of_ >= literal);
    }

    template <detail::literal_like V>
    [[nodiscard]] filter contains(V const& literal) const {
        return asked(of_.contains(literal));
    }
    [[nodiscard]] filter starts_with(std::string_view start) const {
        return asked(of_.starts_with(start));
    }
    template <detail::literal_like A, detail::literal_like B>
    [[nodiscard]] filter between(A const& least, B const& most) const {
        return asked(of_.between(least, most));
    }
    template <class... Literals>
    [[nodiscard]] filter in(Literals const&... literals) const {
        return asked(of_.in(literals...));
    }
    template <class... Literals>
    [[nodiscard]] filter not_in(Literals const&... literals) const {
        return asked(of_.not_in(literals...));
    }
    [[nodiscard]] filter is_null() const { return asked(of_.is_null()); }
    [[nodiscard]] filter is_not_null() const { return asked(of_.is_not_null()); }

private:
    [[nodiscard]] static filter asked(filter comparison) {
        return filter::any(std::move(comparison));
    }

    field of_;
};

inline any_element field::any() const { return any_element(field(name)); }

} // namespace vicinal::inline VICINAL_ABI

#endif
