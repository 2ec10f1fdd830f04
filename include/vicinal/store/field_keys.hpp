// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_KEYS_HPP
#define VICINAL_STORE_FIELD_KEYS_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/payload/index/key.hpp>
#include <vicinal/payload/view.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Values of one field as calls order, group and count them: false, true, numbers by value, texts
/// bytewise. Values that filters take for equal are one: 2 and 2.0, 0.0 and -0.0. NaN, null, nested
/// fields and what is not there are no value.
namespace vicinal::inline VICINAL_ABI::detail {

using payload::detail::index_key;

/// A key that outlives the payload it was read from.
class owned_key {
public:
    explicit owned_key(index_key const& k) : key_(k), text_(k.text) {}

    [[nodiscard]] index_key view() const noexcept {
        auto k = key_;
        k.text = text_;
        return k;
    }

private:
    index_key key_;
    std::string text_;
};

struct key_order {
    using is_transparent = void;
    [[nodiscard]] static index_key view(owned_key const& k) noexcept { return k.view(); }
    [[nodiscard]] static index_key view(index_key const& k) noexcept { return k; }
    template <class A, class B>
    [[nodiscard]] bool operator()(A const& a, B const& b) const noexcept {
        return view(a) < view(b);
    }
};
template <class T>
using map_by_key = std::map<owned_key, T, key_order>;

/// The value of a key; a number without fraction as an integer.
[[nodiscard]] inline value value_of(index_key const& key) {
    std::string bytes;
    payload::detail::append_value(key, bytes);
    auto const all = std::as_bytes(std::span(bytes.data(), bytes.size()));
    auto const* at = all.data();
    payload::value_view v;
    if (!payload::value_view::read(at, all.data() + all.size(), v)) return {};
    switch (v.type()) {
        case value::kind::boolean: return v.boolean();
        case value::kind::integer: return v.integer();
        case value::kind::real: return v.real();
        case value::kind::string: return std::string(v.text());
        case value::kind::null:
        case value::kind::array:
        case value::kind::nested: break;
    }
    return {};
}

/// The key of the field of that dotted name in encoded fields; an array has none.
[[nodiscard]] inline std::optional<index_key> key_of_field(std::span<std::byte const> encoded,
                                                           std::string_view field) noexcept {
    auto const v = payload::fields_view(encoded).find_dotted(field);
    return v ? payload::detail::key_of(*v) : std::nullopt;
}

/// Calls visit(key) for the field's value, or for each distinct element of an array; `scratch` is
/// the caller's to save allocations.
template <class Visit>
void each_key_of_field(std::span<std::byte const> encoded, std::string_view field,
                       std::vector<index_key>& scratch, Visit const& visit) {
    auto const v = payload::fields_view(encoded).find_dotted(field);
    if (!v) return;
    if (v->type() != value::kind::array) {
        if (auto const key = payload::detail::key_of(*v)) visit(*key);
        return;
    }
    scratch.clear();
    auto rest = v->array();
    payload::value_view element;
    while (rest.next(element))
        if (auto const key = payload::detail::key_of(element)) scratch.push_back(*key);
    std::sort(scratch.begin(), scratch.end());
    scratch.erase(std::unique(scratch.begin(), scratch.end()), scratch.end());
    for (auto const& key : scratch) visit(key);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
