// SPDX-License-Identifier: MIT
// windows.h defines these two, and so do old projects. The standard library is included first, as
// it does not bear them itself.
#include <bits/stdc++.h>

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

#include <vicinal.hpp>

int main() { return vicinal::fields{}.empty() ? 0 : 1; }
