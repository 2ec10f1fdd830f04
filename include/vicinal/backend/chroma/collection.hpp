// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_COLLECTION_HPP
#define VICINAL_BACKEND_CHROMA_COLLECTION_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/hnsw_files.hpp>
#include <vicinal/backend/chroma/index_map.hpp>
#include <vicinal/backend/chroma/payloads.hpp>
#include <vicinal/backend/chroma/replay.hpp>
#include <vicinal/backend/sqlite.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// One collection as it lay on disk when it was opened: where every record is, and the readers of
/// vectors and payloads.
class chroma_view {
public:
    /// Errors: corrupt_source (parts that contradict each other and are not made good by the log),
    /// io_failure, limit_exceeded.
    [[nodiscard]] static result<std::unique_ptr<chroma_view>>
    open(std::string const& directory, sqlite_database db, chroma_entry entry) {
        auto view = std::make_unique<chroma_view>();
        view->db_ = std::move(db);
        view->entry_ = std::move(entry);
        view->description_ =
            "chroma:" + directory + " (collection " + full_name(view->entry_.about) + ")";
        VICINAL_CHECK(view->bring_together(directory));
        auto payloads = chroma_payloads::open(view->db_);
        if (!payloads) return payloads.error();
        view->payloads_ = *std::move(payloads);
        VICINAL_CHECK(view->prepare_vectors());
        VICINAL_CHECK(view->find_losses());
        return view;
    }

    [[nodiscard]] std::size_t size() const noexcept { return found_.places.size(); }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] chroma_entry const& entry() const noexcept { return entry_; }
    [[nodiscard]] std::string const& description() const noexcept { return description_; }
    [[nodiscard]] std::vector<std::string> const& losses() const noexcept { return losses_; }

    /// Replaces the records of `batch` by those from the i-th on, in the order of ids.
    [[nodiscard]] result<void> read(std::size_t i, std::span<record> batch) {
        std::span<chroma_place const> const places(found_.places.data() + i, batch.size());
        for (std::size_t k = 0; k < batch.size(); ++k) {
            auto const& place = places[k];
            batch[k].id = place.id;
            if (place.where == chroma_place::vector_in::index)
                VICINAL_CHECK(
                    index_->read(static_cast<std::uint32_t>(place.vector), batch[k].vector));
            else
                VICINAL_CHECK(read_logged(place, batch[k].vector));
        }
        return payloads_.read(places, batch);
    }

