// SPDX-License-Identifier: MIT
// Compiled with -O2 -march=native; see bench/CMakeLists.txt.
#include "vicinal_kernels.hpp"

void bench::add_vicinal_native(contestants& to) { add_all(to, "vicinal -march=native"); }
