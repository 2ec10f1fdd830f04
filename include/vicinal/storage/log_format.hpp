// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_LOG_FORMAT_HPP
#define VICINAL_STORAGE_LOG_FORMAT_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/crc32c.hpp>
#include <vicinal/storage/snapshot_header.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> log_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'L'},  std::byte{'G'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t log_major = 1;
inline constexpr std::size_t log_header_bytes = 64;
inline constexpr std::size_t log_record_bytes = 32;
/// Of one record's payload: a batch that is larger is split by the caller.
inline constexpr std::uint64_t most_payload_bytes = std::uint64_t{1} << 30;

/// The start of a log.
struct log_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t first_lsn = 1;
    /// Random: goes into every record's checksum, so that a record of another log, which the file
    /// system may show behind the end after a power cut, is never valid here.
    std::uint64_t salt = 0;
};

/// What a record is: an atomic batch of the layer above, the mark of a close in order, or a batch
/// that the first format's programs do not know, and refuse by its kind as newer.
enum class log_kind : std::uint8_t { batch = 1, clean = 2, later_batch = 3 };

[[nodiscard]] inline bool known_kind(std::uint8_t kind) noexcept {
    return kind >= static_cast<std::uint8_t>(log_kind::batch) &&
           kind <= static_cast<std::uint8_t>(log_kind::later_batch);
}

struct log_record {
    std::uint32_t crc = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t lsn = 0;
    /// The newest record that was known to be on the disk when this one was written.
    std::uint64_t synced_lsn = 0;
    std::uint8_t kind = 0;

    /// With header and padding.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return log_record_bytes + round_up(payload_bytes, 8);
    }
};

inline void encode_log_header(log_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, log_header_bytes);
    std::memcpy(p, log_magic.data(), log_magic.size());
    store_le(p + 8, log_major);
    store_le<std::uint32_t>(p + 12, log_header_bytes);
    std::memcpy(p + 16, h.uuid.data(), h.uuid.size());
    store_le(p + 32, h.generation);
    store_le(p + 40, h.first_lsn);
    store_le(p + 48, h.salt);
    store_le(p + 60, storage::crc32c({p, 60}));
}

[[nodiscard]] inline result<log_header> decode_log_header(std::byte const* p,
                                                          std::string const& file) {
    auto const corrupt = [&file](std::string expected) -> error {
        return error{errc::corrupt_log, expected + " in the header of " + file, "another"};
    };
    if (std::memcmp(p, log_magic.data(), log_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 4C 47 0D 0A 1A 0A at offset 0");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > log_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 60}) != load_le<std::uint32_t>(p + 60))
        return corrupt("the checksum at offset 60");
    if (load_le<std::uint32_t>(p + 56) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "features " + std::to_string(load_le<std::uint32_t>(p + 56))};
    if (major != log_major || load_le<std::uint32_t>(p + 12) != log_header_bytes)
        return corrupt("format 1 and a header of 64 bytes");
    log_header h;
    std::memcpy(h.uuid.data(), p + 16, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 32);
    h.first_lsn = load_le<std::uint64_t>(p + 40);
    h.salt = load_le<std::uint64_t>(p + 48);
    return h;
}

/// The checksum of a record at `offset` of a log: over everything behind the checksum itself, begun
/// with salt and place. `bytes` is the whole record, padding included.
[[nodiscard]] inline std::uint32_t record_crc(std::uint64_t salt, std::uint64_t offset,
                                              std::span<std::byte const> bytes) noexcept {
    std::array<std::byte, 16> seed;
    store_le(seed.data(), salt);
    store_le(seed.data() + 8, offset);
    return storage::crc32c(bytes.subspan(4), storage::crc32c(seed));
}

/// Writes header and checksum into `bytes`, in which payload and padding stand already.
inline void seal_record(log_record& r, std::uint64_t salt, std::uint64_t offset,
                        std::span<std::byte> bytes) noexcept {
    auto* const p = bytes.data();
    std::memset(p, 0, log_record_bytes);
    store_le(p + 4, r.payload_bytes);
    store_le(p + 8, r.lsn);
    store_le(p + 16, r.synced_lsn);
    p[24] = std::byte{r.kind};
    r.crc = record_crc(salt, offset, bytes);
    store_le(p, r.crc);
}

/// Reads a record's 32 bytes; whether they are those of a record only its checksum says.
[[nodiscard]] inline log_record load_record(std::byte const* p) noexcept {
    return {load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4), load_le<std::uint64_t>(p + 8),
            load_le<std::uint64_t>(p + 16), std::to_integer<std::uint8_t>(p[24])};
}

/// The payload of the clean mark: how many records stand before it, and a digest of their
/// checksums, so that a log that lost whole records is told from one that never had them.
inline constexpr std::size_t clean_payload_bytes = 16;

[[nodiscard]] inline std::uint32_t chain(std::uint32_t digest, std::uint32_t crc) noexcept {
    std::array<std::byte, 4> bytes;
    store_le(bytes.data(), crc);
    return storage::crc32c(bytes, digest);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
