// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_FILES_INPUT_HPP
#define VICINAL_MIGRATE_FILES_INPUT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::backend {

/// Bytes that are read once, from first to last: a file, or what is packed in one. One virtual
/// call a piece of a megabyte or so.
class input {
public:
    input() = default;
    input(input const&) = delete;
    input& operator=(input const&) = delete;
    virtual ~input() = default;

    /// Up to `most` bytes more; fewer only at the end. Errors: io_failure, corrupt_source.
    [[nodiscard]] virtual result<std::size_t> read(void* to, std::size_t most) = 0;
    /// What people call it.
    [[nodiscard]] virtual std::string const& path() const noexcept = 0;
};

/// Opens what a source reads from its beginning. `open_file` reads a file as it lies;
/// `open_compressed` (migrate/files/compressed.hpp) unpacks gzip and zstd on the way.
using input_opener = result<std::unique_ptr<input>> (*)(std::string const& path);

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// A file as it lies.
class file_input final : public backend::input {
public:
    explicit file_input(source_file file) noexcept : file_(std::move(file)) {}

    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        auto const got = file_.read_at(at_, to, most);
        if (got) at_ += *got;
        return got;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return file_.path(); }

private:
    source_file file_;
    std::uint64_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// Errors: not_found, foreign_file (a directory, a device, a pipe), io_failure.
[[nodiscard]] inline result<std::unique_ptr<input>> open_file(std::string const& path) {
    auto file = detail::source_file::open(path);
    if (!file) return file.error();
    return std::unique_ptr<input>(std::make_unique<detail::file_input>(*std::move(file)));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
