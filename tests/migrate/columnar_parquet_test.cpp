// SPDX-License-Identifier: MIT
#include "columnar_fixture.hpp"

#include <vicinal/core/bits.hpp>

#include <string>
#include <vector>

namespace columnar_parquet_test {

using namespace columnar_fixture;
using namespace vicinal;
using backend::columnar_layout;
using backend::columnar_options;
using backend::columnar_source;

TEST_CASE("a Parquet file reads the same however its rows lie in it", "[migrate]") {
    auto const wanted = expected_rows();
    for (std::string const name :
         {"v1_dictionary_snappy", "v2_plain_zstd", "v2_dictionary_none", "v2_delta_gzip"}) {
        CAPTURE(name);
        auto const got = read_all(own(name + ".parquet"));
        REQUIRE(got);
        check_same(*got, wanted);
        check_same(read_all(own(name + ".parquet"), {}, 7).value(), wanted);
    }
}

TEST_CASE("a Parquet file is described, and read again from its start", "[migrate]") {
    auto source = columnar_source::try_open(own("v2_plain_zstd.parquet"));
    REQUIRE(source);
    auto const about = source->describe();
    REQUIRE(about);
    CHECK(about->dim == 5);
    CHECK(about->records == 120U);
    CHECK(about->metric.empty());
    CHECK(about->losses.empty());
    CHECK(about->description == "parquet:" + own("v2_plain_zstd.parquet"));
    auto const once = records_of(*source).value();
    REQUIRE(source->rewind());
    check_same(records_of(*source).value(), once);
}

TEST_CASE("DuckDB's Parquet files read the same with every codec", "[migrate]") {
    auto const folder = shared_fixture("exports/generic");
    if (folder.empty()) return;
    for (std::string const codec : {"uncompressed", "snappy", "zstd", "gzip"}) {
        auto const path = folder + "/embeddings_" + codec + ".parquet";
        auto const doubtful = columnar_source::try_open(path);
        REQUIRE(!doubtful);
        CHECK(doubtful.error().code() == errc::invalid_argument);
        CHECK(doubtful.error().got() == path + " has the vectors embedding, embedding_fixed");

        columnar_options options;
        options.vector = "embedding_fixed";
        auto source = columnar_source::try_open(path, options);
        REQUIRE(source);
        CHECK(source->describe()->records == 2500U);
        auto const rows = records_of(*source);
        REQUIRE(rows);
        REQUIRE(rows->size() == 2500);
        for (std::size_t i = 0; i < rows->size(); ++i) {
            auto const& r = (*rows)[i];
            auto const n = static_cast<double>(i);
            CAPTURE(i);
            CHECK(r.id == "id-" + std::to_string(i));
            REQUIRE(r.vector.size() == 4);
            CHECK(r.vector[3] == static_cast<float>(n / 3));
            CHECK(*r.payload["n"].get_if<std::int64_t>() == static_cast<std::int64_t>(i));
            CHECK(*r.payload["f"].get_if<double>() == n / 3);
            CHECK(*r.payload["b"].get_if<bool>() == (i % 2 == 0));
        }
        CHECK(*rows->front().payload["ts"].get_if<std::string>() == "2024-01-01T00:00:00");
        CHECK(!rows->front().payload.contains("text"));
        CHECK(source->describe()->losses ==
              std::vector<std::string>{"vectors of 'embedding' are not carried (2500 records)"});
    }
}

TEST_CASE("LanceDB's rows in Parquet are the JSON that was written beside them", "[migrate]") {
    auto const folder = shared_fixture("lancedb");
    if (folder.empty()) return;
    auto const wanted = lance_rows(folder);
    for (std::string const name : {"items.zstd.parquet", "items.snappy.parquet"}) {
        CAPTURE(name);
        check_same(read_all(folder + "/" + name).value(), wanted);
    }
}

TEST_CASE("a Parquet file that is cut off, foreign or flipped is refused", "[migrate]") {
    temporary_directory const there;
    auto const whole = bytes_of(own("v1_dictionary_snappy.parquet"));
    auto const code = [&](std::string const& bytes) {
        auto const rows = read_all(there.file("table.parquet", bytes));
        return rows ? errc::verification_failed : rows.error().code();
    };
    CHECK(code("id,vector\n1,2\n") == errc::foreign_file);
    CHECK(code("") == errc::foreign_file);
    CHECK(code("PAR1") == errc::corrupt_source);
    CHECK(code(whole.substr(0, whole.size() - 1)) == errc::corrupt_source);
    CHECK(code(whole.substr(0, whole.size() / 2)) == errc::corrupt_source);
    auto longer = whole;
    longer[whole.size() - 5] = '\x7f'; // the footer's length
    CHECK(code(longer) == errc::corrupt_source);
    CHECK(code("PARE" + whole.substr(4)) == errc::unsupported);
    // A summary names the files that hold the columns: field 1 of a column chunk is their path.
    auto elsewhere = whole;
    auto const chunk = whole.find(std::string("\x26\x00\x1c", 3), whole.size() / 2);
    REQUIRE(chunk != std::string::npos);
    elsewhere.replace(chunk, 3, std::string("\x18\x00\x2c", 3));
    CHECK(code(elsewhere) == errc::unsupported);
    // Its pages have checksums: no flipped byte of one goes unseen.
    std::size_t seen = 0;
    for (std::size_t i = 200; i < whole.size() / 2; i += 997) {
        auto flipped = whole;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        if (code(flipped) != errc::verification_failed) ++seen;
    }
    CHECK(seen >= 12);
}

TEST_CASE("no damage to a Parquet file makes the reader do more than refuse", "[migrate]") {
    temporary_directory const there;
    damage chance;
    for (std::string const name :
         {"v1_dictionary_snappy", "v2_plain_zstd", "v2_dictionary_none", "v2_delta_gzip"}) {
        auto const whole = bytes_of(own(name + ".parquet"));
        // Most of what steers the reader stands in the footer.
        auto const* const tail = reinterpret_cast<std::byte const*>(&whole[whole.size() - 8]);
        std::size_t const footer = detail::load_le<std::uint32_t>(tail);
        for (int i = 0; i < 250; ++i)
            read_damaged(
                there.file("table.parquet", chance.of(whole, whole.size() - 8 - footer, footer)));
    }
}

} // namespace columnar_parquet_test
