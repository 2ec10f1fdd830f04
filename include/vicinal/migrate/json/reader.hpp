// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_READER_HPP
#define VICINAL_MIGRATE_JSON_READER_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/files/lines.hpp>
#include <vicinal/migrate/json/columns.hpp>
#include <vicinal/migrate/json/files.hpp>
#include <vicinal/migrate/json/row_reader.hpp>
#include <vicinal/migrate/json/walker.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// One pass over the files of a JSON source. Of JSON Lines it reads line by line, so that a broken
/// line costs no other; of everything else document by document.
class json_reader {
public:
    /// `options` stays where it is.
    json_reader(backend::json_options const& options, std::vector<std::string> files)
        : options_(options), files_(std::move(files)), rows_(options) {
        take_llamaindex();
    }

    /// Replaces `out` by the next record; false at the end.
    result<bool> next(record& out, bad_records const& bad) {
        for (;;) {
            json_item item;
            auto const found = next_item(item);
            if (!found) return found.error();
            if (!*found) return false;
            ++number_;
            if (!page_wanted_) continue;
            auto const read = rows_.read(item.text, item.hint, item.group, out);
            if (read) {
                if (!*read) continue;
                if (rows_.shape() == json_shape::openai) count_on(out.id);
                ++records_;
                return true;
            }
            auto const& e = read.error();
            error const placed{e.code(), e.expected(), place() + ": " + e.got()};
            if (rows_.hopeless()) return placed;
            VICINAL_CHECK(bad.meet(place(), out.id, placed));
        }
    }

    [[nodiscard]] json_shape shape() const noexcept { return rows_.shape(); }
    [[nodiscard]] json_losses const& losses() const noexcept { return rows_.losses(); }
    /// Records read so far.
    [[nodiscard]] std::uint64_t records() const noexcept { return records_; }

private:
    // A LlamaIndex directory has texts in one file, vectors in another, and others beside them.
    void take_llamaindex() {
        std::string store;
        std::string documents;
        for (auto const& f : files_) {
            if (f.ends_with("/docstore.json")) documents = f;
            if (f.ends_with("/default__vector_store.json") || f.ends_with("/vector_store.json"))
                store = f;
        }
        if (store.empty() || documents.empty()) return;
        files_ = {store};
        docstore_ = documents;
    }

    result<bool> next_item(json_item& item) {
        for (;;) {
            if (lines_) {
                auto const more = lines_->next();
                if (!more) return more.error();
                if (*more) {
                    item.text = lines_->line();
                    return true;
                }
            } else if (page_) {
                auto const text = columns_->next();
                if (!text) return text.error();
                if (!text->empty()) {
                    item.text = *text;
                    item.hint = columns_->hint();
                    return true;
                }
                page_ = false;
                continue;
            } else if (walker_) {
                auto const found = walk(item);
                if (!found || *found) return found;
                if (page_ || lines_) continue;
            }
            if (file_ == files_.size()) return false;
            VICINAL_CHECK(open(files_[file_++]));
        }
    }

    result<void> open(std::string const& path) {
        auto in = options_.open(path);
        if (!in) return in.error();
        lines_.reset();
        columns_.reset();
        walker_ = std::make_unique<json_walker>(*std::move(in), options_.shape == json_shape::rows);
        number_ = documents_ = seen_ahead_ = 0;
        page_wanted_ = true;
        ahead_.reset();
        if (options_.name_space.empty()) return {};
        auto again = options_.open(path);
        if (!again) return again.error();
        ahead_ = std::make_unique<json_splitter>(*std::move(again));
        return {};
    }

    // The next row of the walker's; nothing where it came upon columns, lines, or the end.
    result<bool> walk(json_item& item) {
        auto found = walker_->next();
        if (!found && number_ == 0 && path().find(".jsonl") != std::string::npos) {
            // The first line is broken: that is its own affair.
            VICINAL_CHECK(go_by_lines());
            return false;
        }
        if (!found) return found.error();
        item = *found;
        for (auto const& name : walker_->namespaces())
            VICINAL_CHECK(rows_.met_namespace(std::string_view(name).substr(1, name.size() - 2)));
        if (walker_->documents() != documents_) {
            documents_ = walker_->documents();
            if (ahead_ && item.what != json_item::kind::end) VICINAL_CHECK(look_ahead());
            first_of_document_ = records_;
        }
        if (item.what == json_item::kind::columns) {
            if (!columns_) columns_ = std::make_unique<json_columns>(path(), options_.open);
            if (!docstore_.empty()) VICINAL_CHECK(join_docstore());
            VICINAL_CHECK(columns_->start(item));
            page_ = true;
            return false;
        }
        if (item.what == json_item::kind::end) {
            walker_.reset();
            return false;
        }
        if (walker_->at_top() && number_ == 0 && item.text.find('\n') == std::string_view::npos) {
            VICINAL_CHECK(go_by_lines());
            return false;
        }
        if (item.hint != json_shape::docstore) return true;
        auto const data = document_in(item);
        if (!data) return data.error();
        return true;
    }

