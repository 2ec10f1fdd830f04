// SPDX-License-Identifier: MIT
// Codes and the models that they were made with, as a damaged file may have them: decoded and
// compared. Nothing may crash, and no distance may be without a place in an order.
#include "fuzz/codec_input.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (!codec_input::run({data, size}) || !codec_input::run_projected({data, size})) std::abort();
    return 0;
}
