// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PAYLOAD_QUESTION_HPP
#define VICINAL_STORE_PAYLOAD_QUESTION_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/store/filter_cache.hpp>

#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// A filter as a question to a slot that is answered by its payload, and may be told beforehand
/// which slots come next.
template <class Rows, class Trace>
class payload_question {
public:
    payload_question(Rows const& rows, filter const& where, Trace& trace) noexcept
        : rows_(rows), ask_(filter_cache::asking(where, rows, trace)) {}

    [[nodiscard]] bool operator()(slot s) const { return rows_.live(s) && ask_(s); }
    void announce(slot s) const noexcept { rows_.announce_payload(s); }
    void fetch(slot s) const noexcept { rows_.fetch_payload(s); }

private:
    Rows const& rows_;
    decltype(filter_cache::asking(std::declval<filter const&>(), std::declval<Rows const&>(),
                                  std::declval<Trace&>())) ask_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
