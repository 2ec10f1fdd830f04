// SPDX-License-Identifier: MIT
// What a damaged file may hand to a codec: a model, and rows of codes.
#ifndef VICINAL_TESTS_FUZZ_CODEC_INPUT_HPP
#define VICINAL_TESTS_FUZZ_CODEC_INPUT_HPP

#include <vicinal/codec/binary.hpp>
#include <vicinal/codec/blocked.hpp>
#include <vicinal/codec/f16.hpp>
#include <vicinal/codec/i8.hpp>
#include <vicinal/codec/only.hpp>
#include <vicinal/codec/pca.hpp>
#include <vicinal/codec/pq.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq_about.hpp>
#include <vicinal/codec/sq4.hpp>
#include <vicinal/codec/sq8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace codec_input {

namespace codec = vicinal::codec;
namespace metric = vicinal::metric;

/// Takes what is there, and zeros behind it.
class bytes {
public:
    explicit bytes(std::span<std::uint8_t const> all) : left_(all) {}

    void take(void* to, std::size_t count) {
        std::memset(to, 0, count);
        auto const n = std::min(count, left_.size());
        if (n > 0) std::memcpy(to, left_.data(), n);
        left_ = left_.subspan(n);
    }
    [[nodiscard]] std::uint8_t byte() {
        std::uint8_t b = 0;
        take(&b, 1);
        return b;
    }
    /// Zeros but for where the input says otherwise: four bytes an element, each at a place that
    /// the byte before it names.
    [[nodiscard]] std::vector<float> numbers(std::size_t count) {
        std::vector<float> all(count, 0.25F);
        for (auto n = std::size_t{byte()} % 8; n > 0 && count > 0; --n) {
            auto& x = all[byte() * count / 256];
            take(&x, sizeof x);
        }
        return all;
    }

private:
    std::span<std::uint8_t const> left_;
};

/// False where a distance of codes is no number.
template <class Codec, class Metric>
[[nodiscard]] bool use(bytes& in) {
    using bound = typename codec::only<Codec>::template of<Metric>;
    auto const dim = std::size_t{in.byte()} % 70 + 1;
    bound c(dim);
    if constexpr (codec::trained<bound>) {
        // A size that may be right: what the codec itself learns, give or take a number.
        std::vector<float> const row(dim, 0.5F);
        auto const sound = c.fit(3, [&](std::size_t) { return row.data(); });
        if (!sound) return false;
        auto size = sound->size();
        if (auto const off = in.byte(); off < 8) size += off;
        auto numbers = in.numbers(size);
        auto const kept = std::min({size, sound->size(), std::size_t{2}});
        if (in.byte() % 2 == 0) std::copy_n(sound->begin(), kept, numbers.begin());
        if (!c.put_model(numbers) && !c.put_model(*sound)) return false;
        if constexpr (codec::needs_model<bound>)
            if (!c.has_model()) return c.put_model(*sound);
    }
    std::vector<std::byte> rows(2 * c.row_bytes());
    in.take(rows.data(), rows.size());
    std::byte const* const four[4] = {rows.data(), rows.data() + c.row_bytes(), rows.data(),
                                      rows.data()};
    auto const vector = in.numbers(dim);
    bool sound = true;
    auto const look = [&](auto const& score) {
        for (auto const* row : four) {
            auto const distance = score(row);
            sound = sound && distance == distance;
            if constexpr (requires { score.at_least(row, distance); }) {
                auto const least = score.at_least(row, distance);
                sound = sound && least == least;
            }
        }
        if constexpr (requires(float* out) { score.four(four, out); }) {
            float out[4];
            score.four(four, out);
            for (auto const x : out) sound = sound && x == x;
        }
    };
    look(c.query(vector.data()));
    look(c.between(rows.data()));
    if constexpr (codec::scan_blocks<bound>) {
        std::vector<std::byte> block(c.block_bytes());
        c.put(rows.data(), 0, block.data());
        c.put(rows.data() + c.row_bytes(), 17, block.data());
        auto const score = c.block_query(vector.data());
        float out[32];
        static_cast<void>(score(block.data(), 1, out));
        for (std::size_t i = 0; i < 32; ++i) {
            auto const least = score.at_least(block.data(), i, out[i]);
            sound = sound && out[i] == out[i] && least == least;
        }
    }
    if constexpr (codec::decodable<bound>) {
        std::vector<float> out(dim + 64);
        c.decode_row(rows.data(), out.data());
    }
    return sound;
}

template <class Codec>
[[nodiscard]] bool use_by(bytes& in) {
    switch (in.byte() % 3) {
        case 0: return use<Codec, metric::squared_l2>(in);
        case 1: return use<Codec, metric::inner_product>(in);
        default: return use<Codec, metric::cosine>(in);
    }
}

/// Reads model and codes from any bytes, and decodes and compares them.
[[nodiscard]] inline bool run(std::span<std::uint8_t const> input) {
    bytes in(input);
    switch (in.byte() % 11) {
        case 0: return use_by<codec::sq8>(in);
        case 1: return use_by<codec::sq4>(in);
        case 2: return use_by<codec::rabitq<1>>(in);
        case 3: return use_by<codec::rabitq<4>>(in);
        case 4: return use_by<codec::rabitq<7>>(in);
        case 5: return use_by<codec::pq<5, 8>>(in);
        case 6: return use_by<codec::pq<8, 4>>(in);
        case 7: return use_by<codec::i8>(in);
        case 8: return use_by<codec::binary>(in);
        case 9: return use_by<codec::rabitq_about<5, 3>>(in);
        default: return use_by<codec::f16>(in);
    }
}
/// The same of codes of fewer elements, which are not decoded.
[[nodiscard]] inline bool run_projected(std::span<std::uint8_t const> input) {
    bytes in(input);
    return in.byte() % 2 == 0 ? use_by<codec::pca<5>>(in) : use_by<codec::pca<9, codec::i8>>(in);
}

} // namespace codec_input

#endif
