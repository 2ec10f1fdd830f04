// SPDX-License-Identifier: MIT
// The commands of the tool `vicinal`, one file each.
#ifndef VICINAL_TOOLS_COMMANDS_HPP
#define VICINAL_TOOLS_COMMANDS_HPP

#include <CLI/App.hpp>

namespace tool {

/// What the shell is told: documented in --help.
enum exit_status : int { success = 0, failure = 1, differs = 2 };

/// Each adds its command, whose callback leaves its outcome in `status`.
void add_migrate(CLI::App& app, int& status);
void add_info(CLI::App& app, int& status);
void add_search(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
/// backup, restore, salvage
void add_copies(CLI::App& app, int& status);

} // namespace tool

#endif
