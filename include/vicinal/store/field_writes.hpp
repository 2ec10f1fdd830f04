// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_WRITES_HPP
#define VICINAL_STORE_FIELD_WRITES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/payload/index/field_path.hpp>
#include <vicinal/payload/index/kind.hpp>
#include <vicinal/storage/faults.hpp>
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
        auto const& list = rows_->fields().list();
        if (rows_->fields().place(path.shown(), kind) < list.size()) return {};
        if (list.size() == most_field_indexes)
            return error{errc::limit_exceeded,
                         "at most " + std::to_string(most_field_indexes) + " indexes on fields"};
        VICINAL_CHECK(log_index(operation::create_index, path, kind));
        settle([&] { static_cast<void>(add_field_index(*rows_, path, kind, true, section())); });
        return {};
    }
    /// False where there is none.
    [[nodiscard]] result<bool> drop_index(payload::detail::field_path const& path,
                                          field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        auto const& fields = rows_->fields();
        if (fields.place(path.shown(), kind) == fields.list().size()) return false;
        VICINAL_CHECK(log_index(operation::drop_index, path, kind));
        return drop_field_index(*rows_, path, kind, section());
    }
    /// Fills an index anew from the payloads; false where there is none.
    [[nodiscard]] result<bool> rebuild_index(payload::detail::field_path const& path,
                                             field_index kind) {
        writer_lock const held(writer_);
        VICINAL_CHECK(begin_write());
        return storage::unless_faulty(
            [&] { return rebuild_field_index(*rows_, path, kind, section()); });
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
