// SPDX-License-Identifier: MIT
// Compiled with no -m flag.
#include "unit.hpp"

unit plain_unit() { return this_unit(); }
