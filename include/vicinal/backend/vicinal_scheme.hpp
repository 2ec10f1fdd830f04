// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_VICINAL_SCHEME_HPP
#define VICINAL_BACKEND_VICINAL_SCHEME_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/backend/registry.hpp>
#    include <vicinal/backend/store_kind.hpp>
#    include <vicinal/storage/mmap.hpp>

#    include <algorithm>
#    include <charconv>
#    include <cstddef>
#    include <optional>
#    include <string>
#    include <string_view>
#    include <utility>
#    include <vector>

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// The store types of a program, one of which opens a directory. A template so that it costs only
/// who uses it.
template <class Kind>
class store_kinds {
    using wish = backend::store_wish;

public:
    explicit store_kinds(std::vector<Kind> all) : all_(std::move(all)) {}

    /// The first that fits. Errors: unsupported, with all that there are.
    [[nodiscard]] result<Kind const*> find(wish const& w) const {
        auto const at =
            std::find_if(all_.begin(), all_.end(), [&](Kind const& k) { return k.fits(w); });
        if (at == all_.end()) return none_fits(w);
        if (w.num_partitions != 0 && !at->partitioned)
            return error{errc::invalid_uri, "num_partitions with index=ivf alone",
                         "index=" + *at->types.find("index")};
        return &*at;
    }

    /// What is asked of a store where the URI, the directory that is there and, for a sink, what
    /// comes in have each said their part.
    [[nodiscard]] static result<wish> settle(backend::uri const& u, schema const* incoming) {
        auto w = read_parameters(u);
        VICINAL_CHECK(w);
        auto found = storage::mmap::space::inspect(u.path());
        if (found) {
            w->there = std::move(found->properties);
            w->num_partitions = 0;
            VICINAL_CHECK(agree(*w->there, "metric", w->metric, errc::metric_mismatch));
            VICINAL_CHECK(agree(*w->there, "index", w->index, errc::index_mismatch));
            VICINAL_CHECK(agree(*w->there, "codec", w->codec, errc::index_mismatch));
            return w;
        }
        if (found.error().code() != errc::not_found) return found.error();
        if (!incoming) return error{errc::not_found, "a store at '" + u.path() + "'", "none"};
        if (w->metric.empty()) w->metric = incoming->metric;
        if (w->index.empty()) w->index = "hnsw";
        if (w->dim == 0) w->dim = incoming->dim;
        auto const place = "'" + u.scheme() + ":" + u.path() + "'";
        if (w->metric.empty())
            return error{errc::invalid_uri,
                         "metric=squared_l2, inner_product or cosine for the new store, as the "
                         "source names none",
                         place};
        if (w->dim == 0)
            return error{errc::invalid_uri,
                         "dim=NUMBER for the new store, as the source has no record to tell it",
                         place};
        return w;
    }

private:
    [[nodiscard]] static result<wish> read_parameters(backend::uri const& u) {
        VICINAL_CHECK(u.only({"metric", "index", "dim", "codec", "num_partitions"}));
        wish w{u.get("metric"), u.get("index"), u.get("codec")};
        VICINAL_CHECK(read_number(u, "dim", w.dim));
        VICINAL_CHECK(read_number(u, "num_partitions", w.num_partitions));
        return w;
    }
    [[nodiscard]] static result<void> read_number(backend::uri const& u, std::string const& name,
                                                  std::size_t& out) {
        auto const* text = u.find(name);
        if (!text) return {};
        auto const end = text->data() + text->size();
        auto const [at, problem] = std::from_chars(text->data(), end, out);
        if (problem == std::errc{} && at == end && out != 0) return {};
        return error{errc::invalid_uri, name + "=NUMBER", "'" + name + "=" + *text + "'"};
    }

