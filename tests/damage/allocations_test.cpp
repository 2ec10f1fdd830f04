// SPDX-License-Identifier: MIT
// Each allocation of each operation fails once, or that and all later ones: the operation says
// out_of_memory or does its work, nothing leaks, and the store holds what was acknowledged.
#include "damage/allocations.hpp"

#include "catch.hpp"
#include "damage/use.hpp"
#include "support/figures.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <malloc.h>

namespace damage::allocations {

namespace {

std::atomic<long> live_blocks{0};
std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> most_bytes{0};
thread_local long count = 0;
thread_local long fail_at = 0;
thread_local bool fails_on = false;

bool fails() noexcept {
    auto const n = ++count;
    return fail_at != 0 && (fails_on ? n >= fail_at : n == fail_at);
}
void* taken(void* p) noexcept {
    if (p == nullptr) return p;
    ++live_blocks;
    auto const now = live_bytes += ::malloc_usable_size(p);
    for (auto most = most_bytes.load(); now > most && !most_bytes.compare_exchange_weak(most, now);)
        ;
    return p;
}

} // namespace

void* take(std::size_t n) noexcept { return fails() ? nullptr : taken(std::malloc(n + (n == 0))); }
void* take(std::size_t n, std::align_val_t to) noexcept {
    auto const align = static_cast<std::size_t>(to);
    return fails() ? nullptr
                   : taken(std::aligned_alloc(
                         align, vicinal::detail::round_up((std::max)(n, std::size_t{1}), align)));
}
void give(void* p) noexcept {
    if (p == nullptr) return;
    --live_blocks;
    live_bytes -= ::malloc_usable_size(p);
    std::free(p);
}

long blocks() noexcept { return live_blocks; }
std::size_t bytes() noexcept { return live_bytes; }
std::size_t peak() noexcept { return most_bytes; }
void reset_peak() noexcept { most_bytes = live_bytes.load(); }

failing::failing(long n, bool for_good) noexcept {
    count = 0;
    fail_at = n;
    fails_on = for_good;
}
failing::~failing() { fail_at = 0; }
long failing::asked() noexcept { return count; }

} // namespace damage::allocations

namespace memory = damage::allocations;

