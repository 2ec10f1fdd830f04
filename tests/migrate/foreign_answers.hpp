// SPDX-License-Identifier: MIT
// What other systems answer to their own filters: each reads its JSON and nothing of ours, so that
// the translations can be compared with it. Written from the systems' sources and documentation.
#ifndef VICINAL_TESTS_MIGRATE_FOREIGN_ANSWERS_HPP
#define VICINAL_TESTS_MIGRATE_FOREIGN_ANSWERS_HPP

#include <vicinal/core/value.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace foreign {

using vicinal::fields;
using vicinal::value;

inline double number(value const& v) {
    auto const* i = v.get_if<std::int64_t>();
    return i ? static_cast<double>(*i) : *v.get_if<double>();
}
inline bool is_number(value const& v) {
    return v.type() == value::kind::integer || v.type() == value::kind::real;
}
inline bool is_text(value const& v) { return v.type() == value::kind::string; }
inline bool same(value const& a, value const& b) {
    return is_number(a) && is_number(b) ? number(a) == number(b) : a == b;
}
inline value::array const* list(value const& v) { return v.get_if<value::array>(); }
inline fields const* object(value const& v) { return v.get_if<fields>(); }
inline std::string const& text(value const& v) { return *v.get_if<std::string>(); }

inline bool within(std::string const& op, double a, double b) {
    if (op == "gt") return a > b;
    if (op == "gte") return a >= b;
    if (op == "lt") return a < b;
    return a <= b;
}

// Chroma: scalars in one table, elements of arrays in another; a negation is "not among those".

inline bool chroma_test(std::string const& op, value const& operand, value const* stored) {
    auto const any = [&](value const& wanted) {
        return stored && !list(*stored) && same(*stored, wanted);
    };
    auto const element = [&] {
        auto const* a = stored ? list(*stored) : nullptr;
        return a &&
               std::any_of(a->begin(), a->end(), [&](value const& e) { return same(e, operand); });
    };
    auto const listed = [&] {
        return std::any_of(list(operand)->begin(), list(operand)->end(), any);
    };
    if (op == "$eq") return any(operand);
    if (op == "$ne") return !any(operand);
    if (op == "$in") return listed();
    if (op == "$nin") return !listed();
    if (op == "$contains") return element();
    if (op == "$not_contains") return !element();
    return stored && is_number(*stored) && within(op.substr(1), number(*stored), number(operand));
}

inline bool chroma(value const& where, fields const& record, bool document) {
    auto const* o = object(where);
    if (!o || o->empty()) return true;
    auto const& [name, operand] = *o->begin();
    auto const holds = [&](value const& v) { return chroma(v, record, document); };
    if (name == "$and") return std::all_of(list(operand)->begin(), list(operand)->end(), holds);
    if (name == "$or") return std::any_of(list(operand)->begin(), list(operand)->end(), holds);
    if (document) {
        auto const* d = record.find("document");
        return (d && text(*d).find(text(operand)) != std::string::npos) == (name == "$contains");
    }
    auto const* test = object(operand);
    if (!test) return chroma_test("$eq", operand, record.find(name));
    return chroma_test(test->begin()->name, test->begin()->v, record.find(name));
}

// Pinecone: a list matches where one of its texts does.

inline bool pinecone(value const& filter, fields const& record, bool ne_matches_missing) {
    auto const test = [&](std::string const& op, value const& operand, value const* stored) {
        auto const equal = [&](value const& wanted) {
            if (!stored) return false;
            auto const* a = list(*stored);
            return a ? std::find(a->begin(), a->end(), wanted) != a->end() : same(*stored, wanted);
        };
        auto const among = [&] {
            return std::any_of(list(operand)->begin(), list(operand)->end(), equal);
        };
        if (op == "$exists") return *operand.get_if<bool>() == (stored != nullptr);
        if (op == "$eq") return equal(operand);
        if (op == "$in") return among();
        if (op == "$ne") return stored ? !equal(operand) : ne_matches_missing;
        if (op == "$nin") return stored ? !among() : ne_matches_missing;
        return stored && is_number(*stored) &&
               within(op.substr(1), number(*stored), number(operand));
    };
    auto const holds = [&](value const& v) { return pinecone(v, record, ne_matches_missing); };
    for (auto const& [name, operand] : *object(filter)) {
        auto const* tests = object(operand);
        if (name == "$and") {
            if (!std::all_of(list(operand)->begin(), list(operand)->end(), holds)) return false;
        } else if (name == "$or") {
            if (!std::any_of(list(operand)->begin(), list(operand)->end(), holds)) return false;
        } else if (!tests) {
            if (!test("$eq", operand, record.find(name))) return false;
        } else {
            for (auto const& [op, wanted] : *tests)
                if (!test(op, wanted, record.find(name))) return false;
        }
    }
    return true;
}

