// SPDX-License-Identifier: MIT
// clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -Itests
//         tests/fuzz/foreign_filter_fuzz.cpp -lsimdjson
//
// The input is a byte that names a system and what is promised of its records, and a filter of that
// system in JSON, hostile. What must hold: what is read prints to JSON that is read again, and both
// give the same answers on random payloads; so does the text of the filter.
#include "payload/random_fields.hpp"

#include <vicinal/migrate/filters/print.hpp>
#include <vicinal/migrate/json_filters.hpp>
#include <vicinal/payload/fields.hpp>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace vicinal;

void require(bool holds) {
    if (!holds) std::abort();
}

struct written {
    std::string first;
    std::string second; // Chroma has two texts
};

result<filter> read(unsigned system, written const& w,
                    backend::foreign_filter_options const& options) {
    switch (system) {
        case 0: return backend::chroma_filter(w.first, w.second, options);
        case 1: return backend::qdrant_filter(w.first, options);
        case 2: return backend::pinecone_filter(w.first, options);
        default: return backend::weaviate_filter(w.first, options);
    }
}

result<written> print(unsigned system, filter const& f,
                      backend::foreign_filter_options const& options) {
    if (system == 0) {
        auto c = backend::to_chroma(f, options);
        if (!c) return c.error();
        return written{c->where, c->where_document};
    }
    auto text = system == 1   ? backend::to_qdrant(f, options)
                : system == 2 ? backend::to_pinecone(f, options)
                              : backend::to_weaviate(f, options);
    if (!text) return text.error();
    return written{*text, {}};
}

/// A document is a text, and where arrays are promised away there are none.
fields random_record(testing::dice& d, backend::foreign_filter_options const& options) {
    auto all = testing::random_fields(d, 2);
    if (d.one_in(2)) all.set("document", testing::random_text(d));
    fields kept;
    for (auto const& [name, v] : all) {
        auto const* a = v.get_if<value::array>();
        auto const* s = v.get_if<std::string>();
        if (a && (options.no_arrays || (options.no_empty_values && a->empty()))) continue;
        if (s && options.no_empty_values && s->empty()) continue;
        kept.set(name, v);
    }
    return kept;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    auto const system = data[0] & 3U;
    backend::foreign_filter_options options;
    options.plain_text = (data[0] & 4U) != 0;
    options.utc_dates = (data[0] & 8U) != 0;
    options.no_empty_values = (data[0] & 32U) != 0;
    options.ne_matches_missing = (data[0] & 64U) == 0;
    std::string_view const json(reinterpret_cast<char const*>(data) + 1, size - 1);
    auto const cut = system == 0 ? json.find('\0') : std::string_view::npos;
    written const given{std::string(json.substr(0, cut)), cut == std::string_view::npos
                                                              ? std::string()
                                                              : std::string(json.substr(cut + 1))};

    auto const f = read(system, given, options);
    if (!f) return 0;
    auto const reparsed = filter::parse(f->print());
    require(reparsed ? *reparsed == *f : f->print().size() > payload::detail::max_filter_bytes);

    auto const text = print(system, *f, options);
    if (!text) {
        require(text.error().code() == errc::unsupported);
        return 0;
    }
    auto const again = read(system, *text, options);
    if (!again) {
        // JSON has more marks than a filter's text: what nearly filled 64 KiB may exceed them.
        require(again.error().code() == errc::invalid_filter ||
                again.error().code() == errc::invalid_json);
        require(text->first.size() + text->second.size() > 4096);
        return 0;
    }
    testing::dice d(size);
    for (int i = 0; i < 8; ++i) {
        std::string bytes;
        if (!payload::fields::encode(random_record(d, options), bytes)) continue;
        auto const view = std::as_bytes(std::span<char const>(bytes.data(), bytes.size()));
        require(f->matches(view) == again->matches(view));
    }
    return 0;
}
