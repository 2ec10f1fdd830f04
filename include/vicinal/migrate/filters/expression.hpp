// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILTERS_EXPRESSION_HPP
#define VICINAL_MIGRATE_FILTERS_EXPRESSION_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A condition that is true or false and never unknown, on the way to the text of a filter: what
/// the readers of other systems' filters put together. Constants are folded.
class foreign_expression {
public:
    [[nodiscard]] static foreign_expression always() { return {shape::always, {}}; }
    [[nodiscard]] static foreign_expression never() { return {shape::never, {}}; }
    /// The text of one comparison, which matches where the condition holds.
    [[nodiscard]] static foreign_expression comparison(std::string text) {
        return {shape::comparison, std::move(text)};
    }

    [[nodiscard]] static foreign_expression all(std::vector<foreign_expression> const& parts) {
        return joined(parts, shape::all);
    }
    [[nodiscard]] static foreign_expression any(std::vector<foreign_expression> const& parts) {
        return joined(parts, shape::any);
    }

    /// What does not match, whatever is missing there.
    [[nodiscard]] foreign_expression opposite() const {
        if (shape_ == shape::always) return never();
        if (shape_ == shape::never) return always();
        return comparison("(" + text_ + ") is not true");
    }

    /// Errors: invalid_filter where it is longer, deeper or larger than a filter may be.
    [[nodiscard]] result<filter> to_filter() const {
        if (shape_ == shape::always) return filter{};
        auto parsed = filter::parse(
            shape_ == shape::never ? std::string_view(R"("" is null and "" is not null)") : text_);
        if (parsed || parsed.error().code() != errc::invalid_filter) return parsed;
        // It names a column of a text that nobody has seen.
        auto const& expected = parsed.error().expected();
        return error{errc::invalid_filter, expected.substr(0, expected.find(" at column")),
                     "more in the translated filter"};
    }

    [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }

private:
    enum class shape : std::uint8_t { always, never, comparison, all, any };

    foreign_expression(shape s, std::string text) : shape_(s), text_(std::move(text)) {}

    [[nodiscard]] static foreign_expression joined(std::vector<foreign_expression> const& parts,
                                                   shape how) {
        auto const neutral = how == shape::all ? shape::always : shape::never;
        auto const deciding = how == shape::all ? shape::never : shape::always;
        foreign_expression r{neutral, {}};
        for (auto const& part : parts) {
            if (part.shape_ == neutral) continue;
            if (part.shape_ == deciding) return part;
            if (r.shape_ == neutral) {
                r = part;
                continue;
            }
            if (r.shape_ != how) r = {how, r.as_operand()};
            r.text_ += how == shape::all ? " and " : " or ";
            r.text_ += part.shape_ == how ? part.text_ : part.as_operand();
        }
        return r;
    }

    [[nodiscard]] std::string as_operand() const {
        return shape_ == shape::comparison ? text_ : "(" + text_ + ")";
    }

    shape shape_;
    std::string text_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
