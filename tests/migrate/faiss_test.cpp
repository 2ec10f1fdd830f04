// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/migrate/graphs/faiss.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace faiss_test {

using namespace vicinal;
using backend::faiss_source;
using vicinal_test::bytes_of;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::shared_fixture;

static_assert(basic_source<faiss_source>);

namespace {

constexpr std::size_t dim = 16;

struct fixtures {
    fixtures() : folder(shared_fixture("faiss-hnswlib")) {
        if (folder.empty()) return;
        auto const raw = bytes_of(folder + "/vectors.f32");
        vectors.resize(raw.size() / (dim * sizeof(float)), std::vector<float>(dim));
        for (std::size_t i = 0; i < vectors.size(); ++i)
            std::memcpy(vectors[i].data(), raw.data() + i * dim * sizeof(float),
                        dim * sizeof(float));
    }
    [[nodiscard]] std::string path(std::string const& name) const {
        return folder + "/" + name + ".faiss";
    }
    /// The row that a record was made of: ids are positions or 1,000,000,007 times one more.
    [[nodiscard]] static std::size_t row_of(record const& r) {
        auto const id = std::stoull(r.id);
        return static_cast<std::size_t>(id >= 1'000'000'007 ? id / 1'000'000'007 - 1 : id);
    }
    /// The mean of the squared differences of elements, and that each row is there once.
    [[nodiscard]] double mean_error(std::vector<record> const& all) const {
        std::vector<bool> seen(vectors.size());
        double sum = 0;
        for (auto const& r : all) {
            auto const row = row_of(r);
            REQUIRE(row < vectors.size());
            REQUIRE(!seen[row]);
            seen[row] = true;
            REQUIRE(r.vector.size() == dim);
            for (std::size_t i = 0; i < dim; ++i) {
                double const d = double{r.vector[i]} - double{vectors[row][i]};
                sum += d * d;
            }
        }
        return sum / static_cast<double>(all.size() * dim);
    }

    std::string folder;
    std::vector<std::vector<float>> vectors;
};

} // namespace

