// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_REGISTRY_HPP
#define VICINAL_BACKEND_REGISTRY_HPP

#include <vicinal/backend/any_store.hpp>
#include <vicinal/backend/recognise.hpp>
#include <vicinal/backend/uri.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// What a scheme can do; a function that is left empty is refused by name.
struct scheme {
    /// Opens a store for searching; `read_only` opens it beside its writer.
    std::function<result<any_store>(uri const&, bool read_only)> store = {};
    std::function<result<any_source>(uri const&)> source = {};
    /// `incoming` is what will be written: a sink that is made takes dimension and metric from it
    /// where the URI names none.
    std::function<result<any_sink>(uri const&, schema const& incoming)> sink = {};
    /// For a dry run: what `sink` would give, but only `check` is called of it. Makes nothing.
    std::function<result<any_sink>(uri const&, schema const& incoming)> dry_sink = {};
    /// Whether a path looks like what this scheme opens, or knows but can't read.
    std::function<std::optional<guess>(glimpse const&)> recognise = {};
};

/// Schemes by name, so that a program opens what a string names: "vicinal:docs.vicinal",
/// "chroma:./db?collection=docs". It knows those that were added to it, the user's own among them.
class registry {
public:
    /// Adds a scheme or replaces the one of that name.
    void add(std::string name, scheme s) { schemes_[std::move(name)] = std::move(s); }

    [[nodiscard]] bool knows(std::string_view name) const {
        return schemes_.find(name) != schemes_.end();
    }

    /// What lies at a path, seen by `look_at` (backend/look_at.hpp): the surest guess of all
    /// schemes; nothing where none knows it.
    [[nodiscard]] std::optional<guess> recognise(glimpse const& seen) const {
        std::optional<guess> best;
        for (auto const& [name, s] : schemes_) {
            if (!s.recognise) continue;
            auto one = s.recognise(seen);
            if (one && (!best || one->certainty > best->certainty)) best = std::move(one);
        }
        return best;
    }

    /// The names of the schemes that can be read, and written, as in "chroma, jsonl".
    [[nodiscard]] std::string readable() const {
        return names([](scheme const& s) { return static_cast<bool>(s.source); });
    }
    [[nodiscard]] std::string writable() const {
        return names([](scheme const& s) { return static_cast<bool>(s.sink); });
    }

    /// Errors: invalid_uri, unsupported, and those of the scheme.
    [[nodiscard]] result<any_store> try_open(std::string_view text, bool read_only = false) const {
        return with(text, &scheme::store, "be searched", read_only);
    }
    [[nodiscard]] result<any_source> try_open_source(std::string_view text) const {
        return with(text, &scheme::source, "be read");
    }
    [[nodiscard]] result<any_sink> try_open_sink(std::string_view text, schema const& incoming,
                                                 bool dry_run = false) const {
        if (dry_run) return with(text, &scheme::dry_sink, "be tried without writing", incoming);
        return with(text, &scheme::sink, "be written", incoming);
    }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] any_store open(std::string_view text, bool read_only = false) const {
        return try_open(text, read_only).value();
    }
    [[nodiscard]] any_source open_source(std::string_view text) const {
        return try_open_source(text).value();
    }
    [[nodiscard]] any_sink open_sink(std::string_view text, schema const& incoming,
                                     bool dry_run = false) const {
        return try_open_sink(text, incoming, dry_run).value();
    }
#endif

private:
    template <class Function, class... More>
    [[nodiscard]] auto with(std::string_view text, Function scheme::*wanted, std::string_view what,
                            More const&... more) const -> typename Function::result_type {
        return detail::guarded([&]() -> typename Function::result_type {
            auto const u = uri::parse(text);
            VICINAL_CHECK(u);
            auto const at = schemes_.find(u->scheme());
            if (at == schemes_.end())
                return error{errc::invalid_uri,
                             "a scheme of " + names([](scheme const&) { return true; }),
                             "'" + u->scheme() + "'"};
            auto const& open = at->second.*wanted;
            if (!open)
                return error{errc::unsupported, "a scheme that can " + std::string(what),
                             "'" + u->scheme() + "'"};
            return open(*u, more...);
        });
    }

    template <class Which>
    [[nodiscard]] std::string names(Which const& which) const {
        std::string list;
        for (auto const& [name, s] : schemes_)
            if (which(s)) list.append(list.empty() ? "" : ", ").append(name);
        return list.empty() ? "none: the program added none" : list;
    }

    std::map<std::string, scheme, std::less<>> schemes_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
