// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_COLUMNS_HPP
#define VICINAL_MIGRATE_JSON_COLUMNS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/splitter.hpp>
#include <vicinal/migrate/json/walker.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Makes rows of columns, as Chroma, Qdrant and Milvus have them, and of LlamaIndex's maps by node:
/// every column is read by a splitter of its own, so that memory is bounded by the longest row.
/// What LlamaIndex keeps beside the embeddings is held in memory, as it does itself.
class json_columns {
public:
    json_columns(std::string path, backend::input_opener open)
        : path_(std::move(path)), open_(open) {}

    /// Goes to the columns of a page, which lie behind those of the page before.
    ///
    /// Errors: as the splitter's; invalid_json where there are too many.
    result<void> start(json_item const& page) {
        using enum json_shape;
        beside_.clear();
        rows_.clear();
        nested_ = over_ = false;
        map_ = page.hint == llamaindex;
        hint_ = page.hint;
        auto const has = [&](std::string_view name) {
            return std::any_of(page.columns->begin(), page.columns->end(),
                               [&](auto const& m) { return m.name == name; });
        };
        if (hint_ == chroma && !has("\"embeddings\"") &&
            (has("\"vectors\"") || has("\"payloads\"")))
            hint_ = qdrant;
        for (auto const& m : *page.columns) {
            auto const name = row_name(m);
            if (name.empty()) continue;
            if (map_ && m.name != "\"embedding_dict\"") {
                VICINAL_CHECK(load(m, name));
                continue;
            }
            auto const s = splitter(m);
            if (!s) return s.error();
            VICINAL_CHECK((*s)->go_to(m.offset));
            (*s)->enter();
            bool const id = m.name == "\"ids\"" || m.name == "\"id\"";
            rows_.insert(id ? rows_.begin() : rows_.end(), {std::string(name), m.inner, *s});
        }
        if (rows_.empty() || (!map_ && rows_.front().name != "\"id\""))
            return error{errc::invalid_json, "columns with ids", path_ + ": none"};
        auto const first = map_ ? result<char>('{') : rows_.front().in->peek();
        if (!first) return first.error();
        nested_ = *first == '[';
        return nested_ ? enter_lists() : result<void>{};
    }

    [[nodiscard]] json_shape hint() const noexcept { return hint_; }

    /// The next row as the text of an object, empty at the end; valid until the next call, with
    /// the splitter's padding behind it.
    ///
    /// Errors: as the splitter's; corrupt_source where a column ends before the others.
    result<std::string_view> next() {
        auto const row = map_ ? next_entry() : next_row();
        if (!row || !*row) return row ? result<std::string_view>(std::string_view{}) : row.error();
        auto const length = text_.size();
        text_.append(json_splitter::padding, ' ');
        return std::string_view(text_.data(), length);
    }

    /// Adds a field to the rows of LlamaIndex whose node has that name, with its quotes.
    void add_beside(std::string_view key, std::string_view name, std::string_view text) {
        auto& more = texts_[std::string(key)];
        more.append(",").append(name).append(":").append(text);
    }

private:
    struct column {
        std::string name; // in the row, with quotes
        std::string inner;
        json_splitter* in;
    };

    // What a column is called in a row; empty for one that is none.
    [[nodiscard]] std::string_view row_name(json_member const& m) const noexcept {
        using enum json_shape;
        struct pair {
            json_shape hint;
            std::string_view column;
            std::string_view row;
        };
        static constexpr pair pairs[] = {
            {chroma, "\"ids\"", "\"id\""},
            {chroma, "\"embeddings\"", "\"embedding\""},
            {chroma, "\"metadatas\"", "\"metadata\""},
            {chroma, "\"documents\"", "\"document\""},
            {chroma, "\"uris\"", "\"uri\""},
            {chroma, "\"distances\"", "\"distance\""},
            {qdrant, "\"ids\"", "\"id\""},
            {qdrant, "\"vectors\"", "\"vector\""},
            {qdrant, "\"payloads\"", "\"payload\""},
            {llamaindex, "\"embedding_dict\"", "\"embedding\""},
            {llamaindex, "\"metadata_dict\"", "\"metadata\""},
            {llamaindex, "\"text_id_to_ref_doc_id\"", "\"ref_doc_id\""}};
        if (m.first != (map_ ? '{' : '[')) return {};
        if (hint_ == rows) return m.name;
        for (auto const& p : pairs)
            if (p.hint == hint_ && p.column == m.name) return p.row;
        return {};
    }

