// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_RESULT_HPP
#define VICINAL_CORE_RESULT_HPP

#include <vicinal/core/error.hpp>

#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>

#if VICINAL_EXCEPTIONS
#    include <new>
#    include <stdexcept>
#endif

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// Throws the error; without exceptions the program ends, as it does for any broken promise.
[[noreturn]] VICINAL_COLD inline void raise(error const& e) {
#if VICINAL_EXCEPTIONS
    throw e;
#else
    static_cast<void>(e);
    std::abort();
#endif
}

} // namespace detail

/// A value or the error that kept it from being made: what every try_ call returns.
///
/// `value()` throws the error where there is one (ends the program in a build without exceptions).
/// A temporary result hands out its value by value, so `for (auto& h : s.try_search(q).value())`
/// does not dangle. A union and not std::variant: with it the compiler takes a
/// fifth more memory for a store.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    template <class U = T>
        requires(std::is_constructible_v<T, U&&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, vicinal::error>)
    result(U&& value) : value_(std::forward<U>(value)) {}
    result(vicinal::error e) noexcept : error_(std::move(e)) {}

    result(result const& other) requires std::is_copy_constructible_v<T> : error_(other.error_) {
        if (*this) std::construct_at(&value_, other.value_);
    }
    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : error_(other.error_) {
        if (*this) std::construct_at(&value_, std::move(other.value_));
    }
    result& operator=(result other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (*this) std::destroy_at(&value_);
        error_ = other.error_;
        if (*this) std::construct_at(&value_, std::move(other.value_));
        return *this;
    }
    ~result() {
        if (*this) std::destroy_at(&value_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return error_.none(); }

    [[nodiscard]] T& value() & {
        check();
        return value_;
    }
    [[nodiscard]] T const& value() const& {
        check();
        return value_;
    }
    [[nodiscard]] T value() && {
        check();
        return std::move(value_);
    }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] T const& operator*() const& { return value(); }
    [[nodiscard]] T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] T const* operator->() const { return &value(); }

    /// Only where there is no value.
    [[nodiscard]] vicinal::error const& error() const noexcept { return error_; }

private:
    void check() const {
        if (!*this) [[unlikely]]
            detail::raise(error_);
    }

    vicinal::error error_{};
    union {
        T value_;
    };
};

/// Success, or the error that prevented it.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(vicinal::error e) noexcept : error_(std::move(e)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return error_.none(); }
    void value() const {
        if (!*this) detail::raise(error_);
    }
    /// Only where there is an error.
    [[nodiscard]] vicinal::error const& error() const noexcept { return error_; }

private:
    vicinal::error error_{};
};

namespace detail {

/// Runs `body`, which returns a result, and turns memory exhaustion into an error code. Anything
/// else that is thrown came from the user's own callback and passes through.
template <class Body>
auto guarded(Body&& body) -> decltype(body()) {
#if VICINAL_EXCEPTIONS
    try {
        return body();
    } catch (std::bad_alloc const&) {
        return error{errc::out_of_memory};
    } catch (std::length_error const&) {
        return error{errc::out_of_memory};
    }
#else
    return body();
#endif
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

/// Returns the error from the enclosing function if `expr` (a result) holds one.
#define VICINAL_CHECK(expr)                                                                        \
    do {                                                                                           \
        if (auto&& vicinal_check_ = (expr); !vicinal_check_) [[unlikely]]                          \
            return vicinal_check_.error();                                                         \
    } while (false)

#endif
