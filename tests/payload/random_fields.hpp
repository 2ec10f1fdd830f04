// SPDX-License-Identifier: MIT
// Random payloads from a seed, full of the values at which encodings and comparisons break.
#ifndef VICINAL_TESTS_PAYLOAD_RANDOM_FIELDS_HPP
#define VICINAL_TESTS_PAYLOAD_RANDOM_FIELDS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/value.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace testing {

class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t bits() { return vicinal::detail::mix(state_++); }
    std::uint64_t below(std::uint64_t n) { return bits() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// A handful, so that filters and payloads meet; with dots, quotes, keywords and nothing.
inline std::string random_name(dice& d) {
    static constexpr std::array<char const*, 14> names{"a",
                                                       "b",
                                                       "c",
                                                       "a.b",
                                                       "b.c",
                                                       "",
                                                       "in",
                                                       "year",
                                                       "first name",
                                                       "q\"q",
                                                       "gr\xc3\xb6\xc3\x9f"
                                                       "e",
                                                       "a.b.c",
                                                       ".",
                                                       "_x9"};
    if (d.one_in(40)) return std::string(120 + d.below(20), 'n');
    return names[d.below(names.size())];
}

inline std::string random_text(dice& d) {
    static constexpr std::array<char const*, 9> texts{
        "", "a", "ab", "guide", "it's", "'", "\xe2\x82\xac", "\xf0\x9f\x98\x80 x", "abababa"};
    if (d.one_in(10)) return std::string(d.below(300), static_cast<char>('a' + d.below(26)));
    return texts[d.below(texts.size())];
}

inline std::int64_t random_integer(dice& d) {
    constexpr std::int64_t two53 = std::int64_t{1} << 53;
    static constexpr std::array<std::int64_t, 12> edges{0,
                                                        1,
                                                        -1,
                                                        7,
                                                        -8,
                                                        two53,
                                                        two53 + 1,
                                                        -two53 - 1,
                                                        INT64_MAX,
                                                        INT64_MIN,
                                                        INT64_MAX - 1,
                                                        INT64_MIN + 1};
    if (d.one_in(3)) return edges[d.below(edges.size())];
    if (d.one_in(3)) return static_cast<std::int64_t>(d.bits() >> d.below(64));
    return static_cast<std::int64_t>(d.below(6)) - 2;
}

inline double random_real(dice& d) {
    using limits = std::numeric_limits<double>;
    static constexpr std::array<double, 16> edges{0.0,
                                                  -0.0,
                                                  1.0,
                                                  -1.0,
                                                  0.5,
                                                  0.1,
                                                  9.99,
                                                  1e-7,
                                                  9007199254740992.0,
                                                  9223372036854775808.0,
                                                  -9223372036854775808.0,
                                                  1e300,
                                                  limits::infinity(),
                                                  -limits::infinity(),
                                                  limits::denorm_min(),
                                                  limits::quiet_NaN()};
    if (d.one_in(3)) return edges[d.below(edges.size())];
    if (d.one_in(3)) return std::bit_cast<double>(d.bits());
    return static_cast<double>(d.below(2000)) / 100 - 5;
}

vicinal::fields random_fields(dice& d, unsigned depth);

inline vicinal::value random_value(dice& d, unsigned depth) {
    switch (d.below(depth == 0 ? 5 : 7)) {
        case 0: return nullptr;
        case 1: return d.one_in(2);
        case 2: return random_integer(d);
        case 3: return random_real(d);
        case 4: return random_text(d);
        case 5: {
            vicinal::value::array a;
            for (auto n = d.below(6); n > 0; --n) a.push_back(random_value(d, depth - 1));
            return a;
        }
        default: return random_fields(d, depth - 1);
    }
}

inline vicinal::fields random_fields(dice& d, unsigned depth) {
    vicinal::fields all;
    for (auto n = d.below(8); n > 0; --n) {
        auto name = random_name(d);
        all.set(std::move(name), random_value(d, depth));
    }
    return all;
}

inline std::span<std::byte const> bytes_of(std::string const& s) {
    return std::as_bytes(std::span<char const>(s.data(), s.size()));
}

} // namespace testing

#endif
