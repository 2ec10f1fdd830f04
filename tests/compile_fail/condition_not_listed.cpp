// SPDX-License-Identifier: MIT
// expected: where<&T::member> needs a member that T lists
#include <vicinal/payload/where.hpp>

struct note {
    int year = 0;
    int secret = 0;
    using members = vicinal::members<&note::year>;
};

vicinal::filter const recent = vicinal::where<&note::secret>() >= 2023;
