// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ARRAY_RECORDS_HPP
#define VICINAL_MIGRATE_JSON_ARRAY_RECORDS_HPP

#include <vicinal/migrate/arrays/array_source.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/files/lines.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/record.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The lines of JSON beside an array, one a row that is not blank.
class side_lines {
public:
    explicit side_lines(std::unique_ptr<backend::input> in) : lines_(std::move(in)) {}

    /// Replaces the id and the payload of `out` by those of the next line,
    /// `{"id": ..., "payload": {...}}`; with `payload_only` the payload by the whole object.
    ///
    /// Errors, naming file and line: invalid_json, empty_id; corrupt_source where no line is left.
    result<void> next(bool payload_only, record& out) {
        auto const more = lines_.next();
        if (!more) return more.error();
        if (!*more)
            return error{errc::corrupt_source, "a line for each row",
                         lines_.place() + ": the last one, for more rows"};
        auto const read = payload_only ? read_payload(out) : read_side(out);
        if (read) return {};
        auto const& e = read.error();
        return error{e.code(), e.expected(), lines_.place() + ": " + e.got()};
    }

    /// To be called behind the last row: an error where there are more lines.
    result<void> finish() {
        auto const more = lines_.next();
        if (!more) return more.error();
        if (*more)
            return error{errc::corrupt_source, "a line for each row",
                         lines_.place() + ": one for no row"};
        return {};
    }

private:
    [[nodiscard]] result<simdjson::dom::object> object() {
        auto const root = parser_.parse(lines_.line(), true);
        if (!root) return root.error();
        simdjson::dom::object o;
        if (root->get_object().get(o) != simdjson::SUCCESS)
            return error{errc::invalid_json, "an object on each line", "something else"};
        return o;
    }

    result<void> read_payload(record& out) {
        auto const o = object();
        if (!o) return o.error();
        return read_fields(*o, out.payload);
    }

    result<void> read_side(record& out) {
        auto const o = object();
        if (!o) return o.error();
        bool id = false;
        bool payload = false;
        out.payload.clear();
        for (auto const [name, element] : *o) {
            bool* const seen = name == "id" ? &id : name == "payload" ? &payload : nullptr;
            if (seen == nullptr || std::exchange(*seen, true))
                return error{errc::invalid_json, "the names 'id' and 'payload', each once",
                             "'" + std::string(name) + "'"};
            if (seen == &id) {
                VICINAL_CHECK(read_record_id(element, out.id));
            } else if (!element.is_null()) {
                if (!element.is_object())
                    return error{errc::invalid_json, "an object as 'payload'", "something else"};
                VICINAL_CHECK(read_fields(element.get_object().value_unsafe(), out.payload));
            }
        }
        if (!id) return error{errc::invalid_json, "an 'id'", "none"};
        return {};
    }

    static_assert(line_reader::padding >= simdjson::SIMDJSON_PADDING);
    line_reader lines_;
    json_parser parser_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::backend {

struct array_records_options {
    array_options array = {};
    /// JSON Lines, one object a row of the array: its payload.
    std::string payload = {};
    /// JSON Lines `{"id": ..., "payload": {...}}`, one a row, as `array_sink` writes them. Ids come
    /// from there; not together with `payload` or ids.
    std::string side = {};
};

/// Reads a file of vectors together with what stands beside it: ids and payloads in JSON Lines, one
/// line a row. Blank lines are skipped. Memory: as `array_source`, and about 16 times the longest
/// line. Needs simdjson.
class array_records {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit array_records(std::string path, array_format format,
                           array_records_options options = {})
        : array_records(try_open(std::move(path), format, std::move(options)).value()) {}
#endif

    /// Errors: those of array_source; invalid_argument (side together with ids or payload).
    [[nodiscard]] static result<array_records> try_open(std::string path, array_format format,
                                                        array_records_options options = {}) {
        return detail::guarded([&]() -> result<array_records> {
            if (!options.side.empty() && (!options.payload.empty() || !options.array.ids.empty()))
                return error{errc::invalid_argument, "side alone, or ids and payload", "both"};
            auto rows = array_source::try_open(std::move(path), format, options.array);
            if (!rows) return rows.error();
            array_records source(*std::move(rows), std::move(options));
            VICINAL_CHECK(source.open_lines());
            return source;
        });
    }

    [[nodiscard]] result<schema> describe() { return rows_.describe(); }

    result<void> rewind() {
        VICINAL_CHECK(rows_.rewind());
        return detail::guarded([&]() -> result<void> { return open_lines(); });
    }

    /// Errors: those of array_source; of a line, naming it: invalid_json, empty_id; corrupt_source
    /// where there are more or fewer lines than rows.
    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(rows_.read(batch, most));
            if (!lines_) return {};
            bool const payload_only = options_.side.empty();
            for (auto& r : batch) VICINAL_CHECK(lines_->next(payload_only, r));
            if (batch.empty() && most > 0) return lines_->finish();
            return {};
        });
    }

private:
    array_records(array_source rows, array_records_options options)
        : rows_(std::move(rows)), options_(std::move(options)) {}

    result<void> open_lines() {
        auto const& path = options_.side.empty() ? options_.payload : options_.side;
        if (path.empty()) return {};
        auto in = options_.array.open(path);
        if (!in) return in.error();
        lines_ = std::make_unique<detail::side_lines>(*std::move(in));
        return {};
    }

    array_source rows_;
    array_records_options options_;
    std::unique_ptr<detail::side_lines> lines_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
