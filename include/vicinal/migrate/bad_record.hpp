// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_BAD_RECORD_HPP
#define VICINAL_MIGRATE_BAD_RECORD_HPP

#include <vicinal/core/result.hpp>

#include <functional>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI {

/// A record that could not be read, or that the sink refused.
struct bad_record {
    /// Where it stands, as in "export.jsonl:17" or "table notes, row 4"; empty where only the id
    /// is known.
    std::string place;
    /// Empty where not even the id could be read.
    std::string id;
    error reason;
};

/// Told of each record that is passed over.
using bad_record_handler = std::function<void(bad_record const&)>;

namespace detail {

/// What a source does with records that cannot be read: stop, or tell and go on.
class bad_records {
public:
    void pass_over(bad_record_handler tell) { tell_ = std::move(tell); }

    /// The outcome for one bad record: the error itself, which ends the reading; success where it
    /// was told and the next one is wanted. What is not the record's fault is never passed over.
    [[nodiscard]] result<void> meet(std::string place, std::string id, error const& reason) const {
        if (!tell_ || reason.code() == errc::io_failure || reason.code() == errc::out_of_memory)
            return reason;
        tell_({std::move(place), std::move(id), reason});
        return {};
    }

private:
    bad_record_handler tell_;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
