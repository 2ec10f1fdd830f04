// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_FLAT_BUILDER_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_FLAT_BUILDER_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// Builds FlatBuffers from the back to the front, so that what is pointed to is there before what
/// points to it. An object is named by its distance from the end.
class flat_builder {
public:
    using object = std::size_t;

    [[nodiscard]] object text(std::string_view s) {
        align(4, s.size() + 1);
        push(std::uint8_t{0});
        for (auto i = s.size(); i-- > 0;) push(static_cast<std::uint8_t>(s[i]));
        push(static_cast<std::uint32_t>(s.size()));
        return back_.size();
    }

    [[nodiscard]] object vector(std::vector<object> const& objects) {
        align(4, 4 * objects.size());
        for (auto i = objects.size(); i-- > 0;) push_reference(objects[i]);
        push(static_cast<std::uint32_t>(objects.size()));
        return back_.size();
    }

    /// A vector of structs that are made of words of 8 bytes, `each` of them.
    [[nodiscard]] object vector(std::vector<std::uint64_t> const& words, std::size_t each) {
        align(8, 8 * words.size());
        for (auto i = words.size(); i-- > 0;) push(words[i]);
        push(static_cast<std::uint32_t>(words.size() / each));
        return back_.size();
    }

    /// Starts a table; its fields follow, then `end`.
    void begin() {
        fields_.clear();
        start_ = back_.size();
    }
    template <std::unsigned_integral U>
    void number(unsigned field, U v) {
        align(sizeof(U), sizeof(U));
        push(v);
        fields_.emplace_back(field, back_.size());
    }
    void reference(unsigned field, object to) {
        align(4, 4);
        push_reference(to);
        fields_.emplace_back(field, back_.size());
    }
    [[nodiscard]] object end() {
        align(4, 4);
        push(std::uint32_t{0}); // how far its list of fields lies in front of it: known below
        auto const table = back_.size();
        unsigned most = 0;
        for (auto const& [field, at] : fields_) most = (std::max)(most, field + 1);
        for (auto f = most; f-- > 0;) {
            std::size_t offset = 0;
            for (auto const& [field, at] : fields_)
                if (field == f) offset = table - at;
            push(static_cast<std::uint16_t>(offset));
        }
        push(static_cast<std::uint16_t>(table - start_));
        push(static_cast<std::uint16_t>(4 + 2 * most));
        auto const distance = static_cast<std::uint32_t>(back_.size() - table);
        for (std::size_t i = 0; i < 4; ++i)
            back_[table - 1 - i] = static_cast<char>(distance >> (8 * i) & 0xffU);
        return table;
    }

    /// All of the bytes, a multiple of 8, the root in front.
    [[nodiscard]] std::string finish(object root) {
        align(8, 4);
        push_reference(root);
        return {back_.rbegin(), back_.rend()};
    }

private:
    template <std::unsigned_integral U>
    void push(U v) {
        for (std::size_t i = sizeof(U); i-- > 0;)
            back_.push_back(static_cast<char>(v >> (8 * i) & 0xffU));
    }
    void push_reference(object to) { push(static_cast<std::uint32_t>(back_.size() + 4 - to)); }
    /// Pads so that what comes after `more` further bytes is aligned.
    void align(std::size_t to, std::size_t more) {
        while ((back_.size() + more) % to != 0) back_.push_back('\0');
    }

    std::string back_; // the last byte first
    std::vector<std::pair<unsigned, std::size_t>> fields_;
    std::size_t start_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
