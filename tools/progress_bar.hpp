// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_PROGRESS_BAR_HPP
#define VICINAL_TOOLS_PROGRESS_BAR_HPP

#include <vicinal/migrate/options.hpp>

#include <string>

namespace tool {

/// 12345 as "12,345".
[[nodiscard]] std::string with_commas(std::uint64_t n);

/// Shows a migration's progress on standard error: a bar that is drawn over itself on a terminal,
/// a plain line every two seconds elsewhere.
class progress_bar {
public:
    progress_bar();
    progress_bar(progress_bar const&) = delete;
    progress_bar& operator=(progress_bar const&) = delete;
    /// An error message that follows begins on a line of its own.
    ~progress_bar() { finish(); }
    void operator()(vicinal::progress const& p);
    /// Shows how far it came, and ends the bar's line, so that what is printed next has its own.
    void finish();

private:
    void draw(vicinal::progress const& p) const;

    bool terminal_;
    bool drawn_ = false;
    double last_ = -1;
    vicinal::progress seen_ = {};
    bool shown_ = true;
    vicinal::progress::stage stage_ = vicinal::progress::stage::copying;
};

} // namespace tool

#endif
