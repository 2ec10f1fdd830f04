// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_MIRROR_HPP
#define VICINAL_BACKEND_MIRROR_HPP

#include <vicinal/backend/any_store.hpp>
#include <vicinal/backend/mirror/journal.hpp>
#include <vicinal/core/mutex.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// One search that both sides of a mirror were asked.
struct shadow_read {
    std::vector<any_store::hit> leading;
    std::vector<any_store::hit> following;
    /// The share of the leading side's hits that the other side has, too.
    double agreement = 0;
};

struct mirror_options {
    /// The file that remembers what one side missed; made where there is none.
    std::string journal = {};
    /// Every how many searches the other side is asked as well. 0: never.
    std::size_t shadow_every = 0;
    /// Told of each of those, on the searching thread.
    std::function<void(shadow_read const&)> on_shadow = {};
};

/// Two stores that are kept equal while a running system moves from one to the other.
///
/// Writes go to the leading side and then to the other; reads are the leading side's. Before a
/// write its ids are in the journal, and leave it when both sides have it: whatever fails or
/// crashes in between, `catch_up` makes the other side equal again by what the leading side then
/// holds. So the other side may be away for days. A write is done when the leading side has it.
///
/// The way to move: open the mirror over the old store and an empty new one, `backfill`, let it run
/// with shadow reads until they agree, `cut_over`; the old store then follows, and `go_back`
/// returns to it without loss. Then let go of both and use the new one alone.
///
/// The stores must outlive the mirror and not be written beside it. Thread safety: all calls from
/// any thread; writes one at a time. Costs of a write: one synced append to the journal and one not
/// synced, beside both stores'.
class mirror {
public:
#if VICINAL_EXCEPTIONS
    /// As `try_open`, but throws its error.
    mirror(any_store& old_store, any_store& new_store, mirror_options options)
        : mirror(try_open(old_store, new_store, std::move(options)).value()) {}
#endif

    /// The old side leads, unless the journal says otherwise.
    ///
    /// Errors: invalid_argument (no journal named), dimension_mismatch, locked, not_found,
    /// corrupt_source, foreign_file, io_failure.
    [[nodiscard]] static result<mirror> try_open(any_store& old_store, any_store& new_store,
                                                 mirror_options options) {
        return detail::guarded([&]() -> result<mirror> {
            if (options.journal.empty())
                return error{errc::invalid_argument, "the path of a journal", "''"};
            if (old_store.dim() != new_store.dim())
                return error{errc::dimension_mismatch,
                             std::to_string(old_store.dim()) + " elements a vector",
                             std::to_string(new_store.dim())};
            auto journal = detail::mirror_journal::open(options.journal);
            if (!journal) return journal.error();
            return mirror(old_store, new_store, *std::move(journal), std::move(options));
        });
    }

    /// Writes to both sides. The error is the leading side's; what the other side missed is
    /// `pending` until `catch_up`.
    result<void> try_upsert(std::span<record const> batch) {
        return detail::guarded([&]() -> result<void> {
            std::vector<std::string_view> ids;
            ids.reserve(batch.size());
            for (auto const& r : batch) ids.push_back(r.id);
            return write(ids, [&](any_store& to) { return to.try_upsert(batch); });
        });
    }
    /// Whether the leading side had a record of that id.
    result<bool> try_erase(std::string_view id) {
        return detail::guarded([&]() -> result<bool> {
            bool there = false;
            bool first = true;
            auto const erase = [&](any_store& from) -> result<void> {
                auto const erased = from.try_erase(id);
                VICINAL_CHECK(erased);
                if (std::exchange(first, false)) there = *erased;
                return {};
            };
            VICINAL_CHECK(write(std::span(&id, 1), erase));
            return there;
        });
    }

    [[nodiscard]] result<std::optional<record>> try_get(std::string_view id) const {
        return leading().try_get(id);
    }
    /// The leading side's answer.
    [[nodiscard]] result<std::vector<any_store::hit>>
    try_search(vector_view<float> query, search_options const& options = {}) const {
        auto found = leading().try_search(query, options);
        if (found && shadow_due()) shadow(*found, query, options);
        return found;
    }

    /// How many ids may differ between the sides.
    [[nodiscard]] std::size_t pending() const {
        detail::mutex_lock const lock(state_->writing);
        return state_->journal.differing().size();
    }

    /// Makes the following side equal to the leading one for every id that is pending. How many
    /// that were. Errors: those of either side; what is done stays done.
    result<std::size_t> try_catch_up() {
        return detail::guarded([&]() -> result<std::size_t> {
            std::size_t done = 0;
            for (;; ++done) {
                detail::mutex_lock const lock(state_->writing);
                auto const& differing = state_->journal.differing();
                if (differing.empty()) return done;
                std::string const id = *differing.begin();
                VICINAL_CHECK(make_equal(id));
                std::string_view const name = id;
                VICINAL_CHECK(state_->journal.settle(std::span(&name, 1)));
            }
        });
    }

    /// Brings every record of the leading side to the other one, `batch_size` at a time, while
    /// writes go on in between. Records that are there already are compared and not written, so
    /// that a run that was cut off is simply begun again. How many were written.
    result<std::size_t> try_backfill(std::size_t batch_size = 100,
                                     std::function<void(std::size_t)> const& on_progress = {}) {
        return detail::guarded([&]() -> result<std::size_t> {
            auto from = leading().source();
            std::vector<record> batch;
            std::size_t seen = 0;
            std::size_t written = 0;
            for (;;) {
                VICINAL_CHECK(from.read(batch, batch_size));
                if (batch.empty()) return written;
                for (auto const& r : batch) {
                    // What was read may be old by now; what counts is the record of this moment.
                    detail::mutex_lock const lock(state_->writing);
                    auto const changed = make_equal(r.id);
                    VICINAL_CHECK(changed);
                    written += *changed;
                }
                seen += batch.size();
                if (on_progress) on_progress(seen);
            }
        });
    }

