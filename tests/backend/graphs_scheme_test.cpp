// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/graphs_scheme.hpp>
#include <vicinal/backend/look_at.hpp>

#include <filesystem>
#include <string>

namespace graphs_scheme_test {

using namespace vicinal;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::shared_fixture;

namespace {

backend::registry graphs() {
    backend::registry r;
    backend::add_graphs(r);
    return r;
}

} // namespace

TEST_CASE("every index file among the fixtures is recognised and opened, or known by name") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    auto const r = graphs();
    std::size_t opened = 0;
    std::size_t refused = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        auto const path = entry.path().string();
        auto const guess = backend::try_recognise(r, path);
        REQUIRE(guess);
        CAPTURE(path);
        bool const index = path.ends_with(".faiss") || path.ends_with(".bin");
        REQUIRE(guess->has_value() == index);
        if (!index) continue;
        if ((*guess)->uri.empty()) {
            CHECK(path.ends_with("lsh.faiss"));
            CHECK((*guess)->advice.find("reconstruct_n") != std::string::npos);
            ++refused;
            continue;
        }
        CHECK((*guess)->uri.starts_with(path.ends_with(".faiss") ? "faiss:" : "hnswlib:"));
        auto source = r.try_open_source((*guess)->uri);
        REQUIRE(source);
        CHECK(records_of(*source, 100)->size() == source->describe()->records);
        ++opened;
    }
    CHECK(opened == 23);
    CHECK(refused == 1);
}

TEST_CASE("a folder that LangChain saved is recognised; a docstore that is none is a loss") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    vicinal_test::temporary_directory const dir;
    (void)dir.file("index.faiss", bytes_of(folder + "/flat_l2.faiss"));
    auto const r = graphs();
    auto const alone = *backend::try_recognise(r, dir.path(""));
    REQUIRE(alone);
    CHECK(r.try_open_source(alone->uri)->describe()->losses.empty());
    (void)dir.file("index.pkl", "\x80\4.");
    auto const guess = *backend::try_recognise(r, dir.path(""));
    REQUIRE(guess);
    CHECK(guess->what == "a FAISS folder of LangChain");
    auto source = r.try_open_source(guess->uri);
    REQUIRE(source);
    auto const losses = source->describe()->losses;
    REQUIRE(losses.size() == 1);
    CHECK(losses[0].find("docstore") != std::string::npos);
    CHECK(records_of(*source)->at(999).id == "999");
}

TEST_CASE("parameters of an index's URI are checked") {
    auto const folder = shared_fixture("faiss-hnswlib");
    if (folder.empty()) return;
    auto const r = graphs();
    auto const code = [&r](std::string const& uri) {
        return r.try_open_source(uri).error().code();
    };
    auto const flat = "faiss:" + folder + "/flat_ip.faiss";
    auto const graph = "hnswlib:" + folder + "/hnswlib_l2.bin";
    CHECK(r.try_open_source(flat + "?metric=cosine")->describe()->metric == "cosine");
    CHECK(r.try_open_source(graph + "?metric=cosine&dim=16")->describe()->metric == "cosine");
    CHECK(code(flat + "?decode=yes") == errc::invalid_uri);
    CHECK(code(flat + "?dim=16") == errc::invalid_uri);
    CHECK(code(graph + "?dim=x") == errc::invalid_uri);
    CHECK(code(graph + "?dim=8") == errc::dimension_mismatch);
    CHECK(code("usearch:" + folder + "/flat_ip.faiss") == errc::foreign_file);
}

} // namespace graphs_scheme_test
