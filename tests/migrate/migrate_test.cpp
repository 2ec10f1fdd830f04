// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/records.hpp"
#include "support/stores.hpp"

#include <vicinal/migrate/jsonl.hpp>
#include <vicinal/migrate/migrate.hpp>

#include <filesystem>
#include <stdexcept>

namespace migrate_test {

using namespace vicinal;
using namespace vicinal_test;

namespace {

using in_memory = store<metric::squared_l2, index::flat<>>;
using durable = store<metric::squared_l2, index::flat<>, storage::mmap>;

template <class Store>
std::vector<record> all_of(Store const& s) {
    store_source<Store> source(s);
    return read_all(source);
}

migrate_options every(std::size_t batch_size = 30) {
    migrate_options o;
    o.batch_size = batch_size;
    o.verify = vicinal::verify::every_record;
    return o;
}

bool has(std::vector<std::string> const& list, std::string const& text) {
    for (auto const& s : list)
        if (s.find(text) != std::string::npos) return true;
    return false;
}

} // namespace

TEST_CASE("the report counts, and progress is told after every batch", "[migrate]") {
    auto const list = make_records(100, 5);
    list_source from(list);
    in_memory to{{.dim = 5}};
    auto options = every();
    std::vector<progress> calls;
    options.on_progress = [&](progress const& p) { calls.push_back(p); };
    auto const r = migrate(from, to, options);
    CHECK(r.ok());
    CHECK(r.records == 100);
    CHECK(r.written == 100);
    CHECK(r.already_there == 0);
    CHECK(r.duplicates == 0);
    CHECK(r.vector_bytes == 100 * 5 * 4);
    CHECK(r.verified == 100);
    CHECK(r.seconds > 0);
    CHECK(r.records_per_second() > 0);
    CHECK(r.losses == std::vector<std::string>{"a loss of the source's"});
    CHECK(same(all_of(to), list));

    REQUIRE(calls.size() == 12);
    std::uint64_t const done[] = {30, 60, 90, 100};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(calls[i].done == done[i]);
        CHECK(calls[i].total == 100U);
        CHECK(calls[i].at == progress::stage::copying);
    }
    // Each record once on either side.
    for (std::size_t i = 4; i < 12; ++i) {
        CHECK(calls[i].done == (i < 8 ? done[i - 4] : 100 + done[i - 8]));
        CHECK(calls[i].total == 200U);
        CHECK(calls[i].at == progress::stage::verifying);
    }
}

TEST_CASE("of equal ids the last record stays, in one batch and over batches", "[migrate]") {
    auto list = make_records(100, 3);
    auto const near = [&] {
        auto r = list[10];
        r.vector = {7, 7, 7};
        return r;
    }();
    auto const far = [&] {
        auto r = list[20];
        r.payload = {{"far", true}};
        return r;
    }();
    list.insert(list.begin() + 12, near);
    list.push_back(far);
    list.push_back(far);
    auto expected = make_records(100, 3);
    expected[10] = near;
    expected[20] = far;

    temporary_directory const dir;
    auto const check = [&](auto& to, auto& read_back) {
        list_source from(list);
        auto const r = migrate(from, to, every());
        CHECK(r.ok());
        CHECK(r.records == 103);
        CHECK(r.verified == 100);
        CHECK(r.duplicates == 3);
        CHECK(has(r.losses, "3 records had an id that came again"));
        CHECK(same(by_id(read_back()), expected));
    };
    in_memory a{{.dim = 3}};
    auto const read_a = [&] { return all_of(a); };
    check(a, read_a);
    durable b{dir.path("b"), {.dim = 3, .durability = durability::off}};
    auto const read_b = [&] { return all_of(b); };
    check(b, read_b);
    backend::jsonl_sink c(dir.path("c"));
    auto const read_c = [&] {
        backend::jsonl_source source(dir.path("c"));
        return read_all(source);
    };
    check(c, read_c);
}

TEST_CASE("a wrong dimension is refused before anything is written", "[migrate]") {
    list_source from(make_records(10, 4));
    in_memory to{{.dim = 5}};
    auto const r = try_migrate(from, to);
    CHECK(r.error().code() == errc::dimension_mismatch);
    CHECK(to.empty());
    auto zero = every(0);
    CHECK(try_migrate(from, to, zero).error().code() == errc::invalid_argument);
}

TEST_CASE("a record that is refused is named, and whole batches before it stay", "[migrate]") {
    auto const good = make_records(100, 4);
    auto const check = [&](record const& wrong, errc code) {
        auto list = good;
        list[75] = wrong;
        list_source from(list);
        in_memory to{{.dim = 4}};
        auto const r = try_migrate(from, to, every(10));
        REQUIRE_FALSE(r);
        CHECK(r.error().code() == code);
        CHECK(r.error().message().find("'" + wrong.id + "'") != std::string::npos);
        CHECK(same(all_of(to), {good.begin(), good.begin() + 70}));
        // The dry run says so too, and writes nothing.
        in_memory untouched{{.dim = 4}};
        auto dry = every(10);
        dry.dry_run = true;
        auto const tried = try_migrate(from, untouched, dry);
        REQUIRE_FALSE(tried);
        CHECK(tried.error().code() == code);
        CHECK(untouched.empty());
    };
    auto wrong = good[75];
    wrong.vector[2] = std::numeric_limits<float>::quiet_NaN();
    check(wrong, errc::not_finite);
    wrong.vector[2] = std::numeric_limits<float>::infinity();
    check(wrong, errc::not_finite);
    wrong.vector.resize(3, 0);
    wrong.vector[2] = 0;
    check(wrong, errc::dimension_mismatch);
}

TEST_CASE("a dry run writes nothing, and says what would be lost", "[migrate]") {
    temporary_directory const dir;
    list_source from(make_records(40, 3));
    auto options = every();
    options.dry_run = true;

    store<metric::cosine, index::flat<>, storage::mmap> to{dir.path("s"), {.dim = 3}};
    to.upsert("there", {1, 2, 3});
    auto r = migrate(from, to, options);
    CHECK(r.records == 40);
    CHECK(r.written == 0);
    CHECK(r.verified == 0);
    CHECK(has(r.losses, "the source's metric is squared_l2, the sink's is cosine"));
    CHECK(to.size() == 1);

    backend::jsonl_sink lines(dir.path("lines.jsonl"));
    r = migrate(from, lines, options);
    CHECK(r.written == 0);
    CHECK_FALSE(std::filesystem::exists(dir.path("lines.jsonl")));
    CHECK_FALSE(std::filesystem::exists(dir.path("lines.jsonl.tmp")));

    list_source other(make_records(4, 2));
    CHECK(try_migrate(other, to, options).error().code() == errc::dimension_mismatch);
}

TEST_CASE("what a progress callback throws passes through", "[migrate]") {
    list_source from(make_records(50, 3));
    in_memory to{{.dim = 3}};
    auto options = every(10);
    int calls = 0;
    options.on_progress = [&](progress const&) {
        if (++calls == 3) throw std::runtime_error("enough");
    };
    CHECK_THROWS_WITH(migrate(from, to, options), "enough");
    CHECK(to.size() == 30);
    calls = 0;
    CHECK_THROWS_WITH(try_migrate(from, to, options), "enough");
}

TEST_CASE("a sink that holds records keeps them, and equal ids are replaced", "[migrate]") {
    auto const list = make_records(60, 3);
    in_memory to{{.dim = 3}};
    to.upsert("mine", {1, 2, 3}, {{"keep", true}});
    to.upsert("00030", {0, 0, 0});
    list_source from(list);
    auto const r = migrate(from, to, every());
    CHECK(r.ok());
    CHECK(r.verified == 60);
    CHECK(to.size() == 61);
    CHECK(to.get("mine")->payload == fields{{"keep", true}});
    CHECK(same(*to.get("00030"), list[30]));
}

