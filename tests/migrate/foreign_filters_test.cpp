// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "migrate/foreign_answers.hpp"
#include "payload/random_fields.hpp"

#include <vicinal/migrate/filters/print.hpp>
#include <vicinal/migrate/json_filters.hpp>
#include <vicinal/payload/fields.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace foreign_filters_test {

using namespace vicinal;
using testing::dice;
using options = backend::foreign_filter_options;

namespace {

options const promises{.plain_text = true, .utc_dates = true};

value of(std::string name, value v) {
    fields f;
    f.set(std::move(name), std::move(v));
    return f;
}

template <class T>
T const& one_of(dice& d, std::vector<T> const& all) {
    return all[d.below(all.size())];
}

value::array some(dice& d, std::uint64_t most, std::function<value()> const& make) {
    value::array a{make()};
    while (a.size() < most && d.one_in(2)) a.push_back(make());
    return a;
}

std::string json(value const& v) {
    std::string out;
    REQUIRE(vicinal::detail::to_json(v, out));
    return out;
}

value parsed(std::string const& text) {
    value v;
    if (text.empty()) return v;
    vicinal::detail::json_parser parser;
    auto const root = parser.parse(text);
    REQUIRE(root);
    REQUIRE(vicinal::detail::read_value(*root, v));
    return v;
}

bool matches(filter const& f, fields const& record) {
    std::string bytes;
    REQUIRE(payload::fields::encode(record, bytes));
    return f.matches(std::as_bytes(std::span<char const>(bytes.data(), bytes.size())));
}

value a_text(dice& d) { return one_of<value>(d, {"a", "ab", "abc", "b", "ba", "it's", "x y"}); }
value a_whole(dice& d) { return static_cast<int>(d.below(6)) - 1; }
value a_fraction(dice& d) { return static_cast<double>(d.below(6)) - 0.5; }
value a_number(dice& d) { return d.one_in(3) ? a_fraction(d) : a_whole(d); }
value a_date(dice& d) {
    return "2024-0" + std::to_string(1 + d.below(3)) + "-01T12:00:0" + std::to_string(d.below(3)) +
           "Z";
}
value a_scalar(dice& d) {
    switch (d.below(3)) {
        case 0: return a_text(d);
        case 1: return a_number(d);
        default: return d.one_in(2);
    }
}
std::string a_name(dice& d) { return one_of<std::string>(d, {"a", "b", "c", "d.e", "in"}); }

/// A system: records and filters that it could hold, and what it answers.
struct foreign_system {
    char const* name;
    std::function<fields(dice&)> record;
    std::function<value(dice&, unsigned)> clause;
    std::function<bool(value const&, fields const&)> answer;
    std::function<result<filter>(std::string const&)> read;
    std::function<result<std::string>(filter const&, options const&)> print;
    std::function<value(dice&)> literal; // for filters of ours
};

value joined(dice& d, unsigned depth, std::function<value(dice&, unsigned)> const& clause) {
    return of(d.one_in(2) ? "$and" : "$or", some(d, 4, [&] { return clause(d, depth - 1); }));
}

value chroma_clause(dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(2)) return joined(d, depth, chroma_clause);
    auto const op = one_of<std::string>(d, {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in",
                                            "$nin", "$contains", "$not_contains", ""});
    auto const name = a_name(d);
    if (op.empty()) return of(name, a_scalar(d));
    if (op == "$in" || op == "$nin") {
        auto const texts = d.one_in(2);
        return of(name, of(op, some(d, 3, [&] { return texts ? a_text(d) : a_number(d); })));
    }
    bool const number = op[1] == 'g' || op[1] == 'l';
    return of(name, of(op, number ? a_number(d) : a_scalar(d)));
}

value chroma_document(dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(2)) return joined(d, depth, chroma_document);
    return of(d.one_in(2) ? "$contains" : "$not_contains", a_text(d));
}

