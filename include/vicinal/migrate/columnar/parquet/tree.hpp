// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_TREE_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_TREE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/convert.hpp>
#include <vicinal/migrate/columnar/parquet/footer.hpp>
#include <vicinal/migrate/columnar/parquet/leaf.hpp>
#include <vicinal/migrate/columnar/table.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// A column, or a part of one: a leaf, a struct or a list.
struct node {
    enum class shape : std::uint8_t { leaf, structure, list };

    std::string name;
    shape form = shape::leaf;
    bool map = false;     // a list of structs of a key and a value
    bool digits = false;  // unsigned integers stay exact: as text, where need be
    unsigned defined = 0; // the definition level from which on it is not null
    /// Of a list: the definition level from which on it has an element, and the repetition level
    /// of its second and later ones.
    unsigned filled = 0;
    unsigned repeated = 0;
    std::size_t first_leaf = 0;
    std::size_t leaves = 1;
    std::vector<node> parts; // of a struct its members, of a list its element
};

/// Makes the tree of the columns out of the schema's lines.
class tree_builder {
public:
    tree_builder(std::vector<schema_element> const& schema, std::vector<leaf_place>& leaves)
        : schema_(schema), leaves_(leaves) {}

    /// False where the schema contradicts itself, or lies over 32 groups deep.
    [[nodiscard]] bool build(std::vector<node>& columns) {
        auto const& root = schema_.front();
        at_ = 1;
        if (root.type >= 0) return false;
        for (std::int32_t i = 0; i < root.children; ++i)
            if (!any(levels{}, columns.emplace_back())) return false;
        return at_ == schema_.size();
    }

private:
    struct levels {
        unsigned defined = 0;
        unsigned repeated = 0;
        int depth = 0;
        std::string path = {};
    };

    /// The element that stands next, and everything beneath it.
    [[nodiscard]] bool any(levels l, node& out) {
        if (at_ == schema_.size() || ++l.depth > 32) return false;
        auto const& e = schema_[at_];
        if (e.repetition == 1) ++l.defined;
        if (e.repetition == 2) {
            // Repeated without a group that says LIST: a list of what stands here.
            out.name = e.name;
            return list_of_this(l, out);
        }
        return plain(std::move(l), out);
    }

    [[nodiscard]] bool list_of_this(levels l, node& out) {
        out.form = node::shape::list;
        out.defined = l.defined;
        out.filled = ++l.defined;
        out.repeated = ++l.repeated;
        out.first_leaf = leaves_.size();
        if (!plain(std::move(l), out.parts.emplace_back())) return false;
        out.leaves = leaves_.size() - out.first_leaf;
        return true;
    }

    /// The element that stands next as if it were not repeated.
    [[nodiscard]] bool plain(levels l, node& out) {
        auto const& e = schema_[at_++];
        out.name = e.name;
        out.defined = l.defined;
        out.first_leaf = leaves_.size();
        l.path += (l.path.empty() ? "" : ".") + e.name;
        if (e.type >= 0) {
            if (contradictory(e)) return false;
            leaves_.push_back({std::move(l.path), e, l.repeated, l.defined});
            return true;
        }
        if (e.children == 0) return false; // a struct of nothing has no levels to tell its nulls
        bool const wrapped = (e.what == meaning::list || e.what == meaning::map) &&
                             e.children == 1 && at_ < schema_.size() &&
                             schema_[at_].repetition == 2;
        bool good = true;
        if (wrapped) {
            out.map = e.what == meaning::map;
            good = list(std::move(l), e.name, out);
        } else {
            out.form = node::shape::structure;
            for (std::int32_t i = 0; good && i < e.children; ++i)
                good = any(l, out.parts.emplace_back());
        }
        out.leaves = leaves_.size() - out.first_leaf;
        return good;
    }

    /// What a group that says LIST holds: its element lies in a repeated group of one, or, as
    /// older writers had it, is the repeated one itself.
    [[nodiscard]] bool list(levels l, std::string const& name, node& out) {
        auto const& repeated = schema_[at_];
        bool const three = repeated.type < 0 && repeated.children == 1 &&
                           repeated.name != "array" && repeated.name != name + "_tuple";
        if (!three || out.map) {
            node inner;
            if (++l.depth > 32 || !list_of_this(std::move(l), inner)) return false;
            out.form = inner.form;
            out.filled = inner.filled;
            out.repeated = inner.repeated;
            out.parts = std::move(inner.parts);
            return true;
        }
        ++at_;
        out.form = node::shape::list;
        out.filled = ++l.defined;
        out.repeated = ++l.repeated;
        l.path += "." + repeated.name;
        return any(std::move(l), out.parts.emplace_back());
    }

    std::vector<schema_element> const& schema_;
    std::vector<leaf_place>& leaves_;
    std::size_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
