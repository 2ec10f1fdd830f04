// SPDX-License-Identifier: MIT
#include "chart.hpp"
#include "text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace bench {

namespace {

constexpr double lowest_recall = 0.7;
constexpr double highest_recall = 0.9999;

// Of the middle of the scale, so that they stand out from white and from black.
constexpr std::array colours{"#3b82f6", "#f97316", "#10b981", "#a855f7", "#ef4444", "#ca8a04"};
constexpr char const* ink = "#7d8590";

/// How far to the right a recall stands.
double place(double recall) { return -std::log10(1 - std::min(recall, highest_recall)); }

/// The plotting area, and what it shows.
struct frame {
    double left = 76, top = 48, width = 600, height = 380;
    double x0 = 0, x1 = 1, y0 = 0, y1 = 1;

    [[nodiscard]] double x(double recall) const {
        return left + width * (place(recall) - x0) / (x1 - x0);
    }
    [[nodiscard]] double y(double queries) const {
        return top + height * (y1 - std::log10(queries)) / (y1 - y0);
    }
};

std::vector<point> shown(curve const& c) {
    std::vector<point> some;
    for (auto const& p : c.points)
        if (p.recall >= lowest_recall && p.queries_per_second > 0) some.push_back(p);
    return some;
}

frame frame_around(std::vector<curve> const& all) {
    frame f;
    double slowest = 1e300, fastest = 0, least = highest_recall;
    for (auto const& c : all)
        for (auto const& p : shown(c)) {
            slowest = std::min(slowest, p.queries_per_second);
            fastest = std::max(fastest, p.queries_per_second);
            least = std::min(least, p.recall);
        }
    if (fastest == 0) slowest = fastest = 1;
    f.x0 = place(least) - 0.05;
    f.x1 = place(highest_recall) + 0.05;
    f.y0 = std::log10(slowest) - 0.05;
    f.y1 = std::log10(fastest) + 0.05;
    return f;
}

std::string label(double x, double y, char const* anchor, std::string const& what) {
    return text("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) + what +
           "</text>\n";
}

std::string line(double x0, double y0, double x1, double y1) {
    return text("<path d=\"M%.1f %.1fL%.1f %.1f\" stroke-opacity=\".3\"/>\n", x0, y0, x1, y1);
}

std::string thousands(double n) {
    return n >= 1e6 ? text("%gM", n / 1e6) : n >= 1e3 ? text("%gk", n / 1e3) : text("%g", n);
}

std::string axes(frame const& f, std::size_t k) {
    auto const bottom = f.top + f.height;
    std::string lines, labels;
    for (double const recall : {0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999}) {
        if (place(recall) < f.x0) continue;
        lines += line(f.x(recall), f.top, f.x(recall), bottom);
        labels += label(f.x(recall), bottom + 18, "middle",
                        text("%s%g", recall < highest_recall ? "" : "&#8805; ", recall));
    }
    for (double decade = 1; decade <= 1e7; decade *= 10)
        for (double const n : {decade, 2 * decade, 5 * decade}) {
            if (std::log10(n) < f.y0 || std::log10(n) > f.y1) continue;
            lines += line(f.left, f.y(n), f.left + f.width, f.y(n));
            labels += label(f.left - 8, f.y(n) + 4, "end", thousands(n));
        }
    labels += label(f.left + f.width / 2, bottom + 40, "middle", text("recall@%zu", k));
    labels += text("<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">"
                   "queries a second</text>\n",
                   f.top + f.height / 2);
    return text("<g stroke=\"%s\" fill=\"none\">\n", ink) + lines + "</g>\n" + labels;
}

/// Systems differ in shape too, for those who don't see the colours apart.
std::string mark(std::size_t shape, double x, double y) {
    switch (shape % 4) {
        case 0: return text("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", x, y);
        case 1: return text("<path d=\"M%.1f %.1fh7v7h-7z\"/>", x - 3.5, y - 3.5);
        case 2: return text("<path d=\"M%.1f %.1fl4.5 8h-9z\"/>", x, y - 5);
        default: return text("<path d=\"M%.1f %.1fl5 5l-5 5l-5 -5z\"/>", x, y - 5);
    }
}

std::string drawn(curve const& c, std::size_t number, frame const& f) {
    std::string way, marks;
    for (auto const& p : shown(c)) {
        auto const x = f.x(p.recall), y = f.y(p.queries_per_second);
        way += text("%s%.1f %.1f", way.empty() ? "M" : "L", x, y);
        marks += mark(number, x, y);
    }
    auto const* colour = colours[number % colours.size()];
    auto const at = f.top + 16 + 22 * static_cast<double>(number);
    auto const beside = f.left + f.width + 16;
    return text("<g stroke=\"%s\" fill=\"none\" stroke-width=\"2\">", colour) + "<path d=\"" + way +
           text("\"/><path d=\"M%.1f %.1fh26\"/></g>\n", beside, at) +
           text("<g fill=\"%s\">", colour) + marks + mark(number, beside + 13, at) + "</g>\n" +
           label(beside + 34, at + 4, "start", c.system);
}

} // namespace

std::string to_svg(std::vector<curve> const& all, std::string const& title, std::size_t k) {
    auto const f = frame_around(all);
    auto out = text("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 490\" "
                    "font-family=\"sans-serif\" font-size=\"13\" fill=\"%s\">\n",
                    ink);
    out += label(f.left, 26, "start", title);
    out += axes(f, k);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (!shown(all[i]).empty()) out += drawn(all[i], i, f);
    return out + "</svg>\n";
}

} // namespace bench
