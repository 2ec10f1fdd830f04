// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_REPORT_HPP
#define VICINAL_BENCH_REPORT_HPP

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// Processor time of this thread: another program's turn on a shared machine doesn't count.
inline double milliseconds_used() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

[[nodiscard]] inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// `PROGRAM [--json FILE] [WORD]`.
class arguments {
public:
    arguments(int count, char** values) {
        for (int i = 1; i < count; ++i) {
            if (std::string_view(values[i]) == "--json" && i + 1 < count)
                json_ = values[++i];
            else
                word_ = values[i];
        }
    }
    /// The file that results go to; empty for none.
    [[nodiscard]] std::string const& json() const { return json_; }
    [[nodiscard]] bool wanted(std::string_view name) const {
        return name.find(word_) != std::string_view::npos;
    }

private:
    std::string json_;
    std::string word_;
};

/// What a program measured, for scripts/benchmarks.py: a list of objects under the program's name.
class report {
public:
    explicit report(std::string program) : program_(std::move(program)) {}

    /// Neither names nor texts have quotes in them.
    void add(std::vector<std::pair<std::string, std::string>> const& texts,
             std::vector<std::pair<std::string, double>> const& numbers) {
        lines_ += lines_.empty() ? "  {" : ",\n  {";
        char const* comma = "";
        for (auto const& [name, text] : texts) {
            lines_.append(comma).append("\"" + name + "\": \"" + text + "\"");
            comma = ", ";
        }
        for (auto const& [name, number] : numbers) {
            char value[32];
            std::snprintf(value, sizeof value, "%.6g", number);
            lines_.append(comma).append("\"" + name + "\": " + value);
            comma = ", ";
        }
        lines_ += "}";
    }
    /// False, and said on the standard error, where the file can't be written. Nothing is done for
    /// an empty path.
    [[nodiscard]] bool write(std::string const& path) const {
        if (path.empty()) return true;
        auto* const file = std::fopen(path.c_str(), "w");
        bool good = file != nullptr && std::fprintf(file, "{\"%s\": [\n%s\n]}\n", program_.c_str(),
                                                    lines_.c_str()) > 0;
        if (file != nullptr) good = std::fclose(file) == 0 && good;
        if (!good) std::fprintf(stderr, "%s can't be written\n", path.c_str());
        return good;
    }

private:
    std::string program_;
    std::string lines_;
};

} // namespace bench

#endif
