// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORE_STORE_HPP
#define VICINAL_STORE_STORE_HPP

#include <vicinal/index/hnsw.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/storage/memory.hpp>
#include <vicinal/store/calls/explain.hpp>
#include <vicinal/store/checked.hpp>
#include <vicinal/store/opening.hpp>
#include <vicinal/store/types.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

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
class store
    : detail::checked<Metric, Index, Storage, Payload, Id>,
      public detail::explain_calls<detail::store_types<Metric, Index, Storage, Payload, Id>> {
    using types = detail::store_types<Metric, Index, Storage, Payload, Id>;
    using calls = detail::explain_calls<types>;
    using calls::loadable;
    using typename types::engine_type;

public:
    using typename types::options;

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
            auto e = calls::open_directory(path, o);
            VICINAL_CHECK(e);
            store s(std::move(*e));
            s.from_ = {std::string(path), o};
            if (o.threads > 0) s.engine_->fold_beside();
            return s;
        });
    }

#if VICINAL_EXCEPTIONS
    explicit store(options const& o) : store(open_memory(o)) {}
    store(options const& o, typename Storage::space space) requires(!Storage::durable)
        : store(try_open(o, std::move(space)).value()) {}
    [[nodiscard]] static store load(std::string_view path,
                                    options const& o = {}) requires(loadable) {
        return try_load(path, o).value();
    }
    explicit store(std::string_view path, options const& o = {}) : store(open_path(path, o)) {}
#endif

private:
    [[nodiscard]] static result<store> from_loaded(typename Storage::space space,
                                                   options const& o) {
        auto e = detail::open_loaded<engine_type, Metric, Index, Payload, Id>(o, std::move(space));
        VICINAL_CHECK(e);
        return store(std::move(*e));
    }

    explicit store(std::unique_ptr<engine_type> e) noexcept : calls(std::move(e)) {}

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
};

} // namespace vicinal::inline VICINAL_ABI

#endif
