// SPDX-License-Identifier: MIT
// What codes can tell, and what a graph over them takes and finds.
//
// Of each codec: the share of the ten nearest vectors that are among the ten nearest of what codes
// stand for, and the bytes of a code. Of graphs, scans and lists: bytes of codes and links as a
// share of the vectors', centres of lists left out, and how long a search for ten takes that finds
// 0.95 and 0.99 of them, at the least effort that does; over codes alone, and over codes beside
// vectors, which candidates are compared by. Processor time of one thread: all of a set take turns,
// medians of 7 rounds.
//
// Rows of sift, mnist and minilm (60,000; 50,000 for what codes tell; all for lists, which are
// 200,000 of sift; minilm has 5,841, of length 1) under squared L2; 200 queries. VICINAL_BENCH_ROWS
// takes fewer.
//
//     codecs_bench [--json FILE] [WORD]    only what has WORD in its name, as "mnist graph pca160"
#include "dataset.hpp"
#include "report.hpp"

#include <vicinal/vicinal.hpp>
#if defined(VICINAL_BENCH_EIGEN)
#    include <vicinal/adapt/eigen_opq.hpp>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace vicinal;
using space = storage::memory::space;

constexpr std::size_t k = 10;
constexpr std::size_t most_queries = 200;

struct data_set {
    std::string name;
    bench::matrix base;
    bench::matrix queries;
    /// Of each query the distance of its tenth nearest.
    std::vector<float> farthest;
};

template <class Metric>
data_set load(std::string const& name, char const* type, std::size_t most) {
    data_set d{name,
               bench::load(name + ".base." + type, std::min(most, bench::wanted_rows())),
               bench::load(name + ".query." + type, most_queries),
               {}};
    for (std::size_t q = 0; q < d.queries.rows; ++q) {
        index::nearest<> best(k);
        auto const distance = metric::bind_exact<Metric>(d.queries.row(q), d.base.columns);
        for (std::size_t i = 0; i < d.base.rows; ++i)
            best.offer({distance(d.base.row(i)), static_cast<slot>(i)});
        d.farthest.push_back(best.farthest());
    }
    return d;
}

/// Ties with the tenth nearest count.
template <class Metric>
double found_of(data_set const& d, std::size_t query, index::neighbours const& got) {
    std::size_t found = 0;
    for (auto const& n : got)
        found += metric::exact<Metric>(d.queries.row(query), d.base.row(n.row), d.base.columns) <=
                         d.farthest[query]
                     ? 1U
                     : 0U;
    return static_cast<double>(std::min(found, k)) / static_cast<double>(k);
}

/// The rows of a set as a store would have them: the vectors, or codes alone.
template <class Coded>
class kept_rows {
public:
    static constexpr bool alone = codec::alone<Coded>;

    explicit kept_rows(data_set const& d) {
        auto const& rows = d.base;
        if constexpr (alone) {
            codes_ =
                index::decoded_vectors<Coded, storage::memory>::open(space_, rows.columns).value();
            codes_
                ->learn(
                    0, rows.rows, [&](std::size_t i) { return rows.row(i); }, index::no_section{})
                .value();
            codes_->reserve(rows.rows, index::no_section{}).value();
            codes_->resize(rows.rows);
            for (std::size_t i = 0; i < rows.rows; ++i) codes_->put(i, rows.row(i));
        } else {
            vectors_ = space_.column("vectors", rows.columns * sizeof(float)).value();
            storage::grow(*vectors_, rows.rows).value();
            std::memcpy(vectors_->edit(0), rows.data.data(), rows.data.size() * sizeof(float));
        }
    }
    [[nodiscard]] space& columns() { return space_; }
    [[nodiscard]] auto const& get() const {
        if constexpr (alone)
            return *codes_;
        else
            return *vectors_;
    }
    [[nodiscard]] double code_bytes() const {
        if constexpr (alone) return static_cast<double>(codes_->codes().row_bytes());
        return 0;
    }

private:
    space space_;
    storage::memory::column* vectors_ = nullptr;
    std::conditional_t<alone, std::unique_ptr<index::decoded_vectors<Coded, storage::memory>>, int>
        codes_{};
};

