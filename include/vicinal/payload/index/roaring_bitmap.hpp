// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_ROARING_BITMAP_HPP
#define VICINAL_PAYLOAD_INDEX_ROARING_BITMAP_HPP

#if defined(VICINAL_USE_ROARING)

#    include <vicinal/core/record.hpp>
#    include <vicinal/payload/index/bitmap_bytes.hpp>

#    include <bit>
#    include <cstddef>
#    include <cstdint>
#    include <memory>
#    include <optional>
#    include <span>
#    include <utility>
#    include <vector>

#    include <roaring/roaring.h>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// A compressed set of slots by CRoaring. What slot_bitmap.hpp says of every set of slots holds for
/// it, but that the library ends the program where there is no memory.
class roaring_bitmap {
public:
    roaring_bitmap() : set_(roaring_bitmap_create()) {}
    roaring_bitmap(roaring_bitmap const& other) : set_(roaring_bitmap_copy(other.set_.get())) {}
    roaring_bitmap(roaring_bitmap&& other) : roaring_bitmap() { set_.swap(other.set_); }
    roaring_bitmap& operator=(roaring_bitmap other) noexcept {
        set_.swap(other.set_);
        return *this;
    }

    [[nodiscard]] static roaring_bitmap range(slot first, slot end) {
        return first < end ? roaring_bitmap(roaring_bitmap_from_range(first, end, 1))
                           : roaring_bitmap();
    }
    [[nodiscard]] static roaring_bitmap of_words(std::span<std::uint64_t const> words, slot first) {
        roaring_bitmap b;
        std::vector<slot> some;
        for (std::size_t w = 0; w < words.size(); ++w) {
            for (auto rest = words[w]; rest != 0; rest &= rest - 1)
                some.push_back(first + static_cast<slot>(64 * w) +
                               static_cast<slot>(std::countr_zero(rest)));
            if (some.size() < 4096 && w + 1 != words.size()) continue;
            roaring_bitmap_add_many(b.set_.get(), some.size(), some.data());
            some.clear();
        }
        return b;
    }
    /// The library trusts what it reads: the bytes are looked through before.
    [[nodiscard]] static std::optional<roaring_bitmap> read(std::span<std::byte const> bytes) {
        if (!read_containers(bytes)) return {};
        auto* const set = roaring_bitmap_portable_deserialize_safe(
            reinterpret_cast<char const*>(bytes.data()), bytes.size());
        return set == nullptr ? std::nullopt : std::optional(roaring_bitmap(set));
    }

    void add(slot s) { roaring_bitmap_add(set_.get(), s); }
    [[nodiscard]] bool contains(slot s) const noexcept {
        return roaring_bitmap_contains(set_.get(), s);
    }
    [[nodiscard]] std::uint64_t count() const noexcept {
        return roaring_bitmap_get_cardinality(set_.get());
    }
    [[nodiscard]] bool empty() const noexcept { return roaring_bitmap_is_empty(set_.get()); }
    [[nodiscard]] slot last() const noexcept { return roaring_bitmap_maximum(set_.get()); }
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        std::uint64_t word = 0;
        for (slot i = 0; i < 64; ++i) word |= std::uint64_t{contains(first + i)} << i;
        return word;
    }
    /// By a list of all: iterators have other names from version to version of the library.
    template <class F>
    void each(F const& f) const {
        std::vector<slot> all(static_cast<std::size_t>(count()));
        roaring_bitmap_to_uint32_array(set_.get(), all.data());
        for (auto const s : all) f(s);
    }

    roaring_bitmap& operator&=(roaring_bitmap const& other) {
        roaring_bitmap_and_inplace(set_.get(), other.set_.get());
        return *this;
    }
    roaring_bitmap& operator|=(roaring_bitmap const& other) {
        roaring_bitmap_or_inplace(set_.get(), other.set_.get());
        return *this;
    }
    roaring_bitmap& operator-=(roaring_bitmap const& other) {
        roaring_bitmap_andnot_inplace(set_.get(), other.set_.get());
        return *this;
    }

    void shrink() {
        roaring_bitmap_run_optimize(set_.get());
        roaring_bitmap_shrink_to_fit(set_.get());
    }
    /// About: as many as in a file.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return sizeof *this + roaring_bitmap_portable_size_in_bytes(set_.get());
    }

private:
    struct free_set {
        void operator()(roaring_bitmap_t* set) const noexcept { roaring_bitmap_free(set); }
    };

    explicit roaring_bitmap(roaring_bitmap_t* set) noexcept : set_(set) {}

    std::unique_ptr<roaring_bitmap_t, free_set> set_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

#endif
