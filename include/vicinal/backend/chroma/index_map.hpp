// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_INDEX_MAP_HPP
#define VICINAL_BACKEND_CHROMA_INDEX_MAP_HPP

#include <vicinal/backend/chroma/pickle.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What `index_metadata.pickle` says: which id has which label, and how far in the log the index
/// is.
struct chroma_index_map {
    std::unique_ptr<char[]> file; // what the ids point into
    std::vector<std::pair<std::string_view, std::uint64_t>> labels;
    std::optional<std::int64_t> last_sequence;
};

/// The number that Chroma stores as an integer or, until 0.5, as eight bytes with the highest
/// first.
[[nodiscard]] inline std::int64_t big_endian_sequence(std::string_view bytes) noexcept {
    std::uint64_t n = 0;
    for (char const c : bytes.substr(0, 8)) n = n << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(n);
}

/// Makes the map of a pickle's text; `file` of the result stays empty.
inline result<chroma_index_map> parse_index_map(std::string_view pickle) {
    using kind = pickle_value::kind;
    pickle_reader reader(pickle);
    auto const attributes = reader.read();
    if (!attributes) return attributes.error();
    chroma_index_map map;
    bool found = false;
    for (auto const& [key, v] : **attributes) {
        if (key.text == "max_seq_id") {
            if (v.type == kind::integer) map.last_sequence = v.number;
            if (v.type == kind::bytes) map.last_sequence = big_endian_sequence(v.text);
        }
        if (key.text != "id_to_label") continue;
        if (v.type != kind::dict || found)
            return error{errc::corrupt_source, "one dict 'id_to_label'", "something else"};
        found = true;
        auto const& entries = reader.entries(v);
        map.labels.reserve(entries.size());
        for (auto const& [id, label] : entries) {
            if (id.type != kind::text || label.type != kind::integer || label.number < 0)
                return error{errc::corrupt_source, "ids and labels in 'id_to_label'",
                             "values of another kind"};
            map.labels.emplace_back(id.text, static_cast<std::uint64_t>(label.number));
        }
    }
    if (!found) return error{errc::corrupt_source, "a dict 'id_to_label'", "none"};
    return map;
}

/// Reads and parses the file. Errors: corrupt_source (with path and offset), limit_exceeded (over
/// 1 GiB), io_failure, not_found.
inline result<chroma_index_map> read_index_map(std::string const& path) {
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    auto file = source_file::open(path);
    if (!file) return file.error();
    auto const size = file->size();
    if (!size) return size.error();
    if (*size > most) return error{errc::limit_exceeded, "a pickle of at most 1 GiB", path};
    auto const length = static_cast<std::size_t>(*size);
    auto bytes = std::unique_ptr<char[]>(new char[length + 1]);
    auto const got = file->read_at(0, bytes.get(), length);
    if (!got) return got.error();
    auto map = parse_index_map({bytes.get(), *got});
    if (!map) {
        auto const& e = map.error();
        return error{e.code(), e.expected(), path + ": " + e.got()};
    }
    map->file = std::move(bytes);
    return map;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