private:
    // A segment id names a directory: nothing but what a UUID is made of may be in it.
    [[nodiscard]] static bool plain_name(std::string_view id) noexcept {
        return !id.empty() && id.size() <= 64 &&
               id.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
    }

    [[nodiscard]] result<void> bring_together(std::string const& directory) {
        chroma_watermarks done;
        auto const metadata = metadata_watermark(db_, entry_.metadata_segment);
        if (!metadata) return metadata.error();
        done.metadata = *metadata;

        auto const& segment = entry_.vector_segment;
        if (!segment.empty() && !plain_name(segment))
            return error{errc::corrupt_source, "a UUID as the name of a segment",
                         "'" + segment + "' in " + db_.path()};
        auto const files = directory + "/" + segment;
        bool const persisted = !segment.empty() && path_exists(files + "/index_metadata.pickle");
        if (!persisted) return replay(done, nullptr);

        std::optional<error> broken;
        auto map = read_index_map(files + "/index_metadata.pickle");
        if (!map) broken = map.error();
        if (!broken && !map->labels.empty()) {
            auto index = hnsw_files::open(files, entry_.about.space == "cosine");
            if (index)
                index_ = *std::move(index);
            else
                broken = index.error();
        }
        if (!broken) {
            auto const vectors = segment_watermark(db_, segment);
            if (!vectors) return vectors.error();
            done.vectors = *vectors >= 0 ? *vectors : map->last_sequence.value_or(0);
            return replay(done, &*map);
        }
        // Without its index a collection is whole if the log still has every vector, as in
        // directories of Chroma up to 0.5. A data file that is not there at all was left out by
        // someone who knew; a damaged one is not passed over.
        if (broken->code() == errc::io_failure || broken->code() == errc::out_of_memory)
            return *broken;
        VICINAL_CHECK(replay(done, nullptr));
        if (found_.without_vector > 0 && broken->code() != errc::not_found) return *broken;
        losses_.push_back("the index files could not be used, all vectors are from the log (" +
                          broken->message() + ")");
        return {};
    }

    [[nodiscard]] result<void> replay(chroma_watermarks const& done, chroma_index_map const* map) {
        chroma_replay all;
        all.reserve(static_cast<std::size_t>(entry_.about.records));
        VICINAL_CHECK(all.add_records(db_, entry_.metadata_segment));
        if (map != nullptr && index_) {
            std::vector<bool> used;
            for (auto const& [id, label] : map->labels) {
                auto const row = index_->find(label);
                if (!row) continue; // counted as a record without a vector
                if (*row >= used.size()) used.resize(*row + std::size_t{1});
                if (used[*row])
                    return error{errc::corrupt_source, "each label for one id",
                                 "label " + std::to_string(label) + " for two"};
                used[*row] = true;
                VICINAL_CHECK(all.add_persisted(id, *row));
            }
        }
        VICINAL_CHECK(all.follow_log(db_, entry_, done));
        found_ = all.finish();
        return {};
    }

    [[nodiscard]] result<void> prepare_vectors() {
        dim_ = entry_.about.dimension;
        if (index_ && found_.persisted > 0) {
            if (dim_ == 0) dim_ = index_->dim();
            if (dim_ != index_->dim())
                return error{errc::corrupt_source, std::to_string(dim_) + " elements a vector",
                             std::to_string(index_->dim()) + " in the index files"};
        }
        auto const log = db_.has_table("embeddings_queue");
        if (!log) return log.error();
        if (!*log) return {};
        auto logged =
            db_.prepare("select vector, encoding from embeddings_queue where seq_id = ?1");
        if (!logged) return logged.error();
        logged_ = *std::move(logged);
        if (dim_ == 0 && !found_.places.empty()) {
            std::vector<float> first;
            VICINAL_CHECK(read_logged(found_.places.front(), first));
            dim_ = first.size();
        }
        return {};
    }

    [[nodiscard]] result<void> read_logged(chroma_place const& place, std::vector<float>& out) {
        logged_.reset();
        auto const row = logged_.bind(1, place.vector).step();
        if (!row) return row.error();
        auto const bytes = *row ? logged_.blob(0) : std::span<std::byte const>{};
        auto const elements = bytes.size() / sizeof(float);
        bool const whole = bytes.size() % sizeof(float) == 0 && elements > 0 &&
                           elements <= source_dims && (dim_ == 0 || elements == dim_);
        auto const encoding = logged_.text(1);
        if (!whole)
            return error{errc::corrupt_source,
                         "a vector of " + std::to_string(dim_ * sizeof(float)) + " bytes",
                         std::to_string(bytes.size()) + " for '" + place.id + "' in the log of " +
                             db_.path()};
        if (encoding != "FLOAT32" && encoding != "INT32")
            return error{errc::unsupported, "the encoding FLOAT32 or INT32",
                         "'" + std::string(encoding) + "' for '" + place.id + "'"};
        out.resize(elements);
        for (std::size_t i = 0; i < elements; ++i) {
            auto const bits = load_le<std::uint32_t>(bytes.data() + i * sizeof(float));
            out[i] = encoding == "FLOAT32" ? std::bit_cast<float>(bits)
                                           : static_cast<float>(static_cast<std::int32_t>(bits));
        }
        return {};
    }

    [[nodiscard]] result<void> find_losses() {
        auto const count = [](std::uint64_t n, char const* one, char const* many) {
            return std::to_string(n) + " " + (n == 1 ? one : many);
        };
        if (found_.without_vector > 0)
            losses_.push_back(count(found_.without_vector, "record has", "records have") +
                              " no vector in the directory and cannot be read");
        if (found_.without_record > 0)
            losses_.push_back(count(found_.without_record, "vector has", "vectors have") +
                              " no record in the directory and cannot be read");
        if (entry_.about.space == "cosine" && found_.persisted > 0)
            losses_.push_back(
                count(found_.persisted, "vector", "vectors") +
                (index_->has_lengths()
                     ? " that Chroma had persisted under cosine are Chroma's own (normalised and "
                       "scaled back), not bit for bit the ones inserted"
                     : " that Chroma had persisted under cosine are normalised: the file "
                       "length.bin "
                       "with their lengths is not there"));
        auto rows = db_.prepare(
            "select own.key, count(*) from embedding_metadata own "
            "where own.key in ('document', 'uri') and exists (select 1 "
            "from embedding_metadata m, embeddings e where m.id = own.id and "
            "m.key = 'chroma:' || own.key and e.id = own.id and e.segment_id = ?1) group by 1");
        if (!rows) return rows.error();
        rows->bind(1, entry_.metadata_segment);
        for (;;) {
            auto const row = rows->step();
            if (!row) return row.error();
            if (!*row) break;
            std::string const name(rows->text(0));
            losses_.push_back(
                count(static_cast<std::uint64_t>(rows->integer(1)), "record has", "records have") +
                " a metadata field named '" + name + "': Chroma's own " + name +
                " is in the field 'chroma:" + name + "' there");
        }
        return {};
    }

    sqlite_database db_; // before the statements, which go first
    chroma_entry entry_;
    std::string description_;
    std::optional<hnsw_files> index_;
    chroma_replay::outcome found_;
    chroma_payloads payloads_;
    sqlite_statement logged_;
    std::size_t dim_ = 0;
    std::vector<std::string> losses_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
