// SPDX-License-Identifier: MIT
// Two translation units of one program, one with -mavx512f and one without: the linker must keep
// both baseline kernels, and each must be the one of its unit. check.sh looks at the plain one's
// instructions; here it is checked that the two are not one and give the same sums.
#include "unit.hpp"

#include <cmath>
#include <cstdio>

int main() {
    auto const plain = plain_unit();
    auto const wide = wide_unit();
    float a[100];
    float b[100];
    float want = 0;
    for (int i = 0; i < 100; ++i) {
        a[i] = static_cast<float>(i % 7);
        b[i] = static_cast<float>(i % 5);
        want += (a[i] - b[i]) * (a[i] - b[i]);
    }
    if (plain.baseline == wide.baseline) {
        std::puts("the linker merged the baseline kernels of both units");
        return 1;
    }
    bool right = plain.baseline(a, b, 100) == want && plain.chosen(a, b, 100) == want &&
                 plain.metric(a, b, 100) == want;
    // Only a CPU that has AVX-512 can run the other unit at all.
#if VICINAL_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f"))
        right = right && wide.baseline(a, b, 100) == want && wide.chosen(a, b, 100) == want &&
                wide.metric(a, b, 100) == want;
#endif
    if (!right) std::puts("a kernel gave a wrong sum");
    return right ? 0 : 1;
}
