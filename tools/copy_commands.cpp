// SPDX-License-Identifier: MIT
#include "commands.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"

#include <vicinal/storage/backup.hpp>
#include <vicinal/store/salvage.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

namespace tool {

namespace {

int tell(vicinal::storage::copy_report const& r, std::string const& to) {
    std::printf("%s: generation %s, %s bytes and %s writes behind it, every checksum right\n",
                printable(to).c_str(), std::to_string(r.generation).c_str(),
                with_commas(r.snapshot_bytes).c_str(), with_commas(r.log_records).c_str());
    if (r.bytes_dropped > 0)
        std::printf("left out: %s bytes of a write that was cut off or is under way\n",
                    with_commas(r.bytes_dropped).c_str());
    return success;
}

} // namespace

int salvage(std::string const& from, std::string const& to) {
    auto const r = vicinal::salvage(from, to);
    for (auto const& problem : r.problems) std::printf("lost: %s\n", printable(problem).c_str());
    if (r.problem_count > r.problems.size())
        std::printf("and %s more\n", with_commas(r.problem_count - r.problems.size()).c_str());
    std::printf("%s: %s records and %s later writes; lost: %s rows, %s writes, %s bytes of log\n",
                printable(to).c_str(), with_commas(r.records).c_str(),
                with_commas(r.writes).c_str(), with_commas(r.lost_rows).c_str(),
                with_commas(r.lost_writes).c_str(), with_commas(r.lost_log_bytes).c_str());
    return r.ok() ? success : differs;
}

namespace {

/// A command of two paths.
void add(CLI::App& app, int& status, char const* name, char const* about, char const* first,
         char const* second, std::function<int(std::string const&, std::string const&)> run) {
    auto* command = app.add_subcommand(name, about);
    auto from = std::make_shared<std::string>();
    auto to = std::make_shared<std::string>();
    command->add_option(first, *from, "A vicinal directory")->required();
    command->add_option(second, *to, "A vicinal directory")->required();
    command->callback([from, to, run, &status] { status = run(*from, *to); });
}

} // namespace

void add_copies(CLI::App& app, int& status) {
    add(app, status, "backup",
        "Copies a store, also while it is written, to a path at which nothing is", "STORE",
        "BACKUP",
        [](auto const& from, auto const& to) { return tell(vicinal::backup(from, to), to); });
    add(app, status, "restore",
        "Checks all of a backup, then puts it in the place of a store that no program writes",
        "BACKUP", "STORE",
        [](auto const& from, auto const& to) { return tell(vicinal::restore(from, to), to); });
    add(app, status, "salvage",
        "Makes a new store of what can be proven of a damaged one, and says what is lost",
        "DAMAGED", "NEW", salvage);
}

} // namespace tool
