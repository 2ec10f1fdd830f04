// SPDX-License-Identifier: MIT
// expected: the filter in where<...> does not parse
#include <vicinal/payload/where.hpp>

vicinal::filter const recent = vicinal::where<"year >= 2023 and tags contains ml">;
