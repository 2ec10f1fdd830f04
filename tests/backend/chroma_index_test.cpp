// SPDX-License-Identifier: MIT
#include "chroma_fixture.hpp"

#include <vicinal/backend/chroma/hnsw_files.hpp>
#include <vicinal/backend/chroma/index_map.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chroma_index_test {

using namespace vicinal;
using namespace std::string_literals;

namespace {

// What Chroma in Rust writes: protocol 3, a dict.
std::string const rust = "\x80\x03}(X\x0e\0\0\0dimensionalityNX\x0a\0\0\0max_seq_idN"
                         "X\x0b\0\0\0id_to_label}(X\x01\0\0\0aJ\x01\0\0\0X\x02\0\0\0"
                         "\xc3\xa9J\x02\0\0\0uu."s;

// What Chroma in Python writes: protocol 4, an object with a memo.
std::string python_pickle() {
    std::string const module = "chromadb.segment.impl.vector.local_persistent_hnsw";
    auto const text = [](std::string const& s) {
        return "\x8c"s + static_cast<char>(s.size()) + s + "\x94";
    };
    return "\x80\x04"s + text(module) + text("PersistentData") + "\x93\x94)\x81\x94}\x94(" +
           text("dimensionality") + "M\x00\x03"s + text("max_seq_id") + "\x8a\x03\x40\x42\x0f" +
           text("id_to_label") + "}\x94(" + text("x") + "K\x07" + text("y") + "M\x2c\x01" + "u" +
           text("label_to_id") + "}\x94(K\x07h\x09M\x2c\x01j\x0a\0\0\0u"s + "ub.";
}

errc code_of(std::string const& pickle) {
    auto const map = detail::parse_index_map(pickle);
    REQUIRE_FALSE(map);
    return map.error().code();
}

} // namespace

TEST_CASE("the index maps of both Chromas are read", "[backend]") {
    auto const a = detail::parse_index_map(rust).value();
    REQUIRE(a.labels.size() == 2);
    CHECK(a.labels[0].first == "a");
    CHECK(a.labels[1].first == "é");
    CHECK(a.labels[1].second == 2);
    CHECK_FALSE(a.last_sequence);

    auto const pickle = python_pickle();
    auto const b = detail::parse_index_map(pickle).value();
    REQUIRE(b.labels.size() == 2);
    CHECK(b.labels[0].first == "x");
    CHECK(b.labels[1].second == 300);
    CHECK(b.last_sequence == 1'000'000);
}

TEST_CASE("a pickle that Python wrote in the wild is read", "[backend]") {
    auto const path = chroma_fixture::shared_fixture("chroma-wild/python-pickle-only");
    if (path.empty()) return;
    auto const map = detail::read_index_map(path + "/index_metadata.pickle").value();
    CHECK(map.labels.size() == 222);
    CHECK(map.last_sequence == 3900);
    auto const header = chroma_fixture::bytes_of(path + "/header.bin");
    auto const h =
        detail::parse_hnsw_header(reinterpret_cast<std::byte const*>(header.data()), header.size());
    CHECK(h->dim == 768);
}

TEST_CASE("a pickle that wants to run something is refused by name and offset", "[backend]") {
    struct hostile {
        std::string pickle;
        char const* name;
    };
    for (auto const& [pickle, name] :
         {hostile{"cos\nsystem\n(S'true'\ntR.", "another name at offset 0"},
          hostile{"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x85R.",
                  "another name at offset 19"},
          hostile{"\x80\x04}R.", "REDUCE at offset 3"},
          hostile{"(i__main__\nX\n.", "INST at offset 1"}, hostile{"\x80\x04o.", "OBJ at offset 2"},
          hostile{"\x80\x04\x82\x01.", "EXT1 at offset 2"},
          hostile{"\x80\x04P1\n.", "PERSID at offset 2"}, hostile{"\x80\x04}}}\x92.", "NEWOBJ_EX"},
          hostile{"\x80\x04Q.", "BINPERSID"}, hostile{"\x80\x04\x96.", "BYTEARRAY8"},
          hostile{"\x80\x04\xff.", "opcode 255 at offset 2"},
          hostile{"\x80\x06.", "newer one at offset 0"}}) {
        CAPTURE(name);
        auto const map = detail::parse_index_map(pickle);
        REQUIRE_FALSE(map);
        CHECK(map.error().code() == errc::corrupt_source);
        CHECK(map.error().got().find(name) != std::string::npos);
    }
}

