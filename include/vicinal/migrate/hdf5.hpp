// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_HDF5_HPP
#define VICINAL_MIGRATE_HDF5_HPP

#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/arrays/row_ids.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fill_batch.hpp>
#include <vicinal/migrate/hdf5/handle.hpp>
#include <vicinal/migrate/hdf5/rows.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

namespace vicinal::inline VICINAL_ABI::backend {

struct hdf5_options {
    /// The dataset that holds the vectors, as in "train" or "group/vectors"; empty: "train", or the
    /// only one of two dimensions at the root.
    std::string dataset = {};
    /// A file of ids, as array_options has it; empty: ids are row numbers, from "0".
    std::string ids = {};
    /// What `describe` gives as the metric in place of the file's attribute "distance".
    std::string metric = {};
    /// Opens the file of ids.
    input_opener open = open_file;
};

/// Reads a dataset of two dimensions from an HDF5 file, one vector a row: the files of
/// ann-benchmarks ("train"; "test" by its name), and any other of floats, integers or bools.
///
/// Numbers with more digits than a float holds are rounded to the nearest and counted. Other
/// datasets of two dimensions are named in `describe().losses`. Memory: a megabyte or a chunk of
/// the file, and what HDF5 caches. Not to be used on several threads at once, whatever the objects,
/// where HDF5 was built without thread safety. HDF5 itself parses the file: read untrusted ones in
/// a process of little rights. Needs HDF5's C library. Source: Aumueller, Bernhardsson & Faithfull
/// 2020, ANN-Benchmarks.
class hdf5_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit hdf5_source(std::string path, hdf5_options options = {})
        : hdf5_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (no such file or dataset: the message lists them), foreign_file (no HDF5),
    /// invalid_argument (several datasets and none chosen: the message lists them), unsupported
    /// (not of two dimensions, no numbers), corrupt_source, limit_exceeded, io_failure.
    [[nodiscard]] static result<hdf5_source> try_open(std::string path, hdf5_options options = {}) {
        return detail::guarded([&]() -> result<hdf5_source> {
            hdf5_source source(std::move(path), std::move(options), unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            schema s{.dim = rows_->dim(),
                     .metric = metric_,
                     .records = rows_->size(),
                     .losses = losses_,
                     .description = "hdf5:" + path_ + " (dataset " + dataset_ + ")"};
            if (rows_->rounded() > 0) s.losses.push_back(detail::rounded_loss(rows_->rounded()));
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            detail::hdf5_quiet const quiet;
            // HDF5's own messages do not tell a missing file from another format.
            auto const there = detail::source_file::open(path_);
            if (!there) return there.error();
            if (H5Fis_hdf5(path_.c_str()) <= 0)
                return error{errc::foreign_file, "an HDF5 file", path_ + ": no such signature"};
            rows_.reset();
            file_ =
                detail::hdf5_handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
            if (!file_)
                return error{errc::corrupt_source, "an HDF5 file", path_ + ": HDF5 can't open it"};
            losses_.clear();
            VICINAL_CHECK(choose_dataset());
            choose_metric();
            auto rows = detail::hdf5_rows::open(file_.id(), path_ + ", " + dataset_, dataset_);
            if (!rows) return rows.error();
            auto ids = detail::row_ids::open(options_.ids, options_.open);
            if (!ids) return ids.error();
            rows_ = std::make_unique<detail::hdf5_rows>(*std::move(rows));
            ids_ = std::make_unique<detail::row_ids>(*std::move(ids));
            return {};
        });
    }

    /// Errors: corrupt_source, naming file, dataset and row; io_failure.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            detail::hdf5_quiet const quiet;
            return detail::fill_batch(
                batch, most, [&](record& r) { return detail::next_row(*rows_, *ids_, r); });
        });
    }

private:
    struct unopened {};
    hdf5_source(std::string path, hdf5_options options, unopened)
        : path_(std::move(path)), options_(std::move(options)) {}

    struct listing {
        std::vector<std::string> names;
        bool full = false;
        bool out_of_memory = false;
    };

    // The datasets of two dimensions at the root. Called by C code: nothing may be thrown.
    static herr_t list_one(hid_t root, char const* name, H5L_info_t const*, void* to) noexcept {
        auto& list = *static_cast<listing*>(to);
        constexpr std::size_t most = 1000;
        detail::hdf5_handle const object(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
        if (!object || H5Iget_type(object.id()) != H5I_DATASET) return 0;
        detail::hdf5_handle const space(H5Dget_space(object.id()), H5Sclose);
        if (!space || H5Sget_simple_extent_ndims(space.id()) != 2) return 0;
        list.full = list.names.size() == most;
        if (list.full) return 1;
        auto const added = detail::guarded([&]() -> result<void> {
            list.names.emplace_back(name);
            return {};
        });
        list.out_of_memory = !added;
        return added ? 0 : -1;
    }

    result<void> choose_dataset() {
        listing list;
        auto const listed =
            H5Literate(file_.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, &list_one, &list);
        if (list.out_of_memory) return error{errc::out_of_memory};
        if (listed < 0)
            return error{errc::corrupt_source, "datasets", path_ + ": HDF5 can't list them"};
        std::string names;
        for (auto const& name : list.names) names.append(names.empty() ? "" : ", ").append(name);
        if (list.full) names.append(" and more");
        auto const has = [&list](std::string const& name) {
            return std::find(list.names.begin(), list.names.end(), name) != list.names.end();
        };
        dataset_ = options_.dataset;
        if (dataset_.empty() && has("train")) dataset_ = "train";
        if (dataset_.empty() && list.names.size() == 1) dataset_ = list.names.front();
        if (dataset_.empty() && list.names.empty())
            return error{errc::unsupported, "a dataset of two dimensions at the root",
                         path_ + ": none; dataset=GROUP/NAME chooses another"};
        if (dataset_.empty())
            return error{errc::invalid_argument, "dataset=NAME, one of " + names, "none"};
        if (!has(dataset_) && !is_dataset(dataset_))
            return error{errc::not_found, "dataset=NAME, one of " + names,
                         path_ + ": none of the name '" + dataset_ + "'"};
        for (auto const& name : list.names)
            if (name != dataset_)
                losses_.push_back("the dataset " + name + " was not read: dataset=" + name +
                                  " reads it");
        return {};
    }

    [[nodiscard]] bool is_dataset(std::string const& name) const {
        detail::hdf5_handle const set(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
        return static_cast<bool>(set);
    }

    void choose_metric() {
        auto const distance = detail::hdf5_text_attribute(file_.id(), "distance");
        metric_ = !options_.metric.empty()  ? options_.metric
                  : distance == "angular"   ? "cosine"
                  : distance == "euclidean" ? "squared_l2"
                  : distance == "dot"       ? "inner_product"
                  : distance == "hamming"   ? "hamming"
                  : distance == "jaccard"   ? "jaccard"
                                            : "";
    }

    std::string path_;
    hdf5_options options_;
    detail::hdf5_handle file_;
    std::string dataset_;
    std::string metric_;
    std::vector<std::string> losses_;
    std::unique_ptr<detail::hdf5_rows> rows_;
    std::unique_ptr<detail::row_ids> ids_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
