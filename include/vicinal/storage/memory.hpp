// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_MEMORY_HPP
#define VICINAL_STORAGE_MEMORY_HPP

#include <vicinal/storage/column.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/memory_column.hpp>
#include <vicinal/storage/properties.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/storage/snapshot_bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if VICINAL_HAS_FILES
#    include <vicinal/storage/posix.hpp>
#    include <vicinal/storage/single_snapshot.hpp>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// Columns on the heap by name, made at the first call. A column's address stays; that of its rows
/// stays until commit() or adopt(). One thread at a time calls it; readers of the columns may run
/// beside everything but a column's commit() and resize(), and adopt().
template <class Allocator = std::allocator<std::byte>>
class memory_space {
public:
    using column_type = basic_memory_column<Allocator>;

    memory_space() = default;
    /// Takes the memory of all rows from (copies of) that allocator.
    explicit memory_space(Allocator const& a) : allocator_(a) {}

    /// errc::corrupt_snapshot where a snapshot that was loaded has rows of another width.
    [[nodiscard]] result<column_type*> column(std::string_view name, std::size_t row_bytes,
                                              heat = heat::cold) {
        if (auto* const c = find(name)) {
            if (c->row_bytes() == row_bytes) return c;
            return error{errc::corrupt_snapshot,
                         "rows of " + std::to_string(row_bytes) + " bytes in column '" +
                             std::string(name) + "'",
                         std::to_string(c->row_bytes())};
        }
        columns_.push_back(
            {std::string(name), std::make_unique<column_type>(row_bytes, allocator_)});
        return columns_.back().rows.get();
    }
    /// The column of that name; null where there is none.
    [[nodiscard]] column_type* find(std::string_view name) noexcept {
        for (auto& c : columns_)
            if (c.name == name) return c.rows.get();
        return nullptr;
    }
    /// Whether there is no column yet.
    [[nodiscard]] bool empty() const noexcept { return columns_.empty(); }
    /// What the snapshot said that was loaded; empty where there was none.
    [[nodiscard]] storage::properties const& properties() const noexcept { return properties_; }

    /// Makes blocks for columns that shall have other rows, with room for a third more, beside
    /// what they hold now; adopt() then puts them in place. Errors: out_of_memory; the columns
    /// are as before.
    [[nodiscard]] result<void> stage(std::span<replacement const> rows) {
        return vicinal::detail::guarded([&]() -> result<void> {
            staged_.clear();
            for (auto const& r : rows) {
                auto const to = column(r.name, r.row_bytes);
                VICINAL_CHECK(to);
                column_type made(r.row_bytes, allocator_);
                auto const count = r.bytes() / r.row_bytes;
                VICINAL_CHECK(made.prepare(count + count / 3));
                made.commit();
                made.resize(count);
                r.next(0, {made.edit(0), static_cast<std::size_t>(count * r.row_bytes)});
                staged_.push_back({*to, std::move(made)});
            }
            return {};
        });
    }
    /// Gives the columns what was staged; no reader may be inside.
    void adopt() noexcept {
        for (auto& s : staged_) swap(*s.to, s.rows);
    }
    /// Frees what was staged, or what it has replaced.
    void discard() noexcept { std::vector<staged>().swap(staged_); }

    /// Gives a snapshot of all columns, with `replacements` for some of them, to put(offset, bytes)
    /// -> result<void>: rows first, header last.
    template <class Put>
    [[nodiscard]] result<void> write(storage::properties const& props,
                                     std::span<replacement const> replacements,
                                     Put const& put) const {
        return with_sources(props, replacements, [&](auto& layout, auto const& sources) {
            return put_snapshot(layout, sources, put);
        });
    }

