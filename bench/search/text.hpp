// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_TEXT_HPP
#define VICINAL_BENCH_SEARCH_TEXT_HPP

#include <cstdarg>
#include <cstdio>
#include <string>

namespace bench {

/// printf into a string of at most 511 characters.
[[gnu::format(printf, 1, 2)]] inline std::string text(char const* format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return line;
}

} // namespace bench

#endif
