// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_DISPATCH_HPP
#define VICINAL_SIMD_DISPATCH_HPP

#include <vicinal/simd/pack.hpp>

#include <cstddef>

// VICINAL_NO_DISPATCH keeps only what the compiler's own flags allow (embedded).
#if !defined(VICINAL_NO_DISPATCH) && defined(__x86_64__) &&                                        \
    (defined(__GNUC__) || defined(__clang__))
#    define VICINAL_X86_DISPATCH 1
#else
#    define VICINAL_X86_DISPATCH 0
#endif

// Two files of one program may be compiled with different -m flags. The linker would merge their
// copies of a baseline kernel and could keep the one that an older CPU can't run; the flags in the
// name keep the copies apart.
#if defined(__AVX512F__)
#    define VICINAL_BASELINE flags_avx512
#elif defined(__AVX2__)
#    define VICINAL_BASELINE flags_avx2
#elif defined(__AVX__)
#    define VICINAL_BASELINE flags_avx
#else
#    define VICINAL_BASELINE flags_default
#endif

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// One kernel body compiled for every instruction set, and the best one for this CPU.
///
/// Body has `template <class Pack> static R run(Args...) noexcept`, always inlined: the body takes
/// on the target of the function around it. `get()` chooses once a process; a query asks once and
/// calls through the pointer.
template <class Body, class T, class R, class... Args>
struct kernel {
    using function = R (*)(Args...) noexcept;

    static R baseline(Args... args) noexcept {
        return Body::template run<pack<T, 16 / sizeof(T)>>(args...);
    }
#if VICINAL_X86_DISPATCH
    __attribute__((target("avx2,fma"))) static R avx2(Args... args) noexcept {
        return Body::template run<pack<T, 32 / sizeof(T)>>(args...);
    }
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))) static R
    avx512(Args... args) noexcept {
        return Body::template run<pack<T, 64 / sizeof(T)>>(args...);
    }
#endif

    [[nodiscard]] static function choose() noexcept {
#if VICINAL_X86_DISPATCH
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            return &avx512;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2;
#endif
        return &baseline;
    }
    [[nodiscard]] static function get() noexcept {
        static function const chosen = choose();
        return chosen;
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif
