// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/records.hpp"

#include <vicinal/migrate/mapping.hpp>
#include <vicinal/migrate/migrate.hpp>

namespace mapping_test {

using namespace vicinal;
using namespace vicinal_test;

namespace {

/// A sink that keeps everything, in the order in which it came.
struct keeping_sink {
    std::vector<record>* list;
    sink_traits own = {};

    result<void> begin(schema const&) { return {}; }
    result<void> write(std::span<record const> batch) {
        for (auto const& r : batch)
            if (r.payload.contains("refused"))
                return error{errc::invalid_payload, "a payload", "another in '" + r.id + "'"};
        list->insert(list->end(), batch.begin(), batch.end());
        return {};
    }
    result<void> finish() { return {}; }
    result<list_source> reopen() { return list_source(*list); }
    [[nodiscard]] sink_traits traits() const { return own; }
};

std::vector<record> mapped(std::vector<record> from, record_mapping const& mapping,
                           migration_report* report = nullptr) {
    std::vector<record> out;
    list_source source(std::move(from));
    migrate_options options;
    options.batch_size = 7;
    options.verify = verify::every_record;
    options.mapping = mapping;
    auto const r = migrate(source, keeping_sink{&out}, options);
    CHECK(r.ok());
    CHECK(r.verified == out.size());
    if (report) *report = r;
    return out;
}

} // namespace

TEST_CASE("an empty mapping changes nothing", "[migrate]") {
    auto const list = make_records(40, 3);
    CHECK(same(mapped(list, {}), list));
}

TEST_CASE("a filter leaves records out, and they are counted", "[migrate]") {
    migration_report report;
    auto const out = mapped(make_records(40, 3), {.where = "n >= 30"}, &report);
    // Every fourth record has no payload, so no n.
    CHECK(out.size() == 8);
    CHECK(report.records == 8);
    CHECK(report.left_out == 32);
    list_source source(make_records(3, 3));
    std::vector<record> none;
    auto const wrong =
        try_migrate(source, keeping_sink{&none}, {.mapping = {.where = "n >= >= 3"}});
    CHECK(wrong.error().code() == errc::invalid_filter);
}

TEST_CASE("ids come from a function, a field, and get a prefix", "[migrate]") {
    std::vector<record> const list{{"a", {1}, {{"key", "x"}}}, {"b", {2}, {{"key", 17}}}};
    auto out = mapped(list, {.id_prefix = "old/"});
    CHECK(out[0].id == "old/a");
    out = mapped(list, {.id_field = "key", .id_prefix = "n"});
    CHECK(out[0].id == "nx");
    CHECK(out[1].id == "n17");
    CHECK(out[1].payload.contains("key"));
    out = mapped(list, {.id = [](record const& r) { return r.id + r.id; }});
    CHECK(out[1].id == "bb");
}

TEST_CASE("fields are dropped and renamed", "[migrate]") {
    std::vector<record> const list{{"a", {1}, {{"x", 1}, {"y", 2}, {"z", 3}}}};
    auto const out = mapped(list, {.drop = {"y", "none"}, .rename = {{"x", "z"}, {"no", "way"}}});
    CHECK(out[0].payload == fields{{"z", 1}});
}

TEST_CASE("records without a vector are kept, left out, or marked and given one", "[migrate]") {
    std::vector<record> const list{{"a", {2, 3}, {}}, {"b", {}, {{"x", 1}}}};
    CHECK(same(mapped(list, {}), list));
    auto out = mapped(list, {.without_vector = absent_vector::skip});
    CHECK(out.size() == 1);
    out = mapped(list, {.without_vector = absent_vector::placeholder});
    CHECK(out[1].vector == std::vector<float>{1, 0});
    CHECK(out[1].payload == fields{{"x", 1}, {"no_vector", true}});
    CHECK_FALSE(out[0].payload.contains("no_vector"));

    // None has one: a store takes one element at least.
    out = mapped({{"b", {}, {}}}, {.without_vector = absent_vector::placeholder});
    CHECK(out[0].vector == std::vector<float>{1});
}

TEST_CASE("a sink that needs vectors refuses a record without one by its id", "[migrate]") {
    std::vector<record> out;
    list_source source({{"a", {2, 3}, {}}, {"lost", {}, {}}});
    keeping_sink to{&out, {.takes_no_vector = false}};
    auto const r = try_migrate(source, to);
    REQUIRE_FALSE(r);
    CHECK(r.error().code() == errc::dimension_mismatch);
    CHECK(r.error().message().find("'lost'") != std::string::npos);
}

TEST_CASE("bad records are passed over one by one, told, and not missed later", "[migrate]") {
    auto list = make_records(50, 2);
    list[3].payload = {{"refused", 1}};
    list[4].payload = {};               // its key is not there
    list[20].payload = {{"key", true}}; // of another kind
    for (std::size_t i = 0; i < list.size(); ++i)
        if (i != 4 && i != 20) list[i].payload.set("key", list[i].id);
    std::vector<record> out;
    std::vector<bad_record> told;
    list_source source(list);
    migrate_options options;
    options.batch_size = 8;
    options.verify = verify::every_record;
    options.mapping.id_field = "key";
    options.on_bad_record = [&](bad_record const& b) { told.push_back(b); };
    for (std::size_t const threads : {1U, 2U}) {
        out.clear();
        told.clear();
        options.threads = threads;
        auto const r = migrate(source, keeping_sink{&out}, options);
        CHECK(r.ok());
        CHECK(out.size() == 47);
        CHECK(r.written == 47);
        CHECK(r.verified == 47);
        CHECK(r.passed_over == 3);
        REQUIRE(told.size() == 3);
        REQUIRE(r.bad_records.size() == 3);
        std::vector<std::string> ids;
        for (auto const& b : told) ids.push_back(b.id);
        std::sort(ids.begin(), ids.end());
        CHECK(ids == std::vector<std::string>{"00003", "00004", "00020"});
    }
    // Without the handler the first one ends it.
    options.on_bad_record = {};
    CHECK_FALSE(try_migrate(source, keeping_sink{&out}, options));
}

TEST_CASE("strict refuses a migration that would lose something", "[migrate]") {
    list_source source(make_records(5, 2)); // names a loss
    std::vector<record> out;
    auto const r = try_migrate(source, keeping_sink{&out}, {.strict = true});
    REQUIRE_FALSE(r);
    CHECK(r.error().code() == errc::unsupported);
    CHECK(r.error().message().find("a loss of the source's") != std::string::npos);
    CHECK(out.empty());
}

TEST_CASE("a sink's largest batch is kept to", "[migrate]") {
    struct narrow_sink : keeping_sink {
        std::size_t* most;
        result<void> write(std::span<record const> batch) {
            *most = std::max(*most, batch.size());
            return keeping_sink::write(batch);
        }
    };
    std::vector<record> out;
    std::size_t most = 0;
    list_source source(make_records(50, 2));
    CHECK(migrate(source, narrow_sink{{&out, {.largest_batch = 6}}, &most}).ok());
    CHECK(most == 6);
    CHECK(out.size() == 50);
}

TEST_CASE("reading ahead on a thread gives the same records and errors", "[migrate]") {
    auto const list = make_records(1'000, 2);
    std::vector<record> out;
    list_source source(list);
    migrate_options options;
    options.batch_size = 13;
    options.threads = 4;
    CHECK(migrate(source, keeping_sink{&out}, options).ok());
    CHECK(same(out, list));

    struct failing_source : list_source {
        using list_source::list_source;
        std::size_t left = 5;
        result<void> read(std::vector<record>& batch, std::size_t most) {
            if (left == 0) return error{errc::io_failure, "bytes", "none"};
            --left;
            return list_source::read(batch, most);
        }
    };
    failing_source failing(list);
    out.clear();
    CHECK(try_migrate(failing, keeping_sink{&out}, options).error().code() == errc::io_failure);
    CHECK(out.size() == 5 * 13);

    // What a callback throws ends it while the other thread still reads.
    options.on_progress = [](progress const&) { throw std::runtime_error("enough"); };
    CHECK_THROWS_AS(migrate(source, keeping_sink{&out}, options), std::runtime_error);
    // And what reading throws comes through from the other thread.
    options.on_progress = {};
    options.mapping.id = [](record const&) -> std::string { throw std::runtime_error("no id"); };
    CHECK_THROWS_AS(migrate(source, keeping_sink{&out}, options), std::runtime_error);
}

} // namespace mapping_test
