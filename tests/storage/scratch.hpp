// SPDX-License-Identifier: MIT
// Directories and files of the storage tests.
#ifndef VICINAL_TESTS_STORAGE_SCRATCH_HPP
#define VICINAL_TESTS_STORAGE_SCRATCH_HPP

#include "catch.hpp"

#include <vicinal/core/bits.hpp>
#include <vicinal/storage/mmap.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace scratch {

using bytes = std::vector<std::byte>;

/// A fresh directory, removed at the end.
class directory {
public:
    directory() {
        auto text = (std::filesystem::temp_directory_path() / "vicinal-test-XXXXXX").string();
        REQUIRE(::mkdtemp(text.data()) != nullptr);
        path_ = text;
    }
    directory(directory const&) = delete;
    directory& operator=(directory const&) = delete;
    ~directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string operator/(std::string_view name) const {
        return (path_ / name).string();
    }

private:
    std::filesystem::path path_;
};

inline bytes read(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE(in.good());
    std::string const text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    auto const view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}
inline void write(std::string const& path, std::span<std::byte const> content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<char const*>(content.data()),
              static_cast<std::streamsize>(content.size()));
    REQUIRE(out.good());
}
inline bool exists(std::string const& path) { return std::filesystem::exists(path); }
inline std::vector<std::string> names(std::string const& path) {
    std::vector<std::string> list;
    for (auto const& e : std::filesystem::directory_iterator(path))
        list.push_back(e.path().filename().string());
    std::sort(list.begin(), list.end());
    return list;
}

/// A number as a batch of the tests: its eight bytes and a tail, so that records differ in length.
inline bytes batch(std::uint64_t n) {
    bytes b(8 + n % 13, std::byte{0x5a});
    vicinal::detail::store_le(b.data(), n);
    return b;
}

/// A store of numbers: column "numbers", one row each, and batches that append one.
template <class Os = vicinal::storage::posix,
          template <class> class Storage = vicinal::storage::basic_mmap>
struct numbers {
    using space = typename Storage<Os>::space;

    static vicinal::result<numbers> open(std::string const& path,
                                         vicinal::storage::open_options const& options = {}) {
        auto s = space::open(path, {{"kind", "numbers"}}, options);
        if (!s) return s.error();
        auto c = s->column("numbers", 8, vicinal::storage::heat::hot);
        if (!c) return c.error();
        numbers n{std::move(*s), *c, {}};
        auto report = n.files.replay([&n](std::span<std::byte const> b) -> vicinal::result<void> {
            if (b.size() < 8) return vicinal::error{vicinal::errc::corrupt_log};
            return n.put(vicinal::detail::load_le<std::uint64_t>(b.data()));
        });
        if (!report) return report.error();
        n.report = *report;
        return n;
    }

    vicinal::result<void> put(std::uint64_t n) {
        auto const at = rows->rows();
        if (auto grown = vicinal::storage::grow(*rows, at + 1); !grown) return grown;
        vicinal::detail::store_le(rows->edit(at), n);
        return {};
    }
    /// The row is made room for, logged, and only then there.
    vicinal::result<void> add(std::uint64_t n) {
        auto const at = rows->rows();
        if (at + 1 > rows->capacity()) {
            if (auto room = rows->prepare(at + 1); !room) return room;
            rows->commit();
        }
        if (auto logged = files.log(batch(n)); !logged) return logged;
        rows->resize(at + 1);
        vicinal::detail::store_le(rows->edit(at), n);
        return {};
    }
    vicinal::result<void> checkpoint() {
        auto done = files.checkpoint({}, files.properties());
        if (done) files.adopt();
        return done;
    }
    [[nodiscard]] std::vector<std::uint64_t> all() const {
        std::vector<std::uint64_t> list;
        for (std::uint64_t i = 0; i < rows->rows(); ++i)
            list.push_back(vicinal::detail::load_le<std::uint64_t>(rows->reader().row(i)));
        return list;
    }

    space files;
    typename Storage<Os>::column* rows;
    vicinal::storage::replay_report report;
};

/// Numbers from `from` to `to`, both included.
inline std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> list;
    for (auto n = from; n <= to; ++n) list.push_back(n);
    return list;
}

inline vicinal::errc code_of(auto const& result) {
    REQUIRE_FALSE(result);
    return result.error().code();
}

} // namespace scratch

#endif