    /// Fills an empty space from a snapshot of `bytes` bytes, every one of which is checked.
    /// read(offset, span) -> result<void> gives them. Takes no more memory than there are bytes,
    /// and a little for the layout. errc::corrupt_snapshot, newer_format, unsupported (a big-endian
    /// host), out_of_memory.
    template <class Read>
    [[nodiscard]] result<void> read(std::uint64_t bytes, std::string const& shown,
                                    Read const& read) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const layout = read_layout(bytes, false, shown, read);
            VICINAL_CHECK(layout);
            return fill(*layout,
                        [&](auto const& each) { return read_blocks(*layout, shown, read, each); });
        });
    }

#if VICINAL_HAS_FILES
    /// Writes a snapshot file, as save_snapshot does: whole, or not at all.
    [[nodiscard]] result<void> save(std::string_view path, storage::properties const& props,
                                    std::span<replacement const> replacements) const {
        return with_sources(props, replacements, [&](auto& layout, auto const& sources) {
            return save_snapshot<posix>(path, layout, sources);
        });
    }
    /// The same as read, from a file.
    [[nodiscard]] result<void> load(std::string_view path) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const snapshot = open_snapshot<posix>(path);
            if (!snapshot) return snapshot.error();
            return fill(snapshot->layout(),
                        [&](auto const& each) { return snapshot->read_all(each); });
        });
    }
#endif

private:
    struct named {
        std::string name;
        std::unique_ptr<column_type> rows;
    };
    struct staged {
        column_type* to;
        column_type rows;
    };

    template <class Body>
    [[nodiscard]] result<void> with_sources(storage::properties const& props,
                                            std::span<replacement const> replacements,
                                            Body const& body) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(check_host());
            std::vector<section_source> sources(replacements.begin(), replacements.end());
            for (auto const& c : columns_)
                if (std::none_of(replacements.begin(), replacements.end(),
                                 [&c](auto const& r) { return r.name == c.name; }))
                    sources.push_back({c.name, c.rows->row_bytes(), c.rows->bytes()});
            std::sort(sources.begin(), sources.end(),
                      [](auto const& a, auto const& b) { return a.name < b.name; });
            snapshot_layout layout;
            layout.generation = 1;
            layout.properties = props;
            VICINAL_CHECK(lay_out(layout, sources));
            return body(layout, sources);
        });
    }

    template <class ReadAll>
    [[nodiscard]] result<void> fill(snapshot_layout const& layout, ReadAll const& read_all) {
        VICINAL_CHECK(check_host());
        if (!empty()) return error{errc::invalid_argument, "an empty space to fill"};
        properties_ = layout.properties;
        std::vector<column_type*> columns;
        for (auto const& s : layout.sections) {
            auto made = column(s.name, static_cast<std::size_t>(s.row_bytes));
            VICINAL_CHECK(made);
            if (s.rows > 0) {
                VICINAL_CHECK((*made)->prepare(s.rows));
                (*made)->commit();
                (*made)->resize(s.rows);
            }
            columns.push_back(*made);
        }
        return read_all(
            [&](std::size_t section, std::uint64_t block, std::span<std::byte const> bytes) {
                std::memcpy(columns[section]->edit(0) + block * snapshot_block_bytes, bytes.data(),
                            bytes.size());
            });
    }

    [[nodiscard]] static result<void> check_host() {
        if constexpr (std::endian::native != std::endian::little)
            return error{errc::unsupported, "a little-endian host, as the rows of snapshots are",
                         "a big-endian one"};
        return {};
    }

    [[no_unique_address]] Allocator allocator_ = {};
    std::vector<named> columns_;
    std::vector<staged> staged_;
    storage::properties properties_;
};

/// Columns on the heap, whose memory comes from an allocator. What is in them ends with the store,
/// unless it was saved; it is saved to, and loaded from, one snapshot file.
template <class Allocator = std::allocator<std::byte>>
struct basic_memory {
    static constexpr bool durable = false;
    static constexpr std::string_view name = "memory";
    using column = basic_memory_column<Allocator>;
    using space = memory_space<Allocator>;
};

using memory = basic_memory<>;

static_assert(model<memory>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
