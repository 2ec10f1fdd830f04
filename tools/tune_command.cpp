// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include <vicinal/index/budget.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

void print(vicinal::budget_plan const& p, vicinal::budget const& b) {
    bool const fits = p.memory <= b.bytes && p.recall >= b.recall;
    std::string const index(p.index);
    std::string const storage(p.storage);
    std::string const cost(p.cost);
    std::printf("%c %-46s %-16s %14" PRIu64 " %14" PRIu64 "  %.2f  %s\n", fits ? '*' : ' ',
                index.c_str(), storage.c_str(), p.memory, p.disk, p.recall, cost.c_str());
}

} // namespace

void add_tune(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "tune", "Names the index, codec and storage for so many vectors in so much memory");
    auto b = std::make_shared<vicinal::budget>();
    command->add_option("--rows", b->rows, "How many vectors")->required();
    command->add_option("--dim", b->dim, "Floats of a vector")->required();
    command->add_option("--memory", b->bytes, "Bytes for vectors, codes and graph: 512M, 4G")
        ->required()
        ->transform(CLI::AsSizeValue(false));
    command->add_option("--recall", b->recall, "The wanted share of the ten nearest")
        ->capture_default_str();
    command->add_flag("--codes-alone", b->codes_alone,
                      "Vectors need not come back as they were (codec::only)");
    command->callback([b, &status] {
        auto const best = vicinal::advise(*b).value();
        std::printf("store<..., %s, %s>\n\n", std::string(best.index).c_str(),
                    std::string(best.storage).c_str());
        std::printf("  %-46s %-16s %14s %14s  %s  %s\n", "index, the fastest first", "storage",
                    "memory", "on the disk", "recall", "gives up");
        for (auto const& p : vicinal::budget_plans(*b)) print(p, *b);
        status = success;
    });
}

} // namespace tool
