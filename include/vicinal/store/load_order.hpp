// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_LOAD_ORDER_HPP
#define VICINAL_STORE_LOAD_ORDER_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The batch in the order in which the index wants its rows to get slots, kept in `ordered`, or the
/// batch itself where there is none. What is logged is what is given here, so that a replay gives
/// each row the same slot. Errors: out_of_memory.
template <class Element, class Index, class Entry>
[[nodiscard]] result<std::span<Entry const>>
in_load_order(Index const& index, std::span<Entry const> batch, std::vector<Entry>& ordered) {
    auto const vector = [batch](std::size_t i) {
        return reinterpret_cast<Element const*>(batch[i].vector);
    };
    if constexpr (requires { index.order(batch.size(), vector); }) {
        auto const order = index.order(batch.size(), vector);
        VICINAL_CHECK(order);
        if (order->empty()) return batch;
        return guarded([&]() -> result<std::span<Entry const>> {
            ordered.reserve(batch.size());
            for (auto const i : *order) ordered.push_back(batch[i]);
            return std::span<Entry const>(ordered);
        });
    }
    return batch;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
