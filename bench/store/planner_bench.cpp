// SPDX-License-Identifier: MIT
// Filtered searches of a graph beside what each could cost at least, cold and warm, with and
// without field indexes.
//
// 1,000,000 x 128 (sift five times, with noise) with category, price, tags and timestamp
// (planner_data.hpp). A filter keeps a range of price, which has nothing to do with the vectors
// ("independent"), the stretch of timestamps around the query's nearest row ("around"), or the one
// whose rows lie farthest from it ("far"); cold, its text was never seen before. Beside it in turn:
// a scan of its matches' codes that knows them beforehand, the search without a filter, and finding
// the matches: evaluating the filter on each payload, laid out one behind the other; with indexes
// store.count(). The bounds:
//
//     independent     2.5 x (the cheaper of the scan and the unfiltered search) + 20 us
//     around, far     2.5 x (finding the matches + the scan) + 20 us
//
// Processor time of one thread, microseconds, medians. The store is made where VICINAL_BENCH_STORE
// says and kept there for the next run; without it, in memory. VICINAL_BENCH_ROWS bounds the rows
// of sift.
//
//     planner_bench [--json FILE] [WORD]    only kinds of filters whose name has WORD in it
#include "planner_data.hpp"
#include "report.hpp"

#include <vicinal/index/flat.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace vicinal;
using bench::filtered_store;

constexpr std::size_t k = 10;
constexpr std::size_t queries_of_a_cell = 20;
constexpr int rounds = 5;
/// Searches with one filter until its matches are known, whatever they cost.
constexpr int warming = 400;

template <class Run>
double microseconds(Run const& run) {
    auto const start = bench::milliseconds_used();
    run();
    return (bench::milliseconds_used() - start) * 1e3;
}

/// The rows as a scan that knows the matches reads them.
class rival_scan {
public:
    explicit rival_scan(bench::matrix const& rows) {
        auto& column = *columns_.column("vectors", rows.columns * sizeof(float)).value();
        storage::grow(column, rows.rows).value();
        std::memcpy(column.edit(0), rows.data.data(), rows.data.size() * sizeof(float));
        flat_.emplace(flat::open(columns_, column, rows.columns, {}).value());
        flat_->take_in(static_cast<slot>(rows.rows), index::keep_all{}, index::no_section{})
            .value();
    }
    [[nodiscard]] index::neighbours operator()(float const* query,
                                               std::span<slot const> matches) const {
        return flat_->search_among(query, k, matches).value();
    }

private:
    using flat = index::flat<codec::sq8>::of<metric::squared_l2, storage::memory>;
    storage::memory::space columns_;
    std::optional<flat> flat_;
};

/// Every payload, encoded, one behind the other.
struct payloads {
    explicit payloads(bench::catalogue const& about) {
        for (std::uint32_t i = 0; i < about.place.size(); ++i) {
            starts.push_back(bytes.size());
            payload::fields::encode(about.fields_of(i), bytes).value();
        }
        starts.push_back(bytes.size());
    }
    [[nodiscard]] std::size_t count(filter const& f) const {
        std::size_t matching = 0;
        auto const all = std::as_bytes(std::span(bytes));
        for (std::size_t i = 0; i + 1 < starts.size(); ++i)
            matching += f.matches(all.subspan(starts[i], starts[i + 1] - starts[i])) ? 1U : 0U;
        return matching;
    }
    std::string bytes;
    std::vector<std::size_t> starts;
};

struct cell {
    std::string kind;
    double share;
    bool indexed;
};

/// One filter: its text and its matches, ascending.
struct asked {
    std::string where;
    std::vector<slot> matches;
};

class bench_of_filters {
public:
    bench_of_filters(bench::matrix rows, bench::matrix queries, filtered_store store)
        : rows_(std::move(rows)), queries_(std::move(queries)), about_(rows_), scan_(rows_),
          payloads_(about_), store_(std::move(store)), by_price_(rows_.rows), every_(rows_.rows) {
        std::iota(every_.begin(), every_.end(), slot{0});
        for (std::uint32_t i = 0; i < rows_.rows; ++i) by_price_[about_.price(i)] = i;
        std::size_t const blocks = std::min<std::size_t>(rows_.rows, 1024);
        for (std::size_t b = 0; b < blocks; ++b) middles_.push_back(middle_of(b, blocks));
    }

