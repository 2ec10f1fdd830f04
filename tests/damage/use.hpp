// SPDX-License-Identifier: MIT
// Everything that a program may do with a store whose files are damaged. What comes out is looked
// at elsewhere: here nothing may crash, hang or reach outside (the sanitizers tell).
#ifndef VICINAL_TESTS_DAMAGE_USE_HPP
#define VICINAL_TESTS_DAMAGE_USE_HPP

#include "damage/recipe.hpp"
#include "damage/sample.hpp"

#include <vicinal/storage/check.hpp>
#include <vicinal/store/salvage.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace damage {

/// What became of a damaged store.
enum class verdict {
    /// An error: when opened, or when read.
    refused,
    /// Every answer as if nothing had happened.
    same,
    /// Answers of an earlier state: the end of the log was dropped, and check() says so.
    dropped,
    different,
};

/// Opens the store as a reader and compares what it says with what it may say.
template <class Index, class Storage = vicinal::storage::mmap>
[[nodiscard]] verdict judge(workbench const& b, std::vector<std::string> const& truth,
                            vicinal::store_options<Index> const& o = {.read_only = true}) {
    auto const s = store_of<Index, Storage>::try_open(b.path(), o);
    if (!s) return verdict::refused;
    auto const said = answers(*s);
    if (said.empty()) return verdict::refused;
    if (said == truth.back()) return verdict::same;
    for (auto const& earlier : truth)
        if (said == earlier && vicinal::check(b.path()).bytes_dropped > 0) return verdict::dropped;
    return verdict::different;
}

/// A writer's day: writes, searches, checkpoint, compaction, and all of it read.
template <class Index>
void write_on(std::string const& path) {
    auto opened = store_of<Index>::try_open(path, {.durability = vicinal::durability::off});
    if (!opened) return;
    auto& s = *opened;
    vicinal_test::generator r(1);
    for (std::size_t n = 0; n < 6; ++n)
        static_cast<void>(s.try_upsert(name_of(n + 3), r.vector(dim), {{"n", 3}}));
    static_cast<void>(s.try_erase(name_of(4)));
    static_cast<void>(s.try_update_payload(name_of(10), {{"n", 4}}));
    static_cast<void>(s.try_merge_payload(name_of(11), {{"more", 5}}));
    static_cast<void>(s.try_erase_where("n = 13"));
    static_cast<void>(answers(s));
    static_cast<void>(s.try_verify());
    static_cast<void>(s.try_checkpoint());
    static_cast<void>(s.try_compact());
    static_cast<void>(answers(s));
    static_cast<void>(s.try_verify());
}

/// Carries out a recipe: damages, repairs, opens, reads, and where it says so writes and salvages.
/// False where damage that no checksum was made for gave a different answer.
template <class Index>
[[nodiscard]] bool follow(sample<Index> const& sound, workbench const& b, recipe todo,
                          bool on_log) {
    auto damaged = sound.sound;
    auto const order = todo.wanted;
    (order.closed ? damaged.log : damaged.closed_log).reset();
    auto& log = order.closed ? *damaged.closed_log : *damaged.log;
    if (on_log) {
        todo.apply(log, {{0, log.size()}}, 128);
        repair_log(log, order.how);
    } else {
        todo.apply(damaged.snapshot, used_places(damaged.snapshot),
                   static_cast<std::size_t>(vicinal::storage::snapshot_block_bytes));
        repair_snapshot(damaged.snapshot, order.how);
    }
    b.lay_out(damaged);
    static_cast<void>(vicinal::check(b.path()));
    auto const found = judge<Index>(b, sound.truth);
    if (order.how != repair::nothing || found != verdict::different) {
        if (order.salvage) {
            static_cast<void>(vicinal::try_salvage(b.path(), b.beside("out")));
            static_cast<void>(store_of<Index>::try_open(b.beside("out"), {.read_only = true}));
            workbench::clear(b.beside("out"));
        }
        if (order.write) write_on<Index>(b.path());
        return true;
    }
    // An open log that was cut off between two of its records is a shorter log.
    bool shorter = false;
    for (auto const end : sound.ends) shorter |= on_log && !order.closed && log.size() == end;
    return shorter;
}

} // namespace damage

#endif
