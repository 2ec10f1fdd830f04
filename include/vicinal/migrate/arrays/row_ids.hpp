// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_ROW_IDS_HPP
#define VICINAL_MIGRATE_ARRAYS_ROW_IDS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/arrays/column.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/files/lines.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The ids of rows: their numbers from 0, or what a file beside them says, one id a line or an .npy
/// array of integers or text.
class row_ids {
public:
    /// `path` may be empty: then the ids are row numbers. Errors: those of the file.
    [[nodiscard]] static result<row_ids> open(std::string const& path,
                                              backend::input_opener opener) {
        row_ids ids;
        ids.path_ = path;
        if (path.empty()) return ids;
        auto in = opener(path);
        if (!in) return in.error();
        char start[6];
        auto const got = (*in)->read(start, sizeof start);
        if (!got) return got.error();
        if (std::string_view(start, *got) == npy_magic) {
            auto column = npy_column::open(path, opener);
            if (!column) return column.error();
            ids.column_.emplace(*std::move(column));
        } else {
            in = opener(path);
            if (!in) return in.error();
            ids.lines_.emplace(*std::move(in), std::size_t{1} << 16);
        }
        return ids;
    }

    /// Replaces `out` by the id of the next row.
    ///
    /// Errors: corrupt_source where the file has fewer ids than there are rows; those of the file.
    result<void> next(std::string& out) {
        auto const row = rows_++;
        if (path_.empty()) {
            out = std::to_string(row);
            return {};
        }
        auto const more = step(out);
        if (!more) return more.error();
        if (!*more)
            return error{errc::corrupt_source, "an id for each row",
                         path_ + ": " + std::to_string(row) + " ids for more rows"};
        return {};
    }

    /// To be called behind the last row: an error where there are more ids.
    result<void> finish() {
        if (path_.empty()) return {};
        std::string out;
        auto const more = step(out);
        if (!more) return more.error();
        if (*more)
            return error{errc::corrupt_source, "an id for each row",
                         path_ + ": more ids than the " + std::to_string(rows_) + " rows"};
        return {};
    }

private:
    result<bool> step(std::string& out) {
        if (column_) {
            auto id = column_->next_id();
            if (!id) return id.error();
            if (*id) out = **std::move(id);
            return id->has_value();
        }
        auto const more = lines_->next();
        if (!more || !*more) return more;
        out = lines_->line();
        if (out.ends_with('\r')) out.pop_back();
        return true;
    }

    std::string path_;
    std::uint64_t rows_ = 0;
    std::optional<npy_column> column_;
    std::optional<line_reader> lines_;
};

/// The next row with its id and no payload; false behind the last. `Rows` has
/// `next(std::vector<float>&) -> result<bool>`. Errors: those of both, and more or fewer ids than
/// rows.
template <class Rows>
[[nodiscard]] result<bool> next_row(Rows& rows, row_ids& ids, record& out) {
    auto const more = rows.next(out.vector);
    if (!more) return more;
    if (!*more) {
        VICINAL_CHECK(ids.finish());
        return false;
    }
    VICINAL_CHECK(ids.next(out.id));
    out.payload.clear();
    return true;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
