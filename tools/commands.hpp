// SPDX-License-Identifier: MIT
// The commands of the tool `vicinal`, one file each.
#ifndef VICINAL_TOOLS_COMMANDS_HPP
#define VICINAL_TOOLS_COMMANDS_HPP

#include <CLI/App.hpp>

#include <string>

namespace tool {

/// What the shell is told: documented in --help.
enum exit_status : int { success = 0, failure = 1, differs = 2, stopped = 130 };

/// Each adds its command, whose callback leaves its outcome in `status`.
void add_migrate(CLI::App& app, int& status);
void add_import(CLI::App& app, int& status);
void add_export(CLI::App& app, int& status);
void add_inspect(CLI::App& app, int& status);
void add_diff(CLI::App& app, int& status);
void add_rescue(CLI::App& app, int& status);
void add_info(CLI::App& app, int& status);
void add_search(CLI::App& app, int& status);
void add_filter(CLI::App& app, int& status);
/// count, select, facets
void add_queries(CLI::App& app, int& status);
/// advice before there is a store
void add_tune(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
/// backup, restore, salvage
void add_copies(CLI::App& app, int& status);
/// completion, manual: what is known of all the other commands
void add_manual(CLI::App& app, int& status);

/// Salvages a damaged vicinal directory and says what is lost.
[[nodiscard]] int salvage(std::string const& from, std::string const& to);

} // namespace tool

#endif
