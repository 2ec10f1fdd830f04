// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_CONFIG_HPP
#define VICINAL_CORE_CONFIG_HPP

#include <limits>

/// The one place that states the version; CMake, the packages and the tool read it from here.
#define VICINAL_VERSION_MAJOR 0
#define VICINAL_VERSION_MINOR 1
#define VICINAL_VERSION_PATCH 0

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#    define VICINAL_EXCEPTIONS 1
#else
#    define VICINAL_EXCEPTIONS 0
#endif

// A build without exceptions has other classes (no throwing calls, error without a base). Its own
// inline namespace keeps the two apart when both are linked into one program.
#if VICINAL_EXCEPTIONS
#    define VICINAL_ABI v0_1
#else
#    define VICINAL_ABI v0_1_noexcept
#endif

#if defined(__GNUC__) || defined(__clang__)
#    define VICINAL_ALWAYS_INLINE inline __attribute__((always_inline))
#    define VICINAL_NOINLINE __attribute__((noinline))
#    define VICINAL_COLD __attribute__((noinline, cold))
#else
#    define VICINAL_ALWAYS_INLINE inline
#    define VICINAL_NOINLINE
#    define VICINAL_COLD
#endif

#if !defined(VICINAL_HAS_THREADS)
#    if defined(VICINAL_NO_THREADS)
#        define VICINAL_HAS_THREADS 0
#    else
#        define VICINAL_HAS_THREADS 1
#    endif
#endif

// The durable storages call the operating system (open, mmap, flock); today that is POSIX.
#if !defined(VICINAL_HAS_FILES)
#    if defined(VICINAL_NO_FILES) || !(defined(__unix__) || defined(__APPLE__))
#        define VICINAL_HAS_FILES 0
#    else
#        define VICINAL_HAS_FILES 1
#    endif
#endif

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559,
              "vicinal needs IEEE 754 float and double: distances and files rely on their bits");

namespace vicinal::inline VICINAL_ABI {

/// The library's version, as in "0.1.0".
[[nodiscard]] constexpr char const* version() noexcept {
#define VICINAL_TEXT_(x) #x
#define VICINAL_TEXT(x) VICINAL_TEXT_(x)
    return VICINAL_TEXT(VICINAL_VERSION_MAJOR) "." VICINAL_TEXT(
        VICINAL_VERSION_MINOR) "." VICINAL_TEXT(VICINAL_VERSION_PATCH);
#undef VICINAL_TEXT
#undef VICINAL_TEXT_
}

} // namespace vicinal::inline VICINAL_ABI

#endif
