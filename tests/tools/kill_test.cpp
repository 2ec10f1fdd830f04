// SPDX-License-Identifier: MIT
// Migrations that are killed at any moment and gone on with.
#include "support/random.hpp"
#include "tools/tool.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/migrate/jsonl.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <time.h>

using namespace vicinal_test;
namespace backend = vicinal::backend;

namespace {

constexpr std::size_t records = 3'000;
constexpr std::size_t dim = 16;
using by_id = std::map<std::string, vicinal::record>;

template <class Source>
void collect(Source& source, by_id& into) {
    std::vector<vicinal::record> batch;
    do {
        source.read(batch, 500).value();
        for (auto const& r : batch) {
            CAPTURE(r.id);
            REQUIRE(into.emplace(r.id, r).second);
        }
    } while (!batch.empty());
}

void check_same(by_id const& a, by_id const& b) {
    REQUIRE(a.size() == b.size());
    for (auto const& [id, r] : a) {
        auto const at = b.find(id);
        REQUIRE(at != b.end());
        REQUIRE(at->second.vector == r.vector);
        REQUIRE(at->second.payload == r.payload);
    }
}

struct kills {
    /// Runs that were killed before they had come to their end.
    int killed = 0;
    /// Last runs that found a part of the records there, neither none nor all.
    int continued = 0;
};

/// Nanoseconds of a migration that is not killed: kills come before that, on any machine.
std::uint64_t undisturbed(tool const& vicinal, tool::arguments arguments) {
    arguments.insert(arguments.end(), {"--batch-size", "25"});
    auto const start = std::chrono::steady_clock::now();
    REQUIRE(vicinal(arguments).status == 0);
    return static_cast<std::uint64_t>((std::chrono::steady_clock::now() - start).count());
}

/// One that fits into the nanoseconds of a timespec.
constexpr std::uint64_t longest_delay = 900'000'000;

/// Runs the migration again and again, each run killed within `longest` nanoseconds, then to its
/// end. How long it takes depends on what else the machine does: `longest` follows what the kills
/// met.
void migrate_with_kills(tool const& vicinal, tool::arguments arguments, std::uint64_t& longest,
                        generator& random, kills& count) {
    arguments.insert(arguments.end(), {"--batch-size", "25", "--resume", "--verify"});
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto const child = vicinal.start(arguments);
        ::timespec const delay{0, static_cast<long>(random.below(longest))};
        ::nanosleep(&delay, nullptr);
        ::kill(child, SIGKILL);
        if (vicinal.wait(child).status != 0) ++count.killed;
    }
    auto const last = vicinal(arguments);
    CAPTURE(last.out, last.err);
    REQUIRE(last.status == 0);
    REQUIRE(last.says("all equal"));
    if (last.says("already there: 0\n"))
        longest = (std::min)(longest + longest / 4, longest_delay);
    else if (last.says("already there: 2,999\n"))
        longest -= longest / 4;
    else
        ++count.continued;
}

} // namespace

TEST_CASE("a migration that is killed and resumed loses and doubles nothing", "[tools][crash]") {
    auto const program = tool_path();
    if (program.empty()) return;
    tool const vicinal(program);
    // The first record comes again at the end with another vector.
    auto const from = vicinal.file(
        "from.jsonl", lines_of(records, dim) + "{\"id\":\"r0\",\"vector\":[9" + [] {
            std::string zeros;
            for (std::size_t i = 1; i < dim; ++i) zeros += ",0";
            return zeros;
        }() + "]}\n");
    by_id expected;
    {
        std::vector<vicinal::record> batch;
        backend::jsonl_source source(from);
        source.read(batch, records + 1).value();
        for (auto& r : batch) expected.insert_or_assign(r.id, r);
    }
    REQUIRE(expected.size() == records);

    generator random(7);
    kills count;
    auto longest = (std::min)(
        undisturbed(vicinal, {"migrate", from, "jsonl:" + vicinal.path("whole")}), longest_delay);
    for (int round = 0; round < 20 || (count.continued < 5 && round < 200); ++round) {
        CAPTURE(round);
        by_id found;
        auto const to = vicinal.path("to-" + std::to_string(round));
        if (round % 2 == 0) {
            migrate_with_kills(vicinal, {"migrate", from, "jsonl:" + to}, longest, random, count);
            backend::jsonl_source source(to);
            collect(source, found);
            CHECK_FALSE(std::filesystem::exists(to + ".tmp"));
        } else {
            migrate_with_kills(vicinal,
                               {"migrate", from, "vicinal:" + to + "?metric=cosine&index=flat"},
                               longest, random, count);
            vicinal::store<vicinal::metric::cosine, vicinal::index::flat<>,
                           vicinal::storage::mmap> const store{to};
            for (auto const& r : store.scan()) REQUIRE(found.emplace(r.id, r).second);
        }
        check_same(expected, found);
    }
    CAPTURE(count.killed, count.continued);
    CHECK(count.killed >= 20);
    CHECK(count.continued >= 5);
}
