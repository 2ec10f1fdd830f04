// SPDX-License-Identifier: MIT
// A store through its try_ twins alone, built with -fno-exceptions -fno-rtti.
#include "check.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace vicinal;

template <class Store>
void use(Store s) {
    VICINAL_EXPECT(s.try_upsert("a", {1, 2, 3}, {{"year", 2024}}));
    std::vector<typename Store::record> const batch{{"b", {3, 2, 1}, {{"year", 1999}}},
                                                    {"c", {1, 1, 1}, {}}};
    VICINAL_EXPECT(s.try_upsert(batch));
    VICINAL_EXPECT(s.size() == 3);

    auto const hits = s.try_search({1, 2, 3}, {.k = 5, .where = "year > 2000"});
    VICINAL_EXPECT(hits && hits->size() == 1 && hits->front().id == "a");
    auto const got = s.try_get("b");
    VICINAL_EXPECT(got && got->has_value() && (*got)->vector == std::vector<float>({3, 2, 1}));

    VICINAL_EXPECT(s.try_upsert("d", {1}).error().code() == errc::dimension_mismatch);
    VICINAL_EXPECT(s.try_search({1, 2, 3}, {.where = "year >"}).error().code() ==
                   errc::invalid_filter);

    auto scan = s.try_scan();
    VICINAL_EXPECT(scan);
    std::string ids;
    for (;;) {
        auto next = scan.value().try_next();
        VICINAL_EXPECT(next);
        if (!next.value()) break;
        ids += next.value()->id;
    }
    VICINAL_EXPECT(ids == "abc");
    VICINAL_EXPECT(s.try_update_payload("c", {{"year", 2001}}).value());
    VICINAL_EXPECT(s.try_merge_payload("c", {{"month", 5}}).value());
    VICINAL_EXPECT(s.try_count("year > 2000").value() == 2);
    auto const page = s.try_select({.order_by = "year", .limit = 2});
    VICINAL_EXPECT(page && page->records.size() == 2 && page->records[1].id == "c");
    VICINAL_EXPECT(s.try_facets("year").value().size() == 3);
    VICINAL_EXPECT(s.try_search_groups({1, 2, 3}, {.by = "year"}).value().size() == 3);
    VICINAL_EXPECT(s.try_search_within({1, 2, 3}, 1e9).value().size() == 3);
    VICINAL_EXPECT(s.try_search_like({.positive = {"a"}}).value().size() == 2);
    auto other = s.scope("namespace", "other");
    VICINAL_EXPECT(other.try_upsert("e", {1, 2, 3}) && other.try_count().value() == 1);
    VICINAL_EXPECT(other.try_upsert("a", {1, 2, 3}).error().code() == errc::duplicate_id);
    VICINAL_EXPECT(other.try_erase_where("").value() == 1);
    VICINAL_EXPECT(s.try_erase("a").value());
    VICINAL_EXPECT(!s.try_erase("a").value());
    if constexpr (Store::storage_policy::durable) VICINAL_EXPECT(s.try_checkpoint());
    VICINAL_EXPECT(s.try_compact());
    VICINAL_EXPECT(s.try_clear());
    VICINAL_EXPECT(s.empty());
}

} // namespace

int main() {
    static_assert(VICINAL_EXCEPTIONS == 0);
    using in_memory = store<metric::cosine>;
    auto s = in_memory::try_open({.dim = 3});
    VICINAL_EXPECT(s);
    use(std::move(s).value());
    VICINAL_EXPECT(!in_memory::try_open({}));

    using numbered =
        store<metric::squared_l2, index::flat<>, storage::memory, payload::none, std::uint32_t>;
    auto n = numbered::try_open({.dim = 1});
    VICINAL_EXPECT(n && n->try_upsert(7, {1}) && n->try_contains(7).value());

    char directory[] = "/tmp/vicinal-noexcept-XXXXXX";
    VICINAL_EXPECT(::mkdtemp(directory));
    auto const path = std::string(directory) + "/store";
    using mapped = store<metric::squared_l2, index::hnsw<>, storage::mmap>;
    auto m = mapped::try_open(path, {.dim = 3});
    VICINAL_EXPECT(m);
    use(std::move(m).value());
    VICINAL_EXPECT(mapped::try_open(path).value().empty());
    VICINAL_EXPECT(std::system(("rm -r " + std::string(directory)).c_str()) == 0);
}
