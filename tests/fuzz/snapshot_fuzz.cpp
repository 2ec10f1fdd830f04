// SPDX-License-Identifier: MIT
// A store whose snapshot is damaged as the input says (tests/damage/recipe.hpp), with checksums
// that fit where it asks for them: opened, read, checked, written to and salvaged. Nothing may
// crash or hang, and damage under old checksums is refused or harmless.
#include "damage/use.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

template <class Index>
void run(damage::recipe const& todo) {
    static damage::sample<Index> const sound;
    static damage::workbench const b;
    if (!damage::follow(sound, b, todo, false)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    damage::recipe const todo({data, size});
    switch (todo.wanted.index) {
        case 0: run<damage::hnsw>(todo); break;
        case 1: run<damage::flat>(todo); break;
        default: run<damage::ivf>(todo);
    }
    return 0;
}
