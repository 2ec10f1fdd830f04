// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_HDF5_HANDLE_HPP
#define VICINAL_MIGRATE_HDF5_HANDLE_HPP

#include <vicinal/core/result.hpp>

#include <string>
#include <utility>

#include <hdf5.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// An object of HDF5's C library, closed at the end.
class hdf5_handle {
public:
    hdf5_handle() = default;
    hdf5_handle(hid_t id, herr_t (*close)(hid_t)) noexcept : id_(id), close_(close) {}
    hdf5_handle(hdf5_handle&& other) noexcept
        : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    hdf5_handle& operator=(hdf5_handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    ~hdf5_handle() {
        if (id_ >= 0) close_(id_);
    }

    [[nodiscard]] hid_t id() const noexcept { return id_; }
    [[nodiscard]] explicit operator bool() const noexcept { return id_ >= 0; }

private:
    hid_t id_ = -1;
    herr_t (*close_)(hid_t) = nullptr;
};

/// While it lives, HDF5 does not print its errors: they become results here. The setting that was
/// there comes back.
class hdf5_quiet {
public:
    hdf5_quiet() noexcept {
        H5Eget_auto2(H5E_DEFAULT, &report_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    hdf5_quiet(hdf5_quiet const&) = delete;
    hdf5_quiet& operator=(hdf5_quiet const&) = delete;
    ~hdf5_quiet() { H5Eset_auto2(H5E_DEFAULT, report_, data_); }

private:
    H5E_auto2_t report_ = nullptr;
    void* data_ = nullptr;
};

/// The text of an attribute of the file's root, empty where there is none.
[[nodiscard]] inline std::string hdf5_text_attribute(hid_t file, char const* name) {
    if (H5Aexists(file, name) <= 0) return {};
    hdf5_handle const attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose);
    if (!attribute) return {};
    hdf5_handle const type(H5Aget_type(attribute.id()), H5Tclose);
    hdf5_handle const space(H5Aget_space(attribute.id()), H5Sclose);
    if (!type || !space || H5Tget_class(type.id()) != H5T_STRING ||
        H5Sget_simple_extent_npoints(space.id()) != 1)
        return {};
    if (H5Tis_variable_str(type.id()) > 0) {
        hdf5_handle const memory(H5Tcopy(H5T_C_S1), H5Tclose);
        char* text = nullptr;
        H5Tset_size(memory.id(), H5T_VARIABLE);
        H5Tset_cset(memory.id(), H5Tget_cset(type.id()));
        if (H5Aread(attribute.id(), memory.id(), &text) < 0 || text == nullptr) return {};
        std::string out = text;
        H5free_memory(text);
        return out;
    }
    auto const size = H5Tget_size(type.id());
    constexpr std::size_t longest = 4096;
    if (size == 0 || size > longest) return {};
    std::string out(size, '\0');
    if (H5Aread(attribute.id(), type.id(), out.data()) < 0) return {};
    return out.substr(0, out.find('\0'));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
