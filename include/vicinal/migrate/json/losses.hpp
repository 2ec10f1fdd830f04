// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_JSON_LOSSES_HPP
#define VICINAL_MIGRATE_JSON_LOSSES_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// Counts what a reader leaves behind, by kind and name, for sentences in a report.
class json_losses {
public:
    enum class kind : std::uint8_t { sparse, several, other_vector, member, renamed };

    void count(kind what, std::string_view name = {}, std::string_view now = {}) {
        auto const place = counts_.find(key_view{what, name, now});
        if (place != counts_.end())
            ++place->second;
        else if (counts_.size() < most_kinds)
            counts_.emplace(key{what, std::string(name), std::string(now)}, 1);
    }

    /// A sentence for each kind, the same in every run.
    [[nodiscard]] std::vector<std::string> sentences() const {
        std::vector<std::string> all;
        for (auto const& [k, n] : counts_) all.push_back(sentence(k, n));
        return all;
    }

    void clear() noexcept { counts_.clear(); }

private:
    struct key_view {
        kind what;
        std::string_view name;
        std::string_view now;
    };
    struct key {
        kind what;
        std::string name;
        std::string now;
        operator key_view() const noexcept { return {what, name, now}; }
    };
    struct less {
        using is_transparent = void;
        bool operator()(key_view const& a, key_view const& b) const noexcept {
            if (a.what != b.what) return a.what < b.what;
            return a.name != b.name ? a.name < b.name : a.now < b.now;
        }
    };

    // Names come from outside: a file with a new one in each record must not fill the memory.
    static constexpr std::size_t most_kinds = 100;

    [[nodiscard]] static std::string sentence(key const& k, std::uint64_t n) {
        auto const number = [n](char const* one, char const* many) {
            return std::to_string(n) + " " + (n == 1 ? one : many);
        };
        switch (k.what) {
            case kind::sparse:
                return number("sparse vector is", "sparse vectors are") + " not carried";
            case kind::several:
                return number("multivector is", "multivectors are") + " not carried";
            case kind::other_vector:
                return number("vector", "vectors") + " named '" + k.name +
                       (n == 1 ? "' is" : "' are") + " not carried";
            case kind::member:
                return "the member '" + k.name + "' of " + number("record is", "records is") +
                       " not carried";
            case kind::renamed: break;
        }
        return number("record has", "records have") + " a field of its own named '" + k.name +
               "': what the system keeps under that name is in the field '" + k.now + "' there";
    }

    std::map<key, std::uint64_t, less> counts_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
