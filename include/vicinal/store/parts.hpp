// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_PARTS_HPP
#define VICINAL_STORE_PARTS_HPP

#include <vicinal/core/mutex.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/store/gate.hpp>
#include <vicinal/store/rows.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// What an engine consists of: the opened storage, the rows and the index in its columns, and the
/// gate before them.
///
/// All but the storage is made at the first use of a store in memory, which until then takes a few
/// hundred bytes instead of 3 KB: a program may keep one for each of its users, and most of those
/// stay empty.
template <class Metric, class Index, class Storage, class Payload, class Id>
class parts {
public:
    using space = typename Storage::space;
    using rows_type = rows<Metric, typename Index::codec_type, Storage, Payload, Id>;
    using index_type = typename Index::template of<Metric, Storage>;

protected:
    parts(space opened, std::size_t dim, typename Index::options const& options)
        : space_(std::move(opened)), dim_(dim), options_(options) {}
    parts(parts const&) = delete;
    parts& operator=(parts const&) = delete;
    ~parts() = default;

    /// Whether the columns need not be there yet.
    [[nodiscard]] bool may_wait() const noexcept {
        if constexpr (Storage::durable)
            return false;
        else
            return space_.empty();
    }
    /// Opens the columns, calls fill() -> result<void> and lets readers in, if that was not done
    /// before. Safe beside other calls of it, which a reader's may be. What fails is tried again
    /// with the next call.
    template <class Fill>
    [[nodiscard]] result<void> make(Fill const& fill) {
        mutex_lock const held(making_);
        if (gate_.admits()) return {};
        return guarded([&]() -> result<void> {
            auto const opened = storage::unless_faulty([&]() -> result<void> {
                VICINAL_CHECK(open_columns());
                return fill();
            });
            VICINAL_CHECK(opened);
            if (!gate_.admit()) return error{errc::out_of_memory};
            return {};
        });
    }

    /// Runs a body while no reader is inside.
    [[nodiscard]] auto section() noexcept {
        return [this](auto&& body) { gate_.exclude(body); };
    }

    space space_;
    std::size_t dim_;
    /// Empty until make().
    std::optional<rows_type> rows_;
    std::optional<index_type> index_;
    gate gate_;

private:
    [[nodiscard]] result<void> open_columns() {
        auto table = rows_type::open(space_, dim_);
        VICINAL_CHECK(table);
        rows_.emplace(std::move(*table));
        auto index = index_type::open(space_, rows_->vectors(), dim_, options_);
        VICINAL_CHECK(index);
        index_.emplace(std::move(*index));
        return {};
    }

    typename Index::options options_;
    mutex making_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
