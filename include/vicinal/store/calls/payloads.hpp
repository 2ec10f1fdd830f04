// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_PAYLOADS_HPP
#define VICINAL_STORE_CALLS_PAYLOADS_HPP

#include <vicinal/payload/as_fields.hpp>
#include <vicinal/store/calls/records.hpp>
#include <vicinal/store/decoding.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Ids to walk through, and no id itself.
template <class Range, class Parameter>
concept ids_of = !std::convertible_to<Range const&, Parameter> && requires(Range const& r) {
    { *std::begin(r) } -> std::convertible_to<Parameter>;
    requires std::is_lvalue_reference_v<decltype(*std::begin(r))>;
};

/// Payloads that change while vectors stay.
template <class Types>
class payload_calls : public record_calls<Types> {
protected:
    using record_calls<Types>::record_calls;
    using record_calls<Types>::engine_;
    using typename Types::id_view;
    static constexpr bool has_fields = std::same_as<typename Types::payload_type, vicinal::fields>;

public:
    using typename Types::id_parameter;
    using typename Types::payload_type;

    /// Gives the record another payload; false where there is none of that id. Its vector and the
    /// index are not touched: the new bytes go behind the others, the old ones stay until the store
    /// is compacted, which happens by itself once they are a quarter and 4 MiB. While a scan is
    /// open the record is written anew instead, as by upsert, so that the scan finds it as it was.
    ///
    /// Cost: one log record and sync of the payload's size. Errors: invalid_payload, read_only,
    /// io_failure, writer_poisoned, limit_exceeded, out_of_memory; then nothing has changed.
    result<bool> try_update_payload(id_parameter id, payload_type const& payload) {
        return guarded(
            [&] { return update_if(id, payload, [](auto const&, slot) { return true; }); });
    }

    /// Sets these fields of the record's payload and keeps the others; false where there is none of
    /// that id. Of a struct they are the members of those names. No other write comes between the
    /// reading and the writing. Cost and errors as try_update_payload (invalid_payload where they
    /// don't fit the struct); also corrupt_snapshot.
    result<bool> try_merge_payload(id_parameter id, vicinal::fields const& some) {
        return guarded([&]() -> result<bool> {
            auto const n = merge(std::vector<id_view>{id_view(id)}, some);
            VICINAL_CHECK(n);
            return *n != 0;
        });
    }
    /// The same for each of these ids that is there, all of them or none: one log record, one sync.
    /// How many records that was.
    template <ids_of<id_parameter> Range>
    result<std::size_t> try_merge_payload(Range const& ids, vicinal::fields const& some) {
        return guarded([&] { return merge(distinct(ids), some); });
    }

protected:
    /// Replaces the payload of a record of which taken(rows, slot) holds.
    template <class Taken>
    result<bool> update_if(id_view id, payload_type const& payload, Taken const& taken) {
        std::string encoded;
        VICINAL_CHECK(Types::payload_policy::encode(payload, encoded));
        auto const n = engine_->update(
            std::span(&id, 1), [&](auto const& rows, slot s, std::string& out) -> result<bool> {
                if (!taken(rows, s)) return false;
                out.append(encoded);
                return true;
            });
        VICINAL_CHECK(n);
        return *n != 0;
    }
    template <class Range>
    [[nodiscard]] static std::vector<id_view> distinct(Range const& ids) {
        std::vector<id_view> views;
        for (auto const& id : ids) views.push_back(id_view(id_parameter(id)));
        std::sort(views.begin(), views.end());
        views.erase(std::unique(views.begin(), views.end()), views.end());
        return views;
    }
    result<std::size_t> merge(std::vector<id_view> const& ids, vicinal::fields const& some) {
        return merge_if(ids, some, [](auto const&, slot) { return true; });
    }
    /// The same of records of which taken(rows, slot) holds.
    template <class Taken>
    result<std::size_t> merge_if(std::vector<id_view> const& ids, vicinal::fields const& some,
                                 Taken const& taken) {
        using policy = typename Types::payload_policy;
        static_assert(payload::made_of_fields<policy>,
                      "vicinal: merge_payload sets fields: it needs a store whose payload is "
                      "payload::fields or payload::record<T>");
        std::string encoded;
        VICINAL_CHECK(payload::fields::encode(some, encoded));
        return engine_->update(ids,
                               [&](auto const& rows, slot s, std::string& out) -> result<bool> {
                                   if (!taken(rows, s)) return false;
                                   auto held = decode_payload<policy>(rows, s);
                                   VICINAL_CHECK(held);
                                   auto all = payload::as_fields<policy>(*std::move(held));
                                   VICINAL_CHECK(all);
                                   for (auto const& f : some) all->set(f.name, f.v);
                                   auto const merged = payload::from_fields<policy>(*all);
                                   VICINAL_CHECK(merged);
                                   VICINAL_CHECK(policy::encode(*merged, out));
                                   return true;
                               });
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
