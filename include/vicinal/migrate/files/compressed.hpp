// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILES_COMPRESSED_HPP
#define VICINAL_MIGRATE_FILES_COMPRESSED_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// The bytes of a packed file, in pieces: what both unpackers read from.
class packed_bytes {
public:
    static constexpr std::size_t piece = std::size_t{64} << 10;

    explicit packed_bytes(source_file file)
        : file_(std::move(file)), buffer_(std::make_unique<unsigned char[]>(piece)) {}

    /// Fills the buffer where it is empty; false where the file is at its end.
    [[nodiscard]] result<bool> more() {
        if (left_ > 0) return true;
        auto const got = file_.read_at(offset_, buffer_.get(), piece);
        if (!got) return got.error();
        at_ = 0;
        left_ = *got;
        offset_ += *got;
        return left_ > 0;
    }
    [[nodiscard]] unsigned char* data() noexcept { return buffer_.get() + at_; }
    [[nodiscard]] std::size_t size() const noexcept { return left_; }
    void take(std::size_t bytes) noexcept {
        at_ += bytes;
        left_ -= bytes;
    }

    [[nodiscard]] std::string const& path() const noexcept { return file_.path(); }
    /// A complaint that names file and offset.
    [[nodiscard]] error damage(std::string_view format, std::string const& reason,
                               errc code = errc::corrupt_source) const {
        return error{code, "an intact " + std::string(format) + " file",
                     path() + ": " + reason + " at byte " + std::to_string(offset_ - left_)};
    }

private:
    source_file file_;
    std::unique_ptr<unsigned char[]> buffer_;
    std::size_t at_ = 0;
    std::size_t left_ = 0;
    std::uint64_t offset_ = 0; // of what is behind the buffer
};

/// What a gzip file holds (RFC 1952): all its members, one behind the other, as gzip itself has it.
class gzip_input final : public backend::input {
public:
    explicit gzip_input(source_file file) : packed_(std::move(file)) {}
    ~gzip_input() override {
        if (ready_) ::inflateEnd(&stream_);
    }

    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        std::size_t done = 0;
        while (done < most && !at_end_) {
            auto const more = packed_.more();
            if (!more) return more.error();
            if (!*more) {
                if (inside_) return packed_.damage("gzip", "the file ends too early");
                break;
            }
            if (!inside_) VICINAL_CHECK(start_member());
            if (at_end_) break;
            auto const got = inflate_into(static_cast<unsigned char*>(to) + done, most - done);
            if (!got) return got.error();
            done += *got;
        }
        return done;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return packed_.path(); }

private:
    [[nodiscard]] result<void> start_member() {
        if (!ready_) {
            constexpr int gzip_only = 16;
            if (::inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK)
                return error{errc::out_of_memory};
            ready_ = true;
        } else if (packed_.data()[0] == 0) {
            // Tapes and some programs pad the file with zeros.
            return skip_padding();
        } else {
            ::inflateReset(&stream_);
        }
        inside_ = true;
        return {};
    }

    [[nodiscard]] result<void> skip_padding() {
        for (;;) {
            auto const more = packed_.more();
            if (!more) return more.error();
            if (!*more) break;
            auto const* const end = packed_.data() + packed_.size();
            if (std::any_of(packed_.data(), packed_.data() + packed_.size(),
                            [](unsigned char c) { return c != 0; }))
                return packed_.damage("gzip", "something else behind the last member");
            packed_.take(static_cast<std::size_t>(end - packed_.data()));
        }
        at_end_ = true;
        return {};
    }

    [[nodiscard]] result<std::size_t> inflate_into(unsigned char* to, std::size_t most) {
        // zlib counts in unsigned int.
        auto const room = (std::min)(most, std::size_t{1} << 30);
        stream_.next_in = packed_.data();
        stream_.avail_in = static_cast<unsigned>(packed_.size());
        stream_.next_out = to;
        stream_.avail_out = static_cast<unsigned>(room);
        int const code = ::inflate(&stream_, Z_NO_FLUSH);
        packed_.take(packed_.size() - stream_.avail_in);
        if (code == Z_MEM_ERROR) return error{errc::out_of_memory};
        if (code == Z_STREAM_END)
            inside_ = false;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return packed_.damage("gzip", stream_.msg != nullptr ? stream_.msg : "damage");
        return room - stream_.avail_out;
    }

    packed_bytes packed_;
    ::z_stream stream_ = {};
    bool ready_ = false;
    bool inside_ = false; // of a member
    bool at_end_ = false;
};

