// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_NOEXCEPT_CHECK_HPP
#define VICINAL_TESTS_NOEXCEPT_CHECK_HPP

#include <cstdio>
#include <cstdlib>

/// Ends the program, which is one test, with the place and the condition that does not hold.
#define VICINAL_EXPECT(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);    \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (false)

#endif
