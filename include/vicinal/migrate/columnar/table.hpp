// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_TABLE_HPP
#define VICINAL_MIGRATE_COLUMNAR_TABLE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// What a column holds, as far as it matters for what becomes of it.
enum class column_kind : std::uint8_t {
    scalar, // booleans, numbers, moments
    integer,
    text,
    json,     // text that is declared to be JSON
    bytes,    // byte strings that are not declared to be text
    reals,    // lists of floats or doubles: what vectors are
    integers, // lists of integers: vectors only if somebody says so
    other,
};

struct table_column {
    std::string name;
    column_kind kind = column_kind::other;
};

/// A row's list of numbers as floats.
struct float_row {
    enum class fault : std::uint8_t { none, null_element, too_many, out_of_range };

    bool present = false; // false: the list itself is null
    bool rounded = false; // a double was none of the floats
    fault wrong = fault::none;

    /// Appends a double as the nearest float.
    void add(double d, std::vector<float>& out) {
        auto const f = static_cast<float>(d);
        rounded = rounded || (static_cast<double>(f) != d && !std::isnan(d));
        if (std::isinf(f) && !std::isinf(d)) wrong = fault::out_of_range;
        out.push_back(f);
    }
};

/// How much one row may unpack to: repeated words and runs of nulls make much of few bytes.
class row_budget {
public:
    static constexpr std::size_t most = std::size_t{256} << 20;

    void renew() noexcept { spent_ = 0; }
    /// False where the row has become too large.
    [[nodiscard]] bool spend(std::size_t bytes) noexcept {
        spent_ += sizeof(value) + (bytes < most ? bytes : most);
        return spent_ <= most;
    }
    [[nodiscard]] static error exceeded(std::string const& place) {
        return error{errc::limit_exceeded, "rows of at most 256 MiB", place + "a larger one"};
    }

private:
    std::size_t spent_ = 0;
};

/// A map, given as a list of {key, value}, as nested fields; as it is where a key is no text.
[[nodiscard]] inline value map_to_fields(value::array entries) {
    fields out;
    for (auto const& entry : entries) {
        auto const* const pair = entry.get_if<fields>();
        auto const* const key = pair ? (*pair)["key"].get_if<std::string>() : nullptr;
        if (!key) return entries;
        out.set(*key, (*pair)["value"]);
    }
    return out;
}

/// An unsigned integer as a value: from 2^63 on the nearest double, or its digits.
[[nodiscard]] inline value unsigned_value(std::uint64_t v, bool digits) {
    bool const beyond = v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return digits && beyond ? value(std::to_string(v)) : value(v);
}

/// Rows and columns of a file, read once, from the first row to the last. Only the columns that are
/// asked for cost anything.
class table {
public:
    table() = default;
    table(table const&) = delete;
    table& operator=(table const&) = delete;
    virtual ~table() = default;

    /// The scheme that reads such files.
    [[nodiscard]] virtual char const* scheme() const noexcept = 0;
    [[nodiscard]] virtual std::vector<table_column> const& columns() const noexcept = 0;
    /// How many rows there are, where the file says so.
    [[nodiscard]] virtual std::optional<std::uint64_t> rows() const noexcept = 0;
    /// What the file's metadata say under that key; nullptr where they don't.
    [[nodiscard]] virtual std::string const* note(std::string_view key) const noexcept = 0;

    /// From now on unsigned integers of that column from 2^63 on are decimal text, as ids are, and
    /// not the nearest double.
    virtual void keep_digits(std::size_t column) = 0;

    /// Steps to the next row; false at the end. Errors are the file's, never a single row's.
    [[nodiscard]] virtual result<bool> next() = 0;
    /// The value of a column in this row, once a row. Moments are ISO 8601 text, decimals exact
    /// text, bytes the text of these bytes, even where that is no UTF-8.
    [[nodiscard]] virtual result<void> read(std::size_t column, value& out) = 0;
    /// The list of numbers of a `reals` or `integers` column in this row, once a row; no more
    /// elements than a vector may have.
    [[nodiscard]] virtual result<float_row> read(std::size_t column, std::vector<float>& out) = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
