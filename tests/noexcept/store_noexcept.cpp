// SPDX-License-Identifier: MIT
// A store through its try_ twins alone, built with -fno-exceptions -fno-rtti.
#include "noexcept/check.hpp"
