// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_NO_FIELD_INDEXES_HPP
#define VICINAL_STORE_NO_FIELD_INDEXES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/index/filter_answers.hpp>
#include <vicinal/payload/index/key.hpp>
#include <vicinal/store/field_parts.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Of payloads that no filter reads: nothing.
struct no_field_indexes {
    static constexpr bool possible = false;

    [[nodiscard]] static slot covered() noexcept { return 0; }
    [[nodiscard]] static bool empty() noexcept { return true; }
    [[nodiscard]] static filter_estimate estimate(filter const&) noexcept { return {}; }
    [[nodiscard]] static std::optional<selection> select(filter const&) { return {}; }
    template <class Visit>
    [[nodiscard]] static bool in_order(std::string_view, bool,
                                       std::optional<payload::detail::index_key> const&,
                                       Visit const&) noexcept {
        return false;
    }
    template <class Visit>
    [[nodiscard]] static bool values(std::string_view, Visit const&) noexcept {
        return false;
    }
    template <class Visit>
    [[nodiscard]] static bool postings(std::string_view, Visit const&) noexcept {
        return false;
    }
    [[nodiscard]] static std::vector<field_index_stats> stats() { return {}; }
    static void clear() noexcept {}
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
