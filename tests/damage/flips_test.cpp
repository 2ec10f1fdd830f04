// SPDX-License-Identifier: MIT
// One bit of a file is wrong, or the file has another length: it is refused, or answers exactly as
// before. What the log's end may lose is what a write that was cut off leaves, and check() tells.
#include "catch.hpp"
#include "damage/use.hpp"
#include "support/figures.hpp"

#include <vicinal/storage/file.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace flips_test {

using namespace damage;
using vicinal_test::figure;
using vicinal_test::thorough;
using vicinal_test::thorough_step;

namespace {

/// Outcomes of many tries on one file.
struct tally {
    std::array<std::uint64_t, 4> of{};
    [[nodiscard]] std::uint64_t operator[](verdict v) const {
        return of[static_cast<std::size_t>(v)];
    }
    void count(verdict v) { ++of[static_cast<std::size_t>(v)]; }
    [[nodiscard]] std::uint64_t all() const { return of[0] + of[1] + of[2] + of[3]; }
    void note(std::string const& what) const {
        figure(what + ": tries", all());
        figure(what + ": refused", (*this)[verdict::refused]);
        figure(what + ": same", (*this)[verdict::same]);
        figure(what + ": dropped", (*this)[verdict::dropped]);
        figure(what + ": different", (*this)[verdict::different]);
    }
};

/// A file that is damaged and put right again in its place.
class patient {
public:
    explicit patient(std::string const& path) : file_(::open(path.c_str(), O_RDWR)) {
        REQUIRE(file_ >= 0);
    }
    patient(patient const&) = delete;
    patient& operator=(patient const&) = delete;
    ~patient() { ::close(file_); }

    void put(std::size_t at, std::span<std::byte const> b) const {
        if (::pwrite(file_, b.data(), b.size(), static_cast<::off_t>(at)) !=
            static_cast<::ssize_t>(b.size()))
            FAIL("a write to the scratch directory failed");
    }
    void resize(std::size_t n) const {
        if (::ftruncate(file_, static_cast<::off_t>(n)) != 0) FAIL("not resized");
    }

private:
    int file_;
};

enum class which { snapshot, log, closed_log };

template <class Index, class Storage = vicinal::storage::mmap>
struct subject {
    subject(sample<Index> const& s, which w) : sound(s) {
        files f{s.sound.snapshot, {}, {}};
        // A shipped snapshot alone: no log can say that it does not belong.
        if (w == which::log) f.log = s.sound.log;
        if (w == which::closed_log) f.closed_log = s.sound.closed_log;
        content = w == which::snapshot ? f.snapshot : w == which::log ? *f.log : *f.closed_log;
        b.lay_out(f);
        path = b.path() + (w == which::snapshot ? snapshot_name
                           : w == which::log    ? log_name
                                                : closed_log_name);
        truth = w == which::snapshot ? std::vector{s.truth.front()} : s.truth;
    }
    [[nodiscard]] verdict look() const { return judge<Index, Storage>(b, truth, how); }

    sample<Index> const& sound;
    workbench b;
    bytes content;
    std::string path;
    std::vector<std::string> truth;
    vicinal::store_options<Index> how{.read_only = true};
};

/// Flips bits of the bytes that `chosen` takes, `bits` in each.
template <class Subject>
tally flip(Subject const& s, std::vector<std::size_t> const& chosen, unsigned bits,
           std::function<bool(std::size_t, verdict)> const& allowed) {
    tally t;
    patient const file(s.path);
    for (auto const at : chosen)
        for (unsigned i = 0; i < bits; ++i) {
            // One bit a byte is another one in each.
            auto const bit = bits == 8 ? i : at % 8;
            auto const wrong = s.content[at] ^ static_cast<std::byte>(1U << bit);
            file.put(at, {&wrong, 1});
            auto const found = s.look();
            t.count(found);
            if (!allowed(at, found)) {
                CAPTURE(at, bit, static_cast<int>(found));
                FAIL_CHECK("a flipped bit was not met as it should be");
            }
            file.put(at, {&s.content[at], 1});
        }
    REQUIRE(s.look() == verdict::same);
    return t;
}

std::vector<std::size_t> every(std::size_t n, std::size_t step = 1) {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < n; i += step) list.push_back(i);
    return list;
}

bool only_refused(std::size_t, verdict v) { return v == verdict::refused; }

/// What says something of a snapshot, every so many bytes, and here and there the padding between.
std::vector<std::size_t> places_of(bytes const& content, std::size_t every_part) {
    std::set<std::size_t> chosen;
    auto const between = thorough() ? thorough_step() : std::size_t{797};
    for (std::size_t i = 0; i < content.size(); i += between) chosen.insert(i);
    for (auto const& p : used_places(content))
        for (std::size_t i = 0; i < p.size; i += every_part) chosen.insert(p.at + i);
    return {chosen.begin(), chosen.end()};
}

