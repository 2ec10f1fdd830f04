// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_TARGET_HPP
#define VICINAL_MIGRATE_JSON_TARGET_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/shape.hpp>
#include <vicinal/migrate/json/uuid5.hpp>
#include <vicinal/migrate/json/write.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

using backend::json_shape;

/// The fields under which the id of a record stands that the target gives another one.
inline constexpr std::string_view original_id = "vicinal:id";
inline constexpr std::string_view original_id_property = "vicinal_id";

/// A name that Weaviate takes for a property: letters, digits and underscores, a small letter or
/// an underscore first, and none of its own.
[[nodiscard]] inline std::string property_name(std::string_view name) {
    std::string out;
    for (char const c : name.substr(0, 230)) {
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool const digit = c >= '0' && c <= '9';
        if (out.empty() && digit) out.push_back('_');
        out.push_back(letter || digit ? c : '_');
    }
    if (out.empty()) out = "_";
    if (out.front() >= 'A' && out.front() <= 'Z')
        out.front() = static_cast<char>(out.front() - 'A' + 'a');
    if (out == "id" || out == "_id" || out == "_additional") out.push_back('_');
    return out;
}

/// Writes records as the rows or columns that a system takes on import, a page at a time.
class json_page {
public:
    /// `collection`: Pinecone's namespace, Weaviate's class. `rows`: a line for each record.
    json_page(json_shape shape, std::string collection, bool rows)
        : shape_(shape), collection_(std::move(collection)), rows_(rows) {}

    [[nodiscard]] std::size_t records() const noexcept { return records_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return text_.size() + columns_size(); }
    /// Whether a payload was not written as it is.
    [[nodiscard]] bool changed() const noexcept { return changed_; }

    /// Errors, naming the record: as append_record's; invalid_id (too long for Pinecone),
    /// unsupported (no vector, where the system needs one).
    result<void> add(record const& r) {
        auto written = append(r);
        if (written) {
            ++records_;
            return {};
        }
        auto const& e = written.error();
        return error{e.code(), e.expected(), e.got() + " in record '" + r.id + "'"};
    }

    /// Appends the page to `out`, one line or a line for each record, and empties it.
    void flush(std::string& out) {
        if (records_ == 0) return;
        records_ = 0;
        if (shape_ == json_shape::chroma) {
            out.append("{\"ids\":[").append(columns_[0]).append("],\"embeddings\":[");
            out.append(columns_[1]).append("],\"metadatas\":[").append(columns_[2]);
            out.append("],\"documents\":[").append(columns_[3]).append("],\"uris\":[");
            out.append(columns_[4]).append("]}\n");
            for (auto& c : columns_) c.clear();
            return;
        }
        if (rows_) {
            out.append(text_).append("\n");
        } else {
            out.append(shape_ == json_shape::pinecone ? "{\"vectors\":["
                       : shape_ == json_shape::qdrant ? "{\"points\":["
                                                      : "{\"objects\":[");
            out.append(text_).append("]");
            if (shape_ == json_shape::pinecone && !collection_.empty()) {
                out.append(",\"namespace\":");
                static_cast<void>(append_json_string(collection_, out));
            }
            out.append("}\n");
        }
        text_.clear();
    }

    /// What a system will not hold, a sentence each.
    [[nodiscard]] static std::vector<std::string> losses(json_shape shape) {
        switch (shape) {
            case json_shape::pinecone:
                return {"Pinecone has no null in metadata: such fields are left out",
                        "Pinecone has no nested metadata and lists of strings alone: others are "
                        "written as JSON text",
                        "Pinecone makes doubles of all numbers: integers beyond 2^53 are rounded"};
            case json_shape::chroma:
                return {"Chroma has no null and no empty list in metadata: such fields are left "
                        "out",
                        "Chroma has no nested metadata and no lists of several kinds: they are "
                        "written as JSON text"};
            case json_shape::weaviate:
                return {"Weaviate takes UUIDs as ids: others become UUIDs of version 5, with the "
                        "id in the property 'vicinal_id'",
                        "Weaviate takes letters, digits and underscores in names of properties, "
                        "with a small letter first: other names are changed"};
            default:
                return {"Qdrant takes integers and UUIDs as ids: others become UUIDs of version 5, "
                        "with the id in the field 'vicinal:id'"};
        }
    }

private:
    result<void> append(record const& r) {
        if (r.id.empty()) return error{errc::empty_id, "a name for each record", "none"};
        if (utf8_valid_prefix(r.id) != r.id.size())
            return error{errc::invalid_id, "an id that is UTF-8 text", "other bytes"};
        for (auto const f : r.vector)
            if (!std::isfinite(f))
                return error{errc::not_finite, "finite numbers, as JSON has no others", "another"};
        switch (shape_) {
            case json_shape::pinecone: return append_pinecone(r);
            case json_shape::chroma: return append_chroma(r);
            case json_shape::weaviate: return append_weaviate(r);
            default: return append_qdrant(r);
        }
    }