    /// The new side leads from now on; the old one follows. Refuses while anything is pending.
    ///
    /// Errors: invalid_argument (with the number of pending ids), io_failure.
    result<void> try_cut_over() { return lead(1); }
    /// The old side leads again. Errors: as `try_cut_over`.
    result<void> try_go_back() { return lead(0); }
    [[nodiscard]] bool new_side_leads() const noexcept { return state_->leading == 1; }

    /// Of the shadow reads so far: how many, and their mean agreement.
    struct shadows {
        std::uint64_t reads = 0;
        double agreement = 1;
    };
    [[nodiscard]] shadows shadow_reads() const {
        detail::mutex_lock const lock(state_->counting);
        auto const n = state_->shadow_count;
        return {n, n == 0 ? 1 : state_->agreement / static_cast<double>(n)};
    }

#if VICINAL_EXCEPTIONS
    void upsert(std::span<record const> batch) { try_upsert(batch).value(); }
    bool erase(std::string_view id) { return try_erase(id).value(); }
    [[nodiscard]] std::optional<record> get(std::string_view id) const {
        return try_get(id).value();
    }
    [[nodiscard]] std::vector<any_store::hit> search(vector_view<float> query,
                                                     search_options const& options = {}) const {
        return try_search(query, options).value();
    }
    std::size_t catch_up() { return try_catch_up().value(); }
    std::size_t backfill(std::size_t batch_size = 100) { return try_backfill(batch_size).value(); }
    void cut_over() { try_cut_over().value(); }
    void go_back() { try_go_back().value(); }
#endif

private:
    struct state {
        detail::mutex writing;
        detail::mirror_journal journal;
        /// The journal's, for readers that take no lock.
        std::atomic<unsigned> leading{0};
        detail::mutex counting;
        std::uint64_t searches = 0;
        std::uint64_t shadow_count = 0;
        double agreement = 0;
    };

    mirror(any_store& old_store, any_store& new_store, detail::mirror_journal journal,
           mirror_options options)
        : sides_{&old_store, &new_store}, options_(std::move(options)),
          state_(std::make_unique<state>()) {
        state_->journal = std::move(journal);
        state_->leading = state_->journal.leading();
    }

    // A side alone is safe to read while the other thread leads another: both hold what counts.
    [[nodiscard]] any_store& leading() const noexcept { return *sides_[state_->leading]; }
    [[nodiscard]] any_store& following() const noexcept { return *sides_[1 - state_->leading]; }

    template <class Do>
    [[nodiscard]] result<void> write(std::span<std::string_view const> ids, Do const& apply) {
        detail::mutex_lock const lock(state_->writing);
        VICINAL_CHECK(state_->journal.announce(ids));
        // What the leading side refuses stays announced: it may have been done by half where it
        // failed below the store, and catching up finds out.
        VICINAL_CHECK(apply(leading()));
        // One that missed an earlier write of these ids is made equal by catching up.
        if (!apply(following())) return {};
        return state_->journal.settle(ids);
    }

    /// Whether something had to be written to the following side.
    [[nodiscard]] result<bool> make_equal(std::string_view id) {
        auto const is = leading().try_get(id);
        VICINAL_CHECK(is);
        auto const was = following().try_get(id);
        VICINAL_CHECK(was);
        if (!*is) {
            if (!*was) return false;
            auto const erased = following().try_erase(id);
            VICINAL_CHECK(erased);
            return true;
        }
        if (*was && same(**is, **was)) return false;
        VICINAL_CHECK(following().try_upsert(std::span(&**is, 1)));
        return true;
    }
    [[nodiscard]] static bool same(record const& a, record const& b) noexcept {
        return a.vector.size() == b.vector.size() && a.payload == b.payload &&
               std::memcmp(a.vector.data(), b.vector.data(), a.vector.size() * sizeof(float)) == 0;
    }

    [[nodiscard]] result<void> lead(unsigned side) {
        detail::mutex_lock const lock(state_->writing);
        if (state_->journal.leading() == side) return {};
        auto const n = state_->journal.differing().size();
        if (n > 0)
            return error{errc::invalid_argument, "sides that are equal: catch_up() first",
                         std::to_string(n) + " ids pending"};
        VICINAL_CHECK(state_->journal.lead(side));
        state_->leading = side;
        return {};
    }

    [[nodiscard]] bool shadow_due() const {
        if (options_.shadow_every == 0) return false;
        detail::mutex_lock const lock(state_->counting);
        return state_->searches++ % options_.shadow_every == 0;
    }
    void shadow(std::vector<any_store::hit> const& found, vector_view<float> query,
                search_options const& options) const {
        auto other = following().try_search(query, options);
        shadow_read s{found, other ? std::move(*other) : std::vector<any_store::hit>(), 0};
        auto const both = std::count_if(found.begin(), found.end(), [&](auto const& hit) {
            return std::any_of(s.following.begin(), s.following.end(),
                               [&](auto const& h) { return h.id == hit.id; });
        });
        s.agreement = found.empty() ? (s.following.empty() ? 1 : 0)
                                    : static_cast<double>(both) / static_cast<double>(found.size());
        {
            detail::mutex_lock const lock(state_->counting);
            ++state_->shadow_count;
            state_->agreement += s.agreement;
        }
        if (options_.on_shadow) options_.on_shadow(s);
    }

    any_store* sides_[2];
    mirror_options options_;
    std::unique_ptr<state> state_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
