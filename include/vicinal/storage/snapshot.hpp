// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_SNAPSHOT_HPP
#define VICINAL_STORAGE_SNAPSHOT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/descriptor.hpp>
#include <vicinal/storage/snapshot_bytes.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot opened for reading. Opening checks header, table, properties and extents; the rows
/// are checked by check_all.
template <class Os>
class snapshot_file {
public:
    snapshot_file() = default;

    /// `shown` is how the file is called in errors. errc::not_found where there is no such file.
    [[nodiscard]] static result<snapshot_file> open(int directory, std::string const& name,
                                                    std::string shown, bool writable) {
        snapshot_file f;
        f.shown_ = std::move(shown);
        f.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
        if (!f.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, f.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + f.shown_);
        }
        auto const actual = Os::file_bytes(f.file_.get());
        if (actual < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + f.shown_);
        }
        auto layout =
            read_layout(static_cast<std::uint64_t>(actual), writable, f.shown_, f.reading());
        if (!layout) return layout.error();
        f.layout_ = *std::move(layout);
        return f;
    }

    /// A file whose layout is known from elsewhere, as where its front is damaged.
    [[nodiscard]] static snapshot_file over(descriptor<Os> file, std::string shown,
                                            snapshot_layout layout) {
        snapshot_file f;
        f.file_ = std::move(file);
        f.shown_ = std::move(shown);
        f.layout_ = std::move(layout);
        return f;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] snapshot_layout const& layout() const noexcept { return layout_; }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    void renamed(std::string shown) noexcept { shown_ = std::move(shown); }
    [[nodiscard]] section const* find(std::string_view name) const noexcept {
        for (auto const& s : layout_.sections)
            if (s.name == name) return &s;
        return nullptr;
    }

    /// Compares every block with its checksum; see read_blocks.
    [[nodiscard]] result<void> check_all() const {
        return read_all([](std::size_t, std::uint64_t, std::span<std::byte const>) {});
    }
    /// The same, and gives what was read to each(section, block, bytes).
    template <class Each>
    [[nodiscard]] result<void> read_all(Each const& each) const {
        return read_blocks(layout_, shown_, reading(), each);
    }
    /// One block of one section; see there.
    [[nodiscard]] result<void> read_block(section const& s, std::uint64_t i,
                                          block_buffer& buffer) const {
        return storage::read_block(layout_, shown_, reading(), s, i, buffer);
    }
    /// The checksums of its pages too.
    [[nodiscard]] result<void> read_with_pages(section const& s, std::uint64_t i,
                                               block_buffer& buffer) const {
        VICINAL_CHECK(read_block(s, i, buffer));
        return check_page_crcs(layout_, shown_, reading(), s, i, buffer);
    }

    /// The same file once more, for a copy that goes on when this one moves to the next generation.
    [[nodiscard]] result<snapshot_file> again() const {
        snapshot_file f;
        f.file_ = file_.duplicate();
        if (!f.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to open " + shown_ + " once more");
        }
        f.shown_ = shown_;
        f.layout_ = layout_;
        return f;
    }

private:
    [[nodiscard]] auto reading() const noexcept {
        return [this](std::uint64_t at, std::span<std::byte> into) { return read(at, into); };
    }
    [[nodiscard]] result<void> read(std::uint64_t at, std::span<std::byte> into) const {
        auto const n = read_up_to<Os>(file_.get(), at, into, shown_);
        if (!n) return n.error();
        if (*n != into.size())
            return error{errc::corrupt_snapshot,
                         std::to_string(into.size()) + " bytes at offset " + std::to_string(at) +
                             " of " + shown_,
                         std::to_string(*n)};
        return {};
    }

    descriptor<Os> file_;
    std::string shown_;
    snapshot_layout layout_;
};

/// Writes a snapshot under `name`, rows first and header last, and syncs it if asked. The sections,
/// sizes and checksums of `layout` are filled in from the sources. What is in the file before the
/// header is written is no valid snapshot.
template <class Os>
[[nodiscard]] result<void> write_snapshot(int directory, std::string const& name,
                                          std::string const& shown, snapshot_layout layout,
                                          std::span<section_source const> sources, bool sync) {
    VICINAL_CHECK(lay_out(layout, sources));
    descriptor<Os> const file(
        detail::uninterrupted([&] { return Os::open_empty(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return detail::system_failure(reason, "to make " + shown);
    }
    VICINAL_CHECK(
        put_snapshot(layout, sources, [&](std::uint64_t at, std::span<std::byte const> bytes) {
            return write_all<Os>(file.get(), at, bytes, shown);
        }));
    if (sync && detail::uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown,
                     std::generic_category().message(reason)};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
