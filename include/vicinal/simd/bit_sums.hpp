// SPDX-License-Identifier: MIT
#ifndef VICINAL_SIMD_BIT_SUMS_HPP
#define VICINAL_SIMD_BIT_SUMS_HPP

#include <vicinal/simd/byte_sums.hpp>

#include <cstddef>
#include <cstdint>

/// Counts over packed bits. Lengths are in bytes, up to 65,536 of them a call.
namespace vicinal::inline VICINAL_ABI::simd {

/// The number of bits that differ.
struct differing_bits_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_popcnt;

    template <class Set>
    struct of : detail::byte_step<Set, std::uint8_t, std::uint8_t> {
        using bytes = typename Set::bytes_u8;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            bytes x;
            x.lanes = q.lanes ^ r.lanes;
            Set::add_bits(sum, x);
        }
    };
};

/// The bits set in both of two rows and in either.
struct shared_bits {
    std::int32_t both;
    std::int32_t either;
};

/// The number of bits set in both and in either.
struct shared_bits_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = shared_bits;
    static constexpr instruction_set gains_from = instruction_set::avx512_popcnt;

    template <class Set>
    struct of
        : detail::paired_step<Set, detail::byte_step<Set, std::uint8_t, std::uint8_t>, result> {
        using bytes = typename Set::bytes_u8;
        using sum = detail::sum_pair<typename Set::integers>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, bytes const& q, bytes const& r) noexcept {
            bytes x;
            x.lanes = q.lanes & r.lanes;
            Set::add_bits(s.first, x);
            x.lanes = q.lanes | r.lanes;
            Set::add_bits(s.second, x);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using bits_that_differ = row_kernels<differing_bits_step>;
using bits_shared = row_kernels<shared_bits_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
