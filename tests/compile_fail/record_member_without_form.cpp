// SPDX-License-Identifier: MIT
// expected: a listed member has no form that filters read
#include <vicinal/payload/record.hpp>

#include <map>

struct note {
    std::map<int, int> counts;
    using members = vicinal::members<&note::counts>;
};

note const none = *vicinal::payload::record<note>::decode({});
