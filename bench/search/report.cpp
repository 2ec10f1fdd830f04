// SPDX-License-Identifier: MIT
#include "report.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

/// "12345 (1.50x)", ">12345 (>1.50x)" where it is a lower bound, "-" where it is not known.
std::string cell(speed const& own, speed const& rival) {
    if (!own.known()) return "-";
    auto const* more = own.at_least ? ">" : "";
    auto out = text("%s%.0f", more, own.queries_per_second);
    if (rival.known() && !rival.at_least)
        out += text(" (%s%.2fx)", more, own.queries_per_second / rival.queries_per_second);
    return out;
}

} // namespace

void print_table(std::vector<curve> const& all) {
    for (auto const& c : all) {
        std::printf("\n%s\n  effort    recall   queries/s\n", c.system.c_str());
        for (auto const& p : c.points)
            std::printf("  %6zu  %8.5f  %10.1f\n", p.effort, p.recall, p.queries_per_second);
    }
    std::size_t width = 6;
    for (auto const& c : all) width = std::max(width, c.system.size());
    std::printf("\n%-*s  %12s  %8s  %12s", static_cast<int>(width), "system", "build, CPU s",
                "tune", "bytes/vector");
    for (auto const recall : compared_recalls) std::printf("  %18s", text("at %g", recall).c_str());
    std::printf("\n");
    auto const rival = std::find_if(all.begin(), all.end(),
                                    [](curve const& c) { return c.system.starts_with("hnswlib"); });
    for (auto const& c : all) {
        std::printf("%-*s  %12.2f  %8.2f  %12.1f", static_cast<int>(width), c.system.c_str(),
                    c.build_cpu_seconds, c.tune_cpu_seconds, c.bytes_per_vector);
        for (auto const recall : compared_recalls)
            std::printf("  %18s",
                        cell(speed_at(c.points, recall),
                             rival == all.end() ? speed{} : speed_at(rival->points, recall))
                            .c_str());
        std::printf("\n");
    }
}

std::string to_json(std::vector<curve> const& all) {
    std::string out = "[";
    for (auto const& c : all)
        for (auto const& p : c.points) {
            out += out.size() > 1 ? ",\n" : "\n";
            // Names of systems are plain words: nothing in them is to be escaped.
            out += "  {\"system\": \"" + c.system + "\"";
            out += text(", \"effort\": %zu, \"recall\": %.6f, \"queries_per_second\": %.3f",
                        p.effort, p.recall, p.queries_per_second);
            out += text(", \"build_cpu_seconds\": %.4f, \"build_seconds\": %.4f",
                        c.build_cpu_seconds, c.build_seconds);
            out += text(", \"tune_cpu_seconds\": %.4f, \"bytes_per_vector\": %.2f"
                        ", \"bytes_per_record\": %.2f}",
                        c.tune_cpu_seconds, c.bytes_per_vector, c.bytes_per_record);
        }
    return out + "\n]\n";
}

void write_file(std::string const& path, std::string const& content) {
    std::ofstream out(path, std::ios::binary);
    out << content;
    out.close();
    if (!out) throw std::runtime_error("'" + path + "' could not be written");
}

} // namespace bench
