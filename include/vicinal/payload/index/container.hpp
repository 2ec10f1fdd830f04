// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_CONTAINER_HPP
#define VICINAL_PAYLOAD_INDEX_CONTAINER_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// The numbers of one bitmap that share their upper 16 bits: a sorted list of the lower ones, a bit
/// for each of 65,536, or runs as pairs of first and last (Lemire, Kai, Kurz, Kaser & others 2018,
/// "Roaring bitmaps").
///
/// A list holds at most 4,096; more are bits, which then take no more bytes.
struct container {
    enum class form : std::uint8_t { list, bits, runs };
    static constexpr std::size_t longest_list = 4096;
    static constexpr std::size_t words_of_bits = 1024;

    std::uint16_t key = 0;
    form kind = form::list;
    std::uint32_t count = 0;
    std::vector<std::uint16_t> list = {};
    std::vector<std::uint64_t> bits = {};

    [[nodiscard]] bool contains(std::uint16_t low) const noexcept {
        if (kind == form::bits) return (bits[low / 64] >> (low % 64) & 1) != 0;
        if (kind == form::list) return std::binary_search(list.begin(), list.end(), low);
        auto const at = run_from(low);
        return at < list.size() && list[at] <= low;
    }

    /// The bits of the 64 numbers from `first` on, a multiple of 64.
    [[nodiscard]] std::uint64_t word(std::uint16_t first) const noexcept {
        if (kind == form::bits) return bits[first / 64];
        auto const last = static_cast<std::uint16_t>(first + 63);
        std::uint64_t word = 0;
        if (kind == form::list) {
            for (auto at = std::lower_bound(list.begin(), list.end(), first);
                 at != list.end() && *at <= last; ++at)
                word |= std::uint64_t{1} << (*at - first);
            return word;
        }
        for (auto at = run_from(first); at < list.size() && list[at] <= last; at += 2)
            word |= ones((std::max)(list[at], first) % 64U, (std::min)(list[at + 1], last) % 64U);
        return word;
    }

    /// Calls f(number) in ascending order.
    template <class F>
    void each(F const& f) const {
        auto const high = std::uint32_t{key} << 16;
        if (kind == form::list) {
            for (auto const low : list) f(high | low);
        } else if (kind == form::bits) {
            for (std::size_t w = 0; w < words_of_bits; ++w)
                for (auto rest = bits[w]; rest != 0; rest &= rest - 1)
                    f(high | static_cast<std::uint32_t>(64 * w) |
                      static_cast<std::uint32_t>(std::countr_zero(rest)));
        } else {
            for (std::size_t i = 0; i < list.size(); i += 2)
                for (std::uint32_t low = list[i]; low <= list[i + 1]; ++low) f(high | low);
        }
    }

    /// Adds one; quick where it is above all others. Runs must have been spread.
    void add(std::uint16_t low) {
        if (kind == form::bits) {
            auto& word = bits[low / 64];
            count += static_cast<std::uint32_t>((word >> (low % 64) & 1) ^ 1);
            word |= std::uint64_t{1} << (low % 64);
            return;
        }
        if (list.empty() || list.back() < low) {
            list.push_back(low);
        } else {
            auto const at = std::lower_bound(list.begin(), list.end(), low);
            if (*at == low) return;
            list.insert(at, low);
        }
        if (++count > longest_list) to_bits();
    }

    /// Runs as a list or bits, which all that combines two containers works on.
    void spread() {
        if (kind != form::runs) return;
        if (count > longest_list) return to_bits();
        std::vector<std::uint16_t> all;
        all.reserve(count);
        for (std::size_t i = 0; i < list.size(); i += 2)
            for (std::uint32_t low = list[i]; low <= list[i + 1]; ++low)
                all.push_back(static_cast<std::uint16_t>(low));
        list.swap(all);
        kind = form::list;
    }
    void to_bits() {
        std::vector<std::uint64_t> made(words_of_bits, 0);
        if (kind == form::list) {
            for (auto const low : list) made[low / 64] |= std::uint64_t{1} << (low % 64);
        } else {
            for (std::size_t i = 0; i < list.size(); i += 2)
                for (std::size_t w = list[i] / 64U; w <= list[i + 1] / 64U; ++w)
                    made[w] |= ones(w == list[i] / 64U ? list[i] % 64U : 0,
                                    w == list[i + 1] / 64U ? list[i + 1] % 64U : 63);
        }
        bits.swap(made);
        std::vector<std::uint16_t>().swap(list);
        kind = form::bits;
    }
    /// Counts bits that were changed, and takes a list where they are few.
    void settle() {
        if (kind == form::list) {
            count = static_cast<std::uint32_t>(list.size());
            if (count > longest_list) to_bits();
            return;
        }
        count = 0;
        for (auto const word : bits) count += static_cast<std::uint32_t>(std::popcount(word));
        if (count <= longest_list) to_list();
    }
    /// Takes runs where they are smaller than what it has.
    void shrink() {
        if (kind == form::runs) return;
        auto const runs = count_runs();
        if (4 * runs + 2 < (kind == form::list ? 2 * std::size_t{count} : 8 * words_of_bits)) {
            std::vector<std::uint16_t> made;
            made.reserve(2 * runs);
            each([&](std::uint32_t number) {
                auto const low = static_cast<std::uint16_t>(number);
                if (!made.empty() && made.back() + 1 == low)
                    made.back() = low;
                else
                    made.insert(made.end(), 2, low);
            });
            list.swap(made);
            std::vector<std::uint64_t>().swap(bits);
            kind = form::runs;
        }
        list.shrink_to_fit();
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return sizeof(container) + 2 * list.capacity() + 8 * bits.capacity();
    }

