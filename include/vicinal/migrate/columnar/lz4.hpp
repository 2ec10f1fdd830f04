// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_LZ4_HPP
#define VICINAL_MIGRATE_COLUMNAR_LZ4_HPP

#include <vicinal/core/bits.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// Unpacks LZ4, blocks and frames (the LZ4 project's lz4_Block_format.md and lz4_Frame_format.md),
/// which pandas and pyarrow write Feather files with. Checksums are not looked at.
class lz4_reader {
public:
    /// `out` grows with what comes out, to `claimed` bytes at most.
    lz4_reader(std::string& out, std::size_t claimed) noexcept : out_(out), claimed_(claimed) {}

    /// Appends what a block holds. False where it is none, or holds more than was claimed.
    [[nodiscard]] bool block(std::string_view in) {
        for (;;) {
            if (in.empty()) return false;
            auto const token = static_cast<unsigned char>(in.front());
            in.remove_prefix(1);
            std::size_t literals = token >> 4;
            if (!length(in, literals) || literals > in.size() || !room(literals)) return false;
            out_.append(in.substr(0, literals));
            in.remove_prefix(literals);
            if (in.empty()) return true; // the last sequence has no match
            if (in.size() < 2) return false;
            auto const back = load_le<std::uint16_t>(reinterpret_cast<std::byte const*>(in.data()));
            in.remove_prefix(2);
            std::size_t match = token & 15U;
            if (!length(in, match)) return false;
            match += 4;
            if (back == 0 || back > out_.size() || !room(match)) return false;
            // It may reach into what it is itself writing.
            auto const from = out_.size() - back;
            for (std::size_t i = 0; i < match; ++i) out_.push_back(out_[from + i]);
        }
    }

    /// Appends what all frames hold. False where they are none.
    [[nodiscard]] bool frames(std::string_view in) {
        while (!in.empty())
            if (!frame(in)) return false;
        return true;
    }

private:
    [[nodiscard]] bool room(std::size_t more) const noexcept {
        return more <= claimed_ - out_.size();
    }

    /// Adds the bytes that go on with a length of 15.
    [[nodiscard]] static bool length(std::string_view& in, std::size_t& n) noexcept {
        if (n < 15) return true;
        for (;;) {
            if (in.empty()) return false;
            auto const more = static_cast<unsigned char>(in.front());
            in.remove_prefix(1);
            n += more;
            if (more < 255) return true;
        }
    }

    [[nodiscard]] static bool skip(std::string_view& in, std::size_t n) noexcept {
        if (n > in.size()) return false;
        in.remove_prefix(n);
        return true;
    }

    [[nodiscard]] bool frame(std::string_view& in) {
        if (!in.starts_with("\x04\x22\x4d\x18") || in.size() < 7) return false;
        auto const flags = static_cast<unsigned char>(in[4]);
        if (flags >> 6 != 1) return false;
        std::size_t const head = 7U + ((flags & 8U) != 0 ? 8U : 0U) + ((flags & 1U) != 0 ? 4U : 0U);
        std::size_t const check = (flags & 16U) != 0 ? 4 : 0;
        if (!skip(in, head)) return false;
        for (;;) {
            if (in.size() < 4) return false;
            auto const word = load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(in.data()));
            in.remove_prefix(4);
            if (word == 0) return skip(in, (flags & 4U) != 0 ? 4 : 0);
            std::size_t const size = word & 0x7fffffffU;
            auto const piece = in.substr(0, size);
            if (!skip(in, size) || !skip(in, check)) return false;
            if ((word >> 31) == 0) {
                if (!block(piece)) return false;
            } else {
                if (!room(size)) return false;
                out_.append(piece);
            }
        }
    }

    std::string& out_;
    std::size_t claimed_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
