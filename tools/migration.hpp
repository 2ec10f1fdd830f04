// SPDX-License-Identifier: MIT
// What migrate, import, export and rescue have in common.
#ifndef VICINAL_TOOLS_MIGRATION_HPP
#define VICINAL_TOOLS_MIGRATION_HPP

#include <vicinal/migrate/options.hpp>

#include <CLI/App.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// A migration as typed.
struct migration_arguments {
    std::string source;
    std::string sink;
    std::string vector;
    std::string name_space;
    std::string without_vector = "keep";
    std::string verify = "sample";
    std::string errors;
    std::vector<std::string> rename; // OLD=NEW
    bool skip_bad = false;
    bool json = false;
    vicinal::migrate_options options = {};
};

/// Adds every option of a migration to a command.
[[nodiscard]] std::shared_ptr<migration_arguments> add_migration_options(CLI::App& command);

/// Runs it, shows its progress and prints its report. The status for the shell.
[[nodiscard]] int run_migration(migration_arguments const& a);

} // namespace tool

#endif
