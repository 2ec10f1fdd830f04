// SPDX-License-Identifier: MIT
#ifndef VICINAL_PAYLOAD_INDEX_QUESTION_HPP
#define VICINAL_PAYLOAD_INDEX_QUESTION_HPP

#include <vicinal/payload/filter/tree.hpp>
#include <vicinal/payload/index/segment_view.hpp>
#include <vicinal/payload/index/words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Values of one segment by their numbers: from `from` to `to`.
struct value_run {
    std::size_t segment = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

/// What an index has to do for one comparison.
struct question {
    /// The slots that have these values; those that have the field and none of them; those that
    /// have the field; those that don't.
    enum class form : std::uint8_t { these, others, present, absent };

    form what = form::these;
    std::vector<value_run> runs = {};
    /// Whether the slots are those for which it is true, and no more.
    bool exact = true;
    /// Whether one slot may be among those of several runs.
    bool repeats = false;
};

/// The comparison that is true exactly where `not` of the given one is; nothing for those that an
/// index does not answer.
[[nodiscard]] constexpr std::optional<filter_op> opposite(filter_op op) noexcept {
    switch (op) {
        case filter_op::equal: return filter_op::not_equal;
        case filter_op::not_equal: return filter_op::equal;
        case filter_op::less: return filter_op::greater_equal;
        case filter_op::less_equal: return filter_op::greater;
        case filter_op::greater: return filter_op::less_equal;
        case filter_op::greater_equal: return filter_op::less;
        case filter_op::in: return filter_op::not_in;
        case filter_op::not_in: return filter_op::in;
        case filter_op::is_null: return filter_op::is_not_null;
        case filter_op::is_not_null: return filter_op::is_null;
        default: return {};
    }
}

/// Turns comparisons on one field into questions to one index on it.
template <class View>
class questioner {
public:
    /// So many values of a hash index are put together; over more a range is left to others.
    static constexpr std::uint64_t most_values = 4096;

    questioner(field_index kind, std::span<View const> views) noexcept
        : kind_(kind), views_(views) {}

    /// Nothing where the index has no answer. A negated `between` is asked as its two halves.
    [[nodiscard]] std::optional<question> ask(filter_op op, std::span<filter_value const> literals,
                                              filter_tree const& tree) const {
        question q;
        if (op == filter_op::is_null || op == filter_op::is_not_null) {
            q.what = op == filter_op::is_null ? question::form::absent : question::form::present;
            return q;
        }
        if (op == filter_op::contains) return contains(literals[0], tree);
        if (kind_ == field_index::inverted) return {};
        return by_values(op, literals, tree);
    }

    /// The same of `any`, which is true where it is for one of an array's elements, or for the
    /// value where that is no array.
    [[nodiscard]] std::optional<question>
    ask_any(filter_op op, std::span<filter_value const> literals, filter_tree const& tree) const {
        std::uint64_t beyond = 0;
        for (auto const& v : views_)
            beyond += kind_ == field_index::inverted ? v.layout().others : v.layout().arrays;
        bool const by_value = op == filter_op::equal || op == filter_op::in ||
                              op == filter_op::starts_with || op == filter_op::between ||
                              (op >= filter_op::less && op <= filter_op::greater_equal);
        if (beyond != 0 || !by_value) return {};
        auto q = by_values(op, literals, tree);
        if (q) q->repeats = true;
        return q;
    }

private:
    [[nodiscard]] std::optional<question>
    by_values(filter_op op, std::span<filter_value const> literals, filter_tree const& tree) const {
        question q;
        switch (op) {
            case filter_op::not_equal:
            case filter_op::not_in: q.what = question::form::others; [[fallthrough]];
            case filter_op::equal:
            case filter_op::in: add_equal(q, literals, tree); break;
            case filter_op::starts_with:
                add_prefix(q, tree.text_of(literals[0]), key_kind::text);
                break;
            default: add_range(q, op, literals, tree);
        }
        if (op != filter_op::equal && op != filter_op::not_equal && !few_enough(q)) return {};
        return q;
    }

    void add(question& q, std::size_t segment, std::uint64_t from, std::uint64_t to) const {
        if (from < to) q.runs.push_back({segment, from, to});
    }
    [[nodiscard]] bool few_enough(question const& q) const noexcept {
        if (kind_ == field_index::ordered) return true;
        std::uint64_t n = 0;
        for (auto const& r : q.runs) n += r.to - r.from;
        return n <= most_values;
    }

