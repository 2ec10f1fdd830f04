// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_VALUE_HPP
#define VICINAL_CORE_VALUE_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

struct field;
class any_element;
class filter;
class value;

/// A flat map of names to values: what travels with a vector.
///
/// Kept sorted by name (bytewise), each name once; the last value given for a name wins. Equality
/// is by name, kind and value. Lookups take O(log size).
class fields {
public:
    fields() noexcept;
    fields(std::initializer_list<field> list);
    // Declared here and defined below `field`, which is not complete yet.
    fields(fields const& other);
    fields(fields&& other) noexcept;
    fields& operator=(fields const& other);
    fields& operator=(fields&& other) noexcept;
    ~fields();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] bool contains(std::string_view name) const noexcept;
    /// The value of that name; a null value where there is none.
    [[nodiscard]] value const& operator[](std::string_view name) const noexcept;
    /// The value of that name, or nullptr.
    [[nodiscard]] value const* find(std::string_view name) const noexcept;
    void set(std::string name, value v);
    bool erase(std::string_view name);
    void clear() noexcept;
    void reserve(std::size_t n);

    [[nodiscard]] field const* begin() const noexcept;
    [[nodiscard]] field const* end() const noexcept;

    friend bool operator==(fields const& a, fields const& b) noexcept;

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept;

    std::vector<field> list_;
};

namespace detail {

template <class T>
concept text_like =
    std::convertible_to<T const&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
concept integer_like = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

/// What a field can be compared with: a boolean, a number, a text.
template <class T>
concept literal_like =
    std::same_as<T, bool> || integer_like<T> || std::floating_point<T> || text_like<T>;

/// What an array in braces is made of; nested braces would be ambiguous with nested fields.
using scalar_base = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct scalar {
    scalar(std::nullptr_t) noexcept {}
    template <std::same_as<bool> B>
    scalar(B b) noexcept : v(b) {}
    template <integer_like I>
    scalar(I i) noexcept : v(static_cast<std::int64_t>(i)) {}
    template <std::floating_point F>
    scalar(F f) noexcept : v(static_cast<double>(f)) {}
    template <text_like S>
    scalar(S const& s) : v(std::string(std::string_view(s))) {}

    scalar_base v;
};

} // namespace detail

/// One value of a payload: null, bool, 64-bit integer, double, UTF-8 string, array, or nested
/// fields.
///
/// Unsigned integers beyond 2^63 - 1 become doubles, as JSON readers have it. In braces,
/// `{{"a", 1}}` is nested fields and `{1, 2}` an array of scalars; other arrays come from `array`.
class value {
public:
    using array = std::vector<value>;
    enum class kind : std::uint8_t { null, boolean, integer, real, string, array, nested };

    value() = default;
    value(std::nullptr_t) noexcept {}
    template <std::same_as<bool> B>
    value(B b) noexcept : v_(b) {}
    template <detail::integer_like I>
    value(I i) noexcept {
        if constexpr (std::unsigned_integral<I> && sizeof(I) >= sizeof(std::int64_t)) {
            if (i > static_cast<I>(INT64_MAX)) {
                v_ = static_cast<double>(i);
                return;
            }
        }
        v_ = static_cast<std::int64_t>(i);
    }
    template <std::floating_point F>
    value(F f) noexcept : v_(static_cast<double>(f)) {}
    template <detail::text_like S>
        requires(!std::same_as<S, std::string>)
    value(S const& s) : v_(std::string(std::string_view(s))) {}
    value(std::string s) noexcept : v_(std::move(s)) {}
    value(array a) noexcept : v_(std::move(a)) {}
    value(vicinal::fields f) noexcept : v_(std::move(f)) {}
    value(std::initializer_list<detail::scalar> list);
    value(std::initializer_list<field> list);

    [[nodiscard]] kind type() const noexcept { return static_cast<kind>(v_.index()); }
    [[nodiscard]] bool is_null() const noexcept { return type() == kind::null; }

    /// The value as that type, or nullptr where it is of another.
    template <class T>
    [[nodiscard]] T const* get_if() const noexcept {
        return std::get_if<T>(&v_);
    }

    /// Same kind and same value: 1 and 1.0 differ. Doubles compare by bits, so that NaN equals
    /// itself and -0.0 is told from 0.0: this is the equality that a migration verifies.
    friend bool operator==(value const& a, value const& b) noexcept;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, array, vicinal::fields>
        v_;
};

