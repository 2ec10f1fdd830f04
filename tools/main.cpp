// SPDX-License-Identifier: MIT
// The command-line tool `vicinal`.
#include "commands.hpp"

#include <vicinal/core/error.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    CLI::App app{"Vector stores in files: moves data in and out, and looks at it."};
    app.name("vicinal");
    app.set_version_flag("--version", vicinal::version());
    app.require_subcommand(1);
    app.footer("Exit status: 0 done; 1 an error, told on standard error; 2 both sides of a "
               "migration were compared and differ; 100 and more: the command line is wrong.");
    int status = tool::success;
    tool::add_migrate(app, status);
    tool::add_info(app, status);
    tool::add_search(app, status);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e);
    } catch (vicinal::error const& e) {
        std::fflush(stdout);
        std::fprintf(stderr, "vicinal: %s\n", e.what());
        return tool::failure;
    }
    return status;
}
