// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_KEPT_VECTORS_HPP
#define VICINAL_STORE_KEPT_VECTORS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/index/decoded_vectors.hpp>
#include <vicinal/metric/concept.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/replacement.hpp>
#include <vicinal/store/operations.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a store keeps of its vectors: the vectors, bit for bit, in a column of their own.
template <class Metric, class Codec, class Storage>
class kept_vectors {
public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    /// Whether every vector can be given back as it came.
    static constexpr bool exact = true;

    [[nodiscard]] static result<kept_vectors> open(typename Storage::space& space,
                                                   std::size_t dim) {
        auto vectors = space.column("vectors", dim * sizeof(element), storage::heat::cold);
        VICINAL_CHECK(vectors);
        kept_vectors k;
        k.vectors_ = *vectors;
        return k;
    }

    [[nodiscard]] column const& view() const noexcept { return *vectors_; }
    [[nodiscard]] static constexpr bool estimates() noexcept { return false; }
    [[nodiscard]] std::uint64_t vector_bytes() const noexcept { return vectors_->row_bytes(); }
    [[nodiscard]] static constexpr std::uint64_t code_bytes() noexcept { return 0; }

    template <class Id, class Section>
    [[nodiscard]] static result<void> admit(std::uint64_t, std::span<prepared<Id> const>,
                                            Section const&) {
        return {};
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, Section const& section) {
        if (slots > vectors_->capacity()) {
            VICINAL_CHECK(vectors_->prepare(slots));
            section([&] { vectors_->commit(); });
        }
        return {};
    }
    void resize(std::uint64_t slots) noexcept { vectors_->resize(slots); }
    void put(slot s, void const* vector) noexcept {
        std::memcpy(vectors_->edit(s), vector, vectors_->row_bytes());
    }
    void copy(slot from, slot to) noexcept {
        auto const vectors = vectors_->reader();
        std::memcpy(vectors_->edit(to), vectors.row(from), vectors_->row_bytes());
    }
    void clear() noexcept { vectors_->resize(0); }

    void look_ahead() const noexcept { storage::read_last(*vectors_); }
    void look_at(slot s) const noexcept { static_cast<void>(vectors_->reader().row(s)); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        out.push_back(storage::chosen_rows("vectors", *vectors_, kept));
    }

private:
    column* vectors_ = nullptr;
};

/// The codes alone: what is read is what they stand for.
template <class Metric, class Codec, class Storage>
    requires codec::alone<typename Codec::template of<Metric>>
class kept_vectors<Metric, Codec, Storage> {
    using coded = typename Codec::template of<Metric>;
    using decoded = index::decoded_vectors<coded, Storage>;

public:
    static constexpr bool exact = false;

    [[nodiscard]] static result<kept_vectors> open(typename Storage::space& space,
                                                   std::size_t dim) {
        auto rows = decoded::open(space, dim);
        VICINAL_CHECK(rows);
        kept_vectors k;
        k.rows_ = std::move(*rows);
        k.dim_ = dim;
        return k;
    }

    [[nodiscard]] decoded const& view() const noexcept { return *rows_; }
    /// Whether distances are to what codes stand for: not before there are codes.
    [[nodiscard]] bool estimates() const noexcept { return rows_->coded(); }
    [[nodiscard]] std::uint64_t vector_bytes() const noexcept {
        return rows_->coded() ? 0 : rows_->row_bytes();
    }
    [[nodiscard]] std::uint64_t code_bytes() const noexcept {
        return rows_->coded() ? rows_->row_bytes() : 0;
    }

    /// Refuses a batch with a vector that no code stands for, and lets the codec learn where the
    /// batch brings enough rows. Errors: invalid_argument, out_of_memory.
    template <class Id, class Section>
    [[nodiscard]] result<void> admit(std::uint64_t before, std::span<prepared<Id> const> batch,
                                     Section const& section) {
        return guarded([&]() -> result<void> {
            std::vector<float> aligned(dim_); // a log has them where they fell
            auto const row = [&](std::size_t i) {
                std::memcpy(aligned.data(), batch[i].vector, dim_ * sizeof(float));
                return static_cast<float const*>(aligned.data());
            };
            for (std::size_t i = 0; i < batch.size(); ++i)
                if (!rows_->codec().encodes(row(i)))
                    return error{errc::invalid_argument,
                                 "elements that " + std::string(Codec::name) +
                                     " has codes for: of a size from 2^-60 to 2^60, or what its "
                                     "type of number holds",
                                 "others for '" + id_traits<Id>::text(batch[i].id) + "'"};
            return rows_->learn(static_cast<std::size_t>(before), batch.size(), row, section);
        });
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, Section const& section) {
        return rows_->reserve(slots, section);
    }
    void resize(std::uint64_t slots) noexcept { rows_->resize(slots); }
    void put(slot s, void const* vector) noexcept { rows_->put(s, vector); }
    void copy(slot from, slot to) noexcept { rows_->copy(from, to); }
    void clear() noexcept { rows_->clear(); }

    void look_ahead() const noexcept { rows_->look_ahead(); }
    void look_at(slot s) const noexcept { rows_->look_at(s); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        rows_->compact(kept, out);
    }

private:
    /// At one address, which the index knows.
    std::unique_ptr<decoded> rows_;
    std::size_t dim_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
