// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_ARRAYS_ARRAY_SOURCE_HPP
#define VICINAL_MIGRATE_ARRAYS_ARRAY_SOURCE_HPP

#include <vicinal/migrate/arrays/row_ids.hpp>
#include <vicinal/migrate/arrays/rows.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/fill_batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a source says of numbers that it had to round.
[[nodiscard]] inline std::string rounded_loss(std::uint64_t numbers) {
    return std::to_string(numbers) +
           " numbers had more digits than a float holds and were rounded to the nearest";
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

/// "npy", "fvecs" and so on: the ending of the files, and the scheme that opens them.
[[nodiscard]] constexpr std::string_view name_of(array_format format) noexcept {
    constexpr std::string_view names[] = {"npy",  "fvecs", "bvecs", "ivecs",
                                          "fbin", "u8bin", "i8bin", "ibin"};
    return names[static_cast<std::size_t>(format)];
}

struct array_options {
    /// A file of ids, one a row: text, one id a line that is not blank, or an .npy array of
    /// integers or text. Empty: ids are row numbers, from "0".
    std::string ids = {};
    /// What `describe` gives as the metric, of which these files know nothing.
    std::string metric = {};
    input_opener open = open_file;
};

/// Reads a file of vectors, one a row: .npy of two dimensions, .fvecs, .bvecs, .ivecs, .fbin,
/// .u8bin, .i8bin, .ibin.
///
/// An .npy may have floats of 16, 32 and 64 bits, integers of 8 to 64 bits or bools, little or big
/// endian, in C or Fortran order. Numbers with more digits than a float holds are rounded to the
/// nearest; `describe().losses` says after the last record how many. The file is streamed: memory
/// is bounded by the batch and 256 KiB; in Fortran order by another 16 MiB, and the file must not
/// be packed. Sources: NumPy Enhancement Proposal 1; http://corpus-texmex.irisa.fr (.fvecs, .bvecs,
/// .ivecs); Simhadri et al. 2022, NeurIPS'21 Challenge on Billion-Scale ANN (.fbin and its kin).
class array_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit array_source(std::string path, array_format format, array_options options = {})
        : array_source(try_open(std::move(path), format, std::move(options)).value()) {}
#endif

    /// Errors: not_found, foreign_file (no such file format), corrupt_source (the size of a file
    /// that is not packed disagrees with its header), unsupported (arrays of Python objects or
    /// records, or not of two dimensions), limit_exceeded (over 65,536 elements), io_failure.
    [[nodiscard]] static result<array_source> try_open(std::string path, array_format format,
                                                       array_options options = {}) {
        return detail::guarded([&]() -> result<array_source> {
            array_source source(std::move(path), format, std::move(options), unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            schema s{.dim = rows_->layout().dim,
                     .metric = options_.metric,
                     .records = rows_->layout().rows,
                     .description = std::string(name_of(format_)) + ":" + path_};
            if (rows_->rounded() > 0) s.losses.push_back(detail::rounded_loss(rows_->rounded()));
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto rows = detail::array_rows::open(path_, format_, options_.open);
            if (!rows) return rows.error();
            auto ids = detail::row_ids::open(options_.ids, options_.open);
            if (!ids) return ids.error();
            rows_ = std::make_unique<detail::array_rows>(*std::move(rows));
            ids_ = std::make_unique<detail::row_ids>(*std::move(ids));
            return {};
        });
    }

    /// Errors: corrupt_source, naming file and row (cut off, another length, more or fewer ids than
    /// rows); io_failure. Rows have no beginning of their own: none is passed over.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            return detail::fill_batch(
                batch, most, [&](record& r) { return detail::next_row(*rows_, *ids_, r); });
        });
    }

private:
    struct unopened {};
    array_source(std::string path, array_format format, array_options options, unopened)
        : path_(std::move(path)), format_(format), options_(std::move(options)) {}

    std::string path_;
    array_format format_;
    array_options options_;
    std::unique_ptr<detail::array_rows> rows_;
    std::unique_ptr<detail::row_ids> ids_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
