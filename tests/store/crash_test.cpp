// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/figures.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/vicinal.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace crash_test {

namespace {

using namespace vicinal;
using vicinal_test::generator;

constexpr std::size_t dim = 6;

template <class Index>
using tested = store<metric::squared_l2, Index, storage::mmap>;
using model = std::map<std::string, std::pair<std::vector<float>, std::int64_t>>;

/// What step `n` of the endless script does depends on n alone, so that the child can do it and the
/// parent can tell what it did.
struct step {
    enum class kind { upsert, batch, update, erase, clear, checkpoint, compact } what;
    struct row {
        std::string id;
        std::vector<float> vector;
        std::int64_t number;
    };
    std::vector<row> rows;

    explicit step(std::uint64_t n) {
        generator r(n * 0x9e37);
        auto const draw = r.below(100);
        what = draw < 40   ? kind::upsert
               : draw < 70 ? kind::batch
               : draw < 80 ? kind::update
               : draw < 95 ? kind::erase
               : draw < 96 ? kind::clear
               : draw < 98 ? kind::checkpoint
                           : kind::compact;
        auto const count = what == kind::batch ? 1 + r.below(30) : std::size_t{1};
        for (std::size_t i = 0; i < count; ++i)
            rows.push_back({"id" + std::to_string((r.below(200) * 31 + i) % 331), r.vector(dim),
                            static_cast<std::int64_t>(n * 100 + i)});
    }

    template <class Store>
    void run(Store& s) const {
        switch (what) {
            case kind::upsert:
                s.upsert(rows[0].id, rows[0].vector, {{"number", rows[0].number}});
                break;
            case kind::batch: {
                std::map<std::string, typename Store::record> once;
                for (auto const& r : rows) once[r.id] = {r.id, r.vector, {{"number", r.number}}};
                std::vector<typename Store::record> batch;
                for (auto& [id, record] : once) batch.push_back(record);
                s.upsert(batch);
                break;
            }
            case kind::update: s.update_payload(rows[0].id, {{"number", rows[0].number}}); break;
            case kind::erase: s.erase(rows[0].id); break;
            case kind::clear: s.clear(); break;
            case kind::checkpoint: s.checkpoint(); break;
            case kind::compact: s.compact(); break;
        }
    }
    void run(model& m) const {
        switch (what) {
            case kind::upsert:
            case kind::batch:
                for (auto const& r : rows) m[r.id] = {r.vector, r.number};
                break;
            case kind::update:
                if (auto const at = m.find(rows[0].id); at != m.end())
                    at->second.second = rows[0].number;
                break;
            case kind::erase: m.erase(rows[0].id); break;
            case kind::clear: m.clear(); break;
            case kind::checkpoint:
            case kind::compact: break;
        }
    }
};

template <class Store>
model contents(Store const& s) {
    model m;
    for (auto const& r : s.scan())
        m[r.id] = {r.vector, *r.payload["number"].template get_if<std::int64_t>()};
    return m;
}

/// Opens the store and goes on with the script from step `from`, telling each finished step through
/// the pipe, until it is killed.
template <class Index>
[[noreturn]] void write_until_killed(std::string const& path, durability how, std::uint64_t from,
                                     int pipe) {
    try {
        typename tested<Index>::options o;
        o.dim = dim;
        o.durability = how;
        if constexpr (requires { o.index.flat_below; }) {
            o.index.flat_below = 50;
            o.index.neighbours = 4;
            o.index.build_width = 16;
        }
        tested<Index> s{path, o};
        for (auto n = from;; ++n) {
            step(n).run(s);
            if (::write(pipe, &n, sizeof n) != sizeof n) ::_exit(2);
        }
    } catch (error const& e) {
        static_cast<void>(::write(STDERR_FILENO, e.what(), e.message().size()));
        ::_exit(3);
    }
}

/// Runs the child for `microseconds`; gives the number of steps that it told of, and nothing where
/// it ended by itself.
template <class Index>
std::optional<std::uint64_t> kill_after(std::string const& path, durability how, std::uint64_t from,
                                        unsigned microseconds) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        write_until_killed<Index>(path, how, from, ends[1]);
    }
    ::close(ends[1]);
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    auto told = from;
    for (std::uint64_t n = 0; ::read(ends[0], &n, sizeof n) == sizeof n;) told = n + 1;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) return std::nullopt;
    return told;
}

unsigned rounds() {
    // ./dev break --kills asks for thousands: half of them in each case.
    auto const* text = std::getenv("VICINAL_TEST_KILLS");
    return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) / 2 : 150;
}

template <class Index>
void survive(durability how, std::uint64_t seed) {
    vicinal_test::temporary_directory directory;
    auto const path = directory.path("killed.vicinal");
    generator r(seed);
    model expected;
    std::uint64_t done = 0;
    for (unsigned round = 0; round < rounds(); ++round) {
        auto const micros = static_cast<unsigned>(500 + r.below(20000));
        auto const told = kill_after<Index>(path, how, done, micros);
        CAPTURE(round, micros, done);
        REQUIRE(told);
        for (; done < *told; ++done) step(done).run(expected);
        typename tested<Index>::options o;
        o.dim = dim;
        tested<Index> s{path, o};
        auto const found = contents(s);
        if (found != expected) {
            // The step in flight may be there as well: whole, and told to nobody.
            step(done++).run(expected);
            REQUIRE(found == expected);
        }
        REQUIRE(s.size() == expected.size());
        auto const k = std::min<std::size_t>(5, expected.size());
        REQUIRE(s.search(r.vector(dim), {.k = 5}).size() == k);
    }
    CHECK(done > 0);
    vicinal_test::figure("kills", rounds());
    vicinal_test::figure("writes acknowledged before kills", done);
}

} // namespace

// Steps that were told were acknowledged; a step that was cut may be there whole or not at all.
TEST_CASE("a killed writer loses nothing acknowledged: hnsw, full durability",
          "[store][crash][breaking]") {
    survive<index::hnsw<>>(durability::full, 1);
}

TEST_CASE("a killed writer loses nothing acknowledged: flat, normal durability",
          "[store][crash][breaking]") {
    survive<index::flat<>>(durability::normal, 2);
}

} // namespace crash_test