/// Both of Chroma's texts as one JSON, so that it has one like the others.
foreign_system chroma_system() {
    return {"chroma",
            [](dice& d) {
                fields f;
                for (auto n = d.below(5); n > 0; --n) {
                    auto v = a_scalar(d);
                    if (d.one_in(3)) {
                        auto const kind = d.below(3);
                        v = some(d, 3, [&] {
                            return kind == 0 ? a_text(d)
                                             : (kind == 1 ? a_whole(d) : value(d.one_in(2)));
                        });
                    }
                    f.set(a_name(d), v);
                }
                if (!d.one_in(3)) f.set("document", a_text(d));
                return f;
            },
            [](dice& d, unsigned depth) {
                return fields{
                    {"where", chroma_clause(d, depth)},
                    {"where_document", d.one_in(2) ? value(fields{}) : chroma_document(d, depth)}};
            },
            [](value const& v, fields const& record) {
                auto const& both = *v.get_if<fields>();
                return foreign::chroma(both["where"], record, false) &&
                       foreign::chroma(both["where_document"], record, true);
            },
            [](std::string const& text) {
                auto const both = parsed(text);
                return backend::chroma_filter(json((*both.get_if<fields>())["where"]),
                                              json((*both.get_if<fields>())["where_document"]));
            },
            [](filter const& f, options const& o) -> result<std::string> {
                auto const c = backend::to_chroma(f, o);
                if (!c) return c.error();
                return json(fields{{"where", parsed(c->where)},
                                   {"where_document", parsed(c->where_document)}});
            },
            a_scalar};
}

value pinecone_clause(dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(2)) return joined(d, depth, pinecone_clause);
    fields f;
    for (auto n = 1 + d.below(2); n > 0; --n) {
        auto const name = a_name(d);
        auto const op = one_of<std::string>(
            d, {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", ""});
        if (op.empty()) {
            f.set(name, a_scalar(d));
        } else if (op == "$in" || op == "$nin") {
            f.set(name, of(op, some(d, 3, [&] { return a_scalar(d); })));
        } else if (op == "$exists") {
            f.set(name, of(op, value(d.one_in(2))));
        } else if (op[1] == 'g' || op[1] == 'l') {
            fields range{{op, a_number(d)}};
            if (d.one_in(2)) range.set("$lt", a_number(d));
            f.set(name, range);
        } else {
            f.set(name, of(op, a_scalar(d)));
        }
    }
    return f;
}

foreign_system pinecone_system(bool ne_matches_missing) {
    auto const with = [=](options o) {
        o.ne_matches_missing = ne_matches_missing;
        return o;
    };
    return {"pinecone",
            [](dice& d) {
                fields f;
                for (auto n = d.below(5); n > 0; --n) {
                    value v = a_scalar(d);
                    if (d.one_in(3)) v = some(d, 3, [&] { return a_text(d); });
                    if (d.one_in(20)) v = value::array{};
                    f.set(a_name(d), v);
                }
                return f;
            },
            pinecone_clause,
            [=](value const& v, fields const& r) {
                return foreign::pinecone(v, r, ne_matches_missing);
            },
            [=](std::string const& t) { return backend::pinecone_filter(t, with({})); },
            [=](filter const& f, options const& o) { return backend::to_pinecone(f, with(o)); },
            a_scalar};
}

std::string qdrant_key(dice& d) {
    return one_of<std::string>(d, {"a", "b", "c", "\"d.e\"", "n.a", "n.b", "n.\"d.e\"", "a-1"});
}

value qdrant_clause(dice& d, unsigned depth);

value qdrant_condition(dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(3)) return qdrant_clause(d, depth - 1);
    auto const key = qdrant_key(d);
    if (d.one_in(8)) return of("is_empty", of("key", value(key)));
    fields f{{"key", key}};
    switch (d.below(8)) {
        case 0: f.set("match", of("value", d.one_in(2) ? a_text(d) : a_whole(d))); break;
        case 1: {
            bool const texts = d.one_in(2);
            f.set("match", of(d.one_in(2) ? "any" : "except",
                              some(d, 3, [&] { return texts ? a_text(d) : a_whole(d); })));
            break;
        }
        case 2:
            f.set("match",
                  of(one_of<std::string>(d, {"text", "phrase", "text_any", "prefix"}), a_text(d)));
            break;
        case 3: f.set("match", of("value", value(d.one_in(2)))); break;
        case 4:
            f.set("values_count", d.one_in(2) ? value(fields{{"gte", 1}}) : of("lt", value(1)));
            break;
        case 5: f.set("is_empty", d.one_in(2)); break;
        case 6: {
            auto const date = d.one_in(2);
            f.set("range", date ? value(fields{{"gte", a_date(d)}, {"lte", a_date(d)}})
                                : of("lt", a_date(d)));
            break;
        }
        default: {
            fields range;
            for (auto n = 1 + d.below(3); n > 0; --n)
                range.set(one_of<std::string>(d, {"gt", "gte", "lt", "lte"}), a_number(d));
            f.set("range", range);
        }
    }
    return f;
}

