// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/backend/uri.hpp>

#include <string>
#include <string_view>

namespace uri_test {

using namespace vicinal;
using backend::uri;

TEST_CASE("a URI is scheme, path and parameters", "[backend]") {
    auto const u =
        uri::parse("chroma:./my db/x:y?collection=a=b&tenant=&database=%41%26%3F%25").value();
    CHECK(u.scheme() == "chroma");
    CHECK(u.path() == "./my db/x:y");
    CHECK(u.get("collection") == "a=b");
    REQUIRE(u.find("tenant"));
    CHECK(u.find("tenant")->empty());
    CHECK(u.get("tenant", "other").empty());
    CHECK(u.get("database") == "A&?%");
    CHECK(u.find("none") == nullptr);
    CHECK(u.get("none", "other") == "other");
    CHECK(uri::parse("a:b?").value().path() == "b");
    CHECK(uri::parse("a:b?c=d?e").value().get("c") == "d?e");
    CHECK(uri::parse("s:100%25%3f%c3%A9").value().path() == "100%?\xc3\xa9");
    CHECK(uri::parse("postgresql://host/x").value().path() == "//host/x");
}

TEST_CASE("a URI that does not parse is told what is wrong with it", "[backend]") {
    struct wrong {
        std::string_view text;
        char const* reason;
    };
    using namespace std::string_view_literals;
    for (auto const& [text, reason] :
         {wrong{"", "SCHEME:PATH"}, wrong{"docs", "SCHEME:PATH"}, wrong{":docs", "SCHEME:PATH"},
          wrong{"a:", "a path behind 'a:'"}, wrong{"a:?x=1", "a path behind 'a:'"},
          wrong{"a:b%", "%25"}, wrong{"a:b%4", "%25"}, wrong{"a:%4g", "%25"},
          wrong{"a:b%00c", "not 00"}, wrong{"a:b\0c"sv, "not 00"}, wrong{"a:b?x", "'x'"},
          wrong{"a:b?=1", "'=1'"}, wrong{"a:b?x=1&x=2", "'x=2'"}, wrong{"a:b?x=1&&y=2", "''"},
          wrong{"a:b?x=%zz", "'x=%zz'"}}) {
        CAPTURE(text);
        auto const u = uri::parse(text);
        REQUIRE_FALSE(u);
        CHECK(u.error().code() == errc::invalid_uri);
        CHECK(u.error().message().find(reason) != std::string::npos);
    }
}

TEST_CASE("a parameter that a scheme does not know is refused by name", "[backend]") {
    auto const u = uri::parse("s:p?metric=a&indx=b").value();
    CHECK(u.only({"metric", "indx"}));
    auto const e = u.only({"metric", "index"}).error();
    CHECK(e.code() == errc::invalid_uri);
    CHECK(e.message().find("metric, index for s:") != std::string::npos);
    CHECK(e.message().find("'indx'") != std::string::npos);
    CHECK(u.only({}).error().message().find("no parameters for s:") != std::string::npos);
    CHECK(uri::parse("s:p").value().only({}));
}

} // namespace uri_test
