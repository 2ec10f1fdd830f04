// SPDX-License-Identifier: MIT
// Bytes under a path, without a disk: for readers that open files.
#ifndef VICINAL_TESTS_FUZZ_MEMORY_FILE_HPP
#define VICINAL_TESTS_FUZZ_MEMORY_FILE_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <vicinal/migrate/concept.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace vicinal_fuzz {

class memory_file {
public:
    memory_file(std::uint8_t const* data, std::size_t size)
        : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
        if (fd_ < 0 || ::write(fd_, data, size) != static_cast<::ssize_t>(size)) std::abort();
    }
    memory_file(memory_file const&) = delete;
    memory_file& operator=(memory_file const&) = delete;
    ~memory_file() { ::close(fd_); }

    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_;
};

/// Reads a source to its end, twice, and ends the program where the two differ in length, or where
/// it gives more than `most` records or vectors of another dimension than it says.
template <class Source>
void read_to_end(Source source, std::size_t most) {
    auto const about = source.describe();
    if (!about) std::abort();
    std::size_t counts[2] = {0, 0};
    for (auto& count : counts) {
        if (!source.rewind()) std::abort();
        decltype(std::declval<Source>().read(std::declval<std::vector<vicinal::record>&>(),
                                             1)) read;
        std::vector<vicinal::record> batch;
        while ((read = source.read(batch, 64)) && !batch.empty()) {
            count += batch.size();
            for (auto const& r : batch)
                if (r.id.empty() || r.vector.size() != about->dim) std::abort();
            if (count > most) std::abort();
        }
    }
    if (counts[0] != counts[1]) std::abort();
}

} // namespace vicinal_fuzz

#endif
