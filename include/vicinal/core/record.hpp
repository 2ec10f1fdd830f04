// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_RECORD_HPP
#define VICINAL_CORE_RECORD_HPP

#include <vicinal/core/value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// The number of a row inside a store: dense, from 0. Only the store knows which id it belongs to.
using slot = std::uint32_t;

/// No slot; also the end of a neighbour list.
inline constexpr slot no_slot = 0xffffffffU;

/// Any contiguous range of the element type seen as one vector. Takes no braces: `{1, 2}` would be
/// read as pointer and length.
template <class T>
class vector_view {
public:
    template <class R>
        requires requires(R const& r) {
            { std::data(r) } -> std::convertible_to<T const*>;
            { std::size(r) } -> std::convertible_to<std::size_t>;
        }
    vector_view(R const& r) noexcept : data_(std::data(r)), size_(std::size(r)) {}
    vector_view(T const* data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] T const* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T const* begin() const noexcept { return data_; }
    [[nodiscard]] T const* end() const noexcept { return data_ + size_; }

private:
    T const* data_;
    std::size_t size_;
};

/// Rows of equal length, one behind the other: data.size() / columns of them.
template <class T>
class matrix_view {
public:
    matrix_view(std::span<T const> data, std::size_t columns) noexcept
        : data_(data.data()), rows_(columns == 0 ? 0 : data.size() / columns), columns_(columns),
          rest_(data.size() - rows_ * columns) {}

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    /// Elements behind the last whole row: 0, or the columns are not what was meant.
    [[nodiscard]] std::size_t rest() const noexcept { return rest_; }
    [[nodiscard]] vector_view<T> row(std::size_t i) const noexcept {
        return {data_ + i * columns_, columns_};
    }

private:
    T const* data_;
    std::size_t rows_;
    std::size_t columns_;
    std::size_t rest_;
};

/// A record as a store of that id, element and payload type takes and gives it.
template <class Id, class T, class Payload>
struct basic_record {
    Id id;
    std::vector<T> vector;
    Payload payload = {};
};

/// A record on its way between two systems: text id, floats, fields.
using record = basic_record<std::string, float, fields>;

/// An id as a parameter: a string or number, but never the literal 0, which would be a null
/// pointer.
class text_id {
public:
    template <class S>
        requires(std::convertible_to<S const&, std::string_view> &&
                 !std::same_as<S, std::nullptr_t>)
    text_id(S const& s)
    noexcept : text_(s) {}

    [[nodiscard]] operator std::string_view() const noexcept { return text_; }

private:
    std::string_view text_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
