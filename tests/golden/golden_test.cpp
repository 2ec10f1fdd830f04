// SPDX-License-Identifier: MIT
// Stores that this and earlier versions have written: each opens, and has every record.
#include "catch.hpp"
#include "golden/stores.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/storage/check.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <zlib.h>

namespace golden_test {

namespace {

void unpack(std::filesystem::path const& from, std::filesystem::path const& to) {
    auto* const file = ::gzopen(from.c_str(), "rb");
    REQUIRE(file != nullptr);
    std::ofstream out(to, std::ios::binary);
    std::array<char, 65536> piece{};
    for (int n = 0; (n = ::gzread(file, piece.data(), piece.size())) > 0;)
        out.write(piece.data(), n);
    ::gzclose(file);
}

template <class Store>
void check_contents(Store const& s) {
    using script = golden::script<Store>;
    auto const want = script::expected();
    REQUIRE(s.size() == want.size());
    for (auto const& r : s.scan()) {
        std::string text;
        if constexpr (std::is_same_v<typename Store::id_type, std::string>)
            text = r.id;
        else
            text = std::to_string(r.id);
        auto const at = want.find(text);
        CAPTURE(text);
        REQUIRE(at != want.end());
        CHECK(r.vector == at->second.vector);
        if constexpr (script::has_fields) CHECK(r.payload == at->second.payload);
        CHECK(s.search(r.vector, {.k = want.size()}).size() == want.size());
    }
}

/// Stores of format `format`, as they lie in the repository.
void check_format(std::filesystem::path const& format) {
    golden::for_each([&]<class Described>(Described const& d) {
        using store = typename Described::store;
        auto const packed = format / d.name;
        CAPTURE(packed.string());
        REQUIRE(std::filesystem::exists(packed));
        vicinal_test::temporary_directory const directory;
        auto const path = directory.path("store");
        std::filesystem::create_directory(path);
        for (auto const& file : std::filesystem::directory_iterator(packed))
            unpack(file.path(), std::filesystem::path(path) / file.path().stem());
        auto const files = vicinal::check(path);
        CHECK(files.ok());
        CHECK(files.bytes_dropped == 0);
        check_contents(store(path, {.read_only = true}));
        {
            store s{path};
            check_contents(s);
            CHECK(s.verify().ok());
            CHECK(s.indexes().size() == (d.indexed ? 4U : 0U));
            s.checkpoint();
            check_contents(s);
        }
        CHECK(store(path).verify().ok());
    });
}

} // namespace

TEST_CASE("stores of every format that was ever written open with all records", "[golden]") {
    std::size_t formats = 0;
    for (auto const& entry : std::filesystem::directory_iterator("tests/golden"))
        if (entry.is_directory()) {
            check_format(entry.path());
            ++formats;
        }
    CHECK(formats >= 1);
}

} // namespace golden_test
