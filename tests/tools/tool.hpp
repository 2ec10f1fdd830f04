// SPDX-License-Identifier: MIT
// Runs the program `vicinal` as a user would.
#ifndef VICINAL_TESTS_TOOLS_TOOL_HPP
#define VICINAL_TESTS_TOOLS_TOOL_HPP

#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vicinal_test {

/// The program that VICINAL_TOOL names; empty, said aloud, where none is.
[[nodiscard]] inline std::string tool_path() {
    auto const* path = std::getenv("VICINAL_TOOL");
    if (path && std::filesystem::exists(path)) return path;
    WARN("SKIPPED: no program in VICINAL_TOOL");
    return {};
}

/// A directory of small files for a run of the tool, and the tool in it.
class tool {
public:
    struct outcome {
        int status = -1;
        std::string out;
        std::string err;
        [[nodiscard]] bool says(std::string_view text) const {
            return out.find(text) != std::string::npos;
        }
        [[nodiscard]] bool complains(std::string_view text) const {
            return err.find(text) != std::string::npos;
        }
    };
    using arguments = std::vector<std::string>;

    explicit tool(std::string program) : program_(std::move(program)) {}

    [[nodiscard]] std::string path(std::string_view name) const { return directory_.path(name); }
    [[nodiscard]] std::string file(std::string_view name, std::string_view text) const {
        return directory_.file(name, text);
    }

    /// Starts it and gives the number of its process.
    [[nodiscard]] ::pid_t start(arguments const& a) const {
        auto const child = ::fork();
        if (child == 0) {
            int const out = ::open(path("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            int const err = ::open(path("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            ::dup2(out, 1);
            ::dup2(err, 2);
            execute(a);
        }
        return child;
    }
    [[nodiscard]] outcome wait(::pid_t child) const {
        outcome o;
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFEXITED(status)) o.status = WEXITSTATUS(status);
        o.out = bytes_of(path("out"));
        o.err = bytes_of(path("err"));
        INFO(o.out);
        INFO(o.err);
        return o;
    }
    [[nodiscard]] outcome operator()(arguments const& a) const { return wait(start(a)); }

    /// Runs it with a terminal of its own, so many columns wide; `out` is everything that the
    /// terminal was sent.
    [[nodiscard]] outcome in_terminal(arguments const& a, unsigned short columns) const {
        int const master = ::posix_openpt(O_RDWR | O_NOCTTY);
        REQUIRE(master >= 0);
        REQUIRE(::grantpt(master) == 0);
        REQUIRE(::unlockpt(master) == 0);
        std::string const name = ::ptsname(master);
        ::winsize size{};
        size.ws_row = 24;
        size.ws_col = columns;
        REQUIRE(::ioctl(master, TIOCSWINSZ, &size) == 0);
        auto const child = ::fork();
        if (child == 0) {
            ::setsid();
            int const terminal = ::open(name.c_str(), O_RDWR);
            for (int fd = 0; fd < 3; ++fd) ::dup2(terminal, fd);
            execute(a);
        }
        outcome o;
        char piece[4096];
        // Reading fails when the last one at the other end has closed it.
        for (;;) {
            ::pollfd wanted{master, POLLIN, 0};
            if (::poll(&wanted, 1, 60'000) <= 0) break;
            auto const n = ::read(master, piece, sizeof piece);
            if (n <= 0) break;
            o.out.append(piece, static_cast<std::size_t>(n));
        }
        ::close(master);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFEXITED(status)) o.status = WEXITSTATUS(status);
        return o;
    }

private:
    [[noreturn]] void execute(arguments const& a) const {
        std::vector<char*> list{const_cast<char*>(program_.c_str())};
        for (auto const& one : a) list.push_back(const_cast<char*>(one.c_str()));
        list.push_back(nullptr);
        ::execv(program_.c_str(), list.data());
        ::_exit(127);
    }

    temporary_directory directory_;
    std::string program_;
};

/// JSON Lines of n records "r0", "r1" and so on.
[[nodiscard]] inline std::string lines_of(std::size_t n, std::size_t dim) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) {
        text += "{\"id\":\"r" + std::to_string(i) + "\",\"vector\":[";
        for (std::size_t j = 0; j < dim; ++j)
            text += (j == 0 ? "" : ",") + std::to_string((i * 31 + j * 7) % 101 + 1);
        text += "],\"payload\":{\"n\":" + std::to_string(i) + "}}\n";
    }
    return text;
}

} // namespace vicinal_test

#endif
