// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ROW_READER_HPP
#define VICINAL_MIGRATE_COLUMNAR_ROW_READER_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/json_columns.hpp>
#include <vicinal/migrate/columnar/row_plan.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar {

/// What was not carried, counted as it was met.
class row_losses {
public:
    void count(std::string what) { ++counts_[std::move(what)]; }
    void clear() noexcept { counts_.clear(); }

    [[nodiscard]] std::vector<std::string> sentences() const {
        std::vector<std::string> out;
        for (auto const& [what, n] : counts_)
            out.push_back(what + " (" + std::to_string(n) + (n == 1 ? " record)" : " records)"));
        return out;
    }

private:
    std::map<std::string, std::uint64_t> counts_;
};

/// Makes records of rows.
class row_reader {
public:
    row_reader() = default;
    row_reader(row_plan plan, row_wishes wishes)
        : plan_(std::move(plan)), wishes_(std::move(wishes)) {}

    /// What came of a row.
    struct outcome {
        bool taken = true;     // false: a row of another collection
        result<void> bad = {}; // an error that is the row's own: others may still be read
    };

    /// Replaces `out` by the row on which the table stands, the `number`-th of all.
    ///
    /// Errors: those of the table; invalid_argument where several named vectors are there and none
    /// was chosen.
    [[nodiscard]] result<outcome> read(table& t, std::uint64_t number, record& out,
                                       row_losses& losses) {
        start(out);
        outcome made;
        if (plan_.numbered) out.id = std::to_string(number);
        // The id first: whatever else is wrong is told of the record of that name.
        for (std::size_t i = 0; i < plan_.uses.size(); ++i) {
            auto const use = plan_.uses[i];
            if (use != column_use::selector && use != column_use::id) continue;
            VICINAL_CHECK(t.read(i, v_));
            if (use == column_use::id) {
                made.bad = take_id(t.columns()[i].name, out);
                continue;
            }
            auto const* const text = v_.get_if<std::string>();
            made.taken = text && *text == wishes_.only_text;
            if (!made.taken) return outcome{.taken = false};
        }
        if (made.bad && out.id.empty())
            made.bad = error{errc::empty_id, "a name for each record", "none"};
        for (std::size_t i = 0; i < plan_.uses.size() && made.bad; ++i) {
            auto const use = plan_.uses[i];
            auto const& name = t.columns()[i].name;
            if (use == column_use::nothing || use == column_use::selector || use == column_use::id)
                continue;
            if (use == column_use::vector || use == column_use::lost_vector) {
                bool const kept = use == column_use::vector;
                auto const row = t.read(i, kept ? out.vector : lost_);
                if (!row) return row.error();
                if (!kept && row->present)
                    losses.count("vectors of '" + name + "' are not carried");
                if (kept) made.bad = judge(*row, name, out, losses);
                continue;
            }
            VICINAL_CHECK(t.read(i, v_));
            binary_ = t.columns()[i].kind == column_kind::bytes;
            made.bad = take(use, name, out, losses);
        }
        if (!made.bad) return made;
        if (auto const settled = settle_vectors(losses); !settled) return settled.error();
        for (auto& [column, members] : members_)
            for (auto const& [name, v] : members)
                if (out.payload.contains(name))
                    out.payload.set(std::string(column).append("_").append(name), v);
                else
                    out.payload.set(name, v);
        return made;
    }

private:
    void start(record& out) {
        out.id.clear();
        out.vector.clear();
        out.payload.clear();
        members_.clear();
        named_.clear();
        default_there_ = false;
    }

    [[nodiscard]] static result<void> judge(float_row const& row, std::string const& name,
                                            record& out, row_losses& losses) {
        auto const at = " in '" + name + "'";
        switch (row.wrong) {
            case float_row::fault::none: break;
            case float_row::fault::null_element:
                return error{errc::not_finite, "a number in each element of a vector",
                             "a null" + at};
            case float_row::fault::too_many:
                return error{errc::limit_exceeded, "at most 65536 numbers in a vector",
                             "more" + at};
            case float_row::fault::out_of_range:
                return error{errc::not_finite, "numbers within the range of float",
                             "one beyond it" + at};
        }
        if (!row.present) out.vector.clear();
        if (row.rounded) losses.count("doubles of '" + name + "' became the nearest floats");
        return {};
    }

