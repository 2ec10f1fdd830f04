// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include <CLI/Option.hpp>

#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace tool {

namespace {

using commands = std::vector<CLI::App const*>;

commands all_commands(CLI::App const& app) {
    commands list;
    for (auto const* command : app.get_subcommands([](CLI::App const*) { return true; }))
        list.push_back(command);
    return list;
}

/// "--resume" and so on, each with two dashes or one.
std::vector<std::string> flags_of(CLI::App const& command) {
    std::vector<std::string> list;
    for (auto const* option : command.get_options()) {
        for (auto const& name : option->get_lnames()) list.push_back("--" + name);
        for (auto const& name : option->get_snames()) list.push_back("-" + name);
    }
    return list;
}

std::string joined(std::vector<std::string> const& list) {
    std::string text;
    for (auto const& one : list) text += (text.empty() ? "" : " ") + one;
    return text;
}

std::string names_of(commands const& list) {
    std::vector<std::string> names;
    for (auto const* command : list) names.push_back(command->get_name());
    return joined(names);
}

/// Text that roff takes as it is: no escapes, no request at the start of a line.
std::string roff(std::string const& text) {
    std::string out;
    for (char const c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
            (out += "\\&") += c;
        else
            out += c;
    }
    return out;
}

void print_manual(CLI::App const& app) {
    std::printf(".TH VICINAL 1\n.SH NAME\nvicinal \\- vector stores in files\n.SH SYNOPSIS\n"
                ".B vicinal\n.I COMMAND\n[\\fIOPTIONS\\fR] \\fIARGUMENTS\\fR\n.SH DESCRIPTION\n%s\n"
                ".SH COMMANDS\n",
                roff(app.get_description()).c_str());
    for (auto const* command : all_commands(app)) {
        std::printf(".SS vicinal %s", roff(command->get_name()).c_str());
        for (auto const* option : command->get_options())
            if (option->get_positional()) std::printf(" %s", roff(option->get_name(true)).c_str());
        std::printf("\n%s.\n", roff(command->get_description()).c_str());
        for (auto const* option : command->get_options())
            std::printf(".TP\n.B %s\n%s\n", roff(option->get_name(false, true)).c_str(),
                        roff(option->get_description()).c_str());
    }
    std::printf(".SH EXIT STATUS\n%s\n", roff(app.get_footer()).c_str());
}

void print_bash(commands const& list) {
    std::printf("_vicinal() {\n    local word=${COMP_WORDS[COMP_CWORD]}\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n        return\n    fi\n"
                "    case $word in\n    -*) ;;\n"
                "    *) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n    esac\n"
                "    case ${COMP_WORDS[1]} in\n",
                names_of(list).c_str());
    for (auto const* command : list)
        std::printf("    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\")) ;;\n",
                    command->get_name().c_str(), joined(flags_of(*command)).c_str());
    std::printf("    esac\n}\ncomplete -o filenames -F _vicinal vicinal\n");
}

void print_zsh(commands const& list) {
    std::printf("#compdef vicinal\n_vicinal() {\n    if (( CURRENT == 2 )); then\n"
                "        compadd %s\n        return\n    fi\n    if [[ $PREFIX != -* ]]; then\n"
                "        _files\n        return\n    fi\n    case $words[2] in\n",
                names_of(list).c_str());
    for (auto const* command : list)
        std::printf("    %s) compadd -- %s ;;\n", command->get_name().c_str(),
                    joined(flags_of(*command)).c_str());
    std::printf("    esac\n}\ncompdef _vicinal vicinal\n");
}

void print_fish(commands const& list) {
    for (auto const* command : list) {
        auto const name = command->get_name();
        std::printf("complete -c vicinal -n __fish_use_subcommand -a %s\n", name.c_str());
        for (auto const* option : command->get_options())
            for (auto const& flag : option->get_lnames())
                std::printf("complete -c vicinal -n '__fish_seen_subcommand_from %s' -l %s\n",
                            name.c_str(), flag.c_str());
    }
}

} // namespace

void add_manual(CLI::App& app, int& status) {
    auto* manual = app.add_subcommand("manual", "Prints the man page: vicinal manual | man -l -");
    manual->callback([&app, &status] {
        print_manual(app);
        status = success;
    });
    auto* completion = app.add_subcommand(
        "completion", "Prints what a shell needs to complete commands: source <(vicinal "
                      "completion bash)");
    auto shell = std::make_shared<std::string>();
    completion->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    completion->callback([&app, &status, shell] {
        auto const list = all_commands(app);
        if (*shell == "bash")
            print_bash(list);
        else if (*shell == "zsh")
            print_zsh(list);
        else
            print_fish(list);
        status = success;
    });
}

} // namespace tool
