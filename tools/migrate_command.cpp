// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"

#include <vicinal/migrate/migrate.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

struct arguments {
    std::string source;
    std::string sink;
    std::size_t batch_size = 1000;
    std::string verify = "sample";
    bool resume = false;
    bool dry_run = false;
};

vicinal::verify how_much(std::string const& word) {
    return word == "every"  ? vicinal::verify::every_record
           : word == "none" ? vicinal::verify::nothing
                            : vicinal::verify::sample;
}

void print(vicinal::migration_report const& r, arguments const& a) {
    std::printf("%s records in %.2f s, %s a second\n", with_commas(r.records).c_str(), r.seconds,
                with_commas(static_cast<std::uint64_t>(r.records_per_second())).c_str());
    if (a.dry_run) std::printf("nothing was written: --dry-run\n");
    if (a.resume) std::printf("already there: %s\n", with_commas(r.already_there).c_str());
    for (auto const& loss : r.losses) std::printf("note: %s\n", printable(loss).c_str());
    if (!a.dry_run && how_much(a.verify) != vicinal::verify::nothing)
        std::printf("verified %s records in %.2f s: %s\n", with_commas(r.verified).c_str(),
                    r.verify_seconds,
                    r.ok() ? "all equal" : (with_commas(r.differing) + " differ").c_str());
    for (auto const& d : r.differences)
        std::printf("  %s: %s\n", printable(d.id).c_str(), vicinal::name(d.what));
    if (r.differing > r.differences.size())
        std::printf("  and %s more\n", with_commas(r.differing - r.differences.size()).c_str());
}

int run(arguments const& a) {
    auto from = backends().open_source(with_scheme(a.source));
    auto const incoming = from.describe().value();
    std::printf("from %s\n", printable(incoming.description).c_str());
    std::fflush(stdout);
    vicinal::migrate_options options;
    options.batch_size = a.batch_size;
    options.verify = how_much(a.verify);
    options.resume = a.resume;
    options.dry_run = a.dry_run;
    auto to = backends().open_sink(with_scheme(a.sink), incoming, a.dry_run);
    progress_bar bar;
    options.on_progress = [&bar](vicinal::progress const& p) { bar(p); };
    auto const report = vicinal::migrate(from, to, options);
    bar.finish();
    print(report, a);
    return report.ok() ? success : differs;
}

} // namespace

void add_migrate(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("migrate", "Moves every record of SOURCE into SINK");
    auto a = std::make_shared<arguments>();
    command
        ->add_option("SOURCE", a->source,
                     "vicinal:DIR, chroma:DIR?tenant=T&database=D&collection=C, jsonl:FILE; a path "
                     "alone is jsonl: if it ends in .jsonl, else vicinal:")
        ->required();
    command
        ->add_option("SINK", a->sink,
                     "vicinal:DIR?index=hnsw&metric=cosine (index: hnsw, flat; metric: cosine, "
                     "squared_l2, inner_product), jsonl:FILE")
        ->required();
    command->add_option("--batch-size", a->batch_size, "Records read and written at a time")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    // `--verify` alone asks for everything. A flag: an option would take SOURCE for its value where
    // it stands in front of it.
    command
        ->add_flag("--verify{every}", a->verify,
                   "Compare both sides afterwards, read anew: --verify every record, "
                   "--verify=sample about a thousand (the default), --verify=none")
        ->check(CLI::IsMember({"none", "sample", "every"}));
    command->add_flag("--resume", a->resume,
                      "Go on where an earlier run into the same sink was cut off");
    command->add_flag("--dry-run", a->dry_run, "Read and check everything, write nothing");
    command->callback([a, &status] { status = run(*a); });
}

} // namespace tool
