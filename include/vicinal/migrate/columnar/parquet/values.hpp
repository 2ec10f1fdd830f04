// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_VALUES_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_VALUES_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/columnar/parquet/delta.hpp>
#include <vicinal/migrate/columnar/parquet/footer.hpp>
#include <vicinal/migrate/columnar/parquet/levels.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

enum class encoding : std::int8_t {
    plain = 0,
    plain_dictionary = 2,
    run_length = 3,
    delta_binary = 5,
    delta_length = 6,
    delta_prefix = 7,
    dictionary = 8,
    split_streams = 9,
};

/// Bytes of a value of that type; 0 for byte strings, each of which gives its length.
[[nodiscard]] inline std::size_t value_width(physical type, std::int32_t fixed) noexcept {
    switch (type) {
        case physical::boolean: return 1;
        case physical::int32:
        case physical::float32: return 4;
        case physical::int64:
        case physical::float64: return 8;
        case physical::int96: return 12;
        case physical::fixed_bytes: return fixed > 0 ? static_cast<std::size_t>(fixed) : 0;
        case physical::bytes: break;
    }
    return 0;
}

/// Values one behind the other as they are: of one width, or byte strings behind their lengths.
class plain_reader {
public:
    plain_reader() = default;
    plain_reader(std::string_view bytes, std::size_t width) noexcept
        : bytes_(bytes), width_(width) {}

    [[nodiscard]] bool next(std::string_view& out) noexcept {
        auto length = std::uint64_t{width_};
        if (width_ == 0) {
            if (bytes_.size() < 4) return false;
            length = load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(bytes_.data()));
            bytes_.remove_prefix(4);
        }
        if (length > bytes_.size()) return false;
        out = bytes_.substr(0, static_cast<std::size_t>(length));
        bytes_.remove_prefix(out.size());
        return true;
    }

    /// The bytes of the next `count` values of one width; false where they are not there.
    [[nodiscard]] bool take(std::size_t count, std::string_view& out) noexcept {
        if (width_ == 0 || count > bytes_.size() / width_) return false;
        out = bytes_.substr(0, count * width_);
        bytes_.remove_prefix(out.size());
        return true;
    }

private:
    std::string_view bytes_;
    std::size_t width_ = 0;
};

/// The values of one page, each as its bytes: integers and floats little-endian, a boolean as one
/// byte. Views are valid until the next call or the next page.
class value_reader {
public:
    /// What a dictionary page holds; `count` is a claim. False where the bytes are too short.
    [[nodiscard]] bool dictionary(std::string_view bytes, std::size_t count, std::size_t width) {
        words_.clear();
        plain_reader in(bytes, width);
        std::string_view word;
        for (std::size_t i = 0; i < count; ++i) {
            if (!in.next(word)) return false;
            words_.push_back(word);
        }
        return true;
    }
    void forget_dictionary() noexcept { words_.clear(); }

    /// Starts on a page. False for an encoding that is not known, or not for this type.
    [[nodiscard]] bool start(encoding how, physical type, std::size_t width,
                             std::string_view bytes) {
        how_ = how;
        type_ = type;
        width_ = width;
        taken_ = 0;
        held_ = 0;
        bool const number = type == physical::int32 || type == physical::int64;
        bool const text = type == physical::bytes;
        switch (how) {
            case encoding::plain:
                if (type == physical::boolean)
                    bits_ = bit_reader(bytes, 1);
                else
                    plain_ = plain_reader(bytes, width);
                bits_left_ = bytes.size() * 8;
                return true;
            case encoding::plain_dictionary:
            case encoding::dictionary:
                how_ = encoding::dictionary;
                if (bytes.empty()) {
                    runs_ = run_reader(); // a page of nulls
                    return true;
                }
                if (static_cast<unsigned char>(bytes[0]) > 32) return false;
                runs_ = run_reader(bytes.substr(1), static_cast<unsigned char>(bytes[0]));
                return true;
            case encoding::run_length:
                if (type != physical::boolean) return false;
                // Four bytes of length stand in front.
                runs_ = run_reader(bytes.substr((std::min)(bytes.size(), std::size_t{4})), 1);
                return true;
            case encoding::delta_binary: delta_ = delta_reader(bytes); return number;
            case encoding::delta_length: texts_ = delta_text_reader(bytes); return text;
            case encoding::delta_prefix:
                prefixes_ = delta_prefix_reader(bytes);
                return text || type == physical::fixed_bytes;
            case encoding::split_streams:
                split_ = bytes;
                return width > 0 && width <= scratch_.size() && type != physical::boolean;
        }
        return false;
    }

    /// The next value; false where there is none.
    [[nodiscard]] bool next(std::string_view& out) {
        switch (how_) {
            case encoding::plain:
                if (type_ != physical::boolean) return plain_.next(out);
                if (bits_left_ == 0) return false;
                --bits_left_;
                return small(bits_.next(), 1, out);
            case encoding::dictionary: {
                std::uint32_t index = 0;
                if (!next_run(index) || index >= words_.size()) return false;
                out = words_[index];
                return true;
            }
            case encoding::run_length: {
                std::uint32_t bit = 0;
                return next_run(bit) && small(bit, 1, out);
            }
            case encoding::delta_binary: {
                std::int64_t v = 0;
                return delta_.next(v) && small(static_cast<std::uint64_t>(v), width_, out);
            }
            case encoding::delta_length: return texts_.next(out);
            case encoding::delta_prefix:
                return prefixes_.next(out) && (width_ == 0 || out.size() == width_);
            case encoding::split_streams: {
                auto const count = split_.size() / width_;
                if (taken_ == count) return false;
                for (std::size_t i = 0; i < width_; ++i) scratch_[i] = split_[i * count + taken_];
                ++taken_;
                out = {scratch_.data(), width_};
                return true;
            }
            case encoding::plain_dictionary: break;
        }
        return false;
    }

    /// The bytes of the next `count` values at once, where they lie one behind the other.
    [[nodiscard]] bool take(std::size_t count, std::string_view& out) noexcept {
        return how_ == encoding::plain && type_ != physical::boolean && plain_.take(count, out);
    }

private:
    [[nodiscard]] bool small(std::uint64_t v, std::size_t width, std::string_view& out) noexcept {
        store_le(reinterpret_cast<std::byte*>(scratch_.data()), v);
        out = {scratch_.data(), width};
        return true;
    }

    [[nodiscard]] bool next_run(std::uint32_t& out) noexcept {
        if (taken_ == held_) {
            held_ = runs_.take(ahead_.data(), ahead_.size());
            taken_ = 0;
            if (held_ == 0) return false;
        }
        out = ahead_[taken_++];
        return true;
    }

    encoding how_ = encoding::plain;
    physical type_ = physical::boolean;
    std::size_t width_ = 0;
    std::size_t taken_ = 0;
    std::size_t held_ = 0;
    std::size_t bits_left_ = 0;
    bit_reader bits_;
    plain_reader plain_;
    run_reader runs_;
    delta_reader delta_;
    delta_text_reader texts_;
    delta_prefix_reader prefixes_;
    std::string_view split_;
    std::vector<std::string_view> words_;
    std::array<std::uint32_t, 256> ahead_{};
    std::array<char, 64> scratch_{};
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
