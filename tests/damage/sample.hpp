// SPDX-License-Identifier: MIT
// A small sound store to be damaged, and everything that it answers.
#ifndef VICINAL_TESTS_DAMAGE_SAMPLE_HPP
#define VICINAL_TESTS_DAMAGE_SAMPLE_HPP

#include "damage/repair.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/index/ivf.hpp>
#include <vicinal/metric/squared_l2.hpp>
#include <vicinal/storage/mmap.hpp>
#include <vicinal/store/store.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace damage {

template <class Index, class Storage = vicinal::storage::mmap>
using store_of = vicinal::store<vicinal::metric::squared_l2, Index, Storage>;
using flat = vicinal::index::flat<>;
using hnsw = vicinal::index::hnsw<vicinal::codec::sq8>;
using ivf = vicinal::index::ivf<vicinal::codec::sq8>;

constexpr std::size_t dim = 4;
constexpr std::size_t snapshot_records = 40;
/// Writes behind the checkpoint, each a log record.
constexpr std::size_t writes = 7;

[[nodiscard]] inline bytes slurp(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    auto const view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}
inline void spill(std::string const& path, std::span<std::byte const> content) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<char const*>(content.data()),
              static_cast<std::streamsize>(content.size()));
}

/// The files of a store: generation 2, with the log as a killed writer leaves it, or closed.
struct files {
    bytes snapshot;
    std::optional<bytes> log;
    std::optional<bytes> closed_log;
};

constexpr char const* snapshot_name = "/snap-00000002.vic";
constexpr char const* log_name = "/log-00000002.vlog";
constexpr char const* closed_log_name = "/log-00000002.closed.vlog";

/// Everything that a store says, as a string of bytes to compare: all records, bit for bit, and
/// hits of searches. An error anywhere gives nothing.
template <class Store>
[[nodiscard]] std::string answers(Store const& s) {
    std::string out;
    auto const number = [&out](double x) {
        std::array<char, 8> raw = std::bit_cast<std::array<char, 8>>(x);
        out.append(raw.data(), raw.size());
    };
    auto all = s.try_scan();
    if (!all) return {};
    for (;;) {
        auto const next = all->try_next();
        if (!next) return {};
        if (!*next) break;
        auto const& r = **next;
        out += r.id + '=';
        for (float const x : r.vector) number(static_cast<double>(x));
        std::string payload;
        if (!vicinal::payload::fields::encode(r.payload, payload)) return {};
        out += payload + ';';
        auto const again = s.try_get(r.id);
        if (!again) return {};
        if (!*again || (*again)->vector != r.vector) out += "another record by its id;";
    }
    out += std::to_string(s.size()) + '.';
    vicinal_test::generator random(99);
    for (int i = 0; i < 3; ++i) {
        auto const query = random.vector(dim);
        for (int how = 0; how < 3; ++how) {
            vicinal::search_options o;
            o.k = 7;
            o.exact = how == 1;
            if (how == 2) o.where = "n >= 10 and n < 30";
            auto const hits = s.try_search(query, o);
            if (!hits) return {};
            for (auto const& h : *hits) {
                out += h.id + '@';
                number(static_cast<double>(h.distance));
            }
            out += '|';
        }
    }
    return out;
}

/// The record of number n: ids of different lengths, payloads of some kinds.
[[nodiscard]] inline std::string name_of(std::size_t n) {
    return "id" + std::string(n % 7, 'x') + std::to_string(n);
}
inline void put(auto& s, std::size_t n, std::uint64_t seed) {
    vicinal_test::generator r(seed * 1000 + n);
    s.try_upsert(name_of(n), r.vector(dim),
                 {{"n", static_cast<std::int64_t>(n)}, {"text", std::string(n % 11, 'y')}})
        .value();
}

template <class Index>
[[nodiscard]] typename Index::options small_index() {
    typename Index::options o;
    if constexpr (requires { o.flat_below; }) {
        o.flat_below = 16;
        o.tune = false;
    }
    if constexpr (requires { o.neighbours; }) {
        o.neighbours = 3;
        o.build_width = 12;
    }
    if constexpr (requires { o.num_partitions; }) o.num_partitions = 6;
    return o;
}

/// A directory that holds the files of a damaged store, rewritten for each try.
class workbench {
public:
    workbench() { std::filesystem::create_directory(path()); }

    [[nodiscard]] std::string path() const { return directory_.path("store"); }
    [[nodiscard]] std::string beside(std::string const& name) const {
        return directory_.path(name);
    }
    /// Puts these files there, and nothing else.
    void lay_out(files const& f) const {
        clear(path());
        std::filesystem::create_directory(path());
        spill(path() + snapshot_name, f.snapshot);
        if (f.log) spill(path() + log_name, *f.log);
        if (f.closed_log) spill(path() + closed_log_name, *f.closed_log);
    }
    static void clear(std::string const& path) {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

private:
    vicinal_test::temporary_directory directory_;
};

/// A sound store: 40 records in the snapshot of which some were replaced and two erased, then six
/// writes in the log. `truth[j]` is what it answers when j of these writes are there, and
/// `ends[j]` where the log ends then.
template <class Index>
struct sample {
    files sound;
    std::vector<std::string> truth;
    std::vector<std::size_t> ends;

    sample() {
        workbench const b;
        auto const path = b.beside("sound");
        typename store_of<Index>::options o;
        o.dim = dim;
        o.index = small_index<Index>();
        {
            store_of<Index> s{path, o};
            for (std::size_t n = 0; n < snapshot_records; ++n) put(s, n, 1);
            for (std::size_t n = 0; n < 5; ++n) put(s, n * 3, 2);
            s.erase(name_of(5));
            s.erase(name_of(6));
            s.create_index("n", vicinal::field_index::ordered);
            s.create_index("text", vicinal::field_index::hash);
            s.create_index("text", vicinal::field_index::inverted);
            s.checkpoint();
            put(s, 50, 3);
            put(s, 7, 3);
            s.erase(name_of(8));
            put(s, 5, 3);
            s.update_payload(name_of(9), {{"n", 12}, {"text", "another"}});
            put(s, 51, 3);
            put(s, 52, 3);
            sound.snapshot = slurp(path + snapshot_name);
            sound.log = slurp(path + log_name);
        }
        sound.closed_log = slurp(path + closed_log_name);
        auto const& log = *sound.log;
        for (std::size_t at = vicinal::detail::log_header_bytes; at < log.size();) {
            ends.push_back(at);
            at += static_cast<std::size_t>(vicinal::detail::load_record(log.data() + at).bytes());
        }
        ends.push_back(log.size());
        for (auto const end : ends) {
            auto shorter = log;
            shorter.resize(end);
            b.lay_out({sound.snapshot, shorter, {}});
            truth.push_back(
                answers(store_of<Index>::try_open(b.path(), {.read_only = true}).value()));
        }
    }
};

} // namespace damage

#endif
