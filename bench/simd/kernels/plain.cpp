// SPDX-License-Identifier: MIT
// Compiled with -O2 and no flag for any CPU; see bench/CMakeLists.txt.
#include "vicinal_kernels.hpp"

void bench::add_vicinal_plain(contestants& to) { add_all(to, "vicinal -O2"); }
