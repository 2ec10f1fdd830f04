// SPDX-License-Identifier: MIT
// Structs that Boost archives, as payloads; and whole stores of structs in archives.
#include <vicinal/adapt/boost_serialization.hpp>

#include "catch.hpp"
#include "payload/random_fields.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/record.hpp>
#include <vicinal/payload/where.hpp>
#include <vicinal/store/store.hpp>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/archive/text_iarchive.hpp>
#include <boost/archive/text_oarchive.hpp>
#include <boost/archive/xml_iarchive.hpp>
#include <boost/archive/xml_oarchive.hpp>
#include <boost/serialization/access.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace library {

/// With a member that filters have no form for.
struct book {
    int year = 0;
    std::vector<std::string> tags;
    std::map<std::string, double> ratings;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
        archive& year& tags& ratings;
    }
    using members = vicinal::members<&book::year, &book::tags>;

    friend bool operator==(book const&, book const&) = default;
};

/// Archived from outside, and with nothing for filters to see.
struct cover {
    std::map<int, int> colours;
    friend bool operator==(cover const&, cover const&) = default;
};
template <class Archive>
void serialize(Archive& archive, cover& c, unsigned) {
    archive& c.colours;
}

class sealed {
public:
    sealed() = default;
    explicit sealed(int n) : n_(n) {}
    friend bool operator==(sealed const&, sealed const&) = default;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& archive, unsigned) {
        archive& n_;
    }
    int n_ = 0;
};

/// Its serialize is for somebody else.
struct plain {
    int year = 0;
    template <class Archive>
    void serialize(Archive& archive, unsigned) {
        archive& year;
    }
    using members = vicinal::members<&plain::year>;
};

} // namespace library

template <>
inline constexpr bool vicinal::archived<library::sealed> = true;
template <>
inline constexpr bool vicinal::archived<library::plain> = false;

namespace {

using namespace vicinal;
using library::book;
using testing::bytes_of;

template <class T>
std::string encoded(T const& v) {
    std::string out;
    REQUIRE(payload::record<T>::encode(v, out));
    return out;
}

book sample() {
    return {1984, {"ml", "c++"}, {{"Ada", std::numeric_limits<double>::infinity()}, {"B", 0.1}}};
}

template <class Store, class Out, class In>
void require_round_trip(Store const& s) {
    std::stringstream text(std::ios::in | std::ios::out | std::ios::binary);
    {
        Out archive(text);
        archive << boost::serialization::make_nvp("docs", s);
    }
    Store loaded{{.dim = 2}};
    In archive(text);
    archive >> boost::serialization::make_nvp("docs", loaded);
    REQUIRE(loaded.size() == s.size());
    for (auto const& r : s.scan()) REQUIRE(loaded.get(r.id)->payload == r.payload);
    REQUIRE(loaded.verify().ok());
}

/// Described, without an archive.
struct note {
    int year = 0;
    float price = 0;
    using members = vicinal::members<&note::year, &note::price>;
    friend bool operator==(note const&, note const&) = default;
};

} // namespace

TEST_CASE("a struct with a serialize is archived whole beside the members it lists", "[adapt]") {
    auto const bytes = encoded(sample());
    auto const back = payload::record<book>::decode(bytes_of(bytes));
    if (!back) FAIL(back.error().message());
    CHECK(*back == sample());

    auto const as_fields = payload::fields::decode(bytes_of(bytes));
    REQUIRE(as_fields);
    CHECK(as_fields->size() == 3);
    CHECK((*as_fields)["year"] == value(1984));
    CHECK((*as_fields)["$archive"].get_if<std::string>() != nullptr);
    CHECK((where<&book::year>() < 2000 && where<&book::tags>().contains("ml"))
              .matches(bytes_of(bytes)));
}

TEST_CASE("serialize may stand outside, be private, or be meant for others", "[adapt]") {
    library::cover const c{{{1, 2}, {3, 4}}};
    CHECK(*payload::record<library::cover>::decode(bytes_of(encoded(c))) == c);
    library::sealed const s(7);
    CHECK(*payload::record<library::sealed>::decode(bytes_of(encoded(s))) == s);
    auto const bytes = encoded(library::plain{5});
    CHECK(payload::fields::decode(bytes_of(bytes))->size() == 1);
    CHECK(payload::record<library::plain>::decode(bytes_of(bytes))->year == 5);
}

