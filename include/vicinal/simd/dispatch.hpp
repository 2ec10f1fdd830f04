// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_DISPATCH_HPP
#define VICINAL_SIMD_DISPATCH_HPP

#include <vicinal/simd/instruction_set.hpp>
#include <vicinal/simd/sets.hpp>

// A kernel body is compiled as if it stood in the function around it, whole.
#if defined(__GNUC__) || defined(__clang__)
#    define VICINAL_FLATTEN __attribute__((flatten))
#else
#    define VICINAL_FLATTEN
#endif

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// One kernel body compiled for every instruction set, and the one chosen for this process.
///
/// Body has `template <class Set> static R run(Args...) noexcept`, always inlined: the body takes
/// on the target of the function around it. A body that gains from more than AVX-512's common part
/// says so by `static constexpr instruction_set gains_from`. `get()` is chosen once a process; a
/// query asks once and calls through the pointer.
template <class Body, class R, class... Args>
struct kernel {
    using function = R (*)(Args...) noexcept;

    VICINAL_FLATTEN static R baseline(Args... args) noexcept {
        return Body::template run<baseline_set>(args...);
    }
#if VICINAL_X86_DISPATCH
    VICINAL_FLATTEN VICINAL_TARGET_AVX2 static R avx2(Args... args) noexcept {
        return Body::template run<avx2_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512(Args... args) noexcept {
        return Body::template run<avx512_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512_vnni(Args... args) noexcept {
        return Body::template run<avx512_vnni_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512_popcnt(Args... args) noexcept {
        return Body::template run<avx512_popcnt_set>(args...);
    }
#endif

    /// The variant for a CPU that has `set`: the best that needs no more than it.
    [[nodiscard]] static function for_set(instruction_set set) noexcept {
#if VICINAL_X86_DISPATCH
        if constexpr (requires { requires Body::gains_from == instruction_set::avx512_vnni; })
            if (set >= instruction_set::avx512_vnni) return &avx512_vnni;
        if constexpr (requires { requires Body::gains_from == instruction_set::avx512_popcnt; })
            if (set >= instruction_set::avx512_popcnt) return &avx512_popcnt;
        if (set >= instruction_set::avx512) return &avx512;
        if (set >= instruction_set::avx2) return &avx2;
#endif
        static_cast<void>(set);
        return &baseline;
    }

    [[nodiscard]] static function get() noexcept {
#if VICINAL_X86_DISPATCH
        static function const chosen_one = for_set(chosen());
        return chosen_one;
#else
        return &baseline;
#endif
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif
