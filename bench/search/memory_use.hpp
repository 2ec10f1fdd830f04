// SPDX-License-Identifier: MIT
#ifndef VICINAL_BENCH_SEARCH_MEMORY_USE_HPP
#define VICINAL_BENCH_SEARCH_MEMORY_USE_HPP

#include <cstddef>

namespace bench {

/// Bytes of memory that the process has in use, whether malloc gave it out or a library mapped it
/// by itself: pages that belong to no file and were written to, once malloc has given back those
/// that are free. To some pages right. Throws std::runtime_error where Linux does not say.
[[nodiscard]] std::size_t bytes_in_use();

} // namespace bench

#endif
