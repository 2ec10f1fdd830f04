// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_FAISS_CODEC_HPP
#define VICINAL_MIGRATE_GRAPHS_FAISS_CODEC_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/arrays/number.hpp>
#include <vicinal/migrate/graphs/file_bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The floats of a range, in memory: tables of a few megabytes, never the vectors of an index.
[[nodiscard]] inline result<std::vector<float>> load_floats(file_bytes& bytes, file_range range) {
    std::vector<float> out(static_cast<std::size_t>(range.count));
    constexpr std::uint64_t at_once = std::uint64_t{1} << 16;
    for (std::uint64_t done = 0; done < range.count;) {
        auto const n = static_cast<std::size_t>((std::min)(at_once, range.count - done));
        auto const p = bytes.at(range.offset + 4 * done, 4 * n);
        if (!p) return p.error();
        to_floats({number_kind::f32}, *p, n, 4, out.data() + done);
        done += n;
    }
    return out;
}

/// The `bits` bits of a code at bit `at`, the lowest first.
[[nodiscard]] inline std::uint32_t code_bits(std::byte const* code, std::size_t at,
                                             std::size_t bits) noexcept {
    std::uint32_t v = 0;
    for (std::size_t got = 0; got < bits;) {
        auto const in_byte = (at + got) % 8;
        auto const take = (std::min)(bits - got, 8 - in_byte);
        auto const byte = static_cast<std::uint32_t>(code[(at + got) / 8]) >> in_byte;
        v |= (byte & ((1U << take) - 1U)) << got;
        got += take;
    }
    return v;
}

/// How faiss keeps the elements of a vector.
class faiss_codec {
public:
    enum class kind : std::uint8_t {
        /// Floats: nothing is lost.
        floats,
        /// Numbers of 8 or 16 bits that stand for themselves.
        numbers,
        /// Steps between a smallest and a largest value (scalar quantizer).
        steps,
        /// Numbers of centroids of parts (product quantizer; Jegou et al. 2011).
        product,
    };

    [[nodiscard]] static faiss_codec of_floats(std::size_t dim) {
        faiss_codec c;
        c.dim_ = dim;
        c.code_bytes_ = 4 * dim;
        return c;
    }

    /// Reads a scalar quantizer. Errors: corrupt_source, unsupported (types since faiss 1.9).
    [[nodiscard]] static result<faiss_codec> scalar(byte_cursor& in, std::size_t dim) {
        std::int32_t type = 0;
        std::int32_t statistic = 0;
        float argument = 0;
        std::uint64_t d = 0;
        std::uint64_t code_bytes = 0;
        std::uint64_t trained = 0;
        VICINAL_CHECK(in.read(type, statistic, argument, d, code_bytes, trained));
        auto const table = in.range(trained, 4);
        if (!table) return table.error();
        faiss_codec c;
        c.dim_ = dim;
        auto const set = [&c](kind k, std::size_t bits, bool uniform, number_kind number) {
            c.kind_ = k;
            c.bits_ = bits;
            c.uniform_ = uniform;
            c.number_ = number;
        };
        switch (type) {
            case 0: set(kind::steps, 8, false, {}); break;
            case 1: set(kind::steps, 4, false, {}); break;
            case 2: set(kind::steps, 8, true, {}); break;
            case 3: set(kind::steps, 4, true, {}); break;
            case 4: set(kind::numbers, 16, false, number_kind::f16); break;
            case 5: set(kind::numbers, 8, false, number_kind::u8); break;
            case 6: set(kind::steps, 6, false, {}); break;
            case 7: set(kind::numbers, 16, false, number_kind::bf16); break;
            case 8:
                set(kind::numbers, 8, false, number_kind::u8);
                c.shift_ = -128;
                break;
            default:
                return in.bytes().wrong(errc::unsupported, "a scalar quantizer of type 0 to 8",
                                        "type " + std::to_string(type));
        }
        c.code_bytes_ = (dim * c.bits_ + 7) / 8;
        auto const wanted = c.kind_ != kind::steps ? 0 : c.uniform_ ? 2 : 2 * dim;
        if (d != dim || code_bytes != c.code_bytes_ || (wanted != 0 && trained != wanted))
            return in.bytes().wrong(errc::corrupt_source,
                                    "a scalar quantizer of " + std::to_string(dim) + " elements",
                                    "another at offset " + std::to_string(table->offset));
        auto values = load_floats(in.bytes(), wanted == 0 ? file_range{} : *table);
        if (!values) return values.error();
        c.table_ = *std::move(values);
        return c;
    }