// Qdrant: the values at a key; each matches itself or, an array, by an element.

inline void qdrant_values(value const& v, std::string const& key, std::vector<value const*>& out) {
    if (key.empty()) {
        out.push_back(&v);
    } else if (key.rfind("[]", 0) == 0) {
        if (auto const* a = list(v))
            for (auto const& e : *a) qdrant_values(e, key.substr(2), out);
    } else if (auto const* o = object(v)) {
        auto rest = key[0] == '.' ? key.substr(1) : key;
        std::string name;
        if (rest[0] == '"') {
            name = rest.substr(1, rest.find('"', 1) - 1);
            rest = rest.substr(name.size() + 2);
        } else {
            name = rest.substr(0, rest.find_first_of(".["));
            rest = rest.substr(name.size());
        }
        if (auto const* inner = o->find(name)) qdrant_values(*inner, rest, out);
    }
}

inline bool qdrant_match(std::string const& how, value const& wanted, value const& v) {
    auto const* whole = v.get_if<std::int64_t>();
    auto const among = [&] {
        return std::any_of(list(wanted)->begin(), list(wanted)->end(),
                           [&](value const& w) { return w == v; });
    };
    if (how == "value") return v == wanted;
    if (how == "any") return (is_text(v) || whole) && among();
    if (how == "except") return !v.is_null() && !among();
    if (!is_text(v)) return false;
    if (how == "prefix") return text(v).rfind(text(wanted), 0) == 0;
    if (how == "text" || how == "phrase") return text(v).find(text(wanted)) != std::string::npos;
    bool found = false; // text_any
    std::string word;
    for (auto const c : text(wanted) + " ") {
        if (c != ' ') {
            word += c;
            continue;
        }
        found = found || (!word.empty() && text(v).find(word) != std::string::npos);
        word.clear();
    }
    return found;
}

inline bool qdrant_range(fields const& range, value const& v) {
    return std::all_of(range.begin(), range.end(), [&](auto const& f) {
        if (is_text(f.v) && is_text(v)) // dates in UTC
            return within(f.name, text(v).compare(text(f.v)), 0);
        return is_number(v) && is_number(f.v) && within(f.name, number(v), number(f.v));
    });
}

inline bool qdrant_field(fields const& condition, fields const& record) {
    value const whole(record);
    std::vector<value const*> at;
    qdrant_values(whole, text(condition["key"]), at);
    auto const nothing = [](value const& v) {
        return v.is_null() || (list(v) && list(v)->empty());
    };
    if (auto const* wanted = condition.find("is_empty"))
        return *wanted->get_if<bool>() ==
               std::all_of(at.begin(), at.end(), [&](auto const* v) { return nothing(*v); });
    if (auto const* count = condition.find("values_count")) {
        auto const fits = [&](double n) {
            return std::all_of(object(*count)->begin(), object(*count)->end(),
                               [&](auto const& f) { return within(f.name, n, number(f.v)); });
        };
        if (at.empty()) return fits(0);
        return std::any_of(at.begin(), at.end(), [&](auto const* v) {
            return fits(v->is_null() ? 0.0
                                     : (list(*v) ? static_cast<double>(list(*v)->size()) : 1.0));
        });
    }
    auto const holds = [&](value const& v) {
        if (auto const* range = condition.find("range")) return qdrant_range(*object(*range), v);
        auto const& [how, wanted] = *object(condition["match"])->begin();
        return qdrant_match(how, wanted, v);
    };
    return std::any_of(at.begin(), at.end(), [&](auto const* v) {
        return list(*v) ? std::any_of(list(*v)->begin(), list(*v)->end(), holds) : holds(*v);
    });
}

