// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_ROW_HPP
#define VICINAL_MIGRATE_JSON_ROW_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/fast_floats.hpp>
#include <vicinal/migrate/json/floats.hpp>
#include <vicinal/migrate/json/read.hpp>
#include <vicinal/migrate/json/token.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Where a value is in a row: the number of its member at each level; unused levels are -1.
using json_path = std::array<int, 3>;

/// One row of a source: an object whose vectors are read from the text itself, three times as fast
/// as by way of the parser's tree and correctly rounded. Keeps its memory from row to row.
class json_row {
public:
    /// The object in `text`, behind which simdjson::SIMDJSON_PADDING bytes may be read. The arrays
    /// of numbers that are the values of two members (an empty name is none), or lie in objects
    /// that are, are taken out first: the tree has empty ones in their place.
    ///
    /// Errors: invalid_json.
    result<simdjson::dom::object> parse(std::string_view text, std::string_view first = {},
                                        std::string_view second = {}) {
        text_ = text;
        cuts_ = 0;
        if (!first.empty()) cut_arrays(first, second);
        auto const root = cuts_ == 0 ? parser_.parse(text, true) : parse_rest();
        if (!root) return root.error();
        simdjson::dom::object object;
        if (root->get_object().get(object) != simdjson::SUCCESS)
            return error{errc::invalid_json, "an object as a record", "something else"};
        return object;
    }

    /// Whether the array there was taken out.
    [[nodiscard]] bool has_floats(json_path const& path) const noexcept {
        return find(path) != cuts_;
    }

    /// Replaces `out` by the numbers of the array there, which is `array` in the tree.
    ///
    /// Errors: invalid_json (no numbers, or over 65,536), not_finite.
    result<void> take_floats(json_path const& path, simdjson::dom::array array,
                             std::vector<float>& out) {
        auto const at = find(path);
        if (at != cuts_) {
            out.swap(cut_[at].floats);
            return {};
        }
        auto const* const from = text_.data() + locate(path);
        auto const* const end = fast_floats(from, source_dims, out);
        if (end != nullptr && end <= text_.data() + text_.size()) return {};
        std::size_t n = 0;
        for (auto const e : array) {
            if (n == source_dims)
                return error{errc::invalid_json, "at most 65536 numbers in a vector", "more"};
            if (!e.is_number())
                return error{errc::invalid_json, "numbers only",
                             "element " + std::to_string(n) + " is none"};
            ++n;
        }
        return error{errc::not_finite, "numbers within the range of float", "one beyond it"};
    }

    /// The numbers of a vector that is text, as in "[1,2.5]".
    ///
    /// Errors: invalid_json, not_finite.
    result<void> floats_in_text(std::string_view text, std::vector<float>& out) {
        scratch_.assign(text);
        scratch_.append(simdjson::SIMDJSON_PADDING, '\0');
        auto const* const end = fast_floats(scratch_.data(), source_dims, out);
        if (end == nullptr || static_cast<std::size_t>(end - scratch_.data()) != text.size())
            return error{errc::invalid_json, "numbers between brackets as a vector",
                         "'" + std::string(text.substr(0, 40)) + "'"};
        return {};
    }

    [[nodiscard]] bool has_cuts() const noexcept { return cuts_ > 0; }

private:
    struct cut {
        json_path path;
        std::size_t from = 0;
        std::size_t to = 0;
        std::vector<float> floats;
    };

    void cut_arrays(std::string_view first, std::string_view second) {
        json_walk walk(text_);
        walk.enter();
        for (int member = 0;; ++member) {
            auto const name = walk.scalar();
            if (name.size() < 2) return;
            auto const plain = name.substr(1, name.size() - 2);
            bool const wanted = plain == first || (!second.empty() && plain == second);
            auto const at = walk.position();
            char const c = at < text_.size() ? text_[at] : '\0';
            if (wanted && c == '[' && cut_at(walk, at, {member, -1, -1})) continue;
            if (!wanted || c != '{') {
                walk.skip_value();
                continue;
            }
            walk.enter();
            for (int inner = 0;; ++inner) {
                if (walk.scalar().empty()) break;
                auto const place = walk.position();
                bool const array = place < text_.size() && text_[place] == '[';
                if (!array || !cut_at(walk, place, {member, inner, -1})) walk.skip_value();
            }
            walk.leave();
        }
    }

    bool cut_at(json_walk& walk, std::size_t at, json_path path) {
        if (cuts_ == most_cuts) return false;
        if (cuts_ == cut_.size()) cut_.emplace_back();
        auto& c = cut_[cuts_];
        auto const* const from = text_.data() + at;
        auto const* const end = fast_floats(from, source_dims, c.floats);
        if (end == nullptr || end > text_.data() + text_.size() || c.floats.empty()) return false;
        c.path = path;
        c.from = at;
        c.to = static_cast<std::size_t>(end - text_.data());
        walk.go_to(c.to);
        ++cuts_;
        return true;
    }

    [[nodiscard]] result<simdjson::dom::element> parse_rest() {
        rest_.clear();
        std::size_t at = 0;
        for (std::size_t i = 0; i < cuts_; ++i) {
            rest_.append(text_, at, cut_[i].from - at);
            rest_.append("[]");
            at = cut_[i].to;
        }
        rest_.append(text_, at);
        auto const length = rest_.size();
        rest_.append(simdjson::SIMDJSON_PADDING, ' ');
        return parser_.parse({rest_.data(), length}, true);
    }

    [[nodiscard]] std::size_t find(json_path const& path) const noexcept {
        std::size_t i = 0;
        while (i < cuts_ && cut_[i].path != path) ++i;
        return i;
    }

    [[nodiscard]] std::size_t locate(json_path const& path) const noexcept {
        json_walk walk(text_);
        for (int const member : path) {
            if (member < 0) break;
            walk.to_member(static_cast<std::size_t>(member));
        }
        return walk.position();
    }

    static constexpr std::size_t most_cuts = 64;

    json_parser parser_;
    std::string_view text_;
    std::string rest_;
    std::string scratch_;
    std::vector<cut> cut_;
    std::size_t cuts_ = 0; // of them, in use
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
