// SPDX-License-Identifier: MIT
// A snapshot whose pages are compared with their checksums when they are first read.
#include "catch.hpp"
#include "support/records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/vicinal.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace lazy_check_test {

using namespace vicinal_test;
using vicinal::check;
using vicinal::errc;
using vicinal::store;
namespace storage = vicinal::storage;

namespace {

using graph = vicinal::index::hnsw<>;
using coded_scan = vicinal::index::flat<vicinal::codec::sq8>;

constexpr std::size_t dim = 12;

template <class Index>
using docs = store<vicinal::metric::squared_l2, Index, storage::mmap>;

template <class Store>
typename Store::options lazy_options(vicinal::check_level how = check::lazy) {
    typename Store::options o;
    o.dim = dim;
    o.durability = vicinal::durability::off;
    o.check = how;
    o.checked_at_open = 0;
    if constexpr (requires { o.index.flat_below; }) o.index.flat_below = 50;
    return o;
}
template <class Store>
typename Store::options reading(vicinal::check_level how = check::lazy) {
    auto o = lazy_options<Store>(how);
    o.read_only = true;
    return o;
}

/// Some of all that a store can be asked, as text; a call that fails gives "!" and its message.
template <class Store>
std::vector<std::string> ask(Store const& s, std::vector<vicinal::record> const& records) {
    std::vector<std::string> answers;
    auto const note = [&](auto const& result, auto const& show) {
        if (result)
            answers.push_back(show(*result));
        else if (result.error().code() == errc::corrupt_snapshot)
            answers.push_back("!" + result.error().message());
        else
            answers.push_back("another error: " + result.error().message());
    };
    auto const hits = [](auto const& list) {
        std::string text;
        for (auto const& h : list) text += h.id + " " + std::to_string(h.distance) + ", ";
        return text;
    };
    auto const n = records.size();
    for (std::size_t i = 0; i < 4; ++i) {
        auto const& query = records[i * 31 % n].vector;
        note(s.try_search(query, {.k = 3, .effort = 8}), hits);
        note(s.try_search(query, {.k = 3, .where = "n >= 200", .effort = 8}), hits);
    }
    note(s.try_search(records[1].vector, {.k = 3, .exact = true}), hits);
    for (std::size_t i = 0; i < n; i += n / 6 + 1) {
        note(s.try_contains(records[i].id), [](bool there) { return there ? "yes" : "no"; });
        note(s.try_get(records[i].id), [&](auto const& r) {
            return r ? (same(*r, records[i]) ? "the record" : "another record") : "none";
        });
    }
    auto scan = s.try_scan();
    note(scan, [](auto const& all) { return std::to_string(all.left()); });
    return answers;
}

/// A closed store of 900 records and its snapshot.
template <class Store>
struct closed {
    closed() {
        Store s{path, lazy_options<Store>()};
        s.upsert(records);
        s.checkpoint();
    }
    void flip(std::uint64_t at) const {
        std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
        f.seekg(static_cast<std::streamoff>(at));
        auto const byte = f.get();
        f.seekp(static_cast<std::streamoff>(at));
        f.put(static_cast<char>(byte ^ 0x10));
        REQUIRE(f.good());
    }
    [[nodiscard]] storage::section section(std::string const& name) const {
        for (auto const& s : storage::mmap::space::inspect(path).value().sections)
            if (s.name == name) return s;
        FAIL("no section " << name);
        return {};
    }

