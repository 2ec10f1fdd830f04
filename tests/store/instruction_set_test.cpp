// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/simd/instruction_set.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <cstdlib>
#include <string>

namespace instruction_set_test {

using namespace vicinal;

namespace {

/// Sets VICINAL_ISA for as long as it lives.
class forced_to {
public:
    explicit forced_to(char const* word) {
        if (auto const* old = std::getenv("VICINAL_ISA")) old_ = old;
        setenv("VICINAL_ISA", word, 1);
    }
    ~forced_to() {
        if (old_.empty())
            unsetenv("VICINAL_ISA");
        else
            setenv("VICINAL_ISA", old_.c_str(), 1);
    }
    forced_to(forced_to const&) = delete;
    forced_to& operator=(forced_to const&) = delete;

private:
    std::string old_;
};

template <class Storage>
using a_store = store<metric::squared_l2, index::flat<>, Storage>;

} // namespace

#if VICINAL_X86_DISPATCH

TEST_CASE("a store does not open where VICINAL_ISA names no instruction set", "[store]") {
    vicinal_test::temporary_directory const dir;
    forced_to const word("sse9");
    auto const in_memory = a_store<storage::memory>::try_open({.dim = 4});
    REQUIRE_FALSE(in_memory);
    CHECK(in_memory.error().code() == errc::invalid_argument);
    CHECK(in_memory.error().got() == "VICINAL_ISA=sse9");
    auto const in_files = a_store<storage::mmap>::try_open(dir.path("s"), {.dim = 4});
    REQUIRE_FALSE(in_files);
    CHECK(in_files.error().code() == errc::invalid_argument);
}

TEST_CASE("a store opens on every instruction set that the CPU has, and on no other", "[store]") {
    for (auto const set : simd::all_instruction_sets) {
        std::string const word(simd::name(set));
        CAPTURE(word);
        forced_to const forced(word.c_str());
        auto const opened = a_store<storage::memory>::try_open({.dim = 4});
        if (set <= simd::best_instruction_set()) {
            CHECK(opened);
        } else {
            REQUIRE_FALSE(opened);
            CHECK(opened.error().code() == errc::unsupported);
        }
    }
}

#endif

} // namespace instruction_set_test
