// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ROW_VECTORS_HPP
#define VICINAL_MIGRATE_JSON_ROW_VECTORS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/base64.hpp>
#include <vicinal/migrate/json/losses.hpp>
#include <vicinal/migrate/json/row.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The vectors of one row, of which one becomes the record's: the one that was asked for, or the
/// only dense one, which then has to keep its name from row to row.
class json_vectors {
public:
    explicit json_vectors(std::string wanted) : wanted_(std::move(wanted)) {}

    void begin() noexcept {
        dense_.clear();
        undecided_ = false;
    }

    /// Takes note of the value of a member that holds a vector or several by name. `name` is
    /// empty for the one that has none.
    ///
    /// Errors: invalid_json.
    result<void> offer(json_row const& row, std::string_view name, simdjson::dom::element e,
                       json_path path, json_losses& losses) {
        using simdjson::dom::element_type;
        switch (e.type()) {
            case element_type::NULL_VALUE: return {};
            case element_type::ARRAY: return offer_array(row, name, e, path, losses);
            case element_type::STRING: dense_.push_back({std::string(name), e, path}); return {};
            case element_type::OBJECT: break;
            default: return error{errc::invalid_json, "an array as a vector", "something else"};
        }
        auto const object = e.get_object().value_unsafe();
        if (is_sparse(object)) {
            losses.count(json_losses::kind::sparse);
            return {};
        }
        auto const level = path[1] < 0 ? 1U : 2U;
        if (depth_ > 0) return error{errc::invalid_json, "an array as a vector", "an object"};
        ++depth_;
        result<void> taken{};
        int inner = 0;
        for (auto const [key, element] : object) {
            path[level] = inner++;
            taken = offer(row, key, element, path, losses);
            if (!taken) break;
        }
        --depth_;
        return taken;
    }

    /// Replaces `out` by the numbers of the record's vector; empty where it has none.
    ///
    /// Errors: invalid_json, not_finite; invalid_argument where there are several and it is not
    /// clear which one is meant: then `undecided()`.
    result<void> choose(json_row& row, json_losses& losses, std::vector<float>& out) {
        candidate const* chosen = nullptr;
        for (auto const& c : dense_) {
            if (wanted_.empty()) VICINAL_CHECK(decide(c));
            if (is_wanted(c.name))
                chosen = &c;
            else
                losses.count(json_losses::kind::other_vector, c.name);
        }
        if (chosen == nullptr) return {};
        if (chosen->element.is_array())
            return row.take_floats(chosen->path, chosen->element.get_array().value_unsafe(), out);
        auto const text = chosen->element.get_string().value_unsafe();
        if (text.starts_with('[')) return row.floats_in_text(text, out);
        if (text.starts_with('{')) {
            losses.count(json_losses::kind::sparse);
            return {};
        }
        return read_base64_floats(text, out);
    }

    [[nodiscard]] bool undecided() const noexcept { return undecided_; }

private:
    struct candidate {
        std::string name;
        simdjson::dom::element element;
        json_path path;
    };

    [[nodiscard]] bool is_wanted(std::string_view name) const noexcept {
        if (wanted_.empty()) return true;
        return name == wanted_ || (name.empty() && wanted_ == "default");
    }

    result<void> offer_array(json_row const& row, std::string_view name, simdjson::dom::element e,
                             json_path path, json_losses& losses) {
        auto const array = e.get_array().value_unsafe();
        if (array.begin() == array.end()) {
            if (row.has_floats(path)) dense_.push_back({std::string(name), e, path});
            return {};
        }
        if ((*array.begin()).is_array())
            losses.count(json_losses::kind::several);
        else
            dense_.push_back({std::string(name), e, path});
        return {};
    }

    // {"indices": [...], "values": [...]}, or {"17": 0.5, ...} as Milvus writes it.
    static bool is_sparse(simdjson::dom::object o) noexcept {
        bool indices = false;
        bool values = false;
        std::size_t others = 0;
        std::size_t numbered = 0;
        for (auto const member : o) {
            indices = indices || (member.key == "indices" && member.value.is_array());
            values = values || (member.key == "values" && member.value.is_array());
            ++others;
            if (member.value.is_number() && !member.key.empty() &&
                member.key.find_first_not_of("0123456789") == std::string_view::npos)
                ++numbered;
        }
        return (indices && values && others == 2) || (others > 0 && numbered == others);
    }

    // Without a choice, the first name that comes is the one; a second one leaves it open.
    result<void> decide(candidate const& c) {
        if (!name_) name_ = c.name;
        if (*name_ == c.name && (&c == dense_.data() || dense_.size() == 1)) return {};
        undecided_ = true;
        std::vector<std::string> names = {*name_};
        for (auto const& d : dense_)
            if (std::find(names.begin(), names.end(), d.name) == names.end())
                names.push_back(d.name);
        std::string list;
        for (auto const& n : names)
            list.append(list.empty() ? "" : ", ").append(n.empty() ? "default" : n);
        name_.reset();
        return error{errc::invalid_argument, "the option vector with one of " + list, "none"};
    }

    std::string wanted_;
    std::optional<std::string> name_;
    std::vector<candidate> dense_;
    int depth_ = 0;
    bool undecided_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
