// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ROW_READER_HPP
#define VICINAL_MIGRATE_JSON_ROW_READER_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/input.hpp>
#include <vicinal/migrate/json/losses.hpp>
#include <vicinal/migrate/json/record.hpp>
#include <vicinal/migrate/json/roles.hpp>
#include <vicinal/migrate/json/row.hpp>
#include <vicinal/migrate/json/row_vectors.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// What a json_source takes its records from.
struct json_options {
    /// Recognised where it is not given.
    json_shape shape = json_shape::automatic;
    /// Which vector becomes the record's where there are several, or what flat rows call theirs;
    /// "default" also means the one without a name.
    std::string vector = {};
    /// What flat rows call their id.
    std::string id = {};
    /// Only records of this collection or class, tenant, or (Pinecone) namespace; the namespace
    /// without a name is "__default__".
    std::string collection = {};
    std::string tenant = {};
    std::string name_space = {};
    /// Of the files of a directory, those whose names match; `*` stands for any characters.
    std::string files = {};
    /// Opens each file.
    input_opener open = open_file;
};

} // namespace vicinal::inline VICINAL_ABI::backend

namespace vicinal::inline VICINAL_ABI::detail {

/// Makes records of rows. The shape is that of the first row and stays.
class json_row_reader {
public:
    explicit json_row_reader(backend::json_options const& options)
        : options_(options), shape_(options.shape), vectors_(options.vector) {}

    /// What becomes of a row: a record, or nothing (not of the collection that is wanted).
    ///
    /// Errors: invalid_json, empty_id, not_finite are the record's; after others, and wherever
    /// `hopeless()`, no further row can be read.
    result<bool> read(std::string_view text, json_shape hint, std::string_view group, record& out) {
        hopeless_ = false;
        auto const [first, second] =
            vector_members(shape_ == json_shape::automatic ? hint : shape_);
        auto row = row_.parse(text, first.empty() ? flat_name_ : first, second);
        if (!row) return row.error();
        if (shape_ == json_shape::automatic)
            shape_ = hint == json_shape::automatic ? shape_of(*row) : hint;
        now_ = shape_ == json_shape::automatic ? json_shape::rows : shape_;
        out.payload.clear();
        out.vector.clear();
        late_.clear();
        vectors_.begin();
        id_ = payload_ = false;
        wanted_ = group.empty() || belongs("collection", group, options_.collection, seen_[0]);
        if (now_ == json_shape::rows) {
            VICINAL_CHECK(look_at_flat(*row));
            // What was taken out for a vector is part of the payload here.
            if (flat_vector_ != flat_name_ && row_.has_cuts()) {
                row = row_.parse(text);
                if (!row) return row.error();
                VICINAL_CHECK(look_at_flat(*row));
            }
            flat_name_ = flat_vector_;
        }
        if (now_ == json_shape::chroma && is_header(*row))
            return hopeless_ ? result<bool>(one_of()) : result<bool>(false);
        if (now_ == json_shape::chroma && !in_collection_) return false;
        std::size_t members = 0;
        for (auto const [name, element] : *row) {
            json_path const path = {static_cast<int>(members++), -1, -1};
            VICINAL_CHECK(take(name, element, path, out));
        }
        if (hopeless_) return one_of();
        if (!wanted_) return false;
        VICINAL_CHECK(check_id(members, out));
        for (auto& [name, v] : late_) add_field(name, std::move(v), out.payload);
        auto const chosen = vectors_.choose(row_, losses_, out.vector);
        hopeless_ = vectors_.undecided();
        if (!chosen) return chosen.error();
        any_vector_ = any_vector_ || !out.vector.empty();
        return true;
    }

    [[nodiscard]] bool hopeless() const noexcept { return hopeless_; }
    [[nodiscard]] json_shape shape() const noexcept { return shape_; }
    [[nodiscard]] json_losses const& losses() const noexcept { return losses_; }

    /// Notes the namespace of a page, without quotes. Errors: invalid_argument where two were met
    /// and none was chosen.
    [[nodiscard]] result<void> met_namespace(std::string_view name) {
        if (!options_.name_space.empty() || belongs("namespace", name, {}, seen_[2])) return {};
        return one_of();
    }

private:
    // A name twice would leave open which one counts.
    static error twice(std::string_view name) {
        return error{errc::invalid_json, "each name once", "'" + std::string(name) + "' twice"};
    }

