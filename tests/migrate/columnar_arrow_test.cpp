// SPDX-License-Identifier: MIT
#include "columnar_fixture.hpp"

#include <string>
#include <vector>

namespace columnar_arrow_test {

using namespace columnar_fixture;
using namespace vicinal;
using backend::columnar_source;

TEST_CASE("an Arrow file or stream reads the same however its rows lie in it", "[migrate]") {
    auto const wanted = expected_rows();
    for (std::string const name : {"batches_none.arrow", "batches_zstd.arrow", "batches_lz4.arrow",
                                   "lists_delta.arrows", "views.arrows"}) {
        CAPTURE(name);
        auto const got = read_all(own(name));
        REQUIRE(got);
        check_same(*got, wanted);
        check_same(read_all(own(name), {}, 7).value(), wanted);
    }
}

TEST_CASE("an Arrow file is described, and read again from its start", "[migrate]") {
    auto source = columnar_source::try_open(own("batches_zstd.arrow"));
    REQUIRE(source);
    auto const about = source->describe();
    REQUIRE(about);
    CHECK(about->dim == 5);
    CHECK(!about->records);
    CHECK(about->losses.empty());
    CHECK(about->description == "arrow:" + own("batches_zstd.arrow"));
    auto const once = records_of(*source).value();
    REQUIRE(source->rewind());
    check_same(records_of(*source).value(), once);
}

TEST_CASE("LanceDB's rows in Arrow are the JSON that was written beside them", "[migrate]") {
    auto const folder = shared_fixture("lancedb");
    if (folder.empty()) return;
    auto const wanted = lance_rows(folder);
    for (std::string const name : {"items.arrow", "items.arrows"}) {
        CAPTURE(name);
        check_same(read_all(folder + "/" + name).value(), wanted);
    }
}

TEST_CASE("an Arrow file is also read in one go, as one that is compressed is", "[migrate]") {
    auto in = backend::open_file(own("batches_zstd.arrow"));
    REQUIRE(in);
    auto t = detail::columnar::arrow::arrow_table::open(*std::move(in));
    REQUIRE(t);
    auto const wanted = expected_rows();
    std::size_t rows = 0;
    while ((*t)->next().value()) {
        value id;
        REQUIRE((*t)->read(0, id));
        CHECK(*id.get_if<std::string>() == wanted[rows++].id);
    }
    CHECK(rows == 120);
}

TEST_CASE("an Arrow file that is cut off or foreign is refused", "[migrate]") {
    temporary_directory const there;
    auto const whole = bytes_of(own("batches_none.arrow"));
    auto const code = [&](std::string const& bytes) {
        auto const rows = read_all(there.file("table.arrow", bytes));
        return rows ? errc::verification_failed : rows.error().code();
    };
    CHECK(code("ARROW1") == errc::corrupt_source);
    CHECK(code("ARROW2" + whole.substr(6)) == errc::foreign_file);
    CHECK(code("FEA1" + whole.substr(4)) == errc::foreign_file);
    CHECK(code(whole.substr(0, 8)) == errc::corrupt_source);
    for (std::size_t const size : {500UL, 5'000UL, 20'000UL, 30'000UL}) {
        CAPTURE(size);
        CHECK(code(whole.substr(0, size)) == errc::corrupt_source);
    }
    // A stream may end without a mark, but not in the middle of a message.
    auto const stream = bytes_of(own("views.arrows"));
    CHECK(code(stream.substr(0, stream.size() - 8)) == errc::verification_failed);
    CHECK(code(stream.substr(0, stream.size() - 9)) == errc::corrupt_source);
}

TEST_CASE("no damage to an Arrow file makes the reader do more than refuse", "[migrate]") {
    temporary_directory const there;
    damage chance;
    for (std::string const name : {"batches_none.arrow", "batches_zstd.arrow", "batches_lz4.arrow",
                                   "lists_delta.arrows", "views.arrows"}) {
        auto const whole = bytes_of(own(name));
        // In front the schema, and what is said of the first batch; at the end a file's footer.
        for (int i = 0; i < 250; ++i) {
            auto const first = i % 2 == 0 ? 0 : whole.size() - 6'000;
            read_damaged(there.file("table.arrow", chance.of(whole, first, 6'000)));
        }
    }
}

} // namespace columnar_arrow_test
