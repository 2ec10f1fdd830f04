// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_STORE_HPP
#define VICINAL_STORE_STORE_HPP

#include <vicinal/index/hnsw.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/storage/memory.hpp>
#include <vicinal/store/batch.hpp>
#include <vicinal/store/checked.hpp>
#include <vicinal/store/engine.hpp>
#include <vicinal/store/opening.hpp>
#include <vicinal/store/options.hpp>
#include <vicinal/store/scan.hpp>
#include <vicinal/store/searches.hpp>
#include <vicinal/store/where.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI {

/// A vector store: records of id, vector and payload, found by nearness and by what payloads say.
///
/// Metric, Index, Storage and Payload are policies; every combination is compiled to code of its
/// own. A store of a durable storage takes a path: a directory that is made where there is none,
/// and that knows its own types.
///
/// Threads: any number may search, get and scan; writers wait for each other. A reader sees each
/// record whole or not at all.
///
/// Every throwing call has a try_ twin that returns a result; without exceptions there are only the
/// twins. Errors are vicinal::error: a code, what was expected, what came.
template <class Metric, class Index = index::hnsw<>, class Storage = storage::memory,
          class Payload = payload::fields, class Id = std::string>
class store : detail::checked<Metric, Index, Storage, Payload, Id> {
    using engine_type = detail::engine<Metric, Index, Storage, Payload, Id>;
    /// Whether the storage has files that it is saved to on request.
    static constexpr bool loadable = !Storage::durable && requires(typename Storage::space & s) {
        s.load(std::string_view());
    };
    static constexpr bool paged = requires { Storage::pages; };

public:
    using metric_type = Metric;
    using index_policy = Index;
    using storage_policy = Storage;
    using payload_policy = Payload;
    using id_type = Id;
    using scalar_type = metric::element_of<Metric>;
    using payload_type = typename Payload::value_type;
    using options = store_options<Index>;
    using record = basic_record<Id, scalar_type, payload_type>;
    using id_parameter = typename detail::id_traits<Id>::parameter;
    using vector_parameter = vector_view<scalar_type>;
    using braces = std::initializer_list<scalar_type>;

    /// One answer: the record's id and its distance in the metric's unit, computed from the exact
    /// vector.
    struct hit {
        Id id;
        float distance = 0;
        /// The usual similarity for the metric: larger is nearer.
        [[nodiscard]] float similarity() const { return metric::similarity<Metric>(distance); }
    };
    using hits = std::vector<hit>;

    /// Opens a store in memory; `space` may carry an allocator (storage::basic_memory). Errors:
    /// invalid_argument, unsupported (VICINAL_ISA asks for what this CPU lacks), out_of_memory.
    [[nodiscard]] static result<store>
    try_open(options const& o, typename Storage::space space = {}) requires(!Storage::durable) {
        return detail::guarded([&]() -> result<store> {
            auto e = detail::open_engine<engine_type>(o, std::move(space));
            VICINAL_CHECK(e);
            return store(std::move(*e));
        });
    }

    /// Makes a store in memory from the snapshot file at `path`: one that try_save() wrote, or that
    /// of a durable store's directory. Every byte is checked, and no more memory is taken than the
    /// file has bytes. `o.dim` may be 0; the index keeps the options it was made with. Errors:
    /// those of opening a directory.
    [[nodiscard]] static result<store>
    try_load(std::string_view path, options const& o = {},
             typename Storage::space space = {}) requires(loadable) {
        return detail::guarded([&]() -> result<store> {
            VICINAL_CHECK(space.load(path));
            return from_loaded(std::move(space), o);
        });
    }
    /// The same from anything that has the bytes of a snapshot: read(offset, span) -> result<void>
    /// gives them. `shown` is how they are called in errors.
    template <class Read>
    [[nodiscard]] static result<store>
    try_load_from(std::uint64_t bytes, std::string const& shown, Read const& read,
                  options const& o = {},
                  typename Storage::space space = {}) requires(!Storage::durable) {
        return detail::guarded([&]() -> result<store> {
            VICINAL_CHECK(space.read(bytes, shown, read));
            return from_loaded(std::move(space), o);
        });
    }

