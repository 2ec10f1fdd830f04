// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/files/compressed.hpp>

#include <random>
#include <string>
#include <vector>

namespace compressed_test {

using namespace vicinal;

namespace {

// Text that packs well, of a size that is no multiple of any buffer.
std::string text(std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; out.size() < bytes; ++i)
        out += "line " + std::to_string(i * 2654435761U % 100'000) + "\n";
    out.resize(bytes);
    return out;
}

std::string gzip(std::string const& plain) {
    z_stream s = {};
    REQUIRE(deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(plain.size() + plain.size() / 8 + 100, '\0');
    s.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    s.avail_in = static_cast<uInt>(plain.size());
    s.next_out = reinterpret_cast<Bytef*>(out.data());
    s.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&s, Z_FINISH) == Z_STREAM_END);
    out.resize(s.total_out);
    deflateEnd(&s);
    return out;
}

std::string zstd(std::string const& plain, bool checksum = true, int window = 0) {
    auto* const c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum ? 1 : 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window);
    // By stream: a frame of known size that fits in one piece is made without a window.
    std::string out(ZSTD_compressBound(plain.size()) + 100, '\0');
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (in.pos < in.size)
        REQUIRE(!ZSTD_isError(ZSTD_compressStream2(c, &to, &in, ZSTD_e_continue)));
    while (ZSTD_compressStream2(c, &to, &in, ZSTD_e_end) != 0) {
    }
    ZSTD_freeCCtx(c);
    out.resize(to.pos);
    return out;
}

result<std::string> unpacked(std::string const& path, std::size_t piece = 100'000) {
    auto in = backend::open_compressed(path);
    if (!in) return in.error();
    std::string all;
    std::string buffer(piece, '\0');
    for (;;) {
        auto const got = (*in)->read(buffer.data(), piece);
        if (!got) return got.error();
        all.append(buffer, 0, *got);
        if (*got < piece) return all;
    }
}

} // namespace

TEST_CASE("open_compressed unpacks gzip and zstd and leaves other files as they are") {
    vicinal_test::temporary_directory const d;
    for (std::size_t const bytes : {0U, 1U, 70'001U, 1'000'003U}) {
        auto const plain = text(bytes);
        for (std::size_t const piece : {1'000U, 65'536U, 1'048'576U}) {
            CAPTURE(bytes, piece);
            CHECK(unpacked(d.file("a", plain), piece).value() == plain);
            CHECK(unpacked(d.file("b.gz", gzip(plain)), piece).value() == plain);
            CHECK(unpacked(d.file("c.zst", zstd(plain)), piece).value() == plain);
            CHECK(unpacked(d.file("e.zst", zstd(plain, false)), piece).value() == plain);
        }
    }
    CHECK(unpacked(d.path("none")).error().code() == errc::not_found);
    CHECK(unpacked("/tmp").error().code() == errc::foreign_file);
}

TEST_CASE("All members of a gzip file and all frames of a zstd file are unpacked") {
    vicinal_test::temporary_directory const d;
    std::string plain;
    std::string many_members;
    std::string many_frames("\x52\x2a\x4d\x18\x03\0\0\0abc", 11); // one that is skipped
    for (std::size_t i = 0; i < 50; ++i) {
        auto const part = text(i * 1'009);
        plain += part;
        many_members += gzip(part);
        many_frames += zstd(part, i % 2 == 0);
    }
    CHECK(unpacked(d.file("m.gz", many_members)).value() == plain);
    CHECK(unpacked(d.file("p.gz", many_members + std::string(100'000, '\0'))).value() == plain);
    CHECK(unpacked(d.file("f.zst", many_frames)).value() == plain);

    auto const rest = unpacked(d.file("r.gz", many_members + "rest"));
    REQUIRE(!rest);
    CHECK(rest.error().code() == errc::corrupt_source);
}

TEST_CASE("A truncated or damaged packed file is an error that names file and offset") {
    vicinal_test::temporary_directory const d;
    auto const plain = text(300'000);
    std::mt19937 random(5);
    for (auto const& packed : {gzip(plain), zstd(plain)}) {
        for (int i = 0; i < 60; ++i) {
            auto const cut = 5 + random() % (packed.size() - 5);
            auto const got = unpacked(d.file("cut", packed.substr(0, cut)));
            CAPTURE(cut);
            REQUIRE(!got);
            CHECK(got.error().code() == errc::corrupt_source);
            CHECK(got.error().message().find("cut: ") != std::string::npos);
            CHECK(got.error().message().find("at byte " + std::to_string(cut)) !=
                  std::string::npos);
        }
        for (int i = 0; i < 300; ++i) {
            auto damaged = packed;
            // Not in the header: flags and times of gzip may be anything.
            damaged[20 + random() % (packed.size() - 20)] ^= static_cast<char>(1U << random() % 8);
            auto const got = unpacked(d.file("flip", damaged));
            if (got)
                CHECK(*got == plain);
            else
                CHECK(got.error().code() == errc::corrupt_source);
        }
    }
}

TEST_CASE("A zstd window of more than 128 MiB is refused before memory is taken") {
    vicinal_test::temporary_directory const d;
    auto const got = unpacked(d.file("w.zst", zstd(text(1'000), true, 28)));
    REQUIRE(!got);
    CHECK(got.error().code() == errc::limit_exceeded);
    CHECK(unpacked(d.file("v.zst", zstd(text(1'000), true, 27))).value() == text(1'000));
}

TEST_CASE("A gzip file that another program wrote is unpacked") {
    auto const path = vicinal_test::shared_fixture("pgvector/dump_inserts.sql.gz");
    if (path.empty()) return;
    auto const got = unpacked(path);
    REQUIRE(got);
    CHECK(got->starts_with("--\n-- PostgreSQL database dump"));
    CHECK(got->find("PostgreSQL database dump complete") != std::string::npos);
}

} // namespace compressed_test
