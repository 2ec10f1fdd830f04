// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_WALKER_HPP
#define VICINAL_MIGRATE_JSON_WALKER_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/json/shape.hpp>
#include <vicinal/migrate/json/splitter.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

using backend::json_shape;

/// A member of an object and where its value starts.
struct json_member {
    std::string name; // with quotes and escapes; within "vectors" as in "vectors".then "image"
    std::string inner;
    char first = 0; // byte of the value
    std::uint64_t offset = 0;
};

/// What the walker finds: the text of one row, or where the columns of a page are.
struct json_item {
    enum class kind { end, row, columns };
    kind what = kind::end;
    json_shape hint = json_shape::automatic;
    std::string_view text = {};  // of a row; valid until the next call
    std::string_view key = {};   // where rows are members of a map: the name, with its quotes
    std::string_view group = {}; // where rows are listed by class: its name, with quotes
    std::vector<json_member> const* columns = nullptr;
};

/// Finds the rows in the documents of a file: elements of the array, or members of the map, that
/// the answers and exports of vector stores keep them in, however deep that lies; a document that
/// is no such container is a row itself.
///
/// Memory as the splitter's: a document is only held until it is known what it is.
class json_walker {
public:
    /// `flat`: no document is taken for a container, only arrays are.
    explicit json_walker(std::unique_ptr<backend::input> in, bool flat = false)
        : in_(std::move(in)), flat_(flat) {}

    /// Errors: invalid_json, foreign_file (a document that has no place for rows), limit_exceeded,
    /// io_failure.
    [[nodiscard]] result<json_item> next() {
        for (;;) {
            json_item item;
            auto const found = stack_.empty() ? start(item) : go_on(item);
            if (!found) return found.error();
            if (*found) return item;
        }
    }

    [[nodiscard]] std::string place() const { return in_.place(); }
    /// The values of "namespace" met since the last call, with their quotes.
    [[nodiscard]] std::vector<std::string> namespaces() noexcept {
        return std::exchange(namespaces_, {});
    }
    /// Documents that were begun.
    [[nodiscard]] std::uint64_t documents() const noexcept { return documents_; }
    /// Whether the last item was a document itself.
    [[nodiscard]] bool at_top() const noexcept { return stack_.empty(); }

private:
    enum class role { list, map, document, result, data, batch, classes };
    struct frame {
        role what;
        json_shape hint = json_shape::automatic;
        bool rows = false;      // of a list: its elements are rows
        bool container = false; // of a document: holds rows, is none
        bool columns = false;
        bool has_id = false;
        std::uint64_t start = 0;
        std::string group = {};
        std::vector<json_member> members = {};
    };

    result<bool> start(json_item& item) {
        auto const c = in_.peek();
        if (!c) return c.error();
        if (*c == '\0') return true;
        ++documents_;
        if (*c == '{') {
            push(role::document);
        } else if (*c == '[') {
            push(role::list);
        } else {
            return in_.wrong("an object or array");
        }
        static_cast<void>(item);
        return false;
    }

    void push(role what, json_shape hint = json_shape::automatic) {
        frame f{what, hint};
        if (what == role::document) in_.hold();
        f.start = in_.offset();
        in_.enter();
        stack_.push_back(std::move(f));
    }

    result<bool> go_on(json_item& item) {
        if (stack_.size() > 32) return in_.wrong("at most 32 levels around the records");
        auto& top = stack_.back();
        switch (top.what) {
            case role::list: return element(top, item);
            case role::map: return entry(top, item);
            default: return member(top, item);
        }
    }

    result<bool> element(frame& top, json_item& item) {
        auto const more = in_.more(']');
        if (!more) return more.error();
        if (!*more) {
            stack_.pop_back();
            return false;
        }
        auto const c = in_.peek();
        if (!c) return c.error();
        if (*c == '[') {
            push(role::list, top.hint);
            stack_.back().rows = stack_[stack_.size() - 2].rows;
            return false;
        }
        if (*c != '{') return in_.wrong("an object as a record");
        if (!top.rows && top.hint == json_shape::automatic && !flat_) {
            push(role::document);
            return false;
        }
        return take(top, item);
    }

    result<bool> entry(frame& top, json_item& item) {
        auto const more = in_.more('}');
        if (!more) return more.error();
        if (!*more) {
            stack_.pop_back();
            return false;
        }
        auto const name = in_.name();
        if (!name) return name.error();
        key_ = *name;
        item.key = key_;
        return take(top, item);
    }

    result<bool> take(frame const& top, json_item& item) {
        auto const text = in_.take();
        if (!text) return text.error();
        item.what = json_item::kind::row;
        item.hint = top.hint;
        item.text = *text;
        item.group = top.group;
        return true;
    }

    // One member of an object that is a container or may become one.
    result<bool> member(frame& top, json_item& item) {
        auto const more = in_.more('}');
        if (!more) return more.error();
        if (!*more) return closed(item);
        auto const name = in_.name();
        if (!name) return name.error();
        auto const c = in_.peek();
        if (!c) return c.error();
        auto const opened = open(top, *name, *c);
        if (!opened || *opened) return opened ? result<bool>(false) : opened.error();
        if (!top.container || top.columns)
            if (top.members.size() < 256)
                top.members.push_back({std::string(*name), {}, *c, in_.offset()});
        if (top.what == role::document && *name == "\"namespace\"" && *c == '"') {
            auto const text = in_.take();
            if (!text) return text.error();
            namespaces_.emplace_back(*text);
            return false;
        }
        if (*name == "\"id\"" || *name == "\"_id\"" || *name == "\"uuid\"")
            top.has_id = top.has_id || *c != '[';
        if (top.columns && *name == "\"vectors\"" && *c == '{') {
            VICINAL_CHECK(named_columns(top));
            return false;
        }
        VICINAL_CHECK(in_.skip());
        return false;
    }

