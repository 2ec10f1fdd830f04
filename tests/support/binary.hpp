// SPDX-License-Identifier: MIT
// Binary files as tests spell them.
#ifndef VICINAL_TESTS_SUPPORT_BINARY_HPP
#define VICINAL_TESTS_SUPPORT_BINARY_HPP

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace vicinal_test {

/// What pairs of hexadecimal digits, small letters, stand for.
inline std::string unhex(std::string_view text) {
    auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 2)
        out.push_back(static_cast<char>(16 * digit(text[i]) + digit(text[i + 1])));
    return out;
}

/// The bytes of a number, in the order of the host or the other.
template <class T>
std::string bytes(T v, bool swapped = false) {
    std::string s(reinterpret_cast<char const*>(&v), sizeof v);
    if (swapped) std::reverse(s.begin(), s.end());
    return s;
}

} // namespace vicinal_test

#endif