value qdrant_clause(dice& d, unsigned depth) {
    fields f;
    for (auto n = 1 + d.below(2); n > 0; --n) {
        auto const make = [&] { return qdrant_condition(d, depth); };
        switch (d.below(5)) {
            case 0:
                f.set("min_should", fields{{"conditions", some(d, 4, make)},
                                           {"min_count", 1 + static_cast<int>(d.below(3))}});
                break;
            case 1: f.set("must", make()); break;
            case 2: f.set("must_not", some(d, 3, make)); break;
            case 3: f.set("should", some(d, 3, make)); break;
            default: f.set("must", some(d, 3, make)); break;
        }
    }
    return f;
}

value qdrant_value(dice& d, unsigned depth) {
    switch (d.below(depth > 0 ? 10 : 6)) {
        case 0: return nullptr;
        case 1: return a_date(d);
        case 6:
        case 7:
        case 8: {
            value::array a;
            for (auto n = d.below(4); n > 0; --n) a.push_back(qdrant_value(d, depth - 1));
            return a;
        }
        case 9: return fields{{"a", qdrant_value(d, 0)}};
        default: return a_scalar(d);
    }
}

foreign_system qdrant_system() {
    return {
        "qdrant",
        [](dice& d) {
            fields f;
            fields n;
            for (auto i = d.below(5); i > 0; --i)
                f.set(one_of<std::string>(d, {"a", "b", "c", "d.e", "a-1"}), qdrant_value(d, 2));
            for (auto i = d.below(3); i > 0; --i)
                n.set(one_of<std::string>(d, {"a", "b", "d.e"}), qdrant_value(d, 2));
            if (!d.one_in(3)) f.set("n", d.one_in(8) ? value(value::array{n}) : value(n));
            return f;
        },
        qdrant_clause,
        foreign::qdrant,
        [](std::string const& t) { return backend::qdrant_filter(t, promises); },
        [](filter const& f, options const& o) { return backend::to_qdrant(f, o); },
        a_scalar};
}

/// Weaviate's properties have one kind each: t and ts are text, n and ns numbers, and so on.
std::string weaviate_name(dice& d) {
    return one_of<std::string>(d, {"t", "ts", "i", "is", "n", "b", "d"});
}
value weaviate_value(dice& d, std::string const& name) {
    switch (name[0]) {
        case 't': return a_text(d);
        case 'i': return a_whole(d);
        case 'n': return a_fraction(d);
        case 'd': return a_date(d);
        default: return d.one_in(2);
    }
}

value weaviate_clause(dice& d, unsigned depth) {
    if (depth > 0 && d.one_in(2)) {
        auto const op = one_of<std::string>(d, {"And", "Or", "Not"});
        return fields{{"operator", op}, {"operands", some(d, op == "Not" ? 1 : 4, [&] {
                                             return weaviate_clause(d, depth - 1);
                                         })}};
    }
    auto const name = weaviate_name(d);
    auto op = one_of<std::string>(d, {"Equal", "NotEqual", "GreaterThan", "GreaterThanEqual",
                                      "LessThan", "LessThanEqual", "Like", "IsNull", "ContainsAny",
                                      "ContainsAll", "ContainsNone"});
    if (name == "b" && op.find("Than") != std::string::npos) op = "Equal";
    if (name[0] != 't' && op == "Like") op = "Equal";
    fields f{{"path", value::array{name}}, {"operator", op}};
    if (op == "IsNull") {
        f.set("valueBoolean", d.one_in(2));
        return f;
    }
    static std::string const kinds = "tindb";
    static char const* const members[] = {"valueText", "valueInt", "valueNumber", "valueDate",
                                          "valueBoolean"};
    std::string const member = members[kinds.find(name[0])];
    auto const make = [&] { return weaviate_value(d, name); };
    if (op.rfind("Contains", 0) == 0)
        f.set(member + (d.one_in(2) ? "Array" : ""), some(d, 3, make));
    else if (op == "Like")
        f.set(member, one_of<std::string>(d, {"a*", "*a*", "ab", "*x y*", "*b*"}));
    else
        f.set(member, make());
    return f;
}

