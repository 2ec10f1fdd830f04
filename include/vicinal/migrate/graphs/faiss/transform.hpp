// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_FAISS_TRANSFORM_HPP
#define VICINAL_MIGRATE_GRAPHS_FAISS_TRANSFORM_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/graphs/faiss/codec.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What faiss does with a vector before it goes into an index, and the way back.
class faiss_transform {
public:
    enum class kind : std::uint8_t {
        /// Scaled to length 1.
        normal,
        /// The mean taken off.
        centre,
        /// Multiplied by a matrix (PCA, a rotation).
        linear,
    };

    /// Reads one, with its four letters. Errors: corrupt_source, unsupported, limit_exceeded.
    [[nodiscard]] static result<faiss_transform> parse(byte_cursor& in) {
        std::uint32_t letters = 0;
        auto const start = in.offset();
        VICINAL_CHECK(in.read(letters));
        auto const is = [letters](char const(&name)[5]) {
            return letters == load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(name));
        };
        faiss_transform t;
        bool const pca = is("PcAm") || is("Pcam");
        if (is("VNrm")) {
            float norm = 0;
            VICINAL_CHECK(in.read(norm));
            if (norm != 2)
                return in.bytes().wrong(errc::unsupported, "vectors of Euclidean length 1",
                                        "another norm");
        } else if (is("VCnt")) {
            t.kind_ = kind::centre;
            VICINAL_CHECK(floats(in, t.bias_));
        } else if (pca || is("rrot") || is("LTra")) {
            t.kind_ = kind::linear;
            VICINAL_CHECK(t.parse_linear(in, pca, is("Pcam")));
        } else {
            return in.bytes().wrong(errc::unsupported,
                                    "a transform by length, mean, rotation or PCA",
                                    "another at offset " + std::to_string(start));
        }
        std::int32_t from = 0;
        std::int32_t to = 0;
        std::uint8_t trained = 0;
        VICINAL_CHECK(in.read(from, to, trained));
        constexpr auto most = static_cast<std::int32_t>(source_dims);
        if (from < 1 || to < 1 || from > most || to > most || !t.fits(from, to))
            return in.bytes().wrong(errc::corrupt_source, "a transform whose sizes fit together",
                                    "another at offset " + std::to_string(start));
        return t;
    }

    [[nodiscard]] kind what() const noexcept { return kind_; }
    [[nodiscard]] std::size_t from() const noexcept { return from_; }
    [[nodiscard]] std::size_t to() const noexcept { return to_; }

    /// Whether `back` gives all that `to` dimensions still have of the vector: the rows of the
    /// matrix, or its columns where they are fewer, are of length 1 and at right angles within
    /// 4e-5.
    [[nodiscard]] bool has_way_back() const noexcept {
        if (kind_ != kind::linear) return true;
        bool const rows = to_ <= from_;
        auto const few = rows ? to_ : from_;
        auto const many = rows ? from_ : to_;
        auto const at = [this, rows](std::size_t i, std::size_t k) {
            return double{matrix_[rows ? i * from_ + k : k * from_ + i]};
        };
        for (std::size_t i = 0; i < few; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                double sum = 0;
                for (std::size_t k = 0; k < many; ++k) sum += at(i, k) * at(j, k);
                if (!(std::abs(sum - (i == j ? 1.0 : 0.0)) < 4e-5)) return false;
            }
        return true;
    }

    /// Replaces a vector of `to` elements by one of `from`.
    void back(std::vector<float>& v) const {
        if (kind_ == kind::normal) return;
        for (std::size_t i = 0; i < bias_.size(); ++i)
            v[i] += kind_ == kind::centre ? bias_[i] : -bias_[i];
        if (kind_ == kind::centre) return;
        std::vector<double> sums(from_);
        for (std::size_t i = 0; i < to_; ++i)
            for (std::size_t k = 0; k < from_; ++k)
                sums[k] += double{matrix_[i * from_ + k]} * double{v[i]};
        v.resize(from_);
        for (std::size_t k = 0; k < from_; ++k) v[k] = static_cast<float>(sums[k]);
    }

private:
    static result<void> floats(byte_cursor& in, std::vector<float>& out) {
        std::uint64_t count = 0;
        VICINAL_CHECK(in.read(count));
        auto const range = in.range(count, 4);
        if (!range) return range.error();
        auto values = load_floats(in.bytes(), *range);
        if (!values) return values.error();
        out = *std::move(values);
        return {};
    }

    result<void> parse_linear(byte_cursor& in, bool pca, bool with_epsilon) {
        std::uint8_t flag = 0;
        if (pca) {
            float power = 0;
            std::int32_t bins = 0;
            VICINAL_CHECK(in.read(power));
            if (with_epsilon) VICINAL_CHECK(in.read(power));
            VICINAL_CHECK(in.read(flag, bins));
            // Mean, eigenvalues and eigenvectors: matrix and bias are made of them.
            for (int i = 0; i < 3; ++i) {
                std::uint64_t count = 0;
                VICINAL_CHECK(in.read(count));
                VICINAL_CHECK(in.range(count, 4));
            }
        }
        VICINAL_CHECK(in.read(flag));
        VICINAL_CHECK(floats(in, matrix_));
        VICINAL_CHECK(floats(in, bias_));
        if (flag == 0) bias_.clear();
        return {};
    }

    [[nodiscard]] bool fits(std::int32_t from, std::int32_t to) noexcept {
        from_ = static_cast<std::size_t>(from);
        to_ = static_cast<std::size_t>(to);
        switch (kind_) {
            case kind::normal: return from_ == to_;
            case kind::centre: return from_ == to_ && bias_.size() == to_;
            default: return matrix_.size() == from_ * to_ && (bias_.empty() || bias_.size() == to_);
        }
    }

    kind kind_ = kind::normal;
    std::size_t from_ = 0;
    std::size_t to_ = 0;
    std::vector<float> matrix_; // to x from
    std::vector<float> bias_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
