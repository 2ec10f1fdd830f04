// SPDX-License-Identifier: MIT
#include "commands.hpp"
#include "printable.hpp"

#include <vicinal/migrate/filters/print.hpp>
#include <vicinal/migrate/json_filters.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cstdio>
#include <memory>
#include <set>
#include <string>

namespace tool {

namespace {

struct arguments {
    std::string text;
    std::string where_document;
    std::string from = "vicinal";
    std::string to = "vicinal";
    vicinal::backend::foreign_filter_options options;
};

vicinal::filter read(arguments const& a) {
    using namespace vicinal::backend;
    if (a.from == "chroma") return chroma_filter(a.text, a.where_document, a.options).value();
    if (a.from == "qdrant") return qdrant_filter(a.text, a.options).value();
    if (a.from == "pinecone") return pinecone_filter(a.text, a.options).value();
    if (a.from == "weaviate") return weaviate_filter(a.text, a.options).value();
    return vicinal::filter::parse(a.text).value();
}

/// A line for each text that the system takes, so that a script can cut them.
std::string written(vicinal::filter const& f, arguments const& a) {
    using namespace vicinal::backend;
    if (a.to == "qdrant") return to_qdrant(f, a.options).value();
    if (a.to == "pinecone") return to_pinecone(f, a.options).value();
    if (a.to == "weaviate") return to_weaviate(f, a.options).value();
    if (a.to != "chroma") return printable(f.print());
    auto const both = to_chroma(f, a.options).value();
    if (both.where_document.empty()) return both.where;
    return both.where + "\n" + both.where_document;
}

} // namespace

void add_filter(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "filter", "Prints a filter of one system as another writes it, with the same answers");
    auto a = std::make_shared<arguments>();
    auto const systems =
        CLI::IsMember(std::set<std::string>{"vicinal", "chroma", "qdrant", "pinecone", "weaviate"});
    command->add_option("FILTER", a->text, "As in \"year >= 2023\", or the JSON of --from")
        ->required();
    command->add_option("--where-document", a->where_document, "With --from chroma: that JSON");
    command->add_option("--from", a->from, "Whose filter it is")
        ->check(systems)
        ->capture_default_str();
    command->add_option("--to", a->to, "Whose it becomes; chroma's where_document is a second line")
        ->check(systems)
        ->capture_default_str();
    command->add_option("--document", a->options.document, "The field with Chroma's document")
        ->capture_default_str();
    command->add_flag("--plain-text", a->options.plain_text,
                      "Promise: no full-text index (Qdrant), tokenization field (Weaviate)");
    command->add_flag("--utc-dates", a->options.utc_dates,
                      "Promise: dates are texts as 2024-01-31T12:00:00Z");
    command->add_flag("--no-arrays", a->options.no_arrays,
                      "Promise: the fields compared hold no arrays");
    command->add_flag("--no-empty-values", a->options.no_empty_values,
                      "Promise: no field holds an empty array or text");
    command->add_flag("!--ne-needs-field", a->options.ne_matches_missing,
                      "Pinecone's $ne and $nin pass over records without the field");
    command->callback([a, &status] {
        std::printf("%s\n", written(read(*a), *a).c_str());
        status = success;
    });
}

} // namespace tool
