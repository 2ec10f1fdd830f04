// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_CHANGES_HPP
#define VICINAL_STORE_CHANGES_HPP

#include <vicinal/store/field_upkeep.hpp>
#include <vicinal/store/payload_update.hpp>
#include <vicinal/store/upkeep.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a write does to the rows, when it is made and when a log is replayed. Nothing is logged
/// here and nothing built.
template <class Metric, class Index, class Storage, class Payload, class Id>
class changes : protected upkeep<Metric, Index, Storage, Payload, Id> {
    using base = upkeep<Metric, Index, Storage, Payload, Id>;

protected:
    using base::base;
    using base::dead_before_;
    using base::dim_;
    using base::index_;
    using base::pins_;
    using base::rows_;
    using base::section;
    using typename base::rows_type;
    using id_view = typename id_traits<Id>::view;
    using entry = prepared<Id>;
    ~changes() = default;

    [[nodiscard]] std::size_t vector_bytes() const noexcept {
        return dim_ * sizeof(metric::element_of<Metric>);
    }

    void append(std::span<entry const> batch) noexcept {
        rows_->put(batch);
        section()([&] { rows_->publish(batch); });
    }

    void clear_rows() noexcept {
        section()([&] {
            if (pins_ == 0) {
                rows_->reset();
                index_->clear();
                dead_before_ = 0;
            } else {
                for (slot s = 0; s < rows_->count(); ++s)
                    if (rows_->live(s)) rows_->end(s);
            }
        });
    }

    /// Repeats what a log record says. Rows are appended, nothing is built.
    struct logged {
        changes& e;
        [[nodiscard]] result<void> upsert(std::span<entry const> batch) const {
            VICINAL_CHECK(e.rows_->admit(batch, e.section()));
            VICINAL_CHECK(e.rows_->make_room(batch, e.section()));
            e.append(batch);
            return {};
        }
        [[nodiscard]] result<void> update(std::span<entry const> batch) const {
            payload_replacement<rows_type, Id> replacement;
            VICINAL_CHECK(replacement.make_room(*e.rows_, batch, e.section()));
            replacement.apply(*e.rows_, e.section(), e.pins_);
            forget_changes(*e.rows_, e.section());
            return {};
        }
        [[nodiscard]] result<void> erase(id_view id) const {
            if (auto const s = e.rows_->find(id); s != no_slot)
                e.section()([&] { e.rows_->end(s); });
            return {};
        }
        [[nodiscard]] result<void> clear() const {
            e.clear_rows();
            return {};
        }
        [[nodiscard]] result<void> index_on(bool made, std::string_view field,
                                            field_index kind) const {
            if constexpr (rows_type::fields_type::possible) {
                auto const path = payload::detail::field_path::parse(field);
                if (!path) return error{errc::corrupt_log, "a name of a field", std::string(field)};
                auto const& fields = e.rows_->fields();
                if (has_field_index(fields, *path, kind) == made) return {};
                auto list = made ? with_field_index(fields, *path, kind)
                                 : without_field_index(fields, *path, kind);
                e.section()([&] { e.rows_->edit_fields().exchange(list); });
            }
            return {};
        }
    };
    [[nodiscard]] auto applier() noexcept {
        return [this](std::span<std::byte const> record) {
            return read_operation<Id>(record, vector_bytes(), logged{*this});
        };
    }
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
