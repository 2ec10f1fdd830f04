// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_FILL_HPP
#define VICINAL_INDEX_IVF_FILL_HPP

#include <vicinal/cluster/grouped.hpp>
#include <vicinal/index/ivf/codes.hpp>
#include <vicinal/index/ivf/vectors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index::inverted {

/// Puts rows into lists. What is computed is computed beside searches; only columns that they see
/// are changed in `section`.
template <class Codec, class Metric, class Storage, class Section>
class filling {
    using vectors_type = listed_vectors<Metric, vectors_of<Codec, Storage>>;

public:
    /// All must outlive it.
    filling(columns<Storage>& lists, codes<Codec, Metric, Storage>& own,
            vectors_type const& vectors, Section const& section) noexcept
        : lists_(lists), codes_(own), vectors_(vectors), section_(section) {}

    /// Makes the first lists of those slots, empty ones; false where no centre can be found.
    [[nodiscard]] result<bool> train(std::span<slot const> rows) {
        auto const before = lists_.get();
        cluster::kmeans_options o;
        o.seed = before.seed;
        // sift, 1,024 lists of 200,000 rows: 16 of them hold .909 of the ten nearest, and .897 with
        // 64 rows and two levels alone; 1.6 s more than 2.6 s.
        o.rows_a_centre = 128;
        o.rounds_together = 4;
        auto const centres = vectors_.centres(rows, lists_for(rows.size(), before.partitions), o);
        VICINAL_CHECK(centres);
        VICINAL_CHECK(check_vectors());
        if (centres->empty()) return false;
        auto const count = static_cast<std::uint32_t>(centres->size() / vectors_.dim());
        VICINAL_CHECK(codes_.train(
            rows.size(),
            [&, vectors = vectors_.reader()](std::size_t i) {
                return vectors.template row_as<float>(rows[i]);
            },
            *centres, section_));
        VICINAL_CHECK(check_vectors());
        VICINAL_CHECK(lists_.reserve(count, 0, 0, section_));
        section_([&] {
            auto s = lists_.get();
            for (std::uint32_t l = 0; l < count; ++l)
                static_cast<void>(lists_.add_list(s, centres->data() + l * vectors_.dim()));
            s.trained = static_cast<std::uint32_t>(rows.size());
            lists_.put(s);
        });
        return true;
    }

    /// The list that each of those slots is nearest to.
    [[nodiscard]] result<void> assign(std::span<slot const> rows, std::uint32_t* out) const {
        auto const s = lists_.get();
        return vectors_.nearest(rows, lists_.centres(s), s.lists, lists_.groups(), out);
    }
    /// Puts those slots into their lists: those of a list behind one another in blocks that lie so
    /// too, as far as none is free. Errors: out_of_memory, io_failure for a vector that can't be
    /// read; what was put in before it stays in.
    [[nodiscard]] result<void> put(std::span<slot const> rows,
                                   std::span<std::uint32_t const> list_of) {
        cluster::grouped const by_list(list_of, lists_.get().lists);
        std::vector<slot> some;
        std::vector<std::uint32_t> lists;
        for (auto order = by_list.all(); !order.empty(); order = order.subspan(some.size())) {
            some.clear();
            lists.clear();
            for (auto const i : order.first((std::min)(most_at_once, order.size()))) {
                some.push_back(rows[i]);
                lists.push_back(list_of[i]);
            }
            auto const codes = encode(some, [&](std::size_t i) { return lists_.centre(lists[i]); });
            VICINAL_CHECK(codes);
            VICINAL_CHECK(make_room(0, some, lists_.get().lists));
            section_([&] {
                auto s = lists_.get();
                append(s, some, lists, *codes);
                lists_.put(s);
            });
        }
        return {};
    }

