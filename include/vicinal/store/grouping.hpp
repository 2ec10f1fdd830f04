// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_GROUPING_HPP
#define VICINAL_STORE_GROUPING_HPP

#include <vicinal/index/neighbour.hpp>
#include <vicinal/store/field_keys.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// What a search by groups asks for.
struct group_options {
    /// The dotted name of the field whose values make the groups.
    std::string by;
    /// How many groups; fewer come only where fewer exist.
    std::size_t groups = 10;
    /// The most hits of a group.
    std::size_t size = 1;
    // As in search_options.
    std::string where = {};
    double recall = 0.95;
    std::size_t effort = 0;
    bool exact = false;
    double max_distance = std::numeric_limits<double>::infinity();
};

/// The nearest records that have a value in common.
template <class Hit>
struct hit_group {
    vicinal::value value;
    /// Nearest first, ties by id.
    std::vector<Hit> hits;
};

namespace detail {

/// Neighbours of one vector, put into groups as they come: nearest first.
template <class Rows>
class grouping {
public:
    struct group {
        owned_key key;
        index::neighbours hits;
    };

    grouping(Rows const& rows, std::string_view by, std::size_t groups, std::size_t size) noexcept
        : rows_(rows), by_(by), groups_(groups), size_(size) {}

    /// Whether neighbours that come behind these change nothing.
    [[nodiscard]] bool take(index::neighbours const& found) {
        list_.clear();
        numbers_.clear();
        full_ = 0;
        for (auto const& n : found) {
            auto const encoded = rows_.payload(n.row);
            each_key_of_field(encoded, by_, scratch_, [&](index_key const& key) { offer(key, n); });
            if (full_ == groups_) return true;
        }
        return full_ == groups_;
    }
    [[nodiscard]] std::vector<group> const& list() const noexcept { return list_; }

private:
    void offer(index_key const& key, index::neighbour n) {
        auto at = numbers_.find(key);
        if (at == numbers_.end()) {
            if (list_.size() == groups_) return;
            at = numbers_.emplace(owned_key(key), list_.size()).first;
            list_.push_back({at->first, {}});
        }
        auto& hits = list_[at->second].hits;
        if (hits.size() == size_) return;
        hits.push_back(n);
        if (hits.size() == size_) ++full_;
    }

    Rows const& rows_;
    std::string_view by_;
    std::size_t groups_;
    std::size_t size_;
    std::vector<group> list_;
    map_by_key<std::size_t> numbers_;
    std::vector<index_key> scratch_;
    std::size_t full_ = 0;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
