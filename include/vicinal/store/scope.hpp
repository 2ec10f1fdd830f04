// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_SCOPE_HPP
#define VICINAL_STORE_SCOPE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/text.hpp>
#include <vicinal/payload/view.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The records of a store whose field `name` is the text `value`: what a scope sees.
class scope_of_records {
public:
    scope_of_records(std::string name, std::string value)
        : name_(std::move(name)), value_(std::move(value)),
          condition_(quoted(name_, '"') + " = " + quoted(value_, '\'')) {}

    /// The filter that keeps the scope's records of those that `where` keeps. That must be a whole
    /// filter by itself, so that no parenthesis of it closes ours. Errors: invalid_filter.
    [[nodiscard]] result<std::string> narrowed(std::string const& where) const {
        auto const own = filter::parse(where);
        VICINAL_CHECK(own);
        return own->empty() ? condition_ : condition_ + " and (" + where + ")";
    }
    /// Options, of a search or of another call, with that filter.
    template <class Options>
    [[nodiscard]] result<Options> narrowed(Options o) const {
        auto where = narrowed(o.where);
        VICINAL_CHECK(where);
        o.where = std::move(*where);
        return o;
    }

    [[nodiscard]] bool has(std::span<std::byte const> encoded) const noexcept {
        auto const v = payload::fields_view(encoded).find(name_);
        return v && v->type() == value::kind::string && v->text() == value_;
    }
    [[nodiscard]] bool has(vicinal::fields const& payload) const noexcept {
        auto const* v = payload[name_].get_if<std::string>();
        return v && *v == value_;
    }

    /// The payload with the scope's field. Errors: invalid_argument, where it has another value.
    [[nodiscard]] result<vicinal::fields> marked(vicinal::fields payload) const {
        if (auto const* v = payload.find(name_); v && !has(payload))
            return error{errc::invalid_argument,
                         "a payload without '" + name_ + "', or with '" + value_ + "' in it",
                         "another value in the scope " + condition_};
        payload.set(name_, value_);
        return payload;
    }

    /// As a filter has it: "namespace" = 'acme'.
    [[nodiscard]] std::string const& condition() const noexcept { return condition_; }

private:
    [[nodiscard]] static std::string quoted(std::string_view text, char quote) {
        std::string out;
        payload::detail::append_quoted(out, text, quote);
        return out;
    }

    std::string name_;
    std::string value_;
    std::string condition_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
