// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/records.hpp"

#include <vicinal/migrate/migrate.hpp>

#include <cmath>

namespace verify_test {

using namespace vicinal;
using namespace vicinal_test;
using kind = difference::kind;

namespace {

migration_report moved(std::vector<record> const& list,
                       std::function<void(std::vector<record>&)> damage,
                       vicinal::verify how_much = vicinal::verify::every_record) {
    list_source from(list);
    damaging_sink to(std::move(damage));
    return migrate(from, to, {.batch_size = 30, .verify = how_much});
}

} // namespace

TEST_CASE("records that come back in another order are equal", "[migrate]") {
    auto const r = moved(make_records(100, 4), [](auto& l) { std::reverse(l.begin(), l.end()); });
    CHECK(r.ok());
    CHECK(r.verified == 100);
    CHECK(r.differences.empty());
}

TEST_CASE("verification finds what is missing, changed or too much, and names it", "[migrate]") {
    auto const list = make_records(100, 4);
    auto r = moved(list, [](auto& l) { l.erase(l.begin() + 42); });
    CHECK_FALSE(r.ok());
    CHECK(r.differing == 1);
    CHECK(r.differences == std::vector<difference>{{"00042", kind::missing}});

    r = moved(list, [](auto& l) {
        auto& x = l[7].vector[3];
        x = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) ^ 1U);
    });
    CHECK(r.differences == std::vector<difference>{{"00007", kind::vector}});

    r = moved(list, [](auto& l) { l[99].payload.set("in", fields{{"deep", 100}}); });
    CHECK(r.differences == std::vector<difference>{{"00099", kind::payload}});

    r = moved(list, [](auto& l) { l.push_back({"more", {1, 2, 3, 4}, {}}); });
    CHECK(r.differences == std::vector<difference>{{"more", kind::unexpected}});

    r = moved(list, [](auto& l) { l.clear(); });
    CHECK(r.differing == 100);
    CHECK(r.differences.size() == 100);

    // All of it at once, each under its own name.
    r = moved(list, [](auto& l) {
        l[1].id = "renamed";
        l[2].vector[0] = 5;
        l[2].payload = {};
        l[4].vector.push_back(1);
        l.erase(l.begin());
    });
    CHECK(r.differing == 5);
    auto found = r.differences;
    std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
    CHECK(found == std::vector<difference>{{"00000", kind::missing},
                                           {"00001", kind::missing},
                                           {"00002", kind::vector},
                                           {"00004", kind::vector},
                                           {"renamed", kind::unexpected}});
}

TEST_CASE("of many differences a hundred are named and all are counted", "[migrate]") {
    auto const r = moved(make_records(1'000, 2), [](auto& l) {
        for (auto& one : l) one.vector[0] = 9;
    });
    CHECK(r.differing == 1'000);
    REQUIRE(r.differences.size() == 100);
    CHECK(r.differences[0].what == kind::vector);
}

TEST_CASE("a sample is compared by ids; what is not in it goes unseen", "[migrate]") {
    auto const list = make_records(20'000, 1);
    auto r = moved(
        list, [](auto&) {}, vicinal::verify::sample);
    CHECK(r.ok());
    CHECK(r.verified > 800);
    CHECK(r.verified < 1'200);
    // Where everything is wrong, the sample is.
    r = moved(
        list, [](auto& l) { l.resize(l.size() / 2); }, vicinal::verify::sample);
    CHECK_FALSE(r.ok());
    CHECK(r.differing > r.verified / 3);
    CHECK(r.differing < 2 * r.verified / 3);
    r = moved(
        list, [](auto& l) { l.clear(); }, vicinal::verify::nothing);
    CHECK(r.ok());
    CHECK(r.verified == 0);
    // A small source is compared whole.
    r = moved(
        make_records(50, 1), [](auto& l) { l.pop_back(); }, vicinal::verify::sample);
    CHECK(r.differing == 1);
}

TEST_CASE("the last record of an id counts, on either side", "[migrate]") {
    auto list = make_records(50, 2);
    auto again = list[5];
    again.vector[0] = 3;
    list.push_back(again);
    auto r = moved(list, [](auto&) {});
    CHECK(r.ok());
    CHECK(r.verified == 50);
    // The sink shows the earlier one last.
    r = moved(list, [](auto& l) { std::swap(l[5], l.back()); });
    CHECK(r.differences == std::vector<difference>{{"00005", kind::vector}});
}

TEST_CASE("where a side normalises, vectors are compared by direction", "[migrate]") {
    struct normalising_sink : damaging_sink {
        using damaging_sink::damaging_sink;
        [[nodiscard]] sink_traits traits() const {
            sink_traits t;
            t.normalises = true;
            return t;
        }
    };
    auto const normalise = [](std::vector<record>& l) {
        for (auto& r : l) {
            double sum = 0;
            for (auto const x : r.vector) sum += static_cast<double>(x) * x;
            for (auto& x : r.vector) x = static_cast<float>(x / std::sqrt(sum));
        }
    };
    auto const run = [&](auto damage) {
        list_source from(make_records(300, 5));
        return migrate(from, normalising_sink(damage),
                       {.batch_size = 30, .verify = vicinal::verify::every_record});
    };
    auto r = run(normalise);
    CHECK(r.ok());
    CHECK(r.verified == 300);
    r = run([&](std::vector<record>& l) {
        normalise(l);
        l[17].vector[0] += 1e-3F;
        l[18].payload.set("n", 1'000);
        l.pop_back();
    });
    auto found = r.differences;
    std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
    CHECK(found == std::vector<difference>{{"00017", kind::vector},
                                           {"00018", kind::payload},
                                           {"00299", kind::missing}});
}

TEST_CASE("both sides are searched by the same vectors, and the agreement is told", "[migrate]") {
    auto r = moved(make_records(500, 8), [](auto& l) { std::reverse(l.begin(), l.end()); });
    CHECK(r.probes == 16);
    CHECK(r.top_k_agreement == 1);
    // A side whose vectors are others answers otherwise.
    r = moved(make_records(500, 8), [](auto& l) {
        for (auto& one : l) std::reverse(one.vector.begin(), one.vector.end());
    });
    CHECK(r.top_k_agreement < 0.5);
    // Fewer records than are asked for.
    r = moved(make_records(4, 8), [](auto&) {});
    CHECK(r.probes == 4);
    CHECK(r.top_k_agreement == 1);
    r = moved({}, [](auto&) {});
    CHECK(r.probes == 0);
    CHECK(r.top_k_agreement == 1);
}

} // namespace verify_test
