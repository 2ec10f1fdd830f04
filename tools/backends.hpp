// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_BACKENDS_HPP
#define VICINAL_TOOLS_BACKENDS_HPP

#include <vicinal/backend/registry.hpp>

#include <string>

namespace tool {

/// The schemes that the tool knows: vicinal, chroma, jsonl.
[[nodiscard]] vicinal::backend::registry const& backends();

/// A URI as typed; a path alone is JSON Lines if it ends in .jsonl, and a vicinal store otherwise.
[[nodiscard]] std::string with_scheme(std::string const& text);

} // namespace tool

#endif