    /// Makes of list `l` as many as there are centres: row i goes to part[i] of them. Searches find
    /// the rows in the old list or in the new ones.
    [[nodiscard]] result<void> replace(std::uint32_t l, std::vector<float> const& centres,
                                       std::span<slot const> rows,
                                       std::span<std::uint32_t const> part) {
        auto const codes =
            encode(rows, [&](std::size_t i) { return centres.data() + part[i] * vectors_.dim(); });
        VICINAL_CHECK(codes);
        auto const before = off(rows, lists_.centre(l));
        VICINAL_CHECK(before);
        auto const count = static_cast<std::uint32_t>(centres.size() / vectors_.dim());
        auto const first_new = lists_.get().lists;
        std::vector<std::uint32_t> lists(part.begin(), part.end());
        for (auto& p : lists) p = p == 0 ? l : first_new + p - 1;
        VICINAL_CHECK(make_room(count - 1, rows, count));
        section_([&] {
            auto s = lists_.get();
            lists_.empty(s, l);
            s.off.remove(*before);
            lists_.set_centre(l, centres.data());
            for (std::uint32_t c = 1; c < count; ++c)
                static_cast<void>(lists_.add_list(s, centres.data() + c * vectors_.dim()));
            append(s, rows, lists, *codes);
            lists_.put(s);
        });
        return {};
    }

private:
    /// Rows that are put into lists in one section: a millisecond's work.
    static constexpr std::size_t most_at_once = 4096;

    struct encoded {
        std::vector<std::byte> bytes;
        /// How far each row is from the centre of its list.
        std::vector<float> radius;
    };

    /// centre(i) is that of the list that row i goes to.
    template <class Centre>
    [[nodiscard]] result<encoded> encode(std::span<slot const> rows, Centre const& centre) const {
        return vicinal::detail::guarded([&]() -> result<encoded> {
            auto const width = codes_.encoded_bytes();
            encoded out{std::vector<std::byte>(rows.size() * width),
                        std::vector<float>(rows.size())};
            auto const some = [&](std::size_t first, std::size_t last) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    auto const vectors = vectors_.reader();
                    std::vector<float> brought(vectors_.dim()), scratch(codes_.scratch_floats());
                    for (auto i = first; i < last; ++i) {
                        auto const* const vector = vectors.template row_as<float>(rows[i]);
                        codes_.encode(vector, centre(i), out.bytes.data() + i * width,
                                      scratch.data());
                        out.radius[i] = vectors_.reach(vector, centre(i), brought.data());
                    }
                    return {};
                });
            };
            VICINAL_CHECK(run_parts(rows.size(), 64, vectors_.threads(), some));
            VICINAL_CHECK(check_vectors());
            return out;
        });
    }

    /// How far those rows are from one centre.
    [[nodiscard]] result<deviation> off(std::span<slot const> rows, float const* centre) const {
        return vicinal::detail::guarded([&]() -> result<deviation> {
            auto const vectors = vectors_.reader();
            std::vector<float> scratch(vectors_.dim());
            deviation all;
            for (auto const s : rows)
                all.add(vectors_.reach(vectors.template row_as<float>(s), centre, scratch.data()));
            VICINAL_CHECK(check_vectors());
            return all;
        });
    }

    /// Room for those rows in new lists and in `lists` that are begun.
    [[nodiscard]] result<void> make_room(std::uint32_t new_lists, std::span<slot const> rows,
                                         std::size_t lists) {
        auto const blocks =
            static_cast<std::uint32_t>(rows.size() / block_rows + (std::min)(rows.size(), lists));
        auto const last = *std::max_element(rows.begin(), rows.end());
        VICINAL_CHECK(lists_.reserve(new_lists, blocks, last + 1, section_));
        return codes_.reserve(lists_.get().blocks + std::uint64_t{blocks}, section_);
    }

    /// Inside the section.
    void append(state& s, std::span<slot const> rows, std::span<std::uint32_t const> lists,
                encoded const& codes) noexcept {
        auto const width = codes_.encoded_bytes();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            codes_.put(lists_.append(s, lists[i], rows[i]), codes.bytes.data() + i * width);
            lists_.widen(lists[i], codes.radius[i]);
            s.off.add(codes.radius[i]);
        }
    }

    columns<Storage>& lists_;
    codes<Codec, Metric, Storage>& codes_;
    vectors_type const& vectors_;
    Section const& section_;
};

} // namespace vicinal::inline VICINAL_ABI::index::inverted

#endif
