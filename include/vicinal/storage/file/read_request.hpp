// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_READ_REQUEST_HPP
#define VICINAL_STORAGE_FILE_READ_REQUEST_HPP

#include <vicinal/storage/descriptor.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// A piece of a file to be read; `done` is then the bytes that were, or -1 where they are to be
/// asked for in another way.
struct read_request {
    int file = -1;
    std::uint64_t offset = 0;
    std::byte* into = nullptr;
    std::size_t bytes = 0;
    std::ptrdiff_t done = -1;
};

/// Reads what is left of a piece; `done` are then all bytes read, fewer where the file ends, or
/// minus the reason (errno).
template <class Os>
void read_rest(read_request& p) noexcept {
    auto done = p.done > 0 ? static_cast<std::size_t>(p.done) : std::size_t{0};
    while (done < p.bytes) {
        auto const n = vicinal::detail::uninterrupted(
            [&] { return Os::read_at(p.file, p.into + done, p.bytes - done, p.offset + done); });
        if (n < 0) {
            p.done = -errno;
            return;
        }
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    p.done = static_cast<std::ptrdiff_t>(done);
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
