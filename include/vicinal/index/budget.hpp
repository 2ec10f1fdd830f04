// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_BUDGET_HPP
#define VICINAL_INDEX_BUDGET_HPP

#include <vicinal/core/error.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/index/ivf/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

/// Which index, codec and storage fit into so much memory.
namespace vicinal::inline VICINAL_ABI {

/// What a store is to hold, and in how much memory.
struct budget {
    std::uint64_t rows = 0;
    /// Floats of a vector.
    std::size_t dim = 0;
    /// Bytes of memory for vectors, codes and graph. Ids and payloads come on top.
    std::uint64_t bytes = 0;
    /// The wanted recall among the ten nearest.
    double recall = 0.95;
    /// Whether vectors may be given back as what their codes stand for (codec::only), so that none
    /// is stored.
    bool codes_alone = false;
};

/// A way to hold it.
struct budget_plan {
    /// As users type them: the store's index, and its storage.
    std::string_view index;
    std::string_view storage;
    /// Bytes of memory that searches read, and bytes on the disk beside them.
    std::uint64_t memory = 0;
    std::uint64_t disk = 0;
    /// The recall that it comes to: where exact vectors are compared, whatever effort is taken for;
    /// of codes alone what they came to at most on the worst of three data sets.
    double recall = 1;
    /// What it gives up.
    std::string_view cost;
};

/// All ways that there are, the fastest first, whether or not they fit.
///
/// Bytes are exact for 16 links a node (`.neighbours`), and about so for 2 sqrt(rows) lists. The
/// recalls of codes alone are those of
/// the ten nearest of 50,000 SIFT descriptors (128 elements, squared L2), of 5,841 embeddings of
/// sentences (384, cosine) and of 50,000 images of clothes (784): the least of the three, which is
/// that of the least dimension. Other data may lie lower or higher: tune() and a search with
/// `.exact` tell. Below 64 elements codes of less than a byte are not advised.
template <class Plans = std::vector<budget_plan>>
[[nodiscard]] Plans budget_plans(budget const& b) {
    struct way {
        std::string_view index;
        std::string_view storage;
        /// Bits of a code an element, whether rounded up to 64 elements, and bytes beside them.
        std::uint64_t bits;
        bool padded;
        std::uint64_t beside;
        /// Where the vectors are: 0 in memory, 1 on the disk, 2 nowhere.
        int vectors;
        double recall;
        std::string_view cost;
        /// In inverted lists, and not in a graph.
        bool lists = false;
        /// Whether a node's links have bits of its neighbours behind them.
        bool records = false;
    };
    constexpr std::string_view memory = "storage::memory";
    constexpr std::string_view mmap = "storage::mmap";
    constexpr way ways[] = {
        {"index::hnsw<codec::sq8>", memory, 8, false, 16, 0, 1, "nothing: the default"},
        {"index::hnsw<codec::rabitq<1>, layout::fused>", memory, 8, false, 16, 0, 1,
         "bytes for speed: a tenth to a third more where memory is slow, elsewhere none", false,
         true},
        {"index::hnsw<codec::f32>", memory, 0, false, 0, 0, 1,
         "speed: a walk reads four times the bytes"},
        {"index::hnsw<codec::only<codec::f16>>", memory, 16, false, 8, 2, 0.999,
         "vectors to the last bit: 11 bits of an element stay"},
        {"index::hnsw<codec::only<codec::sq8>>", memory, 8, false, 16, 2, 0.99,
         "vectors: they come back within 1/255 of their span"},
        {"index::hnsw<codec::sq8>", mmap, 8, false, 16, 1, 1,
         "reads from the disk for the candidates of an answer"},
        {"index::hnsw<codec::sq4>", mmap, 4, false, 16, 1, 1,
         "more of these reads, and up to twice the walk"},
        {"index::hnsw<codec::only<codec::rabitq<5>>>", memory, 5, true, 12, 2, 0.95,
         "vectors, and one neighbour in twenty"},
        {"index::hnsw<codec::only<codec::rabitq<4>>>", memory, 4, true, 12, 2, 0.91,
         "vectors, and one neighbour in eleven"},
        {"index::hnsw<codec::rabitq<1>>", mmap, 1, true, 12, 1, 1,
         "several times the reads: a bit an element ranks roughly"},
        {"index::ivf<codec::sq8>", memory, 8, false, 16, 0, 1,
         "speed, several times: lists are scanned; built in seconds", true},
        {"index::ivf<codec::only<codec::rabitq_about<5>>>", memory, 5, true, 12, 2, 0.95,
         "that speed, vectors, and one neighbour in twenty", true},
        {"index::ivf<codec::sq8>", mmap, 8, false, 16, 1, 1,
         "that speed, and reads from the disk for the candidates of an answer", true},
        {"index::ivf<codec::rabitq<1>>", mmap, 1, true, 4, 1, 1,
         "that speed, and several times the reads", true},
    };
    // 2 x 16 links and a parent of 4 bytes; a fifteenth of the nodes have upper rows of 76.
    constexpr std::uint64_t graph = 132 + 76 / 15 + 1;
    // A slot, a place and a 32nd of a chain; a list has a centre, a head and half a block to grow.
    constexpr std::uint64_t listed = 9;
    auto const rows = static_cast<std::size_t>(b.rows);
    std::uint64_t const lists = index::inverted::lists_for(rows, 0);
    std::uint64_t const raw = std::uint64_t{b.dim} * 4;
    Plans plans;
    for (auto const& w : ways) {
        if (w.vectors == 2 && !b.codes_alone) continue;
        if (w.bits > 0 && w.bits < 8 && b.dim < 64) continue;
        std::uint64_t const coded = w.padded ? (b.dim + 63) / 64 * 64 : b.dim;
        budget_plan p;
        p.index = w.index;
        p.storage = w.storage;
        // Two numbers of two bytes and up to 256 bits for each of 32 links.
        auto const bits = (std::min)((b.dim + 63) / 64 * 64, std::size_t{256});
        std::uint64_t const records = w.records ? 32 * (4 + bits / 8) : 0;
        auto const code = (coded * w.bits + 7) / 8 + w.beside + records;
        p.memory = b.rows * (code + (w.lists ? listed : graph) + (w.vectors == 0 ? raw : 0));
        // Codes alone lie where vectors would, by slot.
        if (w.lists) p.memory += lists * (raw + 16 + 16 * ((w.vectors == 2 ? 0 : code) + 4));
        p.disk = w.vectors == 1 ? b.rows * raw : 0;
        p.recall = w.recall;
        p.cost = w.cost;
        plans.push_back(p);
    }
    return plans;
}

/// The fastest way that fits and comes to the wanted recall. Errors: invalid_argument (no rows, no
/// elements, a recall that is none); limit_exceeded, which names the smallest that would do.
template <class Plan = budget_plan>
[[nodiscard]] result<Plan> advise(budget const& b) {
    return detail::guarded([&]() -> result<Plan> {
        if (b.rows == 0 || b.rows > (std::numeric_limits<std::uint32_t>::max)() || b.dim == 0 ||
            b.dim > 65536)
            return error{errc::invalid_argument, "1 to 2^32 - 1 rows of 1 to 65,536 elements",
                         std::to_string(b.rows) + " of " + std::to_string(b.dim)};
        if (!(b.recall >= 0 && b.recall <= 1))
            return error{errc::invalid_argument, "a recall from 0 to 1", std::to_string(b.recall)};
        auto least = (std::numeric_limits<std::uint64_t>::max)();
        std::string_view smallest;
        for (auto const& p : budget_plans(b)) {
            if (p.recall < b.recall) continue;
            if (p.memory <= b.bytes) return p;
            if (p.memory < least) {
                least = p.memory;
                smallest = p.index;
            }
        }
        return error{errc::limit_exceeded,
                     "at least " + std::to_string(least) + " bytes, for " + std::string(smallest),
                     std::to_string(b.bytes)};
    });
}

} // namespace vicinal::inline VICINAL_ABI

#endif
