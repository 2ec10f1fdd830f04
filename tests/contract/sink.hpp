// SPDX-License-Identifier: MIT
// What every sink keeps: see vicinal/migrate/concept.hpp.
#ifndef VICINAL_TESTS_CONTRACT_SINK_HPP
#define VICINAL_TESTS_CONTRACT_SINK_HPP

#include "contract/source.hpp"

#include <vicinal/migrate/migrate.hpp>

namespace vicinal_test {

/// For a sink that was finished and can't be resumed: a run that shall go on is refused with what
/// can be, and what is there stays.
template <vicinal::basic_sink Sink>
void check_cannot_go_on(Sink& sink) {
    auto const held = [&sink] {
        auto source = sink.reopen().value();
        return read_all(source);
    };
    auto const before = held();
    vicinal::store<vicinal::metric::squared_l2, vicinal::index::flat<>> from({.dim = 5});
    from.upsert(make_records(3, 5));
    vicinal::migrate_options resumed;
    resumed.resume = true;
    vicinal::migrate_options incremental;
    incremental.incremental = true;
    for (auto const& options : {resumed, incremental}) {
        auto const refused = vicinal::try_migrate(from, sink, options);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == vicinal::errc::unsupported);
        CHECK(refused.error().message().find("JSON Lines or SQLite") != std::string::npos);
    }
    CHECK(same(held(), before));
}

/// `sink`: an empty one for vectors of five elements that are finite.
template <vicinal::basic_sink Sink>
void check_sink_contract(Sink& sink) {
    auto list = make_records(50, 5);
    auto const all = std::span<vicinal::record const>(list);
    vicinal::schema incoming;
    incoming.dim = 5;
    incoming.metric = "squared_l2";
    REQUIRE(sink.begin(incoming));
    REQUIRE(sink.write(all.first(20)));

    // All of a batch or nothing, and the record is named.
    auto bad = make_records(30, 5, 2);
    for (auto& r : bad) r.id = "bad-" + r.id;
    bad[17].vector[3] = std::numeric_limits<float>::quiet_NaN();
    auto const refused = sink.write(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == vicinal::errc::not_finite);
    CHECK(refused.error().message().find(bad[17].id) != std::string::npos);
    if constexpr (requires { sink.check(std::span<vicinal::record const>(bad)); }) {
        CHECK(sink.check(std::span<vicinal::record const>(bad)).error().code() ==
              vicinal::errc::not_finite);
        CHECK(sink.check(all.subspan(20)));
    }

    REQUIRE(sink.write(all.subspan(20)));
    REQUIRE(sink.write({}));

    // Written again: replaced.
    list[3].vector[0] = 100;
    list[30].payload = {{"new", true}};
    REQUIRE(sink.write(std::vector{list[3], list[30]}));
    REQUIRE(sink.finish());
    auto back = sink.reopen();
    REQUIRE(back);
    check_source_contract(*back, list);

    if constexpr (requires { sink.holds(list[0]); }) {
        REQUIRE(sink.resume(incoming));
        CHECK(sink.holds(list[3]).value());
        auto other = list[3];
        other.vector[0] = 101;
        CHECK_FALSE(sink.holds(other).value());
        other = list[3];
        other.payload.set("more", 1);
        CHECK_FALSE(sink.holds(other).value());
        other = list[3];
        other.id = "another";
        CHECK_FALSE(sink.holds(other).value());
        CHECK_FALSE(sink.holds(bad[0]).value());
        // What was there stays, and one more comes.
        REQUIRE(sink.write(std::vector{other}));
        REQUIRE(sink.finish());
        list.push_back(other);
        auto again = sink.reopen();
        REQUIRE(again);
        CHECK(same(by_id(read_all(*again)), by_id(list)));
    } else {
        check_cannot_go_on(sink);
    }
}

} // namespace vicinal_test

#endif
