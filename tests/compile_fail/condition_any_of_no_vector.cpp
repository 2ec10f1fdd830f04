// SPDX-License-Identifier: MIT
// expected: any() asks the elements of a std::vector
#include <vicinal/payload/where.hpp>

struct note {
    int year = 0;
    using members = vicinal::members<&note::year>;
};

auto const f = vicinal::where<&note::year>().any() == 2023;
