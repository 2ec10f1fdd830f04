// SPDX-License-Identifier: MIT
// Random operations on a store and on a std::map beside it: whatever the store answers must be what
// the map says. A sequence that fails is made shorter while it still fails, and printed.
#ifndef VICINAL_TESTS_STORE_MODEL_HPP
#define VICINAL_TESTS_STORE_MODEL_HPP

#include "support/random.hpp"
#include "support/stores.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vicinal_test {

enum class action : std::uint8_t {
    upsert,
    batch,
    erase,
    clear,
    get,
    search,
    filtered,
    exact,
    scan,
    refuse,
    reopen,
    checkpoint,
    compact,
    update,
    merge,
    count,
    erase_where
};

/// One step. The seed gives everything else of it, so that dropping other steps changes nothing.
struct step {
    action what;
    std::uint64_t seed;
};

[[nodiscard]] inline std::string show(std::vector<step> const& steps) {
    static constexpr char const* names[] = {"upsert", "batch",      "erase",   "clear",  "get",
                                            "search", "filtered",   "exact",   "scan",   "refuse",
                                            "reopen", "checkpoint", "compact", "update", "merge",
                                            "count",  "erase_where"};
    std::string text;
    for (auto const& s : steps)
        text.append("  {action::")
            .append(names[static_cast<std::size_t>(s.what)])
            .append(", ")
            .append(std::to_string(s.seed))
            .append("},\n");
    return text;
}

template <class Store>
class model {
public:
    using id = typename Store::id_type;
    using metric = typename Store::metric_type;
    using record = typename Store::record;
    static constexpr std::size_t dim = 3;
    static constexpr std::size_t names = 40;

    explicit model(typename Store::options options) : held_(with_dim(std::move(options))) {}

    /// Runs a step; gives what was wrong, or nothing.
    [[nodiscard]] std::string run(step const& s) {
        generator r(s.seed);
        switch (s.what) {
            case action::upsert: return upsert(r);
            case action::batch: return batch(r);
            case action::erase: return erase(r);
            case action::clear:
                held_->clear();
                truth_.clear();
                return {};
            case action::get: return get(r);
            case action::search: return search(r, false, false);
            case action::filtered: return search(r, true, false);
            case action::exact: return search(r, r.below(2) == 0, true);
            case action::scan: return scan(r);
            case action::refuse: return refuse(r);
            case action::reopen: held_.reopen(); break;
            case action::checkpoint:
                if constexpr (Store::storage_policy::durable) held_->checkpoint();
                break;
            case action::compact: return compact();
            case action::update: return update(r);
            case action::merge: return merge(r);
            case action::count: return count(r, false);
            case action::erase_where: return count(r, true);
        }
        return held_->size() == truth_.size() ? "" : "size " + std::to_string(held_->size());
    }

private:
    struct kept {
        std::vector<float> vector;
        vicinal::fields payload;
    };

    static typename Store::options with_dim(typename Store::options o) {
        o.dim = dim;
        return o;
    }

    static id name(generator& r) {
        auto const n = r.below(names);
        if constexpr (std::same_as<id, std::string>)
            return std::string(n % 5 + 1, static_cast<char>('a' + n % 7)) + std::to_string(n);
        else
            return static_cast<id>(n);
    }

    /// Few different vectors, so that distances tie.
    static std::vector<float> vector(generator& r) {
        std::vector<float> v(dim);
        for (auto& x : v) x = static_cast<float>(r.below(4));
        v[0] += 1;
        return v;
    }

    static vicinal::fields payload(generator& r) {
        if (r.below(5) == 0) return {};
        return {{"n", r.below(10)}, {"s", std::string(r.below(30), 'x')}};
    }

    std::string upsert(generator& r) {
        auto const key = name(r);
        kept const k{vector(r), payload(r)};
        held_->upsert(key, k.vector, k.payload);
        truth_[key] = k;
        return held_->contains(key) ? "" : "not there after upsert";
    }

    std::string update(generator& r) {
        auto const key = name(r);
        auto const at = truth_.find(key);
        auto const fresh = payload(r);
        // An open scan keeps the old payload in its slot.
        auto const open = r.below(4) == 0 ? std::optional(held_->scan()) : std::nullopt;
        if (held_->update_payload(key, fresh) != (at != truth_.end()))
            return "update said the opposite";
        if (at != truth_.end()) at->second.payload = fresh;
        return {};
    }