    result<json_splitter*> splitter(json_member const& m) {
        auto const name = m.name + m.inner;
        for (auto const& [known, s] : splitters_)
            if (known == name) return s.get();
        if (splitters_.size() == 256)
            return error{errc::invalid_json, "at most 256 columns", path_ + ": more"};
        auto in = open_(path_);
        if (!in) return in.error();
        splitters_.emplace_back(
            name, std::make_unique<json_splitter>(*std::move(in), std::size_t{1} << 18));
        return splitters_.back().second.get();
    }

    result<bool> next_row() {
        for (;;) {
            auto const more = over_ ? result<bool>(false) : all_have_more();
            if (!more) return more.error();
            if (*more) break;
            if (!nested_ || std::exchange(over_, true)) return false;
            VICINAL_CHECK(enter_lists());
        }
        text_.assign("{");
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            auto const& c = rows_[i];
            auto const value = c.in->take();
            if (!value) return value.error();
            bool const again = i > 0 && !c.inner.empty() && rows_[i - 1].name == c.name;
            if (again) text_.pop_back();
            if (i > 0) text_.push_back(',');
            if (!again) text_.append(c.name).append(c.inner.empty() ? ":" : ":{");
            if (!c.inner.empty()) text_.append(c.inner).append(":");
            text_.append(*value).append(c.inner.empty() ? "" : "}");
        }
        text_.push_back('}');
        return true;
    }

    result<bool> all_have_more() {
        auto const first = rows_.front().in->more(']');
        if (!first) return first.error();
        for (std::size_t i = 1; i < rows_.size(); ++i) {
            auto const more = rows_[i].in->more(']');
            if (!more) return more.error();
            if (*more != *first)
                return error{errc::corrupt_source, "columns of the same length",
                             path_ + ": " + rows_[i].name + " has another one than " +
                                 rows_.front().name};
        }
        return first;
    }

    // Answers to several queries have lists of lists: into the next list of each column.
    result<void> enter_lists() {
        auto const more = all_have_more();
        if (!more) return more.error();
        over_ = !*more;
        if (over_) return {};
        for (auto const& c : rows_) {
            auto const value = c.in->peek();
            if (!value) return value.error();
            if (*value != '[') return c.in->wrong("a list for each query");
            c.in->enter();
        }
        return {};
    }

    result<bool> next_entry() {
        auto& in = *rows_.front().in;
        auto const more = in.more('}');
        if (!more || !*more) return more;
        auto const key = in.name();
        if (!key) return key.error();
        std::string const name(*key);
        auto const value = in.take();
        if (!value) return value.error();
        text_.assign("{\"id\":").append(name).append(",\"embedding\":").append(*value);
        for (auto const* beside : {&beside_, &texts_})
            if (auto const at = beside->find(name); at != beside->end()) text_.append(at->second);
        text_.push_back('}');
        return true;
    }

    // The members of a map, each as the text that is added to the row of its name.
    result<void> load(json_member const& m, std::string_view name) {
        auto const s = splitter(m);
        if (!s) return s.error();
        auto& in = **s;
        VICINAL_CHECK(in.go_to(m.offset));
        in.enter();
        for (;;) {
            auto const more = in.more('}');
            if (!more) return more.error();
            if (!*more) return {};
            auto const key = in.name();
            if (!key) return key.error();
            std::string const node(*key);
            auto const value = in.take();
            if (!value) return value.error();
            beside_[node].append(",").append(name).append(":").append(*value);
        }
    }

    std::string path_;
    backend::input_opener open_;
    json_shape hint_ = json_shape::automatic;
    std::vector<std::pair<std::string, std::unique_ptr<json_splitter>>> splitters_;
    std::vector<column> rows_;
    std::unordered_map<std::string, std::string> beside_; // of a page
    std::unordered_map<std::string, std::string> texts_;  // of the docstore
    std::string text_;
    bool map_ = false;
    bool nested_ = false;
    bool over_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