foreign_system weaviate_system() {
    return {"weaviate",
            [](dice& d) {
                fields f;
                for (auto n = d.below(6); n > 0; --n) {
                    auto const name = weaviate_name(d);
                    if (name.size() == 1)
                        f.set(name,
                              name == "t" && d.one_in(8) ? value("") : weaviate_value(d, name));
                    else if (d.one_in(6))
                        f.set(name, value::array{});
                    else
                        f.set(name, some(d, 3, [&] { return weaviate_value(d, name); }));
                }
                return f;
            },
            weaviate_clause,
            foreign::weaviate,
            [](std::string const& t) { return backend::weaviate_filter(t, promises); },
            [](filter const& f, options const& o) { return backend::to_weaviate(f, o); },
            a_scalar};
}

std::vector<foreign_system> systems() {
    return {chroma_system(), pinecone_system(true), pinecone_system(false), qdrant_system(),
            weaviate_system()};
}

/// The text of a filter of ours over those names.
std::string own_filter(dice& d, unsigned depth, std::function<std::string(dice&)> const& name) {
    auto const literal = [&] {
        auto const v = a_scalar(d);
        return vicinal::detail::foreign_literal(v);
    };
    if (depth > 0 && d.one_in(2)) {
        auto const a = "(" + own_filter(d, depth - 1, name) + ")";
        switch (d.below(5)) {
            case 0: return "not " + a;
            case 1: return a + " is not true";
            case 2: return a + " and (" + own_filter(d, depth - 1, name) + ")";
            default: return a + " or (" + own_filter(d, depth - 1, name) + ")";
        }
    }
    auto const n = name(d);
    if (d.one_in(6)) return n + " != " + literal() + " or " + n + " is null";
    auto const x = (d.one_in(3) ? "any " : "") + n;
    switch (d.below(11)) {
        case 0: return x + " in (" + literal() + ", " + literal() + ")";
        case 1: return x + " not in (" + literal() + ", " + literal() + ")";
        case 2: return x + " between 0 and 2.5";
        case 3: return x + " contains " + literal();
        case 4: return x + " starts_with 'a'";
        case 5: return x + (d.one_in(2) ? " is null" : " is not null");
        case 6: return x + (d.one_in(2) ? " > 1" : " <= 2");
        case 7: return x + (d.one_in(2) ? " < 2.5" : " >= 0");
        case 8: return x + " != " + literal();
        default: return x + " = " + literal();
    }
}

} // namespace

TEST_CASE("a foreign filter gives the other system's answers", "[foreign_filters]") {
    for (auto const& s : systems()) {
        dice d(17);
        CAPTURE(s.name);
        std::size_t met = 0;
        for (int i = 0; i < 1500; ++i) {
            auto const clause = s.clause(d, 3);
            auto const text = json(clause);
            CAPTURE(text);
            auto const f = s.read(text);
            if (!f) FAIL(f.error().message());
            CAPTURE(f->print());
            // Read, written and read again, it answers the same.
            auto const written = s.print(*f, promises);
            if (!written) FAIL(written.error().message());
            CAPTURE(*written);
            auto const again = s.read(*written);
            if (!again) FAIL(again.error().message());
            auto const theirs = parsed(*written);
            for (int j = 0; j < 12; ++j) {
                auto const record = s.record(d);
                bool const expected = s.answer(clause, record);
                met += expected ? 1 : 0;
                if (matches(*f, record) == expected && s.answer(theirs, record) == expected &&
                    matches(*again, record) == expected)
                    continue;
                CAPTURE(json(record), expected, again->print());
                CHECK(matches(*f, record) == expected);
                CHECK(s.answer(theirs, record) == expected);
                CHECK(matches(*again, record) == expected);
            }
        }
        // Neither everything nor nothing.
        CHECK(met > 1500);
        CHECK(met < 16000);
    }
}

