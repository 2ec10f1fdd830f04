// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_SYSTEM_HPP
#define VICINAL_BENCH_SEARCH_SYSTEM_HPP

#include "metric.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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
    /// CPU seconds of the build that went into finding efforts for recalls; they are told apart.
    [[nodiscard]] virtual double tune_cpu_seconds() const { return 0; }
    /// Bytes that ids, payload and id map of `rows` rows take: not counted among the vector's.
    [[nodiscard]] virtual std::size_t identity_bytes(std::size_t rows) const = 0;

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

} // namespace bench

#endif