    std::string merge(generator& r) {
        std::vector<id> keys;
        std::set<id> there;
        for (auto n = r.below(6); n > 0; --n) keys.push_back(name(r));
        auto const s = std::string(r.below(9), 'y');
        for (auto const& key : keys)
            if (auto const at = truth_.find(key); at != truth_.end()) {
                at->second.payload.set("s", s);
                there.insert(key);
            }
        return held_->merge_payload(keys, {{"s", s}}) == there.size() ? "" : "merged another count";
    }

    std::string count(generator& r, bool erases) {
        auto const from = static_cast<std::int64_t>(r.below(11));
        auto const to = erases ? from : from + static_cast<std::int64_t>(r.below(5));
        auto const where = "n between " + std::to_string(from) + " and " + std::to_string(to);
        std::size_t n = 0;
        for (auto at = truth_.begin(); at != truth_.end();) {
            auto const* x = at->second.payload["n"].template get_if<std::int64_t>();
            bool const match = x && *x >= from && *x <= to;
            n += match ? 1 : 0;
            at = match && erases ? truth_.erase(at) : std::next(at);
        }
        auto const got = erases ? held_->erase_where(where) : held_->count(where);
        if (got != n) return std::to_string(got) + " match, not " + std::to_string(n);
        return held_->size() == truth_.size() ? "" : "size after erase_where";
    }

    std::string batch(generator& r) {
        std::map<id, kept> some;
        for (auto n = r.below(30); n > 0; --n) {
            auto const key = name(r);
            some[key] = {vector(r), payload(r)};
        }
        std::vector<record> list;
        for (auto const& [key, k] : some) list.push_back({key, k.vector, k.payload});
        if (r.below(2) == 0) std::reverse(list.begin(), list.end());
        held_->upsert(list);
        for (auto& [key, k] : some) truth_[key] = std::move(k);
        return held_->size() == truth_.size() ? "" : "size after batch";
    }

    std::string erase(generator& r) {
        auto const key = name(r);
        bool const was = truth_.erase(key) == 1;
        if (held_->erase(key) != was) return "erase said the opposite";
        return held_->contains(key) ? "there after erase" : "";
    }

    std::string get(generator& r) {
        auto const key = name(r);
        auto const at = truth_.find(key);
        auto const got = held_->get(key);
        if (got.has_value() != (at != truth_.end())) return "get said the opposite";
        return got ? same(*got, *at) : "";
    }

    static std::string same(record const& got, std::pair<id const, kept> const& want) {
        if (got.id != want.first) return "another id";
        if (got.vector != want.second.vector) return "another vector";
        return got.payload == want.second.payload ? "" : "another payload";
    }

    std::string search(generator& r, bool filtered, bool exact) {
        auto const query = vector(r);
        vicinal::search_options o;
        o.k = r.below(8) == 0 ? 1000 : r.below(12);
        o.exact = exact;
        std::int64_t least = 0;
        if (filtered) {
            least = static_cast<std::int64_t>(r.below(11));
            o.where = "n >= " + std::to_string(least);
        }
        std::vector<std::pair<float, id>> want;
        for (auto const& [key, k] : truth_) {
            auto const* n = k.payload["n"].template get_if<std::int64_t>();
            if (filtered && (!n || *n < least)) continue;
            want.emplace_back(distance(query, k.vector), key);
        }
        std::sort(want.begin(), want.end());
        want.resize(std::min(o.k, want.size()));
        auto const got = held_->search(query, o);
        if (got.size() != want.size())
            return std::to_string(got.size()) + " hits, not " + std::to_string(want.size());
        std::set<id> seen;
        for (std::size_t i = 0; i < got.size(); ++i) {
            auto const& h = got[i];
            if ((exact ||
                 Store::index_policy::template of<metric, typename Store::storage_policy>::exact) &&
                (h.id != want[i].second || h.distance != want[i].first))
                return "exact hit " + std::to_string(i) + " is another";
            auto const at = truth_.find(h.id);
            if (at == truth_.end()) return "a hit that is not there";
            if (!seen.insert(h.id).second) return "a hit twice";
            if (h.distance != distance(query, at->second.vector)) return "a wrong distance";
            if (filtered) {
                auto const* n = at->second.payload["n"].template get_if<std::int64_t>();
                if (!n || *n < least) return "a hit that does not match";
            }
            if (i > 0 &&
                std::pair(h.distance, h.id) < std::pair(got[i - 1].distance, got[i - 1].id))
                return "hits out of order";
        }
        return {};
    }

