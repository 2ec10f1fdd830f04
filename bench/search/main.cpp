// SPDX-License-Identifier: MIT
// vicinal-bench: recall against speed, vicinal beside its rivals on the same vectors in the same
// process.
#include "chart.hpp"
#include "report.hpp"
#include "sweep.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct arguments {
    std::string base, queries, truth, json, svg;
    std::vector<std::string> indexes{"hnsw"}, codecs{"f32"}, peers;
    std::string layout = "plain";
    std::size_t limit = SIZE_MAX;
    bench::build_options build;
    bench::sweep_options sweep;
};

bench::system_pointer make_peer(std::string const& name, bench::build_options const& options) {
    auto peer = name == "hnswlib" ? bench::make_hnswlib(options) : bench::make_faiss(options);
    if (!peer) throw std::runtime_error(name + " was not installed when this was compiled");
    return peer;
}

std::vector<bench::contestant> contestants(arguments const& a) {
    std::vector<bench::contestant> all;
    for (auto const& index : a.indexes)
        for (auto const& codec : a.codecs) {
            auto const size = all.size();
            for (auto const& e : bench::entries())
                if (e.index == index && e.codec == codec && e.layout == a.layout)
                    all.push_back({e.make(e, a.build), {}});
            if (all.size() != size) continue;
            std::string known;
            for (auto const& e : bench::entries()) known += "\n  " + e.name();
            throw std::runtime_error("there is no " + index + " with " + codec + " and layout " +
                                     a.layout + " here, only" + known);
        }
    for (auto const& name : a.peers) all.push_back({make_peer(name, a.build), {}});
    return all;
}

bench::data_set load(arguments const& a) {
    bench::data_set d;
    d.base = bench::read_matrix(a.base, a.limit);
    d.queries = bench::read_matrix(a.queries);
    if (d.base.rows == 0 || d.queries.rows == 0 || d.base.columns != d.queries.columns)
        throw std::runtime_error("base and queries must be rows of one length, one at least");
    if (!a.truth.empty() && a.limit == SIZE_MAX) {
        auto const neighbours = bench::read_table<std::int32_t>(a.truth);
        if (neighbours.rows != d.queries.rows)
            throw std::runtime_error("the truth is of another number of queries");
        if (neighbours.columns >= std::min(a.sweep.k, d.base.rows))
            d.wanted = bench::truth_of(neighbours, a.sweep.k, d.base.rows);
    }
    if (d.wanted.empty()) {
        std::fprintf(stderr, "truth by a scan of %zu rows\n", d.base.rows);
        d.wanted = bench::brute_force(a.sweep.metric, d.base, d.queries, a.sweep.k);
    }
    return d;
}

/// "sift, 200000 x 128", as the file is named.
std::string title_of(arguments const& a, bench::data_set const& d) {
    auto const file = a.base.substr(a.base.rfind('/') + 1);
    return file.substr(0, file.find('.')) + ", " + std::to_string(d.base.rows) + " x " +
           std::to_string(d.base.columns);
}

void search(arguments const& a) {
    auto all = contestants(a);
    auto data = load(a);
    std::printf("%zu x %zu, %zu queries, k = %zu, %zu thread%s\n", data.base.rows,
                data.base.columns, data.queries.rows, a.sweep.k, a.sweep.threads,
                a.sweep.threads == 1 ? "" : "s");
    bench::build_all(all, data, a.sweep);
    bench::sweep(all, data, a.sweep);
    std::vector<bench::curve> curves;
    for (auto const& c : all) curves.push_back(c.result);
    bench::print_table(curves);
    if (!a.json.empty()) bench::write_file(a.json, bench::to_json(curves));
    if (!a.svg.empty())
        bench::write_file(a.svg, bench::to_svg(curves, title_of(a, data), a.sweep.k));
}

void add_search(CLI::App& app, arguments& a) {
    auto* c = app.add_subcommand("search", "Sweeps the effort: recall and queries a second");
    c->add_option("--base", a.base, "Rows to index: .fbin or .u8bin")->required();
    c->add_option("--query", a.queries, "Queries, in the same form")->required();
    c->add_option("--truth", a.truth, "Their neighbours, .ibin; found by a scan without it");
    std::map<std::string, bench::metric_name> const metrics{
        {"squared_l2", bench::metric_name::squared_l2},
        {"inner_product", bench::metric_name::inner_product},
        {"cosine", bench::metric_name::cosine}};
    c->add_option("--metric", a.build.metric, "squared_l2, inner_product or cosine")
        ->required()
        ->transform(CLI::CheckedTransformer(metrics));
    c->add_option("--index", a.indexes, "vicinal's indexes")->delimiter(',');
    c->add_option("--codec", a.codecs, "Their codecs, each measured")->delimiter(',');
    c->add_option("--layout", a.layout, "Their layout");
    c->add_option("--peers", a.peers, "hnswlib, faiss")
        ->delimiter(',')
        ->check(CLI::IsMember({"hnswlib", "faiss"}));
    c->add_option("--k", a.sweep.k, "Neighbours a query")->check(CLI::PositiveNumber);
    c->add_option("--threads", a.build.threads, "Of building and searching")
        ->check(CLI::PositiveNumber);
    c->add_option("--M", a.build.neighbours, "Links of a graph's node");
    c->add_option("--ef-construction", a.build.build_width, "Candidates of an insert");
    c->add_option("--efforts", a.sweep.efforts, "The efforts to measure")->delimiter(',');
    c->add_option("--limit", a.limit, "Takes so many rows of the base; the truth by a scan");
    c->add_option("--rounds", a.sweep.rounds, "Turns of each point; the median counts")
        ->check(CLI::PositiveNumber);
    c->add_option("--seconds", a.sweep.seconds, "Of search a point, over all rounds")
        ->check(CLI::PositiveNumber);
    c->add_option("--json", a.json, "Writes every point as an object of an array");
    c->add_option("--svg", a.svg, "Draws recall against speed");
    c->callback([&a] {
        a.sweep.metric = a.build.metric;
        a.sweep.threads = a.build.threads;
        search(a);
    });
}

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    CLI::App app{"Recall against speed, vicinal beside its rivals."};
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    arguments a;
    add_search(app, a);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e);
    } catch (std::exception const& e) {
        std::fprintf(stderr, "vicinal-bench: %s\n", e.what());
        return 1;
    }
}
