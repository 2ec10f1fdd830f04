// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_UPKEEP_HPP
#define VICINAL_STORE_FIELD_UPKEEP_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/field_indexes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the writer does to field indexes: making and dropping them, letting them take in rows,
/// handing them to a snapshot. Segments are made beside the readers; only their exchange keeps
/// these out.
namespace vicinal::inline VICINAL_ABI::detail {

/// Fewer rows than that are left to be asked by their payload: a fresh segment for each would cost
/// more than some microseconds of asking.
inline constexpr std::size_t least_field_fold = 64;
/// Rows that a write takes in for an index that lags far behind: some 5 ms.
inline constexpr std::size_t field_fold_piece = 16384;

/// The slots whose payload has changed since they were taken in, ascending.
template <class Rows>
[[nodiscard]] std::vector<slot> changed_slots(Rows const& rows) {
    std::vector<slot> changed;
    if constexpr (requires { rows.changed(); }) {
        auto const all = rows.changed();
        changed.assign(all.begin(), all.end());
        std::sort(changed.begin(), changed.end());
        changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    }
    return changed;
}

/// Lets each index take in the rows up to `until`, the ones that lag behind up to `most` of them.
/// What fails, for want of memory or by damage, is left to be asked.
template <class Rows, class Section>
void fold_fields(Rows& rows, std::size_t until, std::size_t most, Section const& section) {
    auto const& fields = rows.fields();
    static_cast<void>(guarded([&]() -> result<void> {
        auto list = fields.list();
        for (auto& f : list) {
            auto const from = f.end();
            auto const to = static_cast<slot>((std::min)(until, from + most));
            if (from >= to) continue;
            build_parts(
                f, from, to, [&rows](slot s) { return rows.payload(s); }, f.parts);
            merge_parts(f.kind, fields.parts(), f.parts);
        }
        if (!storage::fault_scope::met()) section([&] { rows.edit_fields().exchange(list); });
        return {};
    }));
}

/// After a write of so many rows: takes in these, and a piece of what a log has left. Gives whether
/// there is more to do.
template <class Rows, class Section>
bool fold_fields_some(Rows& rows, std::size_t written, Section const& section) {
    if constexpr (Rows::fields_type::possible) {
        auto const& fields = rows.fields();
        std::size_t const count = rows.count();
        auto const behind = [&] {
            std::size_t least = count;
            for (auto const& f : fields.list()) least = (std::min)(least, std::size_t{f.end()});
            return count - least;
        };
        auto const before = behind();
        if (before < least_field_fold) return false;
        auto const piece = (std::max)(field_fold_piece, 2 * written);
        // An index that is ahead waits, so that the others reach it and are asked again.
        auto const until = (std::max)(std::size_t{fields.covered()}, count - before + piece);
        fold_fields(rows, (std::min)(until, count), piece, section);
        auto const after = behind();
        return after >= least_field_fold && after < before;
    }
    return false;
}

/// The indexes as a snapshot shall have them.
struct fields_successor {
    std::vector<indexed_field> list;
    std::string definitions;
    std::uint64_t bytes = 0;

