// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_BACKENDS_HPP
#define VICINAL_TOOLS_BACKENDS_HPP

#include <vicinal/backend/recognise.hpp>
#include <vicinal/backend/registry.hpp>

#include <string>

namespace tool {

/// Every scheme of the library.
[[nodiscard]] vicinal::backend::registry const& backends();

/// Whether the text names a scheme, and not a path that has a colon in it.
[[nodiscard]] bool has_scheme(std::string const& text);

/// A URI as typed; a path alone becomes one of that scheme.
[[nodiscard]] std::string with_default_scheme(std::string const& scheme, std::string const& text);

/// A URI as typed; a path alone is recognised by what lies there, and is a vicinal directory where
/// nothing does. Throws, with the command that helps, for what is known but can't be read.
[[nodiscard]] std::string source_uri(std::string const& text);

/// A URI as typed; a path alone is of the scheme that its ending names, else a vicinal directory.
[[nodiscard]] std::string sink_uri(std::string const& text);

/// What lies at a path. Throws where nothing does, or nothing that is known.
[[nodiscard]] vicinal::backend::guess recognise(std::string const& path);

/// A parameter's value, with % & and ? written as bytes.
[[nodiscard]] std::string escaped_value(std::string const& text);

} // namespace tool

#endif
