// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_HDF5_SCHEME_HPP
#define VICINAL_BACKEND_HDF5_SCHEME_HPP

#include <vicinal/backend/registry.hpp>
#include <vicinal/migrate/hdf5.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// "hdf5:FILE?dataset=NAME&ids=FILE&metric=NAME": a dataset of an HDF5 file, read.
[[nodiscard]] inline scheme hdf5_scheme(input_opener open = open_file) {
    scheme s;
    s.source = [open](uri const& u) -> result<any_source> {
        VICINAL_CHECK(u.only({"dataset", "ids", "metric"}));
        auto source = hdf5_source::try_open(u.path(), {.dataset = u.get("dataset"),
                                                       .ids = u.get("ids"),
                                                       .metric = u.get("metric"),
                                                       .open = open});
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [](glimpse const& g) -> std::optional<guess> {
        // Not where it is packed: HDF5 reads files as they lie.
        bool const packed = !g.path.ends_with(g.name);
        if (packed || !std::string_view(g.head).starts_with("\x89HDF\r\n\x1a\n"))
            return std::nullopt;
        return guess{"hdf5:" + escaped_path(g.path), "an HDF5 file", 100};
    };
    return s;
}

/// Adds the scheme. `open` may unpack a file of ids on the way.
inline void add_hdf5(registry& r, input_opener open = open_file) {
    r.add("hdf5", hdf5_scheme(open));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
