// SPDX-License-Identifier: MIT
#ifndef VICINAL_CODEC_F32_HPP
#define VICINAL_CODEC_F32_HPP

#include <vicinal/codec/concept.hpp>

#include <cstddef>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::codec {

/// The vectors as they are: no training, no codes of its own, no loss.
struct f32 {
    static constexpr std::string_view name = "f32";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = true;
        using element = metric::element_of<Metric>;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        /// Distance from a bound vector to a code.
        class scorer {
        public:
            scorer(element const* query, std::size_t dim) noexcept
                : distance_(metric::bind<Metric>(query, dim)) {}
            [[nodiscard]] float operator()(std::byte const* code) const noexcept {
                return distance_(reinterpret_cast<element const*>(code));
            }
            /// The distances of four codes, wherever they lie.
            void four(std::byte const* const* codes, float* out) const noexcept requires
                requires(decltype(metric::bind<Metric>(nullptr, 0)) const& d) {
                d.four(nullptr, out);
            }
            {
                element const* const rows[4] = {reinterpret_cast<element const*>(codes[0]),
                                                reinterpret_cast<element const*>(codes[1]),
                                                reinterpret_cast<element const*>(codes[2]),
                                                reinterpret_cast<element const*>(codes[3])};
                distance_.four(rows, out);
            }

        private:
            decltype(metric::bind<Metric>(nullptr, 0)) distance_;
        };

        [[nodiscard]] scorer query(element const* vector) const noexcept { return {vector, dim_}; }
        [[nodiscard]] scorer between(std::byte const* code) const noexcept {
            return {reinterpret_cast<element const*>(code), dim_};
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<f32>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
