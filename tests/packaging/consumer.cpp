// SPDX-License-Identifier: MIT
// The smallest program that uses vicinal; the packaging tests compile it in each way there is.
#ifdef VICINAL_COPIED
#    include <vicinal.hpp>
#else
#    include <vicinal/vicinal.hpp>
#endif

#include <cstdio>

#ifdef VICINAL_TWO_UNITS
bool other_unit_agrees(vicinal::fields const& mine);
#endif

int main() {
    vicinal::fields const payload{{"category", "guide"}, {"year", 2024}};
    if (!(payload["year"] == vicinal::value(2024))) return 1;
#ifdef VICINAL_TWO_UNITS
    if (!other_unit_agrees(payload)) return 1;
#endif
    std::printf("vicinal %s\n", vicinal::version());
}
