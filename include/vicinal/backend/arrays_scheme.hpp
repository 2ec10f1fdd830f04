// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_ARRAYS_SCHEME_HPP
#define VICINAL_BACKEND_ARRAYS_SCHEME_HPP

#include <vicinal/backend/arrays_advice.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/arrays/numpy_folder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace vicinal::inline VICINAL_ABI::detail {

/// Bytes in memory as an input.
class bytes_input final : public backend::input {
public:
    explicit bytes_input(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, bytes_.size());
        if (n > 0) std::memcpy(to, bytes_.data(), n);
        bytes_.remove_prefix(n);
        return n;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return path_; }

private:
    std::string_view bytes_;
    std::string path_;
};

[[nodiscard]] inline std::optional<backend::guess> recognise_npy(backend::glimpse const& g) {
    backend::guess found{"npy:" + backend::escaped_path(g.path), "", 100};
    if (g.directory) {
        auto const names = npy_names(g.path);
        if (!names || names->empty()) return std::nullopt;
        found.what = "a folder of " + std::to_string(names->size()) + " NumPy fields";
        found.certainty = 50;
        return found;
    }
    if (g.named(".npz") && std::string_view(g.head).starts_with("PK"))
        return backend::guess{"", "an archive of NumPy arrays", 100,
                              python_advice("import numpy as n; "
                                            "[n.save(k + '.npy', a) for k, a in n.load(p).items()]",
                                            g.path)};
    if (!std::string_view(g.head).starts_with(npy_magic)) return std::nullopt;
    piece_reader in(std::make_unique<bytes_input>(g.head));
    auto const header = read_npy_header(in);
    if (!header) return std::nullopt;
    found.what = "a NumPy array of " + header->type_name();
    for (std::size_t i = 0; i < header->shape.size(); ++i)
        found.what.append(i == 0 ? ", " : " x ").append(std::to_string(header->shape[i]));
    if (npy_layout(*header)) return found;
    found.uri.clear();
    found.advice = python_advice(
        header->letter == 'O'
            ? "import numpy as n; n.save('vectors.npy', n.stack(n.load(p, allow_pickle=True)))"
            : "import numpy as n; a = n.load(p); n.save('vectors.npy', a.reshape(len(a), -1))",
        g.path);
    return found;
}

/// The other formats have no signature: the name proposes, the lengths in the file confirm.
[[nodiscard]] inline std::optional<backend::guess> recognise_array(backend::glimpse const& g,
                                                                   backend::array_format format) {
    using backend::array_format;
    if (format == array_format::npy) return recognise_npy(g);
    std::string const name(backend::name_of(format));
    if (g.directory || !g.named("." + name)) return std::nullopt;
    backend::guess found{name + ":" + backend::escaped_path(g.path), "vectors in an ." + name, 10};
    bool const texmex = name.ends_with("vecs");
    if (g.head.size() < 8) return found;
    auto const* const head = reinterpret_cast<std::byte const*>(g.head.data());
    std::uint64_t const first = load_le<std::uint32_t>(head);
    std::uint64_t const dim = texmex ? first : load_le<std::uint32_t>(head + 4);
    if (dim == 0 || dim > source_dims) return std::nullopt;
    auto const row = dim * number_of(format).bytes() + (texmex ? 4 : 0);
    bool const packed = !g.path.ends_with(g.name);
    bool const fits = texmex ? g.bytes % row == 0 : g.bytes - 8 == first * row;
    if (!packed && fits) found.certainty = 50;
    found.what += " file, " + std::to_string(dim) + " elements a row";
    return found;
}

/// What the parameters of an array's URI say.
[[nodiscard]] inline backend::array_options array_options_of(backend::uri const& u,
                                                             backend::input_opener open) {
    return {.ids = u.get("ids"), .metric = u.get("metric"), .open = open};
}

[[nodiscard]] inline bool is_directory(std::string const& path) noexcept {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// A directory behind "npy:".
[[nodiscard]] inline result<any_source> open_numpy_folder(backend::uri const& u,
                                                          backend::input_opener open) {
    VICINAL_CHECK(u.only({"vector", "id", "metric"}));
    auto source = backend::numpy_folder::try_open(
        u.path(),
        {.vector = u.get("vector"), .id = u.get("id"), .metric = u.get("metric"), .open = open});
    VICINAL_CHECK(source);
    return any_source(std::move(*source));
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// "npy:FILE?ids=FILE&metric=NAME", likewise fvecs:, bvecs:, ivecs:, fbin:, u8bin:, i8bin:, ibin:,
/// read; "npy:DIR?vector=FIELD&id=FIELD&metric=NAME", a folder of one .npy a field.
[[nodiscard]] inline scheme array_scheme(array_format format, input_opener open = open_file) {
    scheme s;
    s.source = [format, open](uri const& u) -> result<any_source> {
        if (format == array_format::npy && detail::is_directory(u.path()))
            return detail::open_numpy_folder(u, open);
        VICINAL_CHECK(u.only({"ids", "metric"}));
        auto source = array_source::try_open(u.path(), format, detail::array_options_of(u, open));
        VICINAL_CHECK(source);
        return any_source(std::move(*source));
    };
    s.recognise = [format](glimpse const& g) { return detail::recognise_array(g, format); };
    return s;
}

/// All formats of arrays.
inline constexpr array_format array_formats[] = {
    array_format::npy,  array_format::fvecs, array_format::bvecs, array_format::ivecs,
    array_format::fbin, array_format::u8bin, array_format::i8bin, array_format::ibin,
};

/// Adds the schemes of all formats of arrays. `open` may unpack files on the way.
inline void add_arrays(registry& r, input_opener open = open_file) {
    for (auto const format : array_formats)
        r.add(std::string(name_of(format)), array_scheme(format, open));
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
