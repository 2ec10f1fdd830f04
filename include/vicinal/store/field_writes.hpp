// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_WRITES_HPP
#define VICINAL_STORE_FIELD_WRITES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/index/field_path.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/storage/faults.hpp>
#include <vicinal/storage/log_format.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/writing.hpp>

#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// The writes that make and drop indexes on fields.
template <class Metric, class Index, class Storage, class Payload, class Id>
class field_writes : protected writing<Metric, Index, Storage, Payload, Id> {
    using base = writing<Metric, Index, Storage, Payload, Id>;

protected:
    using base::base;
    using base::begin_write;
    using base::fold_all_fields;
    using base::rows_;
    using base::section;
    using base::settle;
    using base::space_;
    using base::writer_;
    ~field_writes() = default;

    /// Makes an index on a field and fills it; without effect where there is one of that kind.
    [[nodiscard]] result<void> create_index(payload::detail::field_path const& path,
                                            field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const& fields = rows_->fields();
        if (has_field_index(fields, path, kind)) return {};
        if (fields.list().size() == most_field_indexes)
            return error{errc::limit_exceeded,
                         "at most " + std::to_string(most_field_indexes) + " indexes on fields"};
        auto made = with_field_index(fields, path, kind);
        VICINAL_CHECK(log_index(operation::create_index, path, kind));
        settle([&] {
            section()([&] { rows_->edit_fields().exchange(made); });
            fold_all_fields();
        });
        return {};
    }
    /// False where there is none.
    [[nodiscard]] result<bool> drop_index(payload::detail::field_path const& path,
                                          field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const& fields = rows_->fields();
        if (!has_field_index(fields, path, kind)) return false;
        auto left = without_field_index(fields, path, kind);
        VICINAL_CHECK(log_index(operation::drop_index, path, kind));
        section()([&] { rows_->edit_fields().exchange(left); });
        return true;
    }
    /// Fills an index anew from the payloads; false where there is none.
    [[nodiscard]] result<bool> rebuild_index(payload::detail::field_path const& path,
                                             field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        if (!has_field_index(rows_->fields(), path, kind)) return false;
        return storage::unless_faulty([&]() -> result<bool> {
            VICINAL_CHECK(rebuild_field_index(*rows_, path, kind, section()));
            return true;
        });
    }

private:
    [[nodiscard]] result<void> log_index(operation what, payload::detail::field_path const& path,
                                         field_index kind) {
        if constexpr (Storage::durable)
            return space_.log(write_field_index(what, path.shown(), kind).bytes(),
                              log_kind::later_batch);
        return {};
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
