// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_TABLES_TABLE_RECORDS_HPP
#define VICINAL_MIGRATE_TABLES_TABLE_RECORDS_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/tables/column_guess.hpp>
#include <vicinal/migrate/tables/table_roles.hpp>
#include <vicinal/migrate/tables/table_rows.hpp>
#include <vicinal/migrate/tables/vector_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What makes records of the rows of a table, whatever the table lies in.
struct table_plan {
    std::vector<table_column> columns = {};
    table_roles roles = {};
    std::size_t dim = 0;
    /// Sentences for the report that are known before the first row.
    std::vector<std::string> losses = {};
    /// Only rows whose cell in that column is this text.
    std::optional<std::size_t> filter = {};
    std::string filter_text = {};
};

/// How many rows are looked at to find out what the columns hold.
inline constexpr std::size_t sampled_rows = 1000;

/// Finds out from the first rows what each column holds and is for.
///
/// Errors: those of `find_roles` and of stepping through the rows.
[[nodiscard]] inline result<table_plan> plan_table(table_rows& rows, table_wishes const& wishes,
                                                   backend::cell_parser const& json,
                                                   bool declared) {
    // Some tables know their columns from the first row on.
    auto more = rows.next();
    if (!more) return more.error();
    table_plan plan;
    plan.columns = rows.columns();
    auto const known = plan.columns;
    std::vector<column_guess> guesses(known.size());
    std::string text;
    std::vector<float> vector;
    for (std::size_t n = 0; *more && n < sampled_rows; ++n) {
        for (std::size_t i = 0; i < known.size(); ++i) {
            if (!rows.intact() || rows.null(i)) continue;
            if (known[i].type == column_type::unknown) {
                if (rows.text(i, text)) guesses[i].feed(text, json);
            } else if (known[i].type >= column_type::numbers) {
                if (rows.vector(i, vector)) guesses[i].feed_dim(vector.size());
            }
        }
        more = rows.next();
        if (!more) return more.error();
    }
    for (std::size_t i = 0; i < known.size(); ++i)
        if (known[i].type == column_type::unknown) plan.columns[i].type = guesses[i].type();
    auto roles = find_roles(plan.columns, guesses, wishes, declared);
    if (!roles) return roles.error();
    plan.roles = *std::move(roles);
    if (plan.roles.vector) {
        auto const& column = plan.columns[*plan.roles.vector];
        plan.dim = column.dim != 0 ? column.dim : guesses[*plan.roles.vector].dim();
    } else {
        plan.dim = plan.roles.elements.size();
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (plan.roles.vector == i) continue;
        if (known[i].type == column_type::vector || known[i].type == column_type::sparse)
            plan.roles.lost.push_back(i);
        // Numbers in brackets that are not the vector are arrays like others.
        else if (plan.columns[i].type == column_type::vector)
            plan.columns[i].type = guesses[i].other_type();
    }
    if (!plan.roles.id)
        plan.losses.push_back("there is no column of ids (" + names_of(plan.columns) +
                              "): the records are numbered from 0");
    return plan;
}

/// Keeps only the rows of one collection, as LangChain's table tells them apart.
///
/// Errors: not_found where the table has no such column.
[[nodiscard]] inline result<void> filter_collection(table_plan& plan,
                                                    std::string const& collection) {
    if (collection.empty()) return {};
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (plan.columns[i].name != "collection_id" && plan.columns[i].name != "collection")
            continue;
        plan.filter = i;
        plan.filter_text = collection;
        return {};
    }
    return error{errc::not_found, "a column collection_id or collection",
                 "only " + names_of(plan.columns)};
}

/// The records of a table, row by row.
class table_records {
public:
    using opener = std::function<result<std::unique_ptr<table_rows>>()>;

    table_records(table_plan plan, opener open) : plan_(std::move(plan)), open_(std::move(open)) {
        payload_.assign(plan_.columns.size(), true);
        auto const leave = [&](std::size_t i) { payload_[i] = false; };
        if (plan_.roles.id) leave(*plan_.roles.id);
        if (plan_.roles.vector) leave(*plan_.roles.vector);
        for (auto const i : plan_.roles.elements) leave(i);
        for (auto const i : plan_.roles.lost) leave(i);
    }

    [[nodiscard]] table_plan const& plan() const noexcept { return plan_; }
    void pass_over(bad_record_handler tell) { bad_.pass_over(std::move(tell)); }

    result<void> rewind() {
        auto rows = open_();
        if (!rows) return rows.error();
        rows_ = *std::move(rows);
        rows_->columns(plan_.columns);
        lost_.assign(plan_.columns.size(), 0);
        renamed_.clear();
        number_ = 0;
        ended_ = false;
        return {};
    }