TEST_CASE("a listed member that was changed by itself counts, not the archive", "[adapt]") {
    auto changed = *payload::fields::decode(bytes_of(encoded(sample())));
    changed.set("year", 2001);
    std::string bytes;
    REQUIRE(payload::fields::encode(changed, bytes));
    auto const back = payload::record<book>::decode(bytes_of(bytes));
    REQUIRE(back);
    CHECK(back->year == 2001);
    CHECK(back->ratings == sample().ratings);
}

TEST_CASE("an archive that is missing, cut or followed by more is refused", "[adapt]") {
    auto const refusal = [](auto change) {
        auto f = *payload::fields::decode(bytes_of(encoded(sample())));
        change(f);
        std::string bytes;
        REQUIRE(payload::fields::encode(f, bytes));
        auto const r = payload::record<book>::decode(bytes_of(bytes));
        REQUIRE_FALSE(r);
        CHECK(r.error().code() == errc::invalid_payload);
        return r.error().message();
    };
    auto const text =
        *(*payload::fields::decode(bytes_of(encoded(sample()))))["$archive"].get_if<std::string>();
    CHECK(refusal([](fields& f) { f.erase("$archive"); }).find("got none") != std::string::npos);
    CHECK(refusal([](fields& f) { f.set("$archive", 5); }).find("got 5") != std::string::npos);
    CHECK(refusal([](fields& f) { f.set("$archive", "?"); }).find("base 64") != std::string::npos);
    CHECK(refusal([](fields& f) { f.set("extra", 1); }).find("'extra'") != std::string::npos);
    CHECK(refusal([](fields& f) { f.erase("year"); }).find("'year'") != std::string::npos);
    CHECK(refusal([&](fields& f) { f.set("$archive", text + "AAAA"); }).find("the end") !=
          std::string::npos);
    std::string archive;
    REQUIRE(adapt::from_base64(text, archive));
    auto const cut = adapt::to_base64(archive.substr(0, archive.size() - 5));
    CHECK(refusal([&](fields& f) { f.set("$archive", cut); }).find("Boost reads") !=
          std::string::npos);
}

TEST_CASE("bytes come back from base 64, and other text is refused", "[adapt]") {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(static_cast<unsigned char>(i * 7));
    for (std::size_t n = 0; n <= all.size(); ++n) {
        std::string back;
        REQUIRE(adapt::from_base64(adapt::to_base64(all.substr(0, n)), back));
        REQUIRE(back == all.substr(0, n));
    }
    CHECK(adapt::to_base64("light w") == "bGlnaHQgdw");
    std::string out;
    for (auto const* wrong : {"A", "AB!D", "AAAAA", "AB", "AAB", "AA==", " "})
        CHECK_FALSE(adapt::from_base64(wrong, out));
}

TEST_CASE("stores of structs come back from archives", "[adapt]") {
    store<metric::cosine, index::hnsw<>, storage::memory, payload::record<book>> books{{.dim = 2}};
    store<metric::cosine, index::flat<>, storage::memory, payload::record<note>, std::uint64_t>
        notes{{.dim = 2}};
    for (int i = 0; i < 40; ++i) {
        auto b = sample();
        b.year = 1980 + i;
        books.upsert("book " + std::to_string(i), {1.0F, static_cast<float>(i)}, b);
        notes.upsert(static_cast<std::uint64_t>(i), {1.0F, static_cast<float>(i)},
                     {i, static_cast<float>(i) * 0.1F});
    }
    CHECK(books.search({1.0F, 0.0F}, {.k = 50, .where = where<&book::year>() >= 2000}).size() ==
          20);
    using boost::archive::binary_iarchive;
    using boost::archive::binary_oarchive;
    require_round_trip<decltype(books), binary_oarchive, binary_iarchive>(books);
    require_round_trip<decltype(books), boost::archive::text_oarchive,
                       boost::archive::text_iarchive>(books);
    require_round_trip<decltype(notes), boost::archive::xml_oarchive, boost::archive::xml_iarchive>(
        notes);
    require_round_trip<decltype(notes), binary_oarchive, binary_iarchive>(notes);
}
