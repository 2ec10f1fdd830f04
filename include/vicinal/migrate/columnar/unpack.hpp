// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_UNPACK_HPP
#define VICINAL_MIGRATE_COLUMNAR_UNPACK_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/lz4.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// How the pieces of a columnar file are packed.
enum class packing : std::uint8_t { none, snappy, gzip, zstd, lz4_block, lz4_frames };

/// Unpacks pieces whose unpacked size somebody claims. Memory follows what really comes out, in
/// steps of two, so that a claim alone costs nothing; and what comes out must be what was claimed.
class unpacker {
public:
    /// Replaces `out` by what `packed` holds, which must be `claimed` bytes.
    ///
    /// Errors: corrupt_source.
    [[nodiscard]] result<void> unpack(packing how, std::string_view packed, std::size_t claimed,
                                      std::string& out) {
        out.clear();
        if (claimed == 0) return {}; // nothing: some writers then leave the packing out
        bool good = false;
        switch (how) {
            case packing::none:
                good = packed.size() == claimed;
                if (good) out.assign(packed);
                break;
            case packing::snappy: good = from_snappy(packed, claimed, out); break;
            case packing::gzip: good = from_gzip(packed, claimed, out); break;
            case packing::zstd: good = from_zstd(packed, claimed, out); break;
            case packing::lz4_block:
                good = lz4_reader(out, claimed).block(packed) && out.size() == claimed;
                break;
            case packing::lz4_frames:
                good = lz4_reader(out, claimed).frames(packed) && out.size() == claimed;
                break;
        }
        if (good) return {};
        return error{errc::corrupt_source, "packed bytes that unpack to the size claimed",
                     std::to_string(packed.size()) + " bytes that don't give " +
                         std::to_string(claimed)};
    }

private:
    [[nodiscard]] static bool from_snappy(std::string_view packed, std::size_t claimed,
                                          std::string& out) {
        std::size_t size = 0;
        // Three bytes of Snappy give 64 at most.
        if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size) ||
            size != claimed || size / 22 > packed.size())
            return false;
        out.resize(size);
        return snappy::RawUncompress(packed.data(), packed.size(), out.data());
    }

    /// Gives `out` room for more, up to `claimed` bytes in all; false where it has that already.
    [[nodiscard]] static bool widen(std::string& out, std::size_t packed, std::size_t claimed) {
        if (out.size() >= claimed) return false;
        auto const wanted = out.empty() ? (std::max)(packed * 4, std::size_t{1} << 16) : out.size();
        out.resize((std::min)(claimed, out.size() + wanted));
        return true;
    }

    [[nodiscard]] static bool from_gzip(std::string_view packed, std::size_t claimed,
                                        std::string& out) {
        z_stream z{};
        // 32: gzip or zlib, whichever it is.
        if (inflateInit2(&z, 15 + 32) != Z_OK) return false;
        std::unique_ptr<z_stream, int (*)(z_stream*)> const closer(
            &z, [](z_stream* s) { return inflateEnd(s); });
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
        z.avail_in = static_cast<uInt>(packed.size());
        std::size_t done = 0;
        for (;;) {
            if (done == out.size() && !widen(out, packed.size(), claimed)) {
                // Everything claimed is there; what is left may only be the end mark.
                char more = 0;
                z.next_out = reinterpret_cast<Bytef*>(&more);
                z.avail_out = 1;
                return inflate(&z, Z_NO_FLUSH) == Z_STREAM_END && z.avail_out == 1 &&
                       z.avail_in == 0;
            }
            z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
            auto const room = (std::min)(out.size() - done, std::size_t{1} << 30);
            z.avail_out = static_cast<uInt>(room);
            auto const code = inflate(&z, Z_NO_FLUSH);
            done += room - z.avail_out;
            if (code == Z_STREAM_END) {
                if (z.avail_in == 0) return done == claimed;
                if (inflateReset(&z) != Z_OK) return false; // members may follow each other
            } else if (code != Z_OK) {
                return false;
            }
        }
    }

    [[nodiscard]] bool from_zstd(std::string_view packed, std::size_t claimed, std::string& out) {
        if (!zstd_) zstd_.reset(ZSTD_createDCtx());
        if (!zstd_ || ZSTD_isError(ZSTD_initDStream(zstd_.get()))) return false;
        ZSTD_inBuffer in{packed.data(), packed.size(), 0};
        std::size_t done = 0;
        for (;;) {
            char more = 0;
            bool const full = done == out.size() && !widen(out, packed.size(), claimed);
            ZSTD_outBuffer to{out.data(), out.size(), done};
            if (full) to = {&more, 1, 0};
            auto const before = in.pos;
            auto const code = ZSTD_decompressStream(zstd_.get(), &to, &in);
            if (ZSTD_isError(code) || (full && to.pos > 0)) return false;
            bool const stuck = in.pos == before && (full || to.pos == done);
            if (!full) done = to.pos;
            if (code == 0 && in.pos == in.size) return done == claimed;
            if (stuck) return false;
        }
    }

    struct closer {
        void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, closer> zstd_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
