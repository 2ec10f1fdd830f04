// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_PRINTABLE_HPP
#define VICINAL_TOOLS_PRINTABLE_HPP

#include <string>
#include <string_view>

namespace tool {

/// Text from outside as it may go to a terminal: control characters, which could move the cursor or
/// say more, become \u001b; bytes that are no UTF-8 become \x9b. JSON stays the same JSON.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace tool

#endif
