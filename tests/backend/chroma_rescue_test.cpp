// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "chroma_fixture.hpp"

#include <vicinal/backend/chroma_rescue.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace chroma_rescue_test {

using namespace vicinal;
namespace fs = std::filesystem;

static_assert(basic_source<backend::chroma_rescue>);

namespace {

struct outcome {
    std::vector<record> records;
    std::set<std::string> lost; // ids
    bool gap = false;           // rows whose ids are not known
    std::vector<std::string> losses;
};

result<outcome> rescue(std::string const& path, std::string const& collection = {}) {
    auto source = backend::chroma_rescue::try_open(path, collection);
    if (!source) return source.error();
    outcome out;
    source->pass_over([&](bad_record const& b) {
        if (b.id.empty())
            out.gap = true;
        else
            out.lost.insert(b.id);
    });
    std::vector<record> batch;
    do {
        VICINAL_CHECK(source->read(batch, 500));
        out.records.insert(out.records.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    auto const about = source->describe();
    if (!about) return about.error();
    out.losses = about->losses;
    return out;
}

std::map<std::string, record> by_id(std::vector<record> const& all) {
    std::map<std::string, record> out;
    for (auto const& r : all) out[r.id] = r;
    return out;
}

// The vector itself, to a few units in the last place (what the log has left is the one inserted,
// what the index has is Chroma's); or its direction where its length is lost.
bool same(std::vector<float> const& got, std::vector<float> const& wanted, bool unit) {
    if (got == wanted) return true;
    if (got.size() != wanted.size()) return false;
    double dot = 0;
    double a = 0;
    double b = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        dot += static_cast<double>(got[i]) * static_cast<double>(wanted[i]);
        a += static_cast<double>(got[i]) * static_cast<double>(got[i]);
        b += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
    }
    auto const length = unit && std::abs(a - 1) < 1e-5 ? b : a;
    return std::abs(length - b) < 1e-6 * b && dot / std::sqrt(a * b) > 1 - 1e-9;
}

// Everything that came is right; what did not come was named, or lies in a gap.
void check(outcome const& got, std::map<std::string, record> const& whole) {
    bool unit = false;
    for (auto const& loss : got.losses) unit = unit || loss.find("length.bin") != std::string::npos;
    std::size_t wrong = 0;
    for (auto const& r : got.records) {
        auto const at = whole.find(r.id);
        // A text that was written over may be another text: that can't be seen.
        if (at == whole.end()) continue;
        if (!same(r.vector, at->second.vector, unit)) ++wrong;
    }
    CHECK(wrong == 0);
    if (!got.gap) CHECK(got.records.size() + got.lost.size() >= whole.size());
}

std::string words() { return chroma_fixture::shared_fixture("chroma-words"); }
std::string segment(std::string const& path) {
    for (auto const& entry : fs::directory_iterator(path))
        if (entry.is_directory()) return entry.path().string();
    return {};
}

} // namespace

TEST_CASE("A rescue of an intact directory gives everything, and nothing is lost") {
    if (words().empty()) return;
    auto const whole = chroma_fixture::read_all(words()).value();
    auto const got = rescue(words());
    REQUIRE(got);
    CHECK(got->lost.empty());
    CHECK_FALSE(got->gap);
    REQUIRE(got->records.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        REQUIRE(got->records[i].id == whole[i].id);
        REQUIRE(got->records[i].vector == whole[i].vector);
        REQUIRE(got->records[i].payload == whole[i].payload);
    }
}

TEST_CASE("Of vectors that were written over, cut off or removed, exactly those are lost") {
    if (words().empty()) return;
    auto const whole = by_id(chroma_fixture::read_all(words()).value());
    chroma_fixture::copy const c(words());
    auto const vectors = segment(c.path()) + "/data_level0.bin";
    auto const bytes = chroma_fixture::bytes_of(vectors);

    SECTION("a page of zeros") {
        auto damaged = bytes;
        damaged.replace(40'960, 4096, 4096, '\0');
        chroma_fixture::spill(vectors, damaged);
        auto const got = rescue(c.path());
        REQUIRE(got);
        check(*got, whole);
        // 540 bytes a row: eight or nine rows touch the page; the one more may be the last label.
        CHECK(got->lost.size() >= 8);
        CHECK(got->lost.size() <= 9);
        CHECK(got->records.size() + got->lost.size() == whole.size());
    }
    SECTION("a file that ends too early") {
        chroma_fixture::spill(vectors, bytes.substr(0, bytes.size() / 2));
        auto const got = rescue(c.path());
        REQUIRE(got);
        check(*got, whole);
        CHECK(got->records.size() > 2'900);
        CHECK(got->records.size() + got->lost.size() == whole.size());
        CHECK(!chroma_fixture::read_all(c.path()));
    }
    SECTION("a file that is gone: what the log has is left") {
        fs::remove(vectors);
        auto const got = rescue(c.path());
        REQUIRE(got);
        check(*got, whole);
        CHECK(got->records.size() + got->lost.size() == whole.size());
    }
    SECTION("a header that is gone") {
        fs::remove(segment(c.path()) + "/header.bin");
        auto const got = rescue(c.path());
        REQUIRE(got);
        check(*got, whole);
        CHECK(got->lost.empty());
    }
    SECTION("lengths that are gone, cut off or written over") {
        auto const lengths = segment(c.path()) + "/length.bin";
        auto damaged = chroma_fixture::bytes_of(lengths);
        std::mt19937 random(1);
        for (std::size_t i = 4096; i < 8192; ++i) damaged[i] = static_cast<char>(random());
        chroma_fixture::spill(lengths, damaged.substr(0, 20'000));
        auto const got = rescue(c.path());
        REQUIRE(got);
        check(*got, whole);
        CHECK(got->lost.empty());
        CHECK(got->losses.size() == 1);
        fs::remove(lengths);
        check(rescue(c.path()).value(), whole);
    }
    SECTION("a map of ids that is gone or damaged") {
        auto const map = segment(c.path()) + "/index_metadata.pickle";
        auto const pickle = chroma_fixture::bytes_of(map);
        std::mt19937 random(2);
        for (int i = 0; i < 20; ++i) {
            auto damaged = pickle;
            damaged[random() % damaged.size()] = static_cast<char>(random());
            chroma_fixture::spill(map, damaged);
            auto const got = rescue(c.path());
            REQUIRE(got);
            check(*got, whole);
        }
        fs::remove(map);
        auto const got = rescue(c.path());
        REQUIRE(got);
        CHECK(got->records.size() + got->lost.size() == whole.size());
    }
}

TEST_CASE("Damaged pages of the database lose what lies on them, and nothing else") {
    if (words().empty()) return;
    auto const whole = by_id(chroma_fixture::read_all(words()).value());
    chroma_fixture::copy const c(words());
    auto const file = c.path() + "/chroma.sqlite3";
    auto const bytes = chroma_fixture::bytes_of(file);
    std::mt19937 random(7);
    std::size_t opened = 0;
    std::size_t most = 0;
    for (int i = 0; i < 40; ++i) {
        auto damaged = bytes;
        auto const pages = 1 + random() % 3;
        for (auto n = pages; n > 0; --n) {
            // Not the schema, which is on the first pages.
            auto const page = 40 + random() % (damaged.size() / 4096 - 40);
            for (std::size_t at = page * 4096; at < (page + 1) * 4096; ++at)
                damaged[at] = i % 2 == 0 ? '\0' : static_cast<char>(random());
        }
        chroma_fixture::spill(file, damaged);
        auto const got = rescue(c.path());
        if (!got) continue;
        ++opened;
        most = (std::max)(most, got->records.size());
        check(*got, whole);
    }
    CHECK(opened >= 30);
    CHECK(most > 5'000);
}

TEST_CASE("Any damage anywhere gives records or errors, and nothing else") {
    auto const killed = chroma_fixture::shared_fixture("chroma/store-killed");
    if (killed.empty()) return;
    auto const whole = by_id(chroma_fixture::read_all(killed).value());
    chroma_fixture::copy const c(killed);
    auto const file = c.path() + "/chroma.sqlite3";
    auto const bytes = chroma_fixture::bytes_of(file);
    std::mt19937 random(9);
    for (int i = 0; i < 60; ++i) {
        auto damaged = bytes;
        for (auto n = random() % 30 + 1; n > 0; --n)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        if (i % 6 == 0) damaged.resize(random() % damaged.size());
        chroma_fixture::spill(file, damaged);
        if (auto const got = rescue(c.path())) CHECK(got->records.size() <= whole.size() + 50);
    }
}

} // namespace chroma_rescue_test