    /// The library's own, which tests/metric compares with the textbook: here the bits count.
    static float distance(std::vector<float> const& a, std::vector<float> const& b) {
        return vicinal::metric::exact<metric>(a.data(), b.data(), dim);
    }

    std::string scan(generator& r) {
        auto after = r.below(2) == 0 ? std::optional<id>(name(r)) : std::nullopt;
        auto at = after ? truth_.upper_bound(*after) : truth_.begin();
        auto all = after ? held_->scan(*after) : held_->scan();
        for (; at != truth_.end(); ++at) {
            auto const next = all.try_next().value();
            if (!next) return "the scan ended early";
            if (auto const wrong = same(*next, *at); !wrong.empty()) return "scan: " + wrong;
        }
        return all.try_next().value() ? "the scan went on" : "";
    }

    std::string compact() {
        held_->compact();
        auto const s = held_->stats();
        return s.rows == truth_.size() && s.records == s.rows ? "" : "dead rows after compact";
    }

    std::string refuse(generator& r) {
        std::vector<record> list;
        for (std::size_t i = 0; i < 5; ++i) list.push_back({name(r), vector(r), {}});
        list[r.below(5)].vector[r.below(dim)] = std::numeric_limits<float>::infinity();
        return held_->try_upsert(list) ? "infinity was taken" : "";
    }

    test_store<Store> held_;
    std::map<id, kept> truth_;
};

/// What goes wrong when the steps are run on a new store, or nothing.
template <class Store>
[[nodiscard]] std::string failure_of(std::vector<step> const& steps,
                                     typename Store::options const& options) {
    model<Store> m(options);
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (auto wrong = m.run(steps[i]); !wrong.empty())
            return "step " + std::to_string(i) + ": " + wrong;
    return {};
}

/// Drops runs of steps, half of them first and single ones last, as long as it still fails.
template <class Fails>
[[nodiscard]] std::vector<step> shortened(std::vector<step> steps, Fails const& fails) {
    for (auto run = steps.size() / 2; run > 0;) {
        bool dropped = false;
        for (std::size_t at = 0; at + run <= steps.size();) {
            auto fewer = steps;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                        fewer.begin() + static_cast<std::ptrdiff_t>(at + run));
            if (fails(fewer)) {
                steps = std::move(fewer);
                dropped = true;
            } else {
                at += run;
            }
        }
        if (!dropped || run > steps.size()) run /= 2;
    }
    return steps;
}

[[nodiscard]] inline std::vector<step> random_steps(std::size_t n, std::uint64_t seed) {
    static constexpr std::pair<action, std::size_t> weights[] = {
        {action::upsert, 20},   {action::batch, 6},      {action::erase, 10},
        {action::clear, 1},     {action::get, 8},        {action::search, 10},
        {action::filtered, 10}, {action::exact, 8},      {action::scan, 6},
        {action::refuse, 2},    {action::reopen, 1},     {action::checkpoint, 1},
        {action::compact, 2},   {action::update, 8},     {action::merge, 3},
        {action::count, 3},     {action::erase_where, 1}};
    generator r(seed);
    std::vector<step> steps;
    while (steps.size() < n) {
        auto at = r.below(100);
        for (auto const& [what, weight] : weights) {
            if (at < weight) {
                steps.push_back({what, r.next() >> 32});
                break;
            }
            at -= weight;
        }
    }
    return steps;
}

/// Runs `sequences` of `length` steps; gives the report of the first failure, shortened.
template <class Store>
[[nodiscard]] std::string check_against_model(std::size_t sequences, std::size_t length,
                                              std::uint64_t seed,
                                              typename Store::options const& options) {
    for (std::uint64_t i = 0; i < sequences; ++i) {
        auto const steps = random_steps(length, seed * 1000 + i);
        if (failure_of<Store>(steps, options).empty()) continue;
        auto const least = shortened(
            steps, [&](auto const& fewer) { return !failure_of<Store>(fewer, options).empty(); });
        return "sequence " + std::to_string(i) + " of seed " + std::to_string(seed) + ", " +
               std::to_string(least.size()) + " of " + std::to_string(length) + " steps left:\n" +
               show(least) + failure_of<Store>(least, options);
    }
    return {};
}

} // namespace vicinal_test

#endif
