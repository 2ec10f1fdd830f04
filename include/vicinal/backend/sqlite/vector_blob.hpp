// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_SQLITE_VECTOR_BLOB_HPP
#define VICINAL_BACKEND_SQLITE_VECTOR_BLOB_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// How the numbers of a vector lie in a BLOB, or in the bytes that base64 stands for.
enum class blob_encoding : std::uint8_t { f32, f64, f32_big, f64_big };

[[nodiscard]] inline std::optional<blob_encoding> blob_encoding_named(std::string_view name) {
    if (name == "f32") return blob_encoding::f32;
    if (name == "f64") return blob_encoding::f64;
    if (name == "f32be") return blob_encoding::f32_big;
    if (name == "f64be") return blob_encoding::f64_big;
    return {};
}

[[nodiscard]] constexpr std::size_t element_bytes(blob_encoding e) noexcept {
    return e == blob_encoding::f32 || e == blob_encoding::f32_big ? 4 : 8;
}

[[nodiscard]] inline double blob_element(std::span<std::byte const> b, std::size_t i,
                                         blob_encoding e) noexcept {
    bool const big = e == blob_encoding::f32_big || e == blob_encoding::f64_big;
    if (element_bytes(e) == 4) {
        std::array<std::byte, 4> four;
        std::copy_n(b.data() + i * 4, 4, four.data());
        if (big) std::reverse(four.begin(), four.end());
        return static_cast<double>(std::bit_cast<float>(load_le<std::uint32_t>(four.data())));
    }
    std::array<std::byte, 8> eight;
    std::copy_n(b.data() + i * 8, 8, eight.data());
    if (big) std::reverse(eight.begin(), eight.end());
    return std::bit_cast<double>(load_le<std::uint64_t>(eight.data()));
}

/// Replaces `out` by the numbers of a BLOB, doubles rounded to floats.
///
/// Errors: corrupt_source (its length is no multiple of the element's, or over 65,536 elements),
/// not_finite.
inline result<void> read_vector_blob(std::span<std::byte const> b, blob_encoding e,
                                     std::vector<float>& out) {
    auto const size = element_bytes(e);
    out.clear();
    if (b.empty() || b.size() % size != 0 || b.size() / size > source_dims)
        return error{errc::corrupt_source,
                     "a vector of " + std::to_string(size) + " bytes an element",
                     std::to_string(b.size()) + " bytes"};
    out.resize(b.size() / size);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(blob_element(b, i, e));
        if (!std::isfinite(out[i]))
            return error{errc::not_finite, "numbers within the range of float",
                         "element " + std::to_string(i) + " beyond it"};
    }
    return {};
}

/// Finds out how numbers lie in BLOBs of which nothing else is known, from the first of them.
///
/// Numbers of embeddings are 0 or between 1e-10 and 1e6 in size. Read in another way than they were
/// written, most of them are not: of random bits a fifth would be.
class blob_guess {
public:
    void feed(std::span<std::byte const> b) {
        if (b.empty() || b.size() % 4 != 0 || b.size() / 4 > source_dims) {
            ++odd_;
            return;
        }
        ++blobs_;
        for (auto const e : all) {
            auto const size = element_bytes(e);
            auto& seen = seen_[static_cast<std::size_t>(e)];
            if (b.size() % size != 0) {
                seen.fits = false;
                continue;
            }
            auto const elements = (std::min)(b.size() / size, std::size_t{256});
            for (std::size_t i = 0; i < elements; ++i) {
                auto const x = std::abs(blob_element(b, i, e));
                seen.plausible += x == 0 || (x > 1e-10 && x < 1e6) ? 1U : 0U;
                // The lower halves of whole doubles are zero: as floats, every other one.
                seen.zeros += x == 0 && i % 2 == (e == blob_encoding::f32 ? 0U : 1U) ? 1U : 0U;
            }
            seen.elements += elements;
        }
    }

    /// Nothing where no encoding makes sense of nearly all numbers, or most BLOBs are odd.
    [[nodiscard]] std::optional<blob_encoding> encoding() const noexcept {
        if (blobs_ == 0 || odd_ > blobs_) return {};
        std::optional<blob_encoding> best;
        double most = 0.98;
        for (auto const e : {blob_encoding::f32, blob_encoding::f32_big, blob_encoding::f64,
                             blob_encoding::f64_big}) {
            auto const& s = seen_[static_cast<std::size_t>(e)];
            if (!s.fits || s.elements == 0) continue;
            auto const share = static_cast<double>(s.plausible) / static_cast<double>(s.elements);
            bool const half_zero = element_bytes(e) == 4 && s.zeros * 2 == s.elements &&
                                   seen_[static_cast<std::size_t>(e) + 1].fits;
            if (half_zero || share <= most) continue;
            best = e;
            most = share;
        }
        return best;
    }

private:
    static constexpr blob_encoding all[] = {blob_encoding::f32, blob_encoding::f64,
                                            blob_encoding::f32_big, blob_encoding::f64_big};
    struct counts {
        bool fits = true;
        std::uint64_t elements = 0;
        std::uint64_t plausible = 0;
        std::uint64_t zeros = 0;
    };
    std::array<counts, 4> seen_;
    std::uint64_t blobs_ = 0;
    std::uint64_t odd_ = 0;
};

/// The bytes that base64 text stands for (RFC 4648, also its alphabet for URLs); false where it is
/// none.
[[nodiscard]] inline bool decode_base64(std::string_view text, std::vector<std::byte>& out) {
    out.clear();
    text = trimmed(text);
    while (text.ends_with('=')) text.remove_suffix(1);
    if (text.empty() || text.size() % 4 == 1) return false;
    std::uint32_t bits = 0;
    int have = 0;
    for (char const c : text) {
        std::uint32_t six = 0;
        if (c >= 'A' && c <= 'Z')
            six = static_cast<std::uint32_t>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            six = static_cast<std::uint32_t>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            six = static_cast<std::uint32_t>(c - '0') + 52;
        else if (c == '+' || c == '-')
            six = 62;
        else if (c == '/' || c == '_')
            six = 63;
        else
            return false;
        bits = bits << 6 | six;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out.push_back(static_cast<std::byte>(bits >> have & 0xffU));
    }
    return true;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