    /// Opens the directory at `path`, or makes it. Opening replays the log and rebuilds nothing.
    /// One writer at a time, any number of readers (`read_only`), each with the store as of its
    /// opening or last refresh(). A child of fork() can read what it was given, and not write.
    ///
    /// Errors: not_a_directory, foreign_file, locked (by the process that the message names),
    /// read_only (a directory that can't be written), newer_format, corrupt_snapshot, corrupt_log,
    /// metric_mismatch and its like, invalid_argument, unsupported, io_failure, out_of_memory.
    [[nodiscard]] static result<store> try_open(std::string_view path,
                                                options const& o = {}) requires(Storage::durable) {
        return detail::guarded([&]() -> result<store> {
            auto e = open_directory(path, o);
            VICINAL_CHECK(e);
            store s(std::move(*e));
            s.from_ = {std::string(path), o};
            if (o.threads > 0) s.engine_->fold_beside();
            return s;
        });
    }

    /// Inserts the record or replaces the one of that id. On a durable store it returns when the
    /// record is as safe as the durability promises; if it fails, nothing has changed.
    ///
    /// Errors: dimension_mismatch, not_finite, zero_vector, empty_id, invalid_id, invalid_payload,
    /// read_only, io_failure, writer_poisoned, limit_exceeded, out_of_memory.
    result<void> try_upsert(id_parameter id, vector_parameter vector,
                            payload_type const& payload = {}) {
        return detail::guarded([&]() -> result<void> {
            batch b(dim());
            VICINAL_CHECK(b.add(id, vector, payload));
            return engine_->upsert(b.entries());
        });
    }
    result<void> try_upsert(id_parameter id, braces vector, payload_type const& payload = {}) {
        return try_upsert(id, vector_parameter(vector.begin(), vector.size()), payload);
    }

    /// Inserts or replaces all records of a range, or none: one log record, one sync. Errors also:
    /// duplicate_id, and the id is named in each message.
    template <class Range>
        requires detail::range_of<Range, record> result<void> try_upsert(Range const& records) {
            return detail::guarded([&]() -> result<void> {
                batch b(dim());
                for (auto const& r : records) VICINAL_CHECK(b.add(r.id, r.vector, r.payload));
                VICINAL_CHECK(b.check_ids());
                return b.entries().empty() ? result<void>() : engine_->upsert(b.entries());
            });
        }

    /// The record of that id, its vector bit for bit as it was put in.
    [[nodiscard]] result<std::optional<record>> try_get(id_parameter id) const {
        return detail::guarded([&]() -> result<std::optional<record>> {
            return engine_->read(
                [&](auto const& rows, auto const&) -> result<std::optional<record>> {
                    auto const s = rows.find(id);
                    if (s == no_slot) return std::optional<record>();
                    auto r = engine_->template record_of<record>(rows, s);
                    VICINAL_CHECK(r);
                    return std::optional<record>(std::move(*r));
                });
        });
    }
    /// Whether there is a record of that id. Errors: corrupt_snapshot.
    [[nodiscard]] result<bool> try_contains(id_parameter id) const {
        return engine_->read([&](auto const& rows, auto const&) -> result<bool> {
            return rows.find(id) != no_slot;
        });
    }

    /// Removes the record; false where there is none of that id.
    result<bool> try_erase(id_parameter id) {
        return detail::guarded([&] { return engine_->erase(id); });
    }
    /// Removes every record.
    result<void> try_clear() {
        return detail::guarded([&] { return engine_->clear(); });
    }

    [[nodiscard]] std::size_t size() const {
        return engine_->read([](auto const& rows, auto const&) { return rows.live_count(); });
    }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t dim() const noexcept { return engine_->dim(); }
    /// The directory of a durable store, as it was opened.
    [[nodiscard]] std::string const& path() const noexcept requires(Storage::durable) {
        return from_.path;
    }
    [[nodiscard]] store_stats stats() const {
        return engine_->read([](auto const& rows, auto const& index) {
            return store_stats{rows.live_count(), index.covered(), rows.count()};
        });
    }

    /// What storage::file holds in memory and has read so far.
    [[nodiscard]] auto paging() const requires(paged) {
        return engine_->read([this](auto&, auto&) { return engine_->storage().paging(); });
    }

