// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_JSON_ARRAYS_SCHEME_HPP
#define VICINAL_BACKEND_JSON_ARRAYS_SCHEME_HPP

#include <vicinal/backend/arrays_scheme.hpp>
#include <vicinal/migrate/json/array_sink.hpp>

#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// As `array_scheme`, with "payload=FILE" (JSON Lines, an object a row) or "side=FILE" (ids and
/// payloads, as array_sink writes them) besides; npy: and fbin: can also be written. Needs
/// simdjson.
[[nodiscard]] inline scheme json_array_scheme(array_format format, input_opener open = open_file) {
    scheme s = array_scheme(format, open);
    s.source = [format, open](uri const& u) -> result<any_source> {
        if (format == array_format::npy && detail::is_directory(u.path()))
            return detail::open_numpy_folder(u, open);
        VICINAL_CHECK(u.only({"ids", "metric", "payload", "side"}));
        auto source = array_records::try_open(u.path(), format,
                                              {.array = detail::array_options_of(u, open),
                                               .payload = u.get("payload"),
                                               .side = u.get("side")});
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    if (format != array_format::npy && format != array_format::fbin) return s;
    s.sink = [format](uri const& u, schema const&) -> result<any_sink> {
        VICINAL_CHECK(u.only({}));
        auto sink = array_sink::try_open(u.path(), format);
        VICINAL_CHECK(sink);
        return any_sink(std::move(*sink));
    };
    // Before begin() a sink has written nothing.
    s.dry_sink = s.sink;
    return s;
}

/// Adds the schemes of all formats of arrays, in place of `add_arrays`.
inline void add_json_arrays(registry& r, input_opener open = open_file) {
    for (auto const format : array_formats)
        r.add(std::string(name_of(format)), json_array_scheme(format, open));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