TEST_CASE("a pickle of the right operations in the wrong places is refused", "[backend]") {
    for (auto const& pickle : {""s,
                               "."s,
                               "}"s,
                               "}."s,
                               "N."s,
                               "(."s,
                               "}(."s,
                               "s."s,
                               "Ns."s,
                               "NNs."s,
                               "NNNs."s,
                               "u."s,
                               "(u."s,
                               "}(Nu."s,
                               "}(}Nu."s,
                               "}(NNNu."s,
                               "a."s,
                               "Na."s,
                               "e."s,
                               "(e."s,
                               "\x94."s,
                               "h\x00."s,
                               "Nq\x01."s,
                               "Nr\xff\xff\xff\xff."s,
                               "\x93."s,
                               "NN\x93."s,
                               "\x81."s,
                               "N)\x81."s,
                               "b."s,
                               "}}b."s,
                               "}(K\x01h\x00u."s,
                               "\x8a\x09"
                               "123456789."s,
                               "X\xff\xff\xff\xffx."s,
                               "\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s,
                               "\x95\xff\0\0\0\0\0\0\0}."s,
                               "}}."s,
                               "X\x0b\0\0\0id_to_labelN"s,
                               rust + "."}) {
        CAPTURE(pickle);
        CHECK(code_of(pickle) == errc::corrupt_source);
    }
    auto wrong = rust;
    wrong.replace(wrong.find("id_to_label"), 11, "id_to_lobel");
    CHECK(code_of(wrong) == errc::corrupt_source);
}

TEST_CASE("a pickle that is cut or changed anywhere never crashes its reader", "[backend]") {
    for (auto const& whole : {rust, python_pickle()}) {
        for (std::size_t n = 0; n < whole.size(); ++n) {
            CAPTURE(n);
            // A copy of exactly that size, so that a sanitizer sees every byte read behind it.
            std::vector<char> const cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(n));
            REQUIRE_FALSE(detail::parse_index_map({cut.data(), cut.size()}));
            for (int byte = 0; byte < 256; ++byte) {
                auto changed = whole;
                changed[n] = static_cast<char>(byte);
                auto const map = detail::parse_index_map(changed);
                REQUIRE((map || map.error().code() == errc::corrupt_source));
            }
        }
    }
}

TEST_CASE("an index header that contradicts itself is refused", "[backend]") {
    std::vector<std::byte> header(100);
    auto const put = [&](std::size_t at, std::uint64_t v) {
        detail::store_le<std::uint64_t>(header.data() + at, v);
    };
    detail::store_le<std::uint32_t>(header.data(), 1);
    put(12, 1000);            // most elements
    put(20, 10);              // elements
    put(28, 132 + 4 * 3 + 8); // a row
    put(36, 132 + 4 * 3);     // label
    put(44, 132);             // vector
    put(68, 32);              // links
    auto const good = detail::parse_hnsw_header(header.data(), header.size()).value();
    CHECK(good.dim == 3);
    CHECK(good.rows == 10);
    CHECK_FALSE(detail::parse_hnsw_header(header.data(), 99));
    for (std::size_t const at : {4U, 20U, 28U, 36U, 44U, 68U})
        for (std::uint64_t const v : {std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63,
                                      std::uint64_t{2000}, std::uint64_t{1} << 32}) {
            auto const kept = header;
            put(at, v);
            CAPTURE(at, v);
            bool const harmless = at == 20 && v == 1;
            CHECK(static_cast<bool>(detail::parse_hnsw_header(header.data(), 100)) == harmless);
            header = kept;
        }
}

} // namespace chroma_index_test
