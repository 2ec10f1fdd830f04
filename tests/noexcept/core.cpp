// SPDX-License-Identifier: MIT
// Without exceptions and run-time type information, and so without Catch2.
#include "check.hpp"

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>

#include <string>

namespace {

vicinal::result<int> parse(bool good) {
    if (good) return 42;
    return vicinal::error{vicinal::errc::invalid_argument, "good", "bad"};
}

vicinal::result<std::string> handed_on(bool good) {
    auto const number = parse(good);
    VICINAL_CHECK(number);
    return std::to_string(number.value());
}

} // namespace

int main() {
    static_assert(VICINAL_EXCEPTIONS == 0);
    VICINAL_EXPECT(handed_on(true).value() == "42");
    VICINAL_EXPECT(!handed_on(false));
    VICINAL_EXPECT(handed_on(false).error().message() ==
                   "invalid_argument: expected good, got bad");

    vicinal::fields payload{{"year", 2024}, {"tags", vicinal::value::array{"a", "b"}}};
    VICINAL_EXPECT(payload["year"] == vicinal::value(2024));
    VICINAL_EXPECT(payload.erase("year") && !payload.contains("year"));
}
