// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_DAMAGED_SECTION_HPP
#define VICINAL_TESTS_SUPPORT_DAMAGED_SECTION_HPP

#include "catch.hpp"

#include <vicinal/storage/mmap.hpp>

#include <cstdint>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>

namespace vicinal_test {

/// Flips a bit in each page of a section of a store's snapshot, behind the back of whoever has it
/// open.
inline void damage_section(std::string const& store_path, std::string_view section) {
    auto const about = vicinal::storage::mmap::space::inspect(store_path).value();
    auto const name = vicinal::detail::snapshot_name(about.generation);
    for (auto const& s : about.sections) {
        if (s.name != section || s.bytes() == 0) continue;
        std::fstream f(store_path + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
        for (auto at = s.bytes() < 200 ? s.bytes() / 2 : 100; at < s.bytes(); at += 4096) {
            f.seekg(static_cast<std::streamoff>(s.offset + at));
            auto const c = static_cast<char>(f.get() ^ 4);
            f.seekp(static_cast<std::streamoff>(s.offset + at));
            f.put(c);
        }
        REQUIRE(f.good());
        return;
    }
    FAIL("no section of that name");
}

} // namespace vicinal_test

#endif
