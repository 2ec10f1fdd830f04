// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_CODED_ROWS_HPP
#define VICINAL_INDEX_FLAT_CODED_ROWS_HPP

#include <vicinal/codec/sq8.hpp>
#include <vicinal/core/record.hpp>

#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::index {

/// Rows with their codes as one query sees them: slots 0 to count - 1.
template <class Metric, class Reader>
struct coded_rows {
    codec::sq8::of<Metric> const* codec;
    Reader codes;
    Reader factors;
    Reader vectors;
    slot count;
    std::size_t dim;

    [[nodiscard]] std::uint8_t const* code(slot s, std::size_t n = 1) const noexcept {
        return codes.template rows_as<std::uint8_t>(s, n);
    }
    [[nodiscard]] float const* vector(slot s) const noexcept {
        return vectors.template row_as<float>(s);
    }
};

/// Up to sq8_block rows to be judged together: one behind the other, or gathered.
template <class Metric>
class row_block {
public:
    using bound = codec::sq8_bound<Metric>;

    /// Rows first to first + count - 1, as they lie.
    template <class Reader>
    void lay(coded_rows<Metric, Reader> const& rows, slot first, std::size_t count) noexcept {
        first_ = first;
        count_ = count;
        gathered_ = false;
        codec::sq8_terms<bound>::get()(
            rows.factors.template rows_as<codec::sq8_factors>(first, count), count, &terms_);
    }
    /// Any rows; slots must outlive it.
    template <class Reader>
    void gather(coded_rows<Metric, Reader> const& rows, slot const* slots,
                std::size_t count) noexcept {
        slots_ = slots;
        count_ = count;
        gathered_ = true;
        codec::sq8_factors factors[codec::sq8_block];
        for (std::size_t i = 0; i < count; ++i) {
            rows.codes.prefetch(slots[i], (rows.dim + 63) / 64);
            factors[i] = *rows.factors.template row_as<codec::sq8_factors>(slots[i]);
        }
        codec::sq8_terms<bound>::get()(factors, count, &terms_);
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] slot row(std::size_t i) const noexcept {
        return gathered_ ? slots_[i] : first_ + static_cast<slot>(i);
    }
    [[nodiscard]] codec::sq8_block_terms const& terms() const noexcept { return terms_; }

    /// The products of a query's shifted codes with each row.
    template <class Reader>
    void multiply(coded_rows<Metric, Reader> const& rows, std::int8_t const* query,
                  std::int32_t* products) const noexcept {
        if (!gathered_) {
            simd::byte_dot::block::get()(query, rows.code(first_, count_), rows.dim, count_,
                                         rows.dim, products);
            return;
        }
        auto const one = simd::byte_dot::one::get();
        for (std::size_t i = 0; i < count_; ++i)
            products[i] = one(query, rows.code(slots_[i]), rows.dim);
    }

private:
    codec::sq8_block_terms terms_;
    slot const* slots_ = nullptr;
    slot first_ = 0;
    std::size_t count_ = 0;
    bool gathered_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
