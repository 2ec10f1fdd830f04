// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CALLS_BASE_HPP
#define VICINAL_STORE_CALLS_BASE_HPP

#include <vicinal/store/opening.hpp>
#include <vicinal/store/types.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// What all calls of a store have: its engine, and where that was opened. Each file of calls is
/// the base of another one, so that a store has all of them.
template <class Types>
class store_base : public Types {
public:
    [[nodiscard]] std::size_t size() const {
        return engine_->read([](auto const& rows, auto const&) { return rows.live_count(); });
    }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t dim() const noexcept { return engine_->dim(); }

protected:
    using typename Types::engine_type;
    using typename Types::options;
    static constexpr bool durable = Types::storage_policy::durable;

    explicit store_base(std::unique_ptr<engine_type> e) noexcept : engine_(std::move(e)) {}

    std::unique_ptr<engine_type> engine_;
    [[no_unique_address]] origin<durable, options> from_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
