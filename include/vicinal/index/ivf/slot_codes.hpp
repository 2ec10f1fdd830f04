// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_SLOT_CODES_HPP
#define VICINAL_INDEX_IVF_SLOT_CODES_HPP

#include <vicinal/index/ivf/list_codes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Codes that lie by slot: the vectors themselves, where the codec reads these, and the codes of a
/// store that keeps nothing else. Lists have none of their own, so that there is nothing to make.
template <class Codec, class Metric, class Storage>
    requires codes_by_slot<Codec>
class codes<Codec, Metric, Storage> {
    static constexpr bool alone = codec::alone<Codec>;
    struct elsewhere {
        explicit elsewhere(std::size_t) noexcept {}
    };

public:
    using column = typename Storage::column;
    using vectors_type = vectors_of<Codec, Storage>;
    using codec_type = Codec;
    static constexpr bool by_slot = true;
    static constexpr bool in_blocks = false;
    using view = code_view<decltype(std::declval<column const&>().reader()), code_order::by_slot>;

    [[nodiscard]] static result<codes> open(typename Storage::space&, vectors_type const& vectors,
                                            std::size_t dim, state const&) {
        return vicinal::detail::guarded([&]() -> result<codes> { return codes(vectors, dim); });
    }

    /// Whether there are codes; those of a store come once its codec has learnt.
    [[nodiscard]] bool ready(slot) const noexcept {
        if constexpr (alone) return vectors_->coded();
        return true;
    }
    [[nodiscard]] codec_type const& codec() const noexcept {
        if constexpr (alone)
            return vectors_->codec();
        else
            return codec_;
    }
    [[nodiscard]] view look(columns<Storage> const& lists, state const& s) const noexcept {
        return {all().reader(), lists.places().reader(), s.blocks * block_rows};
    }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return all().row_bytes(); }
    [[nodiscard]] std::size_t lines() const noexcept { return code_lines(row_bytes()); }

    template <class Row, class Section>
    [[nodiscard]] static result<void> train(std::size_t, Row const&, std::span<float const>,
                                            Section const&) {
        return {};
    }
    template <class Section>
    [[nodiscard]] static result<void> reserve(std::uint64_t, Section const&) {
        return {};
    }
    [[nodiscard]] static constexpr std::size_t encoded_bytes() noexcept { return 0; }
    [[nodiscard]] static constexpr std::size_t scratch_floats() noexcept { return 0; }
    static void encode(float const*, float const*, std::byte*, float*) noexcept {}
    static void put(std::uint32_t, std::byte const*) noexcept {}
    static void compact(columns<Storage> const&, std::vector<std::uint32_t> const&, recoded const&,
                        std::vector<storage::replacement>&) noexcept {}
    static void clear() noexcept {}
    [[nodiscard]] static constexpr std::uint64_t bytes(state const&) noexcept { return 0; }

private:
    codes(vectors_type const& vectors, std::size_t dim) : vectors_(&vectors), codec_(dim) {}

    [[nodiscard]] column const& all() const noexcept {
        if constexpr (alone)
            return vectors_->codes();
        else
            return *vectors_;
    }

    vectors_type const* vectors_;
    [[no_unique_address]] std::conditional_t<alone, elsewhere, Codec> codec_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
