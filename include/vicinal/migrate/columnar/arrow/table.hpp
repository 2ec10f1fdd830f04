// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_ARROW_TABLE_HPP
#define VICINAL_MIGRATE_COLUMNAR_ARROW_TABLE_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/migrate/columnar/arrow/file_messages.hpp>
#include <vicinal/migrate/columnar/arrow/messages.hpp>
#include <vicinal/migrate/columnar/arrow/values.hpp>
#include <vicinal/migrate/columnar/table.hpp>
#include <vicinal/migrate/json/floats.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow {

/// An Arrow file or stream as a table. One record batch and the dictionaries lie in memory.
class arrow_table final : public table {
public:
    /// A stream, or a file that begins as one, read in one go.
    ///
    /// Errors: foreign_file, corrupt_source, unsupported (big-endian), limit_exceeded, io_failure.
    [[nodiscard]] static result<std::unique_ptr<table>> open(std::unique_ptr<backend::input> in) {
        auto messages = std::make_unique<stream_messages>(std::move(in));
        message m;
        auto const more = messages->next(m);
        if (!more) return more.error();
        flat_bytes bytes(m.metadata);
        if (!*more || m.kind != static_cast<std::uint8_t>(message_kind::schema))
            return messages->wrong("no schema in front");
        return open(std::move(messages), flat_table::root(bytes).table(2));
    }

    /// A file, by its footer. Errors: as above.
    [[nodiscard]] static result<std::unique_ptr<table>> open(source_file file) {
        auto messages = file_messages::open(std::move(file));
        if (!messages) return messages.error();
        flat_bytes bytes((*messages)->footer());
        auto const schema = flat_table::root(bytes).table(1);
        return open(*std::move(messages), schema);
    }

    explicit arrow_table(std::unique_ptr<message_source> in)
        : in_(std::move(in)), place_(in_->path() + ", ") {}

    [[nodiscard]] char const* scheme() const noexcept override { return "arrow"; }
    [[nodiscard]] std::vector<table_column> const& columns() const noexcept override {
        return columns_;
    }
    [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept override { return {}; }
    [[nodiscard]] std::string const* note(std::string_view key) const noexcept override {
        for (auto const& [k, v] : schema_.notes)
            if (k == key) return &v;
        return nullptr;
    }
    void keep_digits(std::size_t column) override { digits_[column] = true; }

    [[nodiscard]] result<bool> next() override {
        while (next_row_ == rows_.length) {
            message m;
            auto more = in_->next(m);
            if (!more || !*more) return more;
            VICINAL_CHECK(take(m));
        }
        ++next_row_;
        return true;
    }

    [[nodiscard]] result<void> read(std::size_t column, value& out) override {
        budget_.renew();
        return array_values(words_, budget_, place_)
            .read(rows_.columns[column], next_row_ - 1, digits_[column], out);
    }

    [[nodiscard]] result<float_row> read(std::size_t column, std::vector<float>& out) override {
        auto const kind = columns_[column].kind;
        if (kind != column_kind::reals && kind != column_kind::integers)
            return error{errc::invalid_argument, "a column of lists of numbers",
                         place_ + "'" + columns_[column].name + "' has others"};
        return array_values(words_, budget_, place_)
            .read(rows_.columns[column], next_row_ - 1, source_dims, out);
    }

private:
    [[nodiscard]] static result<std::unique_ptr<table>> open(std::unique_ptr<message_source> in,
                                                             flat_table const& schema) {
        auto t = std::make_unique<arrow_table>(std::move(in));
        if (!schema_parser().parse(schema, t->schema_) || !schema.there())
            return t->in_->wrong("a schema that contradicts itself");
        if (t->schema_.big_endian)
            return error{errc::unsupported, "little-endian values", t->place_ + "others"};
        for (auto const& column : t->schema_.columns) {
            t->columns_.push_back({column.name, kind_of(column)});
            t->note_dictionaries(column);
        }
        t->digits_.resize(t->columns_.size());
        return std::unique_ptr<table>(std::move(t));
    }

    [[nodiscard]] static column_kind kind_of(field_type const& f) {
        if (f.coded && f.what != family::text) return column_kind::scalar;
        switch (f.what) {
            case family::integer: return column_kind::integer;
            case family::text: return f.json ? column_kind::json : column_kind::text;
            case family::uuid: return column_kind::text;
            case family::bytes:
            case family::fixed_bytes: return column_kind::bytes;
            case family::list:
            case family::fixed_list: {
                auto const& part = f.parts.front();
                return part.coded                     ? column_kind::other
                       : part.what == family::real    ? column_kind::reals
                       : part.what == family::integer ? column_kind::integers
                                                      : column_kind::other;
            }
            case family::structure:
            case family::unreadable: return column_kind::other;
            default: return column_kind::scalar;
        }
    }

    void note_dictionaries(field_type const& f) {
        if (f.coded) {
            auto values = f;
            values.coded = false;
            word_types_.emplace(f.dictionary, std::vector<field_type>{std::move(values)});
        }
        for (auto const& part : f.parts) note_dictionaries(part);
    }

    [[nodiscard]] result<void> take(message& m) {
        flat_bytes bytes(m.metadata);
        auto header = flat_table::root(bytes).table(2);
        auto const load = [&](std::vector<field_type> const& fields, batch& to) -> result<void> {
            to.body = std::move(m.body);
            auto done = array_loader(header, to).load(fields);
            if (done && bytes.good()) return {};
            if (done) return in_->wrong("a damaged message");
            return error{done.error().code(), done.error().expected(), place_ + done.error().got()};
        };
        if (m.kind == static_cast<std::uint8_t>(message_kind::batch)) {
            rows_ = {};
            next_row_ = 0;
            if (auto done = load(schema_.columns, rows_); !done) {
                rows_ = {};
                return done;
            }
            return {};
        }
        if (m.kind != static_cast<std::uint8_t>(message_kind::dictionary))
            return error{errc::unsupported, "record batches and dictionaries",
                         place_ + "a message of another kind"};
        auto const id = static_cast<std::int64_t>(header.number<std::uint64_t>(0));
        bool const more = header.number<std::uint8_t>(2) != 0;
        auto const type = word_types_.find(id);
        if (type == word_types_.end()) return in_->wrong("a dictionary that no column has");
        header = header.table(1);
        auto words = std::make_unique<batch>();
        VICINAL_CHECK(load(type->second, *words));
        auto& parts = words_[id];
        if (!more) parts.clear();
        parts.push_back(std::move(words));
        return {};
    }

    std::unique_ptr<message_source> in_;
    std::string place_;
    schema_message schema_;
    std::vector<table_column> columns_;
    std::vector<bool> digits_;
    std::map<std::int64_t, std::vector<field_type>> word_types_; // one each
    array_values::dictionaries words_;
    batch rows_;
    std::uint64_t next_row_ = 0;
    row_budget budget_;
};

} // namespace vicinal::inline VICINAL_ABI::detail::columnar::arrow

#endif
