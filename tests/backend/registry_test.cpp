// SPDX-License-Identifier: MIT
#include "contract/sink.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/jsonl_scheme.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/backend/vicinal_scheme.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/index/ivf.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/migrate/migrate.hpp>

#include <cstdint>
#include <filesystem>

namespace registry_test {

using namespace vicinal;
using namespace vicinal_test;

namespace {

using by_angle = store<metric::cosine, index::hnsw<>, storage::mmap>;
using by_angle_flat = store<metric::cosine, index::flat<>, storage::mmap>;
using by_distance = store<metric::squared_l2, index::flat<>, storage::mmap>;
using in_lists = store<metric::squared_l2, index::ivf<>, storage::mmap>;
using in_lists_of_vectors = store<metric::squared_l2, index::ivf_flat, storage::mmap>;
using numbered =
    store<metric::squared_l2, index::flat<>, storage::mmap, payload::none, std::uint64_t>;

backend::registry const& backends() {
    static backend::registry const all = [] {
        backend::registry r;
        r.add("vicinal", backend::vicinal_scheme<by_angle, by_angle_flat, by_distance, numbered,
                                                 in_lists, in_lists_of_vectors>());
        r.add("jsonl", backend::jsonl_scheme());
        return r;
    }();
    return all;
}

schema incoming(std::size_t dim, std::string metric) {
    schema s;
    s.dim = dim;
    s.metric = std::move(metric);
    return s;
}

template <class T>
error refusal(result<T> const& r) {
    REQUIRE_FALSE(r);
    return r.error();
}

bool says(error const& e, std::string const& text) {
    CAPTURE(e.message());
    return e.message().find(text) != std::string::npos;
}

} // namespace

TEST_CASE("each directory is opened as the type that it says it is", "[backend]") {
    temporary_directory const dir;
    auto const make = [&]<class Store>(std::type_identity<Store>, std::string const& name) {
        Store s{dir.path(name), {.dim = 3, .durability = durability::off}};
        if constexpr (std::same_as<typename Store::id_type, std::string>)
            s.upsert("1", {1, 2, 3}, {{"name", name}});
        else
            s.upsert(std::uint64_t{1}, {1, 2, 3});
    };
    make(std::type_identity<by_angle>(), "by_angle");
    make(std::type_identity<by_angle_flat>(), "by_angle_flat");
    make(std::type_identity<by_distance>(), "by_distance");
    // The same metric and index as by_distance; other ids and payload.
    make(std::type_identity<numbered>(), "numbered");
    for (auto const* name : {"by_angle", "by_angle_flat", "by_distance", "numbered"}) {
        CAPTURE(name);
        auto const uri = "vicinal:" + dir.path(name);
        auto const s = backends().open(uri);
        CHECK(s.size() == 1);
        CHECK(s.dim() == 3);
        CHECK(s.metric() == (std::string(name).starts_with("by_angle") ? "cosine" : "squared_l2"));
        auto const r = s.get("1");
        REQUIRE(r);
        CHECK(r->vector == std::vector<float>{1, 2, 3});
        if (std::string(name) != "numbered") CHECK(r->payload == fields{{"name", name}});
        // Beside that writer a second one is refused; a reader and a source are not.
        CHECK(refusal(backends().try_open(uri)).code() == errc::locked);
        CHECK(backends().open(uri, true).size() == 1);
        auto source = backends().open_source(uri);
        check_source_contract(source, {*r});
    }
}

TEST_CASE("a type that the program does not list is refused with both sides named", "[backend]") {
    temporary_directory const dir;
    { store<metric::inner_product, index::flat<>, storage::mmap>{dir.path("s"), {.dim = 3}}; }
    auto const e = refusal(backends().try_open("vicinal:" + dir.path("s")));
    CHECK(e.code() == errc::unsupported);
    CHECK(says(e, "cosine hnsw (sq8) with payload fields and string ids"));
    CHECK(says(e, "got inner_product flat (f32) with payload fields and string ids"));
    CHECK(says(refusal(backends().try_open_sink("vicinal:" + dir.path("n") + "?metric=angle",
                                                incoming(3, ""))),
               "got metric angle, index hnsw"));
    CHECK_FALSE(std::filesystem::exists(dir.path("n")));
}

TEST_CASE("parameters that contradict the directory are refused by what they are", "[backend]") {
    temporary_directory const dir;
    auto const uri = "vicinal:" + dir.path("s");
    { by_angle{dir.path("s"), {.dim = 3}}.upsert("a", {1, 2, 3}); }
    auto const any = incoming(3, "squared_l2");
    auto const check = [&](std::string const& parameters, errc code, std::string const& text) {
        CAPTURE(parameters);
        for (auto const& e : {refusal(backends().try_open(uri + parameters)),
                              refusal(backends().try_open_source(uri + parameters)),
                              refusal(backends().try_open_sink(uri + parameters, any)),
                              refusal(backends().try_open_sink(uri + parameters, any, true))}) {
            CHECK(e.code() == code);
            CHECK(says(e, text));
        }
    };
    check("?metric=squared_l2", errc::metric_mismatch,
          "metric squared_l2, got a store with cosine");
    check("?index=flat", errc::index_mismatch, "index flat, got a store with hnsw");
    check("?dim=4", errc::dimension_mismatch, "dim 4, got a store with 3");
    check("?dim=0", errc::invalid_uri, "dim=NUMBER");
    check("?dim=3x", errc::invalid_uri, "'dim=3x'");
    check("?dim=-3", errc::invalid_uri, "'dim=-3'");
    check("?codec=f32", errc::index_mismatch, "codec f32, got a store with sq8");
    check("?num_partitions=", errc::invalid_uri, "num_partitions=NUMBER");
    check("?colour=red", errc::invalid_uri, "metric, index, dim");
    // What agrees is welcome; a source of another metric is a loss, not an error.
    CHECK(backends().open(uri + "?metric=cosine&index=hnsw&dim=3").size() == 1);
    auto sink = backends().open_sink(uri, any);
    REQUIRE(sink.losses(any).size() == 1);
    CHECK(sink.losses(any)[0].find("squared_l2") != std::string::npos);
    CHECK(sink.count().value() == 1);
}

TEST_CASE("a URI names an index of lists, its codec and how many", "[backend]") {
    temporary_directory const dir;
    auto const all = make_records(2500, 4);
    auto const made = [&](std::string const& name, std::string const& parameters) {
        auto const uri = "vicinal:" + dir.path(name);
        auto sink = backends().open_sink(uri + "?index=ivf&metric=squared_l2" + parameters,
                                         incoming(4, "cosine"));
        sink.begin(incoming(4, "cosine")).value();
        sink.write(all).value();
        sink.finish().value();
        // What it was made with stays, whatever a later URI says.
        return backends().open(uri + "?num_partitions=7", true);
    };
    auto const some = made("some", "&num_partitions=30");
    // And some that were large enough to be split.
    CHECK(some.stats().partitions >= 30);
    CHECK(some.stats().partitions < 36);
    CHECK(some.stats().bytes.codes > 0);
    CHECK(some.search(all[9].vector, {.k = 1, .effort = 30})[0].id == all[9].id);
    auto const suiting = made("suiting", "&codec=f32");
    CHECK(suiting.stats().partitions >= 39);
    CHECK(suiting.stats().partitions < 47);
    CHECK(suiting.stats().bytes.codes == 0);
    auto const refused = [&](std::string const& parameters) {
        return refusal(
            backends().try_open_sink("vicinal:" + dir.path("n") + parameters, incoming(4, "")));
    };
    auto const other = refused("?index=ivf&metric=squared_l2&codec=pq8x8");
    CHECK(other.code() == errc::unsupported);
    CHECK(says(other, "squared_l2 ivf (f32) with payload fields"));
    CHECK(says(other, "got metric squared_l2, index ivf, codec pq8x8"));
    CHECK(says(refused("?index=flat&metric=squared_l2&num_partitions=9"), "index=ivf alone"));
    CHECK(says(refused("?metric=cosine&num_partitions=99999999999999999999"), "num_partitions="));
    CHECK(says(refused("?index=ivf&metric=squared_l2&num_partitions=99999999"), "2^24"));
    CHECK_FALSE(std::filesystem::exists(dir.path("n")));
}

TEST_CASE("a new store takes what the URI leaves open from what comes in", "[backend]") {
    temporary_directory const dir;
    auto const uri = "vicinal:" + dir.path("s");
    CHECK(refusal(backends().try_open(uri)).code() == errc::not_found);
    CHECK(refusal(backends().try_open_source(uri)).code() == errc::not_found);
    CHECK(says(refusal(backends().try_open_sink(uri, incoming(3, ""))), "metric=squared_l2"));
    CHECK(says(refusal(backends().try_open_sink(uri, incoming(0, "cosine"))), "dim=NUMBER"));
    CHECK_FALSE(std::filesystem::exists(dir.path("s")));
    {
        auto dry = backends().open_sink(uri + "?dim=3", incoming(0, "cosine"), true);
        auto const zeros = std::vector<record>{{"a", {0, 0, 0}, {}}};
        CHECK(dry.check(zeros).error().code() == errc::zero_vector);
        CHECK(refusal(backends().try_open_sink(uri + "?metric=angle", incoming(3, ""), true))
                  .code() == errc::unsupported);
    }
    CHECK_FALSE(std::filesystem::exists(dir.path("s")));
    { static_cast<void>(backends().open_sink(uri, incoming(3, "cosine"))); }
    CHECK(by_angle(dir.path("s")).dim() == 3);
    {
        auto sink = backends().open_sink(
            "vicinal:" + dir.path("t") + "?metric=squared_l2&index=flat", incoming(5, "cosine"));
        check_sink_contract(sink);
    }
    CHECK(by_distance(dir.path("t")).size() == 51);
    // A dry run into a store that is there opens it beside its writer and changes nothing.
    by_distance writer{dir.path("t")};
    auto dry = backends().open_sink("vicinal:" + dir.path("t"), incoming(5, ""), true);
    CHECK(dry.check(incoming(4, "")).error().code() == errc::dimension_mismatch);
    CHECK(dry.check(incoming(5, "")));
}

TEST_CASE("unknown schemes and impossible wishes are refused by name", "[backend]") {
    temporary_directory const dir;
    auto e = refusal(backends().try_open("pinecone:x"));
    CHECK(e.code() == errc::invalid_uri);
    CHECK(says(e, "a scheme of jsonl, vicinal, got 'pinecone'"));
    e = refusal(backends().try_open("jsonl:x"));
    CHECK(e.code() == errc::unsupported);
    CHECK(says(e, "a scheme that can be searched, got 'jsonl'"));
    CHECK(refusal(backends().try_open_source("jsonl:" + dir.path("x"))).code() == errc::not_found);
    CHECK(says(refusal(backends().try_open_source("jsonl:x?dim=3")), "no parameters for jsonl:"));
    CHECK(says(refusal(backend::registry().try_open("a:b")), "none: the program added none"));
    CHECK_THROWS_AS(backends().open("pinecone:x"), error);
    CHECK_THROWS_AS(backends().open_source("pinecone:x"), error);
    CHECK_THROWS_AS(backends().open_sink("pinecone:x", {}), error);
}

TEST_CASE("a program adds schemes of its own", "[backend]") {
    backend::registry r;
    backend::scheme own;
    own.source = [](backend::uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"n"}));
        if (u.path() != "list") return error{errc::not_found, "list", u.path()};
        return any_source(list_source(make_records(std::stoul(u.get("n", "5")), 3)));
    };
    r.add("own", own);
    r.add("jsonl", backend::jsonl_scheme());
    auto source = r.open_source("own:list?n=20");
    check_source_contract(source, make_records(20, 3));
    CHECK(refusal(r.try_open_source("own:other")).code() == errc::not_found);
    auto const e = refusal(r.try_open_sink("own:list", {}));
    CHECK(e.code() == errc::unsupported);
    CHECK(says(e, "be written"));
    CHECK(says(refusal(r.try_open_sink("own:list", {}, true)), "be tried without writing"));

    temporary_directory const dir;
    auto sink = r.open_sink("jsonl:" + dir.path("a %3f.jsonl"), {});
    CHECK(migrate(source, sink).written == 20);
    CHECK(std::filesystem::exists(dir.path("a ?.jsonl")));
    // A scheme of the same name takes the place of the first.
    r.add("own", {});
    CHECK(refusal(r.try_open_source("own:list")).code() == errc::unsupported);
}

} // namespace registry_test
