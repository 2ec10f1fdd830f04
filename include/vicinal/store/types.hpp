// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_TYPES_HPP
#define VICINAL_STORE_TYPES_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/store/engine.hpp>
#include <vicinal/store/grouping.hpp>
#include <vicinal/store/ids.hpp>
#include <vicinal/store/likeness.hpp>
#include <vicinal/store/options.hpp>

#include <initializer_list>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The names that every part of a store's calls has in common.
template <class Metric, class Index, class Storage, class Payload, class Id>
struct store_types {
    using metric_type = Metric;
    using index_policy = Index;
    using storage_policy = Storage;
    using payload_policy = Payload;
    using id_type = Id;
    using scalar_type = metric::element_of<Metric>;
    using payload_type = typename Payload::value_type;
    using options = store_options<Index>;
    using record = basic_record<Id, scalar_type, payload_type>;
    using id_parameter = typename id_traits<Id>::parameter;
    using vector_parameter = vector_view<scalar_type>;
    using braces = std::initializer_list<scalar_type>;

    /// One answer: the record's id and its distance in the metric's unit, computed from the exact
    /// vector where the store keeps it.
    struct hit {
        Id id;
        float distance = 0;
        /// Whether the distance is that to what the vector's codes stand for (codec::only).
        bool estimated = false;
        /// The usual similarity for the metric: larger is nearer.
        [[nodiscard]] float similarity() const { return metric::similarity<Metric>(distance); }
    };
    using hits = std::vector<hit>;
    /// The hits that have a value in common, of a search by groups.
    using group = hit_group<hit>;
    using example = basic_example<Id, scalar_type>;
    using examples = basic_examples<Id, scalar_type>;

protected:
    using engine_type = engine<Metric, Index, Storage, Payload, Id>;
    using id_view = typename id_traits<Id>::view;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
