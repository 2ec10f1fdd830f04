// SPDX-License-Identifier: MIT
// expected: payload::record needs to know the members
#include <vicinal/payload/record.hpp>

struct note {
    int year = 0;
};

note const none = *vicinal::payload::record<note>::decode({});
