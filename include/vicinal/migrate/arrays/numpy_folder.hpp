// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_NUMPY_FOLDER_HPP
#define VICINAL_MIGRATE_ARRAYS_NUMPY_FOLDER_HPP

#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/arrays/column.hpp>
#include <vicinal/migrate/arrays/rows.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fill_batch.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// The names of the files NAME.npy in a directory, without the ending, in bytewise order.
///
/// Errors: not_found, io_failure; limit_exceeded (over 4,096 of them).
[[nodiscard]] inline result<std::vector<std::string>> npy_names(std::string const& directory) {
    auto const close = [](::DIR* d) { ::closedir(d); };
    std::unique_ptr<::DIR, decltype(close)> const dir(::opendir(directory.c_str()), close);
    if (!dir) {
        int const number = errno;
        return error{number == ENOENT || number == ENOTDIR ? errc::not_found : errc::io_failure,
                     "a directory", directory + ": " + system_reason(number)};
    }
    std::vector<std::string> names;
    constexpr std::string_view ending = ".npy";
    while (auto const* const entry = ::readdir(dir.get())) {
        std::string_view const name = entry->d_name;
        if (name.size() <= ending.size() || !name.ends_with(ending)) continue;
        if (names.size() == 4096)
            return error{errc::limit_exceeded, "at most 4096 .npy files in a directory",
                         directory + " has more"};
        names.emplace_back(name.substr(0, name.size() - ending.size()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

struct numpy_folder_options {
    /// The field that holds the vectors; may be empty where only one array has two dimensions.
    std::string vector = {};
    /// The field that holds the ids; empty: "id" or "pk" where there is such a field of integers or
    /// text, else row numbers.
    std::string id = {};
    /// What `describe` gives as the metric.
    std::string metric = {};
    input_opener open = open_file;
};

/// Reads a directory that has one .npy file a field, as Milvus takes them for a bulk insert:
/// vector.npy of two dimensions, id.npy, title.npy and so on of one.
///
/// Numbers, bools and text become payload fields of their file's name. Fields of Python objects,
/// and arrays of two dimensions that were not chosen, are not read: `describe().losses` names them.
/// Memory: one batch and about 256 KiB a field. Source: Milvus's documentation of bulk inserts.
class numpy_folder {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit numpy_folder(std::string path, numpy_folder_options options = {})
        : numpy_folder(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (no such directory or field: the message lists them), invalid_argument
    /// (several fields of vectors and none chosen: the message lists them), foreign_file (no field
    /// of vectors), corrupt_source (a damaged file, fields of different lengths), unsupported,
    /// limit_exceeded, io_failure.
    [[nodiscard]] static result<numpy_folder> try_open(std::string path,
                                                       numpy_folder_options options = {}) {
        return detail::guarded([&]() -> result<numpy_folder> {
            numpy_folder source(std::move(path), std::move(options), unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            schema s{.dim = vectors_->layout().dim,
                     .metric = options_.metric,
                     .records = vectors_->layout().rows,
                     .losses = losses_,
                     .description = "npy:" + path_ + " (vectors " + vector_ + ")"};
            if (vectors_->rounded() > 0)
                s.losses.push_back(detail::rounded_loss(vectors_->rounded()));
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            columns_.clear();
            id_.reset();
            losses_.clear();
            vector_.clear();
            VICINAL_CHECK(look());
            auto rows = detail::array_rows::open(file(vector_), array_format::npy, options_.open);
            if (!rows) return rows.error();
            vectors_ = std::make_unique<detail::array_rows>(*std::move(rows));
            for (auto const& c : columns_) VICINAL_CHECK(check_length(c.name, c.values));
            if (id_) VICINAL_CHECK(check_length("the ids", *id_));
            return {};
        });
    }

    /// Errors: corrupt_source, naming file and row; io_failure.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            return detail::fill_batch(batch, most, [&](record& r) { return next(r); });
        });
    }

private:
    struct named_column {
        std::string name;
        detail::npy_column values;
    };

    struct unopened {};
    numpy_folder(std::string path, numpy_folder_options options, unopened)
        : path_(std::move(path)), options_(std::move(options)) {}

    [[nodiscard]] result<bool> next(record& r) {
        auto const row = vectors_->at();
        auto const more = vectors_->next(r.vector);
        if (!more || !*more) return more;
        r.id = std::to_string(row);
        if (id_) {
            auto id = id_->next_id();
            if (!id) return id.error();
            r.id = *std::move(*id);
        }
        r.payload.clear();
        for (auto& c : columns_) {
            auto v = c.values.next();
            if (!v) return v.error();
            r.payload.set(c.name, *std::move(*v));
        }
        return true;
    }

    [[nodiscard]] std::string file(std::string const& name) const {
        return path_ + "/" + name + ".npy";
    }

    // Sorts the fields into vectors, id and payload.
    result<void> look() {
        auto const names = detail::npy_names(path_);
        if (!names) return names.error();
        std::vector<std::string> wide;
        for (auto const& name : *names) {
            auto in = options_.open(file(name));
            if (!in) return in.error();
            detail::piece_reader reader(*std::move(in));
            auto const header = detail::read_npy_header(reader);
            if (!header && header.error().code() == errc::unsupported) {
                losses_.push_back("the field " + name + " was not read: " + header.error().got());
                continue;
            }
            if (!header) return header.error();
            if (header->number() && header->shape.size() == 2) {
                wide.push_back(name);
                continue;
            }
            auto values = detail::npy_column::open(file(name), options_.open);
            if (!values && values.error().code() == errc::unsupported)
                losses_.push_back("the field " + name + " was not read: " + values.error().got());
            else if (!values)
                return values.error();
            else
                columns_.push_back({name, *std::move(values)});
        }
        VICINAL_CHECK(choose_vector(wide));
        return choose_id();
    }

    result<void> choose_vector(std::vector<std::string> const& wide) {
        std::string list;
        for (auto const& name : wide) list.append(list.empty() ? "" : ", ").append(name);
        if (wide.empty())
            return error{errc::foreign_file, "an array of two dimensions in the directory",
                         "none in " + path_};
        if (options_.vector.empty() && wide.size() > 1)
            return error{errc::invalid_argument, "vector=NAME, one of " + list, "none"};
        vector_ = options_.vector.empty() ? wide.front() : options_.vector;
        if (std::find(wide.begin(), wide.end(), vector_) == wide.end())
            return error{errc::not_found, "vector=NAME, one of " + list, "'" + vector_ + "'"};
        for (auto const& name : wide)
            if (name != vector_)
                losses_.push_back("the vectors of the field " + name +
                                  " are not carried: a record has one vector");
        return {};
    }

    result<void> choose_id() {
        auto const find = [this](std::string_view name) {
            return std::find_if(columns_.begin(), columns_.end(),
                                [name](auto const& c) { return c.name == name; });
        };
        auto at = columns_.end();
        if (!options_.id.empty()) {
            at = find(options_.id);
            if (at == columns_.end())
                return error{errc::not_found, "a field for id=NAME",
                             "none of the name '" + options_.id + "' in " + path_};
        }
        for (std::string_view const name : {"id", "pk"}) {
            if (at != columns_.end() || !options_.id.empty()) break;
            at = find(name);
            if (at != columns_.end() && !at->values.integers() && !at->values.texts())
                at = columns_.end();
        }
        if (at == columns_.end()) return {};
        id_ = std::make_unique<detail::npy_column>(std::move(at->values));
        columns_.erase(at);
        return {};
    }

    result<void> check_length(std::string const& name, detail::npy_column const& c) const {
        auto const rows = vectors_->layout().rows.value_or(0);
        if (c.size() == rows) return {};
        return error{errc::corrupt_source, std::to_string(rows) + " rows, as many as vectors",
                     path_ + ": " + name + " has " + std::to_string(c.size())};
    }

    std::string path_;
    numpy_folder_options options_;
    std::string vector_;
    std::vector<std::string> losses_;
    std::unique_ptr<detail::array_rows> vectors_;
    std::unique_ptr<detail::npy_column> id_;
    std::vector<named_column> columns_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
