// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"

#include <vicinal/backend/chroma_directory.hpp>
#include <vicinal/storage/mmap.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

void line(char const* what, std::string const& value) {
    std::printf("%-12s %s\n", printable(what).c_str(), printable(value).c_str());
}

int store_info(std::string const& text) {
    auto const path = vicinal::backend::uri::parse(text).value().path();
    auto const about = vicinal::storage::mmap::space::inspect(path).value();
    auto const store = backends().open(text, true);
    auto const stats = store.stats();
    line("store", path);
    for (auto const& [name, value] : about.properties) line(name.c_str(), value);
    line("records", with_commas(stats.records));
    line("rows", with_commas(stats.rows) + ", " + with_commas(stats.indexed_rows) + " indexed");
    if (stats.partitions != 0) {
        char drift[32];
        std::snprintf(drift, sizeof drift, "%.2f", stats.drift);
        line("lists", with_commas(stats.partitions) + ", drift " + drift +
                          (stats.drift >= 1.3 ? ": rows lie elsewhere than the centres" : ""));
    }
    line("payloads", with_commas(stats.bytes.payloads) + " bytes, a payload has " +
                         with_commas(static_cast<std::uint64_t>(stats.mean_payload + 0.5)) +
                         " on average beside the 8 that say where it is");
    for (auto const& f : stats.field_indexes)
        line("index", std::string(name_of(f.kind)) + " on " + f.field + ": " +
                          with_commas(f.values) + " values, " + with_commas(f.entries) +
                          " entries, " + with_commas(f.bytes) + " bytes");
    line("generation", std::to_string(about.generation));
    line("snapshot", with_commas(about.snapshot_bytes) + " bytes");
    line("log", with_commas(about.log_bytes) + " bytes");
    for (auto const& s : about.sections)
        line("column",
             s.name + ": " + with_commas(s.rows) + " rows of " + with_commas(s.row_bytes));
    return success;
}

int chroma_info(std::string const& text) {
    auto const path = vicinal::backend::uri::parse(text).value().path();
    auto const all = vicinal::backend::chroma_directory::list(path).value();
    line("chroma", path);
    for (auto const& c : all)
        line("collection", c.tenant + "/" + c.database + "/" + c.name + ": " +
                               with_commas(c.records) + " records, " + std::to_string(c.dimension) +
                               " dimensions, " + c.space);
    return success;
}

int source_info(std::string const& text) {
    auto const about = backends().open_source(text).describe().value();
    line("source", about.description);
    line("dim", std::to_string(about.dim));
    line("metric", about.metric.empty() ? "none named" : about.metric);
    line("records", about.records ? with_commas(*about.records) : "known when read");
    for (auto const& loss : about.losses) line("note", loss);
    return success;
}

int run(std::string const& typed) {
    auto const text = source_uri(typed);
    auto const scheme = vicinal::backend::uri::parse(text).value().scheme();
    if (scheme == "vicinal") return store_info(text);
    // A Chroma directory without a collection named: show which there are.
    if (scheme == "chroma" && text.find("collection=") == std::string::npos)
        return chroma_info(text);
    return source_info(text);
}

} // namespace

void add_info(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("info", "Says what a store or source is and holds");
    auto what = std::make_shared<std::string>();
    command->add_option("STORE", *what, "A vicinal directory, or a URI as for migrate")->required();
    command->callback([what, &status] { status = run(*what); });
}

} // namespace tool
