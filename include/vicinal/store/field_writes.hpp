// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_FIELD_WRITES_HPP
#define VICINAL_STORE_FIELD_WRITES_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/gate.hpp>
#include <vicinal/store/operations.hpp>

#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// What an engine does when indexes on fields are made and dropped: log it, then do it. Engine
/// derives from it and has it as a friend.
template <class Engine>
class field_writes {
    using path_type = payload::detail::field_path;

public:
    /// Makes an index on a field and fills it; without effect where there is one of that kind.
    [[nodiscard]] result<void> create_index(path_type const& path, field_index kind) {
        writer_lock const held(self().writer_);
        VICINAL_CHECK(self().begin_write());
        auto const& list = rows().fields().list();
        if (has(path, kind)) return {};
        if (list.size() == most_field_indexes)
            return error{errc::limit_exceeded,
                         "at most " + std::to_string(most_field_indexes) + " indexes on fields"};
        auto made = with_field_index(rows().fields(), path, kind);
        VICINAL_CHECK(log(operation::create_index, path, kind));
        self().settle([&] {
            self().section()([&] { rows().edit_fields().exchange(made); });
            fold_fields(rows(), rows().count(), rows().count(), self().section());
        });
        return {};
    }
    /// False where there is none.
    [[nodiscard]] result<bool> drop_index(path_type const& path, field_index kind) {
        writer_lock const held(self().writer_);
        VICINAL_CHECK(self().begin_write());
        if (!has(path, kind)) return false;
        auto left = without_field_index(rows().fields(), path, kind);
        VICINAL_CHECK(log(operation::drop_index, path, kind));
        self().section()([&] { rows().edit_fields().exchange(left); });
        return true;
    }
    /// Fills an index anew from the payloads; false where there is none.
    [[nodiscard]] result<bool> rebuild_index(path_type const& path, field_index kind) {
        writer_lock const held(self().writer_);
        VICINAL_CHECK(self().begin_write());
        if (!has(path, kind)) return false;
        return storage::unless_faulty([&]() -> result<bool> {
            VICINAL_CHECK(rebuild_field_index(rows(), path, kind, self().section()));
            return true;
        });
    }

protected:
    /// Repeats what the log says; nothing is filled.
    [[nodiscard]] result<void> repeat_index(bool made, std::string_view field, field_index kind) {
        auto const path = path_type::parse(field);
        if (!path) return error{errc::corrupt_log, "a name of a field", std::string(field)};
        if (has(*path, kind) == made) return {};
        auto list = made ? with_field_index(rows().fields(), *path, kind)
                         : without_field_index(rows().fields(), *path, kind);
        self().section()([&] { rows().edit_fields().exchange(list); });
        return {};
    }

private:
    [[nodiscard]] Engine& self() noexcept { return static_cast<Engine&>(*this); }
    [[nodiscard]] auto& rows() noexcept { return *self().rows_; }
    [[nodiscard]] bool has(path_type const& path, field_index kind) noexcept {
        auto const& fields = rows().fields();
        return fields.place(path.shown(), kind) < fields.list().size();
    }
    [[nodiscard]] result<void> log(operation what, path_type const& path, field_index kind) {
        if constexpr (Engine::logs)
            return self().space_.log(write_field_index(what, path.shown(), kind).bytes());
        return {};
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