    temporary_directory directory = {};
    std::string path = directory.path("s");
    std::string file = path + "/snap-00000002.vic";
    std::vector<vicinal::record> records = make_records(900, dim);
};

bool says(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

template <class Index>
void flip_everywhere() {
    using documents = docs<Index>;
    closed<documents> const c;
    auto const right = ask(documents(c.path, reading<documents>()), c.records);
    for (auto const& answer : right) REQUIRE(answer[0] != '!');
    std::size_t failed = 0;
    std::size_t answered = 0;
    for (auto const& s : storage::mmap::space::inspect(c.path).value().sections) {
        for (std::uint64_t at = 0; at < s.bytes(); at += 4096) {
            // Another byte in each page.
            auto const place = s.offset + std::min(at + at / 4096 * 797 % 4096, s.bytes() - 1);
            c.flip(place);
            auto const block = "block " + std::to_string(at / 65536) + " (offset " +
                               std::to_string(s.offset + at) + ") of section '" + s.name + "' in " +
                               c.file;
            CAPTURE(s.name, at);
            auto const opened = documents::try_open(c.path, reading<documents>());
            if (!opened) {
                REQUIRE(opened.error().code() == errc::corrupt_snapshot);
                REQUIRE(says(opened.error().message(), block));
                ++failed;
            } else {
                auto const answers = ask(*opened, c.records);
                REQUIRE(answers.size() == right.size());
                for (std::size_t i = 0; i < right.size(); ++i) {
                    if (answers[i] == right[i]) {
                        ++answered;
                        continue;
                    }
                    CAPTURE(right[i], answers[i]);
                    REQUIRE(says(answers[i], block));
                    ++failed;
                }
                REQUIRE_FALSE(opened->try_verify()->ok());
            }
            REQUIRE_FALSE(documents::try_open(c.path, reading<documents>(check::full)));
            c.flip(place);
        }
    }
    REQUIRE(ask(documents(c.path, reading<documents>()), c.records) == right);
    CHECK(failed > 100);
    CHECK(answered > 100);
}

} // namespace

TEST_CASE("a flipped byte in any page is an error of what reads it, and changes no answer",
          "[store]") {
    SECTION("a graph") { flip_everywhere<graph>(); }
    SECTION("a scan of codes") { flip_everywhere<coded_scan>(); }
}

TEST_CASE("many queries at once, on threads of their own, meet damage as one query does",
          "[store]") {
    using scanned = docs<coded_scan>;
    closed<scanned> const c;
    c.flip(c.section("flat.codes").offset + 5000);
    std::vector<float> queries;
    for (std::size_t i = 0; i < 256; ++i)
        queries.insert(queries.end(), c.records[i].vector.begin(), c.records[i].vector.end());
    for (std::size_t const threads : {1U, 4U}) {
        auto const s = scanned::try_open(c.path, reading<scanned>()).value();
        auto const found =
            s.try_search(vicinal::matrix_view<float>(queries, dim), {.k = 2, .threads = threads});
        REQUIRE_FALSE(found);
        REQUIRE(found.error().code() == errc::corrupt_snapshot);
        REQUIRE(says(found.error().message(), "'flat.codes'"));
    }
}

TEST_CASE("the checksums of the pages are held to those of the blocks", "[store]") {
    using documents = docs<graph>;
    closed<documents> const c;
    auto const right = ask(documents(c.path, reading<documents>()), c.records);
    auto const directory = storage::store_directory<storage::posix>::open(c.path).value();
    auto const layout = storage::snapshot_file<storage::posix>::open(
                            directory.number(), "snap-00000002.vic", c.file, false)
                            .value()
                            .layout();
    std::size_t failed = 0;
    for (std::size_t i = 0; i < layout.block_crcs.size() * 64; i += 7) {
        c.flip(layout.page_crcs_at + i);
        REQUIRE_FALSE(documents::try_open(c.path, reading<documents>(check::full)));
        auto const opened = documents::try_open(c.path, reading<documents>());
        if (opened) {
            auto const answers = ask(*opened, c.records);
            for (std::size_t j = 0; j < right.size(); ++j) {
                if (answers[j] != right[j]) REQUIRE(answers[j][0] == '!');
                failed += answers[j] != right[j] ? 1U : 0U;
            }
        } else {
            ++failed;
        }
        c.flip(layout.page_crcs_at + i);
    }
    CHECK(failed > 0);
}

TEST_CASE("a trusted snapshot is opened without a look at its rows, a small one with all of them",
          "[store]") {
    using documents = docs<graph>;
    closed<documents> const c;
    c.flip(c.section("vectors").offset + 100);
    REQUIRE(documents::try_open(c.path, reading<documents>(check::trusted)));
    REQUIRE(documents::try_open(c.path, reading<documents>(check::lazy)));
    auto small = reading<documents>();
    small.checked_at_open = std::uint64_t{64} << 20;
    auto const refused = documents::try_open(c.path, small);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().code() == errc::corrupt_snapshot);
    // What was never compared is compared before it is copied.
    auto writer = documents::try_open(c.path, lazy_options<documents>(check::trusted));
    REQUIRE(writer);
    auto const copied = writer->try_checkpoint();
    REQUIRE_FALSE(copied);
    REQUIRE(copied.error().code() == errc::corrupt_snapshot);
}

TEST_CASE("a write that would read damage is refused and changes nothing", "[store]") {
    using documents = docs<graph>;
    for (auto const* name : {"ids.map", "ids.places", "ids.heap", "vectors"}) {
        CAPTURE(name);
        closed<documents> const c;
        auto const s = c.section(name);
        // On the last page: where rows are added, and an entry of the map as likely as any.
        for (std::uint64_t at = 0; at < s.bytes(); at += 4096)
            c.flip(s.offset + std::min(at + 50, s.bytes() - 1));
        auto opened = documents::try_open(c.path, lazy_options<documents>());
        REQUIRE(opened);
        auto const refused = opened->try_upsert(c.records[5].id, c.records[6].vector);
        REQUIRE_FALSE(refused);
        REQUIRE(refused.error().code() == errc::corrupt_snapshot);
        REQUIRE(opened->size() == c.records.size());
        if (std::string(name) != "vectors") {
            auto const erased = opened->try_erase(c.records[5].id);
            REQUIRE_FALSE(erased);
            REQUIRE(erased.error().code() == errc::corrupt_snapshot);
        }
        auto const written = opened->try_checkpoint();
        REQUIRE_FALSE(written);
        REQUIRE(written.error().code() == errc::corrupt_snapshot);
        REQUIRE(opened->size() == c.records.size());
    }
}

