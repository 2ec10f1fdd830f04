// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"

#include <vicinal/storage/check.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

/// Damage that is found while a store is opened is an answer of this command, not its failure.
bool is_damage(vicinal::errc code) {
    return code == vicinal::errc::corrupt_snapshot || code == vicinal::errc::corrupt_log;
}

void tell(vicinal::problem_list const& found) {
    for (auto const& problem : found.problems)
        std::printf("damaged: %s\n", printable(problem).c_str());
    if (found.problem_count > found.problems.size())
        std::printf("and %s more\n",
                    with_commas(found.problem_count - found.problems.size()).c_str());
}

std::string path_of(std::string const& typed) {
    return vicinal::backend::uri::parse(with_default_scheme("vicinal", typed)).value().path();
}

int run(std::string const& typed) {
    auto const start = std::chrono::steady_clock::now();
    auto const store = backends().try_open(with_default_scheme("vicinal", typed), true);
    if (!store && is_damage(store.error().code())) {
        // Every place, not only the first that kept it from opening.
        auto report = vicinal::check(path_of(typed));
        if (report.ok()) report.add(store.error().message());
        tell(report);
        return differs;
    }
    auto const report = store.value().verify();
    tell(report);
    std::printf("%s: %s records in %s rows, %s of them indexed, looked at in %.2f s\n",
                report.ok() ? "sound" : (with_commas(report.problem_count) + " problems").c_str(),
                with_commas(report.records).c_str(), with_commas(report.rows).c_str(),
                with_commas(report.indexed_rows).c_str(),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return report.ok() ? success : differs;
}

} // namespace

void add_check(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "check", "Reads all of a store: checksums, log, every record, and the index's way to it");
    auto what = std::make_shared<std::string>();
    command->add_option("STORE", *what, "A vicinal directory")->required();
    command->callback([what, &status] { status = run(*what); });
}

} // namespace tool
