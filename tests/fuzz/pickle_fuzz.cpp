// SPDX-License-Identifier: MIT
// Any bytes as the pickle of a Chroma index: read as data or refused.
#include <vicinal/backend/chroma/index_map.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const* const text = reinterpret_cast<char const*>(data);
    auto const map = vicinal::detail::parse_index_map({text, size});
    if (!map) {
        if (map.error().code() != vicinal::errc::corrupt_source) std::abort();
        return 0;
    }
    // Every id points into the file.
    for (auto const& [id, label] : map->labels)
        if (!id.empty() && (id.data() < text || id.data() + id.size() > text + size)) std::abort();
    return 0;
}
