// SPDX-License-Identifier: MIT
// The stores that every later version must be able to read: their types and records. A store that
// is released is not changed here; a new one is added, and ./dev golden writes its files.
#ifndef VICINAL_TESTS_GOLDEN_STORES_HPP
#define VICINAL_TESTS_GOLDEN_STORES_HPP

#include "support/random.hpp"

#include <vicinal/codec/f32.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace golden {

using namespace vicinal;

constexpr std::size_t dim = 6;

/// Records by the text of their ids, as they are at the end.
using truth = std::map<std::string, record>;

[[nodiscard]] inline fields payload_of(std::size_t n) {
    if (n % 5 == 4) return {};
    return {{"n", static_cast<std::int64_t>(n) - 20},
            {"real", static_cast<double>(n) / 8},
            {"text", "t" + std::string(n % 9, '-') + "\xc3\xa9"},
            {"even", n % 2 == 0},
            {"none", nullptr},
            {"tags", {"all", n % 3 == 0 ? "fizz" : "none"}}};
}

template <class Store>
struct script {
    using id = typename Store::id_type;
    static constexpr bool has_fields =
        std::is_same_v<typename Store::payload_policy, payload::fields>;

    [[nodiscard]] static id id_of(std::size_t n) {
        if constexpr (std::is_same_v<id, std::string>)
            return "golden-" + std::string(n % 4, 'x') + std::to_string(n);
        else
            return static_cast<id>(n * 1'000'000'007);
    }
    [[nodiscard]] static std::string text_of(std::size_t n) {
        if constexpr (std::is_same_v<id, std::string>)
            return id_of(n);
        else
            return std::to_string(id_of(n));
    }

    /// Calls upsert(n, vector), erase(n) and checkpoint() in the order in which the files were
    /// written: 60 records, some replaced, two erased; behind the checkpoint six more writes.
    template <class Upsert, class Erase, class Checkpoint>
    static void run(Upsert const& upsert, Erase const& erase, Checkpoint const& checkpoint) {
        vicinal_test::generator r(2026);
        for (std::size_t n = 0; n < 60; ++n) upsert(n, r.vector(dim));
        for (std::size_t n = 0; n < 60; n += 11) upsert(n, r.vector(dim));
        erase(5);
        erase(6);
        checkpoint();
        for (std::size_t n = 60; n < 64; ++n) upsert(n, r.vector(dim));
        erase(10);
        upsert(12, r.vector(dim));
    }

    [[nodiscard]] static truth expected() {
        truth all;
        run(
            [&](std::size_t n, std::vector<float> v) {
                all[text_of(n)] = {text_of(n), std::move(v), has_fields ? payload_of(n) : fields()};
            },
            [&](std::size_t n) { all.erase(text_of(n)); }, [] {});
        return all;
    }
};

template <class Metric, class Index, class Payload = payload::fields, class Id = std::string>
struct described {
    using store = vicinal::store<Metric, Index, storage::mmap, Payload, Id>;
    char const* name;
    /// Closed in order, or as a killed writer leaves it.
    bool closed;
    /// With indexes on fields: three that the snapshot has, and one that only the log knows.
    bool indexed = false;
};

/// Calls each(described) for every store.
template <class Each>
void for_each(Each const& each) {
    each(described<metric::squared_l2, index::flat<>>{"flat-l2", true});
    each(described<metric::inner_product, index::flat<codec::sq8>, payload::fields, std::uint64_t>{
        "flat-sq8-ip-u64", false});
    each(described<metric::cosine, index::hnsw<codec::sq8>>{"hnsw-sq8-cosine", true});
    each(described<metric::squared_l2, index::hnsw<codec::f32>, payload::none>{"hnsw-f32-l2-none",
                                                                               false});
    each(described<metric::squared_l2, index::flat<>>{"flat-l2-fields", false, true});
}

} // namespace golden

#endif
