// SPDX-License-Identifier: MIT
// vicinal-bench: recall against speed, vicinal beside its rivals on the same vectors in the same
// process.
#include "arguments.hpp"
#include "chart.hpp"
#include "report.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <exception>
#include <map>
#include <string>

namespace {

/// "sift, 200000 x 128", as the file is named.
std::string title_of(bench::arguments const& a, bench::matrix const& base) {
    auto const file = a.base.substr(a.base.rfind('/') + 1);
    return file.substr(0, file.find('.')) + ", " + std::to_string(base.rows) + " x " +
           std::to_string(base.columns);
}

void run(bench::arguments const& a) {
    auto const curves = a.turnovers > 0     ? bench::search_after_churn(a)
                        : !a.shares.empty() ? bench::search_filtered(a)
                                            : bench::search(a);
    auto const base = bench::read_matrix(a.base, a.limit);
    auto const title = title_of(a, base);
    std::printf("%s, k = %zu, %zu thread%s\n", title.c_str(), a.sweep.k, a.sweep.threads,
                a.sweep.threads == 1 ? "" : "s");
    bench::print_table(curves);
    if (!a.json.empty()) bench::write_file(a.json, bench::to_json(curves));
    if (!a.markdown.empty())
        bench::write_file(a.markdown, bench::to_markdown(curves, base.columns));
    if (!a.svg.empty()) bench::write_file(a.svg, bench::to_svg(curves, title, a.sweep.k));
}

void add_search(CLI::App& app, bench::arguments& a) {
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
    c->add_option("--layout", a.layout, "Their layout; plain where a codec has no such");
    c->add_option("--peers", a.peers, "hnswlib, faiss, faiss-ivf")
        ->delimiter(',')
        ->check(CLI::IsMember({"hnswlib", "faiss", "faiss-ivf"}));
    c->add_option("--k", a.sweep.k, "Neighbours a query")->check(CLI::PositiveNumber);
    c->add_option("--threads", a.build.threads, "Of building and searching")
        ->check(CLI::PositiveNumber);
    c->add_option("--M", a.build.neighbours, "Links of a graph's node");
    c->add_option("--ef-construction", a.build.build_width, "Candidates of an insert");
    c->add_option("--efforts", a.sweep.efforts, "The efforts to measure")->delimiter(',');
    auto* churn =
        c->add_option("--churn", a.turnovers,
                      "Searches a half of the rows after so many turnovers with the other half");
    c->add_option("--filter", a.shares, "Searches among these shares of the rows, as 0.5,0.01")
        ->delimiter(',')
        ->check(CLI::Range(0.0, 1.0))
        ->excludes(churn);
    c->add_option("--limit", a.limit, "Takes so many rows of the base; the truth by a scan");
    c->add_option("--rounds", a.sweep.rounds, "Turns of each point; the median counts")
        ->check(CLI::PositiveNumber);
    c->add_option("--seconds", a.sweep.seconds, "Of search a point, over all rounds")
        ->check(CLI::PositiveNumber);
    c->add_option("--least-queries", a.sweep.least_queries,
                  "Queries a point, over all rounds, where the base has few rows");
    c->add_option("--json", a.json, "Writes every point as an object of an array");
    c->add_option("--markdown", a.markdown, "Writes what the systems cost, as a table");
    c->add_option("--svg", a.svg, "Draws recall against speed");
    c->callback([&a] {
        a.sweep.metric = a.build.metric;
        a.sweep.threads = a.build.threads;
        run(a);
    });
}

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    CLI::App app{"Recall against speed, vicinal beside its rivals."};
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    bench::arguments a;
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
