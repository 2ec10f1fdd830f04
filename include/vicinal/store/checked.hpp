// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CHECKED_HPP
#define VICINAL_STORE_CHECKED_HPP

#include <vicinal/codec/only.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/store/ids.hpp>

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether codes are all that a store keeps of its vectors, where nothing can be decoded from them.
template <class Metric, class Index>
concept keeps_nothing = requires {
    requires codec::alone<typename Index::codec_type::template of<Metric>>;
    requires !codec::decodable<typename Index::codec_type::template of<Metric>>;
};

/// Whether codes are all that a store keeps, and its index wants vectors.
template <class Metric, class Index>
concept orphans_codes = requires {
    requires codec::alone<typename Index::codec_type::template of<Metric>>;
}
&&!requires { requires Index::takes_codes_alone; };

/// The store's first base: says in a sentence what is wrong with a combination, before anything
/// else of it is compiled.
template <class Metric, class Index, class Storage, class Payload, class Id>
struct checked {
    static_assert(metric::model<Metric>,
                  "vicinal: store<Metric, ...>: the first argument must be a metric, such as "
                  "metric::cosine; see vicinal/metric/concept.hpp");
    static_assert(
        index::model<Index>,
        "vicinal: store<Metric, Index, ...>: the second argument must be an index, such as "
        "index::hnsw<>; see vicinal/index/concept.hpp");
    static_assert(
        !keeps_nothing<Metric, Index>,
        "vicinal: codec::only<Codec> keeps nothing but codes, and this codec has none that "
        "can be decoded for this metric and type of element: take the codec without only, "
        "or floats under squared_l2, inner_product or cosine");
    static_assert(!orphans_codes<Metric, Index>,
                  "vicinal: codec::only<Codec> is for an index that reads codes in the place of "
                  "vectors: index::flat, index::hnsw or index::ivf; one without "
                  "takes_codes_alone takes the codec without only");
    static_assert(storage::model<Storage>,
                  "vicinal: store<Metric, Index, Storage, ...>: the third argument must be a "
                  "storage, such as storage::memory; see vicinal/storage/concept.hpp");
    static_assert(
        payload::model<Payload>,
        "vicinal: store<..., Payload, ...>: the fourth argument must be a payload, such as "
        "payload::fields; see vicinal/payload/concept.hpp");
    static_assert(id_like<Id>,
                  "vicinal: store<..., Id>: the id must be std::string or an unsigned integer");
    static_assert(
        !Storage::durable || !metric::name_of<Metric>().empty(),
        "vicinal: a metric of a durable store needs a name for its files: static constexpr "
        "std::string_view name = \"...\"");
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