    result<void> read(std::vector<record>& batch, std::size_t most) {
        std::size_t n = 0;
        while (n < most && !ended_) {
            auto const more = rows_->next();
            if (!more) return more.error();
            ended_ = !*more;
            if (ended_) break;
            auto const number = number_++;
            // Records of the batch before are filled anew: their vectors keep their memory.
            if (n == batch.size()) batch.emplace_back();
            auto& r = batch[n];
            r.id.clear();
            auto const read = read_row(number, r);
            if (!read) {
                auto const& e = read.error();
                auto const place = rows_->place();
                VICINAL_CHECK(
                    bad_.meet(place, r.id, error{e.code(), e.expected(), place + ": " + e.got()}));
            } else if (*read) {
                ++n;
            }
        }
        batch.resize(n);
        return {};
    }

    /// All that is known by now of what is not carried.
    [[nodiscard]] std::vector<std::string> losses() const {
        auto all = plan_.losses;
        for (auto const i : plan_.roles.lost)
            all.push_back("column " + plan_.columns[i].name + " holds further vectors (" +
                          std::to_string(lost_.empty() ? 0 : lost_[i]) +
                          " so far), which are not carried");
        for (auto const& name : renamed_)
            all.push_back("a field of that column is called '" + name +
                          "', as there is a column without the part before the point");
        if (rows_)
            for (auto& remark : rows_->remarks()) all.push_back(std::move(remark));
        return all;
    }

private:
    // False for a row that is not wanted.
    result<bool> read_row(std::uint64_t number, record& r) {
        VICINAL_CHECK(rows_->intact());
        if (plan_.filter) {
            if (rows_->null(*plan_.filter)) return false;
            VICINAL_CHECK(rows_->text(*plan_.filter, text_));
            if (text_ != plan_.filter_text) return false;
        }
        if (plan_.roles.id) {
            if (rows_->null(*plan_.roles.id))
                return error{errc::empty_id, "a name for each record", "none"};
            VICINAL_CHECK(rows_->text(*plan_.roles.id, r.id));
            if (r.id.empty()) return error{errc::empty_id, "a name for each record", "none"};
        } else {
            r.id = std::to_string(number);
        }
        VICINAL_CHECK(read_vector(r.vector));
        r.payload.clear();
        for (std::size_t i = 0; i < payload_.size(); ++i) {
            if (!payload_[i]) continue;
            value v;
            if (!rows_->null(i)) VICINAL_CHECK(rows_->read(i, v));
            add(i, std::move(v), r.payload);
        }
        for (auto const i : plan_.roles.lost) lost_[i] += rows_->null(i) ? 0U : 1U;
        return true;
    }

    result<void> read_vector(std::vector<float>& out) {
        out.clear();
        auto const& roles = plan_.roles;
        if (roles.vector) {
            if (rows_->null(*roles.vector)) return {};
            VICINAL_CHECK(rows_->vector(*roles.vector, out));
        } else if (!roles.elements.empty()) {
            auto const empty = [&](std::size_t i) { return rows_->null(i); };
            if (std::all_of(roles.elements.begin(), roles.elements.end(), empty)) return {};
            for (auto const i : roles.elements) {
                if (empty(i))
                    return error{errc::corrupt_source, "all elements of the vector",
                                 "none in column " + plan_.columns[i].name};
                VICINAL_CHECK(rows_->text(i, text_));
                VICINAL_CHECK(read_vector_text(text_, one_));
                if (one_.size() != 1)
                    return error{errc::corrupt_source, "one number a cell",
                                 std::to_string(one_.size()) + " in " + plan_.columns[i].name};
                out.push_back(one_.front());
            }
        } else {
            return {};
        }
        if (out.size() != plan_.dim)
            return error{errc::dimension_mismatch,
                         std::to_string(plan_.dim) + " elements, as most vectors have",
                         std::to_string(out.size())};
        return {};
    }

    // What programs keep of a record in one column of JSON are its fields.
    void add(std::size_t column, value v, fields& out) {
        auto const& name = plan_.columns[column].name;
        bool const holds_fields = name == "metadata" || name == "cmetadata" || name == "payload";
        if (holds_fields && v.is_null()) return;
        auto const* members = v.get_if<fields>();
        if (!holds_fields || members == nullptr) {
            out.set(name, std::move(v));
            return;
        }
        for (auto const& [member, inner] : *members) {
            if (member == name || !is_payload_column(member)) {
                out.set(member, inner);
                continue;
            }
            auto const longer = name + "." + member;
            if (renamed_.size() < 100) renamed_.insert(longer);
            out.set(longer, inner);
        }
    }

    [[nodiscard]] bool is_payload_column(std::string_view name) const noexcept {
        for (std::size_t i = 0; i < payload_.size(); ++i)
            if (payload_[i] && plan_.columns[i].name == name) return true;
        return false;
    }

    table_plan plan_;
    opener open_;
    std::vector<bool> payload_;
    std::unique_ptr<table_rows> rows_;
    bad_records bad_;
    std::vector<std::uint64_t> lost_;
    std::set<std::string> renamed_;
    std::uint64_t number_ = 0;
    bool ended_ = false;
    std::string text_;
    std::vector<float> one_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
