// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_STORES_HPP
#define VICINAL_TESTS_SUPPORT_STORES_HPP

#include "support/temporary_directory.hpp"

#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/storage/file.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <optional>
#include <string>
#include <utility>

namespace vicinal_test {

/// A store for a test: in a directory of its own if it is durable.
template <class Store>
class test_store {
public:
    static constexpr bool durable = Store::storage_policy::durable;

    explicit test_store(typename Store::options options) : options_(std::move(options)) {
        options_.durability = vicinal::durability::off;
        open();
    }

    [[nodiscard]] Store& operator*() { return *store_; }
    [[nodiscard]] Store* operator->() { return &*store_; }
    [[nodiscard]] std::string path() const { return directory_.path("store"); }

    /// Closes and opens it; a store in memory goes on.
    void reopen() {
        if constexpr (durable) {
            store_.reset();
            open();
        }
    }

private:
    void open() {
        if constexpr (durable)
            store_.emplace(path(), options_);
        else
            store_.emplace(options_);
    }

    temporary_directory directory_;
    typename Store::options options_;
    std::optional<Store> store_;
};

} // namespace vicinal_test

/// What tests of stores call the parts of one.
namespace vicinal_test::names {

using vicinal::store;
namespace metric = vicinal::metric;
namespace storage = vicinal::storage;
namespace payload = vicinal::payload;
using flat = vicinal::index::flat<>;
using hnsw = vicinal::index::hnsw<>;

} // namespace vicinal_test::names

#endif
