// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_LEARNT_CODEC_HPP
#define VICINAL_INDEX_LEARNT_CODEC_HPP

#include <vicinal/codec/only.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/index/frame_column.hpp>
#include <vicinal/index/model_column.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::index {

/// A codec whose codes lie in a column of an index, and the columns of what it makes them in: its
/// frame, and what it has learnt, where it has such.
template <class Codec, class Column>
class learnt_codec {
public:
    static constexpr bool has_frame = framed<Codec>;
    static constexpr bool learns = codec::needs_model<Codec>;

    explicit learnt_codec(std::size_t dim) : codec_(dim), dim_(dim) {}

    /// Binds it to those columns, making them where there are none, and hands the codec what they
    /// say. coded: whether there are codes already, which need what they were made in. The names
    /// must outlive it. Errors: corrupt_snapshot, out_of_memory.
    template <class Space>
    [[nodiscard]] result<void> bind(Space& space, std::string_view frame, std::string_view model,
                                    bool coded) {
        if constexpr (has_frame) {
            auto frames = frame_column<Column>::open(space, frame);
            VICINAL_CHECK(frames);
            auto now = frames->get(dim_);
            VICINAL_CHECK(now);
            frames_ = *frames;
            codec_.put(std::move(*now));
        }
        if constexpr (learns) {
            auto numbers = model_column<Column>::open(space, model, codec_);
            VICINAL_CHECK(numbers);
            model_ = *numbers;
            if (coded && model_.empty())
                return error{errc::corrupt_snapshot, "codes with what they were learnt from",
                             "no " + std::string(model)};
        }
        static_cast<void>(space), static_cast<void>(frame), static_cast<void>(model);
        static_cast<void>(coded);
        return {};
    }

    [[nodiscard]] Codec const& operator*() const noexcept { return codec_; }
    [[nodiscard]] Codec const* operator->() const noexcept { return &codec_; }

    /// Whether there can be codes of `until` rows: a codec that learns wants enough of them.
    [[nodiscard]] bool ready(slot until) const noexcept {
        if constexpr (learns) return codec_.has_model() || until >= Codec::trains_from;
        static_cast<void>(until);
        return true;
    }

    /// Room for put().
    template <class Section>
    [[nodiscard]] result<void> reserve(codec::sq8_frame const& frame, Section const& section) {
        return frames_.reserve(frame, section);
    }
    /// Inside the section, with which all codes there are must be made anew.
    void put(codec::sq8_frame frame) noexcept {
        frames_.put(frame);
        codec_.put(std::move(frame));
    }
    /// Takes what Codec::fit() gives before there is any code: no search reads the codec yet.
    template <class Section>
    [[nodiscard]] result<void> learn(std::span<float const> numbers, Section const& section) {
        VICINAL_CHECK(model_.reserve(numbers.size(), section));
        if (!codec_.put_model(numbers))
            return error{errc::not_finite, "vectors that a codec can learn from",
                         "elements beyond its range"};
        section([&] { model_.put(numbers); });
        return {};
    }
    /// Forgets all of it. Inside the section.
    void clear() noexcept {
        if constexpr (has_frame) put(codec::sq8_frame{});
        if constexpr (learns) {
            model_.put({});
            static_cast<void>(codec_.put_model({}));
        }
    }

private:
    frame_column<Column> frames_;
    model_column<Column> model_;
    Codec codec_;
    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
