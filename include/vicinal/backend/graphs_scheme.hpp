// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_GRAPHS_SCHEME_HPP
#define VICINAL_BACKEND_GRAPHS_SCHEME_HPP

#include <vicinal/backend/arrays_advice.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/graphs/faiss.hpp>
#include <vicinal/migrate/graphs/hnswlib.hpp>
#include <vicinal/migrate/graphs/usearch.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

[[nodiscard]] inline std::optional<backend::guess> recognise_hnswlib(backend::glimpse const& g) {
    auto const layout = hnswlib_layout::of(reinterpret_cast<std::byte const*>(g.head.data()),
                                           (std::min)(g.head.size(), std::size_t{96}), g.bytes);
    if (g.directory || !layout) return std::nullopt;
    return backend::guess{"hnswlib:" + backend::escaped_path(g.path),
                          "an index of hnswlib, " + std::to_string(layout->rows) + " vectors of " +
                              std::to_string(layout->dim) + " elements",
                          50};
}

[[nodiscard]] inline std::optional<backend::guess> recognise_faiss(backend::glimpse const& g) {
    backend::guess found{"faiss:" + backend::escaped_path(g.path), "an index of faiss", 100};
    if (g.directory) {
        if (!g.has("index.faiss")) return std::nullopt;
        found.what =
            g.has("index.pkl") ? "a FAISS folder of LangChain" : "a folder of a faiss index";
        return found;
    }
    // Four letters are little: the two numbers of the header that never vary come with them.
    auto const head = std::string_view(g.head);
    bool const letters = head.starts_with("Ix") || head.starts_with("IH") ||
                         head.starts_with("Iw") || head.starts_with("IB");
    constexpr std::size_t constant = 16;
    if (!letters || head.size() < constant + 16) return std::nullopt;
    auto const* const p = reinterpret_cast<std::byte const*>(head.data());
    bool const header = load_le<std::uint64_t>(p + constant) == (1U << 20) &&
                        load_le<std::uint64_t>(p + constant + 8) == (1U << 20);
    if (!header && !head.starts_with("IB")) return std::nullopt;
    auto const source = backend::faiss_source::try_open(g.path);
    if (source || source.error().code() != errc::unsupported) return found;
    if (backend::faiss_source::try_open(g.path, {.decode = true})) {
        found.uri += "?decode=1";
        found.what += ", of codes that can be decoded";
        return found;
    }
    found.uri.clear();
    found.what += " of a kind that is not read";
    found.advice = python_advice("import faiss, numpy as n; i = faiss.read_index(p); "
                                 "n.save('vectors.npy', i.reconstruct_n(0, i.ntotal))",
                                 g.path);
    return found;
}

[[nodiscard]] inline std::optional<backend::guess> recognise_usearch(backend::glimpse const& g) {
    if (g.directory) return std::nullopt;
    auto bytes = file_bytes::open(g.path);
    if (!bytes) return std::nullopt;
    auto const head = usearch_head::parse(*bytes);
    if (!head) return std::nullopt;
    return backend::guess{"usearch:" + backend::escaped_path(g.path),
                          "an index of usearch, " + std::to_string(head->rows) + " vectors of " +
                              std::to_string(head->dim) + " elements",
                          100};
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// "hnswlib:FILE?metric=NAME&dim=N": an index of hnswlib, read.
[[nodiscard]] inline scheme hnswlib_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"metric", "dim"}));
        hnswlib_options options{.metric = u.get("metric")};
        auto const dim = u.get("dim", "0");
        auto const end = dim.data() + dim.size();
        if (std::from_chars(dim.data(), end, options.dim).ptr != end || dim.empty())
            return error{errc::invalid_uri, "a number as dim", "'" + dim + "'"};
        auto source = hnswlib_source::try_open(u.path(), std::move(options));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = detail::recognise_hnswlib;
    return s;
}

/// "faiss:PATH?metric=NAME&decode=1": an index of faiss or a folder of LangChain, read.
[[nodiscard]] inline scheme faiss_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"metric", "decode"}));
        auto const decode = u.get("decode", "0");
        if (decode != "0" && decode != "1")
            return error{errc::invalid_uri, "0 or 1 as decode", "'" + decode + "'"};
        auto source =
            faiss_source::try_open(u.path(), {.metric = u.get("metric"), .decode = decode == "1"});
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = detail::recognise_faiss;
    return s;
}

/// "usearch:FILE?metric=NAME": an index of usearch, read.
[[nodiscard]] inline scheme usearch_scheme() {
    scheme s;
    s.source = [](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"metric"}));
        auto source = usearch_source::try_open(u.path(), {.metric = u.get("metric")});
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = detail::recognise_usearch;
    return s;
}

/// Adds the schemes of all index files.
inline void add_graphs(registry& r) {
    r.add("hnswlib", hnswlib_scheme());
    r.add("faiss", faiss_scheme());
    r.add("usearch", usearch_scheme());
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