/// What a scan of codes alone finds of the vectors' neighbours.
template <class Codec, class Metric>
void tell_codes(bench::report& report, data_set const& d) {
    using coded = typename codec::only<Codec>::template of<Metric>;
    auto const start = bench::milliseconds_used();
    kept_rows<coded> const rows(d);
    auto const seconds = (bench::milliseconds_used() - start) / 1e3;
    auto const dim = d.base.columns;
    bench::matrix decoded{d.base.rows, dim, std::vector<float>(d.base.rows * dim)};
    auto const reader = rows.get().reader();
    for (std::size_t i = 0; i < decoded.rows; ++i)
        std::copy_n(reader.template row_as<float>(i), dim, decoded.row(i));
    double sum = 0;
    for (std::size_t q = 0; q < d.queries.rows; ++q) {
        auto const distance = metric::bind_exact<Metric>(d.queries.row(q), dim);
        index::nearest<> best(k);
        for (std::size_t i = 0; i < decoded.rows; ++i)
            best.offer({distance(decoded.row(i)), static_cast<slot>(i)});
        sum += found_of<Metric>(d, q, best.take());
    }
    auto const recall = sum / static_cast<double>(d.queries.rows);
    std::printf("%-8s %-14s %6.0f bytes a row, recall %.3f, learnt and encoded in %.1f s\n",
                d.name.c_str(), std::string(Codec::name).c_str(), rows.code_bytes(), recall,
                seconds);
    report.add({{"what", "codes"}, {"set", d.name}, {"codec", std::string(Codec::name)}},
               {{"rows", static_cast<double>(d.base.rows)},
                {"dim", static_cast<double>(dim)},
                {"bytes", rows.code_bytes()},
                {"seconds", seconds},
                {"recall", recall}});
}

/// An index over a set, as a program would have it.
struct contestant {
    std::string name;
    /// "graph", "scan" or "lists".
    std::string what;
    /// Bytes of codes and links, as a share of the vectors'.
    double share = 0;
    double build_seconds = 0;
    /// search(query, effort); a scan has one effort.
    std::function<index::neighbours(float const*, std::size_t)> search;
    bool scans = false;
    /// Of a scan: vectors that a query reads.
    double vectors = 0;
    /// The least effort for each target; 0 where none reaches it.
    std::size_t efforts[2] = {};
    double recalls[2] = {};
    /// That of the largest effort.
    double most_recall = 0;
    std::vector<double> microseconds[2] = {};
};
constexpr double targets[2] = {0.95, 0.99};
constexpr std::size_t largest_effort = 1280;

template <class Index, class Metric>
contestant build(std::string name, data_set const& d) {
    using coded = typename Index::codec_type::template of<Metric>;
    using bound = typename Index::template of<Metric, storage::memory>;
    struct held {
        explicit held(data_set const& from) : rows(from) {}
        kept_rows<coded> rows;
        std::unique_ptr<bound> index;
    };
    auto const start = bench::milliseconds_used();
    auto h = std::make_shared<held>(d);
    h->index = std::make_unique<bound>(
        bound::open(h->rows.columns(), h->rows.get(), d.base.columns, {}).value());
    auto& i = *h->index;
    i.take_in(static_cast<slot>(d.base.rows), index::keep_all{}, index::no_section{}).value();
    contestant c;
    c.name = std::move(name);
    c.build_seconds = (bench::milliseconds_used() - start) / 1e3;
    auto const bytes = static_cast<double>(i.link_bytes() + i.all_code_bytes()) +
                       h->rows.code_bytes() * static_cast<double>(d.base.rows);
    c.share = bytes / static_cast<double>(d.base.data.size() * sizeof(float));
    c.scans = index::looks_at_all<bound>;
    if constexpr (index::looks_at_all<bound>) {
        index::distance_counts counts;
        for (std::size_t q = 0; q < d.queries.rows; ++q) {
            index::nearest<> best(k);
            i.scan(d.queries.row(q), index::keep_all{}, best, index::tally(counts));
        }
        c.vectors = static_cast<double>(counts.vectors) / static_cast<double>(d.queries.rows);
    }
    c.what = c.scans ? "scan" : "graph";
    if constexpr (requires { i.partitions(); }) {
        c.what = "lists";
        c.share -= static_cast<double>(i.partitions()) / static_cast<double>(d.base.rows);
    }
    c.search = [h](float const* query, std::size_t effort) {
        index::nearest<> best(k);
        if constexpr (index::looks_at_all<bound>)
            h->index->scan(query, index::keep_all{}, best);
        else
            static_cast<void>(
                h->index->search_into(query, effort, index::keep_all{}, best).value());
        return best.take();
    };
    std::printf("    %-22s %.3f of the vectors' bytes, built in %.1f s\n", c.name.c_str(), c.share,
                c.build_seconds);
    std::fflush(stdout);
    return c;
}