    /// Takes the least wanted recall at which searches of this kind find 0.95 of the true
    /// neighbours, with a filter of this share: rows have four near copies here, so that rows held
    /// out promise more than queries get. A share of 1 is a search without a filter.
    double recall_for(cell const& c) {
        for (auto const wanted : {0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999}) {
            std::size_t found = 0, all = 0;
            for (std::size_t i = 0; i < queries_of_a_cell; ++i) {
                auto const* const query = queries_.row(i * queries_.rows / queries_of_a_cell);
                auto const a = c.share < 1 ? ask(c, query) : asked{"", every_};
                auto const truth = scan_(query, a.matches);
                found += common(store_.search(std::span(query, rows_.columns),
                                              {.k = k, .where = a.where, .recall = wanted}),
                                truth);
                all += truth.size();
            }
            if (found * 100 >= all * 95) return wanted;
        }
        return 0.9999;
    }

    void index_fields() {
        store_.create_index("price", field_index::ordered);
        store_.create_index("timestamp", field_index::ordered);
    }

    void measure(cell const& c, bench::report& report) {
        if (plain_recall_ == 0) plain_recall_ = recall_for({"", 1, false});
        recall_ = recall_for(c);
        std::map<std::string, std::vector<double>> all;
        double recall = 0;
        for (std::size_t i = 0; i < queries_of_a_cell; ++i) {
            auto const* const query = queries_.row(i * queries_.rows / queries_of_a_cell);
            recall += measure_query(c, query, all);
        }
        std::vector<std::pair<std::string, double>> numbers{
            {"share", c.share},
            {"indexed", c.indexed ? 1 : 0},
            {"wanted", recall_},
            {"recall", recall / static_cast<double>(queries_of_a_cell)}};
        std::printf("%-12s %8.5f %s wanted %.3f (%.3f) recall %.3f", c.kind.c_str(), c.share,
                    c.indexed ? "indexed" : "plain  ", recall_, plain_recall_,
                    numbers.back().second);
        for (auto const& [name, values] : all) {
            numbers.emplace_back(name, bench::median(values));
            std::printf("  %s %.4g", name.c_str(), numbers.back().second);
        }
        std::printf("\n");
        report.add({{"kind", c.kind}}, numbers);
    }

private:
    /// The recall of the last cold answer.
    double measure_query(cell const& c, float const* query,
                         std::map<std::string, std::vector<double>>& all) {
        std::map<std::string, std::vector<double>> mine;
        std::span<float const> const vector(query, rows_.columns);
        std::size_t found = 0, wanted = 0;
        filtered_store::hits hits;
        auto const search = [&](std::string const& where) {
            hits = store_.search(
                vector,
                {.k = k, .where = where, .recall = where.empty() ? plain_recall_ : recall_});
        };
        for (int round = 0; round < rounds; ++round) {
            auto const a = ask(c, query);
            filter const f = filter::parse(a.where).value();
            index::neighbours truth;
            if (c.indexed)
                mine["find"].push_back(timed([&] {
                    if (store_.count(a.where + " ") != a.matches.size()) std::exit(1);
                }));
            else if (round == 0)
                mine["find"].push_back(microseconds([&] {
                    if (payloads_.count(f) != a.matches.size()) std::exit(1);
                }));
            mine["walk"].push_back(timed([&] { search(""); }));
            mine["scan"].push_back(timed([&] { truth = scan_(query, a.matches); }));
            mine["cold"].push_back(timed([&] { search(a.where); }));
            found += common(hits, truth);
            wanted += truth.size();
            if (round != 0) continue;
            for (int again = 0; again < warming; ++again) search(a.where);
            for (int again = 0; again < rounds; ++again)
                mine["warm"].push_back(timed([&] { search(a.where); }));
            if (&query[0] == queries_.row(0) && std::getenv("VICINAL_BENCH_EXPLAIN") != nullptr)
                explain(c, vector);
        }
        std::map<std::string, double> median;
        for (auto const& [name, values] : mine) {
            median[name] = bench::median(values);
            all[name].push_back(median[name]);
        }
        auto const least = c.kind == "independent" ? std::min(median["scan"], median["walk"])
                                                   : median["find"] + median["scan"];
        auto const bound = 2.5 * least + 20;
        all["bound"].push_back(bound);
        all["cold of bound"].push_back(median["cold"] / bound);
        all["warm of bound"].push_back(median["warm"] / bound);
        return static_cast<double>(found) / static_cast<double>(wanted);
    }

    void explain(cell const& c, std::span<float const> vector) {
        auto const a = ask(c, vector.data());
        for (int time = 0; time < 2; ++time)
            std::printf(
                "%s\n%s", a.where.c_str(),
                to_string(store_.explain(vector, {.k = k, .where = a.where, .recall = recall_}))
                    .c_str());
    }
    [[nodiscard]] static std::size_t common(filtered_store::hits const& hits,
                                            index::neighbours const& truth) {
        return static_cast<std::size_t>(std::count_if(hits.begin(), hits.end(), [&](auto const& h) {
            return std::any_of(truth.begin(), truth.end(),
                               [&](auto const& n) { return n.row == h.id; });
        }));
    }
    /// Behind searches for other queries, as a program has them between: what is in the caches is
    /// what those have left there.
    template <class Run>
    double timed(Run const& run) {
        for (int i = 0; i < 16; ++i)
            static_cast<void>(store_.search(
                std::span(queries_.row(++other_ * 7919 % queries_.rows), rows_.columns), {.k = k}));
        return microseconds(run);
    }

