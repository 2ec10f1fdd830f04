// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_FILTER_LITERAL_HPP
#define VICINAL_PAYLOAD_FILTER_LITERAL_HPP

#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/fault.hpp>
#include <vicinal/payload/filter/parser.hpp>
#include <vicinal/payload/filter/token.hpp>
#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/fixed_text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI {

namespace payload::detail {

/// Whether a number is surely within the range of double: from 1e-307 to below 1e308, or zero. The
/// standard library reads doubles at run time only.
[[nodiscard]] constexpr bool within_double(std::string_view number) noexcept {
    auto const power_at = (std::min)(number.find_first_of("eE"), number.size());
    long power = 0;
    for (auto const c : number.substr(power_at))
        if (is_digit(c) && power < 100000) power = power * 10 + (c - '0');
    if (power_at + 1 < number.size() && number[power_at + 1] == '-') power = -power;

    auto const digits = number.substr(0, power_at);
    auto const first = digits.find_first_of("123456789");
    if (first == std::string_view::npos) return true;
    auto const point = (std::min)(digits.find('.'), digits.size());
    power += static_cast<long>(point) - static_cast<long>(first) - (first < point ? 1 : 0);
    return power >= -307 && power <= 307;
}

/// Takes what filter_parser finds in a constant expression, and keeps nothing.
class filter_onlooker {
public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return 0; }
    constexpr void open(std::size_t, filter_op) noexcept {}
    constexpr void close(std::size_t) noexcept {}
    constexpr void begin(filter_token const&) noexcept {}
    [[nodiscard]] constexpr bool literal(filter_token const& token) noexcept {
        bool const number = token.kind == token_kind::integer || token.kind == token_kind::real;
        return !number || within_double(token.raw);
    }
    constexpr void end(filter_op) noexcept {}
};

/// What is wrong with the text of a filter; the same parser as at run time.
[[nodiscard]] constexpr filter_fault fault_of(std::string_view filter) {
    filter_onlooker into;
    filter_parser parser(filter, into);
    static_cast<void>(parser.parse());
    return parser.fault();
}

/// Its instantiation is the error, and its arguments stand in the compiler's message.
template <fixed_text Expected, std::size_t Column>
struct filter_does_not_parse {
    static_assert(Column == 0,
                  "vicinal: the filter in where<...> does not parse; the column and "
                  "what was expected there are the arguments of filter_does_not_parse");
    static constexpr bool told = true;
};

/// The words of a fault as a template argument.
template <fixed_text Filter>
struct words_expected {
    static constexpr std::string_view view = fault_of(Filter.view()).expected;
    static constexpr auto text = [] {
        char literal[view.size() + 1] = {};
        for (std::size_t i = 0; i < view.size(); ++i) literal[i] = view[i];
        return fixed_text(literal);
    }();
};

} // namespace payload::detail

/// A filter that was parsed while compiling; `where<"...">` is one. It is a filter, parsed into its
/// nodes once a program, and its text, which costs nothing.
///
/// Filter is a parameter so that the operators of filters are found for two of these.
template <fixed_text Text, class Filter = filter>
struct literal_filter {
    [[nodiscard]] operator Filter const&() const {
        static Filter const made = Filter::of(std::string(Text.view()));
        return made;
    }
    [[nodiscard]] Filter const& operator()() const { return *this; }
    [[nodiscard]] operator std::string() const { return std::string(Text.view()); }
};

} // namespace vicinal::inline VICINAL_ABI

#endif
