// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_PROBE_HPP
#define VICINAL_MIGRATE_PROBE_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/report.hpp>
#include <vicinal/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Asks both sides of a migration the same questions: the vectors of a few records, chosen by their
/// ids while these are copied. The left side's answers are exact, from comparing all of its
/// records; so are the right side's, unless it answers searches itself (`nearest`): then its index
/// is what is asked.
class probe {
public:
    static constexpr std::size_t top_k = 10;

    /// No question is asked where `count` is 0 or the metric is none of the library's.
    probe(std::size_t count, std::string_view metric) : distance_(exact_by_name(metric)) {
        if (distance_ != nullptr) most_ = count;
    }

    /// Offers a record as a question.
    void offer(record const& r) {
        if (most_ == 0 || r.vector.empty()) return;
        auto const rank = mix(hash_bytes(r.id));
        if (questions_.size() == most_ && rank >= questions_.back().rank) return;
        auto const at = std::upper_bound(
            questions_.begin(), questions_.end(), rank,
            [](std::uint64_t wanted, question const& q) { return wanted < q.rank; });
        questions_.insert(at, question{rank, r.vector, {}, {}});
        if (questions_.size() > most_) questions_.pop_back();
    }
    /// Asks nothing: where the sides need not agree, as when the sink held other records before.
    void forget() noexcept { questions_.clear(); }

    /// What every record of the left side is handed to.
    [[nodiscard]] auto on_left() {
        return [this](record const& r) {
            for (auto& q : questions_) compare(q, q.left, r);
        };
    }
    template <class Right>
    [[nodiscard]] auto on_right(Right& right) {
        searched_ = ask(right);
        return [this](record const& r) {
            if (searched_) return;
            for (auto& q : questions_) compare(q, q.right, r);
        };
    }

    /// How well the answers agree, once both sides were read.
    void tell(migration_report& report) const {
        std::size_t wanted = 0;
        std::size_t agreed = 0;
        for (auto const& q : questions_) {
            wanted += q.left.size();
            for (auto const& l : q.left)
                agreed += std::any_of(q.right.begin(), q.right.end(),
                                      [&](answer const& r) { return r.id == l.id; });
            // Another record at the same distance as the last is as good.
            auto const spare = std::count_if(q.right.begin(), q.right.end(), [&](answer const& r) {
                return !q.left.empty() && r.distance == q.left.back().distance &&
                       std::none_of(q.left.begin(), q.left.end(),
                                    [&](answer const& l) { return l.id == r.id; });
            });
            agreed += static_cast<std::size_t>(spare);
        }
        report.probes = questions_.size();
        report.top_k_agreement = wanted == 0 ? 1
                                             : static_cast<double>((std::min)(agreed, wanted)) /
                                                   static_cast<double>(wanted);
    }

private:
    struct answer {
        float distance;
        std::string id;
        friend bool operator<(answer const& a, answer const& b) noexcept {
            return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
        }
    };
    struct question {
        std::uint64_t rank;
        std::vector<float> vector;
        std::vector<answer> left; // sorted, at most top_k
        std::vector<answer> right;
    };
    using exact_distance = float (*)(float const*, float const*, std::size_t);

    [[nodiscard]] static exact_distance exact_by_name(std::string_view name) noexcept {
        if (name == metric::cosine::name) return metric::exact<metric::cosine>;
        if (name == metric::squared_l2::name) return metric::exact<metric::squared_l2>;
        if (name == metric::inner_product::name) return metric::exact<metric::inner_product>;
        return nullptr;
    }

    void compare(question const& q, std::vector<answer>& best, record const& r) const {
        if (r.vector.size() != q.vector.size()) return;
        auto const d = distance_(q.vector.data(), r.vector.data(), r.vector.size());
        if (best.size() == top_k && d > best.back().distance) return;
        answer a{d, r.id};
        best.insert(std::upper_bound(best.begin(), best.end(), a), std::move(a));
        if (best.size() > top_k) best.pop_back();
    }

    /// Whether the side itself has answered all questions.
    template <class Right>
    [[nodiscard]] bool ask(Right& right) {
        if constexpr (requires(question & q) { right.nearest(q.vector, top_k); }) {
            for (auto& q : questions_) {
                auto found = right.nearest(q.vector, top_k);
                if (!found || !found->has_value()) return false;
                q.right.clear();
                for (auto& [id, distance] : **found) q.right.push_back({distance, std::move(id)});
            }
            return true;
        } else {
            return false;
        }
    }

    exact_distance distance_;
    std::size_t most_ = 0;
    std::vector<question> questions_; // by rank
    bool searched_ = false;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
