// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_LIVE_SLOTS_HPP
#define VICINAL_STORE_LIVE_SLOTS_HPP

#include <vicinal/core/record.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace vicinal::inline VICINAL_ABI::detail {

/// The live slots below `count`, as a predicate that a scan may ask for 64 at a time: dead runs are
/// then passed over without a look at their rows. Reads the column of flags, a byte a slot, 0 or 1.
template <class Reader>
class live_slots {
public:
    live_slots(Reader flags, slot count) noexcept : flags_(flags), count_(count) {}

    [[nodiscard]] bool operator()(slot s) const noexcept { return *flags_.row(s) != std::byte{0}; }

    /// The bits of the 64 slots from first on, which is a multiple of 64 below count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        std::uint64_t bits = 0;
        if (count_ - first >= 64 && std::endian::native == std::endian::little) {
            auto const* const flags = flags_.row(first);
            for (unsigned i = 0; i < 64; i += 8) {
                std::uint64_t eight = 0;
                std::memcpy(&eight, flags + i, 8);
                // The product brings bit 0 of byte j to bit 56 + j; no two sums meet there.
                bits |= (eight * 0x0102040810204080U >> 56) << i;
            }
            return bits;
        }
        for (slot i = 0; i < 64 && i < count_ - first; ++i)
            bits |= std::uint64_t{(*this)(first + i)} << i;
        return bits;
    }

    /// There is no list of them.
    [[nodiscard]] std::span<slot const> few() const noexcept { return {}; }
    [[nodiscard]] bool live(slot s) const noexcept { return (*this)(s); }

private:
    Reader flags_;
    slot count_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
