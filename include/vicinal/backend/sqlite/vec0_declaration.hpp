// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_VEC0_DECLARATION_HPP
#define VICINAL_BACKEND_SQLITE_VEC0_DECLARATION_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/table_roles.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// One column of a table of sqlite-vec. What it is decides where its values lie.
struct vec0_column {
    enum class kind : std::uint8_t {
        float_vector,
        int8_vector,
        bit_vector,
        metadata,
        auxiliary,
        partition
    };
    std::string name;
    kind is = kind::metadata;
    std::string type;      // of metadata: integer, float, boolean or text
    std::size_t dim = 0;   // of a vector
    std::string metric;    // of a vector, in the words of sqlite-vec
    std::size_t place = 0; // among the columns of its kind; all vectors are one kind

    [[nodiscard]] bool vector() const noexcept { return is <= kind::bit_vector; }
    /// Of one element in a slot; of one vector.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return is == kind::float_vector ? dim * 4 : is == kind::int8_vector ? dim : dim / 8;
    }
};

struct vec0_declaration {
    std::string id = "rowid";
    bool text_id = false;
    std::vector<vec0_column> columns;
};

namespace vec0 {

/// The first word or quoted name of `rest`, which it is taken from.
[[nodiscard]] inline std::string take_name(std::string_view& rest) {
    rest = trimmed(rest);
    if (rest.empty()) return {};
    char const open = rest.front();
    char const close = open == '[' ? ']' : open;
    if (open == '"' || open == '\'' || open == '`' || open == '[') {
        auto const end = rest.find(close, 1);
        std::string name(rest.substr(1, end == std::string_view::npos ? end : end - 1));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        return name;
    }
    auto const end = (std::min)(rest.find_first_of(" \t\r\n[=("), rest.size());
    std::string name(rest.substr(0, end));
    rest.remove_prefix(end);
    return name;
}

/// Reads "[8] distance_metric=cosine" behind the type of a vector.
inline result<void> read_vector_column(std::string_view rest, vec0_column& c) {
    auto const end = rest.find(']');
    auto const parsed = std::from_chars(rest.data() + 1, rest.data() + rest.size(), c.dim);
    if (end == std::string_view::npos || parsed.ec != std::errc{} || c.dim == 0 ||
        c.dim > source_dims || (c.is == vec0_column::kind::bit_vector && c.dim % 8 != 0))
        return error{errc::corrupt_source, "a number of elements up to 65536 in brackets",
                     "'" + std::string(rest.substr(0, 40)) + "' of column " + c.name};
    auto const option = lower_case(rest.substr(end + 1));
    if (auto const at = option.find("distance_metric"); at != std::string::npos) {
        auto const value = trimmed(std::string_view(option).substr(at + 15));
        if (value.starts_with('=')) c.metric = trimmed(value.substr(1));
    }
    return {};
}

} // namespace vec0

/// Reads what stands behind "using vec0" in the schema: the columns and their kinds. It is the only
/// place that says what the table holds.
///
/// Errors: corrupt_source.
[[nodiscard]] inline result<vec0_declaration> read_vec0_declaration(std::string_view text) {
    vec0_declaration d;
    std::size_t vectors = 0;
    std::size_t metadata = 0;
    std::size_t auxiliary = 0;
    std::size_t partitions = 0;
    auto const open = text.find('(');
    auto const close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close <= open)
        return error{errc::corrupt_source, "columns in parentheses behind vec0",
                     "'" + std::string(text.substr(0, 40)) + "'"};
    auto body = text.substr(open + 1, close - open - 1);
    while (!body.empty()) {
        auto const comma = (std::min)(body.find(','), body.size());
        auto rest = trimmed(body.substr(0, comma));
        body.remove_prefix((std::min)(comma + 1, body.size()));
        if (rest.empty()) continue;
        if (d.columns.size() == 500)
            return error{errc::corrupt_source, "at most 500 columns", "more"};
        bool const plus = rest.front() == '+';
        if (plus) rest.remove_prefix(1);
        vec0_column c;
        c.name = vec0::take_name(rest);
        rest = trimmed(rest);
        if (rest.starts_with('=')) continue; // an option such as chunk_size=16
        c.type = lower_case(vec0::take_name(rest));
        auto const words = lower_case(trimmed(rest));
        if (plus) {
            c.is = vec0_column::kind::auxiliary;
            c.place = auxiliary++;
        } else if (words.starts_with('[')) {
            if (c.type == "int8" || c.type == "i8")
                c.is = vec0_column::kind::int8_vector;
            else if (c.type == "bit")
                c.is = vec0_column::kind::bit_vector;
            else if (c.type == "float" || c.type == "f32" || c.type == "float32")
                c.is = vec0_column::kind::float_vector;
            else
                return error{errc::unsupported, "vectors of float, int8 or bit", c.type};
            c.place = vectors++;
            VICINAL_CHECK(vec0::read_vector_column(trimmed(rest), c));
        } else if (words.starts_with("primary")) {
            d.id = c.name;
            d.text_id = c.type == "text";
            continue;
        } else if (words.starts_with("partition")) {
            c.is = vec0_column::kind::partition;
            c.place = partitions++;
        } else {
            c.place = metadata++;
        }
        d.columns.push_back(std::move(c));
    }
    if (vectors == 0)
        return error{errc::corrupt_source, "a column of vectors",
                     "'" + std::string(text.substr(0, 40)) + "'"};
    return d;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
