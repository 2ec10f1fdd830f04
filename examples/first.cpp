// SPDX-License-Identifier: MIT
// The first program of the README. `embed` stands for your model; here it counts runs of letters.
#include <vicinal/vicinal.hpp>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string_view>
#include <vector>

// FNV-1a: the output below is compared, and std::hash differs between libraries.
static std::size_t hash(std::string_view text) {
    std::uint32_t h = 2166136261U;
    for (char const c : text) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
    return h;
}

static std::vector<float> embed(std::string_view text) {
    std::vector<float> v(384);
    for (std::size_t i = 0; i + 2 < text.size(); ++i)
        for (std::size_t n = 1; n <= 3; ++n) v[hash(text.substr(i, n)) % v.size()] += 1;
    return v;
}

// [readme]
using namespace vicinal;

int main() {
    store<metric::cosine, index::hnsw<>, storage::mmap> docs{"docs.vicinal", {.dim = 384}};

    docs.upsert("readme", embed("how to install"), {{"category", "guide"}, {"year", 2024}});
    docs.upsert("faq", embed("installation problems"), {{"category", "guide"}, {"year", 2021}});
    docs.upsert("news", embed("a new installation"), {{"category", "blog"}, {"year", 2024}});

    for (auto const& hit : docs.search(embed("installation"),
                                       {.k = 10, .where = "category = 'guide' and year >= 2023"}))
        std::cout << hit.id << "  " << hit.distance << '\n';
}
