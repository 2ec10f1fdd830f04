// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_FLATBUFFER_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_FLATBUFFER_HPP

#include <vicinal/core/bits.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// Bytes in FlatBuffers' format (flatbuffers.dev, "FlatBuffers Internals"), which may be anything.
/// Every access is checked; what is wrong sticks, so that `good` needs to be asked once.
class flat_bytes {
public:
    explicit flat_bytes(std::string_view bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] bool good() const noexcept { return good_; }
    void fail() noexcept { good_ = false; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

    template <std::unsigned_integral U>
    [[nodiscard]] U load(std::size_t at) noexcept {
        if (!has(at, sizeof(U))) return 0;
        return load_le<U>(reinterpret_cast<std::byte const*>(bytes_.data() + at));
    }
    /// The bytes at `at`; none, and no longer good, where they are not all there.
    [[nodiscard]] std::string_view piece(std::size_t at, std::size_t length) noexcept {
        return has(at, length) ? bytes_.substr(at, length) : std::string_view();
    }
    [[nodiscard]] bool has(std::size_t at, std::size_t length) noexcept {
        good_ = good_ && at <= bytes_.size() && length <= bytes_.size() - at;
        return good_;
    }

private:
    std::string_view bytes_;
    bool good_ = true;
};

/// Elements one behind the other.
struct flat_vector {
    std::size_t at = 0;
    std::size_t count = 0;
};

/// A table: fields that are there or not. One that is not there itself has none.
class flat_table {
public:
    flat_table(flat_bytes& bytes, std::size_t at) noexcept : bytes_(&bytes), at_(at) {
        if (at == 0) return;
        auto const back = static_cast<std::int32_t>(bytes.load<std::uint32_t>(at));
        auto const names = static_cast<std::int64_t>(at) - back;
        if (names < 0) {
            bytes.fail();
            return;
        }
        names_ = static_cast<std::size_t>(names);
        size_ = bytes.load<std::uint16_t>(names_);
    }
    [[nodiscard]] static flat_table root(flat_bytes& bytes) noexcept {
        return {bytes, bytes.load<std::uint32_t>(0)};
    }

    [[nodiscard]] bool there() const noexcept { return at_ != 0 && bytes_->good(); }

    /// A number; `otherwise` where the field is not there.
    template <std::unsigned_integral U>
    [[nodiscard]] U number(unsigned field, U otherwise = 0) const noexcept {
        auto const at = place(field);
        return at == 0 ? otherwise : bytes_->load<U>(at);
    }

    [[nodiscard]] flat_table table(unsigned field) const noexcept {
        return {*bytes_, target(field)};
    }

    [[nodiscard]] std::string_view text(unsigned field) const noexcept {
        auto const v = vector(field, 1);
        return bytes_->piece(v.at, v.count);
    }

    /// A vector of elements of that many bytes, all of which are there.
    [[nodiscard]] flat_vector vector(unsigned field, std::size_t bytes_each) const noexcept {
        auto const at = target(field);
        if (at == 0) return {};
        std::size_t const count = bytes_->load<std::uint32_t>(at);
        if (count > bytes_->size() / bytes_each || !bytes_->has(at + 4, count * bytes_each)) {
            bytes_->fail();
            return {};
        }
        return {at + 4, count};
    }

    /// An element of a vector of tables.
    [[nodiscard]] flat_table element(flat_vector v, std::size_t i) const noexcept {
        auto const at = v.at + 4 * i;
        auto const step = bytes_->load<std::uint32_t>(at);
        return {*bytes_, bytes_->good() && step != 0 ? at + step : 0};
    }

    [[nodiscard]] flat_bytes& bytes() const noexcept { return *bytes_; }

private:
    /// Where the field's value or offset lies; 0 where it has none.
    [[nodiscard]] std::size_t place(unsigned field) const noexcept {
        auto const entry = std::size_t{4} + std::size_t{2} * field;
        if (!there() || entry + 2 > size_) return 0;
        auto const offset = bytes_->load<std::uint16_t>(names_ + entry);
        return offset == 0 ? 0 : at_ + offset;
    }
    [[nodiscard]] std::size_t target(unsigned field) const noexcept {
        auto const at = place(field);
        if (at == 0) return 0;
        auto const step = bytes_->load<std::uint32_t>(at);
        return bytes_->good() && step != 0 ? at + step : 0;
    }

    flat_bytes* bytes_;
    std::size_t at_ = 0;
    std::size_t names_ = 0;
    std::size_t size_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