    /// Ones from bit `first` to bit `last`.
    [[nodiscard]] static std::uint64_t ones(unsigned first, unsigned last) noexcept {
        return (~std::uint64_t{0} >> (63 - last)) & (~std::uint64_t{0} << first);
    }

private:
    /// Where the first run stands that does not end below `low`.
    [[nodiscard]] std::size_t run_from(std::uint16_t low) const noexcept {
        std::size_t from = 0;
        for (auto n = list.size() / 2; n > 0;) {
            auto const half = n / 2;
            if (list[2 * (from + half) + 1] < low) {
                from += half + 1;
                n -= half + 1;
            } else {
                n = half;
            }
        }
        return 2 * from;
    }
    [[nodiscard]] std::size_t count_runs() const noexcept {
        std::size_t runs = 0;
        if (kind == form::list) {
            for (std::size_t i = 0; i < list.size(); ++i)
                runs += i == 0 || list[i - 1] + 1 != list[i] ? 1U : 0U;
            return runs;
        }
        std::uint64_t before = 0;
        for (auto const word : bits) {
            runs += static_cast<std::size_t>(std::popcount(word & ~(word << 1 | before)));
            before = word >> 63;
        }
        return runs;
    }
    void to_list() {
        std::vector<std::uint16_t> made;
        made.reserve(count);
        each([&](std::uint32_t number) { made.push_back(static_cast<std::uint16_t>(number)); });
        list.swap(made);
        std::vector<std::uint64_t>().swap(bits);
        kind = form::list;
    }
};

/// a and b, b not being runs; a is changed, and may become empty.
inline void keep_common(container& a, container const& b) {
    using form = container::form;
    if (a.kind == form::bits && b.kind == form::bits) {
        for (std::size_t w = 0; w < container::words_of_bits; ++w) a.bits[w] &= b.bits[w];
        return a.settle();
    }
    std::vector<std::uint16_t> common;
    if (a.kind == form::list && b.kind == form::list) {
        std::set_intersection(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(),
                              std::back_inserter(common));
    } else {
        auto const& few = a.kind == form::list ? a : b;
        auto const& many = a.kind == form::list ? b : a;
        common.reserve(few.list.size());
        for (auto const low : few.list)
            if (many.contains(low)) common.push_back(low);
    }
    a.list.swap(common);
    std::vector<std::uint64_t>().swap(a.bits);
    a.kind = form::list;
    a.settle();
}

/// a or b, neither being runs.
inline void add_all(container& a, container const& b) {
    using form = container::form;
    if (a.kind == form::list && b.kind == form::list) {
        std::vector<std::uint16_t> all;
        all.reserve(a.list.size() + b.list.size());
        std::set_union(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(),
                       std::back_inserter(all));
        a.list.swap(all);
        return a.settle();
    }
    if (a.kind == form::list) a.to_bits();
    if (b.kind == form::list) {
        for (auto const low : b.list) a.bits[low / 64] |= std::uint64_t{1} << (low % 64);
    } else {
        for (std::size_t w = 0; w < container::words_of_bits; ++w) a.bits[w] |= b.bits[w];
    }
    a.settle();
}

/// a without b, neither being runs; a may become empty.
inline void take_away(container& a, container const& b) {
    using form = container::form;
    if (a.kind == form::list) {
        std::erase_if(a.list, [&b](std::uint16_t low) { return b.contains(low); });
    } else if (b.kind == form::list) {
        for (auto const low : b.list) a.bits[low / 64] &= ~(std::uint64_t{1} << (low % 64));
    } else {
        for (std::size_t w = 0; w < container::words_of_bits; ++w) a.bits[w] &= ~b.bits[w];
    }
    a.settle();
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
