// SPDX-License-Identifier: MIT
#include "report.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

/// 12,345
std::string grouped(double number) {
    auto digits = text("%.0f", number);
    for (auto i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

/// "12,345 (1.50x)", ">12,345 (>1.50x)" where it is a lower bound, "-" where it is not known.
std::string cell(speed const& own, speed const& rival) {
    if (!own.known()) return "-";
    std::string const more = own.at_least ? ">" : "";
    auto out = more + grouped(own.queries_per_second);
    if (rival.known() && !rival.at_least)
        out += " (" + more + text("%.2fx)", own.queries_per_second / rival.queries_per_second);
    return out;
}

/// The system, and what it was asked for where that is not the usual.
std::string title_of(curve const& c) {
    return c.share < 1 ? c.system + text(", %g kept", c.share) : c.system;
}

/// hnswlib under the same filter, for ratios; an empty curve where it was not measured.
curve rival_of(curve const& c, std::vector<curve> const& all) {
    for (auto const& other : all)
        if (other.system == "hnswlib" && other.share == c.share) return other;
    return {};
}

} // namespace

void print_table(std::vector<curve> const& all) {
    std::size_t width = 6;
    for (auto const& c : all) {
        std::printf("\n%s\n  effort    recall   queries/s\n", title_of(c).c_str());
        for (auto const& p : c.points)
            std::printf("  %6zu  %8.5f  %10.1f\n", p.effort, p.recall, p.queries_per_second);
        width = std::max(width, title_of(c).size());
    }
    std::printf("\n%-*s  %12s  %8s  %12s", static_cast<int>(width), "system", "build, CPU s",
                "tune", "bytes/vector");
    for (auto const recall : compared_recalls) std::printf("  %18s", text("at %g", recall).c_str());
    std::printf("\n");
    for (auto const& c : all) {
        std::printf("%-*s  %12.2f  %8.2f  %12.1f", static_cast<int>(width), title_of(c).c_str(),
                    c.build_cpu_seconds, c.tune_cpu_seconds, c.bytes_per_vector);
        auto const rival = rival_of(c, all);
        for (auto const recall : compared_recalls)
            std::printf("  %18s",
                        cell(speed_at(c.points, recall), speed_at(rival.points, recall)).c_str());
        std::printf("\n");
    }
}

std::string to_markdown(std::vector<curve> const& all, std::size_t dim) {
    std::string out = "| system | build, CPU s | bytes a vector |";
    std::string rule = "|---|---|---|";
    for (auto const recall : compared_recalls) {
        out += text(" queries/s at %g |", recall);
        rule += "---|";
    }
    out += "\n" + rule + "\n";
    for (auto const& c : all) {
        auto const rival = rival_of(c, all);
        out += "| " + title_of(c) + text(" | %.2f", c.build_cpu_seconds);
        if (rival.build_cpu_seconds > 0)
            out += text(" (%.2fx)", c.build_cpu_seconds / rival.build_cpu_seconds);
        out +=
            " | " + grouped(c.bytes_per_vector) +
            text(" (%.2f of raw) |", c.bytes_per_vector / static_cast<double>(dim * sizeof(float)));
        for (auto const recall : compared_recalls)
            out += " " + cell(speed_at(c.points, recall), speed_at(rival.points, recall)) + " |";
        out += "\n";
    }
    return out;
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
                        ", \"bytes_per_record\": %.2f",
                        c.tune_cpu_seconds, c.bytes_per_vector, c.bytes_per_record);
            if (c.share < 1) out += text(", \"kept\": %g", c.share);
            if (c.turnovers > 0)
                out += text(", \"turnovers\": %zu, \"churn_cpu_seconds\": %.4f", c.turnovers,
                            c.churn_cpu_seconds);
            out += "}";
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
