// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_REPLACEMENT_HPP
#define VICINAL_STORAGE_REPLACEMENT_HPP

#include <vicinal/core/config.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::storage {

/// Rows that a checkpoint writes instead of a column's own.
struct replacement {
    std::string_view name;
    std::size_t row_bytes = 1;
    std::span<std::byte const> rows;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
