// SPDX-License-Identifier: MIT
#ifndef VICINAL_TOOLS_REPORT_HPP
#define VICINAL_TOOLS_REPORT_HPP

#include <vicinal/core/value.hpp>
#include <vicinal/migrate/report.hpp>

#include <string>

namespace tool {

/// One line of JSON.
[[nodiscard]] std::string json_of(vicinal::fields const& f);

/// What comparing two sides found, on standard output.
void print_comparison(vicinal::migration_report const& r);

} // namespace tool

#endif
