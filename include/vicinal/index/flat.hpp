// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_HPP
#define VICINAL_INDEX_FLAT_HPP

#include <vicinal/codec/f32.hpp>
#include <vicinal/codec/sq8.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/flat/answers.hpp>
#include <vicinal/index/flat/plain_rows.hpp>
#include <vicinal/index/flat/scored_rows.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI::index {

/// Looks at every row: exact, no build.
///
/// With codec::sq8 (two-phase) it reads dim + 16 bytes of codes a row and the vectors only of rows
/// that the codes can't rule out, with the same answer to the last bit: a quarter of the bytes, and
/// many queries at once share what is read. Costs those bytes of memory beside the vectors. With
/// codec::sq4 it does so with half the bytes, exactly too, where rows differ by more than the steps
/// of their codes. With codec::f32, and where the codec has no bound (another metric, other
/// elements, more than 32,768 dimensions), it compares every vector. With codec::only it decodes
/// every row's codes.
///
/// With codec::rabitq, and with codec::pca, it reads fewer bytes still and is exact but for a few:
/// what codes say of a distance is likely, not certain. Of rabitq's one neighbour in some 2,000 may
/// be ruled out (codec::rabitq_certainty); `.exact` of a search compares every vector. Codes of
/// rabitq<1> are scored 32 rows at a time: where one neighbour in 2,000 may be missing it is the
/// fastest scan from some 100 elements on.
template <codec::model Codec = codec::f32>
struct flat {
    using options = flat_options;
    using codec_type = Codec;
    static constexpr bool takes_codes_alone = true;
    static constexpr std::string_view name = "flat";

    /// Nothing to choose, so nothing to refuse.
    [[nodiscard]] static result<void> check(flat_options const&) { return {}; }

    template <metric::model Metric, storage::model Storage>
    using of = std::conditional_t<
        flat_scan::coded_beside<typename Codec::template of<Metric>> &&
            !std::same_as<Codec, codec::sq8>,
        flat_scan::scored_rows<typename Codec::template of<Metric>, Metric, Storage>,
        flat_scan::plain_rows<Codec, Metric, Storage>>;
};

static_assert(model<flat<>>);
static_assert(model<flat<codec::sq8>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif
