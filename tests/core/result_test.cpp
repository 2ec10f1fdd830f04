// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/core/result.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using vicinal::errc;
using vicinal::error;
using vicinal::result;

namespace {

result<int> parse(bool good) {
    if (good) return 42;
    return error{errc::invalid_argument, "good", "bad"};
}

result<std::string> twice(bool good) {
    auto const r = parse(good);
    VICINAL_CHECK(r);
    return std::to_string(2 * r.value());
}

result<void> nothing(bool good) {
    VICINAL_CHECK(parse(good));
    return {};
}

template <class Call>
errc thrown_by(Call call) {
    try {
        call();
    } catch (error const& e) {
        return e.code();
    }
    return errc{};
}

} // namespace

TEST_CASE("a result holds a value or an error", "[core]") {
    auto const good = parse(true);
    REQUIRE(good);
    CHECK(good.value() == 42);
    CHECK(*good == 42);

    auto const bad = parse(false);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == errc::invalid_argument);
    CHECK(bad.error().got() == "bad");
}

TEST_CASE("the value of a failed result throws its error", "[core]") {
    auto bad = parse(false);
    CHECK(thrown_by([&] { static_cast<void>(bad.value()); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { static_cast<void>(*std::as_const(bad)); }) == errc::invalid_argument);
    CHECK(thrown_by([] { static_cast<void>(parse(false).value()); }) == errc::invalid_argument);
    CHECK(thrown_by([] { nothing(false).value(); }) == errc::invalid_argument);
    CHECK(thrown_by([] { nothing(true).value(); }) == errc{});
}

TEST_CASE("VICINAL_CHECK hands an error on and lets success pass", "[core]") {
    CHECK(twice(true).value() == "84");
    CHECK(twice(false).error().code() == errc::invalid_argument);
    CHECK(nothing(true));
    CHECK(nothing(false).error().expected() == "good");
}

TEST_CASE("a temporary result gives its value by value", "[core]") {
    using many = result<std::vector<int>>;
    STATIC_REQUIRE(std::is_same_v<decltype(std::declval<many>().value()), std::vector<int>>);
    STATIC_REQUIRE(std::is_same_v<decltype(*std::declval<many>()), std::vector<int>>);
    STATIC_REQUIRE(std::is_same_v<decltype(std::declval<many&>().value()), std::vector<int>&>);
    STATIC_REQUIRE(
        std::is_same_v<decltype(std::declval<many const&>().value()), std::vector<int> const&>);
}

TEST_CASE("a result takes values that can only be moved", "[core]") {
    auto make = []() -> result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    auto owned = make().value();
    CHECK(*owned == 7);
    auto kept = make();
    CHECK(**kept == 7);
    CHECK(*kept->get() == 7);
}

TEST_CASE("memory exhaustion in a guarded call is an error code", "[core]") {
    auto const alloc = vicinal::detail::guarded([]() -> result<int> { throw std::bad_alloc(); });
    CHECK(alloc.error().code() == errc::out_of_memory);
    auto const length = vicinal::detail::guarded(
        []() -> result<int> { throw std::length_error("longer than max_size"); });
    CHECK(length.error().code() == errc::out_of_memory);
    CHECK(vicinal::detail::guarded([]() -> result<int> { return 3; }).value() == 3);
}

TEST_CASE("what a user's callback throws passes through a guarded call", "[core]") {
    CHECK_THROWS_AS(
        vicinal::detail::guarded([]() -> result<int> { throw std::runtime_error("x"); }),
        std::runtime_error);
}
