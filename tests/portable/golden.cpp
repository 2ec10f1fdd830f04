// SPDX-License-Identifier: MIT
// The golden stores on a processor of any byte order, without any library: ./dev foreign compiles
// this and runs it under an emulator. The argument is the directory that holds the stores.
//
// Mapped rows are little-endian: a big-endian host refuses to open them, and says so. What it can
// do is check the files, and salvage them into a log, every number of which is read here.
#include "golden/stores.hpp"

#include <vicinal/storage/check.hpp>
#include <vicinal/storage/log_scan.hpp>
#include <vicinal/store/operations.hpp>
#include <vicinal/store/salvage.hpp>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace vicinal;

void require(bool good, std::string const& what) {
    if (good) return;
    std::printf("FAILED: %s\n", what.c_str());
    std::exit(1);
}

/// Carries out a log's operations on a map, reading vectors and ids by their bytes.
template <class Store>
struct replay {
    using id = typename Store::id_type;
    golden::truth all;

    [[nodiscard]] result<void> upsert(std::span<detail::prepared<id> const> batch) {
        for (auto const& p : batch) {
            record r{text(p.id), {}, {}};
            for (std::size_t i = 0; i < golden::dim; ++i)
                r.vector.push_back(
                    std::bit_cast<float>(detail::load_le<std::uint32_t>(p.vector + 4 * i)));
            if constexpr (golden::script<Store>::has_fields)
                r.payload = payload::fields::decode(p.payload).value();
            all[r.id] = std::move(r);
        }
        return {};
    }
    [[nodiscard]] result<void> update(std::span<detail::prepared<id> const> batch) {
        for (auto const& p : batch)
            if constexpr (golden::script<Store>::has_fields)
                all[text(p.id)].payload = payload::fields::decode(p.payload).value();
        return {};
    }
    [[nodiscard]] result<void> erase(typename detail::id_traits<id>::view which) {
        all.erase(text(which));
        return {};
    }
    [[nodiscard]] result<void> clear() {
        all.clear();
        return {};
    }
    [[nodiscard]] static std::string text(typename detail::id_traits<id>::view which) {
        return detail::id_traits<id>::text(which);
    }
};

template <class Store>
void check_salvaged(std::string const& path) {
    auto const name = path + "/" + detail::closed_log_name(1);
    int const file = ::open(name.c_str(), O_RDONLY);
    require(file >= 0, "no " + name);
    struct ::stat about {};
    require(::fstat(file, &about) == 0, "no size of " + name);
    std::vector<std::byte> head(detail::log_header_bytes);
    require(::pread(file, head.data(), head.size(), 0) == 64, "no header in " + name);
    auto const header = detail::decode_log_header(head.data(), name).value();
    replay<Store> found;
    auto const scanned = detail::scan_log<storage::posix>(
        file, name, static_cast<std::uint64_t>(about.st_size), header, true,
        [&](std::span<std::byte const> record) {
            return detail::read_operation<typename Store::id_type>(record, golden::dim * 4, found);
        });
    require(static_cast<bool>(scanned), "the salvaged log does not read");
    ::close(file);
    auto const want = golden::script<Store>::expected();
    require(found.all.size() == want.size(), name + ": another number of records");
    for (auto const& [id, r] : want) {
        auto const at = found.all.find(id);
        require(at != found.all.end() && at->second.vector == r.vector &&
                    at->second.payload == r.payload,
                name + ": record " + id);
    }
}

template <class Described>
void check_store(Described const& d, std::string const& under) {
    using store = typename Described::store;
    auto const path = under + "/" + d.name;
    auto const files = check(path);
    require(files.ok() && files.blocks > 0, path + ": check finds damage");
    auto const opened = store::try_open(path, {.read_only = true});
    if constexpr (std::endian::native == std::endian::little)
        require(opened && opened->size() == golden::script<store>::expected().size(),
                path + " does not open");
    else
        require(!opened && opened.error().code() == errc::unsupported &&
                    opened.error().message().find("big-endian") != std::string::npos,
                path + " is not refused by name");
    auto const salvaged = path + ".salvaged";
    auto const report = try_salvage(path, salvaged);
    require(report && report->ok(), path + " is not salvaged whole");
    check_salvaged<store>(salvaged);
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    golden::for_each([&](auto const& d) { check_store(d, arguments[1]); });
    std::puts("golden stores: checked and salvaged, every record");
    return 0;
}