    result<void> take(std::string_view name, simdjson::dom::element e, json_path path,
                      record& out) {
        if (now_ == json_shape::graphql && name == "_additional" && e.is_object())
            return take_additional(e, path, out);
        auto const role = now_ == json_shape::rows ? flat_role(name, e) : role_of(now_, name);
        switch (role) {
            case json_role::id:
                if (std::exchange(id_, true)) return twice(name);
                return read_record_id(e, out.id);
            case json_role::vector:
                return vectors_.offer(row_, now_ == json_shape::rows ? options_.vector : "", e,
                                      path, losses_);
            case json_role::sparse:
                if (!e.is_null()) losses_.count(json_losses::kind::sparse);
                return {};
            case json_role::payload: return take_payload(name, e, out.payload);
            case json_role::field:
                if (e.is_null()) return {};
                late_.emplace_back(std::string(name), value{});
                return read_value(e, late_.back().second);
            case json_role::rest: {
                if (out.payload.contains(name)) return twice(name);
                value v;
                VICINAL_CHECK(read_value(e, v));
                out.payload.set(std::string(name), std::move(v));
                return {};
            }
            case json_role::collection:
                if (e.is_string())
                    wanted_ &= belongs("collection", text_of(e), options_.collection, seen_[0]);
                return {};
            case json_role::tenant:
                if (e.is_string())
                    wanted_ &= belongs("tenant", text_of(e), options_.tenant, seen_[1]);
                return {};
            case json_role::space:
                if (e.is_string())
                    wanted_ &= belongs("namespace", text_of(e), options_.name_space, seen_[2]);
                return {};
            case json_role::silent: return {};
            case json_role::left: break;
        }
        if (!e.is_null()) losses_.count(json_losses::kind::member, name);
        return {};
    }

    [[nodiscard]] static std::string_view text_of(simdjson::dom::element e) noexcept {
        return e.get_string().value_unsafe();
    }

    // In flat rows, what a member is depends on what else the row has.
    result<void> look_at_flat(simdjson::dom::object row) {
        flat_id_ = options_.id;
        flat_vector_ = options_.vector;
        std::size_t id_rank = options_.id.empty() ? std::size(usual_ids) : 0;
        std::size_t vector_rank = options_.vector.empty() ? std::size(usual_vectors) : 0;
        std::string_view candidate;
        for (auto const [name, e] : row) {
            for (std::size_t i = 0; i < id_rank; ++i)
                if (name == usual_ids[i]) {
                    id_rank = i;
                    flat_id_ = name;
                }
            for (std::size_t i = 0; i < vector_rank; ++i)
                if (name == usual_vectors[i] && looks_like_vector(e)) {
                    vector_rank = i;
                    flat_vector_ = name;
                }
            if (candidate.empty() && is_long_array(e)) candidate = name;
        }
        if (!flat_vector_.empty() || candidate.empty() || any_vector_) return {};
        hopeless_ = true;
        return error{errc::invalid_argument,
                     "the option vector, as no member is called vector, embedding or values",
                     "'" + std::string(candidate) + "' may be the one"};
    }

    // "[1,2]" is how PostgreSQL writes a vector in JSON.
    [[nodiscard]] static bool looks_like_vector(simdjson::dom::element e) noexcept {
        return e.is_array() || e.is_object() || (e.is_string() && text_of(e).starts_with('['));
    }

    [[nodiscard]] static bool is_long_array(simdjson::dom::element e) noexcept {
        if (!e.is_array()) return false;
        simdjson::dom::array const elements = e.get_array().value_unsafe();
        std::size_t n = 0;
        for (auto const x : elements) {
            if (!x.is_number()) return false;
            ++n;
        }
        return n >= 8;
    }

    [[nodiscard]] json_role flat_role(std::string_view name,
                                      simdjson::dom::element e) const noexcept {
        if (name == flat_id_) return json_role::id;
        if (name == flat_vector_) return json_role::vector;
        if (name == "$meta" && e.is_object()) return json_role::payload;
        for (auto const usual : usual_vectors)
            if (name == usual && e.is_null()) return json_role::silent;
        bool const sparse = name.find("sparse") != std::string_view::npos && e.is_object();
        return sparse ? json_role::sparse : json_role::rest;
    }

