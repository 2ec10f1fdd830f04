// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_JSONL_SCHEME_HPP
#define VICINAL_BACKEND_JSONL_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/jsonl.hpp>

#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "jsonl:FILE": JSON Lines, read or written.
[[nodiscard]] inline scheme jsonl_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({}));
        auto source = jsonl_source::try_open(u.path());
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
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
