// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_PARQUET_TABLE_HPP
#define VICINAL_MIGRATE_COLUMNAR_PARQUET_TABLE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/parquet/tree.hpp>
#include <vicinal/migrate/columnar/table.hpp>
#include <vicinal/migrate/json/floats.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet {

/// A Parquet file as a table. Each column that is read holds one page and its dictionary in memory.
class parquet_table final : public table {
public:
    /// Errors: as `read_footer`, and corrupt_source for a schema that contradicts itself.
    [[nodiscard]] static result<std::unique_ptr<table>> open(source_file file) {
        auto end = read_footer(file);
        if (!end) return end.error();
        auto t = std::make_unique<parquet_table>();
        t->file_ = std::move(file);
        if (!t->build(*std::move(end)))
            return error{errc::corrupt_source, "a whole Parquet file",
                         t->file_.path() + ": a schema that contradicts itself"};
        return std::unique_ptr<table>(std::move(t));
    }

    [[nodiscard]] char const* scheme() const noexcept override { return "parquet"; }
    [[nodiscard]] std::vector<table_column> const& columns() const noexcept override {
        return columns_;
    }
    [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept override { return rows_; }
    [[nodiscard]] std::string const* note(std::string_view key) const noexcept override {
        for (auto const& [k, v] : notes_)
            if (k == key) return &v;
        return nullptr;
    }

    void keep_digits(std::size_t column) override { nodes_[column].digits = true; }

    [[nodiscard]] result<bool> next() override {
        if (row_ == rows_) return false;
        ++row_;
        return true;
    }

    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        VICINAL_CHECK(go_to_row(column));
        budget_.renew();
        return assemble(nodes_[column], out);
    }

    [[nodiscard]] result<float_row> read(std::size_t column, std::vector<float>& out) override {
        VICINAL_CHECK(go_to_row(column));
        auto const kind = columns_[column].kind;
        if (kind != column_kind::reals && kind != column_kind::integers)
            return error{errc::invalid_argument, "a column of lists of numbers",
                         leaves_[nodes_[column].first_leaf]->where() + "others"};
        auto const& list = nodes_[column];
        auto& leaf = *leaves_[list.first_leaf];
        out.clear();
        VICINAL_CHECK(expect(leaf));
        float_row row;
        row.present = leaf.definition() >= list.defined;
        if (leaf.definition() < list.filled) {
            std::string_view none;
            VICINAL_CHECK(leaf.step(none));
        } else {
            VICINAL_CHECK(leaf.list_of_floats(row, source_dims, out));
        }
        return row;
    }

private:
    [[nodiscard]] bool build(footer end) {
        std::vector<leaf_place> places;
        if (!tree_builder(end.schema, places).build(nodes_)) return false;
        if (end.chunks.size() != end.row_groups * places.size()) return false;
        for (std::size_t i = 0; i < end.chunks.size(); ++i)
            if (end.chunks[i].type != places[i % places.size()].about.type) return false;
        rows_ = end.rows;
        notes_ = std::move(end.notes);
        chunks_ = std::move(end.chunks);
        places_ = std::move(places);
        leaves_.resize(places_.size());
        for (auto const& n : nodes_) columns_.push_back({n.name, kind_of(n)});
        at_.resize(nodes_.size());
        return true;
    }

    [[nodiscard]] column_kind kind_of(node const& n) const {
        if (n.form == node::shape::list) {
            if (n.parts.front().form != node::shape::leaf) return column_kind::other;
            auto const& e = places_[n.first_leaf].about;
            return is_real(e)      ? column_kind::reals
                   : is_integer(e) ? column_kind::integers
                                   : column_kind::other;
        }
        if (n.form == node::shape::structure) return column_kind::other;
        auto const& e = places_[n.first_leaf].about;
        if (e.what == meaning::text) return column_kind::text;
        if (e.what == meaning::json) return column_kind::json;
        if (e.what == meaning::uuid) return column_kind::text;
        if (is_integer(e)) return column_kind::integer;
        auto const type = static_cast<physical>(e.type);
        bool const bytes = type == physical::bytes || type == physical::fixed_bytes;
        return bytes && e.what == meaning::none ? column_kind::bytes : column_kind::scalar;
    }