TEST_CASE("rows are changed, added and compacted on pages that nobody has read before", "[store]") {
    using documents = docs<graph>;
    closed<documents> const c;
    using in_memory = store<vicinal::metric::squared_l2, graph>;
    in_memory::options plain;
    plain.dim = dim;
    plain.index.flat_below = 50;
    in_memory twin{plain};
    twin.upsert(c.records);
    auto const fresh = make_records(1100, dim, 7);
    for (int round = 0; round < 3; ++round) {
        documents s{c.path, lazy_options<documents>()};
        for (std::size_t i = 0; i < 40; ++i) {
            auto const& r = fresh[(i * 53 + static_cast<std::size_t>(round) * 331) % fresh.size()];
            s.upsert(r.id, r.vector, r.payload);
            twin.upsert(r.id, r.vector, r.payload);
            auto const& gone = c.records[i * 17 + static_cast<std::size_t>(round)].id;
            REQUIRE(s.erase(gone) == twin.erase(gone));
        }
        if (round == 1) s.compact();
        REQUIRE(s.verify().ok());
        REQUIRE(s.size() == twin.size());
        for (std::size_t i = 0; i < 20; ++i) {
            auto const a = s.search(fresh[i].vector, {.k = 5, .exact = true});
            auto const b = twin.search(fresh[i].vector, {.k = 5, .exact = true});
            for (std::size_t j = 0; j < 5; ++j) REQUIRE(a[j].id == b[j].id);
        }
    }
}

TEST_CASE("threads that read a page for the first time at once, beside a writer", "[store]") {
    using documents = docs<graph>;
    closed<documents> const c;
    auto const right = documents(c.path, reading<documents>());
    auto const damaged = c.section("payloads.heap");
    c.flip(damaged.offset + damaged.bytes() / 2);
    documents s{c.path, lazy_options<documents>()};
    std::atomic<int> wrong{0};
    std::atomic<int> failed{0};
    std::vector<std::thread> readers;
    for (std::size_t t = 0; t < 4; ++t)
        readers.emplace_back([&, t] {
            for (std::size_t i = 0; i < 300; ++i) {
                auto const& r = c.records[(i * 7 + t * 3) % 900];
                auto const hits = s.try_search(r.vector, {.k = 1});
                if (!hits || hits->front().id != r.id) ++wrong;
                auto const got = s.try_get(r.id);
                if (!got)
                    ++failed;
                else if (!*got || !same(**got, r))
                    ++wrong;
            }
        });
    for (std::size_t i = 0; i < 50; ++i)
        s.upsert("new" + std::to_string(i),
                 std::vector<float>(dim, 1000.0F + static_cast<float>(i)));
    for (auto& r : readers) r.join();
    CHECK(wrong == 0);
    CHECK(failed > 0);
    CHECK(failed < 600);
}

TEST_CASE("what is copied at opening is right whatever becomes of the file", "[store]") {
    using documents = docs<graph>;
    closed<documents> const c;
    auto how = reading<documents>();
    auto const right = ask(documents(c.path, how), c.records);
    auto const codes = c.section("hnsw.codes");
    auto const damage = [&] {
        for (std::uint64_t at = 5; at < codes.bytes(); at += 1000) c.flip(codes.offset + at);
    };
    how.copied_bytes = codes.bytes() / 2; // too little for codes
    documents const mapped{c.path, how};
    how.copied_bytes = std::uint64_t{1} << 20;
    documents const copied{c.path, how};
    damage();
    CHECK(ask(mapped, c.records) != right);
    CHECK(ask(copied, c.records) == right);
    // It is compared on the way.
    CHECK(documents::try_open(c.path, how).error().code() == errc::corrupt_snapshot);
    damage(); // the same bits again: all is well
    {
        auto writing = lazy_options<documents>();
        writing.copied_bytes = how.copied_bytes;
        documents s{c.path, writing};
        s.upsert("new", c.records[5].vector);
        s.checkpoint(); // the copies stay
        s.erase("new");
        s.compact(); // others take their place
        CHECK(ask(s, c.records).size() == right.size());
        CHECK(s.verify().ok());
        s.clear();
        s.upsert(c.records);
        s.checkpoint();
        CHECK(s.size() == c.records.size());
    }
    documents const again{c.path, reading<documents>()};
    CHECK(again.verify().ok());
    for (auto const& r : c.records) REQUIRE(same(*again.get(r.id), r));
}

} // namespace lazy_check_test
