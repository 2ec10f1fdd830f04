// SPDX-License-Identifier: MIT
// expected: the vector's elements are of another type
#include <vicinal/payload/record.hpp>
#include <vicinal/payload/where.hpp>

#include <string>
#include <vector>

struct note {
    int year = 0;
    std::string title;
    std::vector<std::string> tags;
    using members = vicinal::members<&note::year, &note::title, &note::tags>;
};

vicinal::filter const recent = vicinal::where<&note::tags>().contains(5);
