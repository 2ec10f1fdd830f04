// SPDX-License-Identifier: MIT
// count, select and facets: what a store holds, by filters alone.
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"

#include <vicinal/migrate/json/write.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

vicinal::any_store opened(std::string const& store) {
    return backends().open(with_default_scheme("vicinal", store), true);
}

CLI::App* add(CLI::App& app, char const* name, char const* what, std::string& store,
              std::string& where) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("STORE", store, "A vicinal directory")->required();
    command->add_option("--where", where, "A filter, as in \"year >= 2023\"");
    return command;
}

void add_count(CLI::App& app, int& status) {
    struct arguments {
        std::string store;
        std::string where;
    };
    auto a = std::make_shared<arguments>();
    add(app, "count", "Prints how many records match a filter", a->store, a->where)
        ->callback([a, &status] {
            std::printf("%zu\n", opened(a->store).try_count(a->where).value());
            status = success;
        });
}

/// A line of tab-separated values a record: id, payload.
int print_selection(std::string const& store, vicinal::select_options const& o) {
    auto const page = opened(store).try_select(o).value();
    for (auto const& record : page.records) {
        std::string payload;
        vicinal::detail::to_json(record.payload, payload).value();
        std::printf("%s\t%s\n", printable(record.id).c_str(), printable(payload).c_str());
    }
    // Not among the records, so that the lines stay one kind of thing.
    if (!page.next.empty()) std::fprintf(stderr, "more: --after %s\n", page.next.c_str());
    return success;
}

void add_select(CLI::App& app, int& status) {
    struct arguments {
        std::string store;
        vicinal::select_options select;
    };
    auto a = std::make_shared<arguments>();
    auto* command = add(app, "select", "Prints the records that match a filter: id, payload",
                        a->store, a->select.where);
    command->add_option("--order-by", a->select.order_by, "A field; else they are ordered by id");
    command->add_flag("--descending", a->select.descending, "From the largest down");
    command->add_option("--limit", a->select.limit, "How many at most")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_option("--after", a->select.after, "Goes on where an earlier call said \"more\"");
    command->callback([a, &status] { status = print_selection(a->store, a->select); });
}

/// A line of tab-separated values each: count, value.
int print_facets(std::string const& store, std::string const& field,
                 vicinal::facet_options const& o) {
    for (auto const& f : opened(store).try_facets(field, o).value()) {
        std::string value;
        vicinal::detail::to_json(vicinal::fields{{field, f.value}}, value).value();
        std::printf("%zu\t%s\n", f.count, printable(value).c_str());
    }
    return success;
}

void add_facets(CLI::App& app, int& status) {
    struct arguments {
        std::string store;
        std::string field;
        vicinal::facet_options facets;
    };
    auto a = std::make_shared<arguments>();
    auto* command = add(app, "facets", "Prints the most frequent values of a field: count, value",
                        a->store, a->facets.where);
    command->add_option("FIELD", a->field, "As in \"author.name\"")->required();
    command->add_option("--limit", a->facets.limit, "How many at most")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->callback([a, &status] { status = print_facets(a->store, a->field, a->facets); });
}

} // namespace

void add_queries(CLI::App& app, int& status) {
    add_count(app, status);
    add_select(app, status);
    add_facets(app, status);
}

} // namespace tool
