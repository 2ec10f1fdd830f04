// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_PROPERTIES_HPP
#define VICINAL_STORAGE_PROPERTIES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Names and byte strings by which a store says in its files what it is: metric, dimension, index
/// and so on. Sorted by name, each name once; the storage keeps them and does not read them.
class properties {
public:
    using entry = std::pair<std::string, std::string>;

    properties() = default;
    properties(std::initializer_list<entry> list) {
        for (auto const& [name, bytes] : list) set(name, bytes);
    }

    /// The bytes of that name, or nullptr.
    [[nodiscard]] std::string const* find(std::string_view name) const noexcept {
        auto const at = place(name);
        return at < list_.size() && list_[at].first == name ? &list_[at].second : nullptr;
    }
    void set(std::string_view name, std::string_view bytes) {
        auto const at = place(name);
        if (at < list_.size() && list_[at].first == name)
            list_[at].second = bytes;
        else
            list_.emplace(list_.begin() + static_cast<std::ptrdiff_t>(at), name, bytes);
    }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] entry const* begin() const noexcept { return list_.data(); }
    [[nodiscard]] entry const* end() const noexcept { return list_.data() + list_.size(); }

    friend bool operator==(properties const&, properties const&) = default;

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept {
        auto const at =
            std::lower_bound(list_.begin(), list_.end(), name,
                             [](entry const& e, std::string_view n) { return e.first < n; });
        return static_cast<std::size_t>(at - list_.begin());
    }

    std::vector<entry> list_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// The properties as they stand in a snapshot: u32 count, then for each u32 bytes of the name, u32
/// bytes of the value, name, value.
[[nodiscard]] inline std::vector<std::byte> encode_properties(storage::properties const& list) {
    std::size_t bytes = 4;
    for (auto const& [name, value] : list) bytes += 8 + name.size() + value.size();
    std::vector<std::byte> out(bytes);
    auto* p = out.data();
    auto const number = [&p](std::size_t n) {
        store_le(p, static_cast<std::uint32_t>(n));
        p += 4;
    };
    auto const text = [&p](std::string const& s) {
        p = std::transform(s.begin(), s.end(), p,
                           [](char c) { return std::byte{static_cast<unsigned char>(c)}; });
    };
    number(list.size());
    for (auto const& [name, value] : list) {
        number(name.size());
        number(value.size());
        text(name);
        text(value);
    }
    return out;
}

/// Nothing where the bytes are not what encode_properties gives: names in order, each once, no byte
/// left over. Reserves nothing that the bytes do not hold.
[[nodiscard]] inline std::optional<storage::properties>
decode_properties(std::span<std::byte const> in) {
    if (in.size() < 4) return std::nullopt;
    auto left = load_le<std::uint32_t>(in.data());
    in = in.subspan(4);
    storage::properties list;
    std::string last;
    for (bool first = true; left > 0; --left, first = false) {
        if (in.size() < 8) return std::nullopt;
        std::size_t const name_bytes = load_le<std::uint32_t>(in.data());
        std::size_t const value_bytes = load_le<std::uint32_t>(in.data() + 4);
        in = in.subspan(8);
        if (in.size() < name_bytes || in.size() - name_bytes < value_bytes) return std::nullopt;
        auto const text = [&in](std::size_t n) {
            std::string s(reinterpret_cast<char const*>(in.data()), n);
            in = in.subspan(n);
            return s;
        };
        auto name = text(name_bytes);
        auto value = text(value_bytes);
        if (!first && name <= last) return std::nullopt;
        list.set(name, value);
        last = std::move(name);
    }
    if (!in.empty()) return std::nullopt;
    return list;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
