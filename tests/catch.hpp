// SPDX-License-Identifier: MIT
// Catch2 in version 3 or 2, whichever is installed (Debian 12 has 2.13).
#ifndef VICINAL_TESTS_CATCH_HPP
#define VICINAL_TESTS_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#    include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#    include <catch2/catch.hpp>
#endif

#endif
