// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_INSTRUCTION_SET_HPP
#define VICINAL_SIMD_INSTRUCTION_SET_HPP

#include <vicinal/core/config.hpp>

#include <cstdlib>
#include <string_view>

// VICINAL_NO_DISPATCH keeps only what the compiler's own flags allow (embedded); xsimd as the back
// end knows no other way.
#if !defined(VICINAL_NO_DISPATCH) && !defined(VICINAL_USE_XSIMD) && defined(__x86_64__) &&         \
    (defined(__GNUC__) || defined(__clang__))
#    define VICINAL_X86_DISPATCH 1
#else
#    define VICINAL_X86_DISPATCH 0
#endif

// Two files of one program may be compiled with different -m flags. The linker would merge their
// copies of a baseline kernel and could keep the one that an older CPU can't run; the flags in the
// name keep the copies apart.
#if defined(__AVX512VNNI__)
#    define VICINAL_BASELINE flags_avx512_vnni
#elif defined(__AVX512F__)
#    define VICINAL_BASELINE flags_avx512
#elif defined(__AVX2__)
#    define VICINAL_BASELINE flags_avx2
#elif defined(__AVX__)
#    define VICINAL_BASELINE flags_avx
#elif defined(__SSE4_2__)
#    define VICINAL_BASELINE flags_sse4_2
#elif defined(__SSE4_1__)
#    define VICINAL_BASELINE flags_sse4_1
#elif defined(__SSSE3__)
#    define VICINAL_BASELINE flags_ssse3
#elif defined(__SSE3__)
#    define VICINAL_BASELINE flags_sse3
#else
#    define VICINAL_BASELINE flags_default
#endif

#if VICINAL_X86_DISPATCH
#    include <cpuid.h>
#endif

namespace vicinal::inline VICINAL_ABI::simd {

/// What a CPU can do, in one line: each set contains those before it. A CPU between two of them
/// counts as the lesser.
enum class instruction_set {
    /// What the compiler's flags allow: SSE2 on x86-64, NEON on AArch64.
    baseline,
    /// AVX2, FMA and F16C.
    avx2,
    /// AVX-512 F, BW, DQ and VL, and BMI2.
    avx512,
    /// The same with VNNI: four products of bytes a lane and instruction.
    avx512_vnni,
    /// The same with VPOPCNTDQ: the bits set in a lane, in one instruction.
    avx512_popcnt,
};

inline constexpr instruction_set all_instruction_sets[] = {
    instruction_set::baseline, instruction_set::avx2, instruction_set::avx512,
    instruction_set::avx512_vnni, instruction_set::avx512_popcnt};

/// The name, as VICINAL_ISA takes it.
[[nodiscard]] constexpr std::string_view name(instruction_set set) noexcept {
    switch (set) {
        case instruction_set::baseline: return "baseline";
        case instruction_set::avx2: return "avx2";
        case instruction_set::avx512: return "avx512";
        case instruction_set::avx512_vnni: return "avx512_vnni";
        case instruction_set::avx512_popcnt: return "avx512_popcnt";
    }
    return "unknown";
}

#if VICINAL_X86_DISPATCH
namespace detail {

/// Whether the CPU converts halves; __builtin_cpu_supports of Clang 14 does not know the word.
[[nodiscard]] inline bool has_f16c() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

} // namespace detail
#endif

/// The best that this CPU and its operating system have.
[[nodiscard]] inline instruction_set best_instruction_set() noexcept {
#if VICINAL_X86_DISPATCH
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && detail::has_f16c()))
        return instruction_set::baseline;
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
          __builtin_cpu_supports("bmi2")))
        return instruction_set::avx2;
    if (!__builtin_cpu_supports("avx512vnni")) return instruction_set::avx512;
    if (!__builtin_cpu_supports("avx512vpopcntdq")) return instruction_set::avx512_vnni;
    return instruction_set::avx512_popcnt;
#else
    return instruction_set::baseline;
#endif
}

/// What the environment variable VICINAL_ISA asks for.
struct forced_instruction_set {
    /// The variable's value; empty where it is not set.
    std::string_view word = {};
    /// Whether the word is one of the names.
    bool known = false;
    /// The set meant, where it is.
    instruction_set set = instruction_set::baseline;
    /// Whether this CPU has it.
    bool able = false;
};

/// Reads a word as VICINAL_ISA would be read on a CPU whose best set is `best`.
[[nodiscard]] inline forced_instruction_set read_forced(char const* word,
                                                        instruction_set best) noexcept {
    forced_instruction_set forced;
    if (word == nullptr) return forced;
    forced.word = word;
    for (auto const set : all_instruction_sets)
        if (forced.word == name(set)) {
            forced.known = true;
            forced.set = set;
            forced.able = set <= best;
        }
    return forced;
}

/// VICINAL_ISA as it is now. Without dispatch the environment is not read.
[[nodiscard]] inline forced_instruction_set forced() noexcept {
#if VICINAL_X86_DISPATCH
    return read_forced(std::getenv("VICINAL_ISA"), best_instruction_set());
#else
    return {};
#endif
}

/// The set that kernels run on, chosen once a process: VICINAL_ISA where this CPU can do it, the
/// best set otherwise. simd/check.hpp tells whether the variable was obeyed.
[[nodiscard]] inline instruction_set chosen() noexcept {
#if VICINAL_X86_DISPATCH
    static instruction_set const set = [] {
        auto const wish = forced();
        return wish.able ? wish.set : best_instruction_set();
    }();
    return set;
#else
    return instruction_set::baseline;
#endif
}

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
