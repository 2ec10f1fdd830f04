// SPDX-License-Identifier: MIT
#include "columnar_fixture.hpp"
#include "contract/sink.hpp"

#include <vicinal/backend/columnar_scheme.hpp>
#include <vicinal/migrate/columnar/sink.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace columnar_sink_test {

using namespace columnar_fixture;
using namespace vicinal;
using backend::arrow_sink;
using backend::parquet_sink;

namespace {

/// Values that are lost or changed where somebody is careless.
std::vector<record> awkward(std::size_t dim) {
    std::vector<record> rows;
    for (std::size_t i = 0; i < 500; ++i) {
        auto& r = rows.emplace_back();
        r.id = "id \"ünï\" 🦀 " + std::to_string(i);
        if (i % 7 != 5)
            for (std::size_t j = 0; j < dim; ++j)
                r.vector.push_back(std::sin(static_cast<float>(i * dim + j)) * 1e-3F);
        r.payload = {{"whole", static_cast<std::int64_t>(i)},
                     {"real", static_cast<double>(i)},
                     {"third", static_cast<double>(i) / 3},
                     {"text", std::string(i % 50, 'x')},
                     {"id", nullptr},
                     {"payload", {{"vector", {1, 2.5, "three", nullptr, true}}}}};
        if (i % 9 == 0) r.payload.clear();
    }
    auto& odd = rows.back().vector;
    odd[0] = -0.0F;
    if (odd.size() > 3) {
        odd[1] = std::numeric_limits<float>::denorm_min();
        odd[2] = std::numeric_limits<float>::infinity();
        odd[3] = std::numeric_limits<float>::max();
    }
    return rows;
}

template <class Sink>
void write_all(Sink& sink, std::vector<record> const& rows, std::size_t dim) {
    schema incoming;
    incoming.dim = dim;
    incoming.metric = "cosine";
    REQUIRE(sink.begin(incoming));
    for (std::size_t i = 0; i < rows.size(); i += 60) {
        auto const n = (std::min)(rows.size() - i, std::size_t{60});
        REQUIRE(sink.write(std::span(rows).subspan(i, n)));
    }
    REQUIRE(sink.finish());
}

template <class Sink>
void reads_back(Sink sink, std::size_t dim) {
    auto const rows = awkward(dim);
    write_all(sink, rows, dim);
    auto source = sink.reopen();
    REQUIRE(source);
    auto const about = source->describe();
    REQUIRE(about);
    CHECK(about->dim == dim);
    CHECK(about->metric == "cosine");
    CHECK(about->losses.empty());
    auto const got = records_of(*source);
    REQUIRE(got);
    check_same(*got, rows);
    CHECK(std::signbit(got->back().vector[0]));
}

template <class Sink>
void replaces(Sink sink) {
    REQUIRE(sink.begin({}));
    std::vector<record> const first = {
        {"a", {1, 2}, {{"n", 1}}}, {"b", {3, 4}, {{"n", 2}}}, {"c", {5, 6}, {}}};
    std::vector<record> const second = {{"b", {7, 8}, {{"n", 3}}}, {"d", {9, 9}, {}}};
    REQUIRE(sink.write(first));
    REQUIRE(sink.write(second));
    REQUIRE(sink.write(std::span(second).first(1)));
    REQUIRE(sink.finish());
    auto source = sink.reopen();
    REQUIRE(source);
    check_same(records_of(*source).value(), {first[0], first[2], second[1], second[0]});
}

template <class Sink>
void refuses(Sink sink, bool one_dimension) {
    REQUIRE(sink.begin({}));
    auto const code = [&](record r) {
        std::vector<record> const batch = {{"good", {1, 2}, {}}, std::move(r)};
        auto const checked = sink.check(batch);
        auto const written = sink.write(batch);
        CHECK(static_cast<bool>(checked) == static_cast<bool>(written));
        return written ? errc::verification_failed : written.error().code();
    };
    CHECK(code({"", {1, 2}, {}}) == errc::empty_id);
    CHECK(code({"\xff", {1, 2}, {}}) == errc::invalid_id);
    CHECK(code({"a", {1, 2}, {{"x", std::nan("")}}}) == errc::unsupported);
    CHECK(code({"a", {1, 2}, {{"x", "\xff"}}}) == errc::invalid_payload);
    CHECK(code({"a", std::vector<float>(65'537), {}}) == errc::limit_exceeded);
    if (one_dimension) CHECK(code({"a", {1, 2, 3}, {}}) == errc::dimension_mismatch);
    // All of a batch or nothing of it.
    REQUIRE(sink.finish());
    auto source = sink.reopen();
    REQUIRE(source);
    CHECK(records_of(*source).value().empty());
}

} // namespace

TEST_CASE("Parquet reads back what was written, bit for bit", "[migrate]") {
    temporary_directory const there;
    for (std::size_t const dim : {1U, 4U, 385U}) {
        CAPTURE(dim);
        reads_back(parquet_sink::try_open(there.path("a.parquet")).value(), dim);
        reads_back(parquet_sink::try_open(there.path("b.parquet"),
                                          {.compress = false, .row_group = 20'000})
                       .value(),
                   dim);
    }
}

TEST_CASE("an Arrow file or stream reads back what was written, bit for bit", "[migrate]") {
    temporary_directory const there;
    for (std::size_t const dim : {1U, 4U, 385U}) {
        CAPTURE(dim);
        reads_back(arrow_sink::try_open(there.path("a.arrow")).value(), dim);
        reads_back(
            arrow_sink::try_open(there.path("b.arrows"), {.stream = true, .batch = 20'000}).value(),
            dim);
    }
}

TEST_CASE("a table holds a record that was written twice once", "[migrate]") {
    temporary_directory const there;
    replaces(parquet_sink::try_open(there.path("a.parquet")).value());
    replaces(arrow_sink::try_open(there.path("a.arrow")).value());
    replaces(arrow_sink::try_open(there.path("a.arrows"), {.stream = true}).value());
    std::size_t files = 0;
    for (auto const& entry : std::filesystem::directory_iterator(there.path("."))) {
        CAPTURE(entry.path().string());
        ++files;
    }
    CHECK(files == 3);
}

TEST_CASE("a table refuses what it could not give back", "[migrate]") {
    temporary_directory const there;
    refuses(parquet_sink::try_open(there.path("a.parquet")).value(), false);
    refuses(arrow_sink::try_open(there.path("a.arrow")).value(), true);
    CHECK(parquet_sink::try_open("").error().code() == errc::invalid_argument);
    auto lost = parquet_sink::try_open(there.path("none/a.parquet")).value();
    CHECK(lost.begin({}).error().code() == errc::not_found);
    CHECK(lost.finish().error().code() == errc::invalid_argument);
}

TEST_CASE("a table is not seen under its name before it is whole", "[migrate]") {
    temporary_directory const there;
    {
        auto sink = parquet_sink::try_open(there.path("a.parquet")).value();
        REQUIRE(sink.begin({}));
        REQUIRE(sink.write(std::vector<record>{{"a", {1}, {}}}));
        CHECK(!std::filesystem::exists(there.path("a.parquet")));
    }
    CHECK(std::filesystem::is_empty(there.path(".")));
}

TEST_CASE("a table that is there is not gone on with", "[migrate]") {
    temporary_directory const there;
    auto const check = [](auto sink) {
        REQUIRE(sink.begin({}));
        REQUIRE(sink.write(awkward(5)));
        REQUIRE(sink.finish());
        vicinal_test::check_cannot_go_on(sink);
    };
    check(parquet_sink::try_open(there.path("a.parquet")).value());
    check(arrow_sink::try_open(there.path("a.arrow")).value());
}

TEST_CASE("tables are written by what a URI says", "[migrate]") {
    temporary_directory const there;
    backend::registry all;
    backend::add_columnar(all);
    auto const write = [&](std::string const& uri) {
        auto sink = all.try_open_sink(uri, {});
        REQUIRE(sink);
        REQUIRE(sink->begin({}));
        REQUIRE(sink->write(std::vector<record>{{"a", {1, 2}, {{"n", 1}}}}));
        REQUIRE(sink->finish());
        auto const path = uri.substr(uri.find(':') + 1);
        return bytes_of(path.substr(0, path.find('?'))).substr(0, 4);
    };
    CHECK(write("parquet:" + there.path("a.parquet")) == "PAR1");
    CHECK(write("parquet:" + there.path("b.parquet") + "?compression=none") == "PAR1");
    CHECK(write("arrow:" + there.path("a.arrow")) == "ARRO");
    CHECK(write("arrow:" + there.path("a.arrows")) == "\xff\xff\xff\xff");
    CHECK(write("arrow:" + there.path("b.arrow") + "?format=stream") == "\xff\xff\xff\xff");
    CHECK(all.try_open_sink("arrow:a?format=f", {}).error().code() == errc::invalid_uri);
    CHECK(all.try_open_sink("parquet:a?compression=lzo", {}).error().code() == errc::invalid_uri);
    CHECK(all.try_open_sink("parquet:a?id=b", {}, true).error().code() == errc::invalid_uri);
}

} // namespace columnar_sink_test
