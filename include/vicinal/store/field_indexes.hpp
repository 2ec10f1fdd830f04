// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_INDEXES_HPP
#define VICINAL_STORE_FIELD_INDEXES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/index/filter_answers.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/store/field_definitions.hpp>
#include <vicinal/store/field_parts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The field indexes of a store: which slots have which values.
///
/// They know the payloads of the slots below covered() as they were taken in, dead ones too; slots
/// behind, and those of rows.changed(), are to be asked by their payload. An index that was made
/// by a log, and not filled yet, is not asked. Readers may ask beside each other and beside the
/// writer, who changes it within the section that keeps them out.
template <class Storage>
class field_indexes {
public:
    using column = typename Storage::column;
    using view = field_view<column>;

    /// Whether payloads of this kind can have any.
    static constexpr bool possible = true;

    [[nodiscard]] static result<field_indexes> open(typename Storage::space& space) {
        auto parts = space.column(fields_name, 1, storage::heat::hot);
        VICINAL_CHECK(parts);
        field_indexes f;
        f.column_ = *parts;
        return f;
    }
    /// Takes what a snapshot of `rows` slots says of them. Errors: corrupt_snapshot.
    [[nodiscard]] result<void> bind(storage::properties const& properties, slot rows) {
        auto const defined = decode_definitions(properties);
        VICINAL_CHECK(defined);
        list_.clear();
        std::uint64_t at = 0;
        for (auto const& d : *defined) {
            auto path = payload::detail::field_path::parse(d.name);
            if (!path) return error{errc::corrupt_snapshot, "a name of a field", d.name};
            list_.push_back({*std::move(path), d.kind});
            if (d.bytes > column_->rows() - at) return misplaced();
            for (auto const end = at + d.bytes; at < end;) {
                VICINAL_CHECK(bind_part(list_.back(), at, end, rows));
                at += list_.back().parts.back().layout.bytes;
            }
        }
        count_covered();
        return {};
    }

    [[nodiscard]] slot covered() const noexcept { return covered_; }
    /// Whether there is no index.
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }

    /// Cost: some binary searches for each comparison; no slot is looked at.
    [[nodiscard]] filter_estimate estimate(filter const& where) const {
        if (covered_ == 0) return {};
        auto const open = open_for(where);
        return answers(where.tree(), open, covered_).estimate();
    }
    /// Nothing where no index helps.
    [[nodiscard]] std::optional<selection> select(filter const& where) const {
        if (covered_ == 0) return {};
        auto const open = open_for(where);
        answers const all(where.tree(), open, covered_);
        all.each_used([&](std::size_t i) { count_use(*open[i].path, open[i].kind); });
        return all.select();
    }

    /// Calls visit(slot) -> bool in the order of the field's values, from the value `from` on or
    /// else from the first, slots of equal values in ascending order, until it gives false; slots
    /// without a value that has an order are left out. False where there is no ordered index on the
    /// field.
    template <class Visit>
    [[nodiscard]] bool in_order(std::string_view field, bool descending,
                                std::optional<payload::detail::index_key> const& from,
                                Visit const& visit) const {
        auto const* const index = find(field, field_index::ordered);
        if (index == nullptr) return false;
        index->uses->add();
        auto const views = views_of(std::span<field_part const>(index->parts), *column_);
        payload::detail::merged_values<view> all(views, false, descending, from);
        for (bool more = true; more && all.next();)
            all.each([&](std::size_t c, std::uint64_t i) {
                views[c].each(i, i + 1, [&](slot s) { more = more && visit(s); });
            });
        return true;
    }
    /// Calls visit(payload::value_view, std::size_t slots) for each distinct value of the field,
    /// those of an array each by itself, in their order; slots count live or not. False where no
    /// index knows them all.
    template <class Visit>
    [[nodiscard]] bool values(std::string_view field, Visit const& visit) const {
        return each_value(
            field, [&](payload::value_view const& v, auto const& views, auto const& all) {
                std::uint64_t n = 0;
                all.each([&](std::size_t c, std::uint64_t i) { n += views[c].count(i, i + 1); });
                visit(v, static_cast<std::size_t>(n));
            });
    }
    /// The same with the slots: visit(payload::value_view, slot_bitmap const&).
    template <class Visit>
    [[nodiscard]] bool postings(std::string_view field, Visit const& visit) const {
        return each_value(field, [&](payload::value_view const& v, auto const& views,
                                     auto const& all) {
            slot_bitmap slots;
            all.each([&](std::size_t c, std::uint64_t i) { slots |= views[c].slots(i, i + 1); });
            visit(v, slots);
        });
    }

    [[nodiscard]] std::vector<field_index_stats> stats() const {
        std::vector<field_index_stats> out;
        for (auto const& f : list_) {
            field_index_stats s{f.path.shown(), f.kind, 0, 0, 0, f.uses->get()};
            for (auto const& p : f.parts) {
                s.entries += static_cast<std::size_t>(p.layout.entries);
                s.bytes += static_cast<std::size_t>(p.layout.bytes);
            }
            auto const views = views_of(std::span<field_part const>(f.parts), *column_);
            if (views.size() == 1)
                s.values = static_cast<std::size_t>(views[0].layout().values());
            else
                for (payload::detail::merged_values<view> all(views, true, false); all.next();)
                    ++s.values;
            out.push_back(std::move(s));
        }
        return out;
    }

    /// For those who keep them: the indexes, and the column that has their parts.
    [[nodiscard]] std::vector<indexed_field> const& list() const noexcept { return list_; }
    [[nodiscard]] column const& parts() const noexcept { return *column_; }
    /// The number of the index of that kind on the field; list().size() where there is none.
    [[nodiscard]] std::size_t place(std::string_view shown, field_index kind) const noexcept {
        auto const at = std::find_if(list_.begin(), list_.end(), [&](indexed_field const& f) {
            return f.kind == kind && f.path.shown() == shown;
        });
        return static_cast<std::size_t>(at - list_.begin());
    }
    /// Gives the indexes what `list` has, and that its memory back. Inside the section.
    void exchange(std::vector<indexed_field>& list) noexcept {
        list_.swap(list);
        count_covered();
    }
    /// Forgets contents, not definitions. Inside the section.
    void clear() noexcept {
        for (auto& f : list_) f.parts.clear();
        covered_ = 0;
    }