void* operator new(std::size_t n) {
    if (auto* const p = memory::take(n)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t n, std::nothrow_t const&) noexcept { return memory::take(n); }
void* operator new(std::size_t n, std::align_val_t to) {
    if (auto* const p = memory::take(n, to)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t n, std::align_val_t to, std::nothrow_t const&) noexcept {
    return memory::take(n, to);
}
void operator delete(void* p) noexcept { memory::give(p); }
void operator delete(void* p, std::size_t) noexcept { memory::give(p); }
void operator delete(void* p, std::align_val_t) noexcept { memory::give(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { memory::give(p); }

using namespace damage;
using vicinal::errc;
using vicinal_test::figure;

namespace {

/// What a try came to: nothing where it did its work.
using outcome = std::optional<errc>;

template <class Result>
outcome of(Result const& r) {
    return r ? outcome() : outcome(r.error().code());
}

template <class Index, class Storage>
struct world {
    using store = store_of<Index, Storage>;
    static constexpr bool durable = Storage::durable;

    workbench b;
    files sound;

    world() {
        if constexpr (durable) sound = sample<Index>().sound;
    }
    [[nodiscard]] typename store::options options() const {
        typename store::options o;
        o.dim = dim;
        o.durability = vicinal::durability::off;
        o.index = small_index<Index>();
        return o;
    }
    /// A store with the same records each time.
    [[nodiscard]] store fresh() const {
        if constexpr (durable) {
            b.lay_out({sound.snapshot, sound.log, {}});
            return store{b.path(), options()};
        } else {
            store s{options()};
            for (std::size_t n = 0; n < snapshot_records; ++n) put(s, n, 1);
            for (std::size_t n = 0; n < 10; ++n) s.erase(name_of(n));
            return s;
        }
    }
};

/// What must be as before when everything is closed: blocks, and open files.
struct held {
    long blocks = memory::blocks();
    std::ptrdiff_t files = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    friend bool operator==(held const&, held const&) = default;
};

/// Every n-th allocation fails: all with ./dev break, else about `few` of them.
long stride(long most, long few) { return vicinal_test::thorough() ? 1 : 1 + most / few; }

std::string contents(auto const& s) {
    std::string out;
    for (auto const& r : s.scan()) {
        out += r.id + '=';
        out.append(reinterpret_cast<char const*>(r.vector.data()), r.vector.size() * sizeof(float));
        if (!vicinal::payload::fields::encode(r.payload, out)) out += '?';
    }
    return out;
}

/// Runs `step` on a fresh store with the k-th allocation failing, for every k.
template <class Index, class Storage>
void fail_each(std::string const& name,
               std::function<outcome(store_of<Index, Storage>&)> const& step) {
    using store = store_of<Index, Storage>;
    world<Index, Storage> const w;
    std::string before;
    std::string after;
    long most = 0;
    for (int warm = 0; warm < 2; ++warm) {
        store s = w.fresh();
        before = contents(s);
        memory::failing const counting(0, false);
        REQUIRE_FALSE(step(s));
        most = memory::failing::asked();
        after = contents(s);
    }
    auto const step_of_k = stride(most, Storage::durable ? 15 : 125);
    for (bool const for_good : {false, true})
        for (long k = 1; k <= most; k += step_of_k) {
            CAPTURE(name, for_good, k, most);
            held const before_it;
            {
                store s = w.fresh();
                outcome came;
                {
                    memory::failing const armed(k, for_good);
                    came = step(s);
                }
                if (came) CHECK(*came == errc::out_of_memory);
                auto const now = contents(s);
                // A failure may be made good without the caller: the step is done then.
                CHECK(now == (came ? before : after));
                CHECK_FALSE(step(s));
                CHECK(contents(s) == after);
                CHECK(s.verify().ok());
            }
            CHECK(held() == before_it);
            if constexpr (Storage::durable) {
                store const again{w.b.path()};
                CHECK(contents(again) == after);
                CHECK(again.verify().ok());
            }
        }
    figure("allocations failed", static_cast<std::uint64_t>(2 * (1 + (most - 1) / step_of_k)));
}

template <class Index, class Storage>
void fail_every_operation() {
    using store = store_of<Index, Storage>;
    auto const each = [](std::string const& name, std::function<outcome(store&)> const& step) {
        fail_each<Index, Storage>(name, step);
    };
    // What the caller allocates is made before.
    std::vector<float> const v{1, 2, 3, 4};
    vicinal::fields const payload{{"n", 7}, {"t", "text"}};
    auto const old = name_of(12);
    std::vector<typename store::record> list;
    for (std::size_t n = 0; n < 60; ++n)
        list.push_back({"batch" + std::to_string(n), v, {{"n", n}}});
    each("upsert", [&](store& s) { return of(s.try_upsert("new", v, payload)); });
    each("replace", [&](store& s) { return of(s.try_upsert(old, v)); });
    each("batch", [&](store& s) { return of(s.try_upsert(list)); });
    each("update payload", [&](store& s) { return of(s.try_update_payload(old, payload)); });
    each("merge payload", [&](store& s) { return of(s.try_merge_payload(old, payload)); });
    each("update payload beside a scan", [&](store& s) {
        auto const all = s.try_scan();
        return all ? of(s.try_update_payload(old, payload)) : of(all);
    });
    each("erase where", [&](store& s) { return of(s.try_erase_where("n > 30")); });
    each("clear", [](store& s) { return of(s.try_clear()); });
    each("compact", [](store& s) { return of(s.try_compact()); });
    each("search", [&](store& s) { return of(s.try_search(v, {.k = 5})); });
    each("exact search", [&](store& s) { return of(s.try_search(v, {.k = 5, .exact = true})); });
    each("filtered search",
         [&](store& s) { return of(s.try_search(v, {.k = 5, .where = "n > 3"})); });
    each("get", [&](store& s) { return of(s.try_get(old)); });
    each("verify", [&](store& s) { return of(s.try_verify()); });
    each("scan", [](store& s) {
        auto all = s.try_scan();
        while (all) {
            auto const next = all->try_next();
            if (!next) return of(next);
            if (!*next) break;
        }
        return of(all);
    });
    if constexpr (Storage::durable)
        each("checkpoint", [](store& s) { return of(s.try_checkpoint()); });
}

} // namespace

TEST_CASE("any allocation may fail: flat in mapped files", "[damage][breaking]") {
    fail_every_operation<flat, vicinal::storage::mmap>();
}
TEST_CASE("any allocation may fail: hnsw in mapped files", "[damage][breaking]") {
    fail_every_operation<hnsw, vicinal::storage::mmap>();
}
TEST_CASE("any allocation may fail: hnsw in memory", "[damage][breaking]") {
    fail_every_operation<hnsw, vicinal::storage::memory>();
}

TEST_CASE("any allocation of opening may fail", "[damage][breaking]") {
    using store = store_of<hnsw>;
    sample<hnsw> const sound;
    workbench const b;
    auto const path = b.path();
    for (bool const read_only : {false, true})
        for (bool const for_good : {false, true}) {
            std::uint64_t tries = 0;
            bool done = false;
            for (long k = 1; !done; k += vicinal_test::thorough() ? 1 : 5) {
                CAPTURE(read_only, for_good, k);
                ++tries;
                b.lay_out({sound.sound.snapshot, sound.sound.log, {}});
                held const before_it;
                {
                    std::optional<vicinal::result<store>> s;
                    {
                        memory::failing const armed(k, for_good);
                        s.emplace(store::try_open(path, {.read_only = read_only}));
                        done = memory::failing::asked() < k;
                    }
                    if (!*s) CHECK((*s).error().code() == errc::out_of_memory);
                    if (*s) CHECK(answers(**s) == sound.truth.back());
                }
                CHECK(held() == before_it);
                CHECK(judge<hnsw>(b, sound.truth) == verdict::same);
            }
            figure("allocations failed", tries - 1);
        }
}

TEST_CASE("any allocation of check and salvage may fail", "[damage][breaking]") {
    sample<hnsw> const sound;
    workbench const b;
    b.lay_out({sound.sound.snapshot, sound.sound.log, {}});
    auto const path = b.path();
    auto const out = b.beside("out");
    for (bool done = false, salvages = false; !(done && salvages);) {
        salvages = std::exchange(done, false);
        long k = 0;
        while (!done) {
            ++k;
            CAPTURE(salvages, k);
            held const before_it;
            {
                memory::failing const armed(k, false);
                if (salvages) {
                    auto const r = vicinal::try_salvage(path, out);
                    done = memory::failing::asked() < k;
                    if (!r) CHECK(r.error().code() == errc::out_of_memory);
                } else {
                    static_cast<void>(vicinal::check(path));
                    done = memory::failing::asked() < k;
                }
            }
            CHECK(held() == before_it);
            workbench::clear(out);
        }
        figure("allocations failed", static_cast<std::uint64_t>(k - 1));
    }
}
