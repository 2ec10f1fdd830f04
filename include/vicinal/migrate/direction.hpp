// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_DIRECTION_HPP
#define VICINAL_MIGRATE_DIRECTION_HPP

#include <vicinal/core/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether two vectors point the same way: their unit vectors are at most 1e-5 apart, which allows
/// for several roundings to float by whoever normalised them, and for nothing else.
[[nodiscard]] inline bool same_direction(std::span<float const> a,
                                         std::span<float const> b) noexcept {
    if (a.size() != b.size()) return false;
    double aa = 0;
    double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        aa += static_cast<double>(a[i]) * a[i];
        bb += static_cast<double>(b[i]) * b[i];
    }
    if (aa == 0 || bb == 0) return aa == bb;
    auto const scale_a = 1 / std::sqrt(aa);
    auto const scale_b = 1 / std::sqrt(bb);
    double apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto const d = a[i] * scale_a - b[i] * scale_b;
        apart += d * d;
    }
    return apart <= 1e-10;
}

/// Vectors kept for such a comparison, by number.
class direction_pool {
public:
    [[nodiscard]] std::uint64_t add(std::span<float const> v) {
        places_.push_back({elements_.size(), v.size()});
        elements_.insert(elements_.end(), v.begin(), v.end());
        return places_.size() - 1;
    }
    [[nodiscard]] bool same(std::uint64_t mine, direction_pool const& other,
                            std::uint64_t theirs) const noexcept {
        return same_direction(at(mine), other.at(theirs));
    }

private:
    struct place {
        std::size_t first;
        std::size_t size;
    };
    [[nodiscard]] std::span<float const> at(std::uint64_t i) const noexcept {
        auto const& p = places_[static_cast<std::size_t>(i)];
        return std::span(elements_).subspan(p.first, p.size);
    }

    std::vector<place> places_;
    std::vector<float> elements_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
