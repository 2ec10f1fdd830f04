// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_LEVELS_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_LEVELS_HPP

#include <vicinal/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// How many bits the numbers from 0 to `most` need.
[[nodiscard]] constexpr unsigned bits_for(std::uint32_t most) noexcept {
    return static_cast<unsigned>(std::bit_width(most));
}

/// Takes numbers of `width` bits (up to 64) out of bytes, the lowest bit first.
class bit_reader {
public:
    bit_reader() = default;
    bit_reader(std::string_view bytes, unsigned width) noexcept : bytes_(bytes), width_(width) {}

    /// The next number; 0 behind the end of the bytes.
    [[nodiscard]] std::uint64_t next() noexcept {
        while (held_ < width_ && held_ <= 56) {
            auto const byte = at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_]) : 0U;
            ++at_;
            bits_ |= std::uint64_t{byte} << held_;
            held_ += 8;
        }
        auto v = bits_;
        if (held_ >= width_) {
            bits_ = width_ == 64 ? 0 : bits_ >> width_;
            held_ -= width_;
        } else {
            // Between 57 and 64 bits the last byte is split between this number and the next.
            auto const byte = at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_]) : 0U;
            ++at_;
            v |= std::uint64_t{byte} << held_;
            auto const used = width_ - held_;
            bits_ = byte >> used;
            held_ = 8 - used;
        }
        return width_ == 64 ? v : v & ((std::uint64_t{1} << width_) - 1);
    }

private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    std::uint64_t bits_ = 0;
    unsigned held_ = 0;
    unsigned width_ = 0;
};

/// Numbers of up to 32 bits in runs of equal ones and bit-packed groups of eight (Apache Parquet,
/// Encodings.md, "RLE"): levels, dictionary indices, booleans. Unpacks no more than is asked for,
/// whatever length a run claims.
class run_reader {
public:
    run_reader() = default;
    run_reader(std::string_view bytes, unsigned width) noexcept : bytes_(bytes), width_(width) {}

    /// Takes up to `most` numbers; returns how many there were: 0 at the end of the bytes, or where
    /// they are wrong.
    [[nodiscard]] std::size_t take(std::uint32_t* out, std::size_t most) noexcept {
        std::size_t n = 0;
        while (n < most) {
            while (left_ == 0)
                if (!next_run()) return n; // some writers leave runs of nothing
            auto const piece = static_cast<std::size_t>((std::min)(left_, std::uint64_t{most - n}));
            if (packed_)
                for (std::size_t i = 0; i < piece; ++i)
                    out[n + i] = static_cast<std::uint32_t>(group_.next());
            else
                std::fill_n(out + n, piece, repeated_);
            left_ -= piece;
            n += piece;
        }
        return n;
    }

private:
    [[nodiscard]] bool next_run() noexcept {
        std::uint64_t head = 0;
        unsigned shift = 0;
        for (;; shift += 7) {
            if (at_ == bytes_.size() || shift > 28) return false;
            auto const byte = static_cast<unsigned char>(bytes_[at_++]);
            head |= std::uint64_t{byte & 0x7fU} << shift;
            if ((byte & 0x80U) == 0) break;
        }
        auto const rest = bytes_.size() - at_;
        packed_ = (head & 1) != 0;
        if (packed_) {
            // The last group may be cut short by some writers.
            auto const bytes = (std::min)((head >> 1) * width_, std::uint64_t{rest});
            left_ = width_ == 0 ? (head >> 1) * 8 : bytes * 8 / width_;
            group_ = bit_reader(bytes_.substr(at_, static_cast<std::size_t>(bytes)), width_);
            at_ += static_cast<std::size_t>(bytes);
            return true;
        }
        auto const bytes = (width_ + 7) / 8;
        if (bytes > rest) return false;
        repeated_ = 0;
        for (unsigned i = 0; i < bytes; ++i)
            repeated_ |= std::uint32_t{static_cast<unsigned char>(bytes_[at_++])} << (8 * i);
        left_ = head >> 1;
        return true;
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    unsigned width_ = 0;
    bool packed_ = false;
    std::uint64_t left_ = 0; // numbers of the run that were not taken yet
    std::uint32_t repeated_ = 0;
    bit_reader group_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
