// SPDX-License-Identifier: MIT
// Indexes on fields against filters that are asked record by record.
#include "payload/random_fields.hpp"

#include <catch.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/index/filter_answers.hpp>
#include <vicinal/payload/index/segment_builder.hpp>
#include <vicinal/payload/index/segment_merge.hpp>
#include <vicinal/storage/column.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace index_answers_test {

using namespace vicinal;
using namespace vicinal::payload::detail;
using testing::bytes_of;
using view = segment_view<storage::contiguous_reader>;

namespace {

view view_of(segment_memory const& m) {
    auto const* const p = reinterpret_cast<std::byte const*>(m->data());
    auto const layout = segment_layout::read(p, m->size() * 8);
    REQUIRE(layout);
    REQUIRE(layout->bytes == m->size() * 8);
    return {*layout, p};
}

/// Records, and indexes on some of their fields in segments of any length.
struct table {
    struct index {
        field_path path;
        field_index kind;
        std::vector<segment_memory> segments;
    };
    std::vector<std::string> payloads;
    std::vector<index> indexes;

    void add(fields const& f) {
        std::string bytes;
        REQUIRE(payload::fields::encode(f, bytes));
        payloads.push_back(std::move(bytes));
    }
    [[nodiscard]] slot count() const { return static_cast<slot>(payloads.size()); }
    void build(std::string_view name, field_index kind, std::vector<slot> const& ends) {
        index x{*field_path::parse(name), kind, {}};
        slot from = 0;
        for (auto const end : ends) {
            segment_builder b(kind);
            for (auto s = from; s < end; ++s) b.add(s, x.path.find(bytes_of(payloads[s])));
            x.segments.push_back(b.take(from, end));
            from = end;
        }
        indexes.push_back(std::move(x));
    }
    void merge() {
        for (auto& x : indexes) {
            std::vector<view> views;
            for (auto const& s : x.segments) views.push_back(view_of(s));
            x.segments = {merge_segments(x.kind, 0, count(), std::span<view const>(views),
                                         [](std::size_t, slot s) { return s; })};
        }
    }
    [[nodiscard]] std::vector<open_index<view>> open() const {
        std::vector<open_index<view>> all;
        for (auto const& x : indexes) {
            all.push_back({&x.path, x.kind, {}});
            for (auto const& s : x.segments) all.back().views.push_back(view_of(s));
        }
        return all;
    }
    [[nodiscard]] std::vector<slot> matching(filter const& f) const {
        std::vector<slot> out;
        for (slot s = 0; s < count(); ++s)
            if (f.matches(bytes_of(payloads[s]))) out.push_back(s);
        return out;
    }
};

/// Compares; gives whether the indexes had an answer, and an exact one.
std::pair<bool, bool> check(table const& t, std::string const& text) {
    INFO(text);
    auto const f = filter::parse(text);
    REQUIRE(f);
    auto const open = t.open();
    filter_answers<view> const answers(f->tree(), open, t.count());
    auto const told = answers.estimate();
    auto const got = answers.select();
    REQUIRE(got.has_value() == told.known);
    if (!got) return {false, false};
    auto const expected = t.matching(*f);
    REQUIRE(told.at_least <= expected.size());
    REQUIRE(told.at_most >= expected.size());
    std::vector<slot> slots;
    got->slots.each([&](slot s) { slots.push_back(s); });
    if (got->exact)
        REQUIRE(slots == expected);
    else
        REQUIRE(std::includes(slots.begin(), slots.end(), expected.begin(), expected.end()));
    return {true, got->exact};
}

std::string literal(testing::dice& d) {
    switch (d.below(6)) {
        case 0: return d.one_in(2) ? "true" : "false";
        case 1: return std::to_string(testing::random_integer(d));
        case 2: {
            static constexpr std::array<char const*, 7> reals{
                "0.5",  "-0.0", "9007199254740992.0", "9223372036854775808", "1e300",
                "9.99", "-2.5"};
            return reals[d.below(reals.size())];
        }
        default: {
            std::string quoted = "'";
            for (auto const c : testing::random_text(d))
                quoted += c == '\'' ? "''" : std::string(1, c);
            return quoted + "'";
        }
    }
}

std::string random_filter(testing::dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(2)) {
        auto const a = random_filter(d, depth - 1);
        auto const b = random_filter(d, depth - 1);
        switch (d.below(4)) {
            case 0: return "(" + a + " and " + b + ")";
            case 1: return "(" + a + " or " + b + ")";
            case 2: return "(" + a + ") is not true";
            default: return "not (" + a + ")";
        }
    }
    static constexpr std::array<char const*, 6> names{"a", "b", "c", "a.b", "year", "tags"};
    static constexpr std::array<char const*, 7> ops{"=", "!=", "<", "<=", ">", ">=", "contains"};
    std::string const name = names[d.below(names.size())];
    switch (d.below(13)) {
        case 12: return "any " + name + " " + ops[d.below(6)] + " " + literal(d);
        case 0: return name + " is null";
        case 1: return name + " is not null";
        case 2: return name + " in (" + literal(d) + ", " + literal(d) + ", " + literal(d) + ")";
        case 3: return name + " not in (" + literal(d) + ", " + literal(d) + ")";
        case 4: return name + " starts_with " + (d.one_in(2) ? "'ab'" : "'g'");
        case 5: return name + " between -1 and " + std::to_string(d.below(5));
        case 6: return name + " between 'a' and 'b'";
        default: return name + " " + ops[d.below(ops.size())] + " " + literal(d);
    }
}

