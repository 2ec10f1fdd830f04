// SPDX-License-Identifier: MIT
#include "backends.hpp"

#include "foreign.hpp"
#include "stores.hpp"

#include <vicinal/backend/look_at.hpp>
#include <vicinal/backend/vicinal_scheme.hpp>
#include <vicinal/migrate/files/compressed.hpp>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

namespace {

namespace backend = vicinal::backend;

backend::registry make_backends() {
    std::vector<backend::store_kind> kinds;
    for (auto const& some : {graph_stores(), flat_stores(), list_stores()})
        kinds.insert(kinds.end(), some.begin(), some.end());
    backend::registry r;
    r.add("vicinal", backend::vicinal_scheme(std::move(kinds)));
    add_databases(r);
    add_documents(r);
    add_binaries(r);
    return r;
}

} // namespace

backend::registry const& backends() {
    static backend::registry const all = make_backends();
    return all;
}

bool has_scheme(std::string const& text) {
    // A directory may have a colon in its name; a scheme is letters alone in front of one.
    auto const end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-_");
    if (end != std::string::npos && end > 0 && text[end] == ':') return true;
    return backends().knows(text.substr(0, (std::min)(text.find(':'), text.size())));
}

std::string with_default_scheme(std::string const& scheme, std::string const& text) {
    return has_scheme(text) ? text : scheme + ":" + text;
}

backend::guess recognise(std::string const& path) {
    auto found = backend::try_recognise(backends(), path, backend::open_compressed).value();
    if (!found)
        throw vicinal::error{vicinal::errc::foreign_file,
                             "something that is known, or its scheme in front of it: " +
                                 backends().readable(),
                             "'" + path + "'"};
    return *std::move(found);
}

std::string source_uri(std::string const& text) {
    if (has_scheme(text)) return text;
    // Parameters may stand behind a path alone, too.
    auto const question = text.find('?');
    auto const path = text.substr(0, question);
    auto const parameters = question == std::string::npos ? "" : text.substr(question + 1);
    auto found = recognise(path);
    if (found.uri.empty())
        throw vicinal::error{vicinal::errc::unsupported,
                             found.advice.empty() ? "something that can be read" : found.advice,
                             "'" + path + "' is " + found.what};
    if (parameters.empty()) return found.uri;
    return found.uri + (found.uri.find('?') == std::string::npos ? "?" : "&") + parameters;
}

std::string sink_uri(std::string const& text) {
    if (has_scheme(text)) return text;
    auto const path = text.substr(0, text.find('?'));
    for (auto const& [ending, scheme] :
         {std::pair<std::string_view, char const*>{".jsonl", "jsonl"},
          {".npy", "npy"},
          {".fbin", "fbin"},
          {".parquet", "parquet"},
          {".arrow", "arrow"},
          {".arrows", "arrow"},
          {".db", "sqlite"},
          {".sqlite", "sqlite"},
          {".sqlite3", "sqlite"}})
        if (path.ends_with(ending)) return std::string(scheme) + ":" + text;
    return "vicinal:" + text;
}

std::string escaped_value(std::string const& text) {
    std::string out;
    for (char const c : text) {
        if (c == '%')
            out += "%25";
        else if (c == '&')
            out += "%26";
        else if (c == '?')
            out += "%3F";
        else
            out += c;
    }
    return out;
}

} // namespace tool
