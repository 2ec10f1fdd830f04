// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_JSONL_SCHEME_HPP
#define VICINAL_BACKEND_JSONL_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/json/recognise.hpp>
#include <vicinal/migrate/jsonl.hpp>

#include <optional>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "jsonl:FILE": JSON Lines of {"id", "vector", "payload"}, read or written. `open` opens what is
/// read, as in open_compressed.
[[nodiscard]] inline scheme jsonl_scheme(input_opener open = open_file) {
    scheme s;
    s.source = [open](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({}));
        auto source = jsonl_source::try_open(u.path(), open);
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.sink = [](uri const& u, schema const&) -> result<any_sink> {
        VICINAL_CHECK(u.only({}));
        auto sink = jsonl_sink::try_open(u.path());
        VICINAL_CHECK(sink);
        return any_sink(std::move(*sink));
    };
    // Before begin() a sink has written nothing.
    s.dry_sink = s.sink;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        if (g.directory || !detail::strict_line(g.head)) return std::nullopt;
        return guess{"jsonl:" + escaped_path(g.path),
                     "JSON Lines of records with id, vector and payload", 60};
    };
    return s;
}

/// Adds "jsonl".
inline void add_jsonl(registry& r, input_opener open = open_file) {
    r.add("jsonl", jsonl_scheme(open));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