    /// A directory that is there fills in what the URI left open; what it named must agree.
    [[nodiscard]] static result<void> agree(storage::properties const& there, std::string_view name,
                                            std::string& wanted, errc code) {
        auto const* is = there.find(name);
        if (is && wanted.empty()) wanted = *is;
        if (is && wanted == *is) return {};
        return error{code, std::string(name) + " " + wanted,
                     is ? "a store with " + *is : "a store that names none"};
    }

    /// The types in words, as in "cosine hnsw (f32) with fields and string ids".
    [[nodiscard]] static std::string in_words(storage::properties const& p) {
        auto const get = [&p](std::string_view name) {
            auto const* v = p.find(name);
            return v ? *v : std::string("?");
        };
        return get("metric") + " " + get("index") + " (" + get("codec") + ") with payload " +
               get("payload") + " and " + get("id") + " ids";
    }
    [[nodiscard]] error none_fits(wish const& w) const {
        std::string list;
        for (auto const& k : all_) list.append(list.empty() ? "" : ", ").append(in_words(k.types));
        return error{errc::unsupported, "one of the store types of this program: " + list,
                     w.there ? in_words(*w.there)
                             : "metric " + w.metric + ", index " + w.index +
                                   (w.codec.empty() ? "" : ", codec " + w.codec)};
    }

    std::vector<Kind> all_;
};

} // namespace detail

/// "vicinal:DIR?index=hnsw&metric=cosine&dim=384": a durable store. One that is there names its own
/// policies, and parameters may only agree with it; a new one takes metric and dimension from what
/// comes in where the URI names none, `hnsw` for its index, and the first codec that the program
/// lists for it. With index=ivf `num_partitions` says how many lists a new store has; one that is
/// there keeps its own.
namespace backend {

/// The scheme for stores of these kinds. Of two that differ in the codec alone the first is made
/// where a URI names none.
template <class Kind = store_kind>
[[nodiscard]] scheme vicinal_scheme(std::vector<Kind> listed) {
    detail::store_kinds<Kind> const kinds(std::move(listed));
    scheme s;
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        auto const snapshot = std::any_of(g.entries.begin(), g.entries.end(), [](auto const& name) {
            return name.starts_with("snap-") && name.ends_with(".vic");
        });
        if (g.directory && snapshot)
            return guess{"vicinal:" + escaped_path(g.path), "a vicinal store", 100};
        if (g.head.starts_with("\x89VIC\r\n\x1a\n"))
            return guess{"vicinal:" + escaped_path(g.path), "one snapshot of a vicinal store", 100};
        return {};
    };
    s.store = [kinds](uri const& u, bool read_only) -> result<any_store> {
        auto const w = kinds.settle(u, nullptr);
        VICINAL_CHECK(w);
        auto const kind = kinds.find(*w);
        VICINAL_CHECK(kind);
        return (*kind)->open(u.path(), *w, read_only);
    };
    s.source = [kinds](uri const& u) -> result<any_source> {
        auto const w = kinds.settle(u, nullptr);
        VICINAL_CHECK(w);
        auto const kind = kinds.find(*w);
        VICINAL_CHECK(kind);
        return (*kind)->source(u.path(), *w);
    };
    s.sink = [kinds](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = kinds.settle(u, &incoming);
        VICINAL_CHECK(w);
        auto const kind = kinds.find(*w);
        VICINAL_CHECK(kind);
        return (*kind)->sink(u.path(), *w, false);
    };
    s.dry_sink = [kinds](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = kinds.settle(u, &incoming);
        VICINAL_CHECK(w);
        auto const kind = kinds.find(*w);
        VICINAL_CHECK(kind);
        return w->there ? (*kind)->sink(u.path(), *w, true) : (*kind)->imitate(*w);
    };
    return s;
}

/// The same of store types: all compiled here.
template <float_store... Stores>
[[nodiscard]] scheme vicinal_scheme() {
    return vicinal_scheme(std::vector<store_kind>{store_kind_of<Stores>()...});
}

} // namespace backend

} // namespace vicinal::inline VICINAL_ABI

#endif

#endif
