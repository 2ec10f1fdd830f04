// SPDX-License-Identifier: MIT
// The command-line tool `vicinal`.
#include "commands.hpp"
#include "interrupt.hpp"
#include "printable.hpp"

#include <vicinal/core/config.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    CLI::App app{"Vector stores in files: moves data in and out, and looks at it."};
    app.name("vicinal");
    app.set_version_flag("--version", vicinal::version());
    app.require_subcommand(1);
    app.footer("Exit status: 0 done; 1 an error, told on standard error; 2 both sides of a "
               "migration were compared and differ, check found damage, or salvage lost something; "
               "130 interrupted; 100 to 127: the command line is wrong.");
    int status = tool::success;
    tool::add_migrate(app, status);
    tool::add_import(app, status);
    tool::add_export(app, status);
    tool::add_inspect(app, status);
    tool::add_diff(app, status);
    tool::add_rescue(app, status);
    tool::add_info(app, status);
    tool::add_search(app, status);
    tool::add_filter(app, status);
    tool::add_queries(app, status);
    tool::add_tune(app, status);
    tool::add_check(app, status);
    tool::add_copies(app, status);
    tool::add_manual(app, status);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e);
    } catch (tool::interrupted const& e) {
        std::fflush(stdout);
        std::fprintf(stderr, "vicinal: %s\n", e.what());
        return tool::stopped;
    } catch (std::exception const& e) {
        std::fflush(stdout);
        std::fprintf(stderr, "vicinal: %s\n", tool::printable(e.what()).c_str());
        return tool::failure;
    }
    // A full disk behind a pipe or redirection must not look like success.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fprintf(stderr, "vicinal: standard output could not be written\n");
        return tool::failure;
    }
    return status;
}