    void add_key(question& q, index_key const& k) const {
        for (std::size_t i = 0; i < views_.size(); ++i)
            add(q, i, views_[i].lower_bound(k), views_[i].upper_bound(k));
    }
    void add_equal(question& q, std::span<filter_value const> literals,
                   filter_tree const& tree) const {
        std::vector<index_key> keys;
        for (auto const& literal : literals)
            if (auto const k = key_of(literal, tree)) keys.push_back(*k);
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        for (auto const& k : keys) add_key(q, k);
    }
    void add_range(question& q, filter_op op, std::span<filter_value const> literals,
                   filter_tree const& tree) const {
        auto const k = key_of(literals[0], tree);
        auto const last = op == filter_op::between ? key_of(literals[1], tree) : k;
        if (!k || !last || last->kind != k->kind) return; // unknown for every record
        for (std::size_t i = 0; i < views_.size(); ++i) {
            auto const& v = views_[i];
            auto const begin = v.layout().begin_of(k->kind);
            auto const end = v.layout().end_of(k->kind);
            switch (op) {
                case filter_op::less: add(q, i, begin, v.lower_bound(*k)); break;
                case filter_op::less_equal: add(q, i, begin, v.upper_bound(*k)); break;
                case filter_op::greater: add(q, i, v.upper_bound(*k), end); break;
                case filter_op::greater_equal: add(q, i, v.lower_bound(*k), end); break;
                default: add(q, i, v.lower_bound(*k), v.upper_bound(*last));
            }
        }
    }
    void add_prefix(question& q, std::string_view prefix, key_kind kind) const {
        // The text behind all that begin so: without the last bytes that have no greater one.
        std::string behind(prefix);
        while (!behind.empty() && behind.back() == '\xff') behind.pop_back();
        if (!behind.empty())
            behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
        for (std::size_t i = 0; i < views_.size(); ++i)
            add(q, i, views_[i].lower_bound(key_of(prefix, kind)),
                behind.empty() ? views_[i].layout().end_of(kind)
                               : views_[i].lower_bound(key_of(behind, kind)));
    }
    /// Values in which a piece stands, at their end where `ends`.
    void add_with(question& q, std::string_view piece, key_kind kind, bool ends) const {
        for (std::size_t i = 0; i < views_.size(); ++i) {
            auto const& v = views_[i];
            v.each_with(piece, v.layout().begin_of(kind), v.layout().end_of(kind),
                        [&](std::uint64_t n) {
                            if (!ends || v.key(n).text.ends_with(piece)) add(q, i, n, n + 1);
                        });
        }
    }

    [[nodiscard]] std::optional<question> contains(filter_value const& literal,
                                                   filter_tree const& tree) const {
        std::uint64_t arrays = 0;
        std::uint64_t texts = 0;
        for (auto const& v : views_) {
            arrays += v.layout().arrays;
            texts += v.layout().texts;
        }
        bool const text = literal.type == value::kind::string;
        question q;
        if (kind_ != field_index::inverted) {
            if (arrays != 0) return {};
            if (!text || texts == 0) return q; // unknown for whatever is neither
            auto const piece = tree.text_of(literal);
            if (piece.empty()) return {};
            add_with(q, piece, key_kind::text, false);
            return few_enough(q) ? std::optional(std::move(q)) : std::nullopt;
        }
        if (auto const k = key_of(literal, tree)) add_key(q, *k);
        if (!text || texts == 0) return q;
        q.repeats = true;
        if (!add_words(q, tree.text_of(literal))) return {};
        return q;
    }

    /// Words of which one stands in every text that has the piece. False where it has no word.
    [[nodiscard]] bool add_words(question& q, std::string_view piece) const {
        std::string_view longest;
        each_word(piece, [&](std::string_view word) {
            if (word.size() > longest.size()) longest = word;
        });
        if (longest.empty()) return false;
        q.exact = longest.size() == piece.size();
        bool const begins = longest.data() == piece.data();
        bool const ends = longest.data() + longest.size() == piece.data() + piece.size();
        if (!begins && !ends)
            add_key(q, key_of(longest, key_kind::word));
        else if (!begins)
            add_prefix(q, longest, key_kind::word);
        else
            add_with(q, longest, key_kind::word, !ends);
        return true;
    }

    field_index kind_;
    std::span<View const> views_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