    /// The k records nearest to the query: always min(k, matching) of them, nearest first, ties by
    /// id.
    ///
    /// Cost: about log(size) x effort distances through a graph; size() where `exact`. Errors:
    /// dimension_mismatch, not_finite, zero_vector, invalid_filter, invalid_argument (a recall that
    /// is none), unsupported (a filter on a payload that has no fields), out_of_memory.
    [[nodiscard]] result<hits> try_search(vector_parameter query,
                                          search_options const& o = {}) const {
        return detail::guarded([&]() -> result<hits> {
            auto const where = detail::read_where<Payload>(o);
            VICINAL_CHECK(where);
            return searches(*engine_, *where, o).one(query);
        });
    }
    [[nodiscard]] result<hits> try_search(braces query, search_options const& o = {}) const {
        return try_search(vector_parameter(query.begin(), query.size()), o);
    }
    /// The same for each row of a matrix.
    [[nodiscard]] result<std::vector<hits>> try_search(matrix_view<scalar_type> queries,
                                                       search_options const& o = {}) const {
        return detail::guarded([&]() -> result<std::vector<hits>> {
            auto const where = detail::read_where<Payload>(o);
            VICINAL_CHECK(where);
            return searches(*engine_, *where, o).all(queries);
        });
    }

    using scan_type = record_scan<engine_type, record>;

    /// Every record in the order of ids, as of now, whatever a writer does meanwhile.
    [[nodiscard]] result<scan_type> try_scan() const { return scan_behind(std::nullopt); }
    /// Every record whose id comes behind `after`, there or not.
    [[nodiscard]] result<scan_type> try_scan(id_parameter after) const {
        return scan_behind(id_view(after));
    }

    /// Writes all of a store in memory to the file at `path`, which try_load() reads and a durable
    /// store opens read-only; what is there is replaced as one, and stays where it fails. Searches
    /// go on and writers wait. Cost: writing it and one sync. Errors: not_found (the directory),
    /// io_failure, limit_exceeded, unsupported (a big-endian host), out_of_memory.
    result<void> try_save(std::string_view path) const requires(loadable) {
        return engine_->save([&](auto const& space, auto const& types, auto replacements) {
            return space.save(path, types, replacements);
        });
    }
    /// The same to put(offset, bytes) -> result<void>, rows first, header last.
    template <class Put>
    result<void> try_save_to(Put const& put) const requires(!Storage::durable) {
        return engine_->save([&](auto const& space, auto const& types, auto replacements) {
            return space.write(types, replacements, put);
        });
    }

    /// Writes the next generation of a durable store, so that opening has no log to replay. Readers
    /// go on meanwhile. Errors: read_only, io_failure, out_of_memory; the store stays as it was.
    result<void> try_checkpoint() requires(Storage::durable) { return engine_->checkpoint(); }

    /// Copies the store as it is now to the directory `to`, as vicinal::try_backup does; searches
    /// and writes go on meanwhile.
    result<storage::copy_report> try_backup(std::string_view to) const requires(Storage::durable) {
        return detail::guarded([&] { return engine_->backup(to); });
    }

    /// Moves a store that was opened read-only to the newest state that its writer has reached, in
    /// this or another process; false where it has that already, as a writer always does, and while
    /// a scan is open on an older generation. Cost: that of what is new, or of opening. Errors: as
    /// try_open(); the store stays as it was.
    result<bool> try_refresh() requires(Storage::durable) {
        return detail::guarded([&] {
            auto o = from_.how;
            o.dim = dim();
            auto moved = engine_->refresh([&] { return open_directory(from_.path, o); });
            if (moved && *moved && o.threads > 0) engine_->fold_beside();
            return moved;
        });
    }

    /// Gives back what erased and replaced records hold, as every write does by itself once they
    /// are a quarter of the rows (and 1,000); a durable store writes a checkpoint for it. Without
    /// effect while a scan is open. Cost: all columns are written anew, in memory beside the old
    /// ones, and the lists of a graph healed, about a third of the time to build it; readers go on,
    /// writers wait. Errors: as try_checkpoint(); the store stays as it was.
    result<void> try_compact() {
        return detail::guarded([&] { return engine_->compact(); });
    }

    /// Looks at all that the store has: every checksum of a durable one's files, every record and
    /// its id, and that the index leads to each. Damage is in the report, not an error: see ok().
    /// Cost: reads everything; searches go on and writers wait. Errors: io_failure, out_of_memory.
    [[nodiscard]] result<verify_report> try_verify() const {
        return detail::guarded([&] { return engine_->verify(); });
    }

