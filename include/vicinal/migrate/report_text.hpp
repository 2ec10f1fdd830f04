// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_REPORT_TEXT_HPP
#define VICINAL_MIGRATE_REPORT_TEXT_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/migrate/report.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI {

/// A report as fields, for machines: `to_json` of the component json makes one object of it. Names
/// are those of the struct's members; "ok" is first among equals.
[[nodiscard]] inline fields as_fields(migration_report const& r) {
    value::array differences;
    for (auto const& d : r.differences)
        differences.push_back(fields{{"id", d.id}, {"what", name(d.what)}});
    value::array bad;
    for (auto const& b : r.bad_records)
        bad.push_back(fields{{"place", b.place}, {"id", b.id}, {"reason", b.reason.message()}});
    value::array losses;
    for (auto const& loss : r.losses) losses.push_back(value(loss));
    fields f{{"ok", r.ok()},
             {"records", r.records},
             {"written", r.written},
             {"left_out", r.left_out},
             {"passed_over", r.passed_over},
             {"already_there", r.already_there},
             {"duplicates", r.duplicates},
             {"vector_bytes", r.vector_bytes},
             {"seconds", r.seconds},
             {"verify_seconds", r.verify_seconds},
             {"verified", r.verified},
             {"differing", r.differing},
             {"probes", r.probes},
             {"top_k_agreement", r.top_k_agreement}};
    f.set("differences", std::move(differences));
    f.set("bad_records", std::move(bad));
    f.set("losses", std::move(losses));
    return f;
}

namespace detail {

/// The lines of a report's page; numbers as they are, ids in quotes.
class report_page {
public:
    explicit report_page(migration_report const& r) : r_(r) {}

    [[nodiscard]] std::string write() && {
        line("Records read", r_.records);
        line("Records written", r_.written);
        if (r_.left_out > 0) line("Left out by the mapping", r_.left_out);
        if (r_.already_there > 0) line("Already there", r_.already_there);
        if (r_.duplicates > 0) line("Ids that came again", r_.duplicates);
        line("Bytes of vectors", r_.vector_bytes);
        text_ += "Seconds: " + decimals(r_.seconds) + " to copy, " + decimals(r_.verify_seconds) +
                 " to verify\n";
        losses();
        bad_records();
        verification();
        return std::move(text_);
    }

private:
    void line(char const* what, std::uint64_t n) {
        text_ += std::string(what) + ": " + std::to_string(n) + "\n";
    }
    [[nodiscard]] static std::string decimals(double x) {
        auto const hundredths = static_cast<std::uint64_t>(std::llround(x * 100));
        auto const rest = std::to_string(hundredths % 100);
        return std::to_string(hundredths / 100) + "." + (rest.size() < 2 ? "0" : "") + rest;
    }
    void losses() {
        text_ += r_.losses.empty() ? "\nNothing was lost that either side knows of.\n"
                                   : "\nWhat could not be kept:\n";
        for (auto const& loss : r_.losses) text_ += "- " + loss + "\n";
    }
    void bad_records() {
        if (r_.passed_over == 0) return;
        text_ += "\nPassed over: " + std::to_string(r_.passed_over) + "\n";
        for (auto const& b : r_.bad_records)
            text_ += "- " + b.place + (b.id.empty() ? "" : " '" + b.id + "'") + ": " +
                     b.reason.message() + "\n";
        more(r_.passed_over, r_.bad_records.size());
    }
    void verification() {
        text_ +=
            "\nCompared after both sides were read anew: " + std::to_string(r_.verified) +
            (r_.ok() ? ", all equal\n" : "\nDifferent: " + std::to_string(r_.differing) + "\n");
        for (auto const& d : r_.differences) text_ += "- '" + d.id + "': " + name(d.what) + "\n";
        more(r_.differing, r_.differences.size());
        if (r_.probes > 0)
            text_ += "Searched on both sides by " + std::to_string(r_.probes) +
                     " of the source's vectors: " + decimals(r_.top_k_agreement * 100) +
                     " % of the exact nearest are the same\n";
    }
    void more(std::uint64_t all, std::size_t listed) {
        if (all > listed) text_ += "- and " + std::to_string(all - listed) + " more\n";
    }

    migration_report const& r_;
    std::string text_;
};

} // namespace detail

/// A report as a page for people. What stands in ids and messages is not made safe for a terminal.
[[nodiscard]] inline std::string page(migration_report const& r) {
    return detail::report_page(r).write();
}

} // namespace vicinal::inline VICINAL_ABI

#endif
