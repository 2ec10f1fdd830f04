// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_HDF5_ROWS_HPP
#define VICINAL_MIGRATE_HDF5_ROWS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/hdf5/handle.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// The rows of a dataset of two dimensions, read in blocks of whole chunks.
class hdf5_rows {
public:
    /// Errors, naming file and dataset: unsupported, limit_exceeded, corrupt_source.
    [[nodiscard]] static result<hdf5_rows> open(hid_t file, std::string place,
                                                std::string const& name) {
        hdf5_rows r;
        r.place_ = std::move(place);
        r.set_ = {H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose};
        r.space_ = {r.set_ ? H5Dget_space(r.set_.id()) : -1, H5Sclose};
        if (!r.space_) return r.wrong(errc::corrupt_source, "a dataset", "it can't be opened");
        hsize_t lengths[2] = {0, 0};
        auto const rank = H5Sget_simple_extent_ndims(r.space_.id());
        if (rank != 2)
            return r.wrong(errc::unsupported, "a dataset of two dimensions, one vector a row",
                           "one of " + std::to_string(rank));
        H5Sget_simple_extent_dims(r.space_.id(), lengths, nullptr);
        if (lengths[1] > source_dims)
            return r.wrong(errc::limit_exceeded, "rows of at most 65536 elements",
                           std::to_string(lengths[1]));
        if (lengths[1] == 0 && lengths[0] != 0)
            return r.wrong(errc::corrupt_source, "rows of at least one element", "none in a row");
        r.rows_ = lengths[0];
        r.dim_ = static_cast<std::size_t>(lengths[1]);
        VICINAL_CHECK(r.choose_number());
        r.choose_block();
        return r;
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return rows_; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::uint64_t rounded() const noexcept { return rounded_; }

    /// Replaces `out` by the next row; false behind the last. Errors: corrupt_source.
    [[nodiscard]] result<bool> next(std::vector<float>& out) {
        if (at_ == rows_) return false;
        if (in_block_ == block_rows_) VICINAL_CHECK(read_block());
        auto const width = number_.bytes();
        out.resize(dim_);
        rounded_ +=
            to_floats(number_, block_.data() + in_block_ * dim_ * width, dim_, width, out.data());
        ++in_block_;
        ++at_;
        return true;
    }

private:
    [[nodiscard]] error wrong(errc code, std::string expected, std::string const& got) const {
        return error{code, std::move(expected), place_ + ": " + got};
    }

    // HDF5 converts what lies in the file into the widest of its kind, which loses nothing.
    result<void> choose_number() {
        hdf5_handle const type(H5Dget_type(set_.id()), H5Tclose);
        auto const kind = type ? H5Tget_class(type.id()) : H5T_NO_CLASS;
        number_.big_endian = std::endian::native == std::endian::big;
        if (kind == H5T_FLOAT && H5Tget_size(type.id()) <= 4) {
            number_.kind = number_kind::f32;
            memory_ = H5T_NATIVE_FLOAT;
        } else if (kind == H5T_FLOAT) {
            number_.kind = number_kind::f64;
            memory_ = H5T_NATIVE_DOUBLE;
        } else if (kind == H5T_INTEGER && H5Tget_sign(type.id()) == H5T_SGN_NONE) {
            number_.kind = number_kind::u64;
            memory_ = H5T_NATIVE_UINT64;
        } else if (kind == H5T_INTEGER) {
            number_.kind = number_kind::i64;
            memory_ = H5T_NATIVE_INT64;
        } else if (kind == H5T_ENUM) {
            // As h5py writes bools: an enumeration of bytes.
            number_.kind = number_kind::i8;
            memory_type_ = {H5Tcopy(type.id()), H5Tclose};
            memory_ = memory_type_.id();
            if (H5Tget_size(type.id()) != 1)
                return wrong(errc::unsupported, "a dataset of numbers", "one of wide enumerations");
        } else {
            return wrong(errc::unsupported, "a dataset of numbers", "one of another kind");
        }
        return {};
    }

    // About a megabyte, in whole chunks: a chunk that is packed is unpacked once.
    void choose_block() {
        auto const row = (std::max)(std::size_t{1}, dim_ * number_.bytes());
        most_rows_ = (std::max)(std::size_t{1}, (std::size_t{1} << 20) / row);
        hdf5_handle const list(H5Dget_create_plist(set_.id()), H5Pclose);
        hsize_t chunk[2] = {0, 0};
        if (!list || H5Pget_layout(list.id()) != H5D_CHUNKED ||
            H5Pget_chunk(list.id(), 2, chunk) != 2)
            return;
        constexpr std::size_t most_bytes = std::size_t{64} << 20;
        if (chunk[0] == 0 || chunk[0] > most_bytes / row) return;
        auto const rows = static_cast<std::size_t>(chunk[0]);
        most_rows_ = (most_rows_ + rows - 1) / rows * rows;
    }

    result<void> read_block() {
        auto const rows =
            static_cast<std::size_t>((std::min)(std::uint64_t{most_rows_}, rows_ - at_));
        block_.resize(rows * dim_ * number_.bytes());
        hsize_t const from[2] = {at_, 0};
        hsize_t const count[2] = {rows, dim_};
        hdf5_handle const memory(H5Screate_simple(2, count, nullptr), H5Sclose);
        bool const read =
            memory &&
            H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, from, nullptr, count, nullptr) >= 0 &&
            H5Dread(set_.id(), memory_, memory.id(), space_.id(), H5P_DEFAULT, block_.data()) >= 0;
        if (!read)
            return wrong(errc::corrupt_source, "rows from " + std::to_string(at_),
                         "HDF5 can't read them");
        block_rows_ = rows;
        in_block_ = 0;
        return {};
    }

    std::string place_;
    hdf5_handle set_;
    hdf5_handle space_;
    hdf5_handle memory_type_;
    hid_t memory_ = -1;
    number_format number_;
    std::uint64_t rows_ = 0;
    std::size_t dim_ = 0;
    std::size_t most_rows_ = 1;
    std::vector<std::byte> block_;
    std::size_t block_rows_ = 0;
    std::size_t in_block_ = 0;
    std::uint64_t at_ = 0;
    std::uint64_t rounded_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
