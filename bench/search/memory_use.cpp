// SPDX-License-Identifier: MIT
#include "memory_use.hpp"

#include <malloc.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

std::size_t bytes_in_use() {
    malloc_trim(0);
    std::ifstream lines("/proc/self/smaps_rollup");
    for (std::string word; lines >> word;)
        if (std::size_t kilobytes = 0; word == "Anonymous:" && lines >> kilobytes)
            return kilobytes * 1024;
    throw std::runtime_error("/proc/self/smaps_rollup does not say what memory is in use");
}

} // namespace bench
