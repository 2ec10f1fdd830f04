// SPDX-License-Identifier: MIT
// A second translation unit with all of vicinal in it: linking it finds what is not inline.
#include <vicinal.hpp>

bool other_unit_agrees(vicinal::fields const& mine);

bool other_unit_agrees(vicinal::fields const& mine) {
    return mine == vicinal::fields{{"category", "guide"}, {"year", 2024}};
}