    result<void> go_by_lines() {
        auto in = options_.open(path());
        if (!in) return in.error();
        lines_ = std::make_unique<line_reader>(*std::move(in));
        walker_.reset();
        ahead_.reset();
        page_wanted_ = true;
        return {};
    }

    // Whether the document that the walker has begun has the namespace that is wanted: it may say
    // so behind its records.
    result<void> look_ahead() {
        for (; seen_ahead_ < documents_; ++seen_ahead_) {
            std::string name = "__default__";
            auto const c = ahead_->peek();
            if (!c) return c.error();
            if (*c != '{') {
                VICINAL_CHECK(ahead_->skip());
                page_wanted_ = true;
                continue;
            }
            ahead_->enter();
            bool container = false;
            for (;;) {
                auto const more = ahead_->more('}');
                if (!more) return more.error();
                if (!*more) break;
                auto const member = ahead_->name();
                if (!member) return member.error();
                bool const is_name = *member == "\"namespace\"";
                container = container || *member == "\"vectors\"" || *member == "\"matches\"";
                auto const text = is_name ? ahead_->take() : result<std::string_view>("");
                if (!text) return text.error();
                if (!is_name) VICINAL_CHECK(ahead_->skip());
                if (is_name && text->size() > 2) name = text->substr(1, text->size() - 2);
            }
            page_wanted_ = !container || name == options_.name_space;
        }
        return {};
    }

    // The text of {"__data__": {...}} as a row whose id is the name it stands under.
    result<void> document_in(json_item& item) {
        json_walk walk(item.text);
        walk.enter();
        for (auto name = walk.scalar(); name.size() > 1; name = walk.scalar()) {
            auto const from = walk.position();
            walk.skip_value();
            if (name != "\"__data__\"" || from >= item.text.size() || item.text[from] != '{')
                continue;
            json_walk end(item.text);
            end.go_to(from);
            end.skip_value();
            text_.assign("{\"id\":").append(item.key).append(",");
            text_.append(item.text.substr(from + 1, end.here() - from - 1));
            if (text_.ends_with(",}")) text_.replace(text_.size() - 2, 2, "}");
            auto const length = text_.size();
            text_.append(json_splitter::padding, ' ');
            item.text = {text_.data(), length};
            return {};
        }
        return error{errc::invalid_json, "an object '__data__' in each document", place()};
    }

    // The texts of the documents of a LlamaIndex directory, by node.
    result<void> join_docstore() {
        auto in = options_.open(docstore_);
        if (!in) return in.error();
        json_walker documents(*std::move(in));
        for (;;) {
            auto found = documents.next();
            if (!found) return found.error();
            if (found->what == json_item::kind::end) break;
            if (found->hint != json_shape::docstore) continue;
            VICINAL_CHECK(document_in(*found));
            json_walk walk(found->text);
            walk.enter();
            for (auto name = walk.scalar(); name.size() > 1; name = walk.scalar()) {
                auto const from = walk.position();
                walk.skip_value();
                if (name == "\"text\"")
                    columns_->add_beside(found->key, name,
                                         found->text.substr(from, walk.here() - from));
            }
        }
        docstore_.clear();
        return {};
    }

    // Positions in an answer of OpenAI's become positions in all of them.
    void count_on(std::string& id) const {
        std::uint64_t index = 0;
        auto const parsed = std::from_chars(id.data(), id.data() + id.size(), index);
        if (parsed.ec == std::errc{}) id = std::to_string(first_of_document_ + index);
    }

    [[nodiscard]] std::string const& path() const noexcept { return files_[file_ - 1]; }
    [[nodiscard]] std::string place() const {
        return lines_ ? lines_->place() : path() + ", record " + std::to_string(number_);
    }

    backend::json_options const& options_;
    std::vector<std::string> files_;
    std::string docstore_;
    json_row_reader rows_;
    std::size_t file_ = 0; // the next one
    std::unique_ptr<line_reader> lines_;
    std::unique_ptr<json_walker> walker_;
    std::unique_ptr<json_columns> columns_;
    std::unique_ptr<json_splitter> ahead_; // finds the namespace of a document
    std::string text_;
    std::uint64_t number_ = 0; // of the row in its file
    std::uint64_t documents_ = 0;
    std::uint64_t seen_ahead_ = 0;
    std::uint64_t records_ = 0;
    std::uint64_t first_of_document_ = 0;
    bool page_ = false; // rows come from columns
    bool page_wanted_ = true;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