    result<void> take_payload(std::string_view name, simdjson::dom::element e, fields& out) {
        if (std::exchange(payload_, true)) return twice(name);
        if (e.is_null()) return {};
        if (!e.is_object())
            return error{errc::invalid_json, "an object as '" + std::string(name) + "'",
                         "something else"};
        if (now_ != json_shape::rows) return read_fields(e.get_object().value_unsafe(), out);
        fields more;
        VICINAL_CHECK(read_fields(e.get_object().value_unsafe(), more));
        for (auto const& [key, v] : more) late_.emplace_back(key, v);
        return {};
    }

    // Weaviate's GraphQL has id and vector beside distances in an object of their own.
    result<void> take_additional(simdjson::dom::element e, json_path path, record& out) {
        simdjson::dom::object const additional = e.get_object().value_unsafe();
        int inner = 0;
        for (auto const [name, element] : additional) {
            path[1] = inner++;
            if (name == "id") {
                if (std::exchange(id_, true)) return twice(name);
                VICINAL_CHECK(read_record_id(element, out.id));
            } else if (name == "vector" || name == "vectors") {
                VICINAL_CHECK(vectors_.offer(row_, {}, element, path, losses_));
            } else if (!element.is_null()) {
                losses_.count(json_losses::kind::member, name);
            }
        }
        return {};
    }

    // {"tenant", "database", "collection": {"name"}} in front of the rows of a collection.
    bool is_header(simdjson::dom::object row) {
        std::string_view name;
        std::string_view tenant;
        simdjson::dom::element id;
        if (row["collection"]["name"].get(name) != simdjson::SUCCESS ||
            row["id"].get(id) == simdjson::SUCCESS)
            return false;
        in_collection_ = belongs("collection", name, options_.collection, seen_[0]) &&
                         (row["tenant"].get(tenant) != simdjson::SUCCESS ||
                          belongs("tenant", tenant, options_.tenant, seen_[1]));
        return true;
    }

    // Whether what a row belongs to is what was asked for; hopeless where two were met and none was
    // asked for.
    bool belongs(char const* what, std::string_view name, std::string_view asked,
                 std::optional<std::string>& seen) {
        if (name.empty()) name = "__default__";
        if (!asked.empty()) return name == asked;
        if (!seen) seen = std::string(name);
        if (*seen == name) return true;
        several_ = "'" + *seen + "' and '" + std::string(name) + "'";
        several_of_ = what;
        hopeless_ = true;
        return false;
    }

    [[nodiscard]] error one_of() const {
        return error{errc::invalid_argument,
                     std::string("the option ") + several_of_ + " where there are several",
                     several_};
    }

    result<void> check_id(std::size_t members, record const& out) {
        if (now_ == json_shape::pinecone && id_ && members == 1) {
            hopeless_ = true;
            return error{errc::unsupported,
                         "records with values: a list has ids only, so fetch them "
                         "(GET /vectors/fetch or POST /vectors/fetch_by_metadata)",
                         "'" + out.id + "' without"};
        }
        if (!id_) return error{errc::empty_id, "an id in each record", "none"};
        return {};
    }

    void add_field(std::string const& name, value v, fields& out) {
        if (!out.contains(name)) {
            out.set(name, std::move(v));
            return;
        }
        auto renamed = std::string(now_ == json_shape::rows       ? "$meta"
                                   : now_ == json_shape::docstore ? "llamaindex"
                                                                  : backend::name(now_)) +
                       ":" + name;
        losses_.count(json_losses::kind::renamed, name, renamed);
        out.set(std::move(renamed), std::move(v));
    }

    backend::json_options const& options_;
    json_shape shape_;
    json_shape now_ = json_shape::rows; // of the row being read
    json_row row_;
    json_vectors vectors_;
    json_losses losses_;
    std::vector<std::pair<std::string, value>> late_; // fields that give way to others
    std::optional<std::string> seen_[3];              // collection, tenant, namespace
    std::string several_;
    char const* several_of_ = "";
    std::string_view flat_id_;
    std::string_view flat_vector_;
    std::string flat_name_; // of the vector in the row before
    bool id_ = false;
    bool payload_ = false;
    bool wanted_ = true;
    bool hopeless_ = false;
    bool any_vector_ = false;
    bool in_collection_ = true;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
