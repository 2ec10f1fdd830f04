// SPDX-License-Identifier: MIT
#include "catch.hpp"

#include <vicinal/index/scratch.hpp>

namespace scratch_test {

namespace indexes = vicinal::index;

TEST_CASE("a visited set marks each node once until it is reset", "[index]") {
    indexes::visited_set seen;
    seen.reset(130);
    for (std::uint32_t const n : {0U, 63U, 64U, 129U}) {
        CHECK(seen.mark(n));
        CHECK_FALSE(seen.mark(n));
    }
    CHECK(seen.mark(65));
    seen.reset(130);
    CHECK(seen.mark(64));
}

TEST_CASE("scratch that is given back is used again; two at a time are two", "[index]") {
    indexes::scratch_pool pool;
    indexes::scratch* first = nullptr;
    {
        auto a = pool.take();
        auto b = pool.take();
        first = &*a;
        CHECK(&*a != &*b);
    }
    auto c = pool.take();
    auto d = pool.take();
    CHECK(((&*c == first) || (&*d == first)));
}

} // namespace scratch_test
