// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TABLE_SOURCE_HPP
#define VICINAL_MIGRATE_TABLES_TABLE_SOURCE_HPP

#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/tables/table_records.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What all sources over the rows of a table have in common: everything but how it is opened and
/// what is known of it beforehand.
class table_source {
public:
    result<void> rewind() {
        return guarded([&] { return records_.rewind(); });
    }
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return guarded([&] { return records_.read(batch, most); });
    }
    /// From now on bad rows are told and passed over.
    void pass_over(bad_record_handler tell) { records_.pass_over(std::move(tell)); }

protected:
    explicit table_source(table_records records) : records_(std::move(records)) {}

    [[nodiscard]] table_records const& records() const noexcept { return records_; }
    /// Dimension and losses as far as the rows were read.
    [[nodiscard]] schema about(std::string description) const {
        return {.dim = records_.plan().dim,
                .losses = records_.losses(),
                .description = std::move(description)};
    }

private:
    table_records records_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
