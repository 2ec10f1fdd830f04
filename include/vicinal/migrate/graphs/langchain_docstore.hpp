// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_LANGCHAIN_DOCSTORE_HPP
#define VICINAL_MIGRATE_GRAPHS_LANGCHAIN_DOCSTORE_HPP

#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/files/source_file.hpp>
#include <vicinal/migrate/graphs/pickle_tree.hpp>
#include <vicinal/payload/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The documents beside a FAISS index of LangChain: index.pkl, which holds an InMemoryDocstore and
/// a dict from positions to its ids. It is read as data; no class of it is ever looked up.
class langchain_docstore {
public:
    static constexpr std::uint64_t longest = std::uint64_t{2} << 30;

    /// Errors: those of the file; limit_exceeded (over 2 GiB), corrupt_source (no such pickle).
    [[nodiscard]] static result<langchain_docstore> open(std::string const& path) {
        auto const file = source_file::open(path);
        if (!file) return file.error();
        auto const size = file->size();
        if (!size) return size.error();
        if (*size > longest)
            return error{errc::limit_exceeded, "an index.pkl of at most 2 GiB", path + " is more"};
        auto bytes = std::make_unique<std::string>(static_cast<std::size_t>(*size), '\0');
        auto const got = file->read_at(0, bytes->data(), bytes->size());
        if (!got) return got.error();
        bytes->resize(*got);
        auto tree = pickle_tree::parse(*bytes);
        if (!tree) return tree.error();
        langchain_docstore d(std::move(bytes), *std::move(tree));
        VICINAL_CHECK(d.index());
        return d;
    }

    /// Values that have no place in a payload: bytes, other Python objects, nested too deeply.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    /// Records that the docstore does not know.
    [[nodiscard]] std::uint64_t unknown() const noexcept { return unknown_; }

    /// Gives the record at a position its id, and text and metadata as its payload.
    void fill(std::int64_t position, record& out) {
        auto const id = ids_.find(position);
        if (id == ids_.end()) {
            ++unknown_;
            return;
        }
        out.id = id->second;
        auto const found = documents_.find(id->second);
        if (found == documents_.end()) {
            ++unknown_;
            return;
        }
        // Pydantic keeps its fields in "__dict__", older classes in the state itself.
        auto const* document = &tree_.at(found->second);
        if (auto const* const inner = tree_.find(*document, "__dict__")) document = inner;
        budget_ = most_values;
        if (auto const* const metadata = tree_.find(*document, "metadata");
            metadata != nullptr && metadata->type == kind::dict)
            out.payload = convert_dict(*metadata, 0);
        auto const* const text = tree_.find(*document, "page_content");
        if (text == nullptr || text->type != kind::text) return;
        auto v = convert(*text, 0);
        if (!v) return;
        out.payload.set(out.payload.contains("document") ? "langchain:document" : "document",
                        *std::move(v));
    }

private:
    using kind = pickle_tree::kind;
    /// Of one record: a pickle may let one value stand in many places.
    static constexpr std::size_t most_values = 100'000;
    static constexpr int deepest = 32;

    langchain_docstore(std::unique_ptr<std::string> bytes, pickle_tree tree)
        : bytes_(std::move(bytes)), tree_(std::move(tree)) {}

    result<void> index() {
        auto const wrong = [](char const* expected) {
            return error{errc::corrupt_source, expected, "something else in index.pkl"};
        };
        auto const& root = tree_.at(tree_.root());
        if (root.type != kind::list || tree_.parts(root).size() != 2)
            return wrong("a docstore and its ids");
        auto const* const documents = tree_.find(tree_.at(tree_.parts(root)[0]), "_dict");
        auto const& ids = tree_.at(tree_.parts(root)[1]);
        if (documents == nullptr || documents->type != kind::dict || ids.type != kind::dict)
            return wrong("an InMemoryDocstore and a dict of its ids");
        auto const& by_id = tree_.parts(*documents);
        for (std::size_t i = 0; i + 1 < by_id.size(); i += 2)
            if (auto const& key = tree_.at(by_id[i]); key.type == kind::text)
                documents_[key.text] = by_id[i + 1];
        auto const& by_position = tree_.parts(ids);
        for (std::size_t i = 0; i + 1 < by_position.size(); i += 2) {
            auto const& key = tree_.at(by_position[i]);
            auto const& id = tree_.at(by_position[i + 1]);
            if (key.type != kind::integer || id.type != kind::text || id.text.empty() ||
                !payload::detail::is_utf8(id.text))
                return wrong("a dict of positions and texts");
            ids_[key.integer] = id.text;
        }
        return {};
    }

    [[nodiscard]] fields convert_dict(pickle_tree::node const& dict, int depth) {
        fields out;
        auto const& parts = tree_.parts(dict);
        for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
            auto const& key = tree_.at(parts[i]);
            auto v = convert(tree_.at(parts[i + 1]), depth + 1);
            bool const text = key.type == kind::text && payload::detail::is_utf8(key.text);
            if (!text && key.type != kind::integer) v.reset();
            if (v)
                out.set(text ? std::string(key.text) : std::to_string(key.integer), *std::move(v));
            else
                ++dropped_;
        }
        return out;
    }

    // Nothing where the value has no place in a payload.
    [[nodiscard]] std::optional<value> convert(pickle_tree::node const& n, int depth) {
        if (depth > deepest || budget_ == 0) return std::nullopt;
        --budget_;
        switch (n.type) {
            case kind::none: return value(nullptr);
            case kind::boolean: return value(n.integer != 0);
            case kind::integer: return value(n.integer);
            case kind::real: return value(n.real);
            case kind::text:
                if (!payload::detail::is_utf8(n.text)) return std::nullopt;
                return value(std::string(n.text));
            case kind::dict: return value(convert_dict(n, depth));
            case kind::list: {
                value::array out;
                for (auto const part : tree_.parts(n)) {
                    auto v = convert(tree_.at(part), depth + 1);
                    if (v)
                        out.push_back(*std::move(v));
                    else
                        ++dropped_;
                }
                return value(std::move(out));
            }
            default: return std::nullopt;
        }
    }

    std::unique_ptr<std::string> bytes_; // what the tree's texts point into
    pickle_tree tree_;
    std::unordered_map<std::string_view, pickle_tree::index> documents_;
    std::unordered_map<std::int64_t, std::string_view> ids_;
    std::uint64_t dropped_ = 0;
    std::uint64_t unknown_ = 0;
    std::size_t budget_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
