// SPDX-License-Identifier: MIT
// Indexes on fields through the life of a store: they never change an answer.
#include "contract/store.hpp"
#include "storage/scratch.hpp"

#include <vicinal/store/salvage.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if VICINAL_HAS_THREADS
#    include <atomic>
#    include <thread>
#endif

namespace field_indexes_test {

using namespace vicinal;
using flat = vicinal::index::flat<>;

namespace {

/// A store whose rows can be looked at.
template <class Store>
struct opened : Store {
    using Store::Store;
    explicit opened(Store&& s) : Store(std::move(s)) {}
    auto& engine() { return *this->engine_; }
};

template <class Storage>
using store_of = store<metric::squared_l2, flat, Storage>;

std::vector<std::string> const filters{
    "category = 'c3'",
    "category != 'c3'",
    "category in ('c1', 'c7', 'nowhere')",
    "price < 20",
    "price >= 20 and category = 'c2'",
    "not (price between 10 and 70) or tags contains 't5'",
    "tags contains 't1' and price > 50",
    "author.name = 'Ada'",
    "category is null",
    "not (category = 'c3' and price < 30)",
};

fields payload_of(std::uint64_t n) {
    auto const r = detail::mix(n);
    fields f;
    if (r % 11 != 0) f.set("category", "c" + std::to_string(r % 10));
    f.set("price", static_cast<double>(r >> 20 & 0xffff) / 655.36);
    value::array tags;
    for (unsigned i = 0; i < 3; ++i) tags.emplace_back("t" + std::to_string((r >> (4 * i)) % 12));
    f.set("tags", tags);
    f.set("author", fields{{"name", r % 3 == 0 ? "Ada" : "Grace"}});
    return f;
}

/// Compares what the indexes answer with the payloads, for all slots that they cover. Gives how
/// many filters they had an answer for.
template <class Store>
int check_answers(Store& s) {
    int known = 0;
    for (auto const& text : filters) {
        auto const f = filter::parse(text);
        REQUIRE(f);
        auto const good = s.engine().read([&](auto const& rows, auto const&) -> result<bool> {
            auto const got = rows.fields().select(*f);
            if (!got) return true;
            ++known;
            auto const told = rows.fields().estimate(*f);
            std::size_t matching = 0;
            for (slot at = 0; at < rows.fields().covered(); ++at) {
                bool const is = f->matches(rows.payload(at));
                matching += is ? 1 : 0;
                auto const changed = rows.changed();
                if (std::find(changed.begin(), changed.end(), at) != changed.end()) continue;
                if (is != got->slots.contains(at) && (is || got->exact)) return false;
            }
            if (!rows.changed().empty()) return told.known;
            if (!got->slots.empty() && got->slots.last() >= rows.fields().covered()) return false;
            return told.known && told.at_least <= matching && matching <= told.at_most;
        });
        INFO(text);
        REQUIRE(good);
        REQUIRE(*good);
    }
    return known;
}

template <class Store>
slot covered(Store& s) {
    return *s.engine().read(
        [](auto const& rows, auto const&) -> result<slot> { return rows.fields().covered(); });
}

template <class Store>
void create_all(Store& s) {
    s.create_index("category", field_index::hash);
    s.create_index("price", field_index::ordered);
    s.create_index("tags", field_index::inverted);
    s.create_index("author.name", field_index::hash);
}

using model = std::map<std::string, std::uint64_t>;

/// Some writes; replaced and erased records too.
template <class Store>
void write_some(Store& s, model& m, std::uint64_t& seed, int steps) {
    for (int i = 0; i < steps; ++i) {
        auto const r = detail::mix(++seed);
        if (r % 6 == 0 && !m.empty()) {
            auto const at = std::next(m.begin(), static_cast<std::ptrdiff_t>(r / 6 % m.size()));
            at->second = r;
            REQUIRE(s.update_payload(at->first, payload_of(r)));
            continue;
        }
        if (r % 5 == 0 && !m.empty()) {
            auto const at = std::next(m.begin(), static_cast<std::ptrdiff_t>(r / 5 % m.size()));
            REQUIRE(s.erase(at->first));
            m.erase(at);
            continue;
        }
        std::vector<typename Store::record> batch;
        auto const n = r % 7 == 0 ? 200 : r % 3 + 1;
        for (std::uint64_t j = 0; j < n; ++j) {
            auto const v = detail::mix(r + j);
            auto id = "r" + std::to_string(v % 3000);
            if (std::any_of(batch.begin(), batch.end(), [&](auto const& b) { return b.id == id; }))
                continue;
            m[id] = v;
            batch.push_back({id, {1, static_cast<float>(v % 100)}, payload_of(v)});
        }
        s.upsert(batch);
    }
}

template <class Store>
void check_all(Store& s, model const& m) {
    CHECK(check_answers(s) >= 8);
    auto const report = s.verify();
    for (auto const& p : report.problems) FAIL_CHECK(p);
    REQUIRE(s.size() == m.size());
    std::size_t wrong = 0;
    for (auto const& [id, seed] : m) wrong += s.get(id)->payload == payload_of(seed) ? 0U : 1U;
    CHECK(wrong == 0);
}

/// Opens again, through a function that does so.
template <class Store, class Reopen>
void live_through(Store&& first, Reopen const& reopen) {
    std::optional<Store> s(std::move(first));
    model m;
    std::uint64_t seed = 1;
    write_some(*s, m, seed, 100);
    create_all(*s);
    REQUIRE(s->indexes().size() == 4);
    CHECK(covered(*s) == s->stats().rows);
    check_all(*s, m);
    for (int round = 0; round < 3; ++round) {
        write_some(*s, m, seed, 150);
        CHECK(s->stats().rows - covered(*s) < 64);
        check_all(*s, m);
        s->compact();
        check_all(*s, m);
        write_some(*s, m, seed, 20);
        reopen(s, round);
        REQUIRE(s->indexes().size() == 4);
        check_all(*s, m);
        write_some(*s, m, seed, 20);
        check_all(*s, m);
    }
    REQUIRE(s->drop_index("price", field_index::ordered));
    REQUIRE(!s->drop_index("price", field_index::ordered));
    REQUIRE(!s->drop_index("price", field_index::hash));
    REQUIRE(s->rebuild_index("tags", field_index::inverted));
    REQUIRE(!s->rebuild_index("price", field_index::ordered));
    s->create_index("tags", field_index::inverted);
    REQUIRE(s->indexes().size() == 3);
    CHECK(check_answers(*s) >= 4);
    s->clear();
    CHECK(s->indexes().size() == 3);
    CHECK(s->indexes()[0].entries == 0);
    m.clear();
    write_some(*s, m, seed, 50);
    reopen(s, 4);
    REQUIRE(s->indexes().size() == 3);
    CHECK(s->verify().ok());
    CHECK(check_answers(*s) >= 4);
}

double signed_price(std::span<std::byte const> payload, bool negative) {
    auto const v = payload::fields_view(payload).find("price");
    auto const x =
        v->type() == value::kind::integer ? static_cast<double>(v->integer()) : v->real();
    return negative ? -x : x;
}

} // namespace

TEST_CASE("indexes on fields of a store in memory follow its records", "[store]") {
    using held = opened<store_of<storage::memory>>;
    scratch::directory dir;
    live_through<held>(held({.dim = 2}), [&](std::optional<held>& s, int) {
        s->save(dir / "saved.vic");
        auto loaded = store_of<storage::memory>::load(dir / "saved.vic");
        s.reset();
        s.emplace(std::move(loaded));
        CHECK(covered(*s) == s->stats().rows);
    });
}

TEMPLATE_TEST_CASE("indexes on fields of a durable store outlive it", "[store]", storage::mmap,
                   storage::file) {
    using held = opened<store_of<TestType>>;
    scratch::directory dir;
    auto const path = dir / "s.vicinal";
    live_through<held>(held(path, {.dim = 2}), [&](std::optional<held>& s, int round) {
        bool const whole = round % 2 == 0;
        if (whole) s->checkpoint();
        s.reset();
        s.emplace(path);
        if (whole) CHECK(covered(*s) == s->stats().rows);
    });
}

TEST_CASE("an index that only the log knows is filled by the writes that follow", "[store]") {
    using held = opened<store_of<storage::mmap>>;
    scratch::directory dir;
    auto const path = dir / "s.vicinal";
    auto const copy = dir / "copy.vicinal";
    model m;
    std::uint64_t seed = 5;
    {
        held s(path, {.dim = 2});
        write_some(s, m, seed, 60);
        s.checkpoint();
        create_all(s);
        write_some(s, m, seed, 10);
        s.backup(copy); // with its log, as a kill would leave it
    }
    held s(copy);
    REQUIRE(s.indexes().size() == 4);
    CHECK(covered(s) == 0);
    CHECK(check_answers(s) == 0);
    write_some(s, m, seed, 5);
    CHECK(covered(s) + 64 > s.stats().rows);
    check_all(s, m);
}

TEST_CASE("a reader in another process sees indexes that were made, dropped and moved", "[store]") {
    using held = opened<store_of<storage::mmap>>;
    scratch::directory dir;
    auto const path = dir / "s.vicinal";
    held s(path, {.dim = 2});
    model m;
    std::uint64_t seed = 6;
    write_some(s, m, seed, 60);
    held reader(path, {.read_only = true});
    CHECK(reader.indexes().empty());
    create_all(s);
    REQUIRE(reader.refresh());
    CHECK(reader.indexes().size() == 4);
    check_all(reader, m);
    write_some(s, m, seed, 60);
    s.compact();
    write_some(s, m, seed, 60);
    while (reader.refresh()) {
    }
    check_all(reader, m);
    s.drop_index("tags", field_index::inverted);
    REQUIRE(reader.refresh());
    CHECK(reader.indexes().size() == 3);
    CHECK(check_answers(reader) >= 5);
}

TEST_CASE("a scan that is open keeps the slots of indexes on fields too", "[store]") {
    using held = opened<store_of<storage::mmap>>;
    scratch::directory dir;
    held s(dir / "s.vicinal", {.dim = 2});
    model m;
    std::uint64_t seed = 7;
    write_some(s, m, seed, 80);
    create_all(s);
    {
        auto const scan = s.scan();
        write_some(s, m, seed, 40);
        s.checkpoint();
        check_all(s, m);
        s.clear();
        CHECK(check_answers(s) >= 8);
        m.clear();
        write_some(s, m, seed, 40);
        check_all(s, m);
    }
    s.compact();
    check_all(s, m);
}

TEST_CASE("what salvage finds of a store has its indexes, to be filled", "[store]") {
    using held = opened<store_of<storage::mmap>>;
    scratch::directory dir;
    auto const path = dir / "s.vicinal";
    model m;
    std::uint64_t seed = 8;
    {
        held s(path, {.dim = 2});
        write_some(s, m, seed, 60);
        create_all(s);
        s.checkpoint();
        s.drop_index("author.name", field_index::hash);
        s.create_index("category", field_index::ordered);
        write_some(s, m, seed, 10);
    }
    REQUIRE(salvage(path, dir / "found.vicinal").ok());
    held s(dir / "found.vicinal");
    CHECK(s.indexes().size() == 4);
    s.checkpoint();
    CHECK(covered(s) == s.stats().rows);
    CHECK(s.verify().ok());
    CHECK(check_answers(s) >= 7);
}

TEST_CASE("order, values and counts come from indexes on fields", "[store]") {
    using held = opened<store_of<storage::memory>>;
    held s({.dim = 2});
    model m;
    std::uint64_t seed = 9;
    write_some(s, m, seed, 300);
    create_all(s);
    write_some(s, m, seed, 100);
    s.compact(); // takes in payloads that have changed
    auto const looked = s.engine().read([&](auto const& rows, auto const&) -> result<bool> {
        auto const& f = rows.fields();
        for (bool const down : {false, true}) {
            std::vector<double> seen;
            std::size_t slots = 0;
            REQUIRE(f.in_order("price", down, {}, [&](slot at) {
                ++slots;
                seen.push_back(signed_price(rows.payload(at), down));
                return true;
            }));
            REQUIRE(slots == f.covered());
            REQUIRE(std::is_sorted(seen.begin(), seen.end()));
            slots = 0;
            REQUIRE(f.in_order("price", down, {}, [&](slot) { return ++slots < 5; }));
            REQUIRE(slots == 5);
            // From a value on: the same as the end of all.
            std::sort(seen.begin(), seen.end());
            for (auto const x : {seen.front() - 1, seen.front(), seen[seen.size() / 2],
                                 seen[seen.size() / 2] + 0.125, seen.back(), seen.back() + 1}) {
                std::vector<double> behind;
                auto const from = payload::detail::key_of(down ? -x : x);
                REQUIRE(f.in_order("price", down, from, [&](slot at) {
                    behind.push_back(signed_price(rows.payload(at), down));
                    return true;
                }));
                auto const first = std::lower_bound(seen.begin(), seen.end(), x);
                REQUIRE(behind == std::vector<double>(first, seen.end()));
            }
        }
        REQUIRE(!f.in_order("category", false, {}, [](slot) { return true; }));
        std::map<std::string, std::size_t> counted;
        std::map<std::string, std::size_t> listed;
        std::map<std::string, std::size_t> expected;
        auto const count_in = [](auto& to) {
            return [&to](payload::value_view const& v, auto const& n) {
                if constexpr (requires { n.count(); })
                    to[std::string(v.text())] += static_cast<std::size_t>(n.count());
                else
                    to[std::string(v.text())] += n;
            };
        };
        REQUIRE(f.values("tags", count_in(counted)));
        REQUIRE(f.postings("tags", count_in(listed)));
        REQUIRE(f.values("category", count_in(counted)));
        REQUIRE(f.postings("category", count_in(listed)));
        REQUIRE(!f.values("nothing", count_in(counted)));
        for (slot at = 0; at < f.covered(); ++at) {
            auto const all = payload::fields_view(rows.payload(at));
            std::vector<std::string> own;
            auto rest = all.find("tags")->array();
            for (payload::value_view v; rest.next(v);) own.emplace_back(v.text());
            if (auto const v = all.find("category")) own.emplace_back(v->text());
            std::sort(own.begin(), own.end());
            own.erase(std::unique(own.begin(), own.end()), own.end());
            for (auto const& v : own) ++expected[v];
        }
        REQUIRE(counted == expected);
        REQUIRE(listed == expected);
        return true;
    });
    REQUIRE(looked);
}

TEST_CASE("an index on a field has a name of a field, and there are at most 64", "[store]") {
    store_of<storage::memory> s({.dim = 2});
    CHECK(s.try_create_index("a or b", field_index::hash).error().code() == errc::invalid_filter);
    CHECK(s.try_create_index("", field_index::hash).error().code() == errc::invalid_filter);
    s.create_index("\"a\".b", field_index::hash);
    s.create_index("a.b", field_index::hash);
    CHECK(s.indexes().size() == 1);
    CHECK(s.indexes()[0].field == "a.b");
    for (int i = 0; i < 63; ++i) s.create_index("f" + std::to_string(i), field_index::ordered);
    CHECK(s.try_create_index("one_more", field_index::hash).error().code() == errc::limit_exceeded);
    s.upsert("x", {1, 2}, {{"f1", 5}});
    CHECK(s.indexes().size() == 64);
}

#if VICINAL_HAS_THREADS
TEST_CASE("indexes on fields are made, dropped and read beside writes", "[store][threads]") {
    using held = opened<store_of<storage::memory>>;
    held s({.dim = 2});
    model m;
    std::uint64_t seed = 10;
    write_some(s, m, seed, 50);
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<filter> asked;
    for (auto const& text : filters) asked.push_back(*filter::parse(text));
    auto const look = [&] {
        while (!done)
            for (auto const& f : asked) {
                auto const good =
                    s.engine().read([&](auto const& rows, auto const&) -> result<bool> {
                        auto const got = rows.fields().select(f);
                        for (slot at = 0; got && at < rows.fields().covered(); at += 7) {
                            auto const changed = rows.changed();
                            if (std::find(changed.begin(), changed.end(), at) != changed.end())
                                continue;
                            bool const is = f.matches(rows.payload(at));
                            if (is != got->slots.contains(at) && (is || got->exact)) return false;
                        }
                        return true;
                    });
                if (!good || !*good) ++wrong;
            }
    };
    std::thread one(look);
    std::thread two([&] {
        while (!done) {
            create_all(s);
            s.rebuild_index("price", field_index::ordered);
            s.drop_index("category", field_index::hash);
            s.drop_index("price", field_index::ordered);
        }
    });
    for (int i = 0; i < 20; ++i) {
        write_some(s, m, seed, 10);
        if (i % 5 == 4) s.compact();
    }
    done = true;
    one.join();
    two.join();
    CHECK(wrong == 0);
    CHECK(s.verify().ok());
}
#endif

} // namespace field_indexes_test