private:
    using answers = payload::detail::filter_answers<view>;
    using opened = payload::detail::open_index<view>;

    [[nodiscard]] static error misplaced() {
        return error{errc::corrupt_snapshot, "indexes on fields inside the column 'fields'",
                     "others"};
    }
    [[nodiscard]] result<void> bind_part(indexed_field& f, std::uint64_t at, std::uint64_t end,
                                         slot rows) const {
        using payload::detail::segment_layout;
        if (end - at < segment_layout::header_bytes) return misplaced();
        auto const reader = column_->reader();
        auto const layout =
            segment_layout::read(reader.rows(at, segment_layout::header_bytes), end - at);
        if (!layout || layout->kind != f.kind || layout->first != f.end() ||
            layout->end <= layout->first || layout->end > rows)
            return misplaced();
        f.parts.push_back({*layout, {}, at});
        return {};
    }
    void count_covered() noexcept {
        covered_ = 0;
        for (auto const& f : list_) covered_ = (std::max)(covered_, f.end());
    }

    /// The indexes on fields that a filter names.
    [[nodiscard]] std::vector<opened> open_for(filter const& where) const {
        std::vector<opened> open;
        auto const& tree = where.tree();
        for (auto const& f : list_) {
            bool const named =
                std::any_of(tree.nodes.begin(), tree.nodes.end(), [&](auto const& n) {
                    return n.op >= payload::filter_op::equal && f.path.is_of(tree, n);
                });
            if (named && f.end() == covered_)
                open.push_back(
                    {&f.path, f.kind, views_of(std::span<field_part const>(f.parts), *column_)});
        }
        return open;
    }
    void count_use(payload::detail::field_path const& path, field_index kind) const noexcept {
        if (auto const at = place(path.shown(), kind); at < list_.size()) list_[at].uses->add();
    }
    /// The filled index of that kind on the field, however its name is written.
    [[nodiscard]] indexed_field const* find(std::string_view field, field_index kind) const {
        auto at = place(field, kind);
        if (at == list_.size())
            if (auto const path = payload::detail::field_path::parse(field))
                at = place(path->shown(), kind);
        return at < list_.size() && covered_ != 0 && list_[at].end() == covered_ ? &list_[at]
                                                                                 : nullptr;
    }

    /// Values that are none of arrays are known to a hash or ordered index, those in arrays to an
    /// inverted one.
    template <class Visit>
    [[nodiscard]] bool each_value(std::string_view field, Visit const& visit) const {
        auto const* plain = find(field, field_index::hash);
        if (plain == nullptr) plain = find(field, field_index::ordered);
        auto const* const inverted = find(field, field_index::inverted);
        std::vector<view> views;
        bool known = plain != nullptr || inverted != nullptr;
        for (auto const* const f : {plain, inverted}) {
            if (f == nullptr) continue;
            auto const* const other = f == plain ? inverted : plain;
            for (auto const& p : f->parts) {
                auto const beyond = f == plain ? p.layout.arrays : p.layout.others;
                known = known && (other != nullptr || beyond == 0);
                views.push_back(p.view(*column_));
            }
            f->uses->add();
        }
        if (!known) return false;
        std::string bytes;
        for (payload::detail::merged_values<view> all(views, false, false); all.next();) {
            bytes.clear();
            payload::detail::append_value(all.key(), bytes);
            auto const encoded = std::as_bytes(std::span(bytes));
            auto const* at = encoded.data();
            payload::value_view v;
            if (payload::value_view::read(at, at + encoded.size(), v)) visit(v, views, all);
        }
        return true;
    }

    column* column_ = nullptr;
    std::vector<indexed_field> list_;
    slot covered_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
