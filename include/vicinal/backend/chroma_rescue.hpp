// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_RESCUE_HPP
#define VICINAL_BACKEND_CHROMA_RESCUE_HPP

#include <vicinal/backend/chroma/catalogue.hpp>
#include <vicinal/backend/chroma/options.hpp>
#include <vicinal/backend/chroma/rescue_view.hpp>
#include <vicinal/backend/chroma/space.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/migrate/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::backend {

/// Reads what is left of a collection in a damaged Chroma directory, which chroma_directory
/// refuses.
///
/// Files may be missing, cut off or written over: the catalogue of collections in chroma.sqlite3 is
/// all that has to be readable. A record comes only where its id, its vector and its payload can
/// each be read, and where the parts that know of them agree: the table of records and its index,
/// both directions of the map of ids, and checks of each row of the vectors. A lost one is told to
/// `pass_over`; without a handler the losses count them and name the first twenty. Under cosine, a
/// vector whose length is lost comes normalised, and the losses say how many do. No check finds a
/// few flipped bits in a text, in a length, or in a vector of another metric than cosine. Memory:
/// about 400 bytes a record. Needs SQLite and simdjson.
class chroma_rescue {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    explicit chroma_rescue(std::string path, std::string collection = {},
                           chroma_options options = {})
        : chroma_rescue(
              try_open(std::move(path), std::move(collection), std::move(options)).value()) {}
#endif

    /// `collection` may be empty where the directory has only one.
    ///
    /// Errors: those of chroma_directory, for a catalogue that can't be read.
    [[nodiscard]] static result<chroma_rescue>
    try_open(std::string path, std::string collection = {}, chroma_options options = {}) {
        return detail::guarded([&]() -> result<chroma_rescue> {
            chroma_rescue source(std::move(path), std::move(collection), std::move(options),
                                 unopened{});
            VICINAL_CHECK(source.rewind());
            return source;
        });
    }

    /// After the last record `losses` says how many were lost.
    [[nodiscard]] result<schema> describe() {
        return detail::guarded([&]() -> result<schema> {
            schema s{.dim = view_->dim(),
                     .metric = std::string(detail::metric_of_space(view_->entry().about.space)),
                     .losses = view_->losses(),
                     .description = "chroma:" + path_ + " (collection " +
                                    detail::full_name(view_->entry().about) + ", rescued)"};
            if (lost_ > 0)
                s.losses.push_back(std::to_string(lost_) + " records or ranges of rows are lost: " +
                                   names_ + (lost_ > named ? ", ..." : ""));
            return s;
        });
    }

    result<void> rewind() {
        return detail::guarded([&]() -> result<void> {
            auto db = detail::open_chroma(path_);
            if (!db) return db.error();
            auto const entries = detail::chroma_catalogue(*db, true).read();
            if (!entries) return entries.error();
            auto entry = detail::choose_collection(*entries, collection_, options_);
            if (!entry) return entry.error();
            auto view = detail::rescue_view::open(path_, *std::move(db), *std::move(entry));
            if (!view) return view.error();
            view_ = *std::move(view);
            next_ = 0;
            told_ = 0;
            lost_ = 0;
            names_.clear();
            return {};
        });
    }

    result<void> read(std::vector<record>& batch, std::size_t most) {
        return detail::guarded([&]() -> result<void> {
            for (; told_ < view_->lost().size(); ++told_) tell(view_->lost()[told_]);
            std::size_t n = 0;
            while (n < most && next_ < view_->size()) {
                if (n == batch.size()) batch.emplace_back();
                auto const at = next_++;
                auto const read = view_->read(at, batch[n]);
                if (read) {
                    ++n;
                    continue;
                }
                if (read.error().code() == errc::out_of_memory ||
                    read.error().code() == errc::io_failure)
                    return read;
                tell({path_, view_->id(at), read.error()});
            }
            batch.resize(n);
            return {};
        });
    }

    /// From now on lost records are told, those that are known at once with the first batch.
    void pass_over(bad_record_handler tell) { tell_ = std::move(tell); }

private:
    static constexpr std::uint64_t named = 20;

    struct unopened {};
    chroma_rescue(std::string path, std::string collection, chroma_options options, unopened)
        : path_(std::move(path)), collection_(std::move(collection)), options_(std::move(options)) {
    }

    void tell(bad_record const& lost) {
        if (lost_ < named)
            names_.append(names_.empty() ? "" : ", ")
                .append(lost.id.empty() ? lost.place : lost.id);
        ++lost_;
        if (tell_) tell_(lost);
    }

    std::string path_;
    std::string collection_;
    chroma_options options_;
    std::unique_ptr<detail::rescue_view> view_;
    std::size_t next_ = 0;
    std::size_t told_ = 0;
    std::uint64_t lost_ = 0;
    std::string names_;
    bad_record_handler tell_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