    /// Passes over what was not asked for in the rows before. A leaf takes memory from the first
    /// time on that it is asked for.
    [[nodiscard]] result<void> go_to_row(std::size_t column) {
        auto const& n = nodes_[column];
        for (auto i = n.first_leaf; i < n.first_leaf + n.leaves && !leaves_[i]; ++i) {
            std::vector<column_chunk> chunks;
            for (auto c = i; c < chunks_.size(); c += places_.size()) chunks.push_back(chunks_[c]);
            leaves_[i] = std::make_unique<leaf_reader>(file_, places_[i], std::move(chunks));
        }
        for (; at_[column] + 1 < row_; ++at_[column])
            for (std::size_t i = 0; i < n.leaves; ++i)
                VICINAL_CHECK(leaves_[n.first_leaf + i]->skip_row());
        at_[column] = row_;
        return {};
    }

    [[nodiscard]] static result<void> expect(leaf_reader& leaf) {
        auto const more = leaf.ready();
        if (!more) return more.error();
        if (!*more) return leaf.wrong("fewer rows than claimed");
        return {};
    }

    /// The value of a node from the next entries of its leaves.
    [[nodiscard]] result<void> assemble(node const& n, value& out) {
        auto& first = *leaves_[n.first_leaf];
        VICINAL_CHECK(expect(first));
        std::string_view raw;
        if (n.form == node::shape::leaf) {
            bool const present = first.present();
            VICINAL_CHECK(first.step(raw));
            if (!budget_.spend(raw.size())) return row_budget::exceeded(first.where());
            out = nullptr;
            if (present && !to_value(first.place().about, raw, n.digits, out))
                return error{errc::unsupported, "decimals of at most 32 bytes", first.where()};
            return {};
        }
        if (!budget_.spend(n.name.size())) return row_budget::exceeded(first.where());
        if (first.definition() < n.defined) {
            out = nullptr;
            return pass_over(n);
        }
        if (n.form == node::shape::structure) {
            fields members;
            for (auto const& part : n.parts) {
                value member;
                VICINAL_CHECK(assemble(part, member));
                if (!member.is_null()) members.set(part.name, std::move(member));
            }
            out = std::move(members);
            return {};
        }
        value::array elements;
        if (first.definition() < n.filled) {
            VICINAL_CHECK(pass_over(n));
        } else {
            for (bool more = true; more;) {
                VICINAL_CHECK(assemble(n.parts.front(), elements.emplace_back()));
                auto const ready = first.ready();
                if (!ready) return ready.error();
                more = *ready && first.repetition() == n.repeated;
            }
        }
        out = n.map ? map_to_fields(std::move(elements)) : value(std::move(elements));
        return {};
    }

    /// One entry of each leaf: a null, or a list of nothing.
    [[nodiscard]] result<void> pass_over(node const& n) {
        std::string_view raw;
        for (std::size_t i = 0; i < n.leaves; ++i) {
            auto& leaf = *leaves_[n.first_leaf + i];
            VICINAL_CHECK(expect(leaf));
            VICINAL_CHECK(leaf.step(raw));
        }
        return {};
    }

    source_file file_;
    std::vector<node> nodes_;
    std::vector<table_column> columns_;
    std::vector<leaf_place> places_;
    std::vector<column_chunk> chunks_; // row group by row group
    std::vector<std::unique_ptr<leaf_reader>> leaves_;
    std::vector<std::pair<std::string, std::string>> notes_;
    std::vector<std::uint64_t> at_; // how many rows of each column were read
    std::uint64_t rows_ = 0;
    std::uint64_t row_ = 0; // from 1
    row_budget budget_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::parquet

#endif
