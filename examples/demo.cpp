// SPDX-License-Identifier: MIT
// needs: chroma
//
// From a directory that Chroma wrote to a durable vicinal store that answers filtered queries.
//
//     demo CHROMA_DIRECTORY STORE
//
// STORE is made anew at each run.
#include <vicinal/backend/chroma_directory.hpp>
#include <vicinal/migrate/migrate.hpp>
#include <vicinal/vicinal.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using namespace vicinal;
using words = store<metric::cosine, index::hnsw<>, storage::mmap>;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

bool migrate_words(std::string const& from, std::string const& to) {
    // Only what is a store goes: opening refuses anything else that is there.
    if (storage::mmap::space::inspect(to)) std::filesystem::remove_all(to);
    backend::chroma_directory source{from};
    words sink{to, {.dim = 100}};
    auto const report = migrate(
        source, sink,
        {.batch_size = 1000, .verify = verify::every_record, .on_progress = [](progress const& p) {
             if (p.at == progress::stage::copying)
                 std::printf("  %5llu records, %.2f s\n", static_cast<unsigned long long>(p.done),
                             p.seconds);
         }});
    std::printf("%llu records moved in %.2f s and verified in %.2f s: %s\n",
                static_cast<unsigned long long>(report.records), report.seconds,
                report.verify_seconds, report.ok() ? "every one is equal" : "SOME DIFFER");
    for (auto const& loss : report.losses) std::printf("note: %s\n", loss.c_str());
    return report.ok();
}

/// Prints the answer of the graph beside the exact one; gives the share of true neighbours in it.
double ask(words const& store, std::string const& word, std::string const& where) {
    auto const query = store.get(word)->vector;
    auto const hits = store.search(query, {.k = 6, .where = where});
    auto const exact = store.search(query, {.k = 6, .where = where, .exact = true});
    std::printf("\n%s%s%s\n", word.c_str(), where.empty() ? "" : ", where ", where.c_str());
    std::printf("  %-12s %-14s %-10s %s\n", "id", "document", "distance", "exact answer");
    std::size_t found = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        auto const record = *store.get(hits[i].id);
        std::printf("  %-12s %-14s %-10.4f %-12s %.4f\n", hits[i].id.c_str(),
                    record.payload["document"].get_if<std::string>()->c_str(),
                    static_cast<double>(hits[i].distance), exact[i].id.c_str(),
                    static_cast<double>(exact[i].distance));
        for (auto const& e : exact) found += e.id == hits[i].id ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(exact.size());
}

/// recall@10 over every tenth word of the store.
double measure_recall(words const& store) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    std::size_t row = 0;
    for (auto const& record : store.scan()) {
        if (row++ % 10 != 0) continue;
        auto const exact = store.search(record.vector, {.k = 10, .exact = true});
        for (auto const& hit : store.search(record.vector, {.k = 10}))
            for (auto const& e : exact) found += e.id == hit.id ? 1U : 0U;
        wanted += exact.size();
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
}

} // namespace

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: demo CHROMA_DIRECTORY STORE\n");
        return 2;
    }
    std::printf("Reading %s, a directory that Chroma wrote, without Chroma.\n", argv[1]);
    if (!migrate_words(argv[1], argv[2])) return 1;

    auto const start = std::chrono::steady_clock::now();
    words const store{argv[2]};
    std::printf("\n%s opened again in %.1f ms: %zu records, graph and all.\n", argv[2],
                milliseconds_since(start), store.size());

    double recall = 0;
    for (auto const* word : {"freedom", "mountain", "bread"}) {
        recall += ask(store, word, "");
        recall += ask(store, word, "length >= 6 and rank < 3000");
    }
    std::printf("\nrecall of these six answers: %.3f\n", recall / 6);
    std::printf("recall@10 over every tenth word: %.3f\n", measure_recall(store));
    return 0;
} catch (vicinal::error const& e) {
    std::fprintf(stderr, "demo: %s\n", e.what());
    return 1;
}