fields random_record(testing::dice& d) {
    auto f = testing::random_fields(d, 2);
    f.set("year", d.one_in(2) ? value(testing::random_integer(d)) : value(testing::random_real(d)));
    if (d.one_in(2)) f.set("a", testing::random_text(d));
    value::array tags;
    for (auto n = d.below(4); n > 0; --n) tags.push_back(testing::random_value(d, 1));
    if (!d.one_in(4)) f.set("tags", std::move(tags));
    return f;
}

} // namespace

TEST_CASE("an index on a field never changes what a filter matches") {
    testing::dice d(11);
    table t;
    for (int i = 0; i < 1500; ++i) t.add(random_record(d));
    std::vector<slot> const ends{1, 700, 701, 1400, 1500};
    std::vector<field_index> const kinds{field_index::hash, field_index::ordered,
                                         field_index::inverted};
    for (auto const* name : {"a", "b", "c", "a.b", "year", "tags"})
        t.build(name, kinds[d.below(3)], ends);
    for (auto const kind : kinds) t.build("year", kind, ends);
    for (auto const kind : kinds) t.build("a", kind, ends);
    for (int merged = 0; merged < 2; ++merged) {
        int known = 0;
        int exact = 0;
        for (int i = 0; i < 1500; ++i) {
            auto const got = check(t, random_filter(d, 3));
            known += got.first ? 1 : 0;
            exact += got.second ? 1 : 0;
        }
        CHECK(known > 700);
        CHECK(exact > 400);
        t.merge();
    }
}

TEST_CASE("each kind answers its comparisons exactly") {
    testing::dice d(12);
    for (auto const kind : {field_index::hash, field_index::ordered}) {
        table t;
        for (int i = 0; i < 600; ++i) {
            fields f;
            if (!d.one_in(5)) f.set("v", testing::random_value(d, 1));
            t.add(f);
        }
        t.build("v", kind, {100, 600});
        for (auto const* op : {"=", "!=", "<", "<=", ">", ">="})
            for (int i = 0; i < 30; ++i) {
                auto const text = std::string("v ") + op + " " + literal(d);
                CHECK(check(t, text) == std::pair(true, true));
                CHECK(check(t, "not (" + text + ")") == std::pair(true, true));
            }
        for (auto const* text :
             {"v is null", "not (v is null)", "v between -1 and 2", "not (v between -1 and 2)",
              "not (v between 2 and -1)", "v in (1, 2.0, 'a', true)", "not (v in (1, 'a'))",
              "v not in (0, -0.0, 'guide')", "v starts_with 'a'", "v starts_with ''",
              "v starts_with 'ab' or v = 1", "v = 9007199254740993 or v = 9007199254740992.0",
              "v >= 9223372036854775807", "v < 9223372036854775808", "v > -9223372036854775808"})
            CHECK(check(t, text) == std::pair(true, true));
    }
}

