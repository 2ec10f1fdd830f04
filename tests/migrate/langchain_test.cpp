// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/binary.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/graphs/faiss.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace langchain_test {

using namespace vicinal;
using backend::faiss_source;
using vicinal_test::bytes;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::temporary_directory;
using vicinal_test::unhex;

namespace {

// The index.pkl that LangChain (community 0.4.2) saved of the documents "a" and "c", after a third
// between them was deleted.
constexpr std::string_view saved =
    "800495eb010000000000008c266c616e67636861696e5f636f6d6d756e6974792e646f6373746f72652e696e"
    "5f6d656d6f7279948c10496e4d656d6f7279446f6373746f72659493942981947d948c055f64696374947d94"
    "288c0161948c1d6c616e67636861696e5f636f72652e646f63756d656e74732e62617365948c08446f63756d"
    "656e749493942981947d94288c085f5f646963745f5f947d94288c0269649468078c086d6574616461746194"
    "7d94288c0470616765944b018c0573636f726594473fd00000000000008c026f6b94888c0474616773945d94"
    "288c0178944afeffffff658c0464656570947d948c046e6f6e65944e738c047768656e948c08646174657469"
    "6d65948c0464617465949394430407e801019485945294758c0c706167655f636f6e74656e74948c074772c3"
    "bcc39f65948c0474797065946809758c125f5f707964616e7469635f65787472615f5f944e8c175f5f707964"
    "616e7469635f6669656c64735f7365745f5f948f942868226810680f908c145f5f707964616e7469635f7072"
    "69766174655f5f944e75628c016394680a2981947d9428680d7d9428680f682968107d948c08646f63756d65"
    "6e74948c036f776e947368228c047a77656994682468097568254e68268f942868226810680f9068284e7562"
    "7573627d94284b0068074b0168297586942e";

/// A flat index of two vectors of two floats: 1, 2 and 3, 4.
std::string flat() {
    std::string s = "IxF2" + bytes<std::int32_t>(2) + bytes<std::int64_t>(2);
    s += bytes<std::int64_t>(1 << 20) + bytes<std::int64_t>(1 << 20) + std::string(1, '\1') +
         bytes<std::int32_t>(1) + bytes<std::uint64_t>(4);
    for (float const f : {1.F, 2.F, 3.F, 4.F}) s += bytes(f);
    return s;
}

result<std::vector<record>> read(temporary_directory const& dir, std::string const& pickle,
                                 std::vector<std::string>* losses = nullptr) {
    (void)dir.file("index.faiss", flat());
    (void)dir.file("index.pkl", pickle);
    auto source = faiss_source::try_open(dir.path(""));
    if (!source) return source.error();
    auto all = records_of(*source);
    if (losses != nullptr) *losses = source->describe()->losses;
    return all;
}

} // namespace

TEST_CASE("a folder that LangChain saved gives ids, texts and metadata of its documents") {
    temporary_directory const dir;
    std::vector<std::string> losses;
    auto const all = read(dir, unhex(saved), &losses);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK(all->at(0).id == "a");
    CHECK(same_bits(all->at(0).vector, {1, 2}));
    CHECK(all->at(0).payload == fields{{"document", "Gr\u00fc\u00dfe"},
                                       {"page", 1},
                                       {"score", 0.25},
                                       {"ok", true},
                                       {"tags", value::array{"x", -2}},
                                       {"deep", fields{{"none", nullptr}}}});
    CHECK(all->at(1).id == "c");
    CHECK(all->at(1).payload == fields{{"document", "own"}, {"langchain:document", "zwei"}});
    // The date.
    REQUIRE(losses.size() == 1);
    CHECK(losses[0].starts_with("1 values"));
}

TEST_CASE("older pickles are read: protocol 2, state without __dict__, positions out of order") {
    temporary_directory const dir;
    // ({"_dict": {"x": {"page_content": "t", "metadata": {}}}}, {1: "x"}), with classes by GLOBAL.
    std::string const document = "clangchain.schema\nDocument\n)\x81}(X" + bytes(12) +
                                 "page_contentX" + bytes(1) + "tX" + bytes(8) + "metadata}ub";
    std::string const pickle = "\x80\2clangchain.docstore.in_memory\nInMemoryDocstore\nq" +
                               std::string("\0)\x81}X", 5) + bytes(5) + "_dict}X" + bytes(1) + "x" +
                               document + "ssb}K\1X" + bytes(1) + "xs\x86.";
    std::vector<std::string> losses;
    auto const all = read(dir, pickle, &losses);
    REQUIRE(all);
    CHECK(all->at(0).id == "0");
    CHECK(all->at(0).payload.empty());
    CHECK(all->at(1).id == "x");
    CHECK(all->at(1).payload == fields{{"document", "t"}});
    REQUIRE(losses.size() == 1);
    CHECK(losses[0].starts_with("1 vectors have no document"));
}

TEST_CASE("a docstore that can't be read is named as a loss, and ids are positions") {
    temporary_directory const dir;
    for (std::string const bad : {"", ".", "N.", "\x80\4]\x94.", "cos\nsystem\n(X\1\0\0\0xtR."}) {
        std::vector<std::string> losses;
        auto const all = read(dir, bad, &losses);
        REQUIRE(all);
        CHECK(all->at(1).id == "1");
        REQUIRE(losses.size() == 1);
        CHECK(losses[0].find("docstore") != std::string::npos);
    }
}

TEST_CASE("a metadata value that stands in itself, or in very many places, ends somewhere") {
    temporary_directory const dir;
    auto const pickle = [](std::string const& metadata) {
        return "cm\nInMemoryDocstore\n)\x81}X" + bytes(5) + "_dict}X" + bytes(1) +
               "xcm\nDocument\n)\x81}X" + bytes(8) + "metadata" + metadata + "sbssb}" +
               std::string("K\0X", 3) + bytes(1) + "xs\x86.";
    };
    // A dict whose value "k" is the dict.
    auto all =
        read(dir, pickle("}q" + std::string("\0X", 2) + bytes(1) + "kh" + std::string("\0s", 2)));
    REQUIRE(all);
    CHECK(all->at(0).id == "x");
    // Lists of two of the list before: 2^40 numbers.
    std::string lists = "]K\1a";
    for (char place = 0; place < 40; ++place)
        lists += std::string("q") + place + "h" + place + "\x86";
    all = read(dir, pickle("}X" + bytes(1) + "k" + lists + "s"));
    REQUIRE(all);
    CHECK(all->at(0).id == "x");
}

TEST_CASE("damaged docstores are read, or named as a loss, never more") {
    temporary_directory const dir;
    vicinal_test::damaged(unhex(saved), 1000, 23, [&dir](std::string const& bad) {
        auto const all = read(dir, bad);
        REQUIRE(all);
        REQUIRE(all->size() == 2);
    });
}

} // namespace langchain_test
