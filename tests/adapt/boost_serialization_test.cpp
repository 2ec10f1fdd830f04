// SPDX-License-Identifier: MIT
// Stores in text, binary and XML archives.
#include <vicinal/adapt/boost_serialization.hpp>

#include "catch.hpp"

#include <vicinal/vicinal.hpp>

#include <boost/archive/archive_exception.hpp>
#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/archive/text_iarchive.hpp>
#include <boost/archive/text_oarchive.hpp>
#include <boost/archive/xml_iarchive.hpp>
#include <boost/archive/xml_oarchive.hpp>

#include <cstdint>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace vicinal;
using docs = store<metric::cosine, index::hnsw<>>;

constexpr std::size_t dim = 16;

docs::options small() {
    docs::options o;
    o.dim = dim;
    o.index.flat_below = 100;
    return o;
}

docs filled(std::size_t count) {
    docs s{small()};
    std::vector<docs::record> records;
    for (std::size_t i = 0; i < count; ++i) {
        docs::record r;
        r.id = "doc <" + std::to_string(i) + ">";
        for (std::size_t j = 0; j < dim; ++j)
            r.vector.push_back(static_cast<float>(vicinal::detail::mix(i * dim + j) % 2001) - 1000);
        r.payload = {{"n", static_cast<std::int64_t>(i)}, {"text", std::string("a\0b & c", 7)}};
        records.push_back(r);
    }
    s.upsert(records);
    return s;
}

void require_same(docs const& got, docs const& wanted) {
    REQUIRE(got.size() == wanted.size());
    REQUIRE(got.stats().indexed_rows == wanted.stats().indexed_rows);
    for (auto const& r : wanted.scan()) {
        auto const there = got.get(r.id);
        REQUIRE(there);
        REQUIRE(there->vector == r.vector);
        REQUIRE(there->payload == r.payload);
    }
    for (auto const& r : wanted.scan()) {
        auto const a = got.search(r.vector, {.k = 5});
        auto const b = wanted.search(r.vector, {.k = 5});
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            REQUIRE(a[i].id == b[i].id);
            REQUIRE(a[i].distance == b[i].distance);
        }
    }
    REQUIRE(got.verify().ok());
}

template <class Out>
std::string archive_of(docs const& s) {
    std::ostringstream text(std::ios::binary);
    {
        Out archive(text);
        int const before = 1;
        int const after = 2;
        archive << boost::serialization::make_nvp("before", before)
                << boost::serialization::make_nvp("docs", s)
                << boost::serialization::make_nvp("after", after);
    }
    return text.str();
}
template <class In>
void restore(std::string const& bytes, docs& s) {
    std::istringstream text(bytes, std::ios::binary);
    In archive(text);
    int before = 0;
    int after = 0;
    archive >> boost::serialization::make_nvp("before", before) >>
        boost::serialization::make_nvp("docs", s) >> boost::serialization::make_nvp("after", after);
    REQUIRE(before == 1);
    REQUIRE(after == 2);
}

template <class Out, class In>
void require_round_trip() {
    for (std::size_t const count : {0U, 7U, 300U}) {
        auto const s = filled(count);
        auto loaded = filled(3);
        restore<In>(archive_of<Out>(s), loaded);
        require_same(loaded, s);
        loaded.upsert("one more", std::vector<float>(dim, 1.0F));
        REQUIRE(loaded.size() == count + 1);
    }
}

} // namespace

TEST_CASE("a store comes back from a text archive", "[adapt]") {
    require_round_trip<boost::archive::text_oarchive, boost::archive::text_iarchive>();
}

TEST_CASE("a store comes back from a binary archive", "[adapt]") {
    require_round_trip<boost::archive::binary_oarchive, boost::archive::binary_iarchive>();
}

TEST_CASE("a store comes back from an XML archive", "[adapt]") {
    require_round_trip<boost::archive::xml_oarchive, boost::archive::xml_iarchive>();
}

TEST_CASE("several stores of several types fit into one archive", "[adapt]") {
    using numbers =
        store<metric::squared_l2, index::flat<>, storage::memory, payload::none, std::uint64_t>;
    auto const a = filled(20);
    numbers b{{.dim = 2}};
    b.upsert(7, {1, 2});
    std::stringstream text;
    {
        boost::archive::text_oarchive archive(text);
        archive << a << b;
    }
    auto c = filled(0);
    numbers d{{.dim = 5}};
    boost::archive::text_iarchive archive(text);
    archive >> c >> d;
    require_same(c, a);
    REQUIRE(d.dim() == 2);
    REQUIRE(d.get(7)->vector == std::vector<float>{1, 2});
}

TEST_CASE("an archive of another type of store is refused and changes nothing", "[adapt]") {
    using others = store<metric::squared_l2, index::hnsw<>>;
    others other{{.dim = dim}};
    other.upsert("a", std::vector<float>(dim, 1.0F));
    std::stringstream text;
    {
        boost::archive::text_oarchive archive(text);
        archive << other;
    }
    auto s = filled(5);
    boost::archive::text_iarchive archive(text);
    try {
        archive >> s;
        FAIL("it was loaded");
    } catch (error const& e) {
        CHECK(e.code() == errc::metric_mismatch);
    }
    require_same(s, filled(5));
}

TEST_CASE("a damaged or shortened archive throws and leaves the store as it was", "[adapt]") {
    auto const good = archive_of<boost::archive::binary_oarchive>(filled(40));
    auto s = filled(5);
    auto const before = filled(5);
    std::size_t refused = 0;
    std::size_t tried = 0;
    auto const load = [&](std::string const& bytes) {
        ++tried;
        std::istringstream text(bytes, std::ios::binary);
        try {
            boost::archive::binary_iarchive archive(text);
            int number = 0;
            auto fresh = filled(5);
            archive >> number >> fresh;
            require_same(fresh, filled(40)); // the flip was outside of the store
        } catch (error const&) {
            ++refused;
        } catch (boost::archive::archive_exception const&) {
            ++refused;
        }
    };
    // Boost's own head of the archive, some 50 bytes, is not ours to protect.
    for (std::size_t at = 64; at < good.size(); at += 4099) {
        auto bytes = good;
        bytes[at] = static_cast<char>(bytes[at] ^ 4);
        load(bytes);
    }
    for (std::size_t size = 64; size < good.size(); size += 8191) load(good.substr(0, size));
    CHECK(refused + 1 >= tried);

    std::istringstream text(good.substr(0, good.size() / 2), std::ios::binary);
    boost::archive::binary_iarchive archive(text);
    int number = 0;
    archive >> number;
    CHECK_THROWS_AS(archive >> s, boost::archive::archive_exception);
    require_same(s, before);
}

TEST_CASE("an archive that claims more bytes than it has takes little memory", "[adapt]") {
    std::stringstream text;
    {
        boost::archive::text_oarchive archive(text);
        std::uint32_t const form = 1;
        std::uint64_t const bytes = UINT64_MAX / 2;
        archive << form << bytes;
    }
    auto s = filled(1);
    boost::archive::text_iarchive archive(text);
    try {
        archive >> s;
        FAIL("it was loaded");
    } catch (std::bad_alloc const&) {
        FAIL("it asked for what the archive claims");
    } catch (std::exception const&) {
        require_same(s, filled(1));
    }
}
