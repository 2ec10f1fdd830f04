// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_SCHEME_HPP
#define VICINAL_BACKEND_CHROMA_SCHEME_HPP

#include <vicinal/backend/chroma_directory.hpp>
#include <vicinal/backend/registry.hpp>

#include <optional>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "chroma:DIR?tenant=T&database=D&collection=C": a Chroma directory, read. All parameters may be
/// left out where that leaves no doubt which collection is meant.
[[nodiscard]] inline scheme chroma_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"tenant", "database", "collection"}));
        chroma_options options;
        options.tenant = u.get("tenant");
        options.database = u.get("database");
        auto source = chroma_directory::try_open(u.path(), u.get("collection"), options);
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        // The scheme chroma-0.3 of the component columnar reads it, and is surer.
        if (g.has("chroma-collections.parquet") && !g.has("chroma.sqlite3"))
            return guess{.uri = {},
                         .what = "a directory of Chroma 0.3",
                         .certainty = 90,
                         .advice = "pip install chroma-migrate && chroma-migrate"};
        // The file alone stands for its directory, where it has the name that Chroma gives it.
        bool const file = !g.directory && g.name == "chroma.sqlite3";
        if (!g.has("chroma.sqlite3") && !file) return {};
        auto const slash = g.path.rfind('/');
        auto const directory = !file                        ? g.path
                               : slash == std::string::npos ? std::string(".")
                                                            : g.path.substr(0, slash + 1);
        guess one{.uri = "chroma:" + escaped_path(directory),
                  .what = "a Chroma directory",
                  .certainty = 100};
        if (auto const collections = chroma_directory::list(directory))
            one.what += " with " + std::to_string(collections->size()) +
                        (collections->size() == 1 ? " collection" : " collections");
        return one;
    };
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
