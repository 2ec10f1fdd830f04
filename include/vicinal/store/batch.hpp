// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_BATCH_HPP
#define VICINAL_STORE_BATCH_HPP

#include <vicinal/payload/concept.hpp>
#include <vicinal/store/heap.hpp>
#include <vicinal/store/operations.hpp>
#include <vicinal/store/repeats.hpp>
#include <vicinal/store/vector_check.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// A range whose records stay where they are while it is walked: a batch points into them, which
/// what an iterator makes on the way would not outlive.
template <class Range, class Record>
concept range_of = requires(Range const& r) {
    requires std::forward_iterator<decltype(std::begin(r))>;
    { *std::begin(r) } -> std::same_as<Record const&>;
}
|| requires(Range const& r) {
    requires std::forward_iterator<decltype(std::begin(r))>;
    { *std::begin(r) } -> std::same_as<Record&>;
};

/// Records on their way in, checked and with their payloads encoded. Ids and vectors are the
/// caller's and stay with him.
template <class Metric, class Payload, class Id>
class batch {
public:
    using traits = id_traits<Id>;
    using id_view = typename traits::view;
    using element = metric::element_of<Metric>;

    explicit batch(std::size_t dim) noexcept : dim_(dim) {}

    /// Checks one record and takes it in.
    [[nodiscard]] result<void> add(id_view id, vector_view<element> vector,
                                   typename Payload::value_type const& payload) {
        VICINAL_CHECK(traits::check(id));
        VICINAL_CHECK(
            check_vector<Metric>(vector, dim_, [&] { return "'" + traits::text(id) + "'"; }));
        auto const begin = payloads_.size();
        if (auto const encoded = Payload::encode(payload, payloads_); !encoded)
            return error{encoded.error().code(), encoded.error().expected(),
                         encoded.error().got() + " for '" + traits::text(id) + "'"};
        if (payloads_.size() - begin > largest_run)
            return error{errc::invalid_payload,
                         "at most " + std::to_string(largest_run) + " bytes of payload",
                         std::to_string(payloads_.size() - begin) + " for '" + traits::text(id) +
                             "'"};
        entries_.push_back(
            {id, traits::hash(id), reinterpret_cast<std::byte const*>(vector.data()), {}});
        ends_.push_back({begin, payloads_.size()});
        return {};
    }

    /// Refuses a batch that names an id twice.
    [[nodiscard]] result<void> check_ids() const {
        auto const twice = first_repeat(
            entries_.size(), [this](std::size_t i) { return entries_[i].hash; },
            [this](std::size_t i, std::size_t j) { return entries_[i].id == entries_[j].id; });
        if (twice == entries_.size()) return {};
        return error{errc::duplicate_id, "each id once in a batch",
                     "'" + traits::text(entries_[twice].id) + "' twice"};
    }

    /// The batch as the engine takes it; valid until the next add.
    [[nodiscard]] std::span<prepared<Id> const> entries() {
        auto const all = std::as_bytes(std::span(payloads_.data(), payloads_.size()));
        for (std::size_t i = 0; i < entries_.size(); ++i)
            entries_[i].payload = all.subspan(ends_[i].first, ends_[i].last - ends_[i].first);
        return entries_;
    }

private:
    struct range {
        std::size_t first;
        std::size_t last;
    };

    std::size_t dim_;
    std::vector<prepared<Id>> entries_;
    std::vector<range> ends_;
    std::string payloads_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
