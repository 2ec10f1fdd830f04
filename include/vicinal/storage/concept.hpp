// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_CONCEPT_HPP
#define VICINAL_STORAGE_CONCEPT_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/column.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column as one query sees it. One thread uses a reader; a copy of it is another's.
///
/// * `row(i)` gives the bytes of a row, `rows(i, count)` those of several, one behind the other.
///   They stay in place while the reader lives, and where `pages` says that they may have to be
///   read from a file, until 16 others were asked for.
/// * `row_as<T>`, `rows_as<T>`: the same as elements of T.
/// * `prefetch(i, lines)`: row i is going to be asked for; where rows are paged, the next one that
///   must be read brings it along.
///
/// What can't be read right is told to the fault_scope (storage/faults.hpp).
template <class R>
concept reader = std::copy_constructible<R> && requires(R const& r, std::uint64_t n) {
    { R::pages } -> std::convertible_to<bool>;
    { r.row(n) } -> std::same_as<std::byte const*>;
    { r.rows(n, n) } -> std::same_as<std::byte const*>;
    { r.template row_as<int>(n) } -> std::same_as<int const*>;
    { r.template rows_as<int>(n, n) } -> std::same_as<int const*>;
    r.prefetch(n, std::size_t{1});
};

/// A column: a growable array of rows of one width. A heap (ids, payloads) is a column whose rows
/// are single bytes, addressed by offset and length.
///
/// * `rows()`, `row_bytes()`, `capacity()`: counts and the width of a row.
/// * `reader()`: the column as a query sees it.
/// * `edit(i)`: row i to be written, by the one writer; valid until the column grows. Of a cold
///   column, and of a warm one in a store that is only read, a row that came since the snapshot.
/// * `prepare(rows)`: makes room; readers go on undisturbed. `commit()` then puts the room into
/// use;
///   rows may move, so no reader may be inside. It cannot fail.
/// * `resize(rows)`: within the capacity; new rows are zero bytes.
///
/// Growing is split in two so that the copying runs beside searches and only the swap excludes
/// them.
template <class C>
concept column = requires(C c, C const& k, std::uint64_t n) {
    { k.rows() } -> std::same_as<std::uint64_t>;
    { k.capacity() } -> std::same_as<std::uint64_t>;
    { k.row_bytes() } -> std::same_as<std::size_t>;
    { k.reader() } -> reader;
    { c.edit(n) } -> std::same_as<std::byte*>;
    { c.prepare(n) } -> std::same_as<result<void>>;
    { c.commit() }
    noexcept;
    { c.resize(n) }
    noexcept;
};

/// A storage policy: names its column type, and a `space`, which is the storage opened: it hands
/// out the columns by name, makes them where there are none yet, and keeps their addresses.
///
/// A durable storage (`durable` is true) also logs operations and writes checkpoints; see
/// storage/mmap.hpp.
template <class S>
concept model = requires(typename S::space& s, std::string_view name, std::size_t bytes, heat h) {
    { S::durable } -> std::convertible_to<bool>;
    { S::name } -> std::convertible_to<std::string_view>;
    requires column<typename S::column>;
    { s.column(name, bytes, h) } -> std::same_as<result<typename S::column*>>;
};

/// Whether a reader may meet what it can't read right (storage/faults.hpp).
template <class Reader>
[[nodiscard]] bool may_fault(Reader const& reader) noexcept {
    if constexpr (requires { reader.may_fault(); })
        return reader.may_fault();
    else
        return !std::same_as<Reader, contiguous_reader>;
}

/// Reads the last row, so that a fault where rows will be added is met before they are.
template <column C>
void read_last(C const& c) noexcept {
    if (c.rows() > 0) static_cast<void>(c.reader().row(c.rows() - 1));
}

/// Grows a column to `rows` rows at once: for building blocks that have no readers beside the
/// writer.
template <column C>
[[nodiscard]] result<void> grow(C& c, std::uint64_t rows) {
    if (rows > c.capacity()) {
        VICINAL_CHECK(c.prepare(rows));
        c.commit();
    }
    if (rows > c.rows()) c.resize(rows);
    return {};
}

/// Makes a column have at least `rows` rows, of which no reader knows yet; only the swap is made in
/// `section`, which keeps readers out.
template <column C, class Section>
[[nodiscard]] result<void> reserve(C& c, std::uint64_t rows, Section const& section) {
    if (rows > c.capacity()) {
        VICINAL_CHECK(c.prepare(rows));
        section([&] { c.commit(); });
    }
    if (rows > c.rows()) c.resize(rows);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
