// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_IDENTITY_HPP
#define VICINAL_STORE_IDENTITY_HPP

#include <vicinal/metric/concept.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/store/ids.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What a durable store says of itself in its files, so that a program of other types is told so
/// instead of reading nonsense.
namespace vicinal::inline VICINAL_ABI::detail {

template <class T>
[[nodiscard]] constexpr std::string_view element_name() noexcept {
    if constexpr (std::same_as<T, float>)
        return "f32";
    else if constexpr (std::same_as<T, double>)
        return "f64";
    else if constexpr (std::same_as<T, std::int8_t>)
        return "i8";
    else if constexpr (std::same_as<T, std::uint8_t>)
        return "u8";
    else
        return "other";
}

/// The properties of a store of these types.
template <class Metric, class Index, class Payload, class Id>
[[nodiscard]] storage::properties describe_types(std::size_t dim) {
    return {{"metric", std::string(metric::name_of<Metric>())},
            {"dim", std::to_string(dim)},
            {"element", std::string(element_name<metric::element_of<Metric>>())},
            {"index", std::string(Index::name)},
            {"codec", std::string(Index::codec_type::name)},
            {"payload", std::string(Payload::name)},
            {"id", std::string(id_traits<Id>::name)}};
}

/// The dimension that the properties name; 0 where they name none.
[[nodiscard]] inline std::size_t dim_of(storage::properties const& p) noexcept {
    std::size_t dim = 0;
    if (auto const* text = p.find("dim"))
        std::from_chars(text->data(), text->data() + text->size(), dim);
    return dim;
}

/// Compares what a program expects (dim 0: any) with what the files say. Each difference has its
/// own code.
[[nodiscard]] inline result<void> check_types(storage::properties const& expected,
                                              storage::properties const& found) {
    struct rule {
        std::string_view name;
        errc code;
    };
    constexpr std::array rules{
        rule{"metric", errc::metric_mismatch}, rule{"element", errc::element_mismatch},
        rule{"dim", errc::dimension_mismatch}, rule{"index", errc::index_mismatch},
        rule{"codec", errc::index_mismatch},   rule{"payload", errc::payload_mismatch},
        rule{"id", errc::id_mismatch},
    };
    for (auto const& r : rules) {
        auto const* want = expected.find(r.name);
        auto const* have = found.find(r.name);
        auto const& has = have ? *have : std::string();
        if (!want || *want == has || (r.name == "dim" && *want == "0")) continue;
        return error{r.code, std::string(r.name) + " " + *want,
                     has.empty() ? "a store that names none" : "a store with " + has};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
