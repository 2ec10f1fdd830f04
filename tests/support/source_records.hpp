// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_SOURCE_RECORDS_HPP
#define VICINAL_TESTS_SUPPORT_SOURCE_RECORDS_HPP

#include <vicinal/migrate/concept.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vicinal_test {

/// Everything that a source gives from where it stands, or its first error.
template <vicinal::basic_source S>
vicinal::result<std::vector<vicinal::record>> records_of(S& source, std::size_t at_once = 7) {
    std::vector<vicinal::record> all;
    std::vector<vicinal::record> batch;
    do {
        VICINAL_CHECK(source.read(batch, at_once));
        all.insert(all.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    return all;
}

/// The same for what `try_open` gave.
template <vicinal::basic_source S>
vicinal::result<std::vector<vicinal::record>> records_of(vicinal::result<S> opened,
                                                         std::size_t at_once = 7) {
    if (!opened) return opened.error();
    return records_of(*opened, at_once);
}

/// Equality of floats by their bits.
inline bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
    return true;
}

/// `times` damaged versions of some bytes, a few flipped and often cut off: each is given to `f`.
template <class F>
void damaged(std::string const& bytes, std::size_t times, std::uint64_t seed, F&& f) {
    auto const next = [&seed] {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        return seed >> 33;
    };
    for (std::size_t i = 0; i < times; ++i) {
        auto copy = bytes;
        // Headers decide most: half of the flips go into the first 256 bytes.
        for (auto flips = next() % 4; flips > 0 && !copy.empty(); --flips) {
            auto const range = next() % 2 == 0 && copy.size() > 256 ? 256 : copy.size();
            copy[next() % range] = static_cast<char>(next());
        }
        if (next() % 3 == 0) copy.resize(next() % (copy.size() + 1));
        f(copy);
    }
}

} // namespace vicinal_test

#endif
