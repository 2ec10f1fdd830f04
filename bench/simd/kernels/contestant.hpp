// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SIMD_KERNELS_CONTESTANT_HPP
#define VICINAL_BENCH_SIMD_KERNELS_CONTESTANT_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <vector>

namespace bench {

/// The rows that a kernel is measured on: few enough to stay in the second-level cache.
inline constexpr std::size_t kernel_rows = 32;
/// What a tile multiplies; it too stays in the second-level cache, wherever its pages lie.
inline constexpr std::size_t tile_queries = 32;
inline constexpr std::size_t tile_rows = 96;

/// A vector that begins with a cache line: what its rows' place in lines costs is the same for all.
template <class T>
struct line_allocator {
    using value_type = T;
    line_allocator() = default;
    template <class U>
    line_allocator(line_allocator<U> const&) {}
    T* allocate(std::size_t n) {
        return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64}));
    }
    void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
    friend bool operator==(line_allocator, line_allocator) { return true; }
};
template <class T>
using aligned = std::vector<T, line_allocator<T>>;

/// Someone's kernel for one operation.
struct contestant {
    /// As in "squared_l2 f32".
    std::string kernel;
    /// As in "faiss".
    std::string who;
    /// Distances (of tiles: products of two vectors) that one pass makes.
    std::size_t distances;
    /// For a dimension: what runs a pass and gives its results' sum, by which contestants of one
    /// kernel are held against one another. Empty where the kernel has no such dimension.
    std::function<std::function<double()>(std::size_t dim)> make;
};

using contestants = std::vector<contestant>;

/// vicinal, compiled with -O2 and no flag for any CPU.
void add_vicinal_plain(contestants& to);
/// The same with -O2 -march=native.
void add_vicinal_native(contestants& to);
/// The loop of a textbook, with -O3 -march=native.
void add_textbook(contestants& to);
/// hnswlib and faiss where they are installed: hnswlib with -O3 -march=native, of faiss the
/// library as it was built.
void add_peers(contestants& to);

/// Numbers of every kind for row `row` of `dim` elements; row 0 is the query's.
template <class T>
[[nodiscard]] aligned<T> numbers(std::size_t row, std::size_t dim) {
    aligned<T> v(dim);
    std::uint64_t state = row * 0x9e3779b97f4a7c15ULL + 1;
    for (auto& x : v) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        if constexpr (sizeof(T) == 1)
            x = static_cast<T>(state >> 56);
        else
            x = static_cast<T>(static_cast<float>(state >> 40) / 16777216.0F - 0.5F);
    }
    return v;
}

/// kernel_rows rows, one behind the other.
template <class T>
[[nodiscard]] aligned<T> many_numbers(std::size_t dim, std::size_t rows = kernel_rows,
                                      std::size_t first = 1) {
    aligned<T> all;
    for (std::size_t i = 0; i < rows; ++i) {
        auto const row = numbers<T>(first + i, dim);
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

/// A pass of a function of query, row and dimension over all rows.
template <class T, class Distance>
[[nodiscard]] std::function<double()> pass_over_rows(std::size_t dim, Distance distance) {
    return [dim, distance, query = numbers<T>(0, dim), rows = many_numbers<T>(dim)] {
        double sum = 0;
        for (std::size_t i = 0; i < kernel_rows; ++i)
            sum += static_cast<double>(distance(query.data(), rows.data() + i * dim, dim));
        return sum;
    };
}

} // namespace bench

#endif