    [[nodiscard]] static result<void> needs_vector(record const& r) {
        if (r.vector.empty())
            return error{errc::unsupported, "a vector in each record, as the target has it",
                         "none"};
        return {};
    }

    std::string& row() {
        if (!text_.empty()) text_.push_back(rows_ ? '\n' : ',');
        return text_;
    }

    result<void> append_pinecone(record const& r) {
        VICINAL_CHECK(needs_vector(r));
        if (r.id.size() > 512)
            return error{errc::invalid_id, "an id of at most 512 bytes", "a longer one"};
        fields flat;
        for (auto const& [name, v] : r.payload) {
            auto const* const list = v.get_if<value::array>();
            bool plain = list == nullptr && v.type() != value::kind::nested;
            if (list != nullptr) {
                plain = true;
                for (auto const& e : *list) plain = plain && e.type() == value::kind::string;
            }
            VICINAL_CHECK(add_plain(name, v, plain, false, flat));
        }
        std::string line = "{\"id\":";
        VICINAL_CHECK(append_json_string(r.id, line));
        line.append(",\"values\":");
        append_json_floats(r.vector, line);
        line.append(",\"metadata\":");
        VICINAL_CHECK(to_json(flat, line));
        row().append(line).push_back('}');
        return {};
    }

    result<void> append_qdrant(record const& r) {
        std::string line = "{\"id\":";
        bool const number = is_u64(r.id);
        bool const kept = number || is_uuid(r.id);
        if (number)
            line.append(r.id);
        else
            line.append("\"").append(kept ? r.id : uuid5(r.id)).append("\"");
        line.append(",\"vector\":");
        if (r.vector.empty())
            line.append("{}");
        else
            append_json_floats(r.vector, line);
        line.append(",\"payload\":");
        auto payload = r.payload;
        if (!kept) payload.set(std::string(original_id), r.id);
        VICINAL_CHECK(to_json(payload, line));
        row().append(line).push_back('}');
        return {};
    }

    result<void> append_weaviate(record const& r) {
        fields properties;
        for (auto const& [name, v] : r.payload) {
            auto property = property_name(name);
            while (properties.contains(property)) property.push_back('_');
            changed_ = changed_ || property != name;
            properties.set(std::move(property), v);
        }
        bool const kept = is_uuid(r.id);
        if (!kept) properties.set(std::string(original_id_property), r.id);
        std::string line = "{\"class\":";
        VICINAL_CHECK(append_json_string(collection_.empty() ? "Record" : collection_, line));
        line.append(",\"id\":\"").append(kept ? r.id : uuid5(r.id)).append("\",\"properties\":");
        VICINAL_CHECK(to_json(properties, line));
        if (!r.vector.empty()) {
            line.append(",\"vector\":");
            append_json_floats(r.vector, line);
        }
        row().append(line).push_back('}');
        return {};
    }

    result<void> append_chroma(record const& r) {
        VICINAL_CHECK(needs_vector(r));
        std::string pieces[5];
        VICINAL_CHECK(append_json_string(r.id, pieces[0]));
        append_json_floats(r.vector, pieces[1]);
        pieces[3] = pieces[4] = "null";
        fields metadata;
        for (auto const& [name, v] : r.payload) {
            auto* const own = name == "document" ? &pieces[3]
                              : name == "uri"    ? &pieces[4]
                                                 : nullptr;
            if (own != nullptr && v.type() == value::kind::string) {
                own->clear();
                VICINAL_CHECK(to_json(v, *own));
                continue;
            }
            auto const* const list = v.get_if<value::array>();
            bool plain = v.type() != value::kind::nested;
            if (list != nullptr)
                for (auto const& e : *list)
                    plain = plain && e.type() == list->front().type() &&
                            e.type() >= value::kind::boolean && e.type() <= value::kind::string;
            VICINAL_CHECK(add_plain(name, v, plain, true, metadata));
        }
        pieces[2] = "null";
        if (!metadata.empty()) {
            pieces[2].clear();
            VICINAL_CHECK(to_json(metadata, pieces[2]));
        }
        for (std::size_t i = 0; i < 5; ++i) {
            if (!columns_[i].empty()) columns_[i].push_back(',');
            columns_[i].append(pieces[i]);
        }
        return {};
    }

    // A field of metadata that hold plain values alone.
    result<void> add_plain(std::string const& name, value const& v, bool plain, bool no_empty,
                           fields& out) {
        auto const* const list = v.get_if<value::array>();
        if (v.is_null() || (no_empty && list != nullptr && list->empty())) {
            changed_ = true;
            return {};
        }
        if (plain) {
            out.set(name, v);
            return {};
        }
        changed_ = true;
        std::string text;
        VICINAL_CHECK(to_json(v, text));
        out.set(name, std::move(text));
        return {};
    }

    [[nodiscard]] std::size_t columns_size() const noexcept {
        std::size_t n = 0;
        for (auto const& c : columns_) n += c.size();
        return n;
    }

    json_shape shape_;
    std::string collection_;
    std::string text_;
    std::string columns_[5]; // ids, embeddings, metadatas, documents, uris
    std::size_t records_ = 0;
    bool rows_;
    bool changed_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
