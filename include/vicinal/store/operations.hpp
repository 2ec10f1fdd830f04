// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_OPERATIONS_HPP
#define VICINAL_STORE_OPERATIONS_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/store/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The operations of a store as they stand in its log. One log record is one call: all of it
/// happened or nothing.
///
///     u8 kind (1 upsert, 2 erase, 3 clear, 4 create_index, 5 drop_index, 6 update); u8[3] zero;
///     u32 count; then `count` entries:
///     upsert: u32 bytes of the id, id, vector, u32 bytes of the payload, payload
///     erase:  u32 bytes of the id, id
///     create_index, drop_index: u32 kind of the index, u32 bytes of the field's name, name
///     update: u32 bytes of the id, id, u32 bytes of the payload, payload
///
/// Those from 4 on are records of kind log_kind::later_batch.
///
/// Integers little-endian, an integer id as 8 bytes, vectors as they lie in memory.
namespace vicinal::inline VICINAL_ABI::detail {

enum class operation : std::uint8_t {
    upsert = 1,
    erase = 2,
    clear = 3,
    create_index = 4,
    drop_index = 5,
    update = 6
};

/// One record of a batch, checked and encoded, pointing into what its maker keeps alive. In an
/// update, which replaces a payload alone, there is no vector.
template <class Id>
struct prepared {
    typename id_traits<Id>::view id;
    std::uint64_t hash; // of the id
    std::byte const* vector;
    std::span<std::byte const> payload;
};

/// Builds a log record.
class operation_writer {
public:
    operation_writer(operation kind, std::size_t count, std::size_t bytes) {
        bytes_.reserve(8 + bytes);
        bytes_.assign(4, std::byte{0});
        bytes_[0] = static_cast<std::byte>(kind);
        number(static_cast<std::uint32_t>(count));
    }
    void id(std::string_view text) { run(std::as_bytes(std::span(text.data(), text.size()))); }
    template <std::unsigned_integral Id>
    void id(Id number_id) {
        std::byte wide[8];
        store_le<std::uint64_t>(wide, number_id);
        run(wide);
    }
    void run(std::span<std::byte const> bytes) {
        number(static_cast<std::uint32_t>(bytes.size()));
        raw(bytes);
    }
    void raw(std::span<std::byte const> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    void number(std::uint32_t n) {
        std::byte four[4];
        store_le(four, n);
        raw(four);
    }
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return bytes_; }

private:
    std::vector<std::byte> bytes_;
};

/// Reads a log record. Every length is checked against what is there.
class operation_reader {
public:
    explicit operation_reader(std::span<std::byte const> bytes) noexcept : left_(bytes) {}

