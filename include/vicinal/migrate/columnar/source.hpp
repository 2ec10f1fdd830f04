// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_COLUMNAR_SOURCE_HPP
#define VICINAL_MIGRATE_COLUMNAR_SOURCE_HPP

#include <vicinal/migrate/bad_record.hpp>
#include <vicinal/migrate/columnar/layouts.hpp>
#include <vicinal/migrate/columnar/open_table.hpp>
#include <vicinal/migrate/columnar/options.hpp>
#include <vicinal/migrate/columnar/row_plan.hpp>
#include <vicinal/migrate/columnar/row_reader.hpp>
#include <vicinal/migrate/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads tables: Parquet files, Arrow files and streams, and the directories of them that others
/// export (`columnar_layout`). A row is a record.
///
/// The vector is a column of lists of floats, of whatever length; doubles become the nearest
/// floats. Columns called `metadata`, `payload` or `$meta` that hold JSON objects give their
/// members as payload fields; a name that a column has too becomes `<column>_<name>`. Every other
/// column is a payload field of its name: booleans, integers, doubles, text, lists, structs as
/// nested fields; dates and times as ISO 8601 text, decimals as text, bytes that are no UTF-8 text
/// in base64. A null is a field that is not there. Other vectors, sparse vectors and lists of
/// vectors are not carried: `describe` counts them.
///
/// Parquet: pages of both versions, every encoding, Snappy, gzip, zstd and LZ4 (raw); memory is a
/// page (1 GiB at most) and a dictionary for each column. Arrow: every type but unions, intervals,
/// list views and run ends; LZ4 and zstd; a record batch lies in memory as a whole. A row may have
/// 256 MiB. After the format specifications of Apache Parquet and Apache Arrow.
class columnar_source {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit columnar_source(std::string path, columnar_options options = {})
        : columnar_source(try_open(std::move(path), std::move(options)).value()) {}
#endif

    /// Errors: not_found (no such path, column, namespace or collection), invalid_argument (several
    /// of them and none chosen: the message lists them; no column of vectors), foreign_file,
    /// corrupt_source, unsupported (names what is), limit_exceeded, invalid_json (VDF_META.json),
    /// io_failure.
    [[nodiscard]] static result<columnar_source> try_open(std::string path,
                                                          columnar_options options = {}) {
        return detail::guarded([&]() -> result<columnar_source> {
            columnar_source source(std::move(path), std::move(options), unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// The dimension is that of the first vector among the first thousand rows. How many records
    /// there are is not known of Arrow, nor where only some rows of a file are meant.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            schema s{.dim = 0,
                     .metric = set_.metric,
                     .records = std::uint64_t{0},
                     .losses = losses_.sentences(),
                     .description = std::string(name()) + ":" + set_.description};
            if (numbered_)
                s.losses.insert(s.losses.begin(),
                                "rows have no ids: they are numbered from 0 in the order of the "
                                "files");
            if (!set_.wishes.only_column.empty()) s.records.reset();
            for (auto const& file : set_.files) {
                if (!s.records) break;
                auto const t = detail::columnar::open_table(file, options_.open);
                if (!t) return t.error();
                auto const rows = (*t)->rows();
                if (rows)
                    *s.records += *rows;
                else
                    s.records.reset();
            }
            columnar_source first(path_, options_, unopened{});
            first.bad_.pass_over([](bad_record const&) {});
            VICINAL_CHECK(first.rewind());
            std::vector<record> batch;
            for (int i = 0; i < 1'000 && s.dim == 0; ++i) {
                // What can't be read here is told by read().
                if (!first.read(batch, 1) || batch.empty()) break;
                s.dim = batch.front().vector.size();
            }
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto set = detail::columnar::files_of(path_, options_);
            if (!set) return set.error();
            set_ = *std::move(set);
            losses_.clear();
            file_ = 0;
            row_ = 0;
            return open_next();
        });
    }

    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            // Records of the batch before are filled anew: their vectors keep their memory.
            std::size_t n = 0;
            while (n < most && table_) {
                auto const more = table_->next();
                if (!more) return more.error();
                if (!*more) {
                    VICINAL_CHECK(open_next());
                    continue;
                }
                if (n == batch.size()) batch.emplace_back();
                ++row_of_file_;
                auto const made = reader_.read(*table_, row_++, batch[n], losses_);
                if (!made) return named(made.error());
                if (!made->bad) {
                    auto const met = bad_.meet(place(), batch[n].id, made->bad.error());
                    if (!met) return named(met.error());
                } else if (made->taken) {
                    ++n;
                }
            }
            batch.resize(n);
            return {};
        });
    }

    /// Rows that are no records (no id, JSON that is none, nulls in a vector) are told and passed
    /// over.
    void pass_over(bad_record_handler tell) { bad_.pass_over(std::move(tell)); }

private:
    struct unopened {};
    columnar_source(std::string path, columnar_options options, unopened)
        : path_(std::move(path)), options_(std::move(options)) {}

    [[nodiscard]] char const* name() const noexcept {
        switch (options_.layout) {
            case columnar_layout::tables: break;
            case columnar_layout::pinecone_import: return "pinecone-import";
            case columnar_layout::weaviate_export: return "weaviate-export";
            case columnar_layout::vdf: return "vdf";
            case columnar_layout::chroma_0_3: return "chroma-0.3";
        }
        return scheme_;
    }

    [[nodiscard]] std::string place() const {
        return set_.files[file_ - 1] + ", row " + std::to_string(row_of_file_);
    }
    [[nodiscard]] error named(error const& e) const {
        bool const has_place = e.got().find(set_.files[file_ - 1]) != std::string::npos;
        return has_place ? e : error{e.code(), e.expected(), place() + ": " + e.got()};
    }

    /// Goes on with the next file; without a table where there is none.
    result<void> open_next() {
        table_.reset();
        if (file_ == set_.files.size()) return {};
        auto const& path = set_.files[file_++];
        row_of_file_ = 0;
        auto t = detail::columnar::open_table(path, options_.open);
        if (!t) return t.error();
        if (file_ == 1) scheme_ = (*t)->scheme();
        auto wishes = set_.wishes;
        if ((*t)->note("vicinal")) {
            wishes.layout = detail::columnar::table_layout::own;
            if (auto const* const metric = (*t)->note("vicinal.metric")) set_.metric = *metric;
        }
        auto plan = detail::columnar::row_planner(**t, wishes, path).plan();
        if (!plan) return plan.error();
        numbered_ = plan->numbered;
        for (std::size_t i = 0; i < plan->uses.size(); ++i)
            if (plan->uses[i] == detail::columnar::column_use::id) (*t)->keep_digits(i);
        reader_ = detail::columnar::row_reader(*std::move(plan), std::move(wishes));
        table_ = *std::move(t);
        return {};
    }

    std::string path_;
    columnar_options options_;
    detail::columnar::table_set set_;
    std::unique_ptr<detail::columnar::table> table_;
    char const* scheme_ = "parquet"; // that of the first file; of no file, any
    detail::columnar::row_reader reader_;
    detail::columnar::row_losses losses_;
    detail::bad_records bad_;
    std::size_t file_ = 0; // the one behind the open one
    std::uint64_t row_ = 0;
    std::uint64_t row_of_file_ = 0;
    bool numbered_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
