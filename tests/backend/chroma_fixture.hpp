// SPDX-License-Identifier: MIT
// Where the real Chroma directories are, and copies of them that may be damaged.
#ifndef VICINAL_TESTS_BACKEND_CHROMA_FIXTURE_HPP
#define VICINAL_TESTS_BACKEND_CHROMA_FIXTURE_HPP

#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"

#include <vicinal/backend/chroma_directory.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#if __has_include(<zlib.h>)
#    include <zlib.h>
#    define VICINAL_TESTS_ZLIB 1
#else
#    define VICINAL_TESTS_ZLIB 0
#endif

namespace chroma_fixture {

namespace fs = std::filesystem;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::shared_fixture;

/// A copy of a directory that goes away with the test.
class copy {
public:
    explicit copy(std::string const& from) {
        char name[] = "/tmp/vicinal-chroma-XXXXXX";
        path_ = ::mkdtemp(name);
        if (!from.empty()) fs::copy(from, path_, fs::copy_options::recursive);
        for (auto const& entry : fs::recursive_directory_iterator(path_))
            fs::permissions(entry, fs::perms::owner_all, fs::perm_options::add);
    }
    ~copy() { fs::remove_all(path_); }
    copy(copy const&) = delete;
    copy& operator=(copy const&) = delete;

    [[nodiscard]] std::string const& path() const { return path_; }

    /// Runs SQL on its database, with everything allowed.
    void sql(std::string const& text) const {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open((path_ + "/chroma.sqlite3").c_str(), &db) == SQLITE_OK);
        char* message = nullptr;
        auto const code = sqlite3_exec(db, text.c_str(), nullptr, nullptr, &message);
        std::string const why = message == nullptr ? "" : message;
        sqlite3_free(message);
        sqlite3_close(db);
        CAPTURE(text, why);
        REQUIRE(code == SQLITE_OK);
    }

private:
    std::string path_;
};

inline void spill(std::string const& path, std::string const& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

#if VICINAL_TESTS_ZLIB
inline std::string gunzip(std::string const& path) {
    std::string text;
    gzFile const file = gzopen(path.c_str(), "rb");
    REQUIRE(file != nullptr);
    std::vector<char> piece(1 << 20);
    for (int n = 0; (n = gzread(file, piece.data(), static_cast<unsigned>(piece.size()))) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(n));
    gzclose(file);
    return text;
}
#endif

/// Opens and reads everything: what it gives or the first error.
inline vicinal::result<std::vector<vicinal::record>> read_all(std::string const& path,
                                                              std::string const& collection = {}) {
    return records_of(vicinal::backend::chroma_directory::try_open(path, collection), 1000);
}

} // namespace chroma_fixture

#endif
