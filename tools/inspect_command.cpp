// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"
#include "report.hpp"

#include <vicinal/backend/uri.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace tool {

namespace {

void line(char const* what, std::string const& value) {
    std::printf("%-12s %s\n", what, printable(value).c_str());
}

/// The command that moves it, with a name for the new store.
std::string import_command(std::string const& uri, vicinal::schema const& about) {
    auto const path = vicinal::backend::uri::parse(uri).value().path();
    auto const end = path.find_last_not_of('/');
    auto name = path.substr(0, end == std::string::npos ? 0 : end + 1);
    name = name.substr(name.find_last_of('/') + 1);
    name = name.substr(0, name.find('.', 1));
    return std::string("vicinal import --verify ") +
           (about.dim == 0 ? "--without-vector placeholder " : "") + "'" + uri + "' '" + name +
           ".vicinal" + (about.metric.empty() ? "?metric=cosine" : "") + "'";
}

int run(std::string const& typed, bool json) {
    auto const found =
        has_scheme(typed) ? vicinal::backend::guess{typed, "", 0, ""} : recognise(typed);
    vicinal::fields f{{"what", found.what}};
    if (!json && !found.what.empty()) line("what", found.what);
    if (found.uri.empty()) {
        if (json) {
            f.set("readable", false);
            f.set("advice", found.advice);
            std::printf("%s\n", json_of(f).c_str());
        } else {
            line("readable", "no");
            if (!found.advice.empty()) line("instead", found.advice);
        }
        return success;
    }
    auto source = backends().try_open_source(found.uri);
    auto about = source ? source->describe() : vicinal::result<vicinal::schema>(source.error());
    if (json) {
        f.set("uri", found.uri);
        f.set("readable", static_cast<bool>(about));
        if (about) {
            f.set("description", about->description);
            f.set("dim", about->dim);
            f.set("metric", about->metric);
            if (about->records) f.set("records", *about->records);
            vicinal::value::array losses;
            for (auto const& loss : about->losses) losses.push_back(vicinal::value(loss));
            f.set("losses", std::move(losses));
        } else {
            f.set("problem", about.error().message());
        }
        std::printf("%s\n", json_of(f).c_str());
        return success;
    }
    line("uri", found.uri);
    if (!about) {
        // Known, but a choice is missing or something is damaged: the message says which.
        line("problem", about.error().message());
        return success;
    }
    line("source", about->description);
    line("dim", about->dim == 0 ? "none known" : std::to_string(about->dim));
    line("metric", about->metric.empty() ? "none named" : about->metric);
    line("records", about->records ? with_commas(*about->records) : "known when read");
    for (auto const& loss : about->losses) line("loss", loss);
    if (!found.uri.starts_with("vicinal:")) line("import", import_command(found.uri, *about));
    return success;
}

} // namespace

void add_inspect(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "inspect", "Says what lies at a path, how much it holds, what would be lost on moving it, "
                   "and the command that does");
    auto what = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    command->add_option("PATH", *what, "A file, a directory, or a URI as for migrate")->required();
    command->add_flag("--json", *json, "Print it as JSON");
    command->callback([what, json, &status] { status = run(*what, *json); });
}

} // namespace tool
