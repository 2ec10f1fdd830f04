// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_ARRAYS_ADVICE_HPP
#define VICINAL_BACKEND_ARRAYS_ADVICE_HPP

#include <vicinal/core/config.hpp>

#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// A command for a shell that runs a Python script of one line on a path, whatever the path holds:
/// the script finds it as `p`. The script has no double quotes, dollars or backslashes.
[[nodiscard]] inline std::string python_advice(std::string_view script, std::string_view path) {
    std::string out = "python3 -c \"import sys; p = sys.argv[1]; ";
    out.append(script).append("\" '");
    for (char const c : path) {
        if (c == '\'')
            out.append("'\\''");
        else
            out.push_back(c);
    }
    out.push_back('\'');
    return out;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
