// SPDX-License-Identifier: MIT
#ifndef VICINAL_TESTS_SUPPORT_RECORDS_HPP
#define VICINAL_TESTS_SUPPORT_RECORDS_HPP

#include "support/random.hpp"

#include <vicinal/migrate/concept.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vicinal_test {

/// Records "00000", "00001" and so on, with payloads of every kind.
[[nodiscard]] inline std::vector<vicinal::record> make_records(std::size_t n, std::size_t dim,
                                                               std::uint64_t seed = 1) {
    generator r(seed);
    std::vector<vicinal::record> list;
    for (std::size_t i = 0; i < n; ++i) {
        auto digits = std::to_string(i);
        vicinal::record one{std::string(5 - digits.size(), '0') + digits, r.vector(dim), {}};
        if (i % 4 != 0)
            one.payload = {{"n", static_cast<std::int64_t>(i)},
                           {"text", "line\n\"" + digits + "\" \xc3\xa9"},
                           {"real", static_cast<double>(r.real(-1, 1))},
                           {"flag", i % 3 == 0},
                           {"none", nullptr},
                           {"tags", {"a", "b"}},
                           {"in", {{"deep", static_cast<std::int64_t>(i)}}}};
        list.push_back(std::move(one));
    }
    return list;
}

[[nodiscard]] inline bool same(vicinal::record const& a, vicinal::record const& b) {
    return a.id == b.id && a.payload == b.payload &&
           std::equal(a.vector.begin(), a.vector.end(), b.vector.begin(), b.vector.end(),
                      [](float x, float y) {
                          return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
                      });
}

[[nodiscard]] inline std::vector<vicinal::record> by_id(std::vector<vicinal::record> list) {
    std::stable_sort(list.begin(), list.end(),
                     [](auto const& a, auto const& b) { return a.id < b.id; });
    return list;
}

[[nodiscard]] inline bool same(std::vector<vicinal::record> const& a,
                               std::vector<vicinal::record> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](auto const& x, auto const& y) { return same(x, y); });
}

/// Everything from the beginning.
template <class Source>
[[nodiscard]] std::vector<vicinal::record> read_all(Source& source, std::size_t at_once = 100) {
    source.rewind().value();
    std::vector<vicinal::record> all;
    std::vector<vicinal::record> batch;
    do {
        source.read(batch, at_once).value();
        all.insert(all.end(), batch.begin(), batch.end());
    } while (!batch.empty());
    return all;
}

/// A source over a list.
class list_source {
public:
    explicit list_source(std::vector<vicinal::record> list) : list_(std::move(list)) {}

    vicinal::result<vicinal::schema> describe() {
        vicinal::schema s;
        s.dim = list_.empty() ? 0 : list_[0].vector.size();
        s.metric = "squared_l2";
        s.records = list_.size();
        s.losses = {"a loss of the source's"};
        s.description = "a list";
        return s;
    }
    vicinal::result<void> rewind() {
        next_ = 0;
        return {};
    }
    vicinal::result<void> read(std::vector<vicinal::record>& batch, std::size_t most) {
        auto const n = std::min(most, list_.size() - next_);
        auto const from = list_.begin() + static_cast<std::ptrdiff_t>(next_);
        batch.assign(from, from + static_cast<std::ptrdiff_t>(n));
        next_ += n;
        return {};
    }

private:
    std::vector<vicinal::record> list_;
    std::size_t next_ = 0;
};

/// A sink that does one thing wrong: `damage` is what the disk does to its records between writing
/// and reading.
class damaging_sink {
public:
    explicit damaging_sink(std::function<void(std::vector<vicinal::record>&)> damage)
        : damage_(std::move(damage)) {}

    vicinal::result<void> begin(vicinal::schema const&) { return {}; }
    vicinal::result<void> write(std::span<vicinal::record const> batch) {
        list_.insert(list_.end(), batch.begin(), batch.end());
        return {};
    }
    vicinal::result<void> finish() { return {}; }
    vicinal::result<list_source> reopen() {
        auto list = list_;
        damage_(list);
        return list_source(std::move(list));
    }

private:
    std::function<void(std::vector<vicinal::record>&)> damage_;
    std::vector<vicinal::record> list_;
};

/// A sink whose n-th batch, from 0, does not go through.
template <class Sink>
class failing_sink {
public:
    failing_sink(Sink& sink, std::size_t fails_at) : sink_(&sink), left_(fails_at) {}

    vicinal::result<void> begin(vicinal::schema const& s) { return sink_->begin(s); }
    vicinal::result<void> resume(vicinal::schema const& s) { return sink_->resume(s); }
    vicinal::result<bool> holds(vicinal::record const& r) { return sink_->holds(r); }
    vicinal::result<void> write(std::span<vicinal::record const> batch) {
        if (left_ == 0) return vicinal::error{vicinal::errc::io_failure, "", "the disk is full"};
        --left_;
        return sink_->write(batch);
    }
    vicinal::result<void> finish() { return sink_->finish(); }
    auto reopen() { return sink_->reopen(); }

private:
    Sink* sink_;
    std::size_t left_;
};

} // namespace vicinal_test

#endif
