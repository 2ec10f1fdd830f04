// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_FLAT_ANSWERS_HPP
#define VICINAL_INDEX_FLAT_ANSWERS_HPP

#include <vicinal/core/result.hpp>
#include <vicinal/index/nearest.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vicinal::inline VICINAL_ABI::index {

/// Nothing to tune.
struct flat_options {};

/// The searches of an index that looks at every row, from its scans: scan, scan_batch and
/// scan_listed of Index, which derives from it.
template <class Index, class Element>
class flat_answers {
public:
    /// The nearest; `keep` is asked only about rows that their distance lets in.
    template <class Keep>
    [[nodiscard]] result<neighbours> search(Element const* query, std::size_t wanted, std::size_t,
                                            Keep const& keep) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            nearest best(wanted);
            self().scan(query, keep, best);
            return best.take();
        });
    }

    /// The same for `count` queries, one behind the other, on up to `threads` threads of this
    /// call's; `keep` must be safe to ask from several.
    template <class Keep>
    [[nodiscard]] result<std::vector<neighbours>> search(Element const* queries, std::size_t count,
                                                         std::size_t wanted, Keep const& keep,
                                                         std::size_t threads) const {
        return vicinal::detail::guarded([&]() -> result<std::vector<neighbours>> {
            std::vector<nearest<>> best(count, nearest<>(wanted));
            VICINAL_CHECK(self().scan_batch(queries, std::span(best), keep, threads));
            std::vector<neighbours> found;
            found.reserve(count);
            for (auto& b : best) found.push_back(b.take());
            return found;
        });
    }

    /// The nearest among a list of covered slots, each once.
    [[nodiscard]] result<neighbours> search_among(Element const* query, std::size_t wanted,
                                                  std::span<slot const> slots) const {
        return vicinal::detail::guarded([&]() -> result<neighbours> {
            nearest best(wanted);
            self().scan_listed(query, slots, keep_all{}, best);
            return best.take();
        });
    }

    [[nodiscard]] std::uint64_t link_bytes() const noexcept { return 0; }
    [[nodiscard]] std::uint64_t all_code_bytes() const noexcept {
        return std::uint64_t{self().covered()} * self().code_bytes();
    }
    /// Every row is looked at, whatever is wanted.
    [[nodiscard]] std::size_t effort_for(std::size_t wanted, double) const noexcept {
        return wanted;
    }

private:
    [[nodiscard]] Index const& self() const noexcept { return static_cast<Index const&>(*this); }
};

} // namespace vicinal::inline VICINAL_ABI::index

#endif
