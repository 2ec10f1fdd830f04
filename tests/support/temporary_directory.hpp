// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_TEMPORARY_DIRECTORY_HPP
#define VICINAL_TESTS_SUPPORT_TEMPORARY_DIRECTORY_HPP

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vicinal_test {

/// A directory of a test's own, gone at the end.
class temporary_directory {
public:
    temporary_directory() {
        auto name = (std::filesystem::temp_directory_path() / "vicinal-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    /// Its own path, and that of a file in it.
    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string path(std::string_view name) const {
        return (path_ / std::string(name)).string();
    }
    /// Writes a file and gives its path.
    [[nodiscard]] std::string file(std::string_view name, std::string_view text) const {
        auto const where = path(name);
        std::ofstream(where, std::ios::binary) << text;
        return where;
    }

private:
    std::filesystem::path path_;
};

} // namespace vicinal_test

#endif
