// SPDX-License-Identifier: MIT
// Damage as a string of bytes: any bytes are a recipe, so that a fuzzer or a generator of random
// numbers can write them.
#ifndef VICINAL_TESTS_DAMAGE_RECIPE_HPP
#define VICINAL_TESTS_DAMAGE_RECIPE_HPP

#include "damage/repair.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace damage {

/// The bytes of a file that say something: a snapshot is mostly padding.
struct place {
    std::size_t at;
    std::size_t size;
};
inline std::vector<place> used_places(bytes const& snapshot) {
    using namespace vicinal::detail;
    front const f(snapshot);
    std::vector<place> list{{0, 136},
                            {4088, 8 + static_cast<std::size_t>(f.crcs_at + 4 * f.blocks) - 4096}};
    for (std::uint64_t i = 0; i < f.sections; ++i) {
        auto const* const p = snapshot.data() + snapshot_header_bytes + i * snapshot_entry_bytes;
        auto const size = load_le<std::uint64_t>(p + 72) * load_le<std::uint64_t>(p + 80);
        if (size > 0)
            list.push_back({static_cast<std::size_t>(load_le<std::uint64_t>(p + 64)),
                            static_cast<std::size_t>(size) + 8});
    }
    return list;
}

/// What a recipe asks for besides damage.
struct order {
    repair how = repair::nothing;
    bool closed = false;
    bool write = false;
    bool salvage = false;
    /// 0 a graph, 1 a scan, 2 and 3 inverted lists.
    std::uint64_t index = 0;
};

/// Reads a recipe: one byte of flags, then steps.
class recipe {
public:
    explicit recipe(std::span<std::uint8_t const> text) : text_(text) {
        auto const flags = number(1);
        wanted.how = static_cast<repair>((std::min<std::uint64_t>)(flags & 3, 2));
        wanted.closed = (flags & 4) != 0;
        wanted.write = (flags & 8) != 0;
        wanted.salvage = (flags & 16) != 0;
        wanted.index = flags >> 5 & 3;
    }

    /// Damages a file of which only `used` is meant; `unit` is what is moved as a whole.
    void apply(bytes& file, std::vector<place> const& used, std::size_t unit) {
        for (int steps = 0; !text_.empty() && steps < 64 && file.size() > 64; ++steps)
            switch (number(1) % 8) {
                case 0: {
                    auto const n = 1 + number(1) % 16;
                    auto const at = address(file, used);
                    for (std::size_t i = 0; i < n && at + i < file.size(); ++i)
                        file[at + i] = static_cast<std::byte>(number(1));
                    break;
                }
                case 1: {
                    auto const bit = number(1) % 8;
                    file[address(file, used)] ^= static_cast<std::byte>(1U << bit);
                    break;
                }
                case 2: put(file, address(file, used) / 4 * 4, 4, telling()); break;
                case 3: put(file, address(file, used) / 8 * 8, 8, telling()); break;
                case 4: {
                    auto const from = address(file, used);
                    auto const to = address(file, used);
                    auto const n = (std::min)({static_cast<std::size_t>(number(1)),
                                               file.size() - from, file.size() - to});
                    std::memmove(file.data() + to, file.data() + from, n);
                    break;
                }
                case 5: {
                    auto const n = static_cast<std::size_t>(number(2));
                    auto const grow = number(1) % 2 != 0;
                    file.resize(grow ? file.size() + n : file.size() - (std::min)(n, file.size()));
                    break;
                }
                case 6: {
                    auto const units = file.size() / unit;
                    if (units < 2) break;
                    auto const a = static_cast<std::size_t>(number(1)) % units;
                    auto const b = static_cast<std::size_t>(number(1)) % units;
                    if (a == b) break;
                    std::swap_ranges(at(file, a * unit), at(file, (a + 1) * unit),
                                     at(file, b * unit));
                    break;
                }
                default: {
                    auto const place = address(file, used);
                    put(file, place / 8 * 8, 8,
                        vicinal::detail::load_le<std::uint64_t>(file.data() + within(file, place)) +
                            number(1) - 128);
                    break;
                }
            }
    }

    order wanted;

private:
    std::uint64_t number(std::size_t n) {
        std::uint64_t v = 0;
        for (; n > 0 && !text_.empty(); --n) {
            v = v << 8 | text_[0];
            text_ = text_.subspan(1);
        }
        return v;
    }
    /// A number at a border of something.
    std::uint64_t telling() {
        constexpr std::array<std::uint64_t, 16> borders{
            0,           1,           2,           255,         65535,
            65536,       0x7fffffffU, 0x80000000U, 0xfffffffeU, 0xffffffffU,
            1ULL << 32U, 1ULL << 40U, 1ULL << 62U, 1ULL << 63U, ~0ULL - 4095,
            ~0ULL};
        return borders[static_cast<std::size_t>(number(1) % borders.size())];
    }
    std::size_t address(bytes const& file, std::vector<place> const& used) {
        std::size_t all = 0;
        for (auto const& p : used) all += p.size;
        auto n = static_cast<std::size_t>(number(2)) % (std::max<std::size_t>)(all, 1);
        for (auto const& p : used) {
            if (n < p.size) return (std::min)(p.at + n, file.size() - 1);
            n -= p.size;
        }
        return file.size() - 1;
    }
    static std::size_t within(bytes const& file, std::size_t at) {
        return (std::min)(at / 8 * 8, file.size() - 8);
    }
    static void put(bytes& file, std::size_t at, std::size_t n, std::uint64_t v) {
        for (std::size_t i = 0; i < n && at + i < file.size(); ++i)
            file[at + i] = static_cast<std::byte>(v >> 8 * i);
    }
    static bytes::iterator at(bytes& file, std::size_t i) {
        return file.begin() + static_cast<std::ptrdiff_t>(i);
    }

    std::span<std::uint8_t const> text_;
};

} // namespace damage

#endif
