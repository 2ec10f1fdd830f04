// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace identity_test {

namespace {

using namespace vicinal;

/// One name for two element types, as a user's template would have it.
template <class T>
struct taxi {
    static constexpr std::string_view name = "taxi";
    static float distance(T const* a, T const* b, std::size_t dim) {
        T sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
        return static_cast<float>(sum);
    }
};

template <class T>
using taxi_store = store<taxi<T>, index::flat<>, storage::mmap>;

} // namespace

TEST_CASE("a store of doubles is not opened as one of floats", "[store]") {
    vicinal_test::temporary_directory directory;
    auto const path = directory.path("taxi.vicinal");
    {
        taxi_store<double> s{path, {.dim = 2}};
        s.upsert("a", {1.0, 1e-9});
        CHECK(s.get("a")->vector[1] == 1e-9);
        CHECK(s.search({0.0, 0.0}, {.k = 1})[0].distance == 1.0F);
    }
    auto const opened = taxi_store<float>::try_open(path);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == errc::element_mismatch);
    CHECK(opened.error().expected() == "element f32");
    CHECK(opened.error().got() == "a store with f64");
    CHECK(taxi_store<double>{path}.size() == 1);
}

TEST_CASE("the dimension is read back from the properties", "[store]") {
    using types = store<metric::cosine>;
    auto const p = detail::describe_types<types::metric_type, types::index_policy,
                                          types::payload_policy, types::id_type>(384);
    CHECK(detail::dim_of(p) == 384);
    CHECK(*p.find("metric") == "cosine");
    CHECK(detail::dim_of({{"dim", "no number"}}) == 0);
    CHECK(detail::dim_of({}) == 0);
}

} // namespace identity_test
