// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "printable.hpp"
#include "progress_bar.hpp"

#include <vicinal/migrate/json/write.hpp>

#include <cstdio>

namespace tool {

std::string json_of(vicinal::fields const& f) {
    std::string out;
    vicinal::detail::to_json(f, out).value();
    return out;
}

void print_comparison(vicinal::migration_report const& r) {
    std::printf("verified %s records in %.2f s: %s\n", with_commas(r.verified).c_str(),
                r.verify_seconds,
                r.ok() ? "all equal" : (with_commas(r.differing) + " differ").c_str());
    for (auto const& d : r.differences)
        std::printf("  %s: %s\n", printable(d.id).c_str(), vicinal::name(d.what));
    if (r.differing > r.differences.size())
        std::printf("  and %s more\n", with_commas(r.differing - r.differences.size()).c_str());
    if (r.probes > 0)
        std::printf("searched by %s vectors: %.1f %% of the source's nearest are the sink's\n",
                    with_commas(r.probes).c_str(), 100 * r.top_k_agreement);
}

} // namespace tool