    /// What becomes of the value of a column; the error is the row's.
    [[nodiscard]] result<void> take(column_use use, std::string const& name, record& out,
                                    row_losses& losses) {
        if (v_.is_null()) return {};
        if (use == column_use::lost_sparse) {
            losses.count("sparse vectors of '" + name + "' are not carried");
            return {};
        }
        auto const* const text = v_.get_if<std::string>();
        if (use == column_use::field || !text) {
            // Bytes that nobody calls text are taken for it where they are UTF-8 without zeros.
            bool const zeros = binary_ && text && text->find('\0') != std::string::npos;
            if (zeros || !all_text(v_)) {
                v_ = zeros ? base64(*text) : with_base64(v_);
                losses.count("bytes in '" + name + "' that are no UTF-8 text became base64");
            }
            out.payload.set(name, std::move(v_));
            return {};
        }
        auto const in_column = [&name](result<void> const& done) -> result<void> {
            if (done) return {};
            auto const& e = done.error();
            return error{e.code(), e.expected(), e.got() + " in '" + name + "'"};
        };
        switch (use) {
            case column_use::raw_vector: return take_raw(*text, name, out);
            case column_use::named_vectors:
                return in_column(json_.named_vectors(*text, wishes_.vector, named_, out.vector));
            case column_use::lost_multi: {
                std::vector<std::string> names;
                auto const done = json_.named_vectors(*text, {}, names, lost_);
                for (auto const& n : names)
                    losses.count("multi-vectors '" + n + "' are not carried");
                return in_column(done);
            }
            case column_use::json: {
                value parsed;
                if (auto const done = json_.read(*text, parsed); !done) return in_column(done);
                if (!parsed.is_null()) out.payload.set(name, std::move(parsed));
                return {};
            }
            default: return take_members(*text, name, out, losses);
        }
    }

    [[nodiscard]] result<void> take_id(std::string const& name, record& out) {
        if (auto const* const text = v_.get_if<std::string>()) {
            if (utf8_valid_prefix(*text) != text->size())
                return error{errc::invalid_id, "an id that is UTF-8 text", "other bytes"};
            out.id = *text;
        } else if (auto const* const number = v_.get_if<std::int64_t>()) {
            out.id = std::to_string(*number);
        } else if (auto const* const real = v_.get_if<double>()) {
            // pandas makes doubles of a column of integers in which one is missing.
            if (*real != std::floor(*real) || std::fabs(*real) > 9'007'199'254'740'992.0)
                return error{errc::invalid_id, "ids that are text or integers",
                             "another number in '" + name + "'"};
            out.id = std::to_string(static_cast<std::int64_t>(*real));
        } else if (!v_.is_null()) {
            return error{errc::invalid_id, "ids that are text or integers",
                         "something else in '" + name + "'"};
        }
        return {};
    }

    [[nodiscard]] result<void> take_raw(std::string const& bytes, std::string const& name,
                                        record& out) {
        default_there_ = true;
        bool const wanted = wishes_.layout != table_layout::weaviate || wishes_.vector.empty() ||
                            wishes_.vector == "default";
        if (!wanted) return {};
        if (bytes.size() % 4 != 0 || bytes.size() / 4 > source_dims)
            return error{errc::corrupt_source, "at most 65536 floats of four bytes",
                         std::to_string(bytes.size()) + " bytes in '" + name + "'"};
        out.vector.resize(bytes.size() / 4);
        for (std::size_t i = 0; i < out.vector.size(); ++i)
            out.vector[i] = std::bit_cast<float>(
                load_le<std::uint32_t>(reinterpret_cast<std::byte const*>(&bytes[4 * i])));
        return {};
    }

    /// JSON text with members that become fields; other text stays the field that it is where
    /// nobody says that it must be JSON.
    [[nodiscard]] result<void> take_members(std::string const& text, std::string const& name,
                                            record& out, row_losses& losses) {
        auto const at = text.find_first_not_of(" \t\r\n");
        bool const object = at != std::string::npos && text[at] == '{';
        value parsed;
        auto const done = plan_.strict || object ? json_.read(text, parsed) : result<void>{};
        if (auto const* const f = parsed.get_if<fields>()) {
            members_.emplace_back(name, *f);
            return {};
        }
        if (plan_.strict && done && parsed.is_null()) return {};
        if (plan_.strict)
            return error{errc::invalid_json, "a JSON object in '" + name + "'",
                         done ? "something else" : done.error().got()};
        return take(column_use::field, name, out, losses);
    }

    [[nodiscard]] result<void> settle_vectors(row_losses& losses) {
        auto const& wanted = wishes_.vector;
        if (wishes_.layout != table_layout::weaviate) return {};
        if (wanted.empty() && !default_there_ && !named_.empty()) {
            std::string list;
            for (auto const& n : named_) list.append(list.empty() ? "" : ", ").append(n);
            return error{errc::invalid_argument, "vector=NAME, as the vectors have names", list};
        }
        if (default_there_ && !wanted.empty() && wanted != "default")
            losses.count("default vectors are not carried");
        for (auto const& n : named_)
            if (n != wanted) losses.count("named vectors '" + n + "' are not carried");
        return {};
    }

    row_plan plan_;
    row_wishes wishes_;
    json_column_reader json_;
    value v_;
    std::vector<float> lost_;
    std::vector<std::string> named_;
    bool default_there_ = false;
    bool binary_ = false; // the column holds byte strings that are not declared to be text
    std::vector<std::pair<std::string, fields>> members_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar

#endif