TEST_CASE("a filter gets the same answers in another system, or an error", "[foreign_filters]") {
    for (auto const& s : systems()) {
        dice d(29);
        CAPTURE(s.name);
        std::size_t written = 0;
        std::string const own = s.name;
        auto const name = [&](dice& r) -> std::string {
            if (own == "weaviate") return vicinal::detail::foreign_name(weaviate_name(r));
            if (own == "chroma" && r.one_in(4)) return "document";
            return one_of<std::string>(r, {"a", "b", "c", "\"d.e\"", "\"in\""});
        };
        for (int i = 0; i < 6000; ++i) {
            auto const text = own_filter(d, static_cast<unsigned>(d.below(3)), name);
            CAPTURE(text);
            auto const f = filter::parse(text);
            REQUIRE(f);
            auto const theirs = s.print(*f, promises);
            if (!theirs) {
                CHECK(theirs.error().code() == errc::unsupported);
                continue;
            }
            ++written;
            CAPTURE(*theirs);
            auto const v = parsed(*theirs);
            for (int j = 0; j < 12; ++j) {
                auto const record = s.record(d);
                if (matches(*f, record) == s.answer(v, record)) continue;
                CAPTURE(json(record));
                CHECK(matches(*f, record) == s.answer(v, record));
            }
        }
        CHECK(written > 500);
    }
}

TEST_CASE("each system's operators become what the documentation has", "[foreign_filters]") {
    struct row {
        char const* system;
        std::string json;
        std::string own;
    };
    for (auto const& r : std::initializer_list<row>{
             {"chroma", R"({"year":{"$ne":2023}})", "year != 2023 or year is null"},
             {"chroma", R"({"tags":{"$contains":"ml"}})", "any tags = 'ml' and tags != 'ml'"},
             {"chroma", R"({"n":{"$not_contains":5}})", "(n contains 5) is not true"},
             {"chroma", R"({"#document":{"$not_contains":"x"}})",
              "(document contains 'x') is not true"},
             {"chroma", R"({"$or":[{"a.b":1},{"c":{"$nin":["x","y"]}}]})",
              "\"a.b\" = 1 or c not in ('x', 'y') or c is null"},
             {"chroma", "{}", ""},
             {"pinecone", R"({"genre":"drama","year":{"$gte":2020,"$lt":2024}})",
              "any genre = 'drama' and year >= 2020 and year < 2024"},
             {"pinecone", R"({"genre":{"$nin":["a","b"]}})",
              "(any genre in ('a', 'b')) is not true"},
             {"pinecone", R"({"x":{"$ne":1.5}})", "x != 1.5 or x is null"},
             {"pinecone", R"({"x":{"$exists":false}})", "x is null"},
             {"qdrant", R"({"must":{"key":"city","match":{"value":"London"}}})",
              "any city = 'London'"},
             {"qdrant", R"({"must_not":[{"key":"a.\"b c\"","match":{"any":[1,2]}}]})",
              "(any a.\"b c\" in (1, 2)) is not true"},
             {"qdrant", R"({"must":[{"key":"p","range":{"gt":1,"lte":5,"lt":null}}]})",
              "any p between 1.0000000000000002 and 5"},
             {"qdrant", R"({"must":[{"key":"p","range":{"gt":5,"lt":5}}]})",
              "\"\" is null and \"\" is not null"},
             {"qdrant", R"({"must":[{"is_empty":{"key":"p"}}]})",
              "p is null or (any p is null or any p is not null) is not true"},
             {"qdrant", R"({"must":[],"should":[]})", ""},
             {"qdrant", R"({"min_should":{"min_count":2,"conditions":[
                 {"key":"a","match":{"value":1}},{"key":"b","match":{"value":true}},
                 {"key":"c","match":{"except":["x"]}}]}})",
              "any a = 1 and any b = true or any a = 1 and any c not in ('x') or any b = true and "
              "any c not in ('x')"},
             {"weaviate", R"({"path":["n"],"operator":"NotEqual","valueInt":1})",
              "(any n = 1) is not true"},
             {"weaviate", R"({"operator":"OPERATOR_CONTAINS_ANY","target":{"property":"n"},
                              "valueIntArray":{"values":[1,2]}})",
              "any n in (1, 2)"},
             {"weaviate", R"({"path":["n"],"operator":"ContainsAll","valueNumber":[1.5,2]})",
              "any n = 1.5 and any n = 2"},
         }) {
        CAPTURE(r.system, r.json);
        std::string const name = r.system;
        auto const f = name == "chroma"     ? backend::chroma_filter(r.json)
                       : name == "pinecone" ? backend::pinecone_filter(r.json)
                       : name == "qdrant"   ? backend::qdrant_filter(r.json)
                                            : backend::weaviate_filter(r.json);
        if (!f) FAIL(f.error().message());
        CHECK(f->print() == r.own);
    }
}

