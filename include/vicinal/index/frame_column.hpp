// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FRAME_COLUMN_HPP
#define VICINAL_INDEX_FRAME_COLUMN_HPP

#include <vicinal/codec/sq8/frame.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/storage/concept.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The column of the frame that codes are made in: no row for an empty frame; else u32 1, or 2 for
/// a rotated one, and the mean, an f32 each.
namespace vicinal::inline VICINAL_ABI::index {

/// Rows that an index wants before it chooses a frame. It does so once: a row that comes later is
/// encoded in the frame that was chosen, and few came before.
inline constexpr slot framed_from = 1000;

template <class Codec>
concept framed = requires(Codec const& codec) {
    { codec.frame() } -> std::same_as<codec::sq8_frame const&>;
};

/// The column of that name with what it says. Errors: corrupt_snapshot, out_of_memory.
template <class Column>
class frame_column {
public:
    template <class Space>
    [[nodiscard]] static result<frame_column> open(Space& space, std::string_view name) {
        auto column = space.column(name, sizeof(float), storage::heat::hot);
        VICINAL_CHECK(column);
        frame_column c;
        c.column_ = *column;
        c.name_ = name;
        return c;
    }

    [[nodiscard]] result<codec::sq8_frame> get(std::size_t dim) const {
        return vicinal::detail::guarded([&]() -> result<codec::sq8_frame> {
            if (column_->rows() == 0) return codec::sq8_frame{};
            auto const rows = column_->reader();
            auto const kind = *rows.template row_as<std::uint32_t>(0);
            bool sound = column_->rows() == dim + 1 && (kind == 1 || kind == 2);
            std::vector<float> mean(sound ? dim : 0);
            if (sound) std::memcpy(mean.data(), rows.row(1), dim * sizeof(float));
            for (auto const m : mean) sound = sound && std::isfinite(m);
            if (!sound)
                return error{
                    errc::corrupt_snapshot,
                    std::string(name_) + " of a kind and " + std::to_string(dim) + " numbers",
                    std::to_string(column_->rows()) + " rows, kind " + std::to_string(kind)};
            return codec::sq8_frame{std::move(mean), kind == 2};
        });
    }

    /// Room for put().
    template <class Section>
    [[nodiscard]] result<void> reserve(codec::sq8_frame const& frame, Section const& section) {
        auto const rows = frame.empty() ? 0 : frame.mean().size() + 1;
        if (rows > column_->capacity()) {
            VICINAL_CHECK(column_->prepare(rows));
            section([&] { column_->commit(); });
        }
        return {};
    }
    /// Inside the caller's section.
    void put(codec::sq8_frame const& frame) noexcept {
        if (frame.empty()) return column_->resize(0);
        column_->resize(frame.mean().size() + 1);
        std::uint32_t const kind = frame.rotated() ? 2 : 1;
        std::memcpy(column_->edit(0), &kind, sizeof kind);
        for (std::size_t i = 0; i < frame.mean().size(); ++i)
            std::memcpy(column_->edit(i + 1), &frame.mean()[i], sizeof(float));
    }

private:
    Column* column_ = nullptr;
    std::string_view name_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
