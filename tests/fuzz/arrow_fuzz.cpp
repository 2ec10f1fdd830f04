// SPDX-License-Identifier: MIT
// Any bytes as an Arrow file or stream: rows, or an error. The first byte says how it is read and
// what is done with the rows.
#include "fuzz/columnar_fuzz.hpp"

#include <vicinal/migrate/columnar/arrow/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace {

class bytes_input final : public vicinal::backend::input {
public:
    explicit bytes_input(std::string_view bytes) : bytes_(bytes) {}
    [[nodiscard]] vicinal::result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, bytes_.size());
        if (n > 0) std::memcpy(to, bytes_.data(), n);
        bytes_.remove_prefix(n);
        return n;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return path_; }

private:
    std::string_view bytes_;
    std::string path_ = "stream";
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using table = columnar_fuzz::columnar::arrow::arrow_table;
    static int const memory = ::memfd_create("arrow", 0);
    static std::string const path = "/proc/self/fd/" + std::to_string(memory);
    if (size == 0) return 0;
    std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
    if (data[0] < 128) {
        auto const t = table::open(std::make_unique<bytes_input>(bytes));
        if (t) columnar_fuzz::use(**t, data[0]);
        return 0;
    }
    if (::ftruncate(memory, 0) != 0 ||
        ::pwrite(memory, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        std::abort();
    auto file = vicinal::detail::source_file::open(path);
    if (!file) std::abort();
    auto const t = table::open(*std::move(file));
    if (t) columnar_fuzz::use(**t, data[0]);
    return 0;
}
