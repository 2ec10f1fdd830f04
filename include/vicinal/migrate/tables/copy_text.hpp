// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_COPY_TEXT_HPP
#define VICINAL_MIGRATE_TABLES_COPY_TEXT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/text_cells.hpp>
#include <vicinal/migrate/tables/text_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The cells of a line of PostgreSQL's COPY text: TAB between them, \N for null, and escapes.
class copy_line {
public:
    struct cell {
        std::string_view text = {};
        bool null = false;
    };

    /// The cells; valid until the next call, as long as `line` is.
    [[nodiscard]] std::vector<cell> const& split(std::string_view line) {
        cells_.clear();
        unescaped_.clear(); // a deque: what was put in does not move
        for (;;) {
            auto const tab = line.find('\t');
            auto const raw = line.substr(0, tab);
            if (raw == "\\N")
                cells_.push_back({.null = true});
            else if (raw.find('\\') == std::string_view::npos)
                cells_.push_back({raw});
            else
                cells_.push_back({unescaped_.emplace_back(unescape(raw))});
            if (tab == std::string_view::npos) return cells_;
            line.remove_prefix(tab + 1);
        }
    }

private:
    static int digit(std::string_view s, std::size_t i, int base) noexcept {
        if (i >= s.size()) return -1;
        char const c = s[i];
        int const d = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;
        return d < base ? d : -1;
    }

    static std::string unescape(std::string_view raw) {
        std::string out;
        out.reserve(raw.size());
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] != '\\' || i + 1 == raw.size()) {
                out.push_back(raw[i]);
                continue;
            }
            char const c = raw[++i];
            int const base = c == 'x' && digit(raw, i + 1, 16) >= 0 ? 16 : 8;
            if (base == 16 || digit(raw, i, 8) >= 0) {
                // \101 and \x41: up to three octal digits or two others.
                int number = 0;
                auto const last = i + 2;
                if (base == 16) ++i;
                for (; i <= last && digit(raw, i, base) >= 0; ++i)
                    number = number * base + digit(raw, i, base);
                --i;
                out.push_back(static_cast<char>(number));
                continue;
            }
            constexpr std::string_view letters = "bfnrtv";
            constexpr std::string_view mean = "\b\f\n\r\t\v";
            auto const at = letters.find(c);
            out.push_back(at == std::string_view::npos ? c : mean[at]);
        }
        return out;
    }

    std::vector<cell> cells_;
    std::deque<std::string> unescaped_;
};

/// The rows of a file of COPY text, which has neither header nor end.
class copy_text_rows final : public text_cells {
public:
    copy_text_rows(std::unique_ptr<backend::input> in, std::vector<table_column> columns,
                   backend::cell_parser json)
        : text_cells(std::move(json)), in_(std::move(in)) {
        columns_ = std::move(columns);
    }

    [[nodiscard]] result<bool> next() override {
        row_line_ = in_.line();
        if (in_.peek() < 0) {
            VICINAL_CHECK(in_.failure());
            return false;
        }
        if (!in_.rest_of_line(line_)) return in_.too_long();
        VICINAL_CHECK(in_.failure());
        if (line_ == "\\.") return false; // as it stands behind the rows in a script
        auto const& found = split_.split(line_);
        found_ = found.size();
        cells_.assign((std::max)(columns_.size(), found_), cell{});
        for (std::size_t i = 0; i < found_; ++i) cells_[i] = {found[i].text, found[i].null};
        return true;
    }
    [[nodiscard]] result<void> intact() const override {
        if (found_ == columns_.size()) return {};
        return error{errc::corrupt_source, std::to_string(columns_.size()) + " cells",
                     std::to_string(found_)};
    }
    [[nodiscard]] std::string place() const override { return in_.place(row_line_); }
    /// Of the row that stands here.
    [[nodiscard]] std::size_t found() const noexcept { return found_; }

private:
    text_stream in_;
    copy_line split_;
    std::string line_;
    std::size_t found_ = 0;
    std::uint64_t row_line_ = 1;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
