// SPDX-License-Identifier: MIT
#ifndef VICINAL_CORE_ERROR_HPP
#define VICINAL_CORE_ERROR_HPP

#include <vicinal/core/config.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#if VICINAL_EXCEPTIONS
#    include <exception>
#endif

namespace vicinal::inline VICINAL_ABI {

/// Everything that can go wrong. The sentence over each code is its cause; after "Cure:" stands
/// what to do. docs/errors.md is made from these comments.
enum class errc {
    /// An option or argument is outside its range. Cure: use a value in the range named.
    invalid_argument = 1,
    /// A vector, query or file has another number of elements than the store. Cure: embed with the
    /// model that filled the store, or make a store of the other dimension.
    dimension_mismatch,
    /// A vector or query holds NaN or infinity. Cure: find out why the model gave it; skip the
    /// record.
    not_finite,
    /// A vector or query of length zero has no direction, which cosine needs. Cure: skip the
    /// record,
    /// or use another metric.
    zero_vector,
    /// The id is empty. Cure: give each record a name of its own.
    empty_id,
    /// The id is longer than 65,535 bytes, or is no number where the store's ids are integers.
    /// Cure: use a shorter id, such as a hash of it; or a store with string ids.
    invalid_id,
    /// An id occurs twice in one batch, so that it is not clear which record is meant. Cure: send
    /// each id once a batch.
    duplicate_id,
    /// A payload is too large, nested too deeply, or not UTF-8 where text is meant. Cure: shorten
    /// or flatten it.
    invalid_payload,
    /// A filter does not parse. Cure: the message names the position and what was expected there.
    invalid_filter,
    /// A URI such as "vicinal:docs?index=hnsw" does not parse or names what is not known. Cure: see
    /// the schemes and parameters in the message.
    invalid_uri,
    /// JSON text is not well formed, or has not the shape that is read here. Cure: repair the line
    /// that the message names.
    invalid_json,
    /// No such file, directory or collection. Cure: check the name; the message lists what is
    /// there.
    not_found,
    /// The path of a store is a file. Cure: name a directory; a store is a directory.
    not_a_directory,
    /// The directory or file was not made by vicinal, or by the program that the source names.
    /// Cure: check the path, or use another source.
    foreign_file,
    /// The store was made with another metric. Cure: open it with that metric, or migrate.
    metric_mismatch,
    /// The store was made with another kind of index. Cure: open it with that index, or migrate.
    index_mismatch,
    /// The store was made with another element type. Cure: open it with that type, or migrate.
    element_mismatch,
    /// The store was made with another kind of id. Cure: open it with that id type, or migrate.
    id_mismatch,
    /// The store was made with another kind of payload. Cure: open it with that payload, or
    /// migrate.
    payload_mismatch,
    /// The file was written by a newer vicinal. Cure: update the program that reads it.
    newer_format,
    /// A snapshot does not match its checksums or contradicts itself. Cure: restore a backup; until
    /// then the file is left as it is.
    corrupt_snapshot,
    /// A log is damaged before its end. Cure: restore a backup; until then the file is left as it
    /// is.
    corrupt_log,
    /// A foreign store contradicts itself. Cure: see the place in the message; the original program
    /// may be able to repair it.
    corrupt_source,
    /// Another writer has the store open. Cure: close it (the message names it), or open read-only.
    locked,
    /// A write was asked of a store that was opened read-only. Cure: open it for writing.
    read_only,
    /// The operating system refused a read or write. Cure: see its reason in the message.
    io_failure,
    /// An earlier write to disk failed, so that what the disk holds is not certain. Cure: close the
    /// store and open it again; it recovers every acknowledged record.
    writer_poisoned,
    /// Memory ran out. The call changed nothing. Cure: free memory or split the batch.
    out_of_memory,
    /// A limit of the format is reached (rows in a store, bytes in a record). Cure: split the
    /// store.
    limit_exceeded,
    /// The other side can't do what was asked of it. Cure: see the message.
    unsupported,
    /// What was written is not what was read. Cure: the report lists the records; migrate again.
    verification_failed,
    /// The store keeps codes alone (codec::only), so that no vector can be given back as it came.
    /// Cure: take the decoded one (reconstruct), or a store of another codec.
    vector_not_kept,
};

/// The code's name, as in "dimension_mismatch".
[[nodiscard]] constexpr std::string_view name(errc code) noexcept {
    switch (code) {
        case errc::invalid_argument: return "invalid_argument";
        case errc::dimension_mismatch: return "dimension_mismatch";
        case errc::not_finite: return "not_finite";
        case errc::zero_vector: return "zero_vector";
        case errc::empty_id: return "empty_id";
        case errc::invalid_id: return "invalid_id";
        case errc::duplicate_id: return "duplicate_id";
        case errc::invalid_payload: return "invalid_payload";
        case errc::invalid_filter: return "invalid_filter";
        case errc::invalid_uri: return "invalid_uri";
        case errc::invalid_json: return "invalid_json";
        case errc::not_found: return "not_found";
        case errc::not_a_directory: return "not_a_directory";
        case errc::foreign_file: return "foreign_file";
        case errc::metric_mismatch: return "metric_mismatch";
        case errc::index_mismatch: return "index_mismatch";
        case errc::element_mismatch: return "element_mismatch";
        case errc::id_mismatch: return "id_mismatch";
        case errc::payload_mismatch: return "payload_mismatch";
        case errc::newer_format: return "newer_format";
        case errc::corrupt_snapshot: return "corrupt_snapshot";
        case errc::corrupt_log: return "corrupt_log";
        case errc::corrupt_source: return "corrupt_source";
        case errc::locked: return "locked";
        case errc::read_only: return "read_only";
        case errc::io_failure: return "io_failure";
        case errc::writer_poisoned: return "writer_poisoned";
        case errc::out_of_memory: return "out_of_memory";
        case errc::limit_exceeded: return "limit_exceeded";
        case errc::unsupported: return "unsupported";
        case errc::verification_failed: return "verification_failed";
        case errc::vector_not_kept: return "vector_not_kept";
    }
    return "unknown";
}

template <class T>
class result;

namespace detail {

/// What an error says; shared by its copies.
struct error_text {
    errc code;
    std::string expected;
    std::string got;
    std::string message;
    std::atomic<std::uint32_t> owners{1};
};

} // namespace detail

/// What went wrong: a code to branch on, and in words what was expected and what came.
///
/// With exceptions it is what the throwing calls throw; without, it has no base class. Copies share
/// one text, so that a result costs little to move where nothing went wrong; what only happens then
/// is kept out of line, as errors are made in a hundred places.
class error
#if VICINAL_EXCEPTIONS
    : public std::exception
#endif
{
public:
    explicit error(errc code, std::string expected = {}, std::string got = {})
        : text_(make(code, expected, got)) {}
    error(error const& other) noexcept
#if VICINAL_EXCEPTIONS
        : std::exception(other),
#else
        :
#endif
          text_(other.text_) {
        if (text_) ++text_->owners;
    }
    error(error&& other) noexcept : text_(std::exchange(other.text_, nullptr)) {}
    error& operator=(error other) noexcept {
        std::swap(text_, other.text_);
        return *this;
    }
#if VICINAL_EXCEPTIONS
    ~error() override {
#else
    ~error() {
#endif
        if (text_) release(text_);
    }

    [[nodiscard]] errc code() const noexcept { return text().code; }
    [[nodiscard]] std::string const& expected() const noexcept { return text().expected; }
    [[nodiscard]] std::string const& got() const noexcept { return text().got; }

    /// All of it in one line: "dimension_mismatch: expected 384, got 3 for 'readme'".
    [[nodiscard]] std::string const& message() const noexcept { return text().message; }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] char const* what() const noexcept override { return message().c_str(); }
#endif

private:
    template <class T>
    friend class result;

    /// No error: what a result that holds a value keeps in its place.
    error() noexcept : text_(nullptr) {}
    [[nodiscard]] bool none() const noexcept { return text_ == nullptr; }

    /// A moved-from error says that much of itself and no more.
    [[nodiscard]] detail::error_text const& text() const noexcept {
        return text_ ? *text_ : spare();
    }

    /// The text of an error for which there was no memory. Never released: it has an owner too
    /// many.
    VICINAL_COLD static detail::error_text& spare() noexcept {
        static detail::error_text last{errc::out_of_memory, {}, {}, "out_of_memory", {1}};
        return last;
    }
    VICINAL_COLD static detail::error_text* make(errc code, std::string& expected,
                                                 std::string& got) {
        // Nothing that can throw comes behind the one block that is held by hand.
        std::string message(name(code));
        if (!expected.empty()) message.append(": expected ").append(expected);
        if (!got.empty()) message.append(expected.empty() ? ": " : ", got ").append(got);
        auto* const text = new (std::nothrow)
            detail::error_text{code, std::move(expected), std::move(got), std::move(message), {1}};
        if (text) return text;
        ++spare().owners;
        return &spare();
    }
    VICINAL_COLD static void release(detail::error_text* text) noexcept {
        if (--text->owners == 0) delete text;
    }

    detail::error_text* text_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
