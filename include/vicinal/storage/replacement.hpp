// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_REPLACEMENT_HPP
#define VICINAL_STORAGE_REPLACEMENT_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Rows that a column shall have instead of its own: as they lie in memory, or as they are made
/// while they are written, so that a column of any size needs no memory for its successor.
struct replacement {
    std::string name;
    std::size_t row_bytes = 1;
    std::span<std::byte const> rows = {};
    /// Instead of `rows`: how many bytes, and what gives the next of them with each call.
    std::uint64_t filled_bytes = 0;
    std::function<void(std::span<std::byte>)> fill = {};

    [[nodiscard]] std::uint64_t bytes() const noexcept { return fill ? filled_bytes : rows.size(); }
    /// Writes the next bytes to `out`, of those from `at` on. Each byte is to be asked for once and
    /// in order.
    void next(std::uint64_t at, std::span<std::byte> out) const {
        if (fill)
            fill(out);
        else if (!out.empty())
            std::memcpy(out.data(), rows.data() + at, out.size());
    }
};

/// Runs of bytes one behind the other: run(i) for each i below `count`, `bytes` in all. What run
/// gives must stay in place until the replacement is written.
template <class Run>
[[nodiscard]] replacement joined_runs(std::string_view name, std::size_t row_bytes,
                                      std::uint64_t bytes, std::size_t count, Run run) {
    auto const give = [run = std::move(run), count, i = std::size_t{0},
                       from = std::size_t{0}](std::span<std::byte> out) mutable {
        for (std::size_t done = 0; done < out.size() && i < count;) {
            auto const held = run(i);
            std::span<std::byte const> const piece = held;
            auto const n = (std::min)(piece.size() - from, out.size() - done);
            if (n > 0) std::memcpy(out.data() + done, piece.data() + from, n);
            done += n;
            from += n;
            if (from < piece.size()) return;
            from = 0;
            ++i;
        }
    };
    return {std::string(name), row_bytes, {}, bytes, give};
}

/// Rows that the replacement owns.
template <class T>
[[nodiscard]] replacement owned_rows(std::string_view name, std::size_t row_bytes,
                                     std::vector<T> values) {
    auto const held = std::make_shared<std::vector<T> const>(std::move(values));
    return joined_runs(name, row_bytes, held->size() * sizeof(T), 1,
                       [held](std::size_t) { return std::as_bytes(std::span(*held)); });
}

/// The rows of a column that `numbers` lists. Both must stay in place, and the column unchanged,
/// until the replacement is written.
template <class Column>
[[nodiscard]] replacement chosen_rows(std::string_view name, Column const& column,
                                      std::span<std::uint32_t const> numbers) {
    auto const width = column.row_bytes();
    return joined_runs(name, width, std::uint64_t{numbers.size()} * width, numbers.size(),
                       [from = column.reader(), numbers, width](std::size_t i) {
                           return std::span<std::byte const>(from.row(numbers[i]), width);
                       });
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