inline bool qdrant(value const& v, fields const& record) {
    auto const& o = *object(v);
    if (o.contains("key")) return qdrant_field(o, record);
    if (auto const* empty = o.find("is_empty"))
        return qdrant_field({{"key", (*object(*empty))["key"]}, {"is_empty", true}}, record);
    auto const count = [&](value const& conditions) -> std::pair<std::size_t, std::size_t> {
        auto const* a = list(conditions);
        if (!a) return {qdrant(conditions, record) ? 1U : 0U, 1U};
        std::size_t n = 0;
        for (auto const& c : *a) n += qdrant(c, record) ? 1U : 0U;
        return {n, a->size()};
    };
    for (auto const& [name, operand] : o) {
        if (name == "min_should") {
            auto const wanted = number((*object(operand))["min_count"]);
            if (static_cast<double>(count((*object(operand))["conditions"]).first) < wanted)
                return false;
            continue;
        }
        auto const [met, all] = count(operand);
        if (name == "must" && met != all) return false;
        if (name == "must_not" && met != 0) return false;
        if (name == "should" && met == 0 && all != 0) return false;
    }
    return true;
}

// Weaviate: an inverted index of values, of arrays each element; negations are complements.

inline bool like(std::string const& pattern, std::string const& s) {
    if (pattern.empty()) return s.empty();
    if (pattern[0] == '*') {
        for (std::size_t i = 0; i <= s.size(); ++i)
            if (like(pattern.substr(1), s.substr(i))) return true;
        return false;
    }
    return !s.empty() && (pattern[0] == '?' || pattern[0] == s[0]) &&
           like(pattern.substr(1), s.substr(1));
}

inline bool weaviate(value const& v, fields const& record) {
    auto const& o = *object(v);
    if (o.empty()) return true;
    auto const& op = text(o["operator"]);
    if (auto const* operands = o.find("operands")) {
        auto const holds = [&](value const& part) { return weaviate(part, record); };
        auto const begin = list(*operands)->begin();
        auto const end = list(*operands)->end();
        if (op == "And") return std::all_of(begin, end, holds);
        if (op == "Or") return std::any_of(begin, end, holds);
        return !holds(*begin);
    }
    auto const* stored = record.find(text((*list(o["path"]))[0]));
    value const* wanted = nullptr;
    for (auto const& f : o)
        if (f.name.rfind("value", 0) == 0) wanted = &f.v;
    value::array index;
    if (stored) index = list(*stored) ? *list(*stored) : value::array{*stored};
    if (op == "IsNull")
        return *wanted->get_if<bool>() ==
               (index.empty() || (!list(*stored) && is_text(*stored) && text(*stored).empty()));
    auto const indexed = [&](value const& w) {
        return std::any_of(index.begin(), index.end(), [&](value const& e) { return same(e, w); });
    };
    if (op == "Equal") return indexed(*wanted);
    if (op == "NotEqual") return !indexed(*wanted);
    if (op == "ContainsAny")
        return std::any_of(list(*wanted)->begin(), list(*wanted)->end(), indexed);
    if (op == "ContainsAll")
        return std::all_of(list(*wanted)->begin(), list(*wanted)->end(), indexed);
    if (op == "ContainsNone")
        return std::none_of(list(*wanted)->begin(), list(*wanted)->end(), indexed);
    return std::any_of(index.begin(), index.end(), [&](value const& e) {
        if (op == "Like") return is_text(e) && like(text(*wanted), text(e));
        auto const compare = [&] {
            if (is_number(e) && is_number(*wanted)) return number(e) - number(*wanted);
            return static_cast<double>(text(e).compare(text(*wanted)));
        };
        if (e.type() != wanted->type() && !(is_number(e) && is_number(*wanted))) return false;
        if (op == "GreaterThan") return compare() > 0;
        if (op == "GreaterThanEqual") return compare() >= 0;
        if (op == "LessThan") return compare() < 0;
        return compare() <= 0;
    });
}

} // namespace foreign

#endif