template <class Metric>
double recall_of(data_set const& d, contestant const& c, std::size_t effort) {
    double sum = 0;
    for (std::size_t q = 0; q < d.queries.rows; ++q)
        sum += found_of<Metric>(d, q, c.search(d.queries.row(q), effort));
    return sum / static_cast<double>(d.queries.rows);
}

/// The least effort, to a tenth, that comes to each target.
template <class Metric>
void find_efforts(data_set const& d, contestant& c) {
    c.most_recall = recall_of<Metric>(d, c, largest_effort);
    for (std::size_t t = 0; t < 2; ++t) {
        if (c.most_recall < targets[t]) continue;
        std::size_t low = k;
        std::size_t high = c.scans ? k : largest_effort;
        while (low < high) {
            auto const middle = (low + high) / 2;
            if (recall_of<Metric>(d, c, middle) >= targets[t])
                high = middle;
            else
                low = middle + (std::max)(std::size_t{1}, middle / 20);
        }
        c.efforts[t] = high;
        c.recalls[t] = recall_of<Metric>(d, c, high);
    }
}

template <class Metric>
void race(bench::report& report, data_set const& d, std::vector<contestant>& all) {
    for (auto& c : all) find_efforts<Metric>(d, c);
    for (int round = 0; round < 7; ++round)
        for (std::size_t t = 0; t < 2; ++t)
            for (auto& c : all) {
                if (c.efforts[t] == 0) continue;
                auto const start = bench::milliseconds_used();
                for (std::size_t q = 0; q < d.queries.rows; ++q)
                    static_cast<void>(c.search(d.queries.row(q), c.efforts[t]));
                c.microseconds[t].push_back((bench::milliseconds_used() - start) * 1e3 /
                                            static_cast<double>(d.queries.rows));
            }
    for (auto& c : all) {
        double us[2] = {};
        for (std::size_t t = 0; t < 2; ++t)
            if (c.efforts[t] != 0) us[t] = bench::median(c.microseconds[t]);
        std::printf("    %-22s recall %.3f in %.0f us, %.3f in %.0f us, at most %.4f",
                    c.name.c_str(), c.recalls[0], us[0], c.recalls[1], us[1], c.most_recall);
        if (c.scans) std::printf(", %.0f vectors read", c.vectors);
        std::printf("\n");
        report.add({{"what", c.what}, {"set", d.name}, {"codec", c.name}},
                   {{"rows", static_cast<double>(d.base.rows)},
                    {"dim", static_cast<double>(d.base.columns)},
                    {"share", c.share},
                    {"seconds", c.build_seconds},
                    {"vectors", c.vectors},
                    {"us at 0.95", us[0]},
                    {"us at 0.99", us[1]},
                    {"recall", c.most_recall}});
    }
}

template <class... Codec>
struct list {};

using told = list<codec::f16, codec::sq8, codec::i8, codec::sq4, codec::rabitq_about<5>,
                  codec::rabitq<5>, codec::rabitq<4>, codec::rabitq<2>, codec::rabitq<1>,
                  codec::pq<64, 8>, codec::pq<128, 4>, codec::binary>;
