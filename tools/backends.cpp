// SPDX-License-Identifier: MIT
#include "backends.hpp"

#include <vicinal/backend/chroma_scheme.hpp>
#include <vicinal/backend/jsonl_scheme.hpp>
#include <vicinal/backend/vicinal_scheme.hpp>
#include <vicinal/vicinal.hpp>

namespace tool {

vicinal::backend::registry const& backends() {
    static vicinal::backend::registry const all = [] {
        using namespace vicinal;
        using storage_policy = storage::mmap;
        backend::registry r;
        r.add(
            "vicinal",
            backend::vicinal_scheme<store<metric::cosine, index::hnsw<>, storage_policy>,
                                    store<metric::squared_l2, index::hnsw<>, storage_policy>,
                                    store<metric::inner_product, index::hnsw<>, storage_policy>,
                                    store<metric::cosine, index::flat<>, storage_policy>,
                                    store<metric::squared_l2, index::flat<>, storage_policy>,
                                    store<metric::inner_product, index::flat<>, storage_policy>>());
        r.add("chroma", backend::chroma_scheme());
        r.add("jsonl", backend::jsonl_scheme());
        return r;
    }();
    return all;
}

std::string with_scheme(std::string const& text) {
    // A directory may have a colon in its name; a scheme is letters alone in front of one.
    auto const end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+");
    if (end != std::string::npos && end > 0 && text[end] == ':') return text;
    return (text.ends_with(".jsonl") ? "jsonl:" : "vicinal:") + text;
}

} // namespace tool
