// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_SCHEME_HPP
#define VICINAL_BACKEND_SQLITE_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/backend/sqlite_sink.hpp>
#include <vicinal/backend/sqlite_source.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "sqlite:FILE?table=T&vector=COLUMN&id=COLUMN&encoding=E": one table of a SQLite file, read;
/// "sqlite:FILE": written, into its table `records`.
[[nodiscard]] inline scheme sqlite_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"table", "vector", "id", "encoding"}));
        auto source = sqlite_source::try_open(u.path(), {.table = u.get("table"),
                                                         .vector = u.get("vector"),
                                                         .id = u.get("id"),
                                                         .encoding = u.get("encoding")});
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.sink = [](uri const& u, schema const&) -> result<any_sink> {
        VICINAL_CHECK(u.only({}));
        auto sink = sqlite_sink::try_open(u.path());
        VICINAL_CHECK(sink);
        return any_sink(std::move(*sink));
    };
    // Before begin() a sink has written nothing.
    s.dry_sink = s.sink;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (!g.head.starts_with(std::string_view("SQLite format 3\0", 16))) return {};
        guess one{
            .uri = "sqlite:" + escaped_path(g.path), .what = "a SQLite file", .certainty = 100};
        if (auto const tables = sqlite_source::list(g.path)) {
            std::string names;
            for (auto const& t : *tables) names.append(names.empty() ? "" : ", ").append(t.name);
            if (!names.empty()) one.what += " (tables " + names + ")";
        }
        return one;
    };
    return s;
}

inline void add_sqlite(registry& r) { r.add("sqlite", sqlite_scheme()); }

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
