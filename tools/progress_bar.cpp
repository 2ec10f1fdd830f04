// SPDX-License-Identifier: MIT
#include "progress_bar.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

namespace tool {

namespace {

std::string seconds_left(double seconds) {
    // A total from outside may be any number.
    auto const s = static_cast<unsigned long>((std::min)(seconds, 1e9) + 0.5);
    if (s < 60) return std::to_string(s) + " s left";
    if (s < 3600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s left";
    return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min left";
}

/// Of the terminal at standard error; one that does not say has 80.
std::size_t columns() {
    ::winsize size{};
    bool const told = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return told ? size.ws_col : 80;
}

} // namespace

std::string with_commas(std::uint64_t n) {
    auto const digits = std::to_string(n);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
        text.push_back(digits[i]);
    }
    return text;
}

progress_bar::progress_bar() : terminal_(isatty(STDERR_FILENO) == 1) {}

void progress_bar::operator()(vicinal::progress const& p) {
    if (p.at != stage_) {
        finish();
        stage_ = p.at;
        last_ = -1;
    }
    seen_ = p;
    shown_ = false;
    // Ten times a second is smooth to the eye; a log wants less.
    double const interval = terminal_ ? 0.1 : 2.0;
    if (last_ >= 0 && p.seconds - last_ < interval) return;
    last_ = p.seconds;
    draw(p);
    shown_ = true;
    drawn_ = true;
}

void progress_bar::finish() {
    if (!shown_) draw(seen_);
    if (terminal_ && (drawn_ || !shown_)) std::fputc('\n', stderr);
    shown_ = true;
    drawn_ = false;
}

void progress_bar::draw(vicinal::progress const& p) const {
    std::string const stage =
        p.at == vicinal::progress::stage::copying ? "copying   " : "verifying ";
    std::string text;
    double const rate = p.seconds > 0 ? static_cast<double>(p.done) / p.seconds : 0;
    double share = 0;
    bool const known = p.total && *p.total > 0;
    if (known) {
        share = (std::min)(1.0, static_cast<double>(p.done) / static_cast<double>(*p.total));
        text = with_commas(p.done) + " of " + with_commas(*p.total) + ", " +
               std::to_string(static_cast<int>(share * 100)) + " %";
        if (rate > 0 && p.done < *p.total)
            text += ", " + seconds_left(static_cast<double>(*p.total - p.done) / rate);
    } else {
        text = with_commas(p.done) + " records";
    }
    if (rate > 0) text += ", " + with_commas(static_cast<std::uint64_t>(rate)) + " a second";
    if (!terminal_) {
        std::fprintf(stderr, "%s%s\n", stage.c_str(), text.c_str());
    } else {
        // A line that is broken in two can't be drawn over: the bar gives way, then the text.
        auto const most = columns() - 1;
        auto const used = stage.size() + text.size() + 3;
        auto const width = used < most ? (std::min)(most - used, std::size_t{30}) : 0;
        std::string line = stage;
        if (known && width >= 5) {
            auto const full = static_cast<std::size_t>(share * static_cast<double>(width));
            line += "[" + std::string(full, '#') + std::string(width - full, '.') + "] ";
        }
        line += text;
        line.resize((std::min)(line.size(), most));
        // Escape and K: clears what a longer line left behind.
        std::fprintf(stderr, "\r%s\033[K", line.c_str());
    }
    std::fflush(stderr);
}

} // namespace tool
