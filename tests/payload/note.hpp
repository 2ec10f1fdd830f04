// SPDX-License-Identifier: MIT
// Structs as payloads: every form of member, nested, with names by hand, and one from outside.
#ifndef VICINAL_TESTS_PAYLOAD_NOTE_HPP
#define VICINAL_TESTS_PAYLOAD_NOTE_HPP

#include "payload/random_fields.hpp"

#include <vicinal/payload/record.hpp>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace library {

/// A struct that can't be changed: its members are listed below, from outside.
struct author {
    std::string name;
    std::optional<int> born;

    friend bool operator==(author const&, author const&) = default;
};

} // namespace library

template <>
struct vicinal::members_of<library::author> {
    using type = vicinal::members<&library::author::name, &library::author::born>;
};

namespace testing {

enum class shelf : std::uint8_t { open = 1, closed = 200 };
enum class sign : std::int16_t { minus = -300, plus = 1 };

struct note {
    int year = 0;
    std::string title;
    std::vector<std::string> tags;
    bool draft = false;
    float price = 0;
    std::optional<double> score;
    std::vector<bool> flags;
    shelf where_kept = shelf::open;
    sign direction = sign::plus;
    library::author by;
    std::optional<library::author> editor;
    std::vector<library::author> others;
    std::vector<std::optional<std::int64_t>> gaps;
    std::vector<std::vector<float>> table;
    std::uint64_t hash = 0;
    std::int8_t small = 0;
    int not_listed = 0;

    using members =
        vicinal::members<&note::year, &note::title, &note::tags, &note::draft, &note::price,
                         &note::score, &note::flags, vicinal::named<"shelf", &note::where_kept>,
                         &note::direction, &note::by, &note::editor, &note::others, &note::gaps,
                         vicinal::named<"a table", &note::table>, &note::hash, &note::small>;
};

inline bool same(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
inline bool same(std::vector<float> const& a, std::vector<float> const& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!same(a[i], b[i])) return false;
    return true;
}

/// Bit for bit, NaN included.
inline bool operator==(note const& a, note const& b) {
    if (a.table.size() != b.table.size() || a.score.has_value() != b.score.has_value())
        return false;
    for (std::size_t i = 0; i < a.table.size(); ++i)
        if (!same(a.table[i], b.table[i])) return false;
    if (a.score && std::bit_cast<std::uint64_t>(*a.score) != std::bit_cast<std::uint64_t>(*b.score))
        return false;
    return a.year == b.year && a.title == b.title && a.tags == b.tags && a.draft == b.draft &&
           same(a.price, b.price) && a.flags == b.flags && a.where_kept == b.where_kept &&
           a.direction == b.direction && a.by == b.by && a.editor == b.editor &&
           a.others == b.others && a.gaps == b.gaps && a.hash == b.hash && a.small == b.small;
}

inline note sample_note() {
    note n;
    n.year = 2024;
    n.title = "On w\xc3\xa4lls";
    n.tags = {"ml", "", "c++"};
    n.draft = true;
    n.price = 9.99F;
    n.flags = {true, false, true};
    n.where_kept = shelf::closed;
    n.direction = sign::minus;
    n.by = {"Ada", 1815};
    n.others = {{"B", {}}, {"", -1}};
    n.gaps = {1, {}, INT64_MIN};
    n.table = {{0.1F, -0.0F}, {}};
    n.hash = INT64_MAX;
    n.small = -128;
    return n;
}

inline float random_float(dice& d) {
    if (d.one_in(2)) return std::bit_cast<float>(static_cast<std::uint32_t>(d.bits()));
    return static_cast<float>(random_real(d));
}

inline library::author random_author(dice& d) {
    library::author a{random_text(d), {}};
    if (d.one_in(2)) a.born = static_cast<int>(d.bits());
    return a;
}

inline note random_note(dice& d) {
    note n;
    n.year = static_cast<int>(d.bits());
    n.title = random_text(d);
    for (auto i = d.below(4); i > 0; --i) n.tags.push_back(random_text(d));
    n.draft = d.one_in(2);
    n.price = random_float(d);
    if (d.one_in(2)) n.score = random_real(d);
    for (auto i = d.below(9); i > 0; --i) n.flags.push_back(d.one_in(2));
    n.where_kept = static_cast<shelf>(d.below(256));
    n.direction = static_cast<sign>(d.bits());
    n.by = random_author(d);
    if (d.one_in(2)) n.editor = random_author(d);
    for (auto i = d.below(3); i > 0; --i) n.others.push_back(random_author(d));
    for (auto i = d.below(3); i > 0; --i) {
        n.gaps.emplace_back();
        if (d.one_in(2)) n.gaps.back() = random_integer(d);
    }
    for (auto i = d.below(3); i > 0; --i) {
        n.table.emplace_back();
        for (auto j = d.below(5); j > 0; --j) n.table.back().push_back(random_float(d));
    }
    n.hash = d.bits() >> 1;
    n.small = static_cast<std::int8_t>(d.bits());
    return n;
}

} // namespace testing

#endif