/// A name and its value. `field("year")` alone begins a condition: `field("year") >= 2023`
/// (payload/filter/builder.hpp); there the name is a dotted one, as in the text of a filter.
struct field {
    field() = default;
    explicit field(std::string of) noexcept : name(std::move(of)) {}
    field(std::string of, value is) noexcept : name(std::move(of)), v(std::move(is)) {}

    std::string name = {};
    value v = {};

    /// An array has that element, or a text that part.
    template <detail::literal_like V>
    [[nodiscard]] filter contains(V const& literal) const;
    [[nodiscard]] filter starts_with(std::string_view start) const;
    template <detail::literal_like A, detail::literal_like B>
    [[nodiscard]] filter between(A const& least, B const& most) const;
    /// Equal to one of the literals; a range of them in place of several.
    template <class... Literals>
    [[nodiscard]] filter in(Literals const&... literals) const;
    template <class... Literals>
    [[nodiscard]] filter not_in(Literals const&... literals) const;
    /// Missing or null.
    [[nodiscard]] filter is_null() const;
    [[nodiscard]] filter is_not_null() const;
    /// Conditions on any element of an array.
    [[nodiscard]] any_element any() const;

    friend bool operator==(field const& a, field const& b) noexcept {
        return a.name == b.name && a.v == b.v;
    }
};

inline value::value(std::initializer_list<detail::scalar> list) {
    array a;
    a.reserve(list.size());
    for (auto const& s : list)
        std::visit(
            [&a](auto const& x) {
                if constexpr (std::same_as<std::remove_cvref_t<decltype(x)>, std::monostate>)
                    a.emplace_back();
                else
                    a.emplace_back(x);
            },
            s.v);
    v_ = std::move(a);
}
inline value::value(std::initializer_list<field> list) : v_(vicinal::fields(list)) {}

inline bool operator==(value const& a, value const& b) noexcept {
    if (a.type() != b.type()) return false;
    if (auto const* x = a.get_if<double>()) {
        auto const* y = b.get_if<double>();
        return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
    }
    return a.v_ == b.v_;
}

inline fields::fields() noexcept = default;
inline fields::fields(fields const& other) = default;
inline fields::fields(fields&& other) noexcept = default;
inline fields& fields::operator=(fields const& other) = default;
inline fields& fields::operator=(fields&& other) noexcept = default;
inline fields::~fields() = default;

inline fields::fields(std::initializer_list<field> list) {
    list_.reserve(list.size());
    for (auto const& f : list) set(f.name, f.v);
}
inline std::size_t fields::size() const noexcept { return list_.size(); }
inline bool fields::empty() const noexcept { return list_.empty(); }
inline std::size_t fields::place(std::string_view name) const noexcept {
    auto const at = std::lower_bound(list_.begin(), list_.end(), name,
                                     [](field const& f, std::string_view n) { return f.name < n; });
    return static_cast<std::size_t>(at - list_.begin());
}
inline value const* fields::find(std::string_view name) const noexcept {
    auto const i = place(name);
    return i < list_.size() && list_[i].name == name ? &list_[i].v : nullptr;
}
inline bool fields::contains(std::string_view name) const noexcept { return find(name) != nullptr; }
inline value const& fields::operator[](std::string_view name) const noexcept {
    static value const none;
    auto const* v = find(name);
    return v ? *v : none;
}
inline void fields::set(std::string name, value v) {
    auto const i = place(name);
    if (i < list_.size() && list_[i].name == name)
        list_[i].v = std::move(v);
    else
        list_.insert(list_.begin() + static_cast<std::ptrdiff_t>(i),
                     {std::move(name), std::move(v)});
}
inline bool fields::erase(std::string_view name) {
    auto const i = place(name);
    if (i == list_.size() || list_[i].name != name) return false;
    list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
}
inline void fields::clear() noexcept { list_.clear(); }
inline void fields::reserve(std::size_t n) { list_.reserve(n); }
inline field const* fields::begin() const noexcept { return list_.data(); }
inline field const* fields::end() const noexcept { return list_.data() + list_.size(); }
inline bool operator==(fields const& a, fields const& b) noexcept { return a.list_ == b.list_; }

} // namespace vicinal::inline VICINAL_ABI

#endif
