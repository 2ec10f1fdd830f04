// SPDX-License-Identifier: MIT
// Writes the golden stores of this version under a directory, and says the format's number.
// ./dev golden runs it.
#include "golden/stores.hpp"

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

template <class Described>
void make(Described const& d, std::string const& under) {
    using store = typename Described::store;
    using script = golden::script<store>;
    auto const path = under + "/" + d.name;
    auto const written = path + ".written";
    typename store::options o;
    o.dim = golden::dim;
    if constexpr (requires { o.index.flat_below; }) {
        o.index.flat_below = 16;
        o.index.neighbours = 4;
        o.index.build_width = 16;
    }
    auto const copy = [&] {
        std::filesystem::copy(written, path);
        std::filesystem::remove(path + "/LOCK");
    };
    {
        store s{written, o};
        auto const index_on = [&](std::string const& field, vicinal::field_index kind) {
            if constexpr (script::has_fields)
                if (d.indexed) s.create_index(field, kind);
        };
        index_on("text", vicinal::field_index::hash);
        index_on("n", vicinal::field_index::ordered);
        index_on("tags", vicinal::field_index::inverted);
        script::run(
            [&](std::size_t n, std::vector<float> const& v) {
                if constexpr (script::has_fields)
                    s.upsert(script::id_of(n), v, golden::payload_of(n));
                else
                    s.upsert(script::id_of(n), v);
            },
            [&](std::size_t n) { s.erase(script::id_of(n)); }, [&] { s.checkpoint(); });
        index_on("real", vicinal::field_index::hash);
        if (!d.closed) copy();
    }
    if (d.closed) copy();
    std::filesystem::remove_all(written);
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    golden::for_each([&](auto const& d) { make(d, arguments[1]); });
    std::printf("%u\n", unsigned{vicinal::detail::snapshot_major});
    return 0;
}
