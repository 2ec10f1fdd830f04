// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "migration.hpp"

#include <vicinal/backend/uri.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

/// A damaged vicinal directory is salvaged by its own means; of everything else what can still be
/// read is read, and what can't is listed.
int run(migration_arguments a) {
    auto const uri = source_uri(a.source);
    auto const where = vicinal::backend::uri::parse(uri).value();
    if (where.scheme() == "vicinal") {
        auto const to =
            vicinal::backend::uri::parse(with_default_scheme("vicinal", a.sink)).value();
        return salvage(where.path(), to.path());
    }
    a.source = uri;
    if (where.scheme() == "chroma")
        a.source += (uri.find('?') == std::string::npos ? "?rescue=1" : "&rescue=1");
    a.skip_bad = true;
    return run_migration(a);
}

} // namespace

void add_rescue(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "rescue", "Moves what can still be read of a damaged store, and lists what can't");
    auto const a = add_migration_options(*command);
    command->add_option("DAMAGED", a->source, "A vicinal or Chroma directory, or any other source")
        ->required();
    command->add_option("NEW", a->sink, "What to write, as for migrate")->required();
    command->callback([a, &status] { status = run(*a); });
}

} // namespace tool
