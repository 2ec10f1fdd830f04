// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "migration.hpp"

#include <string>

namespace tool {

void add_migrate(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("migrate", "Moves every record of SOURCE into SINK");
    auto const a = add_migration_options(*command);
    command
        ->add_option("SOURCE", a->source,
                     "SCHEME:PATH?NAME=VALUE, or a path alone, which is recognised by what lies "
                     "there; schemes that can be read: " +
                         backends().readable())
        ->required();
    command
        ->add_option(
            "SINK", a->sink,
            "vicinal:DIR?index=hnsw&metric=cosine (index: hnsw, flat, ivf; metric: cosine, "
            "squared_l2, inner_product; with index=ivf codec=sq8 or rabitq1, and "
            "num_partitions=LISTS), or another scheme; a path alone is what its "
            "ending says, and vicinal: without one; schemes that can be written: " +
                backends().writable())
        ->required();
    command->callback([a, &status] { status = run_migration(*a); });
}

void add_import(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "import", "Moves every record of a foreign store or file into a vicinal directory");
    auto const a = add_migration_options(*command);
    command->add_option("SOURCE", a->source, "What to read, as for migrate")->required();
    command->add_option("STORE", a->sink, "A vicinal directory, made where none is")->required();
    command->callback([a, &status] {
        a->sink = with_default_scheme("vicinal", a->sink);
        status = run_migration(*a);
    });
}

void add_export(CLI::App& app, int& status) {
    auto* command =
        app.add_subcommand("export", "Writes every record of a vicinal directory elsewhere");
    auto const a = add_migration_options(*command);
    command->add_option("STORE", a->source, "A vicinal directory")->required();
    command->add_option("SINK", a->sink, "What to write, as for migrate")->required();
    command->callback([a, &status] {
        a->source = with_default_scheme("vicinal", a->source);
        status = run_migration(*a);
    });
}

} // namespace tool
