// SPDX-License-Identifier: MIT
// Compiled with -mavx512f.
#include "unit.hpp"

unit wide_unit() { return this_unit(); }