// 32 bytes a row, with and without a rotation.
#if defined(VICINAL_BENCH_EIGEN)
using rotated =
    list<codec::pq<64, 4>, codec::eigen_opq<64, 4>, codec::pq<32, 8>, codec::eigen_opq<32, 8>>;
#else
using rotated = list<codec::pq<64, 4>, codec::pq<32, 8>>;
#endif
using walked = list<codec::sq8, codec::i8, codec::sq4, codec::pca<64>, codec::pca<160>,
                    codec::rabitq<1>, codec::only<codec::rabitq<4>>>;
using listed = list<codec::sq8, codec::rabitq<1>, codec::only<codec::sq8>,
                    codec::only<codec::rabitq_about<5>>, codec::only<codec::rabitq<5>>>;
using scanned = list<codec::sq8, codec::sq4, codec::rabitq<4>, codec::rabitq<1>, codec::pca<64>>;

template <class Metric>
class measured {
public:
    measured(bench::report& report, bench::arguments const& a, std::string name, char const* type)
        : report_(report), arguments_(a), name_(std::move(name)), type_(type) {}

    template <class... Codec>
    void codes(list<Codec...>) {
        if (!(wanted("codes", Codec::name) || ...)) return;
        auto const d = load<Metric>(name_, type_, 50'000);
        ((wanted("codes", Codec::name) ? tell_codes<Codec, Metric>(report_, d) : void()), ...);
    }
    template <class... Codec>
    void graphs(list<Codec...>) {
        if (!(wanted("graph", Codec::name) || ...)) return;
        std::printf("%s, graphs\n", name_.c_str());
        auto const d = load<Metric>(name_, type_, 60'000);
        std::vector<contestant> all;
        ((wanted("graph", Codec::name)
              ? all.push_back(build<index::hnsw<Codec>, Metric>(std::string(Codec::name), d))
              : void()),
         ...);
        race<Metric>(report_, d, all);
    }
    template <class... Codec>
    void scans(list<Codec...>) {
        if (!(wanted("scan", Codec::name) || ...)) return;
        std::printf("%s, scans\n", name_.c_str());
        auto const d = load<Metric>(name_, type_, 60'000);
        std::vector<contestant> all;
        ((wanted("scan", Codec::name)
              ? all.push_back(build<index::flat<Codec>, Metric>(std::string(Codec::name), d))
              : void()),
         ...);
        race<Metric>(report_, d, all);
    }
    template <class... Codec>
    void lists(list<Codec...>) {
        if (!(wanted("lists", Codec::name) || ...)) return;
        std::printf("%s, lists\n", name_.c_str());
        auto const d = load<Metric>(name_, type_, SIZE_MAX);
        std::vector<contestant> all;
        ((wanted("lists", Codec::name)
              ? all.push_back(build<index::ivf<Codec>, Metric>(std::string(Codec::name), d))
              : void()),
         ...);
        race<Metric>(report_, d, all);
    }

private:
    [[nodiscard]] bool wanted(char const* what, std::string_view codec) const {
        return arguments_.wanted(name_ + " " + what + " " + std::string(codec));
    }

    bench::report& report_;
    bench::arguments const& arguments_;
    std::string name_;
    char const* type_;
};

template <class Metric>
void measure(bench::report& report, bench::arguments const& a, char const* name, char const* type) {
    measured<Metric> m(report, a, name, type);
    m.codes(told{});
    m.codes(rotated{});
    m.scans(scanned{});
    m.graphs(walked{});
    m.lists(listed{});
}

} // namespace

int main(int count, char** values) {
    bench::arguments const a(count, values);
    bench::report report("codecs");
    measure<metric::squared_l2>(report, a, "sift", "u8bin");
    measure<metric::squared_l2>(report, a, "minilm", "fbin");
    measure<metric::squared_l2>(report, a, "mnist", "u8bin");
    return report.write(a.json()) ? 0 : 1;
}
