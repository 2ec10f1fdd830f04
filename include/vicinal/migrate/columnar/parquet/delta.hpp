// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_DELTA_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_DELTA_HPP

#include <vicinal/migrate/columnar/parquet/levels.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// Integers of which each block gives the steps (Apache Parquet, Encodings.md,
/// "DELTA_BINARY_PACKED"; Lemire & Boytsov 2015). Holds one block, whatever count is claimed.
class delta_reader {
public:
    delta_reader() = default;
    explicit delta_reader(std::string_view bytes) noexcept : bytes_(bytes) {
        auto const block = varint();
        auto const parts = varint();
        left_ = varint();
        value_ = unzigzag(varint());
        part_size_ = parts == 0 ? 0 : block / parts;
        good_ = good_ && parts > 0 && parts <= widths_.size() && part_size_ > 0 &&
                part_size_ <= (1U << 20) && block % parts == 0;
        parts_ = static_cast<std::size_t>(parts);
        part_ = parts_;
    }

    /// How many numbers are left, as claimed.
    [[nodiscard]] std::uint64_t left() const noexcept { return good_ ? left_ : 0; }

    /// The next number; false at the end, or where the bytes are wrong.
    [[nodiscard]] bool next(std::int64_t& out) noexcept {
        if (!good_ || left_ == 0) return false;
        if (!first_) {
            if (in_part_ == 0 && !next_part()) return false;
            value_ += least_ + packed_.next();
            --in_part_;
        }
        first_ = false;
        --left_;
        out = static_cast<std::int64_t>(value_);
        return true;
    }

    /// Over all numbers; returns where the bytes behind them start, or npos where they are wrong.
    [[nodiscard]] std::size_t end() noexcept {
        if (!good_ || left_ == 0) return good_ ? at_ : std::string_view::npos;
        auto rest = left_ - (first_ ? 1 : 0);
        for (rest -= (std::min)(rest, in_part_); rest > 0; rest -= (std::min)(rest, part_size_))
            if (!next_part()) return std::string_view::npos;
        left_ = 0;
        return at_;
    }

private:
    [[nodiscard]] std::uint64_t varint() noexcept {
        std::uint64_t v = 0;
        for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
            auto const byte = static_cast<unsigned char>(bytes_[at_++]);
            v |= std::uint64_t{byte & 0x7fU} << shift;
            if ((byte & 0x80U) == 0) return v;
        }
        good_ = false;
        return 0;
    }
    [[nodiscard]] static std::uint64_t unzigzag(std::uint64_t v) noexcept {
        return (v >> 1) ^ (~(v & 1) + 1);
    }

    [[nodiscard]] bool next_part() noexcept {
        if (part_ == parts_) {
            least_ = unzigzag(varint());
            for (std::size_t i = 0; i < parts_; ++i) {
                if (at_ == bytes_.size()) return good_ = false;
                widths_[i] = static_cast<unsigned char>(bytes_[at_++]);
            }
            part_ = 0;
        }
        unsigned const width = widths_[part_++];
        auto const bytes = (part_size_ * width + 7) / 8;
        auto const rest = bytes_.size() - at_;
        if (!good_ || width > 64) return good_ = false;
        // Behind the last number a block may be cut short.
        auto const there = static_cast<std::size_t>((std::min)(bytes, std::uint64_t{rest}));
        if (there < (std::min)(left_, part_size_) * width / 8) return good_ = false;
        packed_ = bit_reader(bytes_.substr(at_, there), width);
        at_ += there;
        in_part_ = part_size_;
        return true;
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
    bool first_ = true;
    std::uint64_t left_ = 0;
    std::uint64_t value_ = 0; // modulo 2^64, as the format has it
    std::uint64_t least_ = 0;
    std::uint64_t part_size_ = 0;
    std::uint64_t in_part_ = 0;
    std::size_t parts_ = 0;
    std::size_t part_ = 0;
    std::array<unsigned char, 512> widths_{};
    bit_reader packed_;
};

/// Byte strings behind all of their lengths ("DELTA_LENGTH_BYTE_ARRAY").
class delta_text_reader {
public:
    delta_text_reader() = default;
    explicit delta_text_reader(std::string_view bytes) noexcept : lengths_(bytes) {
        auto const end = delta_reader(bytes).end();
        good_ = end != std::string_view::npos;
        if (good_) texts_ = bytes.substr(end);
    }

    [[nodiscard]] bool next(std::string_view& out) noexcept {
        std::int64_t length = 0;
        if (!good_ || !lengths_.next(length) || length < 0 ||
            static_cast<std::uint64_t>(length) > texts_.size())
            return false;
        out = texts_.substr(0, static_cast<std::size_t>(length));
        texts_.remove_prefix(out.size());
        return true;
    }

private:
    delta_reader lengths_;
    std::string_view texts_;
    bool good_ = false;
};

/// Byte strings that begin as the one before ("DELTA_BYTE_ARRAY").
class delta_prefix_reader {
public:
    delta_prefix_reader() = default;
    explicit delta_prefix_reader(std::string_view bytes) : prefixes_(bytes) {
        auto const end = delta_reader(bytes).end();
        good_ = end != std::string_view::npos;
        if (good_) suffixes_ = delta_text_reader(bytes.substr(end));
    }

    /// The text is valid until the next call.
    [[nodiscard]] bool next(std::string_view& out) {
        std::int64_t prefix = 0;
        std::string_view suffix;
        if (!good_ || !prefixes_.next(prefix) || prefix < 0 ||
            static_cast<std::uint64_t>(prefix) > last_.size() || !suffixes_.next(suffix))
            return false;
        last_.resize(static_cast<std::size_t>(prefix));
        last_.append(suffix);
        out = last_;
        return true;
    }

private:
    delta_reader prefixes_;
    delta_text_reader suffixes_;
    std::string last_;
    bool good_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
