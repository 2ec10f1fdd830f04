// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOAD_SECTION_HPP
#define VICINAL_STORAGE_LOAD_SECTION_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace vicinal::inline VICINAL_ABI::storage {

/// Puts all rows of a section into memory, each block compared with its checksum unless the file is
/// trusted. Errors: corrupt_snapshot, io_failure.
template <class Os>
[[nodiscard]] result<void> load_section(snapshot_file<Os> const& file, section const& s,
                                        bool trusted, std::byte* into) {
    std::unique_ptr<block_buffer> const buffer(new block_buffer);
    for (std::uint64_t i = 0; i < s.blocks(); ++i) {
        auto const at = i * snapshot_block_bytes;
        if (trusted) {
            auto const read =
                read_up_to<Os>(file.number(), s.offset + at, buffer->bytes, file.shown());
            VICINAL_CHECK(read);
            if (*read != snapshot_block_bytes)
                return block_damage(s, i, file.shown(), "the bytes of block ", "fewer");
        } else {
            VICINAL_CHECK(file.read_block(s, i, *buffer));
        }
        std::memcpy(into + at, buffer->bytes.data(),
                    static_cast<std::size_t>((std::min)(snapshot_block_bytes, s.bytes() - at)));
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
