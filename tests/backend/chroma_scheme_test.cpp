// SPDX-License-Identifier: MIT
#include "backend/chroma_fixture.hpp"
#include "contract/source.hpp"

#include <vicinal/backend/chroma_scheme.hpp>

namespace chroma_scheme_test {

using namespace vicinal;

TEST_CASE("a Chroma directory keeps the contract of sources", "[backend]") {
    auto const path = chroma_fixture::shared_fixture("chroma-words");
    if (path.empty()) return;
    auto const list = chroma_fixture::read_all(path).value();
    REQUIRE(list.size() == 5'999);
    backend::registry r;
    r.add("chroma", backend::chroma_scheme());
    auto source = r.open_source("chroma:" + path + "?collection=words&tenant=default_tenant");
    vicinal_test::check_source_contract(source, list);
    CHECK(source.describe()->metric == "cosine");
}

TEST_CASE("the chroma scheme reads, and says so where more is asked", "[backend]") {
    auto const path = chroma_fixture::shared_fixture("chroma-words");
    if (path.empty()) return;
    backend::registry r;
    r.add("chroma", backend::chroma_scheme());
    auto const code = [&](std::string const& parameters) {
        auto const opened = r.try_open_source("chroma:" + path + parameters);
        REQUIRE_FALSE(opened);
        return opened.error().code();
    };
    CHECK(code("?collection=none") == errc::not_found);
    CHECK(code("?tenant=none") == errc::not_found);
    CHECK(code("?database=none") == errc::not_found);
    CHECK(code("?collections=words") == errc::invalid_uri);
    CHECK(code("-none") == errc::not_found);
    CHECK(r.try_open("chroma:" + path).error().code() == errc::unsupported);
    CHECK(r.try_open_sink("chroma:" + path, {}).error().code() == errc::unsupported);
}

} // namespace chroma_scheme_test
