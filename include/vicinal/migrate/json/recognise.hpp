// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_RECOGNISE_HPP
#define VICINAL_MIGRATE_JSON_RECOGNISE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/roles.hpp>
#include <vicinal/migrate/json/walker.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vicinal::inline VICINAL_ABI::detail {

/// The beginning of a file as an input that ends there.
class head_input final : public backend::input {
public:
    explicit head_input(std::string_view head) : head_(head) {}

    [[nodiscard]] result<std::size_t> read(void* to, std::size_t most) override {
        auto const n = (std::min)(most, head_.size() - at_);
        if (n > 0) std::memcpy(to, head_.data() + at_, n);
        at_ += n;
        return n;
    }
    [[nodiscard]] std::string const& path() const noexcept override { return path_; }

private:
    std::string_view head_;
    std::string path_;
    std::size_t at_ = 0;
};

/// Whether the first line is an object of "id", "vector" and perhaps "payload" alone, as far as it
/// can be seen.
[[nodiscard]] inline bool strict_line(std::string_view head) {
    auto const start = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (start == std::string_view::npos || head[start] != '{') return false;
    auto const end = head.find('\n', start);
    json_walk walk(head.substr(start, end == std::string_view::npos ? end : end - start));
    walk.enter();
    bool id = false;
    bool vector = false;
    for (auto name = walk.scalar(); name.size() > 1; name = walk.scalar()) {
        id = id || name == "\"id\"";
        vector = vector || name == "\"vector\"";
        if (name != "\"id\"" && name != "\"vector\"" && name != "\"payload\"") return false;
        if (name == "\"vector\"") {
            auto const at = walk.position();
            if (at >= head.size() - start || head[start + at] != '[') return false;
        }
        walk.skip_value();
    }
    return id && vector;
}

/// What the beginning of a JSON file is seen to be.
struct json_sight {
    json_shape shape = json_shape::automatic;
    bool columns = false;
    bool ids_only = false; // a page of Pinecone's list
    bool vector = false;   // a row with something that may be one
};

/// The shape of the first row that stands in the head of a file; nothing where it holds no row.
[[nodiscard]] inline std::optional<json_sight> sight_of(std::string_view head) {
    json_walker walker(std::make_unique<head_input>(head));
    auto const item = walker.next();
    // A head that ends within its first row or page is told by the names that were seen.
    if (!item || item->what == json_item::kind::end) return std::nullopt;
    json_sight s;
    s.shape = item->hint;
    if (item->what == json_item::kind::columns) {
        s.columns = true;
        return s;
    }
    json_parser parser;
    auto const root = parser.parse(item->text);
    simdjson::dom::object row;
    if (!root || root->get_object().get(row) != simdjson::SUCCESS) return std::nullopt;
    if (s.shape == json_shape::automatic) s.shape = shape_of(row);
    std::size_t members = 0;
    bool id = false;
    for (auto const member : row) {
        ++members;
        for (auto const usual : usual_ids) id = id || member.key == usual;
        for (auto const usual : usual_vectors) s.vector = s.vector || member.key == usual;
        s.vector = s.vector || member.key == "spec_type" || member.key == "pinned";
    }
    s.ids_only = s.shape == json_shape::pinecone && id && members == 1;
    if (s.shape == json_shape::rows && !(id && s.vector)) return std::nullopt;
    if (s.shape == json_shape::automatic && !s.vector) return std::nullopt;
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