template <class Index>
void flip_snapshot(std::string const& name) {
    sample<Index> const sound;
    subject<Index> const s(sound, which::snapshot);
    flip(s, places_of(s.content, thorough() ? 1 : 5), 1, only_refused)
        .note("flips of a snapshot, " + name);
}

/// The same of a snapshot whose pages are compared when they are read: what no answer needs may be
/// wrong, and no answer is.
template <class Index, class Storage>
void flip_pages(std::string const& name) {
    sample<Index> const sound;
    subject<Index, Storage> s(sound, which::snapshot);
    s.how.checked_at_open = 0;
    s.how.cache_bytes = 1 << 16;
    auto const t =
        flip(s, places_of(s.content, thorough() ? 1 : 11), 1,
             [](std::size_t, verdict v) { return v == verdict::refused || v == verdict::same; });
    CHECK(t[verdict::refused] > 100);
    CHECK(t[verdict::same] > 0);
    t.note("flips of a paged snapshot, " + name);
}

template <class Index>
void flip_logs(std::string const& name) {
    sample<Index> const sound;
    auto const bits = thorough() ? 8U : 1U;
    subject<Index> const open(sound, which::log);
    // Damage in the last record, unlike any other, looks like a write that was cut off.
    auto const last = sound.ends[writes - 1];
    flip(open, every(open.content.size()), bits, [&](std::size_t at, verdict v) {
        return v == (at < last ? verdict::refused : verdict::dropped);
    }).note("flips of a log, " + name);
    subject<Index> const closed(sound, which::closed_log);
    flip(closed, every(closed.content.size()), bits, only_refused)
        .note("flips of a closed log, " + name);
}

/// Cuts the file off and makes it longer.
template <class Subject>
tally resize(Subject const& s, std::vector<std::size_t> lengths,
             std::function<bool(std::size_t, verdict)> const& allowed) {
    tally t;
    patient const file(s.path);
    bytes const garbage(4096, std::byte{0xa5});
    auto const size = s.content.size();
    auto const try_one = [&](std::size_t n) {
        auto const found = s.look();
        t.count(found);
        if (!allowed(n, found)) {
            CAPTURE(n, size, static_cast<int>(found));
            FAIL_CHECK("another length was not met as it should be");
        }
    };
    // From long to short, so that it is written again only once.
    std::sort(lengths.rbegin(), lengths.rend());
    for (auto const n : lengths) {
        file.resize(n);
        try_one(n);
    }
    file.put(0, s.content);
    for (std::size_t more = 1; more <= garbage.size(); more += thorough() ? 1U : 211U) {
        file.resize(size + more);
        try_one(size + more);
        file.put(size, std::span(garbage).first(more));
        try_one(size + more);
        file.resize(size);
    }
    REQUIRE(s.look() == verdict::same);
    return t;
}

template <class Index>
void resize_all(std::string const& name) {
    sample<Index> const sound;
    subject<Index> const s(sound, which::snapshot);
    auto lengths = every(s.content.size(), thorough() ? thorough_step() : 3001);
    for (std::size_t p = 4096; p <= s.content.size(); p += 4096) lengths.push_back(p - 1);
    resize(s, std::move(lengths), only_refused).note("lengths of a snapshot, " + name);

    subject<Index> const open(sound, which::log);
    auto const& ends = sound.ends;
    resize(open, every(open.content.size()), [&](std::size_t n, verdict v) {
        if (n < ends.front()) return v == verdict::refused;
        // Cut between two records: a log that never had the second.
        if (n < open.content.size() && std::count(ends.begin(), ends.end(), n) != 0)
            return v == verdict::different;
        return n > open.content.size() ? v == verdict::same : v == verdict::dropped;
    }).note("lengths of a log, " + name);
    subject<Index> const closed(sound, which::closed_log);
    resize(closed, every(closed.content.size()), only_refused)
        .note("lengths of a closed log, " + name);
}

} // namespace

TEST_CASE("a flipped bit anywhere in a snapshot is refused: flat", "[damage][breaking]") {
    flip_snapshot<flat>("flat");
}
TEST_CASE("a flipped bit anywhere in a snapshot is refused: hnsw", "[damage][breaking]") {
    flip_snapshot<hnsw>("hnsw");
}
TEST_CASE("a flipped bit in pages that are compared when they are read is met or not needed",
          "[damage][breaking]") {
    flip_pages<hnsw, vicinal::storage::mmap>("mmap");
    flip_pages<hnsw, vicinal::storage::file>("file");
    flip_pages<ivf, vicinal::storage::mmap>("lists in mmap");
}
TEST_CASE("a flipped bit in a log is refused; in the last record it is a write cut off",
          "[damage][breaking]") {
    flip_logs<flat>("flat");
    flip_logs<hnsw>("hnsw");
}
TEST_CASE("files of any other length are refused, but for the end of a log", "[damage][breaking]") {
    resize_all<flat>("flat");
    resize_all<hnsw>("hnsw");
}

} // namespace flips_test
