// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_COLUMN_GUESS_HPP
#define VICINAL_MIGRATE_TABLES_COLUMN_GUESS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/tables/array_text.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a column of text holds, from its first cells: a type that fits all of them.
class column_guess {
public:
    void feed(std::string_view text, backend::cell_parser const& json) {
        ++cells_;
        std::int64_t i = 0;
        double d = 0;
        bool b = false;
        integer_ = integer_ && read_integer(text, i);
        real_ = real_ && read_real(text, d);
        // "t" may be any letter; only PostgreSQL means true, and says so.
        boolean_ = boolean_ && text.size() > 1 && read_boolean(text, b);
        if (vector_) feed_vector(text);
        auto const inner = trimmed(text);
        value v;
        json_ = json_ && json && (inner.starts_with('{') || inner.starts_with('[')) &&
                static_cast<bool>(json(text, v));
    }

    /// A cell that was read as a vector of that many elements.
    void feed_dim(std::size_t dim) { ++dims_[dim]; }

    [[nodiscard]] column_type type() const noexcept {
        if (cells_ == 0) return column_type::text;
        if (integer_) return column_type::integer;
        if (real_) return column_type::real;
        if (boolean_) return column_type::boolean;
        if (vector_) return column_type::vector;
        return json_ ? column_type::json : column_type::text;
    }
    /// The type of a column that could be one of vectors, but is none.
    [[nodiscard]] column_type other_type() const noexcept {
        return json_ ? column_type::json : column_type::text;
    }

    /// How many elements most of the vectors have; 0 where there is none.
    [[nodiscard]] std::size_t dim() const noexcept {
        std::size_t most = 0;
        std::size_t best = 0;
        for (auto const& [dim, count] : dims_)
            if (dim > 0 && count > most) {
                best = dim;
                most = count;
            }
        return best;
    }
    /// What was wrong with the first cell that looked like a vector and was none.
    [[nodiscard]] std::optional<error> const& trouble() const noexcept { return trouble_; }

private:
    void feed_vector(std::string_view text) {
        auto const read = read_vector_text(text, numbers_);
        if (read && !numbers_.empty()) {
            ++dims_[numbers_.size()];
            // A single number without brackets is a number.
            vector_ = numbers_.size() > 1 || text.find_first_of("[{(") != std::string_view::npos;
            return;
        }
        vector_ = false;
        if (!read) trouble_ = read.error();
    }

    std::size_t cells_ = 0;
    bool integer_ = true;
    bool real_ = true;
    bool boolean_ = true;
    bool vector_ = true;
    bool json_ = true;
    std::map<std::size_t, std::size_t> dims_;
    std::optional<error> trouble_;
    std::vector<float> numbers_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