/// What a zstd file holds (RFC 8878): all its frames; skippable ones are skipped.
class zstd_input final : public backend::input {
public:
    /// What the zstd program unpacks without being asked for more.
    static constexpr int largest_window = 27; // 128 MiB

    explicit zstd_input(source_file file)
        : packed_(std::move(file)), context_(::ZSTD_createDCtx()) {
        if (context_) ::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, largest_window);
    }

    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        if (!context_) return error{errc::out_of_memory};
        ::ZSTD_outBuffer out{to, most, 0};
        while (out.pos < out.size) {
            auto const more = packed_.more();
            if (!more) return more.error();
            // At the end of the file the decoder may still hold what it has unpacked already.
            auto const before = out.pos;
            ::ZSTD_inBuffer in{packed_.data(), packed_.size(), 0};
            if (!*more && !inside_) break;
            auto const code = ::ZSTD_decompressStream(context_.get(), &out, &in);
            packed_.take(in.pos);
            if (::ZSTD_isError(code)) return failure(code);
            inside_ = code != 0;
            if (!*more && inside_ && out.pos == before)
                return packed_.damage("zstd", "the file ends too early");
        }
        return out.pos;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return packed_.path(); }

private:
    struct free {
        void operator()(::ZSTD_DCtx* c) const noexcept { ::ZSTD_freeDCtx(c); }
    };

    [[nodiscard]] error failure(std::size_t code) const {
        auto const what = ::ZSTD_getErrorCode(code);
        if (what == ZSTD_error_memory_allocation) return error{errc::out_of_memory};
        if (what == ZSTD_error_frameParameter_windowTooLarge)
            return packed_.damage("zstd", "a window of more than 128 MiB", errc::limit_exceeded);
        return packed_.damage("zstd", ::ZSTD_getErrorName(code));
    }

    packed_bytes packed_;
    std::unique_ptr<::ZSTD_DCtx, free> context_;
    bool inside_ = false; // of a frame
};

/// Whether those first bytes of a file are of zstd: a frame, or one that is skipped, with which
/// files of several threads begin.
[[nodiscard]] inline bool starts_zstd(unsigned char const (&magic)[4]) noexcept {
    bool const frame = magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd;
    bool const skipped =
        (magic[0] & 0xf0U) == 0x50 && magic[1] == 0x2a && magic[2] == 0x4d && magic[3] == 0x18;
    return frame || skipped;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Opens a file and unpacks it where its first bytes are those of gzip (also of several members) or
/// zstd (also of several frames); any other file is read as it lies.
///
/// Memory: 64 KiB, and the window of the format: 32 KiB for gzip, up to 128 MiB for zstd.
/// Errors: those of open_file; from the reading corrupt_source (truncated or damaged, with file and
/// offset), limit_exceeded (a zstd window over 128 MiB), io_failure. Needs zlib and libzstd.
[[nodiscard]] inline result<std::unique_ptr<input>> open_compressed(std::string const& path) {
    return detail::guarded([&]() -> result<std::unique_ptr<input>> {
        auto file = detail::source_file::open(path);
        if (!file) return file.error();
        unsigned char magic[4] = {};
        auto const got = file->read_at(0, magic, sizeof magic);
        if (!got) return got.error();
        std::unique_ptr<input> opened;
        // The third byte is the method; there is only one, 8.
        if (magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8)
            opened = std::make_unique<detail::gzip_input>(*std::move(file));
        else if (*got == sizeof magic && detail::starts_zstd(magic))
            opened = std::make_unique<detail::zstd_input>(*std::move(file));
        else
            opened = std::make_unique<detail::file_input>(*std::move(file));
        return opened;
    });
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
