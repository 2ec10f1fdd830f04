// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_VDF_HPP
#define VICINAL_MIGRATE_COLUMNAR_VDF_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>
#include <vicinal/migrate/columnar/file_set.hpp>
#include <vicinal/migrate/columnar/json_columns.hpp>
#include <vicinal/migrate/columnar/options.hpp>
#include <vicinal/migrate/columnar/row_plan.hpp>
#include <vicinal/migrate/files/source_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

using backend::columnar_layout;
using backend::columnar_options;

/// The files that make up one source, and what is known of their columns.
struct table_set {
    std::vector<std::string> files;
    row_wishes wishes;
    std::string metric;
    std::string description;
};

/// Our name of a metric that others call so; empty where it is none of ours.
[[nodiscard]] inline std::string metric_called(std::string_view name) {
    std::string lower;
    for (char const c : name)
        lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    if (lower == "cosine") return "cosine";
    if (lower == "euclid" || lower == "euclidean" || lower == "l2" || lower == "l2-squared")
        return "squared_l2";
    if (lower == "dot" || lower == "dotproduct" || lower == "ip") return "inner_product";
    return {};
}

/// Where a data_path leads that a stranger wrote: beneath the directory, nowhere else. Older
/// writers put the directory's own name in front.
[[nodiscard]] inline result<std::string> beneath(std::string const& directory,
                                                 std::string const& data_path) {
    std::string clean;
    for (std::size_t from = 0; from <= data_path.size();) {
        auto const end = (std::min)(data_path.find('/', from), data_path.size());
        auto const part = data_path.substr(from, end - from);
        if (part == "..")
            return error{errc::corrupt_source, "data beneath " + directory, "'" + data_path + "'"};
        if (!part.empty() && part != ".") clean.append(clean.empty() ? "" : "/").append(part);
        from = end + 1;
    }
    auto const whole = directory + "/" + clean;
    auto const slash = clean.find('/');
    if (is_directory(whole) || slash == std::string::npos) return whole;
    return directory + "/" + clean.substr(slash + 1);
}

/// The files of one index and namespace of a vector dataset, as VDF_META.json describes them.
///
/// Errors: not_found, invalid_argument (several of them: the message lists index/namespace),
/// invalid_json, corrupt_source, limit_exceeded.
[[nodiscard]] inline result<table_set> vdf_files(std::string const& path,
                                                 columnar_options const& options) {
    auto const meta = path + "/VDF_META.json";
    auto file = source_file::open(meta);
    if (!file) return file.error();
    auto const size = file->size();
    if (!size) return size.error();
    if (*size > std::uint64_t{64} << 20)
        return error{errc::limit_exceeded, "a VDF_META.json of at most 64 MiB", meta};
    std::string text(static_cast<std::size_t>(*size), '\0');
    if (auto const got = file->read_at(0, text.data(), text.size()); !got) return got.error();
    value root;
    json_column_reader json;
    if (auto const read = json.read(text, root); !read)
        return error{errc::invalid_json, read.error().expected(), meta + ": " + read.error().got()};
    auto const member = [](fields const* f, char const* name) -> std::string {
        auto const* const s = f ? (*f)[name].get_if<std::string>() : nullptr;
        return s ? *s : std::string();
    };
    auto const* const top = root.get_if<fields>();
    auto const* const indexes = top ? (*top)["indexes"].get_if<fields>() : nullptr;
    if (!indexes) return error{errc::foreign_file, "'indexes' in " + meta, "none"};
    std::vector<std::string> names;
    std::vector<fields const*> parts;
    for (auto const& [index, list] : *indexes) {
        auto const* const entries = list.get_if<value::array>();
        if (!entries || (!options.index.empty() && options.index != index)) continue;
        for (auto const& entry : *entries) {
            auto const* const part = entry.get_if<fields>();
            auto const space = member(part, "namespace");
            if (!part || (!options.name_space.empty() && options.name_space != space)) continue;
            parts.push_back(part);
            names.push_back(index + (space.empty() ? "" : "/" + space));
        }
    }
    if (parts.empty())
        return error{errc::not_found, "an index of that name and namespace", meta + " has none"};
    if (parts.size() > 1)
        return error{errc::invalid_argument, "index=NAME and namespace=NAME, as there are several",
                     meta + " has " + joined(names)};
    auto const directory = beneath(path, member(parts.front(), "data_path"));
    if (!directory) return directory.error();
    table_set set;
    auto const files = list_names(*directory, ".parquet");
    if (!files) return files.error();
    for (auto const& name : *files) set.files.push_back(*directory + "/" + name);
    if (set.files.empty())
        return error{errc::not_found, "files called *.parquet", *directory + " has none"};
    set.wishes.layout = table_layout::vdf;
    set.wishes.id = member(top, "id_column");
    if (auto const* const columns = (*parts.front())["vector_columns"].get_if<value::array>())
        for (auto const& column : *columns)
            if (auto const* const name = column.get_if<std::string>())
                set.wishes.vectors.push_back(*name);
    set.metric = metric_called(member(parts.front(), "metric"));
    set.description = path + " (" + names.front() + ")";
    return set;
}

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
