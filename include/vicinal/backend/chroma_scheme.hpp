// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_SCHEME_HPP
#define VICINAL_BACKEND_CHROMA_SCHEME_HPP

#include <vicinal/backend/chroma_directory.hpp>
#include <vicinal/backend/registry.hpp>

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
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
