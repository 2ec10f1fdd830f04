// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_DESCRIPTOR_HPP
#define VICINAL_STORAGE_DESCRIPTOR_HPP

#include <vicinal/core/result.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The system's reason in words, as an error: `wanted` says what was attempted on which file.
[[nodiscard]] inline error system_failure(int reason, std::string wanted) {
    return error{reason == ENOMEM ? errc::out_of_memory : errc::io_failure, std::move(wanted),
                 std::generic_category().message(reason)};
}

/// Where there is no writer that could be poisoned, a failed sync is a failure like others.
[[nodiscard]] inline error unpoisoned(error const& e) {
    return e.code() == errc::writer_poisoned ? error{errc::io_failure, e.expected(), e.got()} : e;
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call&& call) -> decltype(call()) {
    for (;;) {
        auto const answer = call();
        if (answer >= 0 || errno != EINTR) return answer;
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// An open file, closed at the end.
template <class Os>
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }
    /// Another descriptor of the same open file; none where the system refuses, with errno.
    [[nodiscard]] descriptor duplicate() const noexcept {
        return descriptor(detail::uninterrupted([this] { return Os::duplicate(number_); }));
    }
    void reset() noexcept {
        // Linux has closed the file also where close is interrupted: once only.
        if (number_ >= 0) static_cast<void>(Os::close_file(number_));
        number_ = -1;
    }

private:
    int number_ = -1;
};

/// Reads until `into` is full or the file ends; gives the number of bytes read. `file` names the
/// file in an error.
template <class Os>
[[nodiscard]] result<std::size_t> read_up_to(int number, std::uint64_t offset,
                                             std::span<std::byte> into, std::string_view file) {
    std::size_t done = 0;
    while (done < into.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::read_at(number, into.data() + done, into.size() - done, offset + done);
        });
        if (n < 0) {
            int const reason = errno;
            return detail::system_failure(
                reason, "to read " + std::to_string(into.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

/// Writes all of `from`, in as many calls as the system needs.
template <class Os>
[[nodiscard]] result<void> write_all(int number, std::uint64_t offset,
                                     std::span<std::byte const> from, std::string_view file) {
    std::size_t done = 0;
    while (done < from.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::write_at(number, from.data() + done, from.size() - done, offset + done);
        });
        if (n <= 0) {
            int const reason = n < 0 ? errno : EIO;
            return detail::system_failure(
                reason, "to write " + std::to_string(from.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        done += static_cast<std::size_t>(n);
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