    /// Says where parts lie in the column that holds them one behind the other.
    void place() {
        std::vector<field_definition> all;
        bytes = 0;
        for (auto const& f : list) {
            all.push_back({f.kind, f.path.shown(), 0});
            for (auto const& p : f.parts) all.back().bytes += p.layout.bytes;
            bytes += all.back().bytes;
        }
        definitions = encode_definitions(all);
    }
    /// Takes the parts as they lie in the column once it has them.
    void settle() noexcept {
        std::uint64_t at = 0;
        for (auto& f : list)
            for (auto& p : f.parts) {
                p.memory.reset();
                p.at = std::exchange(at, at + p.layout.bytes);
            }
    }
};

/// The indexes for a snapshot in which slots keep their numbers; slots that have changed are taken
/// in anew.
template <class Rows>
[[nodiscard]] fields_successor succeed_fields(Rows const& rows) {
    auto const& fields = rows.fields();
    fields_successor next{fields.list(), {}, 0};
    if (auto const changed = changed_slots(rows); !changed.empty())
        for (auto& f : next.list)
            if (!f.parts.empty())
                f.parts = {renew_parts(
                    f, fields.parts(), changed, f.end(),
                    [&rows](slot s) { return rows.payload(s); }, [](slot s) { return s; })};
    next.place();
    return next;
}

/// The indexes for rows of which the slots of `kept` become 0, 1 and so on.
template <class Rows>
[[nodiscard]] fields_successor succeed_fields(Rows const& rows, std::span<slot const> kept) {
    auto const& fields = rows.fields();
    fields_successor next{fields.list(), {}, 0};
    auto const changed = changed_slots(rows);
    std::vector<slot> numbers(fields.covered(), no_slot);
    for (std::size_t i = 0; i < kept.size() && kept[i] < numbers.size(); ++i)
        numbers[kept[i]] = static_cast<slot>(i);
    for (auto& f : next.list) {
        if (f.parts.empty()) continue;
        auto const end =
            static_cast<slot>(std::lower_bound(kept.begin(), kept.end(), f.end()) - kept.begin());
        auto part = renew_parts(
            f, fields.parts(), changed, end, [&rows](slot s) { return rows.payload(s); },
            [&numbers](slot s) { return numbers[s]; });
        f.parts.clear();
        if (end != 0) f.parts.push_back(std::move(part));
    }
    next.place();
    return next;
}

/// What the column is to hold. `next`, and the column with the parts that it has, must stay until
/// it is written.
template <class Column>
[[nodiscard]] storage::replacement field_rows(fields_successor const& next, Column const& column) {
    std::vector<field_part> all;
    for (auto const& f : next.list) all.insert(all.end(), f.parts.begin(), f.parts.end());
    auto const count = all.size();
    return storage::joined_runs(
        fields_name, 1, next.bytes, count,
        [all = std::move(all), reader = column.reader()](std::size_t i) {
            auto const& p = all[i];
            auto const* const bytes = p.memory
                                          ? reinterpret_cast<std::byte const*>(p.memory->data())
                                          : reader.rows(p.at, p.layout.bytes);
            return std::span<std::byte const>(bytes, static_cast<std::size_t>(p.layout.bytes));
        });
}

template <class Fields>
[[nodiscard]] bool has_field_index(Fields const& fields, payload::detail::field_path const& path,
                                   field_index kind) noexcept {
    return fields.place(path.shown(), kind) < fields.list().size();
}
/// The indexes and one more, which knows nothing yet; and all but one.
template <class Fields>
[[nodiscard]] std::vector<indexed_field>
with_field_index(Fields const& fields, payload::detail::field_path const& path, field_index kind) {
    auto list = fields.list();
    list.push_back({path, kind});
    return list;
}
template <class Fields>
[[nodiscard]] std::vector<indexed_field>
without_field_index(Fields const& fields, payload::detail::field_path const& path,
                    field_index kind) {
    auto list = fields.list();
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(fields.place(path.shown(), kind)));
    return list;
}

/// Fills an index that is there anew with all rows; it answers as before until then. Errors:
/// out_of_memory.
template <class Rows, class Section>
[[nodiscard]] result<void> rebuild_field_index(Rows& rows, payload::detail::field_path const& path,
                                               field_index kind, Section const& section) {
    fold_fields(rows, rows.count(), rows.count(), section);
    return guarded([&]() -> result<void> {
        auto const& fields = rows.fields();
        auto list = fields.list();
        auto& f = list[fields.place(path.shown(), kind)];
        f.parts.clear();
        build_parts(
            f, 0, rows.count(), [&rows](slot s) { return rows.payload(s); }, f.parts);
        merge_parts(kind, fields.parts(), f.parts);
        if (!storage::fault_scope::met()) section([&] { rows.edit_fields().exchange(list); });
        return {};
    });
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
