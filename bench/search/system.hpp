// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_SYSTEM_HPP
#define VICINAL_BENCH_SEARCH_SYSTEM_HPP

#include "metric.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What every system is told before it is built.
struct build_options {
    metric_name metric = metric_name::squared_l2;
    std::size_t neighbours = 16;
    std::size_t build_width = 200;
    std::size_t threads = 1;
};

/// A number below a million that belongs to a row, as by chance.
inline constexpr std::uint64_t draws = 1'000'000;
[[nodiscard]] inline std::uint64_t draw_of(std::uint64_t row) {
    auto x = (row + 1) * 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return (x ^ (x >> 31)) % draws;
}
/// Rows whose draw is below this are kept.
[[nodiscard]] inline std::uint64_t draw_limit(double share) {
    return static_cast<std::uint64_t>(std::llround(share * static_cast<double>(draws)));
}
[[nodiscard]] inline bool kept(std::uint64_t row, double share) {
    return draw_of(row) < draw_limit(share);
}

/// Something that finds near rows, seen by the measuring loop. Failures are exceptions.
class system {
public:
    virtual ~system() = default;

    /// As it stands in the results: `vicinal hnsw sq8`, `hnswlib`.
    [[nodiscard]] virtual std::string name() const = 0;
    /// Whether more effort finds more; an exact system is measured at one point.
    [[nodiscard]] virtual bool sweeps() const { return true; }
    /// Whether rows and queries must come at length 1 under cosine.
    [[nodiscard]] virtual bool wants_unit_length() const { return false; }

    /// Takes in all rows in one go; row i is known as i.
    virtual void build(matrix const& rows) = 0;
    /// Finds out which effort gives which recall, in a system that does so.
    virtual void tune() {}
    /// Bytes that ids, payload and id map of `rows` rows take: not counted among the vector's.
    [[nodiscard]] virtual std::size_t identity_bytes(std::size_t rows) const = 0;

    /// Searches from now on find the rows that are `kept` alone.
    virtual void keep(double) { throw std::runtime_error(name() + " knows no filters"); }
    /// Erases records, and inserts others: row i under ids[i], which is known as row ids[i] modulo
    /// the rows that were built.
    virtual void erase(std::span<std::uint64_t const>) {
        throw std::runtime_error(name() + " is not erased from");
    }
    virtual void insert(std::span<std::uint64_t const>, matrix const&) {
        throw std::runtime_error(name() + " is not inserted into");
    }

    /// What the searches from now on ask for.
    virtual void ask(std::size_t k, std::size_t effort) = 0;
    /// Writes the rows found, at most k of them, and says how many. From several threads at once.
    virtual std::size_t search(float const* query, std::uint32_t* rows) const = 0;
};

using system_pointer = std::unique_ptr<system>;

/// One of vicinal's indexes with one codec, as the command line names them. Each is an instance in
/// a source file of its own, which enters itself here (see CMakeLists.txt for the list).
struct entry {
    std::string_view index;
    std::string_view codec;
    std::string_view layout;
    /// Whether its records have a payload, the field "draw" of their row.
    bool fields;
    system_pointer (*make)(entry const&, build_options const&);

    [[nodiscard]] std::string name() const {
        auto n = "vicinal " + std::string(index) + " " + std::string(codec);
        return layout == "plain" ? n : n + " " + std::string(layout);
    }
};

[[nodiscard]] inline std::vector<entry>& entries() {
    static std::vector<entry> all;
    return all;
}

struct registration {
    explicit registration(entry const& e) { entries().push_back(e); }
};

/// The rivals that were there to compile against; nullptr for the others.
[[nodiscard]] system_pointer make_hnswlib(build_options const& options);
[[nodiscard]] system_pointer make_faiss(build_options const& options);
/// Inverted lists; the effort is nprobe.
[[nodiscard]] system_pointer make_faiss_ivf(build_options const& options);
/// Compares the rows that `keep` kept, which it lists beforehand.
[[nodiscard]] system_pointer make_scan_of_matches(build_options const& options);

} // namespace bench

#endif
