// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOCK_HPP
#define VICINAL_STORAGE_LOCK_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/store_directory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Seconds since 1970 as in "2026-11-21T01:02:03Z" (days to a date after Hinnant, "chrono-
/// compatible low-level date algorithms": years that start in March).
[[nodiscard]] inline std::string utc_text(std::int64_t seconds) {
    seconds = (std::max)(seconds, std::int64_t{0});
    auto const day = seconds / 86400 + 719468;
    auto const second = seconds % 86400;
    auto const era = day / 146097;
    auto const of_era = day % 146097;
    auto const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const month_from_march = (5 * of_year + 2) / 153;
    auto const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    auto const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    auto const two = [](std::int64_t n) {
        auto const digits = std::to_string(n);
        return digits.size() < 2 ? "0" + digits : digits;
    };
    return std::to_string(year) + "-" + two(month) + "-" +
           two(of_year - (153 * month_from_march + 2) / 5 + 1) + "T" + two(second / 3600) + ":" +
           two(second / 60 % 60) + ":" + two(second % 60) + "Z";
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// The right to write a store; there is one at a time, also within one process. The system gives it
/// back when the process ends, however it ends.
///
/// The lock is flock on the file LOCK, whose text names the holder. The directory itself is locked
/// too, where the file system can: a LOCK file that somebody deletes does not let a second writer
/// in.
template <class Os>
class writer_lock {
public:
    writer_lock() = default;

    /// Waits up to `timeout_ms`. errc::locked names the holder.
    [[nodiscard]] static result<writer_lock> take(store_directory<Os> const& directory,
                                                  std::uint32_t timeout_ms) {
        auto const shown = directory.shown(detail::lock_name);
        writer_lock l;
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_or_make(directory.number(), detail::lock_name); }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == EACCES || reason == EROFS || reason == EPERM)
                return error{errc::read_only,
                             "a directory that may be written at '" + directory.path() +
                                 "', or .read_only = true",
                             std::generic_category().message(reason)};
            return detail::system_failure(reason, "to open " + shown);
        }
        for (std::uint32_t waited = 0;;) {
            auto const free = try_both(l.file_.get(), directory.number(), shown);
            if (!free) return free.error();
            if (*free) break;
            if (waited >= timeout_ms)
                return error{errc::locked, "",
                             "'" + directory.path() + "' is already open for writing by " +
                                 holder(l.file_.get()) +
                                 "; open it read-only or close the other writer"};
            auto const pause = (std::min)(timeout_ms - waited, std::uint32_t{10});
            Os::pause(pause);
            waited += pause;
        }
        auto const text = "pid " + std::to_string(Os::process_id()) + " on host " +
                          Os::host_name() + " since " + detail::utc_text(Os::seconds()) + "\n";
        // The text is for people: a full disk does not keep the store from being opened.
        if (Os::truncate_file(l.file_.get(), 0) == 0)
            static_cast<void>(
                write_all<Os>(l.file_.get(), 0, std::as_bytes(std::span(text)), shown));
        return l;
    }

private:
    [[nodiscard]] static result<bool> try_both(int file, int directory, std::string const& shown) {
        if (detail::uninterrupted([&] { return Os::try_lock(file); }) != 0) {
            int const reason = errno;
            if (reason == EWOULDBLOCK) return false;
            return detail::system_failure(reason, "to lock " + shown);
        }
        // Some network file systems can't lock a directory: LOCK alone counts there.
        return detail::uninterrupted([&] { return Os::try_lock(directory); }) == 0 ||
               errno != EWOULDBLOCK;
    }

    /// The text of LOCK, which anybody may have written: printable characters, 200 at most.
    [[nodiscard]] static std::string holder(int file) {
        std::array<std::byte, 200> bytes{};
        auto const n = read_up_to<Os>(file, 0, bytes, detail::lock_name);
        std::string text;
        for (std::size_t i = 0; n && i < *n; ++i)
            if (auto const c = std::to_integer<char>(bytes[i]); c >= ' ' && c <= '~') text += c;
        return text.empty() ? "another writer" : text;
    }

    descriptor<Os> file_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
