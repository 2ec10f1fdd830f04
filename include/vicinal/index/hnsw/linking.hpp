// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_HNSW_LINKING_HPP
#define VICINAL_INDEX_HNSW_LINKING_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/index/hnsw/codes.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// What rows are compared by where a graph is linked or healed: the codec, its rows, and how many
/// cache lines of one are asked for ahead. Those that it walks over, or the vectors.
template <class Codec, class Metric, class Storage>
struct linking {
    using reader = decltype(std::declval<typename Storage::column const&>().reader());
    using vectors_type = vectors_of<Codec, Storage>;
    /// Whether the codec would rather have it done by the vectors, and whether they are there.
    static constexpr bool asks_for_vectors = requires { Codec::links_by_codes; };
    static constexpr bool by_vectors = asks_for_vectors && !reader::pages && !codec::alone<Codec>;
    static_assert(
        !(asks_for_vectors && codec::alone<Codec>) || requires { requires Codec::links_by_codes; },
        "vicinal: a graph over so few bits an element is linked by the vectors, which codec::only "
        "does not keep: use index::flat with it, or four bits and more");
    static_assert(
        !(asks_for_vectors && reader::pages) || requires { requires Codec::links_by_codes; },
        "vicinal: a graph over one to three bits an element is linked by the vectors, which "
        "storage::file does not keep in memory: use codec::rabitq<4>, codec::sq4 or storage::mmap");
    using codec_type =
        std::conditional_t<by_vectors, typename codec::f32::template of<Metric>, Codec>;

    linking(codes<Codec, Metric, Storage> const& own, vectors_type const& vectors,
            std::size_t dim) noexcept
        : codec(choose(own, dim)), rows(choose_rows(own, vectors)),
          lines(by_vectors ? (std::min)((vectors.row_bytes() + 63) / 64, std::size_t{12})
                           : own.lines()) {}

    std::conditional_t<by_vectors, codec_type, codec_type const&> codec;
    reader rows;
    std::size_t lines;

private:
    [[nodiscard]] static reader choose_rows(codes<Codec, Metric, Storage> const& own,
                                            vectors_type const& vectors) noexcept {
        static_cast<void>(vectors);
        if constexpr (by_vectors)
            return vectors.reader();
        else
            return own.reader();
    }
    [[nodiscard]] static decltype(auto) choose(codes<Codec, Metric, Storage> const& own,
                                               std::size_t dim) noexcept {
        static_cast<void>(dim);
        if constexpr (by_vectors)
            return codec_type(dim);
        else
            return (own.codec());
    }
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
