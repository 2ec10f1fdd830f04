// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_WRITING_HPP
#define VICINAL_STORE_WRITING_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/store/changes.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/folding.hpp>
#include <vicinal/store/gate.hpp>

namespace vicinal::inline VICINAL_ABI::detail {

/// What every write begins and ends with, whatever it writes. One thread at a time is a writer.
template <class Metric, class Index, class Storage, class Payload, class Id>
class writing : protected changes<Metric, Index, Storage, Payload, Id> {
    using base = changes<Metric, Index, Storage, Payload, Id>;

protected:
    using base::applier;
    using base::base;
    using base::gate_;
    using base::index_;
    using base::rows_;
    using base::section;
    using base::space_;
    using typename base::rows_type;
    ~writing() = default;

    [[nodiscard]] VICINAL_COLD result<void> make() {
        return base::make([&]() -> result<void> {
            if constexpr (Storage::durable) VICINAL_CHECK(space_.replay(applier()));
            return {};
        });
    }

    /// What every write begins with.
    [[nodiscard]] result<void> begin_write() {
        if constexpr (Storage::durable)
            if (space_.read_only()) return error{errc::read_only, "a store opened for writing"};
        if (!gate_.admits()) VICINAL_CHECK(make());
        return damage_;
    }

    /// Runs what nothing can fail in any more. Where it met damage, this write is in the log and no
    /// other one is taken: the index may have been changed by what it misread.
    template <class Body>
    void settle(Body const& body) {
        storage::fault_scope const faults;
        body();
        if (damage_) damage_ = faults.check();
    }

    /// Lets the index take in all that it lags behind.
    void take_in() {
        fold_until(*rows_, *index_, rows_->count(), section());
        fold_all_fields();
    }
    void fold_all_fields() {
        if constexpr (rows_type::fields_type::possible)
            if (!rows_->fields().empty())
                fold_fields(*rows_, rows_->count(), rows_->count(), section());
    }

    writer_mutex writer_;
    result<void> damage_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
