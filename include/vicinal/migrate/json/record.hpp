// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_RECORD_HPP
#define VICINAL_MIGRATE_JSON_RECORD_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/fast_floats.hpp>
#include <vicinal/migrate/json/floats.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Appends `{"id":"...","vector":[...],"payload":{...}}`, without an end of line.
///
/// Errors, naming the id: empty_id, invalid_id (not UTF-8), not_finite, unsupported and
/// invalid_payload as for `to_json`. `out` then ends in the middle of the record.
inline result<void> append_record(record const& r, std::string& out) {
    auto const named = [&r](error const& e) {
        return error{e.code(), e.expected(), e.got() + " in record '" + r.id + "'"};
    };
    if (r.id.empty()) return error{errc::empty_id, "a name for each record", "none"};
    out.append("{\"id\":");
    if (auto id = append_json_string(r.id, out); !id)
        return error{errc::invalid_id, "an id that is UTF-8 text", id.error().got()};
    for (std::size_t i = 0; i < r.vector.size(); ++i)
        if (!std::isfinite(r.vector[i]))
            return named(error{errc::not_finite, "finite numbers, as JSON has no others",
                               "element " + std::to_string(i) + " not finite"});
    out.append(",\"vector\":");
    append_json_floats(r.vector, out);
    out.append(",\"payload\":");
    if (auto payload = to_json(r.payload, out); !payload) return named(payload.error());
    out.push_back('}');
    return {};
}

/// Replaces `out` by the id: a string that is not empty, or an integer as text.
inline result<void> read_record_id(simdjson::dom::element e, std::string& out) {
    using simdjson::dom::element_type;
    switch (e.type()) {
        case element_type::STRING: out = e.get_string().value_unsafe(); break;
        case element_type::INT64: out = std::to_string(e.get_int64().value_unsafe()); break;
        case element_type::UINT64: out = std::to_string(e.get_uint64().value_unsafe()); break;
        default: return error{errc::invalid_json, "a string or an integer as 'id'", "neither"};
    }
    if (out.empty()) return error{errc::empty_id, "a name for each record", "\"\" as 'id'"};
    return {};
}

/// Reads records from lines of JSON; keeps its memory from line to line.
class record_reader {
public:
    /// Replaces `out` by the record of that line, behind which simdjson::SIMDJSON_PADDING bytes
    /// may be read, whatever they hold.
    ///
    /// Errors: invalid_json (not well formed, "id" or "vector" missing, another name than the three
    /// or a name twice, values of other types), empty_id, not_finite.
    result<void> read(std::string_view line, record& out) {
        auto const vector = cut_vector(line, out.vector);
        if (vector.empty()) return read_members(line, false, out);
        rest_.assign(line.data(), vector.data());
        rest_.append("[]");
        rest_.append(vector.data() + vector.size(), line.data() + line.size());
        auto const length = rest_.size();
        rest_.append(simdjson::SIMDJSON_PADDING, ' ');
        return read_members({rest_.data(), length}, true, out);
    }

private:
    // `vector_read`: the line has an empty array in place of the vector, which is in `out` already.
    result<void> read_members(std::string_view line, bool vector_read, record& out) {
        auto root = parser_.parse(line, true);
        if (!root) return root.error();
        simdjson::dom::object object;
        if (root->get_object().get(object) != simdjson::SUCCESS)
            return error{errc::invalid_json,
                         R"(an object {"id": ..., "vector": ..., "payload": ...})",
                         "something else"};
        bool id = false;
        bool vector = false;
        bool payload = false;
        out.payload.clear();
        std::size_t member = 0;
        for (auto const [name, element] : object) {
            bool* const seen = name == "id"        ? &id
                               : name == "vector"  ? &vector
                               : name == "payload" ? &payload
                                                   : nullptr;
            if (seen == nullptr)
                return error{errc::invalid_json, "the names 'id', 'vector' and 'payload' only",
                             "'" + std::string(name) + "'"};
            if (std::exchange(*seen, true))
                return error{errc::invalid_json, "each name once",
                             "'" + std::string(name) + "' twice"};
            if (seen == &id) {
                VICINAL_CHECK(read_record_id(element, out.id));
            } else if (seen == &payload) {
                VICINAL_CHECK(read_payload(element, out.payload));
            } else if (!vector_read) {
                if (!element.is_array())
                    return error{errc::invalid_json, "an array as 'vector'", "something else"};
                VICINAL_CHECK(read_floats(element.get_array().value_unsafe(), parser_.text(),
                                          member, out.vector));
            }
            ++member;
        }
        if (!id) return error{errc::invalid_json, "an 'id'", "none"};
        if (!vector) return error{errc::invalid_json, "a 'vector'", "none"};
        return {};
    }

    static result<void> read_payload(simdjson::dom::element element, fields& out) {
        if (element.is_null()) return {};
        if (!element.is_object())
            return error{errc::invalid_json, "an object as 'payload'", "something else"};
        return read_fields(element.get_object().value_unsafe(), out);
    }

    json_parser parser_;
    std::string rest_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