TEST_CASE("faiss indexes of floats give ids and vectors bit for bit") {
    fixtures const f;
    if (f.folder.empty()) return;
    struct expected {
        std::string metric;
        std::size_t rows;
    };
    std::map<std::string, expected> const files = {
        {"flat_l2", {"squared_l2", 1000}},
        {"flat_ip", {"inner_product", 1000}},
        {"flat_l1", {"l1", 1000}},
        {"flat_empty", {"squared_l2", 0}},
        {"hnsw_flat", {"squared_l2", 1000}},
        {"idmap_flat", {"squared_l2", 1000}},
        {"idmap2_flat", {"squared_l2", 1000}},
        {"idmap_hnsw", {"inner_product", 1000}},
        {"ivf_flat", {"squared_l2", 1000}},
        {"ivf_flat_ip", {"inner_product", 1000}},
        {"ivf_flat_sparse", {"squared_l2", 3}},
    };
    for (auto const& [name, wanted] : files) {
        CAPTURE(name);
        auto source = faiss_source::try_open(f.path(name));
        REQUIRE(source);
        auto const said = source->describe();
        CHECK(said->dim == dim);
        CHECK(said->records == wanted.rows);
        CHECK(said->metric == wanted.metric);
        CHECK(said->losses.empty());
        auto const all = records_of(*source, 300);
        REQUIRE(all);
        REQUIRE(all->size() == wanted.rows);
        bool const own_ids = name.starts_with("idmap") || name.starts_with("ivf");
        for (auto const& r : *all) {
            REQUIRE(same_bits(r.vector, f.vectors.at(fixtures::row_of(r))));
            REQUIRE((std::stoull(r.id) >= 1'000'000'007) == own_ids);
        }
        CHECK((all->empty() || f.mean_error(*all) == 0)); // each row once
        REQUIRE(source->rewind());
        CHECK(records_of(*source)->size() == wanted.rows);
    }
    CHECK(faiss_source::try_open(f.path("flat_ip"), {.metric = "cosine"})->describe()->metric ==
          "cosine");
}

TEST_CASE("numbers that faiss keeps in 16 bits are read, and that they were rounded is said") {
    fixtures const f;
    if (f.folder.empty()) return;
    auto source = faiss_source::try_open(f.path("sqfp16"));
    REQUIRE(source);
    auto const losses = source->describe()->losses;
    REQUIRE(losses.size() == 1);
    CHECK(losses[0].find("16 bits") != std::string::npos);
    auto const all = records_of(*source);
    REQUIRE(all);
    for (std::size_t row = 0; row < all->size(); ++row)
        for (std::size_t i = 0; i < dim; ++i)
            REQUIRE(all->at(row).vector[i] ==
                    detail::half_to_float(detail::float_to_half(f.vectors[row][i])));
}

TEST_CASE("vectors that faiss has scaled to length 1 are read for cosine") {
    fixtures const f;
    if (f.folder.empty()) return;
    auto source = faiss_source::try_open(f.path("l2norm_flat"));
    REQUIRE(source);
    CHECK(source->describe()->metric == "cosine");
    REQUIRE(source->describe()->losses.size() == 1);
    CHECK(source->describe()->losses[0].find("length 1") != std::string::npos);
    auto const all = records_of(*source);
    REQUIRE(all);
    for (std::size_t row = 0; row < all->size(); ++row) {
        double length = 0;
        for (float const x : f.vectors[row]) length += double{x} * double{x};
        for (std::size_t i = 0; i < dim; ++i)
            REQUIRE(all->at(row).vector[i] ==
                    Approx(double{f.vectors[row][i]} / std::sqrt(length)).margin(1e-6));
    }
}

TEST_CASE("codes in faiss indexes are refused, or decoded where that is asked for") {
    fixtures const f;
    if (f.folder.empty()) return;
    // Mean squared errors from the reader that stands beside the fixtures; PCA's from its
    // eigenvalues: half of 16 dimensions of variance about 1 are gone.
    std::map<std::string, double> const files = {
        {"sq8", 0.00005299}, {"hnsw_sq8", 0.00005299}, {"ivf_sq8", 0.00004126},
        {"pq", 0.31708436},  {"ivf_pq", 0.24099348},   {"pca8_flat", 0.44},
    };
    for (auto const& [name, error] : files) {
        CAPTURE(name);
        auto const refused = faiss_source::try_open(f.path(name));
        REQUIRE(!refused);
        CHECK(refused.error().code() == errc::unsupported);
        CHECK(refused.error().message().find("decode=1") != std::string::npos);
        auto source = faiss_source::try_open(f.path(name), {.decode = true});
        REQUIRE(source);
        CHECK(source->describe()->dim == dim);
        REQUIRE(source->describe()->losses.size() == 1);
        CHECK(source->describe()->losses[0].find("not the same") != std::string::npos);
        auto const all = records_of(*source);
        REQUIRE(all);
        REQUIRE(all->size() == 1000);
        CHECK(f.mean_error(*all) == Approx(error).epsilon(name == "pca8_flat" ? 0.1 : 1e-3));
    }
    CHECK(faiss_source::try_open(f.path("lsh"), {.decode = true}).error().code() ==
          errc::unsupported);
}

TEST_CASE("what is no faiss index, or no whole one, is refused") {
    fixtures const f;
    if (f.folder.empty()) return;
    vicinal_test::temporary_directory const dir;
    auto const code = [&dir](std::string const& bytes) {
        auto const source = faiss_source::try_open(dir.file("x.faiss", bytes));
        REQUIRE(!source);
        CHECK(source.error().message().find("x.faiss") != std::string::npos);
        return source.error().code();
    };
    auto const flat = bytes_of(f.path("flat_l2"));
    CHECK(code("") == errc::corrupt_source);
    CHECK(code("{\"id\": 1}") == errc::foreign_file);
    CHECK(code("IwPf" + flat.substr(4)) == errc::unsupported);
    CHECK(code("IBxF" + flat.substr(4)) == errc::unsupported);
    CHECK(code(flat.substr(0, flat.size() - 1)) == errc::corrupt_source);
    CHECK(code(flat + "x") == errc::corrupt_source);
    auto more = flat;
    more[8] = '\x01'; // rows: 1000 becomes another number
    CHECK(code(more) == errc::corrupt_source);
    // Id maps in each other, each of no vectors, up to the limit and beyond.
    auto const empty = bytes_of(f.path("flat_empty"));
    auto nested = empty;
    for (int depth = 1; depth <= 9; ++depth) {
        nested = "IxMp" + empty.substr(4, 33) + nested + std::string(8, '\0');
        if (depth <= 8)
            CHECK(faiss_source::try_open(dir.file("n.faiss", nested)));
        else
            CHECK(code(nested) == errc::limit_exceeded);
    }
}

TEST_CASE("damaged faiss indexes are read or refused, never more") {
    fixtures const f;
    if (f.folder.empty()) return;
    vicinal_test::temporary_directory const dir;
    for (std::string const name :
         {"idmap_hnsw", "ivf_flat_sparse", "ivf_sq8", "ivf_pq", "pca8_flat", "pq", "hnsw_sq8"})
        vicinal_test::damaged(bytes_of(f.path(name)), 150, 3, [&dir](std::string const& bad) {
            auto const path = dir.file("x.faiss", bad);
            auto const got = records_of(faiss_source::try_open(path, {.decode = true}));
            if (got) CHECK(got->size() <= 1000);
        });
}

} // namespace faiss_test