    /// Measures which effort gives which recall, so that `.recall` means what it says on these
    /// records; a bulk load does so at its end by itself. Searches go on and writers wait, about a
    /// tenth of the time that linking the records took. Errors: read_only, out_of_memory.
    result<index::tuning> try_tune() requires(!engine_type::index_type::exact) {
        return detail::guarded([&] { return engine_->tune(); });
    }

#if VICINAL_EXCEPTIONS
    explicit store(options const& o) : store(open_memory(o)) {}
    store(options const& o, typename Storage::space space) requires(!Storage::durable)
        : store(try_open(o, std::move(space)).value()) {}
    [[nodiscard]] static store load(std::string_view path,
                                    options const& o = {}) requires(loadable) {
        return try_load(path, o).value();
    }
    void save(std::string_view path) const requires(loadable) { try_save(path).value(); }
    explicit store(std::string_view path, options const& o = {}) : store(open_path(path, o)) {}

    void upsert(id_parameter id, vector_parameter vector, payload_type const& payload = {}) {
        try_upsert(id, vector, payload).value();
    }
    void upsert(id_parameter id, braces vector, payload_type const& payload = {}) {
        try_upsert(id, vector, payload).value();
    }
    template <class Range>
        requires detail::range_of<Range, record>
    void upsert(Range const& records) { try_upsert(records).value(); }
    [[nodiscard]] std::optional<record> get(id_parameter id) const { return try_get(id).value(); }
    [[nodiscard]] bool contains(id_parameter id) const { return try_contains(id).value(); }
    bool erase(id_parameter id) { return try_erase(id).value(); }
    void clear() { try_clear().value(); }
    [[nodiscard]] hits search(vector_parameter query, search_options const& o = {}) const {
        return try_search(query, o).value();
    }
    [[nodiscard]] hits search(braces query, search_options const& o = {}) const {
        return try_search(query, o).value();
    }
    [[nodiscard]] std::vector<hits> search(matrix_view<scalar_type> queries,
                                           search_options const& o = {}) const {
        return try_search(queries, o).value();
    }
    [[nodiscard]] scan_type scan() const { return try_scan().value(); }
    [[nodiscard]] scan_type scan(id_parameter after) const { return try_scan(after).value(); }
    void checkpoint() requires(Storage::durable) { try_checkpoint().value(); }
    void compact() { try_compact().value(); }
    storage::copy_report backup(std::string_view to) const requires(Storage::durable) {
        return try_backup(to).value();
    }
    bool refresh() requires(Storage::durable) { return try_refresh().value(); }
    [[nodiscard]] verify_report verify() const { return try_verify().value(); }
    index::tuning tune() requires(!engine_type::index_type::exact) { return try_tune().value(); }
#endif

private:
    using id_view = typename detail::id_traits<Id>::view;
    using batch = detail::batch<Metric, Payload, Id>;
    using searches = detail::searches<Metric, engine_type, hit>;

    [[nodiscard]] static result<store> from_loaded(typename Storage::space space,
                                                   options const& o) {
        auto e = detail::open_loaded<engine_type, Metric, Index, Payload, Id>(o, std::move(space));
        VICINAL_CHECK(e);
        return store(std::move(*e));
    }

    explicit store(std::unique_ptr<engine_type> e) noexcept : engine_(std::move(e)) {}

#if VICINAL_EXCEPTIONS
    static store open_memory(options const& o) {
        static_assert(!Storage::durable, "vicinal: a durable store needs a path: store<...> "
                                         "docs{\"docs.vicinal\", {.dim = 384}}");
        return try_open(o).value();
    }
    static store open_path(std::string_view path, options const& o) {
        static_assert(Storage::durable, "vicinal: a store in memory has no path: store<...> "
                                        "docs{{.dim = 384}}, or name storage::mmap");
        return try_open(path, o).value();
    }
#endif

    [[nodiscard]] static auto open_directory(std::string_view path, options const& o) {
        return detail::open_engine<engine_type, Metric, Index, Payload, Id>(path, o);
    }

    [[nodiscard]] result<scan_type> scan_behind(std::optional<id_view> after) const {
        return detail::guarded([&]() -> result<scan_type> {
            return engine_->read([&](auto const& rows, auto const&) -> result<scan_type> {
                return scan_type(*engine_, detail::slots_by_id(rows, after));
            });
        });
    }

    std::unique_ptr<engine_type> engine_;
    [[no_unique_address]] detail::origin<Storage::durable, options> from_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