    /// A filter that was not asked before.
    asked ask(cell const& c, float const* query) {
        auto const n = rows_.rows;
        auto const m = std::max<std::size_t>(
            1, static_cast<std::size_t>(c.share * static_cast<double>(n) + 0.5));
        auto const random = detail::mix(++asked_);
        if (c.kind == "independent") {
            auto const first = random % (n - m + 1);
            return {"price between " + cents(first) + " and " + cents(first + m - 1),
                    rows_of(by_price_, first, m)};
        }
        auto const nearest = store_.search(std::span(query, rows_.columns), {.k = 1});
        auto const at = c.kind == "around" ? std::size_t{about_.place[nearest.front().id]}
                                           : farthest_from(query);
        auto const first = std::min(at > m / 2 ? at - m / 2 : 0, n - m);
        auto const& order = about_.order.rows();
        // Timestamps are 30 seconds apart: the same rows by bounds that no filter had before.
        auto const from = about_.timestamp(order[first]) - static_cast<std::int64_t>(asked_ % 30);
        auto const to =
            about_.timestamp(order[first + m - 1]) + static_cast<std::int64_t>(asked_ / 30 % 30);
        return {"timestamp between " + std::to_string(from) + " and " + std::to_string(to),
                rows_of(order, first, m)};
    }
    static std::string cents(std::size_t n) {
        auto const rest = std::to_string(n % 100);
        return std::to_string(n / 100) + (rest.size() == 1 ? ".0" : ".") + rest;
    }
    static std::vector<slot> rows_of(std::vector<std::uint32_t> const& order, std::size_t first,
                                     std::size_t count) {
        auto const from = order.begin() + static_cast<std::ptrdiff_t>(first);
        std::vector<slot> rows(from, from + static_cast<std::ptrdiff_t>(count));
        std::sort(rows.begin(), rows.end());
        return rows;
    }
    std::vector<float> middle_of(std::size_t block, std::size_t blocks) const {
        std::vector<float> sum(rows_.columns);
        auto const& order = about_.order.rows();
        auto const first = block * rows_.rows / blocks, last = (block + 1) * rows_.rows / blocks;
        for (auto i = first; i < last; ++i)
            for (std::size_t j = 0; j < sum.size(); ++j)
                sum[j] += rows_.row(order[i])[j] / static_cast<float>(last - first);
        return sum;
    }
    /// The middle of the block of places whose rows lie farthest from it.
    std::size_t farthest_from(float const* query) const {
        std::size_t farthest = 0;
        double greatest = -1;
        for (std::size_t b = 0; b < middles_.size(); ++b) {
            double d = 0;
            for (std::size_t j = 0; j < rows_.columns; ++j)
                d += (middles_[b][j] - query[j]) * (middles_[b][j] - query[j]);
            if (d > greatest) {
                greatest = d;
                farthest = b;
            }
        }
        return (2 * farthest + 1) * rows_.rows / (2 * middles_.size());
    }

    double recall_ = 0.95;
    double plain_recall_ = 0;
    std::size_t other_ = 0;
    bench::matrix rows_;
    bench::matrix queries_;
    bench::catalogue about_;
    rival_scan scan_;
    payloads payloads_;
    filtered_store store_;
    std::vector<std::uint32_t> by_price_;
    std::vector<slot> every_;
    std::vector<std::vector<float>> middles_;
    std::uint64_t asked_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    bench::arguments const arguments(argc, argv);
    bench::report report("planner");
    auto rows = bench::noisy_sift();
    auto const* const kept = std::getenv("VICINAL_BENCH_STORE");
    bool const there = kept != nullptr && std::filesystem::exists(kept);
    auto store =
        there ? filtered_store::load(kept) : bench::make_store(rows, bench::catalogue(rows));
    if (kept != nullptr && !there) store.save(kept);
    bench_of_filters all(std::move(rows), bench::load("sift.query.u8bin"), std::move(store));
    for (bool const indexed : {false, true}) {
        if (indexed) all.index_fields();
        for (auto const* kind : {"independent", "around", "far"})
            if (arguments.wanted(std::string(kind) + (indexed ? " indexed" : " plain")))
                for (auto const share : {0.5, 0.1, 0.01, 0.001, 0.0001, 0.00001})
                    all.measure({kind, share, indexed}, report);
    }
    return report.write(arguments.json()) ? 0 : 1;
}
