// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_MODEL_COLUMN_HPP
#define VICINAL_INDEX_MODEL_COLUMN_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/concept.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// The column of what a codec has learnt: its numbers, an f32 a row; none before it has.
template <class Column>
class model_column {
public:
    /// Hands the numbers to the codec. Errors: corrupt_snapshot, where it can't read them;
    /// out_of_memory.
    template <class Space, class Codec>
    [[nodiscard]] static result<model_column> open(Space& space, std::string_view name,
                                                   Codec& codec) {
        auto column = space.column(name, sizeof(float), storage::heat::hot);
        VICINAL_CHECK(column);
        return vicinal::detail::guarded([&]() -> result<model_column> {
            auto const n = static_cast<std::size_t>((*column)->rows());
            std::vector<float> numbers(n);
            if (n != 0)
                std::memcpy(numbers.data(), (*column)->reader().rows(0, n), n * sizeof(float));
            if (!codec.put_model(numbers))
                return error{errc::corrupt_snapshot,
                             std::string(name) + " as the codec has learnt it",
                             std::to_string(n) + " numbers"};
            model_column m;
            m.column_ = *column;
            return m;
        });
    }

    [[nodiscard]] bool empty() const noexcept { return column_->rows() == 0; }

    /// Room for put().
    template <class Section>
    [[nodiscard]] result<void> reserve(std::size_t numbers, Section const& section) {
        if (numbers <= column_->capacity()) return {};
        VICINAL_CHECK(column_->prepare(numbers));
        section([&] { column_->commit(); });
        return {};
    }
    /// Inside the caller's section.
    void put(std::span<float const> numbers) noexcept {
        column_->resize(numbers.size());
        for (std::size_t i = 0; i < numbers.size(); ++i)
            std::memcpy(column_->edit(i), &numbers[i], sizeof(float));
    }

private:
    Column* column_ = nullptr;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