TEST_CASE("members of arrays and words of texts answer contains") {
    table t;
    testing::dice d(13);
    std::vector<std::string> const words{"machine", "learning",           "chine", "learn", "Deep",
                                         "x",       "gr\xc3\xb6\xc3\x9f", "a1"};
    for (int i = 0; i < 400; ++i) {
        std::string text;
        for (auto n = d.below(6); n > 0; --n)
            text += words[d.below(words.size())] + (d.one_in(3) ? ", " : d.one_in(2) ? " " : "-");
        value::array tags;
        for (auto n = d.below(5); n > 0; --n)
            tags.push_back(d.one_in(3) ? value(d.below(4)) : value(words[d.below(words.size())]));
        fields f{{"text", text}, {"either", text}};
        f.set("tags", tags);
        if (d.one_in(2)) f.set("either", tags);
        t.add(f);
    }
    for (auto const* name : {"text", "tags", "either"})
        t.build(name, field_index::inverted, {10, 400});
    auto const exact = std::pair(true, true);
    auto const beyond = std::pair(true, false);
    for (auto const* text :
         {"tags contains 'learn'", "tags contains 2", "tags contains 2.0", "text contains 'learn'",
          "text contains 'chine'", "text contains 'e'", "text contains 'nowhere'", "any tags = 'x'",
          "any tags in (2, 'x')", "any tags >= 2", "any tags between 'l' and 'm'",
          "any tags starts_with 'm'", "text contains 3", "either contains 'learn'",
          "either contains 1", "text contains '\xc3\xb6'", "tags is null"})
        CHECK(check(t, text) == exact);
    for (auto const* text :
         {"text contains 'machine learn'", "text contains 'ine-lea'", "text contains ' learn'",
          "text contains 'ning '", "text contains '-Deep-'", "either contains 'ning, m'"})
        CHECK(check(t, text) == beyond);
    for (auto const* text : {"text contains ''", "text contains ', '", "not (tags contains 2)"})
        CHECK(check(t, text) == std::pair(false, false));
    CHECK(check(t, "tags contains 2 and text contains ''") == beyond);
    CHECK(check(t, "tags contains 2 or text contains ''") == std::pair(false, false));
}

TEST_CASE("texts with long equal beginnings are told apart") {
    table t;
    std::string const front(100, 'p');
    for (int i = 0; i < 300; ++i) t.add({{"v", front + std::to_string(i % 150)}});
    t.add({{"v", front}});
    t.add({{"v", "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"}});
    for (auto const kind : {field_index::hash, field_index::ordered}) {
        t.indexes.clear();
        t.build("v", kind, {99, 302});
        for (auto const* op : {"=", "<", ">=", "!=", "starts_with"})
            for (auto const* tail : {"", "7", "77", "149", "a"})
                CHECK(check(t, std::string("v ") + op + " '" + front + tail + "'") ==
                      std::pair(true, true));
    }
}

TEST_CASE("a part of an and that costs more than asking is left out") {
    table t;
    for (int i = 0; i < 20000; ++i) t.add({{"few", i % 5000}, {"many", i / 2 + 0.25}});
    t.build("few", field_index::hash, {20000});
    t.build("many", field_index::ordered, {20000});
    CHECK(check(t, "few = 17 and many > 100") == std::pair(true, false));
    CHECK(check(t, "many > 9000 and many < 9500") == std::pair(true, true));
    CHECK(check(t, "few = -17 and many > 100") == std::pair(true, true));
}

TEST_CASE("a segment of other bytes is refused, or read without going outside") {
    testing::dice d(14);
    table t;
    for (int i = 0; i < 300; ++i) t.add(random_record(d));
    for (auto const kind : {field_index::hash, field_index::ordered, field_index::inverted})
        for (auto const* name : {"a", "year", "tags"}) {
            t.indexes.clear();
            t.build(name, kind, {300});
            auto const good = *t.indexes[0].segments[0];
            auto const f = filter::parse(std::string(name) + " >= 0 or " + name +
                                         " contains 'a' or " + name + " != 'ab'");
            for (int i = 0; i < 400; ++i) {
                // Exactly as long as it is, so that a sanitizer sees what is read behind it.
                auto damaged = good;
                auto const at = i % 3 == 0 ? d.below(16) : d.below(damaged.size());
                damaged[at] ^= d.one_in(2) ? std::uint64_t{1} << d.below(64) : d.bits();
                auto const* const p = reinterpret_cast<std::byte const*>(damaged.data());
                auto const layout = segment_layout::read(p, damaged.size() * 8);
                if (!layout) continue;
                REQUIRE(layout->bytes <= damaged.size() * 8);
                storage::fault_scope const faults;
                open_index<view> const open{&t.indexes[0].path, layout->kind, {{*layout, p}}};
                filter_answers<view> const answers(f->tree(), {&open, 1}, 300);
                if (auto const got = answers.select())
                    REQUIRE((got->slots.empty() || got->slots.last() < 300 || layout->end > 300));
                if (layout->end > 300) continue; // what binds it to a store refuses that
                auto const merged =
                    merge_segments(layout->kind, 0, 300, std::span<view const>(open.views),
                                   [](std::size_t, slot s) { return s; });
                REQUIRE(merged->size() >= 16);
            }
        }
}

} // namespace index_answers_test