TEST_CASE("what a filter can't say is an error that names the place", "[foreign_filters]") {
    auto const told = [](auto const& f) { return f ? "translated" : f.error().message(); };
    auto const has = [](std::string const& message, std::string const& part) {
        CAPTURE(message, part);
        CHECK(message.find(part) != std::string::npos);
    };
    using namespace backend;
    has(told(chroma_filter("", R"({"$regex":"a.*"})")), "'where_document.$regex'");
    has(told(chroma_filter(R"({"a":1,"b":2})")), "one condition in an object");
    has(told(chroma_filter(R"({"$and":[{"a":1},{"b":{"$near":2}}]})")), "'where.$and[1].b.$near'");
    has(told(chroma_filter(R"({"a":{"$gt":"x"}})")), "a number at 'where.a.$gt', got a text");
    has(told(chroma_filter(R"({"a":{"$in":[]}})")), "at least one value");
    has(told(chroma_filter(R"({"a":{"$in":[1,"x"]}})")), "values of one kind");
    has(told(chroma_filter(R"({"a":null})")), "an object at 'where.a', got null");
    has(told(pinecone_filter(R"({"a":9007199254740993})")), "below 2^53");
    has(told(pinecone_filter(R"({"a":["x"]})")), "an object at 'a', got an array");
    has(told(pinecone_filter(R"({"$gt":1})")), "a field's name");
    has(told(qdrant_filter(R"({"must":[{"has_id":[1]}]})")), "ids are none at 'must[0].has_id'");
    has(told(qdrant_filter(R"({"must":[{"nested":{"key":"a","filter":{}}}]})")), "no nested");
    has(told(qdrant_filter(R"({"must":[{"is_null":{"key":"a"}}]})")), "null from a missing field");
    has(told(qdrant_filter(R"({"must":[{"key":"a[].b","match":{"value":1}}]})")),
        "no place inside an array");
    has(told(qdrant_filter(R"({"must":[{"key":"a","geo_radius":{"radius":1}}]})")), "the earth");
    has(told(qdrant_filter(R"({"must":[{"key":"a","match":{"text":"x"}}]})")), "plain_text");
    has(told(qdrant_filter(R"({"must":[{"key":"a","range":{"gt":"2024-01-01"}}]})")), "utc_dates");
    has(told(qdrant_filter(R"({"must":[{"key":"a","values_count":{"gt":2}}]})")), "values_count");
    has(told(qdrant_filter(R"({"must":[{"key":"a","match":{"value":1.5}}]})")), "a whole number");
    has(told(qdrant_filter(R"({"mustn't":[]})")), "must, must_not, should or min_should");
    has(told(weaviate_filter(R"({"path":["a"],"operator":"Equal","valueText":"x"})")),
        "plain_text");
    has(told(weaviate_filter(R"({"path":["a"],"operator":"Like","valueText":"x?y"})", promises)),
        "a pattern");
    has(told(weaviate_filter(R"({"path":["a","B","c"],"operator":"Equal","valueInt":1})")),
        "behind a reference");
    has(told(weaviate_filter(R"({"path":["a"],"operator":"Is","valueInt":1})")), "Equal, NotEqual");

    auto const own = [](char const* text) { return filter::parse(text).value(); };
    has(told(to_chroma(own("a is null"))), "whether a field is there");
    has(told(to_chroma(own("a contains 'x'"))), "in documents only");
    has(told(to_chroma(own("document contains 'x' or a = 1"))), "both in one or");
    has(told(to_chroma(own("not a starts_with 'x'"))), "got not: a starts_with 'x'");
    has(told(to_pinecone(own("a = 'x'"))), "any in front of the name");
    has(told(to_pinecone(own("(a > 1) is not true"))), "no negation");
    has(told(to_qdrant(own("a is null"))), "no_empty_values");
    has(told(to_qdrant(own("a > 'x'"))), "numbers behind");
    has(told(to_weaviate(own("any a = 'x'"))), "plain_text");
    has(told(to_weaviate(own("a = 1"))), "any in front of the name");
    CHECK(to_weaviate(own("a = 1"), {.no_arrays = true}));
    CHECK(to_qdrant(own("a != 'x' and b is null"), {.no_empty_values = true}));
    CHECK(to_pinecone(own("a = 'x'"), {.no_arrays = true}).value() == R"({"a":{"$eq":"x"}})");
    CHECK(to_chroma(own("a = 1 and document contains 'x'"))->where_document ==
          R"({"$contains":"x"})");
}

TEST_CASE("hostile JSON is an error and no harm", "[foreign_filters]") {
    auto const refused = [](std::string const& text) {
        CHECK_FALSE(backend::chroma_filter(text));
        CHECK_FALSE(backend::chroma_filter("", text));
        CHECK_FALSE(backend::pinecone_filter(text));
        CHECK_FALSE(backend::qdrant_filter(text));
        CHECK_FALSE(backend::weaviate_filter(text));
    };
    auto const deep = [](std::string const& open, std::string const& close) {
        std::string text;
        for (int i = 0; i < 3000; ++i) text += open;
        text += "1";
        for (int i = 0; i < 3000; ++i) text += close;
        return text;
    };
    refused(deep("[", "]"));
    refused(deep(R"({"$and":[)", "]}"));
    refused(deep(R"({"must":)", "}"));
    refused(R"({"a":1,"a":1})");
    refused(R"({"must":{"key":"a","match":{"value":1,"value":1}},"a":1})");
    refused(R"({"a":NaN})");
    refused(R"({"a":1e999})");
    refused(R"({"a":)" + std::string(100, '9') + "x}");
    refused("{\"a\":\"\xff\"}");
    refused("[]");
    refused("1");
    refused(R"({"a":")" + std::string(70000, 'x') + R"("})");

    // Small as JSON, too large as a filter.
    std::string many = R"({"$or":[)";
    for (int i = 0; i < 4000; ++i) many += (i ? "," : "") + std::string(R"({"a":{"$ne":1}})");
    auto const chroma = backend::chroma_filter(many + "]}");
    REQUIRE_FALSE(chroma);
    CHECK(chroma.error().code() == errc::invalid_filter);
    std::string conditions;
    for (int i = 0; i < 60; ++i)
        conditions += (i ? "," : "") + std::string(R"({"key":"a","match":{"value":1}})");
    auto const qdrant = backend::qdrant_filter(R"({"min_should":{"min_count":30,"conditions":[)" +
                                               conditions + "]}}");
    REQUIRE_FALSE(qdrant);
    CHECK(qdrant.error().code() == errc::unsupported);

    // Any bytes changed: an error, or a filter that is written and read again with equal answers.
    for (auto const& s : systems()) {
        dice d(5);
        for (int i = 0; i < 400; ++i) {
            auto text = json(s.clause(d, 3));
            for (auto n = 1 + d.below(3); n > 0 && s.name != std::string("chroma"); --n) {
                auto const at = d.below(text.size());
                if (d.one_in(3))
                    text.erase(at, 1 + d.below(4));
                else
                    text[at] = one_of<char>(d, {'"', '{', '}', '[', ']', ',', ':', '$', '9', 'e',
                                                '.', '-', '\\', ' ', 'a', '\x80'});
            }
            auto const f = s.read(text);
            if (!f) continue;
            auto const written = s.print(*f, promises);
            if (!written) continue;
            CAPTURE(text, *written);
            auto const again = s.read(*written);
            REQUIRE(again);
            for (int j = 0; j < 4; ++j) {
                auto const record = s.record(d);
                CHECK(matches(*f, record) == matches(*again, record));
            }
        }
    }
}

} // namespace foreign_filters_test
