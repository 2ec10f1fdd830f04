// SPDX-License-Identifier: MIT
#include "contract/source.hpp"
#include "support/shared_fixture.hpp"
#include "support/source_records.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/backend/hdf5_scheme.hpp>
#include <vicinal/backend/look_at.hpp>
#include <vicinal/migrate/hdf5.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace hdf5_test {

using namespace vicinal;
using backend::hdf5_source;
using vicinal_test::records_of;
using vicinal_test::same_bits;
using vicinal_test::temporary_directory;

static_assert(basic_source<hdf5_source>);

namespace {

/// A file that is written by HDF5 itself.
class file {
public:
    explicit file(std::string const& path)
        : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose) {
        REQUIRE(file_);
    }

    template <class T>
    void add(char const* name, std::vector<hsize_t> const& shape, std::vector<T> const& values,
             hid_t stored, hid_t memory, hsize_t chunk = 0) const {
        vicinal::detail::hdf5_handle const space(
            H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
        vicinal::detail::hdf5_handle const list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        if (chunk > 0) {
            std::vector<hsize_t> const lengths = {chunk, shape[1]};
            H5Pset_chunk(list.id(), 2, lengths.data());
            H5Pset_shuffle(list.id());
            H5Pset_deflate(list.id(), 6);
        }
        vicinal::detail::hdf5_handle const set(
            H5Dcreate2(file_.id(), name, stored, space.id(), H5P_DEFAULT, list.id(), H5P_DEFAULT),
            H5Dclose);
        REQUIRE(set);
        REQUIRE(H5Dwrite(set.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    }
    void floats(char const* name, hsize_t rows, hsize_t dim, std::vector<float> const& values,
                hsize_t chunk = 0) const {
        add(name, {rows, dim}, values, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, chunk);
    }

    void attribute(char const* text, bool variable) const {
        vicinal::detail::hdf5_handle const type(H5Tcopy(H5T_C_S1), H5Tclose);
        H5Tset_size(type.id(), variable ? H5T_VARIABLE : std::string(text).size());
        vicinal::detail::hdf5_handle const space(H5Screate(H5S_SCALAR), H5Sclose);
        vicinal::detail::hdf5_handle const a(
            H5Acreate2(file_.id(), "distance", type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
            H5Aclose);
        REQUIRE(H5Awrite(a.id(), type.id(), variable ? static_cast<void const*>(&text) : text) >=
                0);
    }
    [[nodiscard]] hid_t id() const { return file_.id(); }

private:
    vicinal::detail::hdf5_handle file_;
};

template <class T>
errc code_of(result<T> const& r) {
    REQUIRE_FALSE(r);
    CAPTURE(r.error().message());
    return r.error().code();
}

} // namespace

TEST_CASE("a file of ann-benchmarks gives the rows of train and its metric") {
    temporary_directory const dir;
    auto const path = dir.path("words-2-angular.hdf5");
    for (bool const variable : {true, false}) {
        {
            file const f(path);
            f.floats("train", 3, 2, {1, 2, 3, 4, 5, -0.F});
            f.floats("test", 1, 2, {9, 8});
            f.add<std::int32_t>("neighbors", {1, 2}, {0, 1}, H5T_STD_I32LE, H5T_NATIVE_INT32);
            f.floats("distances", 1, 2, {0.5F, 1});
            f.attribute("angular", variable);
        }
        auto source = hdf5_source::try_open(path);
        REQUIRE(source);
        auto const said = source->describe();
        CHECK(said->metric == "cosine");
        CHECK(said->records == 3);
        CHECK(said->losses.size() == 3);
        vicinal_test::check_source_contract(
            *source, {{"0", {1, 2}, {}}, {"1", {3, 4}, {}}, {"2", {5, -0.F}, {}}});
        auto const test = records_of(hdf5_source::try_open(path, {.dataset = "test"}));
        REQUIRE(test);
        CHECK(same_bits(test->at(0).vector, {9, 8}));
        CHECK(hdf5_source::try_open(path, {.metric = "inner_product"})->describe()->metric ==
              "inner_product");
        CHECK(code_of(hdf5_source::try_open(path, {.dataset = "trian"})) == errc::not_found);
    }
}

TEST_CASE("packed chunks and every kind of number come out as they went in") {
    temporary_directory const dir;
    auto const path = dir.path("x.h5");
    constexpr hsize_t rows = 5000;
    constexpr hsize_t dim = 64;
    std::vector<float> values(rows * dim);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 977) / 7;
    {
        file const f(path);
        // Blocks of about a megabyte, whole chunks: 4096 rows would fit, 4200 are read at once.
        f.floats("chunks", rows, dim, values, 300);
        f.add<double>("doubles", {1, 3}, {0.1, 2, 1e300}, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE);
        f.add<std::int64_t>("integers", {1, 2}, {-3, (std::int64_t{1} << 53) + 1}, H5T_STD_I64BE,
                            H5T_NATIVE_INT64);
        f.add<std::uint8_t>("bytes", {1, 2}, {0, 255}, H5T_STD_U8LE, H5T_NATIVE_UINT8);
    }
    auto const all = records_of(hdf5_source::try_open(path, {.dataset = "chunks"}), 999);
    REQUIRE(all);
    REQUIRE(all->size() == rows);
    bool same = true;
    for (std::size_t i = 0; i < rows; ++i)
        same = same && same_bits(all->at(i).vector,
                                 {values.begin() + static_cast<std::ptrdiff_t>(i * dim),
                                  values.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim)});
    CHECK(same);

    auto doubles = hdf5_source::try_open(path, {.dataset = "doubles"});
    REQUIRE(doubles);
    auto some = records_of(*doubles);
    REQUIRE(some);
    CHECK(same_bits(some->at(0).vector, {0.1F, 2, std::numeric_limits<float>::infinity()}));
    CHECK(doubles->describe()->losses.back().starts_with("2 numbers"));
    some = records_of(hdf5_source::try_open(path, {.dataset = "integers"}));
    REQUIRE(some);
    CHECK(same_bits(some->at(0).vector, {-3, 9007199254740992.F}));
    some = records_of(hdf5_source::try_open(path, {.dataset = "bytes"}));
    REQUIRE(some);
    CHECK(same_bits(some->at(0).vector, {0, 255}));

    auto const unsure = hdf5_source::try_open(path);
    CHECK(code_of(unsure) == errc::invalid_argument);
    CHECK(unsure.error().message().find("bytes, chunks, doubles, integers") != std::string::npos);
}

TEST_CASE("a dataset in a group, ids beside the file, and a URI that names both") {
    temporary_directory const dir;
    auto const path = dir.path("x.h5");
    {
        file const f(path);
        vicinal::detail::hdf5_handle const group(
            H5Gcreate2(f.id(), "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
        f.floats("g/vectors", 2, 1, {7, 8});
        f.add<float>("row", {2}, {1, 2}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
    }
    CHECK(code_of(hdf5_source::try_open(path)) == errc::unsupported);
    CHECK(code_of(hdf5_source::try_open(path, {.dataset = "row"})) == errc::unsupported);
    backend::registry r;
    backend::add_hdf5(r);
    auto const guess = backend::try_recognise(r, path);
    REQUIRE(*guess);
    CHECK((*guess)->certainty == 100);
    auto source =
        r.try_open_source((*guess)->uri + "?dataset=g/vectors&ids=" + dir.file("ids", "a\nb\n"));
    REQUIRE(source);
    auto const all = records_of(*source);
    REQUIRE(all);
    CHECK(all->at(1).id == "b");
    CHECK(same_bits(all->at(1).vector, {8}));
    CHECK(code_of(r.try_open_source("hdf5:" + path + "?set=x")) == errc::invalid_uri);
}

TEST_CASE("what is no HDF5 file, or no whole one, is refused") {
    temporary_directory const dir;
    auto const path = dir.path("x.h5");
    file(path).floats("train", 100, 64, std::vector<float>(6400, 1.5F), 10);
    CHECK(code_of(hdf5_source::try_open(dir.path("absent"))) == errc::not_found);
    CHECK(code_of(hdf5_source::try_open(dir.file("text", "text"))) == errc::foreign_file);
    auto const whole = vicinal_test::bytes_of(path);
    CHECK(code_of(hdf5_source::try_open(dir.file("cut", whole.substr(0, whole.size() / 2)))) ==
          errc::corrupt_source);
    // The bytes of the packed chunks: the checks of zlib find the damage.
    auto bad = whole;
    for (std::size_t i = bad.size() / 2; i < bad.size(); ++i) bad[i] = '\x55';
    auto const got = records_of(hdf5_source::try_open(dir.file("bad", bad)));
    CHECK_FALSE(got);
}

} // namespace hdf5_test
