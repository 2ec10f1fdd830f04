// SPDX-License-Identifier: MIT
#include "backends.hpp"
#include "commands.hpp"
#include "printable.hpp"

#include <vicinal/migrate/json/write.hpp>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace tool {

namespace {

struct arguments {
    std::string store;
    std::string like;
    std::string vector;
    vicinal::search_options search;
    bool explain = false;
};

/// Numbers between blanks, commas or brackets, as JSON and most programs print a vector.
std::vector<float> parse_vector(std::string const& text) {
    std::vector<float> v;
    for (char const* p = text.c_str();;) {
        while (*p == ' ' || *p == ',' || *p == '[' || *p == ']' || *p == '\n' || *p == '\t') ++p;
        if (*p == '\0') return v;
        char* end = nullptr;
        v.push_back(std::strtof(p, &end));
        if (end == p)
            throw vicinal::error(vicinal::errc::invalid_argument, "numbers in --vector",
                                 "'" + std::string(p).substr(0, 20) + "'");
        p = end;
    }
}

int run(arguments const& a) {
    auto const store = backends().open(with_default_scheme("vicinal", a.store), true);
    std::vector<float> query;
    if (a.like.empty()) {
        query = parse_vector(a.vector);
    } else {
        auto const record = store.get(a.like);
        if (!record)
            throw vicinal::error(vicinal::errc::not_found, "a record of that id",
                                 "'" + a.like + "'");
        query = record->vector;
    }
    auto const print = [&](vicinal::any_store::hit const& hit) {
        // A line of tab-separated values a hit: distance, id, payload.
        std::string payload;
        vicinal::detail::to_json(store.get(hit.id)->payload, payload).value();
        std::printf("%.6g\t%s\t%s\n", static_cast<double>(hit.distance), printable(hit.id).c_str(),
                    printable(payload).c_str());
    };
    if (a.explain) {
        auto const e = store.explain(query, a.search);
        for (auto const& hit : e.hits) print(hit);
        auto const page = to_string(e);
        for (std::size_t at = 0, end = 0; at < page.size(); at = end + 1) {
            end = page.find('\n', at);
            std::fprintf(stderr, "%s\n", printable(page.substr(at, end - at)).c_str());
        }
        return success;
    }
    for (auto const& hit : store.search(query, a.search)) print(hit);
    return success;
}

} // namespace

void add_search(CLI::App& app, int& status) {
    auto* command = app.add_subcommand(
        "search", "Prints the records nearest to a vector: distance, id, payload");
    auto a = std::make_shared<arguments>();
    command->add_option("STORE", a->store, "A vicinal directory")->required();
    auto* like = command->add_option("--like", a->like, "Near the record of this id");
    auto* vector =
        command->add_option("--vector", a->vector, "Near this vector, as in \"[0.1, 0.2]\"");
    like->excludes(vector);
    // A minus in front would wrap around to a very large number.
    command->add_option("-k", a->search.k, "How many")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    command->add_option("--where", a->search.where, "A filter, as in \"year >= 2023\"");
    command
        ->add_option("--effort,--nprobe", a->search.effort,
                     "Width of the search by hand; of inverted lists how many are looked at")
        ->check(CLI::NonNegativeNumber);
    command->add_flag("--exact", a->search.exact, "Look at every record");
    command->add_flag("--explain", a->explain,
                      "Say on the standard error what the search did, and what would help it");
    command->callback([a, like, vector, &status] {
        if (like->empty() && vector->empty()) throw CLI::RequiredError("--like or --vector");
        status = run(*a);
    });
}

} // namespace tool
