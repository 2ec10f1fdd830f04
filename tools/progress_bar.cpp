// SPDX-License-Identifier: MIT
#include "progress_bar.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace tool {

namespace {

std::string seconds_left(double seconds) {
    auto const s = static_cast<unsigned long>(seconds + 0.5);
    if (s < 60) return std::to_string(s) + " s left";
    if (s < 3600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s left";
    return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min left";
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
    constexpr std::size_t width = 30;
    std::string line = p.at == vicinal::progress::stage::copying ? "copying   " : "verifying ";
    double const rate = p.seconds > 0 ? static_cast<double>(p.done) / p.seconds : 0;
    if (p.total && *p.total > 0) {
        double const share =
            (std::min)(1.0, static_cast<double>(p.done) / static_cast<double>(*p.total));
        auto const full = static_cast<std::size_t>(share * width);
        if (terminal_) line += "[" + std::string(full, '#') + std::string(width - full, '.') + "] ";
        line += with_commas(p.done) + " of " + with_commas(*p.total) + ", " +
                std::to_string(static_cast<int>(share * 100)) + " %";
        if (rate > 0 && p.done < *p.total)
            line += ", " + seconds_left(static_cast<double>(*p.total - p.done) / rate);
    } else {
        line += with_commas(p.done) + " records";
    }
    if (rate > 0) line += ", " + with_commas(static_cast<std::uint64_t>(rate)) + " a second";
    // Escape and K: clears what a longer line left behind.
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(stderr);
}

} // namespace tool