    result<bool> closed(json_item& item) {
        auto& top = stack_.back();
        if (top.columns) {
            columns_ = std::move(top.members);
            item.what = json_item::kind::columns;
            item.hint = top.hint;
            item.columns = &columns_;
            stack_.pop_back();
            return true;
        }
        if (top.what != role::document || top.container) {
            bool const nothing = (top.what == role::result || top.what == role::data) && !top.rows;
            stack_.pop_back();
            if (nothing)
                return error{errc::foreign_file, "a document with records",
                             in_.place() + ": an answer without any"};
            return false;
        }
        item.what = json_item::kind::row;
        item.text = in_.held();
        in_.release();
        stack_.pop_back();
        if (!stack_.empty()) stack_.back().rows = true;
        return true;
    }

    // The columns of "vectors": {"image": [[...], ...], ...}.
    result<void> named_columns(frame& top) {
        top.members.pop_back();
        in_.enter();
        for (;;) {
            auto const more = in_.more('}');
            if (!more) return more.error();
            if (!*more) return {};
            auto const name = in_.name();
            if (!name) return name.error();
            auto const c = in_.peek();
            if (!c) return c.error();
            if (top.members.size() < 256)
                top.members.push_back({"\"vectors\"", std::string(*name), *c, in_.offset()});
            VICINAL_CHECK(in_.skip());
        }
    }

    // Whether the value of that member holds the rows: then its frame is on the stack, or the
    // object is known to be made of columns.
    result<bool> open(frame& top, std::string_view name, char c) {
        if (top.what == role::batch) return false;
        if (top.what == role::classes && c == '[')
            return enter(role::list, json_shape::graphql, name);
        if (top.what == role::data)
            return name == "\"Get\"" && c == '{' ? enter(role::classes) : result<bool>(false);
        if (top.what == role::result)
            return name == "\"points\"" && c == '[' ? enter(role::list, json_shape::qdrant)
                                                    : result<bool>(false);
        if (top.has_id || flat_ || (c != '[' && c != '{')) return false;
        auto const inside = in_.peek_inside();
        if (!inside) return inside.error();
        return c == '[' ? open_array(top, name, *inside) : open_object(top, name, *inside);
    }

    result<bool> open_array(frame& top, std::string_view name, char inside) {
        if (name == "\"ids\"" || name == "\"id\"" || (name == "\"embeddings\"" && inside == '['))
            return found_columns(top, name == "\"id\"" ? json_shape::rows : json_shape::chroma);
        if (top.columns || (inside != '{' && inside != ']' && inside != '[')) return false;
        struct known {
            std::string_view name;
            json_shape shape;
        };
        static constexpr known arrays[] = {
            {"\"points\"", json_shape::qdrant},      {"\"result\"", json_shape::automatic},
            {"\"matches\"", json_shape::pinecone},   {"\"vectors\"", json_shape::pinecone},
            {"\"objects\"", json_shape::weaviate},   {"\"data\"", json_shape::automatic},
            {"\"rows\"", json_shape::automatic},     {"\"results\"", json_shape::automatic},
            {"\"records\"", json_shape::automatic},  {"\"items\"", json_shape::automatic},
            {"\"entities\"", json_shape::automatic}, {"\"memories\"", json_shape::automatic}};
        for (auto const& a : arrays)
            if (a.name == name && (inside != '[' || name == "\"data\"" || name == "\"result\""))
                return enter(role::list, a.shape);
        return false;
    }

    result<bool> open_object(frame& top, std::string_view name, char inside) {
        if (name == "\"embedding_dict\"") return found_columns(top, json_shape::llamaindex);
        if (top.columns) return false;
        bool const objects = inside == '{' || inside == '}';
        if (name == "\"vectors\"" && objects) return enter(role::map, json_shape::pinecone);
        if (name == "\"docstore/data\"" && objects) return enter(role::map, json_shape::docstore);
        if (name == "\"batch\"") {
            VICINAL_CHECK(enter(role::batch));
            return found_columns(stack_.back(), json_shape::qdrant);
        }
        if (name == "\"result\"") return enter(role::result);
        if (name == "\"data\"") return enter(role::data);
        return false;
    }

    result<bool> found_columns(frame& top, json_shape hint) {
        in_.release();
        top.columns = true;
        if (top.hint == json_shape::automatic) top.hint = hint;
        return top.what == role::batch;
    }

    result<bool> enter(role what, json_shape hint = json_shape::automatic,
                       std::string_view group = {}) {
        in_.release();
        auto& top = stack_.back();
        top.container = top.rows = true;
        top.members.clear();
        std::string const name(group);
        push(what, hint);
        stack_.back().group = name;
        return true;
    }

    json_splitter in_;
    bool flat_;
    std::vector<frame> stack_;
    std::vector<json_member> columns_;
    std::string key_;
    std::vector<std::string> namespaces_;
    std::uint64_t documents_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
