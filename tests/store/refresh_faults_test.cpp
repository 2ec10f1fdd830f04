// SPDX-License-Identifier: MIT
// A reader whose refresh fails anywhere stays at a state that there was, and gets on the next time.
#include "contract/store.hpp"
#include "storage/faulty.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace refresh_faults_test {

using namespace vicinal_test;
using scratch::faulty;

namespace {

using plain =
    vicinal::store<vicinal::metric::squared_l2, vicinal::index::flat<>, vicinal::storage::mmap>;
using watched = vicinal::store<vicinal::metric::squared_l2, vicinal::index::flat<>,
                               vicinal::storage::basic_mmap<faulty>>;

} // namespace

TEST_CASE("a refresh in which any call fails leaves the reader whole", "[store]") {
    for (bool const new_generation : {false, true}) {
        long most = 0;
        for (long n = 0; n == 0 || n <= most; ++n) {
            faulty::reset();
            temporary_directory const dir;
            auto const path = dir.path("docs");
            plain writer{path, {.dim = 2, .durability = vicinal::durability::off}};
            writer.upsert("a", {1, 2}, {{"n", 1}});
            watched reader{path, {.read_only = true}};
            writer.upsert("b", {3, 4}, {{"n", 2}});
            writer.erase("a");
            if (new_generation) writer.checkpoint();
            writer.update_payload("b", {{"n", 7}});
            writer.upsert("c", {5, 6}, {{"n", 3}});
            auto const before = faulty::world.calls;
            if (n != 0) faulty::world.fail_at = before + n;
            auto const moved = reader.try_refresh();
            faulty::world.fail_at = 0;
            if (n == 0) {
                most = faulty::world.calls - before;
                REQUIRE(most >= 4);
            }
            CAPTURE(new_generation, n);
            // After each batch there was a state.
            bool const a = reader.contains("a");
            bool const b = reader.contains("b");
            bool const c = reader.contains("c");
            REQUIRE(((a && !b && !c) || (a && b && !c) || (!a && b && !c) || (!a && b && c)));
            if (moved && *moved) REQUIRE(c);
            for (auto const& hit : reader.search({0, 0}, {.k = 5}))
                REQUIRE(reader.contains(hit.id));
            REQUIRE(reader.try_refresh());
            REQUIRE(reader.size() == 2);
            REQUIRE(reader.get("b")->payload == vicinal::fields{{"n", 7}});
            REQUIRE(reader.get("c")->vector == std::vector<float>{5, 6});
            REQUIRE(reader.verify().ok());
        }
    }
}

} // namespace refresh_faults_test
