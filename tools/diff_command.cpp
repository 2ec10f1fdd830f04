// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "progress_bar.hpp"
#include "report.hpp"

#include <vicinal/migrate/diff.hpp>
#include <vicinal/migrate/report_text.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

struct arguments {
    std::string left;
    std::string right;
    vicinal::diff_options options = {};
    bool no_payloads = false;
    bool json = false;
};

int run(arguments const& a) {
    auto left = backends().open_source(source_uri(a.left));
    auto right = backends().open_source(source_uri(a.right));
    auto options = a.options;
    options.payloads = !a.no_payloads;
    progress_bar bar;
    interrupt_guard const interrupt;
    options.on_progress = [&](vicinal::progress const& p) {
        bar(p);
        interrupt.check();
    };
    auto const report = vicinal::diff(left, right, options);
    bar.finish();
    if (a.json)
        std::printf("%s\n", json_of(vicinal::as_fields(report)).c_str());
    else
        print_comparison(report);
    return report.ok() ? success : differs;
}

} // namespace

void add_diff(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("diff", "Compares every record of two stores or files");
    auto a = std::make_shared<arguments>();
    command->add_option("A", a->left, "What to read, as for migrate")->required();
    command->add_option("B", a->right, "What to read, as for migrate")->required();
    command->add_flag("--by-direction", a->options.by_direction,
                      "Vectors are equal where their directions are: for systems that normalise");
    command->add_flag("--no-payloads", a->no_payloads, "Compare ids and vectors alone");
    command->add_option("--where", a->options.mapping.where, "Only records of A that match");
    command->add_flag("--json", a->json, "Print the report as JSON");
    command->callback([a, &status] { status = run(*a); });
}

} // namespace tool
