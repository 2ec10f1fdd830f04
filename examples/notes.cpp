// SPDX-License-Identifier: MIT
// The user's own struct as payload: docs/payload.md. The vectors stand for those of your model.
#include <vicinal/vicinal.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace vicinal;

struct note {
    int year = 0;
    std::string title;
    std::vector<std::string> tags;
    using members = vicinal::members<&note::year, &note::title, &note::tags>;
};

int main() {
    store<metric::cosine, index::hnsw<>, storage::memory, payload::record<note>> docs{{.dim = 2}};

    docs.upsert("a", {1.0F, 0.0F}, {2024, "On walks", {"ml", "graphs"}});
    docs.upsert("b", {0.9F, 0.1F}, {2021, "On hashes", {"ml"}});
    docs.upsert("c", {0.8F, 0.2F}, {2023, "On tiles", {"hardware"}});

    // Each of these is checked by the compiler.
    std::vector<filter> const conditions{where<"year >= 2023 and tags contains 'ml'">,
                                         where<&note::year>() < 2024,
                                         where_of<note, "title starts_with 'On'">};
    for (auto const& condition : conditions) {
        std::cout << condition.print() << ':';
        for (auto const& hit : docs.search({1.0F, 0.0F}, {.k = 3, .where = condition}))
            std::cout << ' ' << docs.get(hit.id)->payload.title << ',';
        std::cout << '\n';
    }
}