    [[nodiscard]] bool number(std::uint32_t& n) noexcept {
        std::span<std::byte const> four;
        if (!raw(4, four)) return false;
        n = load_le<std::uint32_t>(four.data());
        return true;
    }
    [[nodiscard]] bool raw(std::size_t n, std::span<std::byte const>& out) noexcept {
        if (left_.size() < n) return false;
        out = left_.first(n);
        left_ = left_.subspan(n);
        return true;
    }
    [[nodiscard]] bool run(std::span<std::byte const>& out) noexcept {
        std::uint32_t n = 0;
        return number(n) && raw(n, out);
    }
    [[nodiscard]] bool id(std::string_view& out) noexcept {
        std::span<std::byte const> bytes;
        if (!run(bytes) || bytes.empty()) return false;
        out = {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
        return true;
    }
    template <std::unsigned_integral Id>
    [[nodiscard]] bool id(Id& out) noexcept {
        std::span<std::byte const> bytes;
        if (!run(bytes) || bytes.size() != 8) return false;
        auto const wide = load_le<std::uint64_t>(bytes.data());
        out = static_cast<Id>(wide);
        return out == wide;
    }
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

private:
    std::span<std::byte const> left_;
};

/// create_index or drop_index of one index.
[[nodiscard]] inline operation_writer write_field_index(operation what, std::string_view field,
                                                        field_index kind) {
    operation_writer w(what, 1, 8 + field.size());
    w.number(static_cast<std::uint32_t>(kind));
    w.id(field);
    return w;
}

template <class Id>
[[nodiscard]] operation_writer write_upsert(std::span<prepared<Id> const> batch,
                                            std::size_t vector_bytes) {
    std::size_t bytes = 0;
    for (auto const& p : batch)
        bytes += 16 + vector_bytes + p.payload.size() + id_traits<Id>::bytes_of(p.id);
    operation_writer w(operation::upsert, batch.size(), bytes);
    for (auto const& p : batch) {
        w.id(p.id);
        w.raw({p.vector, vector_bytes});
        w.run(p.payload);
    }
    return w;
}

/// Errors: out_of_memory, or what was wrong with an id's bytes.
template <class Id, class Rows>
[[nodiscard]] result<operation_writer> write_erase(Rows const& rows, std::span<slot const> chosen) {
    return storage::unless_faulty([&]() -> result<operation_writer> {
        std::size_t bytes = 0;
        for (auto const s : chosen) bytes += 4 + id_traits<Id>::bytes_of(rows.id(s));
        operation_writer w(operation::erase, chosen.size(), bytes);
        for (auto const s : chosen) w.id(rows.id(s));
        return w;
    });
}

/// Reads the entries of an upsert, or of an update, whose vectors have no bytes; false where they
/// are not what write_upsert or write_update gives.
template <class Id>
[[nodiscard]] bool read_batch(operation_reader& r, std::uint32_t count, std::size_t vector_bytes,
                              std::vector<prepared<Id>>& batch) {
    batch.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        prepared<Id> p{};
        std::span<std::byte const> vector;
        if (!r.id(p.id) || !r.raw(vector_bytes, vector) || !r.run(p.payload) ||
            p.payload.size() > largest_run)
            return false;
        p.hash = id_traits<Id>::hash(p.id);
        p.vector = vector.data();
        batch.push_back(p);
    }
    return r.left() == 0;
}

template <class Id>
[[nodiscard]] operation_writer write_update(std::span<prepared<Id> const> batch) {
    std::size_t bytes = 0;
    for (auto const& p : batch) bytes += 8 + p.payload.size() + id_traits<Id>::bytes_of(p.id);
    operation_writer w(operation::update, batch.size(), bytes);
    for (auto const& p : batch) {
        w.id(p.id);
        w.run(p.payload);
    }
    return w;
}

/// Reads a log record and hands it on: to.upsert(span of prepared), to.update(the same),
/// to.erase(id), to.clear(), to.index_on(whether made, name, kind), which give a result<void>.
/// errc::corrupt_log where it is not what vicinal writes; an upsert or update is then not handed
/// on.
template <class Id, class To>
[[nodiscard]] result<void> read_operation(std::span<std::byte const> record,
                                          std::size_t vector_bytes, To&& to) {
    auto const malformed = [] {
        return error{errc::corrupt_log, "an operation that vicinal writes",
                     "a record of another form"};
    };
    operation_reader r(record);
    std::span<std::byte const> kind;
    std::uint32_t count = 0;
    if (!r.raw(4, kind) || !r.number(count)) return malformed();
    switch (static_cast<operation>(kind[0])) {
        case operation::upsert:
        case operation::update: {
            bool const update = static_cast<operation>(kind[0]) == operation::update;
            std::vector<prepared<Id>> batch;
            if (!read_batch(r, count, update ? 0 : vector_bytes, batch)) return malformed();
            std::span<prepared<Id> const> const all(batch);
            return update ? to.update(all) : to.upsert(all);
        }
        case operation::erase: {
            typename id_traits<Id>::view id{};
            for (; count > 0; --count) {
                if (!r.id(id)) return malformed();
                VICINAL_CHECK(to.erase(id));
            }
            return {};
        }
        case operation::clear: return to.clear();
        case operation::create_index:
        case operation::drop_index:
            for (; count > 0; --count) {
                std::uint32_t of = 0;
                std::string_view field;
                if (!r.number(of) || of > static_cast<std::uint32_t>(field_index::inverted) ||
                    !r.id(field))
                    return malformed();
                VICINAL_CHECK(
                    to.index_on(kind[0] == static_cast<std::byte>(operation::create_index), field,
                                static_cast<field_index>(of)));
            }
            return {};
    }
    return malformed();
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
