# SPDX-License-Identifier: MIT
# What only work on vicinal itself needs; never read when vicinal is a subproject.

option(VICINAL_WERROR "Warnings are errors" OFF)
option(VICINAL_NO_EXCEPTIONS "Compile with -fno-exceptions -fno-rtti, without Catch2" OFF)
option(VICINAL_SINGLE_HEADER "Build everything against single_include/vicinal.hpp" OFF)
set(VICINAL_SANITIZE "" CACHE STRING "Value of -fsanitize=, such as address,undefined")
set(VICINAL_TEST_TAG "" CACHE STRING "Build and run only the tests that carry this tag")

# Saves a third of the compile time, and hides an include that a test file forgot: the preset xsimd
# is without.
option(VICINAL_TEST_PRECOMPILED "Tests find all of vicinal precompiled" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Our headers come as ordinary ones, so that these warnings reach them; imported targets are system.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
                    -Wold-style-cast)
if(VICINAL_WERROR)
    add_compile_options(-Werror)
endif()
if(VICINAL_NO_EXCEPTIONS)
    add_compile_options(-fno-exceptions -fno-rtti)
endif()
if(VICINAL_SANITIZE)
    add_compile_options(-fsanitize=${VICINAL_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${VICINAL_SANITIZE})
endif()

find_program(VICINAL_CCACHE ccache)
find_program(VICINAL_PYTHON python3 REQUIRED)
mark_as_advanced(VICINAL_CCACHE VICINAL_PYTHON)
if(VICINAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Paths as seen from here, so that another checkout finds what this one has compiled; without
    # the last ccache takes no file that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
        "${VICINAL_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        # The time stamp in a Clang precompiled header would make each one another input.
        add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    else()
        add_compile_options(-fpch-preprocess)
    endif()
endif()

# The tests include <vicinal/...> headers. For the single header each of those that it contains is
# replaced by a file that includes the single header; the optional ones are taken as they are.
if(VICINAL_SINGLE_HEADER)
    set(VICINAL_INSTALL OFF)
    execute_process(COMMAND "${VICINAL_PYTHON}" "${PROJECT_SOURCE_DIR}/scripts/amalgamate.py"
                            --forward "${PROJECT_BINARY_DIR}/forward"
                    COMMAND_ERROR_IS_FATAL ANY)
    include_directories("${PROJECT_BINARY_DIR}/forward" "${PROJECT_SOURCE_DIR}/single_include")
endif()