TEST_CASE("a run that was cut off at any batch is resumed without loss or double", "[migrate]") {
    auto list = make_records(95, 3);
    // An id that comes again later, so that the record that is there may be the wrong one.
    list.push_back(list[2]);
    list.back().vector = {5, 5, 5};
    auto expected = make_records(95, 3);
    expected[2].vector = {5, 5, 5};
    temporary_directory const dir;
    auto go_on = every(10);
    go_on.resume = true;

    for (std::size_t n = 0; n <= 10; ++n) {
        CAPTURE(n);
        list_source from(list);
        auto const check = [&](migration_report const& r, std::size_t held) {
            CHECK(r.ok());
            CHECK(r.records == 96);
            CHECK(r.already_there == held);
            CHECK(r.written == 96 - held);
        };

        in_memory a{{.dim = 3}};
        store_sink sink_a(a);
        failing_sink broken(sink_a, n);
        CHECK(static_cast<bool>(try_migrate(from, broken, every(10))) == (n == 10));
        CHECK(a.size() == std::min<std::size_t>(10 * n, 95));
        auto const r = migrate(from, a, go_on);
        // When all was there, record 2 goes back and forth.
        check(r, n == 10 ? 94 : 10 * n);
        CHECK(same(all_of(a), expected));

        auto const path = dir.path("s" + std::to_string(n));
        {
            durable b{path, {.dim = 3, .durability = durability::off}};
            store_sink sink_b(b);
            failing_sink broken_b(sink_b, n);
            CHECK(static_cast<bool>(try_migrate(from, broken_b, every(10))) == (n == 10));
        }
        durable b{path, {.dim = 3, .durability = durability::off}};
        check(migrate(from, b, go_on), n == 10 ? 94 : 10 * n);
        CHECK(same(all_of(b), expected));
    }
}

TEST_CASE("a sink that cannot be resumed says so", "[migrate]") {
    list_source from(make_records(5, 3));
    damaging_sink to([](auto&) {});
    auto options = every();
    options.resume = true;
    CHECK(try_migrate(from, to, options).error().code() == errc::unsupported);
}

TEST_CASE("records that went from store to store and back are the same, bit for bit", "[migrate]") {
    temporary_directory const dir;
    auto const list = make_records(200, 7);
    in_memory first{{.dim = 7}};
    first.upsert(list);
    durable second{dir.path("s"), {.dim = 7, .durability = durability::off}};
    CHECK(migrate(first, second, every()).ok());
    backend::jsonl_sink lines(dir.path("l"));
    CHECK(migrate(second, lines, every()).ok());
    backend::jsonl_source back(dir.path("l"));
    durable third{dir.path("t"), {.dim = 7, .durability = durability::off}};
    CHECK(migrate(back, third, every()).ok());
    in_memory last{{.dim = 7}};
    CHECK(migrate(third, last, every()).ok());
    CHECK(same(all_of(last), list));
    // From a const store, and into a temporary sink.
    auto const& fixed = last;
    CHECK(migrate(fixed, backend::jsonl_sink(dir.path("m")), every()).ok());
}

TEST_CASE("a store with integer ids takes ids that are its integers, and no others", "[migrate]") {
    store<metric::squared_l2, index::flat<>, storage::memory, payload::fields, std::uint16_t> to{
        {.dim = 2}};
    list_source numbers({{"7", {1, 2}, {{"x", 1}}}, {"65535", {3, 4}, {}}, {"0", {5, 6}, {}}});
    CHECK(migrate(numbers, to, every()).ok());
    CHECK(to.size() == 3);
    CHECK(to.get(std::uint16_t{7})->payload == fields{{"x", 1}});
    for (auto const* id : {"a", "65536", "-1", "", "1.0", " 1", "07", "+7"}) {
        CAPTURE(id);
        list_source from({{"1", {1, 2}, {}}, {id, {1, 2}, {}}});
        auto const r = try_migrate(from, to, every());
        REQUIRE_FALSE(r);
        CHECK(r.error().code() == errc::invalid_id);
        CHECK(r.error().message().find("'" + std::string(id) + "'") != std::string::npos);
        CHECK(to.size() == 3);
    }
    in_memory back{{.dim = 2}};
    CHECK(migrate(to, back, every()).ok());
    CHECK(same(*back.get("65535"), {"65535", {3, 4}, {}}));
}

TEST_CASE("a store without payloads is verified by the rest, and the loss is named", "[migrate]") {
    store<metric::squared_l2, index::flat<>, storage::memory, payload::none> to{{.dim = 3}};
    auto list = make_records(50, 3);
    list_source from(list);
    auto r = migrate(from, to, every());
    CHECK(r.ok());
    CHECK(r.verified == 50);
    CHECK(has(r.losses, "the sink keeps no payload"));
    in_memory back{{.dim = 3}};
    r = migrate(to, back, every());
    CHECK(r.ok());
    for (auto& one : list) one.payload = {};
    CHECK(same(all_of(back), list));
}

} // namespace migrate_test