    /// Reads a product quantizer. Errors: corrupt_source.
    [[nodiscard]] static result<faiss_codec> product(byte_cursor& in, std::size_t dim) {
        std::uint64_t d = 0;
        std::uint64_t parts = 0;
        std::uint64_t bits = 0;
        std::uint64_t centroids = 0;
        VICINAL_CHECK(in.read(d, parts, bits, centroids));
        auto const table = in.range(centroids, 4);
        if (!table) return table.error();
        if (d != dim || parts == 0 || d % parts != 0 || bits == 0 || bits > 24 ||
            centroids != (d << bits))
            return in.bytes().wrong(errc::corrupt_source,
                                    "a product quantizer of " + std::to_string(dim) + " elements",
                                    "another at offset " + std::to_string(table->offset));
        faiss_codec c;
        c.kind_ = kind::product;
        c.dim_ = dim;
        c.parts_ = static_cast<std::size_t>(parts);
        c.bits_ = static_cast<std::size_t>(bits);
        c.code_bytes_ = (c.parts_ * c.bits_ + 7) / 8;
        auto values = load_floats(in.bytes(), *table);
        if (!values) return values.error();
        c.table_ = *std::move(values);
        return c;
    }

    [[nodiscard]] kind what() const noexcept { return kind_; }
    [[nodiscard]] std::size_t code_bytes() const noexcept { return code_bytes_; }

    /// In words, as in "8 bits an element".
    [[nodiscard]] std::string in_words() const {
        if (kind_ == kind::product)
            return std::to_string(parts_) + " codes of " + std::to_string(bits_) + " bits a vector";
        return std::to_string(bits_) + " bits an element";
    }

    /// Turns a code of `code_bytes` into as many floats as the index has dimensions.
    void decode(std::byte const* code, float* out) const noexcept {
        switch (kind_) {
            case kind::floats: to_floats({number_kind::f32}, code, dim_, 4, out); break;
            case kind::numbers:
                to_floats({number_}, code, dim_, number_format{number_}.bytes(), out);
                for (std::size_t i = 0; shift_ != 0 && i < dim_; ++i) out[i] += shift_;
                break;
            case kind::steps: {
                auto const steps = static_cast<float>((1U << bits_) - 1U);
                for (std::size_t i = 0; i < dim_; ++i) {
                    auto const step = static_cast<float>(code_bits(code, i * bits_, bits_));
                    auto const lowest = table_[uniform_ ? 0 : i];
                    auto const range = table_[uniform_ ? 1 : dim_ + i];
                    // The middle of the step.
                    out[i] = lowest + range * ((step + 0.5F) / steps);
                }
                break;
            }
            case kind::product: {
                auto const width = dim_ / parts_;
                for (std::size_t m = 0; m < parts_; ++m) {
                    auto const centroid = (m << bits_) + code_bits(code, m * bits_, bits_);
                    std::copy_n(table_.begin() + static_cast<std::ptrdiff_t>(centroid * width),
                                width, out + m * width);
                }
                break;
            }
        }
    }

private:
    kind kind_ = kind::floats;
    number_kind number_ = number_kind::f32;
    bool uniform_ = false;
    float shift_ = 0;
    std::size_t dim_ = 0;
    std::size_t parts_ = 1;
    std::size_t bits_ = 32;
    std::size_t code_bytes_ = 0;
    std::vector<float> table_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
