// SPDX-License-Identifier: MIT
// vicinal 0.1.0, the whole library in one header. Copyright (c) 2026 The vicinal authors
// Generated from include/vicinal/ by scripts/amalgamate.py; change it there.
#ifndef VICINAL_SINGLE_HEADER_HPP
#define VICINAL_SINGLE_HEADER_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// ---- vicinal/vicinal.hpp
#ifndef VICINAL_VICINAL_HPP
#define VICINAL_VICINAL_HPP

// The table of contents: everything that needs the standard library alone. What needs more says so
// by name and is included by itself: <vicinal/migrate/jsonl.hpp> (simdjson),
// <vicinal/backend/chroma_directory.hpp> (SQLite, simdjson), <vicinal/adapt/...>.

// errors, results, the values of a payload, records
// ---- vicinal/core/config.hpp
#ifndef VICINAL_CORE_CONFIG_HPP
#define VICINAL_CORE_CONFIG_HPP

/// The one place that states the version; CMake, the packages and the tool read it from here.
#define VICINAL_VERSION_MAJOR 0
#define VICINAL_VERSION_MINOR 1
#define VICINAL_VERSION_PATCH 0

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#    define VICINAL_EXCEPTIONS 1
#else
#    define VICINAL_EXCEPTIONS 0
#endif

// A build without exceptions has other classes (no throwing calls, error without a base). Its own
// inline namespace keeps the two apart when both are linked into one program.
#if VICINAL_EXCEPTIONS
#    define VICINAL_ABI v0_1
#else
#    define VICINAL_ABI v0_1_noexcept
#endif

#if defined(__GNUC__) || defined(__clang__)
#    define VICINAL_ALWAYS_INLINE inline __attribute__((always_inline))
#    define VICINAL_NOINLINE __attribute__((noinline))
#    define VICINAL_COLD __attribute__((noinline, cold))
#else
#    define VICINAL_ALWAYS_INLINE inline
#    define VICINAL_NOINLINE
#    define VICINAL_COLD
#endif

#if !defined(VICINAL_HAS_THREADS)
#    if defined(VICINAL_NO_THREADS)
#        define VICINAL_HAS_THREADS 0
#    else
#        define VICINAL_HAS_THREADS 1
#    endif
#endif

// The durable storages call the operating system (open, mmap, flock); today that is POSIX.
#if !defined(VICINAL_HAS_FILES)
#    if defined(VICINAL_NO_FILES) || !(defined(__unix__) || defined(__APPLE__))
#        define VICINAL_HAS_FILES 0
#    else
#        define VICINAL_HAS_FILES 1
#    endif
#endif

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559,
              "vicinal needs IEEE 754 float and double: distances and files rely on their bits");

namespace vicinal::inline VICINAL_ABI {

/// The library's version, as in "0.1.0".
[[nodiscard]] constexpr char const* version() noexcept {
#define VICINAL_TEXT_(x) #x
#define VICINAL_TEXT(x) VICINAL_TEXT_(x)
    return VICINAL_TEXT(VICINAL_VERSION_MAJOR) "." VICINAL_TEXT(
        VICINAL_VERSION_MINOR) "." VICINAL_TEXT(VICINAL_VERSION_PATCH);
#undef VICINAL_TEXT
#undef VICINAL_TEXT_
}

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/core/error.hpp
#ifndef VICINAL_CORE_ERROR_HPP
#define VICINAL_CORE_ERROR_HPP

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
        auto* text = new (std::nothrow) detail::error_text{code, {}, {}, {}, {1}};
        if (!text) {
            ++spare().owners;
            return &spare();
        }
        text->message.append(name(code));
        if (!expected.empty()) text->message.append(": expected ").append(expected);
        if (!got.empty()) text->message.append(expected.empty() ? ": " : ", got ").append(got);
        text->expected = std::move(expected);
        text->got = std::move(got);
        return text;
    }
    VICINAL_COLD static void release(detail::error_text* text) noexcept {
        if (--text->owners == 0) delete text;
    }

    detail::error_text* text_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/core/record.hpp
#ifndef VICINAL_CORE_RECORD_HPP
#define VICINAL_CORE_RECORD_HPP

// ---- vicinal/core/value.hpp
#ifndef VICINAL_CORE_VALUE_HPP
#define VICINAL_CORE_VALUE_HPP

namespace vicinal::inline VICINAL_ABI {

struct field;
class value;

/// A flat map of names to values: what travels with a vector.
///
/// Kept sorted by name (bytewise), each name once; the last value given for a name wins. Equality
/// is by name, kind and value. Lookups take O(log size).
class fields {
public:
    fields() noexcept;
    fields(std::initializer_list<field> list);
    // Declared here and defined below `field`, which is not complete yet.
    fields(fields const& other);
    fields(fields&& other) noexcept;
    fields& operator=(fields const& other);
    fields& operator=(fields&& other) noexcept;
    ~fields();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] bool contains(std::string_view name) const noexcept;
    /// The value of that name; a null value where there is none.
    [[nodiscard]] value const& operator[](std::string_view name) const noexcept;
    /// The value of that name, or nullptr.
    [[nodiscard]] value const* find(std::string_view name) const noexcept;
    void set(std::string name, value v);
    bool erase(std::string_view name);
    void clear() noexcept;
    void reserve(std::size_t n);

    [[nodiscard]] field const* begin() const noexcept;
    [[nodiscard]] field const* end() const noexcept;

    friend bool operator==(fields const& a, fields const& b) noexcept;

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept;

    std::vector<field> list_;
};

namespace detail {

template <class T>
concept text_like =
    std::convertible_to<T const&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
concept integer_like = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

/// What an array in braces is made of; nested braces would be ambiguous with nested fields.
using scalar_base = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct scalar {
    scalar(std::nullptr_t) noexcept {}
    template <std::same_as<bool> B>
    scalar(B b) noexcept : v(b) {}
    template <integer_like I>
    scalar(I i) noexcept : v(static_cast<std::int64_t>(i)) {}
    template <std::floating_point F>
    scalar(F f) noexcept : v(static_cast<double>(f)) {}
    template <text_like S>
    scalar(S const& s) : v(std::string(std::string_view(s))) {}

    scalar_base v;
};

} // namespace detail

/// One value of a payload: null, bool, 64-bit integer, double, UTF-8 string, array, or nested
/// fields.
///
/// Unsigned integers beyond 2^63 - 1 become doubles, as JSON readers have it. In braces,
/// `{{"a", 1}}` is nested fields and `{1, 2}` an array of scalars; other arrays come from `array`.
class value {
public:
    using array = std::vector<value>;
    enum class kind : std::uint8_t { null, boolean, integer, real, string, array, nested };

    value() = default;
    value(std::nullptr_t) noexcept {}
    template <std::same_as<bool> B>
    value(B b) noexcept : v_(b) {}
    template <detail::integer_like I>
    value(I i) noexcept {
        if constexpr (std::unsigned_integral<I> && sizeof(I) >= sizeof(std::int64_t)) {
            if (i > static_cast<I>(INT64_MAX)) {
                v_ = static_cast<double>(i);
                return;
            }
        }
        v_ = static_cast<std::int64_t>(i);
    }
    template <std::floating_point F>
    value(F f) noexcept : v_(static_cast<double>(f)) {}
    template <detail::text_like S>
        requires(!std::same_as<S, std::string>)
    value(S const& s) : v_(std::string(std::string_view(s))) {}
    value(std::string s) noexcept : v_(std::move(s)) {}
    value(array a) noexcept : v_(std::move(a)) {}
    value(vicinal::fields f) noexcept : v_(std::move(f)) {}
    value(std::initializer_list<detail::scalar> list);
    value(std::initializer_list<field> list);

    [[nodiscard]] kind type() const noexcept { return static_cast<kind>(v_.index()); }
    [[nodiscard]] bool is_null() const noexcept { return type() == kind::null; }

    /// The value as that type, or nullptr where it is of another.
    template <class T>
    [[nodiscard]] T const* get_if() const noexcept {
        return std::get_if<T>(&v_);
    }

    /// Same kind and same value: 1 and 1.0 differ. Doubles compare by bits, so that NaN equals
    /// itself and -0.0 is told from 0.0: this is the equality that a migration verifies.
    friend bool operator==(value const& a, value const& b) noexcept;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, array, vicinal::fields>
        v_;
};

/// A name and its value.
struct field {
    std::string name;
    value v;

    friend bool operator==(field const& a, field const& b) noexcept {
        return a.name == b.name && a.v == b.v;
    }
};

inline value::value(std::initializer_list<detail::scalar> list) {
    array a;
    a.reserve(list.size());
    for (auto const& s : list)
        std::visit(
            [&a](auto const& x) {
                if constexpr (std::same_as<std::remove_cvref_t<decltype(x)>, std::monostate>)
                    a.emplace_back();
                else
                    a.emplace_back(x);
            },
            s.v);
    v_ = std::move(a);
}
inline value::value(std::initializer_list<field> list) : v_(vicinal::fields(list)) {}

inline bool operator==(value const& a, value const& b) noexcept {
    if (a.type() != b.type()) return false;
    if (auto const* x = a.get_if<double>()) {
        auto const* y = b.get_if<double>();
        return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
    }
    return a.v_ == b.v_;
}

inline fields::fields() noexcept = default;
inline fields::fields(fields const& other) = default;
inline fields::fields(fields&& other) noexcept = default;
inline fields& fields::operator=(fields const& other) = default;
inline fields& fields::operator=(fields&& other) noexcept = default;
inline fields::~fields() = default;

inline fields::fields(std::initializer_list<field> list) {
    list_.reserve(list.size());
    for (auto const& f : list) set(f.name, f.v);
}
inline std::size_t fields::size() const noexcept { return list_.size(); }
inline bool fields::empty() const noexcept { return list_.empty(); }
inline std::size_t fields::place(std::string_view name) const noexcept {
    auto const at = std::lower_bound(list_.begin(), list_.end(), name,
                                     [](field const& f, std::string_view n) { return f.name < n; });
    return static_cast<std::size_t>(at - list_.begin());
}
inline value const* fields::find(std::string_view name) const noexcept {
    auto const i = place(name);
    return i < list_.size() && list_[i].name == name ? &list_[i].v : nullptr;
}
inline bool fields::contains(std::string_view name) const noexcept { return find(name) != nullptr; }
inline value const& fields::operator[](std::string_view name) const noexcept {
    static value const none;
    auto const* v = find(name);
    return v ? *v : none;
}
inline void fields::set(std::string name, value v) {
    auto const i = place(name);
    if (i < list_.size() && list_[i].name == name)
        list_[i].v = std::move(v);
    else
        list_.insert(list_.begin() + static_cast<std::ptrdiff_t>(i),
                     {std::move(name), std::move(v)});
}
inline bool fields::erase(std::string_view name) {
    auto const i = place(name);
    if (i == list_.size() || list_[i].name != name) return false;
    list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
}
inline void fields::clear() noexcept { list_.clear(); }
inline void fields::reserve(std::size_t n) { list_.reserve(n); }
inline field const* fields::begin() const noexcept { return list_.data(); }
inline field const* fields::end() const noexcept { return list_.data() + list_.size(); }
inline bool operator==(fields const& a, fields const& b) noexcept { return a.list_ == b.list_; }

} // namespace vicinal::inline VICINAL_ABI

#endif

namespace vicinal::inline VICINAL_ABI {

/// The number of a row inside a store: dense, from 0. Only the store knows which id it belongs to.
using slot = std::uint32_t;

/// No slot; also the end of a neighbour list.
inline constexpr slot no_slot = 0xffffffffU;

/// Any contiguous range of the element type seen as one vector. Takes no braces: `{1, 2}` would be
/// read as pointer and length.
template <class T>
class vector_view {
public:
    template <class R>
        requires requires(R const& r) {
            { std::data(r) } -> std::convertible_to<T const*>;
            { std::size(r) } -> std::convertible_to<std::size_t>;
        }
    vector_view(R const& r) noexcept : data_(std::data(r)), size_(std::size(r)) {}
    vector_view(T const* data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] T const* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T const* begin() const noexcept { return data_; }
    [[nodiscard]] T const* end() const noexcept { return data_ + size_; }

private:
    T const* data_;
    std::size_t size_;
};

/// Rows of equal length, one behind the other: data.size() / columns of them.
template <class T>
class matrix_view {
public:
    matrix_view(std::span<T const> data, std::size_t columns) noexcept
        : data_(data.data()), rows_(columns == 0 ? 0 : data.size() / columns), columns_(columns),
          rest_(data.size() - rows_ * columns) {}

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    /// Elements behind the last whole row: 0, or the columns are not what was meant.
    [[nodiscard]] std::size_t rest() const noexcept { return rest_; }
    [[nodiscard]] vector_view<T> row(std::size_t i) const noexcept {
        return {data_ + i * columns_, columns_};
    }

private:
    T const* data_;
    std::size_t rows_;
    std::size_t columns_;
    std::size_t rest_;
};

/// A record as a store of that id, element and payload type takes and gives it.
template <class Id, class T, class Payload>
struct basic_record {
    Id id;
    std::vector<T> vector;
    Payload payload = {};
};

/// A record on its way between two systems: text id, floats, fields.
using record = basic_record<std::string, float, fields>;

/// An id as a parameter: a string or number, but never the literal 0, which would be a null
/// pointer.
class text_id {
public:
    template <class S>
        requires(std::convertible_to<S const&, std::string_view> &&
                 !std::same_as<S, std::nullptr_t>)
    text_id(S const& s)
    noexcept : text_(s) {}

    [[nodiscard]] operator std::string_view() const noexcept { return text_; }

private:
    std::string_view text_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/core/result.hpp
#ifndef VICINAL_CORE_RESULT_HPP
#define VICINAL_CORE_RESULT_HPP

#if VICINAL_EXCEPTIONS
#    include <new>
#    include <stdexcept>
#endif

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// Throws the error; without exceptions the program ends, as it does for any broken promise.
[[noreturn]] VICINAL_COLD inline void raise(error const& e) {
#if VICINAL_EXCEPTIONS
    throw e;
#else
    static_cast<void>(e);
    std::abort();
#endif
}

} // namespace detail

/// A value or the error that kept it from being made: what every try_ call returns.
///
/// `value()` throws the error where there is one (ends the program in a build without exceptions).
/// A temporary result hands out its value by value, so `for (auto& h : s.try_search(q).value())`
/// does not dangle. A union and not std::variant: with it the compiler takes a
/// fifth more memory for a store.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    template <class U = T>
        requires(std::is_constructible_v<T, U&&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, vicinal::error>)
    result(U&& value) : value_(std::forward<U>(value)) {}
    result(vicinal::error e) noexcept : error_(std::move(e)) {}

    result(result const& other) requires std::is_copy_constructible_v<T> : error_(other.error_) {
        if (*this) std::construct_at(&value_, other.value_);
    }
    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : error_(other.error_) {
        if (*this) std::construct_at(&value_, std::move(other.value_));
    }
    result& operator=(result other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (*this) std::destroy_at(&value_);
        error_ = other.error_;
        if (*this) std::construct_at(&value_, std::move(other.value_));
        return *this;
    }
    ~result() {
        if (*this) std::destroy_at(&value_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return error_.none(); }

    [[nodiscard]] T& value() & {
        check();
        return value_;
    }
    [[nodiscard]] T const& value() const& {
        check();
        return value_;
    }
    [[nodiscard]] T value() && {
        check();
        return std::move(value_);
    }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] T const& operator*() const& { return value(); }
    [[nodiscard]] T operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] T const* operator->() const { return &value(); }

    /// Only where there is no value.
    [[nodiscard]] vicinal::error const& error() const noexcept { return error_; }

private:
    void check() const {
        if (!*this) [[unlikely]]
            detail::raise(error_);
    }

    vicinal::error error_{};
    union {
        T value_;
    };
};

/// Success, or the error that prevented it.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(vicinal::error e) noexcept : error_(std::move(e)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return error_.none(); }
    void value() const {
        if (!*this) detail::raise(error_);
    }
    /// Only where there is an error.
    [[nodiscard]] vicinal::error const& error() const noexcept { return error_; }

private:
    vicinal::error error_{};
};

namespace detail {

/// Runs `body`, which returns a result, and turns memory exhaustion into an error code. Anything
/// else that is thrown came from the user's own callback and passes through.
template <class Body>
auto guarded(Body&& body) -> decltype(body()) {
#if VICINAL_EXCEPTIONS
    try {
        return body();
    } catch (std::bad_alloc const&) {
        return error{errc::out_of_memory};
    } catch (std::length_error const&) {
        return error{errc::out_of_memory};
    }
#else
    return body();
#endif
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

/// Returns the error from the enclosing function if `expr` (a result) holds one.
#define VICINAL_CHECK(expr)                                                                        \
    do {                                                                                           \
        if (auto&& vicinal_check_ = (expr); !vicinal_check_) [[unlikely]]                          \
            return vicinal_check_.error();                                                         \
    } while (false)

#endif

// sums over rows for every instruction set: what metrics and codecs are made of
// ---- vicinal/simd/nibble_sums.hpp
#ifndef VICINAL_SIMD_NIBBLE_SUMS_HPP
#define VICINAL_SIMD_NIBBLE_SUMS_HPP

// ---- vicinal/simd/byte_sums.hpp
#ifndef VICINAL_SIMD_BYTE_SUMS_HPP
#define VICINAL_SIMD_BYTE_SUMS_HPP

// ---- vicinal/simd/row_sums.hpp
#ifndef VICINAL_SIMD_ROW_SUMS_HPP
#define VICINAL_SIMD_ROW_SUMS_HPP

// ---- vicinal/simd/dispatch.hpp
#ifndef VICINAL_SIMD_DISPATCH_HPP
#define VICINAL_SIMD_DISPATCH_HPP

// ---- vicinal/simd/instruction_set.hpp
#ifndef VICINAL_SIMD_INSTRUCTION_SET_HPP
#define VICINAL_SIMD_INSTRUCTION_SET_HPP

// VICINAL_NO_DISPATCH keeps only what the compiler's own flags allow (embedded); xsimd as the back
// end knows no other way.
#if !defined(VICINAL_NO_DISPATCH) && !defined(VICINAL_USE_XSIMD) && defined(__x86_64__) &&         \
    (defined(__GNUC__) || defined(__clang__))
#    define VICINAL_X86_DISPATCH 1
#else
#    define VICINAL_X86_DISPATCH 0
#endif

// Two files of one program may be compiled with different -m flags. The linker would merge their
// copies of a baseline kernel and could keep the one that an older CPU can't run; the flags in the
// name keep the copies apart.
#if defined(__AVX512VNNI__)
#    define VICINAL_BASELINE flags_avx512_vnni
#elif defined(__AVX512F__)
#    define VICINAL_BASELINE flags_avx512
#elif defined(__AVX2__)
#    define VICINAL_BASELINE flags_avx2
#elif defined(__AVX__)
#    define VICINAL_BASELINE flags_avx
#elif defined(__SSE4_2__)
#    define VICINAL_BASELINE flags_sse4_2
#elif defined(__SSE4_1__)
#    define VICINAL_BASELINE flags_sse4_1
#elif defined(__SSSE3__)
#    define VICINAL_BASELINE flags_ssse3
#elif defined(__SSE3__)
#    define VICINAL_BASELINE flags_sse3
#else
#    define VICINAL_BASELINE flags_default
#endif

#if VICINAL_X86_DISPATCH
#    include <cpuid.h>
#endif

namespace vicinal::inline VICINAL_ABI::simd {

/// What a CPU can do, in one line: each set contains those before it. A CPU between two of them
/// counts as the lesser.
enum class instruction_set {
    /// What the compiler's flags allow: SSE2 on x86-64, NEON on AArch64.
    baseline,
    /// AVX2, FMA and F16C.
    avx2,
    /// AVX-512 F, BW, DQ and VL, and BMI2.
    avx512,
    /// The same with VNNI: four products of bytes a lane and instruction.
    avx512_vnni,
    /// The same with VPOPCNTDQ: the bits set in a lane, in one instruction.
    avx512_popcnt,
};

inline constexpr instruction_set all_instruction_sets[] = {
    instruction_set::baseline, instruction_set::avx2, instruction_set::avx512,
    instruction_set::avx512_vnni, instruction_set::avx512_popcnt};

/// The name, as VICINAL_ISA takes it.
[[nodiscard]] constexpr std::string_view name(instruction_set set) noexcept {
    switch (set) {
        case instruction_set::baseline: return "baseline";
        case instruction_set::avx2: return "avx2";
        case instruction_set::avx512: return "avx512";
        case instruction_set::avx512_vnni: return "avx512_vnni";
        case instruction_set::avx512_popcnt: return "avx512_popcnt";
    }
    return "unknown";
}

#if VICINAL_X86_DISPATCH
namespace detail {

/// Whether the CPU converts halves; __builtin_cpu_supports of Clang 14 does not know the word.
[[nodiscard]] inline bool has_f16c() noexcept {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

} // namespace detail
#endif

/// The best that this CPU and its operating system have.
[[nodiscard]] inline instruction_set best_instruction_set() noexcept {
#if VICINAL_X86_DISPATCH
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && detail::has_f16c()))
        return instruction_set::baseline;
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
          __builtin_cpu_supports("bmi2")))
        return instruction_set::avx2;
    if (!__builtin_cpu_supports("avx512vnni")) return instruction_set::avx512;
    if (!__builtin_cpu_supports("avx512vpopcntdq")) return instruction_set::avx512_vnni;
    return instruction_set::avx512_popcnt;
#else
    return instruction_set::baseline;
#endif
}

/// What the environment variable VICINAL_ISA asks for.
struct forced_instruction_set {
    /// The variable's value; empty where it is not set.
    std::string_view word = {};
    /// Whether the word is one of the names.
    bool known = false;
    /// The set meant, where it is.
    instruction_set set = instruction_set::baseline;
    /// Whether this CPU has it.
    bool able = false;
};

/// Reads a word as VICINAL_ISA would be read on a CPU whose best set is `best`.
[[nodiscard]] inline forced_instruction_set read_forced(char const* word,
                                                        instruction_set best) noexcept {
    forced_instruction_set forced;
    if (word == nullptr) return forced;
    forced.word = word;
    for (auto const set : all_instruction_sets)
        if (forced.word == name(set)) {
            forced.known = true;
            forced.set = set;
            forced.able = set <= best;
        }
    return forced;
}

/// VICINAL_ISA as it is now. Without dispatch the environment is not read.
[[nodiscard]] inline forced_instruction_set forced() noexcept {
#if VICINAL_X86_DISPATCH
    return read_forced(std::getenv("VICINAL_ISA"), best_instruction_set());
#else
    return {};
#endif
}

/// The set that kernels run on, chosen once a process: VICINAL_ISA where this CPU can do it, the
/// best set otherwise. simd/check.hpp tells whether the variable was obeyed.
[[nodiscard]] inline instruction_set chosen() noexcept {
#if VICINAL_X86_DISPATCH
    static instruction_set const set = [] {
        auto const wish = forced();
        return wish.able ? wish.set : best_instruction_set();
    }();
    return set;
#else
    return instruction_set::baseline;
#endif
}

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
// ---- vicinal/simd/sets.hpp
#ifndef VICINAL_SIMD_SETS_HPP
#define VICINAL_SIMD_SETS_HPP

/// The operations that vector extensions don't have, for each instruction set. What has no
/// instruction there is made of those that do, with the same results to the last bit.
// ---- vicinal/simd/sets/avx2.hpp
#ifndef VICINAL_SIMD_SETS_AVX2_HPP
#define VICINAL_SIMD_SETS_AVX2_HPP

// ---- vicinal/simd/sets/registers.hpp
#ifndef VICINAL_SIMD_SETS_REGISTERS_HPP
#define VICINAL_SIMD_SETS_REGISTERS_HPP

// ---- vicinal/simd/pack.hpp
#ifndef VICINAL_SIMD_PACK_HPP
#define VICINAL_SIMD_PACK_HPP

// VICINAL_USE_XSIMD puts xsimd under the arithmetic, for builds with fixed flags (-march=native):
// there is no choice at run time then. Registers that xsimd lacks stay vector extensions.
#if defined(VICINAL_USE_XSIMD)
#    include <xsimd/xsimd.hpp>
#endif

namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// An integer of that many bytes.
template <std::size_t Bytes>
struct integer_of;
template <>
struct integer_of<1> {
    using type = std::int8_t;
};
template <>
struct integer_of<2> {
    using type = std::int16_t;
};
template <>
struct integer_of<4> {
    using type = std::int32_t;
};
template <>
struct integer_of<8> {
    using type = std::int64_t;
};

/// Zeroes `bytes` at `to`, then copies the first `n` of them, in pieces of fixed sizes: a memcpy of
/// n bytes would be a call.
template <std::size_t Bytes>
VICINAL_ALWAYS_INLINE void copy_part(unsigned char (&to)[Bytes], unsigned char const* from,
                                     std::size_t n) noexcept {
    std::memset(to, 0, Bytes);
    std::size_t i = 0;
    if constexpr (Bytes > 32)
        if ((n & 32) != 0) std::memcpy(to, from, 32), i = 32;
    if constexpr (Bytes > 16)
        if ((n & 16) != 0) std::memcpy(to + i, from + i, 16), i += 16;
    if ((n & 8) != 0) std::memcpy(to + i, from + i, 8), i += 8;
    if ((n & 4) != 0) std::memcpy(to + i, from + i, 4), i += 4;
    if ((n & 2) != 0) std::memcpy(to + i, from + i, 2), i += 2;
    if ((n & 1) != 0) to[i] = from[i];
}

#if defined(VICINAL_USE_XSIMD)
/// xsimd's register of Width lanes of T; void where it has none.
template <class T, std::size_t Width>
struct batch_of {
    using type = void;
};
template <std::floating_point T, std::size_t Width>
struct batch_of<T, Width> {
    using type = xsimd::make_sized_batch_t<T, Width>;
};
template <class T, std::size_t Width>
inline constexpr bool in_xsimd = !std::is_void_v<typename batch_of<T, Width>::type>;

template <class Batch, class Lanes>
[[nodiscard]] VICINAL_ALWAYS_INLINE Batch to_batch(Lanes const& lanes) noexcept {
    static_assert(sizeof(Batch) == sizeof(Lanes) && std::is_trivially_copyable_v<Batch>);
    return __builtin_bit_cast(Batch, lanes);
}
#endif

} // namespace detail

/// Width lanes of T. No instruction set is named here: the function that a kernel body is inlined
/// into decides which registers hold them (see simd/dispatch.hpp).
///
/// The vector type is a member of a class template because GCC drops a dependent vector_size in a
/// function template; packs go by reference because by value their ABI differs between sets.
template <class T, std::size_t Width>
struct pack {
    static constexpr std::size_t width = Width;
    static constexpr std::size_t bytes = Width * sizeof(T);
    typedef T lanes_type __attribute__((vector_size(bytes)));

    lanes_type lanes;

    VICINAL_ALWAYS_INLINE void zero() noexcept { lanes = lanes_type{}; }
    VICINAL_ALWAYS_INLINE void fill(T value) noexcept { lanes = lanes_type{} + value; }
    /// A constant: as an argument of `fill` GCC makes it of single lanes, at run time.
    template <int Value>
    VICINAL_ALWAYS_INLINE void fill_with() noexcept {
        lanes = lanes_type{} + static_cast<T>(Value);
    }
    VICINAL_ALWAYS_INLINE void load(T const* p) noexcept { std::memcpy(&lanes, p, sizeof lanes); }
    VICINAL_ALWAYS_INLINE void store(T* p) const noexcept { std::memcpy(p, &lanes, sizeof lanes); }
    VICINAL_ALWAYS_INLINE void add(pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>) return set_bits(batch(lanes) + batch(b.lanes));
#endif
        lanes += b.lanes;
    }
    VICINAL_ALWAYS_INLINE void subtract(pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>) return set_bits(batch(lanes) - batch(b.lanes));
#endif
        lanes -= b.lanes;
    }
    VICINAL_ALWAYS_INLINE void add_product(pack const& a, pack const& b) noexcept {
#if defined(VICINAL_USE_XSIMD)
        if constexpr (detail::in_xsimd<T, Width>)
            return set_bits(xsimd::fma(batch(a.lanes), batch(b.lanes), batch(lanes)));
#endif
        lanes += a.lanes * b.lanes;
    }
    /// The bits of another vector of the same size.
    template <class Lanes>
    VICINAL_ALWAYS_INLINE void set_bits(Lanes const& other) noexcept {
        static_assert(sizeof other == bytes);
        std::memcpy(&lanes, &other, bytes);
    }
    /// |a - b| without a sign to overflow into.
    VICINAL_ALWAYS_INLINE void set_absolute_difference(pack const& a, pack const& b) noexcept {
        lanes = (a.lanes > b.lanes ? a.lanes : b.lanes) - (a.lanes > b.lanes ? b.lanes : a.lanes);
    }
    /// Every lane's sign becomes plus.
    VICINAL_ALWAYS_INLINE void absolute() noexcept {
        using integer = typename detail::integer_of<sizeof(T)>::type;
        pack<integer, Width> raw;
        raw.set_bits(lanes);
        raw.lanes &= (std::numeric_limits<integer>::max)();
        set_bits(raw.lanes);
    }
    /// The first half of the lanes and the second.
    VICINAL_ALWAYS_INLINE void halves(pack<T, Width / 2>& low,
                                      pack<T, Width / 2>& high) const noexcept {
        take_apart(low, high, std::make_index_sequence<Width / 2>{});
    }
    /// The lanes' sum, by halves.
    [[nodiscard]] VICINAL_ALWAYS_INLINE T sum() const noexcept {
        if constexpr (Width > 2) {
            pack<T, Width / 2> low, high;
            halves(low, high);
            low.add(high);
            return low.sum();
        } else {
            return lanes[0] + lanes[1];
        }
    }

private:
    // As a shuffle: through memory GCC stores and loads again.
    template <std::size_t... I>
    VICINAL_ALWAYS_INLINE void take_apart(pack<T, Width / 2>& low, pack<T, Width / 2>& high,
                                          std::index_sequence<I...>) const noexcept {
        low.lanes = __builtin_shufflevector(lanes, lanes, static_cast<int>(I)...);
        high.lanes = __builtin_shufflevector(lanes, lanes, static_cast<int>(I + Width / 2)...);
    }

#if defined(VICINAL_USE_XSIMD)
    [[nodiscard]] VICINAL_ALWAYS_INLINE static auto batch(lanes_type const& from) noexcept {
        return detail::to_batch<typename detail::batch_of<T, Width>::type>(from);
    }
#endif
};

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
// ---- vicinal/simd/sets/by_arithmetic.hpp
#ifndef VICINAL_SIMD_SETS_BY_ARITHMETIC_HPP
#define VICINAL_SIMD_SETS_BY_ARITHMETIC_HPP

// ---- vicinal/core/half.hpp
#ifndef VICINAL_CORE_HALF_HPP
#define VICINAL_CORE_HALF_HPP

namespace vicinal::inline VICINAL_ABI {

namespace detail {

/// IEEE 754 binary16 to float; every value is exact, NaN becomes quiet.
[[nodiscard]] constexpr float half_to_float(std::uint16_t half) noexcept {
    std::uint32_t const sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    std::uint32_t const exponent = (half >> 10) & 31U;
    std::uint32_t const fraction = half & 1023U;
    if (exponent == 0) {
        // Subnormal: the fraction counts units of 2^-24.
        float const size = static_cast<float>(fraction) * 5.9604644775390625e-8F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | sign);
    }
    if (exponent == 31) {
        std::uint32_t const quiet = fraction == 0 ? 0 : 0x400000U;
        return std::bit_cast<float>(sign | 0x7F800000U | quiet | (fraction << 13));
    }
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

/// Float to binary16, to the nearest and to even at a tie; beyond 65,520 to infinity.
[[nodiscard]] constexpr std::uint16_t float_to_half(float value) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(value);
    std::uint32_t const sign = (bits >> 16) & 0x8000U;
    std::uint32_t const size = bits & 0x7FFFFFFFU;
    std::uint32_t out = 0;
    if (size > 0x7F800000U) {
        out = 0x7E00U | ((size >> 13) & 1023U);
    } else if (size >= 0x477FF000U) {
        out = 0x7C00U;
    } else if (size >= 0x38800000U) {
        // A carry out of the fraction goes into the exponent, which is what rounding up means.
        std::uint32_t const shifted = size - (112U << 23);
        out = (shifted + 0xFFFU + ((shifted >> 13) & 1U)) >> 13;
    } else if (size > 0x33000000U) {
        // Subnormal: the fraction with its leading one, in units of 2^-24.
        std::uint32_t const exponent = size >> 23;
        std::uint32_t const fraction = (size & 0x7FFFFFU) | 0x800000U;
        std::uint32_t const shift = 126U - exponent;
        std::uint32_t const kept = fraction >> shift;
        std::uint32_t const rest = fraction & ((1U << shift) - 1U);
        std::uint32_t const half = 1U << (shift - 1U);
        out = kept + (rest > half || (rest == half && (kept & 1U) != 0) ? 1U : 0U);
    }
    return static_cast<std::uint16_t>(sign | out);
}

} // namespace detail

/// A float of 16 bits after IEEE 754: 11 bits of precision, from 6e-8 to 65,504. It is stored, not
/// computed with.
struct f16 {
    std::uint16_t bits;

    f16() = default;
    /// Rounds to the nearest, to even at a tie.
    constexpr explicit f16(float value) noexcept : bits(detail::float_to_half(value)) {}
    /// Exact.
    [[nodiscard]] constexpr explicit operator float() const noexcept {
        return detail::half_to_float(bits);
    }
    /// Compares bits: 0 and -0 differ, NaN equals itself.
    [[nodiscard]] friend constexpr bool operator==(f16, f16) noexcept = default;
};

/// The upper half of a float: 8 bits of precision and float's whole range. It is stored, not
/// computed with.
struct bf16 {
    std::uint16_t bits;

    bf16() = default;
    /// Rounds to the nearest, to even at a tie; NaN stays NaN.
    constexpr explicit bf16(float value) noexcept : bits(rounded(value)) {}
    /// Exact.
    [[nodiscard]] constexpr explicit operator float() const noexcept {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    }
    /// Compares bits: 0 and -0 differ, NaN equals itself.
    [[nodiscard]] friend constexpr bool operator==(bf16, bf16) noexcept = default;

private:
    [[nodiscard]] static constexpr std::uint16_t rounded(float value) noexcept {
        auto const all = std::bit_cast<std::uint32_t>(value);
        if ((all & 0x7FFFFFFFU) > 0x7F800000U)
            return static_cast<std::uint16_t>((all >> 16) | 0x40U);
        return static_cast<std::uint16_t>((all + 0x7FFFU + ((all >> 16) & 1U)) >> 16);
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif

/// What has no instruction of its own on a set, made of those that there are.
namespace vicinal::inline VICINAL_ABI::simd::detail {

/// sum += a b, bytes four to a lane, of a set whose only product is that of 16-bit words.
template <class Set>
VICINAL_ALWAYS_INLINE void dot_bytes_by_words(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& a,
                                              typename Set::bytes_s8 const& b) noexcept {
    using unsigned_words = typename Set::template of<std::uint16_t>;
    unsigned_words x;
    x.set_bits(a.lanes);
    typename Set::words y, a_even, a_odd, b_even, b_odd;
    y.set_bits(b.lanes);
    a_even.set_bits(x.lanes & 255);
    a_odd.set_bits(x.lanes >> 8);
    b_even.lanes = (y.lanes << 8) >> 8;
    b_odd.lanes = y.lanes >> 8;
    Set::dot_words(sum, a_even, b_even);
    Set::dot_words(sum, a_odd, b_odd);
}

/// sum += a b where both are signed, or both unsigned, in pairs of 16-bit words.
template <class Set, class Bytes>
VICINAL_ALWAYS_INLINE void dot_alike_by_words(typename Set::integers& sum, Bytes const& a,
                                              Bytes const& b) noexcept {
    using lanes =
        typename Set::template of<std::conditional_t<std::is_same_v<Bytes, typename Set::bytes_s8>,
                                                     std::int16_t, std::uint16_t>>;
    lanes x, y;
    x.set_bits(a.lanes);
    y.set_bits(b.lanes);
    typename Set::words a_even, a_odd, b_even, b_odd;
    a_even.set_bits((x.lanes << 8) >> 8);
    a_odd.set_bits(x.lanes >> 8);
    b_even.set_bits((y.lanes << 8) >> 8);
    b_odd.set_bits(y.lanes >> 8);
    Set::dot_words(sum, a_even, b_even);
    Set::dot_words(sum, a_odd, b_odd);
}

/// The bits set in each number below 16, once for each 16 bytes of a register.
inline constexpr std::uint8_t nibble_bits[64] = {
    0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

/// bf16 to floats.
template <std::size_t Width>
VICINAL_ALWAYS_INLINE void floats_of_bfloats(pack<float, Width>& to, bf16 const* from) noexcept {
    pack<std::uint16_t, Width> upper;
    pack<std::uint32_t, Width> all;
    std::memcpy(&upper.lanes, from, sizeof upper.lanes);
    all.lanes = __builtin_convertvector(upper.lanes, decltype(all.lanes)) << 16;
    to.set_bits(all.lanes);
}

/// Halves to floats by integer arithmetic, exact, also where denormals count as zero.
template <std::size_t Width>
VICINAL_ALWAYS_INLINE void floats_of_halves(pack<float, Width>& to, f16 const* from) noexcept {
    pack<std::uint16_t, Width> halves;
    std::memcpy(&halves.lanes, from, sizeof halves.lanes);
    pack<std::uint32_t, Width> all, sign, size, exponent;
    all.lanes = __builtin_convertvector(halves.lanes, decltype(all.lanes));
    sign.lanes = (all.lanes & 0x8000U) << 16;
    size.lanes = (all.lanes & 0x7FFFU) << 13;
    exponent.lanes = size.lanes & (31U << 23);
    size.lanes += 112U << 23;
    // Infinity and NaN move to float's largest exponent.
    pack<std::uint32_t, Width> top;
    top.set_bits(exponent.lanes == (31U << 23));
    size.lanes += top.lanes & (112U << 23);
    // Subnormal: one more in the exponent gives a leading one, which is then subtracted.
    pack<std::uint32_t, Width> low, lead;
    low.set_bits(exponent.lanes == 0U);
    size.lanes += low.lanes & (1U << 23);
    lead.lanes = low.lanes & (113U << 23);
    pack<float, Width> x, less;
    x.set_bits(size.lanes);
    less.set_bits(lead.lanes);
    x.subtract(less);
    size.set_bits(x.lanes);
    to.set_bits(size.lanes | sign.lanes);
}

} // namespace vicinal::inline VICINAL_ABI::simd::detail

#endif

// Clang inlines an operation into a kernel only where both name the same features; plain names
// only, because it drops the whole attribute at anything else (prefer-vector-width).
#if VICINAL_X86_DISPATCH
#    define VICINAL_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#    define VICINAL_TARGET_AVX512                                                                  \
        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c,bmi2")))
#endif

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// The registers of a set, by element.
template <std::size_t Bytes>
struct registers {
    static constexpr std::size_t bytes = Bytes;
    template <class T>
    using of = pack<T, Bytes / sizeof(T)>;
    using bytes_u8 = of<std::uint8_t>;
    using bytes_s8 = of<std::int8_t>;
    using words = of<std::int16_t>;
    using integers = of<std::int32_t>;

    /// Loads the first n elements, 0 < n < width; the other lanes are zero.
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(of<T>& to, T const* from, std::size_t n) noexcept {
        unsigned char buffer[Bytes];
        detail::copy_part(buffer, reinterpret_cast<unsigned char const*>(from), n * sizeof(T));
        std::memcpy(&to.lanes, buffer, Bytes);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#if VICINAL_X86_DISPATCH

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// AVX2, FMA and F16C.
struct avx2_set : registers<32> {
    VICINAL_TARGET_AVX2 static inline void load_bfloats(of<float>& to, bf16 const* from) noexcept {
        of<std::uint32_t> all;
        asm("vpmovzxwd {%1, %0|%0, %1}"
            : "=x"(all.lanes)
            : "m"(*reinterpret_cast<char const(*)[16]>(from)));
        all.lanes <<= 16;
        to.set_bits(all.lanes);
    }
    template <class Bytes>
    VICINAL_TARGET_AVX2 static inline void dot_alike(integers& sum, Bytes const& a,
                                                     Bytes const& b) noexcept {
        detail::dot_alike_by_words<avx2_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX2 static inline void load_halves(of<float>& to, f16 const* from) noexcept {
        asm("vcvtph2ps {%1, %0|%0, %1}"
            : "=x"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[16]>(from)));
    }
    VICINAL_TARGET_AVX2 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        bytes_u8 low, high, table, a, b;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        table.load(detail::nibble_bits);
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=x"(a.lanes) : "x"(table.lanes), "x"(low.lanes));
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=x"(b.lanes) : "x"(table.lanes), "x"(high.lanes));
        a.add(b);
        bytes_s8 ones;
        ones.fill_with<1>();
        dot_low_bytes(sum, a, ones);
    }
    VICINAL_TARGET_AVX2 static inline void add_distances(integers& sum, bytes_u8 const& a,
                                                         bytes_u8 const& b) noexcept {
        integers distances;
        asm("vpsadbw {%2, %1, %0|%0, %1, %2}" : "=x"(distances.lanes) : "x"(a.lanes), "x"(b.lanes));
        sum.add(distances);
    }
    /// Written out because GCC converts by quarters.
    VICINAL_TARGET_AVX2 static inline void widen(of<double>& low, of<double>& high,
                                                 of<float> const& from) noexcept {
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=x"(low.lanes) : "x"(first.lanes));
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=x"(high.lanes) : "x"(second.lanes));
    }
    /// Straight from memory; written out because GCC goes through a scalar register and, for
    /// integers, through masks.
    template <class T>
    VICINAL_TARGET_AVX2 static inline void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vbroadcastss {%1, %0|%0, %1}"
            : "=x"(to.lanes)
            : "m"(*static_cast<char const(*)[4]>(from)));
    }
    VICINAL_TARGET_AVX2 static inline void dot_words(integers& sum, words const& a,
                                                     words const& b) noexcept {
        integers::lanes_type products;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=x"(products) : "x"(a.lanes), "x"(b.lanes));
        sum.lanes += products;
    }
    VICINAL_TARGET_AVX2 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                     bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<avx2_set>(sum, a, b);
    }
    /// 2 x 127 x 128 stays inside 16 bits, so that nothing saturates.
    VICINAL_TARGET_AVX2 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                         bytes_s8 const& b) noexcept {
        words pairs, ones;
        ones.fill_with<1>();
        asm("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=x"(pairs.lanes) : "x"(a.lanes), "x"(b.lanes));
        dot_words(sum, pairs, ones);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#endif
// ---- vicinal/simd/sets/avx512.hpp
#ifndef VICINAL_SIMD_SETS_AVX512_HPP
#define VICINAL_SIMD_SETS_AVX512_HPP

#if VICINAL_X86_DISPATCH

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// AVX-512 F, BW, DQ and VL.
struct avx512_set : registers<64> {
    /// Bytes under a mask; what lies behind them is not touched.
    template <class T>
    VICINAL_TARGET_AVX512 static inline void load_part(of<T>& to, T const* from,
                                                       std::size_t n) noexcept {
        std::uint64_t const mask = (std::uint64_t{1} << (n * sizeof(T))) - 1;
        asm("vmovdqu8 {%1, %0%{%2%}%{z%}|%0%{%2%}%{z%}, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[64]>(from)), "Yk"(mask));
    }
    VICINAL_TARGET_AVX512 static inline void load_bfloats(of<float>& to,
                                                          bf16 const* from) noexcept {
        of<std::uint32_t> all;
        asm("vpmovzxwd {%1, %0|%0, %1}"
            : "=v"(all.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
        all.lanes <<= 16;
        to.set_bits(all.lanes);
    }
    template <class Bytes>
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, Bytes const& a,
                                                       Bytes const& b) noexcept {
        detail::dot_alike_by_words<avx512_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX512 static inline void load_halves(of<float>& to, f16 const* from) noexcept {
        asm("vcvtph2ps {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*reinterpret_cast<char const(*)[32]>(from)));
    }
    VICINAL_TARGET_AVX512 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        bytes_u8 low, high, table, a, b;
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        low.set_bits(all.lanes & 0x0F0F0F0FU);
        high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
        table.load(detail::nibble_bits);
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(a.lanes) : "v"(table.lanes), "v"(low.lanes));
        asm("vpshufb {%2, %1, %0|%0, %1, %2}" : "=v"(b.lanes) : "v"(table.lanes), "v"(high.lanes));
        a.add(b);
        bytes_s8 ones;
        ones.fill_with<1>();
        dot_low_bytes(sum, a, ones);
    }
    VICINAL_TARGET_AVX512 static inline void add_distances(integers& sum, bytes_u8 const& a,
                                                           bytes_u8 const& b) noexcept {
        integers distances;
        asm("vpsadbw {%2, %1, %0|%0, %1, %2}" : "=v"(distances.lanes) : "v"(a.lanes), "v"(b.lanes));
        sum.add(distances);
    }
    /// Written out because GCC converts by quarters.
    VICINAL_TARGET_AVX512 static inline void widen(of<double>& low, of<double>& high,
                                                   of<float> const& from) noexcept {
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=v"(low.lanes) : "v"(first.lanes));
        asm("vcvtps2pd {%1, %0|%0, %1}" : "=v"(high.lanes) : "v"(second.lanes));
    }
    /// Straight from memory; written out because GCC goes through a scalar register and, for
    /// integers, through masks.
    template <class T>
    VICINAL_TARGET_AVX512 static inline void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        asm("vbroadcastss {%1, %0|%0, %1}"
            : "=v"(to.lanes)
            : "m"(*static_cast<char const(*)[4]>(from)));
    }
    VICINAL_TARGET_AVX512 static inline void dot_words(integers& sum, words const& a,
                                                       words const& b) noexcept {
        integers::lanes_type products;
        asm("vpmaddwd {%2, %1, %0|%0, %1, %2}" : "=v"(products) : "v"(a.lanes), "v"(b.lanes));
        sum.lanes += products;
    }
    VICINAL_TARGET_AVX512 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                       bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<avx512_set>(sum, a, b);
    }
    VICINAL_TARGET_AVX512 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                           bytes_s8 const& b) noexcept {
        words pairs, ones;
        ones.fill_with<1>();
        asm("vpmaddubsw {%2, %1, %0|%0, %1, %2}" : "=v"(pairs.lanes) : "v"(a.lanes), "v"(b.lanes));
        dot_words(sum, pairs, ones);
    }
};

/// The same with VNNI. Its instructions are written out, and neither compiler nor assembler asks
/// for a target by which they are legal: only the CPU must have them. So one target serves all sets
/// of 64 bytes, and the operations that they share are written once (see registers.hpp).
struct avx512_vnni_set : avx512_set {
    /// The instruction wants one side signed and one not: 128 is added to a, or taken from b, and
    /// put right after.
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, bytes_s8 const& a,
                                                       bytes_s8 const& b) noexcept {
        bytes_u8 raised, shift;
        shift.fill_with<128>();
        raised.set_bits(a.lanes);
        raised.lanes ^= shift.lanes;
        integers less;
        less.zero();
        dot_bytes(sum, raised, b);
        dot_bytes(less, shift, b);
        sum.subtract(less);
    }
    VICINAL_TARGET_AVX512 static inline void dot_alike(integers& sum, bytes_u8 const& a,
                                                       bytes_u8 const& b) noexcept {
        bytes_u8 shift;
        shift.fill_with<128>();
        bytes_s8 lowered, half;
        half.fill_with<64>();
        lowered.set_bits(b.lanes ^ shift.lanes);
        dot_bytes(sum, a, lowered);
        dot_bytes(sum, a, half);
        dot_bytes(sum, a, half);
    }
    VICINAL_TARGET_AVX512 static inline void dot_words(integers& sum, words const& a,
                                                       words const& b) noexcept {
        asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512 static inline void dot_bytes(integers& sum, bytes_u8 const& a,
                                                       bytes_s8 const& b) noexcept {
        asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.lanes) : "v"(a.lanes), "v"(b.lanes));
    }
    VICINAL_TARGET_AVX512 static inline void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                           bytes_s8 const& b) noexcept {
        dot_bytes(sum, a, b);
    }
};

/// The same with VPOPCNTDQ.
struct avx512_popcnt_set : avx512_vnni_set {
    VICINAL_TARGET_AVX512 static inline void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        integers counts;
        asm("vpopcntd {%1, %0|%0, %1}" : "=v"(counts.lanes) : "v"(x.lanes));
        sum.add(counts);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#endif
// ---- vicinal/simd/sets/baseline.hpp
#ifndef VICINAL_SIMD_SETS_BASELINE_HPP
#define VICINAL_SIMD_SETS_BASELINE_HPP

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

#if defined(__AVX512F__) && !VICINAL_X86_DISPATCH
inline constexpr std::size_t baseline_bytes = 64;
#elif defined(__AVX2__) && !VICINAL_X86_DISPATCH
inline constexpr std::size_t baseline_bytes = 32;
#else
inline constexpr std::size_t baseline_bytes = 16;
#endif

/// What the compiler's own flags allow.
struct baseline_set : registers<baseline_bytes> {
    VICINAL_ALWAYS_INLINE static void load_bfloats(of<float>& to, bf16 const* from) noexcept {
        detail::floats_of_bfloats(to, from);
    }
    template <class Bytes>
    VICINAL_ALWAYS_INLINE static void dot_alike(integers& sum, Bytes const& a,
                                                Bytes const& b) noexcept {
        detail::dot_alike_by_words<baseline_set>(sum, a, b);
    }
    VICINAL_ALWAYS_INLINE static void load_halves(of<float>& to, f16 const* from) noexcept {
        detail::floats_of_halves(to, from);
    }
    /// sum[i] += the number of bits set in the four bytes of lane i.
    VICINAL_ALWAYS_INLINE static void add_bits(integers& sum, bytes_u8 const& x) noexcept {
        of<std::uint32_t> all;
        all.set_bits(x.lanes);
        all.lanes -= (all.lanes >> 1) & 0x55555555U;
        all.lanes = (all.lanes & 0x33333333U) + ((all.lanes >> 2) & 0x33333333U);
        all.lanes = (all.lanes + (all.lanes >> 4)) & 0x0F0F0F0FU;
        // The four bytes of a lane are added up in its highest.
        all.lanes = (all.lanes * 0x01010101U) >> 24;
        integers counts;
        counts.set_bits(all.lanes);
        sum.add(counts);
    }
    /// The lanes' total grows by the sum of |a[i] - b[i]|; which lane takes what is the set's
    /// choice.
    VICINAL_ALWAYS_INLINE static void add_distances(integers& sum, bytes_u8 const& a,
                                                    bytes_u8 const& b) noexcept {
#if VICINAL_X86_DISPATCH
        auto sums = a.lanes;
        asm("psadbw {%1, %0|%0, %1}" : "+x"(sums) : "x"(b.lanes));
        integers distances;
        distances.set_bits(sums);
        sum.add(distances);
#else
        bytes_u8 size;
        bytes_s8 ones;
        size.set_absolute_difference(a, b);
        ones.fill_with<1>();
        dot_bytes(sum, size, ones);
#endif
    }
    /// The first half of the lanes and the second, as doubles.
    VICINAL_ALWAYS_INLINE static void widen(of<double>& low, of<double>& high,
                                            of<float> const& from) noexcept {
#if VICINAL_X86_DISPATCH
        auto const upper = __builtin_shufflevector(from.lanes, from.lanes, 2, 3, 2, 3);
        asm("cvtps2pd {%1, %0|%0, %1}" : "=x"(low.lanes) : "x"(from.lanes));
        asm("cvtps2pd {%1, %0|%0, %1}" : "=x"(high.lanes) : "x"(upper));
#else
        pack<float, of<double>::width> first, second;
        from.halves(first, second);
        low.lanes = __builtin_convertvector(first.lanes, decltype(low.lanes));
        high.lanes = __builtin_convertvector(second.lanes, decltype(high.lanes));
#endif
    }
    /// Every lane becomes the four bytes at `from`.
    template <class T>
    VICINAL_ALWAYS_INLINE static void broadcast(of<T>& to, void const* from) noexcept {
        static_assert(sizeof(T) == 4);
        T value;
        std::memcpy(&value, from, 4);
        to.fill(value);
    }
    /// sum[i] += a[2i] b[2i] + a[2i+1] b[2i+1].
    VICINAL_ALWAYS_INLINE static void dot_words(integers& sum, words const& a,
                                                words const& b) noexcept {
#if VICINAL_X86_DISPATCH
        sum.lanes += __builtin_ia32_pmaddwd128(a.lanes, b.lanes);
#else
        integers x, y;
        x.set_bits(a.lanes);
        y.set_bits(b.lanes);
        sum.lanes +=
            ((x.lanes << 16) >> 16) * ((y.lanes << 16) >> 16) + (x.lanes >> 16) * (y.lanes >> 16);
#endif
    }
    /// sum[i] += the four products a[4i] b[4i] to a[4i+3] b[4i+3].
    VICINAL_ALWAYS_INLINE static void dot_bytes(integers& sum, bytes_u8 const& a,
                                                bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<baseline_set>(sum, a, b);
    }
    /// The same for a that are 127 at most.
    VICINAL_ALWAYS_INLINE static void dot_low_bytes(integers& sum, bytes_u8 const& a,
                                                    bytes_s8 const& b) noexcept {
        detail::dot_bytes_by_words<baseline_set>(sum, a, b);
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

#endif

// A kernel body is compiled as if it stood in the function around it, whole.
#if defined(__GNUC__) || defined(__clang__)
#    define VICINAL_FLATTEN __attribute__((flatten))
#else
#    define VICINAL_FLATTEN
#endif

namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE {

/// One kernel body compiled for every instruction set, and the one chosen for this process.
///
/// Body has `template <class Set> static R run(Args...) noexcept`, always inlined: the body takes
/// on the target of the function around it. A body that gains from more than AVX-512's common part
/// says so by `static constexpr instruction_set gains_from`. `get()` is chosen once a process; a
/// query asks once and calls through the pointer.
template <class Body, class R, class... Args>
struct kernel {
    using function = R (*)(Args...) noexcept;

    VICINAL_FLATTEN static R baseline(Args... args) noexcept {
        return Body::template run<baseline_set>(args...);
    }
#if VICINAL_X86_DISPATCH
    VICINAL_FLATTEN VICINAL_TARGET_AVX2 static R avx2(Args... args) noexcept {
        return Body::template run<avx2_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512(Args... args) noexcept {
        return Body::template run<avx512_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512_vnni(Args... args) noexcept {
        return Body::template run<avx512_vnni_set>(args...);
    }
    VICINAL_FLATTEN VICINAL_TARGET_AVX512 static R avx512_popcnt(Args... args) noexcept {
        return Body::template run<avx512_popcnt_set>(args...);
    }
#endif

    /// The variant for a CPU that has `set`: the best that needs no more than it.
    [[nodiscard]] static function for_set(instruction_set set) noexcept {
#if VICINAL_X86_DISPATCH
        if constexpr (requires { requires Body::gains_from == instruction_set::avx512_vnni; })
            if (set >= instruction_set::avx512_vnni) return &avx512_vnni;
        if constexpr (requires { requires Body::gains_from == instruction_set::avx512_popcnt; })
            if (set >= instruction_set::avx512_popcnt) return &avx512_popcnt;
        if (set >= instruction_set::avx512) return &avx512;
        if (set >= instruction_set::avx2) return &avx2;
#endif
        static_cast<void>(set);
        return &baseline;
    }

    [[nodiscard]] static function get() noexcept {
#if VICINAL_X86_DISPATCH
        static function const chosen_one = for_set(chosen());
        return chosen_one;
#else
        return &baseline;
#endif
    }
};

} // namespace vicinal::inline VICINAL_ABI::simd::inline VICINAL_BASELINE

#endif

/// The loops of every kernel that sums something over a query and a row: one row, four rows, a
/// block of rows. What is summed is a Step:
///
/// * `query_type`, `row_type`: what the pointers point to; `result`: what a row gives.
/// * `of<Set>`: `width` (elements a register), the registers `query`, `row`, the accumulator `sum`;
///   `load` and `load_part` (the first n, zeros behind), `add(sum, query, row)`, `merge(sum, sum)`,
///   `finish(sum)`, `finish_four(sums..., out)`. Zeros on both sides add nothing.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Puts the sums of four registers' lanes behind one another.
template <class T, std::size_t Width>
VICINAL_ALWAYS_INLINE void sum_four(pack<T, Width> const& a, pack<T, Width> const& b,
                                    pack<T, Width> const& c, pack<T, Width> const& d,
                                    T* out) noexcept {
    if constexpr (Width > 4) {
        pack<T, Width / 2> low[4];
        pack<T, Width / 2> high[4];
        a.halves(low[0], high[0]);
        b.halves(low[1], high[1]);
        c.halves(low[2], high[2]);
        d.halves(low[3], high[3]);
        low[0].add(high[0]);
        low[1].add(high[1]);
        low[2].add(high[2]);
        low[3].add(high[3]);
        sum_four(low[0], low[1], low[2], low[3], out);
    } else {
        static_assert(Width == 4);
        auto const ab = __builtin_shufflevector(a.lanes, b.lanes, 0, 4, 1, 5) +
                        __builtin_shufflevector(a.lanes, b.lanes, 2, 6, 3, 7);
        auto const cd = __builtin_shufflevector(c.lanes, d.lanes, 0, 4, 1, 5) +
                        __builtin_shufflevector(c.lanes, d.lanes, 2, 6, 3, 7);
        pack<T, 4> all;
        all.lanes = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
                    __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
        all.store(out);
    }
}

/// Two sums in one pass.
template <class Sum>
struct sum_pair {
    Sum first;
    Sum second;

    VICINAL_ALWAYS_INLINE void zero() noexcept {
        first.zero();
        second.zero();
    }
};

/// What a step with two sums adds to a step with one; Result has two members, in that order.
template <class Set, class Step, class Result>
struct paired_step : Step {
    using sum = sum_pair<typename Step::sum>;

    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept {
        a.first.add(b.first);
        a.second.add(b.second);
    }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static Result finish(sum const& s) noexcept {
        return {s.first.sum(), s.second.sum()};
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, Result* out) noexcept {
        decltype(a.first.sum()) first[4];
        decltype(a.first.sum()) second[4];
        sum_four(a.first, b.first, c.first, d.first, first);
        sum_four(a.second, b.second, c.second, d.second, second);
        for (std::size_t i = 0; i < 4; ++i) out[i] = {first[i], second[i]};
    }
};

} // namespace detail

/// How far ahead of the row a scan fetches: two pages, measured in bytes.
inline constexpr std::size_t fetch_ahead = 8192;

/// Asks for the cache line that many bytes behind p: an address, not a pointer, as it may lie
/// outside of the array.
VICINAL_ALWAYS_INLINE void fetch_behind(void const* p, std::size_t bytes) noexcept {
    __builtin_prefetch(reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(p) + bytes),
                       0, 3);
}

/// One row, in four accumulators that hide the latency of the multiply-add. They are named: as an
/// array GCC -O2 keeps them in memory, half as fast at 384.
template <class Step, bool Ahead = false>
struct one_row {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    template <class Set>
    VICINAL_ALWAYS_INLINE static typename Step::result run(query_type const* q, row_type const* r,
                                                           std::size_t n) noexcept {
        using step = typename Step::template of<Set>;
        constexpr std::size_t w = step::width;
        typename step::sum s0, s1, s2, s3;
        s0.zero();
        s1.zero();
        s2.zero();
        s3.zero();
        std::size_t i = 0;
        for (; i + 4 * w <= n; i += 4 * w) {
            add<step>(s0, q + step::query_at(i), r + step::row_at(i));
            add<step>(s1, q + step::query_at(i + w), r + step::row_at(i + w));
            add<step>(s2, q + step::query_at(i + 2 * w), r + step::row_at(i + 2 * w));
            add<step>(s3, q + step::query_at(i + 3 * w), r + step::row_at(i + 3 * w));
        }
        if (i + 2 * w <= n) {
            add<step>(s0, q + step::query_at(i), r + step::row_at(i));
            add<step>(s1, q + step::query_at(i + w), r + step::row_at(i + w));
            i += 2 * w;
        }
        if (i + w <= n) {
            add<step>(s2, q + step::query_at(i), r + step::row_at(i));
            i += w;
        }
        if (i < n) {
            typename step::query x;
            typename step::row y;
            step::load_part(x, q + step::query_at(i), n - i);
            step::load_part(y, r + step::row_at(i), n - i);
            step::add(s3, x, y);
        }
        step::merge(s0, s1);
        step::merge(s2, s3);
        step::merge(s0, s2);
        return step::finish(s0);
    }

private:
    template <class step>
    VICINAL_ALWAYS_INLINE static void add(typename step::sum& sum, query_type const* q,
                                          row_type const* r) noexcept {
        if constexpr (Ahead) fetch_behind(r, fetch_ahead);
        typename step::query x;
        typename step::row y;
        step::load(x, q);
        step::load(y, r);
        step::add(sum, x, y);
    }
};

/// Four rows at once, anywhere: the query is read once for all. out has room for four results.
template <class Step>
struct four_rows {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(query_type const* q, row_type const* const* rows,
                                          std::size_t n, typename Step::result* out) noexcept {
        using step = typename Step::template of<Set>;
        constexpr std::size_t w = step::width;
        row_type const* const r0 = rows[0];
        row_type const* const r1 = rows[1];
        row_type const* const r2 = rows[2];
        row_type const* const r3 = rows[3];
        typename step::sum s0, s1, s2, s3, t0, t1, t2, t3;
        s0.zero();
        s1.zero();
        s2.zero();
        s3.zero();
        t0.zero();
        t1.zero();
        t2.zero();
        t3.zero();
        std::size_t i = 0;
        for (; i + 2 * w <= n; i += 2 * w) {
            add<step>(s0, s1, s2, s3, q + step::query_at(i), r0 + step::row_at(i),
                      r1 + step::row_at(i), r2 + step::row_at(i), r3 + step::row_at(i));
            auto const j = i + w;
            add<step>(t0, t1, t2, t3, q + step::query_at(j), r0 + step::row_at(j),
                      r1 + step::row_at(j), r2 + step::row_at(j), r3 + step::row_at(j));
        }
        if (i + w <= n) {
            add<step>(s0, s1, s2, s3, q + step::query_at(i), r0 + step::row_at(i),
                      r1 + step::row_at(i), r2 + step::row_at(i), r3 + step::row_at(i));
            i += w;
        }
        if (i < n) {
            typename step::query x;
            typename step::row y;
            step::load_part(x, q + step::query_at(i), n - i);
            step::load_part(y, r0 + step::row_at(i), n - i);
            step::add(t0, x, y);
            step::load_part(y, r1 + step::row_at(i), n - i);
            step::add(t1, x, y);
            step::load_part(y, r2 + step::row_at(i), n - i);
            step::add(t2, x, y);
            step::load_part(y, r3 + step::row_at(i), n - i);
            step::add(t3, x, y);
        }
        step::merge(s0, t0);
        step::merge(s1, t1);
        step::merge(s2, t2);
        step::merge(s3, t3);
        step::finish_four(s0, s1, s2, s3, out);
    }

private:
    template <class step>
    VICINAL_ALWAYS_INLINE static void
    add(typename step::sum& s0, typename step::sum& s1, typename step::sum& s2,
        typename step::sum& s3, query_type const* q, row_type const* r0, row_type const* r1,
        row_type const* r2, row_type const* r3) noexcept {
        typename step::query x;
        typename step::row y;
        step::load(x, q);
        step::load(y, r0);
        step::add(s0, x, y);
        step::load(y, r1);
        step::add(s1, x, y);
        step::load(y, r2);
        step::add(s2, x, y);
        step::load(y, r3);
        step::add(s3, x, y);
    }
};

/// `count` rows, each `stride` elements of `row_type` behind the one before; a result a row.
template <class Step>
struct row_block {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;

    /// Rows shorter than this many bytes go four at a time: there the sum over a register's lanes
    /// is much of the work. Longer ones go one at a time, which reads memory faster.
    static constexpr std::size_t short_row = 512;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(query_type const* q, row_type const* rows,
                                          std::size_t stride, std::size_t count, std::size_t n,
                                          typename Step::result* out) noexcept {
        std::size_t i = 0;
        if (stride * sizeof(row_type) <= short_row)
            for (; i + 4 <= count; i += 4) {
                auto const* const first = rows + i * stride;
                for (std::size_t b = 0; b < 4 * stride * sizeof(row_type); b += 64)
                    fetch_behind(first, fetch_ahead + b);
                row_type const* const four[4] = {first, first + stride, first + 2 * stride,
                                                 first + 3 * stride};
                four_rows<Step>::template run<Set>(q, four, n, out + i);
            }
        for (; i < count; ++i)
            out[i] = one_row<Step, true>::template run<Set>(q, rows + i * stride, n);
    }
};

/// The loop with what its step gains from.
template <class Step, class Loop>
struct stepwise : Loop {};
template <class Step, class Loop>
    requires requires { Step::gains_from; }
struct stepwise<Step, Loop> : Loop {
    static constexpr instruction_set gains_from = Step::gains_from;
};

/// The three kernels of a step.
template <class Step>
struct row_kernels {
    using query_type = typename Step::query_type;
    using row_type = typename Step::row_type;
    using result = typename Step::result;

    /// `get()(query, row, n)`: one row's result.
    using one = kernel<stepwise<Step, one_row<Step>>, result, query_type const*, row_type const*,
                       std::size_t>;
    /// `get()(query, rows, n, out)`: four results for four pointers.
    using four = kernel<stepwise<Step, four_rows<Step>>, void, query_type const*,
                        row_type const* const*, std::size_t, result*>;
    /// `get()(query, rows, stride, count, n, out)`: `count` results; stride in elements.
    using block = kernel<stepwise<Step, row_block<Step>>, void, query_type const*, row_type const*,
                         std::size_t, std::size_t, std::size_t, result*>;
};

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

/// Sums over bytes: what codes of 8 and 7 bits are compared with. All are exact, the same on every
/// instruction set, for up to 65,536 elements.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// What the steps over bytes share: registers of bytes, one accumulator of 32-bit lanes.
template <class Set, class Query, class Row>
struct byte_step {
    static constexpr std::size_t width = Set::bytes;
    using query = typename Set::template of<Query>;
    using row = typename Set::template of<Row>;
    using sum = typename Set::integers;

    [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept { return i; }
    [[nodiscard]] static constexpr std::size_t row_at(std::size_t i) noexcept { return i; }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load(typename Set::template of<T>& to,
                                           T const* from) noexcept {
        to.load(from);
    }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(typename Set::template of<T>& to, T const* from,
                                                std::size_t n) noexcept {
        Set::load_part(to, from, n);
    }
    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept { a.add(b); }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static std::int32_t finish(sum const& s) noexcept {
        return s.sum();
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, std::int32_t* out) noexcept {
        sum_four(a, b, c, d, out);
    }
};

/// Adds the squares of unsigned bytes.
template <class Set>
VICINAL_ALWAYS_INLINE void add_squares(typename Set::integers& sum,
                                       typename Set::bytes_u8 const& x) noexcept {
    typename Set::template of<std::uint16_t> pairs;
    pairs.set_bits(x.lanes);
    typename Set::words even, odd;
    even.set_bits(pairs.lanes & 255);
    odd.set_bits(pairs.lanes >> 8);
    Set::dot_words(sum, even, even);
    Set::dot_words(sum, odd, odd);
}

} // namespace detail

/// Sum over i of query[i] row[i], signed by unsigned.
///
/// For a query of unsigned bytes subtract 128 from each once; the sum over the row's bytes, which a
/// codec stores, times 128 is what is missing then.
struct byte_dot_step {
    using query_type = std::int8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_s8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            Set::dot_bytes(sum, r, q);
        }
    };
};

/// Sum over i of (query[i] - 128) row[i], both as unsigned bytes: byte_dot for a query that is a
/// row itself.
struct unsigned_dot_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 middle;
            typename Set::bytes_s8 shifted;
            middle.template fill_with<128>();
            shifted.set_bits(q.lanes ^ middle.lanes);
            Set::dot_bytes(sum, r, shifted);
        }
    };
};

/// byte_dot for rows of codes from 0 to 127: twice as fast without VNNI.
struct low_byte_dot_step {
    using query_type = std::int8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_s8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            Set::dot_low_bytes(sum, r, q);
        }
    };
};

/// Sum over i of (query[i] - row[i])^2, both unsigned; up to 33,000 elements fit the result's 32
/// bits, twice as many where it is read as unsigned.
struct byte_difference_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 size;
            size.set_absolute_difference(q, r);
            detail::add_squares<Set>(sum, size);
        }
    };
};

/// The same for codes from 0 to 127.
struct low_byte_difference_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum,
                                              typename Set::bytes_u8 const& q,
                                              typename Set::bytes_u8 const& r) noexcept {
            typename Set::bytes_u8 size;
            typename Set::bytes_s8 same;
            size.set_absolute_difference(q, r);
            same.set_bits(size.lanes);
            Set::dot_low_bytes(sum, size, same);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using byte_dot = row_kernels<byte_dot_step>;
using unsigned_dot = row_kernels<unsigned_dot_step>;
using low_byte_dot = row_kernels<low_byte_dot_step>;
using byte_difference = row_kernels<byte_difference_step>;
using low_byte_difference = row_kernels<low_byte_difference_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

/// Sums over codes of 4 bits, two to a byte: element 2i in the low half of byte i, 2i + 1 in the
/// high half. All are exact. Lengths are in bytes of the row, up to 65,536 of them.
namespace vicinal::inline VICINAL_ABI::simd {

/// The number of bytes that a query for rows of `bytes` bytes takes, in the order that
/// `order_nibble_query` gives it.
[[nodiscard]] constexpr std::size_t nibble_query_size(std::size_t bytes) noexcept {
    return (bytes + 63) / 64 * 128;
}

/// Puts a query of `count` signed bytes, element by element, into the order that the kernel reads:
/// in blocks of 128 the even elements first, then the odd ones; zeros behind the last.
inline void order_nibble_query(std::int8_t const* query, std::size_t count,
                               std::int8_t* ordered) noexcept {
    auto const size = nibble_query_size((count + 1) / 2);
    for (std::size_t i = 0; i < size; ++i) {
        auto const element = i / 128 * 128 + i % 64 * 2 + (i % 128 < 64 ? 0 : 1);
        ordered[i] = element < count ? query[element] : std::int8_t{0};
    }
}

namespace detail {

/// The low halves of bytes and the high halves.
template <class Set>
VICINAL_ALWAYS_INLINE void split_nibbles(typename Set::bytes_u8 const& x,
                                         typename Set::bytes_u8& low,
                                         typename Set::bytes_u8& high) noexcept {
    typename Set::template of<std::uint32_t> all;
    all.set_bits(x.lanes);
    low.set_bits(all.lanes & 0x0F0F0F0FU);
    high.set_bits((all.lanes >> 4) & 0x0F0F0F0FU);
}

} // namespace detail

/// Sum over elements of query times code, for a query in order_nibble_query's order.
struct nibble_dot_step {
    using query_type = std::int8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        using row = typename Set::bytes_u8;
        struct query {
            typename Set::bytes_s8 low;
            typename Set::bytes_s8 high;
        };
        [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept {
            return i / 64 * 128 + i % 64;
        }
        VICINAL_ALWAYS_INLINE static void load(row& to, std::uint8_t const* from) noexcept {
            to.load(from);
        }
        VICINAL_ALWAYS_INLINE static void load(query& to, std::int8_t const* from) noexcept {
            to.low.load(from);
            to.high.load(from + 64);
        }
        VICINAL_ALWAYS_INLINE static void load_part(row& to, std::uint8_t const* from,
                                                    std::size_t n) noexcept {
            Set::load_part(to, from, n);
        }
        /// The query is as long as whole registers.
        VICINAL_ALWAYS_INLINE static void load_part(query& to, std::int8_t const* from,
                                                    std::size_t) noexcept {
            load(to, from);
        }
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, query const& q,
                                              row const& r) noexcept {
            row low, high;
            detail::split_nibbles<Set>(r, low, high);
            Set::dot_low_bytes(sum, low, q.low);
            Set::dot_low_bytes(sum, high, q.high);
        }
    };
};

/// Sum over elements of the squared difference of two codes.
struct nibble_difference_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, query_type, row_type> {
        using bytes = typename Set::bytes_u8;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            bytes q_low, q_high, r_low, r_high;
            detail::split_nibbles<Set>(q, q_low, q_high);
            detail::split_nibbles<Set>(r, r_low, r_high);
            square(sum, q_low, r_low);
            square(sum, q_high, r_high);
        }

    private:
        VICINAL_ALWAYS_INLINE static void square(typename Set::integers& sum, bytes const& a,
                                                 bytes const& b) noexcept {
            bytes size;
            typename Set::bytes_s8 same;
            size.set_absolute_difference(a, b);
            same.set_bits(size.lanes);
            Set::dot_low_bytes(sum, size, same);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using nibble_dot = row_kernels<nibble_dot_step>;
using nibble_difference = row_kernels<nibble_difference_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
// ---- vicinal/simd/tile.hpp
#ifndef VICINAL_SIMD_TILE_HPP
#define VICINAL_SIMD_TILE_HPP

/// The product of many queries with many rows: a panel of 32 queries against rows as they lie.
///
/// The queries are turned once so that element k of all 32 stands together; a row's element is then
/// broadcast, and no sum over a register's lanes is left to do. A dozen rows stay in registers, so
/// that each load feeds many multiply-adds. Cost: 32 x rows x dim multiply-adds.
namespace vicinal::inline VICINAL_ABI::simd {

/// Queries in a panel, and results a row, on every instruction set.
inline constexpr std::size_t panel_queries = 32;

/// The number of elements that a panel of `dim` floats takes.
[[nodiscard]] constexpr std::size_t panel_size(std::size_t dim) noexcept {
    return dim * panel_queries;
}

/// Turns `count` queries, at most 32 and each `stride` floats behind the one before, into a panel
/// of panel_size(dim) floats; the columns of queries that are missing are zero.
inline void make_panel(float const* queries, std::size_t stride, std::size_t count, std::size_t dim,
                       float* panel) noexcept {
    for (std::size_t k = 0; k < dim; ++k)
        for (std::size_t j = 0; j < panel_queries; ++j)
            panel[k * panel_queries + j] = j < count ? queries[j * stride + k] : 0.0F;
}

/// The number of bytes that a panel of `dim` signed bytes takes.
[[nodiscard]] constexpr std::size_t byte_panel_size(std::size_t dim) noexcept {
    return (dim + 3) / 4 * 4 * panel_queries;
}

/// The same for queries of signed bytes, whose elements stand in groups of four;
/// byte_panel_size(dim) bytes.
inline void make_byte_panel(std::int8_t const* queries, std::size_t stride, std::size_t count,
                            std::size_t dim, std::int8_t* panel) noexcept {
    for (std::size_t k = 0; k < (dim + 3) / 4 * 4; ++k)
        for (std::size_t j = 0; j < panel_queries; ++j)
            panel[k / 4 * 4 * panel_queries + j * 4 + k % 4] =
                j < count && k < dim ? queries[j * stride + k] : std::int8_t{0};
}

namespace detail {

/// Rows that are held in registers at once, two columns of registers each: as many as there are
/// registers for (32 with AVX-512, 16 below), less what the panel and the row's element take.
template <class Set>
inline constexpr std::size_t tile_rows = Set::bytes == 64 ? 12 : 6;

/// Accumulators of `Rows` rows by two registers. The index sequence makes every index a constant,
/// which keeps them in registers.
template <class Sum, std::size_t Rows>
struct tile_sums {
    Sum left[Rows];
    Sum right[Rows];
};

template <class Sum, std::size_t Rows, std::size_t... I>
VICINAL_ALWAYS_INLINE void tile_zero(tile_sums<Sum, Rows>& s, std::index_sequence<I...>) noexcept {
    ((s.left[I].zero(), s.right[I].zero()), ...);
}

template <class Sum, class Out, std::size_t Rows, std::size_t... I>
VICINAL_ALWAYS_INLINE void tile_store(tile_sums<Sum, Rows> const& s, Out* out,
                                      std::index_sequence<I...>) noexcept {
    ((s.left[I].store(out + I * panel_queries),
      s.right[I].store(out + I * panel_queries + Sum::width)),
     ...);
}

} // namespace detail

/// out[r * 32 + j] = sum over k of row r's [k] times query j's [k], for `rows` rows, each `stride`
/// floats behind the one before.
struct tile_product_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* panel, float const* rows, std::size_t stride,
                                          std::size_t count, std::size_t dim, float* out) noexcept {
        constexpr std::size_t height = detail::tile_rows<Set>;
        std::size_t r = 0;
        for (; r + height <= count; r += height)
            columns<Set, height>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r + 4 <= count; r += 4)
            columns<Set, 4>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r < count; ++r)
            columns<Set, 1>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
    }

private:
    template <class Set, std::size_t Rows>
    VICINAL_ALWAYS_INLINE static void columns(float const* panel, float const* rows,
                                              std::size_t stride, std::size_t dim,
                                              float* out) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        for (std::size_t j = 0; j < panel_queries; j += 2 * w)
            block<Set, Rows>(panel + j, rows, stride, dim, out + j,
                             std::make_index_sequence<Rows>{});
    }
    template <class Set, std::size_t Rows, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void block(float const* panel, float const* rows,
                                            std::size_t stride, std::size_t dim, float* out,
                                            std::index_sequence<I...> all) noexcept {
        using floats = typename Set::template of<float>;
        detail::tile_sums<floats, Rows> s;
        detail::tile_zero(s, all);
        for (std::size_t k = 0; k < dim; ++k) {
            floats left, right;
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + floats::width);
            (step<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k), ...);
        }
        detail::tile_store(s, out, all);
    }
    template <class Set, class Floats>
    VICINAL_ALWAYS_INLINE static void step(Floats& s, Floats& t, Floats const& left,
                                           Floats const& right, float const* element) noexcept {
        Floats all;
        Set::broadcast(all, element);
        s.add_product(left, all);
        t.add_product(right, all);
    }
};

/// The same for rows of unsigned bytes and a panel of signed ones, in 32-bit integers; exact for
/// dim up to 65,536. The last, incomplete group of four elements is read byte by byte.
struct byte_tile_body {
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(std::int8_t const* panel, std::uint8_t const* rows,
                                          std::size_t stride, std::size_t count, std::size_t dim,
                                          std::int32_t* out) noexcept {
        constexpr std::size_t height = detail::tile_rows<Set>;
        std::size_t r = 0;
        for (; r + height <= count; r += height)
            columns<Set, height>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r + 4 <= count; r += 4)
            columns<Set, 4>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
        for (; r < count; ++r)
            columns<Set, 1>(panel, rows + r * stride, stride, dim, out + r * panel_queries);
    }

private:
    template <class Set, std::size_t Rows>
    VICINAL_ALWAYS_INLINE static void columns(std::int8_t const* panel, std::uint8_t const* rows,
                                              std::size_t stride, std::size_t dim,
                                              std::int32_t* out) noexcept {
        constexpr std::size_t w = Set::integers::width;
        for (std::size_t j = 0; j < panel_queries; j += 2 * w)
            block<Set, Rows>(panel + j * 4, rows, stride, dim, out + j,
                             std::make_index_sequence<Rows>{});
    }
    template <class Set, std::size_t Rows, std::size_t... I>
    VICINAL_ALWAYS_INLINE static void block(std::int8_t const* panel, std::uint8_t const* rows,
                                            std::size_t stride, std::size_t dim, std::int32_t* out,
                                            std::index_sequence<I...> all) noexcept {
        detail::tile_sums<typename Set::integers, Rows> s;
        detail::tile_zero(s, all);
        typename Set::bytes_s8 left, right;
        std::size_t k = 0;
        for (; k + 4 <= dim; k += 4) {
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + Set::bytes);
            (step<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k), ...);
        }
        if (k < dim) {
            left.load(panel + k * panel_queries);
            right.load(panel + k * panel_queries + Set::bytes);
            (last<Set>(s.left[I], s.right[I], left, right, rows + I * stride + k, dim - k), ...);
        }
        detail::tile_store(s, out, all);
    }
    template <class Set>
    VICINAL_ALWAYS_INLINE static void
    step(typename Set::integers& s, typename Set::integers& t, typename Set::bytes_s8 const& left,
         typename Set::bytes_s8 const& right, void const* four) noexcept {
        typename Set::integers all;
        Set::broadcast(all, four);
        typename Set::bytes_u8 elements;
        elements.set_bits(all.lanes);
        Set::dot_bytes(s, elements, left);
        Set::dot_bytes(t, elements, right);
    }
    template <class Set>
    VICINAL_ALWAYS_INLINE static void
    last(typename Set::integers& s, typename Set::integers& t, typename Set::bytes_s8 const& left,
         typename Set::bytes_s8 const& right, std::uint8_t const* row, std::size_t n) noexcept {
        std::uint8_t part[4] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = row[i];
        step<Set>(s, t, left, right, part);
    }
};

/// `get()(panel, rows, stride, count, dim, out)`; out holds count x 32 results.
using tile_product = kernel<tile_product_body, void, float const*, float const*, std::size_t,
                            std::size_t, std::size_t, float*>;
using byte_tile_product = kernel<byte_tile_body, void, std::int8_t const*, std::uint8_t const*,
                                 std::size_t, std::size_t, std::size_t, std::int32_t*>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

// what "near" means
// ---- vicinal/metric/concept.hpp
#ifndef VICINAL_METRIC_CONCEPT_HPP
#define VICINAL_METRIC_CONCEPT_HPP

/// What "near" means. Smaller is nearer, always.
namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

template <class F>
struct first_argument;
template <class R, class T>
struct first_argument<R (*)(T const*, T const*, std::size_t)> {
    using type = T;
};
template <class R, class T>
struct first_argument<R (*)(T const*, T const*, std::size_t) noexcept> {
    using type = T;
};

template <class M>
struct element {};
template <class M>
    requires requires { typename M::value_type; }
struct element<M> {
    using type = typename M::value_type;
};
template <class M>
    requires(
        !requires { typename M::value_type; } && requires { &M::distance; })
struct element<M> : first_argument<decltype(&M::distance)> {};

} // namespace detail

/// The element type of a metric's vectors.
template <class M>
using element_of = typename detail::element<M>::type;

/// A user's own metric: a struct with one function,
///
///     static float distance(float const* a, float const* b, std::size_t dim);
///
/// smaller is nearer, symmetric, never NaN, safe to call from several threads. Stores that live in
/// files also want a name that tells it from others: `static constexpr std::string_view name`.
template <class M>
concept custom = requires(element_of<M> const* p, std::size_t n) {
    { M::distance(p, p, n) } -> std::convertible_to<float>;
};

/// A metric of the library's: binds a query once, so that the kernel for this CPU is chosen once.
///
/// * `bind(query, dim)(row)`: float, at full speed; last bits depend on the instruction set.
/// * `bind(query, dim).four(rows, out)`, where it has one: the distances of four rows at once.
/// * `exact(query, row, dim)`: float, the same bits everywhere: what the user sees.
/// * `bind_exact(query, dim)(row)`, where a part of it belongs to the query alone: the same.
template <class M>
concept built_in = requires(element_of<M> const* p, std::size_t n) {
    { M::bind(p, n)(p) }
    noexcept->std::same_as<float>;
    { M::exact(p, p, n) }
    noexcept->std::same_as<float>;
    { M::similarity(0.0F) } -> std::same_as<float>;
    { M::name } -> std::convertible_to<std::string_view>;
};

/// A metric policy.
template <class M>
concept model = built_in<M> || custom<M>;

/// The name written into files; empty for a metric that has none.
template <model M>
[[nodiscard]] constexpr std::string_view name_of() noexcept {
    if constexpr (requires { M::name; })
        return M::name;
    else
        return {};
}

/// Whether a vector must have a direction, as under cosine: zero vectors are then refused.
template <model M>
inline constexpr bool needs_direction = requires {
    requires M::needs_direction;
};

/// A distance that has a place in an order: NaN, which only a damaged row or a metric that breaks
/// its promise gives, becomes infinity. Sorting NaN would be undefined behaviour.
[[nodiscard]] VICINAL_ALWAYS_INLINE float ordered(float distance) noexcept {
    return distance == distance ? distance : std::numeric_limits<float>::infinity();
}

namespace detail {

/// A metric's own scorer, whose NaN become infinity.
template <class Scorer, class T>
struct ordered_scorer {
    Scorer distance;

    [[nodiscard]] float operator()(T const* row) const noexcept { return ordered(distance(row)); }
    void four(T const* const* rows, float* out) const noexcept requires requires(Scorer const& s) {
        s.four(rows, out);
    }
    {
        distance.four(rows, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = ordered(out[i]);
    }
};

} // namespace detail

/// A query bound to a metric: `scorer(row)` is the distance at full speed, never NaN;
/// `scorer.four(rows, out)`, where the metric has it, the distances of four rows. The query must
/// outlive it.
template <model M>
[[nodiscard]] auto bind(element_of<M> const* query, std::size_t dim) noexcept {
    if constexpr (built_in<M>) {
        return detail::ordered_scorer<decltype(M::bind(query, dim)), element_of<M>>{
            M::bind(query, dim)};
    } else {
        struct scorer {
            element_of<M> const* query;
            std::size_t dim;
            float operator()(element_of<M> const* row) const {
                return ordered(static_cast<float>(M::distance(query, row, dim)));
            }
        };
        return scorer{query, dim};
    }
}

/// The distance that users see: the same bits on every instruction set, never NaN.
template <model M>
[[nodiscard]] float exact(element_of<M> const* query, element_of<M> const* row, std::size_t dim) {
    if constexpr (built_in<M>)
        return ordered(M::exact(query, row, dim));
    else
        return ordered(static_cast<float>(M::distance(query, row, dim)));
}

/// The same for one query and many rows: `scorer(row)`. The query must outlive it.
template <model M>
[[nodiscard]] auto bind_exact(element_of<M> const* query, std::size_t dim) {
    if constexpr (requires { M::bind_exact(query, dim); }) {
        return detail::ordered_scorer<decltype(M::bind_exact(query, dim)), element_of<M>>{
            M::bind_exact(query, dim)};
    } else {
        return [query, dim](element_of<M> const* row) { return exact<M>(query, row, dim); };
    }
}

/// The usual similarity for a distance; the negated distance where the metric names none.
template <model M>
[[nodiscard]] float similarity(float distance) {
    if constexpr (requires { M::similarity(distance); })
        return static_cast<float>(M::similarity(distance));
    else
        return -distance;
}

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/cosine.hpp
#ifndef VICINAL_METRIC_COSINE_HPP
#define VICINAL_METRIC_COSINE_HPP

// ---- vicinal/metric/element.hpp
#ifndef VICINAL_METRIC_ELEMENT_HPP
#define VICINAL_METRIC_ELEMENT_HPP

// ---- vicinal/simd/exact_sums.hpp
#ifndef VICINAL_SIMD_EXACT_SUMS_HPP
#define VICINAL_SIMD_EXACT_SUMS_HPP

// ---- vicinal/simd/float_sums.hpp
#ifndef VICINAL_SIMD_FLOAT_SUMS_HPP
#define VICINAL_SIMD_FLOAT_SUMS_HPP

/// The sums that metrics over f32, f16 and bf16 are made of, in float, at the speed of the CPU. The
/// order of addition, and with it the last bits, differs between instruction sets;
/// simd/exact_sums.hpp has the fixed order.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// A register of floats, made of floats, f16 or bf16.
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       float const* from) noexcept {
    to.load(from);
}
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       f16 const* from) noexcept {
    Set::load_halves(to, from);
}
template <class Set>
VICINAL_ALWAYS_INLINE void load_floats(typename Set::template of<float>& to,
                                       bf16 const* from) noexcept {
    Set::load_bfloats(to, from);
}

/// What the steps over floats share.
template <class Set>
struct float_step {
    static constexpr std::size_t width = Set::template of<float>::width;
    using query = typename Set::template of<float>;
    using row = query;
    using sum = query;

    [[nodiscard]] static constexpr std::size_t query_at(std::size_t i) noexcept { return i; }
    [[nodiscard]] static constexpr std::size_t row_at(std::size_t i) noexcept { return i; }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load(query& to, T const* from) noexcept {
        load_floats<Set>(to, from);
    }
    template <class T>
    VICINAL_ALWAYS_INLINE static void load_part(query& to, T const* from, std::size_t n) noexcept {
        if constexpr (sizeof(T) == sizeof(float)) {
            Set::load_part(to, from, n);
        } else {
            T part[width];
            unsigned char buffer[sizeof part];
            copy_part(buffer, reinterpret_cast<unsigned char const*>(from), n * sizeof(T));
            std::memcpy(part, buffer, sizeof part);
            load_floats<Set>(to, part);
        }
    }
    VICINAL_ALWAYS_INLINE static void merge(sum& a, sum const& b) noexcept { a.add(b); }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static float finish(sum const& s) noexcept {
        return s.sum();
    }
    VICINAL_ALWAYS_INLINE static void finish_four(sum const& a, sum const& b, sum const& c,
                                                  sum const& d, float* out) noexcept {
        sum_four(a, b, c, d, out);
    }
};

} // namespace detail

/// Sum over i of (query[i] - row[i])^2.
template <class Query, class Row = Query>
struct difference_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            floats x = q;
            x.subtract(r);
            sum.add_product(x, x);
        }
    };
};

/// Sum over i of query[i] row[i].
template <class Query, class Row = Query>
struct product_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            sum.add_product(q, r);
        }
    };
};

/// Sum over i of |query[i] - row[i]|.
template <class Query, class Row = Query>
struct distance_step {
    using query_type = Query;
    using row_type = Row;
    using result = float;

    template <class Set>
    struct of : detail::float_step<Set> {
        using floats = typename Set::template of<float>;
        VICINAL_ALWAYS_INLINE static void add(floats& sum, floats const& q,
                                              floats const& r) noexcept {
            floats x = q;
            x.subtract(r);
            x.absolute();
            sum.add(x);
        }
    };
};

/// The two sums that an angle needs of a row, from one pass over it.
struct dot_and_square {
    float dot;
    float square;
};

/// Sum of query[i] row[i] and sum of row[i]^2.
template <class Query, class Row = Query>
struct product_and_square_step {
    using query_type = Query;
    using row_type = Row;
    using result = dot_and_square;

    template <class Set>
    struct of : detail::paired_step<Set, detail::float_step<Set>, result> {
        using floats = typename Set::template of<float>;
        using sum = detail::sum_pair<floats>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, floats const& q, floats const& r) noexcept {
            s.first.add_product(q, r);
            s.second.add_product(r, r);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
template <class Query, class Row = Query>
using squared_difference = row_kernels<difference_step<Query, Row>>;
template <class Query, class Row = Query>
using dot_product = row_kernels<product_step<Query, Row>>;
template <class Query, class Row = Query>
using absolute_difference = row_kernels<distance_step<Query, Row>>;
template <class Query, class Row = Query>
using dot_and_row_square = row_kernels<product_and_square_step<Query, Row>>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

/// The same sums with the same bits on every instruction set: the distances that users see.
///
/// Sixteen double accumulators, element i in accumulator i mod 16, added up in one order; a set
/// holds them in as many registers as it needs. Each product is of two floats and so exact in
/// double: a compiler that contracts multiply and add into one instruction changes nothing.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Accumulators, and elements that are added at once.
inline constexpr std::size_t exact_lanes = 16;

/// The accumulators in the order of their elements.
template <class Set>
struct exact_accumulators {
    using part = typename Set::template of<double>;
    static constexpr std::size_t count = exact_lanes / part::width;

    part parts[count];

    /// Adds up the second half of the first `Parts` to the first half, and so on.
    template <std::size_t Parts>
    VICINAL_ALWAYS_INLINE void fold() noexcept {
        if constexpr (Parts > 1) {
            fold_halves<Parts / 2>(std::make_index_sequence<Parts / 2>{});
            fold<Parts / 2>();
        }
    }

private:
    template <std::size_t Half, std::size_t... I>
    VICINAL_ALWAYS_INLINE void fold_halves(std::index_sequence<I...>) noexcept {
        (parts[I].add(parts[I + Half]), ...);
    }
};

} // namespace detail

/// The two sums that an angle needs of a row, from one pass over it.
struct exact_dot_and_square {
    double dot;
    double square;
};

/// With `Squares` the sum of b[i]^2 comes with the term's, in the bits that it has alone.
template <class Term, class T, bool Squares = false>
struct exact_body {
    using result = std::conditional_t<Squares, exact_dot_and_square, double>;

    template <class Set>
    VICINAL_ALWAYS_INLINE static result run(T const* a, T const* b, std::size_t n) noexcept {
        constexpr auto registers = detail::exact_lanes / Set::template of<float>::width;
        return sum<Set>(a, b, n, std::make_index_sequence<registers>{});
    }

private:
    /// I counts registers of floats; that every index is a constant keeps the sums in registers.
    template <class Set, std::size_t... I>
    VICINAL_ALWAYS_INLINE static result sum(T const* a, T const* b, std::size_t n,
                                            std::index_sequence<I...>) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        detail::exact_accumulators<Set> s, squares;
        ((s.parts[2 * I].zero(), s.parts[2 * I + 1].zero()), ...);
        if constexpr (Squares)
            ((squares.parts[2 * I].zero(), squares.parts[2 * I + 1].zero()), ...);
        typename Set::template of<float> x[sizeof...(I)], y[sizeof...(I)];
        std::size_t i = 0;
        for (; i + detail::exact_lanes <= n; i += detail::exact_lanes) {
            ((detail::load_floats<Set>(x[I], a + i + I * w),
              detail::load_floats<Set>(y[I], b + i + I * w),
              add<Set, 2 * I>(s, squares, x[I], y[I])),
             ...);
        }
        if (i < n) {
            ((load_rest<Set>(x[I], a + i, n - i, I * w), load_rest<Set>(y[I], b + i, n - i, I * w),
              add<Set, 2 * I>(s, squares, x[I], y[I])),
             ...);
        }
        s.template fold<detail::exact_accumulators<Set>::count>();
        if constexpr (Squares) {
            squares.template fold<detail::exact_accumulators<Set>::count>();
            return {s.parts[0].sum(), squares.parts[0].sum()};
        } else {
            return s.parts[0].sum();
        }
    }
    /// A register from the `from`-th of the last `left` elements on, zeros behind them.
    template <class Set>
    VICINAL_ALWAYS_INLINE static void load_rest(typename Set::template of<float>& to, T const* rest,
                                                std::size_t left, std::size_t from) noexcept {
        constexpr std::size_t w = Set::template of<float>::width;
        if (left >= from + w)
            detail::load_floats<Set>(to, rest + from);
        else if (left > from)
            detail::float_step<Set>::load_part(to, rest + from, left - from);
        else
            to.zero();
    }
    template <class Set, std::size_t Part>
    VICINAL_ALWAYS_INLINE static void
    add(detail::exact_accumulators<Set>& s, detail::exact_accumulators<Set>& squares,
        typename Set::template of<float>& x, typename Set::template of<float> const& y) noexcept {
        typename Set::template of<double> x_low, x_high, y_low, y_high;
        Term::combine(x, y);
        Set::widen(x_low, x_high, x);
        if constexpr (Term::one_factor) {
            Term::add(s.parts[Part], x_low, x_low);
            Term::add(s.parts[Part + 1], x_high, x_high);
        } else {
            Set::widen(y_low, y_high, y);
            Term::add(s.parts[Part], x_low, y_low);
            Term::add(s.parts[Part + 1], x_high, y_high);
            if constexpr (Squares) {
                squares.parts[Part].add_product(y_low, y_low);
                squares.parts[Part + 1].add_product(y_high, y_high);
            }
        }
    }
};

/// What a term makes of two registers of floats before they become doubles, and adds then; with
/// `one_factor` of what the first has become alone.
struct product_term {
    static constexpr bool one_factor = false;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats&, Floats const&) noexcept {}
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x,
                                          Doubles const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct difference_term {
    static constexpr bool one_factor = true;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats& x, Floats const& y) noexcept {
        x.subtract(y);
    }
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x,
                                          Doubles const& y) noexcept {
        sum.add_product(x, y);
    }
};

struct distance_term {
    static constexpr bool one_factor = true;
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void combine(Floats& x, Floats const& y) noexcept {
        x.subtract(y);
        x.absolute();
    }
    template <class Doubles>
    VICINAL_ALWAYS_INLINE static void add(Doubles& sum, Doubles const& x, Doubles const&) noexcept {
        sum.add(x);
    }
};

/// Sum over i of a[i] b[i], in double.
template <class T>
using exact_dot_of = kernel<exact_body<product_term, T>, double, T const*, T const*, std::size_t>;

/// The same, and the sum over i of b[i]^2.
template <class T>
using exact_dot_and_row_square_of = kernel<exact_body<product_term, T, true>, exact_dot_and_square,
                                           T const*, T const*, std::size_t>;

/// Sum over i of (a[i] - b[i])^2, the difference rounded to float, the rest in double.
template <class T>
using exact_squared_difference_of =
    kernel<exact_body<difference_term, T>, double, T const*, T const*, std::size_t>;

/// Sum over i of |a[i] - b[i]|, the difference rounded to float, the rest in double.
template <class T>
using exact_absolute_difference_of =
    kernel<exact_body<distance_term, T>, double, T const*, T const*, std::size_t>;

using exact_dot = exact_dot_of<float>;
using exact_squared_difference = exact_squared_difference_of<float>;
using exact_absolute_difference = exact_absolute_difference_of<float>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
// ---- vicinal/simd/integer_sums.hpp
#ifndef VICINAL_SIMD_INTEGER_SUMS_HPP
#define VICINAL_SIMD_INTEGER_SUMS_HPP

/// The sums that metrics over i8 and u8 are made of: exact integers, the same on every instruction
/// set. T is std::int8_t or std::uint8_t, on both sides; a kernel takes up to 32,768 elements, and
/// `in_parts` any number.
namespace vicinal::inline VICINAL_ABI::simd {

namespace detail {

/// Bytes as unsigned ones with the same differences: the order of signed bytes is that of unsigned
/// ones with the first bit turned.
template <class Set, class Bytes>
VICINAL_ALWAYS_INLINE void raise_bytes(typename Set::bytes_u8& to, Bytes const& from) noexcept {
    to.set_bits(from.lanes);
    if constexpr (std::is_same_v<Bytes, typename Set::bytes_s8>) to.lanes ^= std::uint8_t{128};
}

} // namespace detail

/// Sum over i of (query[i] - row[i])^2.
template <class T>
struct integer_difference_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            typename Set::bytes_u8 x, y, size;
            detail::raise_bytes<Set>(x, q);
            detail::raise_bytes<Set>(y, r);
            size.set_absolute_difference(x, y);
            detail::add_squares<Set>(sum, size);
        }
    };
};

/// Sum over i of query[i] row[i].
template <class T>
struct integer_product_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            Set::dot_alike(sum, q, r);
        }
    };
};

/// Sum over i of |query[i] - row[i]|.
template <class T>
struct integer_distance_step {
    using query_type = T;
    using row_type = T;
    using result = std::int32_t;

    template <class Set>
    struct of : detail::byte_step<Set, T, T> {
        using bytes = typename Set::template of<T>;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            typename Set::bytes_u8 x, y;
            detail::raise_bytes<Set>(x, q);
            detail::raise_bytes<Set>(y, r);
            Set::add_distances(sum, x, y);
        }
    };
};

/// A dot product and a row's square, as integers.
struct integer_dot_and_square {
    std::int32_t dot;
    std::int32_t square;
};

/// Sum of query[i] row[i] and sum of row[i]^2.
template <class T>
struct integer_product_and_square_step {
    using query_type = T;
    using row_type = T;
    using result = integer_dot_and_square;
    static constexpr instruction_set gains_from = instruction_set::avx512_vnni;

    template <class Set>
    struct of : detail::paired_step<Set, detail::byte_step<Set, T, T>, result> {
        using bytes = typename Set::template of<T>;
        using sum = detail::sum_pair<typename Set::integers>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, bytes const& q, bytes const& r) noexcept {
            Set::dot_alike(s.first, q, r);
            Set::dot_alike(s.second, r, r);
        }
    };
};

template <class T>
using integer_difference = row_kernels<integer_difference_step<T>>;
template <class T>
using integer_product = row_kernels<integer_product_step<T>>;
template <class T>
using integer_distance = row_kernels<integer_distance_step<T>>;
template <class T>
using integer_product_and_square = row_kernels<integer_product_and_square_step<T>>;

/// The most elements that a kernel over integers takes at once.
inline constexpr std::size_t integer_part = 32768;

/// What a kernel of one row gives, for any number of elements.
template <class T>
[[nodiscard]] std::int64_t in_parts(std::int32_t (*one)(T const*, T const*, std::size_t) noexcept,
                                    T const* q, T const* r, std::size_t n) noexcept {
    std::int64_t total = 0;
    for (; n > integer_part; n -= integer_part, q += integer_part, r += integer_part)
        total += one(q, r, integer_part);
    return total + one(q, r, n);
}

/// Sums of more than 32 bits.
struct wide_dot_and_square {
    std::int64_t dot;
    std::int64_t square;
};

template <class T>
[[nodiscard]] wide_dot_and_square in_parts(integer_dot_and_square (*one)(T const*, T const*,
                                                                         std::size_t) noexcept,
                                           T const* q, T const* r, std::size_t n) noexcept {
    wide_dot_and_square total{0, 0};
    for (;; n -= integer_part, q += integer_part, r += integer_part) {
        auto const s = one(q, r, n < integer_part ? n : integer_part);
        total.dot += s.dot;
        total.square += s.square;
        if (n <= integer_part) return total;
    }
}

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

namespace vicinal::inline VICINAL_ABI::metric {

/// Elements whose sums are made in float: float, f16 and bf16.
template <class T>
concept float_element = std::same_as<T, float> || std::same_as<T, f16> || std::same_as<T, bf16>;

/// Elements whose sums are exact integers: std::int8_t and std::uint8_t.
template <class T>
concept byte_element = std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t>;

/// What a vector may consist of.
template <class T>
concept element_type = float_element<T> || byte_element<T>;

namespace detail {

/// A query and one sum of it with each row: what squared_l2, inner_product and l1 are made of.
/// Kernels are those of one step. Exact is their sum in double, Sign what makes a distance of it.
template <class T, class Kernels, int Sign>
class sum_scorer {
public:
    sum_scorer(T const* query, std::size_t dim) noexcept
        : one_(Kernels::one::get()), four_(Kernels::four::get()), query_(query), dim_(dim) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        if constexpr (byte_element<T>)
            return sign(static_cast<float>(simd::in_parts(one_, query_, row, dim_)));
        else
            return sign(one_(query_, row, dim_));
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        if constexpr (byte_element<T>) {
            if (dim_ > simd::integer_part) {
                for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
                return;
            }
        }
        typename Kernels::result sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i) out[i] = sign(static_cast<float>(sums[i]));
    }

private:
    [[nodiscard]] static float sign(float sum) noexcept { return Sign < 0 ? 0.0F - sum : sum; }

    typename Kernels::one::function one_;
    typename Kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

/// 1 less the cosine, from sums in double.
[[nodiscard]] inline float cosine_distance(double dot, double square, double other) noexcept {
    double const distance = 1 - dot / std::sqrt(square * other);
    return static_cast<float>(distance < 0 ? 0 : distance);
}

/// A query and its angle with each row, in float; in double where float does not reach.
template <class T>
class angle_scorer {
public:
    using kernels = simd::dot_and_row_square<T>;

    angle_scorer(T const* query, std::size_t dim) noexcept
        : one_(kernels::one::get()), four_(kernels::four::get()), query_(query), dim_(dim) {
        // A query outside that range has all its distances in double: its products with
        // ordinary rows leave float as well. NaN sends each of them there.
        float const square = simd::dot_product<T>::one::get()(query, query, dim);
        inverse_ =
            in_range(square) ? 1 / std::sqrt(square) : std::numeric_limits<float>::quiet_NaN();
    }

    [[nodiscard]] float operator()(T const* row) const noexcept {
        return distance(one_(query_, row, dim_), row);
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        simd::dot_and_square sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i) out[i] = distance(sums[i], rows[i]);
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        auto const dot = simd::exact_dot_of<T>::get();
        return cosine_distance(dot(a, b, dim), dot(a, a, dim), dot(b, b, dim));
    }

private:
    [[nodiscard]] float distance(simd::dot_and_square const& s, T const* row) const noexcept {
        float const angle = 1 - s.dot * inverse_ / std::sqrt(s.square);
        // Norms outside the range of float, and sums that overflowed or cancelled: in double.
        if (!in_range(s.square) || !(angle >= -1 && angle <= 3)) [[unlikely]]
            return exact(query_, row, dim_);
        return angle;
    }
    /// Neither overflowed nor so small that bits were lost; false for NaN.
    [[nodiscard]] static bool in_range(float square) noexcept {
        return square >= (std::numeric_limits<float>::min)() * 1e6F &&
               square <= (std::numeric_limits<float>::max)();
    }

    typename kernels::one::function one_;
    typename kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
    float inverse_;
};

/// A query and its exact distance from each row: the same bits as `exact`, the query's own square
/// taken once.
template <class T>
class exact_angle_scorer {
public:
    exact_angle_scorer(T const* query, std::size_t dim) noexcept
        : sums_(simd::exact_dot_and_row_square_of<T>::get()), query_(query), dim_(dim),
          square_(simd::exact_dot_of<T>::get()(query, query, dim)) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        auto const s = sums_(query_, row, dim_);
        return cosine_distance(s.dot, square_, s.square);
    }

private:
    typename simd::exact_dot_and_row_square_of<T>::function sums_;
    T const* query_;
    std::size_t dim_;
    double square_;
};
/// The same over bytes: the sums are exact integers, and so are all forms of the distance.
template <byte_element T>
class angle_scorer<T> {
public:
    using kernels = simd::integer_product_and_square<T>;

    angle_scorer(T const* query, std::size_t dim) noexcept
        : one_(kernels::one::get()), four_(kernels::four::get()), query_(query), dim_(dim),
          square_(static_cast<double>(simd::in_parts(one_, query, query, dim).square)) {}

    [[nodiscard]] float operator()(T const* row) const noexcept {
        auto const s = simd::in_parts(one_, query_, row, dim_);
        return cosine_distance(static_cast<double>(s.dot), square_, static_cast<double>(s.square));
    }
    /// The distances of four rows, wherever they lie.
    void four(T const* const* rows, float* out) const noexcept {
        if (dim_ > simd::integer_part) {
            for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
            return;
        }
        simd::integer_dot_and_square sums[4];
        four_(query_, rows, dim_, sums);
        for (std::size_t i = 0; i < 4; ++i)
            out[i] = cosine_distance(static_cast<double>(sums[i].dot), square_,
                                     static_cast<double>(sums[i].square));
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        return angle_scorer(a, dim)(b);
    }

private:
    typename kernels::one::function one_;
    typename kernels::four::function four_;
    T const* query_;
    std::size_t dim_;
    double square_;
};

/// Over bytes the fast sums are exact.
template <byte_element T>
class exact_angle_scorer<T> : public angle_scorer<T> {
    using angle_scorer<T>::angle_scorer;
};

} // namespace detail

/// Cosine distance: 1 - a.b / (|a| |b|), from 0 (same direction) to 2 (opposite).
///
/// Vectors are kept as they came, not normalised, so that `get` gives back every bit; the row's
/// norm comes out of the same pass as the product, which memory dominates. Zero vectors have no
/// direction and are refused by the store. Cost: 2 dim multiply-adds.
template <element_type T>
struct basic_cosine {
    using value_type = T;
    static constexpr std::string_view name = "cosine";
    static constexpr bool needs_direction = true;

    using scorer = detail::angle_scorer<T>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        return scorer::exact(a, b, dim);
    }
    [[nodiscard]] static auto bind_exact(T const* query, std::size_t dim) noexcept {
        return detail::exact_angle_scorer<T>(query, dim);
    }
    /// The cosine itself, from 1 to -1.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 - distance; }
};

using cosine = basic_cosine<float>;

static_assert(model<cosine>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/hamming.hpp
#ifndef VICINAL_METRIC_HAMMING_HPP
#define VICINAL_METRIC_HAMMING_HPP

// ---- vicinal/metric/bits.hpp
#ifndef VICINAL_METRIC_BITS_HPP
#define VICINAL_METRIC_BITS_HPP

// ---- vicinal/simd/bit_sums.hpp
#ifndef VICINAL_SIMD_BIT_SUMS_HPP
#define VICINAL_SIMD_BIT_SUMS_HPP

/// Counts over packed bits. Lengths are in bytes, up to 65,536 of them a call.
namespace vicinal::inline VICINAL_ABI::simd {

/// The number of bits that differ.
struct differing_bits_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = std::int32_t;
    static constexpr instruction_set gains_from = instruction_set::avx512_popcnt;

    template <class Set>
    struct of : detail::byte_step<Set, std::uint8_t, std::uint8_t> {
        using bytes = typename Set::bytes_u8;
        VICINAL_ALWAYS_INLINE static void add(typename Set::integers& sum, bytes const& q,
                                              bytes const& r) noexcept {
            bytes x;
            x.lanes = q.lanes ^ r.lanes;
            Set::add_bits(sum, x);
        }
    };
};

/// The bits set in both of two rows and in either.
struct shared_bits {
    std::int32_t both;
    std::int32_t either;
};

/// The number of bits set in both and in either.
struct shared_bits_step {
    using query_type = std::uint8_t;
    using row_type = std::uint8_t;
    using result = shared_bits;
    static constexpr instruction_set gains_from = instruction_set::avx512_popcnt;

    template <class Set>
    struct of
        : detail::paired_step<Set, detail::byte_step<Set, std::uint8_t, std::uint8_t>, result> {
        using bytes = typename Set::bytes_u8;
        using sum = detail::sum_pair<typename Set::integers>;
        VICINAL_ALWAYS_INLINE static void add(sum& s, bytes const& q, bytes const& r) noexcept {
            bytes x;
            x.lanes = q.lanes & r.lanes;
            Set::add_bits(s.first, x);
            x.lanes = q.lanes | r.lanes;
            Set::add_bits(s.second, x);
        }
    };
};

/// `one`, `four` and `block` of each; see simd/row_sums.hpp for their arguments.
using bits_that_differ = row_kernels<differing_bits_step>;
using bits_shared = row_kernels<shared_bits_step>;

} // namespace vicinal::inline VICINAL_ABI::simd

#endif

namespace vicinal::inline VICINAL_ABI::metric::detail {

/// A query of packed bits and its distance to rows: what hamming and jaccard are made of. Bit i is
/// in byte i / 8 from the lowest on; `dim` counts bits, and those behind the last are not looked
/// at.
///
/// Kernels count something of two rows of bytes; a Total takes counts in by `add` and makes a
/// `distance()` of them.
template <class Kernels, class Total>
class bit_scorer {
public:
    bit_scorer(std::uint8_t const* query, std::size_t dim) noexcept
        : one_(Kernels::one::get()), four_(Kernels::four::get()), query_(query), whole_(dim / 8),
          mask_(static_cast<std::uint8_t>((1U << (dim % 8)) - 1U)) {}

    [[nodiscard]] float operator()(std::uint8_t const* row) const noexcept {
        Total total;
        std::size_t at = 0;
        for (; whole_ - at > part; at += part) total.add(one_(query_ + at, row + at, part));
        total.add(one_(query_ + at, row + at, whole_ - at));
        add_last(total, row);
        return total.distance();
    }
    /// The distances of four rows, wherever they lie.
    void four(std::uint8_t const* const* rows, float* out) const noexcept {
        if (whole_ > part) {
            for (std::size_t i = 0; i < 4; ++i) out[i] = (*this)(rows[i]);
            return;
        }
        typename Kernels::result counts[4];
        four_(query_, rows, whole_, counts);
        for (std::size_t i = 0; i < 4; ++i) {
            Total total;
            total.add(counts[i]);
            add_last(total, rows[i]);
            out[i] = total.distance();
        }
    }

private:
    /// The byte that is in use up to some bit of it.
    void add_last(Total& total, std::uint8_t const* row) const noexcept {
        if (mask_ == 0) return;
        auto const a = static_cast<std::uint8_t>(query_[whole_] & mask_);
        auto const b = static_cast<std::uint8_t>(row[whole_] & mask_);
        total.add(one_(&a, &b, 1));
    }

    /// Bytes that a kernel takes at once.
    static constexpr std::size_t part = 65536;

    typename Kernels::one::function one_;
    typename Kernels::four::function four_;
    std::uint8_t const* query_;
    /// Bytes that are in use to the last bit, and the bits in use of the one behind them.
    std::size_t whole_;
    std::uint8_t mask_;
};

} // namespace vicinal::inline VICINAL_ABI::metric::detail

#endif

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

struct differing_total {
    std::int64_t bits = 0;

    void add(std::int32_t more) noexcept { bits += more; }
    [[nodiscard]] float distance() const noexcept { return static_cast<float>(bits); }
};

} // namespace detail

/// Hamming distance: the number of bits that differ.
///
/// Vectors are packed bits, bit i in byte i / 8 from the lowest on; `dim` counts bits, and a row
/// takes (dim + 7) / 8 bytes. Cost: dim / 8 bytes read.
struct hamming {
    using value_type = std::uint8_t;
    static constexpr std::string_view name = "hamming";
    static constexpr bool packed_bits = true;

    using scorer = detail::bit_scorer<simd::bits_that_differ, detail::differing_total>;

    [[nodiscard]] static scorer bind(std::uint8_t const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(std::uint8_t const* a, std::uint8_t const* b,
                                     std::size_t dim) noexcept {
        return scorer(a, dim)(b);
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

static_assert(model<hamming>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/inner_product.hpp
#ifndef VICINAL_METRIC_INNER_PRODUCT_HPP
#define VICINAL_METRIC_INNER_PRODUCT_HPP

namespace vicinal::inline VICINAL_ABI::metric {

/// Negated inner product: minus the sum over i of a[i] b[i], so that smaller is nearer.
///
/// Unit: the square of the elements' unit; any sign. No triangle inequality: a vector need not be
/// its own nearest neighbour. Cost: dim multiply-adds. Over bytes the sum is an exact integer
/// before it becomes a float.
template <element_type T>
struct basic_inner_product {
    using value_type = T;
    static constexpr std::string_view name = "inner_product";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_product_step<T>>,
                                             std::type_identity<simd::product_step<T>>>::type;

    class scorer {
    public:
        scorer(T const* query, std::size_t dim) noexcept
            : sums_(query, dim), query_(query), dim_(dim) {}
        [[nodiscard]] float operator()(T const* row) const noexcept {
            float const distance = sums_(row);
            // Sums beyond the range of float cancel to NaN, which has no place in an order.
            if (distance != distance) [[unlikely]]
                return exact(query_, row, dim_);
            return distance;
        }
        void four(T const* const* rows, float* out) const noexcept {
            sums_.four(rows, out);
            for (std::size_t i = 0; i < 4; ++i)
                if (out[i] != out[i]) [[unlikely]]
                    out[i] = exact(query_, rows[i], dim_);
        }

    private:
        detail::sum_scorer<T, simd::row_kernels<sums>, -1> sums_;
        T const* query_;
        std::size_t dim_;
    };

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(-simd::exact_dot_of<T>::get()(a, b, dim));
    }
    /// The inner product itself.
    [[nodiscard]] static float similarity(float distance) noexcept { return -distance; }
};

using inner_product = basic_inner_product<float>;

static_assert(model<inner_product>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/jaccard.hpp
#ifndef VICINAL_METRIC_JACCARD_HPP
#define VICINAL_METRIC_JACCARD_HPP

namespace vicinal::inline VICINAL_ABI::metric {

namespace detail {

struct shared_total {
    std::int64_t both = 0;
    std::int64_t either = 0;

    void add(simd::shared_bits more) noexcept {
        both += more.both;
        either += more.either;
    }
    [[nodiscard]] float distance() const noexcept {
        if (either == 0) return 0;
        return static_cast<float>(static_cast<double>(either - both) / static_cast<double>(either));
    }
};

} // namespace detail

/// Jaccard distance of two sets: 1 less the bits set in both divided by the bits set in either,
/// from 0 (equal) to 1 (nothing shared). Two empty sets are equal.
///
/// Vectors are packed bits, bit i in byte i / 8 from the lowest on; `dim` counts bits, and a row
/// takes (dim + 7) / 8 bytes. Cost: dim / 8 bytes read.
struct jaccard {
    using value_type = std::uint8_t;
    static constexpr std::string_view name = "jaccard";
    static constexpr bool packed_bits = true;

    using scorer = detail::bit_scorer<simd::bits_shared, detail::shared_total>;

    [[nodiscard]] static scorer bind(std::uint8_t const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(std::uint8_t const* a, std::uint8_t const* b,
                                     std::size_t dim) noexcept {
        return scorer(a, dim)(b);
    }
    /// The shared part itself, from 1 to 0.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 - distance; }
};

static_assert(model<jaccard>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/l1.hpp
#ifndef VICINAL_METRIC_L1_HPP
#define VICINAL_METRIC_L1_HPP

namespace vicinal::inline VICINAL_ABI::metric {

/// Manhattan distance: sum over i of |a[i] - b[i]|.
///
/// Unit: the elements' unit. Cost: dim subtractions and additions. Overflow gives infinity, never
/// NaN. Over bytes the sum is an exact integer before it becomes a float.
template <element_type T>
struct basic_l1 {
    using value_type = T;
    static constexpr std::string_view name = "l1";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_distance_step<T>>,
                                             std::type_identity<simd::distance_step<T>>>::type;
    using scorer = detail::sum_scorer<T, simd::row_kernels<sums>, 1>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(simd::exact_absolute_difference_of<T>::get()(a, b, dim));
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

using l1 = basic_l1<float>;

static_assert(model<l1>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif
// ---- vicinal/metric/squared_l2.hpp
#ifndef VICINAL_METRIC_SQUARED_L2_HPP
#define VICINAL_METRIC_SQUARED_L2_HPP

namespace vicinal::inline VICINAL_ABI::metric {

/// Squared Euclidean distance: sum over i of (a[i] - b[i])^2.
///
/// Unit: the square of the elements' unit. No root is taken; the order of neighbours is the same.
/// Cost: dim multiply-adds. Overflow gives infinity, never NaN. Over bytes the sum is an exact
/// integer before it becomes a float.
template <element_type T>
struct basic_squared_l2 {
    using value_type = T;
    static constexpr std::string_view name = "squared_l2";

    using sums = typename std::conditional_t<byte_element<T>,
                                             std::type_identity<simd::integer_difference_step<T>>,
                                             std::type_identity<simd::difference_step<T>>>::type;
    using scorer = detail::sum_scorer<T, simd::row_kernels<sums>, 1>;

    [[nodiscard]] static scorer bind(T const* query, std::size_t dim) noexcept {
        return {query, dim};
    }
    [[nodiscard]] static float exact(T const* a, T const* b, std::size_t dim) noexcept {
        if constexpr (byte_element<T>)
            return scorer(a, dim)(b);
        else
            return static_cast<float>(simd::exact_squared_difference_of<T>::get()(a, b, dim));
    }
    /// 1 / (1 + distance): 1 for equal vectors, towards 0 for far ones.
    [[nodiscard]] static float similarity(float distance) noexcept { return 1 / (1 + distance); }
};

using squared_l2 = basic_squared_l2<float>;

static_assert(model<squared_l2>);

} // namespace vicinal::inline VICINAL_ABI::metric

#endif

// the form in which an index reads a vector
// ---- vicinal/codec/concept.hpp
#ifndef VICINAL_CODEC_CONCEPT_HPP
#define VICINAL_CODEC_CONCEPT_HPP

/// The form in which an index reads a vector while it walks.
namespace vicinal::inline VICINAL_ABI::codec {

/// What a codec makes of one metric.
///
/// * `query(vector)`: the query in the codec's form; `query(code)` of it is a distance. Valid while
///   the vector and the codec live. Encoding may take memory; scoring takes none and can't fail.
/// * `between(code)`: the same for a stored row's code in the place of the query; a graph is built
///   with it. It takes no memory, and the code must stay in place.
/// * `query(vector).four(codes, out)`, where it has it: the distances of four codes at once.
/// * `query(vector).at_least(code, distance)`, where it has it: what the distance of the vectors is
///   at least, given that of the codes.
///
/// Codes are bytes: row i of the column that the codec reads. A codec whose `reads_rows` is true
/// has no column of its own: its codes are the vectors themselves. Another has `row_bytes()`, the
/// size of a code, and `encode_row(vector, code)`.
template <class B>
concept bound = requires(B const& b, float const* v, std::byte const* code,
                         decltype(b.query(v)) const& query,
                         decltype(b.between(code)) const& between) {
    { B::reads_rows } -> std::convertible_to<bool>;
    { query(code) }
    noexcept->std::same_as<float>;
    { between(code) }
    noexcept->std::same_as<float>;
};

/// A codec policy: a name, which files carry, and `of<Metric>`, the codec for that metric.
template <class C>
concept model = requires {
    { C::name } -> std::convertible_to<std::string_view>;
    requires bound<typename C::template of<metric::squared_l2>>;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
// ---- vicinal/codec/f32.hpp
#ifndef VICINAL_CODEC_F32_HPP
#define VICINAL_CODEC_F32_HPP

namespace vicinal::inline VICINAL_ABI::codec {

/// The vectors as they are: no training, no codes of its own, no loss.
struct f32 {
    static constexpr std::string_view name = "f32";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = true;
        using element = metric::element_of<Metric>;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        /// Distance from a bound vector to a code.
        class scorer {
        public:
            scorer(element const* query, std::size_t dim) noexcept
                : distance_(metric::bind<Metric>(query, dim)) {}
            [[nodiscard]] float operator()(std::byte const* code) const noexcept {
                return distance_(reinterpret_cast<element const*>(code));
            }
            /// The distances of four codes, wherever they lie.
            void four(std::byte const* const* codes, float* out) const noexcept requires
                requires(decltype(metric::bind<Metric>(nullptr, 0)) const& d) {
                d.four(nullptr, out);
            }
            {
                element const* const rows[4] = {reinterpret_cast<element const*>(codes[0]),
                                                reinterpret_cast<element const*>(codes[1]),
                                                reinterpret_cast<element const*>(codes[2]),
                                                reinterpret_cast<element const*>(codes[3])};
                distance_.four(rows, out);
            }

        private:
            decltype(metric::bind<Metric>(nullptr, 0)) distance_;
        };

        [[nodiscard]] scorer query(element const* vector) const noexcept { return {vector, dim_}; }
        [[nodiscard]] scorer between(std::byte const* code) const noexcept {
            return {reinterpret_cast<element const*>(code), dim_};
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<f32>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

// where bytes live and what survives
// ---- vicinal/storage/backup.hpp
#ifndef VICINAL_STORAGE_BACKUP_HPP
#define VICINAL_STORAGE_BACKUP_HPP

#if VICINAL_HAS_FILES

// ---- vicinal/storage/copy_files.hpp
#ifndef VICINAL_STORAGE_COPY_FILES_HPP
#define VICINAL_STORAGE_COPY_FILES_HPP

// ---- vicinal/storage/descriptor.hpp
#ifndef VICINAL_STORAGE_DESCRIPTOR_HPP
#define VICINAL_STORAGE_DESCRIPTOR_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The system's reason in words, as an error: `wanted` says what was attempted on which file.
[[nodiscard]] inline error system_failure(int reason, std::string wanted) {
    return error{reason == ENOMEM ? errc::out_of_memory : errc::io_failure, std::move(wanted),
                 std::generic_category().message(reason)};
}

/// Where there is no writer that could be poisoned, a failed sync is a failure like others.
[[nodiscard]] inline error unpoisoned(error const& e) {
    return e.code() == errc::writer_poisoned ? error{errc::io_failure, e.expected(), e.got()} : e;
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call&& call) -> decltype(call()) {
    for (;;) {
        auto const answer = call();
        if (answer >= 0 || errno != EINTR) return answer;
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// An open file, closed at the end.
template <class Os>
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }
    /// Another descriptor of the same open file; none where the system refuses, with errno.
    [[nodiscard]] descriptor duplicate() const noexcept {
        return descriptor(detail::uninterrupted([this] { return Os::duplicate(number_); }));
    }
    void reset() noexcept {
        // Linux has closed the file also where close is interrupted: once only.
        if (number_ >= 0) static_cast<void>(Os::close_file(number_));
        number_ = -1;
    }

private:
    int number_ = -1;
};

/// Reads until `into` is full or the file ends; gives the number of bytes read. `file` names the
/// file in an error.
template <class Os>
[[nodiscard]] result<std::size_t> read_up_to(int number, std::uint64_t offset,
                                             std::span<std::byte> into, std::string_view file) {
    std::size_t done = 0;
    while (done < into.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::read_at(number, into.data() + done, into.size() - done, offset + done);
        });
        if (n < 0) {
            int const reason = errno;
            return detail::system_failure(
                reason, "to read " + std::to_string(into.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

/// Writes all of `from`, in as many calls as the system needs.
template <class Os>
[[nodiscard]] result<void> write_all(int number, std::uint64_t offset,
                                     std::span<std::byte const> from, std::string_view file) {
    std::size_t done = 0;
    while (done < from.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::write_at(number, from.data() + done, from.size() - done, offset + done);
        });
        if (n <= 0) {
            int const reason = n < 0 ? errno : EIO;
            return detail::system_failure(
                reason, "to write " + std::to_string(from.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        done += static_cast<std::size_t>(n);
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/generation.hpp
#ifndef VICINAL_STORAGE_GENERATION_HPP
#define VICINAL_STORAGE_GENERATION_HPP

// ---- vicinal/storage/log.hpp
#ifndef VICINAL_STORAGE_LOG_HPP
#define VICINAL_STORAGE_LOG_HPP

// ---- vicinal/core/bits.hpp
#ifndef VICINAL_CORE_BITS_HPP
#define VICINAL_CORE_BITS_HPP

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace vicinal::inline VICINAL_ABI::detail {

/// Little-endian integers in files: byte by byte, so that the host's order does not matter.
template <std::unsigned_integral U>
[[nodiscard]] constexpr U load_le(std::byte const* p) noexcept {
    U v = 0;
    // GCC 12 does not see one load in the loop below at -O2: 4 ns instead of a fraction of one.
    if (std::endian::native == std::endian::little && !std::is_constant_evaluated()) {
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    for (std::size_t i = 0; i < sizeof(U); ++i)
        v = static_cast<U>(v | static_cast<U>(static_cast<U>(p[i]) << (8 * i)));
    return v;
}

template <std::unsigned_integral U>
constexpr void store_le(std::byte* p, U v) noexcept {
    for (std::size_t i = 0; i < sizeof(U); ++i)
        p[i] = static_cast<std::byte>(static_cast<unsigned char>(v >> (8 * i)));
}

/// a * b and a + b with the overflow told: sizes that come from outside go through these.
template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_multiply(U a, U b, U& product) noexcept {
    return !__builtin_mul_overflow(a, b, &product);
}

template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_add(U a, U b, U& sum) noexcept {
    return !__builtin_add_overflow(a, b, &sum);
}

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t v, std::uint64_t multiple) noexcept {
    return (v + multiple - 1) / multiple * multiple;
}

/// A 64-bit mixing function (Steele, Lea & Flood 2014, splitmix64): the library's only source of
/// randomness, so that a seed gives the same bytes with every standard library.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// Hash of a byte string, the same on every host: 8 bytes a step through `mix`.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view s) noexcept {
    auto const* p = reinterpret_cast<std::byte const*>(s.data());
    std::size_t n = s.size();
    std::uint64_t h = mix(n);
    for (; n >= 8; n -= 8, p += 8) h = mix(h ^ load_le<std::uint64_t>(p));
    std::uint64_t tail = 0;
    for (std::size_t i = 0; i < n; ++i)
        tail |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    return n == 0 ? h : mix(h ^ tail);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/durability.hpp
#ifndef VICINAL_STORAGE_DURABILITY_HPP
#define VICINAL_STORAGE_DURABILITY_HPP

#include <cstdint>

namespace vicinal::inline VICINAL_ABI {

/// What "written" means when a call that changes a durable store returns.
///
/// Whatever the level: files hold a checksum for every byte, so that a store opens in a state that
/// it once had, or is refused; it never answers from half of a write.
enum class durability : std::uint8_t {
    /// Each write is on the disk when the call returns (one fdatasync a batch). Killing the process
    /// and cutting the power both lose nothing that was acknowledged.
    full,
    /// Each write is with the operating system when the call returns; the disk follows at
    /// checkpoint, close and sync(). Killing the process loses nothing; a power cut may lose the
    /// newest batches: what opens afterwards is all batches up to some point, at least up to the
    /// last sync, and the loss is reported.
    normal,
    /// Nothing is ever waited for, not even at a checkpoint. Killing the process loses nothing that
    /// the system had taken; after a power cut the store may be refused. For data that can be made
    /// again.
    off,
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/log_format.hpp
#ifndef VICINAL_STORAGE_LOG_FORMAT_HPP
#define VICINAL_STORAGE_LOG_FORMAT_HPP

// ---- vicinal/storage/crc32c.hpp
#ifndef VICINAL_STORAGE_CRC32C_HPP
#define VICINAL_STORAGE_CRC32C_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#if defined(__x86_64__)
#    include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#    include <arm_acle.h>
#endif

namespace vicinal::inline VICINAL_ABI {

namespace detail {

using crc32c_tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Tables for eight bytes a step (Kounavis & Berry 2005, slicing-by-8), of the reflected
/// Castagnoli polynomial.
[[nodiscard]] constexpr crc32c_tables make_crc32c_tables() noexcept {
    crc32c_tables t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1U) != 0 ? 0x82f63b78U : 0U);
        t[0][i] = c;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t i = 0; i < 256; ++i)
            t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xffU];
    return t;
}

inline constexpr crc32c_tables crc32c_table = make_crc32c_tables();

/// The portable form: 2.3 GB/s where the instruction gives 10.6 GB/s.
[[nodiscard]] inline std::uint32_t crc32c_portable(std::uint32_t state, std::byte const* p,
                                                   std::size_t n) noexcept {
    auto const& t = crc32c_table;
    for (; n >= 8; n -= 8, p += 8) {
        auto const v = load_le<std::uint64_t>(p) ^ state;
        state = t[7][v & 0xffU] ^ t[6][(v >> 8) & 0xffU] ^ t[5][(v >> 16) & 0xffU] ^
                t[4][(v >> 24) & 0xffU] ^ t[3][(v >> 32) & 0xffU] ^ t[2][(v >> 40) & 0xffU] ^
                t[1][(v >> 48) & 0xffU] ^ t[0][v >> 56];
    }
    for (; n > 0; --n, ++p)
        state = (state >> 8) ^ t[0][(state ^ std::to_integer<std::uint32_t>(*p)) & 0xffU];
    return state;
}

#if defined(__x86_64__)
/// The processor's own instruction; only where it has SSE4.2, whatever the file is compiled for.
[[nodiscard]] __attribute__((target("sse4.2"))) inline std::uint32_t
crc32c_sse42(std::uint32_t state, std::byte const* p, std::size_t n) noexcept {
    std::uint64_t wide = state;
    for (; n >= 8; n -= 8, p += 8) {
        std::uint64_t v = 0;
        std::memcpy(&v, p, sizeof v);
        wide = _mm_crc32_u64(wide, v);
    }
    state = static_cast<std::uint32_t>(wide);
    for (; n > 0; --n, ++p) state = _mm_crc32_u8(state, std::to_integer<unsigned char>(*p));
    return state;
}
#endif

[[nodiscard]] inline std::uint32_t crc32c_update(std::uint32_t state, std::byte const* p,
                                                 std::size_t n) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(state, p, n);
#elif defined(__ARM_FEATURE_CRC32)
    for (; n >= 8; n -= 8, p += 8) state = __crc32cd(state, load_le<std::uint64_t>(p));
    for (; n > 0; --n, ++p) state = __crc32cb(state, std::to_integer<unsigned char>(*p));
    return state;
#endif
    return crc32c_portable(state, p, n);
}

} // namespace detail

namespace storage {

/// CRC-32C (Castagnoli, RFC 3720) of the bytes: the checksum of every vicinal file. Continues a
/// checksum: crc32c(b, crc32c(a)) is that of a followed by b.
[[nodiscard]] inline std::uint32_t crc32c(std::span<std::byte const> bytes,
                                          std::uint32_t before = 0) noexcept {
    return ~detail::crc32c_update(~before, bytes.data(), bytes.size());
}

} // namespace storage

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/snapshot_header.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_HEADER_HPP
#define VICINAL_STORAGE_SNAPSHOT_HEADER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// The name that every file of one store carries: 128 random bits.
using store_uuid = std::array<std::byte, 16>;

/// The unit of checking: one checksum for each block; a section starts at a multiple of it. Also
/// the largest page size of any system that can map the file.
inline constexpr std::uint64_t snapshot_block_bytes = 65536;

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> snapshot_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'I'},  std::byte{'C'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t snapshot_major = 1;
inline constexpr std::size_t snapshot_header_bytes = 4096;
inline constexpr std::size_t snapshot_entry_bytes = 128;
inline constexpr std::uint32_t most_sections = 4096;
inline constexpr std::uint64_t most_property_bytes = std::uint64_t{16} << 20;
inline constexpr std::uint32_t rows_little_endian = 0x01020304;

/// The fixed part of a snapshot, as docs/format.md lays it out.
struct snapshot_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    std::uint32_t sections = 0;
    std::uint64_t property_bytes = 0;
    std::uint64_t blocks = 0;
    std::uint32_t table_crc = 0;
    std::uint32_t properties_crc = 0;
    std::uint32_t block_crcs_crc = 0;

    [[nodiscard]] std::uint64_t table_bytes() const noexcept {
        return std::uint64_t{sections} * snapshot_entry_bytes;
    }
    [[nodiscard]] std::uint64_t block_crcs_at() const noexcept {
        return round_up(snapshot_header_bytes + table_bytes() + property_bytes, 8);
    }
    /// Where the first section starts.
    [[nodiscard]] std::uint64_t rows_at() const noexcept {
        return round_up(block_crcs_at() + blocks * 4, storage::snapshot_block_bytes);
    }
};

[[nodiscard]] inline bool all_zero(std::span<std::byte const> bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

inline void encode_header(snapshot_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, snapshot_header_bytes);
    std::memcpy(p, snapshot_magic.data(), snapshot_magic.size());
    store_le<std::uint16_t>(p + 8, snapshot_major);
    store_le<std::uint32_t>(p + 12, snapshot_header_bytes);
    std::memcpy(p + 40, h.uuid.data(), h.uuid.size());
    store_le(p + 56, h.generation);
    store_le(p + 64, h.last_lsn);
    store_le(p + 72, h.file_bytes);
    store_le<std::uint32_t>(p + 80, storage::snapshot_block_bytes);
    store_le(p + 84, h.sections);
    store_le<std::uint32_t>(p + 88, 1);
    store_le(p + 92, rows_little_endian);
    store_le(p + 96, h.table_bytes());
    store_le(p + 104, h.property_bytes);
    store_le(p + 112, h.blocks);
    store_le(p + 120, h.table_crc);
    store_le(p + 124, h.properties_crc);
    store_le(p + 128, h.block_crcs_crc);
    store_le(p + 4092, storage::crc32c({p, 4092}));
}

/// Reads the header of a file of `actual_bytes`; nothing that it gives reaches beyond the file.
/// `writable` is whether the caller means to write the store.
[[nodiscard]] inline result<snapshot_header> decode_header(std::byte const* p,
                                                           std::uint64_t actual_bytes,
                                                           bool writable, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in the header of " + file,
                     std::move(got)};
    };
    if (std::memcmp(p, snapshot_magic.data(), snapshot_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 49 43 0D 0A 1A 0A at offset 0", "other bytes");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > snapshot_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 4092}) != load_le<std::uint32_t>(p + 4092))
        return corrupt("the checksum at offset 4092", "another");
    if (load_le<std::uint64_t>(p + 16) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "incompatible features " + std::to_string(load_le<std::uint64_t>(p + 16))};
    if (writable && load_le<std::uint64_t>(p + 24) != 0)
        return error{errc::newer_format,
                     "no feature that this build cannot write in " + file + " (open it read-only)",
                     "features " + std::to_string(load_le<std::uint64_t>(p + 24))};

    snapshot_header h;
    std::memcpy(h.uuid.data(), p + 40, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 56);
    h.last_lsn = load_le<std::uint64_t>(p + 64);
    h.file_bytes = load_le<std::uint64_t>(p + 72);
    h.sections = load_le<std::uint32_t>(p + 84);
    h.property_bytes = load_le<std::uint64_t>(p + 104);
    h.blocks = load_le<std::uint64_t>(p + 112);
    h.table_crc = load_le<std::uint32_t>(p + 120);
    h.properties_crc = load_le<std::uint32_t>(p + 124);
    h.block_crcs_crc = load_le<std::uint32_t>(p + 128);
    if (h.file_bytes != actual_bytes)
        return corrupt("a file of " + std::to_string(h.file_bytes) + " bytes, as offset 72 says,",
                       std::to_string(actual_bytes) + " bytes");
    if (major != snapshot_major || load_le<std::uint32_t>(p + 12) != snapshot_header_bytes ||
        load_le<std::uint32_t>(p + 80) != storage::snapshot_block_bytes ||
        load_le<std::uint32_t>(p + 88) != 1 || load_le<std::uint32_t>(p + 92) != rows_little_endian)
        return corrupt("header of 4096 bytes, blocks of 65536, CRC-32C, little-endian rows",
                       "other values");
    // Each bound keeps the sums in rows_at() far from overflow.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        h.blocks > actual_bytes / storage::snapshot_block_bytes ||
        h.table_bytes() != load_le<std::uint64_t>(p + 96) || h.rows_at() > actual_bytes ||
        h.rows_at() > SIZE_MAX / 4)
        return corrupt("section table, properties and checksums inside the file", "larger ones");
    if (!all_zero({p + 132, 4092 - 132})) return corrupt("zeros behind offset 132", "other bytes");
    return h;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> log_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'L'},  std::byte{'G'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t log_major = 1;
inline constexpr std::size_t log_header_bytes = 64;
inline constexpr std::size_t log_record_bytes = 32;
/// Of one record's payload: a batch that is larger is split by the caller.
inline constexpr std::uint64_t most_payload_bytes = std::uint64_t{1} << 30;

/// The start of a log.
struct log_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t first_lsn = 1;
    /// Random: goes into every record's checksum, so that a record of another log, which the file
    /// system may show behind the end after a power cut, is never valid here.
    std::uint64_t salt = 0;
};

/// What a record is: an atomic batch of the layer above, or the mark of a close in order.
enum class log_kind : std::uint8_t { batch = 1, clean = 2 };

struct log_record {
    std::uint32_t crc = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t lsn = 0;
    /// The newest record that was known to be on the disk when this one was written.
    std::uint64_t synced_lsn = 0;
    std::uint8_t kind = 0;

    /// With header and padding.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return log_record_bytes + round_up(payload_bytes, 8);
    }
};

inline void encode_log_header(log_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, log_header_bytes);
    std::memcpy(p, log_magic.data(), log_magic.size());
    store_le(p + 8, log_major);
    store_le<std::uint32_t>(p + 12, log_header_bytes);
    std::memcpy(p + 16, h.uuid.data(), h.uuid.size());
    store_le(p + 32, h.generation);
    store_le(p + 40, h.first_lsn);
    store_le(p + 48, h.salt);
    store_le(p + 60, storage::crc32c({p, 60}));
}

[[nodiscard]] inline result<log_header> decode_log_header(std::byte const* p,
                                                          std::string const& file) {
    auto const corrupt = [&file](std::string expected) -> error {
        return error{errc::corrupt_log, expected + " in the header of " + file, "another"};
    };
    if (std::memcmp(p, log_magic.data(), log_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 4C 47 0D 0A 1A 0A at offset 0");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > log_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 60}) != load_le<std::uint32_t>(p + 60))
        return corrupt("the checksum at offset 60");
    if (load_le<std::uint32_t>(p + 56) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "features " + std::to_string(load_le<std::uint32_t>(p + 56))};
    if (major != log_major || load_le<std::uint32_t>(p + 12) != log_header_bytes)
        return corrupt("format 1 and a header of 64 bytes");
    log_header h;
    std::memcpy(h.uuid.data(), p + 16, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 32);
    h.first_lsn = load_le<std::uint64_t>(p + 40);
    h.salt = load_le<std::uint64_t>(p + 48);
    return h;
}

/// The checksum of a record at `offset` of a log: over everything behind the checksum itself, begun
/// with salt and place. `bytes` is the whole record, padding included.
[[nodiscard]] inline std::uint32_t record_crc(std::uint64_t salt, std::uint64_t offset,
                                              std::span<std::byte const> bytes) noexcept {
    std::array<std::byte, 16> seed;
    store_le(seed.data(), salt);
    store_le(seed.data() + 8, offset);
    return storage::crc32c(bytes.subspan(4), storage::crc32c(seed));
}

/// Writes header and checksum into `bytes`, in which payload and padding stand already.
inline void seal_record(log_record& r, std::uint64_t salt, std::uint64_t offset,
                        std::span<std::byte> bytes) noexcept {
    auto* const p = bytes.data();
    std::memset(p, 0, log_record_bytes);
    store_le(p + 4, r.payload_bytes);
    store_le(p + 8, r.lsn);
    store_le(p + 16, r.synced_lsn);
    p[24] = std::byte{r.kind};
    r.crc = record_crc(salt, offset, bytes);
    store_le(p, r.crc);
}

/// Reads a record's 32 bytes; whether they are those of a record only its checksum says.
[[nodiscard]] inline log_record load_record(std::byte const* p) noexcept {
    return {load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4), load_le<std::uint64_t>(p + 8),
            load_le<std::uint64_t>(p + 16), std::to_integer<std::uint8_t>(p[24])};
}

/// The payload of the clean mark: how many records stand before it, and a digest of their
/// checksums, so that a log that lost whole records is told from one that never had them.
inline constexpr std::size_t clean_payload_bytes = 16;

[[nodiscard]] inline std::uint32_t chain(std::uint32_t digest, std::uint32_t crc) noexcept {
    std::array<std::byte, 4> bytes;
    store_le(bytes.data(), crc);
    return storage::crc32c(bytes, digest);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/log_scan.hpp
#ifndef VICINAL_STORAGE_LOG_SCAN_HPP
#define VICINAL_STORAGE_LOG_SCAN_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// What a scan found: where the valid part ends and what the next record continues.
struct log_state {
    std::uint64_t end = log_header_bytes;
    /// The number of the newest record, marks included.
    std::uint64_t last_lsn = 0;
    /// Records of any kind, and the digest of their checksums.
    std::uint64_t count = 0;
    std::uint32_t digest = 0;
    /// Records with a batch in them, and the bytes of these.
    std::uint64_t batches = 0;
    std::uint64_t batch_bytes = 0;
    /// The newest record is the mark of a close in order.
    bool clean = false;
};

/// A log read through a buffer, so that replaying needs no more memory than its largest record.
template <class Os>
class log_window {
public:
    log_window(int file, std::uint64_t size, std::string const& shown) noexcept
        : file_(file), size_(size), shown_(shown) {}

    /// The bytes from `offset`, `n` of them; fewer where the file ends. Valid until the next call.
    [[nodiscard]] result<std::span<std::byte const>> at(std::uint64_t offset, std::uint64_t n) {
        n = (std::min)(n, size_ - (std::min)(offset, size_));
        if (offset < begin_ || offset - begin_ > buffer_.size() ||
            buffer_.size() - (offset - begin_) < n) {
            auto const wanted = (std::max)(
                n, (std::min)(std::uint64_t{1} << 20, size_ - (std::min)(offset, size_)));
            buffer_.resize(static_cast<std::size_t>(wanted));
            begin_ = offset;
            auto const got = storage::read_up_to<Os>(file_, offset, buffer_, shown_);
            if (!got) return got.error();
            // A writer in another process may have cut the file meanwhile.
            buffer_.resize(*got);
        }
        auto const from = static_cast<std::size_t>(offset - begin_);
        auto const all = std::span<std::byte const>(buffer_).subspan(from);
        return all.first((std::min)(all.size(), static_cast<std::size_t>(n)));
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }

private:
    int file_;
    std::uint64_t size_;
    std::string const& shown_;
    std::vector<std::byte> buffer_;
    std::uint64_t begin_ = 0;
};

/// The record at `offset` with its payload, or nothing where its checksum does not hold or the file
/// ends inside it.
struct whole_record {
    log_record record;
    std::span<std::byte const> bytes;
};
template <class Os>
[[nodiscard]] result<std::optional<whole_record>>
read_record(log_window<Os>& window, std::uint64_t salt, std::uint64_t offset) {
    std::optional<whole_record> none;
    auto const head = window.at(offset, log_record_bytes);
    if (!head) return head.error();
    if (head->size() < log_record_bytes) return none;
    auto const r = load_record(head->data());
    if (r.payload_bytes > most_payload_bytes || r.bytes() > window.size() - offset) return none;
    auto const bytes = window.at(offset, r.bytes());
    if (!bytes) return bytes.error();
    if (bytes->size() < r.bytes() || record_crc(salt, offset, *bytes) != r.crc) return none;
    return std::optional<whole_record>(whole_record{r, *bytes});
}

[[nodiscard]] inline error log_damage(std::string const& shown, std::uint64_t offset,
                                      std::uint64_t lsn, std::string got) {
    return error{errc::corrupt_log,
                 "record " + std::to_string(lsn) + " at offset " + std::to_string(offset) + " of " +
                     shown,
                 std::move(got)};
}

/// Whether a record may start at `p`, by its 32 bytes: one of those behind an invalid one at
/// `offset`, where record `lsn` belongs. Its checksum is what decides.
[[nodiscard]] inline bool plausible(log_record const& r, std::uint64_t p, std::uint64_t offset,
                                    std::uint64_t lsn, std::uint64_t size) noexcept {
    return r.lsn > lsn && r.lsn - lsn <= (p - offset) / log_record_bytes && r.synced_lsn < r.lsn &&
           (r.kind == 1 || r.kind == 2) && r.payload_bytes <= most_payload_bytes &&
           r.bytes() <= size - p;
}
/// Bytes of payloads may look like records by design of an attacker, each claiming the whole rest:
/// so many bytes are looked at behind a damaged place, and no more.
[[nodiscard]] inline std::uint64_t search_budget(std::uint64_t bytes) noexcept {
    return 8 * bytes + (std::uint64_t{1} << 26);
}

/// Decides what an invalid record at `offset`, where record `lsn` belongs, is. A write that was cut
/// off is success: nothing behind it shows that it had been complete. Damage is an error: a valid
/// record behind it says that record `lsn` was on the disk, or that the store was closed in order.
///
/// Records that were never synced (durability normal or off) reach the disk in any order, so that a
/// valid one behind the gap alone proves no damage; it is dropped with it.
template <class Os>
[[nodiscard]] result<void> check_torn(log_window<Os>& window, std::uint64_t salt,
                                      std::uint64_t offset, std::uint64_t lsn) {
    // A log that exceeds it is refused.
    auto budget = search_budget(window.size() - offset);
    for (auto p = offset + 8; p + log_record_bytes <= window.size(); p += 8) {
        auto const head = window.at(p, log_record_bytes);
        if (!head) return head.error();
        if (head->size() < log_record_bytes) break;
        auto const r = load_record(head->data());
        if (!plausible(r, p, offset, lsn, window.size())) continue;
        if (r.bytes() > budget)
            return log_damage(window.shown(), offset, lsn, "too many pieces of records behind it");
        budget -= r.bytes();
        auto const later = read_record(window, salt, p);
        if (!later) return later.error();
        if (!*later) continue;
        if (r.synced_lsn >= lsn || r.kind == static_cast<std::uint8_t>(log_kind::clean))
            return log_damage(window.shown(), offset, lsn,
                              "damaged bytes; record " + std::to_string(r.lsn) + " at offset " +
                                  std::to_string(p) + " shows that it was complete");
        p += r.bytes() - 8;
    }
    return {};
}

/// Hands the payload of each batch behind the state `s` to `apply(span) -> result<void>`, up to the
/// end of the valid part, and moves `s` there record by record. `closed`: the log's name says that
/// it was closed in order, so that every byte must hold. errc::corrupt_log names file and offset.
template <class Os, class Apply>
[[nodiscard]] result<void> scan_on(log_state& s, int file, std::string const& shown,
                                   std::uint64_t size, log_header const& header, bool closed,
                                   Apply&& apply) {
    log_window<Os> window(file, size, shown);
    while (s.end < size) {
        auto const lsn = s.last_lsn + 1;
        auto const found = read_record(window, header.salt, s.end);
        if (!found) return found.error();
        if (!*found) {
            if (closed)
                return log_damage(shown, s.end, lsn, "damaged bytes in a log closed in order");
            return check_torn(window, header.salt, s.end, lsn);
        }
        auto const& [r, bytes] = **found;
        auto const payload = bytes.subspan(log_record_bytes, r.payload_bytes);
        if (r.lsn != lsn || r.synced_lsn >= r.lsn)
            return log_damage(shown, s.end, lsn, "record " + std::to_string(r.lsn));
        bool const clean = r.kind == static_cast<std::uint8_t>(log_kind::clean);
        if ((!clean && r.kind != static_cast<std::uint8_t>(log_kind::batch)) ||
            !all_zero(bytes.subspan(25, 7)))
            return error{errc::newer_format,
                         "records of kind 1 or 2 at offset " + std::to_string(s.end) + " of " +
                             shown,
                         "kind " + std::to_string(r.kind) + ", written by a newer vicinal"};
        if (!all_zero(bytes.subspan(log_record_bytes + r.payload_bytes)))
            return log_damage(shown, s.end, lsn, "padding that is not zero");
        if (clean) {
            if (payload.size() != clean_payload_bytes ||
                load_le<std::uint64_t>(payload.data()) != s.count ||
                load_le<std::uint32_t>(payload.data() + 8) != s.digest ||
                !all_zero(payload.subspan(12)))
                return log_damage(shown, s.end, lsn, "a mark of a close that counts other records");
        } else {
            VICINAL_CHECK(apply(payload));
            ++s.batches;
            s.batch_bytes += r.bytes();
        }
        s.digest = chain(s.digest, r.crc);
        ++s.count;
        s.last_lsn = lsn;
        s.end += r.bytes();
        s.clean = clean;
    }
    if (closed && !s.clean)
        return log_damage(shown, s.end, s.last_lsn + 1, "the end, without the mark of a close");
    return {};
}

/// The same from the log's first record on.
template <class Os, class Apply>
[[nodiscard]] result<log_state> scan_log(int file, std::string const& shown, std::uint64_t size,
                                         log_header const& header, bool closed, Apply&& apply) {
    log_state s;
    s.last_lsn = header.first_lsn - 1;
    VICINAL_CHECK(scan_on<Os>(s, file, shown, size, header, closed, apply));
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/store_directory.hpp
#ifndef VICINAL_STORAGE_STORE_DIRECTORY_HPP
#define VICINAL_STORAGE_STORE_DIRECTORY_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr char const* lock_name = "LOCK";

[[nodiscard]] inline std::string generation_name(std::string_view before, std::uint64_t generation,
                                                 std::string_view after) {
    auto const digits = std::to_string(generation);
    std::string name(before);
    if (digits.size() < 8) name.append(8 - digits.size(), '0');
    return name.append(digits).append(after);
}
[[nodiscard]] inline std::string snapshot_name(std::uint64_t generation) {
    return generation_name("snap-", generation, ".vic");
}
/// The log as it is written to.
[[nodiscard]] inline std::string log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".vlog");
}
/// The log after a close in order. The name is the promise that every byte of it is valid: no
/// ending of such a file can be taken for a write that was cut off.
[[nodiscard]] inline std::string closed_log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".closed.vlog");
}
inline constexpr std::string_view temporary_suffix = ".tmp";

/// What a store's directory holds, by the names alone.
struct store_listing {
    std::vector<std::uint64_t> snapshots;
    std::vector<std::uint64_t> logs;
    std::vector<std::uint64_t> closed_logs;
    std::vector<std::string> temporary;
    /// A name that no store has; empty where there is none.
    std::string foreign;

    /// Nothing but LOCK, if that.
    [[nodiscard]] bool empty() const noexcept {
        return snapshots.empty() && logs.empty() && closed_logs.empty() && temporary.empty() &&
               foreign.empty();
    }
    /// 0 where there is no snapshot.
    [[nodiscard]] std::uint64_t newest() const noexcept {
        return snapshots.empty() ? 0 : *std::max_element(snapshots.begin(), snapshots.end());
    }
    [[nodiscard]] static bool has(std::vector<std::uint64_t> const& list,
                                  std::uint64_t g) noexcept {
        return std::find(list.begin(), list.end(), g) != list.end();
    }
};

/// The generation in a name of that form, or 0: the name must be the one that is written for it.
template <class Name>
[[nodiscard]] std::uint64_t generation_in(std::string_view name, std::string_view before,
                                          Name&& written) {
    if (name.substr(0, before.size()) != before) return 0;
    std::uint64_t g = 0;
    for (char const c : name.substr(before.size())) {
        if (c < '0' || c > '9') break;
        if (g > (UINT64_MAX - 9) / 10) return 0;
        g = g * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return g != 0 && written(g) == name ? g : 0;
}

/// Sorts one name of a directory into the listing.
inline void classify(std::string const& name, store_listing& into) {
    if (name == lock_name) return;
    if (auto const g = generation_in(name, "snap-", snapshot_name); g != 0)
        return into.snapshots.push_back(g);
    if (auto const g = generation_in(name, "log-", log_name); g != 0) return into.logs.push_back(g);
    if (auto const g = generation_in(name, "log-", closed_log_name); g != 0)
        return into.closed_logs.push_back(g);
    if (name.size() > temporary_suffix.size() && name.ends_with(temporary_suffix)) {
        auto const whole = name.substr(0, name.size() - temporary_suffix.size());
        if (generation_in(whole, "snap-", snapshot_name) != 0 ||
            generation_in(whole, "log-", log_name) != 0)
            return into.temporary.push_back(name);
    }
    into.foreign = name;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory, held open: files are named relative to it, so that it may be renamed.
template <class Os>
class store_directory {
public:
    store_directory() = default;

    /// errc::not_found, not_a_directory, io_failure.
    [[nodiscard]] static result<store_directory> open(std::string_view path) {
        store_directory d;
        d.path_ = path;
        if (path.empty() || path.find('\0') != std::string_view::npos)
            return error{errc::invalid_argument, "the path of a store",
                         path.empty() ? "an empty one" : "one with a zero byte in it"};
        d.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_directory(d.path_.c_str()); }));
        if (d.file_) return d;
        int const reason = errno;
        if (reason == ENOENT) return error{errc::not_found, "a store at '" + d.path_ + "'"};
        if (reason == ENOTDIR)
            return error{errc::not_a_directory, "a directory at '" + d.path_ + "'", "a file"};
        return detail::system_failure(reason, "to open the directory '" + d.path_ + "'");
    }

    /// Makes the directory and has its own name reach the disk, if asked.
    [[nodiscard]] static result<void> make(std::string_view path, bool sync) {
        std::string const text(path);
        if (detail::uninterrupted([&] { return Os::make_directory(text.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            if (reason == ENOENT)
                return error{errc::not_found, "the directory that '" + text + "' is to be made in"};
            return detail::system_failure(reason, "to make the directory '" + text + "'");
        }
        if (!sync) return {};
        auto const end = path.find_last_not_of('/');
        auto const slash = path.substr(0, end + 1).find_last_of('/');
        auto const parent = open(slash == std::string_view::npos ? std::string_view(".")
                                 : slash == 0                    ? std::string_view("/")
                                                                 : path.substr(0, slash));
        if (!parent) return parent.error();
        return parent->sync();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    /// A file of the store as errors name it.
    [[nodiscard]] std::string shown(std::string const& name) const { return path_ + "/" + name; }

    [[nodiscard]] result<detail::store_listing> list() const {
        std::vector<std::string> names;
        if (detail::uninterrupted([&] { return Os::list(file_.get(), names); }) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to list the directory '" + path_ + "'");
        }
        detail::store_listing found;
        for (auto const& name : names) detail::classify(name, found);
        return found;
    }

    /// Names made, renamed and removed so far reach the disk. errc::writer_poisoned where that
    /// fails: what the disk holds is then not known.
    [[nodiscard]] result<void> sync() const {
        if (detail::uninterrupted([&] { return Os::sync_all(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync the directory '" + path_ + "'",
                     std::generic_category().message(reason)};
    }

    [[nodiscard]] result<void> rename(std::string const& from, std::string const& to) const {
        if (detail::uninterrupted(
                [&] { return Os::rename_file(file_.get(), from.c_str(), to.c_str()); }) == 0)
            return {};
        int const reason = errno;
        return detail::system_failure(reason, "to rename " + shown(from) + " to " + to);
    }

    /// Whether there is certainly no such file.
    [[nodiscard]] bool lacks(std::string const& name) const noexcept {
        descriptor<Os> const file(
            detail::uninterrupted([&] { return Os::open_read(file_.get(), name.c_str()); }));
        return !file && errno == ENOENT;
    }

    /// Where it fails the file stays; the next writer tries again.
    void remove(std::string const& name) const noexcept {
        static_cast<void>(Os::remove_file(file_.get(), name.c_str()));
    }

private:
    descriptor<Os> file_;
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What replaying a log found.
struct replay_report {
    /// Batches handed on, and their bytes in the file.
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    /// What stood behind the last valid record: a write that was cut off. 0 after a close in order
    /// and after a killed process, unless it was killed in the middle of a write.
    std::uint64_t bytes_dropped = 0;
    std::uint64_t last_lsn = 0;
    /// The last writer closed the store in order.
    bool clean = false;
};

/// A log up to some record, for reading beside whoever writes it.
template <class Os>
struct log_view {
    descriptor<Os> file = {};
    std::string shown = {};
    detail::log_header header = {};
    std::uint64_t end = 0;
    bool closed = false;
};

/// The log of one generation: opened, replayed once, then appended to.
template <class Os>
class log_file {
public:
    log_file() = default;

    /// Makes a log without records; it replaces one of that name.
    [[nodiscard]] static result<log_file> make(store_directory<Os> const& directory,
                                               std::string const& name, detail::log_header header,
                                               bool sync) {
        log_file l;
        l.shown_ = directory.shown(name);
        std::array<std::byte, 8> salt{};
        if (Os::random_bytes(salt.data(), salt.size()) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "8 random bytes for " + l.shown_);
        }
        header.salt = detail::load_le<std::uint64_t>(salt.data());
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_empty(directory.number(), name.c_str()); }));
        if (!l.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to make " + l.shown_);
        }
        std::array<std::byte, detail::log_header_bytes> bytes;
        detail::encode_log_header(header, bytes.data());
        VICINAL_CHECK(write_all<Os>(l.file_.get(), 0, bytes, l.shown_));
        if (sync) VICINAL_CHECK(l.sync_file());
        l.header_ = header;
        l.size_ = bytes.size();
        l.state_.last_lsn = header.first_lsn - 1;
        l.synced_lsn_ = sync ? l.state_.last_lsn : 0;
        l.replayed_ = true;
        return l;
    }

    /// Opens a log and checks its header. errc::not_found where there is none.
    [[nodiscard]] static result<log_file> open(store_directory<Os> const& directory,
                                               std::string const& name, bool writable,
                                               bool closed) {
        log_file l;
        l.shown_ = directory.shown(name);
        l.closed_ = closed;
        l.file_ = descriptor<Os>(detail::uninterrupted([&] {
            return writable ? Os::open_write(directory.number(), name.c_str())
                            : Os::open_read(directory.number(), name.c_str());
        }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, l.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + l.shown_);
        }
        auto const size = Os::file_bytes(l.file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + l.shown_);
        }
        l.size_ = static_cast<std::uint64_t>(size);
        std::array<std::byte, detail::log_header_bytes> bytes{};
        auto const n = read_up_to<Os>(l.file_.get(), 0, bytes, l.shown_);
        if (!n) return n.error();
        // A log gets its name after its header: a shorter one is no write that was cut off.
        if (*n < bytes.size())
            return error{errc::corrupt_log, "a header of 64 bytes in " + l.shown_,
                         std::to_string(*n) + " bytes"};
        auto const header = detail::decode_log_header(bytes.data(), l.shown_);
        if (!header) return header.error();
        l.header_ = *header;
        return l;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] detail::log_header const& header() const noexcept { return header_; }
    [[nodiscard]] std::uint64_t last_lsn() const noexcept { return state_.last_lsn; }
    /// Bytes of the records, without header.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return (replayed_ ? state_.end : size_) - detail::log_header_bytes;
    }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    /// The file has the name of a log that was closed in order.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] bool replayed() const noexcept { return replayed_; }

    /// Hands every batch to `apply`. A writer cuts off what a broken write has left.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply, bool writable, bool sync) {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, size_, header_, closed_, apply);
        if (!found) return found.error();
        if (auto const dropped = size_ - found->end; dropped > 0 && writable) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), found->end); }) !=
                0) {
                int const reason = errno;
                return detail::system_failure(reason, "to cut the broken write off " + shown_);
            }
        }
        // What was read may still be in the page cache only, as after a killed writer; it counts as
        // acknowledged from here on.
        if (writable && sync && size_ > detail::log_header_bytes) VICINAL_CHECK(sync_file());
        state_ = *found;
        synced_lsn_ = sync ? state_.last_lsn : 0;
        replayed_ = true;
        return replay_report{state_.batches, state_.batch_bytes, size_ - state_.end,
                             state_.last_lsn, state_.clean && size_ == state_.end};
    }

    /// Hands on what a writer in another process has appended since, and gives how many batches
    /// that was; what it is writing just now comes another time. errc::corrupt_log names file and
    /// offset.
    template <class Apply>
    [[nodiscard]] result<std::uint64_t> replay_more(Apply&& apply) {
        auto const size = Os::file_bytes(file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + shown_);
        }
        size_ = static_cast<std::uint64_t>(size);
        auto const before = state_.batches;
        if (size_ > state_.end) {
            // It was opened again if it had been closed in order.
            closed_ = false;
            VICINAL_CHECK(
                detail::scan_on<Os>(state_, file_.get(), shown_, size_, header_, closed_, apply));
        }
        return state_.batches - before;
    }

    /// Reads again what replaying and appending have seen, and compares every checksum.
    /// errc::corrupt_log names file and offset.
    [[nodiscard]] result<void> check() const {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, state_.end, header_, closed_,
                                 [](std::span<std::byte const>) { return result<void>(); });
        if (!found) return found.error();
        if (found->end == state_.end) return {};
        return detail::log_damage(shown_, found->end, found->last_lsn + 1, "damaged bytes");
    }

    /// The log as it is now: up to the last record that was appended or replayed, or all of the
    /// file where it was not replayed.
    [[nodiscard]] result<log_view<Os>> view() const {
        log_view<Os> v{file_.duplicate(), shown_, header_, bytes() + detail::log_header_bytes,
                       closed_};
        if (v.file) return v;
        int const reason = errno;
        return detail::system_failure(reason, "to open " + shown_ + " once more");
    }

    /// Memory for one record of that payload: append() then needs no more unless it fails.
    /// errc::limit_exceeded above 1 GiB.
    [[nodiscard]] result<void> make_room(std::size_t payload_bytes) {
        if (payload_bytes > detail::most_payload_bytes)
            return error{errc::limit_exceeded, "at most 1 GiB in one log record",
                         std::to_string(payload_bytes) + " bytes"};
        scratch_.reserve(static_cast<std::size_t>(detail::log_record_bytes +
                                                  detail::round_up(payload_bytes, 8)));
        return {};
    }

    /// Appends a record with one write; syncs it if asked. On failure the record is not in the log:
    /// its bytes are cut off again. errc::writer_poisoned where that or the sync failed.
    [[nodiscard]] result<void> append(detail::log_kind kind, std::span<std::byte const> payload,
                                      bool sync) {
        VICINAL_CHECK(make_room(payload.size()));
        detail::log_record r;
        r.payload_bytes = static_cast<std::uint32_t>(payload.size());
        r.lsn = state_.last_lsn + 1;
        r.synced_lsn = synced_lsn_;
        r.kind = static_cast<std::uint8_t>(kind);
        scratch_.assign(static_cast<std::size_t>(r.bytes()), std::byte{0});
        std::copy(payload.begin(), payload.end(), scratch_.begin() + detail::log_record_bytes);
        detail::seal_record(r, header_.salt, state_.end, scratch_);
        if (auto const written = write_all<Os>(file_.get(), state_.end, scratch_, shown_);
            !written) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), state_.end); }) !=
                0)
                return error{errc::writer_poisoned, written.error().expected(),
                             written.error().got()};
            return written.error();
        }
        if (sync) VICINAL_CHECK(sync_file());
        state_.end += r.bytes();
        state_.last_lsn = r.lsn;
        state_.digest = detail::chain(state_.digest, r.crc);
        ++state_.count;
        state_.clean = kind == detail::log_kind::clean;
        if (sync) synced_lsn_ = r.lsn;
        // A batch that was large once must not hold its memory for good.
        if (scratch_.capacity() > most_scratch) scratch_ = {};
        return {};
    }

    /// Appends the mark of a close in order.
    [[nodiscard]] result<void> append_clean(bool sync) {
        std::array<std::byte, detail::clean_payload_bytes> payload{};
        detail::store_le(payload.data(), state_.count);
        detail::store_le(payload.data() + 8, state_.digest);
        return append(detail::log_kind::clean, payload, sync);
    }

    /// Everything appended so far reaches the disk.
    [[nodiscard]] result<void> sync() {
        if (synced_lsn_ == state_.last_lsn) return {};
        VICINAL_CHECK(sync_file());
        synced_lsn_ = state_.last_lsn;
        return {};
    }

    /// The file was renamed.
    void renamed(std::string shown, bool closed) noexcept {
        shown_ = std::move(shown);
        closed_ = closed;
    }

private:
    static constexpr std::size_t most_scratch = std::size_t{4} << 20;

    /// A failed sync leaves unknown what the disk holds, and a second one may succeed although the
    /// data is gone: the writer must stop.
    [[nodiscard]] result<void> sync_file() {
        if (detail::uninterrupted([&] { return Os::sync_data(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown_,
                     std::generic_category().message(reason)};
    }

    descriptor<Os> file_;
    std::string shown_;
    detail::log_header header_;
    detail::log_state state_;
    std::uint64_t size_ = detail::log_header_bytes;
    std::uint64_t synced_lsn_ = 0;
    bool closed_ = false;
    bool replayed_ = false;
    std::vector<std::byte> scratch_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/snapshot.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_HPP
#define VICINAL_STORAGE_SNAPSHOT_HPP

// ---- vicinal/storage/replacement.hpp
#ifndef VICINAL_STORAGE_REPLACEMENT_HPP
#define VICINAL_STORAGE_REPLACEMENT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Rows that a column shall have instead of its own: as they lie in memory, or as they are made
/// while they are written, so that a column of any size needs no memory for its successor.
struct replacement {
    std::string name;
    std::size_t row_bytes = 1;
    std::span<std::byte const> rows = {};
    /// Instead of `rows`: how many bytes, and what gives the next of them with each call.
    std::uint64_t filled_bytes = 0;
    std::function<void(std::span<std::byte>)> fill = {};

    [[nodiscard]] std::uint64_t bytes() const noexcept { return fill ? filled_bytes : rows.size(); }
    /// Writes the next bytes to `out`, of those from `at` on. Each byte is to be asked for once and
    /// in order.
    void next(std::uint64_t at, std::span<std::byte> out) const {
        if (fill)
            fill(out);
        else if (!out.empty())
            std::memcpy(out.data(), rows.data() + at, out.size());
    }
};

/// Runs of bytes one behind the other: run(i) for each i below `count`, `bytes` in all. What run
/// gives must stay in place until the replacement is written.
template <class Run>
[[nodiscard]] replacement joined_runs(std::string_view name, std::size_t row_bytes,
                                      std::uint64_t bytes, std::size_t count, Run run) {
    auto const give = [run = std::move(run), count, i = std::size_t{0},
                       from = std::size_t{0}](std::span<std::byte> out) mutable {
        for (std::size_t done = 0; done < out.size() && i < count;) {
            std::span<std::byte const> const piece = run(i);
            auto const n = (std::min)(piece.size() - from, out.size() - done);
            if (n > 0) std::memcpy(out.data() + done, piece.data() + from, n);
            done += n;
            from += n;
            if (from < piece.size()) return;
            from = 0;
            ++i;
        }
    };
    return {std::string(name), row_bytes, {}, bytes, give};
}

/// Rows that the replacement owns.
template <class T>
[[nodiscard]] replacement owned_rows(std::string_view name, std::size_t row_bytes,
                                     std::vector<T> values) {
    auto const held = std::make_shared<std::vector<T> const>(std::move(values));
    return joined_runs(name, row_bytes, held->size() * sizeof(T), 1,
                       [held](std::size_t) { return std::as_bytes(std::span(*held)); });
}

/// The rows of a column that `numbers` lists. Both must stay in place, and the column unchanged,
/// until the replacement is written.
template <class Column>
[[nodiscard]] replacement chosen_rows(std::string_view name, Column const& column,
                                      std::span<std::uint32_t const> numbers) {
    auto const width = column.row_bytes();
    return joined_runs(name, width, std::uint64_t{numbers.size()} * width, numbers.size(),
                       [from = column.reader(), numbers, width](std::size_t i) {
                           return std::span<std::byte const>(from.row(numbers[i]), width);
                       });
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/snapshot_layout.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP
#define VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP

// ---- vicinal/storage/properties.hpp
#ifndef VICINAL_STORAGE_PROPERTIES_HPP
#define VICINAL_STORAGE_PROPERTIES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// Names and byte strings by which a store says in its files what it is: metric, dimension, index
/// and so on. Sorted by name, each name once; the storage keeps them and does not read them.
class properties {
public:
    using entry = std::pair<std::string, std::string>;

    properties() = default;
    properties(std::initializer_list<entry> list) {
        for (auto const& [name, bytes] : list) set(name, bytes);
    }

    /// The bytes of that name, or nullptr.
    [[nodiscard]] std::string const* find(std::string_view name) const noexcept {
        auto const at = place(name);
        return at < list_.size() && list_[at].first == name ? &list_[at].second : nullptr;
    }
    void set(std::string_view name, std::string_view bytes) {
        auto const at = place(name);
        if (at < list_.size() && list_[at].first == name)
            list_[at].second = bytes;
        else
            list_.emplace(list_.begin() + static_cast<std::ptrdiff_t>(at), name, bytes);
    }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] entry const* begin() const noexcept { return list_.data(); }
    [[nodiscard]] entry const* end() const noexcept { return list_.data() + list_.size(); }

    friend bool operator==(properties const&, properties const&) = default;

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept {
        auto const at =
            std::lower_bound(list_.begin(), list_.end(), name,
                             [](entry const& e, std::string_view n) { return e.first < n; });
        return static_cast<std::size_t>(at - list_.begin());
    }

    std::vector<entry> list_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// The properties as they stand in a snapshot: u32 count, then for each u32 bytes of the name, u32
/// bytes of the value, name, value.
[[nodiscard]] inline std::vector<std::byte> encode_properties(storage::properties const& list) {
    std::size_t bytes = 4;
    for (auto const& [name, value] : list) bytes += 8 + name.size() + value.size();
    std::vector<std::byte> out(bytes);
    auto* p = out.data();
    auto const number = [&p](std::size_t n) {
        store_le(p, static_cast<std::uint32_t>(n));
        p += 4;
    };
    auto const text = [&p](std::string const& s) {
        p = std::transform(s.begin(), s.end(), p,
                           [](char c) { return std::byte{static_cast<unsigned char>(c)}; });
    };
    number(list.size());
    for (auto const& [name, value] : list) {
        number(name.size());
        number(value.size());
        text(name);
        text(value);
    }
    return out;
}

/// Nothing where the bytes are not what encode_properties gives: names in order, each once, no byte
/// left over. Reserves nothing that the bytes do not hold.
[[nodiscard]] inline std::optional<storage::properties>
decode_properties(std::span<std::byte const> in) {
    if (in.size() < 4) return std::nullopt;
    auto left = load_le<std::uint32_t>(in.data());
    in = in.subspan(4);
    storage::properties list;
    std::string last;
    for (bool first = true; left > 0; --left, first = false) {
        if (in.size() < 8) return std::nullopt;
        std::size_t const name_bytes = load_le<std::uint32_t>(in.data());
        std::size_t const value_bytes = load_le<std::uint32_t>(in.data() + 4);
        in = in.subspan(8);
        if (in.size() < name_bytes || in.size() - name_bytes < value_bytes) return std::nullopt;
        auto const text = [&in](std::size_t n) {
            std::string s(reinterpret_cast<char const*>(in.data()), n);
            in = in.subspan(n);
            return s;
        };
        auto name = text(name_bytes);
        auto value = text(value_bytes);
        if (!first && name <= last) return std::nullopt;
        list.set(name, value);
        last = std::move(name);
    }
    if (!in.empty()) return std::nullopt;
    return list;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// One column as it lies in a snapshot.
struct section {
    std::string name;
    std::uint64_t row_bytes = 1;
    std::uint64_t rows = 0;
    /// Where row 0 is in the file, and the number of its first block's checksum.
    std::uint64_t offset = 0;
    std::uint64_t first_block = 0;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return rows * row_bytes; }
    [[nodiscard]] std::uint64_t blocks() const noexcept {
        return bytes() / snapshot_block_bytes + (bytes() % snapshot_block_bytes != 0 ? 1 : 0);
    }
};

/// Everything in a snapshot but the rows.
struct snapshot_layout {
    store_uuid uuid{};
    std::uint64_t generation = 0;
    /// The newest log record whose effect is in the rows.
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    storage::properties properties;
    std::vector<section> sections;
    std::vector<std::uint32_t> block_crcs;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::size_t section_name_bytes = 64;
inline constexpr std::uint64_t most_row_bytes = std::uint64_t{1} << 30;

[[nodiscard]] inline bool valid_section_name(std::string_view name) noexcept {
    return !name.empty() && name.size() < section_name_bytes &&
           name.find('\0') == std::string_view::npos;
}

/// Gives each section its place: one behind the other in the order of the table, each at a multiple
/// of 64 KiB. There is no other valid arrangement, so that overlaps and gaps can't be written down.
/// False where the sizes overflow.
[[nodiscard]] inline bool place_sections(std::vector<storage::section>& list, std::uint64_t rows_at,
                                         std::uint64_t& blocks, std::uint64_t& end) noexcept {
    blocks = 0;
    end = rows_at;
    for (auto& s : list) {
        std::uint64_t bytes = 0;
        if (!checked_multiply(s.rows, s.row_bytes, bytes) || bytes > INT64_MAX) return false;
        s.offset = end;
        s.first_block = blocks;
        blocks += s.blocks();
        end += s.blocks() * storage::snapshot_block_bytes;
        if (end > INT64_MAX) return false;
    }
    return true;
}

/// The bytes of a snapshot before the first section: header, table, properties, block checksums.
/// Fills the sections' places, the number of blocks and the file's size in; where `block_crcs` is
/// still empty the bytes only tell how many there are.
[[nodiscard]] inline result<std::vector<std::byte>> encode_layout(storage::snapshot_layout& l) {
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.begin() + static_cast<std::ptrdiff_t>(i),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice)
            return error{errc::invalid_argument, "column names of 1 to 63 bytes, each once",
                         "'" + s.name + "'"};
        if (s.row_bytes == 0 || s.row_bytes > most_row_bytes)
            return error{errc::invalid_argument,
                         "rows of 1 to " + std::to_string(most_row_bytes) + " bytes in column '" +
                             s.name + "'",
                         std::to_string(s.row_bytes)};
    }
    auto const properties = encode_properties(l.properties);
    snapshot_header h;
    h.uuid = l.uuid;
    h.generation = l.generation;
    h.last_lsn = l.last_lsn;
    h.property_bytes = properties.size();
    h.sections = static_cast<std::uint32_t>((std::min)(l.sections.size(), std::size_t{UINT32_MAX}));
    // The number of blocks does not depend on where they start: first counted, then placed.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        !place_sections(l.sections, 0, h.blocks, h.file_bytes) ||
        !place_sections(l.sections, h.rows_at(), h.blocks, h.file_bytes))
        return error{errc::limit_exceeded,
                     "at most 4096 columns, 16 MiB of properties and 2^63 bytes of rows",
                     std::to_string(l.sections.size()) + " columns"};
    l.file_bytes = h.file_bytes;
    l.block_crcs.resize(static_cast<std::size_t>(h.blocks));

    std::vector<std::byte> out(static_cast<std::size_t>(h.rows_at()));
    auto* const table = out.data() + snapshot_header_bytes;
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        auto* const p = table + i * snapshot_entry_bytes;
        std::memcpy(p, s.name.data(), s.name.size());
        store_le(p + 64, s.offset);
        store_le(p + 72, s.rows);
        store_le(p + 80, s.row_bytes);
        store_le(p + 88, s.first_block);
    }
    std::memcpy(table + h.table_bytes(), properties.data(), properties.size());
    auto* const crcs = out.data() + h.block_crcs_at();
    for (std::size_t i = 0; i < l.block_crcs.size(); ++i) store_le(crcs + 4 * i, l.block_crcs[i]);
    h.table_crc = storage::crc32c({table, static_cast<std::size_t>(h.table_bytes())});
    h.properties_crc = storage::crc32c(properties);
    h.block_crcs_crc = storage::crc32c({crcs, l.block_crcs.size() * 4});
    encode_header(h, out.data());
    return out;
}

/// Reads what lies between header and first section: `bytes` are those from offset 4096 to
/// h.rows_at().
[[nodiscard]] inline result<storage::snapshot_layout>
decode_layout(snapshot_header const& h, std::span<std::byte const> bytes, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in " + file, std::move(got)};
    };
    auto const table = bytes.first(static_cast<std::size_t>(h.table_bytes()));
    auto const properties = bytes.subspan(table.size(), static_cast<std::size_t>(h.property_bytes));
    auto const crcs_at = static_cast<std::size_t>(h.block_crcs_at() - snapshot_header_bytes);
    auto const crcs = bytes.subspan(crcs_at, static_cast<std::size_t>(h.blocks * 4));
    if (storage::crc32c(table) != h.table_crc)
        return corrupt("the checksum of the section table at offset 4096", "another");
    if (storage::crc32c(properties) != h.properties_crc)
        return corrupt("the checksum of the properties at offset " +
                           std::to_string(snapshot_header_bytes + table.size()),
                       "another");
    if (storage::crc32c(crcs) != h.block_crcs_crc)
        return corrupt("the checksum of the block checksums at offset " +
                           std::to_string(h.block_crcs_at()),
                       "another");
    auto const behind_properties = table.size() + properties.size();
    if (!all_zero(bytes.subspan(behind_properties, crcs_at - behind_properties)) ||
        !all_zero(bytes.subspan(crcs_at + crcs.size())))
        return corrupt("zeros between properties, block checksums and rows", "other bytes");

    storage::snapshot_layout l;
    l.uuid = h.uuid;
    l.generation = h.generation;
    l.last_lsn = h.last_lsn;
    l.file_bytes = h.file_bytes;
    auto list = decode_properties(properties);
    if (!list) return corrupt("properties in order of their names", "other bytes");
    l.properties = *std::move(list);
    for (std::size_t i = 0; i < h.sections; ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        std::string_view const field(reinterpret_cast<char const*>(p), section_name_bytes);
        storage::section s;
        s.name = field.substr(0, (std::min)(field.find('\0'), field.size()));
        s.rows = load_le<std::uint64_t>(p + 72);
        s.row_bytes = load_le<std::uint64_t>(p + 80);
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.end(),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice || s.row_bytes == 0 ||
            s.row_bytes > most_row_bytes || !all_zero({p + s.name.size(), 64 - s.name.size()}) ||
            !all_zero({p + 96, snapshot_entry_bytes - 96}))
            return corrupt("a valid entry " + std::to_string(i) + " of the section table",
                           "name '" + s.name + "', rows of " + std::to_string(s.row_bytes) +
                               " bytes");
        l.sections.push_back(std::move(s));
    }
    std::uint64_t blocks = 0;
    std::uint64_t end = 0;
    bool fits = place_sections(l.sections, h.rows_at(), blocks, end) && blocks == h.blocks &&
                end == h.file_bytes;
    for (std::size_t i = 0; fits && i < l.sections.size(); ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        fits = l.sections[i].offset == load_le<std::uint64_t>(p + 64) &&
               l.sections[i].first_block == load_le<std::uint64_t>(p + 88);
    }
    if (!fits) return corrupt("sections one behind the other up to the file's end", "others");
    for (std::size_t i = 0; i < h.blocks; ++i)
        l.block_crcs.push_back(load_le<std::uint32_t>(crcs.data() + 4 * i));
    return l;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot opened for reading. Opening checks header, table, properties and extents; the rows
/// are checked by check_block and check_all.
template <class Os>
class snapshot_file {
public:
    using block = std::array<std::byte, snapshot_block_bytes>;

    snapshot_file() = default;

    /// `shown` is how the file is called in errors. errc::not_found where there is no such file.
    [[nodiscard]] static result<snapshot_file> open(int directory, std::string const& name,
                                                    std::string shown, bool writable) {
        snapshot_file f;
        f.shown_ = std::move(shown);
        f.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
        if (!f.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, f.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + f.shown_);
        }
        auto const actual = Os::file_bytes(f.file_.get());
        if (actual < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + f.shown_);
        }
        std::array<std::byte, detail::snapshot_header_bytes> header;
        VICINAL_CHECK(f.read(0, header));
        auto const h = detail::decode_header(header.data(), static_cast<std::uint64_t>(actual),
                                             writable, f.shown_);
        if (!h) return h.error();
        std::vector<std::byte> rest(static_cast<std::size_t>(h->rows_at()) - header.size());
        VICINAL_CHECK(f.read(header.size(), rest));
        auto layout = detail::decode_layout(*h, rest, f.shown_);
        if (!layout) return layout.error();
        f.layout_ = *std::move(layout);
        return f;
    }

    /// A file whose layout is known from elsewhere, as where its front is damaged.
    [[nodiscard]] static snapshot_file over(descriptor<Os> file, std::string shown,
                                            snapshot_layout layout) {
        snapshot_file f;
        f.file_ = std::move(file);
        f.shown_ = std::move(shown);
        f.layout_ = std::move(layout);
        return f;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] snapshot_layout const& layout() const noexcept { return layout_; }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    void renamed(std::string shown) noexcept { shown_ = std::move(shown); }
    [[nodiscard]] section const* find(std::string_view name) const noexcept {
        for (auto const& s : layout_.sections)
            if (s.name == name) return &s;
        return nullptr;
    }

    /// Compares block `i` of a section with its checksum, and its padding with zero.
    /// errc::corrupt_snapshot names file, section, block and offset.
    [[nodiscard]] result<void> check_block(section const& s, std::uint64_t i) const {
        // On the heap: 64 KiB would be much for the stack of a small thread.
        std::unique_ptr<block> const buffer(new block);
        return read_block(s, i, *buffer);
    }

    /// Every block of every section; reads the whole file, about 5 GB/s from the page cache.
    [[nodiscard]] result<void> check_all() const {
        std::unique_ptr<block> const buffer(new block);
        for (auto const& s : layout_.sections)
            for (std::uint64_t i = 0; i < s.blocks(); ++i) VICINAL_CHECK(read_block(s, i, *buffer));
        return {};
    }

    /// Reads block `i` of a section with its padding; the same errors as check_block.
    [[nodiscard]] result<void> read_block(section const& s, std::uint64_t i, block& buffer) const {
        auto const at = s.offset + i * snapshot_block_bytes;
        VICINAL_CHECK(read(at, buffer));
        auto const used = (std::min)(snapshot_block_bytes, s.bytes() - i * snapshot_block_bytes);
        bool const same =
            crc32c(buffer) == layout_.block_crcs[static_cast<std::size_t>(s.first_block + i)];
        bool const padded = detail::all_zero(
            std::span<std::byte const>(buffer).subspan(static_cast<std::size_t>(used)));
        if (!same || !padded)
            return error{
                errc::corrupt_snapshot,
                (same ? "zeros behind the last row in block " : "the recorded checksum of block ") +
                    std::to_string(i) + " (offset " + std::to_string(at) + ") of section '" +
                    s.name + "' in " + shown_,
                same ? "other bytes" : "another"};
        return {};
    }

    /// The same file once more, for a copy that goes on when this one moves to the next generation.
    [[nodiscard]] result<snapshot_file> again() const {
        snapshot_file f;
        f.file_ = file_.duplicate();
        if (!f.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to open " + shown_ + " once more");
        }
        f.shown_ = shown_;
        f.layout_ = layout_;
        return f;
    }

private:
    [[nodiscard]] result<void> read(std::uint64_t at, std::span<std::byte> into) const {
        auto const n = read_up_to<Os>(file_.get(), at, into, shown_);
        if (!n) return n.error();
        if (*n != into.size())
            return error{errc::corrupt_snapshot,
                         std::to_string(into.size()) + " bytes at offset " + std::to_string(at) +
                             " of " + shown_,
                         std::to_string(*n)};
        return {};
    }

    descriptor<Os> file_;
    std::string shown_;
    snapshot_layout layout_;
};

/// The rows of one column on their way into a snapshot.
using section_source = replacement;

/// Writes a snapshot under `name`, rows first and header last, and syncs it if asked. The sections,
/// sizes and checksums of `layout` are filled in from the sources. What is in the file before the
/// header is written is no valid snapshot.
template <class Os>
[[nodiscard]] result<void> write_snapshot(int directory, std::string const& name,
                                          std::string const& shown, snapshot_layout layout,
                                          std::span<section_source const> sources, bool sync) {
    layout.sections.clear();
    for (auto const& s : sources)
        layout.sections.push_back({s.name, s.row_bytes, s.bytes() / s.row_bytes, 0, 0});
    VICINAL_CHECK(detail::encode_layout(layout));

    descriptor<Os> const file(
        detail::uninterrupted([&] { return Os::open_empty(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return detail::system_failure(reason, "to make " + shown);
    }
    std::vector<std::byte> last(snapshot_block_bytes);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto const& s = layout.sections[i];
        auto const bytes = sources[i].bytes();
        auto* crc = layout.block_crcs.data() + s.first_block;
        // A piece is checksummed and then written while it is still in the cache.
        for (std::uint64_t at = 0; at < bytes; at += snapshot_block_bytes) {
            auto const size =
                static_cast<std::size_t>((std::min<std::uint64_t>)(bytes - at, last.size()));
            std::span<std::byte const> piece = last;
            if (size < last.size() || sources[i].fill) {
                sources[i].next(at, std::span(last).first(size));
                std::fill(last.begin() + static_cast<std::ptrdiff_t>(size), last.end(),
                          std::byte{0});
            } else {
                piece = sources[i].rows.subspan(static_cast<std::size_t>(at), size);
            }
            *crc++ = crc32c(piece);
            VICINAL_CHECK(write_all<Os>(file.get(), s.offset + at, piece, shown));
        }
    }
    auto const front = detail::encode_layout(layout);
    if (!front) return front.error();
    auto const bytes = std::span<std::byte const>(*front);
    auto const header = detail::snapshot_header_bytes;
    VICINAL_CHECK(write_all<Os>(file.get(), header, bytes.subspan(header), shown));
    VICINAL_CHECK(write_all<Os>(file.get(), 0, bytes.first(header), shown));
    if (sync && detail::uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown,
                     std::generic_category().message(reason)};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot and its log; the log is missing where only the snapshot was shipped.
template <class Os>
struct generation_files {
    snapshot_file<Os> snapshot;
    log_file<Os> log;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether a log holds more than its header: then a snapshot was published for it once.
template <class Os>
[[nodiscard]] bool has_records(storage::store_directory<Os> const& directory,
                               std::string const& name) {
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_read(directory.number(), name.c_str()); }));
    return file && Os::file_bytes(file.get()) > static_cast<std::int64_t>(log_header_bytes);
}

/// The name of a log with records whose snapshot is gone; empty where all is in order. Opening an
/// older generation, or making a new store, would lose these records without a word.
template <class Os>
[[nodiscard]] std::string orphan(storage::store_directory<Os> const& directory,
                                 store_listing const& found) {
    for (auto const g : found.logs)
        if (g > found.newest() && has_records(directory, log_name(g))) return log_name(g);
    for (auto const g : found.closed_logs)
        if (g > found.newest()) return closed_log_name(g);
    return {};
}

[[nodiscard]] inline error missing_snapshot(std::string const& path, std::string const& log) {
    return error{errc::corrupt_snapshot,
                 "the snapshot that belongs to " + log + " in '" + path + "'", "none"};
}

/// What a directory without any snapshot is: an error, or success where a store may be made in it.
template <class Os>
[[nodiscard]] result<void> check_vacant(storage::store_directory<Os> const& directory,
                                        store_listing const& found) {
    if (!found.foreign.empty())
        return error{errc::foreign_file,
                     "a store or an empty directory at '" + directory.path() + "'",
                     "one that holds '" + found.foreign + "' and no snapshot"};
    if (auto const log = orphan(directory, found); !log.empty())
        return missing_snapshot(directory.path(), log);
    return {};
}

/// One attempt to open the newest generation of what was listed; nothing where a writer in another
/// process moved on meanwhile.
template <class Os>
[[nodiscard]] result<std::optional<storage::generation_files<Os>>>
open_listed(storage::store_directory<Os> const& directory, store_listing const& found,
            bool writable) {
    using answer = std::optional<storage::generation_files<Os>>;
    auto const g = found.newest();
    auto snapshot = storage::snapshot_file<Os>::open(directory.number(), snapshot_name(g),
                                                     directory.shown(snapshot_name(g)), writable);
    if (!snapshot) {
        if (snapshot.error().code() == errc::not_found) return answer{};
        return snapshot.error();
    }
    auto const& layout = snapshot->layout();
    if (layout.generation != g)
        return error{errc::corrupt_snapshot,
                     "generation " + std::to_string(g) + " in " + snapshot->shown(),
                     "generation " + std::to_string(layout.generation)};
    storage::generation_files<Os> files;
    bool const open_log = store_listing::has(found.logs, g);
    bool const closed = store_listing::has(found.closed_logs, g);
    if (open_log || closed) {
        auto log = storage::log_file<Os>::open(directory, closed ? closed_log_name(g) : log_name(g),
                                               writable, closed);
        if (!log) {
            if (log.error().code() == errc::not_found) return answer{};
            return log.error();
        }
        auto const& h = log->header();
        if (h.uuid != layout.uuid || h.generation != g || h.first_lsn != layout.last_lsn + 1)
            return error{errc::corrupt_log,
                         "the log that continues " + snapshot->shown() + " from record " +
                             std::to_string(layout.last_lsn + 1),
                         log->shown() + " of another store, or from record " +
                             std::to_string(h.first_lsn)};
        files.log = *std::move(log);
    }
    // Files were opened by names of one moment: they belong together only if these still stand.
    // A log that was reopened after that, for instance, must not be held to its old name.
    auto const again = directory.list();
    if (!again) return again.error();
    if (again->newest() != g || store_listing::has(again->logs, g) != open_log ||
        store_listing::has(again->closed_logs, g) != closed)
        return answer{};
    files.snapshot = *std::move(snapshot);
    return answer(std::move(files));
}

/// Opens the newest generation. A reader beside a busy writer tries up to eight times to see a
/// state that stands still.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
open_newest(storage::store_directory<Os> const& directory, bool writable) {
    for (int attempt = 0; attempt < 8; ++attempt) {
        auto const found = directory.list();
        if (!found) return found.error();
        if (found->newest() == 0) {
            VICINAL_CHECK(check_vacant(directory, *found));
            return error{errc::not_found, "a store at '" + directory.path() + "'",
                         "a directory without a snapshot"};
        }
        bool const last = attempt == 7;
        if (auto const log = orphan(directory, *found); !log.empty()) {
            if (writable || last) return missing_snapshot(directory.path(), log);
            continue;
        }
        auto const g = found->newest();
        if (store_listing::has(found->logs, g) && store_listing::has(found->closed_logs, g)) {
            if (writable || last)
                return error{errc::corrupt_log, "one log of generation " + std::to_string(g),
                             "both " + directory.shown(log_name(g)) + " and " + closed_log_name(g)};
            continue;
        }
        auto files = open_listed(directory, *found, writable);
        if (!files) return files.error();
        if (*files) return **std::move(files);
    }
    return error{errc::io_failure, "a state of '" + directory.path() + "' that stands still",
                 "eight changes by a writer while it was opened"};
}

/// What a writer finds in its way and may remove: pieces of a broken checkpoint, and what newer
/// generations have replaced. Snapshots go before their logs, so that a reader that finds the log
/// gone sees that the generation is.
template <class Os>
void remove_remains(storage::store_directory<Os> const& directory, store_listing const& found) {
    auto const newest = found.newest();
    for (auto const& name : found.temporary) directory.remove(name);
    for (auto const g : found.snapshots)
        if (g < newest) directory.remove(snapshot_name(g));
    for (auto const g : found.logs)
        if (g != newest) directory.remove(log_name(g));
    for (auto const g : found.closed_logs)
        if (g < newest) directory.remove(closed_log_name(g));
}

/// Writes snapshot and log of a generation beside the present one, not yet published: the snapshot
/// still has its temporary name. Removes both again where it fails.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
write_generation(storage::store_directory<Os> const& directory, storage::snapshot_layout layout,
                 std::span<storage::section_source const> sources, bool sync) {
    auto const name = snapshot_name(layout.generation).append(temporary_suffix);
    auto const shown = directory.shown(name);
    auto const log = log_name(layout.generation);
    log_header header;
    header.uuid = layout.uuid;
    header.generation = layout.generation;
    header.first_lsn = layout.last_lsn + 1;
    auto files = [&]() -> result<storage::generation_files<Os>> {
        VICINAL_CHECK(storage::write_snapshot<Os>(directory.number(), name, shown,
                                                  std::move(layout), sources, sync));
        auto made = storage::log_file<Os>::make(directory, log, header, sync);
        if (!made) return made.error();
        // Opened as any reader will, so that what is published has passed the same checks.
        auto opened = storage::snapshot_file<Os>::open(directory.number(), name, shown, true);
        if (!opened) return opened.error();
        return storage::generation_files<Os>{*std::move(opened), *std::move(made)};
    }();
    if (!files) {
        directory.remove(name);
        directory.remove(log);
    }
    return files;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/new_directory.hpp
#ifndef VICINAL_STORAGE_NEW_DIRECTORY_HPP
#define VICINAL_STORAGE_NEW_DIRECTORY_HPP

// ---- vicinal/storage/lock.hpp
#ifndef VICINAL_STORAGE_LOCK_HPP
#define VICINAL_STORAGE_LOCK_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Seconds since 1970 as in "2026-11-21T01:02:03Z" (days to a date after Hinnant, "chrono-
/// compatible low-level date algorithms": years that start in March).
[[nodiscard]] inline std::string utc_text(std::int64_t seconds) {
    seconds = (std::max)(seconds, std::int64_t{0});
    auto const day = seconds / 86400 + 719468;
    auto const second = seconds % 86400;
    auto const era = day / 146097;
    auto const of_era = day % 146097;
    auto const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const month_from_march = (5 * of_year + 2) / 153;
    auto const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    auto const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    auto const two = [](std::int64_t n) {
        auto const digits = std::to_string(n);
        return digits.size() < 2 ? "0" + digits : digits;
    };
    return std::to_string(year) + "-" + two(month) + "-" +
           two(of_year - (153 * month_from_march + 2) / 5 + 1) + "T" + two(second / 3600) + ":" +
           two(second / 60 % 60) + ":" + two(second % 60) + "Z";
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// The right to write a store; there is one at a time, also within one process. The system gives it
/// back when the process ends, however it ends.
///
/// The lock is flock on the file LOCK, whose text names the holder. The directory itself is locked
/// too, where the file system can: a LOCK file that somebody deletes does not let a second writer
/// in.
template <class Os>
class writer_lock {
public:
    writer_lock() = default;

    /// Waits up to `timeout_ms`. errc::locked names the holder.
    [[nodiscard]] static result<writer_lock> take(store_directory<Os> const& directory,
                                                  std::uint32_t timeout_ms) {
        auto const shown = directory.shown(detail::lock_name);
        writer_lock l;
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_or_make(directory.number(), detail::lock_name); }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == EACCES || reason == EROFS || reason == EPERM)
                return error{errc::read_only,
                             "a directory that may be written at '" + directory.path() +
                                 "', or .read_only = true",
                             std::generic_category().message(reason)};
            return detail::system_failure(reason, "to open " + shown);
        }
        for (std::uint32_t waited = 0;;) {
            auto const free = try_both(l.file_.get(), directory.number(), shown);
            if (!free) return free.error();
            if (*free) break;
            if (waited >= timeout_ms)
                return error{errc::locked, "",
                             "'" + directory.path() + "' is already open for writing by " +
                                 holder(l.file_.get()) +
                                 "; open it read-only or close the other writer"};
            auto const pause = (std::min)(timeout_ms - waited, std::uint32_t{10});
            Os::pause(pause);
            waited += pause;
        }
        auto const text = "pid " + std::to_string(Os::process_id()) + " on host " +
                          Os::host_name() + " since " + detail::utc_text(Os::seconds()) + "\n";
        // The text is for people: a full disk does not keep the store from being opened.
        if (Os::truncate_file(l.file_.get(), 0) == 0)
            static_cast<void>(
                write_all<Os>(l.file_.get(), 0, std::as_bytes(std::span(text)), shown));
        return l;
    }

private:
    [[nodiscard]] static result<bool> try_both(int file, int directory, std::string const& shown) {
        if (detail::uninterrupted([&] { return Os::try_lock(file); }) != 0) {
            int const reason = errno;
            if (reason == EWOULDBLOCK) return false;
            return detail::system_failure(reason, "to lock " + shown);
        }
        // Some network file systems can't lock a directory: LOCK alone counts there.
        return detail::uninterrupted([&] { return Os::try_lock(directory); }) == 0 ||
               errno != EWOULDBLOCK;
    }

    /// The text of LOCK, which anybody may have written: printable characters, 200 at most.
    [[nodiscard]] static std::string holder(int file) {
        std::array<std::byte, 200> bytes{};
        auto const n = read_up_to<Os>(file, 0, bytes, detail::lock_name);
        std::string text;
        for (std::size_t i = 0; n && i < *n; ++i)
            if (auto const c = std::to_integer<char>(bytes[i]); c >= ' ' && c <= '~') text += c;
        return text.empty() ? "another writer" : text;
    }

    descriptor<Os> file_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory in the making: it is called PATH.partial, and has the name PATH when all of
/// it is on the disk. A run that broke off leaves PATH.partial, which the next run to PATH takes
/// over.
template <class Os>
class new_directory {
public:
    /// At `path` there may be nothing or an empty directory; where `replaces` also a store, damaged
    /// or not, whose lock is held from here on. Errors: invalid_argument (something is there),
    /// not_a_directory, foreign_file, locked (a writer, or another run to the same path),
    /// not_found (the directory around it), io_failure.
    [[nodiscard]] static result<new_directory> make(std::string_view path, bool replaces) {
        new_directory d;
        auto const parts = split(path);
        if (!parts) return parts.error();
        d.name_ = parts->second;
        auto const whole = parts->first + "/" + d.name_;
        auto parent = store_directory<Os>::open(parts->first);
        if (!parent) {
            if (parent.error().code() != errc::not_found) return parent.error();
            return error{errc::not_found,
                         "the directory that '" + std::string(path) + "' is to be made in"};
        }
        d.parent_ = *std::move(parent);
        VICINAL_CHECK(d.look_at(whole, replaces));
        VICINAL_CHECK(d.begin(whole + suffix));
        return d;
    }

    new_directory(new_directory&& other) noexcept
        : parent_(std::move(other.parent_)), files_(std::move(other.files_)),
          old_(std::move(other.old_)), lock_(std::move(other.lock_)), name_(std::move(other.name_)),
          pending_(std::exchange(other.pending_, false)) {}
    new_directory& operator=(new_directory&&) = delete;
    /// What was not published is removed.
    ~new_directory() {
        if (pending_) remove(files_, name_ + suffix);
    }

    /// Where the files are to be made.
    [[nodiscard]] store_directory<Os> const& files() const noexcept { return files_; }

    /// Gives the directory its name; its files must be on the disk. On failure what was at the path
    /// is there still, unless the message says that a sync failed: then either may be.
    [[nodiscard]] result<void> publish() {
        VICINAL_CHECK(files_.sync());
        auto const partial = name_ + suffix;
        if (!old_) {
            VICINAL_CHECK(parent_.rename(partial, name_));
            pending_ = false;
            return parent_.sync();
        }
        if (detail::uninterrupted([&] {
                return Os::exchange_names(parent_.number(), partial.c_str(), name_.c_str());
            }) != 0) {
            int const reason = errno;
            if (reason != EINVAL && reason != ENOSYS)
                return detail::system_failure(reason, "to put '" + partial + "' in the place of '" +
                                                          parent_.shown(name_) + "'");
            return replace_in_steps(partial);
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, partial);
        return {};
    }

private:
    static constexpr char const* suffix = ".partial";

    new_directory() = default;

    /// The directory around a path and the name in it. errc::invalid_argument where the name is
    /// none that a directory can be given.
    [[nodiscard]] static result<std::pair<std::string, std::string>> split(std::string_view path) {
        auto const end = path.find_last_not_of('/');
        auto const bare = path.substr(0, end == std::string_view::npos ? 0 : end + 1);
        auto const slash = bare.find_last_of('/');
        auto const name = slash == std::string_view::npos ? bare : bare.substr(slash + 1);
        if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos)
            return error{errc::invalid_argument, "a path that ends in a name",
                         "'" + std::string(path) + "'"};
        auto const parent = slash == std::string_view::npos ? std::string_view(".")
                            : slash == 0                    ? std::string_view("/")
                                                            : bare.substr(0, slash);
        return std::pair(std::string(parent), std::string(name));
    }

    /// What is at the path now.
    [[nodiscard]] result<void> look_at(std::string const& whole, bool replaces) {
        auto there = store_directory<Os>::open(whole);
        if (!there)
            return there.error().code() == errc::not_found ? result<void>()
                                                           : result<void>(there.error());
        auto const found = there->list();
        if (!found) return found.error();
        bool const empty = found->empty();
        if (!replaces && !empty)
            return error{errc::invalid_argument,
                         "a path at which nothing is, or an empty directory: '" + whole + "'",
                         "a directory with files in it"};
        if (!found->foreign.empty())
            return error{errc::foreign_file, "a store or an empty directory at '" + whole + "'",
                         "one that holds '" + found->foreign + "'"};
        if (empty) return {};
        auto lock = writer_lock<Os>::take(*there, 0);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        old_ = *std::move(there);
        return {};
    }

    /// Makes the directory under its passing name, or takes over and clears one that is left.
    [[nodiscard]] result<void> begin(std::string const& path) {
        if (detail::uninterrupted([&] { return Os::make_directory(path.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            return detail::system_failure(reason, "to make the directory '" + path + "'");
        }
        auto made = store_directory<Os>::open(path);
        if (!made) return made.error();
        // Another run may be at work there, or has just given it its final name.
        bool const mine = detail::uninterrupted([&] { return Os::try_lock(made->number()); }) == 0;
        auto const again = store_directory<Os>::open(path);
        if (!mine || !again || Os::same_file(made->number(), again->number()) != 1)
            return error{errc::locked, "", "another run is writing to '" + path + "'"};
        auto const found = made->list();
        if (!found) return found.error();
        if (!found->foreign.empty())
            return error{errc::foreign_file, "what an earlier run has left at '" + path + "'",
                         "a directory that holds '" + found->foreign + "'"};
        clear(*made, *found);
        files_ = *std::move(made);
        pending_ = true;
        return {};
    }

    /// Where names can't be exchanged: between two steps the old store has another name.
    [[nodiscard]] result<void> replace_in_steps(std::string const& partial) {
        auto const aside = name_ + ".replaced";
        VICINAL_CHECK(parent_.rename(name_, aside));
        if (auto const done = parent_.rename(partial, name_); !done) {
            static_cast<void>(parent_.rename(aside, name_));
            return done;
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, aside);
        return {};
    }

    static void clear(store_directory<Os> const& directory, detail::store_listing const& found) {
        for (auto const& name : found.temporary) directory.remove(name);
        for (auto const g : found.snapshots) directory.remove(detail::snapshot_name(g));
        for (auto const g : found.logs) directory.remove(detail::log_name(g));
        for (auto const g : found.closed_logs) directory.remove(detail::closed_log_name(g));
        directory.remove(detail::lock_name);
    }
    /// What can't be removed stays; it has no store's name.
    void remove(store_directory<Os> const& directory, std::string const& name) const noexcept {
        static_cast<void>(detail::guarded([&]() -> result<void> {
            auto const found = directory.list();
            VICINAL_CHECK(found);
            clear(directory, *found);
            static_cast<void>(Os::remove_directory(parent_.number(), name.c_str()));
            return {};
        }));
    }

    store_directory<Os> parent_;
    store_directory<Os> files_;
    /// The store that is replaced, and the right to.
    store_directory<Os> old_;
    writer_lock<Os> lock_;
    std::string name_;
    bool pending_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a backup or a restored store holds.
struct copy_report {
    std::uint64_t generation = 0;
    std::uint64_t snapshot_bytes = 0;
    /// Batches of the log, and the number of the newest; 0 of them is a store that was just
    /// checkpointed.
    std::uint64_t log_records = 0;
    /// What stood behind the log's last valid record and was left out: a write that was cut off or
    /// is under way. 0 for the backup of an open store.
    std::uint64_t bytes_dropped = 0;
};

/// The files of one state of a store, held open: later checkpoints don't touch them.
template <class Os>
struct held_files {
    snapshot_file<Os> snapshot;
    log_view<Os> log;
    /// The log's records were valid up to its end when it was taken: nothing there may be dropped.
    bool whole = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Copies a snapshot byte for byte, each block compared with its checksum on the way, and opens the
/// copy as any reader will. errc::corrupt_snapshot names the block.
template <class Os>
[[nodiscard]] result<void> copy_snapshot(storage::snapshot_file<Os> const& from,
                                         storage::store_directory<Os> const& to) {
    auto const name = snapshot_name(from.layout().generation);
    auto const shown = to.shown(name);
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_empty(to.number(), name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to make " + shown);
    }
    auto const& sections = from.layout().sections;
    std::unique_ptr<typename storage::snapshot_file<Os>::block> const block(
        new typename storage::snapshot_file<Os>::block);
    // The part before the rows: opening the copy finds out whether it was read well.
    auto const front = sections.empty() ? from.layout().file_bytes : sections.front().offset;
    for (std::uint64_t at = 0; at < front; at += block->size()) {
        auto const piece = std::span(*block).first(
            static_cast<std::size_t>((std::min<std::uint64_t>)(block->size(), front - at)));
        auto const n = storage::read_up_to<Os>(from.number(), at, piece, from.shown());
        if (!n) return n.error();
        VICINAL_CHECK(storage::write_all<Os>(file.get(), at, piece, shown));
    }
    for (auto const& s : sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            VICINAL_CHECK(from.read_block(s, i, *block));
            VICINAL_CHECK(storage::write_all<Os>(
                file.get(), s.offset + i * storage::snapshot_block_bytes, *block, shown));
        }
    if (uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return system_failure(reason, "to sync " + shown);
    }
    auto const again = storage::snapshot_file<Os>::open(to.number(), name, shown, false);
    if (!again) return again.error();
    if (again->layout().block_crcs != from.layout().block_crcs)
        return error{errc::corrupt_snapshot, "the front of " + from.shown() + " as it was",
                     "other checksums"};
    return {};
}

/// Makes the log of a copy, filled by `fill(log) -> result<void>`: closed in order, so that no
/// damage of it can pass for a write that was cut off. Its salt is its own.
template <class Os, class Fill>
[[nodiscard]] result<void> make_closed_log(storage::store_directory<Os> const& to,
                                           log_header const& header, Fill&& fill) {
    auto const name = log_name(header.generation);
    auto log = storage::log_file<Os>::make(to, name, header, false);
    if (!log) return log.error();
    VICINAL_CHECK(fill(*log));
    VICINAL_CHECK(log->append_clean(true));
    return to.rename(name, closed_log_name(header.generation));
}

/// Copies what was held into an empty directory, everything checked and on the disk. Where it fails
/// the directory holds pieces.
template <class Os>
[[nodiscard]] result<storage::copy_report> copy_files(storage::held_files<Os> const& from,
                                                      storage::store_directory<Os> const& to) {
    auto const& layout = from.snapshot.layout();
    storage::copy_report report;
    report.generation = layout.generation;
    report.snapshot_bytes = layout.file_bytes;
    VICINAL_CHECK(copy_snapshot(from.snapshot, to));
    if (!from.log.file) return report;
    auto const copied = make_closed_log<Os>(to, from.log.header, [&](auto& log) -> result<void> {
        auto const found =
            scan_log<Os>(from.log.file.get(), from.log.shown, from.log.end, from.log.header,
                         from.log.closed, [&](std::span<std::byte const> payload) {
                             return log.append(log_kind::batch, payload, false);
                         });
        if (!found) return found.error();
        report.log_records = found->batches;
        report.bytes_dropped = from.log.end - found->end;
        if (from.whole && report.bytes_dropped != 0)
            return log_damage(from.log.shown, found->end, found->last_lsn + 1, "damaged bytes");
        return {};
    });
    VICINAL_CHECK(copied);
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// Copies a state of a store to `to`. The directory has that name when every byte has been compared
/// with its checksum and is on the disk; before that, and where it fails, nothing is changed there.
template <class Os>
[[nodiscard]] result<copy_report> copy_to(held_files<Os> const& from, std::string_view to,
                                          bool replaces) {
    auto made = new_directory<Os>::make(to, replaces);
    if (!made) return made.error();
    auto report = detail::copy_files(from, made->files());
    if (!report) return detail::unpoisoned(report.error());
    if (auto const done = made->publish(); !done) return detail::unpoisoned(done.error());
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/posix.hpp
#ifndef VICINAL_STORAGE_POSIX_HPP
#define VICINAL_STORAGE_POSIX_HPP

#if VICINAL_HAS_FILES

// ---- vicinal/storage/huge_pages.hpp
#ifndef VICINAL_STORAGE_HUGE_PAGES_HPP
#define VICINAL_STORAGE_HUGE_PAGES_HPP

#include <cstddef>

#if defined(__linux__)
#    include <sys/mman.h>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The size of a huge page on x86-64, and on AArch64 with pages of 4 KiB.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages under a block that begins with a page and is not touched yet. A walk over a
/// graph touches a page of its own with each row; with small ones each is a miss in the TLB too.
/// A wish: where the system has none to give, or none of this name, nothing is different.
inline void ask_for_huge_pages([[maybe_unused]] void* block,
                               [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    static_cast<void>(::madvise(block, bytes, MADV_HUGEPAGE));
#endif
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#    include <array>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstdio>
#    include <limits>
#    include <string>
#    include <vector>

#    include <dirent.h>
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <time.h>
#    include <unistd.h>
#    if defined(__APPLE__)
#        include <sys/random.h>
#    endif

#    if defined(MAP_ANONYMOUS)
#        define VICINAL_MAP_ANONYMOUS MAP_ANONYMOUS
#    else
#        define VICINAL_MAP_ANONYMOUS MAP_ANON
#    endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The operating-system calls of the durable storages, one thin function each: -1 (or nullptr) and
/// errno on failure. The storages take this as a template parameter and call nothing else, so that
/// a test can fail, tear or drop any one of them. Interrupted and short calls are the callers' to
/// repeat. All descriptors are closed on exec; names inside a store are never followed as links.
struct posix {
    static int open_directory(char const* path) noexcept {
        return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    static int make_directory(char const* path) noexcept { return ::mkdir(path, 0700); }
    static int open_read(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    static int open_write(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    /// Makes the file, or opens the one that is there, with its contents.
    static int open_or_make(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    /// Makes the file, or empties the one that is there.
    static int open_empty(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    static int close_file(int file) noexcept { return ::close(file); }

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        return fits(offset) ? ::pread(file, into, n, static_cast<::off_t>(offset)) : -1;
    }
    static std::ptrdiff_t write_at(int file, void const* from, std::size_t n,
                                   std::uint64_t offset) noexcept {
        return fits(offset) ? ::pwrite(file, from, n, static_cast<::off_t>(offset)) : -1;
    }
    static int truncate_file(int file, std::uint64_t bytes) noexcept {
        return fits(bytes) ? ::ftruncate(file, static_cast<::off_t>(bytes)) : -1;
    }
    static std::int64_t file_bytes(int file) noexcept {
        struct ::stat s {};
        if (::fstat(file, &s) != 0) return -1;
        return static_cast<std::int64_t>(s.st_size);
    }

    /// The contents of a file and its size reach the disk.
    static int sync_data(int file) noexcept {
#    if defined(__APPLE__)
        return sync_all(file);
#    else
        return ::fdatasync(file);
#    endif
    }
    /// A file, or the names in a directory, reach the disk.
    static int sync_all(int file) noexcept {
#    if defined(__APPLE__)
        // fsync leaves the data in the drive's own cache there.
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;
#    endif
        return ::fsync(file);
    }
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        return ::renameat(directory, from, directory, to);
    }
    /// Gives each of two names what the other has, in one step: EINVAL or ENOSYS where the system
    /// or the file system can't.
    static int exchange_names(int directory, char const* a, char const* b) noexcept {
#    if defined(RENAME_EXCHANGE)
        return ::renameat2(directory, a, directory, b, RENAME_EXCHANGE);
#    elif defined(RENAME_SWAP)
        return ::renameatx_np(directory, a, directory, b, RENAME_SWAP);
#    else
        static_cast<void>(directory);
        static_cast<void>(a);
        static_cast<void>(b);
        errno = ENOSYS;
        return -1;
#    endif
    }
    static int remove_file(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, 0);
    }
    /// Only an empty one.
    static int remove_directory(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, AT_REMOVEDIR);
    }
    /// Another number for the same open file.
    static int duplicate(int file) noexcept { return ::fcntl(file, F_DUPFD_CLOEXEC, 0); }
    /// 1 where both numbers are of one file or directory, 0 where not.
    static int same_file(int a, int b) noexcept {
        struct ::stat of_a {};
        struct ::stat of_b {};
        if (::fstat(a, &of_a) != 0 || ::fstat(b, &of_b) != 0) return -1;
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino ? 1 : 0;
    }
    /// Belongs to the open file, not to the process: a second open in the same process is refused
    /// too, and closing another descriptor of the file does not give it up.
    static int try_lock(int file) noexcept { return ::flock(file, LOCK_EX | LOCK_NB); }

    /// The names in a directory, without "." and "..".
    static int list(int directory, std::vector<std::string>& names) {
        names.clear();
        int const again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) return -1;
        ::DIR* const d = ::fdopendir(again);
        if (d == nullptr) {
            int const why = errno;
            ::close(again);
            errno = why;
            return -1;
        }
        errno = 0;
        while (auto const* e = ::readdir(d)) {
            std::string name(&e->d_name[0]);
            if (name != "." && name != "..") names.push_back(std::move(name));
            errno = 0;
        }
        int const why = errno;
        ::closedir(d);
        errno = why;
        return why == 0 ? 0 : -1;
    }

    /// Address space without memory behind it: touching it faults until it is allowed or mapped.
    static void* reserve(std::size_t bytes) noexcept {
        int flags = MAP_PRIVATE | VICINAL_MAP_ANONYMOUS;
#    if defined(MAP_NORESERVE)
        flags |= MAP_NORESERVE;
#    endif
        void* const p = ::mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
        return p == MAP_FAILED ? nullptr : p;
    }
    /// Makes reserved pages readable and writable; they read as zero.
    static int allow(void* at, std::size_t bytes) noexcept {
        if (bytes >= huge_page) ask_for_huge_pages(at, bytes);
        return ::mprotect(at, bytes, PROT_READ | PROT_WRITE);
    }
    /// Puts a piece of a file into reserved address space. What is written there stays private.
    static int map_file(void* at, std::size_t bytes, int file, std::uint64_t offset) noexcept {
        if (!fits(offset)) return -1;
        void* const p = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                               static_cast<::off_t>(offset));
        return p == MAP_FAILED ? -1 : 0;
    }
    static int release(void* at, std::size_t bytes) noexcept { return ::munmap(at, bytes); }
    static std::size_t page_bytes() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    /// Bytes that no other log has: up to 256 of them.
    static int random_bytes(void* into, std::size_t n) noexcept { return ::getentropy(into, n); }
    static long process_id() noexcept { return static_cast<long>(::getpid()); }
    static std::string host_name() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
        return name.data();
    }
    /// Seconds since 1970, UTC.
    static std::int64_t seconds() noexcept { return static_cast<std::int64_t>(::time(nullptr)); }
    static void pause(std::uint32_t milliseconds) noexcept {
        struct ::timespec const t{static_cast<::time_t>(milliseconds / 1000),
                                  static_cast<long>(milliseconds % 1000) * 1000000L};
        ::nanosleep(&t, nullptr);
    }

private:
    static bool fits(std::uint64_t offset) noexcept {
        if (offset <= static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)()))
            return true;
        errno = EOVERFLOW;
        return false;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif

#    include <cstdint>
#    include <string_view>
#    include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// The newest state of the store at `path`, whether or not a writer has it open.
template <class Os>
[[nodiscard]] result<held_files<Os>> hold_newest(std::string_view path) {
    auto const directory = store_directory<Os>::open(path);
    if (!directory) return directory.error();
    auto files = detail::open_newest(*directory, false);
    if (!files) return files.error();
    held_files<Os> held;
    held.snapshot = std::move(files->snapshot);
    if (files->log) {
        auto log = files->log.view();
        if (!log) return log.error();
        held.log = *std::move(log);
    }
    return held;
}

/// vicinal::try_backup and try_restore over any operating system.
template <class Os>
[[nodiscard]] result<copy_report> copy_store(std::string_view from, std::string_view to,
                                             bool replaces) {
    return detail::guarded([&]() -> result<copy_report> {
        auto const held = hold_newest<Os>(from);
        if (!held) return held.error();
        return copy_to(*held, to, replaces);
    });
}

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI {

/// Copies the store at `from` to `to`, where nothing may be yet, or an empty directory. A process
/// that writes the store is not disturbed: the copy is the store at one moment, between two
/// batches. The program's own open store has a call of that name.
///
/// Everything is compared with its checksum on the way, so that no damage is copied, and reaches
/// the disk before the directory gets its name; until then it is called TO.partial. A copy is a
/// store, and opens as one. Cost: one reading and writing of the files. Errors: not_found,
/// invalid_argument (something is at `to`), corrupt_snapshot, corrupt_log, newer_format, locked
/// (another run to the same path), io_failure, out_of_memory.
[[nodiscard]] inline result<storage::copy_report> try_backup(std::string_view from,
                                                             std::string_view to) {
    return storage::copy_store<storage::posix>(from, to, false);
}

/// Puts the backup `from` in the place of the store at `to`, damaged or not, or where nothing is.
/// Nothing at `to` changes before the whole backup was checked, copied and is on the disk; then
/// the two directories exchange their names in one step, on systems that have that, and the old one
/// is removed. Processes that read the old store go on reading it until they refresh.
///
/// Errors: as try_backup; locked also where a writer has `to` open, foreign_file where files lie
/// there that are no store's.
[[nodiscard]] inline result<storage::copy_report> try_restore(std::string_view from,
                                                              std::string_view to) {
    return storage::copy_store<storage::posix>(from, to, true);
}

#    if VICINAL_EXCEPTIONS
inline storage::copy_report backup(std::string_view from, std::string_view to) {
    return try_backup(from, to).value();
}
inline storage::copy_report restore(std::string_view from, std::string_view to) {
    return try_restore(from, to).value();
}
#    endif

} // namespace vicinal::inline VICINAL_ABI

#endif

#endif
// ---- vicinal/storage/check.hpp
#ifndef VICINAL_STORAGE_CHECK_HPP
#define VICINAL_STORAGE_CHECK_HPP

// ---- vicinal/core/problems.hpp
#ifndef VICINAL_CORE_PROBLEMS_HPP
#define VICINAL_CORE_PROBLEMS_HPP

namespace vicinal::inline VICINAL_ABI {

/// What somebody who looked for damage has found.
struct problem_list {
    /// How much is wrong; the first hundred as a sentence each, with the place.
    std::uint64_t problem_count = 0;
    std::vector<std::string> problems = {};

    [[nodiscard]] bool ok() const noexcept { return problem_count == 0; }
    void add(std::string problem) {
        constexpr std::size_t most = 100;
        ++problem_count;
        if (problems.size() < most) problems.push_back(std::move(problem));
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/generation.hpp
#ifndef VICINAL_STORAGE_GENERATION_HPP
#define VICINAL_STORAGE_GENERATION_HPP

// ---- vicinal/storage/descriptor.hpp
#ifndef VICINAL_STORAGE_DESCRIPTOR_HPP
#define VICINAL_STORAGE_DESCRIPTOR_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// The system's reason in words, as an error: `wanted` says what was attempted on which file.
[[nodiscard]] inline error system_failure(int reason, std::string wanted) {
    return error{reason == ENOMEM ? errc::out_of_memory : errc::io_failure, std::move(wanted),
                 std::generic_category().message(reason)};
}

/// Where there is no writer that could be poisoned, a failed sync is a failure like others.
[[nodiscard]] inline error unpoisoned(error const& e) {
    return e.code() == errc::writer_poisoned ? error{errc::io_failure, e.expected(), e.got()} : e;
}

/// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call&& call) -> decltype(call()) {
    for (;;) {
        auto const answer = call();
        if (answer >= 0 || errno != EINTR) return answer;
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// An open file, closed at the end.
template <class Os>
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }
    /// Another descriptor of the same open file; none where the system refuses, with errno.
    [[nodiscard]] descriptor duplicate() const noexcept {
        return descriptor(detail::uninterrupted([this] { return Os::duplicate(number_); }));
    }
    void reset() noexcept {
        // Linux has closed the file also where close is interrupted: once only.
        if (number_ >= 0) static_cast<void>(Os::close_file(number_));
        number_ = -1;
    }

private:
    int number_ = -1;
};

/// Reads until `into` is full or the file ends; gives the number of bytes read. `file` names the
/// file in an error.
template <class Os>
[[nodiscard]] result<std::size_t> read_up_to(int number, std::uint64_t offset,
                                             std::span<std::byte> into, std::string_view file) {
    std::size_t done = 0;
    while (done < into.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::read_at(number, into.data() + done, into.size() - done, offset + done);
        });
        if (n < 0) {
            int const reason = errno;
            return detail::system_failure(
                reason, "to read " + std::to_string(into.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

/// Writes all of `from`, in as many calls as the system needs.
template <class Os>
[[nodiscard]] result<void> write_all(int number, std::uint64_t offset,
                                     std::span<std::byte const> from, std::string_view file) {
    std::size_t done = 0;
    while (done < from.size()) {
        auto const n = detail::uninterrupted([&] {
            return Os::write_at(number, from.data() + done, from.size() - done, offset + done);
        });
        if (n <= 0) {
            int const reason = n < 0 ? errno : EIO;
            return detail::system_failure(
                reason, "to write " + std::to_string(from.size() - done) + " bytes at offset " +
                            std::to_string(offset + done) + " of " + std::string(file));
        }
        done += static_cast<std::size_t>(n);
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/log.hpp
#ifndef VICINAL_STORAGE_LOG_HPP
#define VICINAL_STORAGE_LOG_HPP

// ---- vicinal/core/bits.hpp
#ifndef VICINAL_CORE_BITS_HPP
#define VICINAL_CORE_BITS_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// Little-endian integers in files: byte by byte, so that the host's order does not matter.
template <std::unsigned_integral U>
[[nodiscard]] constexpr U load_le(std::byte const* p) noexcept {
    U v = 0;
    // GCC 12 does not see one load in the loop below at -O2: 4 ns instead of a fraction of one.
    if (std::endian::native == std::endian::little && !std::is_constant_evaluated()) {
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    for (std::size_t i = 0; i < sizeof(U); ++i)
        v = static_cast<U>(v | static_cast<U>(static_cast<U>(p[i]) << (8 * i)));
    return v;
}

template <std::unsigned_integral U>
constexpr void store_le(std::byte* p, U v) noexcept {
    for (std::size_t i = 0; i < sizeof(U); ++i)
        p[i] = static_cast<std::byte>(static_cast<unsigned char>(v >> (8 * i)));
}

/// a * b and a + b with the overflow told: sizes that come from outside go through these.
template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_multiply(U a, U b, U& product) noexcept {
    return !__builtin_mul_overflow(a, b, &product);
}

template <std::unsigned_integral U>
[[nodiscard]] constexpr bool checked_add(U a, U b, U& sum) noexcept {
    return !__builtin_add_overflow(a, b, &sum);
}

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t v, std::uint64_t multiple) noexcept {
    return (v + multiple - 1) / multiple * multiple;
}

/// A 64-bit mixing function (Steele, Lea & Flood 2014, splitmix64): the library's only source of
/// randomness, so that a seed gives the same bytes with every standard library.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// Hash of a byte string, the same on every host: 8 bytes a step through `mix`.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view s) noexcept {
    auto const* p = reinterpret_cast<std::byte const*>(s.data());
    std::size_t n = s.size();
    std::uint64_t h = mix(n);
    for (; n >= 8; n -= 8, p += 8) h = mix(h ^ load_le<std::uint64_t>(p));
    std::uint64_t tail = 0;
    for (std::size_t i = 0; i < n; ++i)
        tail |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    return n == 0 ? h : mix(h ^ tail);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/durability.hpp
#ifndef VICINAL_STORAGE_DURABILITY_HPP
#define VICINAL_STORAGE_DURABILITY_HPP

namespace vicinal::inline VICINAL_ABI {

/// What "written" means when a call that changes a durable store returns.
///
/// Whatever the level: files hold a checksum for every byte, so that a store opens in a state that
/// it once had, or is refused; it never answers from half of a write.
enum class durability : std::uint8_t {
    /// Each write is on the disk when the call returns (one fdatasync a batch). Killing the process
    /// and cutting the power both lose nothing that was acknowledged.
    full,
    /// Each write is with the operating system when the call returns; the disk follows at
    /// checkpoint, close and sync(). Killing the process loses nothing; a power cut may lose the
    /// newest batches: what opens afterwards is all batches up to some point, at least up to the
    /// last sync, and the loss is reported.
    normal,
    /// Nothing is ever waited for, not even at a checkpoint. Killing the process loses nothing that
    /// the system had taken; after a power cut the store may be refused. For data that can be made
    /// again.
    off,
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/log_format.hpp
#ifndef VICINAL_STORAGE_LOG_FORMAT_HPP
#define VICINAL_STORAGE_LOG_FORMAT_HPP

// ---- vicinal/storage/crc32c.hpp
#ifndef VICINAL_STORAGE_CRC32C_HPP
#define VICINAL_STORAGE_CRC32C_HPP

#if defined(__x86_64__)
#    include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#    include <arm_acle.h>
#endif

namespace vicinal::inline VICINAL_ABI {

namespace detail {

using crc32c_tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Tables for eight bytes a step (Kounavis & Berry 2005, slicing-by-8), of the reflected
/// Castagnoli polynomial.
[[nodiscard]] constexpr crc32c_tables make_crc32c_tables() noexcept {
    crc32c_tables t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1U) != 0 ? 0x82f63b78U : 0U);
        t[0][i] = c;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t i = 0; i < 256; ++i)
            t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xffU];
    return t;
}

inline constexpr crc32c_tables crc32c_table = make_crc32c_tables();

/// The portable form: 2.3 GB/s where the instruction gives 10.6 GB/s.
[[nodiscard]] inline std::uint32_t crc32c_portable(std::uint32_t state, std::byte const* p,
                                                   std::size_t n) noexcept {
    auto const& t = crc32c_table;
    for (; n >= 8; n -= 8, p += 8) {
        auto const v = load_le<std::uint64_t>(p) ^ state;
        state = t[7][v & 0xffU] ^ t[6][(v >> 8) & 0xffU] ^ t[5][(v >> 16) & 0xffU] ^
                t[4][(v >> 24) & 0xffU] ^ t[3][(v >> 32) & 0xffU] ^ t[2][(v >> 40) & 0xffU] ^
                t[1][(v >> 48) & 0xffU] ^ t[0][v >> 56];
    }
    for (; n > 0; --n, ++p)
        state = (state >> 8) ^ t[0][(state ^ std::to_integer<std::uint32_t>(*p)) & 0xffU];
    return state;
}

#if defined(__x86_64__)
/// The processor's own instruction; only where it has SSE4.2, whatever the file is compiled for.
[[nodiscard]] __attribute__((target("sse4.2"))) inline std::uint32_t
crc32c_sse42(std::uint32_t state, std::byte const* p, std::size_t n) noexcept {
    std::uint64_t wide = state;
    for (; n >= 8; n -= 8, p += 8) {
        std::uint64_t v = 0;
        std::memcpy(&v, p, sizeof v);
        wide = _mm_crc32_u64(wide, v);
    }
    state = static_cast<std::uint32_t>(wide);
    for (; n > 0; --n, ++p) state = _mm_crc32_u8(state, std::to_integer<unsigned char>(*p));
    return state;
}
#endif

[[nodiscard]] inline std::uint32_t crc32c_update(std::uint32_t state, std::byte const* p,
                                                 std::size_t n) noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(state, p, n);
#elif defined(__ARM_FEATURE_CRC32)
    for (; n >= 8; n -= 8, p += 8) state = __crc32cd(state, load_le<std::uint64_t>(p));
    for (; n > 0; --n, ++p) state = __crc32cb(state, std::to_integer<unsigned char>(*p));
    return state;
#endif
    return crc32c_portable(state, p, n);
}

} // namespace detail

namespace storage {

/// CRC-32C (Castagnoli, RFC 3720) of the bytes: the checksum of every vicinal file. Continues a
/// checksum: crc32c(b, crc32c(a)) is that of a followed by b.
[[nodiscard]] inline std::uint32_t crc32c(std::span<std::byte const> bytes,
                                          std::uint32_t before = 0) noexcept {
    return ~detail::crc32c_update(~before, bytes.data(), bytes.size());
}

} // namespace storage

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/snapshot_header.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_HEADER_HPP
#define VICINAL_STORAGE_SNAPSHOT_HEADER_HPP

namespace vicinal::inline VICINAL_ABI::storage {

/// The name that every file of one store carries: 128 random bits.
using store_uuid = std::array<std::byte, 16>;

/// The unit of checking: one checksum for each block; a section starts at a multiple of it. Also
/// the largest page size of any system that can map the file.
inline constexpr std::uint64_t snapshot_block_bytes = 65536;

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> snapshot_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'I'},  std::byte{'C'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t snapshot_major = 1;
inline constexpr std::size_t snapshot_header_bytes = 4096;
inline constexpr std::size_t snapshot_entry_bytes = 128;
inline constexpr std::uint32_t most_sections = 4096;
inline constexpr std::uint64_t most_property_bytes = std::uint64_t{16} << 20;
inline constexpr std::uint32_t rows_little_endian = 0x01020304;

/// The fixed part of a snapshot, as docs/format.md lays it out.
struct snapshot_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    std::uint32_t sections = 0;
    std::uint64_t property_bytes = 0;
    std::uint64_t blocks = 0;
    std::uint32_t table_crc = 0;
    std::uint32_t properties_crc = 0;
    std::uint32_t block_crcs_crc = 0;

    [[nodiscard]] std::uint64_t table_bytes() const noexcept {
        return std::uint64_t{sections} * snapshot_entry_bytes;
    }
    [[nodiscard]] std::uint64_t block_crcs_at() const noexcept {
        return round_up(snapshot_header_bytes + table_bytes() + property_bytes, 8);
    }
    /// Where the first section starts.
    [[nodiscard]] std::uint64_t rows_at() const noexcept {
        return round_up(block_crcs_at() + blocks * 4, storage::snapshot_block_bytes);
    }
};

[[nodiscard]] inline bool all_zero(std::span<std::byte const> bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

inline void encode_header(snapshot_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, snapshot_header_bytes);
    std::memcpy(p, snapshot_magic.data(), snapshot_magic.size());
    store_le<std::uint16_t>(p + 8, snapshot_major);
    store_le<std::uint32_t>(p + 12, snapshot_header_bytes);
    std::memcpy(p + 40, h.uuid.data(), h.uuid.size());
    store_le(p + 56, h.generation);
    store_le(p + 64, h.last_lsn);
    store_le(p + 72, h.file_bytes);
    store_le<std::uint32_t>(p + 80, storage::snapshot_block_bytes);
    store_le(p + 84, h.sections);
    store_le<std::uint32_t>(p + 88, 1);
    store_le(p + 92, rows_little_endian);
    store_le(p + 96, h.table_bytes());
    store_le(p + 104, h.property_bytes);
    store_le(p + 112, h.blocks);
    store_le(p + 120, h.table_crc);
    store_le(p + 124, h.properties_crc);
    store_le(p + 128, h.block_crcs_crc);
    store_le(p + 4092, storage::crc32c({p, 4092}));
}

/// Reads the header of a file of `actual_bytes`; nothing that it gives reaches beyond the file.
/// `writable` is whether the caller means to write the store.
[[nodiscard]] inline result<snapshot_header> decode_header(std::byte const* p,
                                                           std::uint64_t actual_bytes,
                                                           bool writable, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in the header of " + file,
                     std::move(got)};
    };
    if (std::memcmp(p, snapshot_magic.data(), snapshot_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 49 43 0D 0A 1A 0A at offset 0", "other bytes");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > snapshot_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 4092}) != load_le<std::uint32_t>(p + 4092))
        return corrupt("the checksum at offset 4092", "another");
    if (load_le<std::uint64_t>(p + 16) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "incompatible features " + std::to_string(load_le<std::uint64_t>(p + 16))};
    if (writable && load_le<std::uint64_t>(p + 24) != 0)
        return error{errc::newer_format,
                     "no feature that this build cannot write in " + file + " (open it read-only)",
                     "features " + std::to_string(load_le<std::uint64_t>(p + 24))};

    snapshot_header h;
    std::memcpy(h.uuid.data(), p + 40, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 56);
    h.last_lsn = load_le<std::uint64_t>(p + 64);
    h.file_bytes = load_le<std::uint64_t>(p + 72);
    h.sections = load_le<std::uint32_t>(p + 84);
    h.property_bytes = load_le<std::uint64_t>(p + 104);
    h.blocks = load_le<std::uint64_t>(p + 112);
    h.table_crc = load_le<std::uint32_t>(p + 120);
    h.properties_crc = load_le<std::uint32_t>(p + 124);
    h.block_crcs_crc = load_le<std::uint32_t>(p + 128);
    if (h.file_bytes != actual_bytes)
        return corrupt("a file of " + std::to_string(h.file_bytes) + " bytes, as offset 72 says,",
                       std::to_string(actual_bytes) + " bytes");
    if (major != snapshot_major || load_le<std::uint32_t>(p + 12) != snapshot_header_bytes ||
        load_le<std::uint32_t>(p + 80) != storage::snapshot_block_bytes ||
        load_le<std::uint32_t>(p + 88) != 1 || load_le<std::uint32_t>(p + 92) != rows_little_endian)
        return corrupt("header of 4096 bytes, blocks of 65536, CRC-32C, little-endian rows",
                       "other values");
    // Each bound keeps the sums in rows_at() far from overflow.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        h.blocks > actual_bytes / storage::snapshot_block_bytes ||
        h.table_bytes() != load_le<std::uint64_t>(p + 96) || h.rows_at() > actual_bytes ||
        h.rows_at() > SIZE_MAX / 4)
        return corrupt("section table, properties and checksums inside the file", "larger ones");
    if (!all_zero({p + 132, 4092 - 132})) return corrupt("zeros behind offset 132", "other bytes");
    return h;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::array<std::byte, 8> log_magic{
    std::byte{0x89}, std::byte{'V'},  std::byte{'L'},  std::byte{'G'},
    std::byte{0x0d}, std::byte{0x0a}, std::byte{0x1a}, std::byte{0x0a}};
inline constexpr std::uint16_t log_major = 1;
inline constexpr std::size_t log_header_bytes = 64;
inline constexpr std::size_t log_record_bytes = 32;
/// Of one record's payload: a batch that is larger is split by the caller.
inline constexpr std::uint64_t most_payload_bytes = std::uint64_t{1} << 30;

/// The start of a log.
struct log_header {
    storage::store_uuid uuid{};
    std::uint64_t generation = 0;
    std::uint64_t first_lsn = 1;
    /// Random: goes into every record's checksum, so that a record of another log, which the file
    /// system may show behind the end after a power cut, is never valid here.
    std::uint64_t salt = 0;
};

/// What a record is: an atomic batch of the layer above, or the mark of a close in order.
enum class log_kind : std::uint8_t { batch = 1, clean = 2 };

struct log_record {
    std::uint32_t crc = 0;
    std::uint32_t payload_bytes = 0;
    std::uint64_t lsn = 0;
    /// The newest record that was known to be on the disk when this one was written.
    std::uint64_t synced_lsn = 0;
    std::uint8_t kind = 0;

    /// With header and padding.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return log_record_bytes + round_up(payload_bytes, 8);
    }
};

inline void encode_log_header(log_header const& h, std::byte* p) noexcept {
    std::memset(p, 0, log_header_bytes);
    std::memcpy(p, log_magic.data(), log_magic.size());
    store_le(p + 8, log_major);
    store_le<std::uint32_t>(p + 12, log_header_bytes);
    std::memcpy(p + 16, h.uuid.data(), h.uuid.size());
    store_le(p + 32, h.generation);
    store_le(p + 40, h.first_lsn);
    store_le(p + 48, h.salt);
    store_le(p + 60, storage::crc32c({p, 60}));
}

[[nodiscard]] inline result<log_header> decode_log_header(std::byte const* p,
                                                          std::string const& file) {
    auto const corrupt = [&file](std::string expected) -> error {
        return error{errc::corrupt_log, expected + " in the header of " + file, "another"};
    };
    if (std::memcmp(p, log_magic.data(), log_magic.size()) != 0)
        return corrupt("the magic bytes 89 56 4C 47 0D 0A 1A 0A at offset 0");
    auto const major = load_le<std::uint16_t>(p + 8);
    if (major > log_major)
        return error{errc::newer_format, "format 1 in " + file,
                     "format " + std::to_string(major) + ", written by a newer vicinal"};
    if (storage::crc32c({p, 60}) != load_le<std::uint32_t>(p + 60))
        return corrupt("the checksum at offset 60");
    if (load_le<std::uint32_t>(p + 56) != 0)
        return error{errc::newer_format, "no feature that this build does not know in " + file,
                     "features " + std::to_string(load_le<std::uint32_t>(p + 56))};
    if (major != log_major || load_le<std::uint32_t>(p + 12) != log_header_bytes)
        return corrupt("format 1 and a header of 64 bytes");
    log_header h;
    std::memcpy(h.uuid.data(), p + 16, h.uuid.size());
    h.generation = load_le<std::uint64_t>(p + 32);
    h.first_lsn = load_le<std::uint64_t>(p + 40);
    h.salt = load_le<std::uint64_t>(p + 48);
    return h;
}

/// The checksum of a record at `offset` of a log: over everything behind the checksum itself, begun
/// with salt and place. `bytes` is the whole record, padding included.
[[nodiscard]] inline std::uint32_t record_crc(std::uint64_t salt, std::uint64_t offset,
                                              std::span<std::byte const> bytes) noexcept {
    std::array<std::byte, 16> seed;
    store_le(seed.data(), salt);
    store_le(seed.data() + 8, offset);
    return storage::crc32c(bytes.subspan(4), storage::crc32c(seed));
}

/// Writes header and checksum into `bytes`, in which payload and padding stand already.
inline void seal_record(log_record& r, std::uint64_t salt, std::uint64_t offset,
                        std::span<std::byte> bytes) noexcept {
    auto* const p = bytes.data();
    std::memset(p, 0, log_record_bytes);
    store_le(p + 4, r.payload_bytes);
    store_le(p + 8, r.lsn);
    store_le(p + 16, r.synced_lsn);
    p[24] = std::byte{r.kind};
    r.crc = record_crc(salt, offset, bytes);
    store_le(p, r.crc);
}

/// Reads a record's 32 bytes; whether they are those of a record only its checksum says.
[[nodiscard]] inline log_record load_record(std::byte const* p) noexcept {
    return {load_le<std::uint32_t>(p), load_le<std::uint32_t>(p + 4), load_le<std::uint64_t>(p + 8),
            load_le<std::uint64_t>(p + 16), std::to_integer<std::uint8_t>(p[24])};
}

/// The payload of the clean mark: how many records stand before it, and a digest of their
/// checksums, so that a log that lost whole records is told from one that never had them.
inline constexpr std::size_t clean_payload_bytes = 16;

[[nodiscard]] inline std::uint32_t chain(std::uint32_t digest, std::uint32_t crc) noexcept {
    std::array<std::byte, 4> bytes;
    store_le(bytes.data(), crc);
    return storage::crc32c(bytes, digest);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/log_scan.hpp
#ifndef VICINAL_STORAGE_LOG_SCAN_HPP
#define VICINAL_STORAGE_LOG_SCAN_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// What a scan found: where the valid part ends and what the next record continues.
struct log_state {
    std::uint64_t end = log_header_bytes;
    /// The number of the newest record, marks included.
    std::uint64_t last_lsn = 0;
    /// Records of any kind, and the digest of their checksums.
    std::uint64_t count = 0;
    std::uint32_t digest = 0;
    /// Records with a batch in them, and the bytes of these.
    std::uint64_t batches = 0;
    std::uint64_t batch_bytes = 0;
    /// The newest record is the mark of a close in order.
    bool clean = false;
};

/// A log read through a buffer, so that replaying needs no more memory than its largest record.
template <class Os>
class log_window {
public:
    log_window(int file, std::uint64_t size, std::string const& shown) noexcept
        : file_(file), size_(size), shown_(shown) {}

    /// The bytes from `offset`, `n` of them; fewer where the file ends. Valid until the next call.
    [[nodiscard]] result<std::span<std::byte const>> at(std::uint64_t offset, std::uint64_t n) {
        n = (std::min)(n, size_ - (std::min)(offset, size_));
        if (offset < begin_ || offset - begin_ > buffer_.size() ||
            buffer_.size() - (offset - begin_) < n) {
            auto const wanted = (std::max)(
                n, (std::min)(std::uint64_t{1} << 20, size_ - (std::min)(offset, size_)));
            buffer_.resize(static_cast<std::size_t>(wanted));
            begin_ = offset;
            auto const got = storage::read_up_to<Os>(file_, offset, buffer_, shown_);
            if (!got) return got.error();
            // A writer in another process may have cut the file meanwhile.
            buffer_.resize(*got);
        }
        auto const from = static_cast<std::size_t>(offset - begin_);
        auto const all = std::span<std::byte const>(buffer_).subspan(from);
        return all.first((std::min)(all.size(), static_cast<std::size_t>(n)));
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }

private:
    int file_;
    std::uint64_t size_;
    std::string const& shown_;
    std::vector<std::byte> buffer_;
    std::uint64_t begin_ = 0;
};

/// The record at `offset` with its payload, or nothing where its checksum does not hold or the file
/// ends inside it.
struct whole_record {
    log_record record;
    std::span<std::byte const> bytes;
};
template <class Os>
[[nodiscard]] result<std::optional<whole_record>>
read_record(log_window<Os>& window, std::uint64_t salt, std::uint64_t offset) {
    std::optional<whole_record> none;
    auto const head = window.at(offset, log_record_bytes);
    if (!head) return head.error();
    if (head->size() < log_record_bytes) return none;
    auto const r = load_record(head->data());
    if (r.payload_bytes > most_payload_bytes || r.bytes() > window.size() - offset) return none;
    auto const bytes = window.at(offset, r.bytes());
    if (!bytes) return bytes.error();
    if (bytes->size() < r.bytes() || record_crc(salt, offset, *bytes) != r.crc) return none;
    return std::optional<whole_record>(whole_record{r, *bytes});
}

[[nodiscard]] inline error log_damage(std::string const& shown, std::uint64_t offset,
                                      std::uint64_t lsn, std::string got) {
    return error{errc::corrupt_log,
                 "record " + std::to_string(lsn) + " at offset " + std::to_string(offset) + " of " +
                     shown,
                 std::move(got)};
}

/// Whether a record may start at `p`, by its 32 bytes: one of those behind an invalid one at
/// `offset`, where record `lsn` belongs. Its checksum is what decides.
[[nodiscard]] inline bool plausible(log_record const& r, std::uint64_t p, std::uint64_t offset,
                                    std::uint64_t lsn, std::uint64_t size) noexcept {
    return r.lsn > lsn && r.lsn - lsn <= (p - offset) / log_record_bytes && r.synced_lsn < r.lsn &&
           (r.kind == 1 || r.kind == 2) && r.payload_bytes <= most_payload_bytes &&
           r.bytes() <= size - p;
}
/// Bytes of payloads may look like records by design of an attacker, each claiming the whole rest:
/// so many bytes are looked at behind a damaged place, and no more.
[[nodiscard]] inline std::uint64_t search_budget(std::uint64_t bytes) noexcept {
    return 8 * bytes + (std::uint64_t{1} << 26);
}

/// Decides what an invalid record at `offset`, where record `lsn` belongs, is. A write that was cut
/// off is success: nothing behind it shows that it had been complete. Damage is an error: a valid
/// record behind it says that record `lsn` was on the disk, or that the store was closed in order.
///
/// Records that were never synced (durability normal or off) reach the disk in any order, so that a
/// valid one behind the gap alone proves no damage; it is dropped with it.
template <class Os>
[[nodiscard]] result<void> check_torn(log_window<Os>& window, std::uint64_t salt,
                                      std::uint64_t offset, std::uint64_t lsn) {
    // A log that exceeds it is refused.
    auto budget = search_budget(window.size() - offset);
    for (auto p = offset + 8; p + log_record_bytes <= window.size(); p += 8) {
        auto const head = window.at(p, log_record_bytes);
        if (!head) return head.error();
        if (head->size() < log_record_bytes) break;
        auto const r = load_record(head->data());
        if (!plausible(r, p, offset, lsn, window.size())) continue;
        if (r.bytes() > budget)
            return log_damage(window.shown(), offset, lsn, "too many pieces of records behind it");
        budget -= r.bytes();
        auto const later = read_record(window, salt, p);
        if (!later) return later.error();
        if (!*later) continue;
        if (r.synced_lsn >= lsn || r.kind == static_cast<std::uint8_t>(log_kind::clean))
            return log_damage(window.shown(), offset, lsn,
                              "damaged bytes; record " + std::to_string(r.lsn) + " at offset " +
                                  std::to_string(p) + " shows that it was complete");
        p += r.bytes() - 8;
    }
    return {};
}

/// Hands the payload of each batch behind the state `s` to `apply(span) -> result<void>`, up to the
/// end of the valid part, and moves `s` there record by record. `closed`: the log's name says that
/// it was closed in order, so that every byte must hold. errc::corrupt_log names file and offset.
template <class Os, class Apply>
[[nodiscard]] result<void> scan_on(log_state& s, int file, std::string const& shown,
                                   std::uint64_t size, log_header const& header, bool closed,
                                   Apply&& apply) {
    log_window<Os> window(file, size, shown);
    while (s.end < size) {
        auto const lsn = s.last_lsn + 1;
        auto const found = read_record(window, header.salt, s.end);
        if (!found) return found.error();
        if (!*found) {
            if (closed)
                return log_damage(shown, s.end, lsn, "damaged bytes in a log closed in order");
            return check_torn(window, header.salt, s.end, lsn);
        }
        auto const& [r, bytes] = **found;
        auto const payload = bytes.subspan(log_record_bytes, r.payload_bytes);
        if (r.lsn != lsn || r.synced_lsn >= r.lsn)
            return log_damage(shown, s.end, lsn, "record " + std::to_string(r.lsn));
        bool const clean = r.kind == static_cast<std::uint8_t>(log_kind::clean);
        if ((!clean && r.kind != static_cast<std::uint8_t>(log_kind::batch)) ||
            !all_zero(bytes.subspan(25, 7)))
            return error{errc::newer_format,
                         "records of kind 1 or 2 at offset " + std::to_string(s.end) + " of " +
                             shown,
                         "kind " + std::to_string(r.kind) + ", written by a newer vicinal"};
        if (!all_zero(bytes.subspan(log_record_bytes + r.payload_bytes)))
            return log_damage(shown, s.end, lsn, "padding that is not zero");
        if (clean) {
            if (payload.size() != clean_payload_bytes ||
                load_le<std::uint64_t>(payload.data()) != s.count ||
                load_le<std::uint32_t>(payload.data() + 8) != s.digest ||
                !all_zero(payload.subspan(12)))
                return log_damage(shown, s.end, lsn, "a mark of a close that counts other records");
        } else {
            VICINAL_CHECK(apply(payload));
            ++s.batches;
            s.batch_bytes += r.bytes();
        }
        s.digest = chain(s.digest, r.crc);
        ++s.count;
        s.last_lsn = lsn;
        s.end += r.bytes();
        s.clean = clean;
    }
    if (closed && !s.clean)
        return log_damage(shown, s.end, s.last_lsn + 1, "the end, without the mark of a close");
    return {};
}

/// The same from the log's first record on.
template <class Os, class Apply>
[[nodiscard]] result<log_state> scan_log(int file, std::string const& shown, std::uint64_t size,
                                         log_header const& header, bool closed, Apply&& apply) {
    log_state s;
    s.last_lsn = header.first_lsn - 1;
    VICINAL_CHECK(scan_on<Os>(s, file, shown, size, header, closed, apply));
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/store_directory.hpp
#ifndef VICINAL_STORAGE_STORE_DIRECTORY_HPP
#define VICINAL_STORAGE_STORE_DIRECTORY_HPP

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr char const* lock_name = "LOCK";

[[nodiscard]] inline std::string generation_name(std::string_view before, std::uint64_t generation,
                                                 std::string_view after) {
    auto const digits = std::to_string(generation);
    std::string name(before);
    if (digits.size() < 8) name.append(8 - digits.size(), '0');
    return name.append(digits).append(after);
}
[[nodiscard]] inline std::string snapshot_name(std::uint64_t generation) {
    return generation_name("snap-", generation, ".vic");
}
/// The log as it is written to.
[[nodiscard]] inline std::string log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".vlog");
}
/// The log after a close in order. The name is the promise that every byte of it is valid: no
/// ending of such a file can be taken for a write that was cut off.
[[nodiscard]] inline std::string closed_log_name(std::uint64_t generation) {
    return generation_name("log-", generation, ".closed.vlog");
}
inline constexpr std::string_view temporary_suffix = ".tmp";

/// What a store's directory holds, by the names alone.
struct store_listing {
    std::vector<std::uint64_t> snapshots;
    std::vector<std::uint64_t> logs;
    std::vector<std::uint64_t> closed_logs;
    std::vector<std::string> temporary;
    /// A name that no store has; empty where there is none.
    std::string foreign;

    /// Nothing but LOCK, if that.
    [[nodiscard]] bool empty() const noexcept {
        return snapshots.empty() && logs.empty() && closed_logs.empty() && temporary.empty() &&
               foreign.empty();
    }
    /// 0 where there is no snapshot.
    [[nodiscard]] std::uint64_t newest() const noexcept {
        return snapshots.empty() ? 0 : *std::max_element(snapshots.begin(), snapshots.end());
    }
    [[nodiscard]] static bool has(std::vector<std::uint64_t> const& list,
                                  std::uint64_t g) noexcept {
        return std::find(list.begin(), list.end(), g) != list.end();
    }
};

/// The generation in a name of that form, or 0: the name must be the one that is written for it.
template <class Name>
[[nodiscard]] std::uint64_t generation_in(std::string_view name, std::string_view before,
                                          Name&& written) {
    if (name.substr(0, before.size()) != before) return 0;
    std::uint64_t g = 0;
    for (char const c : name.substr(before.size())) {
        if (c < '0' || c > '9') break;
        if (g > (UINT64_MAX - 9) / 10) return 0;
        g = g * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return g != 0 && written(g) == name ? g : 0;
}

/// Sorts one name of a directory into the listing.
inline void classify(std::string const& name, store_listing& into) {
    if (name == lock_name) return;
    if (auto const g = generation_in(name, "snap-", snapshot_name); g != 0)
        return into.snapshots.push_back(g);
    if (auto const g = generation_in(name, "log-", log_name); g != 0) return into.logs.push_back(g);
    if (auto const g = generation_in(name, "log-", closed_log_name); g != 0)
        return into.closed_logs.push_back(g);
    if (name.size() > temporary_suffix.size() && name.ends_with(temporary_suffix)) {
        auto const whole = name.substr(0, name.size() - temporary_suffix.size());
        if (generation_in(whole, "snap-", snapshot_name) != 0 ||
            generation_in(whole, "log-", log_name) != 0)
            return into.temporary.push_back(name);
    }
    into.foreign = name;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory, held open: files are named relative to it, so that it may be renamed.
template <class Os>
class store_directory {
public:
    store_directory() = default;

    /// errc::not_found, not_a_directory, io_failure.
    [[nodiscard]] static result<store_directory> open(std::string_view path) {
        store_directory d;
        d.path_ = path;
        if (path.empty() || path.find('\0') != std::string_view::npos)
            return error{errc::invalid_argument, "the path of a store",
                         path.empty() ? "an empty one" : "one with a zero byte in it"};
        d.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_directory(d.path_.c_str()); }));
        if (d.file_) return d;
        int const reason = errno;
        if (reason == ENOENT) return error{errc::not_found, "a store at '" + d.path_ + "'"};
        if (reason == ENOTDIR)
            return error{errc::not_a_directory, "a directory at '" + d.path_ + "'", "a file"};
        return detail::system_failure(reason, "to open the directory '" + d.path_ + "'");
    }

    /// Makes the directory and has its own name reach the disk, if asked.
    [[nodiscard]] static result<void> make(std::string_view path, bool sync) {
        std::string const text(path);
        if (detail::uninterrupted([&] { return Os::make_directory(text.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            if (reason == ENOENT)
                return error{errc::not_found, "the directory that '" + text + "' is to be made in"};
            return detail::system_failure(reason, "to make the directory '" + text + "'");
        }
        if (!sync) return {};
        auto const end = path.find_last_not_of('/');
        auto const slash = path.substr(0, end + 1).find_last_of('/');
        auto const parent = open(slash == std::string_view::npos ? std::string_view(".")
                                 : slash == 0                    ? std::string_view("/")
                                                                 : path.substr(0, slash));
        if (!parent) return parent.error();
        return parent->sync();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    /// A file of the store as errors name it.
    [[nodiscard]] std::string shown(std::string const& name) const { return path_ + "/" + name; }

    [[nodiscard]] result<detail::store_listing> list() const {
        std::vector<std::string> names;
        if (detail::uninterrupted([&] { return Os::list(file_.get(), names); }) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to list the directory '" + path_ + "'");
        }
        detail::store_listing found;
        for (auto const& name : names) detail::classify(name, found);
        return found;
    }

    /// Names made, renamed and removed so far reach the disk. errc::writer_poisoned where that
    /// fails: what the disk holds is then not known.
    [[nodiscard]] result<void> sync() const {
        if (detail::uninterrupted([&] { return Os::sync_all(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync the directory '" + path_ + "'",
                     std::generic_category().message(reason)};
    }

    [[nodiscard]] result<void> rename(std::string const& from, std::string const& to) const {
        if (detail::uninterrupted(
                [&] { return Os::rename_file(file_.get(), from.c_str(), to.c_str()); }) == 0)
            return {};
        int const reason = errno;
        return detail::system_failure(reason, "to rename " + shown(from) + " to " + to);
    }

    /// Whether there is certainly no such file.
    [[nodiscard]] bool lacks(std::string const& name) const noexcept {
        descriptor<Os> const file(
            detail::uninterrupted([&] { return Os::open_read(file_.get(), name.c_str()); }));
        return !file && errno == ENOENT;
    }

    /// Where it fails the file stays; the next writer tries again.
    void remove(std::string const& name) const noexcept {
        static_cast<void>(Os::remove_file(file_.get(), name.c_str()));
    }

private:
    descriptor<Os> file_;
    std::string path_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// What replaying a log found.
struct replay_report {
    /// Batches handed on, and their bytes in the file.
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    /// What stood behind the last valid record: a write that was cut off. 0 after a close in order
    /// and after a killed process, unless it was killed in the middle of a write.
    std::uint64_t bytes_dropped = 0;
    std::uint64_t last_lsn = 0;
    /// The last writer closed the store in order.
    bool clean = false;
};

/// A log up to some record, for reading beside whoever writes it.
template <class Os>
struct log_view {
    descriptor<Os> file = {};
    std::string shown = {};
    detail::log_header header = {};
    std::uint64_t end = 0;
    bool closed = false;
};

/// The log of one generation: opened, replayed once, then appended to.
template <class Os>
class log_file {
public:
    log_file() = default;

    /// Makes a log without records; it replaces one of that name.
    [[nodiscard]] static result<log_file> make(store_directory<Os> const& directory,
                                               std::string const& name, detail::log_header header,
                                               bool sync) {
        log_file l;
        l.shown_ = directory.shown(name);
        std::array<std::byte, 8> salt{};
        if (Os::random_bytes(salt.data(), salt.size()) != 0) {
            int const reason = errno;
            return detail::system_failure(reason, "8 random bytes for " + l.shown_);
        }
        header.salt = detail::load_le<std::uint64_t>(salt.data());
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_empty(directory.number(), name.c_str()); }));
        if (!l.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to make " + l.shown_);
        }
        std::array<std::byte, detail::log_header_bytes> bytes;
        detail::encode_log_header(header, bytes.data());
        VICINAL_CHECK(write_all<Os>(l.file_.get(), 0, bytes, l.shown_));
        if (sync) VICINAL_CHECK(l.sync_file());
        l.header_ = header;
        l.size_ = bytes.size();
        l.state_.last_lsn = header.first_lsn - 1;
        l.synced_lsn_ = sync ? l.state_.last_lsn : 0;
        l.replayed_ = true;
        return l;
    }

    /// Opens a log and checks its header. errc::not_found where there is none.
    [[nodiscard]] static result<log_file> open(store_directory<Os> const& directory,
                                               std::string const& name, bool writable,
                                               bool closed) {
        log_file l;
        l.shown_ = directory.shown(name);
        l.closed_ = closed;
        l.file_ = descriptor<Os>(detail::uninterrupted([&] {
            return writable ? Os::open_write(directory.number(), name.c_str())
                            : Os::open_read(directory.number(), name.c_str());
        }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, l.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + l.shown_);
        }
        auto const size = Os::file_bytes(l.file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + l.shown_);
        }
        l.size_ = static_cast<std::uint64_t>(size);
        std::array<std::byte, detail::log_header_bytes> bytes{};
        auto const n = read_up_to<Os>(l.file_.get(), 0, bytes, l.shown_);
        if (!n) return n.error();
        // A log gets its name after its header: a shorter one is no write that was cut off.
        if (*n < bytes.size())
            return error{errc::corrupt_log, "a header of 64 bytes in " + l.shown_,
                         std::to_string(*n) + " bytes"};
        auto const header = detail::decode_log_header(bytes.data(), l.shown_);
        if (!header) return header.error();
        l.header_ = *header;
        return l;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] detail::log_header const& header() const noexcept { return header_; }
    [[nodiscard]] std::uint64_t last_lsn() const noexcept { return state_.last_lsn; }
    /// Bytes of the records, without header.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return (replayed_ ? state_.end : size_) - detail::log_header_bytes;
    }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    /// The file has the name of a log that was closed in order.
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] bool replayed() const noexcept { return replayed_; }

    /// Hands every batch to `apply`. A writer cuts off what a broken write has left.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply, bool writable, bool sync) {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, size_, header_, closed_, apply);
        if (!found) return found.error();
        if (auto const dropped = size_ - found->end; dropped > 0 && writable) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), found->end); }) !=
                0) {
                int const reason = errno;
                return detail::system_failure(reason, "to cut the broken write off " + shown_);
            }
        }
        // What was read may still be in the page cache only, as after a killed writer; it counts as
        // acknowledged from here on.
        if (writable && sync && size_ > detail::log_header_bytes) VICINAL_CHECK(sync_file());
        state_ = *found;
        synced_lsn_ = sync ? state_.last_lsn : 0;
        replayed_ = true;
        return replay_report{state_.batches, state_.batch_bytes, size_ - state_.end,
                             state_.last_lsn, state_.clean && size_ == state_.end};
    }

    /// Hands on what a writer in another process has appended since, and gives how many batches
    /// that was; what it is writing just now comes another time. errc::corrupt_log names file and
    /// offset.
    template <class Apply>
    [[nodiscard]] result<std::uint64_t> replay_more(Apply&& apply) {
        auto const size = Os::file_bytes(file_.get());
        if (size < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + shown_);
        }
        size_ = static_cast<std::uint64_t>(size);
        auto const before = state_.batches;
        if (size_ > state_.end) {
            // It was opened again if it had been closed in order.
            closed_ = false;
            VICINAL_CHECK(
                detail::scan_on<Os>(state_, file_.get(), shown_, size_, header_, closed_, apply));
        }
        return state_.batches - before;
    }

    /// Reads again what replaying and appending have seen, and compares every checksum.
    /// errc::corrupt_log names file and offset.
    [[nodiscard]] result<void> check() const {
        auto const found =
            detail::scan_log<Os>(file_.get(), shown_, state_.end, header_, closed_,
                                 [](std::span<std::byte const>) { return result<void>(); });
        if (!found) return found.error();
        if (found->end == state_.end) return {};
        return detail::log_damage(shown_, found->end, found->last_lsn + 1, "damaged bytes");
    }

    /// The log as it is now: up to the last record that was appended or replayed, or all of the
    /// file where it was not replayed.
    [[nodiscard]] result<log_view<Os>> view() const {
        log_view<Os> v{file_.duplicate(), shown_, header_, bytes() + detail::log_header_bytes,
                       closed_};
        if (v.file) return v;
        int const reason = errno;
        return detail::system_failure(reason, "to open " + shown_ + " once more");
    }

    /// Memory for one record of that payload: append() then needs no more unless it fails.
    /// errc::limit_exceeded above 1 GiB.
    [[nodiscard]] result<void> make_room(std::size_t payload_bytes) {
        if (payload_bytes > detail::most_payload_bytes)
            return error{errc::limit_exceeded, "at most 1 GiB in one log record",
                         std::to_string(payload_bytes) + " bytes"};
        scratch_.reserve(static_cast<std::size_t>(detail::log_record_bytes +
                                                  detail::round_up(payload_bytes, 8)));
        return {};
    }

    /// Appends a record with one write; syncs it if asked. On failure the record is not in the log:
    /// its bytes are cut off again. errc::writer_poisoned where that or the sync failed.
    [[nodiscard]] result<void> append(detail::log_kind kind, std::span<std::byte const> payload,
                                      bool sync) {
        VICINAL_CHECK(make_room(payload.size()));
        detail::log_record r;
        r.payload_bytes = static_cast<std::uint32_t>(payload.size());
        r.lsn = state_.last_lsn + 1;
        r.synced_lsn = synced_lsn_;
        r.kind = static_cast<std::uint8_t>(kind);
        scratch_.assign(static_cast<std::size_t>(r.bytes()), std::byte{0});
        std::copy(payload.begin(), payload.end(), scratch_.begin() + detail::log_record_bytes);
        detail::seal_record(r, header_.salt, state_.end, scratch_);
        if (auto const written = write_all<Os>(file_.get(), state_.end, scratch_, shown_);
            !written) {
            if (detail::uninterrupted([&] { return Os::truncate_file(file_.get(), state_.end); }) !=
                0)
                return error{errc::writer_poisoned, written.error().expected(),
                             written.error().got()};
            return written.error();
        }
        if (sync) VICINAL_CHECK(sync_file());
        state_.end += r.bytes();
        state_.last_lsn = r.lsn;
        state_.digest = detail::chain(state_.digest, r.crc);
        ++state_.count;
        state_.clean = kind == detail::log_kind::clean;
        if (sync) synced_lsn_ = r.lsn;
        // A batch that was large once must not hold its memory for good.
        if (scratch_.capacity() > most_scratch) scratch_ = {};
        return {};
    }

    /// Appends the mark of a close in order.
    [[nodiscard]] result<void> append_clean(bool sync) {
        std::array<std::byte, detail::clean_payload_bytes> payload{};
        detail::store_le(payload.data(), state_.count);
        detail::store_le(payload.data() + 8, state_.digest);
        return append(detail::log_kind::clean, payload, sync);
    }

    /// Everything appended so far reaches the disk.
    [[nodiscard]] result<void> sync() {
        if (synced_lsn_ == state_.last_lsn) return {};
        VICINAL_CHECK(sync_file());
        synced_lsn_ = state_.last_lsn;
        return {};
    }

    /// The file was renamed.
    void renamed(std::string shown, bool closed) noexcept {
        shown_ = std::move(shown);
        closed_ = closed;
    }

private:
    static constexpr std::size_t most_scratch = std::size_t{4} << 20;

    /// A failed sync leaves unknown what the disk holds, and a second one may succeed although the
    /// data is gone: the writer must stop.
    [[nodiscard]] result<void> sync_file() {
        if (detail::uninterrupted([&] { return Os::sync_data(file_.get()); }) == 0) return {};
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown_,
                     std::generic_category().message(reason)};
    }

    descriptor<Os> file_;
    std::string shown_;
    detail::log_header header_;
    detail::log_state state_;
    std::uint64_t size_ = detail::log_header_bytes;
    std::uint64_t synced_lsn_ = 0;
    bool closed_ = false;
    bool replayed_ = false;
    std::vector<std::byte> scratch_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/snapshot.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_HPP
#define VICINAL_STORAGE_SNAPSHOT_HPP

// ---- vicinal/storage/replacement.hpp
#ifndef VICINAL_STORAGE_REPLACEMENT_HPP
#define VICINAL_STORAGE_REPLACEMENT_HPP

namespace vicinal::inline VICINAL_ABI::storage {

/// Rows that a column shall have instead of its own: as they lie in memory, or as they are made
/// while they are written, so that a column of any size needs no memory for its successor.
struct replacement {
    std::string name;
    std::size_t row_bytes = 1;
    std::span<std::byte const> rows = {};
    /// Instead of `rows`: how many bytes, and what gives the next of them with each call.
    std::uint64_t filled_bytes = 0;
    std::function<void(std::span<std::byte>)> fill = {};

    [[nodiscard]] std::uint64_t bytes() const noexcept { return fill ? filled_bytes : rows.size(); }
    /// Writes the next bytes to `out`, of those from `at` on. Each byte is to be asked for once and
    /// in order.
    void next(std::uint64_t at, std::span<std::byte> out) const {
        if (fill)
            fill(out);
        else if (!out.empty())
            std::memcpy(out.data(), rows.data() + at, out.size());
    }
};

/// Runs of bytes one behind the other: run(i) for each i below `count`, `bytes` in all. What run
/// gives must stay in place until the replacement is written.
template <class Run>
[[nodiscard]] replacement joined_runs(std::string_view name, std::size_t row_bytes,
                                      std::uint64_t bytes, std::size_t count, Run run) {
    auto const give = [run = std::move(run), count, i = std::size_t{0},
                       from = std::size_t{0}](std::span<std::byte> out) mutable {
        for (std::size_t done = 0; done < out.size() && i < count;) {
            std::span<std::byte const> const piece = run(i);
            auto const n = (std::min)(piece.size() - from, out.size() - done);
            if (n > 0) std::memcpy(out.data() + done, piece.data() + from, n);
            done += n;
            from += n;
            if (from < piece.size()) return;
            from = 0;
            ++i;
        }
    };
    return {std::string(name), row_bytes, {}, bytes, give};
}

/// Rows that the replacement owns.
template <class T>
[[nodiscard]] replacement owned_rows(std::string_view name, std::size_t row_bytes,
                                     std::vector<T> values) {
    auto const held = std::make_shared<std::vector<T> const>(std::move(values));
    return joined_runs(name, row_bytes, held->size() * sizeof(T), 1,
                       [held](std::size_t) { return std::as_bytes(std::span(*held)); });
}

/// The rows of a column that `numbers` lists. Both must stay in place, and the column unchanged,
/// until the replacement is written.
template <class Column>
[[nodiscard]] replacement chosen_rows(std::string_view name, Column const& column,
                                      std::span<std::uint32_t const> numbers) {
    auto const width = column.row_bytes();
    return joined_runs(name, width, std::uint64_t{numbers.size()} * width, numbers.size(),
                       [from = column.reader(), numbers, width](std::size_t i) {
                           return std::span<std::byte const>(from.row(numbers[i]), width);
                       });
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/snapshot_layout.hpp
#ifndef VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP
#define VICINAL_STORAGE_SNAPSHOT_LAYOUT_HPP

// ---- vicinal/storage/properties.hpp
#ifndef VICINAL_STORAGE_PROPERTIES_HPP
#define VICINAL_STORAGE_PROPERTIES_HPP

namespace vicinal::inline VICINAL_ABI::storage {

/// Names and byte strings by which a store says in its files what it is: metric, dimension, index
/// and so on. Sorted by name, each name once; the storage keeps them and does not read them.
class properties {
public:
    using entry = std::pair<std::string, std::string>;

    properties() = default;
    properties(std::initializer_list<entry> list) {
        for (auto const& [name, bytes] : list) set(name, bytes);
    }

    /// The bytes of that name, or nullptr.
    [[nodiscard]] std::string const* find(std::string_view name) const noexcept {
        auto const at = place(name);
        return at < list_.size() && list_[at].first == name ? &list_[at].second : nullptr;
    }
    void set(std::string_view name, std::string_view bytes) {
        auto const at = place(name);
        if (at < list_.size() && list_[at].first == name)
            list_[at].second = bytes;
        else
            list_.emplace(list_.begin() + static_cast<std::ptrdiff_t>(at), name, bytes);
    }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] entry const* begin() const noexcept { return list_.data(); }
    [[nodiscard]] entry const* end() const noexcept { return list_.data() + list_.size(); }

    friend bool operator==(properties const&, properties const&) = default;

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept {
        auto const at =
            std::lower_bound(list_.begin(), list_.end(), name,
                             [](entry const& e, std::string_view n) { return e.first < n; });
        return static_cast<std::size_t>(at - list_.begin());
    }

    std::vector<entry> list_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// The properties as they stand in a snapshot: u32 count, then for each u32 bytes of the name, u32
/// bytes of the value, name, value.
[[nodiscard]] inline std::vector<std::byte> encode_properties(storage::properties const& list) {
    std::size_t bytes = 4;
    for (auto const& [name, value] : list) bytes += 8 + name.size() + value.size();
    std::vector<std::byte> out(bytes);
    auto* p = out.data();
    auto const number = [&p](std::size_t n) {
        store_le(p, static_cast<std::uint32_t>(n));
        p += 4;
    };
    auto const text = [&p](std::string const& s) {
        p = std::transform(s.begin(), s.end(), p,
                           [](char c) { return std::byte{static_cast<unsigned char>(c)}; });
    };
    number(list.size());
    for (auto const& [name, value] : list) {
        number(name.size());
        number(value.size());
        text(name);
        text(value);
    }
    return out;
}

/// Nothing where the bytes are not what encode_properties gives: names in order, each once, no byte
/// left over. Reserves nothing that the bytes do not hold.
[[nodiscard]] inline std::optional<storage::properties>
decode_properties(std::span<std::byte const> in) {
    if (in.size() < 4) return std::nullopt;
    auto left = load_le<std::uint32_t>(in.data());
    in = in.subspan(4);
    storage::properties list;
    std::string last;
    for (bool first = true; left > 0; --left, first = false) {
        if (in.size() < 8) return std::nullopt;
        std::size_t const name_bytes = load_le<std::uint32_t>(in.data());
        std::size_t const value_bytes = load_le<std::uint32_t>(in.data() + 4);
        in = in.subspan(8);
        if (in.size() < name_bytes || in.size() - name_bytes < value_bytes) return std::nullopt;
        auto const text = [&in](std::size_t n) {
            std::string s(reinterpret_cast<char const*>(in.data()), n);
            in = in.subspan(n);
            return s;
        };
        auto name = text(name_bytes);
        auto value = text(value_bytes);
        if (!first && name <= last) return std::nullopt;
        list.set(name, value);
        last = std::move(name);
    }
    if (!in.empty()) return std::nullopt;
    return list;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// One column as it lies in a snapshot.
struct section {
    std::string name;
    std::uint64_t row_bytes = 1;
    std::uint64_t rows = 0;
    /// Where row 0 is in the file, and the number of its first block's checksum.
    std::uint64_t offset = 0;
    std::uint64_t first_block = 0;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return rows * row_bytes; }
    [[nodiscard]] std::uint64_t blocks() const noexcept {
        return bytes() / snapshot_block_bytes + (bytes() % snapshot_block_bytes != 0 ? 1 : 0);
    }
};

/// Everything in a snapshot but the rows.
struct snapshot_layout {
    store_uuid uuid{};
    std::uint64_t generation = 0;
    /// The newest log record whose effect is in the rows.
    std::uint64_t last_lsn = 0;
    std::uint64_t file_bytes = 0;
    storage::properties properties;
    std::vector<section> sections;
    std::vector<std::uint32_t> block_crcs;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

inline constexpr std::size_t section_name_bytes = 64;
inline constexpr std::uint64_t most_row_bytes = std::uint64_t{1} << 30;

[[nodiscard]] inline bool valid_section_name(std::string_view name) noexcept {
    return !name.empty() && name.size() < section_name_bytes &&
           name.find('\0') == std::string_view::npos;
}

/// Gives each section its place: one behind the other in the order of the table, each at a multiple
/// of 64 KiB. There is no other valid arrangement, so that overlaps and gaps can't be written down.
/// False where the sizes overflow.
[[nodiscard]] inline bool place_sections(std::vector<storage::section>& list, std::uint64_t rows_at,
                                         std::uint64_t& blocks, std::uint64_t& end) noexcept {
    blocks = 0;
    end = rows_at;
    for (auto& s : list) {
        std::uint64_t bytes = 0;
        if (!checked_multiply(s.rows, s.row_bytes, bytes) || bytes > INT64_MAX) return false;
        s.offset = end;
        s.first_block = blocks;
        blocks += s.blocks();
        end += s.blocks() * storage::snapshot_block_bytes;
        if (end > INT64_MAX) return false;
    }
    return true;
}

/// The bytes of a snapshot before the first section: header, table, properties, block checksums.
/// Fills the sections' places, the number of blocks and the file's size in; where `block_crcs` is
/// still empty the bytes only tell how many there are.
[[nodiscard]] inline result<std::vector<std::byte>> encode_layout(storage::snapshot_layout& l) {
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.begin() + static_cast<std::ptrdiff_t>(i),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice)
            return error{errc::invalid_argument, "column names of 1 to 63 bytes, each once",
                         "'" + s.name + "'"};
        if (s.row_bytes == 0 || s.row_bytes > most_row_bytes)
            return error{errc::invalid_argument,
                         "rows of 1 to " + std::to_string(most_row_bytes) + " bytes in column '" +
                             s.name + "'",
                         std::to_string(s.row_bytes)};
    }
    auto const properties = encode_properties(l.properties);
    snapshot_header h;
    h.uuid = l.uuid;
    h.generation = l.generation;
    h.last_lsn = l.last_lsn;
    h.property_bytes = properties.size();
    h.sections = static_cast<std::uint32_t>((std::min)(l.sections.size(), std::size_t{UINT32_MAX}));
    // The number of blocks does not depend on where they start: first counted, then placed.
    if (h.sections > most_sections || h.property_bytes > most_property_bytes ||
        !place_sections(l.sections, 0, h.blocks, h.file_bytes) ||
        !place_sections(l.sections, h.rows_at(), h.blocks, h.file_bytes))
        return error{errc::limit_exceeded,
                     "at most 4096 columns, 16 MiB of properties and 2^63 bytes of rows",
                     std::to_string(l.sections.size()) + " columns"};
    l.file_bytes = h.file_bytes;
    l.block_crcs.resize(static_cast<std::size_t>(h.blocks));

    std::vector<std::byte> out(static_cast<std::size_t>(h.rows_at()));
    auto* const table = out.data() + snapshot_header_bytes;
    for (std::size_t i = 0; i < l.sections.size(); ++i) {
        auto const& s = l.sections[i];
        auto* const p = table + i * snapshot_entry_bytes;
        std::memcpy(p, s.name.data(), s.name.size());
        store_le(p + 64, s.offset);
        store_le(p + 72, s.rows);
        store_le(p + 80, s.row_bytes);
        store_le(p + 88, s.first_block);
    }
    std::memcpy(table + h.table_bytes(), properties.data(), properties.size());
    auto* const crcs = out.data() + h.block_crcs_at();
    for (std::size_t i = 0; i < l.block_crcs.size(); ++i) store_le(crcs + 4 * i, l.block_crcs[i]);
    h.table_crc = storage::crc32c({table, static_cast<std::size_t>(h.table_bytes())});
    h.properties_crc = storage::crc32c(properties);
    h.block_crcs_crc = storage::crc32c({crcs, l.block_crcs.size() * 4});
    encode_header(h, out.data());
    return out;
}

/// Reads what lies between header and first section: `bytes` are those from offset 4096 to
/// h.rows_at().
[[nodiscard]] inline result<storage::snapshot_layout>
decode_layout(snapshot_header const& h, std::span<std::byte const> bytes, std::string const& file) {
    auto const corrupt = [&file](std::string expected, std::string got) -> error {
        return error{errc::corrupt_snapshot, expected + " in " + file, std::move(got)};
    };
    auto const table = bytes.first(static_cast<std::size_t>(h.table_bytes()));
    auto const properties = bytes.subspan(table.size(), static_cast<std::size_t>(h.property_bytes));
    auto const crcs_at = static_cast<std::size_t>(h.block_crcs_at() - snapshot_header_bytes);
    auto const crcs = bytes.subspan(crcs_at, static_cast<std::size_t>(h.blocks * 4));
    if (storage::crc32c(table) != h.table_crc)
        return corrupt("the checksum of the section table at offset 4096", "another");
    if (storage::crc32c(properties) != h.properties_crc)
        return corrupt("the checksum of the properties at offset " +
                           std::to_string(snapshot_header_bytes + table.size()),
                       "another");
    if (storage::crc32c(crcs) != h.block_crcs_crc)
        return corrupt("the checksum of the block checksums at offset " +
                           std::to_string(h.block_crcs_at()),
                       "another");
    auto const behind_properties = table.size() + properties.size();
    if (!all_zero(bytes.subspan(behind_properties, crcs_at - behind_properties)) ||
        !all_zero(bytes.subspan(crcs_at + crcs.size())))
        return corrupt("zeros between properties, block checksums and rows", "other bytes");

    storage::snapshot_layout l;
    l.uuid = h.uuid;
    l.generation = h.generation;
    l.last_lsn = h.last_lsn;
    l.file_bytes = h.file_bytes;
    auto list = decode_properties(properties);
    if (!list) return corrupt("properties in order of their names", "other bytes");
    l.properties = *std::move(list);
    for (std::size_t i = 0; i < h.sections; ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        std::string_view const field(reinterpret_cast<char const*>(p), section_name_bytes);
        storage::section s;
        s.name = field.substr(0, (std::min)(field.find('\0'), field.size()));
        s.rows = load_le<std::uint64_t>(p + 72);
        s.row_bytes = load_le<std::uint64_t>(p + 80);
        bool const twice =
            std::any_of(l.sections.begin(), l.sections.end(),
                        [&s](storage::section const& other) { return other.name == s.name; });
        if (!valid_section_name(s.name) || twice || s.row_bytes == 0 ||
            s.row_bytes > most_row_bytes || !all_zero({p + s.name.size(), 64 - s.name.size()}) ||
            !all_zero({p + 96, snapshot_entry_bytes - 96}))
            return corrupt("a valid entry " + std::to_string(i) + " of the section table",
                           "name '" + s.name + "', rows of " + std::to_string(s.row_bytes) +
                               " bytes");
        l.sections.push_back(std::move(s));
    }
    std::uint64_t blocks = 0;
    std::uint64_t end = 0;
    bool fits = place_sections(l.sections, h.rows_at(), blocks, end) && blocks == h.blocks &&
                end == h.file_bytes;
    for (std::size_t i = 0; fits && i < l.sections.size(); ++i) {
        auto const* const p = table.data() + i * snapshot_entry_bytes;
        fits = l.sections[i].offset == load_le<std::uint64_t>(p + 64) &&
               l.sections[i].first_block == load_le<std::uint64_t>(p + 88);
    }
    if (!fits) return corrupt("sections one behind the other up to the file's end", "others");
    for (std::size_t i = 0; i < h.blocks; ++i)
        l.block_crcs.push_back(load_le<std::uint32_t>(crcs.data() + 4 * i));
    return l;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot opened for reading. Opening checks header, table, properties and extents; the rows
/// are checked by check_block and check_all.
template <class Os>
class snapshot_file {
public:
    using block = std::array<std::byte, snapshot_block_bytes>;

    snapshot_file() = default;

    /// `shown` is how the file is called in errors. errc::not_found where there is no such file.
    [[nodiscard]] static result<snapshot_file> open(int directory, std::string const& name,
                                                    std::string shown, bool writable) {
        snapshot_file f;
        f.shown_ = std::move(shown);
        f.file_ = descriptor<Os>(
            detail::uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
        if (!f.file_) {
            int const reason = errno;
            if (reason == ENOENT) return error{errc::not_found, f.shown_, "no such file"};
            return detail::system_failure(reason, "to open " + f.shown_);
        }
        auto const actual = Os::file_bytes(f.file_.get());
        if (actual < 0) {
            int const reason = errno;
            return detail::system_failure(reason, "to ask for the size of " + f.shown_);
        }
        std::array<std::byte, detail::snapshot_header_bytes> header;
        VICINAL_CHECK(f.read(0, header));
        auto const h = detail::decode_header(header.data(), static_cast<std::uint64_t>(actual),
                                             writable, f.shown_);
        if (!h) return h.error();
        std::vector<std::byte> rest(static_cast<std::size_t>(h->rows_at()) - header.size());
        VICINAL_CHECK(f.read(header.size(), rest));
        auto layout = detail::decode_layout(*h, rest, f.shown_);
        if (!layout) return layout.error();
        f.layout_ = *std::move(layout);
        return f;
    }

    /// A file whose layout is known from elsewhere, as where its front is damaged.
    [[nodiscard]] static snapshot_file over(descriptor<Os> file, std::string shown,
                                            snapshot_layout layout) {
        snapshot_file f;
        f.file_ = std::move(file);
        f.shown_ = std::move(shown);
        f.layout_ = std::move(layout);
        return f;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    [[nodiscard]] snapshot_layout const& layout() const noexcept { return layout_; }
    [[nodiscard]] int number() const noexcept { return file_.get(); }
    [[nodiscard]] std::string const& shown() const noexcept { return shown_; }
    void renamed(std::string shown) noexcept { shown_ = std::move(shown); }
    [[nodiscard]] section const* find(std::string_view name) const noexcept {
        for (auto const& s : layout_.sections)
            if (s.name == name) return &s;
        return nullptr;
    }

    /// Compares block `i` of a section with its checksum, and its padding with zero.
    /// errc::corrupt_snapshot names file, section, block and offset.
    [[nodiscard]] result<void> check_block(section const& s, std::uint64_t i) const {
        // On the heap: 64 KiB would be much for the stack of a small thread.
        std::unique_ptr<block> const buffer(new block);
        return read_block(s, i, *buffer);
    }

    /// Every block of every section; reads the whole file, about 5 GB/s from the page cache.
    [[nodiscard]] result<void> check_all() const {
        std::unique_ptr<block> const buffer(new block);
        for (auto const& s : layout_.sections)
            for (std::uint64_t i = 0; i < s.blocks(); ++i) VICINAL_CHECK(read_block(s, i, *buffer));
        return {};
    }

    /// Reads block `i` of a section with its padding; the same errors as check_block.
    [[nodiscard]] result<void> read_block(section const& s, std::uint64_t i, block& buffer) const {
        auto const at = s.offset + i * snapshot_block_bytes;
        VICINAL_CHECK(read(at, buffer));
        auto const used = (std::min)(snapshot_block_bytes, s.bytes() - i * snapshot_block_bytes);
        bool const same =
            crc32c(buffer) == layout_.block_crcs[static_cast<std::size_t>(s.first_block + i)];
        bool const padded = detail::all_zero(
            std::span<std::byte const>(buffer).subspan(static_cast<std::size_t>(used)));
        if (!same || !padded)
            return error{
                errc::corrupt_snapshot,
                (same ? "zeros behind the last row in block " : "the recorded checksum of block ") +
                    std::to_string(i) + " (offset " + std::to_string(at) + ") of section '" +
                    s.name + "' in " + shown_,
                same ? "other bytes" : "another"};
        return {};
    }

    /// The same file once more, for a copy that goes on when this one moves to the next generation.
    [[nodiscard]] result<snapshot_file> again() const {
        snapshot_file f;
        f.file_ = file_.duplicate();
        if (!f.file_) {
            int const reason = errno;
            return detail::system_failure(reason, "to open " + shown_ + " once more");
        }
        f.shown_ = shown_;
        f.layout_ = layout_;
        return f;
    }

private:
    [[nodiscard]] result<void> read(std::uint64_t at, std::span<std::byte> into) const {
        auto const n = read_up_to<Os>(file_.get(), at, into, shown_);
        if (!n) return n.error();
        if (*n != into.size())
            return error{errc::corrupt_snapshot,
                         std::to_string(into.size()) + " bytes at offset " + std::to_string(at) +
                             " of " + shown_,
                         std::to_string(*n)};
        return {};
    }

    descriptor<Os> file_;
    std::string shown_;
    snapshot_layout layout_;
};

/// The rows of one column on their way into a snapshot.
using section_source = replacement;

/// Writes a snapshot under `name`, rows first and header last, and syncs it if asked. The sections,
/// sizes and checksums of `layout` are filled in from the sources. What is in the file before the
/// header is written is no valid snapshot.
template <class Os>
[[nodiscard]] result<void> write_snapshot(int directory, std::string const& name,
                                          std::string const& shown, snapshot_layout layout,
                                          std::span<section_source const> sources, bool sync) {
    layout.sections.clear();
    for (auto const& s : sources)
        layout.sections.push_back({s.name, s.row_bytes, s.bytes() / s.row_bytes, 0, 0});
    VICINAL_CHECK(detail::encode_layout(layout));

    descriptor<Os> const file(
        detail::uninterrupted([&] { return Os::open_empty(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return detail::system_failure(reason, "to make " + shown);
    }
    std::vector<std::byte> last(snapshot_block_bytes);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto const& s = layout.sections[i];
        auto const bytes = sources[i].bytes();
        auto* crc = layout.block_crcs.data() + s.first_block;
        // A piece is checksummed and then written while it is still in the cache.
        for (std::uint64_t at = 0; at < bytes; at += snapshot_block_bytes) {
            auto const size =
                static_cast<std::size_t>((std::min<std::uint64_t>)(bytes - at, last.size()));
            std::span<std::byte const> piece = last;
            if (size < last.size() || sources[i].fill) {
                sources[i].next(at, std::span(last).first(size));
                std::fill(last.begin() + static_cast<std::ptrdiff_t>(size), last.end(),
                          std::byte{0});
            } else {
                piece = sources[i].rows.subspan(static_cast<std::size_t>(at), size);
            }
            *crc++ = crc32c(piece);
            VICINAL_CHECK(write_all<Os>(file.get(), s.offset + at, piece, shown));
        }
    }
    auto const front = detail::encode_layout(layout);
    if (!front) return front.error();
    auto const bytes = std::span<std::byte const>(*front);
    auto const header = detail::snapshot_header_bytes;
    VICINAL_CHECK(write_all<Os>(file.get(), header, bytes.subspan(header), shown));
    VICINAL_CHECK(write_all<Os>(file.get(), 0, bytes.first(header), shown));
    if (sync && detail::uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return error{errc::writer_poisoned, "to sync " + shown,
                     std::generic_category().message(reason)};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A snapshot and its log; the log is missing where only the snapshot was shipped.
template <class Os>
struct generation_files {
    snapshot_file<Os> snapshot;
    log_file<Os> log;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Whether a log holds more than its header: then a snapshot was published for it once.
template <class Os>
[[nodiscard]] bool has_records(storage::store_directory<Os> const& directory,
                               std::string const& name) {
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_read(directory.number(), name.c_str()); }));
    return file && Os::file_bytes(file.get()) > static_cast<std::int64_t>(log_header_bytes);
}

/// The name of a log with records whose snapshot is gone; empty where all is in order. Opening an
/// older generation, or making a new store, would lose these records without a word.
template <class Os>
[[nodiscard]] std::string orphan(storage::store_directory<Os> const& directory,
                                 store_listing const& found) {
    for (auto const g : found.logs)
        if (g > found.newest() && has_records(directory, log_name(g))) return log_name(g);
    for (auto const g : found.closed_logs)
        if (g > found.newest()) return closed_log_name(g);
    return {};
}

[[nodiscard]] inline error missing_snapshot(std::string const& path, std::string const& log) {
    return error{errc::corrupt_snapshot,
                 "the snapshot that belongs to " + log + " in '" + path + "'", "none"};
}

/// What a directory without any snapshot is: an error, or success where a store may be made in it.
template <class Os>
[[nodiscard]] result<void> check_vacant(storage::store_directory<Os> const& directory,
                                        store_listing const& found) {
    if (!found.foreign.empty())
        return error{errc::foreign_file,
                     "a store or an empty directory at '" + directory.path() + "'",
                     "one that holds '" + found.foreign + "' and no snapshot"};
    if (auto const log = orphan(directory, found); !log.empty())
        return missing_snapshot(directory.path(), log);
    return {};
}

/// One attempt to open the newest generation of what was listed; nothing where a writer in another
/// process moved on meanwhile.
template <class Os>
[[nodiscard]] result<std::optional<storage::generation_files<Os>>>
open_listed(storage::store_directory<Os> const& directory, store_listing const& found,
            bool writable) {
    using answer = std::optional<storage::generation_files<Os>>;
    auto const g = found.newest();
    auto snapshot = storage::snapshot_file<Os>::open(directory.number(), snapshot_name(g),
                                                     directory.shown(snapshot_name(g)), writable);
    if (!snapshot) {
        if (snapshot.error().code() == errc::not_found) return answer{};
        return snapshot.error();
    }
    auto const& layout = snapshot->layout();
    if (layout.generation != g)
        return error{errc::corrupt_snapshot,
                     "generation " + std::to_string(g) + " in " + snapshot->shown(),
                     "generation " + std::to_string(layout.generation)};
    storage::generation_files<Os> files;
    bool const open_log = store_listing::has(found.logs, g);
    bool const closed = store_listing::has(found.closed_logs, g);
    if (open_log || closed) {
        auto log = storage::log_file<Os>::open(directory, closed ? closed_log_name(g) : log_name(g),
                                               writable, closed);
        if (!log) {
            if (log.error().code() == errc::not_found) return answer{};
            return log.error();
        }
        auto const& h = log->header();
        if (h.uuid != layout.uuid || h.generation != g || h.first_lsn != layout.last_lsn + 1)
            return error{errc::corrupt_log,
                         "the log that continues " + snapshot->shown() + " from record " +
                             std::to_string(layout.last_lsn + 1),
                         log->shown() + " of another store, or from record " +
                             std::to_string(h.first_lsn)};
        files.log = *std::move(log);
    }
    // Files were opened by names of one moment: they belong together only if these still stand.
    // A log that was reopened after that, for instance, must not be held to its old name.
    auto const again = directory.list();
    if (!again) return again.error();
    if (again->newest() != g || store_listing::has(again->logs, g) != open_log ||
        store_listing::has(again->closed_logs, g) != closed)
        return answer{};
    files.snapshot = *std::move(snapshot);
    return answer(std::move(files));
}

/// Opens the newest generation. A reader beside a busy writer tries up to eight times to see a
/// state that stands still.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
open_newest(storage::store_directory<Os> const& directory, bool writable) {
    for (int attempt = 0; attempt < 8; ++attempt) {
        auto const found = directory.list();
        if (!found) return found.error();
        if (found->newest() == 0) {
            VICINAL_CHECK(check_vacant(directory, *found));
            return error{errc::not_found, "a store at '" + directory.path() + "'",
                         "a directory without a snapshot"};
        }
        bool const last = attempt == 7;
        if (auto const log = orphan(directory, *found); !log.empty()) {
            if (writable || last) return missing_snapshot(directory.path(), log);
            continue;
        }
        auto const g = found->newest();
        if (store_listing::has(found->logs, g) && store_listing::has(found->closed_logs, g)) {
            if (writable || last)
                return error{errc::corrupt_log, "one log of generation " + std::to_string(g),
                             "both " + directory.shown(log_name(g)) + " and " + closed_log_name(g)};
            continue;
        }
        auto files = open_listed(directory, *found, writable);
        if (!files) return files.error();
        if (*files) return **std::move(files);
    }
    return error{errc::io_failure, "a state of '" + directory.path() + "' that stands still",
                 "eight changes by a writer while it was opened"};
}

/// What a writer finds in its way and may remove: pieces of a broken checkpoint, and what newer
/// generations have replaced. Snapshots go before their logs, so that a reader that finds the log
/// gone sees that the generation is.
template <class Os>
void remove_remains(storage::store_directory<Os> const& directory, store_listing const& found) {
    auto const newest = found.newest();
    for (auto const& name : found.temporary) directory.remove(name);
    for (auto const g : found.snapshots)
        if (g < newest) directory.remove(snapshot_name(g));
    for (auto const g : found.logs)
        if (g != newest) directory.remove(log_name(g));
    for (auto const g : found.closed_logs)
        if (g < newest) directory.remove(closed_log_name(g));
}

/// Writes snapshot and log of a generation beside the present one, not yet published: the snapshot
/// still has its temporary name. Removes both again where it fails.
template <class Os>
[[nodiscard]] result<storage::generation_files<Os>>
write_generation(storage::store_directory<Os> const& directory, storage::snapshot_layout layout,
                 std::span<storage::section_source const> sources, bool sync) {
    auto const name = snapshot_name(layout.generation).append(temporary_suffix);
    auto const shown = directory.shown(name);
    auto const log = log_name(layout.generation);
    log_header header;
    header.uuid = layout.uuid;
    header.generation = layout.generation;
    header.first_lsn = layout.last_lsn + 1;
    auto files = [&]() -> result<storage::generation_files<Os>> {
        VICINAL_CHECK(storage::write_snapshot<Os>(directory.number(), name, shown,
                                                  std::move(layout), sources, sync));
        auto made = storage::log_file<Os>::make(directory, log, header, sync);
        if (!made) return made.error();
        // Opened as any reader will, so that what is published has passed the same checks.
        auto opened = storage::snapshot_file<Os>::open(directory.number(), name, shown, true);
        if (!opened) return opened.error();
        return storage::generation_files<Os>{*std::move(opened), *std::move(made)};
    }();
    if (!files) {
        directory.remove(name);
        directory.remove(log);
    }
    return files;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

#if VICINAL_HAS_FILES
// ---- vicinal/storage/posix.hpp
#ifndef VICINAL_STORAGE_POSIX_HPP
#define VICINAL_STORAGE_POSIX_HPP

#if VICINAL_HAS_FILES

// ---- vicinal/storage/huge_pages.hpp
#ifndef VICINAL_STORAGE_HUGE_PAGES_HPP
#define VICINAL_STORAGE_HUGE_PAGES_HPP

#include <cstddef>

#if defined(__linux__)
#    include <sys/mman.h>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The size of a huge page on x86-64, and on AArch64 with pages of 4 KiB.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages under a block that begins with a page and is not touched yet. A walk over a
/// graph touches a page of its own with each row; with small ones each is a miss in the TLB too.
/// A wish: where the system has none to give, or none of this name, nothing is different.
inline void ask_for_huge_pages([[maybe_unused]] void* block,
                               [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    static_cast<void>(::madvise(block, bytes, MADV_HUGEPAGE));
#endif
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#    include <array>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstdio>
#    include <limits>
#    include <string>
#    include <vector>

#    include <dirent.h>
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <time.h>
#    include <unistd.h>
#    if defined(__APPLE__)
#        include <sys/random.h>
#    endif

#    if defined(MAP_ANONYMOUS)
#        define VICINAL_MAP_ANONYMOUS MAP_ANONYMOUS
#    else
#        define VICINAL_MAP_ANONYMOUS MAP_ANON
#    endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The operating-system calls of the durable storages, one thin function each: -1 (or nullptr) and
/// errno on failure. The storages take this as a template parameter and call nothing else, so that
/// a test can fail, tear or drop any one of them. Interrupted and short calls are the callers' to
/// repeat. All descriptors are closed on exec; names inside a store are never followed as links.
struct posix {
    static int open_directory(char const* path) noexcept {
        return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    static int make_directory(char const* path) noexcept { return ::mkdir(path, 0700); }
    static int open_read(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    static int open_write(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    /// Makes the file, or opens the one that is there, with its contents.
    static int open_or_make(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    /// Makes the file, or empties the one that is there.
    static int open_empty(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    static int close_file(int file) noexcept { return ::close(file); }

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        return fits(offset) ? ::pread(file, into, n, static_cast<::off_t>(offset)) : -1;
    }
    static std::ptrdiff_t write_at(int file, void const* from, std::size_t n,
                                   std::uint64_t offset) noexcept {
        return fits(offset) ? ::pwrite(file, from, n, static_cast<::off_t>(offset)) : -1;
    }
    static int truncate_file(int file, std::uint64_t bytes) noexcept {
        return fits(bytes) ? ::ftruncate(file, static_cast<::off_t>(bytes)) : -1;
    }
    static std::int64_t file_bytes(int file) noexcept {
        struct ::stat s {};
        if (::fstat(file, &s) != 0) return -1;
        return static_cast<std::int64_t>(s.st_size);
    }

    /// The contents of a file and its size reach the disk.
    static int sync_data(int file) noexcept {
#    if defined(__APPLE__)
        return sync_all(file);
#    else
        return ::fdatasync(file);
#    endif
    }
    /// A file, or the names in a directory, reach the disk.
    static int sync_all(int file) noexcept {
#    if defined(__APPLE__)
        // fsync leaves the data in the drive's own cache there.
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;
#    endif
        return ::fsync(file);
    }
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        return ::renameat(directory, from, directory, to);
    }
    /// Gives each of two names what the other has, in one step: EINVAL or ENOSYS where the system
    /// or the file system can't.
    static int exchange_names(int directory, char const* a, char const* b) noexcept {
#    if defined(RENAME_EXCHANGE)
        return ::renameat2(directory, a, directory, b, RENAME_EXCHANGE);
#    elif defined(RENAME_SWAP)
        return ::renameatx_np(directory, a, directory, b, RENAME_SWAP);
#    else
        static_cast<void>(directory);
        static_cast<void>(a);
        static_cast<void>(b);
        errno = ENOSYS;
        return -1;
#    endif
    }
    static int remove_file(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, 0);
    }
    /// Only an empty one.
    static int remove_directory(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, AT_REMOVEDIR);
    }
    /// Another number for the same open file.
    static int duplicate(int file) noexcept { return ::fcntl(file, F_DUPFD_CLOEXEC, 0); }
    /// 1 where both numbers are of one file or directory, 0 where not.
    static int same_file(int a, int b) noexcept {
        struct ::stat of_a {};
        struct ::stat of_b {};
        if (::fstat(a, &of_a) != 0 || ::fstat(b, &of_b) != 0) return -1;
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino ? 1 : 0;
    }
    /// Belongs to the open file, not to the process: a second open in the same process is refused
    /// too, and closing another descriptor of the file does not give it up.
    static int try_lock(int file) noexcept { return ::flock(file, LOCK_EX | LOCK_NB); }

    /// The names in a directory, without "." and "..".
    static int list(int directory, std::vector<std::string>& names) {
        names.clear();
        int const again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) return -1;
        ::DIR* const d = ::fdopendir(again);
        if (d == nullptr) {
            int const why = errno;
            ::close(again);
            errno = why;
            return -1;
        }
        errno = 0;
        while (auto const* e = ::readdir(d)) {
            std::string name(&e->d_name[0]);
            if (name != "." && name != "..") names.push_back(std::move(name));
            errno = 0;
        }
        int const why = errno;
        ::closedir(d);
        errno = why;
        return why == 0 ? 0 : -1;
    }

    /// Address space without memory behind it: touching it faults until it is allowed or mapped.
    static void* reserve(std::size_t bytes) noexcept {
        int flags = MAP_PRIVATE | VICINAL_MAP_ANONYMOUS;
#    if defined(MAP_NORESERVE)
        flags |= MAP_NORESERVE;
#    endif
        void* const p = ::mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
        return p == MAP_FAILED ? nullptr : p;
    }
    /// Makes reserved pages readable and writable; they read as zero.
    static int allow(void* at, std::size_t bytes) noexcept {
        if (bytes >= huge_page) ask_for_huge_pages(at, bytes);
        return ::mprotect(at, bytes, PROT_READ | PROT_WRITE);
    }
    /// Puts a piece of a file into reserved address space. What is written there stays private.
    static int map_file(void* at, std::size_t bytes, int file, std::uint64_t offset) noexcept {
        if (!fits(offset)) return -1;
        void* const p = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                               static_cast<::off_t>(offset));
        return p == MAP_FAILED ? -1 : 0;
    }
    static int release(void* at, std::size_t bytes) noexcept { return ::munmap(at, bytes); }
    static std::size_t page_bytes() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    /// Bytes that no other log has: up to 256 of them.
    static int random_bytes(void* into, std::size_t n) noexcept { return ::getentropy(into, n); }
    static long process_id() noexcept { return static_cast<long>(::getpid()); }
    static std::string host_name() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
        return name.data();
    }
    /// Seconds since 1970, UTC.
    static std::int64_t seconds() noexcept { return static_cast<std::int64_t>(::time(nullptr)); }
    static void pause(std::uint32_t milliseconds) noexcept {
        struct ::timespec const t{static_cast<::time_t>(milliseconds / 1000),
                                  static_cast<long>(milliseconds % 1000) * 1000000L};
        ::nanosleep(&t, nullptr);
    }

private:
    static bool fits(std::uint64_t offset) noexcept {
        if (offset <= static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)()))
            return true;
        errno = EOVERFLOW;
        return false;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
#endif

namespace vicinal::inline VICINAL_ABI {

/// What the files of a store are like; every damaged place is in `problems`.
struct check_report : problem_list {
    std::uint64_t generation = 0;
    /// Blocks of the snapshot, and those that don't match their checksums.
    std::uint64_t blocks = 0;
    std::uint64_t damaged_blocks = 0;
    /// Valid batches of the log, up to the first damage.
    std::uint64_t log_records = 0;
    /// What stands behind the log's end, as a write that was cut off leaves it; no damage.
    std::uint64_t bytes_dropped = 0;
};

namespace detail {

template <class Os>
void check_snapshot(storage::store_directory<Os> const& directory, std::uint64_t g,
                    check_report& report) {
    auto const name = snapshot_name(g);
    auto const file =
        storage::snapshot_file<Os>::open(directory.number(), name, directory.shown(name), false);
    if (!file) return report.add(file.error().message());
    auto const block = std::make_unique<typename storage::snapshot_file<Os>::block>();
    for (auto const& s : file->layout().sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            ++report.blocks;
            auto const good = file->read_block(s, i, *block);
            if (good) continue;
            ++report.damaged_blocks;
            report.add(good.error().message());
        }
}

template <class Os>
void check_log(storage::store_directory<Os> const& directory, std::string const& name, bool closed,
               check_report& report) {
    auto log = storage::log_file<Os>::open(directory, name, false, closed);
    if (!log) return report.add(log.error().message());
    auto const replayed = log->replay(
        [&](std::span<std::byte const>) {
            ++report.log_records;
            return result<void>();
        },
        false, false);
    if (!replayed) return report.add(replayed.error().message());
    report.bytes_dropped += replayed->bytes_dropped;
}

template <class Os>
[[nodiscard]] check_report check_files(std::string_view path) {
    check_report report;
    auto const done = guarded([&]() -> result<void> {
        auto const directory = storage::store_directory<Os>::open(path);
        if (!directory) return directory.error();
        auto const found = directory->list();
        if (!found) return found.error();
        report.generation = found->newest();
        if (auto const log = orphan(*directory, *found); !log.empty())
            report.add(missing_snapshot(directory->path(), log).message());
        else if (report.generation == 0)
            return error{errc::not_found, "a store at '" + directory->path() + "'", "no snapshot"};
        if (report.generation == 0) return {};
        auto const before = report.problem_count;
        check_snapshot(*directory, report.generation, report);
        if (store_listing::has(found->logs, report.generation))
            check_log(*directory, log_name(report.generation), false, report);
        if (store_listing::has(found->closed_logs, report.generation))
            check_log(*directory, closed_log_name(report.generation), true, report);
        // What no file shows alone: two logs, or one that belongs to another store.
        if (report.problem_count == before)
            if (auto const whole = open_newest(*directory, false); !whole) return whole.error();
        return {};
    });
    if (!done) report.add(done.error().message());
    return report;
}

} // namespace detail

#if VICINAL_HAS_FILES

/// Compares every byte of a store's files with its checksum, whatever the store's types, and goes
/// on behind damage. Throws nothing: what kept it from looking is a problem too. What the records
/// say, and how the index leads to them, is the store's own verify() to look at. Takes no lock.
[[nodiscard]] inline check_report check(std::string_view path) {
    return detail::check_files<storage::posix>(path);
}

#endif

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/storage/concept.hpp
#ifndef VICINAL_STORAGE_CONCEPT_HPP
#define VICINAL_STORAGE_CONCEPT_HPP

// ---- vicinal/storage/column.hpp
#ifndef VICINAL_STORAGE_COLUMN_HPP
#define VICINAL_STORAGE_COLUMN_HPP

namespace vicinal::inline VICINAL_ABI::storage {

/// How a column is read: hot ones on every step of every query (codes, links), cold ones for the
/// few rows of an answer (vectors, payload). A storage that pages keeps hot columns in memory.
enum class heat : std::uint8_t { hot, cold };

/// A column as one query sees it where its rows lie one behind the other: base and stride. Valid
/// while the writer can't move the column, that is, while the query holds its reader section.
class contiguous_reader {
public:
    contiguous_reader() = default;
    contiguous_reader(std::byte const* base, std::size_t stride) noexcept
        : base_(base), stride_(stride) {}

    /// The bytes of row `i`, which must be below the column's rows().
    [[nodiscard]] std::byte const* row(std::uint64_t i) const noexcept {
        return base_ + i * stride_;
    }
    /// The same as elements of T; the storage aligns every column to 64 bytes at row 0.
    template <class T>
    [[nodiscard]] T const* row_as(std::uint64_t i) const noexcept {
        return reinterpret_cast<T const*>(row(i));
    }
    /// Asks for the first `lines` cache lines of row `i`.
    VICINAL_ALWAYS_INLINE void prefetch(std::uint64_t i, std::size_t lines = 1) const noexcept {
        for (std::size_t l = 0; l < lines; ++l) __builtin_prefetch(row(i) + 64 * l);
    }

private:
    std::byte const* base_ = nullptr;
    std::size_t stride_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A column: a growable array of rows of one width. A heap (ids, payloads) is a column whose rows
/// are single bytes, addressed by offset and length.
///
/// * `rows()`, `row_bytes()`, `capacity()`: counts and the width of a row.
/// * `reader()`: the column as a query sees it; `row(i)` of it gives bytes.
/// * `edit(i)`: row i to be written, by the one writer; valid until the column grows.
/// * `prepare(rows)`: makes room; readers go on undisturbed. `commit()` then puts the room into
/// use;
///   rows may move, so no reader may be inside. It cannot fail.
/// * `resize(rows)`: within the capacity; new rows are zero bytes.
///
/// Growing is split in two so that the copying runs beside searches and only the swap excludes
/// them.
template <class C>
concept column = requires(C c, C const& k, std::uint64_t n) {
    { k.rows() } -> std::same_as<std::uint64_t>;
    { k.capacity() } -> std::same_as<std::uint64_t>;
    { k.row_bytes() } -> std::same_as<std::size_t>;
    { k.reader().row(n) } -> std::same_as<std::byte const*>;
    { c.edit(n) } -> std::same_as<std::byte*>;
    { c.prepare(n) } -> std::same_as<result<void>>;
    { c.commit() }
    noexcept;
    { c.resize(n) }
    noexcept;
};

/// A storage policy: names its column type, and a `space`, which is the storage opened: it hands
/// out the columns by name, makes them where there are none yet, and keeps their addresses.
///
/// A durable storage (`durable` is true) also logs operations and writes checkpoints; see
/// storage/mmap.hpp.
template <class S>
concept model = requires(typename S::space& s, std::string_view name, std::size_t bytes, heat h) {
    { S::durable } -> std::convertible_to<bool>;
    { S::name } -> std::convertible_to<std::string_view>;
    requires column<typename S::column>;
    { s.column(name, bytes, h) } -> std::same_as<result<typename S::column*>>;
};

/// Grows a column to `rows` rows at once: for building blocks that have no readers beside the
/// writer.
template <column C>
[[nodiscard]] result<void> grow(C& c, std::uint64_t rows) {
    if (rows > c.capacity()) {
        VICINAL_CHECK(c.prepare(rows));
        c.commit();
    }
    if (rows > c.rows()) c.resize(rows);
    return {};
}

/// Makes a column have at least `rows` rows, of which no reader knows yet; only the swap is made in
/// `section`, which keeps readers out.
template <column C, class Section>
[[nodiscard]] result<void> reserve(C& c, std::uint64_t rows, Section const& section) {
    if (rows > c.capacity()) {
        VICINAL_CHECK(c.prepare(rows));
        section([&] { c.commit(); });
    }
    if (rows > c.rows()) c.resize(rows);
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/memory.hpp
#ifndef VICINAL_STORAGE_MEMORY_HPP
#define VICINAL_STORAGE_MEMORY_HPP

// ---- vicinal/storage/huge_pages.hpp
#ifndef VICINAL_STORAGE_HUGE_PAGES_HPP
#define VICINAL_STORAGE_HUGE_PAGES_HPP

#if defined(__linux__)
#    include <sys/mman.h>
#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The size of a huge page on x86-64, and on AArch64 with pages of 4 KiB.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages under a block that begins with a page and is not touched yet. A walk over a
/// graph touches a page of its own with each row; with small ones each is a miss in the TLB too.
/// A wish: where the system has none to give, or none of this name, nothing is different.
inline void ask_for_huge_pages([[maybe_unused]] void* block,
                               [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    static_cast<void>(::madvise(block, bytes, MADV_HUGEPAGE));
#endif
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A column on the heap: one block that grows by half, aligned to a cache line; from 4 MiB on to a
/// page, on huge pages where there are any.
class memory_column {
public:
    explicit memory_column(std::size_t row_bytes) noexcept : row_bytes_(row_bytes) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] contiguous_reader reader() const noexcept { return {block_.get(), row_bytes_}; }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return block_.get() + i * row_bytes_;
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        if (rows <= capacity_ || (next_ && rows <= next_capacity_)) return {};
        auto const wanted = (std::max)(rows, capacity_ + capacity_ / 2);
        std::uint64_t bytes = 0;
        if (!detail::checked_multiply<std::uint64_t>(wanted, row_bytes_, bytes) ||
            bytes > SIZE_MAX - 4096)
            return error{errc::out_of_memory};
        auto const size = static_cast<std::size_t>(bytes);
        // Not aligned to a huge page: malloc would count as much again for each column.
        release const how{size >= 2 * huge_page ? std::size_t{4096} : std::size_t{64}};
        next_ = block(static_cast<std::byte*>(
                          ::operator new (size, std::align_val_t{how.alignment}, std::nothrow)),
                      how);
        if (!next_) return error{errc::out_of_memory};
        if (how.alignment == 4096) ask_for_huge_pages(next_.get(), size);
        if (rows_ > 0)
            std::memcpy(next_.get(), block_.get(), static_cast<std::size_t>(rows_ * row_bytes_));
        next_capacity_ = wanted;
        return {};
    }
    void commit() noexcept {
        if (!next_) return;
        block_ = std::move(next_);
        capacity_ = std::exchange(next_capacity_, 0);
    }
    void resize(std::uint64_t rows) noexcept {
        if (rows > rows_)
            std::memset(edit(rows_), 0, static_cast<std::size_t>((rows - rows_) * row_bytes_));
        rows_ = rows;
    }

private:
    struct release {
        std::size_t alignment;
        void operator()(std::byte* p) const noexcept {
            ::operator delete (p, std::align_val_t{alignment});
        }
    };
    using block = std::unique_ptr<std::byte, release>;

    block block_;
    block next_;
    std::uint64_t rows_ = 0;
    std::uint64_t capacity_ = 0;
    std::uint64_t next_capacity_ = 0;
    std::size_t row_bytes_;
};

/// Columns on the heap. What is in them ends with the store.
struct memory {
    static constexpr bool durable = false;
    static constexpr std::string_view name = "memory";
    using column = memory_column;

    /// Columns by name, made at the first call.
    class space {
    public:
        [[nodiscard]] result<memory_column*> column(std::string_view column_name,
                                                    std::size_t row_bytes, heat = heat::cold) {
            for (auto& c : columns_)
                if (c.name == column_name) return c.rows.get();
            columns_.push_back(
                {std::string(column_name), std::make_unique<memory_column>(row_bytes)});
            return columns_.back().rows.get();
        }

        /// Makes blocks for columns that shall have other rows, with room for a third more, beside
        /// what they hold now; adopt() then puts them in place. Errors: out_of_memory; the columns
        /// are as before.
        [[nodiscard]] result<void> stage(std::span<replacement const> rows) {
            return vicinal::detail::guarded([&]() -> result<void> {
                staged_.clear();
                for (auto const& r : rows) {
                    auto const to = column(r.name, r.row_bytes);
                    VICINAL_CHECK(to);
                    memory_column made(r.row_bytes);
                    auto const count = r.bytes() / r.row_bytes;
                    VICINAL_CHECK(made.prepare(count + count / 3));
                    made.commit();
                    made.resize(count);
                    r.next(0, {made.edit(0), static_cast<std::size_t>(count * r.row_bytes)});
                    staged_.push_back({*to, std::move(made)});
                }
                return {};
            });
        }
        /// Gives the columns what was staged; no reader may be inside.
        void adopt() noexcept {
            for (auto& s : staged_) std::swap(*s.to, s.rows);
        }
        /// Frees what was staged, or what it has replaced.
        void discard() noexcept { std::vector<staged>().swap(staged_); }

    private:
        struct named {
            std::string name;
            std::unique_ptr<memory_column> rows;
        };
        struct staged {
            memory_column* to;
            memory_column rows;
        };
        std::vector<named> columns_;
        std::vector<staged> staged_;
    };
};

static_assert(model<memory>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/mmap.hpp
#ifndef VICINAL_STORAGE_MMAP_HPP
#define VICINAL_STORAGE_MMAP_HPP

#if VICINAL_HAS_FILES

// ---- vicinal/storage/mapped_column.hpp
#ifndef VICINAL_STORAGE_MAPPED_COLUMN_HPP
#define VICINAL_STORAGE_MAPPED_COLUMN_HPP

// ---- vicinal/storage/region.hpp
#ifndef VICINAL_STORAGE_REGION_HPP
#define VICINAL_STORAGE_REGION_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A range of address space, of which the first `usable()` bytes can be read and written. Given
/// back at the end.
template <class Os>
class region {
public:
    region() = default;
    region(region&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)), reserved_(std::exchange(other.reserved_, 0)),
          usable_(std::exchange(other.usable_, 0)) {}
    region& operator=(region&& other) noexcept {
        if (this != &other) {
            release();
            base_ = std::exchange(other.base_, nullptr);
            reserved_ = std::exchange(other.reserved_, 0);
            usable_ = std::exchange(other.usable_, 0);
        }
        return *this;
    }
    region(region const&) = delete;
    region& operator=(region const&) = delete;
    ~region() { release(); }

    /// At least `bytes`, better four times as much, so that growing rarely has to move; never less
    /// than 1 MiB. Where address space is scarce (ulimit -v, 32 bits) it does with less.
    [[nodiscard]] static result<region> reserve(std::uint64_t bytes) {
        // Half of the address space at most: the roundings below can't overflow then.
        constexpr std::uint64_t most = (std::numeric_limits<std::size_t>::max)() / 2;
        auto const least = detail::round_up((std::max<std::uint64_t>)(bytes, 1), step);
        if (bytes <= most / 4) {
            for (std::uint64_t const times : {4U, 2U}) {
                auto const wish = (std::max<std::uint64_t>)(least * times, std::uint64_t{1} << 20);
                if (region r; r.take(wish)) return r;
            }
        }
        if (region r; bytes <= most && r.take(least)) return r;
        return error{errc::out_of_memory, std::to_string(bytes) + " bytes of address space",
                     "a refusal of the system"};
    }

    [[nodiscard]] std::byte* data() const noexcept { return base_; }
    [[nodiscard]] std::uint64_t reserved() const noexcept { return reserved_; }
    [[nodiscard]] std::uint64_t usable() const noexcept { return usable_; }

    /// Makes the first `bytes` usable; what is new reads as zero. False where the system refuses.
    [[nodiscard]] bool allow(std::uint64_t bytes) noexcept {
        auto const end = (std::min)(detail::round_up(bytes, Os::page_bytes()), reserved_);
        if (end <= usable_) return true;
        if (Os::allow(base_ + usable_, static_cast<std::size_t>(end - usable_)) != 0) return false;
        usable_ = end;
        return true;
    }

    /// Puts `bytes` of a file at the start of a region that is not in use yet; whole pages, so that
    /// the file must be padded to one.
    [[nodiscard]] bool map(int file, std::uint64_t offset, std::uint64_t bytes) noexcept {
        auto const end = detail::round_up(bytes, Os::page_bytes());
        if (end > reserved_ ||
            Os::map_file(base_, static_cast<std::size_t>(end), file, offset) != 0)
            return false;
        usable_ = end;
        return true;
    }

private:
    static constexpr std::uint64_t step = snapshot_block_bytes;

    [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
        base_ = static_cast<std::byte*>(Os::reserve(static_cast<std::size_t>(bytes)));
        reserved_ = base_ == nullptr ? 0 : bytes;
        return base_ != nullptr;
    }
    void release() noexcept {
        if (base_ != nullptr)
            static_cast<void>(Os::release(base_, static_cast<std::size_t>(reserved_)));
    }

    std::byte* base_ = nullptr;
    std::uint64_t reserved_ = 0;
    std::uint64_t usable_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A column whose first rows are a mapped section of a snapshot and whose later rows are memory
/// behind it: one contiguous range of addresses.
///
/// Pages that are only read are the file's, shared by all processes and given back under pressure;
/// a page that is written becomes this process's own copy. A column without rows holds no mapping.
/// `edit` between `prepare` and `commit` is not allowed: prepare may have copied the row already.
///
/// Growing past the reservation copies all rows into a larger one made of memory, instead of moving
/// the mappings: the reservation is four times what the column had when it was mapped, so that at
/// least three quarters of what is copied is memory of this process anyway, and a copy needs no
/// count of touched pages and can't fail in commit, as moving several mappings can. The next
/// checkpoint maps the file again.
template <class Os>
class mapped_column {
public:
    explicit mapped_column(std::size_t row_bytes) noexcept : row_bytes_(row_bytes) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t capacity() const noexcept { return granted_ / row_bytes_; }
    [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
    [[nodiscard]] contiguous_reader reader() const noexcept {
        return {now_.memory.data(), row_bytes_};
    }
    [[nodiscard]] std::byte* edit(std::uint64_t i) noexcept {
        return now_.memory.data() + i * row_bytes_;
    }
    /// All rows, one behind the other.
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept {
        return {now_.memory.data(), static_cast<std::size_t>(rows_ * row_bytes_)};
    }

    [[nodiscard]] result<void> prepare(std::uint64_t rows) {
        std::uint64_t bytes = 0;
        if (!detail::checked_multiply<std::uint64_t>(rows, row_bytes_, bytes))
            return error{errc::out_of_memory};
        if (bytes <= now_.memory.usable() || (next_ && bytes <= next_->memory.usable())) return {};
        // Half as much again, so that n rows added one by one cost O(n).
        auto const wish = (std::max)(bytes, granted_ + granted_ / 2);
        auto& m = now_.memory;
        if (bytes <= m.reserved() && (m.allow((std::max)(wish, least_step)) || m.allow(bytes)))
            return {};
        auto larger = region<Os>::reserve(wish);
        if (!larger) return larger.error();
        image fresh{*std::move(larger), rows_ * row_bytes_};
        if (!fresh.memory.allow(wish) && !fresh.memory.allow(bytes))
            return error{errc::out_of_memory, std::to_string(bytes) + " bytes of memory",
                         "a refusal of the system"};
        if (rows_ > 0)
            std::memcpy(fresh.memory.data(), m.data(), static_cast<std::size_t>(fresh.touched));
        next_ = std::move(fresh);
        return {};
    }
    void commit() noexcept {
        if (next_) now_ = *std::exchange(next_, std::nullopt);
        granted_ = now_.memory.usable();
    }
    void resize(std::uint64_t rows) noexcept {
        auto const end = rows * row_bytes_;
        // Behind `touched` lies memory that was never written, which is zero already.
        if (auto const from = rows_ * row_bytes_; from < end && from < now_.touched)
            std::memset(now_.memory.data() + from, 0,
                        static_cast<std::size_t>((std::min)(end, now_.touched) - from));
        now_.touched = (std::max)(now_.touched, end);
        rows_ = rows;
    }

    /// Maps a section beside what the column holds now; adopt() then puts it in its place.
    /// errc::out_of_memory where the system refuses; the column is as before.
    [[nodiscard]] result<void> stage(int file, section const& s) {
        image mapped;
        if (s.rows > 0) {
            auto space = region<Os>::reserve(s.bytes());
            if (!space) return space.error();
            mapped.memory = *std::move(space);
            if (!mapped.memory.map(file, s.offset, s.bytes()))
                return error{errc::out_of_memory,
                             "to map " + std::to_string(s.bytes()) + " bytes of section '" +
                                 s.name + "'",
                             "a refusal of the system"};
            // The rest of the section's last page is the file's padding: not trusted to be zero.
            mapped.touched = mapped.memory.usable();
        }
        staged_ = staged{std::move(mapped), s.rows, static_cast<std::size_t>(s.row_bytes)};
        return {};
    }
    /// Takes what was staged, if anything; no reader may be inside.
    void adopt() noexcept {
        if (!staged_) return;
        next_.reset();
        now_ = std::move(staged_->rows);
        rows_ = staged_->count;
        row_bytes_ = staged_->row_bytes;
        granted_ = now_.memory.usable();
        staged_.reset();
    }
    void unstage() noexcept { staged_.reset(); }

private:
    /// mprotect is called for this much at least: 64 times for the first 16 MiB, not 4096 times.
    static constexpr std::uint64_t least_step = std::uint64_t{1} << 18;

    struct image {
        region<Os> memory;
        /// From here on every usable byte is zero.
        std::uint64_t touched = 0;
    };
    struct staged {
        image rows;
        std::uint64_t count = 0;
        std::size_t row_bytes = 1;
    };

    image now_;
    std::optional<image> next_;
    std::optional<staged> staged_;
    std::uint64_t granted_ = 0;
    std::uint64_t rows_ = 0;
    std::size_t row_bytes_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/mapped_space.hpp
#ifndef VICINAL_STORAGE_MAPPED_SPACE_HPP
#define VICINAL_STORAGE_MAPPED_SPACE_HPP

// ---- vicinal/storage/mapped_columns.hpp
#ifndef VICINAL_STORAGE_MAPPED_COLUMNS_HPP
#define VICINAL_STORAGE_MAPPED_COLUMNS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// The columns of an open store, by name, each bound to its section of the snapshot.
template <class Os>
class mapped_columns {
public:
    /// The column of that name, made at the first call. errc::corrupt_snapshot where it has rows of
    /// another width already.
    [[nodiscard]] result<mapped_column<Os>*> bind(snapshot_file<Os> const& snapshot,
                                                  std::string_view name, std::size_t row_bytes) {
        if (!detail::valid_section_name(name) || row_bytes == 0 ||
            row_bytes > detail::most_row_bytes)
            return error{errc::invalid_argument,
                         "a column name of 1 to 63 bytes and rows of 1 byte to 1 GiB",
                         "'" + std::string(name) + "' and " + std::to_string(row_bytes)};
        auto* const known = find(name);
        auto const* const s = snapshot.find(name);
        auto const width = known != nullptr ? known->rows.row_bytes()
                           : s != nullptr   ? static_cast<std::size_t>(s->row_bytes)
                                            : row_bytes;
        if (width != row_bytes)
            return error{errc::corrupt_snapshot,
                         "rows of " + std::to_string(row_bytes) + " bytes in section '" +
                             std::string(name) + "' of " + snapshot.shown(),
                         std::to_string(width)};
        if (known != nullptr) return &known->rows;
        auto made = std::make_unique<named>(named{std::string(name), mapped_column<Os>(row_bytes)});
        if (s != nullptr) {
            VICINAL_CHECK(made->rows.stage(snapshot.number(), *s));
            made->rows.adopt();
        }
        list_.push_back(std::move(made));
        return &list_.back()->rows;
    }

    /// What the next snapshot holds, in order of the names: every column, also those that nobody
    /// has asked for, which are bound here.
    [[nodiscard]] result<void> collect(snapshot_file<Os> const& snapshot,
                                       std::span<replacement const> replacements,
                                       std::vector<section_source>& sources) {
        for (auto const& s : snapshot.layout().sections) {
            if (find(s.name) != nullptr) continue;
            auto const made = bind(snapshot, s.name, static_cast<std::size_t>(s.row_bytes));
            if (!made) return made.error();
        }
        for (auto const& r : replacements) {
            if (r.row_bytes == 0 || r.bytes() % r.row_bytes != 0)
                return error{errc::invalid_argument,
                             "whole rows of " + std::to_string(r.row_bytes) + " bytes for '" +
                                 r.name + "'",
                             std::to_string(r.bytes()) + " bytes"};
            sources.push_back(r);
        }
        for (auto const& c : list_)
            if (!replaced(replacements, c->name))
                sources.push_back({c->name, c->rows.row_bytes(), c->rows.bytes()});
        std::sort(sources.begin(), sources.end(),
                  [](auto const& a, auto const& b) { return a.name < b.name; });
        return {};
    }

    /// Maps the sections of the next snapshot beside the columns. A column that can't be mapped
    /// keeps the memory it has; for a replaced one, whose memory holds other rows, that is
    /// errc::out_of_memory.
    [[nodiscard]] result<void> stage(snapshot_file<Os> const& next,
                                     std::span<replacement const> replacements) {
        for (auto& c : list_) {
            auto const* const s = next.find(c->name);
            if (s == nullptr) continue;
            auto staged = c->rows.stage(next.number(), *s);
            if (!staged && replaced(replacements, c->name)) return staged;
        }
        return {};
    }
    void unstage() noexcept {
        for (auto& c : list_) c->rows.unstage();
    }
    void adopt() noexcept {
        for (auto& c : list_) c->rows.adopt();
    }

private:
    struct named {
        std::string name;
        mapped_column<Os> rows;
    };

    [[nodiscard]] named* find(std::string_view name) const noexcept {
        for (auto const& c : list_)
            if (c->name == name) return c.get();
        return nullptr;
    }
    [[nodiscard]] static bool replaced(std::span<replacement const> replacements,
                                       std::string_view name) noexcept {
        return std::any_of(replacements.begin(), replacements.end(),
                           [name](auto const& r) { return r.name == name; });
    }

    std::vector<std::unique_ptr<named>> list_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/open_options.hpp
#ifndef VICINAL_STORAGE_OPEN_OPTIONS_HPP
#define VICINAL_STORAGE_OPEN_OPTIONS_HPP

#include <cstdint>

namespace vicinal::inline VICINAL_ABI::storage {

/// How a durable store is opened.
struct open_options {
    vicinal::durability durability = vicinal::durability::full;
    /// Takes no lock and never writes to the directory; changes stay in memory.
    bool read_only = false;
    /// How long to wait for another writer to leave.
    std::uint32_t lock_timeout_ms = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/store_files.hpp
#ifndef VICINAL_STORAGE_STORE_FILES_HPP
#define VICINAL_STORAGE_STORE_FILES_HPP

// ---- vicinal/storage/copy_files.hpp
#ifndef VICINAL_STORAGE_COPY_FILES_HPP
#define VICINAL_STORAGE_COPY_FILES_HPP

// ---- vicinal/storage/new_directory.hpp
#ifndef VICINAL_STORAGE_NEW_DIRECTORY_HPP
#define VICINAL_STORAGE_NEW_DIRECTORY_HPP

// ---- vicinal/storage/lock.hpp
#ifndef VICINAL_STORAGE_LOCK_HPP
#define VICINAL_STORAGE_LOCK_HPP

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// Seconds since 1970 as in "2026-11-21T01:02:03Z" (days to a date after Hinnant, "chrono-
/// compatible low-level date algorithms": years that start in March).
[[nodiscard]] inline std::string utc_text(std::int64_t seconds) {
    seconds = (std::max)(seconds, std::int64_t{0});
    auto const day = seconds / 86400 + 719468;
    auto const second = seconds % 86400;
    auto const era = day / 146097;
    auto const of_era = day % 146097;
    auto const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const month_from_march = (5 * of_year + 2) / 153;
    auto const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    auto const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    auto const two = [](std::int64_t n) {
        auto const digits = std::to_string(n);
        return digits.size() < 2 ? "0" + digits : digits;
    };
    return std::to_string(year) + "-" + two(month) + "-" +
           two(of_year - (153 * month_from_march + 2) / 5 + 1) + "T" + two(second / 3600) + ":" +
           two(second / 60 % 60) + ":" + two(second % 60) + "Z";
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// The right to write a store; there is one at a time, also within one process. The system gives it
/// back when the process ends, however it ends.
///
/// The lock is flock on the file LOCK, whose text names the holder. The directory itself is locked
/// too, where the file system can: a LOCK file that somebody deletes does not let a second writer
/// in.
template <class Os>
class writer_lock {
public:
    writer_lock() = default;

    /// Waits up to `timeout_ms`. errc::locked names the holder.
    [[nodiscard]] static result<writer_lock> take(store_directory<Os> const& directory,
                                                  std::uint32_t timeout_ms) {
        auto const shown = directory.shown(detail::lock_name);
        writer_lock l;
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_or_make(directory.number(), detail::lock_name); }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == EACCES || reason == EROFS || reason == EPERM)
                return error{errc::read_only,
                             "a directory that may be written at '" + directory.path() +
                                 "', or .read_only = true",
                             std::generic_category().message(reason)};
            return detail::system_failure(reason, "to open " + shown);
        }
        for (std::uint32_t waited = 0;;) {
            auto const free = try_both(l.file_.get(), directory.number(), shown);
            if (!free) return free.error();
            if (*free) break;
            if (waited >= timeout_ms)
                return error{errc::locked, "",
                             "'" + directory.path() + "' is already open for writing by " +
                                 holder(l.file_.get()) +
                                 "; open it read-only or close the other writer"};
            auto const pause = (std::min)(timeout_ms - waited, std::uint32_t{10});
            Os::pause(pause);
            waited += pause;
        }
        auto const text = "pid " + std::to_string(Os::process_id()) + " on host " +
                          Os::host_name() + " since " + detail::utc_text(Os::seconds()) + "\n";
        // The text is for people: a full disk does not keep the store from being opened.
        if (Os::truncate_file(l.file_.get(), 0) == 0)
            static_cast<void>(
                write_all<Os>(l.file_.get(), 0, std::as_bytes(std::span(text)), shown));
        return l;
    }

private:
    [[nodiscard]] static result<bool> try_both(int file, int directory, std::string const& shown) {
        if (detail::uninterrupted([&] { return Os::try_lock(file); }) != 0) {
            int const reason = errno;
            if (reason == EWOULDBLOCK) return false;
            return detail::system_failure(reason, "to lock " + shown);
        }
        // Some network file systems can't lock a directory: LOCK alone counts there.
        return detail::uninterrupted([&] { return Os::try_lock(directory); }) == 0 ||
               errno != EWOULDBLOCK;
    }

    /// The text of LOCK, which anybody may have written: printable characters, 200 at most.
    [[nodiscard]] static std::string holder(int file) {
        std::array<std::byte, 200> bytes{};
        auto const n = read_up_to<Os>(file, 0, bytes, detail::lock_name);
        std::string text;
        for (std::size_t i = 0; n && i < *n; ++i)
            if (auto const c = std::to_integer<char>(bytes[i]); c >= ' ' && c <= '~') text += c;
        return text.empty() ? "another writer" : text;
    }

    descriptor<Os> file_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory in the making: it is called PATH.partial, and has the name PATH when all of
/// it is on the disk. A run that broke off leaves PATH.partial, which the next run to PATH takes
/// over.
template <class Os>
class new_directory {
public:
    /// At `path` there may be nothing or an empty directory; where `replaces` also a store, damaged
    /// or not, whose lock is held from here on. Errors: invalid_argument (something is there),
    /// not_a_directory, foreign_file, locked (a writer, or another run to the same path),
    /// not_found (the directory around it), io_failure.
    [[nodiscard]] static result<new_directory> make(std::string_view path, bool replaces) {
        new_directory d;
        auto const parts = split(path);
        if (!parts) return parts.error();
        d.name_ = parts->second;
        auto const whole = parts->first + "/" + d.name_;
        auto parent = store_directory<Os>::open(parts->first);
        if (!parent) {
            if (parent.error().code() != errc::not_found) return parent.error();
            return error{errc::not_found,
                         "the directory that '" + std::string(path) + "' is to be made in"};
        }
        d.parent_ = *std::move(parent);
        VICINAL_CHECK(d.look_at(whole, replaces));
        VICINAL_CHECK(d.begin(whole + suffix));
        return d;
    }

    new_directory(new_directory&& other) noexcept
        : parent_(std::move(other.parent_)), files_(std::move(other.files_)),
          old_(std::move(other.old_)), lock_(std::move(other.lock_)), name_(std::move(other.name_)),
          pending_(std::exchange(other.pending_, false)) {}
    new_directory& operator=(new_directory&&) = delete;
    /// What was not published is removed.
    ~new_directory() {
        if (pending_) remove(files_, name_ + suffix);
    }

    /// Where the files are to be made.
    [[nodiscard]] store_directory<Os> const& files() const noexcept { return files_; }

    /// Gives the directory its name; its files must be on the disk. On failure what was at the path
    /// is there still, unless the message says that a sync failed: then either may be.
    [[nodiscard]] result<void> publish() {
        VICINAL_CHECK(files_.sync());
        auto const partial = name_ + suffix;
        if (!old_) {
            VICINAL_CHECK(parent_.rename(partial, name_));
            pending_ = false;
            return parent_.sync();
        }
        if (detail::uninterrupted([&] {
                return Os::exchange_names(parent_.number(), partial.c_str(), name_.c_str());
            }) != 0) {
            int const reason = errno;
            if (reason != EINVAL && reason != ENOSYS)
                return detail::system_failure(reason, "to put '" + partial + "' in the place of '" +
                                                          parent_.shown(name_) + "'");
            return replace_in_steps(partial);
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, partial);
        return {};
    }

private:
    static constexpr char const* suffix = ".partial";

    new_directory() = default;

    /// The directory around a path and the name in it. errc::invalid_argument where the name is
    /// none that a directory can be given.
    [[nodiscard]] static result<std::pair<std::string, std::string>> split(std::string_view path) {
        auto const end = path.find_last_not_of('/');
        auto const bare = path.substr(0, end == std::string_view::npos ? 0 : end + 1);
        auto const slash = bare.find_last_of('/');
        auto const name = slash == std::string_view::npos ? bare : bare.substr(slash + 1);
        if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos)
            return error{errc::invalid_argument, "a path that ends in a name",
                         "'" + std::string(path) + "'"};
        auto const parent = slash == std::string_view::npos ? std::string_view(".")
                            : slash == 0                    ? std::string_view("/")
                                                            : bare.substr(0, slash);
        return std::pair(std::string(parent), std::string(name));
    }

    /// What is at the path now.
    [[nodiscard]] result<void> look_at(std::string const& whole, bool replaces) {
        auto there = store_directory<Os>::open(whole);
        if (!there)
            return there.error().code() == errc::not_found ? result<void>()
                                                           : result<void>(there.error());
        auto const found = there->list();
        if (!found) return found.error();
        bool const empty = found->empty();
        if (!replaces && !empty)
            return error{errc::invalid_argument,
                         "a path at which nothing is, or an empty directory: '" + whole + "'",
                         "a directory with files in it"};
        if (!found->foreign.empty())
            return error{errc::foreign_file, "a store or an empty directory at '" + whole + "'",
                         "one that holds '" + found->foreign + "'"};
        if (empty) return {};
        auto lock = writer_lock<Os>::take(*there, 0);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        old_ = *std::move(there);
        return {};
    }

    /// Makes the directory under its passing name, or takes over and clears one that is left.
    [[nodiscard]] result<void> begin(std::string const& path) {
        if (detail::uninterrupted([&] { return Os::make_directory(path.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            return detail::system_failure(reason, "to make the directory '" + path + "'");
        }
        auto made = store_directory<Os>::open(path);
        if (!made) return made.error();
        // Another run may be at work there, or has just given it its final name.
        bool const mine = detail::uninterrupted([&] { return Os::try_lock(made->number()); }) == 0;
        auto const again = store_directory<Os>::open(path);
        if (!mine || !again || Os::same_file(made->number(), again->number()) != 1)
            return error{errc::locked, "", "another run is writing to '" + path + "'"};
        auto const found = made->list();
        if (!found) return found.error();
        if (!found->foreign.empty())
            return error{errc::foreign_file, "what an earlier run has left at '" + path + "'",
                         "a directory that holds '" + found->foreign + "'"};
        clear(*made, *found);
        files_ = *std::move(made);
        pending_ = true;
        return {};
    }

    /// Where names can't be exchanged: between two steps the old store has another name.
    [[nodiscard]] result<void> replace_in_steps(std::string const& partial) {
        auto const aside = name_ + ".replaced";
        VICINAL_CHECK(parent_.rename(name_, aside));
        if (auto const done = parent_.rename(partial, name_); !done) {
            static_cast<void>(parent_.rename(aside, name_));
            return done;
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, aside);
        return {};
    }

    static void clear(store_directory<Os> const& directory, detail::store_listing const& found) {
        for (auto const& name : found.temporary) directory.remove(name);
        for (auto const g : found.snapshots) directory.remove(detail::snapshot_name(g));
        for (auto const g : found.logs) directory.remove(detail::log_name(g));
        for (auto const g : found.closed_logs) directory.remove(detail::closed_log_name(g));
        directory.remove(detail::lock_name);
    }
    /// What can't be removed stays; it has no store's name.
    void remove(store_directory<Os> const& directory, std::string const& name) const noexcept {
        static_cast<void>(detail::guarded([&]() -> result<void> {
            auto const found = directory.list();
            VICINAL_CHECK(found);
            clear(directory, *found);
            static_cast<void>(Os::remove_directory(parent_.number(), name.c_str()));
            return {};
        }));
    }

    store_directory<Os> parent_;
    store_directory<Os> files_;
    /// The store that is replaced, and the right to.
    store_directory<Os> old_;
    writer_lock<Os> lock_;
    std::string name_;
    bool pending_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::storage {

/// What a backup or a restored store holds.
struct copy_report {
    std::uint64_t generation = 0;
    std::uint64_t snapshot_bytes = 0;
    /// Batches of the log, and the number of the newest; 0 of them is a store that was just
    /// checkpointed.
    std::uint64_t log_records = 0;
    /// What stood behind the log's last valid record and was left out: a write that was cut off or
    /// is under way. 0 for the backup of an open store.
    std::uint64_t bytes_dropped = 0;
};

/// The files of one state of a store, held open: later checkpoints don't touch them.
template <class Os>
struct held_files {
    snapshot_file<Os> snapshot;
    log_view<Os> log;
    /// The log's records were valid up to its end when it was taken: nothing there may be dropped.
    bool whole = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Copies a snapshot byte for byte, each block compared with its checksum on the way, and opens the
/// copy as any reader will. errc::corrupt_snapshot names the block.
template <class Os>
[[nodiscard]] result<void> copy_snapshot(storage::snapshot_file<Os> const& from,
                                         storage::store_directory<Os> const& to) {
    auto const name = snapshot_name(from.layout().generation);
    auto const shown = to.shown(name);
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_empty(to.number(), name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to make " + shown);
    }
    auto const& sections = from.layout().sections;
    std::unique_ptr<typename storage::snapshot_file<Os>::block> const block(
        new typename storage::snapshot_file<Os>::block);
    // The part before the rows: opening the copy finds out whether it was read well.
    auto const front = sections.empty() ? from.layout().file_bytes : sections.front().offset;
    for (std::uint64_t at = 0; at < front; at += block->size()) {
        auto const piece = std::span(*block).first(
            static_cast<std::size_t>((std::min<std::uint64_t>)(block->size(), front - at)));
        auto const n = storage::read_up_to<Os>(from.number(), at, piece, from.shown());
        if (!n) return n.error();
        VICINAL_CHECK(storage::write_all<Os>(file.get(), at, piece, shown));
    }
    for (auto const& s : sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            VICINAL_CHECK(from.read_block(s, i, *block));
            VICINAL_CHECK(storage::write_all<Os>(
                file.get(), s.offset + i * storage::snapshot_block_bytes, *block, shown));
        }
    if (uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return system_failure(reason, "to sync " + shown);
    }
    auto const again = storage::snapshot_file<Os>::open(to.number(), name, shown, false);
    if (!again) return again.error();
    if (again->layout().block_crcs != from.layout().block_crcs)
        return error{errc::corrupt_snapshot, "the front of " + from.shown() + " as it was",
                     "other checksums"};
    return {};
}

/// Makes the log of a copy, filled by `fill(log) -> result<void>`: closed in order, so that no
/// damage of it can pass for a write that was cut off. Its salt is its own.
template <class Os, class Fill>
[[nodiscard]] result<void> make_closed_log(storage::store_directory<Os> const& to,
                                           log_header const& header, Fill&& fill) {
    auto const name = log_name(header.generation);
    auto log = storage::log_file<Os>::make(to, name, header, false);
    if (!log) return log.error();
    VICINAL_CHECK(fill(*log));
    VICINAL_CHECK(log->append_clean(true));
    return to.rename(name, closed_log_name(header.generation));
}

/// Copies what was held into an empty directory, everything checked and on the disk. Where it fails
/// the directory holds pieces.
template <class Os>
[[nodiscard]] result<storage::copy_report> copy_files(storage::held_files<Os> const& from,
                                                      storage::store_directory<Os> const& to) {
    auto const& layout = from.snapshot.layout();
    storage::copy_report report;
    report.generation = layout.generation;
    report.snapshot_bytes = layout.file_bytes;
    VICINAL_CHECK(copy_snapshot(from.snapshot, to));
    if (!from.log.file) return report;
    auto const copied = make_closed_log<Os>(to, from.log.header, [&](auto& log) -> result<void> {
        auto const found =
            scan_log<Os>(from.log.file.get(), from.log.shown, from.log.end, from.log.header,
                         from.log.closed, [&](std::span<std::byte const> payload) {
                             return log.append(log_kind::batch, payload, false);
                         });
        if (!found) return found.error();
        report.log_records = found->batches;
        report.bytes_dropped = from.log.end - found->end;
        if (from.whole && report.bytes_dropped != 0)
            return log_damage(from.log.shown, found->end, found->last_lsn + 1, "damaged bytes");
        return {};
    });
    VICINAL_CHECK(copied);
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// Copies a state of a store to `to`. The directory has that name when every byte has been compared
/// with its checksum and is on the disk; before that, and where it fails, nothing is changed there.
template <class Os>
[[nodiscard]] result<copy_report> copy_to(held_files<Os> const& from, std::string_view to,
                                          bool replaces) {
    auto made = new_directory<Os>::make(to, replaces);
    if (!made) return made.error();
    auto report = detail::copy_files(from, made->files());
    if (!report) return detail::unpoisoned(report.error());
    if (auto const done = made->publish(); !done) return detail::unpoisoned(done.error());
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vicinal::inline VICINAL_ABI::detail {

/// The files of one open store: directory, lock, snapshot and log, and what a writer may still do
/// with them. It knows no columns; storages that map and storages that page share it.
template <class Os>
class store_files {
public:
    explicit store_files(storage::open_options const& options) noexcept : options_(options) {}
    store_files(store_files const&) = delete;
    store_files& operator=(store_files const&) = delete;
    /// Marks the log as closed in order. Where that fails the log stays as it is, complete too.
    ~store_files() {
        if (!open_ || read_only() || poisoned_ || !log_.replayed() || log_.closed()) return;
        if (!own_process()) return;
        static_cast<void>(guarded([this] { return close_log(); }));
    }

    [[nodiscard]] storage::snapshot_layout const& layout() const noexcept {
        return snapshot_.layout();
    }
    [[nodiscard]] storage::snapshot_file<Os> const& snapshot() const noexcept { return snapshot_; }
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return log_ ? log_.bytes() : 0; }
    [[nodiscard]] bool read_only() const noexcept { return options_.read_only; }
    /// False in a child that a fork made: two processes would write one log from there on.
    [[nodiscard]] bool own_process() const noexcept { return Os::process_id() == process_; }

    [[nodiscard]] result<void> open(std::string_view path, storage::properties const& initial) {
        auto done = attach(path, initial);
        open_ = static_cast<bool>(done);
        // There is no writer yet that could be poisoned: opening again is the cure anyway.
        return done ? done : result<void>(unpoisoned(done.error()));
    }

    template <class Apply>
    [[nodiscard]] result<storage::replay_report> replay(Apply&& apply) {
        // A log that was made by this space has nothing to replay; nor has a snapshot without one.
        if (!log_ || log_.replayed())
            return storage::replay_report{0, 0, 0, log_ ? log_.last_lsn() : layout().last_lsn,
                                          true};
        auto report = log_.replay(apply, !read_only(), syncs_each());
        if (!report) note_poison(report.error());
        return report;
    }

    /// For a reader: hands on what was logged since, and gives the number of batches. Nothing where
    /// the store has other files by now, or another directory its name: then it must be opened
    /// anew.
    template <class Apply>
    [[nodiscard]] result<std::optional<std::uint64_t>> catch_up(Apply&& apply) {
        using answer = std::optional<std::uint64_t>;
        auto const now = storage::store_directory<Os>::open(directory_.path());
        if (!now) return now.error();
        auto const found = now->list();
        if (!found) return found.error();
        if (Os::same_file(now->number(), directory_.number()) != 1 ||
            found->newest() != layout().generation ||
            (!log_ && !(found->logs.empty() && found->closed_logs.empty())))
            return answer();
        if (!log_) return answer(0);
        auto const more = log_.replay_more(apply);
        if (!more) return more.error();
        return answer(*more);
    }

    /// The store as it is now, for a copy that goes on while it is written.
    [[nodiscard]] result<storage::held_files<Os>> hold() const {
        storage::held_files<Os> held;
        held.whole = true;
        auto snapshot = snapshot_.again();
        VICINAL_CHECK(snapshot);
        held.snapshot = *std::move(snapshot);
        if (log_) {
            auto log = log_.view();
            VICINAL_CHECK(log);
            held.log = *std::move(log);
        }
        return held;
    }

    [[nodiscard]] result<void> append(std::span<std::byte const> record) {
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(log_.make_room(record.size()));
        auto const g = layout().generation;
        auto const from = closed_log_name(g);
        auto const to = log_name(g);
        auto shown = directory_.shown(to);
        return risky([&]() -> result<void> {
            // The old name promises that no byte will follow: it goes before the first one comes.
            if (log_.closed()) {
                VICINAL_CHECK(directory_.rename(from, to));
                log_.renamed(std::move(shown), false);
                if (syncs()) VICINAL_CHECK(directory_.sync());
            }
            return log_.append(log_kind::batch, record, syncs_each());
        });
    }

    [[nodiscard]] result<void> check_writable() const {
        if (read_only())
            return error{errc::read_only, "a store opened for writing",
                         "'" + directory_.path() + "' opened read-only"};
        if (!own_process())
            return error{errc::read_only,
                         "the process that opened '" + directory_.path() + "' for writing",
                         "a child of it, which shares lock and files"};
        VICINAL_CHECK(check_poison());
        if (!log_.replayed())
            return error{errc::invalid_argument, "replay() before the first write"};
        return {};
    }
    /// Rows that were never compared with their checksums must not get new ones: damage would be
    /// made valid.
    [[nodiscard]] result<void> check_before_copying() {
        if (!checked_) VICINAL_CHECK(snapshot_.check_all());
        checked_ = true;
        return {};
    }

    /// Writes the next generation beside this one. On failure nothing of it is left.
    [[nodiscard]] result<storage::generation_files<Os>>
    write_next(storage::properties const& properties,
               std::span<storage::section_source const> sources) {
        storage::snapshot_layout next;
        next.uuid = layout().uuid;
        next.generation = layout().generation + 1;
        next.last_lsn = log_.last_lsn();
        next.properties = properties;
        auto files = write_generation<Os>(directory_, std::move(next), sources, syncs());
        if (!files) note_poison(files.error());
        return files;
    }
    /// Publishes what write_next() gave and removes the generation before it. On failure the
    /// present one stays, and the next is removed unless it may have been published.
    [[nodiscard]] result<void> publish_next(storage::generation_files<Os>& next) {
        auto const old = layout().generation;
        auto const snapshot = snapshot_name(old);
        auto const log = log_name(old);
        auto const closed = closed_log_name(old);
        // Nothing may fail between the rename and the switch to the new log: a batch that went to
        // the old one would be lost.
        if (auto const done = publish(next); !done) {
            if (!poisoned_) abandon_next();
            return done;
        }
        snapshot_ = std::move(next.snapshot);
        log_ = std::move(next.log);
        checked_ = true;
        directory_.remove(snapshot);
        directory_.remove(log);
        directory_.remove(closed);
        return {};
    }
    void abandon_next() {
        auto const g = layout().generation + 1;
        directory_.remove(snapshot_name(g) + std::string(temporary_suffix));
        directory_.remove(log_name(g));
    }

    [[nodiscard]] result<void> sync() {
        if (read_only() || !log_.replayed()) return {};
        VICINAL_CHECK(check_poison());
        return risky([this] { return log_.sync(); });
    }

    [[nodiscard]] result<void> verify() const {
        VICINAL_CHECK(snapshot_.check_all());
        return log_ && log_.replayed() ? log_.check() : result<void>();
    }

private:
    static constexpr std::uint64_t most_checked_at_open = std::uint64_t{64} << 20;

    [[nodiscard]] bool syncs() const noexcept {
        return options_.durability != vicinal::durability::off;
    }
    [[nodiscard]] bool syncs_each() const noexcept {
        return options_.durability == vicinal::durability::full;
    }

    [[nodiscard]] result<void> check_poison() const {
        if (!poisoned_) return {};
        return error{errc::writer_poisoned, "",
                     "an earlier write failed (" + poison_ +
                         "); close the store and open it again"};
    }
    void note_poison(error const& e) {
        if (e.code() != errc::writer_poisoned) return;
        poisoned_ = true;
        poison_ = e.message();
    }

    /// Runs calls after which memory and disk may differ. The writer is poisoned where they say so,
    /// and where memory runs out in the middle of them: only failures are put in words there, so
    /// something had failed.
    template <class Body>
    [[nodiscard]] result<void> risky(Body&& body) {
        poisoned_ = true;
        auto answer = guarded(body);
        poisoned_ = !answer && (answer.error().code() == errc::writer_poisoned ||
                                answer.error().code() == errc::out_of_memory);
        if (poisoned_) poison_ = answer.error().message();
        return answer;
    }

    [[nodiscard]] result<void> attach(std::string_view path, storage::properties const& initial) {
        auto directory = storage::store_directory<Os>::open(path);
        if (!directory && directory.error().code() == errc::not_found && !read_only()) {
            VICINAL_CHECK(storage::store_directory<Os>::make(path, syncs()));
            directory = storage::store_directory<Os>::open(path);
        }
        if (!directory) return directory.error();
        directory_ = *std::move(directory);
        if (!read_only()) VICINAL_CHECK(enter_as_writer(initial));
        if (!snapshot_) {
            auto files = open_newest(directory_, !read_only());
            if (!files) return files.error();
            snapshot_ = std::move(files->snapshot);
            log_ = std::move(files->log);
        }
        if (layout().file_bytes <= most_checked_at_open) {
            VICINAL_CHECK(snapshot_.check_all());
            checked_ = true;
        }
        if (!log_ && !read_only()) return make_missing_log();
        return {};
    }

    /// Takes the lock, clears what broken runs left, and makes the store where there is none.
    [[nodiscard]] result<void> enter_as_writer(storage::properties const& initial) {
        auto found = directory_.list();
        if (!found) return found.error();
        // No file is put into somebody else's directory, not even LOCK.
        if (found->newest() == 0) VICINAL_CHECK(check_vacant(directory_, *found));
        auto lock = storage::writer_lock<Os>::take(directory_, options_.lock_timeout_ms);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        found = directory_.list();
        if (!found) return found.error();
        if (auto const log = orphan(directory_, *found); !log.empty())
            return missing_snapshot(directory_.path(), log);
        remove_remains(directory_, *found);
        return found->newest() == 0 ? make_first(initial) : result<void>();
    }

    [[nodiscard]] result<void> make_first(storage::properties const& initial) {
        storage::snapshot_layout first;
        if (Os::random_bytes(first.uuid.data(), first.uuid.size()) != 0) {
            int const reason = errno;
            return system_failure(reason, "16 random bytes for a new store");
        }
        first.generation = 1;
        first.properties = initial;
        auto files = write_generation<Os>(directory_, std::move(first), {}, syncs());
        if (!files) return files.error();
        VICINAL_CHECK(publish(*files));
        snapshot_ = std::move(files->snapshot);
        log_ = std::move(files->log);
        return {};
    }

    /// Gives a snapshot without log (one that was shipped alone) a log. It gets its name when its
    /// header is complete.
    [[nodiscard]] result<void> make_missing_log() {
        auto const name = log_name(layout().generation);
        auto const temporary = name + std::string(temporary_suffix);
        log_header header;
        header.uuid = layout().uuid;
        header.generation = layout().generation;
        header.first_lsn = layout().last_lsn + 1;
        auto made = storage::log_file<Os>::make(directory_, temporary, header, syncs());
        if (!made) return made.error();
        log_ = *std::move(made);
        VICINAL_CHECK(directory_.rename(temporary, name));
        log_.renamed(directory_.shown(name), false);
        return syncs() ? directory_.sync() : result<void>();
    }

    /// The commit point of a generation: from here on it is what opens.
    [[nodiscard]] result<void> publish(storage::generation_files<Os>& files) {
        auto const name = snapshot_name(files.snapshot.layout().generation);
        auto const temporary = name + std::string(temporary_suffix);
        auto shown = directory_.shown(name);
        auto const done = risky([&]() -> result<void> {
            if (auto const renamed = directory_.rename(temporary, name); !renamed)
                return directory_.lacks(name)
                           ? renamed
                           : error{errc::writer_poisoned, renamed.error().expected(),
                                   renamed.error().got()};
            return syncs() ? directory_.sync() : result<void>();
        });
        VICINAL_CHECK(done);
        files.snapshot.renamed(std::move(shown));
        return {};
    }

    [[nodiscard]] result<void> close_log() {
        auto const g = layout().generation;
        auto const from = log_name(g);
        auto const to = closed_log_name(g);
        if (syncs()) VICINAL_CHECK(log_.sync());
        VICINAL_CHECK(log_.append_clean(syncs()));
        VICINAL_CHECK(directory_.rename(from, to));
        return syncs() ? directory_.sync() : result<void>();
    }

    // Destroyed in reverse: the lock is given back when nothing else is open.
    storage::store_directory<Os> directory_;
    storage::writer_lock<Os> lock_;
    storage::snapshot_file<Os> snapshot_;
    storage::log_file<Os> log_;
    storage::open_options options_;
    /// Every block of the snapshot is known to be right.
    bool checked_ = false;
    bool open_ = false;
    bool poisoned_ = false;
    std::string poison_;
    long process_ = Os::process_id();
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

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

namespace vicinal::inline VICINAL_ABI::storage {

/// What a store's files say about it, without opening it.
struct summary {
    storage::properties properties;
    std::uint64_t generation = 0;
    /// The newest log record that is in the snapshot.
    std::uint64_t last_lsn = 0;
    std::uint64_t snapshot_bytes = 0;
    std::uint64_t log_bytes = 0;
    std::vector<section> sections;
};

/// A durable directory, opened: columns by name, a log, checkpoints. docs/format.md defines the
/// files. One thread at a time calls it; readers of the columns may run beside everything but a
/// column's commit() and resize(), and adopt().
template <class Os>
class mapped_space {
public:
    /// Opens the store at `path`; where there is none, makes it with the properties `initial`,
    /// unless `read_only`. A snapshot of up to 64 MiB has every block checked; a larger one before
    /// its next checkpoint, or by verify(). errc::not_found, not_a_directory, foreign_file, locked,
    /// newer_format, corrupt_snapshot, corrupt_log, io_failure; unsupported on a host that cannot
    /// map the files.
    [[nodiscard]] static result<mapped_space>
    open(std::string_view path, storage::properties const& initial, open_options const& options) {
        return detail::guarded([&]() -> result<mapped_space> {
            VICINAL_CHECK(check_host());
            auto s = std::make_unique<state>(options);
            VICINAL_CHECK(s->files.open(path, initial));
            return mapped_space(std::move(s));
        });
    }

    /// Reads what the files say, without lock and without touching rows or log records.
    [[nodiscard]] static result<summary> inspect(std::string_view path) {
        return detail::guarded([&]() -> result<summary> {
            auto const directory = store_directory<Os>::open(path);
            if (!directory) return directory.error();
            auto const files = detail::open_newest(*directory, false);
            if (!files) return files.error();
            auto const& l = files->snapshot.layout();
            return summary{l.properties,
                           l.generation,
                           l.last_lsn,
                           l.file_bytes,
                           files->log ? files->log.bytes() : 0,
                           l.sections};
        });
    }

    [[nodiscard]] storage::properties const& properties() const noexcept {
        return s_->files.layout().properties;
    }
    /// Bytes of the log's records: what replaying would read.
    [[nodiscard]] std::uint64_t log_bytes() const noexcept { return s_->files.log_bytes(); }
    [[nodiscard]] std::uint64_t snapshot_bytes() const noexcept {
        return s_->files.layout().file_bytes;
    }
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return s_->files.layout().generation;
    }
    [[nodiscard]] bool read_only() const noexcept { return s_->files.read_only(); }
    /// False in a child that a fork made.
    [[nodiscard]] bool own_process() const noexcept { return s_->files.own_process(); }

    /// The column of that name, with the snapshot's rows or none; its address stays. The kind of
    /// heat changes nothing here: the system keeps in memory what is read.
    /// errc::corrupt_snapshot where the file has rows of another width.
    [[nodiscard]] result<mapped_column<Os>*> column(std::string_view name, std::size_t row_bytes,
                                                    heat = heat::cold) {
        return detail::guarded(
            [&] { return s_->columns.bind(s_->files.snapshot(), name, row_bytes); });
    }

    /// Hands every batch of the log to `apply(std::span<std::byte const>) -> result<void>`, in
    /// order. To be called once, after the columns are bound and before anything is written. A
    /// writer cuts off what a broken write left; either reports it. errc::corrupt_log names file
    /// and offset; the columns then hold what came before and the space is of no more use.
    template <class Apply>
    [[nodiscard]] result<replay_report> replay(Apply&& apply) {
        return detail::guarded([&] { return s_->files.replay(apply); });
    }

    /// For a reader, behind replay(): hands on what was logged since, and gives the number of
    /// batches; nothing where a newer generation is there, so that the store must be opened anew.
    template <class Apply>
    [[nodiscard]] result<std::optional<std::uint64_t>> catch_up(Apply&& apply) {
        return detail::guarded([&] { return s_->files.catch_up(apply); });
    }

    /// The files of the present state, for a backup that goes on while the store is written.
    [[nodiscard]] result<held_files<Os>> hold() const {
        return detail::guarded([&] { return s_->files.hold(); });
    }

    /// Appends one batch; when it returns the batch is as durable as the store promises. On failure
    /// nothing has changed. errc::writer_poisoned for this and all later writes where the disk is
    /// left in an unknown state; read_only, limit_exceeded, io_failure, out_of_memory.
    [[nodiscard]] result<void> log(std::span<std::byte const> record) {
        return detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(s_->check_writable());
            return s_->files.append(record);
        });
    }

    /// Writes the next generation, from the columns' present rows or from `replacements`, and
    /// publishes it by a rename; a new log begins. Columns are not changed: readers go on. On
    /// failure the present generation stays. Then adopt() or discard() must be called before the
    /// next write.
    [[nodiscard]] result<void> checkpoint(std::span<replacement const> replacements,
                                          storage::properties const& props) {
        return detail::guarded([&] { return s_->checkpoint(replacements, props); });
    }

    /// Binds every column to the snapshot that checkpoint() wrote and gives the private copies back
    /// to the system; a column that could not be mapped keeps its memory. No reader may be inside.
    void adopt() noexcept {
        if (std::exchange(s_->adoption_due, false)) s_->columns.adopt();
    }

    /// The other answer to checkpoint(): the columns keep the rows that they have. The snapshot may
    /// hold them under other numbers; the log that goes on behind it does not know numbers.
    void discard() noexcept {
        if (std::exchange(s_->adoption_due, false)) s_->columns.unstage();
    }

    /// All that was logged is on the disk when it returns, whatever the durability.
    [[nodiscard]] result<void> sync() {
        return detail::guarded([&] { return s_->files.sync(); });
    }

    /// Compares every block of the snapshot and every record of the log with its checksum, as they
    /// are on the disk. errc::corrupt_snapshot names section and block, corrupt_log the offset.
    [[nodiscard]] result<void> verify() const {
        return detail::guarded([&] { return s_->files.verify(); });
    }

private:
    /// At one address, so that the space can be moved.
    struct state {
        explicit state(open_options const& options) noexcept : files(options) {}

        [[nodiscard]] result<void> check_writable() const {
            VICINAL_CHECK(files.check_writable());
            if (adoption_due)
                return error{errc::invalid_argument,
                             "adopt() or discard() between checkpoint() and a write"};
            return {};
        }

        [[nodiscard]] result<void> checkpoint(std::span<replacement const> replacements,
                                              storage::properties const& properties) {
            VICINAL_CHECK(check_writable());
            VICINAL_CHECK(files.check_before_copying());
            std::vector<section_source> sources;
            VICINAL_CHECK(columns.collect(files.snapshot(), replacements, sources));
            auto next = files.write_next(properties, sources);
            if (!next) return next.error();
            auto staged = columns.stage(next->snapshot, replacements);
            if (!staged) files.abandon_next();
            auto const done = staged ? files.publish_next(*next) : std::move(staged);
            if (!done) columns.unstage();
            adoption_due = static_cast<bool>(done);
            return done;
        }

        // Destroyed in reverse: the lock is given back when nothing is mapped any more.
        detail::store_files<Os> files;
        mapped_columns<Os> columns;
        bool adoption_due = false;
    };

    [[nodiscard]] static result<void> check_host() {
        if constexpr (std::endian::native != std::endian::little)
            return error{errc::unsupported, "a little-endian host, as the mapped rows are",
                         "a big-endian one; use storage::memory"};
        if (auto const page = Os::page_bytes(); snapshot_block_bytes % page != 0)
            return error{errc::unsupported, "pages of 64 KiB at most",
                         std::to_string(page) + " bytes"};
        return {};
    }

    explicit mapped_space(std::unique_ptr<state> s) noexcept : s_(std::move(s)) {}

    std::unique_ptr<state> s_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/posix.hpp
#ifndef VICINAL_STORAGE_POSIX_HPP
#define VICINAL_STORAGE_POSIX_HPP

#if VICINAL_HAS_FILES

#    include <array>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstdio>
#    include <limits>
#    include <string>
#    include <vector>

#    include <dirent.h>
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <time.h>
#    include <unistd.h>
#    if defined(__APPLE__)
#        include <sys/random.h>
#    endif

#    if defined(MAP_ANONYMOUS)
#        define VICINAL_MAP_ANONYMOUS MAP_ANONYMOUS
#    else
#        define VICINAL_MAP_ANONYMOUS MAP_ANON
#    endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The operating-system calls of the durable storages, one thin function each: -1 (or nullptr) and
/// errno on failure. The storages take this as a template parameter and call nothing else, so that
/// a test can fail, tear or drop any one of them. Interrupted and short calls are the callers' to
/// repeat. All descriptors are closed on exec; names inside a store are never followed as links.
struct posix {
    static int open_directory(char const* path) noexcept {
        return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    static int make_directory(char const* path) noexcept { return ::mkdir(path, 0700); }
    static int open_read(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    static int open_write(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    /// Makes the file, or opens the one that is there, with its contents.
    static int open_or_make(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    /// Makes the file, or empties the one that is there.
    static int open_empty(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    static int close_file(int file) noexcept { return ::close(file); }

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        return fits(offset) ? ::pread(file, into, n, static_cast<::off_t>(offset)) : -1;
    }
    static std::ptrdiff_t write_at(int file, void const* from, std::size_t n,
                                   std::uint64_t offset) noexcept {
        return fits(offset) ? ::pwrite(file, from, n, static_cast<::off_t>(offset)) : -1;
    }
    static int truncate_file(int file, std::uint64_t bytes) noexcept {
        return fits(bytes) ? ::ftruncate(file, static_cast<::off_t>(bytes)) : -1;
    }
    static std::int64_t file_bytes(int file) noexcept {
        struct ::stat s {};
        if (::fstat(file, &s) != 0) return -1;
        return static_cast<std::int64_t>(s.st_size);
    }

    /// The contents of a file and its size reach the disk.
    static int sync_data(int file) noexcept {
#    if defined(__APPLE__)
        return sync_all(file);
#    else
        return ::fdatasync(file);
#    endif
    }
    /// A file, or the names in a directory, reach the disk.
    static int sync_all(int file) noexcept {
#    if defined(__APPLE__)
        // fsync leaves the data in the drive's own cache there.
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;
#    endif
        return ::fsync(file);
    }
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        return ::renameat(directory, from, directory, to);
    }
    /// Gives each of two names what the other has, in one step: EINVAL or ENOSYS where the system
    /// or the file system can't.
    static int exchange_names(int directory, char const* a, char const* b) noexcept {
#    if defined(RENAME_EXCHANGE)
        return ::renameat2(directory, a, directory, b, RENAME_EXCHANGE);
#    elif defined(RENAME_SWAP)
        return ::renameatx_np(directory, a, directory, b, RENAME_SWAP);
#    else
        static_cast<void>(directory);
        static_cast<void>(a);
        static_cast<void>(b);
        errno = ENOSYS;
        return -1;
#    endif
    }
    static int remove_file(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, 0);
    }
    /// Only an empty one.
    static int remove_directory(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, AT_REMOVEDIR);
    }
    /// Another number for the same open file.
    static int duplicate(int file) noexcept { return ::fcntl(file, F_DUPFD_CLOEXEC, 0); }
    /// 1 where both numbers are of one file or directory, 0 where not.
    static int same_file(int a, int b) noexcept {
        struct ::stat of_a {};
        struct ::stat of_b {};
        if (::fstat(a, &of_a) != 0 || ::fstat(b, &of_b) != 0) return -1;
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino ? 1 : 0;
    }
    /// Belongs to the open file, not to the process: a second open in the same process is refused
    /// too, and closing another descriptor of the file does not give it up.
    static int try_lock(int file) noexcept { return ::flock(file, LOCK_EX | LOCK_NB); }

    /// The names in a directory, without "." and "..".
    static int list(int directory, std::vector<std::string>& names) {
        names.clear();
        int const again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) return -1;
        ::DIR* const d = ::fdopendir(again);
        if (d == nullptr) {
            int const why = errno;
            ::close(again);
            errno = why;
            return -1;
        }
        errno = 0;
        while (auto const* e = ::readdir(d)) {
            std::string name(&e->d_name[0]);
            if (name != "." && name != "..") names.push_back(std::move(name));
            errno = 0;
        }
        int const why = errno;
        ::closedir(d);
        errno = why;
        return why == 0 ? 0 : -1;
    }

    /// Address space without memory behind it: touching it faults until it is allowed or mapped.
    static void* reserve(std::size_t bytes) noexcept {
        int flags = MAP_PRIVATE | VICINAL_MAP_ANONYMOUS;
#    if defined(MAP_NORESERVE)
        flags |= MAP_NORESERVE;
#    endif
        void* const p = ::mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
        return p == MAP_FAILED ? nullptr : p;
    }
    /// Makes reserved pages readable and writable; they read as zero.
    static int allow(void* at, std::size_t bytes) noexcept {
        if (bytes >= huge_page) ask_for_huge_pages(at, bytes);
        return ::mprotect(at, bytes, PROT_READ | PROT_WRITE);
    }
    /// Puts a piece of a file into reserved address space. What is written there stays private.
    static int map_file(void* at, std::size_t bytes, int file, std::uint64_t offset) noexcept {
        if (!fits(offset)) return -1;
        void* const p = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                               static_cast<::off_t>(offset));
        return p == MAP_FAILED ? -1 : 0;
    }
    static int release(void* at, std::size_t bytes) noexcept { return ::munmap(at, bytes); }
    static std::size_t page_bytes() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    /// Bytes that no other log has: up to 256 of them.
    static int random_bytes(void* into, std::size_t n) noexcept { return ::getentropy(into, n); }
    static long process_id() noexcept { return static_cast<long>(::getpid()); }
    static std::string host_name() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
        return name.data();
    }
    /// Seconds since 1970, UTC.
    static std::int64_t seconds() noexcept { return static_cast<std::int64_t>(::time(nullptr)); }
    static void pause(std::uint32_t milliseconds) noexcept {
        struct ::timespec const t{static_cast<::time_t>(milliseconds / 1000),
                                  static_cast<long>(milliseconds % 1000) * 1000000L};
        ::nanosleep(&t, nullptr);
    }

private:
    static bool fits(std::uint64_t offset) noexcept {
        if (offset <= static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)()))
            return true;
        errno = EOVERFLOW;
        return false;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif

#    include <string_view>

namespace vicinal::inline VICINAL_ABI::storage {

/// Columns in a durable directory whose snapshot is mapped: opening rebuilds nothing and reads
/// nothing but what is checked, and processes share the pages. Every call to the operating system
/// goes through `Os`.
template <class Os = posix>
struct basic_mmap {
    static constexpr bool durable = true;
    static constexpr std::string_view name = "mmap";
    using column = mapped_column<Os>;
    using space = mapped_space<Os>;
};

using mmap = basic_mmap<>;

static_assert(model<mmap>);

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif

// which rows are looked at
// ---- vicinal/index/concept.hpp
#ifndef VICINAL_INDEX_CONCEPT_HPP
#define VICINAL_INDEX_CONCEPT_HPP

// ---- vicinal/index/neighbour.hpp
#ifndef VICINAL_INDEX_NEIGHBOUR_HPP
#define VICINAL_INDEX_NEIGHBOUR_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// A row and how far it is from the query.
struct neighbour {
    float distance;
    slot row;

    /// Nearest first, the lower slot first among equals: a total order, so that the same input
    /// gives the same graph and the same answer.
    friend bool operator<(neighbour const& a, neighbour const& b) noexcept {
        return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
    }
    friend bool operator==(neighbour const&, neighbour const&) = default;
};

using neighbours = std::vector<neighbour>;

/// A predicate that keeps every row.
struct keep_all {
    [[nodiscard]] bool operator()(slot) const noexcept { return true; }
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

/// Which rows are looked at.
namespace vicinal::inline VICINAL_ABI::index {

/// The short exclusive section in which an index puts links in place, for an index that stands
/// alone and whose caller keeps searches and inserts apart himself.
struct no_section {
    template <class Body>
    void operator()(Body&& body) const {
        std::forward<Body>(body)();
    }
};

/// An index over the rows of one column. It owns which slot is next to which, and sees neither ids
/// nor payloads nor files.
///
/// * `open(space, vectors, dim, options)`: binds the index to its columns in the space, making them
///   where there are none.
/// * `covered()`: how many slots, from 0, the index has taken in. Later ones are the caller's to
/// scan.
/// * `take_in(until, live, section)`: takes in the slots from covered() to `until`. Computes first,
///   then changes columns only inside `section(...)`, which excludes searches. An index may decline
///   for now and cover fewer, as one that wants enough rows to train on.
/// * `search(query, wanted, effort, keep)`: the best found among covered rows for which keep(slot)
///   holds, nearest first: at least `wanted` of them if it can, and told by the size if not.
///   Distances are the codec's.
/// * `search_into(query, effort, keep, nearest)`, of an index that is not exact: the same with
/// exact
///   distances, offered to `nearest`.
/// * `effort_for(wanted, recall)`: the effort that search takes for a wanted recall.
/// * `clear()`: forgets every row; inside the caller's section.
/// * `exact`: whether it always finds the true neighbours.
template <class B>
concept bound = requires(B& b, B const& k, slot s, float const* q, std::size_t n, keep_all keep) {
    { k.covered() } -> std::same_as<slot>;
    { b.take_in(s, keep, no_section{}) } -> std::same_as<result<void>>;
    { k.search(q, n, n, keep) } -> std::same_as<result<neighbours>>;
    { k.effort_for(n, 0.5) } -> std::same_as<std::size_t>;
    { b.clear() }
    noexcept;
    { B::exact } -> std::convertible_to<bool>;
};

/// An index policy: a name, which files carry, its options, `check(options)`, which refuses those
/// that make no index, and `of<Metric, Storage>`.
template <class I>
concept model = requires(typename I::options const& o) {
    typename I::options;
    typename I::codec_type;
    requires codec::model<typename I::codec_type>;
    { I::name } -> std::convertible_to<std::string_view>;
    { I::check(o) } -> std::same_as<result<void>>;
    requires bound<typename I::template of<metric::squared_l2, storage::memory>>;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/flat.hpp
#ifndef VICINAL_INDEX_FLAT_HPP
#define VICINAL_INDEX_FLAT_HPP

// ---- vicinal/codec/sq8.hpp
#ifndef VICINAL_CODEC_SQ8_HPP
#define VICINAL_CODEC_SQ8_HPP

// ---- vicinal/codec/sq8/bound.hpp
#ifndef VICINAL_CODEC_SQ8_BOUND_HPP
#define VICINAL_CODEC_SQ8_BOUND_HPP

// ---- vicinal/codec/sq8/encoding.hpp
#ifndef VICINAL_CODEC_SQ8_ENCODING_HPP
#define VICINAL_CODEC_SQ8_ENCODING_HPP

/// One vector as bytes of one scale: x is about scale (code - zero), element by element.
///
/// Scale and zero are the vector's own, so that there is nothing to train, rows of any norm stand
/// beside each other, and the product of two vectors is an integer product times two scales. A
/// vector of integers that span no more than 255 is encoded without loss.
/// Source: the affine 8-bit codes of gemmlowp, with the bounds taken per vector as in Aguerrebere
/// et al., "Similarity search in the blink of an eye with compressed indices", VLDB 2023.
namespace vicinal::inline VICINAL_ABI::codec {

/// What belongs to the codes of a vector, 16 bytes.
struct sq8_factors {
    /// 0 where the vector has no codes that say anything: elements that are not finite, or of a
    /// size outside 2^-24 to 2^24, where the bound's own arithmetic would leave float.
    float scale = 0;
    /// At least |x - x^|, in the unit of the elements; exactly 0 for a vector without loss.
    float error = 0;
    /// The sum over i of (code[i] - zero)^2; |x^|^2 is scale^2 times it. Fits to 65,536 elements.
    std::uint32_t square_sum = 0;
    /// The sum of the codes in the low 24 bits, zero in the high 8.
    std::uint32_t sum_and_zero = 0;

    [[nodiscard]] bool usable() const noexcept { return scale > 0; }
    [[nodiscard]] std::uint32_t sum() const noexcept { return sum_and_zero & 0xffffffU; }
    [[nodiscard]] std::uint32_t zero() const noexcept { return sum_and_zero >> 24; }

    friend bool operator==(sq8_factors const&, sq8_factors const&) = default;
};

/// The product sum over i of (a[i] - zero_a)(b[i] - zero_b) from the sum of a[i] b[i] modulo 2^32.
/// Exact to 32,768 elements.
[[nodiscard]] VICINAL_ALWAYS_INLINE std::int32_t sq8_centred(std::uint32_t product,
                                                             sq8_factors const& a,
                                                             sq8_factors const& b,
                                                             std::size_t dim) noexcept {
    return static_cast<std::int32_t>(product - a.zero() * b.sum() - b.zero() * a.sum() +
                                     static_cast<std::uint32_t>(dim) * a.zero() * b.zero());
}

namespace detail {
inline namespace VICINAL_BASELINE {

/// What the elements of a vector have in common.
struct sq8_range {
    float low = 0;
    float high = 0;
    /// 0 where every element is an integer.
    float fractions = 0;
    /// 0 where every element is finite, NaN otherwise.
    float unsound = 0;
};

struct sq8_range_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* x, std::size_t dim,
                                          sq8_range* out) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = floats::width;
        floats low, high, fractions, unsound, v;
        low.zero();
        high.zero();
        fractions.zero();
        unsound.zero();
        std::size_t i = 0;
        for (; i + w <= dim; i += w) {
            v.load(x + i);
            step(low, high, fractions, unsound, v);
        }
        if (i < dim) {
            Set::load_part(v, x + i, dim - i);
            step(low, high, fractions, unsound, v);
        }
        sq8_range r;
        for (std::size_t j = 0; j < w; ++j) {
            r.low = (std::min)(r.low, low.lanes[j]);
            r.high = (std::max)(r.high, high.lanes[j]);
        }
        r.fractions = fractions.sum();
        r.unsound = unsound.sum();
        *out = r;
    }

private:
    template <class Floats>
    VICINAL_ALWAYS_INLINE static void step(Floats& low, Floats& high, Floats& fractions,
                                           Floats& unsound, Floats const& v) noexcept {
        low.lanes = v.lanes < low.lanes ? v.lanes : low.lanes;
        high.lanes = v.lanes > high.lanes ? v.lanes : high.lanes;
        unsound.lanes += v.lanes * 0.0F;
        // 2^23 added and taken away leaves the nearest integer.
        Floats size;
        size.lanes = v.lanes;
        size.absolute();
        Floats apart;
        apart.lanes = (size.lanes + 8388608.0F) - 8388608.0F - size.lanes;
        apart.absolute();
        fractions.add(apart);
    }
};

/// What encoding gives beside the codes.
struct sq8_sums {
    std::uint32_t codes = 0;
    /// Of (code - zero)^2.
    std::uint32_t squares = 0;
    /// Of (x - step (code - zero))^2.
    float missed = 0;
};

struct sq8_encode_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(float const* x, std::size_t dim, float step, float zero,
                                          std::uint8_t* codes, sq8_sums* out) noexcept {
        using floats = typename Set::template of<float>;
        using integers = typename Set::integers;
        constexpr std::size_t w = floats::width;
        using bytes = typename simd::pack<std::uint8_t, w>::lanes_type;
        float const inverse = 1 / step;
        floats missed;
        missed.zero();
        integers sum, squares;
        sum.zero();
        squares.zero();
        for (std::size_t i = 0; i < dim; i += w) {
            floats v;
            bool const whole = i + w <= dim;
            if (whole)
                v.load(x + i);
            else
                Set::load_part(v, x + i, dim - i);
            auto place = v.lanes * inverse + (zero + 0.5F);
            place = place < 0.0F ? place * 0.0F : place;
            place = place > 255.0F ? place * 0.0F + 255.0F : place;
            auto const code = __builtin_convertvector(place, typename integers::lanes_type);
            auto const centred = code - static_cast<std::int32_t>(zero);
            auto const lost =
                v.lanes - __builtin_convertvector(centred, typename floats::lanes_type) * step;
            missed.lanes += lost * lost;
            squares.lanes += centred * centred;
            sum.lanes += code;
            auto const narrow = __builtin_convertvector(code, bytes);
            if (whole) {
                std::memcpy(codes + i, &narrow, w);
            } else {
                // What is behind the last element was encoded as 0: its code is zero, and it adds
                // nothing but that.
                std::memcpy(codes + i, &narrow, dim - i);
                sum.lanes[0] -=
                    static_cast<std::int32_t>(i + w - dim) * static_cast<std::int32_t>(zero);
            }
        }
        out->codes = static_cast<std::uint32_t>(sum.sum());
        out->squares = static_cast<std::uint32_t>(squares.sum());
        out->missed = missed.sum();
    }
};

using sq8_find_range = simd::kernel<sq8_range_body, void, float const*, std::size_t, sq8_range*>;
using sq8_fill_codes = simd::kernel<sq8_encode_body, void, float const*, std::size_t, float, float,
                                    std::uint8_t*, sq8_sums*>;

} // namespace VICINAL_BASELINE
} // namespace detail

/// Encodes x times `multiplier` (1, or one over the norm where directions are compared; then within
/// a relative 2^-40 of the true one). Writes dim codes.
///
/// Of two instruction sets one may round an element up and the other down; both codes are sound,
/// each with its own error.
inline sq8_factors sq8_encode(float const* x, std::size_t dim, double multiplier,
                              std::uint8_t* codes) noexcept {
    detail::sq8_range range;
    detail::sq8_find_range::get()(x, dim, &range);
    float const size = (std::max)(range.high, -range.low);
    sq8_factors f;
    bool const zeros = size == 0 && multiplier == 1;
    auto const in_range = [](double s) { return s >= 0x1p-24 && s <= 0x1p24; };
    // The elements themselves, too: the steps below are taken in their unit.
    if (range.unsound != 0 ||
        !(zeros || (size >= 0x1p-60F && size <= 0x1p60F && in_range(size * multiplier)))) {
        std::fill_n(codes, dim, std::uint8_t{0});
        return f;
    }
    float const span = range.high - range.low;
    bool const lossless = zeros || (range.fractions == 0 && span <= 255);
    float const step = lossless ? 1.0F : span / 255;
    float const zero = std::floor(-range.low / step + 0.5F);
    detail::sq8_sums sums;
    detail::sq8_fill_codes::get()(x, dim, step, zero, codes, &sums);

    f.scale = static_cast<float>(step * multiplier);
    f.square_sum = sums.squares;
    f.sum_and_zero = sums.codes | static_cast<std::uint32_t>(zero) << 24;
    if (!lossless || multiplier != 1) {
        // The sum in float is within 2^-10 to 32,768 elements, and each difference in it within
        // 2^-23 of the element; so is the scale of what it stands for.
        double const lost = lossless ? 0 : std::sqrt(double{sums.missed}) * multiplier;
        double const norm = double{f.scale} * std::sqrt(double{1} * f.square_sum);
        f.error = static_cast<float>(lost * (1 + 0x1p-10) + norm * 0x1p-20);
    }
    return f;
}

/// Whether codes and factors belong to x: the error is at least what the codes lose, and the sums
/// are theirs.
[[nodiscard]] inline bool sq8_holds(float const* x, std::size_t dim, double multiplier,
                                    std::uint8_t const* codes, sq8_factors const& f) noexcept {
    if (!f.usable()) return f == sq8_factors{};
    std::uint32_t sum = 0;
    std::uint32_t squares = 0;
    double missed = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        auto const centred = static_cast<std::int32_t>(codes[i] - f.zero());
        sum += codes[i];
        squares += static_cast<std::uint32_t>(centred * centred);
        double const lost = x[i] * multiplier - double{f.scale} * centred;
        missed += lost * lost;
    }
    return sum == f.sum() && squares == f.square_sum && std::sqrt(missed) <= f.error;
}

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

/// Which rows may be left out without a look at their floats.
///
/// With x^ and q^ the decoded row and query, e and f their errors, and I the centred integer
/// product, <q^, x^> = scale_x scale_q I. A row whose exact distance is at most t has
///
///     squared L2      |q^ - x^| <= sqrt(t) + e + f
///     cosine          the same of the directions, whose squared distance is 2 t
///     inner product   <q^, x^> >= -t - |q| e - |x^| f
///
/// and each of them, divided by the scales, reads I >= a limit that is linear in three numbers of
/// the row: limit = of_row.size * size + of_row.inverse * inverse + of_row.loss * loss. So a scan
/// is an integer product, two multiply-adds and a comparison for each row.
///
/// All of it is rounded towards keeping a row: 2^-19 of each term for float's arithmetic here, and
/// the rounding of the exact distance itself. A limit that is NaN keeps the row.
/// Source: the triangle inequality; the linear form is our own.
namespace vicinal::inline VICINAL_ABI::codec {

/// The numbers of a row that the limit is linear in.
struct sq8_row_terms {
    float size;
    float inverse;
    float loss;
};

/// The numbers of a query and a distance that they are multiplied by.
struct sq8_query_terms {
    float size;
    float inverse;
    float loss;
};

/// Metrics that have no bound.
template <class Metric>
struct sq8_bound {
    static constexpr bool exists = false;
};

namespace detail {

inline constexpr float sq8_down = 1 - 0x1p-19F;
inline constexpr float sq8_up = 1 + 0x1p-19F;

/// The float nearest to x; infinity beyond the range.
[[nodiscard]] inline float sq8_narrow(double x) noexcept {
    constexpr double most = (std::numeric_limits<float>::max)();
    if (!(std::fabs(x) <= most))
        return std::copysign(std::numeric_limits<float>::infinity(), x < 0 ? -1.0F : 1.0F);
    return static_cast<float>(x);
}

/// What squared L2 and cosine share: `square` is the squared distance that a row may have.
struct sq8_euclidean {
    template <class Lanes>
    VICINAL_ALWAYS_INLINE static void row(Lanes const& scale, Lanes const& error,
                                          Lanes const& square_sum, Lanes& size, Lanes& inverse,
                                          Lanes& loss) noexcept {
        inverse = 0.5F / scale;
        size = scale * square_sum * (0.5F * sq8_down) - error * error * inverse * sq8_up;
        loss = error * inverse;
    }
    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, double square) noexcept {
        double const scale = q.scale;
        double const reach = (std::sqrt(square) + q.error) * (1 + 0x1p-19);
        double const norm = scale * scale * q.square_sum;
        return {detail::sq8_narrow(1 / scale),
                detail::sq8_narrow((norm * (1 - 0x1p-19) - reach * reach) / scale),
                detail::sq8_narrow(-2 * reach / scale)};
    }
};

} // namespace detail

template <>
struct sq8_bound<metric::squared_l2> : detail::sq8_euclidean {
    static constexpr bool exists = true;
    static constexpr bool directions = false;

    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance) noexcept {
        // The exact distance rounds each difference to float, and its sum; what is below the
        // smallest float is 0.
        return sq8_euclidean::query(q, distance * (1 + 0x1p-20) + 0x1p-148);
    }
};

template <>
struct sq8_bound<metric::cosine> : detail::sq8_euclidean {
    static constexpr bool exists = true;
    static constexpr bool directions = true;

    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance) noexcept {
        // 1 - product / norms is within 2^-36 in double to 32,768 elements.
        return sq8_euclidean::query(q, 2 * (distance * (1 + 0x1p-20) + 0x1p-35));
    }
};

template <>
struct sq8_bound<metric::inner_product> {
    static constexpr bool exists = true;
    static constexpr bool directions = false;

    template <class Lanes>
    VICINAL_ALWAYS_INLINE static void row(Lanes const& scale, Lanes const& error,
                                          Lanes const& square_sum, Lanes& size, Lanes& inverse,
                                          Lanes& loss) noexcept {
        inverse = 1.0F / scale;
        // The root of n is at most (n / g + g) / 2 whatever g; halving the exponent gives a g that
        // makes it 0.06 % too large at most.
        decltype(scale < scale) bits;
        Lanes guess;
        std::memcpy(&bits, &square_sum, sizeof bits);
        bits = (bits >> 1) + 0x1fbb4f2e;
        std::memcpy(&guess, &bits, sizeof guess);
        size = (square_sum / guess + guess) * (0.5F * detail::sq8_up);
        loss = error * inverse;
    }
    [[nodiscard]] static sq8_query_terms query(sq8_factors const& q, float distance) noexcept {
        double const scale = q.scale;
        double const norm = scale * std::sqrt(double{1} * q.square_sum);
        double const t = distance;
        // Of the norms: the integer product in float, the exact sum in double: relative to the
        // norms.
        double const of_size = (q.error + norm * 0x1p-22) * (1 + 0x1p-19);
        double const of_loss = (norm + q.error) * (1 + 0x1p-19);
        return {detail::sq8_narrow(-of_size / scale),
                detail::sq8_narrow((-t - std::fabs(t) * 0x1p-19) / scale),
                detail::sq8_narrow(-of_loss / scale)};
    }
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
// ---- vicinal/codec/sq8/kernels.hpp
#ifndef VICINAL_CODEC_SQ8_KERNELS_HPP
#define VICINAL_CODEC_SQ8_KERNELS_HPP

// ---- vicinal/codec/sq8/lanes.hpp
#ifndef VICINAL_CODEC_SQ8_LANES_HPP
#define VICINAL_CODEC_SQ8_LANES_HPP

/// What the code kernels need beside the operations of simd/sets.hpp.
namespace vicinal::inline VICINAL_ABI::codec::detail::inline VICINAL_BASELINE {

/// Rows in a lane each.
template <class Set>
inline constexpr std::size_t lanes_of = Set::integers::width;

/// Puts integers into `to`, each as the nearest float.
template <class Set>
VICINAL_ALWAYS_INLINE void load_as_floats(typename Set::template of<float>& to,
                                          std::int32_t const* from) noexcept {
    typename Set::integers whole;
    whole.load(from);
    to.lanes = __builtin_convertvector(whole.lanes, decltype(to.lanes));
}

/// Turns four rows of four numbers: lane j of row i becomes lane i of row j.
template <class T>
VICINAL_ALWAYS_INLINE void sq8_turn(simd::pack<T, 4>& a, simd::pack<T, 4>& b, simd::pack<T, 4>& c,
                                    simd::pack<T, 4>& d) noexcept {
    auto const ab_low = __builtin_shufflevector(a.lanes, b.lanes, 0, 4, 1, 5);
    auto const ab_high = __builtin_shufflevector(a.lanes, b.lanes, 2, 6, 3, 7);
    auto const cd_low = __builtin_shufflevector(c.lanes, d.lanes, 0, 4, 1, 5);
    auto const cd_high = __builtin_shufflevector(c.lanes, d.lanes, 2, 6, 3, 7);
    a.lanes = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    b.lanes = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    c.lanes = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    d.lanes = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/// `not_below::bits(a, b)`: bit i is set where lane i of a is not below that of b, and where either
/// is NaN.
template <class Set>
struct not_below {
    using floats = typename Set::template of<float>;
    [[nodiscard]] VICINAL_ALWAYS_INLINE static unsigned bits(floats const& a,
                                                             floats const& b) noexcept {
        unsigned bits = 0;
        for (std::size_t i = 0; i < floats::width; ++i)
            bits |= (a.lanes[i] < b.lanes[i] ? 0U : 1U) << i;
        return bits;
    }
};

#if VICINAL_X86_DISPATCH

template <>
struct not_below<simd::baseline_set> {
    using floats = simd::baseline_set::of<float>;
    [[nodiscard]] VICINAL_ALWAYS_INLINE static unsigned bits(floats const& a,
                                                             floats const& b) noexcept {
        auto lanes = a.lanes;
        unsigned bits = 0;
        asm("cmpps {$5, %1, %0|%0, %1, 5}" : "+x"(lanes) : "x"(b.lanes));
        asm("movmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx2_set> {
    using floats = simd::avx2_set::of<float>;
    [[nodiscard]] VICINAL_TARGET_AVX2 static inline unsigned bits(floats const& a,
                                                                  floats const& b) noexcept {
        floats::lanes_type lanes;
        unsigned bits = 0;
        asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}"
            : "=x"(lanes)
            : "x"(a.lanes), "x"(b.lanes));
        asm("vmovmskps {%1, %0|%0, %1}" : "=r"(bits) : "x"(lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx512_set> {
    using floats = simd::avx512_set::of<float>;
    [[nodiscard]] VICINAL_TARGET_AVX512 static inline unsigned bits(floats const& a,
                                                                    floats const& b) noexcept {
        std::uint16_t bits = 0;
        asm("vcmpps {$0x15, %2, %1, %0|%0, %1, %2, 0x15}"
            : "=k"(bits)
            : "v"(a.lanes), "v"(b.lanes));
        return bits;
    }
};
template <>
struct not_below<simd::avx512_vnni_set> : not_below<simd::avx512_set> {};

#endif

} // namespace vicinal::inline VICINAL_ABI::codec::detail::inline VICINAL_BASELINE

#endif

/// Many rows of codes against queries, and which of them may be near enough.
namespace vicinal::inline VICINAL_ABI::codec {

/// Rows that are judged at once: what is computed of them stays in the first-level cache.
inline constexpr std::size_t sq8_block = 256;

/// What the limit needs of a block of rows, number by number. `sum` and `zero` turn the product of
/// the bytes as they lie into the centred one.
struct alignas(64) sq8_block_terms {
    float size[sq8_block];
    float inverse[sq8_block];
    float loss[sq8_block];
    float sum[sq8_block];
    float zero[sq8_block];
};

/// A query before a block: the limit is
///     size * P + inverse * U + loss * V + sum * S + zero * Z
/// of the product of the row's codes and the query's less 128.
struct sq8_limit {
    float size = 0;
    float inverse = 0;
    float loss = 0;
    float sum = 0;
    float zero = 0;

    /// One that every row passes.
    [[nodiscard]] static sq8_limit none() noexcept {
        return {0, 0, 0, -std::numeric_limits<float>::infinity(), 0};
    }

    [[nodiscard]] float operator()(sq8_block_terms const& t, std::size_t i) const noexcept {
        return size * t.size[i] + inverse * t.inverse[i] + loss * t.loss[i] + sum * t.sum[i] +
               zero * t.zero[i];
    }
};

/// The limits of 32 queries.
struct alignas(64) sq8_panel_limits {
    float size[simd::panel_queries];
    float inverse[simd::panel_queries];
    float loss[simd::panel_queries];
    float sum[simd::panel_queries];
    float zero[simd::panel_queries];

    void set(std::size_t j, sq8_limit const& l) noexcept {
        size[j] = l.size;
        inverse[j] = l.inverse;
        loss[j] = l.loss;
        sum[j] = l.sum;
        zero[j] = l.zero;
    }
};

/// A row that may be near enough, and its product, to be compared with a limit that has moved.
struct sq8_candidate {
    std::uint32_t query;
    std::uint32_t row;
    float product;
};

namespace detail {
inline namespace VICINAL_BASELINE {

template <class Bound>
struct sq8_terms_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(sq8_factors const* factors, std::size_t rows,
                                          sq8_block_terms* terms) noexcept {
        using floats = typename Set::template of<float>;
        using float_lanes = typename floats::lanes_type;
        using unsigned_lanes = typename Set::template of<std::uint32_t>::lanes_type;
        using four = simd::pack<std::uint32_t, 4>;
        constexpr std::size_t w = lanes_of<Set>;
        // Of the four numbers of a row, each to its own kind: four rows are a square to be turned.
        alignas(64) float scale[sq8_block];
        alignas(64) float error[sq8_block];
        alignas(64) std::uint32_t squares[sq8_block];
        alignas(64) std::uint32_t sums[sq8_block];
        std::size_t i = 0;
        for (; i + 4 <= rows; i += 4) {
            simd::fetch_behind(factors + i, sq8_block * sizeof(sq8_factors));
            four a, b, c, d;
            std::memcpy(&a.lanes, factors + i, 16);
            std::memcpy(&b.lanes, factors + i + 1, 16);
            std::memcpy(&c.lanes, factors + i + 2, 16);
            std::memcpy(&d.lanes, factors + i + 3, 16);
            sq8_turn(a, b, c, d);
            std::memcpy(scale + i, &a.lanes, 16);
            std::memcpy(error + i, &b.lanes, 16);
            std::memcpy(squares + i, &c.lanes, 16);
            std::memcpy(sums + i, &d.lanes, 16);
        }
        for (; i < rows; ++i) {
            scale[i] = factors[i].scale;
            error[i] = factors[i].error;
            squares[i] = factors[i].square_sum;
            sums[i] = factors[i].sum_and_zero;
        }
        for (; i % w != 0; ++i) {
            scale[i] = 1;
            error[i] = 0;
            squares[i] = sums[i] = 0;
        }
        for (i = 0; i < rows; i += w) {
            floats s, e, n, size, inverse, loss;
            unsigned_lanes square, sum;
            s.load(scale + i);
            e.load(error + i);
            std::memcpy(&square, squares + i, sizeof square);
            std::memcpy(&sum, sums + i, sizeof sum);
            n.lanes = __builtin_convertvector(square, float_lanes);
            Bound::row(s.lanes, e.lanes, n.lanes, size.lanes, inverse.lanes, loss.lanes);
            size.store(terms->size + i);
            inverse.store(terms->inverse + i);
            loss.store(terms->loss + i);
            floats part;
            part.lanes = __builtin_convertvector((sum & 0xffffffU), float_lanes);
            part.store(terms->sum + i);
            part.lanes = __builtin_convertvector((sum >> 24), float_lanes);
            part.store(terms->zero + i);
        }
    }
};

/// The rows of a block whose product is not below the limit.
struct sq8_sieve_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t
    run(sq8_limit const* query, sq8_block_terms const* terms, std::int32_t const* products,
        std::size_t rows, std::uint32_t* kept) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = lanes_of<Set>;
        sq8_limit const q = *query;
        std::size_t count = 0;
        for (std::size_t i = 0; i < rows; i += w) {
            floats limit, term;
            limit.load(terms->size + i);
            limit.lanes *= q.size;
            term.load(terms->inverse + i);
            limit.lanes += term.lanes * q.inverse;
            term.load(terms->loss + i);
            limit.lanes += term.lanes * q.loss;
            term.load(terms->sum + i);
            limit.lanes += term.lanes * q.sum;
            term.load(terms->zero + i);
            limit.lanes += term.lanes * q.zero;
            floats product;
            load_as_floats<Set>(product, products + i);
            for (auto bits = not_below<Set>::bits(product, limit); bits != 0; bits &= bits - 1) {
                auto const row = i + static_cast<std::size_t>(__builtin_ctz(bits));
                if (row < rows) kept[count++] = static_cast<std::uint32_t>(row);
            }
        }
        return count;
    }
};

/// The same for the queries of a panel: products[row * 32 + query], a limit for each of the 32.
struct sq8_panel_sieve_body {
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t
    run(sq8_panel_limits const* limits, sq8_block_terms const* terms, std::int32_t const* products,
        std::size_t rows, sq8_candidate* kept) noexcept {
        std::size_t count = 0;
        constexpr std::size_t w = lanes_of<Set>;
        for (std::size_t j = 0; j < simd::panel_queries; j += 2 * w)
            count = pair<Set>(limits, j, terms, products + j, rows, kept, count);
        return count;
    }

private:
    /// Two registers of queries, whose limits stay in registers.
    template <class Set>
    VICINAL_ALWAYS_INLINE static std::size_t pair(sq8_panel_limits const* limits, std::size_t first,
                                                  sq8_block_terms const* terms,
                                                  std::int32_t const* products, std::size_t rows,
                                                  sq8_candidate* kept, std::size_t count) noexcept {
        using floats = typename Set::template of<float>;
        constexpr std::size_t w = lanes_of<Set>;
        floats size[2], inverse[2], loss[2], sum[2], zero[2];
        for (std::size_t h = 0; h < 2; ++h) {
            size[h].load(limits->size + first + h * w);
            inverse[h].load(limits->inverse + first + h * w);
            loss[h].load(limits->loss + first + h * w);
            sum[h].load(limits->sum + first + h * w);
            zero[h].load(limits->zero + first + h * w);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            floats a, b;
            a.lanes = size[0].lanes * terms->size[i];
            b.lanes = size[1].lanes * terms->size[i];
            a.lanes += inverse[0].lanes * terms->inverse[i];
            b.lanes += inverse[1].lanes * terms->inverse[i];
            a.lanes += loss[0].lanes * terms->loss[i];
            b.lanes += loss[1].lanes * terms->loss[i];
            a.lanes += sum[0].lanes * terms->sum[i];
            b.lanes += sum[1].lanes * terms->sum[i];
            a.lanes += zero[0].lanes * terms->zero[i];
            b.lanes += zero[1].lanes * terms->zero[i];
            auto const* const row = products + i * simd::panel_queries;
            floats left, right;
            load_as_floats<Set>(left, row);
            load_as_floats<Set>(right, row + w);
            auto bits = not_below<Set>::bits(left, a) | not_below<Set>::bits(right, b) << w;
            for (; bits != 0; bits &= bits - 1) {
                auto const lane = static_cast<std::uint32_t>(__builtin_ctz(bits));
                kept[count++] = {static_cast<std::uint32_t>(first) + lane,
                                 static_cast<std::uint32_t>(i), static_cast<float>(row[lane])};
            }
        }
        return count;
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

template <class Bound>
using sq8_terms = simd::kernel<detail::sq8_terms_body<Bound>, void, sq8_factors const*, std::size_t,
                               sq8_block_terms*>;
using sq8_sieve =
    simd::kernel<detail::sq8_sieve_body, std::size_t, sq8_limit const*, sq8_block_terms const*,
                 std::int32_t const*, std::size_t, std::uint32_t*>;
using sq8_panel_sieve =
    simd::kernel<detail::sq8_panel_sieve_body, std::size_t, sq8_panel_limits const*,
                 sq8_block_terms const*, std::int32_t const*, std::size_t, sq8_candidate*>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
// ---- vicinal/codec/sq8/score.hpp
#ifndef VICINAL_CODEC_SQ8_SCORE_HPP
#define VICINAL_CODEC_SQ8_SCORE_HPP

/// Distances between rows of codes, as a graph asks for them: any row, or any four.
namespace vicinal::inline VICINAL_ABI::codec {

/// A row as a graph keeps it: its factors, then its codes.
struct sq8_row {
    [[nodiscard]] static sq8_factors factors(std::byte const* row) noexcept {
        sq8_factors f;
        std::memcpy(&f, row, sizeof f);
        return f;
    }
    [[nodiscard]] static std::uint8_t const* codes(std::byte const* row) noexcept {
        return reinterpret_cast<std::uint8_t const*>(row) + sizeof(sq8_factors);
    }
};

/// What a distance needs of the row that others are compared with.
struct sq8_side {
    /// Not aligned.
    std::uint8_t const* codes = nullptr;
    /// Twice the scale under squared L2 and cosine, the scale under the inner product.
    float scale = 0;
    /// The square of the decoded vector; 0 under the inner product.
    float square = 0;
    /// What the sum of a row's codes, and a row's zero, are multiplied by in the centred product.
    std::uint32_t of_sum = 0;
    std::uint32_t of_zero = 0;
};

namespace detail {
inline namespace VICINAL_BASELINE {

/// Turns four rows' factors into four lanes of each kind, and the products into distances.
template <class Metric>
struct sq8_finish {
    using integers = simd::pack<std::uint32_t, 4>;
    using floats = simd::pack<float, 4>;
    static constexpr bool product = std::same_as<Metric, metric::inner_product>;
    static constexpr bool half = std::same_as<Metric, metric::cosine>;

    VICINAL_ALWAYS_INLINE static void four(sq8_side const& q, std::byte const* const* rows,
                                           std::int32_t const* products, float* out) noexcept {
        integers a, b, c, d, p;
        std::memcpy(&a.lanes, rows[0], 16);
        std::memcpy(&b.lanes, rows[1], 16);
        std::memcpy(&c.lanes, rows[2], 16);
        std::memcpy(&d.lanes, rows[3], 16);
        sq8_turn(a, b, c, d);
        std::memcpy(&p.lanes, products, 16);
        floats scale, distance;
        scale.set_bits(a.lanes);
        finish(q, scale.lanes, c.lanes, d.lanes, p.lanes, distance.lanes);
        distance.store(out);
    }
    [[nodiscard]] VICINAL_ALWAYS_INLINE static float one(sq8_side const& q, std::byte const* row,
                                                         std::int32_t product_of) noexcept {
        auto const f = sq8_row::factors(row);
        float distance = 0;
        finish(q, f.scale, f.square_sum, f.sum_and_zero, static_cast<std::uint32_t>(product_of),
               distance);
        return distance;
    }

private:
    template <class Float, class Unsigned>
    VICINAL_ALWAYS_INLINE static void
    finish(sq8_side const& q, Float const& scale, Unsigned const& square_sum,
           Unsigned const& sum_and_zero, Unsigned const& product_of, Float& out) noexcept {
        // Modulo 2^32, like the product; the result fits.
        Unsigned const centred =
            product_of + (sum_and_zero & 0xffffffU) * q.of_sum - (sum_and_zero >> 24) * q.of_zero;
        if constexpr (product) {
            out = -(scale * q.scale * as_floats<Float>(centred));
        } else {
            out = scale *
                      (scale * as_floats<Float>(square_sum) - q.scale * as_floats<Float>(centred)) +
                  q.square;
            if constexpr (half) out = out * 0.5F;
        }
    }
    /// As signed numbers; a sum of squares is below 2^31 to 33,000 elements.
    template <class Float, class Unsigned>
    [[nodiscard]] VICINAL_ALWAYS_INLINE static Float as_floats(Unsigned const& x) noexcept {
        if constexpr (std::same_as<Float, float>) {
            return static_cast<float>(static_cast<std::int32_t>(x));
        } else {
            simd::pack<std::int32_t, 4> s;
            s.set_bits(x);
            return __builtin_convertvector(s.lanes, Float);
        }
    }
};

template <class Metric>
struct sq8_score_body {
    static constexpr simd::instruction_set gains_from = simd::instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static float run(sq8_side const* q, std::byte const* row,
                                           std::size_t dim) noexcept {
        auto const p = simd::one_row<simd::unsigned_dot_step>::template run<Set>(
            q->codes, sq8_row::codes(row), dim);
        return sq8_finish<Metric>::one(*q, row, p);
    }
};

template <class Metric>
struct sq8_score_four_body {
    static constexpr simd::instruction_set gains_from = simd::instruction_set::avx512_vnni;

    template <class Set>
    VICINAL_ALWAYS_INLINE static void run(sq8_side const* q, std::byte const* const* rows,
                                          std::size_t dim, float* out) noexcept {
        std::uint8_t const* const codes[4] = {sq8_row::codes(rows[0]), sq8_row::codes(rows[1]),
                                              sq8_row::codes(rows[2]), sq8_row::codes(rows[3])};
        std::int32_t products[4];
        simd::four_rows<simd::unsigned_dot_step>::template run<Set>(q->codes, codes, dim, products);
        sq8_finish<Metric>::four(*q, rows, products, out);
    }
};

} // namespace VICINAL_BASELINE
} // namespace detail

/// `get()(side, row, dim)`: the distance of the decoded vectors; a row without codes counts as
/// zeros.
template <class Metric>
using sq8_score = simd::kernel<detail::sq8_score_body<Metric>, float, sq8_side const*,
                               std::byte const*, std::size_t>;
/// `get()(side, rows, dim, out)`: four of them.
template <class Metric>
using sq8_score_four = simd::kernel<detail::sq8_score_four_body<Metric>, void, sq8_side const*,
                                    std::byte const* const*, std::size_t, float*>;

/// A row that others are compared with; it must stay in place. Takes no memory.
template <class Metric>
class sq8_scorer {
public:
    sq8_scorer(std::byte const* row, std::size_t dim) noexcept
        : one_(sq8_score<Metric>::get()), four_(sq8_score_four<Metric>::get()), dim_(dim) {
        constexpr bool product = std::same_as<Metric, metric::inner_product>;
        auto const f = sq8_row::factors(row);
        side_.codes = sq8_row::codes(row);
        side_.scale = product ? f.scale : 2 * f.scale;
        side_.square = product ? 0 : f.scale * f.scale * static_cast<float>(f.square_sum);
        side_.of_sum = 128 - f.zero();
        side_.of_zero = f.sum() - static_cast<std::uint32_t>(dim) * f.zero();
        error_ = f.usable() ? f.error : std::numeric_limits<float>::infinity();
        norm_ = f.scale * std::sqrt(static_cast<float>(f.square_sum));
    }

    [[nodiscard]] float operator()(std::byte const* row) const noexcept {
        return metric::ordered(one_(&side_, row, dim_));
    }
    /// The distances of four rows, wherever they lie.
    void four(std::byte const* const* rows, float* out) const noexcept {
        four_(&side_, rows, dim_, out);
        for (std::size_t i = 0; i < 4; ++i) out[i] = metric::ordered(out[i]);
    }

    /// What the distance of the vectors is at least, where that of the codes is `distance`: by the
    /// triangle inequality, less what float arithmetic may have lost. -infinity where one of the
    /// two has no codes.
    [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
        auto const f = sq8_row::factors(row);
        float const norm = f.scale * std::sqrt(static_cast<float>(f.square_sum));
        float const rounding = 0x1p-18F * (norm * norm + norm_ * norm_);
        float const error = f.usable() ? f.error + error_ : std::numeric_limits<float>::infinity();
        if constexpr (std::same_as<Metric, metric::inner_product>) {
            float const least =
                distance - rounding - norm_ * f.error - norm * error_ - f.error * error_;
            return std::isfinite(error) ? least : -std::numeric_limits<float>::infinity();
        } else {
            constexpr float half = std::same_as<Metric, metric::cosine> ? 2 : 1;
            if (!std::isfinite(error)) return -std::numeric_limits<float>::infinity();
            float const root = std::sqrt((std::max)(distance * half - rounding, 0.0F)) - error;
            return root > 0 ? root * root * (1 - 0x1p-18F) / half : 0;
        }
    }

private:
    typename sq8_score<Metric>::function one_;
    typename sq8_score_four<Metric>::function four_;
    sq8_side side_;
    float error_;
    float norm_;
    std::size_t dim_;
};

} // namespace vicinal::inline VICINAL_ABI::codec

#endif

namespace vicinal::inline VICINAL_ABI::codec {

/// A query in codes, with what the kernels want of it.
class sq8_query {
public:
    sq8_query() = default;

    /// `multiplier` as in sq8_encode.
    void encode(float const* vector, std::size_t dim, double multiplier) {
        codes_.resize(dim);
        shifted_.resize(dim);
        factors_ = sq8_encode(vector, dim, multiplier, codes_.data());
        for (std::size_t i = 0; i < dim; ++i)
            shifted_[i] = static_cast<std::int8_t>(codes_[i] - 128);
        dim_ = dim;
    }

    [[nodiscard]] sq8_factors const& factors() const noexcept { return factors_; }
    [[nodiscard]] std::uint8_t const* codes() const noexcept { return codes_.data(); }
    /// The codes less 128.
    [[nodiscard]] std::int8_t const* shifted() const noexcept { return shifted_.data(); }

    /// The least product of a row's codes and shifted() that a row at up to `distance` has. With
    /// t the query's codes and z its zero, that product is the centred one
    /// - (128 - z) sum(row) + zero(row) sum(t - z).
    template <class Bound>
    [[nodiscard]] sq8_limit limit(float distance) const noexcept {
        auto const terms = Bound::query(factors_, distance);
        auto const zero = static_cast<double>(factors_.zero());
        double const of_sum = zero - 128;
        double const of_zero = factors_.sum() - zero * static_cast<double>(dim_);
        constexpr double rounding = 0x1p-20;
        return {terms.size, terms.inverse, terms.loss,
                static_cast<float>(of_sum - std::fabs(of_sum) * rounding),
                static_cast<float>(of_zero - std::fabs(of_zero) * rounding)};
    }

private:
    std::vector<std::uint8_t> codes_;
    std::vector<std::int8_t> shifted_;
    sq8_factors factors_;
    std::size_t dim_ = 0;
};

/// One byte an element, each vector with a scale and a zero of its own, and a bound on what that
/// loses, by which a scan of the codes misses nothing.
///
/// For float elements up to 32,768 of them, under squared_l2, inner_product and cosine; other
/// metrics have no bound. Under cosine the direction is encoded, not the vector. Nothing is
/// trained. Memory: dim + 16 bytes a row, beside the vectors. A row as a graph reads it is its
/// factors and then its codes, row_bytes() of them.
struct sq8 {
    static constexpr std::string_view name = "sq8";

    template <class Metric>
    class of {
    public:
        static constexpr bool reads_rows = false;
        using element = metric::element_of<Metric>;
        using bound = sq8_bound<Metric>;
        static constexpr bool bounded = bound::exists && std::same_as<element, float>;
        static constexpr std::size_t most_elements = 32768;

        explicit of(std::size_t dim) noexcept : dim_(dim) {}

        [[nodiscard]] std::size_t row_bytes() const noexcept { return sizeof(sq8_factors) + dim_; }

        /// What a vector is multiplied by before it is encoded.
        [[nodiscard]] double multiplier(float const* vector) const noexcept {
            if constexpr (requires { requires bound::directions; })
                return 1 / std::sqrt(simd::exact_dot::get()(vector, vector, dim_));
            else
                return 1;
        }
        /// Codes and factors of a vector, apart.
        sq8_factors encode(float const* vector, std::uint8_t* codes) const noexcept {
            return sq8_encode(vector, dim_, multiplier(vector), codes);
        }
        /// Whether they are sound for that vector.
        [[nodiscard]] bool holds(float const* vector, std::uint8_t const* codes,
                                 sq8_factors const& factors) const noexcept {
            return sq8_holds(vector, dim_, multiplier(vector), codes, factors);
        }
        /// The same as one row. Elements of a size for which there is no bound, down to 2^-60 and
        /// up to 2^60, have codes here too, whose error counts as infinite.
        void encode_row(float const* vector, std::byte* row) const noexcept {
            auto* const codes = reinterpret_cast<std::uint8_t*>(row) + sizeof(sq8_factors);
            auto factors = encode(vector, codes);
            if (!factors.usable()) {
                float size = 0;
                for (std::size_t i = 0; i < dim_; ++i)
                    size = (std::max)(size, std::fabs(vector[i]));
                if (size >= 0x1p-60F && size <= 0x1p60F) {
                    double const shift = std::ldexp(1.0, -std::ilogb(size));
                    factors = sq8_encode(vector, dim_, shift, codes);
                    factors.scale = static_cast<float>(factors.scale / shift);
                    factors.error = std::numeric_limits<float>::infinity();
                }
            }
            std::memcpy(row, &factors, sizeof factors);
        }

        /// Distances from a row that the codec keeps itself: that of a query.
        class query_scorer {
        public:
            query_scorer(std::vector<std::byte> row, std::size_t dim) noexcept
                : row_(std::move(row)), score_(row_.data(), dim) {}
            query_scorer(query_scorer&&) noexcept = default;

            [[nodiscard]] float operator()(std::byte const* row) const noexcept {
                return score_(row);
            }
            void four(std::byte const* const* rows, float* out) const noexcept {
                score_.four(rows, out);
            }
            [[nodiscard]] float at_least(std::byte const* row, float distance) const noexcept {
                return score_.at_least(row, distance);
            }

        private:
            std::vector<std::byte> row_; // one that is moved keeps its place
            sq8_scorer<Metric> score_;
        };

        [[nodiscard]] query_scorer query(element const* vector) const {
            std::vector<std::byte> row(row_bytes());
            encode_row(vector, row.data());
            return {std::move(row), dim_};
        }
        [[nodiscard]] sq8_scorer<Metric> between(std::byte const* row) const noexcept {
            return {row, dim_};
        }

    private:
        std::size_t dim_;
    };
};

static_assert(model<sq8>);

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
// ---- vicinal/index/flat/two_phase.hpp
#ifndef VICINAL_INDEX_FLAT_TWO_PHASE_HPP
#define VICINAL_INDEX_FLAT_TWO_PHASE_HPP

// ---- vicinal/index/flat/block_order.hpp
#ifndef VICINAL_INDEX_FLAT_BLOCK_ORDER_HPP
#define VICINAL_INDEX_FLAT_BLOCK_ORDER_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// Every number from 0 to count - 1 once, the first few already spread over all of them.
///
/// A scan that leaves out what can't win depends on meeting near rows early. Rows often lie in an
/// order that has to do with their place (by topic, by time); steps of the golden section of the
/// count meet some of every part first. Blocks, not rows, are so visited: memory is still read in
/// long runs.
class block_order {
public:
    explicit block_order(std::size_t count) noexcept : count_(count) {
        step_ = static_cast<std::size_t>(static_cast<double>(count) * 0.618034) + 1;
        while (count > 1 && std::gcd(step_, count) != 1) ++step_;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// The next one; to be asked count() times.
    [[nodiscard]] std::size_t next() noexcept {
        auto const now = at_;
        at_ += step_;
        if (count_ > 0) at_ %= count_;
        return now;
    }

private:
    std::size_t count_;
    std::size_t step_ = 1;
    std::size_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/flat/coded_rows.hpp
#ifndef VICINAL_INDEX_FLAT_CODED_ROWS_HPP
#define VICINAL_INDEX_FLAT_CODED_ROWS_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// Rows with their codes as one query sees them: slots 0 to count - 1.
template <class Reader>
struct coded_rows {
    Reader codes;
    Reader factors;
    Reader vectors;
    slot count;
    std::size_t dim;

    [[nodiscard]] std::uint8_t const* code(slot s) const noexcept {
        return codes.template row_as<std::uint8_t>(s);
    }
    [[nodiscard]] float const* vector(slot s) const noexcept {
        return vectors.template row_as<float>(s);
    }
};

/// Up to sq8_block rows to be judged together: one behind the other, or gathered.
template <class Metric>
class row_block {
public:
    using bound = codec::sq8_bound<Metric>;

    /// Rows first to first + count - 1, as they lie.
    template <class Reader>
    void lay(coded_rows<Reader> const& rows, slot first, std::size_t count) noexcept {
        first_ = first;
        count_ = count;
        gathered_ = false;
        codec::sq8_terms<bound>::get()(rows.factors.template row_as<codec::sq8_factors>(first),
                                       count, &terms_);
    }
    /// Any rows; slots must outlive it.
    template <class Reader>
    void gather(coded_rows<Reader> const& rows, slot const* slots, std::size_t count) noexcept {
        slots_ = slots;
        count_ = count;
        gathered_ = true;
        codec::sq8_factors factors[codec::sq8_block];
        for (std::size_t i = 0; i < count; ++i) {
            rows.codes.prefetch(slots[i], (rows.dim + 63) / 64);
            factors[i] = *rows.factors.template row_as<codec::sq8_factors>(slots[i]);
        }
        codec::sq8_terms<bound>::get()(factors, count, &terms_);
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] slot row(std::size_t i) const noexcept {
        return gathered_ ? slots_[i] : first_ + static_cast<slot>(i);
    }
    [[nodiscard]] codec::sq8_block_terms const& terms() const noexcept { return terms_; }

    /// The products of a query's shifted codes with each row.
    template <class Reader>
    void multiply(coded_rows<Reader> const& rows, std::int8_t const* query,
                  std::int32_t* products) const noexcept {
        if (!gathered_) {
            simd::byte_dot::block::get()(query, rows.code(first_), rows.dim, count_, rows.dim,
                                         products);
            return;
        }
        auto const one = simd::byte_dot::one::get();
        for (std::size_t i = 0; i < count_; ++i)
            products[i] = one(query, rows.code(slots_[i]), rows.dim);
    }

private:
    codec::sq8_block_terms terms_;
    slot const* slots_ = nullptr;
    slot first_ = 0;
    std::size_t count_ = 0;
    bool gathered_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/flat/scan_exactly.hpp
#ifndef VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP
#define VICINAL_INDEX_FLAT_SCAN_EXACTLY_HPP

// ---- vicinal/index/flat/slots.hpp
#ifndef VICINAL_INDEX_FLAT_SLOTS_HPP
#define VICINAL_INDEX_FLAT_SLOTS_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// A predicate made of bits: slot s is kept where bit s % 64 of word s / 64 is set; slots behind
/// the last word are not. A scan skips what has no bits and gathers what has few. The words must
/// outlive it.
class slot_bitmap {
public:
    explicit slot_bitmap(std::span<std::uint64_t const> words) noexcept : words_(words) {}

    [[nodiscard]] bool operator()(slot s) const noexcept {
        return s / 64 < words_.size() && (words_[s / 64] >> (s % 64) & 1) != 0;
    }
    /// The bits of the 64 slots from first on, which is a multiple of 64.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        return first / 64 < words_.size() ? words_[first / 64] : 0;
    }

private:
    std::span<std::uint64_t const> words_;
};

/// A predicate that shows its bits, 64 slots at a time.
template <class Keep>
concept shows_bits = requires(Keep const& keep, slot s) {
    { keep.word(s) } -> std::same_as<std::uint64_t>;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/nearest.hpp
#ifndef VICINAL_INDEX_NEAREST_HPP
#define VICINAL_INDEX_NEAREST_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// The order of slots where distances are equal and nothing else tells them apart.
struct by_slot {
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept { return a < b; }
};

/// Keeps the k nearest of all that are offered: a heap with the farthest on top.
///
/// Before(a, b) orders slots of equal distance; it is asked only about those, so it may be dear
/// (the store compares ids). O(log k) for one that enters, one comparison for one that does not.
template <class Before = by_slot>
class nearest {
public:
    explicit nearest(std::size_t k, Before before = {}) : k_(k), before_(std::move(before)) {}

    /// What a row must beat, or tie, to matter.
    [[nodiscard]] bool could_enter(float distance) const noexcept {
        if (heap_.size() < k_) return true;
        return k_ > 0 && distance <= heap_.front().distance;
    }
    /// k.
    [[nodiscard]] std::size_t wanted() const noexcept { return k_; }
    /// Whether k are held, so that `farthest()` is what a row must beat or tie.
    [[nodiscard]] bool full() const noexcept { return heap_.size() == k_; }
    /// The distance of the farthest that is held; there must be one.
    [[nodiscard]] float farthest() const noexcept { return heap_.front().distance; }

    void offer(neighbour n) {
        if (heap_.size() < k_) {
            heap_.push_back(n);
            std::push_heap(heap_.begin(), heap_.end(), order());
        } else if (k_ > 0 && order()(n, heap_.front())) {
            std::pop_heap(heap_.begin(), heap_.end(), order());
            heap_.back() = n;
            std::push_heap(heap_.begin(), heap_.end(), order());
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

    /// The neighbours, nearest first; leaves none behind.
    [[nodiscard]] neighbours take() {
        std::sort_heap(heap_.begin(), heap_.end(), order());
        return std::exchange(heap_, {});
    }

private:
    [[nodiscard]] auto order() const {
        return [this](neighbour const& a, neighbour const& b) {
            return a.distance < b.distance || (a.distance == b.distance && before_(a.row, b.row));
        };
    }

    std::size_t k_;
    Before before_;
    neighbours heap_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

namespace vicinal::inline VICINAL_ABI::index {

/// Scans rows [first, last) for those that `keep` holds for and offers each with its exact
/// distance. The one brute-force routine: the flat index, the fresh tail and the check of an answer
/// run it. (last - first) distances at most; a predicate that shows its bits is asked 64 rows at a
/// time.
template <class Metric, class Reader, class Keep, class Before>
void scan_exactly(Reader const& rows, slot first, slot last,
                  metric::element_of<Metric> const* query, std::size_t dim, Keep const& keep,
                  nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    if (first >= last) return;
    auto const distance = metric::bind_exact<Metric>(query, dim);
    auto const look_at = [&](slot s) {
        float const d = distance(reinterpret_cast<element const*>(rows.row(s)));
        if (best.could_enter(d)) best.offer({d, s});
    };
    if constexpr (shows_bits<Keep>) {
        for (slot at = first; at < last; at += 64 - at % 64) {
            auto const shift = at % 64;
            for (auto bits = keep.word(at - shift) >> shift << shift; bits != 0; bits &= bits - 1) {
                auto const s = at - shift + static_cast<slot>(std::countr_zero(bits));
                if (s >= last) return;
                look_at(s);
            }
            if (last - at <= 64 - shift) return;
        }
    } else {
        // Two pages ahead, as the kernels of blocks fetch; not where rows may be passed over.
        auto const bytes = (std::max)(std::size_t{1}, dim * sizeof(element));
        auto const ahead = static_cast<slot>((simd::fetch_ahead + bytes - 1) / bytes);
        for (slot s = first; s < last; ++s) {
            if (std::same_as<Keep, keep_all> && last - s > ahead)
                rows.prefetch(s + ahead, (bytes + 63) / 64);
            if (keep(s)) look_at(s);
        }
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

/// The scan that reads a quarter of the bytes and misses nothing: codes first, the vector only of
/// rows that may still be among the k nearest.
///
/// A row is left out when its codes prove its exact distance greater than that of the k-th found
/// so far; one that may equal it is compared, so that ties are told apart as by a scan of all
/// rows. The order in which rows are met changes the time, not the answer.
namespace vicinal::inline VICINAL_ABI::index {

/// One query and what it has found.
template <class Metric, class Reader, class Keep, class Before>
class two_phase_scan {
public:
    using bound = codec::sq8_bound<Metric>;

    two_phase_scan(coded_rows<Reader> const& rows, float const* query, Keep const& keep,
                   nearest<Before>& best)
        : rows_(rows), vector_(query), exact_(metric::bind_exact<Metric>(query, rows.dim)),
          keep_(keep), best_(best) {
        codec::sq8::of<Metric> const codec(rows.dim);
        query_.encode(query, rows.dim, codec.multiplier(query));
        if (best_.full() && best_.wanted() > 0) tighten();
    }

    /// Every row.
    void all() {
        if (best_.wanted() == 0) return;
        if (!query_.factors().usable()) {
            scan_exactly<Metric>(rows_.vectors, 0, rows_.count, vector_, rows_.dim, keep_, best_);
            return;
        }
        constexpr std::size_t step = codec::sq8_block;
        // Long enough that fetching ahead pays, short enough that some of every part comes early.
        auto const run = (std::max)(step, (std::min)(16 * step, rows_.count / 64 / step * step));
        block_order order((rows_.count + run - 1) / run);
        for (std::size_t i = 0; i < order.count(); ++i) {
            auto const first = order.next() * run;
            auto const last = (std::min)(first + run, std::size_t{rows_.count});
            for (auto at = first; at < last; at += step)
                part(static_cast<slot>(at), (std::min)(step, last - at));
        }
    }

    /// The rows of a list, each once.
    void among(std::span<slot const> slots) {
        if (best_.wanted() == 0) return;
        constexpr std::size_t step = codec::sq8_block;
        for (std::size_t i = 0; i < slots.size(); i += step) {
            auto const count = (std::min)(step, slots.size() - i);
            if (query_.factors().usable()) {
                block_.gather(rows_, slots.data() + i, count);
                judge();
            } else {
                for (std::size_t j = 0; j < count; ++j) compare(slots[i + j]);
            }
        }
    }

private:
    void part(slot first, std::size_t count) {
        if constexpr (shows_bits<Keep>) {
            slot kept[codec::sq8_block];
            std::size_t found = 0;
            for (std::size_t i = 0; i < count; i += 64) {
                auto bits = keep_.word(first + static_cast<slot>(i));
                for (; bits != 0; bits &= bits - 1) {
                    auto const j = i + static_cast<std::size_t>(std::countr_zero(bits));
                    if (j < count) kept[found++] = first + static_cast<slot>(j);
                }
            }
            if (found == 0) return;
            // A gathered row costs about four of those that lie in a run.
            if (found * 4 < count) {
                block_.gather(rows_, kept, found);
                judge();
                return;
            }
        }
        block_.lay(rows_, first, count);
        judge();
    }

    void judge() {
        block_.multiply(rows_, query_.shifted(), products_);
        if (!best_.full()) {
            for (std::size_t i = 0; i < block_.count(); ++i)
                if (!best_.full() || limit_allows(i)) compare(block_.row(i));
            return;
        }
        auto const n =
            codec::sq8_sieve::get()(&limit_, &block_.terms(), products_, block_.count(), kept_);
        auto const before = best_.farthest();
        for (std::size_t i = 0; i < n; ++i)
            if (best_.farthest() == before || limit_allows(kept_[i])) compare(block_.row(kept_[i]));
    }

    [[nodiscard]] bool limit_allows(std::size_t i) const noexcept {
        return !(static_cast<float>(products_[i]) < limit_(block_.terms(), i));
    }

    void compare(slot s) {
        if (!keep_(s)) return;
        float const d = exact_(rows_.vector(s));
        if (!best_.could_enter(d)) return;
        bool const moves = !best_.full() || d < best_.farthest();
        best_.offer({d, s});
        if (moves && best_.full()) tighten();
    }

    void tighten() noexcept { limit_ = query_.template limit<bound>(best_.farthest()); }

    coded_rows<Reader> const& rows_;
    float const* vector_;
    decltype(metric::bind_exact<Metric>(nullptr, 0)) exact_;
    Keep const& keep_;
    nearest<Before>& best_;
    codec::sq8_query query_;
    codec::sq8_limit limit_;
    row_block<Metric> block_;
    alignas(64) std::int32_t products_[codec::sq8_block] = {};
    std::uint32_t kept_[codec::sq8_block];
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/flat/two_phase_batch.hpp
#ifndef VICINAL_INDEX_FLAT_TWO_PHASE_BATCH_HPP
#define VICINAL_INDEX_FLAT_TWO_PHASE_BATCH_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// The two-phase scan for many queries: each block of rows is read once for all, and multiplied
/// with 32 queries at a time.
///
/// Memory: 50 bytes and three times dim for each query. Cost: rows x queries x dim products of
/// bytes, and the distances of what they can't rule out.
template <class Metric, class Reader, class Keep, class Before>
class two_phase_batch {
public:
    using bound = codec::sq8_bound<Metric>;

    /// `best` has a place for each query; query i is at queries + i * dim.
    two_phase_batch(coded_rows<Reader> const& rows, float const* queries, Keep const& keep,
                    std::span<nearest<Before>> best)
        : rows_(rows), queries_(queries), keep_(keep), best_(best) {}

    void all() {
        encode();
        if (usable_.empty()) return;
        // Of a block the codes shall stay in the first cache and the products in the second; 48
        // rows are four times those that a kernel holds in registers.
        auto const fit = std::size_t{32768} / rows_.dim / 48 * 48;
        auto const step = (std::max)(std::size_t{48}, (std::min)(std::size_t{240}, fit));
        products_.resize(step);
        kept_.resize(step * width);
        block_order order((rows_.count + step - 1) / step);
        for (std::size_t i = 0; i < order.count(); ++i) {
            auto const first = order.next() * step;
            auto const count = (std::min)(step, rows_.count - first);
            block_.lay(rows_, static_cast<slot>(first), count);
            for (std::size_t p = 0; p < panels_.size(); ++p) judge(p);
        }
    }

private:
    static constexpr std::size_t width = simd::panel_queries;

    /// A cache line: a vector of them is aligned to its own loads.
    struct alignas(64) line {
        std::int8_t bytes[64];
    };
    struct alignas(64) product_row {
        std::int32_t of[width];
    };
    struct panel {
        std::vector<line> codes;
        codec::sq8_panel_limits limits;
    };

    void encode() {
        codec::sq8::of<Metric> const codec(rows_.dim);
        for (std::size_t i = 0; i < best_.size(); ++i) {
            auto const* vector = queries_ + i * rows_.dim;
            if (best_[i].wanted() == 0) continue;
            codec::sq8_query q;
            q.encode(vector, rows_.dim, codec.multiplier(vector));
            if (!q.factors().usable()) {
                scan_exactly<Metric>(rows_.vectors, 0, rows_.count, vector, rows_.dim, keep_,
                                     best_[i]);
                continue;
            }
            usable_.push_back(i);
            coded_.push_back(std::move(q));
        }
        limits_.resize(usable_.size());
        panels_.resize((usable_.size() + width - 1) / width);
        std::vector<std::int8_t> together(width * rows_.dim);
        for (std::size_t p = 0; p < panels_.size(); ++p) {
            auto const count = (std::min)(width, usable_.size() - p * width);
            for (std::size_t j = 0; j < count; ++j)
                std::copy_n(coded_[p * width + j].shifted(), rows_.dim,
                            together.data() + j * rows_.dim);
            panels_[p].codes.resize((simd::byte_panel_size(rows_.dim) + 63) / 64);
            simd::make_byte_panel(together.data(), rows_.dim, count, rows_.dim,
                                  panels_[p].codes.data()->bytes);
            for (std::size_t j = 0; j < width; ++j) {
                auto const q = p * width + (std::min)(j, count - 1);
                if (best_[usable_[q]].full())
                    tighten(q);
                else
                    limits_[q] = codec::sq8_limit::none();
                panels_[p].limits.set(j, limits_[q]);
            }
        }
    }

    void judge(std::size_t p) {
        auto& queries_of = panels_[p];
        simd::byte_tile_product::get()(queries_of.codes.data()->bytes, rows_.code(block_.row(0)),
                                       rows_.dim, block_.count(), rows_.dim, products_.data()->of);
        auto const n =
            codec::sq8_panel_sieve::get()(&queries_of.limits, &block_.terms(), products_.data()->of,
                                          block_.count(), kept_.data());
        auto const queries = (std::min)(width, usable_.size() - p * width);
        for (std::size_t i = 0; i < n; ++i) {
            auto const& c = kept_[i];
            if (c.query >= queries) continue;
            auto const q = p * width + c.query;
            if (!(c.product < limits_[q](block_.terms(), c.row)))
                compare(p, c.query, block_.row(c.row));
        }
    }

    void compare(std::size_t p, std::size_t j, slot s) {
        auto const q = p * width + j;
        auto& best = best_[usable_[q]];
        if (!keep_(s)) return;
        float const d =
            metric::exact<Metric>(queries_ + usable_[q] * rows_.dim, rows_.vector(s), rows_.dim);
        if (!best.could_enter(d)) return;
        bool const moves = !best.full() || d < best.farthest();
        best.offer({d, s});
        if (!moves || !best.full()) return;
        tighten(q);
        panels_[p].limits.set(j, limits_[q]);
        // The lanes that no query uses follow the last.
        if (q + 1 == usable_.size())
            for (auto k = j + 1; k < width; ++k) panels_[p].limits.set(k, limits_[q]);
    }

    void tighten(std::size_t q) noexcept {
        limits_[q] = coded_[q].template limit<bound>(best_[usable_[q]].farthest());
    }

    coded_rows<Reader> const& rows_;
    float const* queries_;
    Keep const& keep_;
    std::span<nearest<Before>> best_;
    std::vector<std::size_t> usable_;
    std::vector<codec::sq8_query> coded_;
    std::vector<codec::sq8_limit> limits_;
    std::vector<panel> panels_;
    row_block<Metric> block_;
    std::vector<product_row> products_;
    std::vector<codec::sq8_candidate> kept_;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/workers.hpp
#ifndef VICINAL_INDEX_WORKERS_HPP
#define VICINAL_INDEX_WORKERS_HPP

#if VICINAL_HAS_THREADS
#    include <exception>
#    include <system_error>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::index {

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
inline constexpr bool has_workers = true;
#else
inline constexpr bool has_workers = false;
#endif

/// Cuts [0, count) into parts of multiples of `grain` and runs `body(first, last) -> result<void>`
/// on each, on up to `threads` threads of which the caller's is one. The others live for this call
/// only; where the system gives none, the caller does their work. Nothing depends on their number
/// but the time.
///
/// Gives the first part's error. What a body throws beside memory exhaustion is thrown on when all
/// have ended. Without threads or exceptions (a thread that can't be started ends the program
/// there) all of it runs here.
template <class Body>
[[nodiscard]] result<void> run_parts(std::size_t count, std::size_t grain, std::size_t threads,
                                     Body const& body) {
#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
    auto const grains = (count + grain - 1) / grain;
    auto const parts = (std::max)((std::min)(threads, grains), std::size_t{1});
    if (parts == 1) return body(std::size_t{0}, count);
    struct outcome {
        result<void> done;
        std::exception_ptr thrown;
    };
    std::vector<outcome> outcomes(parts);
    auto const run = [&](std::size_t part) {
        auto const first = grains * part / parts * grain;
        auto const last = (std::min)(count, grains * (part + 1) / parts * grain);
        try {
            outcomes[part].done = body(first, last);
        } catch (...) {
            outcomes[part].thrown = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    others.reserve(parts - 1);
    std::size_t started = 1;
    try {
        for (; started < parts; ++started) others.emplace_back(run, started);
    } catch (std::system_error const&) {
        // Too many threads in the process: the rest is done here.
    }
    run(0);
    for (auto part = started; part < parts; ++part) run(part);
    for (auto& t : others) t.join();
    for (auto& o : outcomes)
        if (o.thrown) std::rethrow_exception(o.thrown);
    for (auto& o : outcomes) VICINAL_CHECK(o.done);
    return {};
#else
    static_cast<void>(grain);
    static_cast<void>(threads);
    return body(std::size_t{0}, count);
#endif
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

namespace vicinal::inline VICINAL_ABI::index {

/// Nothing to tune.
struct flat_options {};

/// Looks at every row: exact, no build.
///
/// With codec::sq8 (two-phase) it reads dim + 16 bytes of codes a row and the vectors only of rows
/// that the codes can't rule out, with the same answer to the last bit: a quarter of the bytes, and
/// many queries at once share what is read. Costs those bytes of memory beside the vectors. With
/// codec::f32, and where the codec has no bound (another metric, other elements, more than 32,768
/// dimensions), it compares every vector.
template <codec::model Codec = codec::f32>
struct flat {
    using options = flat_options;
    using codec_type = Codec;
    static constexpr std::string_view name = "flat";

    /// Nothing to choose, so nothing to refuse.
    [[nodiscard]] static result<void> check(flat_options const&) { return {}; }

    template <metric::model Metric, storage::model Storage>
    class of;
};

/// The index for one metric over the rows of one storage. Not safe to search while a caller grows
/// the rows, but inside take_in's section.
template <codec::model Codec>
template <metric::model Metric, storage::model Storage>
class flat<Codec>::of {
    using coded = typename Codec::template of<Metric>;
    /// Whether this combination has codes and a bound on what they lose.
    static constexpr bool two_phase = requires { requires coded::bounded; };

public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    static constexpr bool exact = true;

    /// Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space, column const& vectors,
                                         std::size_t dim, flat_options const&) {
        of index(vectors, dim);
        if constexpr (two_phase) VICINAL_CHECK(index.open_codes(space));
        static_cast<void>(space);
        return index;
    }

    [[nodiscard]] slot covered() const noexcept { return covered_; }

    /// Encodes the slots up to `until`, dead ones too. Errors: out_of_memory; nothing is taken in
    /// then.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const&, Section const& section) {
        if (until <= covered_) return {};
        if constexpr (two_phase)
            if (codes_) VICINAL_CHECK(encode(until, section));
        section([&] { covered_ = until; });
        return {};
    }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        covered_ = 0;
        if (codes_) {
            codes_->resize(0);
            factors_->resize(0);
        }
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept` become slots 0, 1 and so
    /// on; they stay in place until that is written.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        if (codes_) {
            out.push_back(storage::chosen_rows("flat.codes", *codes_, kept));
            out.push_back(storage::chosen_rows("flat.factors", *factors_, kept));
        }
        return {};
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {
        covered_ = static_cast<slot>(codes_ ? codes_->rows() : vectors_->rows());
    }

    /// Exactly the nearest; `keep` is asked only about rows that their distance lets in.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted, std::size_t,
                                            Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            nearest best(wanted);
            scan(query, keep, best);
            return best.take();
        });
    }

    /// The same for `count` queries, one behind the other, on up to `threads` threads of this
    /// call's; `keep` must be safe to ask from several.
    template <class Keep>
    [[nodiscard]] result<std::vector<neighbours>> search(element const* queries, std::size_t count,
                                                         std::size_t wanted, Keep const& keep,
                                                         std::size_t threads) const {
        return vicinal::detail::guarded([&]() -> result<std::vector<neighbours>> {
            std::vector<nearest<>> best(count, nearest<>(wanted));
            VICINAL_CHECK(scan_batch(queries, std::span(best), keep, threads));
            std::vector<neighbours> found;
            found.reserve(count);
            for (auto& b : best) found.push_back(b.take());
            return found;
        });
    }

    /// The nearest among a list of covered slots, each once.
    [[nodiscard]] result<neighbours> search_among(element const* query, std::size_t wanted,
                                                  std::span<slot const> slots) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            nearest best(wanted);
            keep_all const keep;
            if constexpr (two_phase) {
                if (codes_) {
                    auto const rows = coded_view();
                    two_phase_scan<Metric, reader, keep_all, by_slot> s(rows, query, keep, best);
                    s.among(slots);
                    return best.take();
                }
            }
            for (auto const s : slots)
                scan_exactly<Metric>(vectors_->reader(), s, s + 1, query, dim_, keep, best);
            return best.take();
        });
    }

    /// Offers what of the covered rows may be among the nearest, with exact distances, in an order
    /// of slots at equal distance that is the caller's.
    template <class Keep, class Before>
    void scan(element const* query, Keep const& keep, nearest<Before>& best) const {
        if constexpr (two_phase) {
            if (codes_) {
                auto const rows = coded_view();
                two_phase_scan<Metric, reader, Keep, Before> s(rows, query, keep, best);
                s.all();
                return;
            }
        }
        scan_exactly<Metric>(vectors_->reader(), 0, covered_, query, dim_, keep, best);
    }

    /// The same for many queries.
    template <class Keep, class Before>
    [[nodiscard]] result<void> scan_batch(element const* queries, std::span<nearest<Before>> best,
                                          Keep const& keep, std::size_t threads) const {
        constexpr std::size_t grain = 32;
        return run_parts(best.size(), grain, threads, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                auto const part = best.subspan(first, last - first);
                auto const* from = queries + first * dim_;
                if constexpr (two_phase)
                    // Few queries leave most of a panel empty.
                    if (codes_ && part.size() >= least_batch) {
                        auto const rows = coded_view();
                        two_phase_batch<Metric, reader, Keep, Before> b(rows, from, keep, part);
                        b.all();
                        return {};
                    }
                for (std::size_t i = 0; i < part.size(); ++i) scan(from + i * dim_, keep, part[i]);
                return {};
            });
        });
    }

    /// The covered slots for which live(slot) holds and whose codes are not their vectors': a scan
    /// could miss them. O(rows). For checks.
    template <class Live>
    [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
        std::vector<slot> lost;
        if constexpr (two_phase) {
            if (!codes_) return lost;
            auto const rows = coded_view();
            coded const codec(dim_);
            for (slot s = 0; s < covered_; ++s)
                if (live(s) && !codec.holds(rows.vector(s), rows.code(s),
                                            *rows.factors.template row_as<codec::sq8_factors>(s)))
                    lost.push_back(s);
        }
        static_cast<void>(live);
        return lost;
    }

    /// Every row is looked at, whatever is wanted.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double) const noexcept {
        return wanted;
    }

private:
    static constexpr std::size_t least_batch = 4;
    using reader = decltype(std::declval<column const&>().reader());

    of(column const& vectors, std::size_t dim) noexcept
        : vectors_(&vectors), dim_(dim), covered_(static_cast<slot>(vectors.rows())) {}

    [[nodiscard]] result<void> open_codes(typename Storage::space& space) {
        if (dim_ > coded::most_elements) return {};
        auto codes = space.column("flat.codes", dim_, storage::heat::hot);
        VICINAL_CHECK(codes);
        auto factors = space.column("flat.factors", sizeof(codec::sq8_factors), storage::heat::hot);
        VICINAL_CHECK(factors);
        auto const n = (*codes)->rows();
        if ((*factors)->rows() != n || vectors_->rows() < n)
            return error{errc::corrupt_snapshot,
                         "flat.codes and flat.factors of one length, no more than the vectors",
                         std::to_string(n) + " and " + std::to_string((*factors)->rows())};
        codes_ = *codes;
        factors_ = *factors;
        covered_ = static_cast<slot>(n);
        return {};
    }

    template <class Section>
    [[nodiscard]] result<void> encode(slot until, Section const& section) {
        for (auto* c : {codes_, factors_})
            if (until > c->capacity()) {
                VICINAL_CHECK(c->prepare(until));
                section([&] { c->commit(); });
            }
        // From here on nothing fails: both columns have as many rows as are encoded.
        codes_->resize(until);
        factors_->resize(until);
        coded const codec(dim_);
        auto const vectors = vectors_->reader();
        for (auto s = covered_; s < until; ++s) {
            auto const factors = codec.encode(reinterpret_cast<element const*>(vectors.row(s)),
                                              reinterpret_cast<std::uint8_t*>(codes_->edit(s)));
            std::memcpy(factors_->edit(s), &factors, sizeof factors);
        }
        return {};
    }

    [[nodiscard]] auto coded_view() const noexcept {
        return coded_rows<reader>{codes_->reader(), factors_->reader(), vectors_->reader(),
                                  covered_, dim_};
    }

    column const* vectors_;
    /// Null where there is one phase only.
    column* codes_ = nullptr;
    column* factors_ = nullptr;
    std::size_t dim_;
    slot covered_;
};

static_assert(model<flat<>>);
static_assert(model<flat<codec::sq8>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/hnsw.hpp
#ifndef VICINAL_INDEX_HNSW_HPP
#define VICINAL_INDEX_HNSW_HPP

// ---- vicinal/codec/fitting.hpp
#ifndef VICINAL_CODEC_FITTING_HPP
#define VICINAL_CODEC_FITTING_HPP

namespace vicinal::inline VICINAL_ABI::codec {

namespace detail {

template <class Bound>
struct has_codes : std::true_type {};
template <class Bound>
    requires requires { Bound::bounded; }
struct has_codes<Bound> : std::bool_constant<Bound::bounded> {};

} // namespace detail

/// The codec itself where it has codes for the metric; f32, which reads the vectors, where it says
/// that it has none (codec::sq8 over bytes, bits, or a metric of the user's).
template <class Codec, class Metric>
using fitting =
    std::conditional_t<detail::has_codes<typename Codec::template of<Metric>>::value, Codec, f32>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
// ---- vicinal/index/candidates.hpp
#ifndef VICINAL_INDEX_CANDIDATES_HPP
#define VICINAL_INDEX_CANDIDATES_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// How many of an index's candidates are compared by their vectors for k neighbours: the index
/// ranks by codes, and half as many again make up for their rounding.
[[nodiscard]] constexpr std::size_t candidates_for(std::size_t k) noexcept { return k + k / 2 + 5; }

/// Offers the exact distances of what may be among the k nearest of a walk's candidates, which come
/// nearest first: of the k first ones, then of those that the codes don't rule out.
///
/// score is the codec's bound query, codes and vectors the readers of both; rows from `end` on are
/// left out.
template <class Metric, class Scorer, class Codes, class Vectors, class Before>
void compare_candidates(neighbours const& candidates, metric::element_of<Metric> const* query,
                        std::size_t dim, Scorer const& score, Codes const& codes,
                        Vectors const& vectors, slot end, nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    auto const count = (std::min)(candidates.size(), candidates_for(best.wanted()));
    auto const lines = (std::min)((dim * sizeof(element) + 63) / 64, std::size_t{16});
    auto const exact = metric::bind_exact<Metric>(query, dim);
    auto const compare = [&](slot s) {
        best.offer({exact(vectors.template row_as<element>(s)), s});
    };
    auto const first = (std::min)(count, best.wanted());
    for (std::size_t i = 0; i < first; ++i) vectors.prefetch(candidates[i].row, lines);
    for (std::size_t i = 0; i < first; ++i)
        if (candidates[i].row < end) compare(candidates[i].row);
    for (std::size_t i = first; i < count; ++i) {
        auto const& c = candidates[i];
        if (c.row >= end) continue;
        if constexpr (requires { score.at_least(codes.row(0), c.distance); })
            if (best.full() && score.at_least(codes.row(c.row), c.distance) > best.farthest())
                continue;
        compare(c.row);
    }
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/hnsw/build.hpp
#ifndef VICINAL_INDEX_HNSW_BUILD_HPP
#define VICINAL_INDEX_HNSW_BUILD_HPP

// ---- vicinal/index/hnsw/plan.hpp
#ifndef VICINAL_INDEX_HNSW_PLAN_HPP
#define VICINAL_INDEX_HNSW_PLAN_HPP

// ---- vicinal/index/hnsw/select.hpp
#ifndef VICINAL_INDEX_HNSW_SELECT_HPP
#define VICINAL_INDEX_HNSW_SELECT_HPP

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// By how much nearer one link must be to another than the base is, to make it needless, in the
/// second round of choosing. Where distances are squares, 1.1; an inner product has no factor, and
/// a metric of the user's may be one.
template <class Metric>
inline constexpr float relaxed_for = 1;
template <class T>
inline constexpr float relaxed_for<metric::basic_squared_l2<T>> = 1.1F;
template <class T>
inline constexpr float relaxed_for<metric::basic_cosine<T>> = 1.1F;

/// Chooses links that point apart: a candidate is taken unless one taken before is nearer to it
/// than the base is, or is the same vector. Without the latter, a node that has as many duplicates
/// as links is linked to nothing else. What is still free then goes to those that one taken before
/// is nearer to, but not by the factor `relaxed`: longer links, fewer steps.
///
/// Source: Malkov & Yashunin 2018, algorithm 4; the second round is that of Jayaram Subramanya et
/// al., "DiskANN", NeurIPS 2019. Reused from call to call, so that selecting allocates nothing.
class selector {
public:
    /// Selects at most `most` of `candidates` (nearest first, node numbers in `row`). Those for
    /// which `must(node)` holds are taken in any case; only in a damaged graph are they more than
    /// `most`.
    ///
    /// code(node) is a node's code; bind(code) a scorer. relaxed is at least 1.
    template <class Code, class Bind, class Must>
    void operator()(neighbours const& candidates, std::size_t most, float relaxed, Code const& code,
                    Bind const& bind, Must const& must, std::vector<std::uint32_t>& chosen) {
        chosen.clear();
        taken_.clear();
        left_.clear();
        std::size_t reserved = 0;
        for (auto const& c : candidates) reserved += must(c.row) ? 1U : 0U;
        for (auto const& c : candidates) {
            bool const forced = must(c.row);
            if (!forced && chosen.size() + reserved >= most) {
                if (reserved == 0) break;
                continue;
            }
            if (!forced && !points_apart(c, code(c.row), 1, bind)) {
                left_.push_back(c);
                continue;
            }
            if (forced) --reserved;
            take(c, code(c.row), chosen);
        }
        if (relaxed <= 1) return;
        for (auto const& c : left_) {
            if (chosen.size() >= most) return;
            if (points_apart(c, code(c.row), relaxed, bind)) take(c, code(c.row), chosen);
        }
    }

private:
    void take(neighbour const& c, std::byte const* code, std::vector<std::uint32_t>& chosen) {
        chosen.push_back(c.row);
        taken_.push_back(code);
        distances_.resize(taken_.size());
        distances_.back() = c.distance;
    }

    template <class Bind>
    [[nodiscard]] bool points_apart(neighbour const& c, std::byte const* code, float relaxed,
                                    Bind const& bind) const {
        if (taken_.empty()) return true;
        auto const score = bind(code);
        for (std::size_t i = 0; i < taken_.size(); i += 4) {
            auto const n = (std::min)(std::size_t{4}, taken_.size() - i);
            float apart[4];
            if constexpr (requires { score.four(taken_.data(), apart); }) {
                if (n == 4)
                    score.four(taken_.data() + i, apart);
                else
                    for (std::size_t j = 0; j < n; ++j) apart[j] = score(taken_[i + j]);
            } else {
                for (std::size_t j = 0; j < n; ++j) apart[j] = score(taken_[i + j]);
            }
            for (std::size_t j = 0; j < n; ++j) {
                if (relaxed * apart[j] < c.distance) return false;
                // As near to that one as it is to itself, and as far from the base: a duplicate.
                if (c.distance == distances_[i + j] && apart[j] <= score(code)) return false;
            }
        }
        return true;
    }

    std::vector<std::byte const*> taken_;
    std::vector<float> distances_;
    neighbours left_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
// ---- vicinal/index/hnsw/walk.hpp
#ifndef VICINAL_INDEX_HNSW_WALK_HPP
#define VICINAL_INDEX_HNSW_WALK_HPP

// ---- vicinal/index/hnsw/graph.hpp
#ifndef VICINAL_INDEX_HNSW_GRAPH_HPP
#define VICINAL_INDEX_HNSW_GRAPH_HPP

// ---- vicinal/index/hnsw/options.hpp
#ifndef VICINAL_INDEX_HNSW_OPTIONS_HPP
#define VICINAL_INDEX_HNSW_OPTIONS_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// How a graph is built. A graph that lies in a file keeps the values it was made with, `threads`
/// and `tune` excepted.
struct hnsw_options {
    /// Links of a node on an upper level ("M"); a list on the ground level holds twice as many. 2
    /// to 512; 16 suits most, 32 and more help at high dimension and recall.
    std::size_t neighbours = 16;
    /// Candidates that an insert looks at on each level. At least `neighbours`. A bulk load makes
    /// two passes, the first with half of them, and a row that comes alone gets twice as many in
    /// one; 64 so gives a graph that one pass of 200 ("ef_construction") does not reach.
    std::size_t build_width = 64;
    /// Rows below which there is no graph: a scan is as fast there, and exact.
    std::size_t flat_below = 2000;
    /// Of the level that each slot draws, and of the order in which a batch is linked.
    std::uint64_t seed = 0x76696369;
    /// Threads that linking a batch may use, the caller's among them. The graph is the same for
    /// any number.
    std::size_t threads = 1;
    /// Whether a bulk load ends with measuring which effort gives which recall.
    bool tune = true;
};

namespace hnsw_graph {

/// Refuses options that no graph can be made with: errc::invalid_argument, with the range.
[[nodiscard]] inline result<void> check(hnsw_options const& o) {
    if (o.neighbours < 2 || o.neighbours > 512)
        return error{errc::invalid_argument, "index.neighbours from 2 to 512",
                     std::to_string(o.neighbours)};
    if (o.build_width < o.neighbours || o.build_width > 65536)
        return error{errc::invalid_argument, "index.build_width from neighbours to 65536",
                     std::to_string(o.build_width)};
    if (o.threads < 1 || o.threads > 1024)
        return error{errc::invalid_argument, "index.threads from 1 to 1024",
                     std::to_string(o.threads)};
    return {};
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif

namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// What is true of the whole graph, as the one row of its column.
struct state {
    std::uint64_t seed = 0;
    /// Slots taken in; later ones are the fresh tail.
    slot covered = 0;
    /// Where walks begin when there are no upper rows: the root of the spanning tree.
    slot root = no_slot;
    /// The upper row where walks begin, or no_slot.
    std::uint32_t entry = no_slot;
    std::uint32_t upper_rows = 0;
    std::uint32_t neighbours = 0;
    std::uint32_t build_width = 0;
    std::uint32_t flat_below = 0;
    /// Slots whose lists may be linked to: more than are covered while a batch is being linked.
    slot linked = 0;
};

/// The ground level as a walk sees it: node n is slot n, and its list ends at the first no_slot.
template <class Reader>
struct ground {
    static constexpr std::size_t header = 0;
    Reader links;
    std::uint32_t nodes;
    std::size_t width;

    [[nodiscard]] std::uint32_t const* list(std::uint32_t node) const noexcept {
        return links.template row_as<std::uint32_t>(node);
    }
    [[nodiscard]] slot row(std::uint32_t node) const noexcept { return node; }
    void prefetch(std::uint32_t node) const noexcept {
        links.prefetch(node, (width * 4 + 63) / 64);
    }
};

/// An upper level: node n is a row {slot, row below, level, links}. Links name rows, so that a walk
/// needs no map from slots, and only rows of the same level.
template <class Reader>
struct upper {
    static constexpr std::size_t header = 3;
    Reader rows;
    std::uint32_t nodes;
    std::size_t width;

    [[nodiscard]] std::uint32_t const* list(std::uint32_t node) const noexcept {
        return rows.template row_as<std::uint32_t>(node) + header;
    }
    [[nodiscard]] slot row(std::uint32_t node) const noexcept { return field(node, 0); }
    void prefetch(std::uint32_t node) const noexcept { rows.prefetch(node, 2); }
    [[nodiscard]] std::uint32_t below(std::uint32_t node) const noexcept { return field(node, 1); }
    [[nodiscard]] std::uint32_t level(std::uint32_t node) const noexcept { return field(node, 2); }

private:
    [[nodiscard]] std::uint32_t field(std::uint32_t node, std::size_t i) const noexcept {
        return rows.template row_as<std::uint32_t>(node)[i];
    }
};

/// The columns of the graph.
template <class Storage>
class columns {
public:
    using column = typename Storage::column;

    [[nodiscard]] static result<columns> open(typename Storage::space& space, hnsw_options wanted) {
        columns c;
        auto state_column = space.column("hnsw.state", sizeof(state), storage::heat::hot);
        VICINAL_CHECK(state_column);
        c.state_ = *state_column;
        if (c.state_->rows() == 0) {
            VICINAL_CHECK(check(wanted));
            VICINAL_CHECK(storage::grow(*c.state_, 1));
            state s;
            s.seed = wanted.seed;
            s.neighbours = static_cast<std::uint32_t>(wanted.neighbours);
            s.build_width = static_cast<std::uint32_t>(wanted.build_width);
            s.flat_below =
                static_cast<std::uint32_t>((std::min)(wanted.flat_below, std::size_t{no_slot}));
            c.put(s);
        }
        auto const s = c.get();
        if (s.neighbours < 2 || s.neighbours > 512 || s.build_width < s.neighbours ||
            s.build_width > 65536)
            return error{errc::corrupt_snapshot,
                         "hnsw.state with 2 to 512 neighbours and a build width up to 65536",
                         std::to_string(s.neighbours) + " and " + std::to_string(s.build_width)};
        auto links = space.column("hnsw.links", 2 * s.neighbours * 4, storage::heat::hot);
        VICINAL_CHECK(links);
        auto parents = space.column("hnsw.parents", 4, storage::heat::cold);
        VICINAL_CHECK(parents);
        auto upper_rows = space.column(
            "hnsw.upper", (upper<storage::contiguous_reader>::header + s.neighbours) * 4,
            storage::heat::hot);
        VICINAL_CHECK(upper_rows);
        c.links_ = *links;
        c.parents_ = *parents;
        c.upper_ = *upper_rows;
        auto tuned = space.column("hnsw.tuning", 16, storage::heat::hot);
        VICINAL_CHECK(tuned);
        c.tuning_ = *tuned;
        if (s.linked < s.covered || c.links_->rows() < s.linked || c.parents_->rows() < s.linked ||
            c.upper_->rows() < s.upper_rows || (s.entry != no_slot && s.entry >= s.upper_rows) ||
            (s.root != no_slot && s.root >= s.linked))
            return error{errc::corrupt_snapshot,
                         "hnsw columns of " + std::to_string(s.linked) + " nodes",
                         std::to_string(c.links_->rows())};
        return c;
    }

    [[nodiscard]] state get() const noexcept {
        state s;
        std::memcpy(&s, state_->reader().row(0), sizeof s);
        return s;
    }
    void put(state const& s) noexcept { std::memcpy(state_->edit(0), &s, sizeof s); }

    void clear() noexcept {
        auto s = get();
        s.covered = 0;
        s.linked = 0;
        s.root = no_slot;
        s.entry = no_slot;
        s.upper_rows = 0;
        put(s);
        links_->resize(0);
        parents_->resize(0);
        upper_->resize(0);
        tuning_->resize(0);
    }

    [[nodiscard]] auto ground_level(state const& s) const noexcept {
        return ground<decltype(links_->reader())>{links_->reader(), s.linked,
                                                  2 * std::size_t{s.neighbours}};
    }
    [[nodiscard]] auto upper_levels(state const& s) const noexcept {
        return upper<decltype(upper_->reader())>{upper_->reader(), s.upper_rows, s.neighbours};
    }
    /// The node through which a node was joined to the spanning tree; no_slot for the root.
    [[nodiscard]] slot parent(slot node) const noexcept {
        return *parents_->reader().template row_as<slot>(node);
    }

    [[nodiscard]] column& links() noexcept { return *links_; }
    [[nodiscard]] column& parents() noexcept { return *parents_; }
    [[nodiscard]] column& upper_column() noexcept { return *upper_; }
    [[nodiscard]] column& tuning_column() noexcept { return *tuning_; }

private:
    columns() = default;

    column* state_ = nullptr;
    column* links_ = nullptr;
    column* parents_ = nullptr;
    column* upper_ = nullptr;
    column* tuning_ = nullptr;
};

/// The level that a slot draws: floor(-ln(u) / ln(M)) with u from the seed and the slot alone, so
/// that the graph does not depend on which thread or session inserted it.
[[nodiscard]] inline std::uint32_t draw_level(state const& s, slot node) noexcept {
    auto const bits = vicinal::detail::mix(s.seed ^ vicinal::detail::mix(node)) >> 11;
    double const u = (static_cast<double>(bits) + 1) / 9007199254740993.0;
    double const level = -std::log(u) / std::log(static_cast<double>(s.neighbours));
    return level < 31 ? static_cast<std::uint32_t>(level) : 31U;
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/scratch.hpp
#ifndef VICINAL_INDEX_SCRATCH_HPP
#define VICINAL_INDEX_SCRATCH_HPP

// ---- vicinal/index/pool.hpp
#ifndef VICINAL_INDEX_POOL_HPP
#define VICINAL_INDEX_POOL_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// The frontier and the result of a beam search in one sorted array.
///
/// Replaces the two heaps of the paper: an insert is a binary search without branches and a move
/// of 8-byte entries, which beats heaps up to a width of about 500, and the next node to expand is
/// found by moving on. Node numbers are below 2^31; the bit above tells which were expanded. The
/// idea is from pyglass and Scalable Vector Search.
class pool {
public:
    struct entry {
        float distance;
        std::uint32_t node;
    };

    /// Empties the pool; it then keeps the `width` nearest, at least one.
    void reset(std::size_t width) {
        entries_.resize(width + slack);
        width_ = width;
        size_ = 0;
        next_ = 0;
    }

    /// What a distance must be below to be let in.
    [[nodiscard]] float limit() const noexcept {
        return size_ == width_ ? entries_[size_ - 1].distance
                               : std::numeric_limits<float>::infinity();
    }

    /// Inserts behind those of equal distance, or leaves out what limit() does not let in. Infinity
    /// is let in while there is room. How many entries from the nearest unexpanded on lie before
    /// it.
    std::size_t insert(float distance, std::uint32_t node) noexcept {
        if (size_ == width_ && !(distance < entries_[size_ - 1].distance)) return width_;
        auto* first = entries_.data();
        // Which half it is, is a coin's throw: a mask, as a branch would be mispredicted.
        for (auto n = size_; n > 1;) {
            auto const half = n / 2;
            first += half & (std::size_t{0} - (first[half - 1].distance <= distance ? 1U : 0U));
            n -= half;
        }
        first += size_ > 0 && first->distance <= distance ? 1 : 0;
        auto const place = static_cast<std::size_t>(first - entries_.data());
        if (size_ < width_) ++size_;
        open_up(first, size_ - 1 - place);
        *first = {distance, node};
        auto const before = place > next_ ? place - next_ : 0;
        next_ = (std::min)(next_, place);
        return before;
    }

    [[nodiscard]] bool has_next() const noexcept { return next_ < size_; }
    /// The distance of the nearest node not expanded yet; there must be one.
    [[nodiscard]] float next_distance() const noexcept { return entries_[next_].distance; }
    /// The i-th entry from the nearest unexpanded on, expanded or not; no_node behind the last.
    [[nodiscard]] std::uint32_t ahead(std::size_t i) const noexcept {
        return next_ + i < size_ ? entries_[next_ + i].node & ~expanded : no_node;
    }

    /// The nearest node not expanded yet, which then is.
    [[nodiscard]] std::uint32_t pop() noexcept {
        auto const node = entries_[next_].node;
        entries_[next_].node |= expanded;
        do {
            ++next_;
        } while (next_ < size_ && (entries_[next_].node & expanded) != 0);
        return node;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] float distance(std::size_t i) const noexcept { return entries_[i].distance; }
    [[nodiscard]] std::uint32_t node(std::size_t i) const noexcept {
        return entries_[i].node & ~expanded;
    }

    static constexpr std::uint32_t no_node = 0xffffffffU;

private:
    static constexpr std::uint32_t expanded = 0x80000000U;
    /// Entries that are moved at once; the array has as many to spare.
    static constexpr std::size_t slack = 4;

    /// Moves `count` entries up by one, the last ones first, in pieces: most moves are of a few
    /// dozen entries, where calling memmove is most of its time.
    static void open_up(entry* from, std::size_t count) noexcept {
        entry piece[slack];
        auto left = count;
        for (; left >= slack; left -= slack) {
            auto* const at = from + (left - slack);
            std::memcpy(piece, at, sizeof piece);
            std::memcpy(at + 1, piece, sizeof piece);
        }
        for (; left > 0; --left) from[left] = from[left - 1];
    }

    std::vector<entry> entries_;
    std::size_t width_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

#if VICINAL_HAS_THREADS
#    include <mutex>
#endif

namespace vicinal::inline VICINAL_ABI::index {

/// Which nodes a walk has met: a bit a node. Up to 262,144 nodes all 32 KB are cleared for each
/// walk; beyond, what the last walk marked, which is a thousand nodes of any number.
class visited_set {
public:
    /// Empties the set, for nodes below `nodes`.
    void reset(std::size_t nodes) {
        auto const words = (nodes + 63) / 64;
        if (words > words_.size()) {
            words_.assign(words + words / 8, 0);
        } else if (keeps_list()) {
            for (auto const node : marked_) words_[node / 64] = 0;
        } else {
            std::fill(words_.begin(), words_.end(), std::uint64_t{0});
        }
        marked_.clear();
    }

    /// Marks the node; true if it was not marked before.
    [[nodiscard]] bool mark(std::uint32_t node) {
        if (!set(node)) return false;
        if (keeps_list()) marked_.push_back(node);
        return true;
    }

    /// Marks those of a list that are below `nodes`, up to its end or the first no_slot, and writes
    /// what was not marked before to `fresh`, which has room for the list; how many those are.
    [[nodiscard]] std::size_t mark(std::uint32_t const* list, std::size_t width, std::size_t nodes,
                                   std::uint32_t* fresh) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < width && list[i] != no_slot; ++i) {
            // A damaged file may name any number: a node is followed only if it is one.
            if (list[i] >= nodes) continue;
            fresh[count] = list[i];
            count += set(list[i]) ? 1U : 0U;
        }
        if (keeps_list()) marked_.insert(marked_.end(), fresh, fresh + count);
        return count;
    }

private:
    [[nodiscard]] bool keeps_list() const noexcept { return words_.size() > 4096; }
    [[nodiscard]] bool set(std::uint32_t node) noexcept {
        auto& word = words_[node / 64];
        auto const bit = std::uint64_t{1} << (node % 64);
        bool const fresh = (word & bit) == 0;
        word |= bit;
        return fresh;
    }

    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> marked_;
};

/// What one walk needs, kept from query to query so that a query allocates nothing of its size.
struct scratch {
    visited_set visited;
    pool beam;
    std::vector<std::uint32_t> fresh;
    neighbours candidates;
};

/// Scratch objects that are not in use. Safe to share between threads.
class scratch_pool {
public:
    /// A scratch object for the time of one query.
    class lease {
    public:
        lease(scratch_pool& from, std::unique_ptr<scratch> s) noexcept
            : from_(&from), scratch_(std::move(s)) {}
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) = delete;
        ~lease() {
            if (scratch_) from_->give_back(std::move(scratch_));
        }
        [[nodiscard]] scratch& operator*() const noexcept { return *scratch_; }
        [[nodiscard]] scratch* operator->() const noexcept { return scratch_.get(); }

    private:
        scratch_pool* from_;
        std::unique_ptr<scratch> scratch_;
    };

    [[nodiscard]] lease take() {
        {
            auto const held = hold();
            if (!free_.empty()) {
                auto s = std::move(free_.back());
                free_.pop_back();
                return {*this, std::move(s)};
            }
            // Room for the way back, which must not fail.
            free_.reserve(++made_);
        }
        return {*this, std::make_unique<scratch>()};
    }

private:
    void give_back(std::unique_ptr<scratch> s) noexcept {
        auto const held = hold();
        free_.push_back(std::move(s));
    }

#if VICINAL_HAS_THREADS
    [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
    std::mutex mutex_;
#else
    [[nodiscard]] static int hold() noexcept { return 0; }
#endif
    std::vector<std::unique_ptr<scratch>> free_;
    std::size_t made_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

/// How a query moves over the graph (Malkov & Yashunin 2018, algorithms 2 and 5).
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Codes to score and how: the column's reader, the bound query, and how many cache lines of a code
/// are worth asking for ahead (the hardware streams the rest).
template <class Codes, class Scorer>
struct target {
    Codes codes;
    Scorer const& score;
    std::size_t rows;
    std::size_t lines;

    [[nodiscard]] float operator()(slot row) const noexcept { return score(codes.row(row)); }
    void prefetch(slot row) const noexcept { codes.prefetch(row, lines); }

    /// The distances of `count` codes, at most four. All four pointers are to codes: two of them
    /// alone take longer than four at once.
    void some(std::byte const* const* some_codes, std::size_t count, float* out) const noexcept {
        if constexpr (requires { score.four(some_codes, out); })
            if (count > 1) return score.four(some_codes, out);
        for (std::size_t i = 0; i < count; ++i) out[i] = score(some_codes[i]);
    }
};

/// Puts rows of equal distance, which a beam has in the order in which it met them, in their own.
inline void order_ties(neighbours& sorted) noexcept {
    for (auto first = sorted.begin(); first != sorted.end();) {
        auto const last = std::find_if(
            first, sorted.end(), [&](neighbour const& n) { return n.distance != first->distance; });
        std::sort(first, last);
        first = last;
    }
}

/// A place in a level.
struct position {
    float distance;
    std::uint32_t node;
};

/// Scores `count` nodes: meet(distance, node) for each, in their order.
///
/// They were collected first, so that no code is asked for in vain; eight are asked for ahead: a
/// core has about a dozen reads under way at once.
template <class Level, class Target, class Meet>
void score_nodes(Level const& level, std::uint32_t const* nodes, std::size_t count,
                 Target const& to, Meet const& meet) {
    constexpr std::size_t ahead = 8;
    for (std::size_t i = 0; i < (std::min)(ahead, count); ++i) to.prefetch(level.row(nodes[i]));
    for (std::size_t i = 0; i < count; i += 4) {
        auto const n = (std::min)(std::size_t{4}, count - i);
        std::byte const* codes[4];
        for (std::size_t j = 0; j < 4; ++j) {
            codes[j] = to.codes.row(level.row(nodes[(std::min)(i + j, count - 1)]));
            if (i + j + ahead < count) to.prefetch(level.row(nodes[i + j + ahead]));
        }
        float distances[4];
        to.some(codes, n, distances);
        for (std::size_t j = 0; j < n; ++j) meet(distances[j], nodes[i + j]);
    }
}

/// Moves to the nearest neighbour until none is nearer.
template <class Level, class Target>
[[nodiscard]] position descend_on(Level const& level, position at, Target const& to) noexcept {
    for (bool moved = true; moved;) {
        moved = false;
        auto const* const list = level.list(at.node);
        std::uint32_t nodes[32];
        for (std::size_t i = 0; i < level.width && list[i] != no_slot;) {
            std::size_t count = 0;
            // A damaged file may name any number: a node is followed only if it is one.
            for (; count < 32 && i < level.width && list[i] != no_slot; ++i)
                if (list[i] < level.nodes && level.row(list[i]) < to.rows) nodes[count++] = list[i];
            score_nodes(level, nodes, count, to, [&](float d, std::uint32_t n) {
                if (d < at.distance || (d == at.distance && n < at.node)) {
                    at = {d, n};
                    moved = true;
                }
            });
        }
    }
    return at;
}

/// The neighbours of a node that this walk has not met: marks them and puts them into s.fresh from
/// `at` on, where there is room for a list; where they end.
template <class Level>
[[nodiscard]] std::size_t collect(Level const& level, std::uint32_t node, std::size_t at,
                                  std::size_t rows, scratch& s) {
    auto count = s.visited.mark(level.list(node), level.width, level.nodes, s.fresh.data() + at);
    if constexpr (Level::header != 0) {
        // On an upper level a node's row is a number of its own.
        auto* const first = s.fresh.data() + at;
        count = static_cast<std::size_t>(
            std::remove_if(first, first + count,
                           [&](std::uint32_t n) { return level.row(n) >= rows; }) -
            first);
    }
    return at + count;
}

/// Beam search: the `width` nearest nodes that the graph leads to from `start`, in s.beam.
///
/// Two nodes are expanded at a time: a few more distances, and twice as many reads under way. The
/// nodes of `without` are taken for ones that are not there, the first excepted.
template <class Level, class Target>
void beam_search(Level const& level, position start, std::size_t width, Target const& to,
                 scratch& s, std::span<slot const> without = {}) {
    s.visited.reset(level.nodes);
    s.beam.reset(width);
    s.fresh.resize(2 * level.width);
    static_cast<void>(s.visited.mark(start.node));
    for (auto const node : without) static_cast<void>(s.visited.mark(node));
    s.beam.insert(start.distance, start.node);
    while (s.beam.has_next()) {
        std::size_t count = 0;
        for (int i = 0; i < 2 && s.beam.has_next(); ++i)
            count = collect(level, s.beam.pop(), count, to.rows, s);
        for (std::size_t i = 0; i < 2; ++i)
            if (auto const next = s.beam.ahead(i); next != pool::no_node) level.prefetch(next);
        score_nodes(level, s.fresh.data(), count, to, [&](float distance, std::uint32_t n) {
            // A node that comes to the front is likely to be expanded next.
            if (distance < s.beam.limit() && s.beam.insert(distance, n) < 2) level.prefetch(n);
        });
    }
}

/// Beam search for the `width` nearest of those that `keep` holds for. Walks through the others, so
/// that a filter cuts no way; ends when the nearest unexpanded node is farther than all it keeps.
template <class Level, class Target, class Keep>
[[nodiscard]] neighbours filtered_search(Level const& level, position start, std::size_t width,
                                         Target const& to, Keep const& keep, scratch& s) {
    auto const farther = [](neighbour const& a, neighbour const& b) { return b < a; };
    auto& frontier = s.candidates;
    nearest best(width);
    auto const meet = [&](float distance, std::uint32_t node) {
        if (!best.could_enter(distance)) return;
        frontier.push_back({distance, node});
        std::push_heap(frontier.begin(), frontier.end(), farther);
        if (keep(node)) best.offer({distance, node});
    };
    frontier.clear();
    s.fresh.resize(level.width);
    s.visited.reset(level.nodes);
    static_cast<void>(s.visited.mark(start.node));
    meet(start.distance, start.node);
    while (!frontier.empty()) {
        auto const at = frontier.front();
        if (!best.could_enter(at.distance)) break;
        std::pop_heap(frontier.begin(), frontier.end(), farther);
        frontier.pop_back();
        score_nodes(level, s.fresh.data(), collect(level, at.row, 0, to.rows, s), to, meet);
    }
    return best.take();
}

/// From the top of the graph to the ground: where a beam begins.
template <class Upper, class Target>
[[nodiscard]] position find_start(Upper const& levels, state const& g, Target const& to,
                                  std::uint32_t to_level = 0, std::uint32_t* stopped_at = nullptr) {
    if (stopped_at) *stopped_at = no_slot;
    if (g.entry == no_slot || levels.row(g.entry) >= to.rows) return {to(g.root), g.root};
    position at{to(levels.row(g.entry)), g.entry};
    // No honest graph has more than 32 levels; a damaged one may have a circle.
    for (int guard = 0; guard < 64; ++guard) {
        if (levels.level(at.node) <= to_level) {
            if (stopped_at) *stopped_at = at.node;
            return at;
        }
        at = descend_on(levels, at, to);
        auto const below = levels.below(at.node);
        if (below == no_slot || below >= levels.nodes || levels.row(below) >= to.rows) break;
        at.node = below;
    }
    return {at.distance, levels.row(at.node)};
}

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

/// Which links a node chooses, and which a list keeps when it is full: all that is computed when a
/// graph is built. It reads the graph and changes nothing, so that any number of threads may plan.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// What a new node wants to be linked to.
struct plan {
    slot node = no_slot;
    /// Its own list on the ground level, the nearest first.
    std::vector<std::uint32_t> ground;
    /// Upper rows it wants to be linked to, from level 1 on; as many lists as it has levels.
    std::vector<std::vector<std::uint32_t>> upper;
    /// The nearest nodes found: one of them becomes its parent in the spanning tree.
    std::vector<slot> nearest;
};

/// One thread's hands: scratch memory, and the graph as it stands. Codec's `between` compares.
template <class Storage, class Codec, class Codes>
class planner {
public:
    /// Nodes that are offered as parents.
    static constexpr std::size_t parents_offered = 8;

    planner(columns<Storage> const& graph, Codec const& codec, Codes codes, std::size_t lines,
            float relaxed)
        : graph_(graph), codec_(codec), codes_(codes), lines_(lines), relaxed_(relaxed) {}

    /// The links of a node that is in no list yet: a list that leaves room for links back.
    void join(plan& p, std::size_t width) {
        auto const g = graph_.get();
        p.upper.assign(draw_level(g, p.node), {});
        p.ground.clear();
        p.nearest.clear();
        if (g.root == no_slot) return;
        auto const score = codec_.between(codes_.row(p.node));
        target<Codes, decltype(score)> const to{codes_, score, g.linked, lines_};
        auto const start = join_upper(p, g, to, width);
        auto const level = graph_.ground_level(g);
        beam_search(level, start, width, to, scratch_);
        collect_beam(p.node);
        for (std::size_t i = 0; i < (std::min)(candidates_.size(), parents_offered); ++i)
            p.nearest.push_back(candidates_[i].row);
        bound_.clear();
        select(level, g.neighbours + g.neighbours / 2, relaxed_, p.ground);
    }

    /// The links of a node that has joined, chosen again among all that a search finds and those it
    /// has. Its parent and its children stay.
    void join_again(plan& p, std::size_t width) {
        auto const g = graph_.get();
        auto const score = codec_.between(codes_.row(p.node));
        target<Codes, decltype(score)> const to{codes_, score, g.linked, lines_};
        auto const start = find_start(graph_.upper_levels(g), g, to);
        auto const level = graph_.ground_level(g);
        beam_search(level, start, width, to, scratch_);
        collect_beam(p.node);
        auto const found = static_cast<std::ptrdiff_t>(candidates_.size());
        auto const* list = level.list(p.node);
        bound_.clear();
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i) {
            if (list[i] >= level.nodes) continue;
            if (in_tree(p.node, list[i])) bound_.push_back(list[i]);
            if (std::none_of(candidates_.begin(), candidates_.begin() + found,
                             [&](neighbour const& c) { return c.row == list[i]; }))
                candidates_.push_back({score(codes_.row(list[i])), list[i]});
        }
        std::sort(candidates_.begin(), candidates_.end());
        select(level, level.width, relaxed_, p.ground);
    }

    /// The list of `node` on a level with links back to `more` added: all of them where there is
    /// room, the chosen ones where there is not.
    template <class Level>
    void link_back(Level const& level, std::uint32_t node, std::uint32_t const* more,
                   std::size_t count, std::vector<std::uint32_t>& out) {
        auto const* list = level.list(node);
        std::size_t size = 0;
        while (size < level.width && list[size] != no_slot) ++size;
        out.assign(list, list + size);
        for (std::size_t i = 0; i < count; ++i)
            if (std::find(list, list + size, more[i]) == list + size) out.push_back(more[i]);
        if (out.size() <= level.width) return;
        auto const g = graph_.get();
        auto const score = codec_.between(codes_.row(level.row(node)));
        candidates_.clear();
        bound_.clear();
        for (auto const n : out) {
            if (n >= level.nodes || level.row(n) >= g.linked) continue;
            candidates_.push_back({score(codes_.row(level.row(n))), n});
            if (Level::header == 0 && in_tree(node, n)) bound_.push_back(n);
        }
        std::sort(candidates_.begin(), candidates_.end());
        select(level, level.width, Level::header == 0 ? relaxed_ : 1.0F, out);
    }

    /// Whether one of two ground nodes was joined to the graph through the other.
    [[nodiscard]] bool in_tree(slot a, slot b) const noexcept {
        return graph_.parent(a) == b || graph_.parent(b) == a;
    }

private:
    template <class Target>
    [[nodiscard]] position join_upper(plan& p, state const& g, Target const& to,
                                      std::size_t width) {
        auto const levels = graph_.upper_levels(g);
        auto const top = g.entry == no_slot ? 0 : levels.level(g.entry);
        auto const join = (std::min)(static_cast<std::uint32_t>(p.upper.size()), top);
        std::uint32_t at = no_slot;
        auto start = find_start(levels, g, to, join, &at);
        if (join == 0 || at == no_slot) return start;
        position here{start.distance, at};
        for (auto level = join; level >= 1; --level) {
            beam_search(levels, here, width, to, scratch_);
            collect_beam(no_slot);
            bound_.clear();
            select(levels, g.neighbours, 1, p.upper[level - 1]);
            here = {candidates_.front().distance, candidates_.front().row};
            if (level == 1) break;
            auto const below = levels.below(here.node);
            // Only in a damaged graph: the levels below stay without this node.
            if (below >= levels.nodes || levels.row(below) >= to.rows) break;
            here.node = below;
        }
        return {here.distance, levels.row(here.node)};
    }

    void collect_beam(std::uint32_t without) {
        candidates_.clear();
        auto const& beam = scratch_.beam;
        for (std::size_t i = 0; i < beam.size(); ++i)
            if (beam.node(i) != without) candidates_.push_back({beam.distance(i), beam.node(i)});
        std::sort(candidates_.begin(), candidates_.end());
    }

    /// Chooses among candidates_; those of bound_ in any case.
    template <class Level>
    void select(Level const& level, std::size_t most, float relaxed,
                std::vector<std::uint32_t>& chosen) {
        selector_(
            candidates_, most, relaxed, [&](std::uint32_t n) { return codes_.row(level.row(n)); },
            [&](std::byte const* code) { return codec_.between(code); },
            [&](std::uint32_t n) {
                return std::find(bound_.begin(), bound_.end(), n) != bound_.end();
            },
            chosen);
    }

    columns<Storage> const& graph_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    scratch scratch_;
    selector selector_;
    neighbours candidates_;
    /// Nodes of a list that are joined to the graph through its node, or its node through them.
    std::vector<std::uint32_t> bound_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

/// How nodes join the graph: in batches, each planned against the graph as the batch before left
/// it, so that the outcome depends on the rows, their order and the seed alone, not on threads.
///
/// A batch is an eighth of what this call has linked so far, so that a node finds nearly all of
/// those that came with it; the order is drawn from the seed, so that rows that come sorted are no
/// trap. A second pass then lets each new node choose again in the finished graph.
/// Source: prefix doubling as in Manohar et al., "ParlayANN", PPoPP 2024; two passes as in Jayaram
/// Subramanya et al., "DiskANN", NeurIPS 2019.
///
/// In the published algorithms a node whose last incoming link is pruned away can't be found any
/// more. Here each node but the root is joined to a parent, and parent and child keep their links
/// to each other for good, so that every node can be reached from every other. A node takes at most
/// half of its list in children; the tree always has a leaf with room.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Links nodes. Section runs what searches must not see half done.
template <class Storage, class Codec, class Codes, class Section>
class builder {
public:
    builder(columns<Storage>& graph, Codec const& codec, Codes codes, std::size_t lines,
            float relaxed, std::size_t threads, Section const& section)
        : graph_(graph), codec_(codec), codes_(codes), lines_(lines), relaxed_(relaxed),
          threads_(threads), section_(section) {}

    /// Links the slots, none of which is in the graph; puts them into the order of linking. The
    /// columns hold rows for all of them. Errors: out_of_memory; what was linked before stays.
    [[nodiscard]] result<void> link(std::vector<slot>& slots) {
        auto const g = graph_.get();
        std::sort(slots.begin(), slots.end(), [&g](slot a, slot b) {
            auto const of_a = vicinal::detail::mix(g.seed ^ ~vicinal::detail::mix(a));
            auto const of_b = vicinal::detail::mix(g.seed ^ ~vicinal::detail::mix(b));
            return of_a < of_b || (of_a == of_b && a < b);
        });
        std::size_t const width = g.build_width;
        bool const twice = slots.size() >= least_for_two;
        std::span<slot const> const all(slots);
        for (std::size_t done = 0; done < all.size();) {
            auto const size = (std::min)(
                {(std::max)(done / 8, std::size_t{1}), largest_batch, all.size() - done});
            VICINAL_CHECK(
                join(all.subspan(done, size),
                     twice ? (std::max)(width / 2, std::size_t{g.neighbours}) : 2 * width));
            done += size;
        }
        if (!twice) return {};
        auto const part = (std::max)((std::min)(all.size() / 16, largest_batch), std::size_t{1});
        for (std::size_t done = 0; done < all.size(); done += part)
            VICINAL_CHECK(
                join_again(all.subspan(done, (std::min)(part, all.size() - done)), width));
        return {};
    }

private:
    using node_list = std::vector<std::uint32_t>;
    using hands = planner<Storage, Codec, Codes>;
    using upper_level = decltype(std::declval<columns<Storage> const&>().upper_levels(state{}));
    static constexpr std::size_t least_for_two = 64;
    static constexpr std::size_t largest_batch = 4096;
    /// Lists that are put in place at once, while searches wait: some 20 microseconds.
    static constexpr std::size_t lists_at_once = 512;

    /// A link back that a list shall get: from `to` to `from`.
    struct back {
        std::uint32_t to;
        std::uint32_t from;
        friend bool operator<(back const& a, back const& b) noexcept {
            return a.to < b.to || (a.to == b.to && a.from < b.from);
        }
    };

    [[nodiscard]] result<void> join(std::span<slot const> batch, std::size_t width) {
        VICINAL_CHECK(make_plans(batch, [&](hands& h, plan& p) { h.join(p, width); }));
        choose_parents();
        ground_.clear();
        upper_.clear();
        auto g = graph_.get();
        auto row = g.upper_rows;
        for (auto const& p : plans_) {
            for (auto const n : p.ground) ground_.push_back({n, p.node});
            for (auto const& links : p.upper) {
                for (auto const n : links) upper_.push_back({n, row});
                ++row;
            }
        }
        VICINAL_CHECK(sort_links());
        section_([&] { put_nodes(); });
        auto linked = link_back(ground_, graph_.ground_level(graph_.get()));
        if (linked) linked = link_back(upper_, graph_.upper_levels(graph_.get()));
        if (!linked) section_([&] { take_back(); });
        return linked;
    }

    [[nodiscard]] result<void> join_again(std::span<slot const> batch, std::size_t width) {
        VICINAL_CHECK(make_plans(batch, [&](hands& h, plan& p) { h.join_again(p, width); }));
        ground_.clear();
        auto const level = graph_.ground_level(graph_.get());
        for (auto const& p : plans_) {
            auto const* list = level.list(p.node);
            auto const* end = std::find(list, list + level.width, no_slot);
            for (auto const n : p.ground)
                if (std::find(list, end, n) == end) ground_.push_back({n, p.node});
        }
        VICINAL_CHECK(sort_links());
        put_lists(plans_.size(), [&](std::size_t i) {
            write(graph_.links().edit(plans_[i].node), plans_[i].ground, level.width);
        });
        return link_back(ground_, level);
    }

    template <class Make>
    [[nodiscard]] result<void> make_plans(std::span<slot const> batch, Make const& make) {
        plans_.resize(batch.size());
        return run_parts(batch.size(), 1, threads_, [&](std::size_t first, std::size_t last) {
            return vicinal::detail::guarded([&]() -> result<void> {
                hands h(graph_, codec_, codes_, lines_, relaxed_);
                for (auto i = first; i < last; ++i) {
                    plans_[i].node = batch[i];
                    make(h, plans_[i]);
                }
                return {};
            });
        });
    }

    /// Gives each new node a parent that has room, in the order of the batch.
    void choose_parents() {
        auto const g = graph_.get();
        auto const level = graph_.ground_level(g);
        new_children_.clear();
        auto const has_room = [&](slot node) {
            auto const at = new_children_.find(node);
            auto const fresh = at == new_children_.end() ? 0 : at->second.size();
            return children(level, node) + fresh < g.neighbours;
        };
        parents_.assign(plans_.size(), no_slot);
        for (std::size_t i = 0; i < plans_.size(); ++i) {
            auto& p = plans_[i];
            if (p.nearest.empty()) continue; // the first node of all
            auto const near = std::find_if(p.nearest.begin(), p.nearest.end(), has_room);
            auto const parent =
                near != p.nearest.end() ? *near : below(level, p.nearest.front(), has_room);
            parents_[i] = parent;
            new_children_[parent].push_back(p.node);
            if (std::find(p.ground.begin(), p.ground.end(), parent) != p.ground.end()) continue;
            if (p.ground.size() == g.neighbours + g.neighbours / 2) p.ground.pop_back();
            p.ground.push_back(parent);
        }
    }

    /// A node with room in the tree below one that has none; the tree has what this batch adds.
    template <class Level, class HasRoom>
    [[nodiscard]] slot below(Level const& level, slot node, HasRoom const& has_room) const {
        node_list open{node};
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (has_room(open[i])) return open[i];
            auto const* list = level.list(open[i]);
            for (std::size_t j = 0; j < level.width && list[j] != no_slot; ++j)
                if (list[j] < level.nodes && graph_.parent(list[j]) == open[i] &&
                    open.size() < level.nodes)
                    open.push_back(list[j]);
            if (auto const at = new_children_.find(open[i]); at != new_children_.end())
                open.insert(open.end(), at->second.begin(), at->second.end());
        }
        return open.back(); // only in a damaged graph
    }

    template <class Level>
    [[nodiscard]] std::size_t children(Level const& level, slot node) const noexcept {
        std::size_t n = 0;
        auto const* list = level.list(node);
        for (std::size_t i = 0; i < level.width && list[i] != no_slot; ++i)
            n += list[i] < level.nodes && graph_.parent(list[i]) == node ? 1U : 0U;
        return n;
    }

    /// Sorts the links back and takes the memory for the lists that they change, so that nothing
    /// fails between putting nodes in place and linking back to them.
    [[nodiscard]] result<void> sort_links() {
        return vicinal::detail::guarded([&]() -> result<void> {
            std::sort(ground_.begin(), ground_.end());
            std::sort(upper_.begin(), upper_.end());
            auto const most = (std::max)(ground_.size(), upper_.size());
            firsts_.reserve(most + 1);
            if (changed_.size() < most) changed_.resize(most);
            return {};
        });
    }

    /// Puts the new nodes in place: lists, parents, upper rows. No list leads to them yet.
    void put_nodes() noexcept {
        auto g = graph_.get();
        for (std::size_t i = 0; i < plans_.size(); ++i) {
            auto const& p = plans_[i];
            write(graph_.links().edit(p.node), p.ground, 2 * std::size_t{g.neighbours});
            std::memcpy(graph_.parents().edit(p.node), &parents_[i], sizeof(slot));
            if (g.root == no_slot) g.root = p.node;
            for (std::uint32_t level = 1; level <= p.upper.size(); ++level) {
                auto const row = g.upper_rows++;
                std::uint32_t const head[] = {p.node, level == 1 ? no_slot : row - 1, level};
                static_assert(sizeof head == 4 * upper_level::header);
                auto* const bytes = graph_.upper_column().edit(row);
                std::memcpy(bytes, head, sizeof head);
                write(bytes + sizeof head, p.upper[level - 1], g.neighbours);
                if (g.entry == no_slot || graph_.upper_levels(g).level(g.entry) < level)
                    g.entry = row;
            }
        }
        graph_.put(g);
    }

    /// Nodes that are not all linked back to count as not joined; they can join again.
    void take_back() noexcept {
        auto const root = graph_.get().root;
        slot const none = no_slot;
        for (auto const& p : plans_)
            if (p.node != root) std::memcpy(graph_.parents().edit(p.node), &none, sizeof none);
    }

    /// Works out the lists that links back change, and puts them in place.
    template <class Level>
    [[nodiscard]] result<void> link_back(std::vector<back> const& links, Level const& level) {
        firsts_.clear();
        for (std::size_t i = 0; i < links.size(); ++i)
            if (i == 0 || links[i].to != links[i - 1].to) firsts_.push_back(i);
        auto const lists = firsts_.size();
        firsts_.push_back(links.size());
        auto const planned =
            run_parts(lists, 16, threads_, [&](std::size_t first, std::size_t last) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    hands h(graph_, codec_, codes_, lines_, relaxed_);
                    node_list from;
                    for (auto i = first; i < last; ++i) {
                        from.clear();
                        for (auto j = firsts_[i]; j < firsts_[i + 1]; ++j)
                            from.push_back(links[j].from);
                        h.link_back(level, links[firsts_[i]].to, from.data(), from.size(),
                                    changed_[i]);
                    }
                    return {};
                });
            });
        VICINAL_CHECK(planned);
        put_lists(lists, [&](std::size_t i) {
            auto const node = links[firsts_[i]].to;
            if constexpr (Level::header == 0)
                write(graph_.links().edit(node), changed_[i], level.width);
            else
                write(graph_.upper_column().edit(node) + 4 * Level::header, changed_[i],
                      level.width);
        });
        return {};
    }

    /// Runs put(i) for each i below count, in sections that are soon over.
    template <class Put>
    void put_lists(std::size_t count, Put const& put) {
        for (std::size_t first = 0; first < count; first += lists_at_once)
            section_([&] {
                for (auto i = first; i < (std::min)(first + lists_at_once, count); ++i) put(i);
            });
    }

    static void write(std::byte* row, node_list const& list, std::size_t width) noexcept {
        auto const size = (std::min)(list.size(), width);
        if (size > 0) std::memcpy(row, list.data(), size * 4);
        std::memset(row + size * 4, 0xff, (width - size) * 4);
    }

    columns<Storage>& graph_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    std::size_t threads_;
    Section const& section_;
    std::vector<plan> plans_;
    std::vector<slot> parents_;
    /// Of nodes old and new: the children that this batch gives them.
    std::unordered_map<slot, node_list> new_children_;
    std::vector<back> ground_;
    std::vector<back> upper_;
    std::vector<std::size_t> firsts_;
    std::vector<node_list> changed_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
// ---- vicinal/index/hnsw/compact.hpp
#ifndef VICINAL_INDEX_HNSW_COMPACT_HPP
#define VICINAL_INDEX_HNSW_COMPACT_HPP

// ---- vicinal/index/hnsw/forest.hpp
#ifndef VICINAL_INDEX_HNSW_FOREST_HPP
#define VICINAL_INDEX_HNSW_FOREST_HPP

namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// The spanning tree while nodes are taken out of it: trees that are joined to one again. Nodes are
/// numbers below the size; each has at most `most` children.
///
/// Which tree a node is in is asked of a union-find (Tarjan, "Efficiency of a good but not linear
/// set union algorithm", JACM 1975), so that joining all trees costs little more than a step each.
class forest {
public:
    /// parents[n] is n's parent, no_slot where it has none any more. Circles and children beyond
    /// `most`, as in a damaged graph, are cut.
    forest(std::vector<slot> parents, std::size_t most)
        : most_(most), parents_(std::move(parents)), sets_(parents_.size()),
          children_(parents_.size(), 0), first_child_(parents_.size(), no_slot),
          next_(parents_.size(), no_slot) {
        for (std::size_t n = 0; n < sets_.size(); ++n) sets_[n] = static_cast<slot>(n);
        for (std::size_t n = 0; n < sets_.size(); ++n) {
            auto const node = static_cast<slot>(n);
            auto const parent = std::exchange(parents_[n], no_slot);
            if (parent < sets_.size() && children_[parent] < most_ &&
                set_of(parent) != set_of(node))
                link(node, parent);
        }
    }

    [[nodiscard]] slot parent(slot node) const noexcept { return parents_[node]; }
    [[nodiscard]] std::vector<slot> const& parents() const noexcept { return parents_; }
    /// Calls body(child) for each child of a node.
    template <class Body>
    void each_child(slot node, Body const& body) const {
        for (auto c = first_child_[node]; c != no_slot; c = next_[c]) body(c);
    }
    /// The node at the top of the tree that a node is in.
    [[nodiscard]] slot top(slot node) const noexcept {
        while (parents_[node] != no_slot) node = parents_[node];
        return node;
    }

    /// Gives `node`, which is the top of a tree, a parent in another: the first of `near` that has
    /// room, else one below the first of them that is in another tree, else one below `root`, which
    /// is. Gives the parent.
    slot attach(slot node, std::span<slot const> near, slot root) {
        auto anchor = root;
        for (auto const n : near) {
            if (set_of(n) == set_of(node)) continue;
            if (children_[n] < most_) return link(node, n);
            if (anchor == root) anchor = n;
        }
        return link(node, below(anchor));
    }

private:
    slot link(slot node, slot parent) noexcept {
        parents_[node] = parent;
        next_[node] = std::exchange(first_child_[parent], node);
        ++children_[parent];
        sets_[set_of(node)] = set_of(parent);
        return parent;
    }

    [[nodiscard]] slot set_of(slot node) noexcept {
        while (sets_[node] != node) node = sets_[node] = sets_[sets_[node]];
        return node;
    }

    /// The nearest node with room in the tree below one; a leaf has it.
    [[nodiscard]] slot below(slot node) const {
        std::vector<slot> open{node};
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (children_[open[i]] < most_) return open[i];
            each_child(open[i], [&](slot c) { open.push_back(c); });
        }
        return node;
    }

    std::size_t most_;
    std::vector<slot> parents_;
    std::vector<slot> sets_;
    std::vector<std::uint32_t> children_;
    std::vector<slot> first_child_;
    std::vector<slot> next_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
// ---- vicinal/index/hnsw/heal.hpp
#ifndef VICINAL_INDEX_HNSW_HEAL_HPP
#define VICINAL_INDEX_HNSW_HEAL_HPP

/// How lists are chosen again when nodes leave a level of the graph.
///
/// A node that loses neighbours chooses among those that stay and those that the lost ones led to,
/// so that what was joined through them stays joined. Source: the consolidation of deletes in Singh
/// et al., "FreshDiskANN", 2021. Differs: where lost nodes lead to lost ones only, the search goes
/// on through them, and a chosen node is offered a link back.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

/// Nodes of a level around one that stay when others go, for one thread at a time.
template <class Level, class Codec, class Codes>
class survivors {
public:
    /// Lost nodes that are walked through at most, where they lead to nothing that stays.
    static constexpr std::size_t most_lost = 4096;

    survivors(Level const& level, std::span<std::uint32_t const> new_of, Codec const& codec,
              Codes codes, std::size_t lines, std::size_t rows)
        : level_(level), new_of_(new_of), codec_(codec), codes_(codes), lines_(lines), rows_(rows) {
    }

    [[nodiscard]] bool stays(std::uint32_t node) const noexcept {
        return node < level_.nodes && new_of_[node] != no_slot;
    }

    /// Those of `node`'s list and of the lists of its lost neighbours; through more lost ones until
    /// there are `enough`. The nearest first; of those that its list does not have, at most `most`.
    neighbours const& around(std::uint32_t node, std::size_t enough, std::size_t most) {
        visited_.reset(level_.nodes);
        static_cast<void>(visited_.mark(node));
        own_.clear();
        other_.clear();
        lost_.clear();
        collect(node, own_);
        auto const direct = lost_.size();
        for (std::size_t i = 0; i < lost_.size() && i < most_lost; ++i) {
            if (i >= direct && own_.size() + other_.size() >= enough) break;
            collect(lost_[i], other_);
        }
        auto const score = codec_.between(codes_.row(level_.row(node)));
        target<Codes, decltype(score)> const to{codes_, score, rows_, lines_};
        auto const meet = [&](float d, std::uint32_t n) { found_.push_back({d, n}); };
        found_.clear();
        score_nodes(level_, other_.data(), other_.size(), to, meet);
        std::sort(found_.begin(), found_.end());
        if (found_.size() > most) found_.resize(most);
        score_nodes(level_, own_.data(), own_.size(), to, meet);
        std::sort(found_.begin(), found_.end());
        return found_;
    }

private:
    void collect(std::uint32_t node, std::vector<std::uint32_t>& out) {
        auto const* list = level_.list(node);
        for (std::size_t i = 0; i < level_.width && list[i] != no_slot; ++i) {
            if (list[i] >= level_.nodes || !visited_.mark(list[i])) continue;
            (stays(list[i]) ? out : lost_).push_back(list[i]);
        }
    }

    Level const& level_;
    std::span<std::uint32_t const> new_of_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    std::size_t rows_;
    visited_set visited_;
    std::vector<std::uint32_t> own_;
    std::vector<std::uint32_t> other_;
    std::vector<std::uint32_t> lost_;
    neighbours found_;
};

/// The lists of the nodes of a level that stay, behind each other in their new order, each `stride`
/// numbers with `first` numbers before it that are the caller's. Reads the level and changes
/// nothing of it; the same on any number of threads.
template <class Level, class Codec, class Codes>
class healed_lists {
public:
    using numbers = std::vector<std::uint32_t>;

    /// kept[i] is the node that becomes i, new_of[n] what becomes of n: no_slot where it goes. Both
    /// stay in place, as do codec and level.
    healed_lists(Level const& level, std::span<std::uint32_t const> kept,
                 std::span<std::uint32_t const> new_of, Codec const& codec, Codes codes,
                 std::size_t lines, std::size_t rows, float relaxed, std::size_t threads)
        : level_(level), kept_(kept), new_of_(new_of), codec_(codec), codes_(codes), lines_(lines),
          rows_(rows), relaxed_(relaxed), threads_(threads) {}

    /// Fills `out`, where there is room for all. tree(i, list) adds the nodes to which the one that
    /// becomes i must be linked; `width` candidates are looked at beside its neighbours.
    template <class Tree>
    [[nodiscard]] result<void> make(numbers& out, std::size_t first, std::size_t width,
                                    Tree const& tree) {
        if (kept_.empty()) return {};
        lists_ = out.data() + first;
        stride_ = first + level_.width;
        VICINAL_CHECK(run_parts(kept_.size(), 64, threads_, [&](std::size_t from, std::size_t to) {
            return vicinal::detail::guarded([&]() -> result<void> {
                hands h(*this);
                for (auto i = from; i < to; ++i) choose(h, i, width, tree);
                return {};
            });
        }));
        VICINAL_CHECK(vicinal::detail::guarded([&]() -> result<void> {
            collect_new_links();
            return {};
        }));
        auto const linked =
            run_parts(firsts_.size() - 1, 16, threads_, [&](std::size_t from, std::size_t to) {
                return vicinal::detail::guarded([&]() -> result<void> {
                    hands h(*this);
                    for (auto i = from; i < to; ++i) link_back(h, firsts_[i], firsts_[i + 1], tree);
                    return {};
                });
            });
        VICINAL_CHECK(linked);
        for (std::size_t i = 0; i < kept_.size(); ++i)
            for (std::size_t j = 0; j < level_.width && list(i)[j] != no_slot; ++j)
                list(i)[j] = new_of_[list(i)[j]];
        return {};
    }

private:
    /// A node, by its new number, that has chosen another, by its old one.
    struct link {
        std::uint32_t to;
        std::uint32_t from;
        friend bool operator<(link const& a, link const& b) noexcept {
            return a.to < b.to || (a.to == b.to && a.from < b.from);
        }
    };

    /// One thread's scratch memory.
    struct hands {
        explicit hands(healed_lists const& h)
            : near(h.level_, h.new_of_, h.codec_, h.codes_, h.lines_, h.rows_) {}
        survivors<Level, Codec, Codes> near;
        selector select;
        neighbours candidates;
        numbers bound;
        numbers chosen;
    };

    [[nodiscard]] std::uint32_t* list(std::size_t i) const noexcept { return lists_ + i * stride_; }

    template <class Tree>
    void choose(hands& h, std::size_t i, std::size_t width, Tree const& tree) const {
        auto const node = kept_[i];
        auto const* now = level_.list(node);
        auto const* end = std::find(now, now + level_.width, no_slot);
        h.bound.clear();
        tree(i, h.bound);
        bool const whole = std::all_of(now, end, [&](auto n) { return h.near.stays(n); }) &&
                           std::all_of(h.bound.begin(), h.bound.end(),
                                       [&](auto n) { return std::find(now, end, n) != end; });
        if (whole) return write(i, {now, end});
        h.candidates = h.near.around(node, level_.width / 2, width);
        for (auto const b : h.bound)
            if (std::none_of(h.candidates.begin(), h.candidates.end(),
                             [b](neighbour const& c) { return c.row == b; }))
                h.candidates.push_back({codec_.between(code(node))(code(b)), b});
        select(h, i);
    }

    template <class Tree>
    void link_back(hands& h, std::size_t first, std::size_t last, Tree const& tree) const {
        auto const i = links_[first].to;
        auto* const now = list(i);
        auto* const end = std::find(now, now + level_.width, no_slot);
        auto const size = static_cast<std::size_t>(end - now);
        h.chosen.assign(now, end);
        for (auto j = first; j < last; ++j)
            if (std::find(now, end, links_[j].from) == end) h.chosen.push_back(links_[j].from);
        if (h.chosen.size() == size) return;
        if (h.chosen.size() <= level_.width) return write(i, h.chosen);
        h.bound.clear();
        tree(i, h.bound);
        h.candidates.clear();
        auto const score = codec_.between(code(kept_[i]));
        for (auto const n : h.chosen) h.candidates.push_back({score(code(n)), n});
        select(h, i);
    }

    void select(hands& h, std::size_t i) const {
        std::sort(h.candidates.begin(), h.candidates.end());
        h.select(
            h.candidates, level_.width, relaxed_, [&](std::uint32_t n) { return code(n); },
            [&](std::byte const* code) { return codec_.between(code); },
            [&](std::uint32_t n) {
                return std::find(h.bound.begin(), h.bound.end(), n) != h.bound.end();
            },
            h.chosen);
        write(i, h.chosen);
    }

    void write(std::size_t i, std::span<std::uint32_t const> chosen) const noexcept {
        auto const size = (std::min)(chosen.size(), level_.width);
        std::copy_n(chosen.begin(), size, list(i));
        std::fill(list(i) + size, list(i) + level_.width, no_slot);
    }

    [[nodiscard]] std::byte const* code(std::uint32_t node) const noexcept {
        return codes_.row(level_.row(node));
    }

    /// The links that no list had before, sorted by the node to which they lead.
    void collect_new_links() {
        links_.clear();
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            auto const* before = level_.list(kept_[i]);
            auto const* end = std::find(before, before + level_.width, no_slot);
            for (std::size_t j = 0; j < level_.width && list(i)[j] != no_slot; ++j)
                if (std::find(before, end, list(i)[j]) == end)
                    links_.push_back({new_of_[list(i)[j]], kept_[i]});
        }
        std::sort(links_.begin(), links_.end());
        firsts_.clear();
        for (std::size_t i = 0; i < links_.size(); ++i)
            if (i == 0 || links_[i].to != links_[i - 1].to) firsts_.push_back(i);
        firsts_.push_back(links_.size());
    }

    Level const& level_;
    std::span<std::uint32_t const> kept_;
    std::span<std::uint32_t const> new_of_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    std::size_t rows_;
    float relaxed_;
    std::size_t threads_;
    std::uint32_t* lists_ = nullptr;
    std::size_t stride_ = 0;
    std::vector<link> links_;
    std::vector<std::size_t> firsts_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif

/// A graph without its dead nodes, made beside the one that is being searched: the rest of the
/// nodes in their order, numbered densely, lists healed, one spanning tree, entry and root live.
///
/// Nothing of the old graph is changed, so that no reader ever sees a graph half healed, and every
/// live node can be reached before and after. The outcome depends on the graph and on which nodes
/// stay, not on threads. Cost: for each node that loses a neighbour about half of what linking it
/// cost; a quarter of all rows dead, that is nearly each.
namespace vicinal::inline VICINAL_ABI::index::hnsw_graph {

template <class Storage, class Codec, class Codes>
class compaction {
public:
    using numbers = std::vector<std::uint32_t>;

    compaction(columns<Storage> const& graph, Codec const& codec, Codes codes, std::size_t lines,
               float relaxed, std::size_t threads)
        : graph_(graph), before_(graph.get()), codec_(codec), codes_(codes), lines_(lines),
          relaxed_(relaxed), threads_(threads) {}

    /// Adds what the columns of the graph are to hold when the slots of `kept`, ascending, become
    /// slots 0, 1 and so on. A graph of fewer nodes than it wants is empty. Errors: out_of_memory.
    [[nodiscard]] result<void> run(std::span<slot const> kept,
                                   std::vector<storage::replacement>& out) {
        kept_ = kept;
        auto after = before_;
        after.root = no_slot;
        after.entry = no_slot;
        after.upper_rows = 0;
        numbers links, parents, upper;
        if (before_.covered == 0 || kept.empty() || kept.size() < before_.flat_below) {
            after.covered = after.linked = 0;
        } else {
            after.covered = after.linked = static_cast<slot>(kept.size());
            new_of_.assign(before_.linked, no_slot);
            for (std::size_t i = 0; i < kept.size(); ++i) new_of_[kept[i]] = static_cast<slot>(i);
            VICINAL_CHECK(make_ground(after, links, parents));
            VICINAL_CHECK(make_upper(after, upper));
        }
        auto const width = 2 * std::size_t{before_.neighbours};
        out.push_back(storage::owned_rows("hnsw.links", width * 4, std::move(links)));
        out.push_back(storage::owned_rows("hnsw.parents", 4, std::move(parents)));
        out.push_back(storage::owned_rows(
            "hnsw.upper", (header + std::size_t{before_.neighbours}) * 4, std::move(upper)));
        out.push_back(storage::owned_rows("hnsw.state", sizeof(state), std::vector<state>{after}));
        return {};
    }

private:
    using ground_level = decltype(std::declval<columns<Storage> const&>().ground_level(state{}));
    using upper_level = decltype(std::declval<columns<Storage> const&>().upper_levels(state{}));
    static constexpr std::size_t header = upper_level::header;
    /// Nodes that are asked whether they have room for an orphan.
    static constexpr std::size_t parents_offered = 16;

    [[nodiscard]] result<void> make_ground(state& after, numbers& links, numbers& parents) {
        auto const level = graph_.ground_level(before_);
        parents.assign(kept_.size(), no_slot);
        for (std::size_t i = 0; i < kept_.size(); ++i)
            if (auto const p = graph_.parent(kept_[i]); p < before_.linked) parents[i] = new_of_[p];
        forest tree(std::move(parents), before_.neighbours);
        VICINAL_CHECK(join(tree, after));
        links.resize(kept_.size() * level.width);
        healed_lists<ground_level, Codec, Codes> lists(level, kept_, new_of_, codec_, codes_,
                                                       lines_, before_.linked, relaxed_, threads_);
        VICINAL_CHECK(lists.make(links, 0, before_.build_width, [&](std::size_t i, numbers& list) {
            auto const node = static_cast<slot>(i);
            if (auto const p = tree.parent(node); p != no_slot) list.push_back(kept_[p]);
            tree.each_child(node, [&](slot c) { list.push_back(kept_[c]); });
        }));
        parents = tree.parents();
        return {};
    }

    /// Makes one tree of those that the dead nodes have left.
    [[nodiscard]] result<void> join(forest& tree, state& after) {
        auto const level = graph_.ground_level(before_);
        survivors<ground_level, Codec, Codes> near(level, new_of_, codec_, codes_, lines_,
                                                   before_.linked);
        after.root = 0;
        if (before_.root < before_.linked) after.root = new_of_[before_.root];
        if (after.root == no_slot) {
            auto const& around = near.around(before_.root, 1, 1);
            after.root = around.empty() ? 0 : new_of_[around.front().row];
        }
        after.root = tree.top(after.root);
        std::vector<slot> orphans;
        for (slot i = 0; i < kept_.size(); ++i)
            if (i != after.root && tree.parent(i) == no_slot) orphans.push_back(i);
        // The neighbours are looked for on all threads, a piece at a time; the tree is one thing.
        constexpr std::size_t at_once = 4096;
        std::vector<std::vector<slot>> offers((std::min)(orphans.size(), at_once));
        for (std::size_t done = 0; done < orphans.size(); done += at_once) {
            auto const part = (std::min)(orphans.size() - done, at_once);
            auto const offered =
                run_parts(part, 16, threads_, [&](std::size_t from, std::size_t to) {
                    return vicinal::detail::guarded([&]() -> result<void> {
                        survivors<ground_level, Codec, Codes> mine(level, new_of_, codec_, codes_,
                                                                   lines_, before_.linked);
                        for (auto i = from; i < to; ++i) offer(mine, orphans[done + i], offers[i]);
                        return {};
                    });
                });
            VICINAL_CHECK(offered);
            for (std::size_t i = 0; i < part; ++i)
                tree.attach(orphans[done + i], offers[i], after.root);
        }
        return {};
    }

    /// The nearest nodes that stay, and at last the one next above in the old tree.
    void offer(survivors<ground_level, Codec, Codes>& near, slot orphan,
               std::vector<slot>& offered) const {
        offered.clear();
        auto const node = kept_[orphan];
        for (auto const& c : near.around(node, parents_offered, before_.build_width)) {
            if (offered.size() == parents_offered) break;
            offered.push_back(new_of_[c.row]);
        }
        auto above = graph_.parent(node);
        // A damaged tree may have circles.
        for (std::size_t i = 0; i < before_.linked && above < before_.linked; ++i) {
            if (new_of_[above] != no_slot) {
                offered.push_back(new_of_[above]);
                return;
            }
            above = graph_.parent(above);
        }
    }

    [[nodiscard]] result<void> make_upper(state& after, numbers& upper) {
        auto const levels = graph_.upper_levels(before_);
        numbers kept;
        numbers new_row(before_.upper_rows, no_slot);
        for (std::uint32_t row = 0; row < before_.upper_rows; ++row)
            if (auto const s = levels.row(row); s < new_of_.size() && new_of_[s] != no_slot) {
                new_row[row] = static_cast<std::uint32_t>(kept.size());
                kept.push_back(row);
            }
        after.upper_rows = static_cast<std::uint32_t>(kept.size());
        auto const stride = header + levels.width;
        upper.resize(kept.size() * stride);
        healed_lists<upper_level, Codec, Codes> lists(levels, kept, new_row, codec_, codes_, lines_,
                                                      before_.linked, 1, threads_);
        VICINAL_CHECK(lists.make(upper, header, before_.build_width, [](std::size_t, numbers&) {}));
        for (std::size_t i = 0; i < kept.size(); ++i) {
            auto const below = levels.below(kept[i]);
            auto* const row = upper.data() + i * stride;
            row[0] = new_of_[levels.row(kept[i])];
            row[1] = below < new_row.size() ? new_row[below] : no_slot;
            row[2] = levels.level(kept[i]);
            if (after.entry == no_slot || row[2] > upper[after.entry * stride + 2])
                after.entry = static_cast<std::uint32_t>(i);
        }
        return {};
    }

    columns<Storage> const& graph_;
    state before_;
    Codec const& codec_;
    Codes codes_;
    std::size_t lines_;
    float relaxed_;
    std::size_t threads_;
    std::span<slot const> kept_;
    /// What becomes of each slot: no_slot where it goes.
    numbers new_of_;
};

} // namespace vicinal::inline VICINAL_ABI::index::hnsw_graph

#endif
// ---- vicinal/index/hnsw/tune.hpp
#ifndef VICINAL_INDEX_HNSW_TUNE_HPP
#define VICINAL_INDEX_HNSW_TUNE_HPP

// ---- vicinal/index/tuning.hpp
#ifndef VICINAL_INDEX_TUNING_HPP
#define VICINAL_INDEX_TUNING_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// The recall that a beam of one width reached among the k nearest, for three k; 0 where the beam
/// is narrower than k.
struct measured_recall {
    std::uint32_t effort = 0;
    float at_1 = 0;
    float at_10 = 0;
    float at_100 = 0;
};

/// What tuning measured.
struct tuning {
    /// Rows that were covered then.
    std::uint32_t rows = 0;
    /// Rows that stood in for queries.
    std::uint32_t queries = 0;
    /// By growing effort; recall does not fall from one to the next.
    std::vector<measured_recall> table;
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif

/// How wide a beam must be for a wanted recall: measured on the graph itself.
namespace vicinal::inline VICINAL_ABI::index {

namespace hnsw_graph {

/// One row of the column that keeps it: a line of the table, or first {rows, queries}.
struct tuning_row {
    std::uint32_t effort;
    float recalls[3];
};

/// The efforts that are measured: each some 1.4 times the one before.
inline constexpr std::uint32_t tuned_efforts[] = {10,  14,  20,  28,  40,  56,  80,  112,
                                                  160, 224, 320, 448, 640, 896, 1280};
inline constexpr std::size_t tuned_ks[] = {1, 10, 100};
/// The recall beyond which no more is measured.
inline constexpr float enough = 0.9985F;

/// Rows that stand in for queries, one behind the other, and the nearest of each among all others.
template <class Metric>
class held_out {
public:
    using element = metric::element_of<Metric>;

    /// Draws up to `count` of the rows below `covered` that `fit` holds for; which they are depends
    /// on the seed alone.
    template <class Fit>
    held_out(std::size_t count, slot covered, std::uint64_t seed, Fit const& fit) {
        for (std::size_t i = 0; i < 4 * count && slots_.size() < count; ++i) {
            auto const s = static_cast<slot>(vicinal::detail::mix(seed + i) % covered);
            if (fit(s) && std::find(slots_.begin(), slots_.end(), s) == slots_.end())
                slots_.push_back(s);
        }
        nearest_.assign(slots_.size(), nearest<>(tuned_ks[2]));
        for (auto const s : slots_) copies_.push_back({s});
    }

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
    [[nodiscard]] slot operator[](std::size_t i) const noexcept { return slots_[i]; }
    /// Query i and the rows that equal it.
    [[nodiscard]] std::vector<slot> const& copies(std::size_t i) const noexcept {
        return copies_[i];
    }

    /// Compares query i with the rows of a block, itself and its copies excepted: a query that is
    /// one of many equal rows is an easy one.
    template <class Reader, class Live>
    void compare(std::size_t i, Reader const& vectors, slot first, slot last, std::size_t dim,
                 Live const& live) {
        auto const* const query = row(vectors, slots_[i]);
        auto const distance = metric::bind<Metric>(query, dim);
        for (auto s = first; s < last; ++s) {
            if (s == slots_[i] || !live(s)) continue;
            auto const d = distance(row(vectors, s));
            if (!nearest_[i].could_enter(d)) continue;
            if (std::memcmp(row(vectors, s), query, dim * sizeof(element)) == 0)
                copies_[i].push_back(s);
            else
                nearest_[i].offer({d, s});
        }
    }
    /// Ends comparing: the distances of each query's nearest, nearest first.
    void finish() {
        for (auto& n : nearest_) {
            truth_.emplace_back();
            for (auto const& one : n.take()) truth_.back().push_back(one.distance);
        }
    }
    [[nodiscard]] std::vector<float> const& truth(std::size_t i) const noexcept {
        return truth_[i];
    }

    template <class Reader>
    [[nodiscard]] static element const* row(Reader const& vectors, slot s) noexcept {
        return vectors.template row_as<element>(s);
    }

private:
    std::vector<slot> slots_;
    std::vector<std::vector<slot>> copies_;
    std::vector<nearest<>> nearest_;
    std::vector<std::vector<float>> truth_;
};

/// Reads a table as its column keeps it; one that no tuning writes is taken for none.
template <class Reader>
[[nodiscard]] tuning read_tuning(Reader const& rows, std::uint64_t count) {
    tuning t;
    if (count < 2) return t;
    auto const head = *rows.template row_as<tuning_row>(0);
    for (std::uint64_t i = 1; i < count; ++i) {
        auto const r = *rows.template row_as<tuning_row>(i);
        auto const sound = [](float x) { return x >= 0 && x <= 1; };
        if (r.effort == 0 || !std::all_of(r.recalls, r.recalls + 3, sound)) return {};
        if (!t.table.empty() && t.table.back().effort >= r.effort) return {};
        t.table.push_back({r.effort, r.recalls[0], r.recalls[1], r.recalls[2]});
    }
    t.rows = head.effort;
    t.queries = static_cast<std::uint32_t>(head.recalls[0]);
    return t;
}

/// Writes a table into its column, which has room for a row more than it has lines.
template <class Column>
void write_tuning(Column& column, tuning const& t) noexcept {
    column.resize(t.table.size() + 1);
    tuning_row const head{t.rows, {static_cast<float>(t.queries), 0, 0}};
    std::memcpy(column.edit(0), &head, sizeof head);
    for (std::size_t i = 0; i < t.table.size(); ++i) {
        auto const& m = t.table[i];
        tuning_row const r{m.effort, {m.at_1, m.at_10, m.at_100}};
        std::memcpy(column.edit(i + 1), &r, sizeof r);
    }
}

/// The share of a query's k nearest that a search found, for each of tuned_ks. The candidates are
/// compared by their vectors, as many of them as a store compares.
template <class Metric, class Reader>
void count_found(held_out<Metric> const& queries, std::size_t i, neighbours candidates,
                 Reader const& vectors, std::size_t dim, double (&found)[3]) {
    using rows = held_out<Metric>;
    auto const& truth = queries.truth(i);
    auto const distance = metric::bind<Metric>(rows::row(vectors, queries[i]), dim);
    auto const compared = (std::min)(candidates.size(), candidates_for(tuned_ks[2]));
    for (std::size_t j = 0; j < compared; ++j)
        candidates[j].distance = distance(rows::row(vectors, candidates[j].row));
    for (std::size_t n = 0; n < 3; ++n) {
        auto const k = (std::min)(tuned_ks[n], truth.size());
        if (k == 0) continue;
        auto const last = (std::min)(compared, candidates_for(k));
        std::size_t hits = 0;
        for (std::size_t j = 0; j < last; ++j)
            hits += candidates[j].distance <= truth[k - 1] ? 1U : 0U;
        found[n] += static_cast<double>((std::min)(hits, k)) / static_cast<double>(k);
    }
}

/// Searches for each query at growing effort, until all recalls are next to 1: search(vector,
/// effort, without) gives candidates.
template <class Metric, class Reader, class Live, class Search>
[[nodiscard]] result<tuning> measure_recall(held_out<Metric>& queries, Reader const& vectors,
                                            std::size_t dim, slot covered, Live const& live,
                                            std::size_t threads, Search const& search) {
    using rows = held_out<Metric>;
    auto const for_each = [&](auto const& body) {
        return run_parts(queries.size(), 1, threads, [&](std::size_t from, std::size_t to) {
            return vicinal::detail::guarded([&]() -> result<void> {
                body(from, to);
                return {};
            });
        });
    };
    // A block of rows stays in the second cache while each query is compared with it.
    auto const block = static_cast<slot>(262144 / (dim * sizeof(typename rows::element)) + 1);
    VICINAL_CHECK(for_each([&](std::size_t from, std::size_t to) {
        for (slot first = 0; first < covered; first += (std::min)(block, covered - first))
            for (auto i = from; i < to; ++i)
                queries.compare(i, vectors, first, first + (std::min)(block, covered - first), dim,
                                live);
    }));
    queries.finish();
    tuning t{covered, static_cast<std::uint32_t>(queries.size()), {}};
    struct tally {
        double found[3] = {};
    };
    std::vector<tally> each(queries.size());
    for (auto const effort : tuned_efforts) {
        if (effort > covered || queries.size() == 0) break;
        VICINAL_CHECK(for_each([&](std::size_t from, std::size_t to) {
            for (auto i = from; i < to; ++i) {
                each[i] = {};
                auto found = search(rows::row(vectors, queries[i]), effort,
                                    std::span<slot const>(queries.copies(i)));
                count_found(queries, i, std::move(found), vectors, dim, each[i].found);
            }
        }));
        float recalls[3] = {};
        for (std::size_t n = 0; n < 3; ++n) {
            double sum = 0;
            for (auto const& e : each) sum += e.found[n];
            if (effort >= tuned_ks[n])
                recalls[n] = static_cast<float>(sum / static_cast<double>(queries.size()));
        }
        measured_recall m{effort, recalls[0], recalls[1], recalls[2]};
        if (!t.table.empty()) {
            auto const& before = t.table.back();
            m.at_1 = (std::max)(m.at_1, before.at_1);
            m.at_10 = (std::max)(m.at_10, before.at_10);
            m.at_100 = (std::max)(m.at_100, before.at_100);
        }
        t.table.push_back(m);
        if (m.at_1 >= enough && m.at_10 >= enough && m.at_100 >= enough) break;
    }
    return t;
}

/// The effort for `wanted` neighbours at `recall`, from a table that is not empty: between two k,
/// and between two efforts, on a logarithmic scale. Beyond the table the last effort is doubled for
/// each halving of what is missed.
[[nodiscard]] inline std::size_t effort_from(tuning const& t, std::size_t wanted,
                                             double recall) noexcept {
    auto const at = [&](float measured_recall::*column, double k) {
        double const target = (std::min)(recall, 0.9999);
        measured_recall const* before = nullptr;
        for (auto const& m : t.table) {
            if (static_cast<double>(m.effort) < k) continue;
            if (m.*column >= target) {
                if (!before || m.*column <= before->*column) return static_cast<double>(m.effort);
                double const part =
                    (target - before->*column) / (static_cast<double>(m.*column) - before->*column);
                return before->effort *
                       std::pow(static_cast<double>(m.effort) / before->effort, part);
            }
            before = &m;
        }
        if (!before) return k * 2;
        double const missed = (std::max)(1.0 - before->*column, 1e-6) / (1 - target);
        return before->effort * (std::min)((std::max)(missed, 1.0), 8.0);
    };
    double const k = static_cast<double>((std::max)(wanted, std::size_t{1}));
    double effort = 0;
    if (k <= 10) {
        auto const a = at(&measured_recall::at_1, 1);
        auto const b = at(&measured_recall::at_10, 10);
        effort = a * std::pow(b / a, std::log10(k));
    } else {
        auto const a = at(&measured_recall::at_10, 10);
        auto const b = at(&measured_recall::at_100, 100);
        effort = a * std::pow(b / a, std::log10(k / 10));
    }
    return static_cast<std::size_t>((std::max)(effort, k) + 0.999);
}

} // namespace hnsw_graph

} // namespace vicinal::inline VICINAL_ABI::index

#endif
// ---- vicinal/index/scan_codes.hpp
#ifndef VICINAL_INDEX_SCAN_CODES_HPP
#define VICINAL_INDEX_SCAN_CODES_HPP

namespace vicinal::inline VICINAL_ABI::index {

/// Offers the nearest of the rows below `end` that `keep` shows the bits of, exactly: four codes at
/// a time, then the vectors of those that their codes can't rule out. Where the codec says nothing
/// of what its codes lose, every vector is compared. lines: cache lines of a code to ask for ahead.
template <class Metric, class Scorer, class Codes, class Vectors, class Keep, class Before>
void scan_codes(metric::element_of<Metric> const* query, std::size_t dim, Scorer const& score,
                Codes const& codes, std::size_t lines, Vectors const& vectors, slot end,
                Keep const& keep, nearest<Before>& best) {
    using element = metric::element_of<Metric>;
    constexpr bool bounded = requires { score.at_least(codes.row(0), 0.0F); };
    // Sixteen rows and more are asked for before the first of them is read.
    slot block[64 + 15];
    std::size_t held = 0;
    auto const exact = metric::bind_exact<Metric>(query, dim);
    auto const compare = [&](slot s) {
        best.offer({exact(vectors.template row_as<element>(s)), s});
    };
    auto const judge = [&](std::size_t count) {
        std::byte const* rows[4] = {};
        float distances[4] = {};
        for (std::size_t i = 0; i < count; i += 4) {
            auto const n = (std::min)(std::size_t{4}, count - i);
            if constexpr (!bounded) {
                for (std::size_t j = 0; j < n; ++j) compare(block[i + j]);
                continue;
            }
            for (std::size_t j = 0; j < n; ++j) rows[j] = codes.row(block[i + j]);
            if constexpr (requires { score.four(rows, distances); }) {
                if (n == 4) score.four(rows, distances);
            }
            for (std::size_t j = 0; j < n; ++j) {
                if constexpr (bounded) {
                    auto const d = n == 4 ? distances[j] : score(rows[j]);
                    if (best.full() && score.at_least(rows[j], d) > best.farthest()) continue;
                }
                compare(block[i + j]);
            }
        }
    };
    for (slot at = 0; at < end; at += (std::min)(slot{64}, end - at)) {
        for (auto bits = keep.word(at); bits != 0; bits &= bits - 1) {
            auto const s = at + static_cast<slot>(std::countr_zero(bits));
            if (s >= end) break;
            codes.prefetch(s, lines);
            block[held++] = s;
        }
        auto const whole = held & ~std::size_t{3};
        if (held >= 16) {
            judge(whole);
            std::copy(block + whole, block + held, block);
            held -= whole;
        }
    }
    judge(held);
}

} // namespace vicinal::inline VICINAL_ABI::index

#endif

namespace vicinal::inline VICINAL_ABI::index {

/// A navigable graph: searches take about log(rows) steps and find nearly all of the nearest.
///
/// It walks over codes: with codec::sq8, the default, a byte an element, which is a quarter of the
/// memory traffic; the store compares the few best by their vectors. codec::f32 walks over the
/// vectors and takes no memory for codes. Where the elements or the metric have no codes of 8 bits
/// (bytes, bits, a metric of the user's), `hnsw<codec::f32>` is the one to take.
///
/// Source: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using
/// hierarchical navigable small world graphs", TPAMI 2018. Differs: pruning never cuts a node off,
/// nodes join in batches on any number of threads, and the same rows in the same order always give
/// the same graph (index/hnsw/build.hpp).
template <codec::model Codec = codec::sq8>
struct hnsw {
    using options = hnsw_options;
    using codec_type = Codec;
    static constexpr std::string_view name = "hnsw";

    /// Refuses options that no graph can be made with, before there is a file of it.
    [[nodiscard]] static result<void> check(hnsw_options const& o) { return hnsw_graph::check(o); }

    template <metric::model Metric, storage::model Storage>
    class of;
};

/// The graph for one metric over the rows of one storage. One thread takes in, any number search;
/// see index::concept.hpp for what keeps them apart.
template <codec::model Codec>
template <metric::model Metric, storage::model Storage>
class hnsw<Codec>::of {
    using coded = typename codec::fitting<Codec, Metric>::template of<Metric>;

public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    static constexpr bool exact = false;

    /// Errors: invalid_argument, corrupt_snapshot, out_of_memory.
    [[nodiscard]] static result<of> open(typename Storage::space& space, column const& vectors,
                                         std::size_t dim, hnsw_options const& options) {
        auto graph = hnsw_graph::columns<Storage>::open(space, options);
        VICINAL_CHECK(graph);
        of index(*graph, vectors, dim, options);
        if constexpr (!coded::reads_rows) {
            auto codes = space.column("hnsw.codes", index.codec_.row_bytes(), storage::heat::hot);
            VICINAL_CHECK(codes);
            index.own_codes_ = *codes;
        }
        auto const nodes = graph->get().linked;
        if (vectors.rows() < nodes || index.codes().rows() < nodes)
            return error{errc::corrupt_snapshot, "a vector and a code for each node of the graph",
                         std::to_string((std::min)(vectors.rows(), index.codes().rows()))};
        index.tuned_ = hnsw_graph::read_tuning(index.graph_.tuning_column().reader(),
                                               index.graph_.tuning_column().rows());
        return index;
    }

    [[nodiscard]] slot covered() const noexcept { return graph_.get().covered; }

    /// Inserts the slots up to `until`, those that `live` does not hold for as nodes without links.
    /// Below `flat_below` rows it declines, and where vectors have more elements than the codec's
    /// sums hold (32,768 for sq8; codec::f32 takes them). Cost: about 4 build_width neighbours
    /// distances a slot. Errors: out_of_memory; what was linked before it stays linked.
    template <class Live, class Section>
    [[nodiscard]] result<void> take_in(slot until, Live const& live, Section const& section) {
        auto const before = graph_.get();
        if (until <= before.covered || (before.covered == 0 && until < before.flat_below))
            return {};
        if constexpr (requires { coded::most_elements; })
            if (dim_ > coded::most_elements) return {};
        return vicinal::detail::guarded([&]() -> result<void> {
            VICINAL_CHECK(make_room(until, section));
            std::vector<slot> joining;
            auto upper_rows = before.upper_rows;
            for (slot s = before.covered; s < until; ++s)
                if (live(s) && !joined(before, s)) {
                    joining.push_back(s);
                    upper_rows += hnsw_graph::draw_level(before, s);
                }
            VICINAL_CHECK(storage::reserve(graph_.upper_column(), upper_rows, section));
            auto const relaxed = hnsw_graph::relaxed_for<Metric>;
            using reader = decltype(codes().reader());
            hnsw_graph::builder<Storage, coded, reader, Section> build(
                graph_, codec_, codes().reader(), lines(), relaxed, threads_, section);
            VICINAL_CHECK(build.link(joining));
            section([&] {
                auto g = graph_.get();
                g.covered = until;
                graph_.put(g);
            });
            // A row that comes alone does not wait for a measurement that a load has just paid.
            bool const bulk = joining.size() >= 64;
            if (tunes_ && until >= 1000 && until / (bulk ? 2 : 16) >= tuned_.rows)
                return tune(live, section);
            return {};
        });
    }

    /// Measures which effort gives which recall, for effort_for: up to 224 live rows stand in for
    /// queries, each searched for as if it and its copies were not there, beside the exact answer.
    /// Cost: about a tenth of the build. Errors: out_of_memory; what was measured before stays.
    template <class Live, class Section>
    [[nodiscard]] result<void> tune(Live const& live, Section const& section) {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            if (g.covered == 0) return {};
            hnsw_graph::held_out<Metric> queries(
                (std::min)(g.covered / 128 + 8, std::uint32_t{224}), g.covered, g.seed,
                [&](slot s) { return live(s) && hnsw_graph::draw_level(g, s) == 0; });
            auto fresh = hnsw_graph::measure_recall(
                queries, vectors_->reader(), dim_, g.covered, live, threads_,
                [&](element const* row, std::size_t width, std::span<slot const> without) {
                    neighbours found;
                    find(row, width, width, keep_all{}, without,
                         [&](auto const&, neighbours&& all) { found = std::move(all); });
                    std::erase_if(found, [&](neighbour const& n) {
                        return !live(n.row) ||
                               std::find(without.begin(), without.end(), n.row) != without.end();
                    });
                    return found;
                });
            VICINAL_CHECK(fresh);
            VICINAL_CHECK(
                storage::reserve(graph_.tuning_column(), fresh->table.size() + 1, section));
            section([&] {
                hnsw_graph::write_tuning(graph_.tuning_column(), *fresh);
                tuned_ = std::move(*fresh);
            });
            return {};
        });
    }
    /// What was measured last; an empty table where nothing was. Inside the reader's section.
    [[nodiscard]] tuning const& tuned() const noexcept { return tuned_; }

    /// Forgets every row. Inside the caller's section.
    void clear() noexcept {
        graph_.clear();
        tuned_ = {};
    }

    /// Adds to `out` what the columns are to hold when the slots of `kept`, ascending and covered,
    /// become slots 0, 1 and so on: a graph without the others (index/hnsw/compact.hpp). Both stay
    /// in place until that is written. Errors: out_of_memory.
    [[nodiscard]] result<void> compact(std::span<slot const> kept,
                                       std::vector<storage::replacement>& out) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            auto const g = graph_.get();
            if constexpr (!coded::reads_rows) {
                bool const empty = g.covered == 0 || kept.size() < g.flat_below;
                out.push_back(
                    storage::chosen_rows("hnsw.codes", *own_codes_, empty ? kept.first(0) : kept));
            }
            auto const codes_now = codes().reader();
            hnsw_graph::compaction<Storage, coded, decltype(codes_now)> compact(
                graph_, codec_, codes_now, lines(), hnsw_graph::relaxed_for<Metric>, threads_);
            return compact.run(kept, out);
        });
    }
    /// Takes the columns as compact() wrote them. Inside the caller's section.
    void compacted() noexcept {}

    /// effort: the width of the beam ("ef"), at least `wanted`. Cost: about effort x neighbours
    /// distances of codes.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(element const* query, std::size_t wanted,
                                            std::size_t effort, Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            neighbours found;
            find(query, wanted, effort, keep, {},
                 [&](auto const&, neighbours&& all) { found = std::move(all); });
            return found;
        });
    }

    /// The same, compared by their vectors: offers the best of the covered rows.
    template <class Keep, class Before>
    [[nodiscard]] result<void> search_into(element const* query, std::size_t effort,
                                           Keep const& keep, nearest<Before>& best) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            find(query, best.wanted(), effort, keep, {}, [&](auto const& to, neighbours&& all) {
                compare_candidates<Metric>(all, query, dim_, to.score, to.codes, vectors_->reader(),
                                           covered(), best);
            });
            return {};
        });
    }

    /// The exact nearest of the covered rows that `keep` shows the bits of: their codes are looked
    /// at, and the vectors of those that the codes don't rule out.
    template <class Keep, class Before>
    [[nodiscard]] result<void> scan_into(element const* query, Keep const& keep,
                                         nearest<Before>& best) const {
        return vicinal::detail::guarded([&]() -> result<void> {
            if (best.wanted() == 0) return {};
            auto const score = codec_.query(query);
            scan_codes<Metric>(query, dim_, score, codes().reader(), lines(), vectors_->reader(),
                               covered(), keep, best);
            return {};
        });
    }

    /// The beam's width for a wanted recall, as tuning measured it on this graph. Before that a
    /// rule of thumb: 64 for ten neighbours at 0.95, 125 at 0.99.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double recall) const noexcept {
        if (!tuned_.table.empty()) return hnsw_graph::effort_from(tuned_, wanted, recall);
        double const missed = (std::max)(1 - recall, 0.001);
        double const width = static_cast<double>(wanted) * 1.5 + 11 / std::pow(missed, 0.5);
        return static_cast<std::size_t>(width);
    }

    /// How many nodes the spanning tree joins to the root: all live ones, in a sound graph.
    /// Walks all links, O(rows). For tests and checks.
    [[nodiscard]] std::size_t reachable() const {
        visited_set seen;
        return mark_reachable(seen);
    }

    /// The covered slots for which live(slot) holds and to which no walk leads: none, in a
    /// sound graph. Walks all links, O(rows).
    template <class Live>
    [[nodiscard]] std::vector<slot> unreachable(Live const& live) const {
        visited_set seen;
        static_cast<void>(mark_reachable(seen));
        std::vector<slot> lost;
        for (slot s = 0; s < covered(); ++s)
            if (live(s) && seen.mark(s)) lost.push_back(s);
        return lost;
    }

private:
    of(hnsw_graph::columns<Storage> graph, column const& vectors, std::size_t dim,
       hnsw_options const& options)
        : graph_(graph), vectors_(&vectors), codec_(dim), dim_(dim), threads_(options.threads),
          tunes_(options.tune), scratch_(std::make_unique<scratch_pool>()) {}

    [[nodiscard]] std::size_t mark_reachable(visited_set& seen) const {
        auto const g = graph_.get();
        seen.reset(g.linked);
        if (g.root == no_slot) return 0;
        auto const ground = graph_.ground_level(g);
        std::vector<slot> open{g.root};
        static_cast<void>(seen.mark(g.root));
        for (std::size_t i = 0; i < open.size(); ++i) {
            auto const* list = ground.list(open[i]);
            for (std::size_t j = 0; j < ground.width && list[j] != no_slot; ++j)
                if (list[j] < g.linked && seen.mark(list[j])) open.push_back(list[j]);
        }
        return open.size();
    }

    /// Rows for the slots up to `until`: codes, empty lists, no parents.
    template <class Section>
    [[nodiscard]] result<void> make_room(slot until, Section const& section) {
        auto const before = graph_.get().linked;
        if (until <= before) return {};
        if (until > most_nodes)
            return error{errc::limit_exceeded, "at most 2^31 - 1 rows in a graph",
                         std::to_string(until)};
        VICINAL_CHECK(storage::reserve(graph_.links(), until, section));
        VICINAL_CHECK(storage::reserve(graph_.parents(), until, section));
        if constexpr (!coded::reads_rows) {
            VICINAL_CHECK(storage::reserve(*own_codes_, until, section));
            VICINAL_CHECK(run_parts(until - before, 64, threads_, [&](auto first, auto last) {
                auto const vectors = vectors_->reader();
                for (auto s = before + first; s < before + last; ++s)
                    codec_.encode_row(reinterpret_cast<element const*>(vectors.row(s)),
                                      own_codes_->edit(s));
                return result<void>();
            }));
        }
        for (auto s = before; s < until; ++s) {
            std::memset(graph_.links().edit(s), 0xff, graph_.links().row_bytes());
            std::memset(graph_.parents().edit(s), 0xff, graph_.parents().row_bytes());
        }
        section([&] {
            auto g = graph_.get();
            g.linked = until;
            graph_.put(g);
        });
        return {};
    }

    /// Walks for the query and calls done(target, found) with what was found of the rows that
    /// `keep` holds for, nearest first, as if the nodes of `without` were not there.
    template <class Keep, class Done>
    void find(element const* query, std::size_t wanted, std::size_t effort, Keep const& keep,
              std::span<slot const> without, Done const& done) const {
        auto const g = graph_.get();
        if (g.root == no_slot || wanted == 0) return;
        auto const score = codec_.query(query);
        auto const codes_now = codes().reader();
        hnsw_graph::target<decltype(codes_now), decltype(score)> const to{codes_now, score,
                                                                          g.linked, lines()};
        auto const width = (std::min)((std::max)(wanted, effort), std::size_t{g.linked});
        auto s = scratch_->take();
        auto const ground = graph_.ground_level(g);
        auto const start = hnsw_graph::find_start(graph_.upper_levels(g), g, to);
        if constexpr (std::same_as<Keep, keep_all>) {
            hnsw_graph::beam_search(ground, start, width, to, *s, without);
            neighbours found;
            found.reserve(s->beam.size());
            for (std::size_t i = 0; i < s->beam.size(); ++i)
                found.push_back({s->beam.distance(i), s->beam.node(i)});
            hnsw_graph::order_ties(found);
            done(to, std::move(found));
        } else {
            done(to, hnsw_graph::filtered_search(ground, start, width, to, keep, *s));
        }
    }

    [[nodiscard]] bool joined(hnsw_graph::state const& g, slot s) const noexcept {
        return s < g.linked && (s == g.root || graph_.parent(s) != no_slot);
    }

    [[nodiscard]] column const& codes() const noexcept {
        if constexpr (coded::reads_rows)
            return *vectors_;
        else
            return *own_codes_;
    }

    /// Cache lines of a code that are asked for ahead: all of a short one, as it may begin anywhere
    /// in a line.
    [[nodiscard]] std::size_t lines() const noexcept {
        return (std::min)((codes().row_bytes() + 48 + 63) / 64, std::size_t{12});
    }

    static constexpr slot most_nodes = 0x7fffffff;

    hnsw_graph::columns<Storage> graph_;
    column const* vectors_;
    /// Null where the codec reads the vectors.
    column* own_codes_ = nullptr;
    coded codec_;
    std::size_t dim_;
    std::size_t threads_;
    bool tunes_;
    tuning tuned_;
    std::unique_ptr<scratch_pool> scratch_;
};

static_assert(model<hnsw<>>);

} // namespace vicinal::inline VICINAL_ABI::index

#endif

// what travels with a vector, and filters over it
// ---- vicinal/payload/concept.hpp
#ifndef VICINAL_PAYLOAD_CONCEPT_HPP
#define VICINAL_PAYLOAD_CONCEPT_HPP

namespace vicinal::inline VICINAL_ABI::payload {

/// A payload policy: what travels with a vector, and its bytes in a heap or file.
///
/// * `value_type`: what the user gives and gets; made without arguments it is "no payload".
/// * `name`: kept in files, so that a store is not opened with another payload.
/// * `encode(value, out)`: appends the bytes; on an error `out` is as it was.
/// * `decode(bytes)`: the value back, exactly. The bytes may be anything: errors are
///   invalid_payload, and memory is reserved only for what is there.
/// * `filterable`: whether `filter::matches` may read the bytes, that is, whether they are encoded
///   as payload/encoding.hpp has it.
template <class P>
concept model = requires(typename P::value_type const& value, std::string& out,
                         std::span<std::byte const> bytes) {
    requires std::default_initializable<typename P::value_type>;
    requires std::movable<typename P::value_type>;
    { P::name } -> std::convertible_to<std::string_view>;
    { P::filterable } -> std::convertible_to<bool>;
    { P::encode(value, out) } -> std::same_as<result<void>>;
    { P::decode(bytes) } -> std::same_as<result<typename P::value_type>>;
};

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
// ---- vicinal/payload/fields.hpp
#ifndef VICINAL_PAYLOAD_FIELDS_HPP
#define VICINAL_PAYLOAD_FIELDS_HPP

// ---- vicinal/payload/encoding.hpp
#ifndef VICINAL_PAYLOAD_ENCODING_HPP
#define VICINAL_PAYLOAD_ENCODING_HPP

// ---- vicinal/payload/utf8.hpp
#ifndef VICINAL_PAYLOAD_UTF8_HPP
#define VICINAL_PAYLOAD_UTF8_HPP

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// How many bytes the character at the start of `s` has; 0 where it is not well-formed UTF-8
/// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF).
[[nodiscard]] constexpr std::size_t utf8_character(std::string_view s) noexcept {
    auto const at = [s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    auto const between = [&](std::size_t i, unsigned low, unsigned high) {
        return i < s.size() && at(i) >= low && at(i) <= high;
    };
    if (s.empty()) return 0;
    unsigned const lead = at(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return between(1, 0x80, 0xbf) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        unsigned const low = lead == 0xe0 ? 0xa0 : 0x80;
        unsigned const high = lead == 0xed ? 0x9f : 0xbf;
        return between(1, low, high) && between(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        unsigned const low = lead == 0xf0 ? 0x90 : 0x80;
        unsigned const high = lead == 0xf4 ? 0x8f : 0xbf;
        return between(1, low, high) && between(2, 0x80, 0xbf) && between(3, 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

/// The offset of the first byte that is not well-formed UTF-8; s.size() where all of it is.
[[nodiscard]] constexpr std::size_t utf8_valid_bytes(std::string_view s) noexcept {
    std::size_t i = 0;
    while (i < s.size()) {
        auto const n = utf8_character(s.substr(i));
        if (n == 0) return i;
        i += n;
    }
    return i;
}

[[nodiscard]] constexpr bool is_utf8(std::string_view s) noexcept {
    return utf8_valid_bytes(s) == s.size();
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
// ---- vicinal/payload/view.hpp
#ifndef VICINAL_PAYLOAD_VIEW_HPP
#define VICINAL_PAYLOAD_VIEW_HPP

// ---- vicinal/payload/wire.hpp
#ifndef VICINAL_PAYLOAD_WIRE_HPP
#define VICINAL_PAYLOAD_WIRE_HPP

namespace vicinal::inline VICINAL_ABI::payload::detail {

// The encoding, from the outside in (docs/filters.md has it for people):
//   fields := entry*                  sorted by name, bytewise; no count, the range ends it
//   entry  := varint(name length) name value
//   value  := byte(kind | argument << 4) [varint] [bytes]
// The argument is the number's zigzag form, or the length in bytes of what follows. 0..14 stand in
// the byte itself; 15 means that a varint of the argument - 15 follows. So a small number is one
// byte and a short text needs no length byte.

enum class wire_kind : std::uint8_t {
    null,
    no,
    yes,
    integer, // the argument, zigzag
    real,    // the argument's highest bytes of the double, lowest first; the bytes below are zero
    decimal, // mantissa (zigzag varint) / 10^argument: most doubles that people write
    text,    // the argument's bytes of UTF-8
    array,   // the argument's bytes of values
    nested,  // the argument's bytes of entries
};

inline constexpr std::size_t max_encoded_bytes = std::size_t{16} << 20;
inline constexpr unsigned max_depth = 64;
inline constexpr unsigned inline_arguments = 15;
inline constexpr unsigned max_scale = 7;
/// A decimal's mantissa is smaller: then it takes at most 6 bytes, and rounding its quotient needs
/// 64-bit arithmetic only.
inline constexpr std::uint64_t mantissa_limit = std::uint64_t{1} << 40;

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
    auto const u = static_cast<std::uint64_t>(v);
    return (u << 1) ^ (v < 0 ? ~std::uint64_t{0} : std::uint64_t{0});
}

[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t u) noexcept {
    return static_cast<std::int64_t>((u >> 1) ^ (~(u & 1) + 1));
}

inline void put_varint(std::string& out, std::uint64_t v) {
    for (; v >= 0x80; v >>= 7)
        out.push_back(static_cast<char>(static_cast<unsigned char>(v | 0x80)));
    out.push_back(static_cast<char>(static_cast<unsigned char>(v)));
}

[[nodiscard]] constexpr std::size_t varint_bytes(std::uint64_t v) noexcept {
    return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}

/// Reads a varint and moves behind it; false where the range ends inside or 64 bits overflow.
[[nodiscard]] inline bool get_varint(std::byte const*& at, std::byte const* end,
                                     std::uint64_t& v) noexcept {
    v = 0;
    for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
        auto const b = std::to_integer<std::uint64_t>(*at++);
        if (shift == 63 && b > 1) return false;
        v |= (b & 0x7f) << shift;
        if (b < 0x80) return true;
    }
    return false;
}

[[nodiscard]] constexpr char wire_byte(wire_kind kind, std::uint64_t argument) noexcept {
    return static_cast<char>(static_cast<unsigned char>(static_cast<unsigned>(kind) |
                                                        static_cast<unsigned>(argument << 4)));
}

inline void put_head(std::string& out, wire_kind kind, std::uint64_t argument) {
    if (argument < inline_arguments) {
        out.push_back(wire_byte(kind, argument));
    } else {
        out.push_back(wire_byte(kind, inline_arguments));
        put_varint(out, argument - inline_arguments);
    }
}

/// mantissa / 10^scale, rounded to the nearest double, ties to even. In integers, because x87 would
/// round twice and a file must give the same doubles everywhere.
[[nodiscard]] constexpr double decimal_value(std::int64_t mantissa, unsigned scale) noexcept {
    constexpr std::array<std::uint32_t, max_scale + 1> powers{1,     10,     100,     1000,
                                                              10000, 100000, 1000000, 10000000};
    std::uint64_t const divisor = powers[scale];
    auto const magnitude = static_cast<std::uint64_t>(mantissa < 0 ? -mantissa : mantissa);
    std::uint64_t quotient = magnitude / divisor;
    std::uint64_t rest = magnitude % divisor;
    double value = 0;
    if (rest == 0) {
        value = static_cast<double>(quotient);
    } else {
        // 53 bits and two more, the last of which also says whether anything is left.
        int exponent = 0;
        while (quotient < std::uint64_t{1} << 54) {
            auto const step = (std::min)(40, std::countl_zero(quotient) - 9);
            rest <<= step;
            quotient = quotient << step | rest / divisor;
            rest %= divisor;
            exponent += step;
        }
        if (rest != 0) quotient |= 1;
        auto const tail = quotient & 3;
        quotient >>= 2;
        if (tail == 3 || (tail == 2 && (quotient & 1) != 0)) ++quotient;
        auto const power = static_cast<std::uint64_t>(1023 + 2 - exponent) << 52;
        value = static_cast<double>(quotient) * std::bit_cast<double>(power);
    }
    return mantissa < 0 ? -value : value;
}

struct decimal {
    std::int64_t mantissa = 0;
    unsigned scale = 0;
};

/// The decimal that decodes to exactly these bits, with the fewest digits; nothing where there is
/// none of at most 7 places (NaN, infinity, -0.0, long fractions, large numbers).
[[nodiscard]] inline std::optional<decimal> as_decimal(double x) noexcept {
    constexpr auto limit = static_cast<double>(mantissa_limit);
    auto const bits = std::bit_cast<std::uint64_t>(x);
    double power = 1;
    for (unsigned scale = 0; scale <= max_scale; ++scale, power *= 10) {
        double const scaled = x * power;
        if (!(scaled > -limit && scaled < limit)) return {};
        auto const mantissa = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
        // The product is off by less than 2^-13 here: anything farther from a whole number need
        // not be tried.
        double const off = scaled - static_cast<double>(mantissa);
        if (off < -0.001 || off > 0.001) continue;
        if (std::bit_cast<std::uint64_t>(decimal_value(mantissa, scale)) == bits)
            return decimal{mantissa, scale};
    }
    return {};
}

/// A double in its shorter form: decimal, or its bits without the zero bytes at the low end.
inline void put_real(std::string& out, double x) {
    auto const bits = std::bit_cast<std::uint64_t>(x);
    auto const bytes = 8 - static_cast<std::size_t>(std::countr_zero(bits)) / 8;
    if (auto const d = as_decimal(x)) {
        auto const mantissa = zigzag(d->mantissa);
        if (varint_bytes(mantissa) <= bytes) {
            out.push_back(wire_byte(wire_kind::decimal, d->scale));
            put_varint(out, mantissa);
            return;
        }
    }
    out.push_back(wire_byte(wire_kind::real, bytes));
    for (std::size_t i = 8 - bytes; i < 8; ++i)
        out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> (8 * i))));
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

namespace vicinal::inline VICINAL_ABI::payload {

class fields_view;
class array_view;

/// One encoded value, read where it lies: nothing is copied or allocated.
///
/// Valid as long as the bytes are. Safe on any bytes: what is damaged reads as if it ended there.
class value_view {
public:
    value_view() = default;

    [[nodiscard]] value::kind type() const noexcept {
        using enum detail::wire_kind;
        switch (kind_) {
            case null: return value::kind::null;
            case no:
            case yes: return value::kind::boolean;
            case integer: return value::kind::integer;
            case real:
            case decimal: return value::kind::real;
            case text: return value::kind::string;
            case array: return value::kind::array;
            case nested: return value::kind::nested;
        }
        return value::kind::null;
    }
    [[nodiscard]] bool is_null() const noexcept { return kind_ == detail::wire_kind::null; }

    // Each of these only where type() says so.
    [[nodiscard]] bool boolean() const noexcept { return kind_ == detail::wire_kind::yes; }
    [[nodiscard]] std::int64_t integer() const noexcept { return detail::unzigzag(argument_); }
    [[nodiscard]] double real() const noexcept {
        if (kind_ == detail::wire_kind::decimal)
            return detail::decimal_value(detail::unzigzag(argument_), scale_);
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < argument_; ++i)
            bits = bits >> 8 | std::to_integer<std::uint64_t>(data_[i]) << 56;
        return std::bit_cast<double>(bits);
    }
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<char const*>(data_), static_cast<std::size_t>(argument_)};
    }
    [[nodiscard]] array_view array() const noexcept;
    [[nodiscard]] fields_view nested() const noexcept;

    /// The bytes of a text, an array's values, or nested entries.
    [[nodiscard]] std::span<std::byte const> body() const noexcept {
        return {data_, static_cast<std::size_t>(argument_)};
    }

    /// Reads the value at `at` and moves behind it; false where the bytes make no value: then `v`
    /// is as it was and `at` is somewhere inside the bytes.
    [[nodiscard]] static bool read(std::byte const*& at, std::byte const* end,
                                   value_view& v) noexcept {
        using enum detail::wire_kind;
        if (at == end) return false;
        auto const head = std::to_integer<unsigned>(*at++);
        if ((head & 15U) > static_cast<unsigned>(nested)) return false;
        value_view r;
        r.kind_ = static_cast<detail::wire_kind>(head & 15U);
        r.argument_ = head >> 4;
        if (r.kind_ <= yes) {
            if (r.argument_ != 0) return false;
        } else if (r.kind_ == decimal) {
            r.scale_ = static_cast<std::uint8_t>(head >> 4);
            if (r.scale_ > detail::max_scale || !detail::get_varint(at, end, r.argument_) ||
                (r.argument_ >> 1) >= detail::mantissa_limit)
                return false;
        } else {
            if (r.kind_ == real && r.argument_ > 8) return false;
            if (r.argument_ == detail::inline_arguments) {
                std::uint64_t more = 0;
                if (!detail::get_varint(at, end, more) ||
                    !vicinal::detail::checked_add(r.argument_, more, r.argument_))
                    return false;
            }
            if (r.kind_ != integer) {
                if (r.argument_ > static_cast<std::uint64_t>(end - at)) return false;
                r.data_ = at;
                at += r.argument_;
            }
        }
        v = r;
        return true;
    }

    /// Moves behind the value at `at` without looking at what it is; false where it does not fit.
    [[nodiscard]] static bool skip(std::byte const*& at, std::byte const* end) noexcept {
        using enum detail::wire_kind;
        if (at == end) return false;
        auto const head = std::to_integer<unsigned>(*at++);
        auto const kind = static_cast<detail::wire_kind>(head & 15U);
        std::uint64_t argument = head >> 4;
        if (kind <= yes || (kind == integer && argument < detail::inline_arguments)) return true;
        if (argument == detail::inline_arguments || kind == decimal) {
            std::uint64_t more = 0;
            if (!detail::get_varint(at, end, more)) return false;
            if (kind <= decimal && kind != real) return true;
            if (more > static_cast<std::uint64_t>(end - at)) return false;
            argument += more;
        }
        if (argument > static_cast<std::uint64_t>(end - at)) return false;
        at += argument;
        return true;
    }

private:
    detail::wire_kind kind_ = detail::wire_kind::null;
    std::uint8_t scale_ = 0;
    std::uint64_t argument_ = 0;
    std::byte const* data_ = nullptr;
};

/// The values of an encoded array, in order.
class array_view {
public:
    explicit array_view(std::span<std::byte const> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    /// Reads the next value; false at the end and where the bytes are damaged.
    [[nodiscard]] bool next(value_view& v) noexcept {
        auto const* at = at_;
        if (at == end_ || !value_view::read(at, end_, v)) return false;
        at_ = at;
        return true;
    }
    /// False after `next` gave false because of damage: it stays where the damaged value begins.
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    /// Where `next` reads: what an error message counts its offset from.
    [[nodiscard]] std::byte const* position() const noexcept { return at_; }

private:
    std::byte const* at_;
    std::byte const* end_;
};

/// Encoded fields: walked in order of their names, or asked for one of them.
class fields_view {
public:
    explicit fields_view(std::span<std::byte const> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    /// Reads the next name and value; false at the end and where the bytes are damaged.
    [[nodiscard]] bool next(std::string_view& name, value_view& v) noexcept {
        auto const* at = at_;
        if (at == end_ || !read_name(at, end_, name) || !value_view::read(at, end_, v))
            return false;
        at_ = at;
        return true;
    }
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    [[nodiscard]] std::byte const* position() const noexcept { return at_; }

    /// The value of that name; nothing where there is none. O(fields up to that name).
    [[nodiscard]] std::optional<value_view> find(std::string_view name) const noexcept {
        value_view v;
        if (scan(name, std::string_view::npos, v) != match::all) return {};
        return v;
    }

    /// The value of a dotted name: `author.name` is the field of that very name, or else what is
    /// `name` in the nested fields `author`; the same again below.
    [[nodiscard]] std::optional<value_view> find_dotted(std::string_view name) const noexcept {
        return descend(name, [](std::string_view rest) { return rest.find('.'); });
    }

    /// The same where the parts are known: `starts` are the offsets in `name` of all parts but the
    /// first. A part may hold dots of its own then.
    [[nodiscard]] std::optional<value_view>
    find_parts(std::string_view name, std::span<std::uint32_t const> starts) const noexcept {
        std::size_t part = 0;
        std::size_t begin = 0;
        return descend(name, [&](std::string_view) {
            if (part == starts.size()) return std::string_view::npos;
            auto const length = starts[part] - 1 - begin;
            begin = starts[part++];
            return length;
        });
    }

private:
    enum class match : std::uint8_t { nothing, head, all };

    [[nodiscard]] static bool read_name(std::byte const*& at, std::byte const* end,
                                        std::string_view& name) noexcept {
        std::uint64_t length = std::to_integer<std::uint64_t>(*at);
        if (length < 0x80)
            ++at;
        else if (!detail::get_varint(at, end, length))
            return false;
        if (length > static_cast<std::uint64_t>(end - at)) return false;
        name = {reinterpret_cast<char const*>(at), static_cast<std::size_t>(length)};
        at += length;
        return true;
    }

    /// Looks for `name`, and on the way for its first `head` bytes, which sort before it.
    [[nodiscard]] match scan(std::string_view name, std::size_t head,
                             value_view& v) const noexcept {
        auto found = match::nothing;
        std::string_view candidate;
        for (auto const* at = at_; at != end_;) {
            if (!read_name(at, end_, candidate)) break;
            // The first byte decides most comparisons without a call of memcmp.
            if (!candidate.empty() && !name.empty() && candidate[0] != name[0]) {
                if (static_cast<unsigned char>(candidate[0]) > static_cast<unsigned char>(name[0]))
                    break;
                if (!value_view::skip(at, end_)) break;
                continue;
            }
            auto const order = candidate.compare(name);
            if (order > 0) break;
            if (order == 0) return value_view::read(at, end_, v) ? match::all : match::nothing;
            if (candidate.size() == head && name.substr(0, head) == candidate) {
                if (!value_view::read(at, end_, v)) break;
                found = match::head;
            } else if (!value_view::skip(at, end_)) {
                break;
            }
        }
        return found;
    }

    /// `head_of(rest)` gives the length of the first part of what is left, npos for all of it.
    template <class HeadOf>
    [[nodiscard]] std::optional<value_view> descend(std::string_view name,
                                                    HeadOf head_of) const noexcept {
        auto level = *this;
        for (;;) {
            auto const head = head_of(name);
            value_view v;
            auto const found = level.scan(name, head, v);
            if (found == match::all) return v;
            if (found == match::nothing || v.type() != value::kind::nested) return {};
            name.remove_prefix(head + 1);
            level = v.nested();
        }
    }

    std::byte const* at_;
    std::byte const* end_;
};

inline array_view value_view::array() const noexcept { return array_view(body()); }
inline fields_view value_view::nested() const noexcept { return fields_view(body()); }

} // namespace vicinal::inline VICINAL_ABI::payload

#endif

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Writes one payload behind what the string already holds.
class encoder {
public:
    explicit encoder(std::string& out) noexcept : out_(out), start_(out.size()) {}

    [[nodiscard]] result<void> entries(vicinal::fields const& all, unsigned depth) {
        for (auto const& f : all) {
            VICINAL_CHECK(text("a name", f.name, f.name));
            put_varint(out_, f.name.size());
            out_.append(f.name);
            VICINAL_CHECK(value_of(f.name, f.v, depth));
        }
        return {};
    }

private:
    [[nodiscard]] result<void> value_of(std::string const& name, value const& v, unsigned depth) {
        switch (v.type()) {
            case value::kind::null: put_head(out_, wire_kind::null, 0); break;
            case value::kind::boolean:
                put_head(out_, *v.get_if<bool>() ? wire_kind::yes : wire_kind::no, 0);
                break;
            case value::kind::integer:
                put_head(out_, wire_kind::integer, zigzag(*v.get_if<std::int64_t>()));
                break;
            case value::kind::real: put_real(out_, *v.get_if<double>()); break;
            case value::kind::string: {
                auto const& s = *v.get_if<std::string>();
                VICINAL_CHECK(text("text", s, name));
                put_head(out_, wire_kind::text, s.size());
                out_.append(s);
                break;
            }
            case value::kind::array:
            case value::kind::nested: return container(name, v, depth + 1);
        }
        return room(0);
    }

    [[nodiscard]] result<void> container(std::string const& name, value const& v, unsigned depth) {
        if (depth > max_depth)
            return error{errc::invalid_payload, "arrays and nested fields at most 64 deep",
                         "more in field '" + name + "'"};
        auto const head = out_.size();
        out_.push_back('\0');
        auto const kind = v.type() == value::kind::array ? wire_kind::array : wire_kind::nested;
        if (kind == wire_kind::array) {
            for (auto const& element : *v.get_if<value::array>())
                VICINAL_CHECK(value_of(name, element, depth));
        } else {
            VICINAL_CHECK(entries(*v.get_if<vicinal::fields>(), depth));
        }
        // The length stands in front of the body but is known behind it: a long body moves by the
        // one to four bytes that its length takes.
        std::string front;
        put_head(front, kind, out_.size() - head - 1);
        out_[head] = front[0];
        out_.insert(head + 1, front, 1);
        return room(0);
    }

    [[nodiscard]] result<void> text(char const* what, std::string const& s,
                                    std::string const& name) {
        VICINAL_CHECK(room(s.size()));
        auto const valid = utf8_valid_bytes(s);
        if (valid == s.size()) return {};
        // The name may itself be what is not UTF-8, and a message is text.
        return error{errc::invalid_payload, std::string(what) + " in UTF-8",
                     "another byte at offset " + std::to_string(valid) +
                         (is_utf8(name) ? " in field '" + name + "'" : " of a field's name")};
    }

    [[nodiscard]] result<void> room(std::size_t bytes) {
        auto const used = out_.size() - start_;
        if (used <= max_encoded_bytes && bytes <= max_encoded_bytes - used) return {};
        return error{errc::invalid_payload, "at most 16 MiB encoded",
                     "at least " + std::to_string(used + bytes) + " bytes"};
    }

    std::string& out_;
    std::size_t start_;
};

/// Appends the encoding of `all` to `out`; on an error `out` is as it was.
///
/// Errors: invalid_payload (text that is not UTF-8, more than 64 levels, more than 16 MiB).
[[nodiscard]] inline result<void> encode(vicinal::fields const& all, std::string& out) {
    auto const start = out.size();
    auto done = encoder(out).entries(all, 0);
    if (!done) out.resize(start);
    return done;
}

/// Reads one payload back, trusting nothing.
class decoder {
public:
    explicit decoder(std::span<std::byte const> bytes) noexcept : start_(bytes.data()) {}

    [[nodiscard]] result<vicinal::fields> entries(fields_view rest, unsigned depth) const {
        vicinal::fields all;
        std::string_view name;
        std::string_view last;
        value_view v;
        bool first = true;
        for (auto at = rest.position(); rest.next(name, v); at = rest.position()) {
            if (!is_utf8(name)) return bad("a name in UTF-8", at);
            if (!first && name <= last) return bad("names in ascending order", at);
            auto decoded = value_of(v, at, depth);
            if (!decoded) return decoded.error();
            all.set(std::string(name), std::move(*decoded));
            last = name;
            first = false;
        }
        if (!rest.at_end()) return bad("a name and a value", rest.position());
        return all;
    }

private:
    // value(x) rather than value{x}, which would be an array of x.
    [[nodiscard]] result<value> value_of(value_view const& v, std::byte const* at,
                                         unsigned depth) const {
        switch (v.type()) {
            case value::kind::null: return value();
            case value::kind::boolean: return value(v.boolean());
            case value::kind::integer: return value(v.integer());
            case value::kind::real: return value(v.real());
            case value::kind::string:
                if (!is_utf8(v.text())) return bad("text in UTF-8", at);
                return value(std::string(v.text()));
            case value::kind::array:
            case value::kind::nested: break;
        }
        if (depth == max_depth) return bad("arrays and nested fields at most 64 deep", at);
        if (v.type() == value::kind::array) return elements(v.array(), depth + 1);
        auto inner = entries(v.nested(), depth + 1);
        if (!inner) return inner.error();
        return value(std::move(*inner));
    }

    [[nodiscard]] result<value> elements(array_view rest, unsigned depth) const {
        std::size_t count = 0;
        value_view v;
        auto ahead = rest;
        while (ahead.next(v)) ++count;
        if (!ahead.at_end()) return bad("a value", ahead.position());
        value::array all;
        all.reserve(count);
        for (auto at = rest.position(); rest.next(v); at = rest.position()) {
            auto decoded = value_of(v, at, depth);
            if (!decoded) return decoded.error();
            all.push_back(std::move(*decoded));
        }
        return value(std::move(all));
    }

    [[nodiscard]] error bad(char const* expected, std::byte const* at) const {
        return error{errc::invalid_payload, expected,
                     "something else at byte " + std::to_string(at - start_) + " of the payload"};
    }

    std::byte const* start_;
};

/// The fields that these bytes encode. Takes any bytes; memory is reserved only for what is there.
///
/// Errors: invalid_payload, with the offset.
[[nodiscard]] inline result<vicinal::fields> decode(std::span<std::byte const> bytes) {
    if (bytes.size() > max_encoded_bytes)
        return error{errc::invalid_payload, "at most 16 MiB encoded",
                     std::to_string(bytes.size()) + " bytes"};
    return decoder(bytes).entries(fields_view(bytes), 0);
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

namespace vicinal::inline VICINAL_ABI::payload {

/// The default payload: a map of names to values, which filters read in its encoded form.
struct fields {
    using value_type = vicinal::fields;
    static constexpr std::string_view name = "fields";
    static constexpr bool filterable = true;

    /// Appends the encoding; no fields are no bytes. Errors: invalid_payload (text that is not
    /// UTF-8, more than 64 levels, more than 16 MiB encoded), out_of_memory.
    [[nodiscard]] static result<void> encode(value_type const& value, std::string& out) {
        return vicinal::detail::guarded([&] { return detail::encode(value, out); });
    }

    /// The fields back, bit for bit. Errors: invalid_payload with the offset, out_of_memory.
    [[nodiscard]] static result<value_type> decode(std::span<std::byte const> bytes) {
        return vicinal::detail::guarded([&] { return detail::decode(bytes); });
    }
};

static_assert(model<fields>);

} // namespace vicinal::inline VICINAL_ABI::payload

#endif
// ---- vicinal/payload/filter.hpp
#ifndef VICINAL_PAYLOAD_FILTER_HPP
#define VICINAL_PAYLOAD_FILTER_HPP

// ---- vicinal/payload/filter/evaluate.hpp
#ifndef VICINAL_PAYLOAD_FILTER_EVALUATE_HPP
#define VICINAL_PAYLOAD_FILTER_EVALUATE_HPP

// ---- vicinal/payload/filter/compare.hpp
#ifndef VICINAL_PAYLOAD_FILTER_COMPARE_HPP
#define VICINAL_PAYLOAD_FILTER_COMPARE_HPP

// ---- vicinal/payload/filter/tree.hpp
#ifndef VICINAL_PAYLOAD_FILTER_TREE_HPP
#define VICINAL_PAYLOAD_FILTER_TREE_HPP

namespace vicinal::inline VICINAL_ABI::payload {

enum class filter_op : std::uint8_t {
    any_of,  // or of the children
    all_of,  // and of the children
    negated, // not of the one child
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    not_in,
    between,
    contains,
    starts_with,
    is_null,
    is_not_null,
};

/// A node of a filter: it stands in front of its children in the list of all nodes.
struct filter_node {
    filter_op op = filter_op::all_of;
    /// Nodes of this subtree, itself included: the next sibling is that far on.
    std::uint32_t nodes = 1;
    /// Comparisons only: which name, and which values.
    std::uint32_t name = 0;
    std::uint32_t first_value = 0;
    std::uint32_t values = 0;

    friend bool operator==(filter_node const&, filter_node const&) = default;
};

/// A literal: boolean, integer, real (its bits) or text (where it is in the tree's text).
struct filter_value {
    value::kind type = value::kind::null;
    std::uint64_t bits = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;

    friend bool operator==(filter_value const&, filter_value const&) = default;
};

/// A dotted name: its parts joined by dots in the tree's text, and the offsets of all but the
/// first.
struct filter_name {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t first_start = 0;
    std::uint32_t starts = 0;

    friend bool operator==(filter_name const&, filter_name const&) = default;
};

/// A parsed filter as a list of nodes in prefix order: what evaluation, the planner and the
/// backends walk. No nodes: everything matches.
struct filter_tree {
    std::vector<filter_node> nodes = {};
    std::vector<filter_name> names = {};
    std::vector<std::uint32_t> starts = {};
    std::vector<filter_value> values = {};
    std::string text = {};

    [[nodiscard]] std::string_view name_of(filter_node const& n) const noexcept {
        auto const& name = names[n.name];
        return std::string_view(text).substr(name.offset, name.size);
    }
    /// The offsets in `name_of` at which its second and later parts start.
    [[nodiscard]] std::span<std::uint32_t const> starts_of(filter_node const& n) const noexcept {
        auto const& name = names[n.name];
        return {starts.data() + name.first_start, name.starts};
    }
    [[nodiscard]] std::span<filter_value const> values_of(filter_node const& n) const noexcept {
        return {values.data() + n.first_value, n.values};
    }
    [[nodiscard]] std::string_view text_of(filter_value const& v) const noexcept {
        return std::string_view(text).substr(v.offset, v.size);
    }

    friend bool operator==(filter_tree const&, filter_tree const&) = default;
};

namespace detail {

inline constexpr std::size_t max_filter_bytes = std::size_t{64} << 10;
/// Comparisons, connectives and the values of lists together: what evaluating a record may cost.
inline constexpr std::size_t max_filter_nodes = 4096;
inline constexpr unsigned max_filter_depth = 64;

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI::payload

#endif

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// SQL's three truth values, in this order: then `and` is the least, `or` the greatest.
enum class truth : std::uint8_t { no, unknown, yes };

[[nodiscard]] constexpr truth truth_of(bool b) noexcept { return b ? truth::yes : truth::no; }

[[nodiscard]] constexpr truth negate(truth t) noexcept {
    return static_cast<truth>(2 - static_cast<int>(t));
}

/// By value, without rounding the integer: 2^53 + 1 is greater than the double 2^53.
[[nodiscard]] inline std::partial_ordering compare_exactly(std::int64_t a, double b) noexcept {
    constexpr double beyond = 9223372036854775808.0;
    if (b != b) return std::partial_ordering::unordered;
    if (b >= beyond) return std::partial_ordering::less;
    if (b < -beyond) return std::partial_ordering::greater;
    auto const whole = static_cast<std::int64_t>(b);
    if (a != whole) return a <=> whole;
    // Exact: either b has no fraction, or it is below 2^53 and so is `whole`.
    return 0.0 <=> b - static_cast<double>(whole);
}

[[nodiscard]] inline std::partial_ordering reversed(std::partial_ordering o) noexcept {
    return 0 <=> o;
}

/// A field's value against a literal: unordered where the kinds differ or a NaN is involved. Text
/// orders bytewise, false before true.
[[nodiscard]] inline std::partial_ordering
compare(value_view const& field, filter_value const& literal, filter_tree const& tree) noexcept {
    using enum value::kind;
    auto const type = field.type();
    auto const whole = static_cast<std::int64_t>(literal.bits);
    if (type == integer && literal.type == integer) return field.integer() <=> whole;
    if (type == string && literal.type == string)
        return field.text().compare(tree.text_of(literal)) <=> 0;
    if (type == boolean && literal.type == boolean)
        return static_cast<int>(field.boolean()) <=> static_cast<int>(literal.bits);
    if (type == integer && literal.type == real)
        return compare_exactly(field.integer(), std::bit_cast<double>(literal.bits));
    if (type == real && literal.type == integer)
        return reversed(compare_exactly(whole, field.real()));
    if (type == real && literal.type == real)
        return field.real() <=> std::bit_cast<double>(literal.bits);
    return std::partial_ordering::unordered;
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Evaluates a filter on encoded fields as they lie. Nothing is allocated; the recursion is as deep
/// as the parser let it be.
class filter_evaluator {
public:
    filter_evaluator(filter_tree const& tree, fields_view payload) noexcept
        : tree_(tree), payload_(payload) {}

    [[nodiscard]] truth at(std::size_t i) const noexcept {
        auto const& n = tree_.nodes[i];
        switch (n.op) {
            case filter_op::all_of: return all(i);
            case filter_op::any_of: return any(i);
            case filter_op::negated: return negate(at(i + 1));
            default: return leaf(n);
        }
    }

private:
    [[nodiscard]] truth all(std::size_t i) const noexcept {
        auto const end = i + tree_.nodes[i].nodes;
        auto least = truth::yes;
        for (++i; i != end && least != truth::no; i += tree_.nodes[i].nodes)
            least = (std::min)(least, at(i));
        return least;
    }

    [[nodiscard]] truth any(std::size_t i) const noexcept {
        auto const end = i + tree_.nodes[i].nodes;
        auto greatest = truth::no;
        for (++i; i != end && greatest != truth::yes; i += tree_.nodes[i].nodes)
            greatest = (std::max)(greatest, at(i));
        return greatest;
    }

    [[nodiscard]] truth leaf(filter_node const& n) const noexcept {
        auto const name = tree_.name_of(n);
        auto const starts = tree_.starts_of(n);
        auto const found = starts.empty() ? payload_.find(name) : payload_.find_parts(name, starts);
        bool const missing = !found || found->is_null();
        if (n.op == filter_op::is_null) return truth_of(missing);
        if (n.op == filter_op::is_not_null) return truth_of(!missing);
        if (missing) return truth::unknown;
        return test(n, *found);
    }

    [[nodiscard]] truth test(filter_node const& n, value_view const& field) const noexcept {
        auto const literals = tree_.values_of(n);
        auto const order = [&](std::size_t i) { return compare(field, literals[i], tree_); };
        switch (n.op) {
            case filter_op::equal: return truth_of(std::is_eq(order(0)));
            case filter_op::not_equal: return truth_of(!std::is_eq(order(0)));
            case filter_op::less: return ordered(order(0), std::is_lt);
            case filter_op::less_equal: return ordered(order(0), std::is_lteq);
            case filter_op::greater: return ordered(order(0), std::is_gt);
            case filter_op::greater_equal: return ordered(order(0), std::is_gteq);
            case filter_op::between:
                return (std::min)(ordered(order(0), std::is_gteq), ordered(order(1), std::is_lteq));
            case filter_op::in: return truth_of(member(literals, field));
            case filter_op::not_in: return truth_of(!member(literals, field));
            case filter_op::contains: return contains(literals[0], field);
            case filter_op::starts_with:
                if (field.type() != value::kind::string) return truth::unknown;
                return truth_of(field.text().starts_with(tree_.text_of(literals[0])));
            default: return truth::unknown;
        }
    }

    template <class Holds>
    [[nodiscard]] static truth ordered(std::partial_ordering o, Holds holds) noexcept {
        return o == std::partial_ordering::unordered ? truth::unknown : truth_of(holds(o));
    }

    [[nodiscard]] bool member(std::span<filter_value const> literals,
                              value_view const& field) const noexcept {
        return std::any_of(literals.begin(), literals.end(), [&](filter_value const& literal) {
            return std::is_eq(compare(field, literal, tree_));
        });
    }

    [[nodiscard]] truth contains(filter_value const& literal,
                                 value_view const& field) const noexcept {
        if (field.type() == value::kind::array) {
            auto rest = field.array();
            value_view element;
            while (rest.next(element))
                if (std::is_eq(compare(element, literal, tree_))) return truth::yes;
            return truth::no;
        }
        if (field.type() != value::kind::string || literal.type != value::kind::string)
            return truth::unknown;
        return truth_of(field.text().find(tree_.text_of(literal)) != std::string_view::npos);
    }

    filter_tree const& tree_;
    fields_view payload_;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
// ---- vicinal/payload/filter/parser.hpp
#ifndef VICINAL_PAYLOAD_FILTER_PARSER_HPP
#define VICINAL_PAYLOAD_FILTER_PARSER_HPP

// ---- vicinal/payload/filter/operand.hpp
#ifndef VICINAL_PAYLOAD_FILTER_OPERAND_HPP
#define VICINAL_PAYLOAD_FILTER_OPERAND_HPP

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Appends what stands between the quotes, doubled quotes as one.
inline void append_unquoted(std::string& out, std::string_view quoted) {
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        out.push_back(quoted[i]);
        if (quoted[i] == quoted[0]) ++i;
    }
}

/// The end of the first part of a dotted name, which the lexer has seen to be well formed.
[[nodiscard]] inline std::size_t part_size(std::string_view raw) noexcept {
    std::size_t i = 0;
    bool inside = false;
    for (; i < raw.size() && (inside || raw[i] != '.'); ++i)
        if (raw[i] == '"') inside = !inside;
    return i;
}

/// Adds a dotted name as it stands in the filter, and gives its number.
[[nodiscard]] inline std::uint32_t add_name(filter_tree& tree, std::string_view raw) {
    filter_name n{.offset = static_cast<std::uint32_t>(tree.text.size()),
                  .size = 0,
                  .first_start = static_cast<std::uint32_t>(tree.starts.size()),
                  .starts = 0};
    for (;;) {
        auto const part = raw.substr(0, part_size(raw));
        if (part[0] == '"')
            append_unquoted(tree.text, part);
        else
            tree.text.append(part);
        if (part.size() == raw.size()) break;
        raw.remove_prefix(part.size() + 1);
        tree.text.push_back('.');
        tree.starts.push_back(static_cast<std::uint32_t>(tree.text.size()) - n.offset);
        ++n.starts;
    }
    n.size = static_cast<std::uint32_t>(tree.text.size()) - n.offset;
    tree.names.push_back(n);
    return static_cast<std::uint32_t>(tree.names.size() - 1);
}

/// Keeps the text of a quoted literal in the tree.
[[nodiscard]] inline filter_value add_text(filter_tree& tree, std::string_view raw) {
    filter_value v{.type = value::kind::string,
                   .bits = 0,
                   .offset = static_cast<std::uint32_t>(tree.text.size()),
                   .size = 0};
    append_unquoted(tree.text, raw);
    v.size = static_cast<std::uint32_t>(tree.text.size()) - v.offset;
    return v;
}

/// Reads a number; an integer beyond 64 bits is a double, as it is in a payload. False where it is
/// outside the range of double.
[[nodiscard]] inline bool read_number(std::string_view raw, bool whole, filter_value& v) noexcept {
    auto const* const first = raw.data();
    auto const* const last = first + raw.size();
    if (std::int64_t i = 0; whole && std::from_chars(first, last, i).ec == std::errc{}) {
        v.type = value::kind::integer;
        v.bits = static_cast<std::uint64_t>(i);
        return true;
    }
    double x = 0;
    if (std::from_chars(first, last, x).ec != std::errc{}) return false;
    v.type = value::kind::real;
    v.bits = std::bit_cast<std::uint64_t>(x);
    return true;
}

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
// ---- vicinal/payload/filter/token.hpp
#ifndef VICINAL_PAYLOAD_FILTER_TOKEN_HPP
#define VICINAL_PAYLOAD_FILTER_TOKEN_HPP

namespace vicinal::inline VICINAL_ABI::payload::detail {

enum class token_kind : std::uint8_t {
    name,
    text,
    integer,
    real,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    open,
    close,
    comma,
    word_and,
    word_between,
    word_contains,
    word_false,
    word_in,
    word_is,
    word_not,
    word_null,
    word_or,
    word_starts_with,
    word_true,
    end,
};

/// A token as it stands in the filter, quotes included.
struct filter_token {
    token_kind kind = token_kind::end;
    std::size_t offset = 0;
    std::string_view raw = {};
};

/// invalid_filter at a byte offset, told as a column: the first character is 1.
[[nodiscard]] inline error filter_error(std::string_view filter, std::size_t offset,
                                        std::string expected, std::string got) {
    std::size_t column = 1;
    for (auto const c : filter.substr(0, offset))
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    return error{errc::invalid_filter, std::move(expected) + " at column " + std::to_string(column),
                 std::move(got)};
}

/// A piece of the filter for a message: whole characters, at most 40 bytes of them.
[[nodiscard]] inline std::string excerpt(std::string_view s) {
    constexpr std::size_t most = 40;
    if (s.size() <= most) return std::string(s);
    auto length = most;
    while ((static_cast<unsigned char>(s[length]) & 0xc0U) == 0x80U) --length;
    return std::string(s.substr(0, length)) + "...";
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool starts_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

[[nodiscard]] constexpr bool continues_name(char c) noexcept {
    return starts_name(c) || is_digit(c);
}

/// The keyword's kind, `name` where it is none. Case does not matter.
[[nodiscard]] inline token_kind keyword(std::string_view s) noexcept {
    using enum token_kind;
    constexpr std::array<std::pair<std::string_view, token_kind>, 11> words{
        {{"and", word_and},
         {"between", word_between},
         {"contains", word_contains},
         {"false", word_false},
         {"in", word_in},
         {"is", word_is},
         {"not", word_not},
         {"null", word_null},
         {"or", word_or},
         {"starts_with", word_starts_with},
         {"true", word_true}}};
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (auto const& [word, kind] : words) {
        if (word.size() != s.size()) continue;
        std::size_t i = 0;
        while (i < s.size() && lower(s[i]) == word[i]) ++i;
        if (i == s.size()) return kind;
    }
    return name;
}

/// Cuts a filter, which is known to be UTF-8, into tokens.
class filter_lexer {
public:
    explicit filter_lexer(std::string_view filter) noexcept : filter_(filter) {}

    [[nodiscard]] result<filter_token> next() {
        while (at_ < filter_.size() && blank(filter_[at_])) ++at_;
        auto const begin = at_;
        if (at_ == filter_.size()) return make(token_kind::end, begin);
        char const c = filter_[at_];
        if (starts_name(c) || c == '"') return name();
        if (is_digit(c) || (c == '-' && is_digit(peek(1)))) return number();
        if (c == '\'') {
            VICINAL_CHECK(quoted('\'', "a closing ' for the text that begins"));
            return make(token_kind::text, begin);
        }
        return symbol();
    }

private:
    [[nodiscard]] static constexpr bool blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }
    [[nodiscard]] char peek(std::size_t ahead) const noexcept {
        return at_ + ahead < filter_.size() ? filter_[at_ + ahead] : '\0';
    }
    [[nodiscard]] filter_token make(token_kind kind, std::size_t begin) const noexcept {
        return {kind, begin, filter_.substr(begin, at_ - begin)};
    }

    /// From a quote to its partner; a doubled quote is one inside.
    [[nodiscard]] result<void> quoted(char quote, char const* expected) {
        auto const begin = at_++;
        for (; at_ < filter_.size(); ++at_) {
            if (filter_[at_] != quote) continue;
            ++at_;
            if (peek(0) != quote) return {};
        }
        return filter_error(filter_, begin, expected, "the end of the filter");
    }

    [[nodiscard]] result<filter_token> name() {
        auto const begin = at_;
        bool plain = true;
        for (;;) {
            if (peek(0) == '"') {
                plain = false;
                VICINAL_CHECK(quoted('"', "a closing \" for the name that begins"));
            } else {
                while (continues_name(peek(0))) ++at_;
            }
            if (peek(0) != '.') break;
            ++at_;
            plain = false;
            if (peek(0) != '"' && !starts_name(peek(0)))
                return filter_error(filter_, at_, "a name behind the dot", rest());
        }
        auto const kind = plain ? keyword(filter_.substr(begin, at_ - begin)) : token_kind::name;
        return make(kind, begin);
    }

    [[nodiscard]] result<filter_token> number() {
        auto const begin = at_++;
        bool whole = true;
        while (is_digit(peek(0))) ++at_;
        if (peek(0) == '.' && is_digit(peek(1))) {
            whole = false;
            ++at_;
            while (is_digit(peek(0))) ++at_;
        }
        if (peek(0) == 'e' || peek(0) == 'E') {
            std::size_t const sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if (is_digit(peek(1 + sign))) {
                whole = false;
                at_ += 1 + sign;
                while (is_digit(peek(0))) ++at_;
            }
        }
        if (continues_name(peek(0)) || peek(0) == '.')
            return filter_error(filter_, at_, "the end of the number", rest());
        return make(whole ? token_kind::integer : token_kind::real, begin);
    }

    [[nodiscard]] result<filter_token> symbol() {
        using enum token_kind;
        auto const begin = at_;
        char const c = filter_[at_++];
        bool const with_equal = peek(0) == '=';
        switch (c) {
            case '(': return make(open, begin);
            case ')': return make(close, begin);
            case ',': return make(comma, begin);
            case '=':
                if (with_equal) return wrong(begin, "a single =", "'=='");
                return make(equal, begin);
            case '!':
                if (!with_equal) return wrong(begin, "!= or the word not", "'!'");
                ++at_;
                return make(not_equal, begin);
            case '<':
                if (peek(0) == '>') return wrong(begin, "!=", "'<>'");
                if (with_equal) ++at_;
                return make(with_equal ? less_equal : less, begin);
            case '>':
                if (with_equal) ++at_;
                return make(with_equal ? greater_equal : greater, begin);
            case '&': return wrong(begin, "the word and", "'&'");
            case '|': return wrong(begin, "the word or", "'|'");
            default:
                at_ = begin;
                return wrong(begin,
                             "a name, value or operator (other names stand in double quotes)",
                             rest());
        }
    }

    [[nodiscard]] error wrong(std::size_t offset, char const* expected, std::string got) const {
        return filter_error(filter_, offset, expected, std::move(got));
    }

    /// The one character that stands here, for a message.
    [[nodiscard]] std::string rest() const {
        auto const left = filter_.substr(at_);
        if (left.empty()) return "the end of the filter";
        auto const c = static_cast<unsigned char>(left[0]);
        if (c < 0x20 || c == 0x7f) return "control character " + std::to_string(c);
        return "'" + std::string(left.substr(0, utf8_character(left))) + "'";
    }

    std::string_view filter_;
    std::size_t at_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Recursive descent over the tokens; the depth is counted, so that no text exhausts the stack.
class filter_parser {
public:
    explicit filter_parser(std::string_view filter) noexcept : filter_(filter), lexer_(filter) {}

    [[nodiscard]] result<filter_tree> parse() {
        if (filter_.size() > max_filter_bytes)
            return error{errc::invalid_filter, "at most 65,536 bytes",
                         std::to_string(filter_.size())};
        if (auto const valid = utf8_valid_bytes(filter_); valid != filter_.size())
            return filter_error(filter_, valid, "UTF-8", "a byte that is none");
        VICINAL_CHECK(advance());
        if (token_.kind != token_kind::end) {
            VICINAL_CHECK(disjunction(0));
            if (token_.kind != token_kind::end) return unexpected("and, or, or the end");
        }
        return std::move(tree_);
    }

private:
    [[nodiscard]] result<void> disjunction(unsigned depth) {
        return chain(token_kind::word_or, filter_op::any_of, [&] { return conjunction(depth); });
    }

    [[nodiscard]] result<void> conjunction(unsigned depth) {
        return chain(token_kind::word_and, filter_op::all_of, [&] { return negation(depth); });
    }

    /// One or more operands; a node for them is put in front only if there are two.
    template <class Operand>
    [[nodiscard]] result<void> chain(token_kind word, filter_op op, Operand operand) {
        auto const at = tree_.nodes.size();
        VICINAL_CHECK(operand());
        if (token_.kind != word) return {};
        VICINAL_CHECK(count());
        tree_.nodes.insert(tree_.nodes.begin() + static_cast<std::ptrdiff_t>(at),
                           filter_node{.op = op});
        while (token_.kind == word) {
            VICINAL_CHECK(advance());
            VICINAL_CHECK(operand());
        }
        close(at);
        return {};
    }

    [[nodiscard]] result<void> negation(unsigned depth) {
        if (token_.kind != token_kind::word_not && token_.kind != token_kind::open)
            return comparison();
        if (depth == max_filter_depth)
            return wrong("at most 64 levels of parentheses and not", "one more");
        if (token_.kind == token_kind::word_not) {
            auto const at = tree_.nodes.size();
            VICINAL_CHECK(count());
            tree_.nodes.push_back({.op = filter_op::negated});
            VICINAL_CHECK(advance());
            VICINAL_CHECK(negation(depth + 1));
            close(at);
            return {};
        }
        VICINAL_CHECK(advance());
        VICINAL_CHECK(disjunction(depth + 1));
        return take(token_kind::close, "and, or, or a closing parenthesis");
    }

    [[nodiscard]] result<void> comparison() {
        using enum token_kind;
        if (token_.kind != name) {
            if (token_.kind >= word_and && token_.kind < end)
                return wrong("a field name",
                             "the keyword '" + std::string(token_.raw) +
                                 "' (a field of that name is written in double quotes)");
            return unexpected("a field name, not or (");
        }
        VICINAL_CHECK(count());
        filter_node node;
        node.name = add_name(tree_, token_.raw);
        node.first_value = static_cast<std::uint32_t>(tree_.values.size());
        VICINAL_CHECK(advance());
        auto const operation = token_.kind;
        if (operation < equal || operation > greater_equal) {
            VICINAL_CHECK(worded(node, operation));
        } else {
            constexpr auto first = static_cast<unsigned>(equal);
            node.op = static_cast<filter_op>(static_cast<unsigned>(filter_op::equal) +
                                             static_cast<unsigned>(operation) - first);
            VICINAL_CHECK(advance());
            VICINAL_CHECK(literal());
        }
        node.values = static_cast<std::uint32_t>(tree_.values.size()) - node.first_value;
        tree_.nodes.push_back(node);
        return {};
    }

    /// What follows a name when it is a word.
    [[nodiscard]] result<void> worded(filter_node& node, token_kind word) {
        using enum token_kind;
        if (word < word_and || word > word_starts_with || word == word_and || word == word_or ||
            word == word_null || word == word_false)
            return unexpected("an operator (=, !=, <, <=, >, >=, in, not in, between, contains, "
                              "starts_with, is)");
        VICINAL_CHECK(advance());
        switch (word) {
            case word_is:
                node.op = filter_op::is_null;
                if (token_.kind == word_not) {
                    node.op = filter_op::is_not_null;
                    VICINAL_CHECK(advance());
                    return take(word_null, "null");
                }
                return take(word_null, "null or not null");
            case word_between: return range(node);
            case word_contains: node.op = filter_op::contains; return literal();
            case word_starts_with:
                node.op = filter_op::starts_with;
                if (token_.kind != text) return unexpected("text in single quotes");
                return literal();
            case word_not:
                node.op = filter_op::not_in;
                VICINAL_CHECK(take(word_in, "in"));
                break;
            default: node.op = filter_op::in; break;
        }
        VICINAL_CHECK(take(open, "an opening parenthesis"));
        for (;;) {
            VICINAL_CHECK(count());
            VICINAL_CHECK(literal());
            if (token_.kind != comma) return take(close, "a comma or a closing parenthesis");
            VICINAL_CHECK(advance());
        }
    }

    [[nodiscard]] result<void> range(filter_node& node) {
        node.op = filter_op::between;
        VICINAL_CHECK(literal());
        VICINAL_CHECK(take(token_kind::word_and, "and"));
        auto const upper = token_;
        VICINAL_CHECK(literal());
        auto const kind = [this](std::size_t back) {
            auto const k = tree_.values[tree_.values.size() - back].type;
            return k == value::kind::integer ? value::kind::real : k;
        };
        if (kind(1) != kind(2))
            return filter_error(filter_, upper.offset, "a bound of the same kind as the first",
                                excerpt(upper.raw));
        return {};
    }

    [[nodiscard]] result<void> literal() {
        using enum token_kind;
        filter_value v;
        auto const raw = token_.raw;
        switch (token_.kind) {
            case text: v = add_text(tree_, raw); break;
            case word_true:
            case word_false:
                v.type = value::kind::boolean;
                v.bits = token_.kind == word_true ? 1 : 0;
                break;
            case integer:
            case real:
                if (!read_number(raw, token_.kind == integer, v))
                    return unexpected("a number within the range of double");
                break;
            case word_null:
                return wrong("a value (missing and null are found by 'is null')", "null");
            case name:
                return wrong("a value (text stands in single quotes)", "the name " + excerpt(raw));
            default: return unexpected("a value ('text', a number, true or false)");
        }
        tree_.values.push_back(v);
        return advance();
    }

    void close(std::size_t at) noexcept {
        tree_.nodes[at].nodes = static_cast<std::uint32_t>(tree_.nodes.size() - at);
    }

    [[nodiscard]] result<void> count() {
        if (++count_ <= max_filter_nodes) return {};
        return wrong("at most 4,096 comparisons, connectives and values in lists", "one more");
    }

    [[nodiscard]] result<void> advance() {
        auto next = lexer_.next();
        if (!next) return next.error();
        token_ = *next;
        return {};
    }

    [[nodiscard]] result<void> take(token_kind kind, char const* expected) {
        if (token_.kind != kind) return unexpected(expected);
        return advance();
    }

    [[nodiscard]] error wrong(char const* expected, std::string got) const {
        return filter_error(filter_, token_.offset, expected, std::move(got));
    }

    [[nodiscard]] error unexpected(char const* expected) const {
        if (token_.kind == token_kind::end) return wrong(expected, "the end of the filter");
        if (token_.kind == token_kind::text || token_.kind == token_kind::name)
            return wrong(expected, excerpt(token_.raw));
        return wrong(expected, "'" + excerpt(token_.raw) + "'");
    }

    std::string_view filter_;
    filter_lexer lexer_;
    filter_token token_ = {};
    filter_tree tree_ = {};
    std::size_t count_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif
// ---- vicinal/payload/filter/print.hpp
#ifndef VICINAL_PAYLOAD_FILTER_PRINT_HPP
#define VICINAL_PAYLOAD_FILTER_PRINT_HPP

namespace vicinal::inline VICINAL_ABI::payload::detail {

/// Writes a filter with the fewest parentheses that parse to the same nodes again.
class filter_printer {
public:
    explicit filter_printer(filter_tree const& tree) noexcept : tree_(tree) {}

    [[nodiscard]] std::string print() {
        if (!tree_.nodes.empty()) node(0);
        return std::move(out_);
    }

private:
    void node(std::size_t i) {
        auto const& n = tree_.nodes[i];
        switch (n.op) {
            case filter_op::all_of: return chain(i, " and ");
            case filter_op::any_of: return chain(i, " or ");
            case filter_op::negated: out_ += "not "; return operand(i, i + 1);
            default: leaf(n);
        }
    }

    void chain(std::size_t i, char const* between) {
        auto const end = i + tree_.nodes[i].nodes;
        for (auto child = i + 1; child != end; child += tree_.nodes[child].nodes) {
            if (child != i + 1) out_ += between;
            operand(i, child);
        }
    }

    /// `not` binds tightest, `or` least.
    void operand(std::size_t parent, std::size_t child) {
        auto const outer = tree_.nodes[parent].op;
        auto const inner = tree_.nodes[child].op;
        bool const bare =
            inner > filter_op::all_of || (outer == filter_op::any_of && inner == filter_op::all_of);
        if (!bare) out_ += '(';
        node(child);
        if (!bare) out_ += ')';
    }

    void leaf(filter_node const& n) {
        constexpr std::array<char const*, 16> words{"",           "",
                                                    "",           " = ",
                                                    " != ",       " < ",
                                                    " <= ",       " > ",
                                                    " >= ",       " in (",
                                                    " not in (",  " between ",
                                                    " contains ", " starts_with ",
                                                    " is null",   " is not null"};
        name(n);
        out_ += words[static_cast<std::size_t>(n.op)];
        bool first = true;
        for (auto const& v : tree_.values_of(n)) {
            if (!first) out_ += n.op == filter_op::between ? " and " : ", ";
            literal(v);
            first = false;
        }
        if (n.op == filter_op::in || n.op == filter_op::not_in) out_ += ')';
    }

    void name(filter_node const& n) {
        auto const all = tree_.name_of(n);
        std::size_t begin = 0;
        for (auto const start : tree_.starts_of(n)) {
            part(all.substr(begin, start - 1 - begin));
            out_ += '.';
            begin = start;
        }
        part(all.substr(begin));
    }

    void part(std::string_view s) {
        bool const plain = !s.empty() && starts_name(s[0]) &&
                           std::all_of(s.begin(), s.end(), continues_name) &&
                           keyword(s) == token_kind::name;
        if (plain)
            out_ += s;
        else
            quoted(s, '"');
    }

    void quoted(std::string_view s, char quote) {
        out_ += quote;
        for (auto const c : s) {
            if (c == quote) out_ += quote;
            out_ += c;
        }
        out_ += quote;
    }

    void literal(filter_value const& v) {
        // The longest int64 takes 20 characters, the longest shortest double 24.
        std::array<char, 32> digits{};
        auto* const first = digits.data();
        auto* const last = first + digits.size();
        switch (v.type) {
            case value::kind::boolean: out_ += v.bits != 0 ? "true" : "false"; break;
            case value::kind::integer: {
                auto const whole = static_cast<std::int64_t>(v.bits);
                out_.append(first, std::to_chars(first, last, whole).ptr);
                break;
            }
            case value::kind::real: {
                auto const x = std::bit_cast<double>(v.bits);
                std::string_view const s(
                    first, static_cast<std::size_t>(std::to_chars(first, last, x).ptr - first));
                out_ += s;
                // Without a point it would come back as an integer.
                if (s.find_first_of(".e") == std::string_view::npos) out_ += ".0";
                break;
            }
            default: quoted(tree_.text_of(v), '\''); break;
        }
    }

    filter_tree const& tree_;
    std::string out_ = {};
};

} // namespace vicinal::inline VICINAL_ABI::payload::detail

#endif

namespace vicinal::inline VICINAL_ABI {

/// A condition on payloads, as in "category = 'guide' and year >= 2023": parsed once, then asked of
/// many. docs/filters.md has the grammar and what each comparison gives.
///
/// Immutable, so any number of threads may use one. Made without arguments it matches everything.
class filter {
public:
    filter() = default;

    /// Reads a filter; text of blanks alone is the filter that matches everything.
    ///
    /// Errors: invalid_filter, with the column, what was expected there and what came; also over
    /// 64 KiB, 4,096 nodes or 64 levels. out_of_memory.
    [[nodiscard]] static result<filter> parse(std::string_view text) {
        return detail::guarded([&]() -> result<filter> {
            auto tree = payload::detail::filter_parser(text).parse();
            if (!tree) return tree.error();
            filter f;
            f.tree_ = std::move(*tree);
            return f;
        });
    }

    /// Whether the filter is true, not unknown, for these encoded fields. Reads them where they lie
    /// and allocates nothing; damaged bytes read as if the payload ended there.
    [[nodiscard]] bool matches(std::span<std::byte const> encoded_payload) const noexcept {
        if (empty()) return true;
        payload::detail::filter_evaluator const evaluator(tree_,
                                                          payload::fields_view(encoded_payload));
        return evaluator.at(0) == payload::detail::truth::yes;
    }

    /// Whether everything matches because there is no condition.
    [[nodiscard]] bool empty() const noexcept { return tree_.nodes.empty(); }

    /// Text that parses to an equal filter (of up to 64 KiB: it may be longer than what was parsed,
    /// by the blanks and parentheses that were left out there).
    [[nodiscard]] std::string print() const {
        return payload::detail::filter_printer(tree_).print();
    }

    /// The nodes, for a planner or a backend that translates them.
    [[nodiscard]] payload::filter_tree const& tree() const noexcept { return tree_; }

    /// Same nodes, names and values in the same order.
    friend bool operator==(filter const& a, filter const& b) noexcept { return a.tree_ == b.tree_; }

private:
    payload::filter_tree tree_ = {};
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/payload/none.hpp
#ifndef VICINAL_PAYLOAD_NONE_HPP
#define VICINAL_PAYLOAD_NONE_HPP

namespace vicinal::inline VICINAL_ABI::payload {

/// Nothing travels with the vector, and a record takes no payload bytes at all.
struct none {
    struct value_type {
        friend bool operator==(value_type const&, value_type const&) = default;
    };
    static constexpr std::string_view name = "none";
    static constexpr bool filterable = false;

    [[nodiscard]] static result<void> encode(value_type const&, std::string&) { return {}; }

    /// Errors: invalid_payload where there are bytes.
    [[nodiscard]] static result<value_type> decode(std::span<std::byte const> bytes) {
        if (!bytes.empty())
            return error{errc::invalid_payload, "no payload",
                         std::to_string(bytes.size()) + " bytes"};
        return value_type{};
    }
};

static_assert(model<none>);

} // namespace vicinal::inline VICINAL_ABI::payload

#endif

// the store itself, and what is left of a damaged one
// ---- vicinal/store/salvage.hpp
#ifndef VICINAL_STORE_SALVAGE_HPP
#define VICINAL_STORE_SALVAGE_HPP

// ---- vicinal/storage/copy_files.hpp
#ifndef VICINAL_STORAGE_COPY_FILES_HPP
#define VICINAL_STORAGE_COPY_FILES_HPP

// ---- vicinal/storage/new_directory.hpp
#ifndef VICINAL_STORAGE_NEW_DIRECTORY_HPP
#define VICINAL_STORAGE_NEW_DIRECTORY_HPP

// ---- vicinal/storage/lock.hpp
#ifndef VICINAL_STORAGE_LOCK_HPP
#define VICINAL_STORAGE_LOCK_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// Seconds since 1970 as in "2026-11-21T01:02:03Z" (days to a date after Hinnant, "chrono-
/// compatible low-level date algorithms": years that start in March).
[[nodiscard]] inline std::string utc_text(std::int64_t seconds) {
    seconds = (std::max)(seconds, std::int64_t{0});
    auto const day = seconds / 86400 + 719468;
    auto const second = seconds % 86400;
    auto const era = day / 146097;
    auto const of_era = day % 146097;
    auto const year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    auto const of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const month_from_march = (5 * of_year + 2) / 153;
    auto const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    auto const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    auto const two = [](std::int64_t n) {
        auto const digits = std::to_string(n);
        return digits.size() < 2 ? "0" + digits : digits;
    };
    return std::to_string(year) + "-" + two(month) + "-" +
           two(of_year - (153 * month_from_march + 2) / 5 + 1) + "T" + two(second / 3600) + ":" +
           two(second / 60 % 60) + ":" + two(second % 60) + "Z";
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// The right to write a store; there is one at a time, also within one process. The system gives it
/// back when the process ends, however it ends.
///
/// The lock is flock on the file LOCK, whose text names the holder. The directory itself is locked
/// too, where the file system can: a LOCK file that somebody deletes does not let a second writer
/// in.
template <class Os>
class writer_lock {
public:
    writer_lock() = default;

    /// Waits up to `timeout_ms`. errc::locked names the holder.
    [[nodiscard]] static result<writer_lock> take(store_directory<Os> const& directory,
                                                  std::uint32_t timeout_ms) {
        auto const shown = directory.shown(detail::lock_name);
        writer_lock l;
        l.file_ = descriptor<Os>(detail::uninterrupted(
            [&] { return Os::open_or_make(directory.number(), detail::lock_name); }));
        if (!l.file_) {
            int const reason = errno;
            if (reason == EACCES || reason == EROFS || reason == EPERM)
                return error{errc::read_only,
                             "a directory that may be written at '" + directory.path() +
                                 "', or .read_only = true",
                             std::generic_category().message(reason)};
            return detail::system_failure(reason, "to open " + shown);
        }
        for (std::uint32_t waited = 0;;) {
            auto const free = try_both(l.file_.get(), directory.number(), shown);
            if (!free) return free.error();
            if (*free) break;
            if (waited >= timeout_ms)
                return error{errc::locked, "",
                             "'" + directory.path() + "' is already open for writing by " +
                                 holder(l.file_.get()) +
                                 "; open it read-only or close the other writer"};
            auto const pause = (std::min)(timeout_ms - waited, std::uint32_t{10});
            Os::pause(pause);
            waited += pause;
        }
        auto const text = "pid " + std::to_string(Os::process_id()) + " on host " +
                          Os::host_name() + " since " + detail::utc_text(Os::seconds()) + "\n";
        // The text is for people: a full disk does not keep the store from being opened.
        if (Os::truncate_file(l.file_.get(), 0) == 0)
            static_cast<void>(
                write_all<Os>(l.file_.get(), 0, std::as_bytes(std::span(text)), shown));
        return l;
    }

private:
    [[nodiscard]] static result<bool> try_both(int file, int directory, std::string const& shown) {
        if (detail::uninterrupted([&] { return Os::try_lock(file); }) != 0) {
            int const reason = errno;
            if (reason == EWOULDBLOCK) return false;
            return detail::system_failure(reason, "to lock " + shown);
        }
        // Some network file systems can't lock a directory: LOCK alone counts there.
        return detail::uninterrupted([&] { return Os::try_lock(directory); }) == 0 ||
               errno != EWOULDBLOCK;
    }

    /// The text of LOCK, which anybody may have written: printable characters, 200 at most.
    [[nodiscard]] static std::string holder(int file) {
        std::array<std::byte, 200> bytes{};
        auto const n = read_up_to<Os>(file, 0, bytes, detail::lock_name);
        std::string text;
        for (std::size_t i = 0; n && i < *n; ++i)
            if (auto const c = std::to_integer<char>(bytes[i]); c >= ' ' && c <= '~') text += c;
        return text.empty() ? "another writer" : text;
    }

    descriptor<Os> file_;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// A store's directory in the making: it is called PATH.partial, and has the name PATH when all of
/// it is on the disk. A run that broke off leaves PATH.partial, which the next run to PATH takes
/// over.
template <class Os>
class new_directory {
public:
    /// At `path` there may be nothing or an empty directory; where `replaces` also a store, damaged
    /// or not, whose lock is held from here on. Errors: invalid_argument (something is there),
    /// not_a_directory, foreign_file, locked (a writer, or another run to the same path),
    /// not_found (the directory around it), io_failure.
    [[nodiscard]] static result<new_directory> make(std::string_view path, bool replaces) {
        new_directory d;
        auto const parts = split(path);
        if (!parts) return parts.error();
        d.name_ = parts->second;
        auto const whole = parts->first + "/" + d.name_;
        auto parent = store_directory<Os>::open(parts->first);
        if (!parent) {
            if (parent.error().code() != errc::not_found) return parent.error();
            return error{errc::not_found,
                         "the directory that '" + std::string(path) + "' is to be made in"};
        }
        d.parent_ = *std::move(parent);
        VICINAL_CHECK(d.look_at(whole, replaces));
        VICINAL_CHECK(d.begin(whole + suffix));
        return d;
    }

    new_directory(new_directory&& other) noexcept
        : parent_(std::move(other.parent_)), files_(std::move(other.files_)),
          old_(std::move(other.old_)), lock_(std::move(other.lock_)), name_(std::move(other.name_)),
          pending_(std::exchange(other.pending_, false)) {}
    new_directory& operator=(new_directory&&) = delete;
    /// What was not published is removed.
    ~new_directory() {
        if (pending_) remove(files_, name_ + suffix);
    }

    /// Where the files are to be made.
    [[nodiscard]] store_directory<Os> const& files() const noexcept { return files_; }

    /// Gives the directory its name; its files must be on the disk. On failure what was at the path
    /// is there still, unless the message says that a sync failed: then either may be.
    [[nodiscard]] result<void> publish() {
        VICINAL_CHECK(files_.sync());
        auto const partial = name_ + suffix;
        if (!old_) {
            VICINAL_CHECK(parent_.rename(partial, name_));
            pending_ = false;
            return parent_.sync();
        }
        if (detail::uninterrupted([&] {
                return Os::exchange_names(parent_.number(), partial.c_str(), name_.c_str());
            }) != 0) {
            int const reason = errno;
            if (reason != EINVAL && reason != ENOSYS)
                return detail::system_failure(reason, "to put '" + partial + "' in the place of '" +
                                                          parent_.shown(name_) + "'");
            return replace_in_steps(partial);
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, partial);
        return {};
    }

private:
    static constexpr char const* suffix = ".partial";

    new_directory() = default;

    /// The directory around a path and the name in it. errc::invalid_argument where the name is
    /// none that a directory can be given.
    [[nodiscard]] static result<std::pair<std::string, std::string>> split(std::string_view path) {
        auto const end = path.find_last_not_of('/');
        auto const bare = path.substr(0, end == std::string_view::npos ? 0 : end + 1);
        auto const slash = bare.find_last_of('/');
        auto const name = slash == std::string_view::npos ? bare : bare.substr(slash + 1);
        if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos)
            return error{errc::invalid_argument, "a path that ends in a name",
                         "'" + std::string(path) + "'"};
        auto const parent = slash == std::string_view::npos ? std::string_view(".")
                            : slash == 0                    ? std::string_view("/")
                                                            : bare.substr(0, slash);
        return std::pair(std::string(parent), std::string(name));
    }

    /// What is at the path now.
    [[nodiscard]] result<void> look_at(std::string const& whole, bool replaces) {
        auto there = store_directory<Os>::open(whole);
        if (!there)
            return there.error().code() == errc::not_found ? result<void>()
                                                           : result<void>(there.error());
        auto const found = there->list();
        if (!found) return found.error();
        bool const empty = found->empty();
        if (!replaces && !empty)
            return error{errc::invalid_argument,
                         "a path at which nothing is, or an empty directory: '" + whole + "'",
                         "a directory with files in it"};
        if (!found->foreign.empty())
            return error{errc::foreign_file, "a store or an empty directory at '" + whole + "'",
                         "one that holds '" + found->foreign + "'"};
        if (empty) return {};
        auto lock = writer_lock<Os>::take(*there, 0);
        if (!lock) return lock.error();
        lock_ = *std::move(lock);
        old_ = *std::move(there);
        return {};
    }

    /// Makes the directory under its passing name, or takes over and clears one that is left.
    [[nodiscard]] result<void> begin(std::string const& path) {
        if (detail::uninterrupted([&] { return Os::make_directory(path.c_str()); }) != 0 &&
            errno != EEXIST) {
            int const reason = errno;
            return detail::system_failure(reason, "to make the directory '" + path + "'");
        }
        auto made = store_directory<Os>::open(path);
        if (!made) return made.error();
        // Another run may be at work there, or has just given it its final name.
        bool const mine = detail::uninterrupted([&] { return Os::try_lock(made->number()); }) == 0;
        auto const again = store_directory<Os>::open(path);
        if (!mine || !again || Os::same_file(made->number(), again->number()) != 1)
            return error{errc::locked, "", "another run is writing to '" + path + "'"};
        auto const found = made->list();
        if (!found) return found.error();
        if (!found->foreign.empty())
            return error{errc::foreign_file, "what an earlier run has left at '" + path + "'",
                         "a directory that holds '" + found->foreign + "'"};
        clear(*made, *found);
        files_ = *std::move(made);
        pending_ = true;
        return {};
    }

    /// Where names can't be exchanged: between two steps the old store has another name.
    [[nodiscard]] result<void> replace_in_steps(std::string const& partial) {
        auto const aside = name_ + ".replaced";
        VICINAL_CHECK(parent_.rename(name_, aside));
        if (auto const done = parent_.rename(partial, name_); !done) {
            static_cast<void>(parent_.rename(aside, name_));
            return done;
        }
        pending_ = false;
        VICINAL_CHECK(parent_.sync());
        remove(old_, aside);
        return {};
    }

    static void clear(store_directory<Os> const& directory, detail::store_listing const& found) {
        for (auto const& name : found.temporary) directory.remove(name);
        for (auto const g : found.snapshots) directory.remove(detail::snapshot_name(g));
        for (auto const g : found.logs) directory.remove(detail::log_name(g));
        for (auto const g : found.closed_logs) directory.remove(detail::closed_log_name(g));
        directory.remove(detail::lock_name);
    }
    /// What can't be removed stays; it has no store's name.
    void remove(store_directory<Os> const& directory, std::string const& name) const noexcept {
        static_cast<void>(detail::guarded([&]() -> result<void> {
            auto const found = directory.list();
            VICINAL_CHECK(found);
            clear(directory, *found);
            static_cast<void>(Os::remove_directory(parent_.number(), name.c_str()));
            return {};
        }));
    }

    store_directory<Os> parent_;
    store_directory<Os> files_;
    /// The store that is replaced, and the right to.
    store_directory<Os> old_;
    writer_lock<Os> lock_;
    std::string name_;
    bool pending_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::storage {

/// What a backup or a restored store holds.
struct copy_report {
    std::uint64_t generation = 0;
    std::uint64_t snapshot_bytes = 0;
    /// Batches of the log, and the number of the newest; 0 of them is a store that was just
    /// checkpointed.
    std::uint64_t log_records = 0;
    /// What stood behind the log's last valid record and was left out: a write that was cut off or
    /// is under way. 0 for the backup of an open store.
    std::uint64_t bytes_dropped = 0;
};

/// The files of one state of a store, held open: later checkpoints don't touch them.
template <class Os>
struct held_files {
    snapshot_file<Os> snapshot;
    log_view<Os> log;
    /// The log's records were valid up to its end when it was taken: nothing there may be dropped.
    bool whole = false;
};

} // namespace vicinal::inline VICINAL_ABI::storage

namespace vicinal::inline VICINAL_ABI::detail {

/// Copies a snapshot byte for byte, each block compared with its checksum on the way, and opens the
/// copy as any reader will. errc::corrupt_snapshot names the block.
template <class Os>
[[nodiscard]] result<void> copy_snapshot(storage::snapshot_file<Os> const& from,
                                         storage::store_directory<Os> const& to) {
    auto const name = snapshot_name(from.layout().generation);
    auto const shown = to.shown(name);
    storage::descriptor<Os> const file(
        uninterrupted([&] { return Os::open_empty(to.number(), name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to make " + shown);
    }
    auto const& sections = from.layout().sections;
    std::unique_ptr<typename storage::snapshot_file<Os>::block> const block(
        new typename storage::snapshot_file<Os>::block);
    // The part before the rows: opening the copy finds out whether it was read well.
    auto const front = sections.empty() ? from.layout().file_bytes : sections.front().offset;
    for (std::uint64_t at = 0; at < front; at += block->size()) {
        auto const piece = std::span(*block).first(
            static_cast<std::size_t>((std::min<std::uint64_t>)(block->size(), front - at)));
        auto const n = storage::read_up_to<Os>(from.number(), at, piece, from.shown());
        if (!n) return n.error();
        VICINAL_CHECK(storage::write_all<Os>(file.get(), at, piece, shown));
    }
    for (auto const& s : sections)
        for (std::uint64_t i = 0; i < s.blocks(); ++i) {
            VICINAL_CHECK(from.read_block(s, i, *block));
            VICINAL_CHECK(storage::write_all<Os>(
                file.get(), s.offset + i * storage::snapshot_block_bytes, *block, shown));
        }
    if (uninterrupted([&] { return Os::sync_all(file.get()); }) != 0) {
        int const reason = errno;
        return system_failure(reason, "to sync " + shown);
    }
    auto const again = storage::snapshot_file<Os>::open(to.number(), name, shown, false);
    if (!again) return again.error();
    if (again->layout().block_crcs != from.layout().block_crcs)
        return error{errc::corrupt_snapshot, "the front of " + from.shown() + " as it was",
                     "other checksums"};
    return {};
}

/// Makes the log of a copy, filled by `fill(log) -> result<void>`: closed in order, so that no
/// damage of it can pass for a write that was cut off. Its salt is its own.
template <class Os, class Fill>
[[nodiscard]] result<void> make_closed_log(storage::store_directory<Os> const& to,
                                           log_header const& header, Fill&& fill) {
    auto const name = log_name(header.generation);
    auto log = storage::log_file<Os>::make(to, name, header, false);
    if (!log) return log.error();
    VICINAL_CHECK(fill(*log));
    VICINAL_CHECK(log->append_clean(true));
    return to.rename(name, closed_log_name(header.generation));
}

/// Copies what was held into an empty directory, everything checked and on the disk. Where it fails
/// the directory holds pieces.
template <class Os>
[[nodiscard]] result<storage::copy_report> copy_files(storage::held_files<Os> const& from,
                                                      storage::store_directory<Os> const& to) {
    auto const& layout = from.snapshot.layout();
    storage::copy_report report;
    report.generation = layout.generation;
    report.snapshot_bytes = layout.file_bytes;
    VICINAL_CHECK(copy_snapshot(from.snapshot, to));
    if (!from.log.file) return report;
    auto const copied = make_closed_log<Os>(to, from.log.header, [&](auto& log) -> result<void> {
        auto const found =
            scan_log<Os>(from.log.file.get(), from.log.shown, from.log.end, from.log.header,
                         from.log.closed, [&](std::span<std::byte const> payload) {
                             return log.append(log_kind::batch, payload, false);
                         });
        if (!found) return found.error();
        report.log_records = found->batches;
        report.bytes_dropped = from.log.end - found->end;
        if (from.whole && report.bytes_dropped != 0)
            return log_damage(from.log.shown, found->end, found->last_lsn + 1, "damaged bytes");
        return {};
    });
    VICINAL_CHECK(copied);
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::detail

namespace vicinal::inline VICINAL_ABI::storage {

/// Copies a state of a store to `to`. The directory has that name when every byte has been compared
/// with its checksum and is on the disk; before that, and where it fails, nothing is changed there.
template <class Os>
[[nodiscard]] result<copy_report> copy_to(held_files<Os> const& from, std::string_view to,
                                          bool replaces) {
    auto made = new_directory<Os>::make(to, replaces);
    if (!made) return made.error();
    auto report = detail::copy_files(from, made->files());
    if (!report) return detail::unpoisoned(report.error());
    if (auto const done = made->publish(); !done) return detail::unpoisoned(done.error());
    return report;
}

} // namespace vicinal::inline VICINAL_ABI::storage

#endif
// ---- vicinal/storage/log_walk.hpp
#ifndef VICINAL_STORAGE_LOG_WALK_HPP
#define VICINAL_STORAGE_LOG_WALK_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// Where the next valid record behind a damaged place at `offset` starts; the log's end where there
/// is none, or none is found within the search's bounds.
template <class Os>
[[nodiscard]] result<std::uint64_t> next_record(log_window<Os>& window, std::uint64_t salt,
                                                std::uint64_t offset, std::uint64_t lsn,
                                                std::uint64_t& budget) {
    for (auto p = offset + 8; p + log_record_bytes <= window.size(); p += 8) {
        auto const head = window.at(p, log_record_bytes);
        if (!head) return head.error();
        if (head->size() < log_record_bytes) break;
        auto const r = load_record(head->data());
        if (!plausible(r, p, offset, lsn, window.size())) continue;
        if (r.bytes() > budget) break;
        budget -= r.bytes();
        auto const later = read_record(window, salt, p);
        if (!later) return later.error();
        if (*later) return p;
    }
    return window.size();
}

/// Hands every valid record of a log to each(whole_record) -> result<void>, those behind damage
/// too; gap(from, to) is told of bytes that are part of none. `lsn` is the number before the first.
template <class Os, class Each, class Gap>
[[nodiscard]] result<void> walk_log(int file, std::string const& shown, std::uint64_t size,
                                    std::uint64_t salt, std::uint64_t lsn, Each&& each, Gap&& gap) {
    log_window<Os> window(file, size, shown);
    auto budget = search_budget(size);
    for (std::uint64_t at = log_header_bytes; at < size;) {
        auto const found = read_record(window, salt, at);
        if (!found) return found.error();
        if (*found) {
            lsn = (*found)->record.lsn;
            VICINAL_CHECK(each(**found));
            at += (*found)->record.bytes();
            continue;
        }
        auto const next = next_record(window, salt, at, lsn, budget);
        if (!next) return next.error();
        gap(at, *next);
        at = *next;
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/storage/repair.hpp
#ifndef VICINAL_STORAGE_REPAIR_HPP
#define VICINAL_STORAGE_REPAIR_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// Flips the one bit without which the checksum holds; false where there is none. Damage of more
/// bits that passes for one has a chance of bytes * 8 / 2^32. Cost: bytes^2.
[[nodiscard]] inline bool repair_bit(std::span<std::byte> bytes, std::uint32_t crc) noexcept {
    if (storage::crc32c(bytes) == crc) return true;
    for (auto& b : bytes)
        for (int bit = 0; bit < 8; ++bit) {
            b ^= std::byte{1} << bit;
            if (storage::crc32c(bytes) == crc) return true;
            b ^= std::byte{1} << bit;
        }
    return false;
}

/// Opens a snapshot whose front may be damaged and whose end may be missing, and says what is wrong
/// in `found`. Header, section table and properties must hold, but for one bit in each; a block
/// whose own checksum was hit can't be proven and counts as damaged. errc::corrupt_snapshot.
template <class Os>
[[nodiscard]] result<storage::snapshot_file<Os>>
open_damaged(int directory, std::string const& name, std::string const& shown,
             problem_list& found) {
    auto whole = storage::snapshot_file<Os>::open(directory, name, shown, false);
    if (whole || whole.error().code() != errc::corrupt_snapshot) return whole;
    found.add(whole.error().message());
    storage::descriptor<Os> file(
        uninterrupted([&] { return Os::open_read(directory, name.c_str()); }));
    if (!file) {
        int const reason = errno;
        return system_failure(reason, "to open " + shown);
    }
    std::array<std::byte, snapshot_header_bytes> header{};
    auto const got = storage::read_up_to<Os>(file.get(), 0, header, shown);
    VICINAL_CHECK(got);
    auto const fields = std::span(header).first(snapshot_header_bytes - 4);
    auto const crc_bytes = header.data() + fields.size();
    auto crc = load_le<std::uint32_t>(crc_bytes);
    if (*got != header.size() || !repair_bit(fields, crc)) return whole;
    auto h = decode_header(header.data(), load_le<std::uint64_t>(header.data() + 72), false, shown);
    VICINAL_CHECK(h);
    auto const actual = Os::file_bytes(file.get());
    if (actual < 0 || h->rows_at() > static_cast<std::uint64_t>(actual)) return whole;

    std::vector<std::byte> rest(static_cast<std::size_t>(h->rows_at()) - header.size());
    auto const more = storage::read_up_to<Os>(file.get(), header.size(), rest, shown);
    VICINAL_CHECK(more);
    auto const all = std::span(rest);
    auto const table = all.first(static_cast<std::size_t>(h->table_bytes()));
    auto const properties = all.subspan(table.size(), static_cast<std::size_t>(h->property_bytes));
    auto const crcs_at = static_cast<std::size_t>(h->block_crcs_at()) - header.size();
    auto const crcs = all.subspan(crcs_at, static_cast<std::size_t>(h->blocks * 4));
    if (!repair_bit(table, h->table_crc) || !repair_bit(properties, h->properties_crc))
        return whole;
    // Each block is compared with its own; what lies in the gaps says nothing.
    h->block_crcs_crc = storage::crc32c(crcs);
    auto const fill = [](std::span<std::byte> gap) {
        std::fill(gap.begin(), gap.end(), std::byte{0});
    };
    fill(all.subspan(table.size() + properties.size(), crcs_at - table.size() - properties.size()));
    fill(all.subspan(crcs_at + crcs.size()));
    auto layout = decode_layout(*h, rest, shown);
    VICINAL_CHECK(layout);
    return storage::snapshot_file<Os>::over(std::move(file), shown, *std::move(layout));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/operations.hpp
#ifndef VICINAL_STORE_OPERATIONS_HPP
#define VICINAL_STORE_OPERATIONS_HPP

// ---- vicinal/store/ids.hpp
#ifndef VICINAL_STORE_IDS_HPP
#define VICINAL_STORE_IDS_HPP

// ---- vicinal/store/heap.hpp
#ifndef VICINAL_STORE_HEAP_HPP
#define VICINAL_STORE_HEAP_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// The longest run of bytes that a heap takes: its length has 24 bits.
inline constexpr std::uint64_t largest_run = (std::uint64_t{1} << 24) - 1;

/// A run of bytes of any length up to largest_run for each slot: a column of bytes, and a column
/// that says where in it a slot's run lies (8 bytes: 40 bits of offset, 24 of length).
///
/// Runs are written behind each other and not moved; a run that a dead slot leaves is freed by
/// compact().
template <class Storage>
class heap {
public:
    static constexpr std::uint64_t largest_heap = std::uint64_t{1} << 40;

    [[nodiscard]] static result<heap> open(typename Storage::space& space,
                                           std::string const& name) {
        auto bytes = space.column(name + ".heap", 1, storage::heat::cold);
        VICINAL_CHECK(bytes);
        auto places = space.column(name + ".places", 8, storage::heat::cold);
        VICINAL_CHECK(places);
        heap h;
        h.bytes_ = *bytes;
        h.places_ = *places;
        return h;
    }

    /// The run of a slot below slots(); empty where a damaged file points outside.
    [[nodiscard]] std::span<std::byte const> operator[](slot s) const noexcept {
        auto const place = *places_->reader().template row_as<std::uint64_t>(s);
        auto const offset = place >> 24;
        auto const length = place & largest_run;
        if (length == 0 || offset + length > end_) return {};
        return {bytes_->reader().row(offset), static_cast<std::size_t>(length)};
    }

    /// Makes room for `slots` slots and `more` bytes, moving columns only inside `section`.
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t more,
                                         Section const& section) {
        if (end_ + more > largest_heap)
            return error{errc::limit_exceeded, "at most 2^40 bytes of ids or payloads"};
        if (slots > places_->capacity()) {
            VICINAL_CHECK(places_->prepare(slots));
            section([&] { places_->commit(); });
        }
        if (end_ + more > bytes_->capacity()) {
            VICINAL_CHECK(bytes_->prepare(end_ + more));
            section([&] { bytes_->commit(); });
        }
        return {};
    }
    /// Writes a slot's run behind the others; there is room. No query knows the slot yet.
    void put(slot s, std::span<std::byte const> run) noexcept {
        if (s >= places_->rows()) places_->resize(s + std::uint64_t{1});
        auto const offset = written_;
        bytes_->resize(offset + run.size());
        if (!run.empty()) std::memcpy(bytes_->edit(offset), run.data(), run.size());
        std::uint64_t const place = offset << 24 | run.size();
        std::memcpy(places_->edit(s), &place, sizeof place);
        written_ = offset + run.size();
    }
    /// Lets queries see what was put; inside the section that publishes the slots.
    void publish() noexcept { end_ = written_; }

    /// Adds to `out` what the heap is to hold when the slots of `kept` become slots 0, 1 and so on;
    /// both stay in place until that is written.
    void compact(std::string const& name, std::span<slot const> kept,
                 std::vector<storage::replacement>& out) const {
        std::vector<std::uint64_t> places(kept.size());
        std::uint64_t end = 0;
        for (std::size_t i = 0; i < kept.size(); ++i) {
            auto const size = (*this)[kept[i]].size();
            places[i] = end << 24 | size;
            end += size;
        }
        out.push_back(
            storage::joined_runs(name + ".heap", 1, end, kept.size(),
                                 [at = *this, kept](std::size_t i) { return at[kept[i]]; }));
        out.push_back(storage::owned_rows(name + ".places", 8, std::move(places)));
    }

    /// After opening or re-binding: everything in the columns counts.
    void bind() noexcept { end_ = written_ = bytes_->rows(); }
    void clear() noexcept {
        bytes_->resize(0);
        places_->resize(0);
        bind();
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return places_->rows(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return end_; }

private:
    heap() = default;

    typename Storage::column* bytes_ = nullptr;
    typename Storage::column* places_ = nullptr;
    std::uint64_t end_ = 0;
    std::uint64_t written_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI {

/// A type that can be a store's id.
template <class Id>
concept id_like = std::same_as<Id, std::string> ||
    (std::unsigned_integral<Id> && !std::same_as<Id, bool>);

namespace detail {

/// How ids of one type are passed, named, hashed and written.
template <class Id>
struct id_traits {
    using view = Id;
    using parameter = Id;
    static constexpr std::string_view name = sizeof(Id) == 1   ? "u8"
                                             : sizeof(Id) == 2 ? "u16"
                                             : sizeof(Id) == 4 ? "u32"
                                                               : "u64";

    [[nodiscard]] static std::uint64_t hash(Id id) noexcept { return mix(id); }
    [[nodiscard]] static std::size_t bytes_of(Id) noexcept { return sizeof(std::uint64_t); }
    [[nodiscard]] static result<void> check(Id) { return {}; }
    [[nodiscard]] static std::string text(Id id) { return std::to_string(id); }
    /// The id that a text spells; errc::invalid_id where it spells none of this type, or one in
    /// another way than text() does: "07" would come back as "7".
    [[nodiscard]] static result<Id> from_text(std::string_view text) {
        Id id = 0;
        auto const end = text.data() + text.size();
        auto const [at, problem] = std::from_chars(text.data(), end, id);
        if (problem != std::errc{} || at != end || (text.size() > 1 && text[0] == '0'))
            return error{errc::invalid_id,
                         "an unsigned integer of " + std::to_string(sizeof(Id) * 8) + " bits",
                         "'" + std::string(text) + "'"};
        return id;
    }
};

template <>
struct id_traits<std::string> {
    using view = std::string_view;
    using parameter = text_id;
    static constexpr std::string_view name = "string";
    static constexpr std::size_t longest = 65535;

    [[nodiscard]] static std::uint64_t hash(std::string_view id) noexcept { return hash_bytes(id); }
    [[nodiscard]] static std::size_t bytes_of(std::string_view id) noexcept { return id.size(); }
    [[nodiscard]] static result<void> check(std::string_view id) {
        if (id.empty()) return error{errc::empty_id, "an id of at least one byte", "an empty id"};
        if (id.size() > longest)
            return error{errc::invalid_id, "an id of at most 65535 bytes",
                         std::to_string(id.size()) + " bytes"};
        return {};
    }
    [[nodiscard]] static std::string text(std::string_view id) { return std::string(id); }
    [[nodiscard]] static result<std::string> from_text(std::string_view text) {
        return std::string(text);
    }
};

/// The ids of all slots, as columns.
template <class Id, class Storage>
class id_rows {
public:
    [[nodiscard]] static result<id_rows> open(typename Storage::space& space) {
        auto c = space.column("ids", 8, storage::heat::cold);
        VICINAL_CHECK(c);
        return id_rows(*c);
    }
    [[nodiscard]] Id operator[](slot s) const noexcept {
        return static_cast<Id>(*column_->reader().template row_as<std::uint64_t>(s));
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t,
                                         Section const& section) {
        if (slots > column_->capacity()) {
            VICINAL_CHECK(column_->prepare(slots));
            section([&] { column_->commit(); });
        }
        return {};
    }
    void put(slot s, Id id) noexcept {
        if (s >= column_->rows()) column_->resize(s + std::uint64_t{1});
        std::uint64_t const wide = id;
        std::memcpy(column_->edit(s), &wide, sizeof wide);
    }
    void publish() noexcept {}
    void bind() noexcept {}
    void clear() noexcept { column_->resize(0); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        out.push_back(storage::chosen_rows("ids", *column_, kept));
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return column_->rows(); }

private:
    explicit id_rows(typename Storage::column* c) noexcept : column_(c) {}

    typename Storage::column* column_;
};

template <class Storage>
class id_rows<std::string, Storage> {
public:
    [[nodiscard]] static result<id_rows> open(typename Storage::space& space) {
        auto h = heap<Storage>::open(space, "ids");
        VICINAL_CHECK(h);
        return id_rows(*h);
    }
    [[nodiscard]] std::string_view operator[](slot s) const noexcept {
        auto const run = heap_[s];
        return {reinterpret_cast<char const*>(run.data()), run.size()};
    }
    template <class Section>
    [[nodiscard]] result<void> make_room(std::uint64_t slots, std::uint64_t more,
                                         Section const& section) {
        return heap_.make_room(slots, more, section);
    }
    void put(slot s, std::string_view id) noexcept {
        heap_.put(s, std::as_bytes(std::span(id.data(), id.size())));
    }
    void publish() noexcept { heap_.publish(); }
    void bind() noexcept { heap_.bind(); }
    void clear() noexcept { heap_.clear(); }
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        heap_.compact("ids", kept, out);
    }
    [[nodiscard]] std::uint64_t slots() const noexcept { return heap_.slots(); }

private:
    explicit id_rows(heap<Storage> h) noexcept : heap_(h) {}

    heap<Storage> heap_;
};

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

/// The operations of a store as they stand in its log. One log record is one call: all of it
/// happened or nothing.
///
///     u8 kind (1 upsert, 2 erase, 3 clear); u8[3] zero; u32 count; then `count` entries:
///     upsert: u32 bytes of the id, id, vector, u32 bytes of the payload, payload
///     erase:  u32 bytes of the id, id
///
/// Integers little-endian, an integer id as 8 bytes, vectors as they lie in memory.
namespace vicinal::inline VICINAL_ABI::detail {

enum class operation : std::uint8_t { upsert = 1, erase = 2, clear = 3 };

/// One record of a batch, checked and encoded, pointing into what its maker keeps alive.
template <class Id>
struct prepared {
    typename id_traits<Id>::view id;
    std::byte const* vector;
    std::span<std::byte const> payload;
};

/// Builds a log record.
class operation_writer {
public:
    operation_writer(operation kind, std::size_t count, std::size_t bytes) {
        bytes_.reserve(8 + bytes);
        bytes_.assign(4, std::byte{0});
        bytes_[0] = static_cast<std::byte>(kind);
        number(static_cast<std::uint32_t>(count));
    }
    void id(std::string_view text) { run(std::as_bytes(std::span(text.data(), text.size()))); }
    template <std::unsigned_integral Id>
    void id(Id number_id) {
        std::byte wide[8];
        store_le<std::uint64_t>(wide, number_id);
        run(wide);
    }
    void run(std::span<std::byte const> bytes) {
        number(static_cast<std::uint32_t>(bytes.size()));
        raw(bytes);
    }
    void raw(std::span<std::byte const> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return bytes_; }

private:
    void number(std::uint32_t n) {
        std::byte four[4];
        store_le(four, n);
        raw(four);
    }

    std::vector<std::byte> bytes_;
};

/// Reads a log record. Every length is checked against what is there.
class operation_reader {
public:
    explicit operation_reader(std::span<std::byte const> bytes) noexcept : left_(bytes) {}

    [[nodiscard]] bool number(std::uint32_t& n) noexcept {
        std::span<std::byte const> four;
        if (!raw(4, four)) return false;
        n = load_le<std::uint32_t>(four.data());
        return true;
    }
    [[nodiscard]] bool raw(std::size_t n, std::span<std::byte const>& out) noexcept {
        if (left_.size() < n) return false;
        out = left_.first(n);
        left_ = left_.subspan(n);
        return true;
    }
    [[nodiscard]] bool run(std::span<std::byte const>& out) noexcept {
        std::uint32_t n = 0;
        return number(n) && raw(n, out);
    }
    [[nodiscard]] bool id(std::string_view& out) noexcept {
        std::span<std::byte const> bytes;
        if (!run(bytes) || bytes.empty()) return false;
        out = {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
        return true;
    }
    template <std::unsigned_integral Id>
    [[nodiscard]] bool id(Id& out) noexcept {
        std::span<std::byte const> bytes;
        if (!run(bytes) || bytes.size() != 8) return false;
        auto const wide = load_le<std::uint64_t>(bytes.data());
        out = static_cast<Id>(wide);
        return out == wide;
    }
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

private:
    std::span<std::byte const> left_;
};

template <class Id>
[[nodiscard]] operation_writer write_upsert(std::span<prepared<Id> const> batch,
                                            std::size_t vector_bytes) {
    std::size_t bytes = 0;
    for (auto const& p : batch)
        bytes += 16 + vector_bytes + p.payload.size() + id_traits<Id>::bytes_of(p.id);
    operation_writer w(operation::upsert, batch.size(), bytes);
    for (auto const& p : batch) {
        w.id(p.id);
        w.raw({p.vector, vector_bytes});
        w.run(p.payload);
    }
    return w;
}

/// Reads the entries of an upsert; false where they are not what write_upsert gives.
template <class Id>
[[nodiscard]] bool read_upsert(operation_reader& r, std::uint32_t count, std::size_t vector_bytes,
                               std::vector<prepared<Id>>& batch) {
    batch.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        prepared<Id> p{};
        std::span<std::byte const> vector;
        if (!r.id(p.id) || !r.raw(vector_bytes, vector) || !r.run(p.payload) ||
            p.payload.size() > largest_run)
            return false;
        p.vector = vector.data();
        batch.push_back(p);
    }
    return r.left() == 0;
}

/// Reads a log record and hands it on: to.upsert(span of prepared), to.erase(id), to.clear(), which
/// give a result<void>. errc::corrupt_log where it is not what vicinal writes; an upsert is then
/// not handed on.
template <class Id, class To>
[[nodiscard]] result<void> read_operation(std::span<std::byte const> record,
                                          std::size_t vector_bytes, To&& to) {
    auto const malformed = [] {
        return error{errc::corrupt_log, "an operation that vicinal writes",
                     "a record of another form"};
    };
    operation_reader r(record);
    std::span<std::byte const> kind;
    std::uint32_t count = 0;
    if (!r.raw(4, kind) || !r.number(count)) return malformed();
    switch (static_cast<operation>(kind[0])) {
        case operation::upsert: {
            std::vector<prepared<Id>> batch;
            if (!read_upsert(r, count, vector_bytes, batch)) return malformed();
            return to.upsert(std::span<prepared<Id> const>(batch));
        }
        case operation::erase: {
            typename id_traits<Id>::view id{};
            for (; count > 0; --count) {
                if (!r.id(id)) return malformed();
                VICINAL_CHECK(to.erase(id));
            }
            return {};
        }
        case operation::clear: return to.clear();
    }
    return malformed();
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/salvage_rows.hpp
#ifndef VICINAL_STORE_SALVAGE_ROWS_HPP
#define VICINAL_STORE_SALVAGE_ROWS_HPP

// ---- vicinal/store/id_map.hpp
#ifndef VICINAL_STORE_ID_MAP_HPP
#define VICINAL_STORE_ID_MAP_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// From an id's hash to the slots that may have it: linear probing, 8 bytes an entry (slot + 1
/// below, 32 bits of the hash above; 0 is free), at most 3/4 full.
///
/// The place comes from the half of the hash that is kept, so that a larger table can be filled
/// from a smaller one. An entry is a hint: the caller compares the id of the slot and asks whether
/// the slot is live. So nothing need be removed, and an entry whose slot has died does no harm.
class id_table {
public:
    using entry = std::uint64_t;

    id_table() = default;
    id_table(entry const* entries, std::uint64_t size) noexcept : entries_(entries), size_(size) {}

    /// The first slot for which is_it(slot) holds, or no_slot.
    template <class IsIt>
    [[nodiscard]] slot find(std::uint64_t hash, IsIt const& is_it) const noexcept {
        if (size_ == 0) return no_slot;
        auto const mask = size_ - 1;
        // A table without a free entry exists only in a damaged file: one round, then no.
        for (std::uint64_t i = 0, at = (hash >> 32) & mask; i < size_; ++i, at = (at + 1) & mask) {
            auto const e = entries_[at];
            if (e == 0) return no_slot;
            auto const s = slot_of(e);
            if (e >> 32 == hash >> 32 && is_it(s)) return s;
        }
        return no_slot;
    }

    [[nodiscard]] static slot slot_of(entry e) noexcept {
        return static_cast<slot>((e & 0xffffffffU) - 1);
    }
    [[nodiscard]] static entry make(std::uint64_t hash, slot s) noexcept {
        return (hash >> 32 << 32) | (std::uint64_t{s} + 1);
    }
    /// Puts an entry into a table that has room.
    static void put(entry* entries, std::uint64_t size, entry e) noexcept {
        auto const mask = size - 1;
        auto at = (e >> 32) & mask;
        while (entries[at] != 0) at = (at + 1) & mask;
        entries[at] = e;
    }

    /// The size of a table that takes `n` entries: a power of two, 0 for none.
    [[nodiscard]] static std::uint64_t size_for(std::uint64_t n) noexcept {
        return n == 0 ? 0 : std::bit_ceil(n + n / 3 + 1);
    }

private:
    entry const* entries_ = nullptr;
    std::uint64_t size_ = 0;
};

/// The id map of a store: a frozen table, as it lies in the snapshot, and behind it what came
/// since.
class id_map {
public:
    /// The table of the snapshot: its size must be 0 or a power of two.
    void freeze(id_table frozen) noexcept {
        clear();
        frozen_ = frozen;
    }

    template <class IsIt>
    [[nodiscard]] slot find(std::uint64_t hash, IsIt const& is_it) const noexcept {
        auto const s = id_table(recent_.data(), recent_.size()).find(hash, is_it);
        return s != no_slot ? s : frozen_.find(hash, is_it);
    }

    /// Makes room for `more` entries, beside the searches; `commit` puts the room into use, with no
    /// search inside.
    void prepare(std::uint64_t more) {
        if ((used_ + more) * 4 <= recent_.size() * 3) return;
        grown_.assign(static_cast<std::size_t>(id_table::size_for(2 * (used_ + more))), 0);
        for (auto const e : recent_)
            if (e != 0) id_table::put(grown_.data(), grown_.size(), e);
    }
    [[nodiscard]] bool prepared() const noexcept { return !grown_.empty(); }
    void commit() noexcept {
        if (grown_.empty()) return;
        recent_.swap(grown_);
        grown_ = {};
    }
    void clear() noexcept {
        frozen_ = {};
        recent_.clear();
        used_ = 0;
    }

    /// Puts a slot, in the place of one of the same hash that has died, if there is one: an id that
    /// is written again and again has one entry, not a run that grows with each time.
    template <class IsDead>
    void put(std::uint64_t hash, slot s, IsDead const& is_dead) noexcept {
        auto const made = id_table::make(hash, s);
        auto const mask = recent_.size() - 1;
        auto at = (hash >> 32) & mask;
        for (; recent_[at] != 0; at = (at + 1) & mask)
            if (recent_[at] >> 32 == hash >> 32 && is_dead(id_table::slot_of(recent_[at]))) {
                recent_[at] = made;
                return;
            }
        recent_[at] = made;
        ++used_;
    }

private:
    id_table frozen_;
    std::vector<id_table::entry> recent_;
    std::vector<id_table::entry> grown_;
    std::uint64_t used_ = 0;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// Bytes of one section of a damaged snapshot: those in blocks whose checksum holds. Keeps the
/// last block, so that reading in order reads the file once.
template <class Os>
class proven_bytes {
public:
    /// `damaged(message)` is told of each block once.
    template <class Damaged>
    proven_bytes(storage::snapshot_file<Os> const& file, std::string_view name, Damaged& damaged)
        : file_(&file), section_(file.find(name)),
          block_(std::make_unique<typename storage::snapshot_file<Os>::block>()),
          damaged_([&damaged](std::string text) { damaged(std::move(text)); }) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return section_ ? section_->rows : 0; }
    [[nodiscard]] std::size_t row_bytes() const noexcept {
        return section_ ? static_cast<std::size_t>(section_->row_bytes) : 0;
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return section_ ? section_->bytes() : 0; }

    /// Appends `n` bytes from `at` to `out`; false where one of them is not proven. An error is
    /// what keeps the file from being read.
    [[nodiscard]] result<bool> read(std::uint64_t at, std::uint64_t n,
                                    std::vector<std::byte>& out) {
        if (at > bytes() || n > bytes() - at) return false;
        while (n > 0) {
            auto const i = at / storage::snapshot_block_bytes;
            auto const good = hold(i);
            VICINAL_CHECK(good);
            if (!*good) return false;
            auto const from = static_cast<std::size_t>(at % storage::snapshot_block_bytes);
            auto const count = static_cast<std::size_t>(
                (std::min<std::uint64_t>)(n, storage::snapshot_block_bytes - from));
            auto const* first = block_->data() + from;
            out.insert(out.end(), first, first + count);
            at += count;
            n -= count;
        }
        return true;
    }
    [[nodiscard]] result<bool> read_row(std::uint64_t row, std::vector<std::byte>& out) {
        out.clear();
        return row < rows() ? read(row * row_bytes(), row_bytes(), out) : result<bool>(false);
    }

private:
    [[nodiscard]] result<bool> hold(std::uint64_t i) {
        if (held_ == i) return good_;
        held_ = no_block;
        auto const done = file_->read_block(*section_, i, *block_);
        if (!done && done.error().code() == errc::out_of_memory) return done.error();
        good_ = static_cast<bool>(done);
        held_ = i;
        if (!good_ && told_.emplace(i, true).second) damaged_(done.error().message());
        return good_;
    }

    static constexpr std::uint64_t no_block = UINT64_MAX;

    storage::snapshot_file<Os> const* file_;
    storage::section const* section_;
    std::unique_ptr<typename storage::snapshot_file<Os>::block> block_;
    std::function<void(std::string)> damaged_;
    std::map<std::uint64_t, bool> told_;
    std::uint64_t held_ = no_block;
    bool good_ = false;
};

/// A record as it lies in a snapshot, type by type unknown: its id as the log has it.
struct salvaged_row {
    std::vector<std::byte> id;
    std::vector<std::byte> vector;
    std::vector<std::byte> payload;
};

/// The live records of a damaged snapshot that can be proven, row by row.
template <class Os>
class proven_rows {
public:
    template <class Damaged>
    proven_rows(storage::snapshot_file<Os> const& file, bool text_ids, Damaged& damaged)
        : live_(file, "live", damaged), vectors_(file, "vectors", damaged),
          ids_(file, text_ids ? "ids.places" : "ids", damaged), id_heap_(file, "ids.heap", damaged),
          payloads_(file, "payloads.places", damaged),
          payload_heap_(file, "payloads.heap", damaged), map_(file, "ids.map", damaged),
          text_ids_(text_ids) {}

    [[nodiscard]] std::uint64_t count() const noexcept {
        return (std::max)({live_.rows(), vectors_.rows(), ids_.rows(), payloads_.rows()});
    }
    [[nodiscard]] std::size_t vector_bytes() const noexcept { return vectors_.row_bytes(); }

    enum class outcome { record, dead, lost };

    /// Reads row `s` into `row`; where it is lost, the id is there if that could be read.
    [[nodiscard]] result<outcome> read(std::uint64_t s, salvaged_row& row) {
        row.id.clear();
        auto const alive = is_live(s);
        VICINAL_CHECK(alive);
        if (*alive && !**alive) return outcome::dead;
        auto good = text_ids_ ? run(ids_, id_heap_, s, row.id) : ids_.read_row(s, row.id);
        VICINAL_CHECK(good);
        if (!*good || row.id.empty()) row.id.clear();
        // Rows of which not even this is known may have been dead.
        if (row.id.empty() || !*alive) return outcome::lost;
        good = vectors_.read_row(s, row.vector);
        VICINAL_CHECK(good);
        if (!*good) return outcome::lost;
        good = run(payloads_, payload_heap_, s, row.payload);
        VICINAL_CHECK(good);
        return *good ? outcome::record : outcome::lost;
    }

private:
    /// By its flag; where that is damaged by the id map, which has every live row and no other.
    [[nodiscard]] result<std::optional<bool>> is_live(std::uint64_t s) {
        auto const good = live_.read_row(s, scratch_);
        VICINAL_CHECK(good);
        if (*good) return std::optional(scratch_[0] != std::byte{0});
        VICINAL_CHECK(read_map());
        if (s < mapped_.size() && mapped_[static_cast<std::size_t>(s)]) return std::optional(true);
        return whole_map_ ? std::optional(false) : std::optional<bool>();
    }
    [[nodiscard]] result<void> read_map() {
        if (!mapped_.empty()) return {};
        mapped_.resize(static_cast<std::size_t>(count()));
        whole_map_ = map_.row_bytes() == sizeof(id_table::entry);
        for (std::uint64_t i = 0; whole_map_ && i < map_.rows(); ++i) {
            auto const good = map_.read_row(i, scratch_);
            VICINAL_CHECK(good);
            if (!*good) {
                missing_map_ = true;
                continue;
            }
            auto const e = load_le<id_table::entry>(scratch_.data());
            if (e != 0 && id_table::slot_of(e) < mapped_.size())
                mapped_[id_table::slot_of(e)] = true;
        }
        whole_map_ = whole_map_ && !missing_map_;
        return {};
    }
    /// The run of bytes of a row.
    [[nodiscard]] result<bool> run(proven_bytes<Os>& places, proven_bytes<Os>& heap,
                                   std::uint64_t s, std::vector<std::byte>& out) {
        out.clear();
        auto const good = places.read_row(s, scratch_);
        VICINAL_CHECK(good);
        if (!*good || scratch_.size() != sizeof(std::uint64_t)) return false;
        auto const place = load_le<std::uint64_t>(scratch_.data());
        return heap.read(place >> 24, place & largest_run, out);
    }

    proven_bytes<Os> live_;
    proven_bytes<Os> vectors_;
    proven_bytes<Os> ids_;
    proven_bytes<Os> id_heap_;
    proven_bytes<Os> payloads_;
    proven_bytes<Os> payload_heap_;
    proven_bytes<Os> map_;
    bool text_ids_;
    std::vector<std::byte> scratch_;
    std::vector<bool> mapped_;
    bool whole_map_ = false;
    bool missing_map_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

#if VICINAL_HAS_FILES
// ---- vicinal/storage/posix.hpp
#ifndef VICINAL_STORAGE_POSIX_HPP
#define VICINAL_STORAGE_POSIX_HPP

#if VICINAL_HAS_FILES

#    include <array>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstdio>
#    include <limits>
#    include <string>
#    include <vector>

#    include <dirent.h>
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <time.h>
#    include <unistd.h>
#    if defined(__APPLE__)
#        include <sys/random.h>
#    endif

#    if defined(MAP_ANONYMOUS)
#        define VICINAL_MAP_ANONYMOUS MAP_ANONYMOUS
#    else
#        define VICINAL_MAP_ANONYMOUS MAP_ANON
#    endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The operating-system calls of the durable storages, one thin function each: -1 (or nullptr) and
/// errno on failure. The storages take this as a template parameter and call nothing else, so that
/// a test can fail, tear or drop any one of them. Interrupted and short calls are the callers' to
/// repeat. All descriptors are closed on exec; names inside a store are never followed as links.
struct posix {
    static int open_directory(char const* path) noexcept {
        return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    static int make_directory(char const* path) noexcept { return ::mkdir(path, 0700); }
    static int open_read(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    static int open_write(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    /// Makes the file, or opens the one that is there, with its contents.
    static int open_or_make(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    /// Makes the file, or empties the one that is there.
    static int open_empty(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    static int close_file(int file) noexcept { return ::close(file); }

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        return fits(offset) ? ::pread(file, into, n, static_cast<::off_t>(offset)) : -1;
    }
    static std::ptrdiff_t write_at(int file, void const* from, std::size_t n,
                                   std::uint64_t offset) noexcept {
        return fits(offset) ? ::pwrite(file, from, n, static_cast<::off_t>(offset)) : -1;
    }
    static int truncate_file(int file, std::uint64_t bytes) noexcept {
        return fits(bytes) ? ::ftruncate(file, static_cast<::off_t>(bytes)) : -1;
    }
    static std::int64_t file_bytes(int file) noexcept {
        struct ::stat s {};
        if (::fstat(file, &s) != 0) return -1;
        return static_cast<std::int64_t>(s.st_size);
    }

    /// The contents of a file and its size reach the disk.
    static int sync_data(int file) noexcept {
#    if defined(__APPLE__)
        return sync_all(file);
#    else
        return ::fdatasync(file);
#    endif
    }
    /// A file, or the names in a directory, reach the disk.
    static int sync_all(int file) noexcept {
#    if defined(__APPLE__)
        // fsync leaves the data in the drive's own cache there.
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;
#    endif
        return ::fsync(file);
    }
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        return ::renameat(directory, from, directory, to);
    }
    /// Gives each of two names what the other has, in one step: EINVAL or ENOSYS where the system
    /// or the file system can't.
    static int exchange_names(int directory, char const* a, char const* b) noexcept {
#    if defined(RENAME_EXCHANGE)
        return ::renameat2(directory, a, directory, b, RENAME_EXCHANGE);
#    elif defined(RENAME_SWAP)
        return ::renameatx_np(directory, a, directory, b, RENAME_SWAP);
#    else
        static_cast<void>(directory);
        static_cast<void>(a);
        static_cast<void>(b);
        errno = ENOSYS;
        return -1;
#    endif
    }
    static int remove_file(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, 0);
    }
    /// Only an empty one.
    static int remove_directory(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, AT_REMOVEDIR);
    }
    /// Another number for the same open file.
    static int duplicate(int file) noexcept { return ::fcntl(file, F_DUPFD_CLOEXEC, 0); }
    /// 1 where both numbers are of one file or directory, 0 where not.
    static int same_file(int a, int b) noexcept {
        struct ::stat of_a {};
        struct ::stat of_b {};
        if (::fstat(a, &of_a) != 0 || ::fstat(b, &of_b) != 0) return -1;
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino ? 1 : 0;
    }
    /// Belongs to the open file, not to the process: a second open in the same process is refused
    /// too, and closing another descriptor of the file does not give it up.
    static int try_lock(int file) noexcept { return ::flock(file, LOCK_EX | LOCK_NB); }

    /// The names in a directory, without "." and "..".
    static int list(int directory, std::vector<std::string>& names) {
        names.clear();
        int const again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) return -1;
        ::DIR* const d = ::fdopendir(again);
        if (d == nullptr) {
            int const why = errno;
            ::close(again);
            errno = why;
            return -1;
        }
        errno = 0;
        while (auto const* e = ::readdir(d)) {
            std::string name(&e->d_name[0]);
            if (name != "." && name != "..") names.push_back(std::move(name));
            errno = 0;
        }
        int const why = errno;
        ::closedir(d);
        errno = why;
        return why == 0 ? 0 : -1;
    }

    /// Address space without memory behind it: touching it faults until it is allowed or mapped.
    static void* reserve(std::size_t bytes) noexcept {
        int flags = MAP_PRIVATE | VICINAL_MAP_ANONYMOUS;
#    if defined(MAP_NORESERVE)
        flags |= MAP_NORESERVE;
#    endif
        void* const p = ::mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
        return p == MAP_FAILED ? nullptr : p;
    }
    /// Makes reserved pages readable and writable; they read as zero.
    static int allow(void* at, std::size_t bytes) noexcept {
        if (bytes >= huge_page) ask_for_huge_pages(at, bytes);
        return ::mprotect(at, bytes, PROT_READ | PROT_WRITE);
    }
    /// Puts a piece of a file into reserved address space. What is written there stays private.
    static int map_file(void* at, std::size_t bytes, int file, std::uint64_t offset) noexcept {
        if (!fits(offset)) return -1;
        void* const p = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                               static_cast<::off_t>(offset));
        return p == MAP_FAILED ? -1 : 0;
    }
    static int release(void* at, std::size_t bytes) noexcept { return ::munmap(at, bytes); }
    static std::size_t page_bytes() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    /// Bytes that no other log has: up to 256 of them.
    static int random_bytes(void* into, std::size_t n) noexcept { return ::getentropy(into, n); }
    static long process_id() noexcept { return static_cast<long>(::getpid()); }
    static std::string host_name() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
        return name.data();
    }
    /// Seconds since 1970, UTC.
    static std::int64_t seconds() noexcept { return static_cast<std::int64_t>(::time(nullptr)); }
    static void pause(std::uint32_t milliseconds) noexcept {
        struct ::timespec const t{static_cast<::time_t>(milliseconds / 1000),
                                  static_cast<long>(milliseconds % 1000) * 1000000L};
        ::nanosleep(&t, nullptr);
    }

private:
    static bool fits(std::uint64_t offset) noexcept {
        if (offset <= static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)()))
            return true;
        errno = EOVERFLOW;
        return false;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
#endif

namespace vicinal::inline VICINAL_ABI {

/// What was got out of a damaged store, and what was not: each loss also as a sentence in
/// `problems`, with its place.
struct salvage_report : problem_list {
    /// Records of the snapshot, and rows that were lost: something of them, or whether they were
    /// live at all, could not be proven.
    std::uint64_t records = 0;
    std::uint64_t lost_rows = 0;
    /// Writes since then, from the log, and numbers of writes that are missing between them.
    std::uint64_t writes = 0;
    std::uint64_t lost_writes = 0;
    /// Bytes of logs in which no valid write was found: a broken write at the end, or damage.
    std::uint64_t lost_log_bytes = 0;
};

namespace detail {

/// Reads a damaged directory and writes what it proves as one log of a new store.
template <class Os>
class salvager {
public:
    [[nodiscard]] result<salvage_report> run(std::string_view from, std::string_view to) {
        auto directory = storage::store_directory<Os>::open(from);
        if (!directory) return directory.error();
        from_ = *std::move(directory);
        auto const found = from_.list();
        if (!found) return found.error();
        auto snapshot = choose(*found);
        VICINAL_CHECK(snapshot);
        auto const& layout = snapshot->layout();
        auto const* const id = layout.properties.find("id");
        text_ids_ = id == nullptr || *id == "string";
        last_lsn_ = layout.last_lsn;
        auto made = storage::new_directory<Os>::make(to, false);
        if (!made) return made.error();
        auto header = begin(made->files(), layout.properties);
        VICINAL_CHECK(header);
        auto const written =
            make_closed_log<Os>(made->files(), *header, [&](auto& log) -> result<void> {
                VICINAL_CHECK(take_rows(*snapshot, log));
                std::set<std::pair<std::uint64_t, bool>> logs;
                for (auto const g : found->closed_logs) logs.emplace(g, true);
                for (auto const g : found->logs) logs.emplace(g, false);
                for (auto const& [g, closed] : logs)
                    if (g >= layout.generation)
                        VICINAL_CHECK(
                            take_log(closed ? closed_log_name(g) : log_name(g), layout.uuid, log));
                return {};
            });
        VICINAL_CHECK(written);
        VICINAL_CHECK(made->publish());
        return std::move(report_);
    }

private:
    /// The newest snapshot whose layout can be had.
    [[nodiscard]] result<storage::snapshot_file<Os>> choose(store_listing const& found) {
        auto list = found.snapshots;
        std::sort(list.rbegin(), list.rend());
        for (auto const g : list) {
            auto const name = snapshot_name(g);
            auto file = open_damaged<Os>(from_.number(), name, from_.shown(name), report_);
            if (file || file.error().code() == errc::newer_format) return file;
            if (report_.ok()) report_.add(file.error().message());
        }
        if (list.empty())
            return error{errc::not_found, "a snapshot in '" + from_.path() + "'", "none"};
        return error{errc::corrupt_snapshot, "a snapshot that says what it holds",
                     report_.problems.empty() ? "" : report_.problems.front()};
    }

    /// The new store's empty snapshot; gives what its log begins with.
    [[nodiscard]] result<log_header> begin(storage::store_directory<Os> const& to,
                                           storage::properties const& properties) {
        storage::snapshot_layout first;
        if (Os::random_bytes(first.uuid.data(), first.uuid.size()) != 0) {
            int const reason = errno;
            return system_failure(reason, "16 random bytes for a new store");
        }
        first.generation = 1;
        first.properties = properties;
        log_header header;
        header.uuid = first.uuid;
        header.generation = 1;
        auto const name = snapshot_name(1);
        VICINAL_CHECK(storage::write_snapshot<Os>(to.number(), name, to.shown(name),
                                                  std::move(first), {}, true));
        return header;
    }

    template <class Log>
    [[nodiscard]] result<void> take_rows(storage::snapshot_file<Os> const& file, Log& log) {
        auto const damaged = [this](std::string text) { report_.add(std::move(text)); };
        proven_rows<Os> rows(file, text_ids_, damaged);
        using outcome = typename proven_rows<Os>::outcome;
        vector_bytes_ = rows.vector_bytes();
        std::vector<salvaged_row> batch;
        std::size_t bytes = 0;
        for (std::uint64_t s = 0; s < rows.count(); ++s) {
            salvaged_row row;
            auto const got = rows.read(s, row);
            VICINAL_CHECK(got);
            if (*got == outcome::lost) {
                ++report_.lost_rows;
                report_.add("row " + std::to_string(s) + name_of(row.id) + ": not proven");
            }
            if (*got != outcome::record) continue;
            bytes += row.id.size() + row.vector.size() + row.payload.size();
            batch.push_back(std::move(row));
            if (bytes >= batch_bytes) {
                VICINAL_CHECK(write(batch, log));
                batch.clear();
                bytes = 0;
            }
        }
        return write(batch, log);
    }
    template <class Log>
    [[nodiscard]] result<void> write(std::vector<salvaged_row> const& batch, Log& log) {
        if (batch.empty()) return {};
        std::vector<prepared<std::string>> entries;
        for (auto const& r : batch)
            entries.push_back({{reinterpret_cast<char const*>(r.id.data()), r.id.size()},
                               r.vector.data(),
                               r.payload});
        report_.records += batch.size();
        auto const record = write_upsert<std::string>(
            std::span<prepared<std::string> const>(entries), vector_bytes_);
        return log.append(log_kind::batch, record.bytes(), false);
    }

    template <class Log>
    [[nodiscard]] result<void> take_log(std::string const& name, storage::store_uuid const& uuid,
                                        Log& log) {
        auto const shown = from_.shown(name);
        storage::descriptor<Os> const file(
            uninterrupted([&] { return Os::open_read(from_.number(), name.c_str()); }));
        auto const size = file ? Os::file_bytes(file.get()) : -1;
        std::array<std::byte, log_header_bytes> bytes{};
        auto const n = size < 0 ? result<std::size_t>(error{errc::io_failure, "to open " + shown})
                                : storage::read_up_to<Os>(file.get(), 0, bytes, shown);
        if (!n) {
            report_.add(n.error().message());
            return {};
        }
        auto header = decode_log_header(bytes.data(), shown);
        if (!header) {
            report_.add(header.error().message());
            static_cast<void>(
                repair_bit(std::span(bytes).first(60), load_le<std::uint32_t>(bytes.data() + 60)));
            header = decode_log_header(bytes.data(), shown);
        }
        if (header && header->uuid != uuid) {
            report_.add(shown + " is another store's");
            return {};
        }
        // Where more of the header is damaged the salt may be right still: records say so.
        auto const walked = walk_log<Os>(
            file.get(), shown, static_cast<std::uint64_t>(size),
            load_le<std::uint64_t>(bytes.data() + 48), last_lsn_,
            [&](whole_record const& r) { return take_record(r, shown, log); },
            [&](std::uint64_t from, std::uint64_t to) {
                report_.lost_log_bytes += to - from;
                report_.add("no valid record from byte " + std::to_string(from) + " to " +
                            std::to_string(to) + " of " + shown);
            });
        if (walked || walked.error().code() == errc::out_of_memory || !took_all_) return walked;
        report_.add(walked.error().message());
        return {};
    }
    template <class Log>
    [[nodiscard]] result<void> take_record(whole_record const& w, std::string const& shown,
                                           Log& log) {
        auto const lsn = w.record.lsn;
        if (lsn <= last_lsn_) return {};
        if (lsn != last_lsn_ + 1) {
            report_.lost_writes += lsn - last_lsn_ - 1;
            report_.add("writes " + std::to_string(last_lsn_ + 1) + " to " +
                        std::to_string(lsn - 1) + " are missing in " + shown);
        }
        last_lsn_ = lsn;
        if (w.record.kind != static_cast<std::uint8_t>(log_kind::batch)) return {};
        auto const payload = w.bytes.subspan(log_record_bytes, w.record.payload_bytes);
        // A store that was never checkpointed does not say how long its vectors are.
        if (vector_bytes_ != 0)
            if (auto const form = read_operation<std::string>(payload, vector_bytes_, looked_at{});
                !form) {
                ++report_.lost_writes;
                report_.add("write " + std::to_string(lsn) + " of " + shown + ": " +
                            form.error().message());
                return {};
            }
        ++report_.writes;
        auto done = log.append(log_kind::batch, payload, false);
        took_all_ = static_cast<bool>(done);
        return done;
    }

    struct looked_at {
        [[nodiscard]] result<void> upsert(std::span<prepared<std::string> const>) const {
            return {};
        }
        [[nodiscard]] result<void> erase(std::string_view) const { return {}; }
        [[nodiscard]] result<void> clear() const { return {}; }
    };

    [[nodiscard]] std::string name_of(std::vector<std::byte> const& id) const {
        if (id.empty()) return {};
        if (text_ids_)
            return " ('" + std::string(reinterpret_cast<char const*>(id.data()), id.size()) + "')";
        return id.size() == 8 ? " (" + std::to_string(load_le<std::uint64_t>(id.data())) + ")" : "";
    }

    static constexpr std::size_t batch_bytes = std::size_t{1} << 20;

    storage::store_directory<Os> from_;
    salvage_report report_;
    bool text_ids_ = true;
    std::size_t vector_bytes_ = 0;
    std::uint64_t last_lsn_ = 0;
    /// What was written so far reached the new log.
    bool took_all_ = true;
};

template <class Os>
[[nodiscard]] result<salvage_report> salvage_store(std::string_view from, std::string_view to) {
    return guarded([&]() -> result<salvage_report> {
        auto done = salvager<Os>().run(from, to);
        if (!done) return unpoisoned(done.error());
        return done;
    });
}

} // namespace detail

#if VICINAL_HAS_FILES

/// Makes a store at `to` of what can be proven of the damaged one at `from`, which is only read:
/// rows of the snapshot whose blocks have the right checksums, then the log's writes, those behind
/// damage too. At `to` nothing may be yet; it opens with the types of the damaged one, and its
/// first checkpoint() builds the index.
///
/// A lost write may have been one that erased or replaced a record: what it did is not done in the
/// new store. A writer should not have `from` open. Errors: not_found, corrupt_snapshot (no
/// snapshot says what it holds), newer_format, invalid_argument (something is at `to`), locked,
/// io_failure, out_of_memory.
[[nodiscard]] inline result<salvage_report> try_salvage(std::string_view from,
                                                        std::string_view to) {
    return detail::salvage_store<storage::posix>(from, to);
}

#    if VICINAL_EXCEPTIONS
inline salvage_report salvage(std::string_view from, std::string_view to) {
    return try_salvage(from, to).value();
}
#    endif

#endif

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/store/store.hpp
#ifndef VICINAL_STORE_STORE_HPP
#define VICINAL_STORE_STORE_HPP

// ---- vicinal/store/batch.hpp
#ifndef VICINAL_STORE_BATCH_HPP
#define VICINAL_STORE_BATCH_HPP

// ---- vicinal/store/vector_check.hpp
#ifndef VICINAL_STORE_VECTOR_CHECK_HPP
#define VICINAL_STORE_VECTOR_CHECK_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// Refuses a vector that a store of this metric and dimension can't hold or answer: another length,
/// NaN or infinity, no direction. `whose` ends the message, as in "for 'readme'". dim steps.
template <metric::model Metric>
[[nodiscard]] result<void> check_vector(vector_view<metric::element_of<Metric>> v, std::size_t dim,
                                        std::string_view whose) {
    auto const of = [whose](std::string got) { return got.append(" for ").append(whose); };
    if (v.size() != dim)
        return error{errc::dimension_mismatch, std::to_string(dim) + " elements",
                     of(std::to_string(v.size()))};
    if constexpr (std::floating_point<metric::element_of<Metric>>) {
        using limits = std::numeric_limits<metric::element_of<Metric>>;
        bool finite = true;
        for (auto const x : v) finite &= x >= limits::lowest() && x <= (limits::max)();
        if (!finite) {
            std::size_t at = 0;
            while (v.data()[at] >= limits::lowest() && v.data()[at] <= (limits::max)()) ++at;
            return error{
                errc::not_finite, "finite elements",
                of((v.data()[at] != v.data()[at] ? "NaN at element " : "infinity at element ") +
                   std::to_string(at))};
        }
    }
    if constexpr (metric::needs_direction<Metric>) {
        bool some = false;
        for (auto const x : v) some |= x != 0;
        if (!some) return error{errc::zero_vector, "a vector with a direction", of("zeros")};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// A range whose records stay where they are while it is walked: a batch points into them, which
/// what an iterator makes on the way would not outlive.
template <class Range, class Record>
concept range_of = requires(Range const& r) {
    requires std::forward_iterator<decltype(std::begin(r))>;
    { *std::begin(r) } -> std::same_as<Record const&>;
}
|| requires(Range const& r) {
    requires std::forward_iterator<decltype(std::begin(r))>;
    { *std::begin(r) } -> std::same_as<Record&>;
};

/// Records on their way in, checked and with their payloads encoded. Ids and vectors are the
/// caller's and stay with him.
template <class Metric, class Payload, class Id>
class batch {
public:
    using traits = id_traits<Id>;
    using id_view = typename traits::view;
    using element = metric::element_of<Metric>;

    explicit batch(std::size_t dim) noexcept : dim_(dim) {}

    /// Checks one record and takes it in.
    [[nodiscard]] result<void> add(id_view id, vector_view<element> vector,
                                   typename Payload::value_type const& payload) {
        VICINAL_CHECK(traits::check(id));
        VICINAL_CHECK(check_vector<Metric>(vector, dim_, "'" + traits::text(id) + "'"));
        auto const begin = payloads_.size();
        if (auto const encoded = Payload::encode(payload, payloads_); !encoded)
            return error{encoded.error().code(), encoded.error().expected(),
                         encoded.error().got() + " for '" + traits::text(id) + "'"};
        if (payloads_.size() - begin > largest_run)
            return error{errc::invalid_payload,
                         "at most " + std::to_string(largest_run) + " bytes of payload",
                         std::to_string(payloads_.size() - begin) + " for '" + traits::text(id) +
                             "'"};
        entries_.push_back({id, reinterpret_cast<std::byte const*>(vector.data()), {}});
        ends_.push_back({begin, payloads_.size()});
        return {};
    }

    /// Refuses a batch that names an id twice.
    [[nodiscard]] result<void> check_ids() const {
        std::vector<id_view> ids;
        ids.reserve(entries_.size());
        for (auto const& e : entries_) ids.push_back(e.id);
        std::sort(ids.begin(), ids.end());
        auto const twice = std::adjacent_find(ids.begin(), ids.end());
        if (twice == ids.end()) return {};
        return error{errc::duplicate_id, "each id once in a batch",
                     "'" + traits::text(*twice) + "' twice"};
    }

    /// The batch as the engine takes it; valid until the next add.
    [[nodiscard]] std::span<prepared<Id> const> entries() {
        auto const all = std::as_bytes(std::span(payloads_.data(), payloads_.size()));
        for (std::size_t i = 0; i < entries_.size(); ++i)
            entries_[i].payload = all.subspan(ends_[i].first, ends_[i].last - ends_[i].first);
        return entries_;
    }

private:
    struct range {
        std::size_t first;
        std::size_t last;
    };

    std::size_t dim_;
    std::vector<prepared<Id>> entries_;
    std::vector<range> ends_;
    std::string payloads_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/checked.hpp
#ifndef VICINAL_STORE_CHECKED_HPP
#define VICINAL_STORE_CHECKED_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// The store's first base: says in a sentence what is wrong with a combination, before anything
/// else of it is compiled.
template <class Metric, class Index, class Storage, class Payload, class Id>
struct checked {
    static_assert(metric::model<Metric>,
                  "vicinal: store<Metric, ...>: the first argument must be a metric, such as "
                  "metric::cosine; see vicinal/metric/concept.hpp");
    static_assert(
        index::model<Index>,
        "vicinal: store<Metric, Index, ...>: the second argument must be an index, such as "
        "index::hnsw<>; see vicinal/index/concept.hpp");
    static_assert(storage::model<Storage>,
                  "vicinal: store<Metric, Index, Storage, ...>: the third argument must be a "
                  "storage, such as storage::memory; see vicinal/storage/concept.hpp");
    static_assert(
        payload::model<Payload>,
        "vicinal: store<..., Payload, ...>: the fourth argument must be a payload, such as "
        "payload::fields; see vicinal/payload/concept.hpp");
    static_assert(id_like<Id>,
                  "vicinal: store<..., Id>: the id must be std::string or an unsigned integer");
    static_assert(
        !Storage::durable || !metric::name_of<Metric>().empty(),
        "vicinal: a metric of a durable store needs a name for its files: static constexpr "
        "std::string_view name = \"...\"");
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/engine.hpp
#ifndef VICINAL_STORE_ENGINE_HPP
#define VICINAL_STORE_ENGINE_HPP

// ---- vicinal/store/background.hpp
#ifndef VICINAL_STORE_BACKGROUND_HPP
#define VICINAL_STORE_BACKGROUND_HPP

#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
#    include <atomic>
#    include <system_error>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// One thread that does work in steps beside a store's callers, if they asked for one. Without
/// threads or exceptions, or where the system gives none, the work is left to those who write.
class background {
public:
#if VICINAL_HAS_THREADS && VICINAL_EXCEPTIONS
    background() = default;
    background(background const&) = delete;
    background& operator=(background const&) = delete;
    ~background() { stop(); }

    /// Calls step() until it gives false. Does nothing while earlier steps are not done.
    template <class Step>
    void start(Step step) {
        if (thread_ && !done_.load()) return;
        stop();
        stopping_ = false;
        done_ = false;
        try {
            thread_ = std::make_unique<std::thread>([this, step = std::move(step)] {
                while (!stopping_.load() && step()) {
                }
                done_ = true;
            });
        } catch (std::system_error const&) {
            done_ = true;
        }
    }
    /// Waits for the step that is under way.
    void stop() noexcept {
        stopping_ = true;
        if (thread_) thread_->join();
        thread_.reset();
    }
    /// In a child that a fork made there is no such thread: there is nothing to wait for.
    void forget() noexcept { static_cast<void>(thread_.release()); }

private:
    std::unique_ptr<std::thread> thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> done_{true};
#else
    template <class Step>
    void start(Step) noexcept {}
    void stop() noexcept {}
    void forget() noexcept {}
#endif
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/compaction.hpp
#ifndef VICINAL_STORE_COMPACTION_HPP
#define VICINAL_STORE_COMPACTION_HPP

/// Erased and replaced records leave dead slots. Compaction numbers the live ones densely and
/// writes every column anew, beside the searches: in memory into new blocks, in a durable store
/// into the next snapshot. One short section then puts them in place; where a scan has begun
/// meanwhile, which knows slots by their old numbers, they are given up instead.
namespace vicinal::inline VICINAL_ABI::detail {

/// Whether so many slots are dead that numbering anew pays: a quarter. Nearly every list of a graph
/// names a dead node from a tenth on, so that healing it later costs no more; and until then a
/// search looks at no more than a third beyond what it would.
[[nodiscard]] constexpr bool sparse(std::size_t slots, std::size_t live) noexcept {
    return slots > live && (slots - live) * 4 >= slots;
}

/// Dead slots that no write tidies up by itself, whatever their share: some milliseconds' work.
inline constexpr std::size_t least_dead = 1000;

/// Whether these rows, index and storage can be compacted.
template <class Space, class Index>
concept compactable = requires(Space& space, Index const& index, std::span<slot const> kept,
                               std::vector<storage::replacement>& out) {
    space.discard();
    { index.compact(kept, out) } -> std::same_as<result<void>>;
};

/// What every column is to hold when the slots of `kept`, the live ones, become slots 0, 1 and so
/// on; it reads rows, index and `kept` until it is written. Errors: out_of_memory.
template <class Rows, class Index>
[[nodiscard]] result<void> compact(Rows const& rows, Index const& index, std::span<slot const> kept,
                                   std::vector<storage::replacement>& out) {
    return guarded([&]() -> result<void> {
        rows.compact(kept, out);
        return index.compact(kept, out);
    });
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/folding.hpp
#ifndef VICINAL_STORE_FOLDING_HPP
#define VICINAL_STORE_FOLDING_HPP

/// Rows that the log had at opening are not in the index: they are scanned, and folded into it in
/// pieces by the writes that follow, or on a thread that the caller gave.
namespace vicinal::inline VICINAL_ABI::detail {

/// Rows that a write of one takes in beyond its own: some milliseconds' work.
inline constexpr std::size_t least_fold = 16;
/// A piece of the background's work: while it lasts, writers wait.
inline constexpr std::size_t background_fold = 128;

/// Lets the index take in the rows up to `until`. What fails, for want of memory, stays scanned.
template <class Rows, class Index, class Section>
void fold_until(Rows const& rows, Index& index, slot until, Section const& section) {
    static_cast<void>(index.take_in(
        until, [&rows](slot s) { return rows.live(s); }, section));
}

/// After a write of so many rows: takes in as many, and as many again and some of what a replay has
/// left, so that no single write pays for all of that.
template <class Rows, class Index, class Section>
void fold_some(Rows const& rows, Index& index, std::size_t written, Section const& section) {
    auto const most = 2 * written + least_fold;
    auto const left = std::size_t{rows.count()} - (std::min)(index.covered(), rows.count());
    // An index declines rows that are too few for it to begin with.
    for (auto n = most; n < left; n *= 2) {
        fold_until(rows, index, index.covered() + static_cast<slot>(n), section);
        if (index.covered() != 0) return;
    }
    fold_until(rows, index, rows.count(), section);
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/gate.hpp
#ifndef VICINAL_STORE_GATE_HPP
#define VICINAL_STORE_GATE_HPP

#if VICINAL_HAS_THREADS
#    include <atomic>
#    include <mutex>
#    include <thread>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// Keeps searches out of the short moments in which the writer moves or links rows.
///
/// A reader raises a counter of its own part of the gate, so that readers on several processors
/// share no cache line; the writer closes the gate and waits until every counter is down. Writers
/// are few and hold it for microseconds; one writer at a time is the caller's promise.
class gate {
public:
#if VICINAL_HAS_THREADS
    /// Open for one reader while it lives.
    class reader {
    public:
        explicit reader(gate const& g) noexcept : counter_(&g.enter()) {}
        reader(reader const&) = delete;
        reader& operator=(reader const&) = delete;
        ~reader() { counter_->fetch_sub(1, std::memory_order_release); }

    private:
        std::atomic<std::uint32_t>* counter_;
    };

    /// Runs `body` with no reader inside.
    template <class Body>
    void exclude(Body&& body) {
        closed_.store(true, std::memory_order_seq_cst);
        for (auto& p : parts_)
            while (p.inside.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
        std::forward<Body>(body)();
        closed_.store(false, std::memory_order_release);
        closed_.notify_all();
    }

private:
    struct alignas(64) part {
        std::atomic<std::uint32_t> inside{0};
    };
    static constexpr std::size_t parts = 8;

    [[nodiscard]] std::atomic<std::uint32_t>& enter() const noexcept {
        // Threads differ in their stacks; which part one takes only matters for speed.
        char here;
        auto const spread = reinterpret_cast<std::uintptr_t>(&here) >> 16;
        auto& counter = parts_[(spread * 0x9e3779b97f4a7c15ULL >> 32) % parts].inside;
        for (;;) {
            counter.fetch_add(1, std::memory_order_seq_cst);
            if (!closed_.load(std::memory_order_seq_cst)) return counter;
            counter.fetch_sub(1, std::memory_order_release);
            closed_.wait(true, std::memory_order_acquire);
        }
    }

    mutable part parts_[parts];
    std::atomic<bool> closed_{false};
#else
    class reader {
    public:
        explicit reader(gate const&) noexcept {}
        ~reader() {}
    };

    template <class Body>
    void exclude(Body&& body) {
        std::forward<Body>(body)();
    }
#endif
};

#if VICINAL_HAS_THREADS
/// Writers in turn. Work that is done in pieces asks between two of them whether one is waiting: a
/// mutex goes to whoever comes first, and that would be the next piece.
class writer_mutex {
public:
    void lock() {
        ++waiting_;
        mutex_.lock();
        --waiting_;
    }
    void unlock() { mutex_.unlock(); }
    void let_others() const noexcept {
        while (waiting_.load() != 0) std::this_thread::yield();
    }

private:
    std::mutex mutex_;
    std::atomic<std::uint32_t> waiting_{0};
};
using writer_lock = std::lock_guard<writer_mutex>;
#else
struct writer_mutex {
    void let_others() const noexcept {}
};
struct writer_lock {
    explicit writer_lock(writer_mutex&) noexcept {}
    ~writer_lock() {}
};
#endif

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/identity.hpp
#ifndef VICINAL_STORE_IDENTITY_HPP
#define VICINAL_STORE_IDENTITY_HPP

/// What a durable store says of itself in its files, so that a program of other types is told so
/// instead of reading nonsense.
namespace vicinal::inline VICINAL_ABI::detail {

template <class T>
[[nodiscard]] constexpr std::string_view element_name() noexcept {
    if constexpr (std::same_as<T, float>)
        return "f32";
    else if constexpr (std::same_as<T, double>)
        return "f64";
    else if constexpr (std::same_as<T, std::int8_t>)
        return "i8";
    else if constexpr (std::same_as<T, std::uint8_t>)
        return "u8";
    else
        return "other";
}

/// The properties of a store of these types.
template <class Metric, class Index, class Payload, class Id>
[[nodiscard]] storage::properties describe_types(std::size_t dim) {
    return {{"metric", std::string(metric::name_of<Metric>())},
            {"dim", std::to_string(dim)},
            {"element", std::string(element_name<metric::element_of<Metric>>())},
            {"index", std::string(Index::name)},
            {"codec", std::string(Index::codec_type::name)},
            {"payload", std::string(Payload::name)},
            {"id", std::string(id_traits<Id>::name)}};
}

/// The dimension that the properties name; 0 where they name none.
[[nodiscard]] inline std::size_t dim_of(storage::properties const& p) noexcept {
    std::size_t dim = 0;
    if (auto const* text = p.find("dim"))
        std::from_chars(text->data(), text->data() + text->size(), dim);
    return dim;
}

/// Compares what a program expects (dim 0: any) with what the files say. Each difference has its
/// own code.
[[nodiscard]] inline result<void> check_types(storage::properties const& expected,
                                              storage::properties const& found) {
    struct rule {
        std::string_view name;
        errc code;
    };
    constexpr std::array rules{
        rule{"metric", errc::metric_mismatch}, rule{"element", errc::element_mismatch},
        rule{"dim", errc::dimension_mismatch}, rule{"index", errc::index_mismatch},
        rule{"codec", errc::index_mismatch},   rule{"payload", errc::payload_mismatch},
        rule{"id", errc::id_mismatch},
    };
    for (auto const& r : rules) {
        auto const* want = expected.find(r.name);
        auto const* have = found.find(r.name);
        auto const& has = have ? *have : std::string();
        if (!want || *want == has || (r.name == "dim" && *want == "0")) continue;
        return error{r.code, std::string(r.name) + " " + *want,
                     has.empty() ? "a store that names none" : "a store with " + has};
    }
    return {};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/query.hpp
#ifndef VICINAL_STORE_QUERY_HPP
#define VICINAL_STORE_QUERY_HPP

// ---- vicinal/store/filter_cache.hpp
#ifndef VICINAL_STORE_FILTER_CACHE_HPP
#define VICINAL_STORE_FILTER_CACHE_HPP

#if VICINAL_HAS_THREADS
#    include <mutex>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// The slots whose payload a filter holds for, live or not: a bit a slot.
struct matching_slots {
    std::vector<std::uint64_t> words;
    slot rows = 0;
    std::size_t count = 0;
};

/// Which slots the last few filters match, so that a filter that comes again is not evaluated
/// again: a program asks with few filters and many vectors.
///
/// A slot's payload never changes while slots mean the same records (rows.epoch()), so what was
/// found stays true, and only slots that are new are looked at. Memory: an eighth of a byte a row
/// for each of up to eight filters. Safe to share between threads.
class filter_cache {
public:
    using pointer = std::shared_ptr<matching_slots const>;

    /// The matches among all rows; null for a filter that comes for the first time, unless `now`.
    /// Cost: an evaluation for each row that was not looked at yet. Runs inside the reader's
    /// section. Throws std::bad_alloc.
    template <class Rows>
    [[nodiscard]] pointer matching(std::string_view text, filter const& where, Rows const& rows,
                                   bool now) {
        pointer known;
        {
            auto const held = hold();
            auto& e = entry_of(text, rows.epoch());
            bool const again = std::exchange(e.asked, true);
            known = e.found;
            if (known && known->rows == rows.count()) return known;
            if (!known && !again && !now) return nullptr;
        }
        auto fresh = std::make_shared<matching_slots>(known ? *known : matching_slots());
        look_at_new(*fresh, where, rows);
        auto const held = hold();
        auto& e = entry_of(text, rows.epoch());
        if (!e.found || e.found->rows < fresh->rows) e.found = fresh;
        return fresh;
    }

private:
    static constexpr std::size_t most = 8;

    struct entry {
        std::string text;
        std::uint64_t epoch = 0;
        std::uint64_t last_use = 0;
        bool asked = false;
        pointer found;
    };

    /// The entry of a filter; a new one takes the place of the one longest unused.
    entry& entry_of(std::string_view text, std::uint64_t epoch) {
        auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](entry const& e) { return e.text == text && e.epoch == epoch; });
        if (at == entries_.end()) {
            if (entries_.size() == most) {
                at = std::min_element(
                    entries_.begin(), entries_.end(),
                    [](entry const& a, entry const& b) { return a.last_use < b.last_use; });
                *at = {};
            } else {
                at = entries_.insert(at, entry());
            }
            at->text = text;
            at->epoch = epoch;
        }
        at->last_use = ++uses_;
        return *at;
    }

    template <class Rows>
    static void look_at_new(matching_slots& m, filter const& where, Rows const& rows) {
        m.words.resize((std::size_t{rows.count()} + 63) / 64);
        for (slot s = m.rows; s < rows.count(); ++s)
            if (where.matches(rows.payload(s))) {
                m.words[s / 64] |= std::uint64_t{1} << (s % 64);
                ++m.count;
            }
        m.rows = rows.count();
    }

#if VICINAL_HAS_THREADS
    [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
    std::mutex mutex_;
#else
    [[nodiscard]] static int hold() noexcept { return 0; }
#endif
    std::vector<entry> entries_;
    std::uint64_t uses_ = 0;
};

/// A filter's matches that are live, as a scan or a walk asks for them.
template <class Live>
class live_matches {
public:
    live_matches(matching_slots const& matches, Live live) noexcept
        : words_(matches.words.data()), rows_(matches.rows), live_(live) {}

    [[nodiscard]] bool operator()(slot s) const noexcept {
        return s < rows_ && (words_[s / 64] >> (s % 64) & 1) != 0 && live_(s);
    }
    /// The bits of the 64 slots from first on, which is a multiple of 64 below the rows' count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        auto const bits = words_[first / 64];
        return bits == 0 ? 0 : bits & live_.word(first);
    }

private:
    std::uint64_t const* words_;
    slot rows_;
    Live live_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/options.hpp
#ifndef VICINAL_STORE_OPTIONS_HPP
#define VICINAL_STORE_OPTIONS_HPP

namespace vicinal::inline VICINAL_ABI {

/// How a store is made or opened.
template <class Index>
struct store_options {
    /// Elements of a vector, 1 to 65,536. May be left out where the directory of a durable store is
    /// there already.
    std::size_t dim = 0;
    /// What "written" means; see there. Without effect on stores in memory.
    vicinal::durability durability = durability::full;
    /// Opens a durable store beside its writer, as of this moment, and changes nothing.
    bool read_only = false;
    /// A directory keeps the values that it was made with.
    typename Index::options index = {};
    /// Threads that a durable store may use beside its callers'. With 1 or more, records that only
    /// the log had at opening join the index beside everything else, linked on so many threads; the
    /// store then has one thread of its own until that is done. With 0 there is none: each write
    /// takes some of them in, and until then they are scanned.
    std::size_t threads = 0;
    /// How long opening waits for another writer to leave, in milliseconds; then errc::locked.
    std::uint32_t lock_timeout_ms = 0;
};

/// What a search asks for.
struct search_options {
    /// How many hits; fewer come only where fewer records match.
    std::size_t k = 10;
    /// A filter such as "year >= 2023 and tags contains 'ml'" (docs/filters.md); empty keeps all.
    std::string where = {};
    /// The wanted share of true neighbours among the hits, 0 to 1: the library finds the effort.
    double recall = 0.95;
    /// The effort by hand instead (the width of the beam in a graph); 0 leaves it to `recall`.
    std::size_t effort = 0;
    /// Looks at every matching record: the true neighbours, ties by id.
    bool exact = false;
    /// Keeps hits up to this distance, inclusive.
    double max_distance = std::numeric_limits<double>::infinity();
    /// Threads that the search of a matrix may use, the caller's one of them; the others live for
    /// that call. Changes no answer. Without effect on one query, on indexes that walk, and in
    /// builds without threads.
    std::size_t threads = 1;
};

/// Counts of a store at one moment.
struct store_stats {
    /// Live records.
    std::size_t records = 0;
    /// Rows that the index covers; the rest of `rows` is scanned exactly.
    std::size_t indexed_rows = 0;
    /// Rows in use: live records, and those that an update or erase has left.
    std::size_t rows = 0;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/store/planner.hpp
#ifndef VICINAL_STORE_PLANNER_HPP
#define VICINAL_STORE_PLANNER_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// How a query is answered.
enum class plan : std::uint8_t {
    /// Every matching row is compared: exact.
    scan,
    /// The index leads to near rows; what does not match is walked through.
    walk,
};

/// The share of live rows that match, from at most 200 of them; never 0, as a sample can't show
/// that. The slots looked at depend on the count alone, so that the same store plans the same.
template <class Keep>
[[nodiscard]] double estimate_selectivity(slot count, Keep const& keep) {
    constexpr std::uint32_t most = 200;
    auto const looked_at = (std::min)(count, slot{most});
    std::uint32_t matched = 0;
    for (std::uint32_t i = 0; i < looked_at; ++i) {
        auto const s = count <= most ? i : static_cast<slot>(mix(i) % count);
        matched += keep(s) ? 1U : 0U;
    }
    return (matched + 0.5) / (looked_at + 0.5);
}

/// Chooses between scanning the matches and walking the index.
///
/// Costs in units of one distance. Scanning evaluates the filter on each row and compares the
/// matches. A filtered walk goes on until `effort` matches are found, through effort / selectivity
/// rows, and meets about eight neighbours for each that count (an estimate).
[[nodiscard]] inline plan choose_plan(slot count, double selectivity, std::size_t effort) noexcept {
    double const rows = count;
    double const scan = rows + selectivity * rows;
    double const walk = (std::min)(8.0 * static_cast<double>(effort) / selectivity, rows) * 2 * 1.5;
    return scan <= walk ? plan::scan : plan::walk;
}

/// The same where the matches are known and shown as bits, so that neither plan evaluates anything:
/// scanning compares their codes, one behind the other, at some 0.4 of the cost of a distance on a
/// walk. A walk for W nodes computes some 100 + 15 W distances (measured on sift, 32 links).
[[nodiscard]] inline plan choose_known_plan(slot count, std::size_t matching,
                                            std::size_t effort) noexcept {
    double const m = static_cast<double>((std::max)(matching, std::size_t{1}));
    double const nodes = static_cast<double>(effort) * count / m;
    return 0.4 * m <= 100 + 15 * nodes ? plan::scan : plan::walk;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// Where distances are equal the smaller id comes first.
template <class Rows>
struct earlier_id {
    Rows const* rows;
    [[nodiscard]] bool operator()(slot a, slot b) const noexcept {
        return rows->id(a) < rows->id(b);
    }
};

/// Calls run(keep) with what a scan of these rows and this filter need ask of a slot: nothing where
/// every row is live, the flags, or flags and filter.
template <class Rows, class Run>
auto with_matching(Rows const& rows, filter const& where, Run const& run) {
    if (!where.empty())
        return run([&](slot s) { return rows.live(s) && where.matches(rows.payload(s)); });
    if (rows.live_count() == rows.count()) return run(index::keep_all{});
    return run(rows.live_slots());
}

/// One query on its way down: from options to slots with exact distances. Runs while the caller's
/// reader section is open.
template <class Metric, class Rows, class Index>
class query {
public:
    using element = metric::element_of<Metric>;

    query(Rows const& rows, Index const& index, std::size_t dim, element const* vector,
          filter const& where, search_options const& options, filter_cache& filters) noexcept
        : rows_(rows), index_(index), dim_(dim), vector_(vector), where_(where), options_(options),
          filters_(filters) {}

    /// min(k, matching) neighbours, nearest first, ties by id.
    [[nodiscard]] result<index::neighbours> run() const {
        auto const k = (std::min)(options_.k, rows_.live_count());
        if (k == 0) return index::neighbours{};
        auto found = answer(k);
        VICINAL_CHECK(found);
        while (!found->empty() &&
               static_cast<double>(found->back().distance) > options_.max_distance)
            found->pop_back();
        return found;
    }

private:
    using by_id = earlier_id<Rows>;

    [[nodiscard]] result<index::neighbours> answer(std::size_t k) const {
        if constexpr (Index::exact) {
            return scan(k);
        } else {
            if (options_.exact || index_.covered() == 0) return scan(k);
            auto const effort =
                options_.effort != 0 ? options_.effort : index_.effort_for(k, options_.recall);
            if (!where_.empty()) return answer_filtered(k, effort);
            if (rows_.live_count() == rows_.count()) return walk(k, effort, index::keep_all{});
            return answer_among(k, effort, rows_.live_slots(), rows_.live_count());
        }
    }

    /// A filter that was asked before is a bitmap. One that is new is tried on a sample: where few
    /// rows match, all are looked at, which gives the bitmap; else the walk asks as it goes.
    [[nodiscard]] result<index::neighbours> answer_filtered(std::size_t k,
                                                            std::size_t effort) const {
        auto found = filters_.matching(options_.where, where_, rows_, false);
        auto const keep = [this](slot s) { return matches(s); };
        if (!found) {
            auto const share = estimate_selectivity(rows_.count(), keep);
            if (choose_plan(rows_.count(), share, effort) == plan::walk)
                return walk(k, effort, keep);
            found = filters_.matching(options_.where, where_, rows_, true);
        }
        auto const share =
            static_cast<double>(rows_.live_count()) / static_cast<double>(rows_.count());
        auto const matching = static_cast<std::size_t>(static_cast<double>(found->count) * share);
        live_matches const all(*found, rows_.live_slots());
        return answer_among((std::min)(k, found->count), effort, all, matching);
    }

    /// Among rows that show their bits, about `matching` of them.
    template <class Keep>
    [[nodiscard]] result<index::neighbours>
    answer_among(std::size_t k, std::size_t effort, Keep const& keep, std::size_t matching) const {
        if (choose_known_plan(rows_.count(), matching, effort) == plan::walk)
            return walk(k, effort, keep);
        index::nearest best(k, by_id{&rows_});
        VICINAL_CHECK(index_.scan_into(vector_, keep, best));
        scan_into(best, index_.covered(), keep);
        return best.take();
    }

    [[nodiscard]] bool matches(slot s) const noexcept {
        return rows_.live(s) && (where_.empty() || where_.matches(rows_.payload(s)));
    }

    /// By the index itself where it is exact: it may know a shorter way to the same answer.
    [[nodiscard]] result<index::neighbours> scan(std::size_t k) const {
        index::nearest best(k, by_id{&rows_});
        with_matching(rows_, where_, [&](auto const& keep) {
            slot tail = 0;
            if constexpr (requires { index_.scan(vector_, keep, best); }) {
                index_.scan(vector_, keep, best);
                tail = index_.covered();
            }
            scan_into(best, tail, keep);
        });
        return best.take();
    }

    template <class Keep>
    void scan_into(index::nearest<by_id>& best, slot first, Keep const& keep) const {
        index::scan_exactly<Metric>(rows_.vectors().reader(), first, rows_.count(), vector_, dim_,
                                    keep, best);
    }

    /// The index for what it covers, a scan for the fresh tail; a scan of everything if together
    /// they come to fewer than k.
    template <class Keep>
    [[nodiscard]] result<index::neighbours> walk(std::size_t k, std::size_t effort,
                                                 Keep const& keep) const {
        index::nearest best(k, by_id{&rows_});
        VICINAL_CHECK(index_.search_into(vector_, effort, keep, best));
        scan_into(best, index_.covered(), keep);
        if (best.size() < k) return scan(k);
        return best.take();
    }

    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    element const* vector_;
    filter const& where_;
    search_options const& options_;
    filter_cache& filters_;
};

/// Whether an index answers many queries at once, exactly.
template <class Index>
concept batched = requires {
    requires Index::exact;
}
&&requires(Index const& index, typename Index::element const* queries,
           std::span<index::nearest<>> best) {
    {
        index.scan_batch(queries, best, index::keep_all{}, std::size_t{1})
        } -> std::same_as<result<void>>;
};

/// Many queries on their way down together: to each what `query` would give. Runs while the
/// caller's reader section is open, so that all see the same rows.
template <class Metric, class Rows, class Index>
class query_batch {
public:
    using element = metric::element_of<Metric>;

    query_batch(Rows const& rows, Index const& index, std::size_t dim, filter const& where,
                search_options const& options) noexcept
        : rows_(rows), index_(index), dim_(dim), where_(where), options_(options) {}

    /// For `count` queries, one behind the other.
    [[nodiscard]] result<std::vector<index::neighbours>> run(element const* queries,
                                                             std::size_t count) const {
        auto const k = (std::min)(options_.k, rows_.live_count());
        std::vector<index::neighbours> found(count);
        if (k == 0) return found;
        using nearest = index::nearest<earlier_id<Rows>>;
        std::vector<nearest> best(count, nearest(k, earlier_id<Rows>{&rows_}));
        auto const scanned = with_matching(rows_, where_, [&](auto const& keep) -> result<void> {
            VICINAL_CHECK(index_.scan_batch(queries, std::span(best), keep, options_.threads));
            for (std::size_t i = 0; i < count; ++i)
                index::scan_exactly<Metric>(rows_.vectors().reader(), index_.covered(),
                                            rows_.count(), queries + i * dim_, dim_, keep, best[i]);
            return {};
        });
        VICINAL_CHECK(scanned);
        for (std::size_t i = 0; i < count; ++i) {
            found[i] = best[i].take();
            while (!found[i].empty() &&
                   static_cast<double>(found[i].back().distance) > options_.max_distance)
                found[i].pop_back();
        }
        return found;
    }

private:
    Rows const& rows_;
    Index const& index_;
    std::size_t dim_;
    filter const& where_;
    search_options const& options_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/rows.hpp
#ifndef VICINAL_STORE_ROWS_HPP
#define VICINAL_STORE_ROWS_HPP

// ---- vicinal/store/live_slots.hpp
#ifndef VICINAL_STORE_LIVE_SLOTS_HPP
#define VICINAL_STORE_LIVE_SLOTS_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// The live slots below `count`, as a predicate that a scan may ask for 64 at a time: dead runs are
/// then passed over without a look at their rows. Reads the column of flags, a byte a slot, 0 or 1.
template <class Reader>
class live_slots {
public:
    live_slots(Reader flags, slot count) noexcept : flags_(flags), count_(count) {}

    [[nodiscard]] bool operator()(slot s) const noexcept { return *flags_.row(s) != std::byte{0}; }

    /// The bits of the 64 slots from first on, which is a multiple of 64 below count.
    [[nodiscard]] std::uint64_t word(slot first) const noexcept {
        std::uint64_t bits = 0;
        if (count_ - first >= 64 && std::endian::native == std::endian::little) {
            auto const* const flags = flags_.row(first);
            for (unsigned i = 0; i < 64; i += 8) {
                std::uint64_t eight = 0;
                std::memcpy(&eight, flags + i, 8);
                // The product brings bit 0 of byte j to bit 56 + j; no two sums meet there.
                bits |= (eight * 0x0102040810204080U >> 56) << i;
            }
            return bits;
        }
        for (slot i = 0; i < 64 && i < count_ - first; ++i)
            bits |= std::uint64_t{(*this)(first + i)} << i;
        return bits;
    }

private:
    Reader flags_;
    slot count_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// The records of a store, slot by slot: vector, id, payload, and whether the slot is live; and the
/// map from ids to slots.
///
/// Slots from 0 to count() are published: queries see them. The writer fills slots behind them,
/// then publishes all of a batch in one section, in which it also ends the life of what they
/// replace.
template <class Metric, class Storage, class Payload, class Id>
class rows {
public:
    using element = metric::element_of<Metric>;
    using column = typename Storage::column;
    using traits = id_traits<Id>;
    using id_view = typename traits::view;

    [[nodiscard]] static result<rows> open(typename Storage::space& space, std::size_t dim) {
        auto vectors = space.column("vectors", dim * sizeof(element), storage::heat::cold);
        VICINAL_CHECK(vectors);
        auto live = space.column("live", 1, storage::heat::hot);
        VICINAL_CHECK(live);
        auto map = space.column("ids.map", sizeof(id_table::entry), storage::heat::cold);
        VICINAL_CHECK(map);
        auto ids = id_rows<Id, Storage>::open(space);
        VICINAL_CHECK(ids);
        auto payloads = heap<Storage>::open(space, "payloads");
        VICINAL_CHECK(payloads);
        rows r(**vectors, **live, **map, *ids, *payloads);
        VICINAL_CHECK(r.bind());
        return r;
    }

    /// Takes what the columns hold as the published state.
    [[nodiscard]] result<void> bind() {
        auto const n = live_->rows();
        ids_.bind();
        payloads_.bind();
        if (n >= no_slot || vectors_->rows() != n || ids_.slots() != n || payloads_.slots() != n ||
            (map_->rows() & (map_->rows() - 1)) != 0)
            return error{errc::corrupt_snapshot, "columns of equal length",
                         std::to_string(n) + " live flags, " + std::to_string(vectors_->rows()) +
                             " vectors"};
        count_ = static_cast<slot>(n);
        ++epoch_;
        live_count_ = 0;
        for (slot s = 0; s < count_; ++s) live_count_ += live(s) ? 1U : 0U;
        freeze_map();
        return {};
    }
    /// Takes the map's column as the frozen part, with nothing behind it. Inside the section.
    void freeze_map() noexcept {
        map_of_.freeze({map_->reader().template row_as<id_table::entry>(0), map_->rows()});
    }

    [[nodiscard]] slot count() const noexcept { return count_; }
    /// Another number whenever slots begin to mean other records.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    /// Takes the place of rows whose numbers went up to `before`.
    void begin_behind(std::uint64_t before) noexcept { epoch_ += before; }
    [[nodiscard]] std::size_t live_count() const noexcept { return live_count_; }
    [[nodiscard]] bool live(slot s) const noexcept {
        return *live_->reader().row(s) != std::byte{0};
    }
    [[nodiscard]] id_view id(slot s) const noexcept { return ids_[s]; }
    [[nodiscard]] std::span<std::byte const> payload(slot s) const noexcept { return payloads_[s]; }
    [[nodiscard]] element const* vector(slot s) const noexcept {
        return vectors_->reader().template row_as<element>(s);
    }
    [[nodiscard]] column const& vectors() const noexcept { return *vectors_; }
    /// The same as a predicate that outlives no section.
    [[nodiscard]] auto live_slots() const noexcept {
        return detail::live_slots(live_->reader(), count_);
    }

    /// The live slot of an id, or no_slot.
    [[nodiscard]] slot find(id_view id) const noexcept {
        return map_of_.find(traits::hash(id),
                            [&](slot s) { return s < count_ && live(s) && ids_[s] == id; });
    }

    /// Makes room for a batch, copying beside the searches and swapping inside `section`.
    template <class Section>
    [[nodiscard]] result<void> make_room(std::span<prepared<Id> const> batch,
                                         Section const& section) {
        std::uint64_t const slots = std::uint64_t{count_} + batch.size();
        if (slots >= no_slot)
            return error{errc::limit_exceeded, "at most 4,294,967,294 rows in a store"};
        std::uint64_t id_bytes = 0;
        std::uint64_t payload_bytes = 0;
        for (auto const& p : batch) {
            id_bytes += traits::bytes_of(p.id);
            payload_bytes += p.payload.size();
        }
        for (auto* c : {vectors_, live_})
            if (slots > c->capacity()) {
                VICINAL_CHECK(c->prepare(slots));
                section([&] { c->commit(); });
            }
        VICINAL_CHECK(ids_.make_room(slots, id_bytes, section));
        VICINAL_CHECK(payloads_.make_room(slots, payload_bytes, section));
        map_of_.prepare(batch.size());
        if (map_of_.prepared()) section([&] { map_of_.commit(); });
        return {};
    }

    /// Writes a batch into the slots behind the published ones, dead for now. There is room.
    void put(std::span<prepared<Id> const> batch) noexcept {
        auto const slots = count_ + batch.size();
        vectors_->resize(slots);
        live_->resize(slots);
        slot s = count_;
        for (auto const& p : batch) {
            std::memcpy(vectors_->edit(s), p.vector, vectors_->row_bytes());
            ids_.put(s, p.id);
            payloads_.put(s, p.payload);
            ++s;
        }
    }

    /// Makes the batch that was put live, and what it replaces dead. Inside the section.
    void publish(std::span<prepared<Id> const> batch) noexcept {
        ids_.publish();
        payloads_.publish();
        slot s = count_;
        for (auto const& p : batch) {
            if (auto const old = find(p.id); old != no_slot) end(old);
            map_of_.put(traits::hash(p.id), s, [this](slot other) { return !live(other); });
            *live_->edit(s) = std::byte{1};
            ++live_count_;
            count_ = ++s;
        }
    }

    /// Ends the life of a live slot. Inside the section.
    void end(slot s) noexcept {
        *live_->edit(s) = std::byte{0};
        --live_count_;
    }

    /// Forgets every record, so that slots begin at 0 again. Inside the section, with no scan
    /// pending.
    void reset() noexcept {
        vectors_->resize(0);
        live_->resize(0);
        map_->resize(0);
        ids_.clear();
        payloads_.clear();
        map_of_.clear();
        count_ = 0;
        live_count_ = 0;
        ++epoch_;
    }

    /// The id map as the next snapshot shall have it: every live record, nothing else.
    [[nodiscard]] std::vector<id_table::entry> frozen_map() const {
        std::vector<id_table::entry> table(
            static_cast<std::size_t>(id_table::size_for(live_count_)), 0);
        for (slot s = 0; s < count_; ++s)
            if (live(s))
                id_table::put(table.data(), table.size(), id_table::make(traits::hash(ids_[s]), s));
        return table;
    }

    [[nodiscard]] std::vector<slot> list_live() const {
        std::vector<slot> slots;
        slots.reserve(live_count_);
        for (slot s = 0; s < count_; ++s)
            if (live(s)) slots.push_back(s);
        return slots;
    }
    /// Adds to `out` what the columns are to hold when the slots of `kept`, all that are live,
    /// become slots 0, 1 and so on; the slots stay in place until that is written.
    void compact(std::span<slot const> kept, std::vector<storage::replacement>& out) const {
        std::vector<id_table::entry> map(static_cast<std::size_t>(id_table::size_for(kept.size())),
                                         0);
        for (std::size_t i = 0; i < kept.size(); ++i)
            id_table::put(map.data(), map.size(),
                          id_table::make(traits::hash(ids_[kept[i]]), static_cast<slot>(i)));
        out.push_back(storage::owned_rows("ids.map", sizeof(id_table::entry), std::move(map)));
        out.push_back(storage::chosen_rows("vectors", *vectors_, kept));
        out.push_back(
            storage::owned_rows("live", 1, std::vector<std::byte>(kept.size(), std::byte{1})));
        ids_.compact(kept, out);
        payloads_.compact("payloads", kept, out);
    }
    /// Takes the columns as compact() wrote them. Inside the section.
    void compacted() noexcept {
        ids_.bind();
        payloads_.bind();
        freeze_map();
        count_ = static_cast<slot>(live_->rows());
        live_count_ = count_;
        ++epoch_;
    }

private:
    rows(column& vectors, column& live, column& map, id_rows<Id, Storage> ids,
         heap<Storage> payloads) noexcept
        : vectors_(&vectors), live_(&live), map_(&map), ids_(ids), payloads_(payloads) {}

    column* vectors_;
    column* live_;
    column* map_;
    id_rows<Id, Storage> ids_;
    heap<Storage> payloads_;
    id_map map_of_;
    slot count_ = 0;
    std::size_t live_count_ = 0;
    std::uint64_t epoch_ = 0;
};

/// The record of a slot, bit for bit. Errors: corrupt_snapshot, where a payload does not decode.
template <class Record, class Payload, class Id, class Rows>
[[nodiscard]] result<Record> decode_record(Rows const& rows, slot s, std::size_t dim) {
    auto payload = Payload::decode(rows.payload(s));
    if (!payload) {
        if (payload.error().code() == errc::out_of_memory) return payload.error();
        return error{errc::corrupt_snapshot, "a payload that decodes", payload.error().message()};
    }
    auto const* vector = rows.vector(s);
    return Record{Id(rows.id(s)), {vector, vector + dim}, std::move(*payload)};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/verification.hpp
#ifndef VICINAL_STORE_VERIFICATION_HPP
#define VICINAL_STORE_VERIFICATION_HPP

namespace vicinal::inline VICINAL_ABI {

/// What a store found when it looked at all that it has.
struct verify_report : problem_list {
    /// Live records that were read.
    std::size_t records = 0;
    /// Rows that the index covers, and rows in use.
    std::size_t indexed_rows = 0;
    std::size_t rows = 0;
};

namespace detail {

/// Compares a durable store's files with their checksums. Damage goes into the report; an error is
/// what kept it from being looked for.
template <class Space>
[[nodiscard]] result<void> verify_files(Space const& space, verify_report& report) {
    auto const files = space.verify();
    if (files) return {};
    auto const code = files.error().code();
    if (code != errc::corrupt_snapshot && code != errc::corrupt_log) return files.error();
    report.add(files.error().message());
    return {};
}

/// Looks at every live record of the rows, and at the way that the index has to it.
///
/// Found are: an id that is none or does not lead back to its record, a vector that the metric
/// refuses, a payload that does not decode, a record that no walk of the index comes to.
template <class Metric, class Payload, class Id, class Rows, class Index>
void verify_rows(Rows const& rows, Index const& index, std::size_t dim, verify_report& report) {
    using traits = id_traits<Id>;
    auto const name = [&rows](slot s) {
        return "record '" + traits::text(rows.id(s)) + "' (row " + std::to_string(s) + ")";
    };
    for (slot s = 0; s < rows.count(); ++s) {
        if (!rows.live(s)) continue;
        ++report.records;
        if (auto const id = traits::check(rows.id(s)); !id)
            report.add(name(s) + ": " + id.error().message());
        else if (auto const found = rows.find(rows.id(s)); found != s)
            report.add(name(s) + ": its id leads to " +
                       (found == no_slot ? "no row" : "row " + std::to_string(found)));
        vector_view<metric::element_of<Metric>> const vector(rows.vector(s), dim);
        if (auto const good = check_vector<Metric>(vector, dim, "its vector"); !good)
            report.add(name(s) + ": " + good.error().message());
        if (auto const payload = Payload::decode(rows.payload(s)); !payload)
            report.add(name(s) + ": " + payload.error().message());
    }
    report.rows = rows.count();
    report.indexed_rows = index.covered();
    if (index.covered() > rows.count())
        report.add("the index covers " + std::to_string(index.covered()) + " rows of " +
                   std::to_string(rows.count()));
    else if constexpr (requires { index.unreachable([](slot) { return true; }); })
        for (auto const s : index.unreachable([&rows](slot r) { return rows.live(r); }))
            report.add(name(s) + ": no walk of the index comes to it");
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif

#if VICINAL_HAS_THREADS
#    include <atomic>
#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// What stands behind a store, at one address for its life: the opened storage, the rows, the
/// index, and what keeps the writer and the readers apart.
///
/// A write goes: check, make room, log, fill rows that no query sees yet, publish in one exclusive
/// section, let the index take in. Up to the log nothing is changed, and after it nothing can fail:
/// rows that the index could not take in (for want of memory) are scanned exactly until it can.
template <class Metric, class Index, class Storage, class Payload, class Id>
class engine {
public:
    using element = metric::element_of<Metric>;
    using space = typename Storage::space;
    using rows_type = rows<Metric, Storage, Payload, Id>;
    using index_type = typename Index::template of<Metric, Storage>;
    using id_view = typename id_traits<Id>::view;
    using entry = prepared<Id>;

    /// Opens the columns of a space. For a durable one, replays its log: appending rows, no graph.
    [[nodiscard]] static result<std::unique_ptr<engine>>
    open(space opened, std::size_t dim, typename Index::options const& options) {
        std::unique_ptr<engine> e(new engine(std::move(opened), dim));
        auto table = rows_type::open(e->space_, dim);
        VICINAL_CHECK(table);
        e->rows_.emplace(std::move(*table));
        auto index = index_type::open(e->space_, e->rows_->vectors(), dim, options);
        VICINAL_CHECK(index);
        e->index_.emplace(std::move(*index));
        if constexpr (Storage::durable) VICINAL_CHECK(e->space_.replay(e->applier()));
        e->opened_ = true;
        return e;
    }

    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    /// Writes a checkpoint where the log has grown past a tenth of the snapshot, so that the next
    /// open is quick. What fails here is in the log and not lost.
    ~engine() {
        if constexpr (Storage::durable) {
            if (!space_.own_process()) {
                background_.forget();
                return;
            }
            background_.stop();
            if (opened_ && !space_.read_only() && space_.log_bytes() * 10 > space_.snapshot_bytes())
                static_cast<void>(checkpoint_locked());
        }
    }

    /// Has the index take in what a replay has left to it, on a thread of its own.
    void fold_beside() {
        background_.start([this] {
            writer_.let_others();
            writer_lock const held(writer_);
            auto const before = index_->covered();
            fold_some(*rows_, *index_, background_fold, section());
            return index_->covered() != before && index_->covered() < rows_->count();
        });
    }

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] space const& storage() const noexcept { return space_; }
    /// What recent filters match; safe to use as a reader.
    [[nodiscard]] filter_cache& filters() const noexcept { return filters_; }

    /// Inserts or replaces a batch whose entries are checked: all of it or nothing.
    [[nodiscard]] result<void> upsert(std::span<entry const> batch) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(rows_->make_room(batch, section()));
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(write_upsert<Id>(batch, vector_bytes()).bytes()));
        append(batch);
        fold_some(*rows_, *index_, batch.size(), section());
        tidy_if_due();
        return {};
    }

    /// Removes a record; false where there is none of that id.
    [[nodiscard]] result<bool> erase(id_view id) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        auto const s = rows_->find(id);
        if (s == no_slot) return false;
        if constexpr (Storage::durable) {
            operation_writer w(operation::erase, 1, id_traits<Id>::bytes_of(id) + 4);
            w.id(id);
            VICINAL_CHECK(space_.log(w.bytes()));
        }
        section()([&] { rows_->end(s); });
        fold_some(*rows_, *index_, 0, section());
        tidy_if_due();
        return true;
    }

    [[nodiscard]] result<void> clear() {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        if constexpr (Storage::durable)
            VICINAL_CHECK(space_.log(operation_writer(operation::clear, 0, 0).bytes()));
        clear_rows();
        return {};
    }

    /// Folds the fresh tail into the index and writes the next generation. Readers go on meanwhile.
    [[nodiscard]] result<void> checkpoint() requires(Storage::durable) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        take_in();
        return checkpoint_locked();
    }

    /// A copy of the store as it is now. Only its beginning waits for a writer.
    [[nodiscard]] result<storage::copy_report>
    backup(std::string_view to) requires(Storage::durable) {
        auto const files = [this] {
            writer_lock const held(writer_);
            return space_.hold();
        }();
        VICINAL_CHECK(files);
        return storage::copy_to(*files, to, false);
    }

    /// Moves a reader to the newest state; whether there was any other. Where the store has a new
    /// generation, reopen() gives an engine of it, which takes this one's place; not while a scan
    /// is open, which knows slots by their present numbers.
    template <class Reopen>
    [[nodiscard]] result<bool> refresh(Reopen const& reopen) requires(Storage::durable) {
        writer_lock const held(writer_);
        if (!space_.read_only()) return false;
        auto const more = space_.catch_up(applier());
        VICINAL_CHECK(more);
        if (*more) return **more != 0;
        if (pins_ != 0) return false;
        auto fresh = reopen();
        VICINAL_CHECK(fresh);
        bool moved = false;
        section()([&, &other = **fresh] {
            if (moved = pins_ == 0; !moved) return;
            other.rows_->begin_behind(rows_->epoch());
            std::swap(space_, other.space_);
            std::swap(rows_, other.rows_);
            std::swap(index_, other.index_);
        });
        return moved;
    }

    /// Gives back what dead slots hold, in a durable store by a checkpoint; while a scan is open,
    /// or with an index or storage that can't, nothing. Readers go on meanwhile.
    [[nodiscard]] result<void> compact() {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        if (pins_ != 0 || rows_->live_count() == rows_->count()) return {};
        take_in();
        if constexpr (Storage::durable)
            return checkpoint_locked(true);
        else
            return compact_locked();
    }

    /// Runs `body(rows, index)` as a reader: what it sees stays in place until it returns. Must not
    /// be nested: a writer that closes the gate between the two waits for the first forever.
    template <class Body>
    auto read(Body&& body) const {
        typename gate::reader const inside(gate_);
        return std::forward<Body>(body)(*rows_, *index_);
    }

    /// The record of a slot, bit for bit. Errors: corrupt_snapshot, where a payload does not
    /// decode.
    template <class Record>
    [[nodiscard]] result<Record> copy_record(slot s) const {
        return read([&](auto const& rows, auto const&) { return record_of<Record>(rows, s); });
    }
    /// The same inside of `read`.
    template <class Record>
    [[nodiscard]] result<Record> record_of(rows_type const& rows, slot s) const {
        return decode_record<Record, Payload, Id>(rows, s, dim_);
    }

    /// Reads all there is, on the disk first; writers wait. Damage goes into the report; an error
    /// is what kept it from being looked for.
    [[nodiscard]] result<verify_report> verify() {
        writer_lock const held(writer_);
        verify_report report;
        if constexpr (Storage::durable) VICINAL_CHECK(verify_files(space_, report));
        read([&](rows_type const& rows, index_type const& index) {
            verify_rows<Metric, Payload, Id>(rows, index, dim_, report);
        });
        return report;
    }

    /// Measures the index's recall by effort; see store::try_tune.
    [[nodiscard]] result<index::tuning> tune() requires(!index_type::exact) {
        writer_lock const held(writer_);
        VICINAL_CHECK(check_writable());
        VICINAL_CHECK(index_->tune([this](slot s) { return rows_->live(s); }, section()));
        return index_->tuned();
    }

    /// While there are pins, slots are not given to other records.
    void pin() noexcept { ++pins_; }
    void unpin() noexcept { --pins_; }

private:
    engine(space opened, std::size_t dim) : space_(std::move(opened)), dim_(dim) {}

    [[nodiscard]] std::size_t vector_bytes() const noexcept { return dim_ * sizeof(element); }

    [[nodiscard]] auto section() noexcept {
        return [this](auto&& body) { gate_.exclude(body); };
    }

    [[nodiscard]] result<void> check_writable() const {
        if constexpr (Storage::durable)
            if (space_.read_only()) return error{errc::read_only, "a store opened for writing"};
        return {};
    }

    void append(std::span<entry const> batch) noexcept {
        rows_->put(batch);
        section()([&] { rows_->publish(batch); });
    }

    /// Lets the index take in all that it lags behind.
    void take_in() { fold_until(*rows_, *index_, rows_->count(), section()); }
    void clear_rows() noexcept {
        section()([&] {
            if (pins_ == 0) {
                rows_->reset();
                index_->clear();
                dead_before_ = 0;
            } else {
                for (slot s = 0; s < rows_->count(); ++s)
                    if (rows_->live(s)) rows_->end(s);
            }
        });
    }

    /// Repeats what a log record says. Rows are appended, nothing is built.
    struct logged {
        engine& e;
        [[nodiscard]] result<void> upsert(std::span<entry const> batch) const {
            VICINAL_CHECK(e.rows_->make_room(batch, e.section()));
            e.append(batch);
            return {};
        }
        [[nodiscard]] result<void> erase(id_view id) const {
            if (auto const s = e.rows_->find(id); s != no_slot)
                e.section()([&] { e.rows_->end(s); });
            return {};
        }
        [[nodiscard]] result<void> clear() const {
            e.clear_rows();
            return {};
        }
    };
    [[nodiscard]] auto applier() noexcept {
        return [this](std::span<std::byte const> record) {
            return read_operation<Id>(record, vector_bytes(), logged{*this});
        };
    }

    /// Checkpoints and compacts where it is time to; rows that the index lags behind go into the
    /// snapshot as they are. What fails (a full disk, no memory) loses nothing: the log has it all,
    /// and dead slots may stay. The next try comes when log or dead slots have doubled.
    void tidy_if_due() {
        auto const dead = rows_->count() - rows_->live_count();
        bool const compacts = pins_ == 0 && dead >= (std::max)(least_dead, dead_before_) &&
                              sparse(rows_->count(), rows_->live_count());
        if constexpr (Storage::durable) {
            constexpr std::uint64_t least = std::uint64_t{64} << 20;
            auto const due = (std::max)({least, space_.snapshot_bytes() / 10, not_before_});
            if ((compacts || space_.log_bytes() > due) && !checkpoint_locked())
                not_before_ = 2 * space_.log_bytes();
        } else if (compacts) {
            static_cast<void>(compact_locked());
        }
        if (compacts && rows_->live_count() != rows_->count()) dead_before_ = 2 * dead;
    }

    [[nodiscard]] result<void> checkpoint_locked(bool compacts = false) requires(Storage::durable) {
        return guarded([&]() -> result<void> {
            std::vector<slot> kept;
            std::vector<storage::replacement> fresh;
            if (compacts || sparse(rows_->count(), rows_->live_count())) {
                auto const made = compact_into(kept, fresh);
                compacts = made && *made; // without memory for it, dead slots are written too
            }
            if (!compacts) {
                fresh.clear();
                fresh.push_back(
                    storage::owned_rows("ids.map", sizeof(id_table::entry), rows_->frozen_map()));
            }
            auto const types = describe_types<Metric, Index, Payload, Id>(dim_);
            VICINAL_CHECK(space_.checkpoint(fresh, types));
            put_in_place(compacts);
            not_before_ = 0;
            return {};
        });
    }

    [[nodiscard]] result<void> compact_locked() requires(!Storage::durable) {
        return guarded([&]() -> result<void> {
            if constexpr (compactable<space, index_type>) {
                std::vector<slot> kept;
                std::vector<storage::replacement> fresh;
                auto const made = compact_into(kept, fresh);
                VICINAL_CHECK(made);
                if (!*made) return {};
                VICINAL_CHECK(space_.stage(fresh));
                put_in_place(true);
            }
            return {};
        });
    }

    /// Works out the columns without dead slots. False where that is not possible now: a scan is
    /// open, the index lags behind for want of memory, or there is none for this.
    [[nodiscard]] result<bool> compact_into(std::vector<slot>& kept,
                                            std::vector<storage::replacement>& fresh) {
        if constexpr (compactable<space, index_type>) {
            auto const covered = index_->covered();
            if (pins_ != 0 || (covered != 0 && covered != rows_->count())) return false;
            return guarded([&]() -> result<bool> {
                kept = rows_->list_live();
                VICINAL_CHECK(detail::compact(*rows_, *index_, kept, fresh));
                return true;
            });
        }
        return false;
    }

    /// Lets readers see the columns that were staged. Compacted ones are given up where a scan has
    /// begun meanwhile: it knows slots by their old numbers.
    void put_in_place(bool compacted) noexcept {
        section()([&] {
            if (compacted && pins_ != 0) return;
            space_.adopt();
            if (!compacted) return rows_->freeze_map();
            rows_->compacted();
            dead_before_ = 0;
            if constexpr (compactable<space, index_type>) index_->compacted();
        });
        if constexpr (compactable<space, index_type>) space_.discard();
    }

    space space_;
    std::size_t dim_;
    std::optional<rows_type> rows_;
    std::optional<index_type> index_;
    writer_mutex writer_;
    gate gate_;
    mutable filter_cache filters_;
#if VICINAL_HAS_THREADS
    std::atomic<std::size_t> pins_{0};
#else
    std::size_t pins_ = 0;
#endif
    std::uint64_t not_before_ = 0;
    std::size_t dead_before_ = 0;
    bool opened_ = false;
    background background_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/opening.hpp
#ifndef VICINAL_STORE_OPENING_HPP
#define VICINAL_STORE_OPENING_HPP

// ---- vicinal/simd/check.hpp
#ifndef VICINAL_SIMD_CHECK_HPP
#define VICINAL_SIMD_CHECK_HPP

namespace vicinal::inline VICINAL_ABI::simd {

/// Whether an instruction set that was forced is one that can be obeyed on a CPU whose best is
/// `best`. Errors: invalid_argument (no such name), unsupported (the CPU lacks it).
[[nodiscard]] inline result<void> check(forced_instruction_set const& forced,
                                        instruction_set best) {
    if (forced.word.empty() || forced.able) return {};
    std::string const got = "VICINAL_ISA=" + std::string(forced.word.substr(0, 64));
    if (!forced.known) {
        std::string names;
        for (auto const set : all_instruction_sets)
            names.append(names.empty() ? "" : ", ").append(name(set));
        return error{errc::invalid_argument, "one of " + names, got};
    }
    return error{errc::unsupported,
                 "an instruction set that this CPU has, at most " + std::string(name(best)), got};
}

/// Whether the environment variable VICINAL_ISA is one that this CPU can obey; what opens a store
/// asks first. Kernels run on the best set that is legal in any case. Errors: invalid_argument (no
/// such name), unsupported (the CPU lacks it).
[[nodiscard]] inline result<void> check() { return check(forced(), best_instruction_set()); }

} // namespace vicinal::inline VICINAL_ABI::simd

#endif
// ---- vicinal/storage/open_options.hpp
#ifndef VICINAL_STORAGE_OPEN_OPTIONS_HPP
#define VICINAL_STORAGE_OPEN_OPTIONS_HPP

namespace vicinal::inline VICINAL_ABI::storage {

/// How a durable store is opened.
struct open_options {
    vicinal::durability durability = vicinal::durability::full;
    /// Takes no lock and never writes to the directory; changes stay in memory.
    bool read_only = false;
    /// How long to wait for another writer to leave.
    std::uint32_t lock_timeout_ms = 0;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

namespace vicinal::inline VICINAL_ABI::detail {

[[nodiscard]] inline result<void> check_dim(std::size_t dim) {
    if (dim >= 1 && dim <= 65536) return {};
    return error{errc::invalid_argument, "a dimension from 1 to 65536", std::to_string(dim)};
}

/// What the options say to the index: its links are made on the threads that the store may use.
template <class Index>
[[nodiscard]] typename Index::options index_options(store_options<Index> const& o) {
    auto index = o.index;
    if constexpr (requires { index.threads; }) index.threads = (std::max)(index.threads, o.threads);
    return index;
}

/// Opens the engine of a store in memory.
template <class Engine, class Index>
[[nodiscard]] result<std::unique_ptr<Engine>> open_engine(store_options<Index> const& o) {
    VICINAL_CHECK(simd::check());
    VICINAL_CHECK(Index::check(o.index));
    VICINAL_CHECK(check_dim(o.dim));
    return Engine::open({}, o.dim, index_options(o));
}

/// Opens the engine of a directory, or makes it. A path without a dimension can only be that of a
/// store which is there.
template <class Engine, class Metric, class Index, class Payload, class Id>
[[nodiscard]] result<std::unique_ptr<Engine>> open_engine(std::string_view path,
                                                          store_options<Index> const& o) {
    using space = typename Engine::space;
    VICINAL_CHECK(simd::check());
    VICINAL_CHECK(Index::check(o.index));
    if (o.dim != 0) {
        VICINAL_CHECK(check_dim(o.dim));
    } else if (!o.read_only) {
        auto const found = space::inspect(path);
        if (!found && found.error().code() == errc::not_found)
            return error{errc::invalid_argument,
                         "a dimension for the new store at '" + std::string(path) + "'", "none"};
        VICINAL_CHECK(found);
    }
    auto const wanted = describe_types<Metric, Index, Payload, Id>(o.dim);
    storage::open_options how;
    how.durability = o.durability;
    how.read_only = o.read_only;
    how.lock_timeout_ms = o.lock_timeout_ms;
    auto opened = space::open(path, wanted, how);
    VICINAL_CHECK(opened);
    VICINAL_CHECK(check_types(wanted, opened->properties()));
    auto const dim = dim_of(opened->properties());
    VICINAL_CHECK(check_dim(dim));
    return Engine::open(std::move(*opened), dim, index_options(o));
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
// ---- vicinal/store/scan.hpp
#ifndef VICINAL_STORE_SCAN_HPP
#define VICINAL_STORE_SCAN_HPP

namespace vicinal::inline VICINAL_ABI {

/// All records of a store as of the moment when the scan began, in the order of their ids.
///
/// What a writer does meanwhile is not seen: slots of replaced and erased records are kept for the
/// scan. The order makes a scan resumable: `scan(id)` goes on behind that id, whether or not it is
/// still there. A range for one pass; the store must outlive it. Beginning costs a sort of the ids.
template <class Engine, class Record>
class record_scan {
public:
    /// To be made while the engine is being read, so that no slot is given away before it is
    /// pinned.
    record_scan(Engine& engine, std::vector<slot> slots)
        : engine_(&engine), slots_(std::move(slots)) {
        engine_->pin();
    }
    record_scan(record_scan&& other) noexcept
        : engine_(std::exchange(other.engine_, nullptr)), slots_(std::move(other.slots_)),
          next_(other.next_) {}
    record_scan& operator=(record_scan&&) = delete;
    ~record_scan() {
        if (engine_) engine_->unpin();
    }

    /// The next record, or nothing at the end. Errors: corrupt_snapshot, out_of_memory.
    [[nodiscard]] result<std::optional<Record>> try_next() {
        if (next_ == slots_.size()) return std::optional<Record>();
        auto const s = slots_[next_];
        auto r = engine_->template copy_record<Record>(s);
        VICINAL_CHECK(r);
        ++next_;
        return std::optional<Record>(std::move(*r));
    }

    /// How many records are left.
    [[nodiscard]] std::size_t left() const noexcept { return slots_.size() - next_; }

#if VICINAL_EXCEPTIONS
    /// An iterator of one pass.
    class iterator {
    public:
        using value_type = Record;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator() = default;
        explicit iterator(record_scan& scan) : scan_(&scan) { ++*this; }
        [[nodiscard]] Record const& operator*() const noexcept { return *current_; }
        [[nodiscard]] Record const* operator->() const noexcept { return &*current_; }
        iterator& operator++() {
            current_ = scan_->try_next().value();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& i, std::default_sentinel_t) noexcept {
            return !i.current_;
        }

    private:
        record_scan* scan_ = nullptr;
        std::optional<Record> current_;
    };

    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
#endif

private:
    Engine* engine_;
    std::vector<slot> slots_;
    std::size_t next_ = 0;
};

namespace detail {

/// The live slots whose ids come behind `after`, in the order of their ids.
template <class Rows, class IdView>
[[nodiscard]] std::vector<slot> slots_by_id(Rows const& rows, std::optional<IdView> after) {
    std::vector<slot> slots;
    slots.reserve(rows.live_count());
    for (slot s = 0; s < rows.count(); ++s)
        if (rows.live(s) && (!after || *after < rows.id(s))) slots.push_back(s);
    std::sort(slots.begin(), slots.end(),
              [&rows](slot a, slot b) { return rows.id(a) < rows.id(b); });
    return slots;
}

} // namespace detail

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/store/where.hpp
#ifndef VICINAL_STORE_WHERE_HPP
#define VICINAL_STORE_WHERE_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// The filter of a search whose options are sound. Errors: invalid_argument, invalid_filter,
/// unsupported (a filter on a payload that has no fields).
template <class Payload>
[[nodiscard]] result<filter> read_where(search_options const& o) {
    if (!(o.recall >= 0 && o.recall <= 1))
        return error{errc::invalid_argument, "a recall from 0 to 1", std::to_string(o.recall)};
    if (o.max_distance != o.max_distance)
        return error{errc::invalid_argument, "a number as max_distance", "NaN"};
    auto where = filter::parse(o.where);
    VICINAL_CHECK(where);
    if (!Payload::filterable && !where->empty())
        return error{errc::unsupported, "a payload with fields to filter by",
                     "payload::" + std::string(Payload::name)};
    return where;
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

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

    /// Opens a store in memory. Errors: invalid_argument, unsupported (VICINAL_ISA asks for what
    /// this CPU lacks), out_of_memory.
    [[nodiscard]] static result<store> try_open(options const& o) requires(!Storage::durable) {
        return detail::guarded([&]() -> result<store> {
            auto e = detail::open_engine<engine_type>(o);
            VICINAL_CHECK(e);
            return store(std::move(*e));
        });
    }

    /// Opens the directory at `path`, or makes it. Opening maps the snapshot and replays the log;
    /// it rebuilds nothing. One writer at a time, any number of readers (`read_only`), each with
    /// the store as of its opening or last refresh(). A child of fork() can read what it was given,
    /// and not write.
    ///
    /// Errors: not_a_directory, foreign_file, locked (by the process that the message names),
    /// read_only (a directory that can't be written), newer_format, corrupt_snapshot, corrupt_log,
    /// metric_mismatch and its like, invalid_argument, unsupported (VICINAL_ISA asks for what this
    /// CPU lacks), io_failure, out_of_memory.
    [[nodiscard]] static result<store> try_open(std::string_view path,
                                                options const& o = {}) requires(Storage::durable) {
        return detail::guarded([&]() -> result<store> {
            auto e = open_directory(path, o);
            VICINAL_CHECK(e);
            store s(std::move(*e));
            s.path_ = path;
            s.options_ = o;
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
    [[nodiscard]] bool contains(id_parameter id) const {
        return engine_->read(
            [&](auto const& rows, auto const&) { return rows.find(id) != no_slot; });
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
        return path_;
    }
    [[nodiscard]] store_stats stats() const {
        return engine_->read([](auto const& rows, auto const& index) {
            return store_stats{rows.live_count(), index.covered(), rows.count()};
        });
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
            return search_one(query, *where, o);
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
            if (queries.columns() != dim())
                return error{errc::dimension_mismatch, std::to_string(dim()) + " columns",
                             std::to_string(queries.columns()) + " for the queries"};
            if (queries.rest() != 0)
                return error{errc::dimension_mismatch,
                             "whole rows of " + std::to_string(dim()) + " elements",
                             std::to_string(queries.rest()) + " elements behind the last query"};
            if constexpr (detail::batched<typename engine_type::index_type>)
                return search_together(queries, *where, o);
            std::vector<hits> all(queries.rows());
            auto const each = [&](std::size_t from, std::size_t to) {
                return detail::guarded([&]() -> result<void> {
                    for (auto i = from; i < to; ++i) {
                        auto one = search_one(queries.row(i), *where, o);
                        VICINAL_CHECK(one);
                        all[i] = std::move(*one);
                    }
                    return {};
                });
            };
            VICINAL_CHECK(index::run_parts(queries.rows(), 1, o.threads, each));
            return all;
        });
    }

    using scan_type = record_scan<engine_type, record>;

    /// Every record in the order of ids, as of now, whatever a writer does meanwhile.
    [[nodiscard]] result<scan_type> try_scan() const { return scan_behind(std::nullopt); }
    /// Every record whose id comes behind `after`, there or not.
    [[nodiscard]] result<scan_type> try_scan(id_parameter after) const {
        return scan_behind(id_view(after));
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
            auto o = options_;
            o.dim = dim();
            auto moved = engine_->refresh([&] { return open_directory(path_, o); });
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

    template <class Rows>
    [[nodiscard]] static hits hits_of(Rows const& rows, index::neighbours const& found) {
        hits out;
        out.reserve(found.size());
        for (auto const& n : found) out.push_back({Id(rows.id(n.row)), n.distance});
        return out;
    }

    [[nodiscard]] result<std::vector<hits>> search_together(matrix_view<scalar_type> queries,
                                                            filter const& where,
                                                            search_options const& o) const {
        for (std::size_t i = 0; i < queries.rows(); ++i)
            VICINAL_CHECK(
                detail::check_vector<Metric>(queries.row(i), dim(), "query " + std::to_string(i)));
        std::vector<hits> all;
        if (queries.rows() == 0) return all;
        return engine_->read([&](auto const& rows, auto const& index) -> result<std::vector<hits>> {
            detail::query_batch<Metric, std::remove_cvref_t<decltype(rows)>,
                                std::remove_cvref_t<decltype(index)>> const every(rows, index,
                                                                                  dim(), where, o);
            auto const found = every.run(queries.row(0).data(), queries.rows());
            VICINAL_CHECK(found);
            all.reserve(found->size());
            for (auto const& one : *found) all.push_back(hits_of(rows, one));
            return std::move(all);
        });
    }

    [[nodiscard]] result<hits> search_one(vector_parameter query, filter const& where,
                                          search_options const& o) const {
        VICINAL_CHECK(detail::check_vector<Metric>(query, dim(), "the query"));
        return engine_->read([&](auto const& rows, auto const& index) -> result<hits> {
            auto const found = detail::query<Metric, std::remove_cvref_t<decltype(rows)>,
                                             std::remove_cvref_t<decltype(index)>>(
                                   rows, index, dim(), query.data(), where, o, engine_->filters())
                                   .run();
            VICINAL_CHECK(found);
            return hits_of(rows, *found);
        });
    }

    [[nodiscard]] result<scan_type> scan_behind(std::optional<id_view> after) const {
        return detail::guarded([&]() -> result<scan_type> {
            return engine_->read([&](auto const& rows, auto const&) -> result<scan_type> {
                return scan_type(*engine_, detail::slots_by_id(rows, after));
            });
        });
    }

    std::unique_ptr<engine_type> engine_;
    std::string path_;
    options options_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif

// from any store to any other
// ---- vicinal/migrate/concept.hpp
#ifndef VICINAL_MIGRATE_CONCEPT_HPP
#define VICINAL_MIGRATE_CONCEPT_HPP

namespace vicinal::inline VICINAL_ABI {

/// What one side of a migration says of its records before any is read.
struct schema {
    /// Elements of a vector; 0 where the side does not know yet.
    std::size_t dim = 0;
    /// The name of the metric, as in "cosine"; empty where the side has none.
    std::string metric = {};
    /// How many records there are, where that is known without reading them.
    std::optional<std::uint64_t> records = {};
    /// What this side cannot keep or has not kept, each a sentence for the report: as in "cosine
    /// vectors that Chroma had persisted are its rounded ones, not the ones inserted".
    std::vector<std::string> losses = {};
    /// Names the side for people, as in "chroma:./db (collection docs)".
    std::string description = {};
};

/// A source of records: can be read from the start, as often as asked.
///
/// * `describe()` gives the schema.
/// * `rewind()` goes (back) to the first record and reads the underlying data anew.
/// * `read(batch, most)` replaces `batch` by the next records, at most `most`; an empty batch is
/// the
///   end. The order is the same after every rewind as long as the data does not change.
template <class S>
concept basic_source = requires(S& s, std::vector<record>& batch, std::size_t most) {
    { s.describe() } -> std::same_as<result<schema>>;
    { s.rewind() } -> std::same_as<result<void>>;
    { s.read(batch, most) } -> std::same_as<result<void>>;
};

/// A sink of records.
///
/// * `begin(schema)`: what is about to come; refuses what it cannot take.
/// * `write(batch)`: all of the batch or nothing. Writing a record again replaces it.
/// * `finish()`: everything written is as durable as the sink promises when it returns.
/// * `reopen()`: a source that reads back what the sink now holds, from where it is kept, not from
///   the memory of this object: what verification reads.
///
/// A sink may have more, which is used where it is there:
///
/// * `count()`: how many records it holds before `begin`; without it, none.
/// * `losses(schema)`: what it will not keep, a sentence each. `keeps_payloads()`: false where
///   payloads don't come back, so that they are not compared.
/// * `resume(schema)` instead of `begin`, to go on where an earlier run was cut off; then
///   `holds(record)` says whether a record is there already, the same in all its parts.
/// * `check(schema)`, `check(batch)`: refuse what `begin` and `write` would refuse, and write
///   nothing. For a dry run, before which `begin` is not called.
template <class S>
concept basic_sink = requires(S& s, schema const& incoming, std::span<record const> batch) {
    { s.begin(incoming) } -> std::same_as<result<void>>;
    { s.write(batch) } -> std::same_as<result<void>>;
    { s.finish() } -> std::same_as<result<void>>;
    {s.reopen()};
    requires basic_source<typename decltype(s.reopen())::value_type>;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/migrate/migrate.hpp
#ifndef VICINAL_MIGRATE_MIGRATE_HPP
#define VICINAL_MIGRATE_MIGRATE_HPP

// ---- vicinal/migrate/options.hpp
#ifndef VICINAL_MIGRATE_OPTIONS_HPP
#define VICINAL_MIGRATE_OPTIONS_HPP

namespace vicinal::inline VICINAL_ABI {

/// What is compared after the last record was written.
enum class verify : std::uint8_t {
    /// Nothing.
    nothing,
    /// About a thousand records, chosen by their ids.
    sample,
    /// Every record: the set of ids, each vector's bits, each payload.
    every_record,
};

/// Where a migration stands.
struct progress {
    enum class stage : std::uint8_t { copying, verifying };

    /// Records so far, in this stage.
    std::uint64_t done = 0;
    /// Records in all, where the source knows.
    std::optional<std::uint64_t> total = {};
    stage at = stage::copying;
    /// Since this stage began.
    double seconds = 0;
};

/// How a migration runs.
struct migrate_options {
    /// Records read and written at a time; memory stays bounded by it. At least 1.
    std::size_t batch_size = 1000;
    vicinal::verify verify = verify::sample;
    /// Called after every batch, on the calling thread. What it throws ends the migration and
    /// passes through; the sink keeps whole batches.
    std::function<void(progress const&)> on_progress = {};
    /// Goes on where an earlier run into the same sink was cut off: records that the sink holds
    /// already are not written again, and nothing is lost or doubled.
    bool resume = false;
    /// Reads everything, asks the sink whether it would take it, and writes nothing.
    bool dry_run = false;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/migrate/report.hpp
#ifndef VICINAL_MIGRATE_REPORT_HPP
#define VICINAL_MIGRATE_REPORT_HPP

namespace vicinal::inline VICINAL_ABI {

/// A record that is not the same on both sides.
struct difference {
    enum class kind : std::uint8_t {
        /// The source has it and the sink has not.
        missing,
        /// The sink has it, the source has not, and the sink was empty before.
        unexpected,
        vector,
        payload,
    };

    std::string id;
    kind what = kind::missing;

    friend bool operator==(difference const&, difference const&) = default;
};

/// The kind in a word.
[[nodiscard]] constexpr char const* name(difference::kind k) noexcept {
    switch (k) {
        case difference::kind::missing: return "missing";
        case difference::kind::unexpected: return "unexpected";
        case difference::kind::vector: return "vector differs";
        case difference::kind::payload: return "payload differs";
    }
    return "unknown";
}

/// What a migration did.
struct migration_report {
    /// Records read from the source.
    std::uint64_t records = 0;
    /// Of these, how many the sink took in this run; of equal ids in one batch only the last.
    std::uint64_t written = 0;
    /// Of these, how many the sink held already, when a run is resumed.
    std::uint64_t already_there = 0;
    /// Records whose id came again later; the last record of each id was kept.
    std::uint64_t duplicates = 0;
    /// Bytes of vectors read.
    std::uint64_t vector_bytes = 0;
    /// Seconds of reading and writing, and of verifying.
    double seconds = 0;
    double verify_seconds = 0;
    /// Records that were compared after both sides were read anew.
    std::uint64_t verified = 0;
    /// How many of them differ; the first hundred by name.
    std::uint64_t differing = 0;
    std::vector<difference> differences = {};
    /// What could not be kept, or was not kept by the source itself: a sentence each.
    std::vector<std::string> losses = {};

    [[nodiscard]] bool ok() const noexcept { return differing == 0; }
    [[nodiscard]] double records_per_second() const noexcept {
        return seconds > 0 ? static_cast<double>(records) / seconds : 0;
    }
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/migrate/store_sides.hpp
#ifndef VICINAL_MIGRATE_STORE_SIDES_HPP
#define VICINAL_MIGRATE_STORE_SIDES_HPP

namespace vicinal::inline VICINAL_ABI {

namespace detail {

template <class S>
struct is_store : std::false_type {};
template <class M, class I, class S, class P, class Id>
struct is_store<store<M, I, S, P, Id>> : std::true_type {};

} // namespace detail

/// A store of floats, whose records a migration can carry.
template <class S>
concept float_store = detail::is_store<S>::value && std::same_as<typename S::scalar_type, float>;

/// Any vicinal store as a source, in the order of ids. A payload other than fields stays behind and
/// is named as a loss.
template <float_store Store>
class store_source {
public:
    explicit store_source(Store const& s) noexcept : store_(&s) {}
    /// A source that keeps its store.
    explicit store_source(std::unique_ptr<Store> s) noexcept
        : owned_(std::move(s)), store_(owned_.get()) {}

    [[nodiscard]] result<schema> describe() {
        schema s;
        s.dim = store_->dim();
        s.metric = metric::name_of<typename Store::metric_type>();
        s.records = store_->size();
        s.description = "a vicinal store in memory";
        if constexpr (Store::storage_policy::durable) s.description = "vicinal:" + store_->path();
        if constexpr (!carries_fields &&
                      !std::same_as<typename Store::payload_policy, payload::none>)
            s.losses.push_back("payloads of another form than fields are not carried over");
        return s;
    }
    [[nodiscard]] result<void> rewind() {
        scan_.reset();
        auto scan = store_->try_scan();
        VICINAL_CHECK(scan);
        scan_.emplace(std::move(*scan));
        return {};
    }
    [[nodiscard]] result<void> read(std::vector<record>& batch, std::size_t most) {
        if (!scan_) VICINAL_CHECK(rewind());
        batch.clear();
        while (batch.size() < most) {
            auto next = scan_->try_next();
            VICINAL_CHECK(next);
            if (!*next) break;
            auto& r = **next;
            record out;
            if constexpr (std::same_as<typename Store::id_type, std::string>)
                out.id = std::move(r.id);
            else
                out.id = detail::id_traits<typename Store::id_type>::text(r.id);
            out.vector = std::move(r.vector);
            if constexpr (carries_fields) out.payload = std::move(r.payload);
            batch.push_back(std::move(out));
        }
        return {};
    }

private:
    static constexpr bool carries_fields =
        std::same_as<typename Store::payload_policy, payload::fields>;

    std::unique_ptr<Store> owned_;
    Store const* store_;
    std::optional<typename Store::scan_type> scan_;
};

/// Any vicinal store as a sink. A durable one is verified from its files: `reopen` opens them anew.
template <float_store Store>
class store_sink {
public:
    explicit store_sink(Store& s) noexcept : store_(&s) {}

    [[nodiscard]] result<void> begin(schema const& incoming) {
        if (incoming.dim != 0 && incoming.dim != store_->dim())
            return error{errc::dimension_mismatch,
                         "a source of " + std::to_string(store_->dim()) + " elements a vector",
                         std::to_string(incoming.dim)};
        return {};
    }
    /// The same for a run that goes on: nothing has to be done.
    [[nodiscard]] result<void> resume(schema const& incoming) { return begin(incoming); }

    /// Refuses what `write` would refuse, and writes nothing: for dry runs.
    [[nodiscard]] result<void> check(schema const& incoming) { return begin(incoming); }
    [[nodiscard]] result<void> check(std::span<record const> batch) {
        VICINAL_CHECK(convert(batch));
        detail::batch<typename Store::metric_type, typename Store::payload_policy,
                      typename Store::id_type>
            checked(store_->dim());
        for (auto const& r : converted_) VICINAL_CHECK(checked.add(r.id, r.vector, r.payload));
        return checked.check_ids();
    }

    /// Whether payloads come back as they were written.
    [[nodiscard]] bool keeps_payloads() const noexcept { return carries_fields; }

    /// What the sink will not keep, as sentences.
    [[nodiscard]] std::vector<std::string> losses(schema const& incoming) const {
        std::vector<std::string> list;
        std::string const own(metric::name_of<typename Store::metric_type>());
        if (!incoming.metric.empty() && incoming.metric != own)
            list.push_back("the source's metric is " + incoming.metric + ", the sink's is " + own +
                           ": distances and order will differ");
        if constexpr (!carries_fields) list.push_back("the sink keeps no payload");
        return list;
    }

    [[nodiscard]] result<std::uint64_t> count() { return std::uint64_t{store_->size()}; }

    /// Whether the sink holds a record of that id with the same vector and payload.
    [[nodiscard]] result<bool> holds(record const& r) {
        auto id = id_of(r.id);
        VICINAL_CHECK(id);
        auto const mine = store_->try_get(*id);
        VICINAL_CHECK(mine);
        if (!*mine || (**mine).vector.size() != r.vector.size()) return false;
        if (std::memcmp((**mine).vector.data(), r.vector.data(), r.vector.size() * sizeof(float)) !=
            0)
            return false;
        if constexpr (carries_fields)
            return (**mine).payload == r.payload;
        else
            return true;
    }

    [[nodiscard]] result<void> write(std::span<record const> batch) {
        VICINAL_CHECK(convert(batch));
        return store_->try_upsert(converted_);
    }
    [[nodiscard]] result<void> finish() {
        if constexpr (Store::storage_policy::durable)
            return store_->try_checkpoint();
        else
            return {};
    }
    [[nodiscard]] result<store_source<Store>> reopen() {
        if constexpr (Store::storage_policy::durable) {
            typename Store::options o;
            o.read_only = true;
            auto again = Store::try_open(store_->path(), o);
            VICINAL_CHECK(again);
            return store_source<Store>(std::make_unique<Store>(std::move(*again)));
        } else {
            return store_source<Store>(*store_);
        }
    }

private:
    static constexpr bool carries_fields =
        std::same_as<typename Store::payload_policy, payload::fields>;

    [[nodiscard]] result<void> convert(std::span<record const> batch) {
        converted_.resize(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            auto id = id_of(batch[i].id);
            VICINAL_CHECK(id);
            converted_[i].id = std::move(*id);
            converted_[i].vector = batch[i].vector;
            if constexpr (carries_fields) converted_[i].payload = batch[i].payload;
        }
        return {};
    }
    [[nodiscard]] static result<typename Store::id_type> id_of(std::string const& text) {
        return detail::id_traits<typename Store::id_type>::from_text(text);
    }

    Store* store_;
    std::vector<typename Store::record> converted_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/migrate/verify.hpp
#ifndef VICINAL_MIGRATE_VERIFY_HPP
#define VICINAL_MIGRATE_VERIFY_HPP

// ---- vicinal/migrate/fingerprint.hpp
#ifndef VICINAL_MIGRATE_FINGERPRINT_HPP
#define VICINAL_MIGRATE_FINGERPRINT_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// A record in 24 bytes: 64-bit hashes of its id, the bits of its vector, and its payload. Two
/// sides of any size and order are compared by sorting these. Two different vectors agree by chance
/// once in 10^19 pairs.
struct fingerprint {
    std::uint64_t id = 0;
    std::uint64_t vector = 0;
    std::uint64_t payload = 0;
};

[[nodiscard]] std::uint64_t hash_fields(fields const& f, std::uint64_t seed);

[[nodiscard]] inline std::uint64_t hash_value(value const& v, std::uint64_t seed) {
    auto const h = mix(seed ^ static_cast<std::uint64_t>(v.type()));
    switch (v.type()) {
        case value::kind::null: return h;
        case value::kind::boolean: return mix(h ^ (*v.get_if<bool>() ? 1U : 0U));
        case value::kind::integer:
            return mix(h ^ static_cast<std::uint64_t>(*v.get_if<std::int64_t>()));
        case value::kind::real: return mix(h ^ std::bit_cast<std::uint64_t>(*v.get_if<double>()));
        case value::kind::string: return mix(h ^ hash_bytes(*v.get_if<std::string>()));
        case value::kind::array: {
            auto const& items = *v.get_if<value::array>();
            auto sum = mix(h ^ items.size());
            for (auto const& item : items) sum = hash_value(item, sum);
            return sum;
        }
        case value::kind::nested: return hash_fields(*v.get_if<fields>(), h);
    }
    return h;
}

/// Depends on what `==` of fields depends on, and on nothing else.
[[nodiscard]] inline std::uint64_t hash_fields(fields const& f, std::uint64_t seed) {
    auto sum = mix(seed ^ f.size());
    for (auto const& [name, v] : f) sum = hash_value(v, mix(sum ^ hash_bytes(name)));
    return sum;
}

[[nodiscard]] inline fingerprint fingerprint_of(record const& r) {
    auto const* bytes = reinterpret_cast<char const*>(r.vector.data());
    return {hash_bytes(r.id), hash_bytes({bytes, r.vector.size() * sizeof(float)}),
            hash_fields(r.payload, 0)};
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI::detail {

/// Compares two sources record by record, whatever their order.
///
/// Both are read from their beginning: the first time for a fingerprint of each record, 24 bytes a
/// record and side; a second time only where something differs, for the ids to report.
class comparison {
public:
    /// One record in `every` takes part, chosen by its id. `payloads`: whether they count.
    comparison(std::uint64_t every, std::size_t batch_size, bool payloads = true) noexcept
        : every_(every == 0 ? 1 : every), batch_size_(batch_size), payloads_(payloads) {}

    /// extras_allowed: records that only `right` has are not differences.
    template <basic_source Left, basic_source Right, class OnBatch>
    [[nodiscard]] result<void> run(Left& left, Right& right, bool extras_allowed,
                                   OnBatch const& on_batch, migration_report& report) {
        auto a = collect(left, on_batch);
        VICINAL_CHECK(a);
        auto b = collect(right, on_batch);
        VICINAL_CHECK(b);
        report.verified = a->size();
        merge(*a, *b, extras_allowed);
        report.differing = found_.size();
        if (found_.empty()) return {};
        std::sort(found_.begin(), found_.end());
        VICINAL_CHECK(name_ids(left, report));
        return name_ids(right, report);
    }

private:
    using fingerprints = std::vector<fingerprint>;
    using finding = std::pair<std::uint64_t, difference::kind>;
    static constexpr std::size_t most_named = 100;

    [[nodiscard]] bool takes_part(std::uint64_t id) const noexcept { return id % every_ == 0; }

    /// Sorted by id, each id once: the last record of an id is the one that counts.
    template <class Source, class OnBatch>
    [[nodiscard]] result<fingerprints> collect(Source& source, OnBatch const& on_batch) const {
        fingerprints all;
        std::vector<record> batch;
        VICINAL_CHECK(source.rewind());
        for (;;) {
            VICINAL_CHECK(source.read(batch, batch_size_));
            if (batch.empty()) break;
            for (auto const& r : batch)
                if (auto const f = fingerprint_of(r); takes_part(f.id)) all.push_back(f);
            on_batch(batch.size());
        }
        auto const same_id = [](fingerprint const& x, fingerprint const& y) {
            return x.id == y.id;
        };
        std::stable_sort(all.begin(), all.end(),
                         [](fingerprint const& x, fingerprint const& y) { return x.id < y.id; });
        // unique keeps the first of equal ones, so it runs from the back.
        auto const kept = std::unique(all.rbegin(), all.rend(), same_id);
        all.erase(all.begin(), kept.base());
        return all;
    }

    void merge(fingerprints const& left, fingerprints const& right, bool extras_allowed) {
        auto a = left.begin();
        auto b = right.begin();
        while (a != left.end() || b != right.end()) {
            if (b == right.end() || (a != left.end() && a->id < b->id)) {
                found_.emplace_back(a++->id, difference::kind::missing);
            } else if (a == left.end() || b->id < a->id) {
                if (!extras_allowed) found_.emplace_back(b->id, difference::kind::unexpected);
                ++b;
            } else {
                if (a->vector != b->vector)
                    found_.emplace_back(a->id, difference::kind::vector);
                else if (payloads_ && a->payload != b->payload)
                    found_.emplace_back(a->id, difference::kind::payload);
                ++a;
                ++b;
            }
        }
    }

    /// Reads a side again for the ids behind the hashes; what has a name leaves the list.
    template <class Source>
    [[nodiscard]] result<void> name_ids(Source& source, migration_report& report) {
        std::vector<record> batch;
        VICINAL_CHECK(source.rewind());
        while (report.differences.size() < most_named && !found_.empty()) {
            VICINAL_CHECK(source.read(batch, batch_size_));
            if (batch.empty()) break;
            for (auto const& r : batch) {
                auto const id = hash_bytes(r.id);
                auto const at = std::lower_bound(
                    found_.begin(), found_.end(), id,
                    [](finding const& f, std::uint64_t wanted) { return f.first < wanted; });
                if (at == found_.end() || at->first != id) continue;
                if (report.differences.size() < most_named)
                    report.differences.push_back({r.id, at->second});
                found_.erase(at);
            }
        }
        return {};
    }

    std::uint64_t every_;
    std::size_t batch_size_;
    bool payloads_;
    std::vector<finding> found_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif

namespace vicinal::inline VICINAL_ABI {

/// What `migrate` reads: a source, or any store of floats.
template <class S>
concept record_source = basic_source<S> || float_store<S>;

/// What `migrate` writes: a sink, or any store of floats.
template <class S>
concept record_sink = basic_sink<S> || float_store<S>;

namespace detail {

/// The steps of one migration.
template <basic_source Source, basic_sink Sink>
class migration {
public:
    migration(Source& from, Sink& to, migrate_options const& options) noexcept
        : from_(from), to_(to), options_(options) {}

    [[nodiscard]] result<migration_report> run() {
        if (options_.batch_size == 0)
            return error{errc::invalid_argument, "a batch of at least one record", "0"};
        auto const incoming = from_.describe();
        VICINAL_CHECK(incoming);
        total_ = incoming->records;
        report_.losses = incoming->losses;
        if constexpr (requires { to_.losses(*incoming); })
            for (auto& loss : to_.losses(*incoming)) report_.losses.push_back(std::move(loss));
        if (options_.dry_run)
            VICINAL_CHECK(check(*incoming));
        else
            VICINAL_CHECK(begin(*incoming));
        VICINAL_CHECK(copy());
        count_duplicates();
        if (report_.duplicates > 0)
            report_.losses.push_back(
                std::to_string(report_.duplicates) +
                " records had an id that came again; the last of each was kept");
        if (options_.dry_run) return report_;
        VICINAL_CHECK(to_.finish());
        report_.seconds = elapsed();
        if (options_.verify != verify::nothing) VICINAL_CHECK(compare());
        return report_;
    }

private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] result<void> begin(schema const& incoming) {
        if constexpr (requires { to_.count(); }) {
            auto const before = to_.count();
            VICINAL_CHECK(before);
            sink_was_empty_ = *before == 0;
        }
        if (!options_.resume) return to_.begin(incoming);
        if constexpr (requires(record const& r) {
                          to_.resume(incoming);
                          to_.holds(r);
                      })
            return to_.resume(incoming);
        else
            return error{errc::unsupported, "a sink that can be resumed", "another"};
    }

    /// For a dry run: what the sink would say. One that can't tell is not asked.
    template <class What>
    [[nodiscard]] result<void> check(What const& what) {
        if constexpr (requires { to_.check(what); })
            return to_.check(what);
        else
            return {};
    }

    [[nodiscard]] result<void> copy() {
        start_ = clock::now();
        VICINAL_CHECK(from_.rewind());
        std::vector<record> batch;
        for (;;) {
            VICINAL_CHECK(from_.read(batch, options_.batch_size));
            if (batch.empty()) break;
            report_.records += batch.size();
            for (auto const& r : batch) {
                report_.vector_bytes += r.vector.size() * sizeof(float);
                ids_.push_back(hash_bytes(r.id));
            }
            keep_last(batch);
            if (options_.dry_run) {
                VICINAL_CHECK(check(std::span<record const>(batch)));
            } else {
                VICINAL_CHECK(leave_out_held(batch));
                if (!batch.empty()) VICINAL_CHECK(to_.write(batch));
                report_.written += batch.size();
            }
            tell(progress::stage::copying, report_.records, total_);
        }
        report_.seconds = elapsed();
        return {};
    }

    /// Of records with the same id in one batch the last one stays: a sink refuses such a batch.
    /// Over batches the sink replaces by itself.
    static void keep_last(std::vector<record>& batch) {
        std::unordered_map<std::string_view, std::size_t> last;
        last.reserve(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) last[batch[i].id] = i;
        if (last.size() == batch.size()) return;
        std::vector<record> kept;
        kept.reserve(last.size());
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (last.at(batch[i].id) == i) kept.push_back(batch[i]);
        batch = std::move(kept);
    }

    /// Ids that came again, in one batch or another, by their hashes.
    void count_duplicates() {
        std::sort(ids_.begin(), ids_.end());
        auto const once = std::unique(ids_.begin(), ids_.end());
        report_.duplicates = static_cast<std::uint64_t>(ids_.end() - once);
        ids_ = {};
    }

    /// When resumed: what the sink holds already needs no writing.
    [[nodiscard]] result<void> leave_out_held(std::vector<record>& batch) {
        if constexpr (requires(record const& r) { to_.holds(r); }) {
            if (!options_.resume) return {};
            std::size_t kept = 0;
            for (auto& r : batch) {
                auto const held = to_.holds(r);
                VICINAL_CHECK(held);
                if (*held)
                    ++report_.already_there;
                else if (&r != &batch[kept++])
                    batch[kept - 1] = std::move(r);
            }
            batch.resize(kept);
        }
        return {};
    }

    [[nodiscard]] result<void> compare() {
        start_ = clock::now();
        auto written = to_.reopen();
        VICINAL_CHECK(written);
        auto const every = options_.verify == verify::sample
                               ? (std::max)(report_.records / 1000, std::uint64_t{1})
                               : std::uint64_t{1};
        std::uint64_t done = 0;
        bool payloads = true;
        if constexpr (requires { to_.keeps_payloads(); }) payloads = to_.keeps_payloads();
        comparison both(every, options_.batch_size, payloads);
        // Each record is read on either side.
        VICINAL_CHECK(both.run(
            from_, *written, !sink_was_empty_ || options_.resume,
            [&](std::size_t n) {
                done += n;
                tell(progress::stage::verifying, done, 2 * report_.records);
            },
            report_));
        report_.verify_seconds = elapsed();
        return {};
    }

    void tell(progress::stage at, std::uint64_t done, std::optional<std::uint64_t> total) const {
        if (options_.on_progress) options_.on_progress({done, total, at, elapsed()});
    }
    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(clock::now() - start_).count();
    }

    Source& from_;
    Sink& to_;
    migrate_options const& options_;
    migration_report report_;
    std::vector<std::uint64_t> ids_; // hashes of all that came
    std::optional<std::uint64_t> total_;
    clock::time_point start_ = {};
    bool sink_was_empty_ = true;
};

template <class S>
[[nodiscard]] decltype(auto) as_source(S& s) {
    if constexpr (basic_source<S>)
        return (s);
    else
        return store_source<std::remove_const_t<S>>(s);
}
template <class S>
[[nodiscard]] decltype(auto) as_sink(S& s) {
    if constexpr (basic_sink<S>)
        return (s);
    else
        return store_sink<S>(s);
}

} // namespace detail

/// Moves every record of `from` into `to`, then reads both anew and compares them as options.verify
/// says; the sink is verified from where it is kept, not from memory. A record that `to` has
/// already is replaced.
///
/// Stops at the first record that the sink refuses, with its id; whole batches written before it
/// stay. Differences are in the report, not an error: see ok(). Memory: one batch, 8 bytes a
/// record, and 48 bytes a record for verifying. Errors: those of the two sides; invalid_argument,
/// unsupported.
template <class From, class To>
[[nodiscard]] result<migration_report> try_migrate(From&& from, To&& to,
                                                   migrate_options const& options = {}) {
    static_assert(record_source<std::remove_cvref_t<From>>,
                  "vicinal: migrate(source, sink): the source cannot be read; see "
                  "vicinal/migrate/concept.hpp");
    static_assert(record_sink<std::remove_cvref_t<To>>,
                  "vicinal: migrate(source, sink): the sink cannot be written; see "
                  "vicinal/migrate/concept.hpp");
    return detail::guarded([&]() -> result<migration_report> {
        decltype(auto) source = detail::as_source(from);
        decltype(auto) sink = detail::as_sink(to);
        return detail::migration(source, sink, options).run();
    });
}

#if VICINAL_EXCEPTIONS
/// As `try_migrate`, but throws its error.
template <class From, class To>
migration_report migrate(From&& from, To&& to, migrate_options const& options = {}) {
    return try_migrate(from, to, options).value();
}
#endif

} // namespace vicinal::inline VICINAL_ABI

#endif

// a backend named at run time
// ---- vicinal/backend/any_store.hpp
#ifndef VICINAL_BACKEND_ANY_STORE_HPP
#define VICINAL_BACKEND_ANY_STORE_HPP

// ---- vicinal/backend/any_sink.hpp
#ifndef VICINAL_BACKEND_ANY_SINK_HPP
#define VICINAL_BACKEND_ANY_SINK_HPP

// ---- vicinal/backend/any_source.hpp
#ifndef VICINAL_BACKEND_ANY_SOURCE_HPP
#define VICINAL_BACKEND_ANY_SOURCE_HPP

namespace vicinal::inline VICINAL_ABI {

/// Any source, its type forgotten: for programs that learn at run time what they read. One virtual
/// call a batch.
class any_source {
public:
    template <basic_source S>
        requires(!std::same_as<S, any_source>)
    explicit any_source(S source) : source_(std::make_unique<model<S>>(std::move(source))) {}

    [[nodiscard]] result<schema> describe() { return source_->describe(); }
    [[nodiscard]] result<void> rewind() { return source_->rewind(); }
    [[nodiscard]] result<void> read(std::vector<record>& batch, std::size_t most) {
        return source_->read(batch, most);
    }

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual result<schema> describe() = 0;
        virtual result<void> rewind() = 0;
        virtual result<void> read(std::vector<record>& batch, std::size_t most) = 0;
    };
    template <class S>
    struct model final : interface {
        explicit model(S s) : source(std::move(s)) {}
        result<schema> describe() override { return source.describe(); }
        result<void> rewind() override { return source.rewind(); }
        result<void> read(std::vector<record>& batch, std::size_t most) override {
            return source.read(batch, most);
        }
        S source;
    };

    std::unique_ptr<interface> source_;
};

static_assert(basic_source<any_source>);

} // namespace vicinal::inline VICINAL_ABI

#endif

namespace vicinal::inline VICINAL_ABI {

/// Any sink, its type forgotten. One virtual call a batch.
class any_sink {
public:
    template <basic_sink S>
        requires(!std::same_as<S, any_sink>)
    explicit any_sink(S sink) : sink_(std::make_unique<model<S>>(std::move(sink))) {}

    [[nodiscard]] result<void> begin(schema const& incoming) { return sink_->begin(incoming); }
    [[nodiscard]] result<void> resume(schema const& incoming) { return sink_->resume(incoming); }
    [[nodiscard]] result<bool> holds(record const& r) { return sink_->holds(r); }
    [[nodiscard]] result<std::uint64_t> count() { return sink_->count(); }
    [[nodiscard]] std::vector<std::string> losses(schema const& incoming) const {
        return sink_->losses(incoming);
    }
    [[nodiscard]] bool keeps_payloads() const { return sink_->keeps_payloads(); }
    [[nodiscard]] result<void> check(schema const& incoming) { return sink_->check(incoming); }
    [[nodiscard]] result<void> check(std::span<record const> batch) { return sink_->check(batch); }
    [[nodiscard]] result<void> write(std::span<record const> batch) { return sink_->write(batch); }
    [[nodiscard]] result<void> finish() { return sink_->finish(); }
    [[nodiscard]] result<any_source> reopen() { return sink_->reopen(); }

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual result<void> begin(schema const& incoming) = 0;
        virtual result<void> resume(schema const& incoming) = 0;
        virtual result<bool> holds(record const& r) = 0;
        virtual result<std::uint64_t> count() = 0;
        virtual std::vector<std::string> losses(schema const& incoming) const = 0;
        virtual bool keeps_payloads() const = 0;
        virtual result<void> check(schema const& incoming) = 0;
        virtual result<void> check(std::span<record const> batch) = 0;
        virtual result<void> write(std::span<record const> batch) = 0;
        virtual result<void> finish() = 0;
        virtual result<any_source> reopen() = 0;
    };
    /// What a sink has not, it answers for: nothing held, nothing lost, empty at the start, and
    /// no objection.
    template <class S>
    struct model final : interface {
        explicit model(S s) : sink(std::move(s)) {}
        result<void> begin(schema const& incoming) override { return sink.begin(incoming); }
        result<void> resume(schema const& incoming) override {
            if constexpr (requires { sink.resume(incoming); })
                return sink.resume(incoming);
            else
                return error{errc::unsupported, "a sink that can be resumed", "another"};
        }
        result<bool> holds(record const& r) override {
            if constexpr (requires { sink.holds(r); })
                return sink.holds(r);
            else
                return false;
        }
        result<std::uint64_t> count() override {
            if constexpr (requires { sink.count(); })
                return sink.count();
            else
                return std::uint64_t{0};
        }
        std::vector<std::string> losses(schema const& incoming) const override {
            if constexpr (requires { sink.losses(incoming); })
                return sink.losses(incoming);
            else
                return {};
        }
        bool keeps_payloads() const override {
            if constexpr (requires { sink.keeps_payloads(); })
                return sink.keeps_payloads();
            else
                return true;
        }
        result<void> check(schema const& incoming) override {
            if constexpr (requires { sink.check(incoming); })
                return sink.check(incoming);
            else
                return {};
        }
        result<void> check(std::span<record const> batch) override {
            if constexpr (requires { sink.check(batch); })
                return sink.check(batch);
            else
                return {};
        }
        result<void> write(std::span<record const> batch) override { return sink.write(batch); }
        result<void> finish() override { return sink.finish(); }
        result<any_source> reopen() override {
            auto again = sink.reopen();
            VICINAL_CHECK(again);
            return any_source(std::move(*again));
        }
        S sink;
    };

    std::unique_ptr<interface> sink_;
};

static_assert(basic_sink<any_sink>);

} // namespace vicinal::inline VICINAL_ABI

#endif

namespace vicinal::inline VICINAL_ABI {

/// A store of floats whose policies the program learns at run time. One virtual call a query.
///
/// Ids are text: those of an integer store are its numbers in decimal.
class any_store {
public:
    struct hit {
        std::string id;
        float distance = 0;
        float similarity = 0;
    };

    template <float_store S>
    explicit any_store(S store) : store_(std::make_unique<model<S>>(std::move(store))) {}

    [[nodiscard]] std::size_t size() const { return store_->size(); }
    [[nodiscard]] std::size_t dim() const { return store_->dim(); }
    [[nodiscard]] std::string_view metric() const { return store_->metric(); }
    [[nodiscard]] store_stats stats() const { return store_->stats(); }
    [[nodiscard]] result<std::vector<hit>> try_search(vector_view<float> query,
                                                      search_options const& options = {}) const {
        return store_->search(query, options);
    }
    [[nodiscard]] result<std::optional<record>> try_get(std::string_view id) const {
        return store_->get(id);
    }

    /// Looks at all that the store has: files, records, index. Damage is in the report.
    [[nodiscard]] result<verify_report> try_verify() const { return store_->verify(); }

    /// The store as either side of a migration; the store must outlive it.
    [[nodiscard]] any_source source() const { return store_->source(); }
    [[nodiscard]] any_sink sink() { return store_->sink(); }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] std::vector<hit> search(vector_view<float> query,
                                          search_options const& options = {}) const {
        return try_search(query, options).value();
    }
    [[nodiscard]] std::optional<record> get(std::string_view id) const {
        return try_get(id).value();
    }
    [[nodiscard]] verify_report verify() const { return try_verify().value(); }
#endif

private:
    struct interface {
        interface() = default;
        interface(interface const&) = delete;
        interface& operator=(interface const&) = delete;
        virtual ~interface() = default;
        virtual std::size_t size() const = 0;
        virtual std::size_t dim() const = 0;
        virtual std::string_view metric() const = 0;
        virtual store_stats stats() const = 0;
        virtual result<std::vector<hit>> search(vector_view<float>,
                                                search_options const&) const = 0;
        virtual result<std::optional<record>> get(std::string_view) const = 0;
        virtual result<verify_report> verify() const = 0;
        virtual any_source source() const = 0;
        virtual any_sink sink() = 0;
    };
    template <class S>
    struct model final : interface {
        using traits = detail::id_traits<typename S::id_type>;

        explicit model(S s) : store(std::move(s)) {}
        std::size_t size() const override { return store.size(); }
        std::size_t dim() const override { return store.dim(); }
        std::string_view metric() const override {
            return metric::name_of<typename S::metric_type>();
        }
        store_stats stats() const override { return store.stats(); }
        result<std::vector<hit>> search(vector_view<float> query,
                                        search_options const& o) const override {
            auto found = store.try_search(query, o);
            VICINAL_CHECK(found);
            std::vector<hit> hits;
            hits.reserve(found->size());
            for (auto const& h : *found)
                hits.push_back({traits::text(h.id), h.distance, h.similarity()});
            return hits;
        }
        result<std::optional<record>> get(std::string_view id) const override {
            auto key = traits::from_text(id);
            VICINAL_CHECK(key);
            auto found = store.try_get(*key);
            VICINAL_CHECK(found);
            if (!*found) return std::optional<record>();
            record r{traits::text(*key), std::move((**found).vector), {}};
            if constexpr (std::same_as<typename S::payload_type, fields>)
                r.payload = std::move((**found).payload);
            return std::optional<record>(std::move(r));
        }
        result<verify_report> verify() const override { return store.try_verify(); }
        any_source source() const override { return any_source(store_source<S>(store)); }
        any_sink sink() override { return any_sink(store_sink<S>(store)); }
        S store;
    };

    std::unique_ptr<interface> store_;
};

} // namespace vicinal::inline VICINAL_ABI

#endif
// ---- vicinal/backend/registry.hpp
#ifndef VICINAL_BACKEND_REGISTRY_HPP
#define VICINAL_BACKEND_REGISTRY_HPP

// ---- vicinal/backend/uri.hpp
#ifndef VICINAL_BACKEND_URI_HPP
#define VICINAL_BACKEND_URI_HPP

namespace vicinal::inline VICINAL_ABI::backend {

/// Where a store is: scheme, path and parameters, as in "chroma:./db?collection=docs". `%41` stands
/// for a byte, so that a path or name may hold ? and &.
class uri {
public:
    /// Errors: invalid_uri.
    [[nodiscard]] static result<uri> parse(std::string_view text) {
        auto const colon = text.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return error{errc::invalid_uri, "SCHEME:PATH, as in vicinal:docs.vicinal",
                         "'" + std::string(text) + "'"};
        uri u;
        u.scheme_ = text.substr(0, colon);
        auto const question = text.find('?', colon);
        auto const path =
            text.substr(colon + 1, question == std::string_view::npos ? std::string_view::npos
                                                                      : question - colon - 1);
        if (!decode(path, u.path_))
            return error{errc::invalid_uri,
                         "two hexadecimal digits behind each % (which itself is %25), not 00",
                         "'" + std::string(path) + "'"};
        if (u.path_.empty())
            return error{errc::invalid_uri, "a path behind '" + u.scheme_ + ":'", "''"};
        if (question == std::string_view::npos) return u;
        for (auto rest = text.substr(question + 1); !rest.empty();) {
            auto const end = (std::min)(rest.find('&'), rest.size());
            auto const item = rest.substr(0, end);
            rest.remove_prefix((std::min)(end + 1, rest.size()));
            auto const equals = item.find('=');
            std::pair<std::string, std::string> p;
            if (equals == std::string_view::npos || equals == 0 ||
                !decode(item.substr(0, equals), p.first) ||
                !decode(item.substr(equals + 1), p.second) || u.find(p.first))
                return error{errc::invalid_uri, "NAME=VALUE parameters, each name once",
                             "'" + std::string(item) + "'"};
            u.parameters_.push_back(std::move(p));
        }
        return u;
    }

    [[nodiscard]] std::string const& scheme() const noexcept { return scheme_; }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }

    /// The parameter of that name, or nullptr.
    [[nodiscard]] std::string const* find(std::string_view name) const noexcept {
        for (auto const& [n, v] : parameters_)
            if (n == name) return &v;
        return nullptr;
    }
    [[nodiscard]] std::string get(std::string_view name, std::string_view otherwise = {}) const {
        auto const* v = find(name);
        return v ? *v : std::string(otherwise);
    }

    /// Refuses parameters that the scheme does not know: a misspelt one would be without effect.
    [[nodiscard]] result<void> only(std::initializer_list<std::string_view> known) const {
        for (auto const& [n, v] : parameters_) {
            if (std::find(known.begin(), known.end(), n) != known.end()) continue;
            std::string list;
            for (auto const k : known) list.append(list.empty() ? "" : ", ").append(k);
            return error{errc::invalid_uri,
                         list.empty() ? "no parameters for " + scheme_ + ":"
                                      : "the parameters " + list + " for " + scheme_ + ":",
                         "'" + n + "'"};
        }
        return {};
    }

private:
    [[nodiscard]] static int hex(char c) noexcept {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }
    [[nodiscard]] static bool decode(std::string_view text, std::string& out) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\0') return false;
            if (text[i] != '%') {
                out.push_back(text[i]);
                continue;
            }
            bool const whole = text.size() - i > 2;
            int const high = whole ? hex(text[i + 1]) : -1;
            int const low = whole ? hex(text[i + 2]) : -1;
            // A zero byte would end the name of a file in the middle.
            if (high < 0 || low < 0 || high + low == 0) return false;
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
        return true;
    }

    std::string scheme_;
    std::string path_;
    std::vector<std::pair<std::string, std::string>> parameters_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

namespace vicinal::inline VICINAL_ABI::backend {

/// What a scheme can do; a function that is left empty is refused by name.
struct scheme {
    /// Opens a store for searching; `read_only` opens it beside its writer.
    std::function<result<any_store>(uri const&, bool read_only)> store = {};
    std::function<result<any_source>(uri const&)> source = {};
    /// `incoming` is what will be written: a sink that is made takes dimension and metric from it
    /// where the URI names none.
    std::function<result<any_sink>(uri const&, schema const& incoming)> sink = {};
    /// For a dry run: what `sink` would give, but only `check` is called of it. Makes nothing.
    std::function<result<any_sink>(uri const&, schema const& incoming)> dry_sink = {};
};

/// Schemes by name, so that a program opens what a string names: "vicinal:docs.vicinal",
/// "chroma:./db?collection=docs". It knows those that were added to it, the user's own among them.
class registry {
public:
    /// Adds a scheme or replaces the one of that name.
    void add(std::string name, scheme s) { schemes_[std::move(name)] = std::move(s); }

    /// Errors: invalid_uri, unsupported, and those of the scheme.
    [[nodiscard]] result<any_store> try_open(std::string_view text, bool read_only = false) const {
        return with(text, &scheme::store, "be searched", read_only);
    }
    [[nodiscard]] result<any_source> try_open_source(std::string_view text) const {
        return with(text, &scheme::source, "be read");
    }
    [[nodiscard]] result<any_sink> try_open_sink(std::string_view text, schema const& incoming,
                                                 bool dry_run = false) const {
        if (dry_run) return with(text, &scheme::dry_sink, "be tried without writing", incoming);
        return with(text, &scheme::sink, "be written", incoming);
    }

#if VICINAL_EXCEPTIONS
    [[nodiscard]] any_store open(std::string_view text, bool read_only = false) const {
        return try_open(text, read_only).value();
    }
    [[nodiscard]] any_source open_source(std::string_view text) const {
        return try_open_source(text).value();
    }
    [[nodiscard]] any_sink open_sink(std::string_view text, schema const& incoming,
                                     bool dry_run = false) const {
        return try_open_sink(text, incoming, dry_run).value();
    }
#endif

private:
    template <class Function, class... More>
    [[nodiscard]] auto with(std::string_view text, Function scheme::*wanted, std::string_view what,
                            More const&... more) const -> typename Function::result_type {
        return detail::guarded([&]() -> typename Function::result_type {
            auto const u = uri::parse(text);
            VICINAL_CHECK(u);
            auto const at = schemes_.find(u->scheme());
            if (at == schemes_.end())
                return error{errc::invalid_uri, "a scheme of " + names(), "'" + u->scheme() + "'"};
            auto const& open = at->second.*wanted;
            if (!open)
                return error{errc::unsupported, "a scheme that can " + std::string(what),
                             "'" + u->scheme() + "'"};
            return open(*u, more...);
        });
    }

    [[nodiscard]] std::string names() const {
        std::string list;
        for (auto const& [name, s] : schemes_) list.append(list.empty() ? "" : ", ").append(name);
        return list.empty() ? "none: the program added none" : list;
    }

    std::map<std::string, scheme, std::less<>> schemes_;
};

} // namespace vicinal::inline VICINAL_ABI::backend

#endif
// ---- vicinal/backend/vicinal_scheme.hpp
#ifndef VICINAL_BACKEND_VICINAL_SCHEME_HPP
#define VICINAL_BACKEND_VICINAL_SCHEME_HPP

namespace vicinal::inline VICINAL_ABI::detail {

/// A store in memory that takes the same records.
template <class Store>
struct in_memory;
template <class Metric, class Index, class Storage, class Payload, class Id>
struct in_memory<store<Metric, Index, Storage, Payload, Id>> {
    using type = store<Metric, index::flat<>, storage::memory, Payload, Id>;
};

/// Opens a directory as the one of the listed store types that it says it is.
template <class... Stores>
class store_opener {
public:
    /// What the parameters ask for, and what the directory says of itself where it is there.
    struct wish {
        std::string metric;
        std::string index;
        std::size_t dim = 0;
        std::optional<storage::properties> there = {};
    };

    [[nodiscard]] static result<wish> read_parameters(backend::uri const& u) {
        VICINAL_CHECK(u.only({"metric", "index", "dim"}));
        wish w{u.get("metric"), u.get("index")};
        if (auto const* dim = u.find("dim")) {
            auto const end = dim->data() + dim->size();
            auto const [at, problem] = std::from_chars(dim->data(), end, w.dim);
            if (problem != std::errc{} || at != end || w.dim == 0)
                return error{errc::invalid_uri, "dim=NUMBER", "'dim=" + *dim + "'"};
        }
        return w;
    }

    /// What the directory says of itself; nothing where there is no store yet.
    [[nodiscard]] static result<std::optional<storage::properties>> look(std::string const& path) {
        auto found = storage::mmap::space::inspect(path);
        if (found) return std::optional(found->properties);
        if (found.error().code() == errc::not_found) return std::optional<storage::properties>();
        return found.error();
    }

    /// Opens or makes it, and hands the store to `use`, which returns a result.
    template <class Result, class Use>
    [[nodiscard]] static Result open(std::string const& path, wish const& w, bool read_only,
                                     Use const& use) {
        std::optional<Result> out;
        auto const one = [&]<class Store>(std::type_identity<Store>) {
            if (!matches<Store>(w)) return false;
            typename Store::options o;
            o.dim = w.dim;
            o.read_only = read_only;
            auto store = Store::try_open(path, o);
            out.emplace(store ? use(std::move(*store)) : Result(store.error()));
            return true;
        };
        return (one(std::type_identity<Stores>()) || ...) ? std::move(*out) : none_matches(w);
    }

    /// As `open` for a store that is not there yet, but in memory.
    template <class Result, class Use>
    [[nodiscard]] static Result imitate(wish const& w, Use const& use) {
        std::optional<Result> out;
        auto const one = [&]<class Store>(std::type_identity<Store>) {
            if (!matches<Store>(w)) return false;
            typename in_memory<Store>::type::options o;
            o.dim = w.dim;
            auto store = in_memory<Store>::type::try_open(o);
            out.emplace(store ? use(std::move(*store)) : Result(store.error()));
            return true;
        };
        return (one(std::type_identity<Stores>()) || ...) ? std::move(*out) : none_matches(w);
    }

private:
    template <class Store>
    [[nodiscard]] static storage::properties types_of(std::size_t dim) {
        return describe_types<typename Store::metric_type, typename Store::index_policy,
                              typename Store::payload_policy, typename Store::id_type>(dim);
    }

    template <class Store>
    [[nodiscard]] static bool matches(wish const& w) {
        auto const types = types_of<Store>(0);
        if (w.there) return static_cast<bool>(check_types(types, *w.there));
        return *types.find("metric") == w.metric && *types.find("index") == w.index;
    }

    /// The types in words, as in "cosine hnsw (f32) with fields and string ids".
    [[nodiscard]] static std::string in_words(storage::properties const& p) {
        auto const get = [&p](std::string_view name) {
            auto const* v = p.find(name);
            return v ? *v : std::string("?");
        };
        return get("metric") + " " + get("index") + " (" + get("codec") + ") with payload " +
               get("payload") + " and " + get("id") + " ids";
    }

    [[nodiscard]] static error none_matches(wish const& w) {
        std::string list;
        auto const add = [&list](storage::properties const& p) {
            list.append(list.empty() ? "" : ", ").append(in_words(p));
        };
        (add(types_of<Stores>(0)), ...);
        return error{errc::unsupported, "one of the store types of this program: " + list,
                     w.there ? in_words(*w.there) : "metric " + w.metric + ", index " + w.index};
    }
};

/// A store that owns itself while a sink is written.
template <class Store>
class owning_sink {
public:
    explicit owning_sink(Store s) : store_(std::make_unique<Store>(std::move(s))), sink_(*store_) {}

    [[nodiscard]] result<void> begin(schema const& s) { return sink_.begin(s); }
    [[nodiscard]] result<void> resume(schema const& s) { return sink_.resume(s); }
    [[nodiscard]] result<bool> holds(record const& r) { return sink_.holds(r); }
    [[nodiscard]] bool keeps_payloads() const noexcept { return sink_.keeps_payloads(); }
    [[nodiscard]] result<void> check(schema const& s) { return sink_.check(s); }
    [[nodiscard]] result<void> check(std::span<record const> batch) { return sink_.check(batch); }
    [[nodiscard]] result<std::uint64_t> count() { return sink_.count(); }
    [[nodiscard]] std::vector<std::string> losses(schema const& s) const { return sink_.losses(s); }
    [[nodiscard]] result<void> write(std::span<record const> batch) { return sink_.write(batch); }
    [[nodiscard]] result<void> finish() { return sink_.finish(); }
    [[nodiscard]] auto reopen() { return sink_.reopen(); }

private:
    std::unique_ptr<Store> store_;
    store_sink<Store> sink_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

/// "vicinal:DIR?index=hnsw&metric=cosine&dim=384": a durable store. One that is there names its own
/// policies, and parameters may only agree with it; a new one takes metric and dimension from what
/// comes in where the URI names none, and `hnsw` for its index.
namespace vicinal::inline VICINAL_ABI::backend {

/// The scheme for the store types that the program lists; all durable.
template <float_store... Stores>
[[nodiscard]] scheme vicinal_scheme() {
    using opener = detail::store_opener<Stores...>;

    // A directory that is there fills in what the URI left open; what it named must agree, which
    // opening checks.
    auto const settle = [](uri const& u) -> result<typename opener::wish> {
        auto w = opener::read_parameters(u);
        VICINAL_CHECK(w);
        auto found = opener::look(u.path());
        VICINAL_CHECK(found);
        w->there = std::move(*found);
        if (!w->there) return w;
        auto const take = [&](std::string& wanted, std::string_view name,
                              errc code) -> result<void> {
            auto const* is = w->there->find(name);
            if (is && wanted.empty()) wanted = *is;
            if (is && wanted == *is) return {};
            return error{code, std::string(name) + " " + wanted,
                         is ? "a store with " + *is : "a store that names none"};
        };
        VICINAL_CHECK(take(w->metric, "metric", errc::metric_mismatch));
        VICINAL_CHECK(take(w->index, "index", errc::index_mismatch));
        return w;
    };
    auto const settle_present = [settle](uri const& u) -> result<typename opener::wish> {
        auto w = settle(u);
        if (w && !w->there) return error{errc::not_found, "a store at '" + u.path() + "'", "none"};
        return w;
    };
    auto const settle_sink = [settle](uri const& u,
                                      schema const& incoming) -> result<typename opener::wish> {
        auto w = settle(u);
        VICINAL_CHECK(w);
        if (w->there) return w;
        if (w->metric.empty()) w->metric = incoming.metric;
        if (w->index.empty()) w->index = "hnsw";
        if (w->dim == 0) w->dim = incoming.dim;
        auto const place = "'" + u.scheme() + ":" + u.path() + "'";
        if (w->metric.empty())
            return error{errc::invalid_uri,
                         "metric=squared_l2, inner_product or cosine for the new store, as the "
                         "source names none",
                         place};
        if (w->dim == 0)
            return error{errc::invalid_uri,
                         "dim=NUMBER for the new store, as the source has no record to tell it",
                         place};
        return w;
    };

    scheme s;
    s.store = [settle_present](uri const& u, bool read_only) -> result<any_store> {
        auto const w = settle_present(u);
        VICINAL_CHECK(w);
        return opener::template open<result<any_store>>(
            u.path(), *w, read_only,
            [](auto store) -> result<any_store> { return any_store(std::move(store)); });
    };
    s.source = [settle_present](uri const& u) -> result<any_source> {
        auto const w = settle_present(u);
        VICINAL_CHECK(w);
        return opener::template open<result<any_source>>(
            u.path(), *w, true, [](auto store) -> result<any_source> {
                using type = decltype(store);
                return any_source(store_source<type>(std::make_unique<type>(std::move(store))));
            });
    };
    auto const to_sink = [](auto store) -> result<any_sink> {
        return any_sink(detail::owning_sink<decltype(store)>(std::move(store)));
    };
    s.sink = [settle_sink, to_sink](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = settle_sink(u, incoming);
        VICINAL_CHECK(w);
        return opener::template open<result<any_sink>>(u.path(), *w, false, to_sink);
    };
    s.dry_sink = [settle_sink, to_sink](uri const& u, schema const& incoming) -> result<any_sink> {
        auto const w = settle_sink(u, incoming);
        VICINAL_CHECK(w);
        if (w->there) return opener::template open<result<any_sink>>(u.path(), *w, true, to_sink);
        return opener::template imitate<result<any_sink>>(*w, to_sink);
    };
    return s;
}

} // namespace vicinal::inline VICINAL_ABI::backend

#endif

#endif

#endif
